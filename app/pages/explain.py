"""Any id, explained: the chain that its money took, with every sum proved. The same as `tieout explain`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

from app.asking import Ask, Page
from app.rendering import evidence_address, explained
from app.tables import Column, Link, Row, Table, linked, of_listing
from orchestration.lib.explaining.chains import Explainer
from orchestration.lib.explaining.finding import AT_ONCE, Subject, find, similar
from orchestration.lib.explaining.tree import Listing, Node

ID_COLUMNS = (
    "billing_cycle_id", "order_id", "order_line_id", "refund_id", "receipt_id", "journal", "journal_key",
    "paying_cycle_id", "transaction_line_id", "shop_sku", "receipts",
)  # fmt: skip
ID_FACTS = frozenset(
    {"cycle", "journal", "receipt", "order", "order line", "refund", "voucher", "paid with cycle", "ERP order",
     "commercial id", "document", "wire key", "reference", "ERP document", "invoice"}
)  # fmt: skip
"""Facts that are ids; they lead on."""
LIST_FACTS = frozenset({"documents", "candidates", "receipt", "tracking", "credit note", "ERP document"})
"""Facts that are several ids."""
LONGEST_ID = 300
ROWS = 25


def explain(ask: Ask) -> Page:
    """The explanation of the id in the address; a form when there is none, near ids when nothing has it, and what to
    choose from when too many things have it.
    """
    text = ask.asked.get("id", "").strip()[:LONGEST_ID]
    if not text:
        return Page("explain.html", "Explain", {"id": "", "sections": [], "near": []})
    subjects = find(ask.published, text, ask.asked.get("marketplace") or None)
    if len(subjects) > AT_ONCE:
        facts = {"id": text, "sections": [], "near": []}
        return Page("explain.html", f"Explain {text}", facts, {"choices": _choices(text, subjects)})
    if not subjects:
        near = similar(ask.published, text) if len(text) >= 3 else []
        return Page("explain.html", f"Nothing is called {text}", {"id": text, "sections": [], "near": near}, status=404)
    explainer = Explainer(ask.published)
    sections, tables = sections_of([explainer.explain(subject) for subject in subjects])
    return Page("explain.html", f"Explain {text}", {"id": text, "sections": sections, "near": []}, tables)


def _choices(text: str, subjects: list[Subject]) -> Table:
    """What has the id, each leading to its own explanation."""

    def link(row: Row) -> str:
        return "/explain?" + urlencode({key: row[key] for key in ("id", "marketplace") if row[key]})

    rows = [{"kind": one.kind, "id": one.id, "marketplace": one.marketplace_code} for one in subjects]
    columns = [
        Column("id", "Id", link=link),
        Column("kind", "What it is", "words"),
        Column("marketplace", "Marketplace"),
    ]
    return Table(f"{len(rows)} things have the id {text}: which one?", columns, rows, name="choices", page_rows=ROWS)


def sections_of(nodes: list[Node]) -> tuple[list[dict[str, Any]], dict[str, Table]]:
    """The nodes in reading order with their depth, and their listings as tables, by names that the nodes carry."""
    sections: list[dict[str, Any]] = []
    tables: dict[str, Table] = {}
    for number, (node, depth) in enumerate(one for root in nodes for one in _walk(root, 0)):
        names = []
        for listing in node.listings:
            name = f"t{number}-{listing.name}"
            tables[name] = _table(listing, name, node)
            names.append(name)
        facts = [(label, value) for label, value in node.facts.items() if value is not None]
        sections.append(
            {
                "node": node,
                "depth": min(depth, 3),
                "facts": facts,
                "tables": names,
                "ids": ID_FACTS,
                "lists": LIST_FACTS,
            }
        )
    return sections, tables


def _walk(node: Node, depth: int) -> Iterator[tuple[Node, int]]:
    yield node, depth
    for child in node.children:
        yield from _walk(child, depth + 1)


def _table(listing: Listing, name: str, node: Node) -> Table:
    links: dict[str, Link] = {key: explained(key) for key in ID_COLUMNS}
    if listing.name == "lines_by_type" and node.kind == "PAYOUT":
        links |= {one.key: _lines_of(node) for one in listing.columns if one.kind == "money"}
    if node.kind == "JOURNAL":
        links |= dict.fromkeys(("debit", "credit"), lambda _: evidence_address([node.id]))
    columns = linked(of_listing(listing.columns), links)
    if listing.name == "settlement_lines" or listing.name == "lines_by_type":
        columns = _with_line(columns, listing)
    return Table(listing.title, columns, listing.rows, name=name, page_rows=ROWS, nothing="None.")


def _lines_of(node: Node) -> Link:
    """The lines of a pay-out that are added up in a row."""
    page = f"/payouts/{quote(str(node.facts['marketplace']), safe='')}/{quote(node.id, safe='')}"

    def link(row: Row) -> str:
        return f"{page}?{urlencode({'lines.transaction_type': row['transaction_type']})}#lines"

    return link


def _with_line(columns: list[Column], listing: Listing) -> list[Column]:
    if listing.rows and "transaction_line_id" in listing.rows[0]:
        line = Column("transaction_line_id", "Transaction line", "text", explained("transaction_line_id"))
        return [line, *columns]
    return columns
