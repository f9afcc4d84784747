"""What happened in the world, before any vendor writes it down.

All amounts are pence, all instants milliseconds (UTC), all rates basis points. `None` for an instant means that it had
not happened by `as_of`.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any


@dataclass(slots=True, frozen=True)
class Contract:
    """Commission terms of a category: `fee = max(minimum, rate x base)`; a refund gives `1 - retained` back."""

    category: str
    label: str
    rate: int
    base: str = "PRICE_PLUS_SHIPPING"
    minimum: int = 0
    retained: int = 0


@dataclass(slots=True, frozen=True)
class Shop:
    """A seller as its marketplace's records name it. `tax_number` is None for a seller who has shown none."""

    id: int
    name: str
    corporate_name: str
    internal_id: str
    model: str
    country: str
    city: str
    street: str
    zip_code: str
    tax_number: str | None
    iban: str
    bic: str = "BUKBGB22XXX"
    psp: str = "NOT_SPECIFIED"
    currency: str = "GBP"


@dataclass(slots=True)
class Item:
    """One stock item of the ERP, and the offer it is sold under."""

    code: str
    name: str
    contract: Contract
    price: int
    cost: int
    vat_rate: int
    shipping: int
    product_id: int
    offer_id: int
    product_sku: str
    ean: str
    is_discontinued: bool = False
    free: dict[str, int] = field(default_factory=dict)
    offered: int | None = None
    promotion: int | None = None
    """Its price while the promotion lasts."""
    new_price: int | None = None
    """What the books' price list says where it is not `price`, what it was sold for."""
    repriced: int | None = None
    offer: "Offer" = field(default_factory=lambda: Offer())
    twin: str | None = None
    """How another item of the ERP with the same code stands: ACTIVE or RETIRED; None without one."""

    @property
    def list_price(self) -> int:
        return self.price if self.new_price is None else self.new_price


@dataclass(slots=True)
class Offer:
    """Where an item's offer does not follow from the item. `reasons` close it whatever its quantity is."""

    is_listed: bool = True
    reasons: tuple[str, ...] = ()
    product: "Item | None" = None
    """The item whose product the offer shows instead of its own."""
    package: int | None = 1
    """How many can only be bought together; None where the marketplace does not say."""
    price: int | None = None


@dataclass(slots=True)
class Refund:
    id: str
    group_id: str
    created: int
    goods: int
    shipping: int
    commission: int
    commission_vat: int
    quantity: int
    reason: str
    tax: int = 0
    shipping_tax: int = 0
    is_credited: bool = True
    """Whether the books have a credit note for it."""


@dataclass(slots=True)
class Cancelation:
    id: str
    created: int
    goods: int
    shipping: int
    commission: int
    commission_vat: int
    quantity: int
    reason: str
    tax: int = 0
    shipping_tax: int = 0


@dataclass(slots=True)
class Tax:
    """Tax on top of an order line's price and shipping, as its marketplace knows it.

    `is_remitted`: the operator collects it and pays it to the state; otherwise the seller gets it.
    """

    code: str
    rate: int
    goods: int
    shipping: int
    is_remitted: bool


@dataclass(slots=True, eq=False)
class OrderLine:
    """`price` is the seller's due before tax: less a discount of his own, not less one that the operator funds."""

    id: str
    index: int
    item: Item
    quantity: int
    unit: int
    price: int
    shipping: int
    commission: int
    commission_vat: int
    commission_vat_rate: int = 2000
    refused: bool = False
    operator_funded: int = 0
    discount: int = 0
    tax: Tax | None = None
    sale_tax_code: int | None = None
    """The books' code where it is not the item's: nothing is declared then."""
    refunds: list[Refund] = field(default_factory=list)
    cancelations: list[Cancelation] = field(default_factory=list)

    @property
    def vat_rate(self) -> int:
        """What the seller declares on the sale, in basis points of the net price."""
        return self.item.vat_rate if self.sale_tax_code is None else 0

    @property
    def cancelled_quantity(self) -> int:
        return sum(c.quantity for c in self.cancelations)

    @property
    def is_cancelled(self) -> bool:
        return bool(self.cancelations) and self.cancelled_quantity >= self.quantity

    @property
    def goods_due(self) -> int:
        return self.price - sum(c.goods for c in self.cancelations)

    @property
    def shipping_due(self) -> int:
        return self.shipping - sum(c.shipping for c in self.cancelations)

    @property
    def commission_due(self) -> int:
        return self.commission - sum(c.commission for c in self.cancelations)

    @property
    def commission_vat_due(self) -> int:
        return self.commission_vat - sum(c.commission_vat for c in self.cancelations)

    @property
    def is_live(self) -> bool:
        """Goes to the customer, at least in part."""
        return not self.refused and not self.is_cancelled

    @property
    def is_fully_refunded(self) -> bool:
        return bool(self.refunds) and sum(r.goods for r in self.refunds) >= self.goods_due


@dataclass(slots=True, eq=False)
class Shipment:
    """A parcel: quantities by order line id. On a platform with one shipment per order there are none."""

    id: str
    quantities: dict[str, int]
    created: int
    shipped: int
    debited: int | None = None
    received: int | None = None
    is_tracked: bool = True


@dataclass(slots=True, eq=False)
class Order:
    id: str
    commercial_id: str
    created: int
    state: str
    lines: list[OrderLine]
    profile: str
    customer: int
    deadline: int
    updated: int
    accepted: int | None = None
    debited: int | None = None
    shipped: int | None = None
    received: int | None = None
    cancelled: int | None = None
    imported: int | None = None
    reason: str | None = None
    is_in_feed: bool = True
    is_tracked: bool = True
    """Whether the marketplace was given the number under which the buyer can follow the goods."""
    shop: Shop | None = None
    workflow: str = "PAY_ON_ACCEPTANCE"
    payment_days: int | None = None
    tax_mode: str = "TAX_INCLUDED"
    currency: str = "GBP"
    has_incident: bool = False
    ship_to: str = "GBR"
    return_state: str | None = None
    """How far a return of its goods has come, where that is not plain from its profile."""
    shipments: list[Shipment] = field(default_factory=list)

    @property
    def live_lines(self) -> list[OrderLine]:
        return [line for line in self.lines if line.is_live]


@dataclass(slots=True, eq=False)
class Entry:
    """One transaction line of the seller's balance; `amount` is signed from the seller's view."""

    id: str
    type: str
    amount: int
    created: int
    payable: int | None
    order: Order | None = None
    line: OrderLine | None = None
    refund: Refund | None = None
    fee_code: str | None = None
    document: "ManualDocument | None" = None
    description: str | None = None
    is_held: bool = False
    cycle: "Cycle | None" = None
    balance: int = 0
    is_hidden: bool = False
    shows_cycle: bool = True
    is_informative: bool = False
    shipment: Shipment | None = None
    currency: str = "GBP"
    earlier_amount: int | None = None
    """What the line said when it was read first; it is delivered once as it was and once as it is."""


@dataclass(slots=True, eq=False)
class ManualDocument:
    """A document that the operator raises by hand; its lines are one net and, where VAT is due, one VAT line."""

    id: str
    type: str
    number: int
    created: int
    net: int
    tax: int
    description: str
    cycle: "Cycle | None" = None
    billed_to: Shop | None = None
    """Whom the document names, where it is not the shop as it is."""


@dataclass(slots=True, eq=False)
class Cycle:
    id: str
    index: int
    day: date
    created: int
    voucher: str
    invoice_id: str
    invoice_number: int
    entries: list[Entry] = field(default_factory=list)
    opening: int = 0
    net: int = 0
    payout: int = 0
    state: str = "PAID"
    paid_at: int | None = None
    reference: str | None = None
    failure: str | None = None
    paid_with: "Cycle | None" = None
    billed_to: Shop | None = None
    """Whom the cycle's document names, where it is not the shop as it is."""
    invoiced: int | None = None
    """When the operator issued the cycle's document, where it was not with the cycle."""
    misstated: int = 0
    """By how much the operator paid out another sum than opening + net: a planted fault."""

    @property
    def closing(self) -> int:
        return self.opening + self.net - self.payout


@dataclass(slots=True, eq=False)
class BankEntry:
    """One entry of the bank statement; `amount` positive = into the account."""

    day: date
    amount: int
    name: str
    remittance: str
    end_to_end: str
    code: str
    account: str = ""
    reference: str = ""
    cycles: tuple[Cycle, ...] = ()
    is_from_marketplace: bool = False
    customer: str = ""
    """The trade customer who paid, as the books know it."""
    sent: tuple[int, str] | None = None
    """What was sent and in which currency, where a bank on the way exchanged it; in that currency's pence."""


@dataclass(slots=True, eq=False)
class ErpLine:
    """One line of a sales order in the books. `kind` is ITEM or CHARGE; `net` and `tax` are the line's totals."""

    kind: str
    item: Item | None
    order_line_id: str
    quantity: int
    net: int
    tax: int
    vat_rate: int
    tax_code: int
    description: str = ""


@dataclass(slots=True, eq=False)
class Despatch:
    """What left the warehouse at one time: quantities by the place of the order's line, and who carries it."""

    at: int
    quantities: dict[int, int]
    carrier: str = ""
    tracking: str = ""
    number: str = ""


@dataclass(slots=True, eq=False)
class ErpOrder:
    """A sales order in the books. `status` is LIVE, ON_HOLD, COMPLETE or CANCELLED, `analysis` says whose it is.

    `despatched` is when the last of what was sent left; without `despatches` of its own everything left then.
    """

    order: Order | None
    customer: str
    customer_document_no: str
    created: int
    updated: int
    lines: list[ErpLine]
    status: str = "LIVE"
    despatched: int | None = None
    is_invoiced: bool = False
    is_draft: bool = False
    currency: str = "GBP"
    analysis: str = ""
    document_no: str = ""
    invoice_no: str = ""
    id: int = 0
    despatches: list[Despatch] = field(default_factory=list)

    @property
    def is_cancelled(self) -> bool:
        return self.status == "CANCELLED"

    @property
    def is_despatched_in_full(self) -> bool:
        return self.despatched is not None and all(
            self.despatched_of(place) >= line.quantity for place, line in enumerate(self.lines) if line.kind == "ITEM"
        )

    def despatched_of(self, place: int) -> int:
        """How much of the line at `place` has left."""
        if self.despatched is None:
            return 0
        if self.lines[place].kind != "ITEM" or not self.despatches:
            return self.lines[place].quantity
        return sum(despatch.quantities.get(place, 0) for despatch in self.despatches)

    @property
    def is_open(self) -> bool:
        return self.despatched is None and not self.is_cancelled and not self.is_draft


@dataclass(slots=True, eq=False)
class Posting:
    """One document that was posted. `legs`: (account, pence), debit positive, summing to nil.

    `ledger` is where it was keyed: ORDERS, SALES, CASH_BOOK, NOMINAL or STOCK. `banks` are its entries in the cash
    book, by account. `goods` and `tax` are what it moves a customer's balance by. A journal of the marketplace consists
    of the documents with its `journal_key`; a copy or a reversal names what it `repeats` or `reverses`.
    """

    at: int
    day: date
    kind: str
    reference: str
    second_reference: str
    narrative: str
    legs: list[tuple[str, int]]
    ledger: str
    user: str
    customer: str = ""
    goods: int = 0
    tax: int = 0
    banks: tuple[tuple[str, int], ...] = ()
    number: int = 0
    journal_key: str = ""
    invoice_of: ErpOrder | None = None
    credit_of: OrderLine | None = None
    repeats: "Posting | None" = None
    reverses: "Posting | None" = None
    rate: Decimal | None = None
    """What one unit of the legs' currency is worth in the company's; None: it is the company's."""


@dataclass(frozen=True, slots=True)
class Case:
    """A conversation that somebody began: about an order (`MMP_ORDER`) or an offer (`MMP_OFFER`), by its id."""

    id: str
    kind: str
    about: str
    created: int


@dataclass(slots=True, frozen=True)
class Setting:
    """A change that the world makes to the configuration: rows of `file` that have `where` get `values`.

    Without `where` the values are a row of their own. A cell is text, as in the file.
    """

    file: str
    where: dict[str, str]
    values: dict[str, str]


@dataclass(slots=True)
class StatementFile:
    """A file that the bank has put down. `account` is the code of the bank account it is about."""

    name: str
    content: bytes
    account: str


@dataclass(slots=True)
class MiraklWorld:
    """One marketplace as its own server knows it. Nested parts are shared between records: treat them as read-only.

    `perspective` is SELLER (one shop's view, the API of the shop) or OPERATOR (every shop of the marketplace: orders
    carry `shop_id`, transaction lines and cycles their `shop`). Records have the vendor's own field names; lists and
    fields that a marketplace has no use for are empty. Two mappings go by id: `document_request_lines` (DR12) by
    document request, `invoice_files` (IV02, the bytes of a PDF) by `id` of the document.
    """

    account: dict[str, Any]
    platform: dict[str, Any]
    carriers: list[dict[str, Any]]
    orders: dict[str, dict[str, Any]]
    transaction_lines: list[dict[str, Any]]
    cycles: list[dict[str, Any]]
    invoices: list[dict[str, Any]]
    offers: list[dict[str, Any]]
    hidden_transaction_lines: list[dict[str, Any]]
    earlier_transaction_lines: list[dict[str, Any]] = field(default_factory=list)
    """Lines as they were, of which `transaction_lines` has what they are now: a reader whom a change overtakes while he
    walks the pages meets both."""
    perspective: str = "SELLER"
    shops: list[dict[str, Any]] = field(default_factory=list)
    shipments: list[dict[str, Any]] = field(default_factory=list)
    items_to_ship: list[dict[str, Any]] = field(default_factory=list)
    returns: list[dict[str, Any]] = field(default_factory=list)
    document_requests: list[dict[str, Any]] = field(default_factory=list)
    document_request_lines: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    threads: list[dict[str, Any]] = field(default_factory=list)
    order_documents: list[dict[str, Any]] = field(default_factory=list)
    products: list[dict[str, Any]] = field(default_factory=list)
    reasons: list[dict[str, Any]] = field(default_factory=list)
    shipping_zones: list[dict[str, Any]] = field(default_factory=list)
    shipping_methods: list[dict[str, Any]] = field(default_factory=list)
    currencies: list[dict[str, Any]] = field(default_factory=list)
    channels: list[dict[str, Any]] = field(default_factory=list)
    offer_conditions: list[dict[str, Any]] = field(default_factory=list)
    custom_fields: list[dict[str, Any]] = field(default_factory=list)
    account_statistics: dict[str, Any] = field(default_factory=dict)
    invoice_files: dict[str, bytes] = field(default_factory=dict)
    payment_debits: list[dict[str, Any]] = field(default_factory=list)
    payment_refunds: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class SageWorld:
    """One Sage 200 company: `tables` by resource name, each record with the vendor's own field names."""

    sites: list[dict[str, Any]]
    tables: dict[str, list[dict[str, Any]]]


@dataclass(slots=True)
class BankWorld:
    files: list[StatementFile]
