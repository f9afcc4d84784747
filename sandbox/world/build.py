"""Puts the world together: sellers with their books in an ERP, an operator, a bank, and the truth about them."""

import gc
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Literal

from sandbox.netsuite import NetSuiteWorld
from sandbox.world import netsuite, sage
from sandbox.world.business import BRICO, HOMELY, ORDER_LED, SETTLEMENT_LED, coded
from sandbox.world.currencies import HOME
from sandbox.world.model import BankWorld, MiraklWorld, SageWorld, StatementFile
from sandbox.world.people import people
from sandbox.world.plaza import MARKETPLACE as PLAZA
from sandbox.world.plaza import build_plaza
from sandbox.world.plaza.books import operators_account, render_books
from sandbox.world.seller import Seller, build_seller
from sandbox.world.settlement import CYCLES
from sandbox.world.stamps import DAY, cut_offs, iso, london_date, milliseconds
from sandbox.world.truth import document

DEFAULT_AS_OF = datetime(2026, 7, 3, 8, tzinfo=UTC)
MARKETPLACES = (BRICO.marketplace, PLAZA)
"""What `build_world` makes unless told otherwise."""
ALL_MARKETPLACES = (BRICO.marketplace, HOMELY.marketplace, PLAZA)
HOMELY_MINIMUM = 320
SETTLED_FOR = 2 * DAY
"""The newest cycle is at least this old at `as_of`, so that its pay-out has been made."""
Erp = Literal["sage200", "netsuite"]
Currency = Literal["GBP", "EUR"]
"""What BRICO trades in; its books are in pounds. In euro only the faults of foreign money are planted there."""


@dataclass(slots=True)
class World:
    """A generated world. `mirakl` by marketplace, `netsuite` by ERP code; `sage` is None where nobody uses it.

    `truth` is the document that faults are judged against.
    """

    seed: int
    order_count: int
    as_of: datetime
    mirakl: dict[str, MiraklWorld]
    sage: SageWorld | None
    netsuite: dict[str, NetSuiteWorld]
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
    erp: Erp = "sage200",
    number: int = 0,
    currency: Currency = "GBP",
    settlement_led: Collection[str] = (),
    operator_books: bool = False,
) -> World:
    """The world of `seed`: the same arguments give the same world, to the byte.

    `orders` counts the orders of BRICO (at least 250); HOMELY, a smaller seller with its books in NetSuite, and PLAZA,
    where `marketplaces` names them, add their own and change nothing else. `erp` is where BRICO's books are: the same
    books, whichever it is. `currency` is what BRICO trades in. The sellers of the marketplaces `settlement_led` invoice
    nobody: settlements book their sales. With `operator_books` PLAZA's operator has a NetSuite account in which nothing
    is posted yet. `as_of` must carry a time zone. Without `faults` only what is natural is in
    the truth: negative cycles, pay-outs of several cycles, grouped and split receipts, a bank's fee.

    One pipeline can read several worlds at once when each has a `number` of its own: it stands behind the codes of the
    marketplaces, entities, ERPs and bank accounts (BRICO17), and nothing else differs.
    """
    if as_of.tzinfo is None:
        raise ValueError("as_of needs a time zone")
    if BRICO.marketplace not in marketplaces or not set(ALL_MARKETPLACES).issuperset(marketplaces):
        raise ValueError(f"marketplaces are {BRICO.marketplace} and, beside it, {HOMELY.marketplace} and {PLAZA}")
    with _without_garbage_collection():
        return _build(seed, orders, as_of, faults, marketplaces, erp, number, currency, settlement_led, operator_books)


def first_day_of_trade(as_of: datetime) -> date:
    """The day on which the orders of a world begin whose present is `as_of`: its marketplaces go live then."""
    return _cut_offs(as_of)[0]


def _cut_offs(as_of: datetime) -> list[date]:
    return cut_offs(london_date(milliseconds(as_of) - SETTLED_FOR), CYCLES + 1)


def _build(
    seed: int,
    count: int,
    as_of: datetime,
    faults: bool,
    marketplaces: Collection[str],
    erp: Erp,
    number: int,
    currency: Currency,
    settlement_led: Collection[str],
    operator_books: bool,
) -> World:
    now = milliseconds(as_of)
    first_day, *cycle_days = _cut_offs(as_of)
    brico = BRICO if currency == HOME else replace(BRICO, shop=replace(BRICO.shop, currency=currency))
    sizes = {brico: count, HOMELY: max(HOMELY_MINIMUM, count // 5)}
    sellers = [
        build_seller(
            business.numbered(number).booked(SETTLEMENT_LED if business.marketplace in settlement_led else ORDER_LED),
            seed,
            size,
            first_day,
            cycle_days,
            now,
            faults=faults,
        )
        for business, size in sizes.items()
        if business.marketplace in marketplaces
    ]
    sides = {seller.business.marketplace: seller.mirakl for seller in sellers}
    truths = [seller.truth for seller in sellers]
    accounts: dict[str, NetSuiteWorld] = {}
    if PLAZA in marketplaces:
        plaza = build_plaza(seed, count, first_day, cycle_days, now, faults=faults, number=number)
        sides[coded(PLAZA, number)] = plaza.world
        truths.append(plaza.truth)
        if operator_books:
            accounts[operators_account(number).erp_code] = render_books(plaza.ledgers, first_day, now, number)
    company: SageWorld | None = None
    for seller in sellers:
        if seller.business.name == BRICO.marketplace and erp == "sage200":
            company = sage.render(seller.books, seller.items, seller.stock, now)
        else:
            account = netsuite.account_of(seller.business)
            accounts[account.erp_code] = netsuite.render(
                account, seller.books, seller.items, seller.stock, first_day, now
            )
    return World(
        seed=seed,
        order_count=count,
        as_of=as_of.astimezone(UTC),
        mirakl=sides,
        sage=company,
        netsuite=accounts,
        bank_world=BankWorld([file for seller in sellers for file in seller.statements]),
        truth=document(seed, count, iso(now), truths)
        | {"people": people(first_day, truths if faults else (), _entities(sellers))},
    )


def _entities(sellers: Sequence[Seller]) -> dict[str, str]:
    return {seller.business.marketplace: seller.business.entity for seller in sellers}


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
