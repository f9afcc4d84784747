"""A second opinion on the documents that a seller's operator issues: level d, in the plainest way."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sandbox.world import World
from tests.sandbox_world.plain_reconciler import Finding, instant

OURS = {"BRICO": ("UK Trade Supplies Ltd", "GB123456789"), "HOMELY": ("North Home Ltd", "GB246813579")}


def letters(text: str | None) -> str:
    return "".join(c for c in (text or "").lower() if c.isalnum())


def is_somebody_else(document: dict[str, Any], name: str, number: str | None) -> bool:
    """Whether the document is made out to another company. `number` is the VAT number that it ought to bear, if any."""
    theirs, ours = letters(document["shop_tax_number"]), letters(number)
    differs = bool(theirs and ours) and theirs[-len(ours) :] != ours and ours[-len(theirs) :] != theirs
    return differs or letters(document["shop_corporate_name"]) != letters(name)


def documents(world: World, marketplace: str) -> Iterator[Finding]:
    """Level d of a seller: what no line bears, and what is made out to somebody else."""
    side = world.mirakl[marketplace]
    lines = defaultdict(list)
    for line in (*side.transaction_lines, *side.hidden_transaction_lines):
        lines[line.get("accounting_document_id")].append(line)
    newest = max(instant(cycle["date_created"]) for cycle in side.cycles)
    for document in side.invoices:
        if is_somebody_else(document, *OURS[marketplace]):
            yield "INV-007", "DOCUMENT", document["id"]
        is_by_hand = document["type"] != "AUTO_INVOICE"
        if is_by_hand and not lines[document["id"]] and instant(document["date_created"]) < newest:
            yield "INV-005", "DOCUMENT", document["id"]
