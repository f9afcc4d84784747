"""The seller's books: sales orders of the marketplace and of trade customers, and what was posted. In no ERP's words.

The order import writes net prices: per line and component VAT = round(gross x r / (100 + r)), net = gross - VAT, so the
ERP's gross equals the marketplace's to the penny.
"""

import random
from datetime import date

from sandbox.world.business import Business
from sandbox.world.catalogue import TAX_CODES
from sandbox.world.currencies import Rates, in_pounds
from sandbox.world.mirakl.orders import tracking_of
from sandbox.world.model import BankEntry, Despatch, ErpLine, ErpOrder, Item, Order, OrderLine, Posting
from sandbox.world.money import tax_inside
from sandbox.world.stamps import DAY, HOUR, MINUTE, SECOND, at, london_date

LIVE, ON_HOLD, COMPLETE, CANCELLED = "LIVE", "ON_HOLD", "COMPLETE", "CANCELLED"

AR, BANK, CLEARING, OUTPUT_VAT, INPUT_VAT = "1100", "1200", "1260", "2200", "2201"
STOCK, COST_OF_SALES = "1001", "5000"
ACCOUNT_OF_ROLE = {
    "BANK": BANK,
    "MARKETPLACE_CLEARING": CLEARING,
    "AR_MARKETPLACE": AR,
    "INPUT_VAT": INPUT_VAT,
    "COMMISSION_EXPENSE": "6100",
    "ORDER_FEES_EXPENSE": "6110",
    "SUBSCRIPTION_EXPENSE": "6120",
    "PENALTY_EXPENSE": "6130",
    "MARKETPLACE_ADJUSTMENTS": "6140",
    "BANK_CHARGES": "7901",
    "OUTPUT_VAT": OUTPUT_VAT,
    "UNBILLED_SETTLEMENT": "1107",
    "REVENUE_GOODS": "4100",
    "REVENUE_SHIPPING": "4905",
    "SALES_RETURNS": "4110",
    "SHIPPING_REFUNDS": "4906",
    "MARKETPLACE_TAX_PASSTHROUGH": "2215",
}
ACCOUNTS = (
    ("1001", "Stock"),
    ("1100", "Debtors control"),
    ("1106", "Marketplace reserves"),
    ("1107", "Unbilled settlements"),
    ("1108", "Right of return asset"),
    ("1200", "Bank current account"),
    (CLEARING, "Marketplace clearing"),
    ("2112", "Accrued marketplace fees"),
    ("2114", "Refund liability"),
    ("2118", "Due to marketplaces"),
    ("2200", "VAT on sales"),
    ("2201", "VAT on purchases"),
    ("2203", "VAT on purchases, pending"),
    ("2204", "VAT on sales, pending"),
    ("2215", "Marketplace tax pass-through"),
    ("4000", "Trade sales"),
    ("4100", "Marketplace sales"),
    ("4110", "Marketplace sales returns"),
    ("4905", "Shipping charged"),
    ("4906", "Shipping refunded"),
    ("4910", "Other marketplace income"),
    ("5000", "Cost of sales"),
    ("5100", "Carriage out"),
    ("5105", "Carriage paid by operators"),
    ("6100", "Marketplace commission"),
    ("6110", "Marketplace order fees"),
    ("6120", "Marketplace subscriptions"),
    ("6130", "Marketplace penalties"),
    ("6140", "Marketplace adjustments"),
    ("6201", "Advertising"),
    ("7100", "Rent"),
    ("7901", "Bank charges"),
    ("7906", "Exchange differences, realised"),
    ("7907", "Exchange differences, unrealised"),
    ("7908", "Rounding"),
    ("9998", "Suspense"),
)

SERVICES = {"PPL": "Pretend Parcels 24", "RMX": "Royal Example Tracked 48", "DPX": "Demo Express Next Day"}
"""The warehouse's names for what the marketplaces know by a carrier code."""
OWN_VAN = "Own van"
STRANGE_SERVICE = "Bicycle courier"
"""A service that the warehouse has taken on and nobody has mapped."""


def sale_tax_code(line: OrderLine) -> int:
    """The books' tax code of a sale: the item's, unless the sale itself decides."""
    return TAX_CODES[line.item.vat_rate] if line.sale_tax_code is None else line.sale_tax_code


def item_line(line: OrderLine) -> ErpLine:
    """The books' line of an order line: what is left of it after cancelations."""
    net, tax = split_vat(line.goods_due, line.vat_rate)
    return ErpLine(
        kind="ITEM",
        item=line.item,
        order_line_id=line.id,
        quantity=line.quantity - line.cancelled_quantity,
        net=net,
        tax=tax,
        vat_rate=line.vat_rate,
        tax_code=sale_tax_code(line),
        description=line.item.name,
    )


def charge_lines(lines: list[OrderLine]) -> list[ErpLine]:
    """Carriage follows the goods: one charge line per tax code, each order line's part split on its own."""
    totals: dict[tuple[int, int], list[int]] = {}
    for line in lines:
        if line.shipping_due:
            net, tax = split_vat(line.shipping_due, line.vat_rate)
            total = totals.setdefault((line.vat_rate, sale_tax_code(line)), [0, 0])
            total[0] += net
            total[1] += tax
    return [
        ErpLine("CHARGE", None, "", 1, net, tax, rate, code, "Carriage")
        for (rate, code), (net, tax) in sorted(totals.items(), reverse=True)
    ]


def split_vat(gross: int, rate: int) -> tuple[int, int]:
    """Net and VAT of a tax-inclusive amount."""
    tax = tax_inside(gross, rate)
    return gross - tax, tax


class Books:
    """The books before an ERP renders them: `orders` by creation, `postings` in no order until `finish()`.

    Months (YYYY-MM) can be shut altogether or for purchases; not every ERP tells.
    """

    def __init__(self, business: Business, rng: random.Random, as_of: int) -> None:
        self.business = business
        self._rng = rng
        self._as_of = as_of
        self.orders: list[ErpOrder] = []
        self.by_order: dict[str, ErpOrder] = {}
        self.postings: list[Posting] = []
        self.shut_months: set[str] = set()
        self.months_shut_for_purchases: set[str] = set()
        self._next_credit_note = 0
        self._next_keyed_invoice = 0

    def import_orders(self, orders: list[Order]) -> None:
        for order in orders:
            if order.imported is None or order.imported > self._as_of or not order.is_in_feed:
                continue
            erp_order = self.erp_order(order)
            self.orders.append(erp_order)
            self.by_order[order.id] = erp_order

    def erp_order(self, order: Order) -> ErpOrder:
        """What the import makes of a marketplace order, carried to the state that the order has."""
        if order.imported is None:
            raise ValueError(f"{order.id} never reached the ERP")
        if order.cancelled is not None or order.state == "REFUSED":
            kept = [line for line in order.lines if not line.refused]
            lines = [line_before_cancelation(line) for line in kept]
        else:
            kept = order.live_lines
            lines = [item_line(line) for line in kept]
        status, despatched = LIVE, None
        if order.state in ("CANCELED", "REFUSED"):
            status = CANCELLED
        elif order.state.startswith("WAITING_"):
            status = ON_HOLD
        elif order.shipped is not None:
            status = COMPLETE
            despatched = order.shipped - self._rng.randrange(MINUTE, 6 * MINUTE)
        changed = [
            i for i in (order.accepted, order.cancelled, order.debited, despatched, order.imported) if i is not None
        ]
        return ErpOrder(
            order=order,
            customer=self.business.customer,
            customer_document_no=order.id,
            created=order.imported,
            updated=min(max(changed) + 40 * SECOND, self._as_of),
            lines=lines + charge_lines(kept),
            status=status,
            despatched=despatched,
            is_invoiced=despatched is not None and not self.business.is_settlement_led,
            analysis=self.business.marketplace,
        )

    def trade_orders(self, items: list[Item], count: int, start: int) -> None:
        """Orders of other customers: never part of the marketplace's books."""
        rng = self._rng
        customers = [customer.reference for customer in self.business.customers]
        for number in range(count):
            created = start + rng.randrange(self._as_of - start - HOUR)
            item = rng.choice(items)
            quantity = rng.randrange(5, 60)
            net = item.price * quantity * 8 // 10
            rate = item.vat_rate
            despatched = created + rng.randrange(6 * HOUR, 3 * DAY)
            is_despatched = despatched < self._as_of
            self.orders.append(
                ErpOrder(
                    order=None,
                    customer=rng.choice(customers),
                    customer_document_no=f"PO{rng.randrange(10_000, 99_999)}",
                    created=created,
                    updated=despatched if is_despatched else created,
                    lines=[
                        ErpLine(
                            "ITEM",
                            item,
                            "",
                            quantity,
                            net,
                            net * rate // 10_000,
                            rate,
                            TAX_CODES[rate],
                            item.name,
                        )
                    ],
                    status=COMPLETE if is_despatched else LIVE,
                    despatched=despatched if is_despatched else None,
                    is_invoiced=is_despatched,
                    analysis="" if number % 3 else "TRADE",
                )
            )

    def number(self) -> None:
        """Document numbers in order of creation, invoice numbers in order of despatch."""
        self.orders.sort(key=lambda order: (order.created, order.customer_document_no))
        number = 0
        for position, order in enumerate(self.orders, start=1):
            order.id = 38_000 + position
            if order.is_draft:
                order.document_no = "TBA"
            else:
                number += 1
                order.document_no = f"{number:010d}"
        self._number_despatches()
        invoiced = [order for order in self.orders if order.is_invoiced and order.despatched is not None]
        invoiced.sort(key=lambda order: (order.despatched or 0, order.id))
        for position, order in enumerate(invoiced, start=1):
            order.invoice_no = f"SI{position:08d}"

    def _number_despatches(self) -> None:
        for order in self.orders:
            if order.despatched is not None and not order.despatches:
                order.despatches = [whole_despatch(order, order.despatched)]
        found = [(despatch.at, order.id, despatch) for order in self.orders for despatch in order.despatches]
        found.sort(key=lambda each: each[:2])
        for position, (_, _, despatch) in enumerate(found, start=1):
            despatch.number = f"DN{position:08d}"

    def post_sales(self) -> None:
        """The cost of each despatch, an invoice per despatched order, a credit note per refund of the marketplace's."""
        for order in self.orders:
            self.postings += [_issue(order, despatch) for despatch in order.despatches]
        for order in self.orders:
            if order.is_invoiced:
                self.postings.append(_invoice(order))
        for order in self.orders:
            if order.order is not None and order.is_invoiced:
                for line in order.order.lines:
                    self._credit_notes(order, line)

    def _credit_notes(self, order: ErpOrder, line: OrderLine) -> None:
        goods_before = shipping_before = goods_tax_before = shipping_tax_before = 0
        rate = line.vat_rate
        for refund in line.refunds:
            goods_before += refund.goods
            shipping_before += refund.shipping
            # Cumulative, so that the last refund of a line takes the remainder of its VAT.
            goods_tax = tax_inside(goods_before, rate) - goods_tax_before
            shipping_tax = tax_inside(shipping_before, rate) - shipping_tax_before
            goods_tax_before += goods_tax
            shipping_tax_before += shipping_tax
            posted = refund.created + self._rng.randrange(10 * MINUTE, 3 * HOUR)
            if posted > self._as_of or not refund.is_credited:
                continue
            tax = goods_tax + shipping_tax
            narrative = f"Refund {refund.id} of {line.id}"
            legs = [("4110", refund.goods - goods_tax)]
            if refund.shipping:
                legs.append(("4906", refund.shipping - shipping_tax))
            self._credit(order.customer, line, posted, refund.id, narrative, legs, tax)

    def credit_note(self, line: OrderLine, goods: int, instant: int, reference: str) -> Posting:
        """A credit note over `goods` (tax included) that somebody keys for an order line, naming `reference`."""
        tax = tax_inside(goods, line.vat_rate)
        legs = [("4110", goods - tax)]
        narrative = f"Goodwill for {line.id}"
        return self._credit(self.business.customer, line, instant, reference, narrative, legs, tax)

    def keyed_invoice(self, order: Order, amount: int, instant: int, narrative: str) -> Posting:
        """An invoice outside the order desk on the marketplace's account: zero-rated, naming its order."""
        self._next_keyed_invoice += 1
        posting = Posting(
            at=instant,
            day=london_date(instant),
            kind="INVOICE",
            reference=f"SM{self._next_keyed_invoice:08d}",
            second_reference=order.id,
            narrative=narrative,
            legs=[(AR, amount), ("4905", -amount)],
            ledger="SALES",
            user="Bookkeeper",
            customer=self.business.customer,
            goods=amount,
        )
        self.postings.append(posting)
        return posting

    def _credit(
        self,
        customer: str,
        line: OrderLine,
        posted: int,
        reference: str,
        narrative: str,
        legs: list[tuple[str, int]],
        tax: int,
    ) -> Posting:
        """Posts a credit note: `legs` are its net amounts by account, debits."""
        self._next_credit_note += 1
        net = sum(amount for _, amount in legs)
        posting = Posting(
            at=posted,
            day=london_date(posted),
            kind="CREDIT_NOTE",
            reference=f"SC{self._next_credit_note:08d}",
            second_reference=reference,
            narrative=narrative,
            legs=[(AR, -net - tax), *legs, *([(OUTPUT_VAT, tax)] if tax else [])],
            ledger="ORDERS",
            user="Order Desk",
            customer=customer,
            goods=-net,
            tax=-tax,
            credit_of=line,
        )
        self.postings.append(posting)
        return posting

    def post_background(self, entries: list[BankEntry]) -> None:
        """The ledger's side of the bank entries that are not the marketplace's."""
        for entry in entries:
            if entry.is_from_marketplace:
                continue
            posted = at(entry.day, 15, 12)
            if entry.amount > 0:
                self.postings.append(
                    Posting(
                        at=posted,
                        day=entry.day,
                        kind="RECEIPT",
                        reference=entry.end_to_end[:20],
                        second_reference="",
                        narrative=entry.customer,
                        legs=[(BANK, entry.amount), (AR, -entry.amount)],
                        ledger="SALES",
                        user="Accounts",
                        customer=entry.customer,
                        goods=-entry.amount,
                        banks=((BANK, entry.amount),),
                    )
                )
            else:
                account = "7100" if entry.remittance.startswith("RENT") else "5100"
                self.postings.append(
                    Posting(
                        at=posted,
                        day=entry.day,
                        kind="BANK_PAYMENT",
                        reference=entry.end_to_end[:20],
                        second_reference="",
                        narrative=entry.remittance,
                        legs=[(account, -entry.amount), (BANK, entry.amount)],
                        ledger="CASH_BOOK",
                        user="Accounts",
                        banks=((BANK, entry.amount),),
                    )
                )

    def translate(self, rates: Rates) -> None:
        """Marks what is on the marketplace's account as of a foreign currency, at the rate of its day."""
        for order in self.orders:
            if order.customer == self.business.customer:
                order.currency = self.business.shop.currency
        for posting in self.postings:
            if posting.customer == self.business.customer:
                posting.rate = rates.of(posting.day)

    def finish(self) -> None:
        """Numbers the postings in order of time; anything later than `as_of` has not happened."""
        self.postings = [posting for posting in self.postings if posting.at <= self._as_of]
        self.postings.sort(key=lambda posting: (posting.at, posting.reference))
        for number, posting in enumerate(self.postings, start=5_001):
            posting.number = number


def base_legs(posting: Posting) -> list[tuple[str, int]]:
    """The legs in the company's own currency; the first is the document's total, the last takes what rounding left."""
    if posting.rate is None:
        return posting.legs
    converted = [(account, in_pounds(amount, posting.rate)) for account, amount in posting.legs]
    account, amount = converted[-1]
    converted[-1] = (account, amount - sum(value for _, value in converted))
    return converted


def whole_despatch(order: ErpOrder, instant: int) -> Despatch:
    """Everything on the order in one parcel; trade customers are served with the own van."""
    quantities = {place: line.quantity for place, line in enumerate(order.lines) if line.kind == "ITEM"}
    if order.order is None:
        return Despatch(instant, quantities, OWN_VAN)
    code, _, tracking, _ = tracking_of(order.order)
    return Despatch(instant, quantities, SERVICES[code], tracking)


def line_before_cancelation(line: OrderLine) -> ErpLine:
    """The books' line of an order line as it was imported."""
    net, tax = split_vat(line.price, line.vat_rate)
    return ErpLine(
        "ITEM", line.item, line.id, line.quantity, net, tax, line.vat_rate, sale_tax_code(line), line.item.name
    )


def _issue(order: ErpOrder, despatch: Despatch) -> Posting:
    """Goods out of stock at what they cost, under the number of the despatch."""
    parts = [(order.lines[place].item, quantity) for place, quantity in despatch.quantities.items()]
    cost = sum(item.cost * quantity for item, quantity in parts if item is not None)
    return Posting(
        at=despatch.at + 2 * MINUTE,
        day=london_date(despatch.at),
        kind="STOCK_ISSUE",
        reference=despatch.number,
        second_reference=order.document_no,
        narrative=f"Despatch {despatch.number}",
        legs=[(COST_OF_SALES, cost), (STOCK, -cost)],
        ledger="STOCK",
        user="Warehouse",
    )


def _invoice(order: ErpOrder) -> Posting:
    if order.despatched is None:
        raise ValueError(f"{order.customer_document_no} is invoiced but not despatched")
    goods = sum(line.net for line in order.lines if line.kind == "ITEM")
    carriage = sum(line.net for line in order.lines if line.kind == "CHARGE")
    tax = sum(line.tax for line in order.lines)
    legs = [(AR, goods + carriage + tax), ("4100" if order.order is not None else "4000", -goods)]
    if carriage:
        legs.append(("4905", -carriage))
    if tax:
        legs.append((OUTPUT_VAT, -tax))
    posted = order.despatched + 4 * MINUTE
    return Posting(
        at=posted,
        day=london_date(order.despatched),
        kind="INVOICE",
        reference=order.invoice_no,
        second_reference=order.document_no,
        narrative="",
        legs=legs,
        ledger="ORDERS",
        user="Order Desk",
        customer=order.customer,
        goods=goods + carriage,
        tax=tax,
        invoice_of=order,
    )


def period(day: date) -> str:
    """The accounting period of a posting date: the calendar month."""
    return f"{day:%Y-%m}"
