"""One seller on one marketplace: trade, settlement, bank, books, stock, and the truth about them.

Every part draws from a random stream of its own, so that planting faults in one does not shift the others.
"""

import random
from dataclasses import dataclass
from datetime import date

from sandbox.world import bank, journals, mirakl
from sandbox.world.business import Business
from sandbox.world.catalogue import build_items
from sandbox.world.currencies import Rates, foreign_receipts, settings
from sandbox.world.erp import Books
from sandbox.world.faults import Phase, plant
from sandbox.world.model import BankEntry, Item, MiraklWorld, Setting, StatementFile
from sandbox.world.money import tax_inside
from sandbox.world.reserve import build_deposit, build_reserve
from sandbox.world.scene import Scene
from sandbox.world.settlement import NEGATIVE, Ledger
from sandbox.world.stamps import HOUR, london_date
from sandbox.world.stock import Stock
from sandbox.world.trade import Season, Trade
from sandbox.world.truth import NATURAL, Truth

LAST_DAY_OF_WINDOW = 7
FEE_CAP, FEE_PERCENT = 1_000, 5


@dataclass(frozen=True, slots=True)
class Seller:
    """What was made: its marketplace and its bank as they tell it, its books in no ERP's words, and the truth."""

    business: Business
    mirakl: MiraklWorld
    statements: list[StatementFile]
    books: Books
    items: list[Item]
    stock: Stock
    truth: Truth


def build_seller(
    business: Business, seed: int, count: int, first_day: date, cycle_days: list[date], now: int, *, faults: bool
) -> Seller:
    """The seller's months since `first_day` with `count` orders.

    `cycle_days` are the dates of its nine cycles, `now` is in milliseconds.
    """

    def stream(part: str) -> random.Random:
        return random.Random(f"{seed}:{business.stream}{part}")

    season = Season.of(first_day, now, cycle_days[NEGATIVE - 1], cycle_days[NEGATIVE])
    items = build_items(stream("items"), count)
    trade = Trade(business, stream("trade"), items, count, season)
    orders = trade.build()
    truth = Truth(business.marketplace)
    if business.is_settlement_led:
        where = {"marketplace_code": business.marketplace}
        truth.settings.append(Setting("marketplaces", where, {"posting_model": business.posting_model}))
    scene = Scene(
        business, stream("faults"), now, items, orders, trade, truth, first_day, repeat=1 if count < 2000 else 3
    )

    def phase(name: Phase) -> None:
        if faults:
            plant(name, scene)

    phase(Phase.TRADE)
    scene.ledger = ledger = Ledger(stream("ledger"), orders, cycle_days, now)
    phase(Phase.LINES)
    if business.is_foreign:
        scene.rates = Rates.between(stream("rates"), first_day, london_date(now))
        for order in orders:
            order.currency = business.shop.currency
    ledger.close()
    if business.is_foreign:
        for entry in ledger.entries:
            entry.currency = business.shop.currency
    phase(Phase.CYCLES)

    scene.receipts = (
        bank.receipts(business, ledger.cycles, now)
        if scene.rates is None
        else foreign_receipts(business, ledger.cycles, scene.rates, now)
    )
    scene.bank_entries = bank.background(business, stream("bank"), first_day, london_date(now))
    if business.has_reserve:
        scene.reserve = build_reserve(business, first_day, london_date(now))
        scene.deposit = build_deposit(business, first_day, london_date(now))
    phase(Phase.BANK)
    entries = scene.bank_entries + scene.receipts
    bank.number_entries(entries)
    statements = bank.statements(business, entries, first_day, london_date(now))
    for account in (scene.reserve, scene.deposit):
        statements += account.files() if account else []

    scene.books = books = Books(business, stream("books"), now)
    books.import_orders(orders)
    books.trade_orders(items, max(12, count // 40), season.start)
    phase(Phase.ERP)
    books.number()
    books.post_sales()
    books.post_background(entries)
    if scene.rates is None:
        _earlier_journals(scene)
    phase(Phase.JOURNALS)
    books.finish()
    if scene.rates is not None:
        books.translate(scene.rates)
        truth.settings += settings(business, scene.rates)

    scene.stock = stock = Stock(stream("stock"), items)
    _open_newest_shelves(scene)
    stock.count(orders, books)
    phase(Phase.STOCK)
    _natural(scene)
    _tax_points(scene)
    for tell in scene.afterwards:
        tell()

    offers = [(item, *_offered(item, stock)) for item in items if item.offer.is_listed]
    offers += [(item, quantity, quantity > 0) for item, quantity in scene.strays]
    truth.tell_money(business, ledger.cycles, scene.genuine_receipts())
    truth.tell_stock(items, stock)
    truth.preposted = list(scene.journals)
    side = mirakl.render(business, orders, ledger, items, offers, scene.cases, now)
    return Seller(business, side, statements, books, items, stock, truth)


def _earlier_journals(scene: Scene) -> None:
    """Posts the settlements and receipts of the first cycles, as finance had done before the pipeline took over."""
    earlier = scene.ledger.cycles[: journals.EARLIER_CYCLES]
    for cycle in earlier:
        if scene.business.is_settlement_led:
            parts = journals.settlement_led_postings(scene.business, cycle, earlier[: cycle.index])
        else:
            parts = journals.settlement_postings(scene.business, cycle)
        for part in parts:
            scene.journals.setdefault(part.journal_key, []).append(part)
    for entry in scene.receipts:
        if entry.cycles and all(cycle in earlier for cycle in entry.cycles):
            parts = journals.receipt_postings(scene.business, entry)
            scene.journals[parts[0].journal_key] = parts
    for parts in scene.journals.values():
        scene.books.postings.extend(parts)
    for cycle in earlier:
        scene.books.postings.extend(journals.reverse_charge_postings(scene.business, cycle))


def _open_newest_shelves(scene: Scene) -> None:
    """What was ordered in the last half hour is on the shelf: the newest orders never meet an empty one by chance."""
    for order in scene.orders:
        if order.state == "STAGING":
            # Whether an order under screening reserves stock is open to argument; with nothing to offer it is all one.
            for line in order.lines:
                line.item.free.update(MAIN=0, NORTH=0)
                scene.taken_items.add(line.item.code)
        elif order.created >= scene.as_of - HOUR:
            for line in order.lines:
                if line.item.code not in scene.taken_items:
                    line.item.free["MAIN"] = max(line.item.free["MAIN"], 40)


def _offered(item: Item, stock: Stock) -> tuple[int, bool]:
    quantity = stock.expected(item) if item.offered is None else item.offered
    return quantity, quantity > 0 and not item.offer.reasons


def _natural(scene: Scene) -> None:
    """The exceptions that the required scenes of cycles and bank cause by themselves."""
    truth = scene.truth
    cycles = scene.ledger.cycles
    for cycle in cycles:
        due = cycle.opening + cycle.net
        if due < 0:
            truth.exception("PAY-005", "CYCLE", cycle.id, NATURAL, due)
        paid = [earlier for earlier in cycles if earlier.paid_with is cycle]
        if paid:
            truth.exception("PAY-006", "CYCLE", cycle.id, NATURAL, cycle.payout)
            for earlier in paid:
                truth.near_miss("failed once, paid with a later cycle", "PAY-004", "CYCLE", earlier.id)
        elif cycle.payout and cycle.opening:
            truth.near_miss(
                "the pay-out after a negative cycle is reduced by the balance brought forward, it pays one cycle",
                "PAY-006",
                "CYCLE",
                cycle.id,
            )
    received = scene.genuine_receipts()
    by_cycle: dict[str, list[BankEntry]] = {}
    for entry in received:
        if len(entry.cycles) > 1:
            truth.exception("BNK-005", "RECEIPT", scene.receipt_id(entry), NATURAL, entry.amount)
        for cycle in entry.cycles:
            by_cycle.setdefault(cycle.id, []).append(entry)
    for cycle in cycles:
        if not cycle.payout or cycle.id in scene.lost:
            continue
        found = by_cycle.get(cycle.id, [])
        if cycle.id in scene.contested:
            truth.near_miss("a person judges its receipt", "BNK-001", "PAYOUT", cycle.id)
        elif not found:
            truth.near_miss("on its way: the window is still open", "BNK-001", "PAYOUT", cycle.id)
        elif cycle.id in scene.overpaid:
            truth.near_miss("more than was paid out, which is a fault of its own", "BNK-006", "PAYOUT", cycle.id)
        elif len(found) > 1:
            truth.exception("BNK-006", "PAYOUT", cycle.id, NATURAL, cycle.payout)
        elif len(found[0].cycles) == 1:
            short = cycle.payout - found[0].amount
            if found[0].sent is not None:
                truth.near_miss("exchanged on its way, within the tolerance", "BNK-003", "PAYOUT", cycle.id)
            elif 0 < short <= min(FEE_CAP, cycle.payout * FEE_PERCENT // 100):
                truth.exception("BNK-002", "PAYOUT", cycle.id, NATURAL, -short)
            elif cycle.paid_at is not None and (found[0].day - london_date(cycle.paid_at)).days == LAST_DAY_OF_WINDOW:
                truth.near_miss("arrives on the last day of the window", "BNK-001", "PAYOUT", cycle.id)


def _tax_points(scene: Scene) -> None:
    """Orders paid in one VAT quarter and sent in the next; paid and sent in different months of one is nothing."""
    told: dict[str, int] = {}
    for order in scene.orders:
        if order.debited is None or order.shipped is None or not order.is_in_feed:
            continue
        paid, sent = london_date(order.debited), london_date(order.shipped)
        tax = sum(tax_inside(line.goods_due + line.shipping_due, line.vat_rate) for line in order.live_lines)
        if tax and (paid.year, paid.month) < (sent.year, sent.month):
            month = f"{paid:%Y-%m}"
            told[month] = told.get(month, 0) + tax
    for month, tax in sorted(told.items()):
        if (int(month[5:]) - scene.business.vat_period_end) % 3 == 0:
            scene.truth.exception("TAX-008", "VAT_PERIOD", month, NATURAL, tax)
        else:
            text = "paid and sent in different months of one VAT period"
            scene.truth.near_miss(text, "TAX-008", "VAT_PERIOD", month)
