"""What all posted documents have in common: looked up by reference, dated into an open period, posted once, proved by
the posted row and by the nominal legs.

A posting returns a URN only and creates no record of its own: it is found again as a posted transaction, by the
reference that it was given.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from connectors.delivery import Action, DeliveryResult, Found, Outcome, Request, Verification
from connectors.errors import ConnectorError, NotFound, PermissionDenied, RequestRejected
from connectors.http import Call
from connectors.sage200.journals import Account
from connectors.sage200.writes.codes import Codes
from connectors.sage200.writes.dates import Dates
from connectors.sage200.writes.documents import NIL
from connectors.sage200.writes.sending import Desk, Unfit, decimal_of, failed_read, failed_write

Row = Mapping[str, Any]
NOT_SENT = DeliveryResult(
    Outcome.FAILED,
    detail="not sent: the outcome of a document before it is unknown, and must be looked up first",
    retryable=True,
)


class Document(Protocol):
    @property
    def wire_key(self) -> str: ...

    @property
    def document_date(self) -> str: ...

    @property
    def currency_code(self) -> str: ...


D = TypeVar("D", bound=Document)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a document is to leave behind. `gross` is without sign; `movements` are debit less credit by account, of the
    accounts that the document names; the control and tax accounts make up the rest. `analysed` are the transaction
    analysis codes that an account's legs must carry.
    """

    day: str
    gross: Decimal
    movements: Mapping[Account, Decimal]
    analysed: Mapping[Account, frozenset[str]] = field(default_factory=dict)


@dataclass(slots=True)
class Posted:
    """The rows that Sage holds under one reference. Rows of the archive count: they were posted."""

    rows: list[Row] = field(default_factory=list)

    @property
    def urns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(str(row["urn"]) for row in self.rows if row.get("urn")))


def posted(desk: Desk, resource: str, archive: str | None, keys: Iterable[str]) -> dict[str, Posted]:
    """What stands in a ledger under each reference; what is not there is asked of its archive too, because a posting
    that was settled and archived would otherwise be posted again.
    """
    found = {key: Posted(list(rows)) for key, rows in desk.by_key(resource, keys).items()}
    absent = [key for key, held in found.items() if not held.rows]
    if archive is not None and absent:
        try:
            archived = desk.by_key(archive, absent)
        except (NotFound, PermissionDenied, RequestRejected):
            archived = {}  # a site without an archive, or a role that may not see it
        for key, rows in archived.items():
            found[key].rows.extend(rows)
    return found


def legs(desk: Desk, keys: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """Nominal legs by reference."""
    return desk.by_key("nominal_transaction_enquiry_views", keys)


class PostingDelivery(ABC, Generic[D]):
    """Delivers one kind of document, a document an action.

    Precondition: the reference is in no posted transaction, the date is acceptable to Sage, and every code of the
    payload exists. Look-up: posted transactions, and the archive, by `reference`.
    """

    kind: str
    call: ClassVar[Call]
    resource: ClassVar[str]
    archive: ClassVar[str | None] = None
    ledger: ClassVar[str]

    def __init__(self, desk: Desk, codes: Codes) -> None:
        self.desk = desk
        self.codes = codes
        self.settle_seconds = desk.settle_seconds

    # --- what a kind defines ---

    @abstractmethod
    def read(self, payload: Mapping[str, Any]) -> D:
        """The payload, typed. Raises Unfit."""

    @abstractmethod
    def body(self, document: D) -> dict[str, Any]:
        """What is posted, with codes resolved by reading Sage. Raises Unfit or a ConnectorError."""

    @abstractmethod
    def wanted(self, document: D) -> Wanted:
        """Raises Unfit or a ConnectorError."""

    @abstractmethod
    def row_problems(self, document: D, rows: Sequence[Row]) -> list[str]:
        """What is wrong with the rows beside their URN, date and value."""

    def value(self, row: Row) -> Decimal:
        return abs(decimal_of(row.get("document_gross_value")))

    # --- the protocol ---

    def preview(self, actions: Sequence[Action]) -> list[Request]:
        """The requests. Where a code cannot be resolved, the reason stands in the body."""
        requests = []
        for action in actions:
            try:
                body = self.body(self._document(action))
            except Unfit as unfit:
                body = {"error": unfit.detail}
            requests.append(self.desk.request("POST", f"/{self.call.name}", body))
        return requests

    def look_up(self, actions: Sequence[Action]) -> dict[str, Found | None]:
        held = self._posted(actions)
        result: dict[str, Found | None] = {}
        for action in actions:
            here = held[action.wire_key]
            if not here.rows:
                result[action.action_key] = None
                continue
            problems = self._problems(action, here)
            detail = f"{action.wire_key} is posted: {'; '.join(problems) or 'as wanted'}"
            result[action.action_key] = Found(here.urns, not problems, detail)
        return result

    def send(self, actions: Sequence[Action]) -> dict[str, DeliveryResult]:
        """Post what is not there yet, as many at a time as the site takes."""
        results: dict[str, DeliveryResult] = {}
        ready: list[tuple[Action, dict[str, Any]]] = []
        dates = Dates(self.desk)
        try:
            held = self._posted(actions)
        except ConnectorError as error:
            return dict.fromkeys((a.action_key for a in actions), failed_read(error))
        seen: set[str] = set()
        for action in actions:
            if action.wire_key in seen:
                twice = Unfit(f"{self.kind} {action.wire_key}: another action of this batch has the same wire key")
                results[action.action_key] = twice.result()
                continue
            seen.add(action.wire_key)
            try:
                if (here := held[action.wire_key]).rows:
                    results[action.action_key] = self._settled(action, here)
                else:
                    ready.append((action, self._body(action, dates)))
            except Unfit as unfit:
                results[action.action_key] = unfit.result()
            except ConnectorError as error:
                results[action.action_key] = failed_read(error)
        for (action, _), result in self.desk.send_each(self._post, ready, lambda _: NOT_SENT):
            results[action.action_key] = result
        return results

    def read_back(self, actions: Sequence[Action]) -> dict[str, Verification]:
        held = self._posted(actions)
        moved = legs(self.desk, {a.wire_key for a in actions})
        return {a.action_key: self._verify(a, held[a.wire_key], moved[a.wire_key]) for a in actions}

    # --- sending ---

    def _document(self, action: Action) -> D:
        """Raises Unfit, which names the record."""
        try:
            document = self.read(action.payload)
            if document.wire_key != action.wire_key:
                raise Unfit("wire_key is not the action's")
            self.codes.currency(document.currency_code)
            return document
        except Unfit as unfit:
            raise self._named(action, unfit) from None

    def _body(self, action: Action, dates: Dates) -> dict[str, Any]:
        document = self._document(action)
        try:
            body = self.body(document)
            dates.check(document.document_date[:10], self.ledger)
            return body
        except Unfit as unfit:
            raise self._named(action, unfit) from None

    def _named(self, action: Action, unfit: Unfit) -> Unfit:
        name = f"{self.kind} {action.wire_key}: "
        detail = unfit.detail if unfit.detail.startswith(name) else name + unfit.detail
        return Unfit(detail, is_for_now=unfit.is_for_now)

    def _settled(self, action: Action, here: Posted) -> DeliveryResult:
        """What is there already is never posted again."""
        problems = self._problems(action, here)
        if problems:
            detail = f"{action.wire_key} is posted already, but {'; '.join(problems)}"
            return DeliveryResult(Outcome.FAILED, here.urns, detail)
        return DeliveryResult(Outcome.SENT, here.urns, f"{action.wire_key} is posted already")

    def _post(self, ready: tuple[Action, Mapping[str, Any]]) -> tuple[DeliveryResult, bool]:
        action, body = ready
        try:
            answer = self.desk.write(self.call, body)
        except ConnectorError as error:
            result = failed_write(error, f"{self.kind} {action.wire_key}: {error}")
            return result, result.outcome is Outcome.UNKNOWN
        urn = answer.get("urn")
        ids = (str(urn),) if urn else ()
        return DeliveryResult(Outcome.SENT, ids, f"posted {action.wire_key}" + (f" as URN {urn}" if urn else "")), False

    # --- finding and proving ---

    def _posted(self, actions: Sequence[Action]) -> dict[str, Posted]:
        return posted(self.desk, self.resource, self.archive, {a.wire_key for a in actions})

    def _problems(self, action: Action, here: Posted) -> list[str]:
        """In what the posted rows are not what is wanted."""
        if len(here.urns) > 1:
            return [f"it is there {len(here.urns)} times (URN {', '.join(here.urns)})"]
        try:
            document = self._document(action)
            wanted = self.wanted(document)
        except Unfit as unfit:
            return [unfit.detail]
        problems = []
        dates = {str(row.get("transaction_date"))[:10] for row in here.rows}
        if dates != {wanted.day}:
            problems.append(f"it is dated {', '.join(sorted(dates))}, wanted {wanted.day}")
        values = {self.value(row) for row in here.rows}
        if values != {wanted.gross}:
            problems.append(f"its value is {', '.join(map(str, sorted(values)))}, wanted {wanted.gross}")
        try:
            return problems + self.row_problems(document, here.rows)
        except Unfit as unfit:
            return [*problems, unfit.detail]

    def _verify(self, action: Action, here: Posted, moved: Sequence[Row]) -> Verification:
        if not here.rows:
            return Verification(False, f"no posted transaction has the reference {action.wire_key}")
        problems = self._problems(action, here) or self._leg_problems(action, moved)
        if problems:
            return Verification(False, "; ".join(problems), here.urns)
        return Verification(True, f"{action.wire_key} read back, {len(moved)} nominal legs agree", here.urns)

    def _leg_problems(self, action: Action, moved: Sequence[Row]) -> list[str]:
        if not moved:
            return ["no nominal legs yet: Sage may post the nominal ledger in batches"]
        try:
            wanted = self.wanted(self._document(action))
        except Unfit as unfit:
            return [unfit.detail]
        held: dict[Account, Decimal] = {}
        carried: dict[Account, set[str]] = {}
        for leg in moved:
            account = self.codes.account_of(int(leg["nominal_code_id"]))
            held[account] = held.get(account, NIL) + decimal_of(leg.get("debit")) - decimal_of(leg.get("credit"))
            carried.setdefault(account, set()).add(str(leg.get("transaction_analysis_code") or ""))
        if sum(held.values(), NIL) != 0:
            return [f"its nominal legs do not balance: {sum(held.values(), NIL)} over"]
        problems = [
            f"account {account} moved by {held.get(account, NIL)}, wanted {net}"
            for account, net in sorted(wanted.movements.items())
            if held.get(account, NIL) != net
        ]
        return problems + [
            f"account {account} lacks the analysis code {', '.join(sorted(codes - carried.get(account, set())))}"
            for account, codes in sorted(wanted.analysed.items())
            if codes - carried.get(account, set())
        ]
