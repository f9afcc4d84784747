"""Puts the world together: trade, settlement, bank, books, stock, and the truth about them.

Every part draws from a random stream of its own, so that planting faults in one does not shift the others.
"""

import gc
import random
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.world import bank, journals, mirakl, sage
from sandbox.world.catalogue import BANK_ACCOUNT, MARKETPLACE, build_items
from sandbox.world.erp import Books
from sandbox.world.faults import Phase, plant
from sandbox.world.model import BankEntry, BankWorld, Item, MiraklWorld, SageWorld, StatementFile
from sandbox.world.plaza import MARKETPLACE as PLAZA
from sandbox.world.plaza import build_plaza
from sandbox.world.scene import Scene
from sandbox.world.settlement import CYCLES, NEGATIVE, Ledger
from sandbox.world.stamps import DAY, HOUR, cut_offs, iso, london_date, milliseconds
from sandbox.world.stock import Stock
from sandbox.world.trade import Season, Trade
from sandbox.world.truth import NATURAL, Truth

DEFAULT_AS_OF = datetime(2026, 7, 3, 8, tzinfo=UTC)
MARKETPLACES = (MARKETPLACE, PLAZA)
"""What `build_world` makes unless told otherwise."""
LAST_DAY_OF_WINDOW = 7
FEE_CAP, FEE_PERCENT = 1_000, 5
SETTLED_FOR = 2 * DAY
"""The newest cycle is at least this old at `as_of`, so that its pay-out has been made."""


@dataclass(slots=True)
class World:
    """A generated world. `mirakl` by marketplace code; `truth` is the document that faults are judged against."""

    seed: int
    order_count: int
    as_of: datetime
    mirakl: dict[str, MiraklWorld]
    sage: SageWorld
    bank_world: BankWorld
    truth: dict[str, Any]

    @property
    def bank(self) -> list[StatementFile]:
        return self.bank_world.files


def build_world(
    seed: int = 7,
    orders: int = 5000,
    as_of: datetime = DEFAULT_AS_OF,
    faults: bool = True,
    marketplaces: Collection[str] = MARKETPLACES,
) -> World:
    """The world of `seed`: the same arguments give the same world, to the byte.

    `orders` counts the orders of BRICO (at least 250); PLAZA, where `marketplaces` names it, adds its own and changes
    nothing else. `as_of` must carry a time zone. Without `faults` only what is natural is in the truth: negative
    cycles, pay-outs of several cycles, grouped and split receipts, a bank's fee.
    """
    if as_of.tzinfo is None:
        raise ValueError("as_of needs a time zone")
    if MARKETPLACE not in marketplaces or not {MARKETPLACE, PLAZA}.issuperset(marketplaces):
        raise ValueError(f"marketplaces are {MARKETPLACE} and, beside it, {PLAZA}")
    with _without_garbage_collection():
        return _build(seed, orders, as_of, faults, with_plaza=PLAZA in marketplaces)


def _build(seed: int, count: int, as_of: datetime, faults: bool, *, with_plaza: bool) -> World:
    now = milliseconds(as_of)
    days = cut_offs(london_date(now - SETTLED_FOR), CYCLES + 1)
    first_day, cycle_days = days[0], days[1:]
    season = Season.of(first_day, now, cycle_days[NEGATIVE - 1], cycle_days[NEGATIVE])

    items = build_items(_stream(seed, "items"), count)
    trade = Trade(_stream(seed, "trade"), items, count, season)
    orders = trade.build()
    truth = Truth()
    scene = Scene(_stream(seed, "faults"), now, items, orders, trade, truth, repeat=1 if count < 2000 else 3)

    def phase(name: Phase) -> None:
        if faults:
            plant(name, scene)

    phase(Phase.TRADE)
    scene.ledger = ledger = Ledger(_stream(seed, "ledger"), orders, cycle_days, now)
    phase(Phase.LINES)
    ledger.close()
    phase(Phase.CYCLES)

    scene.receipts = bank.receipts(ledger.cycles, now)
    scene.bank_entries = bank.background(_stream(seed, "bank"), first_day, london_date(now))
    phase(Phase.BANK)
    entries = scene.bank_entries + scene.receipts
    bank.number_entries(entries)
    statement_files = bank.statements(entries, first_day, london_date(now))

    scene.books = books = Books(_stream(seed, "books"), now)
    books.import_orders(orders)
    books.trade_orders(items, max(12, count // 40), season.start)
    phase(Phase.ERP)
    books.number()
    books.post_sales()
    books.post_background(entries)
    _earlier_journals(scene)
    phase(Phase.JOURNALS)
    books.finish()

    scene.stock = stock = Stock(_stream(seed, "stock"), items)
    _open_newest_shelves(scene)
    stock.count(orders, books)
    phase(Phase.STOCK)
    _natural(scene)
    for tell in scene.afterwards:
        tell()

    offers = [(item, *_offered(item, stock)) for item in items]
    sides = {MARKETPLACE: mirakl.render(orders, ledger, items, offers, now)}
    plaza = build_plaza(seed, count, first_day, cycle_days, now, faults=faults) if with_plaza else None
    if plaza is not None:
        sides[PLAZA] = plaza.world
    return World(
        seed=seed,
        order_count=count,
        as_of=as_of.astimezone(UTC),
        mirakl=sides,
        sage=sage.render(books, items, stock, now),
        bank_world=BankWorld(statement_files),
        truth=truth.document(
            seed,
            count,
            iso(now),
            ledger.cycles,
            scene.genuine_receipts(),
            items,
            stock,
            list(scene.journals),
            beside=[plaza.truth] if plaza else (),
            seller_balances=plaza.balances if plaza else (),
            sellers=plaza.sellers if plaza else (),
        ),
    )


def _earlier_journals(scene: Scene) -> None:
    """Posts the settlements and receipts of the first cycles, as finance had done before the pipeline took over."""
    earlier = scene.ledger.cycles[: journals.EARLIER_CYCLES]
    for cycle in earlier:
        parts = journals.settlement_postings(cycle)
        scene.journals[parts[0].journal_key] = parts
    for entry in scene.receipts:
        if entry.cycles and all(cycle in earlier for cycle in entry.cycles):
            parts = journals.receipt_postings(entry)
            scene.journals[parts[0].journal_key] = parts
    for parts in scene.journals.values():
        scene.books.postings.extend(parts)


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
    return quantity, quantity > 0


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
            truth.exception("BNK-005", "RECEIPT", bank.receipt_id(BANK_ACCOUNT, entry), NATURAL, entry.amount)
        for cycle in entry.cycles:
            by_cycle.setdefault(cycle.id, []).append(entry)
    for cycle in cycles:
        if not cycle.payout:
            continue
        found = by_cycle.get(cycle.id, [])
        if not found:
            truth.near_miss("on its way: the window is still open", "BNK-001", "PAYOUT", cycle.id)
        elif len(found) > 1:
            truth.exception("BNK-006", "PAYOUT", cycle.id, NATURAL, cycle.payout)
        elif len(found[0].cycles) == 1:
            short = cycle.payout - found[0].amount
            if 0 < short <= min(FEE_CAP, cycle.payout * FEE_PERCENT // 100):
                truth.exception("BNK-002", "PAYOUT", cycle.id, NATURAL, -short)
            elif cycle.paid_at is not None and (found[0].day - london_date(cycle.paid_at)).days == LAST_DAY_OF_WINDOW:
                truth.near_miss("arrives on the last day of the window", "BNK-001", "PAYOUT", cycle.id)


def _stream(seed: int, part: str) -> random.Random:
    return random.Random(f"{seed}:{part}")


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Millions of small objects, none of them in a cycle: the collector would only look at them again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
