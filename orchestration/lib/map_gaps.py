"""What no map knows, what waits for it and what that is worth, with a row to begin from. Read from the published marts
and the configuration; a proposal is never taken by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

from connectors.charts import ChartAccount
from orchestration.first_day.proposals import Proposal, propose_accounts
from orchestration.lib.config_files import MAPS
from orchestration.lib.configuration import ANY, Account, AnalysisCode, Marketplace, TransactionType
from orchestration.lib.published import Published
from orchestration.lib.registry import read_rows

ChartOf = Callable[[str], Sequence[ChartAccount]]
SHORTEST_STEM = 5
"""Characters that a SKU and an item must begin with alike before one is proposed for the other."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Something without a row in `file`. `cells` is the row as far as it is known: what is empty a person fills in.

    `waiting` counts the records that are held up, `amount` is what they are worth in `currency_code`, not negative.
    """

    file: str
    subject: str
    marketplace_code: str
    waiting: int
    waiting_for: str
    amount: Decimal | None
    currency_code: str | None
    cells: Mapping[str, str]
    why: str
    exception_id: str | None

    @property
    def is_whole(self) -> bool:
        """Whether the row could be proposed as it is, and would end the gap."""
        if self.file == TransactionType.FILE and not self.cells.get("account_role"):
            return False
        needed = MAPS[self.file].model_fields
        return all(
            self.cells.get(name) for name, field in needed.items() if name != "line" and type(None) not in _types(field)
        )


def no_chart(_: str) -> Sequence[ChartAccount]:
    """Where no chart was landed."""
    return ()


def gaps(published: Published, config_dir: Path, chart_of: ChartOf = no_chart) -> list[Gap]:
    """All gaps, dearest first. `chart_of` gives the chart of accounts of an ERP as it was landed."""
    found = [
        *_types_without_booking(published, config_dir),
        *_roles_without_account(published, config_dir, chart_of),
        *_offers_without_item(published, config_dir),
        *_carriers_without_row(published, config_dir),
        *_warehouses_without_row(published, config_dir),
        *_sales_without_analysis_code(published),
    ]
    return sorted(found, key=lambda one: (-(one.amount or Decimal(0)), -one.waiting, one.file, one.subject))


def _types_without_booking(published: Published, config_dir: Path) -> Iterator[Gap]:
    """A transaction type that nobody has decided how to book. Its lines give the sign and the first day; an existing
    type with the same beginning gives the rest.
    """
    known = read_rows(config_dir, TransactionType)
    for row in _ask(
        published,
        ["fct_settlement_lines"],
        "SELECT marketplace_code, transaction_type, currency_code, count(*) AS lines, sum(abs(amount)) AS worth, "
        "sum(amount) AS net, min(line_date) AS since, count(DISTINCT billing_cycle_id) AS cycles "
        "FROM fct_settlement_lines WHERE account_role IS NULL AND transaction_type <> 'PAYMENT' GROUP BY ALL",
    ):
        name = str(row["transaction_type"])
        cells = {
            "transaction_type": name,
            "effective_from": str(row["since"]),
            "expected_sign": "-1" if row["net"] < 0 else "1",
            "is_tax": "true" if name.endswith(("_VAT", "_TAX")) else "false",
            "counts_in_net": "true",
        }
        own = next((one for one in known if one.transaction_type == name), None)
        like = own or _most_like(name, known)
        why = "Its lines give sign and first day; say what it is and which role it is booked to."
        if own is not None:
            cells |= {"fee_type": own.fee_type, "bucket": own.bucket}
            why = f"Its row of {own.effective_from} names no role to book it to."
        elif like is not None:
            cells |= {"fee_type": like.fee_type, "account_role": like.account_role or "", "bucket": like.bucket}
            why = f"Like {like.transaction_type}, whose name begins the same; its lines give sign and first day."
        yield Gap(
            TransactionType.FILE,
            name,
            row["marketplace_code"],
            row["cycles"],
            f"{_counted(row['lines'], 'line')} in {_counted(row['cycles'], 'cycle')} not posted",
            row["worth"],
            row["currency_code"],
            cells,
            why,
            _exception_on(published, "SET-009", name, row["marketplace_code"]),
        )


def _roles_without_account(published: Published, config_dir: Path, chart_of: ChartOf) -> Iterator[Gap]:
    """A role that a journal needs and no account stands for. The entity's other rows of the role give the account, else
    the names in its ERP's chart.
    """
    accounts = read_rows(config_dir, Account)
    erps = {row.entity_code: row.erp_code for row in read_rows(config_dir, Marketplace) if row.erp_code}
    for row in _ask(
        published,
        ["journal_lines"],
        "SELECT lines.entity_code, lines.marketplace_code, lines.currency_code, lines.account_role, "
        "min(lines.posting_date) AS since, count(DISTINCT lines.journal_key) AS journals, "
        "sum(lines.debit + lines.credit) AS worth, min(lines.journal_key) AS journal_key FROM journal_lines AS lines "
        "WHERE lines.account_code IS NULL AND lines.account_role <> 'UNMAPPED' GROUP BY ALL",
    ):
        role, entity = str(row["account_role"]), str(row["entity_code"])
        own = [one for one in accounts if one.account_role == role and one.entity_code == entity]
        others = [one for one in accounts if one.account_role == role and one.entity_code != entity]
        cells = {
            "entity_code": entity,
            "marketplace_code": ANY,
            "currency_code": str(row["currency_code"]),
            "account_role": role,
            "effective_from": str(row["since"]),
        }
        why = "Choose the account in the ERP's chart; `tieout init DIR --propose` reads the chart for candidates."
        if own:
            same = own[-1]
            cells["account_code"] = same.account_code
            where = "all marketplaces" if same.marketplace_code == ANY else same.marketplace_code
            why = (
                f"{entity} books {role} of {where} in {same.currency_code} to {same.account_code} "
                f"from {same.effective_from} on."
            )
        elif (fitting := _by_name(role, chart_of(erps.get(entity) or ""))) is not None:
            cells |= {"account_code": fitting.code or "", "cost_centre": fitting.cost_centre}
            cells |= {"department": fitting.department}
            why = f"The chart of {erps[entity]} has {fitting.code} {fitting.name}. {fitting.why}"
        elif others:
            named = ", ".join(sorted({f"{one.entity_code} {one.account_code}" for one in others}))
            why = f"Other entities have {named}. {why}"
        waiting = published.rows(
            "SELECT sum(total_debit) AS worth FROM journals WHERE journal_key IN (SELECT DISTINCT journal_key "
            "FROM journal_lines WHERE account_code IS NULL AND account_role = ? AND entity_code = ? "
            "AND marketplace_code = ? AND currency_code = ?)",
            [role, entity, row["marketplace_code"], row["currency_code"]],
        )
        yield Gap(
            Account.FILE,
            role,
            row["marketplace_code"],
            row["journals"],
            f"{_counted(row['journals'], 'journal')} not posted",
            waiting[0]["worth"] or row["worth"],
            row["currency_code"],
            cells,
            why,
            _exception_on(published, "JNL-012", row["journal_key"], row["marketplace_code"]),
        )


def _by_name(role: str, chart: Sequence[ChartAccount]) -> Proposal | None:
    (proposal,) = propose_accounts([role], chart)
    return proposal if proposal.code else None


def _offers_without_item(published: Published, config_dir: Path) -> Iterator[Gap]:
    """An offer whose SKU no item of the ERP has. An item whose code is the same but for case and punctuation is
    proposed, else the only one that the SKU begins with; before both the only item with the product's barcode.
    """
    erps = {row.marketplace_code: row.erp_code for row in read_rows(config_dir, Marketplace)}
    rows = _ask(
        published,
        ["rec_offers", "fct_order_lines"],
        "SELECT offers.marketplace_code, offers.entity_code, offers.subject_id, offers.currency_code, "
        "offers.expected_value, "
        "count(sold.order_line_id) AS lines, sum(sold.total_amount) AS worth FROM rec_offers AS offers "
        "LEFT JOIN fct_order_lines AS sold ON offers.marketplace_code = sold.marketplace_code "
        "AND offers.subject_id = sold.shop_sku AND sold.line_state IN ('WAITING_ACCEPTANCE', 'WAITING_DEBIT', "
        "'WAITING_DEBIT_PAYMENT', 'SHIPPING') WHERE offers.exception_code = 'OFR-001' GROUP BY ALL",
    )
    items = {
        str(entity): _Items.of(codes)
        for entity, codes in (_items(published, {str(row["subject_id"]) for row in rows}) if rows else {}).items()
    }
    exceptions, nothing = _exceptions_by_subject(published, "OFR-001"), _Items.of(())
    for row in rows:
        sku, marketplace = str(row["subject_id"]), str(row["marketplace_code"])
        item, why = _item_for(sku, items.get(str(row["entity_code"]), nothing))
        if (named := row["expected_value"]) and named != sku:
            item, why = str(named), f"Item {named} alone has the barcode of the product that the offer sells."
        cells = {"marketplace_code": marketplace, "shop_sku": sku, "erp_code": erps.get(marketplace) or ""}
        yield Gap(
            "item_map.csv",
            sku,
            marketplace,
            row["lines"],
            _counted(row["lines"], "open order line") if row["lines"] else "an offer on sale, not ordered yet",
            row["worth"] or Decimal(0),
            row["currency_code"],
            cells | ({"item_code": item} if item else {}),
            why,
            exceptions.get((sku, marketplace)),
        )


def _carriers_without_row(published: Published, config_dir: Path) -> Iterator[Gap]:
    """A carrier of the ERP that carriers.csv does not know, with the orders that left with it."""
    erps = {row.marketplace_code: row.erp_code for row in read_rows(config_dir, Marketplace)}
    for row in _ask(
        published,
        ["rec_dispatches", "order_status"],
        "SELECT sent.marketplace_code, "
        "regexp_extract(sent.summary, ' went with (.*), which has no row in carriers.csv', 1) AS carrier_name, "
        "count(DISTINCT sent.order_id) AS orders, "
        "min(sent.subject_id) AS subject_id, sum(orders.total_amount) AS worth, orders.currency_code, "
        "bool_or(sent.right_id IS NOT NULL) AS is_tracked FROM rec_dispatches AS sent "
        "INNER JOIN order_status AS orders ON sent.marketplace_code = orders.marketplace_code "
        "AND sent.order_id = orders.order_id WHERE sent.exception_code = 'DSP-004' "
        "AND contains(sent.summary, 'which has no row in carriers.csv') GROUP BY ALL",
    ):
        name = str(row["carrier_name"])
        yield Gap(
            "carriers.csv",
            name,
            row["marketplace_code"],
            row["orders"],
            f"{_counted(row['orders'], 'order')} told to the marketplace without a carrier that it knows",
            row["worth"],
            row["currency_code"],
            {
                "erp_code": erps.get(str(row["marketplace_code"])) or "",
                "erp_carrier": name,
                "marketplace_code": str(row["marketplace_code"]),
                "is_tracked": "true" if row["is_tracked"] else "false",
            },
            "Put in the marketplace's carrier code; leave it empty for a carrier that the marketplace does not list.",
            _exception_on(published, "DSP-004", row["subject_id"], row["marketplace_code"]),
        )


def _warehouses_without_row(published: Published, config_dir: Path) -> Iterator[Gap]:
    """A warehouse that holds stock and is neither offered from nor left out on purpose."""
    erps = {row.marketplace_code: row.erp_code for row in read_rows(config_dir, Marketplace)}
    for row in published.select("exceptions", {"exception_code": "STK-004", "status": "OPEN"}):
        name, marketplace = str(row["subject_id"]), str(row["marketplace_code"])
        yield Gap(
            "warehouses.csv",
            name,
            marketplace,
            1,
            str(row["summary"]),
            row["amount_at_risk"],
            row["currency_code"],
            {
                "erp_code": erps.get(marketplace) or "",
                "warehouse_name": name,
                "marketplace_code": marketplace,
                "is_for_sale": "false",
            },
            "Not for sale until somebody says otherwise: what is there is not offered today either.",
            row["exception_id"],
        )


def _sales_without_analysis_code(published: Published) -> Iterator[Gap]:
    """A way of selling (country, tax role) that no row of analysis_codes.csv fits, with the orders that lack a code."""
    for row in _ask(
        published,
        ["rec_orders", "order_status"],
        f"SELECT sold.entity_code, sold.marketplace_code, "  # noqa: S608
        f"regexp_extract(sold.summary, '{_UNMAPPED_SALE}', 1) AS country, "
        f"regexp_extract(sold.summary, '{_UNMAPPED_SALE}', 2) AS sold_as, count(DISTINCT sold.order_id) AS orders, "
        "min(sold.subject_id) AS subject_id, min(orders.order_date) AS since, sum(orders.total_amount) AS worth, "
        "orders.currency_code FROM rec_orders AS sold INNER JOIN order_status AS orders "
        "ON sold.marketplace_code = orders.marketplace_code AND sold.order_id = orders.order_id "
        f"WHERE sold.exception_code = 'ORD-015' AND regexp_matches(sold.summary, '{_UNMAPPED_SALE}') GROUP BY ALL",
    ):
        country, sold_as = str(row["country"]), str(row["sold_as"])
        is_role = not sold_as.startswith("tax code ")
        yield Gap(
            AnalysisCode.FILE,
            f"{country} {sold_as}",
            row["marketplace_code"],
            row["orders"],
            f"{_counted(row['orders'], 'order')} in the ERP without a code for the VAT reconciliation",
            row["worth"],
            row["currency_code"],
            {
                "entity_code": str(row["entity_code"]),
                "marketplace_code": ANY,
                "offer_state_code": ANY,
                "ship_to_country": "NONE" if country == "no country" else country,
                "ship_to_state": ANY,
                "effective_from": str(row["since"]),
                **({"tax_role": sold_as} if is_role else {}),
            },
            "Put in the analysis code"
            + ("." if is_role else f", and the tax role of {sold_as} (tax_codes.csv).")
            + " Orders that are there already get it by hand.",
            _exception_on(published, "ORD-015", row["subject_id"], row["marketplace_code"]),
        )


_UNMAPPED_SALE = "of its lines, sold to ([A-Z]{3}|no country)[^;]* as (tax code [^;]+|[A-Z_]+)"
"""Of what the summary of ORD-015 says."""


def _items(published: Published, skus: Collection[str]) -> dict[str, set[str]]:
    """Item codes by entity, as far as marts name them and one of these SKUs is spelled alike or begins with them."""
    stems = sorted({sku[:length] for sku in skus for length in range(SHORTEST_STEM, len(sku))})
    plain = sorted({_plain(sku) for sku in skus})
    found: dict[str, set[str]] = {}
    for mart, column in (
        ("rec_stock", "item_code"),
        ("fct_order_lines", "item_code"),
        ("rec_offers", "expected_value"),
    ):
        clause = " AND rule_code = 'OFFER_IDENTITY' AND status = 'MATCHED'" if mart == "rec_offers" else ""
        for row in _ask(
            published,
            [mart],
            f"SELECT DISTINCT entity_code, {column} AS item FROM {mart} WHERE ({column} IN (SELECT unnest($1)) "  # noqa: S608
            f"OR regexp_replace(lower({column}), '[^a-z0-9]', '', 'g') IN (SELECT unnest($2))){clause}",
            [stems, plain],
        ):
            found.setdefault(str(row["entity_code"]), set()).add(str(row["item"]))
    return found


@dataclass(frozen=True, slots=True)
class _Items:
    """An entity's item codes, and those that are spelled alike."""

    codes: frozenset[str]
    alike: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, codes: Collection[str]) -> _Items:
        alike: dict[str, list[str]] = {}
        for code in sorted(codes):
            alike.setdefault(_plain(code), []).append(code)
        return cls(frozenset(codes), alike)


def _item_for(sku: str, items: _Items) -> tuple[str | None, str]:
    same = [item for item in items.alike.get(_plain(sku), ()) if item != sku]
    if len(same) == 1:
        return same[0], f"Item {same[0]} is spelled the same but for case and punctuation."
    stems = (sku[:length] for length in range(len(sku) - 1, SHORTEST_STEM - 1, -1))
    longest = next((stem for stem in stems if stem in items.codes), None)
    if longest is not None:
        return longest, f"The SKU begins with item {longest}; compare the products before you take it."
    return None, "No item is spelled alike; put in the item's code, or take the offer down."


def _plain(code: str) -> str:
    return re.sub(r"[^a-z0-9]", "", code.casefold())


def _most_like(name: str, known: Sequence[TransactionType]) -> TransactionType | None:
    """The known type that begins with most of the same words, at least two of them."""
    words = name.split("_")

    def alike(other: TransactionType) -> int:
        return _common(words, other.transaction_type.split("_"))

    best = max(known, key=alike, default=None)
    return best if best is not None and alike(best) >= 2 else None


def _common(left: Sequence[str], right: Sequence[str]) -> int:
    count = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        count += 1
    return count


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _exceptions_by_subject(published: Published, code: str) -> dict[tuple[str, str], str]:
    """Ids by subject and marketplace: where there may be thousands, one question for all of them."""
    rows = published.select("exceptions", {"exception_code": code})
    return {(str(row["subject_id"]), str(row["marketplace_code"])): str(row["exception_id"]) for row in rows}


def _exception_on(published: Published, code: str, subject: Any, marketplace: Any) -> str | None:
    where = {"exception_code": code, "subject_id": subject, "marketplace_code": marketplace}
    rows = published.select("exceptions", where)
    return str(rows[0]["exception_id"]) if rows else None


NEEDED = {
    "fct_settlement_lines": {"account_role", "line_date", "billing_cycle_id", "currency_code"},
    "fct_order_lines": {"shop_sku", "item_code", "entity_code", "line_state"},
    "journal_lines": {"entity_code", "currency_code", "posting_date", "account_role", "account_code"},
    "rec_offers": {"entity_code", "expected_value"},
    "rec_dispatches": {"order_id", "right_id", "summary"},
    "rec_orders": {"entity_code", "order_id", "summary"},
    "rec_stock": {"entity_code", "item_code"},
    "order_status": {"total_amount", "currency_code", "order_date"},
}
"""Columns without which a mart was published by an older version: it tells nothing of gaps until the next run."""


def _ask(
    published: Published, marts: Collection[str], sql: str, parameters: Sequence[Any] | None = None
) -> list[dict[str, Any]]:
    """Rows of a query on these marts; none where one of them is not published, or not as it is now."""
    is_there = all(NEEDED[mart] <= published.marts.get(mart, frozenset()) for mart in marts)
    return published.rows(sql, parameters) if is_there else []


def _types(field: Any) -> tuple[Any, ...]:
    return get_args(field.annotation)
