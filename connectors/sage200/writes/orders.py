"""Creates sales orders, each once, by the marketplace's order number, and brings existing ones to what is wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from connectors.delivery import Action, DeliveryResult, Found, Outcome, Request, Verification
from connectors.errors import ConnectorError, RequestRejected
from connectors.sage200.endpoints import SALES_ORDER
from connectors.sage200.writes import documents as d
from connectors.sage200.writes.codes import Codes
from connectors.sage200.writes.customers import analysis
from connectors.sage200.writes.order_lines import Pairing, WantedLine, pair, wanted_lines
from connectors.sage200.writes.posting import NOT_SENT
from connectors.sage200.writes.sending import Desk, Unfit, failed_read, failed_write, is_unknown

INVOICED = "sop_order_return_invoice_credit_views"
PERMISSIONS = "current_user_sop_user_permissions"
CANCELLED, COMPLETE = "EnumDocumentStatusCancelled", "EnumDocumentStatusComplete"
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Ready:
    """An action that has been read and looked up. `held` is the order that exists, None when it is to be created."""

    action: Action
    document: d.SalesOrder
    lines: Sequence[WantedLine]
    body: Mapping[str, Any]
    held: Row | None


class SalesOrderDelivery:
    """Writes orders of kind SALES_ORDER; the payload is `documents.SalesOrder`.

    Precondition: no order of the customer carries the marketplace's number as `customer_document_no`; drafts and
    cancelled orders do not count, they have no effect. Nor was one with this number invoiced and archived, which a site
    may not list any more. Look-up: by that number. An order that is there already is
    done when its lines are as wanted. When they are not, the action fails and says in what, unless it is an update:
    then the lines that differ are amended, under Sage's own lock.

    Sage amends an order line by line and stops at the first line it refuses. So after a refusal the order is read
    again, and the result says which lines were changed and which were not: a half-updated order is never taken for
    done, and the next attempt begins from what is there.
    """

    kind = "SALES_ORDER"

    def __init__(self, desk: Desk, codes: Codes) -> None:
        self.desk = desk
        self.codes = codes
        self.settle_seconds = desk.settle_seconds
        self._may_price: bool | None = None

    # --- the protocol ---

    def preview(self, actions: Sequence[Action]) -> list[Request]:
        """The requests that create the orders. Where a code cannot be resolved, the reason stands in the body."""
        requests = []
        for action in actions:
            try:
                document = self._document(action)
                body = self._body(document, self._lines(document))
            except Unfit as unfit:
                body = {"error": unfit.detail}
            requests.append(self.desk.request("POST", f"/{SALES_ORDER.name}", body))
        return requests

    def look_up(self, actions: Sequence[Action]) -> dict[str, Found | None]:
        held = self._held(actions)
        archived = self._archived(actions, held)
        found: dict[str, Found | None] = {}
        for action in actions:
            orders = held[action.action_key]
            if not orders:
                gone = archived.get(action.action_key)
                ids = (str(gone.get("sop_order_return_id")),) if gone else ()
                found[action.action_key] = Found(ids, False, _archived_words(gone)) if gone else None
                continue
            problems = self._problems(action, orders)
            detail = f"order {number_of(orders[0])}: {'; '.join(problems) or 'as wanted'}"
            found[action.action_key] = Found(tuple(str(o["id"]) for o in orders), not problems, detail)
        return found

    def send(self, actions: Sequence[Action]) -> dict[str, DeliveryResult]:
        results: dict[str, DeliveryResult] = {}
        ready: list[_Ready] = []
        try:
            held = self._held(actions)
            archived = self._archived(actions, held)
            self._check_permissions(actions)
        except Unfit as unfit:
            return dict.fromkeys((a.action_key for a in actions), unfit.result())
        except ConnectorError as error:
            return dict.fromkeys((a.action_key for a in actions), failed_read(error))
        seen: set[tuple[str, str]] = set()
        for action in actions:
            try:
                if (gone := archived.get(action.action_key)) is not None:
                    raise Unfit(_archived_words(gone))
                one = self._ready(action, held[action.action_key])
                place = (one.document.customer_reference, one.document.order_reference)
                if place in seen:
                    raise Unfit("another action of this batch has the same order_reference")
                seen.add(place)
                if one.held is not None and (result := self._settled(one)) is not None:
                    results[action.action_key] = result
                else:
                    ready.append(one)
            except Unfit as unfit:
                results[action.action_key] = _named(action, unfit).result()
            except ConnectorError as error:
                results[action.action_key] = failed_read(error)
        for one, result in self.desk.send_each(self._write, ready, lambda _: NOT_SENT):
            results[one.action.action_key] = result
        return results

    def read_back(self, actions: Sequence[Action]) -> dict[str, Verification]:
        held = self._held(actions)
        result = {}
        for action in actions:
            orders = held[action.action_key]
            ids = tuple(str(order["id"]) for order in orders)
            problems = self._problems(action, orders) if orders else ["no live order carries its number"]
            detail = "; ".join(problems) or f"order {number_of(orders[0])} read back as wanted"
            result[action.action_key] = Verification(not problems, detail, ids)
        return result

    # --- before a write ---

    def _document(self, action: Action) -> d.SalesOrder:
        document = d.read(action.payload, d.SalesOrder)
        if document.wire_key != action.wire_key:
            raise Unfit("wire_key is not the action's")
        if not 1 <= len(document.order_reference) <= d.MAXIMUM_ORDER_REFERENCE:
            raise Unfit(
                f"order_reference has {len(document.order_reference)} characters, Sage holds 1 to "
                f"{d.MAXIMUM_ORDER_REFERENCE}"
            )
        customer = self.codes.customer(document.customer_reference)
        what = f"customer {document.customer_reference}"
        self.codes.check_currency(document.currency_code, customer, "currency_id", what)
        return document

    def _lines(self, document: d.SalesOrder) -> list[WantedLine]:
        return wanted_lines(document, self.codes, self.desk.connector.settings().sop)

    def _body(self, document: d.SalesOrder, lines: Sequence[WantedLine]) -> dict[str, Any]:
        sop = self.desk.connector.settings().sop
        body: dict[str, Any] = {
            "customer_id": self.codes.customer(document.customer_reference)["id"],
            "customer_document_no": document.order_reference,
            "document_date": d.day(document.order_date, "order_date"),
            "is_editing": False,
            "is_to_sequence_lines": True,
            "lines": [dict(line.body) for line in lines],
        }
        if sop.auto_generate_order_return_numbers is False:
            # Where Sage numbers orders itself, a number that is sent is ignored without a word.
            body["document_no"] = d.references(document.wire_key, None)["reference"]
        for member in ("requested_delivery_date", "promised_delivery_date"):
            if (day := getattr(document, member)) is not None:
                body[member] = d.day(day, member)
        if document.shipping_address is not None:
            body["use_invoice_address"] = False
            body["delivery_address"] = address_of(document.shipping_address)
        if document.analysis_codes:
            if sop.amend_header_analysis_codes is False:
                raise Unfit("analysis_codes: Sage would ignore them (sop_settings.amend_header_analysis_codes is off)")
            body |= analysis(document.analysis_codes, "analysis_codes")
        return body

    def _check_permissions(self, actions: Sequence[Action]) -> None:
        """Without the right to set prices Sage takes its price book's, or refuses. Raises Unfit."""
        if self._may_price is None:
            self._may_price = self.desk.first(PERMISSIONS).get("override_prices_discounts") is not False
        if not self._may_price and actions:
            self._may_price = None  # a person may grant it meanwhile
            raise Unfit(
                "the API user may not set prices on orders: grant it override_prices_discounts in Sage's SOP user "
                "permissions",
                is_for_now=True,
            )

    def _ready(self, action: Action, orders: Sequence[Row]) -> _Ready:
        document = self._document(action)
        lines = self._lines(document)
        body = self._body(document, lines)
        if len(orders) > 1:
            numbers = ", ".join(number_of(order) for order in orders)
            raise Unfit(f"{len(orders)} orders carry the number {document.order_reference} ({numbers})")
        return _Ready(action, document, lines, body, orders[0] if orders else None)

    def _settled(self, one: _Ready) -> DeliveryResult | None:
        """What is known of an order that exists; None when it is to be amended."""
        assert one.held is not None
        ids = (str(one.held["id"]),)
        problems = self._pairing(one.lines, one.held).differences()
        if not problems:
            return DeliveryResult(Outcome.SENT, ids, f"order {number_of(one.held)} is there already")
        if not one.document.is_update:
            detail = f"order {number_of(one.held)} is there already, but {'; '.join(problems)}"
            return DeliveryResult(Outcome.FAILED, ids, detail)
        if one.held.get("document_status") == COMPLETE:
            raise Unfit(f"order {number_of(one.held)} is complete and cannot be amended: {'; '.join(problems)}")
        return None

    # --- writing ---

    def _write(self, one: _Ready) -> tuple[DeliveryResult, bool]:
        result = self._create(one) if one.held is None else self._amend(one, int(one.held["id"]))
        return result, result.outcome is Outcome.UNKNOWN

    def _create(self, one: _Ready) -> DeliveryResult:
        try:
            answer = self.desk.write(SALES_ORDER, one.body)
        except ConnectorError as error:
            return failed_write(error, f"{_name(one.action)}{error}")
        ids = (str(answer["id"]),) if answer.get("id") else ()
        if answer.get("is_draft"):
            detail = f"{_name(one.action)}Sage left a draft (id {answer.get('id')}): confirm or discard it in Sage"
            return DeliveryResult(Outcome.FAILED, ids, detail)
        return DeliveryResult(
            Outcome.SENT, ids, f"order {number_of(answer)} created for {one.document.order_reference}"
        )

    def _amend(self, one: _Ready, order_id: int) -> DeliveryResult:
        """Locks the order, amends the lines that differ, and looks at what became of it."""
        try:
            before = self.desk.single("sop_orders", order_id, expand="lines,is_to_lock")
        except ConnectorError as error:
            if says_locked(error):
                return Unfit(f"{_name(one.action)}the order is locked: {error}", is_for_now=True).result()
            return failed_read(error)
        try:
            changes = self._pairing(one.lines, before).changes()
        except Unfit as unfit:
            return _named(one.action, Unfit(f"{unfit.detail}{self._release(before)}")).result()
        body = {"is_editing": False, "lock_id": before.get("lock_id"), "lines": changes}
        body = {name: value for name, value in body.items() if value is not None}
        path = f"/sop_orders/{order_id}"
        try:
            self.desk.write(SALES_ORDER, body, method="PUT", path=path)
        except ConnectorError as error:
            if is_unknown(error):
                return failed_write(error, f"{_name(one.action)}{error}")
            return self._refused(one, before, error)
        return DeliveryResult(Outcome.SENT, (str(order_id),), f"order {number_of(before)} amended")

    def _refused(self, one: _Ready, before: Row, refusal: ConnectorError) -> DeliveryResult:
        """Which lines of a refused amendment took effect all the same."""
        order_id = int(before["id"])
        released = self._release(before)
        try:
            after = self.desk.single("sop_orders", order_id, expand="lines")
        except ConnectorError as error:
            detail = f"{_name(one.action)}{refusal}; and the order could not be read afterwards: {error}{released}"
            return DeliveryResult(Outcome.UNKNOWN, (str(order_id),), detail)
        was, left = self._pairing(one.lines, before).differences(), self._pairing(one.lines, after).differences()
        if was == left:
            can_pass = refusal.retryable or says_locked(refusal)
            detail = f"{_name(one.action)}nothing was changed: {refusal}{released}"
            return DeliveryResult(Outcome.FAILED, (str(order_id),), detail, retryable=can_pass)
        done = [text for text in was if text not in left]
        detail = (
            f"{_name(one.action)}order {number_of(after)} is HALF UPDATED. Changed: {'; '.join(done)}. "
            f"Not changed: {'; '.join(left)}. Sage says: {refusal}{released}"
        )
        return DeliveryResult(Outcome.FAILED, (str(order_id),), detail)

    def _release(self, order: Row) -> str:
        """Gives the lock back; what to tell a person when that fails."""
        lock_id = order.get("lock_id")
        if lock_id is None:
            return ""
        body = {"is_editing": False, "lock_id": lock_id}
        try:
            self.desk.write(SALES_ORDER, body, method="PUT", path=f"/sop_orders/{order['id']}")
        except ConnectorError as error:
            return f"; the lock {lock_id} on it could not be released ({error})"
        return ""

    # --- finding and comparing ---

    def _held(self, actions: Sequence[Action]) -> dict[str, list[Row]]:
        """The live orders of each action's customer that carry its number, by action key."""
        numbers = {str(action.payload.get("order_reference") or "") for action in actions} - {""}
        self.codes.fetch_products(_item_codes(actions))
        rows = self.desk.by_key("sop_orders", numbers, member="customer_document_no", expand="lines")
        found: dict[str, list[Row]] = {}
        for action in actions:
            here = rows.get(str(action.payload.get("order_reference") or ""), [])
            try:
                customer = self.codes.customer(str(action.payload.get("customer_reference") or ""))["id"] if here else 0
            except Unfit:
                here, customer = [], 0  # a customer that does not exist has no orders; sending it explains
            found[action.action_key] = [
                row
                for row in here
                if row.get("customer_id") == customer
                and not row.get("is_draft")
                and row.get("document_status") != CANCELLED
            ]
        return found

    def _archived(self, actions: Sequence[Action], held: Mapping[str, Sequence[Row]]) -> dict[str, Row]:
        """An invoice of an order that carries the number and is not listed any more, by action key."""
        absent = [action for action in actions if not held[action.action_key]]
        numbers = {str(action.payload.get("order_reference") or "") for action in absent} - {""}
        rows = self.desk.view(
            INVOICED, numbers, member="sop_order_return_customer_document_no", order="sop_order_return_id"
        )
        found: dict[str, Row] = {}
        for action in absent:
            for row in rows:
                is_ours = row.get("customer_reference") == action.payload.get("customer_reference")
                if is_ours and row.get("sop_order_return_customer_document_no") == action.payload["order_reference"]:
                    found[action.action_key] = row
        return found

    @staticmethod
    def _pairing(lines: Sequence[WantedLine], order: Row) -> Pairing:
        return pair(lines, order.get("lines") or [])

    def _problems(self, action: Action, orders: Sequence[Row]) -> list[str]:
        if len(orders) > 1:
            return [f"{len(orders)} orders carry this number ({', '.join(number_of(order) for order in orders)})"]
        try:
            return self._pairing(self._lines(self._document(action)), orders[0]).differences()
        except Unfit as unfit:
            return [unfit.detail]


def _archived_words(row: Row) -> str:
    order, invoice = row.get("sop_order_return_document_no"), row.get("sop_invoice_credit_document_no")
    return f"order {order} was invoiced ({invoice}) and is archived: it is not created again"


def says_locked(error: ConnectorError) -> bool:
    """Whether a refusal is that of an order that somebody has open: by its words, as it has no code of its own."""
    return isinstance(error, RequestRejected) and "lock" in (error.detail or "").lower()


def _named(action: Action, unfit: Unfit) -> Unfit:
    return Unfit(f"{_name(action)}{unfit.detail}", is_for_now=unfit.is_for_now)


def _item_codes(actions: Sequence[Action]) -> set[str]:
    """The items of payloads that have not been checked yet."""
    lists = (action.payload.get("lines") for action in actions)
    lines = [line for found in lists if isinstance(found, list) for line in found if isinstance(line, Mapping)]
    return {str(line["item_code"]) for line in lines if line.get("item_code")}


def _name(action: Action) -> str:
    return f"SALES_ORDER {action.payload.get('order_reference')}: "


def number_of(order: Row) -> str:
    return str(order.get("document_no") or order.get("id"))


def address_of(address: d.Address) -> dict[str, Any]:
    """Long streets go on in the next line; what has no room in Sage's fields is cut."""
    streets = [part for street in (address.street_1, address.street_2) if street for part in wrap(street, 60)]
    found = {f"address_{number}": part for number, part in enumerate(streets[:4], start=1)}
    others = (
        ("postal_name", address.addressee, 60),
        ("contact", address.attention or address.addressee, 235),
        ("city", address.city, 60),
        ("county", address.state, 60),
        ("postcode", address.postcode, 10),
        ("telephone_number", address.phone, 30),
        ("email_address", address.email, 255),
    )
    return found | {name: text[:longest] for name, text, longest in others if text}
