"""A second opinion on the tax of sales: who owes it by where the goods go, and what the books declare."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.world import World
from tests.sandbox_world.plain_books import books_of

LIMIT = Decimal(130)
"""Up to this value the operator accounts for the VAT of a consignment to the European Union."""
DRIFT = Decimal("0.10")
"""What a sandbox tolerates of roundings that go one way, over thirty days."""
LONDON = ZoneInfo("Europe/London")
COLLECTED, ZERO = "98", "2"
CODE_ABROAD = {"IRL": COLLECTED, "JEY": ZERO}
QUARTER_ENDS = {"BRICO": (3, 6, 9, 0), "HOMELY": (1, 4, 7, 10)}
"""Months with which VAT periods end; 0 is December."""
Finding = tuple[str, str, str]


def charged(order: dict[str, Any]) -> Decimal:
    return sum(
        (tax["amount"] for line in order["order_lines"] for kind in ("taxes", "shipping_taxes") for tax in line[kind]),
        Decimal(0),
    )


def is_elsewhere(order: dict[str, Any]) -> bool:
    """Whether something else than the item decides the tax."""
    return _country(order) in CODE_ABROAD


def _country(order: dict[str, Any]) -> str:
    address = order["customer"]["shipping_address"]
    return address["country_iso_code"] if address else "GBR"


def sale_taxes(world: World, marketplace: str) -> Iterator[Finding]:
    side = world.mirakl[marketplace]
    remitted: dict[str, Decimal] = defaultdict(Decimal)
    for row in side.transaction_lines:
        if row["type"].startswith("OPERATOR_REMITTED_ORDER"):
            remitted[row["entities"]["order"]["id"]] -= row["amount"]
    erp_orders = {order.reference: order for order in books_of(world, marketplace).orders if order.is_live}
    for order_id, order in side.orders.items():
        country, tax = _country(order), charged(order)
        if country not in ("GBR", *CODE_ABROAD):
            yield "TAX-002", "ORDER", order_id
        if not tax:
            continue
        is_small = sum(line["price"] for line in order["order_lines"]) <= LIMIT
        if country == "IRL" and is_small and not remitted[order_id]:
            yield "TAX-006", "ORDER", order_id
        if remitted[order_id] and not is_small:
            yield "TAX-005", "ORDER", order_id
        erp_order = erp_orders.get(order_id)
        for line in erp_order.lines if erp_order and remitted[order_id] else ():
            if line.tax and not line.is_charge:
                yield "TAX-001", "ORDER_LINE", line.order_line_id
    yield from drift(world, marketplace)
    for period in tax_points(world, marketplace):
        yield "TAX-008", "VAT_PERIOD", period


def tax_points(world: World, marketplace: str) -> set[str]:
    """Last months of VAT periods in which something was paid for that left later."""
    ends = QUARTER_ENDS[marketplace]
    found = set()
    for order in world.mirakl[marketplace].orders.values():
        lines = [line for line in order["order_lines"] if line["order_line_state"] not in ("CANCELED", "REFUSED")]
        paid = [datetime.fromisoformat(line["debited_date"]) for line in lines if line.get("debited_date")]
        sent = [datetime.fromisoformat(line["shipped_date"]) for line in lines if line.get("shipped_date")]
        if not paid or not sent or _country(order) in CODE_ABROAD:
            continue
        first, last = min(paid).astimezone(LONDON), max(sent).astimezone(LONDON)
        end = next(month for month in range(first.month, first.month + 3) if month % 12 in ends)
        if (last.year, last.month) > (first.year + (end > 12), (end - 1) % 12 + 1):
            found.add(f"{first.year + (end > 12)}-{(end - 1) % 12 + 1:02}")
    return found


def drift(world: World, marketplace: str) -> Iterator[Finding]:
    """Pennies of VAT on the orders of thirty days, each forgiven alone, added up."""
    since = world.as_of.astimezone(LONDON).date() - timedelta(days=30)
    total = Decimal(0)
    books = books_of(world, marketplace)
    rate = {"1": Decimal(20), "21": Decimal(5)}
    orders = world.mirakl[marketplace].orders
    for erp_order in books.orders:
        order = orders.get(erp_order.reference)
        if order is None or is_elsewhere(order):
            continue
        if datetime.fromisoformat(order["created_date"]).astimezone(LONDON).date() <= since:
            continue
        for line in erp_order.lines:
            if line.is_charge or line.tax_code not in rate:
                continue
            gross, percent = line.net + line.tax, rate[line.tax_code]
            computed = (gross * percent / (100 + percent)).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
            if abs(line.tax - computed) <= Decimal("0.01"):
                total += line.tax - computed
    if abs(total) > DRIFT:
        yield "TAX-004", "TEST", "LINE_TAX"
