"""What refunds (OR28) and cancelations (OR30) share: parts of lines given back by amount, told apart without a key.

Mirakl keeps no key of ours with them and refuses no duplicate. So an action says what was there before it was decided
(`known_ids`, `decided_at`), and what came since with the same line, amounts and reason counts as ours.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors.decoding import parse_stamp
from connectors.mirakl.writes.orders import Adjustment, Line, Order, Tax
from connectors.mirakl.writes.payloads import (
    amount,
    count,
    identifier,
    objects,
    optional_flag,
    optional_instant,
    optional_text,
    text,
    texts,
)
from connectors.mirakl.writes.sending import Unfit

CLOCK_SKEW = timedelta(minutes=5)
"""How far the marketplace's clock may lag behind ours."""
TAX_MODES = frozenset({"TAX_INCLUDED", "TAX_EXCLUDED"})


@dataclass(frozen=True, slots=True)
class Part:
    """What is given back of one line. Amounts are positive, in the currency and tax mode of the action."""

    order_line_id: str
    amount: Decimal
    shipping_amount: Decimal
    quantity: int | None
    reason_code: str
    taxes: tuple[Tax, ...] | None
    shipping_taxes: tuple[Tax, ...] | None
    fees: tuple[Tax, ...] | None
    excluded_from_shipment: bool | None = None

    def as_sent(self, currency_code: str) -> dict[str, Any]:
        body: dict[str, Any] = {
            "order_line_id": self.order_line_id,
            "amount": self.amount,
            "shipping_amount": self.shipping_amount,
            "reason_code": self.reason_code,
            "currency_iso_code": currency_code,
        }
        if self.quantity is not None:
            body["quantity"] = self.quantity
        for name, values in (("taxes", self.taxes), ("shipping_taxes", self.shipping_taxes), ("fees", self.fees)):
            if values is not None:
                body[name] = [{"code": value.code, "amount": value.amount} for value in values]
        if self.excluded_from_shipment is not None:
            body["excluded_from_shipment"] = self.excluded_from_shipment
        return body


@dataclass(frozen=True, slots=True)
class Adjusting:
    """An action's payload: parts of one order's lines, and what was there before."""

    order_id: str
    currency_code: str
    order_tax_mode: str
    parts: tuple[Part, ...]
    known_ids: frozenset[str]
    decided_at: datetime | None


def read_adjusting(
    payload: Mapping[str, Any], list_name: str, *, order_tax_mode: str, needs_quantity: bool
) -> Adjusting:
    """Raises Unfit. `order_tax_mode` is the default; it is always named in the request."""
    order_id = identifier(payload, "order_id")
    mode = optional_text(payload, "order_tax_mode") or order_tax_mode
    if mode not in TAX_MODES:
        raise Unfit(f"order_tax_mode is not one of {', '.join(sorted(TAX_MODES))}")
    known, decided_at = texts(payload, "known_ids"), optional_instant(payload, "decided_at")
    if known is None and decided_at is None:
        raise Unfit("the payload has neither known_ids nor decided_at: ours could not be told from an earlier one")
    parts = tuple(_part(element, needs_quantity=needs_quantity) for element in objects(payload, list_name))
    if not parts:
        raise Unfit(f"the payload has no {list_name}")
    if len({_signature(part) for part in parts}) != len(parts):
        raise Unfit("two parts have the same line, amounts and reason: put them together")
    return Adjusting(order_id, text(payload, "currency_code"), mode, parts, frozenset(known or ()), decided_at)


def _part(element: Mapping[str, Any], *, needs_quantity: bool) -> Part:
    has_quantity = element.get("quantity") is not None
    if needs_quantity and not has_quantity:
        raise Unfit("the payload has no quantity: of a cancelation it is real")
    part = Part(
        text(element, "order_line_id"),
        amount(element, "amount"),
        amount(element, "shipping_amount"),
        count(element, "quantity", minimum=0) if has_quantity else None,
        text(element, "reason_code"),
        _taxes(element, "taxes"),
        _taxes(element, "shipping_taxes"),
        _taxes(element, "fees"),
        optional_flag(element, "excluded_from_shipment"),
    )
    given = [*(part.taxes or ()), *(part.shipping_taxes or ()), *(part.fees or ())]
    if not part.amount and not part.shipping_amount and not any(tax.amount for tax in given) and not part.quantity:
        raise Unfit(f"nothing is given back of line {part.order_line_id}")
    return part


def _taxes(element: Mapping[str, Any], name: str) -> tuple[Tax, ...] | None:
    if element.get(name) is None:
        return None
    taxes = tuple(Tax(text(tax, "code"), amount(tax, "amount")) for tax in objects(element, name))
    if len({tax.code for tax in taxes}) != len(taxes):
        raise Unfit(f"a code stands twice in {name}")
    return taxes


def _signature(part: Part) -> tuple[Any, ...]:
    return part.order_line_id, part.amount, part.shipping_amount, part.reason_code


def line_of(order: Order, part: Part) -> Line:
    """Raises Unfit."""
    line = order.line(part.order_line_id)
    if line is None:
        raise Unfit(f"order {order.order_id} has no line {part.order_line_id}")
    return line


def check_currency(wanted: Adjusting, order: Order) -> None:
    """Raises Unfit."""
    if order.currency_iso_code != wanted.currency_code:
        held = order.currency_iso_code or "in no named currency"
        raise Unfit(f"order {order.order_id} is {held}, the payload says {wanted.currency_code}")


def check_taxes(part: Part, line: Line) -> None:
    """Where a line has taxes the request must say how much of each is given back, even if nothing. Raises Unfit."""
    for name, held, given in (
        ("taxes", line.taxes, part.taxes),
        ("shipping_taxes", line.shipping_taxes, part.shipping_taxes),
    ):
        codes = {tax.code for tax in held or () if tax.amount}
        stated = {tax.code for tax in given or ()}
        missing, unknown = sorted(codes - stated), sorted(stated - {tax.code for tax in held or ()})
        if missing:
            raise Unfit(f"line {line.order_line_id} has {', '.join(missing)} in {name}: say how much of it goes back")
        if unknown:
            raise Unfit(f"line {line.order_line_id} has no {', '.join(unknown)} in {name}")


def check_rest(part: Part, line: Line, earlier: Sequence[Adjustment | Part]) -> None:
    """No more can be given back than the line still has. Raises Unfit."""
    for name, whole, wanted, gone in (
        ("amount", line.price, part.amount, sum((a.amount for a in earlier), Decimal(0))),
        (
            "shipping_amount",
            line.shipping_price,
            part.shipping_amount,
            sum((a.shipping_amount for a in earlier), Decimal(0)),
        ),
    ):
        if whole is not None and wanted > whole - gone:
            raise Unfit(f"{name} {wanted} of line {line.order_line_id} is more than is left: {whole} less {gone}")


def matches(
    wanted: Adjusting, records: Mapping[str, Sequence[Adjustment]], *, not_these: Collection[str] = ()
) -> list[Adjustment | None]:
    """For each part what the marketplace holds of it; `records` are the adjustments by order line.

    A record belongs to one part only. One without a readable creation date may be ours: better found than repeated.
    """
    taken = {*wanted.known_ids, *not_these}
    found: list[Adjustment | None] = []
    for part in wanted.parts:
        match = next(
            (
                record
                for record in records.get(part.order_line_id, ())
                if str(record.id) not in taken and _is_same(part, record) and _is_since(wanted.decided_at, record)
            ),
            None,
        )
        if match is not None:
            taken.add(str(match.id))
        found.append(match)
    return found


def unknown_to(wanted: Adjusting, order_line_id: str, records: Sequence[Adjustment]) -> list[str]:
    """Ids of the line's adjustments that were not there when the action was decided and that are none of its own."""
    own = {str(match.id) for match in matches(wanted, {order_line_id: records}) if match is not None}
    known = {*wanted.known_ids, *own}
    return [str(one.id) for one in records if str(one.id) not in known and _is_since(wanted.decided_at, one)]


def _is_same(part: Part, record: Adjustment) -> bool:
    return (
        record.amount == part.amount
        and record.shipping_amount == part.shipping_amount
        and (record.reason_code is None or str(record.reason_code) == part.reason_code)
    )


def _is_since(decided_at: datetime | None, record: Adjustment) -> bool:
    created = parse_stamp(record.created_date or "")
    return decided_at is None or created is None or created >= decided_at - CLOCK_SKEW
