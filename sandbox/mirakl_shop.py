"""One shop of one Mirakl marketplace in memory: what it holds, how reads find it, and how a changed record is stored.

Records are rendered to bytes once, when the world is loaded, and again when they change; a page is those bytes joined.
What changes them, and when, is `sandbox.mirakl`'s business: its modules `flow*`, `imports*` and `writes_*`.
"""

from bisect import insort
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from operator import attrgetter, itemgetter
from typing import Any, Protocol

from sandbox import jsonio
from sandbox.clock import milliseconds
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
    earlier_transaction_lines: list[dict[str, Any]]
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
class OfferImport:
    """One file (or list) of offers, quantities or prices: what it holds, how far it is, and what became of its lines.

    `started` is monotonic seconds, `at` the sandbox's time. `work` carries it out: it sets the counts, and returns why
    the whole import failed, or None.
    """

    import_id: str
    kind: str
    at: datetime
    started: float
    line_count: int
    digest: str
    work: Callable[["MiraklShop", "OfferImport"], str | None]
    mode: str = "NORMAL"
    status: str = "WAITING"
    reason: str | None = None
    header: list[str] = field(default_factory=list)
    read: int = 0
    succeeded: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    offers_failed: int = 0
    failed: list[tuple[int, str, list[str]]] = field(default_factory=list)

    @property
    def has_ended(self) -> bool:
        return self.status in ("COMPLETE", "FAILED")

    def carry_out(self, shop: "MiraklShop") -> None:
        self.reason = self.work(shop, self)
        self.status = "COMPLETE" if self.reason is None else "FAILED"


@dataclass
class FlowState:
    """What the platform remembers of its own and shows in no record.

    - `timers`: a heap of (due, number, step, subject), due in milliseconds; None until time first moves.
    - `until`: milliseconds up to which the steps were taken; None where time stands still.
    - `is_listed`: whether the lists of work to do were filled from the orders.
    - `balances`: the running balance and the newest line's creation, by (shop id, currency).
    - `open_refunds`: order by id of a refund that waits for its payment.
    - `before_incident`: the state an order line returns to when its incident is closed.
    - `resolved_incidents`: the reason by which the seller marked a line's incident as resolved.
    """

    newest_refund_id: int
    open_refunds: dict[str, str]
    until: int | None = None
    is_listed: bool = False
    timers: list[tuple[int, int, str, str]] | None = None
    count: int = 0
    balances: dict[tuple[str, str], tuple[Decimal, int]] = field(default_factory=dict)
    before_incident: dict[str, str] = field(default_factory=dict)
    resolved_incidents: dict[str, str] = field(default_factory=dict)

    def number(self) -> int:
        """The next of a row of numbers: with the same writes at the same times every start counts the same."""
        self.count += 1
        return self.count


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
        # What a line was stands behind what it is: who looks for its id finds the newest. It is read like any other,
        # and no balance, cycle or payment counts it.
        lines = [*world.transaction_lines, *world.earlier_transaction_lines]
        self.lines = [TransactionLine.of(record) for record in lines]
        self.earlier_lines = range(len(world.transaction_lines), len(lines))
        self.line_index = SeekIndex(
            {
                "dateCreated": [_time(record, "date_created") or 0 for record in lines],
                "lastUpdated": [_time(record, "last_updated") or 0 for record in lines],
            }
        )
        self.removed_lines: set[int] = set()
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
        self.sellers = list(world.shops)
        # Everything that nothing here changes is read from the world itself.
        self.world = world
        self.imports: dict[str, OfferImport] = {}
        self._open_imports: list[OfferImport] = []
        self.flow = FlowState(*_refund_ids(world.orders.values()))

    # --- orders

    def find_orders(
        self,
        key: Any,
        tests: Sequence[Callable[[Order], bool]],
        is_descending: bool,
        order_ids: Collection[str] = (),
    ) -> list[Order]:
        """Orders passing all tests, by creation and id; only among `order_ids` where there are some. `key` names the
        question, so that its pages share one scan.
        """
        found = self._answers.get((key, is_descending))
        if found is None:
            among: Iterable[Order] = self._orders_by_creation
            if order_ids:
                named = (self.orders[order_id] for order_id in order_ids if order_id in self.orders)
                among = sorted(named, key=attrgetter("created", "order_id"))
            found = [order for order in among if all(test(order) for test in tests)]
            if is_descending:
                found.reverse()
            if len(self._answers) > 16:
                self._answers.clear()
            self._answers[key, is_descending] = found
        return found

    def put_order(self, record: dict[str, Any]) -> None:
        """Stores an order that is new or has changed."""
        new = Order.of(record)
        known = self.orders.get(new.order_id)
        if known is None:
            self.orders[new.order_id] = new
            insort(self._orders_by_creation, new, key=attrgetter("created", "order_id"))
        else:
            for name in Order.__slots__:
                setattr(known, name, getattr(new, name))
        self.changed_orders.add(new.order_id)
        self._answers.clear()

    def remove_order(self, order_id: str) -> None:
        """Takes an order out of everything that is read. Raises KeyError."""
        self._orders_by_creation.remove(self.orders.pop(order_id))
        self._answers.clear()

    # --- money

    def is_current(self, position: int) -> bool:
        """Whether a transaction line is there, and is not what a line once was."""
        return position not in self.removed_lines and position not in self.earlier_lines

    def remove_line(self, position: int) -> None:
        """Takes a transaction line out of everything that is read; the others keep their places."""
        self.line_index.remove(position)
        self.removed_lines.add(position)
        line = self.lines[position]
        for positions, key in ((self.lines_by_cycle, line.cycle_id), (self.lines_by_order, line.order_id)):
            if key is not None:
                positions[key].remove(position)

    def add_lines(self, records: Iterable[dict[str, Any]]) -> None:
        """Appends transaction lines; among lines of one time the order of appending is their order."""
        for record in records:
            self.lines.append(TransactionLine.of(record))
            self._rank_line(len(self.lines) - 1, record, None)

    def change_line(self, position: int, record: dict[str, Any]) -> None:
        """Replaces a transaction line, which keeps its place among those created when it was."""
        before, self.lines[position] = self.lines[position], TransactionLine.of(record)
        self._rank_line(position, record, before)

    def _rank_line(self, position: int, record: dict[str, Any], before: TransactionLine | None) -> None:
        self.line_index.put(
            position,
            {"dateCreated": _time(record, "date_created") or 0, "lastUpdated": _time(record, "last_updated") or 0},
        )
        line = self.lines[position]
        # A line belongs to one order for good, and to the cycle that gathers it.
        if line.order_id is not None and before is None:
            self.lines_by_order.setdefault(line.order_id, []).append(position)
        if line.cycle_id is not None and (before is None or before.cycle_id is None):
            self.lines_by_cycle.setdefault(line.cycle_id, []).append(position)

    def put_cycle(self, record: dict[str, Any]) -> None:
        """Stores a billing cycle that is new or has changed."""
        position = next((n for n, cycle in enumerate(self.cycles) if cycle["id"] == record["id"]), len(self.cycles))
        self.cycles[position:] = [record, *self.cycles[position + 1 :]]
        self.cycle_bodies[position:] = [jsonio.encode(record), *self.cycle_bodies[position + 1 :]]
        self.cycle_index.put(position, {"dateCreated": _time(record, "date_created") or 0})

    def put_invoice(self, record: dict[str, Any]) -> None:
        """Stores an accounting document that is new or has changed. Documents stand in the order of their creation."""
        self.invoices = [invoice for invoice in self.invoices if invoice["id"] != record["id"]]
        insort(self.invoices, record, key=lambda invoice: _time(invoice, "date_created") or 0)

    # --- offers

    def put_offer(self, record: dict[str, Any], at: datetime) -> None:
        """Stores an offer that is new or has changed at `at`."""
        key = _offer_key(record)
        self.offers[key] = record
        self.offer_times[key] = at
        self.deleted_offers.pop(key, None)

    def remove_offer(self, key: str, at: datetime) -> None:
        self.deleted_offers[key] = self.offers.pop(key)
        self.offer_times[key] = at

    @property
    def delimiter_name(self) -> str:
        return str((self.platform.get("features") or {}).get("operator_csv_delimiter") or "SEMICOLON")

    # --- files and lists that are worked through after they were accepted

    def receive_import(self, received: "OfferImport") -> None:
        self.imports[received.import_id] = received
        self._open_imports.append(received)

    def settle_imports(self, at: float, waiting: float, running: float, per_line: float = 0.0) -> None:
        """Moves imports on: WAITING, RUNNING, COMPLETE or FAILED. `at`: monotonic seconds.

        They run side by side, so a short file can be done before a long one that came earlier: whoever does not wait
        for the first loses the second.
        """
        ended = []
        for one in self._open_imports:
            end = one.started + waiting + running + one.line_count * per_line
            if at >= end:
                ended.append((end, one))
            elif at >= one.started + waiting:
                one.status = "RUNNING"
        for _, one in sorted(ended, key=itemgetter(0)):
            one.carry_out(self)
            self._open_imports.remove(one)


def _refund_ids(orders: Iterable[dict[str, Any]]) -> tuple[int, dict[str, str]]:
    """The largest id of a refund or cancelation (strings that hold integers), and the orders of open refunds."""
    newest, waiting = 0, {}
    for order in orders:
        for line in order.get("order_lines") or ():
            for part in (*(line.get("refunds") or ()), *(line.get("cancelations") or ())):
                if str(part.get("id")).isdigit():
                    newest = max(newest, int(part["id"]))
                if part.get("refund_state") == "WAITING_REFUND_PAYMENT":
                    waiting[part["id"]] = order["order_id"]
    return newest, waiting


def _offer_key(record: dict[str, Any]) -> str:
    """The shop's SKU; an operator sees the same SKU in several shops, so there the shop stands before it."""
    return f"{record['shop_id']}|{record['shop_sku']}" if "shop_id" in record else str(record["shop_sku"])


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
