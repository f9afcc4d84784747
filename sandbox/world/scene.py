"""What a fault function may touch, and how it finds its victim."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from sandbox.world.bank import receipt_id
from sandbox.world.business import Business
from sandbox.world.currencies import Rates
from sandbox.world.erp import Books
from sandbox.world.model import BankEntry, Case, Cycle, Item, Order, OrderLine, Posting, Setting
from sandbox.world.reserve import Reserve
from sandbox.world.settlement import Ledger
from sandbox.world.stock import Stock
from sandbox.world.trade import Trade
from sandbox.world.truth import Truth


@dataclass(eq=False)
class Scene:
    """The half-made world. Parts that do not exist yet in a phase are missing attributes there."""

    business: Business
    rng: random.Random
    as_of: int
    items: list[Item]
    orders: list[Order]
    trade: Trade
    truth: Truth
    first_day: date
    """The first day of trade, on which the marketplace goes live."""
    repeat: int
    taken: set[str] = field(default_factory=set)
    taken_items: set[str] = field(default_factory=set)
    journals: dict[str, list[Posting]] = field(default_factory=dict)
    receipts: list[BankEntry] = field(default_factory=list)
    strays: list[tuple[Item, int]] = field(default_factory=list)
    """Offers of what is no item of the books, with their quantities."""
    bank_entries: list[BankEntry] = field(default_factory=list)
    afterwards: list[Callable[[], None]] = field(default_factory=list)
    told: set[tuple[str, str]] = field(default_factory=set)
    contested: set[str] = field(default_factory=set)
    """Cycles whose pay-out has arrived in a way that only a person can judge."""
    lost: set[str] = field(default_factory=set)
    """Cycles whose pay-out has never arrived."""
    overpaid: set[str] = field(default_factory=set)
    """Cycles for whose pay-out more was received than was paid out."""
    cases: list[Case] = field(default_factory=list)
    """Conversations beside those that some orders have anyway."""
    reserve: Reserve | None = None
    """The second bank account, where the seller has one."""
    deposit: Reserve | None = None
    """The third one, likewise."""
    rates: Rates | None = None
    """Exchange rates, where the seller trades in a foreign currency."""
    ledger: Ledger = field(init=False)
    books: Books = field(init=False)
    stock: Stock = field(init=False)

    def order(self, wanted: Callable[[Order], bool]) -> Order:
        """An order that fits and that no other fault or near-miss uses; it is used from now on."""
        found = self._any(order for order in self.orders if order.id not in self.taken and wanted(order))
        self.taken.add(found.id)
        return found

    def line(self, wanted: Callable[[Order, OrderLine], bool]) -> tuple[Order, OrderLine]:
        """A line of an unused order, likewise."""
        order = self.order(lambda o: any(wanted(o, line) for line in o.lines))
        return order, next(line for line in order.lines if wanted(order, line))

    def item(self, wanted: Callable[[Item], bool]) -> Item:
        """An unused item."""
        candidates = [item for item in self.items if item.code not in self.taken_items and wanted(item)]
        if not candidates:
            raise LookupError("no item left for a stock fault")
        found = self.rng.choice(candidates)
        self.taken_items.add(found.code)
        return found

    @property
    def before(self) -> date:
        """The day before go-live, which opening balances are as of."""
        return self.first_day - timedelta(days=1)

    def configure(self, file: str, values: dict[str, str], where: dict[str, str] | None = None) -> None:
        """Changes the configuration that a pipeline of this world gets, as `Setting` says."""
        self.truth.settings.append(Setting(file, where or {}, values))

    def later(self, tell: Callable[[], None]) -> None:
        """Puts off a part of the truth until every number has been given."""
        self.afterwards.append(tell)

    def near_miss_once(self, text: str, not_code: str, subject_type: str, subject_id: str) -> None:
        """A near-miss that several faults of one kind share."""
        if (not_code, subject_id) not in self.told:
            self.told.add((not_code, subject_id))
            self.truth.near_miss(text, not_code, subject_type, subject_id)

    def receipt_of(self, cycle: Cycle) -> BankEntry:
        """The only receipt of a cycle's pay-out."""
        (found,) = [entry for entry in self.receipts if cycle in entry.cycles]
        return found

    def receipt_id(self, entry: BankEntry) -> str:
        """How the truth names an entry of the seller's bank account."""
        return receipt_id(self.business.bank_account, entry)

    def genuine_receipts(self) -> list[BankEntry]:
        """The receipts that pay something."""
        return [entry for entry in self.receipts if entry.cycles]

    def _any(self, orders: Iterable[Order]) -> Order:
        candidates = list(orders)
        if not candidates:
            raise LookupError("no order left that fits: the world is too small for its faults")
        return self.rng.choice(candidates)
