"""What an id is. Every mart column that holds ids of a kind is asked, so that nobody has to say what they are
holding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchestration.lib.published import Published


@dataclass(frozen=True, slots=True)
class Subject:
    """Something `explain` can explain. `marketplace_code` is None where the id alone is unique."""

    kind: str  # ORDER, ORDER_LINE, REFUND, TRANSACTION_LINE, PAYOUT, RECEIPT, JOURNAL, SKU, EXCEPTION
    id: str
    marketplace_code: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """`column` of `mart` holds ids that lead to the subject of kind `kind` whose id is in `subject_column`."""

    kind: str
    mart: str
    column: str
    subject_column: str
    is_list: bool = False
    """Whether the column holds several ids with commas between them."""


LARGE_ROWS = 300_000
"""From so many rows on a mart is searched for an id as it is written, in capitals and in small letters only, and for
near ids in its first place by their beginning: to spell out every id takes seconds.
"""

# The first places win: an id that names an order is explained as that order, not as each of its lines.
PLACES = (
    Place("EXCEPTION", "exceptions", "exception_id", "exception_id"),
    Place("ORDER", "fct_orders", "order_id", "order_id"),
    Place("ORDER", "fct_orders", "commercial_id", "order_id"),
    Place("PAYOUT", "fct_cycles", "billing_cycle_id", "billing_cycle_id"),
    Place("PAYOUT", "fct_cycles", "voucher_number", "billing_cycle_id"),
    Place("PAYOUT", "fct_cycles", "document_number", "billing_cycle_id"),
    Place("PAYOUT", "fct_cycles", "pay_out_reference", "billing_cycle_id"),
    Place("RECEIPT", "fct_receipts", "receipt_id", "receipt_id"),
    Place("RECEIPT", "fct_receipts", "entry_reference", "receipt_id"),
    Place("JOURNAL", "journals", "journal_key", "journal_key"),
    Place("JOURNAL", "journals", "wire_key", "journal_key"),
    Place("JOURNAL", "journals", "erp_document_id", "journal_key", is_list=True),
    Place("ORDER_LINE", "fct_order_lines", "order_line_id", "order_line_id"),
    Place("REFUND", "fct_settlement_lines", "refund_id", "refund_id"),
    Place("TRANSACTION_LINE", "fct_settlement_lines", "transaction_line_id", "transaction_line_id"),
    Place("PAYOUT", "fct_settlement_lines", "document_number", "billing_cycle_id"),
    Place("PAYOUT", "fct_settlement_lines", "document_id", "billing_cycle_id"),
    Place("PAYOUT", "fct_settlement_lines", "voucher_number", "billing_cycle_id"),
    Place("ORDER", "fct_orders", "erp_document_no", "order_id"),
    Place("ORDER", "rec_orders", "document_no", "order_id"),
    # What else an order has: its invoice, despatches, tracking numbers, credit notes.
    Place("ORDER", "order_status", "search_ids", "order_id", is_list=True),
    Place("SKU", "rec_stock", "subject_id", "subject_id"),
    Place("SKU", "fct_order_lines", "shop_sku", "shop_sku"),
    Place("SKU", "fct_order_lines", "item_code", "shop_sku"),
)


AT_ONCE = 8
"""So many things of one id are explained together; of more, somebody says which."""


def find(published: Published, text: str, marketplace: str | None = None) -> list[Subject]:
    """Subjects that `text` names exactly (upper and lower case count alike); of the first kind of place that knows
    it, and where a marketplace is given, of that marketplace or of none.
    """
    return [
        one for one in _found(published, text) if marketplace is None or one.marketplace_code in (None, marketplace)
    ]


def _found(published: Published, text: str) -> list[Subject]:
    wanted = text.strip()
    # As it was written, in capitals and in small letters an id is looked up without touching every row; only what is
    # nowhere so is compared letter by letter, every mart once.
    for place in _places(published):
        if subjects := _subjects(published, place, _names_plainly(place), [wanted, wanted.upper(), wanted.lower()]):
            return subjects
    held = _held(published, wanted)
    for place in _places(published):
        if place.mart in held and (subjects := _subjects(published, place, _names(place), [wanted])):
            return subjects
    return []


def _subjects(published: Published, place: Place, condition: str, parameters: Sequence[str]) -> list[Subject]:
    marketplace = "marketplace_code" if "marketplace_code" in published.marts[place.mart] else "NULL"
    rows = published.rows(
        f"SELECT DISTINCT {place.subject_column} AS id, {marketplace} AS marketplace_code FROM {place.mart} "  # noqa: S608  (names come from PLACES)
        f"WHERE {condition} AND {place.subject_column} IS NOT NULL ORDER BY ALL",
        parameters,
    )
    return [Subject(place.kind, str(row["id"]), row["marketplace_code"]) for row in rows]


def _held(published: Published, wanted: str) -> set[str]:
    """The marts but for the large ones that hold the id in any of their places, in whatever case."""
    by_mart: dict[str, list[Place]] = {}
    large = _large(published)
    for place in (one for one in _places(published) if one.mart not in large):
        by_mart.setdefault(place.mart, []).append(place)
    parts = [
        f"(SELECT '{mart}' AS mart FROM {mart} WHERE {' OR '.join(map(_names, places))} LIMIT 1)"  # noqa: S608  (names come from PLACES)
        for mart, places in by_mart.items()
    ]
    if not parts:
        return set()
    return {str(row["mart"]) for row in published.rows(" UNION ALL ".join(parts), [wanted])}


def _names_plainly(place: Place) -> str:
    """SQL condition with three parameters: the column holds one of these ids."""
    if place.is_list:
        held = f"string_split({place.column}, ',')"
        # Most rows do not even contain the text.
        ways = [f"contains({place.column}, ${n}) AND list_contains({held}, ${n})" for n in (1, 2, 3)]
        return f"({' OR '.join(ways)})"
    return f"{place.column} IN ($1, $2, $3)"


def _names(place: Place) -> str:
    """SQL condition with one parameter: the column holds that id, in whatever case."""
    if place.is_list:
        return (
            f"(contains(lower({place.column}), lower($1)) "
            f"AND list_contains(string_split(lower({place.column}), ','), lower($1)))"
        )
    # Most ids are not even as long: only the others are spelled out.
    return f"(length({place.column}) = length($1) AND lower({place.column}) = lower($1))"


def similar(published: Published, text: str, *, limit: int = 8) -> list[Subject]:
    """Subjects whose id contains `text`, for a hint when nothing matches exactly."""
    wanted, found = text.strip(), list[Subject]()
    large, looked = _large(published), set[str]()
    for place in _places(published):
        if place.mart in large & looked:
            continue
        looked.add(place.mart)
        if place.mart in large:
            ways = " OR ".join(f"starts_with({place.column}, ${n})" for n in (1, 2, 3))
            parameters = [wanted, wanted.upper(), wanted.lower()]
        else:
            ways, parameters = f"contains(lower({place.column}), lower($1))", [wanted]
        rows = published.rows(
            f"SELECT DISTINCT {place.column} AS id FROM {place.mart} WHERE {ways} ORDER BY id LIMIT {limit:d}",  # noqa: S608  (names come from PLACES)
            parameters,
        )
        found += [Subject(place.kind, str(row["id"])) for row in rows]
        if len(found) >= limit:
            break
    return found[:limit]


def _large(published: Published) -> set[str]:
    rows = published.rows(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND estimated_size > $1",
        [LARGE_ROWS],
    )
    return {str(row["table_name"]) for row in rows}


def _places(published: Published) -> Iterator[Place]:
    for place in PLACES:
        columns = published.marts.get(place.mart, frozenset())
        if place.column in columns and place.subject_column in columns:
            yield place
