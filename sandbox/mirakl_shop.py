"""One shop of one Mirakl marketplace in memory: what it holds, how reads find it, and what the two writes do to it.

Records are rendered to bytes once, when the world is loaded; a page is those bytes joined. Orders and offers can change
(OR21, STO01) and are rendered again when they do; transaction lines, cycles and documents never change here.
"""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, Protocol

from sandbox import jsonio
from sandbox.clock import milliseconds, stamp
from sandbox.seek import SeekIndex

CLOSED_LINE_STATES = frozenset({"REFUSED", "CANCELED"})
# OR11: "the platform moves start_update_date back by a margin so that nothing is lost"; the margin is not published.
UPDATE_MARGIN_MILLISECONDS = 120_000


class MiraklWorldLike(Protocol):
    """What the server needs of a generated marketplace. All records are in the vendor's shape.

    In the perspective OPERATOR one object holds every shop of the marketplace: orders carry `shop_id`, transaction
    lines and cycles their `shop`.
    """

    perspective: str
    account: dict[str, Any]
    platform: dict[str, Any]
    carriers: list[dict[str, Any]]
    orders: dict[str, dict[str, Any]]
    transaction_lines: list[dict[str, Any]]
    cycles: list[dict[str, Any]]
    invoices: list[dict[str, Any]]
    offers: list[dict[str, Any]]
    shops: list[dict[str, Any]]
    shipments: list[dict[str, Any]]
    items_to_ship: list[dict[str, Any]]
    returns: list[dict[str, Any]]
    document_requests: list[dict[str, Any]]
    document_request_lines: dict[str, list[dict[str, Any]]]
    threads: list[dict[str, Any]]
    order_documents: list[dict[str, Any]]
    products: list[dict[str, Any]]
    reasons: list[dict[str, Any]]
    shipping_zones: list[dict[str, Any]]
    shipping_methods: list[dict[str, Any]]
    currencies: list[dict[str, Any]]
    channels: list[dict[str, Any]]
    offer_conditions: list[dict[str, Any]]
    custom_fields: list[dict[str, Any]]
    account_statistics: dict[str, Any]
    invoice_files: dict[str, bytes]
    payment_debits: list[dict[str, Any]]
    payment_refunds: list[dict[str, Any]]


class RuleError(Exception):
    """A call that breaks one of the platform's rules: HTTP status, code and message of the answer."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def _time(record: dict[str, Any], name: str) -> int | None:
    text = record.get(name)
    return milliseconds(text) if text else None


@dataclass(slots=True)
class Order:
    """An order's bytes and the columns that OR11 filters on. Times in milliseconds since 1970."""

    order_id: str
    body: bytes
    created: int
    updated: int
    state: str
    channel: str | None
    customer_reference: str | None
    seller_reference: str | None
    is_debited: bool
    workflow: str | None
    has_incident: bool
    center: str | None
    tax_mode: str | None
    shop_id: int | None

    @classmethod
    def of(cls, record: dict[str, Any]) -> "Order":
        references = record.get("references") or {}
        center = (record.get("fulfillment") or {}).get("center") or {}
        return cls(
            order_id=record["order_id"],
            body=jsonio.encode(record),
            created=_time(record, "created_date") or 0,
            updated=_time(record, "last_updated_date") or 0,
            state=record["order_state"],
            channel=(record.get("channel") or {}).get("code"),
            customer_reference=references.get("order_reference_for_customer"),
            seller_reference=references.get("order_reference_for_seller"),
            is_debited=bool(record.get("customer_debited_date")),
            workflow=record.get("payment_workflow"),
            has_incident=bool(record.get("has_incident")),
            center=center.get("code"),
            tax_mode=record.get("order_tax_mode"),
            shop_id=record.get("shop_id"),
        )

    def record(self) -> dict[str, Any]:
        record: dict[str, Any] = jsonio.decode(self.body)
        return record


@dataclass(slots=True)
class TransactionLine:
    """A TL02 line's bytes and the columns it is filtered on."""

    body: bytes
    type: str
    payment_state: str
    cycle_id: str | None
    order_id: str | None
    order_line_id: str | None
    document_number: str | None
    document_id: str | None
    transacted: int | None
    model: str | None
    psp: str | None
    customer_reference: str | None
    seller_reference: str | None
    shop_id: str | None

    @classmethod
    def of(cls, record: dict[str, Any]) -> "TransactionLine":
        entities = record.get("entities") or {}
        order = entities.get("order") or {}
        references = order.get("references") or {}
        return cls(
            body=jsonio.encode(record),
            type=record.get("type") or "",
            payment_state=record.get("payment_state") or "",
            cycle_id=record.get("seller_billing_cycle_id"),
            order_id=order.get("id"),
            order_line_id=(entities.get("order_line") or {}).get("id"),
            document_number=record.get("accounting_document_number"),
            document_id=record.get("accounting_document_id"),
            transacted=_time(entities.get("transaction_info") or {}, "date"),
            model=(record.get("shop") or {}).get("model"),
            psp=record.get("pay_out_psp_code"),
            customer_reference=references.get("order_reference_for_customer"),
            seller_reference=references.get("order_reference_for_seller"),
            shop_id=None if (shop_id := (record.get("shop") or {}).get("id")) is None else str(shop_id),
        )


@dataclass
class StockImport:
    """One STO01 file: what becomes of it when it is complete."""

    import_id: str
    created: str
    text: str
    started: float
    status: str = "WAITING"
    succeeded: int = 0
    failed: list[tuple[int, str, list[str]]] = field(default_factory=list)
    header: list[str] = field(default_factory=list)


class MiraklShop:
    """Everything one shop's API answers from."""

    def __init__(self, world: MiraklWorldLike) -> None:
        self.account = world.account
        self.platform = world.platform
        self.carriers = world.carriers
        # Shop 0 stands for an operator's view of every shop.
        self.shop_id = 0 if world.perspective == "OPERATOR" else int(world.account["shop_id"])
        self.orders = {record["order_id"]: Order.of(record) for record in world.orders.values()}
        self._orders_by_creation = sorted(self.orders.values(), key=attrgetter("created", "order_id"))
        self._answers: dict[Any, list[Order]] = {}
        self.changed_orders: set[str] = set()
        self.lines = [TransactionLine.of(record) for record in world.transaction_lines]
        self.line_index = SeekIndex(
            {
                "dateCreated": [_time(record, "date_created") or 0 for record in world.transaction_lines],
                "lastUpdated": [_time(record, "last_updated") or 0 for record in world.transaction_lines],
            }
        )
        self.lines_by_cycle = _positions(line.cycle_id for line in self.lines)
        self.lines_by_order = _positions(line.order_id for line in self.lines)
        self.cycles = list(world.cycles)
        self.cycle_bodies = [jsonio.encode(record) for record in self.cycles]
        self.cycle_index = SeekIndex({"dateCreated": [_time(record, "date_created") or 0 for record in self.cycles]})
        self.invoices = sorted(world.invoices, key=lambda record: _time(record, "date_created") or 0)
        # Copied, because stock files change them and the world's records share their parts.
        self.offers = {_offer_key(record): dict(record) for record in world.offers}
        # When an offer changed here, and the offers that were deleted here, by the same key (OF52).
        self.offer_times: dict[str, datetime] = {}
        self.deleted_offers: dict[str, dict[str, Any]] = {}
        # Records that writes may change are replaced, never edited: the world's records share their parts.
        self.shipments = {record["id"]: record for record in world.shipments}
        self.items_to_ship = list(world.items_to_ship)
        self.returns = {record["id"]: record for record in world.returns}
        self.document_requests = list(world.document_requests)
        self.threads = list(world.threads)
        self.order_documents = list(world.order_documents)
        self.payment_debits = list(world.payment_debits)
        self.payment_refunds = list(world.payment_refunds)
        # Everything that nothing here changes is read from the world itself.
        self.world = world
        self.imports: dict[str, StockImport] = {}

    # --- orders

    def find_orders(self, key: Any, tests: Sequence[Callable[[Order], bool]], is_descending: bool) -> list[Order]:
        """Orders passing all tests, by creation and id. `key` names the question, so that its pages share one scan."""
        found = self._answers.get((key, is_descending))
        if found is None:
            found = [order for order in self._orders_by_creation if all(test(order) for test in tests)]
            if is_descending:
                found.reverse()
            if len(self._answers) > 16:
                self._answers.clear()
            self._answers[key, is_descending] = found
        return found

    def check_decision(self, order_id: str, decisions: list[tuple[str, bool]], is_partial_allowed: bool) -> None:
        """The rules of OR21. Raises RuleError; changes nothing."""
        order = self.orders.get(order_id)
        if order is None:
            raise RuleError(404, "ORDER_NOT_FOUND", f"Order with identifier '{order_id}' not found")
        record = order.record()
        lines = {line["order_line_id"]: line for line in record["order_lines"]}
        decided = [line_id for line_id, _ in decisions]
        if order.center not in (None, "DEFAULT"):
            raise RuleError(400, "ORDER_FULFILLED_UNAUTHORIZED", f"Order '{order_id}' is fulfilled by the operator")
        if order.state != "WAITING_ACCEPTANCE":
            text = (
                f"Order with identifier '{order_id}' must be in state WAITING_ACCEPTANCE, current state: {order.state}"
            )
            raise RuleError(400, "ORDER_INVALID_STATE", text)
        if len(set(decided)) != len(decided):
            raise RuleError(400, "ORDER_LINE_DUPLICATE_ID", "The order lines list contains duplicate order line IDs")
        for line_id in decided:
            if line_id not in lines:
                raise RuleError(400, "ORDER_LINE_NOT_FOUND", f"Order line '{line_id}' is not a line of '{order_id}'")
        open_lines = {key for key, line in lines.items() if line["order_line_state"] == "WAITING_ACCEPTANCE"}
        missing = sorted(open_lines - set(decided))
        if missing:
            text = f"Order lines without acceptance decision: {', '.join(missing)}"
            raise RuleError(400, "ORDER_LINE_ACCEPTANCE_DECISION_MISSING", text)
        if len({accepted for _, accepted in decisions}) > 1 and not is_partial_allowed:
            raise RuleError(400, "ORDER_PARTIAL_ACCEPTANCE_DISABLED", "Partial acceptance is disabled for this shop")

    def decide(self, order_id: str, decisions: dict[str, bool], now: datetime) -> None:
        """Applies a checked OR21. Refused lines leave the order's totals and keep their own amounts."""
        order = self.orders[order_id]
        record = order.record()
        is_debited_first = record.get("payment_workflow") in (None, "PAY_ON_ACCEPTANCE")
        accepted_state = "WAITING_DEBIT_PAYMENT" if is_debited_first else "SHIPPING"
        for line in record["order_lines"]:
            accepted = decisions.get(line["order_line_id"])
            if accepted is None:
                continue
            line["order_line_state"] = accepted_state if accepted else "REFUSED"
            if not accepted:
                line["order_line_state_reason_code"] = "REFUSED"
                line["order_line_state_reason_label"] = "Order line refused"
            line["last_updated_date"] = stamp(now)
        kept = [line for line in record["order_lines"] if line["order_line_state"] not in CLOSED_LINE_STATES]
        record["order_state"] = accepted_state if kept else "REFUSED"
        if not kept:
            record["order_state_reason_code"] = "REFUSED"
            record["order_state_reason_label"] = "Order refused"
        for total in ("price", "shipping_price", "total_price", "total_commission"):
            record[total] = sum((Decimal(line[total]) for line in kept if line.get(total) is not None), Decimal("0.00"))
        record["can_cancel"] = bool(kept)
        record["acceptance_decision_date"] = stamp(now)
        record["last_updated_date"] = stamp(now)
        self._replace(order, Order.of(record))

    def _replace(self, old: Order, new: Order) -> None:
        for name in Order.__slots__:
            setattr(old, name, getattr(new, name))
        self.changed_orders.add(old.order_id)
        self._answers.clear()

    # --- stock

    def receive_stock(self, import_id: str, text: str, now: datetime, started: float) -> StockImport:
        self.imports[import_id] = StockImport(import_id, stamp(now), text, started)
        return self.imports[import_id]

    def settle_imports(self, at: float, waiting_seconds: float, running_seconds: float) -> None:
        """Moves imports on, in the order they came: WAITING, RUNNING, COMPLETE or FAILED. `at`: monotonic seconds."""
        for stock_import in self.imports.values():
            if stock_import.status in ("COMPLETE", "FAILED"):
                continue
            age = at - stock_import.started
            if age >= waiting_seconds + running_seconds:
                self.apply_stock(stock_import)
            elif age >= waiting_seconds:
                stock_import.status = "RUNNING"

    def apply_stock(self, stock_import: StockImport) -> None:
        """Reads the file and sets the quantities; a bad line is an error line, a bad file fails as a whole."""
        delimiter = ";" if self.delimiter_name != "COMMA" else ","
        rows = list(csv.reader(io.StringIO(stock_import.text.removeprefix("\ufeff")), delimiter=delimiter))
        header = [name.strip() for name in rows[0]] if rows else []
        if "offer-sku" not in header or "quantity" not in header:
            stock_import.status = "FAILED"
            return
        stock_import.header = header
        seen: set[tuple[str, str]] = set()
        for number, cells in enumerate(rows[1:], start=2):
            if not any(cell.strip() for cell in cells):
                continue
            reason = self._stock_line(dict(zip(header, (cell.strip() for cell in cells), strict=False)), seen)
            if reason:
                stock_import.failed.append((number, reason, cells))
            else:
                stock_import.succeeded += 1
        stock_import.status = "COMPLETE"

    @property
    def delimiter_name(self) -> str:
        return str((self.platform.get("features") or {}).get("operator_csv_delimiter") or "SEMICOLON")

    def _stock_line(self, line: dict[str, str], seen: set[tuple[str, str]]) -> str | None:
        sku, warehouse = line.get("offer-sku", ""), line.get("warehouse-code", "")
        quantity = line.get("quantity", "")
        if not sku:
            return "The offer SKU is missing"
        offer = self.offers.get(sku)
        if offer is None:
            return f"The offer with SKU '{sku}' does not exist"
        if warehouse and warehouse not in {item["code"] for item in offer.get("warehouses") or ()}:
            return f"The warehouse '{warehouse}' does not exist"
        if line.get("update-delete", "").lower() not in ("", "update"):
            return f"The value '{line['update-delete']}' is not allowed for update-delete"
        if (sku, warehouse) in seen:
            return f"The offer with SKU '{sku}' appears more than once"
        if not (quantity.isascii() and quantity.isdigit() and int(quantity) <= 2**31 - 1):
            return f"The quantity '{quantity}' is not a whole number from 0 to 2147483647"
        seen.add((sku, warehouse))
        set_quantity(offer, int(quantity), warehouse)
        return None


def _offer_key(record: dict[str, Any]) -> str:
    """The shop's SKU; an operator sees the same SKU in several shops, so there the shop stands before it."""
    return f"{record['shop_id']}|{record['shop_sku']}" if "shop_id" in record else str(record["shop_sku"])


def set_quantity(offer: dict[str, Any], quantity: int, warehouse: str = "") -> None:
    """Sets an offer's stock and what follows from it: the reasons of inactivity and `active`."""
    if warehouse:
        offer["warehouses"] = [
            item | {"quantity": quantity} if item["code"] == warehouse else item for item in offer["warehouses"]
        ]
        quantity = sum(item["quantity"] for item in offer["warehouses"])
    offer["quantity"] = quantity
    by_stock = {
        "ZERO_QUANTITY": quantity == 0,
        "AVAILABLE_QUANTITY_LESS_THAN_MIN_ORDER_QUANTITY": 0 < quantity < (offer.get("min_order_quantity") or 0),
        "AVAILABLE_QUANTITY_LESS_THAN_PACKAGE_QUANTITY": 0 < quantity < (offer.get("package_quantity") or 0),
    }
    others = [reason for reason in offer.get("inactivity_reasons") or () if reason not in by_stock]
    offer["inactivity_reasons"] = others + [reason for reason, applies in by_stock.items() if applies]
    offer["active"] = not offer["inactivity_reasons"]


def _positions(keys: Iterable[str | None]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for position, key in enumerate(keys):
        if key is not None:
            found.setdefault(key, []).append(position)
    return found


def express_taxes(record: dict[str, Any], mode: str) -> dict[str, Any]:
    """The order with its amounts expressed in the other tax mode; lines without taxes show equal numbers."""
    if record.get("order_tax_mode") == mode:
        return record
    sign = 1 if mode == "TAX_INCLUDED" else -1
    head = {"price": Decimal(0), "shipping_price": Decimal(0)}
    for line in record.get("order_lines") or ():
        tax, shipping_tax = _taxes(line, "taxes"), _taxes(line, "shipping_taxes")
        if tax or shipping_tax:
            line["price"] = Decimal(line["price"]) + sign * tax
            line["shipping_price"] = Decimal(line.get("shipping_price") or 0) + sign * shipping_tax
            line["total_price"] = Decimal(line["total_price"]) + sign * (tax + shipping_tax)
            if line.get("quantity"):
                line["price_unit"] = (line["price"] / line["quantity"]).quantize(Decimal("0.01"))
        for part in (*(line.get("refunds") or ()), *(line.get("cancelations") or ())):
            part["amount"] = Decimal(part["amount"]) + sign * _taxes(part, "taxes")
            part["shipping_amount"] = Decimal(part["shipping_amount"]) + sign * _taxes(part, "shipping_taxes")
        if line.get("order_line_state") not in CLOSED_LINE_STATES:
            head["price"] += sign * tax
            head["shipping_price"] += sign * shipping_tax
    for name, change in head.items():
        record[name] = Decimal(record.get(name) or 0) + change
    record["total_price"] = Decimal(record.get("total_price") or 0) + sum(head.values())
    record["order_tax_mode"] = mode
    return record


def _taxes(record: dict[str, Any], name: str) -> Decimal:
    return sum((Decimal(tax["amount"]) for tax in record.get(name) or ()), Decimal(0))
