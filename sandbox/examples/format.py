"""The file format of a worked example: TOML, described in docs/how-to/add-an-example.md. Amounts are text in pounds,
held as pence.

A key that the format does not know is an error, so that a typing mistake never leaves something untested.
"""

import copy
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar

Made = TypeVar("Made")
BOTH = ("BRICO", "HOMELY")
"""The sellers who live through an example: one with Sage 200, one with NetSuite."""
OPERATED = "PLAZA"
"""The marketplace of examples of an operator's books, where each example is a seller of its own."""


class ExampleError(ValueError):
    """A file that cannot be played. The text names the file and what is wrong."""


class _Table:
    """A TOML table whose keys must all be asked for."""

    def __init__(self, values: dict[str, Any], place: str) -> None:
        self._values, self._place, self._asked = values, place, set[str]()

    def take(self, key: str, default: Any = None) -> Any:
        self._asked.add(key)
        return self._values.get(key, default)

    def text(self, key: str, default: str | None = None) -> str:
        value = self.take(key, default)
        if not isinstance(value, str):
            raise ExampleError(f"{self._place}: {key} must be a text")
        return value

    def whole(self, key: str, default: int) -> int:
        value = self.take(key, default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise ExampleError(f"{self._place}: {key} must be a whole number")
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self.take(key, default)
        if not isinstance(value, bool):
            raise ExampleError(f"{self._place}: {key} must be true or false")
        return value

    def pence(self, key: str, default: str = "0.00") -> int:
        return pence(self.text(key, default), f"{self._place}: {key}")

    def instant(self, key: str) -> datetime | None:
        value = self.take(key)
        if value is not None and (not isinstance(value, datetime) or value.tzinfo is None):
            raise ExampleError(f"{self._place}: {key} must be a moment with an offset, such as 2026-05-31T23:30:00Z")
        return value

    def tables(self, key: str) -> list["_Table"]:
        return [_Table(each, f"{self._place} {key} {place}") for place, each in enumerate(self.take(key, []), start=1)]

    def finished(self) -> None:
        if unknown := sorted(set(self._values) - self._asked):
            raise ExampleError(f"{self._place}: unknown key {', '.join(unknown)}")


def pence(text: str, place: str) -> int:
    """`-12.34` to -1234. Raises ExampleError for anything but an amount with two places."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise ExampleError(f"{place} is no amount: {text}") from None
    if amount.as_tuple().exponent != -2:
        raise ExampleError(f"{place} needs two decimal places: {text}")
    return int(amount.scaleb(2))


@dataclass(frozen=True, slots=True)
class ContractRow:
    """Commission terms of a category of the example's own; the columns of commission_contracts.csv."""

    category: str
    columns: dict[str, str]


@dataclass(frozen=True, slots=True)
class RefundEvent:
    cycle: int
    goods: int
    shipping: int
    commission: int
    commission_vat: int
    is_credited: bool
    tax: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One order line. `tax`, `shipping_tax`: what the operator collects and remits on top of the price."""

    category: str
    quantity: int
    price: int
    shipping: int
    vat: str
    cost: int
    commission: int
    commission_vat: int
    discount: int
    operator_funded: int
    cancelled: int
    tax: int
    refunds: tuple[RefundEvent, ...]


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """`cycle` 0: delivered, but in no cycle yet. Moments that are None follow from the cycle."""

    id: str
    cycle: int
    state: str
    ship_to: str
    created: datetime | None
    shipped: datetime | None
    received: datetime | None
    in_erp: bool
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class FeeEvent:
    """A transaction line that no order line brings about; `order` names the order it is about, if any."""

    cycle: int
    type: str
    amount: int
    order: str
    fee_code: str
    description: str


@dataclass(frozen=True, slots=True)
class DocumentEvent:
    cycle: int
    type: str
    net: int
    tax: int
    description: str


@dataclass(frozen=True, slots=True)
class CycleEvent:
    """`day` fixes the date; `pay_out` is PAID or FAILED; `paid_after`, `invoiced_after` count days."""

    day: date | None
    pay_out: str
    paid_after: int
    invoiced_after: int = 0


@dataclass(frozen=True, slots=True)
class ReceiptEvent:
    cycles: tuple[int, ...]
    amount: int
    text: str
    days: int


@dataclass(frozen=True, slots=True)
class JournalFigures:
    """`lines`: net debit in pence by account role, every role of the journal."""

    kind: str
    number: int
    lines: dict[str, int]
    status: str
    period: str


@dataclass(frozen=True, slots=True)
class OrderFigures:
    id: str
    stage: str
    amounts: dict[str, int]
    dates: dict[str, str]


@dataclass(frozen=True, slots=True)
class Expectation:
    journals: tuple[JournalFigures, ...]
    orders: tuple[OrderFigures, ...]
    profit: dict[str, int]
    exceptions: tuple[str, ...]
    cut_off: dict[str, str]
    """`SALES-A` (order), `FEES-1` (order line), `REFUNDS-1`, `RECEIPTS-1`, `TRANSIT-1` (cycle) to month and result."""
    month_end: tuple[JournalFigures, ...]
    """Journals that close a marketplace's month: of all examples together."""


@dataclass(frozen=True, slots=True)
class Example:
    name: str
    title: str
    section: str
    contracts: tuple[ContractRow, ...]
    orders: tuple[OrderEvent, ...]
    fees: tuple[FeeEvent, ...]
    documents: tuple[DocumentEvent, ...]
    cycles: tuple[CycleEvent, ...]
    receipts: tuple[ReceiptEvent, ...] | None
    expect: Expectation
    marketplaces: tuple[str, ...] = BOTH
    write_offs: tuple[str, ...] = ()
    """Codes of the example's exceptions that two people write off; the lane then runs once more."""


def read(paths: Iterable[Path]) -> list[Example]:
    """The examples of files and of folders' `*.toml`, by name. Raises ExampleError where the first mistake is."""
    examples = [_example(_values(file), file) for file in _files(paths)]
    names = [example.name for example in examples]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ExampleError(f"two examples have the name {', '.join(twice)}")
    return sorted(examples, key=lambda example: example.name)


def mutations(paths: Iterable[Path]) -> Iterator[tuple[str, Example]]:
    """Every example once for each amount that it expects, as if its file had a penny more there, and where that is."""
    for file in _files(paths):
        values = _values(file)
        for place in _amount_places(values.get("expect", {})):
            changed = copy.deepcopy(values)
            table = changed["expect"]
            for key in place[:-1]:
                table = table[key]
            table[place[-1]] = f"{Decimal(table[place[-1]]) + Decimal('0.01')}"
            yield f"{file.stem} {' '.join(map(str, place))}", _example(changed, file)


def _amount_places(expected: dict[str, Any]) -> Iterator[tuple[str | int, ...]]:
    for number, journal in enumerate(expected.get("journal", [])):
        yield from (("journal", number, "lines", role) for role in journal.get("lines", {}))
    for number, journal in enumerate(expected.get("month_end", [])):
        yield from (("month_end", number, "lines", role) for role in journal.get("lines", {}))
    for number, order in enumerate(expected.get("order", [])):
        yield from (("order", number, "amounts", column) for column in order.get("amounts", {}))
    yield from (("profit", column) for column in expected.get("profit", {}))


def _files(paths: Iterable[Path]) -> list[Path]:
    files = [file for path in paths for file in (sorted(path.glob("*.toml")) if path.is_dir() else [path])]
    if not files:
        raise ExampleError("no example: name a TOML file, or a folder that holds some")
    return files


def _values(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, OSError) as error:
        raise ExampleError(f"{file}: {error}") from error


def _example(values: dict[str, Any], file: Path) -> Example:
    table = _Table(values, file.name)
    example = Example(
        name=file.stem,
        title=table.text("title"),
        section=table.text("section"),
        contracts=_each(table.tables("contract"), _contract),
        orders=_each(table.tables("order"), _order),
        fees=_each(table.tables("fee"), _fee),
        documents=_each(table.tables("document"), _document),
        cycles=_each(table.tables("cycle"), _cycle) or (CycleEvent(None, "PAID", 0),),
        receipts=_each(table.tables("receipt"), _receipt) if "receipt" in values else None,
        expect=_expectation(_Table(table.take("expect", {}), f"{file.name} expect")),
        marketplaces=tuple(table.take("marketplaces", BOTH)),
        write_offs=tuple(table.take("write_offs", [])),
    )
    if not example.marketplaces or (set(example.marketplaces) - set(BOTH) and example.marketplaces != (OPERATED,)):
        raise ExampleError(f"{file.name}: marketplaces are {' and '.join(BOTH)}, or {OPERATED} alone")
    table.finished()
    used = [[each.cycle for each in example.orders], [each.cycle for each in example.fees]]
    used.append([each.cycle for each in example.documents])
    highest = max((cycle for cycles in used for cycle in cycles), default=0)
    if highest > len(example.cycles):
        raise ExampleError(f"{file.name}: something is in cycle {highest}, but there are {len(example.cycles)}")
    return example


def _each(tables: Sequence[_Table], make: Callable[[_Table], Made]) -> tuple[Made, ...]:
    made = []
    for table in tables:
        made.append(make(table))
        table.finished()
    return tuple(made)


def _contract(table: _Table) -> ContractRow:
    columns = {
        "base": table.text("base", "PRICE_PLUS_SHIPPING"),
        "rate_percent": table.text("rate", "0"),
        "fixed_amount": table.text("fixed", "0.00"),
        "minimum_amount": table.text("minimum", ""),
        "maximum_amount": table.text("maximum", ""),
        "refund_rule": table.text("refund_rule", "FULL_PRO_RATA"),
        "retain_share_percent": table.text("retain_share", ""),
        "retain_fixed_amount": table.text("retain_fixed", ""),
        "vat_percent": "20",
    }
    return ContractRow(table.text("category"), columns)


def _order(table: _Table) -> OrderEvent:
    return OrderEvent(
        id=table.text("id", "A"),
        cycle=table.whole("cycle", 1),
        state=table.text("state", "RECEIVED"),
        ship_to=table.text("ship_to", "GBR"),
        created=table.instant("created"),
        shipped=table.instant("shipped"),
        received=table.instant("received"),
        in_erp=table.flag("in_erp", True),
        lines=_each(table.tables("line"), _line),
    )


def _line(table: _Table) -> Line:
    commission = table.pence("commission")
    return Line(
        category=table.text("category", "TOOLS"),
        quantity=table.whole("quantity", 1),
        price=table.pence("price"),
        shipping=table.pence("shipping"),
        vat=table.text("vat", "20"),
        cost=table.pence("cost"),
        commission=commission,
        commission_vat=table.pence("commission_vat"),
        discount=table.pence("discount"),
        operator_funded=table.pence("operator_funded"),
        cancelled=table.whole("cancelled", 0),
        tax=table.pence("tax"),
        refunds=_each(table.tables("refund"), _refund),
    )


def _refund(table: _Table) -> RefundEvent:
    return RefundEvent(
        cycle=table.whole("cycle", 1),
        goods=table.pence("goods"),
        shipping=table.pence("shipping"),
        commission=table.pence("commission"),
        commission_vat=table.pence("commission_vat"),
        is_credited=table.flag("credit_note", True),
    )


def _fee(table: _Table) -> FeeEvent:
    return FeeEvent(
        cycle=table.whole("cycle", 1),
        type=table.text("type"),
        amount=table.pence("amount"),
        order=table.text("order", ""),
        fee_code=table.text("fee_code", ""),
        description=table.text("description", ""),
    )


def _document(table: _Table) -> DocumentEvent:
    return DocumentEvent(
        cycle=table.whole("cycle", 1),
        type=table.text("type"),
        net=table.pence("net"),
        tax=table.pence("tax"),
        description=table.text("description"),
    )


def _cycle(table: _Table) -> CycleEvent:
    day = table.take("day")
    if day is not None and (not isinstance(day, date) or isinstance(day, datetime)):
        raise ExampleError("a cycle's day must be a date, such as 2026-06-01")
    return CycleEvent(
        day, table.text("pay_out", "PAID"), table.whole("paid_after", 0), table.whole("invoiced_after", 0)
    )


def _receipt(table: _Table) -> ReceiptEvent:
    return ReceiptEvent(
        cycles=tuple(table.take("cycles", [1])),
        amount=table.pence("amount"),
        text=table.text("text", "VOUCHER"),
        days=table.whole("days", 1),
    )


def _expectation(table: _Table) -> Expectation:
    found = Expectation(
        journals=_each(table.tables("journal"), _journal),
        orders=_each(table.tables("order"), _order_figures),
        profit=_amounts(table, "profit"),
        exceptions=tuple(table.take("exceptions", [])),
        cut_off={name: str(result) for name, result in table.take("cut_off", {}).items()},
        month_end=_each(table.tables("month_end"), _journal),
    )
    table.finished()
    return found


def _amounts(table: _Table, key: str) -> dict[str, int]:
    return {name: pence(text, name) for name, text in table.take(key, {}).items()}


def _journal(table: _Table) -> JournalFigures:
    return JournalFigures(
        kind=table.text("kind"),
        number=table.whole("number", 1),
        lines=_amounts(table, "lines"),
        status=table.text("status", "POSTED"),
        period=table.text("period", ""),
    )


def _order_figures(table: _Table) -> OrderFigures:
    dates = {name: str(day) for name, day in table.take("dates", {}).items()}
    return OrderFigures(table.text("id", "A"), table.text("stage"), _amounts(table, "amounts"), dates)
