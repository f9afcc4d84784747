"""A second opinion on the tax of a marketplace's fees, from its records and the seller's books."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from sandbox.world import World
from tests.sandbox_world.plain_books import books_of

ENTITIES = {"BRICO": "UKTRADE", "HOMELY": "NORTHHOME"}
FROM_ABROAD = "INVOICEABLE_ONE_OFF_DEBIT"
VAT_ON_SALES = "2200"
RATE = Decimal("0.2")
LONDON = ZoneInfo("Europe/London")


def reference(marketplace: str, kind: str, cycle_id: str, month: str) -> str:
    key = f"{ENTITIES[marketplace]}|{marketplace}|{kind}|{cycle_id}|{month}|1"
    return "TO" + hashlib.sha256(key.encode()).hexdigest()[:16].upper()


def fee_taxes(world: World, marketplace: str) -> Iterator[tuple[str, str, str]]:
    """A service from abroad bears no VAT; where its settlement is in the books, so is the reverse charge on it."""
    side = world.mirakl[marketplace]
    month = {
        cycle["id"]: f"{datetime.fromisoformat(cycle['date_created']).astimezone(LONDON):%Y-%m}"
        for cycle in side.cycles
    }
    posted: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for (document, account, _, _), amount in books_of(world, marketplace).postings.items():
        posted[document, account] += amount
    in_the_books = {document for document, _ in posted}
    fees: dict[str, Decimal] = defaultdict(Decimal)
    taxes: dict[str, Decimal] = defaultdict(Decimal)
    for line in side.transaction_lines:
        if line["type"] == FROM_ABROAD:
            fees[line["seller_billing_cycle_id"]] -= line["amount"]
        elif line["type"] == f"{FROM_ABROAD}_TAX":
            taxes[line["seller_billing_cycle_id"]] -= line["amount"]
    for cycle_id, fee in fees.items():
        if taxes[cycle_id]:
            yield "TAX-007", "CYCLE", cycle_id
        elif reference(marketplace, "SETTLEMENT", cycle_id, month[cycle_id]) in in_the_books:
            due = (fee * RATE).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
            if posted[reference(marketplace, "REVERSE_CHARGE", cycle_id, month[cycle_id]), VAT_ON_SALES] != -due:
                yield "TAX-003", "CYCLE", cycle_id
