"""Compares what the examples expect with what the marts hold. Every figure has a name of its own."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from sandbox.examples.format import Example

Figures = dict[str, int | str]
"""Amounts in pence and words, by a name that starts with marketplace and example."""

PROFIT = (
    "list_sales",
    "seller_discount",
    "gross_sales",
    "operator_funded",
    "shipping",
    "refund",
    "net_sales",
    "cogs",
    "product_margin",
    "commission",
    "order_fee",
    "carriage",
)
CASH = ("ordered", "invoiced", "credited", "settled", "fee", "net_settled", "received", "receivable", "in_transit")


class Marts(Protocol):
    def rows(self, query: str) -> list[dict[str, Any]]: ...


def expected_figures(examples: Iterable[Example], placed: Sequence[Mapping[str, Any]]) -> Figures:
    """What must be found for every example at every marketplace that it was played at."""
    by_name = {example.name: example for example in examples}
    figures: Figures = {}
    for place in placed:
        if place["example"] not in by_name:
            continue
        example, head = by_name[place["example"]], _head(place)
        for journal in example.expect.journals:
            name = f"{head} {journal.kind} {journal.number}"
            figures[f"{name} status"] = journal.status
            if journal.period:
                figures[f"{name} period"] = journal.period
            for role, amount in journal.lines.items():
                figures[f"{name} {role}"] = amount
        for journal in example.expect.month_end:
            name = f"{place['marketplace_code']} month end {journal.kind} {journal.period}"
            figures[f"{name} status"] = journal.status
            figures |= {f"{name} {role}": amount for role, amount in journal.lines.items()}
        for name, result in example.expect.cut_off.items():
            figures[f"{head} cut-off {name}"] = result
        for order in example.expect.orders:
            figures[f"{head} order {order.id} stage"] = order.stage
            for column, amount in order.amounts.items():
                figures[f"{head} order {order.id} {column}"] = amount
            for column, day in order.dates.items():
                figures[f"{head} order {order.id} {column} date"] = day
        for column, amount in example.expect.profit.items():
            figures[f"{head} profit {column}"] = amount
        figures[f"{head} exceptions"] = " ".join(sorted(example.expect.exceptions))
    return figures


def actual_figures(placed: Sequence[Mapping[str, Any]], marts: Marts) -> Figures:
    """What the marts hold for the same, and under `nobody's exceptions` what belongs to no example."""
    figures: Figures = {}
    owners: dict[tuple[str, str], Mapping[str, Any]] = {}
    for place in placed:
        ids = [*place["orders"].values(), *(i for kind in _KINDS for i in place[kind])]
        owners |= {(place["marketplace_code"], id_): place for id_ in ids}
        figures[f"{_head(place)} exceptions"] = ""
    _journals(figures, owners, marts)
    _operator_journals(figures, placed, marts)
    _month_ends(figures, marts)
    _cut_off(figures, owners, marts)
    _orders(figures, owners, marts)
    _profit(figures, placed, marts)
    _exceptions(figures, owners, marts)
    return figures


_OF_DOCUMENTS = ("SETTLEMENT", "PAYOUT_RECEIPT", "CORRECTION", "REVERSE_CHARGE", "VAT_RELEASE", "WRITE_OFF")
"""Kinds of journals that belong to one cycle or receipt, not to a month's end."""
_OF_OPERATORS = (
    "CUSTOMER_DEBIT",
    "COMMISSION",
    "REFUND",
    "SUBSCRIPTION",
    "SELLER_FEE",
    "SELLER_RESERVE",
    "SELLER_PAYOUT",
)
"""Kinds of an operator's journals, which are about all sellers of a time."""
_KINDS = ("order_lines", "refunds", "cycles", "receipts", "items", "transaction_lines", "documents")


def differences(expected: Figures, actual: Figures) -> list[str]:
    """One sentence per figure that is not as expected, and per journal or exception that nobody expected."""
    found = [
        f"{name}: expected {_shown(value)}, found {_shown(actual.get(name))}"
        for name, value in sorted(expected.items())
        if actual.get(name) != value
    ]
    found += [
        f"{name}: found {_shown(value)}, which no example expects"
        for name, value in sorted(actual.items())
        if name not in expected and not _is_optional(name) and value not in (0, "")
    ]
    return found


def _is_optional(name: str) -> bool:
    """Figures that an example may leave out."""
    optional = (" order ", " profit ", " cut-off ", " month end ")
    return any(part in name for part in optional) or name.endswith(" period")


def _shown(value: int | str | None) -> str:
    return f"{value / 100:.2f}" if isinstance(value, int) else (value or "nothing")


def _head(place: Mapping[str, Any]) -> str:
    return f"{place['marketplace_code']} {place['example']}"


def _pence(value: Any) -> int:
    return int(value.scaleb(2))


def _journals(figures: Figures, owners: Mapping[tuple[str, str], Mapping[str, Any]], marts: Marts) -> None:
    rows = marts.rows(
        "select journals.marketplace_code, journals.kind, journals.status, journals.period, lines.account_role, "
        "coalesce(journals.billing_cycle_id, journals.receipt_id, written_off.subject_id, lines.source_id) "
        "as document_id, sum(lines.debit - lines.credit) as amount "
        "from marts.journals as journals inner join marts.journal_lines as lines using (journal_key) "
        "left join marts.exceptions as written_off "
        "on journals.kind = 'WRITE_OFF' and split_part(lines.source_id, '-', 1) = written_off.exception_id "
        "group by all"
    )
    for row in rows:
        if row["kind"] not in _OF_DOCUMENTS:
            continue
        place = owners.get((row["marketplace_code"], row["document_id"]))
        if place is None:
            head, number = f"{row['marketplace_code']} nobody's {row['document_id']}", 0
        else:
            documents = place["receipts"] if row["kind"] == "PAYOUT_RECEIPT" else place["cycles"]
            head, number = _head(place), documents.index(row["document_id"]) + 1
        name = f"{head} {row['kind']} {number}"
        figures[f"{name} status"] = row["status"]
        figures[f"{name} period"] = row["period"]
        if row["amount"]:
            figures[f"{name} {row['account_role']}"] = _pence(row["amount"])


def _operator_journals(figures: Figures, placed: Sequence[Mapping[str, Any]], marts: Marts) -> None:
    """A journal is about the example that began last; the kinds are numbered by their day."""
    rows = marts.rows(
        "select journals.marketplace_code, journals.kind, journals.status, journals.period, lines.account_role, "
        "cast(journals.posting_date as varchar) as day, sum(lines.debit - lines.credit) as amount "
        "from marts.journals as journals inner join marts.journal_lines as lines using (journal_key) "
        "group by all order by day"
    )
    numbers: dict[tuple[str, str], list[str]] = {}
    begun = sorted((each["first_day"], _head(each)) for each in placed if each.get("first_day"))
    for row in rows:
        if row["kind"] not in _OF_OPERATORS:
            continue
        head = max([each for each in begun if each[0] <= row["day"]], default=("", "nobody's"))[1]
        days = numbers.setdefault((head, row["kind"]), [])
        if row["day"] not in days:
            days.append(row["day"])
        name = f"{head} {row['kind']} {days.index(row['day']) + 1}"
        figures[f"{name} status"] = row["status"]
        figures[f"{name} period"] = row["period"]
        if row["amount"]:
            figures[f"{name} {row['account_role']}"] = _pence(row["amount"])


def _month_ends(figures: Figures, marts: Marts) -> None:
    rows = marts.rows(
        "select journals.marketplace_code, journals.kind, journals.status, journals.period, lines.account_role, "
        "sum(lines.debit - lines.credit) as amount "
        "from marts.journals as journals inner join marts.journal_lines as lines using (journal_key) "
        "group by all"
    )
    for row in rows:
        # A month's end closes all examples of a marketplace together.
        if row["kind"] in (*_OF_DOCUMENTS, *_OF_OPERATORS):
            continue
        name = f"{row['marketplace_code']} month end {row['kind']} {row['period']}"
        figures[f"{name} status"] = row["status"]
        figures[f"{name} {row['account_role']}"] = _pence(row["amount"])


_CUT_OFF = {"FEES": "order_lines", "REFUNDS": "refunds", "RECEIPTS": "receipts", "TRANSIT": "cycles"}


def _cut_off(figures: Figures, owners: Mapping[tuple[str, str], Mapping[str, Any]], marts: Marts) -> None:
    query = "select marketplace_code, test_code, subject_id, period, result from marts.cut_off_tests"
    for row in marts.rows(query):
        place = owners.get((row["marketplace_code"], row["subject_id"]))
        if place is None:
            continue
        if row["test_code"] == "SALES":
            subject = next(name for name, order_id in place["orders"].items() if order_id == row["subject_id"])
        else:
            subject = str(place[_CUT_OFF[row["test_code"]]].index(row["subject_id"]) + 1)
        figures[f"{_head(place)} cut-off {row['test_code']}-{subject}"] = f"{row['period']} {row['result']}"


def _orders(figures: Figures, owners: Mapping[tuple[str, str], Mapping[str, Any]], marts: Marts) -> None:
    for row in marts.rows("select * from marts.sales_to_cash"):
        place = owners.get((row["marketplace_code"], row["order_id"]))
        if place is None:
            continue
        id_ = next(name for name, order_id in place["orders"].items() if order_id == row["order_id"])
        name = f"{_head(place)} order {id_}"
        figures[f"{name} stage"] = row["stage"]
        figures |= {f"{name} {column}": _pence(row[f"{column}_amount"]) for column in CASH}
        figures |= {
            f"{name} {column} date": str(row[f"{column}_date"]) for column in ("invoice", "settled", "received")
        }


def _profit(figures: Figures, placed: Sequence[Mapping[str, Any]], marts: Marts) -> None:
    sums = ", ".join(f"sum({column}_amount) as {column}" for column in PROFIT)
    rows = marts.rows(
        f"select marketplace_code, item_code, {sums} from marts.channel_profitability "  # noqa: S608  (names from PROFIT)
        "where basis = 'PERIOD' group by marketplace_code, item_code"
    )
    by_item = {(row["marketplace_code"], row["item_code"]): row for row in rows}
    for place in placed:
        found = [by_item.get((place["marketplace_code"], item), {}) for item in place["items"]]
        for column in PROFIT:
            figures[f"{_head(place)} profit {column}"] = sum(_pence(row[column]) for row in found if row)


def _named_in(row: Mapping[str, Any], owners: Mapping[tuple[str, str], Mapping[str, Any]]) -> Mapping[str, Any] | None:
    named = (
        owner
        for (code, id_), owner in owners.items()
        if code == row["marketplace_code"] and id_ in (row["subject_id"] or "")
    )
    return next(named, None)


def _exceptions(figures: Figures, owners: Mapping[tuple[str, str], Mapping[str, Any]], marts: Marts) -> None:
    rows = marts.rows(
        "select marketplace_code, exception_code, subject_id, summary from marts.exceptions "
        "where status in ('OPEN', 'IN_PROGRESS', 'INFORMATION') and subject_type <> 'VAT_PERIOD' "
        "order by exception_code, subject_id"
    )
    codes: dict[str, list[str]] = {}
    for row in rows:
        # A journal's or an account's subject begins with other things than an id of an example.
        place = owners.get((row["marketplace_code"], row["subject_id"])) or _named_in(row, owners)
        if place is None:
            figures[f"{row['marketplace_code']} nobody's {row['exception_code']} {row['subject_id']}"] = row["summary"]
        else:
            codes.setdefault(f"{_head(place)} exceptions", []).append(row["exception_code"])
    figures |= {name: " ".join(sorted(found)) for name, found in codes.items()}
