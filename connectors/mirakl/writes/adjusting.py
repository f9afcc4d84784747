"""The delivery of refunds and cancelations by amount: looks for its own before it writes, writes what is missing."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec

from connectors.delivery import Action, DeliveryResult, Found, Outcome, Request, Verification
from connectors.http import Call
from connectors.mirakl.client import MiraklConnector
from connectors.mirakl.writes.adjustments import (
    Adjusting,
    Part,
    check_currency,
    check_rest,
    line_of,
    matches,
    read_adjusting,
)
from connectors.mirakl.writes.order_write import OrderWrite
from connectors.mirakl.writes.orders import Adjustment, Line, Order
from connectors.mirakl.writes.sending import parsed


class _Made(msgspec.Struct):
    """One element of the answer of OR28 or OR30."""

    order_line_id: str
    refund_id: str | int | None = None
    cancelation_id: str | int | None = None

    @property
    def id(self) -> str | None:
        found = self.refund_id if self.refund_id is not None else self.cancelation_id
        return None if found is None else str(found)


class _Answer(msgspec.Struct):
    refunds: list[_Made] | None = None
    cancelations: list[_Made] | None = None


class AdjustmentDelivery(OrderWrite[Adjusting]):
    """`list_name` is the member that holds the parts, in payload, request, answer and order line alike."""

    call: ClassVar[Call]
    path: ClassVar[str]
    list_name: ClassVar[str]
    needs_quantity: ClassVar[bool]

    def __init__(self, connector: MiraklConnector) -> None:
        super().__init__(connector)
        self._claims: dict[str, str] = {}
        """Which action an id at the vendor belongs to, as far as this process saw it: two actions with equal parts
        must not both find the same one.
        """

    @abstractmethod
    def check_line(self, wanted: Adjusting, part: Part, line: Line, order: Order) -> None:
        """The precondition of one part. Raises Unfit."""

    @abstractmethod
    def records(self, line: Line) -> Sequence[Adjustment]: ...

    def earlier(self, line: Line) -> Sequence[Adjustment]:
        """What was taken off the line's amounts before."""
        return self.records(line)

    def sendable(self, wanted: Adjusting, parts: Sequence[Part], order: Order) -> Sequence[Part]:
        """The parts as this order takes them."""
        return parts

    def wanted(self, action: Action) -> Adjusting:
        return read_adjusting(
            action.payload,
            self.list_name,
            order_tax_mode=self.desk.connector.order_tax_mode,
            needs_quantity=self.needs_quantity,
        )

    def requests(self, wanted: Adjusting) -> list[Request]:
        return [self.desk.request("PUT", self.path, self._body(wanted, wanted.parts))]

    def held(self, key: str, wanted: Adjusting, order: Order) -> Found | None:
        found = [match for match in self._matches(key, wanted, order) if match is not None]
        if not found:
            return None
        ids = tuple(str(match.id) for match in found)
        for one in ids:
            self._claims.setdefault(one, key)
        detail = f"{len(found)} of {len(wanted.parts)} in {self.list_name}: {', '.join(ids)}"
        return Found(ids, len(found) == len(wanted.parts), detail)

    def check(self, key: str, wanted: Adjusting, order: Order) -> None:
        check_currency(wanted, order)
        others: list[Part] = []
        for part, match in zip(wanted.parts, self._matches(key, wanted, order), strict=True):
            if match is not None:
                continue
            line = line_of(order, part)
            self.check_line(wanted, part, line, order)
            others_of_line = (other for other in others if other.order_line_id == part.order_line_id)
            check_rest(part, line, [*self.earlier(line), *others_of_line])
            others.append(part)

    def write(self, key: str, wanted: Adjusting, order: Order) -> DeliveryResult:
        found = self._matches(key, wanted, order)
        missing = [part for part, match in zip(wanted.parts, found, strict=True) if match is None]
        body = self._body(wanted, self.sendable(wanted, missing, order))
        answer = parsed(self.desk.write(self.call, "PUT", self.path, body), _Answer, self.call)
        made = answer.refunds or answer.cancelations or []
        ids = tuple(one.id for one in made if one.id is not None)
        for one in ids:
            self._claims[one] = key
        unnamed = Counter(part.order_line_id for part in missing) - Counter(one.order_line_id for one in made)
        if unnamed:
            detail = f"{self.call.name}: the answer does not name lines {', '.join(sorted(unnamed))}"
            return DeliveryResult(Outcome.UNKNOWN, ids, detail)
        there = tuple(str(match.id) for match in found if match is not None)
        return DeliveryResult(Outcome.SENT, (*there, *ids), f"{self.call.name} made {len(ids)}")

    def verify(self, key: str, wanted: Adjusting, order: Order) -> Verification:
        found = self.held(key, wanted, order)
        if found is None:
            return Verification(False, f"the order shows none of these {self.list_name}")
        return Verification(found.complete, found.detail, found.vendor_ids)

    def _matches(self, key: str, wanted: Adjusting, order: Order) -> list[Adjustment | None]:
        others = [one for one, owner in self._claims.items() if owner != key]
        records = {line.order_line_id: self.records(line) for line in order.order_lines}
        return matches(wanted, records, not_these=others)

    def _body(self, wanted: Adjusting, parts: Sequence[Part]) -> dict[str, Any]:
        return {
            "order_tax_mode": wanted.order_tax_mode,
            self.list_name: [part.as_sent(wanted.currency_code) for part in parts],
        }
