"""One Sage 200 company in memory: tables of rows in the vendor's shape, rendered to bytes once and kept."""

import bisect
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from sandbox import jsonio
from sandbox.odata import Predicate, Query, Row, Shape, sort_rows
from sandbox.sage_defaults import DEFAULTS
from sandbox.sage_settings import SageSettings
from sandbox.sage_views import VIEWS

# Objects that an expand fetches through an id on the row: child → (resource it is a row of, id column on the parent).
LINKS: dict[str, tuple[str, str]] = {
    "account_currency": ("currencies", "account_currency_id"),
    "bank": ("banks", "bank_id"),
    "cheque_currency": ("currencies", "cheque_currency_id"),
    "currency": ("currencies", "currency_id"),
    "customer": ("customers", "customer_id"),
    "default_tax_code": ("tax_codes", "default_tax_code_id"),
    "product": ("products", "product_id"),
    "product_group": ("product_groups", "product_group_id"),
    "sop_order": ("sop_orders", "sop_order_id"),
    "tax_code": ("tax_codes", "tax_code_id"),
    "warehouse": ("warehouses", "warehouse_id"),
}
# Child resources under a parent: (parent, child) → id column on the child.
NESTED: dict[tuple[str, str], str] = {
    ("sop_orders", "sop_order_lines"): "sop_order_id",
    ("customers", "sop_orders"): "customer_id",
    ("customers", "sales_posted_transactions"): "customer_id",
    ("banks", "bank_posted_transactions"): "bank_id",
    ("nominal_codes", "nominal_transaction_enquiry_views"): "nominal_code_id",
    ("products", "warehouse_holdings"): "product_id",
    ("warehouses", "warehouse_holdings"): "warehouse_id",
}
# Resources without a list of their own, and one that is a single object.
ONLY_NESTED = frozenset({"sop_order_lines"})
SINGLE_OBJECTS = frozenset({"licence"})
# Resources whose rows cannot be asked for one by one although they have an id.
LISTS_ONLY = frozenset(
    {
        "current_user_sop_user_permissions",
        "nominal_transaction_analysis_codes",
        "product_price_views",
        "product_transaction_views",
    }
)
# Tables whose rows a posting changes; their rows are copied, because the world's records are not ours to change.
CHANGING = frozenset({"banks", "customers", "suppliers", "system_settings"})
KEYS = {
    "financial_year_period_views": "accounting_period_id",
    "product_price_views": "product_price_id",
    "sites": "company_id",
    "licence": "",
    "sop_order_despatch_line_views": "sop_despatch_line_id",
    "sop_order_return_invoice_credit_views": "sop_order_return_id",
    "customer_sop_invoice_credit_line_views": "sop_invoice_credit_line_id",
    "sop_return_line_views": "sop_return_line_id",
    "nominal_period_value_views": "nominal_period_value_id",
}
# Views list newest first; the rest by id.
NEWEST_FIRST = frozenset(
    {
        "nominal_transaction_enquiry_views",
        "product_transaction_views",
        "customer_sop_invoice_credit_line_views",
        "sop_return_line_views",
        "nominal_period_value_views",
    }
)
ANALYSIS_CODES_OF_PROFESSIONAL = frozenset(f"analysis_code_{slot}" for slot in range(6, 21))


@lru_cache(maxsize=1)
def contract() -> dict[str, Any]:
    """Names, types and lengths of what the sandbox serves and accepts, taken from Sage's OpenAPI documents."""
    index: dict[str, Any] = json.loads(Path(__file__).with_name("sage200_contract.json").read_text("utf-8"))
    return index


@lru_cache(maxsize=128)
def shape_of(resource: str, edition: str = "Professional") -> Shape:
    """The resource's members in an edition: Standard knows no others than its own, and five analysis codes."""
    resources = contract()["resources"]
    entry = resources[resource]
    lacking = frozenset(entry.get("professional", ())) | ANALYSIS_CODES_OF_PROFESSIONAL
    if edition == "Professional":
        lacking = frozenset()
    return Shape(
        fields={name: kind for name, kind in entry["fields"].items() if name not in lacking},
        children={
            name: resources[LINKS[name][0]]["fields"] if name in LINKS else child["fields"]
            for name, child in entry["children"].items()
            if name not in lacking
        },
        many=frozenset(name for name, child in entry["children"].items() if child["many"]),
    )


class Table:
    """The rows of one resource, ascending by key."""

    def __init__(self, resource: str, rows: Iterable[dict[str, Any]]) -> None:
        self.resource = resource
        self.shape = shape_of(resource)
        self.key = KEYS.get(resource, "id")
        self.rows: list[dict[str, Any]] = sorted(rows, key=lambda row: row.get(self.key, 0))
        self.by_key = {row.get(self.key): row for row in self.rows}
        self._bytes: dict[tuple[str, ...], dict[Any, bytes]] = {}
        self._by_text: dict[str, tuple[int, dict[str, list[dict[str, Any]]]]] = {}
        self._owned: set[Any] = set()
        self._last_key = 0
        self.version = 0

    @property
    def default_order(self) -> tuple[tuple[str, bool], ...]:
        return ((self.key, self.resource in NEWEST_FIRST),)

    @property
    def next_key(self) -> int:
        """No id is given twice, not even that of a row that was removed."""
        return max(int(self.rows[-1][self.key]) if self.rows else 0, self._last_key) + 1

    def append(self, row: dict[str, Any]) -> dict[str, Any]:
        row[self.key] = self._last_key = self.next_key
        self._owned.add(row[self.key])
        self.version += 1
        self.rows.append(row)
        self.by_key[row[self.key]] = row
        return row

    def own(self, key: Any) -> dict[str, Any]:
        """The row, as one that may be changed: the world's record is replaced by a copy the first time."""
        row = self.by_key[key]
        if key not in self._owned:
            row = dict(row)
            self.rows[bisect.bisect_left(self.rows, key, key=lambda other: other[self.key])] = row
            self.by_key[key] = row
            self._owned.add(key)
            self.version += 1
        return row

    def remove(self, key: Any) -> None:
        row = self.by_key.pop(key)
        self._last_key = max(self._last_key, int(self.rows[-1][self.key]))
        del self.rows[bisect.bisect_left(self.rows, key, key=lambda other: other[self.key])]
        self.touch(row)

    def touch(self, row: dict[str, Any]) -> None:
        """Forgets the rendered bytes of a row that has changed."""
        self.version += 1
        for rendered in self._bytes.values():
            rendered.pop(row[self.key], None)

    def cached(self, expand: tuple[str, ...]) -> dict[Any, bytes]:
        return self._bytes.setdefault(expand, {})

    def having(self, column: str, texts: frozenset[str]) -> list[dict[str, Any]]:
        """The rows with one of these texts, which are in lower case, ascending by key. As an index would find them."""
        if self._by_text.get(column, (-1,))[0] != self.version:
            index: dict[str, list[dict[str, Any]]] = {}
            for row in self.rows:
                if (value := row.get(column)) is not None:
                    index.setdefault(str(value).casefold(), []).append(row)
            self._by_text[column] = (self.version, index)
        index = self._by_text[column][1]
        found = [row for text in texts for row in index.get(text, ())]
        return sorted(found, key=lambda row: int(row.get(self.key, 0)))

    def find(self, column: str, value: Any) -> dict[str, Any] | None:
        return next((row for row in self.rows if row.get(column) == value), None)


class View(Table):
    """Rows that are made from other tables, anew when one of those has changed."""

    def __init__(self, resource: str, tables: Mapping[str, Table]) -> None:
        super().__init__(resource, ())
        self._make, self._sources = VIEWS[resource]
        self._tables = tables
        self._made_of: tuple[int, ...] | None = None

    def refresh(self) -> None:
        # Order lines are adopted after the tables are made: the identity of a source belongs to its version.
        versions = tuple(
            part for name in self._sources for part in (id(self._tables[name]), self._tables[name].version)
        )
        if versions != self._made_of:
            self._made_of = versions
            self.rows = sorted(self._make(self._tables), key=lambda row: row[self.key])
            self.by_key = {row[self.key]: row for row in self.rows}
            self._bytes.clear()
            self.version += 1


class SageCompany:
    """The company's tables and how a query is answered from them."""

    def __init__(
        self,
        tables: dict[str, list[dict[str, Any]]],
        sites: list[dict[str, Any]],
        settings: SageSettings | None = None,
    ) -> None:
        served = contract()["resources"]
        self.settings = settings or SageSettings()
        self.tables: dict[str, Table] = {
            name: Table(
                name, [dict(row) if name in CHANGING else row for row in tables.get(name) or DEFAULTS.get(name, ())]
            )
            for name in served
            if name != "sites" and name not in VIEWS
        }
        self.tables |= {name: View(name, self.tables) for name in VIEWS}
        self.sites = Table("sites", sites)
        self._adopt_order_lines()
        self._by_urn: dict[int, list[dict[str, Any]]] = {}
        for row in self.tables["nominal_transaction_enquiry_views"].rows:
            self.note_leg(row)

    def table(self, resource: str) -> Table | None:
        """The resource's table, with rows that are up to date; None when there is no such resource."""
        if resource == "sites":
            return self.sites
        table = self.tables.get(resource)
        if isinstance(table, View):
            table.refresh()
        return table

    def shape(self, resource: str) -> Shape:
        return shape_of(resource, self.settings.edition)

    @property
    def site(self) -> dict[str, Any]:
        return self.sites.rows[0]

    def __getitem__(self, resource: str) -> Table:
        return self.tables[resource]

    def _adopt_order_lines(self) -> None:
        """Order lines are given inside their orders; the line resource shows the same dicts."""
        lines = self.tables["sop_order_lines"]
        if lines.rows:
            return
        rows = [
            line if "sop_order_id" in line else line | {"sop_order_id": order["id"]}
            for order in self.tables["sop_orders"].rows
            for line in order.get("lines", ())
        ]
        self.tables["sop_order_lines"] = Table("sop_order_lines", rows)

    def note_leg(self, row: dict[str, Any]) -> None:
        self._by_urn.setdefault(int(row["urn"]), []).append(row)

    def select(
        self, resource: str, query: Query, extra: Predicate | None = None
    ) -> tuple[Sequence[dict[str, Any]], int | None]:
        """The page of rows a list query asks for; with `$count`, no rows and the number of all that match."""
        table = self.sites if resource == "sites" else self.tables[resource]
        rows: Sequence[dict[str, Any]] = table.rows if query.texts is None else table.having(*query.texts)
        tests = [test for test in (query.predicate, extra) if test]
        if query.is_count:
            return (), sum(all(test(row) for test in tests) for row in rows)
        is_key_order = query.order[0] in ((table.key, False), (table.key, True))
        if is_key_order:
            start = 0
            if query.key_floor is not None:
                start = bisect.bisect_right(rows, query.key_floor, key=lambda row: row[table.key])
            walk = range(start, len(rows)) if not query.order[0][1] else range(len(rows) - 1, -1, -1)
            page: list[dict[str, Any]] = []
            skip = query.skip
            for position in walk:
                row = rows[position]
                if all(test(row) for test in tests):
                    if skip:
                        skip -= 1
                        continue
                    page.append(row)
                    if len(page) >= query.top:
                        break
            return page[: query.top], None
        matching: list[Row] = [row for row in rows if all(test(row) for test in tests)]
        ordered = sort_rows(matching, query.order, table.shape)
        return ordered[query.skip : query.skip + query.top], None  # type: ignore[return-value]

    def render(self, resource: str, row: dict[str, Any], query: Query) -> bytes:
        """One row as JSON: scalars that are not null, children only when expanded, only what is selected."""
        table = self.sites if resource == "sites" else self.tables[resource]
        if query.select is not None:
            return jsonio.encode(self._trimmed(resource, row, query))
        cached = table.cached((self.settings.edition, *query.expand))
        key = row.get(table.key)
        body = cached.get(key)
        if body is None:
            body = jsonio.encode(self.expanded(resource, row, query.expand))
            # The legs of a posting can grow while their URN is written; a child list of them is not kept.
            if resource != "nominal_transaction_enquiry_views" or not query.expand:
                cached[key] = body
        return body

    def _trimmed(self, resource: str, row: dict[str, Any], query: Query) -> dict[str, Any]:
        full = self.expanded(resource, row, query.expand)
        selected = query.select or frozenset()
        result = {name: value for name, value in full.items() if name in selected or name in query.expand}
        for name, parts in query.select_children.items():
            child = result.get(name)
            if isinstance(child, list):
                result[name] = [{k: v for k, v in item.items() if k in parts} for item in child]
            elif isinstance(child, dict):
                result[name] = {k: v for k, v in child.items() if k in parts}
        return result

    def expanded(self, resource: str, row: dict[str, Any], expand: tuple[str, ...] = ()) -> dict[str, Any]:
        fields = self.shape(resource).fields
        result = {name: value for name, value in row.items() if name in fields and value is not None}
        for name in expand:
            child = self._child(resource, row, name)
            if child is not None:
                result[name] = child
        return result

    def _child(self, resource: str, row: dict[str, Any], name: str) -> Any:
        shape = self.shape(resource)
        if (resource, name) == ("sop_orders", "lines"):
            return [self.expanded("sop_order_lines", line | {"sop_order_id": row["id"]}) for line in row.get(name, ())]
        if (resource, name) == ("products", "warehouse_holdings"):
            holdings = self.tables["warehouse_holdings"].rows
            return [self.expanded(name, holding) for holding in holdings if holding.get("product_id") == row["id"]]
        if name in row:
            return row[name]
        if (resource, name) == ("nominal_transaction_enquiry_views", "nominal_analysis_items"):
            return self._other_legs(row)
        if name in LINKS:
            target, column = LINKS[name]
            linked = self.tables[target].by_key.get(row.get(column))
            return None if linked is None else self.expanded(target, linked)
        return [] if name in shape.many else None

    def _other_legs(self, row: dict[str, Any]) -> list[dict[str, Any]]:
        codes = self.tables["nominal_codes"].by_key
        legs = []
        for leg in self._by_urn.get(int(row["urn"]), ()):
            code = codes.get(leg["nominal_code_id"])
            if leg["id"] == row["id"] or code is None:
                continue
            legs.append(
                {
                    "code": code["reference"],
                    "cost_centre": code.get("cost_centre_code") or "",
                    "department": code.get("department_code") or "",
                    "name": code.get("name") or "",
                    "reference": leg.get("reference") or "",
                    "narrative": leg.get("narrative") or "",
                    "value": leg["debit"] - leg["credit"],
                    "source": leg.get("source") or "",
                }
            )
        return legs

    def nested_rows(self, parent: str, parent_id: int, child: str) -> Predicate:
        column = NESTED[parent, child]
        return lambda row: row.get(column) == parent_id
