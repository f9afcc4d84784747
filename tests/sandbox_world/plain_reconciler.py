"""A second opinion: levels a, b, c, h, i and k worked out in the plainest way from the rendered records.

It knows the rules of the accounting reference and nothing of how the world was made. What it finds must be what the
truth lists, fault for fault: otherwise a fault is invisible, or has a side effect that nobody wrote down.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.world import World, configuration_rows
from tests.sandbox_world import plain_refunds, plain_service
from tests.sandbox_world.plain_books import Order, books_of
from tests.sandbox_world.plain_dispatches import dispatches
from tests.sandbox_world.plain_offers import offers
from tests.sandbox_world.plain_sale_taxes import is_elsewhere, sale_taxes
from tests.sandbox_world.plain_taxes import fee_taxes

PENNY = Decimal("0.01")
LONDON = ZoneInfo("Europe/London")
Finding = tuple[str, str, str]
MAPPED = {
    "ORDER_AMOUNT",
    "ORDER_SHIPPING_AMOUNT",
    "ORDER_AMOUNT_TAX",
    "ORDER_SHIPPING_AMOUNT_TAX",
    "OPERATOR_REMITTED_ORDER_AMOUNT_TAX",
    "OPERATOR_REMITTED_ORDER_SHIPPING_AMOUNT_TAX",
    "COMMISSION_FEE",
    "COMMISSION_VAT",
    "REFUND_ORDER_AMOUNT",
    "REFUND_ORDER_SHIPPING_AMOUNT",
    "REFUND_COMMISSION_FEE",
    "REFUND_COMMISSION_VAT",
    "SUBSCRIPTION_FEE",
    "SUBSCRIPTION_VAT",
    "SELLER_PENALTY_FEE",
    "SELLER_PENALTY_FEE_TAX",
    "MANUAL_CREDIT",
    "MANUAL_CREDIT_VAT",
    "MANUAL_INVOICE",
    "MANUAL_INVOICE_VAT",
    "INVOICEABLE_ONE_OFF_DEBIT",
    "INVOICEABLE_ONE_OFF_DEBIT_TAX",
    "PAYMENT",
}


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(PENNY, rounding=ROUND_HALF_UP)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def cancelled(line: dict[str, Any], field: str) -> Decimal:
    return sum((Decimal(c[field]) for c in line["cancelations"]), Decimal(0))


def is_dead(line: dict[str, Any]) -> bool:
    return line["order_line_state"] in ("REFUSED", "CANCELED")


def orders(world: World, marketplace: str) -> Iterator[Finding]:
    """Level a."""
    side, books = world.mirakl[marketplace], books_of(world, marketplace)
    customer = f"MK{marketplace}"
    by_reference = defaultdict(list)
    for erp_order in books.orders:
        by_reference[erp_order.reference].append(erp_order)
        is_ours = marketplace == erp_order.marketplace or erp_order.customer == customer
        if is_ours and erp_order.reference not in side.orders:
            yield "ORD-002", "ERP_ORDER", erp_order.number
    for order_id, order in side.orders.items():
        live = [x for x in by_reference[order_id] if x.is_live]
        age = world.as_of - instant(order["created_date"])
        if order["order_state"] in ("REFUSED", "CANCELED"):
            if live and not any(line.despatched for line in live[0].lines):
                yield "ORD-013", "ORDER", order_id
            continue
        if order["order_state"] == "WAITING_ACCEPTANCE" and age > timedelta(hours=36):
            yield "ORD-012", "ORDER", order_id
        if not live:
            if order["order_state"] != "STAGING" and age > timedelta(minutes=30):
                yield "ORD-001", "ORDER", order_id
            continue
        if len(live) > 1:
            yield "ORD-003", "ORDER", order_id
        erp_order = live[0]
        if erp_order.currency != "GBP":
            yield "ORD-009", "ORDER", order_id
        if erp_order.customer != customer:
            yield "ORD-011", "ORDER", order_id
        if erp_order.marketplace != marketplace:
            yield "ORD-015", "ORDER", order_id
        wanted = {"SHIPPING": "LIVE"}.get(
            order["order_state"], "ON_HOLD" if order["order_state"].startswith("WAITING_") else "COMPLETE"
        )
        is_despatched = any(line.despatched for line in erp_order.lines)
        if is_despatched and any(line.despatched < line.quantity for line in erp_order.lines if not line.is_charge):
            # In part on its way: neither word fits, and level i counts the units.
            wanted = erp_order.status
        # Where only one side knows of a dispatch, their states cannot agree: that is level i's.
        if erp_order.status != wanted and is_despatched == any(x["shipped_date"] for x in order["order_lines"]):
            yield "ORD-010", "ORDER", order_id
        yield from order_lines(order, erp_order, books.tax_code)
        shipping = sum(
            x["shipping_price"] - cancelled(x, "shipping_amount") for x in order["order_lines"] if not is_dead(x)
        )
        charged = sum(x.net + (0 if is_elsewhere(order) else x.tax) for x in erp_order.lines if x.is_charge)
        if abs(shipping - charged) > PENNY:
            yield "ORD-007", "ORDER", order_id


def order_lines(order: dict[str, Any], erp_order: Order, tax_code: dict[str, str]) -> Iterator[Finding]:
    by_line = {x.order_line_id: x for x in erp_order.lines if not x.is_charge}
    for line in order["order_lines"]:
        line_id = line["order_line_id"]
        erp_line = by_line.get(line_id)
        quantity = 0 if is_dead(line) else line["quantity"] - cancelled(line, "quantity")
        if erp_line is None:
            if quantity:
                yield "ORD-004", "ORDER_LINE", line_id
            continue
        if not quantity:
            yield "ORD-014", "ORDER_LINE", line_id
            continue
        if erp_line.item != line["offer_sku"]:
            yield "ORD-004", "ORDER_LINE", line_id
        if erp_line.quantity != quantity:
            yield "ORD-005", "ORDER_LINE", line_id
        if is_elsewhere(order):
            # Tax that is not the seller's is no part of his price; a wrong code is the tax level's finding.
            if abs(erp_line.net - line["price_unit"] * erp_line.quantity) > PENNY:
                yield "ORD-006", "ORDER_LINE", line_id
            continue
        if abs(erp_line.net + erp_line.tax - line["price_unit"] * erp_line.quantity) > PENNY:
            yield "ORD-006", "ORDER_LINE", line_id
        if erp_line.tax_code != tax_code[line["offer_sku"]]:
            yield "ORD-008", "ORDER_LINE", line_id


def contracts_of(marketplace: str) -> dict[str, dict[str, str]]:
    rows = configuration_rows()["commission_contracts"]
    return {row["category_code"]: row for row in rows if row["marketplace_code"] == marketplace}


def settlement(world: World, marketplace: str) -> Iterator[Finding]:
    """Level b."""
    side = world.mirakl[marketplace]
    contracts = contracts_of(marketplace)
    by_line: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    by_refund: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    unknown_orders, unknown_types = set(), set()
    for row in side.transaction_lines:
        entities = row["entities"]
        if row["type"] not in MAPPED:
            unknown_types.add(row["type"])
        order_id = entities.get("order", {}).get("id")
        if order_id is not None and order_id not in side.orders:
            unknown_orders.add(order_id)
        elif "refund" in entities:
            by_refund[entities["refund"]["id"], row["type"]].append(row)
        elif "order_line" in entities:
            by_line[entities["order_line"]["id"], row["type"]].append(row)
        elif row["type"] == "SELLER_PENALTY_FEE":
            order = side.orders[order_id]
            shipped = order["order_lines"][0]["shipped_date"]
            if instant(shipped) <= instant(order["shipping_deadline"]):
                yield "SET-012", "TRANSACTION_LINE", row["id"]
    for order_id in unknown_orders:
        yield "SET-006", "ORDER", order_id
    for type_ in unknown_types:
        yield "SET-009", "TRANSACTION_TYPE", type_
    for rows in (*by_line.values(), *by_refund.values()):
        for duplicate in rows[1:]:
            yield "SET-007", "TRANSACTION_LINE", duplicate["id"]
    for order in side.orders.values():
        for line in order["order_lines"]:
            sale = {
                type_: by_line[line["order_line_id"], type_][:1]
                for type_ in ("ORDER_AMOUNT", "ORDER_SHIPPING_AMOUNT", "COMMISSION_FEE", "COMMISSION_VAT")
            }
            yield from sale_of_line(world, order, line, sale, contracts[line["category_code"]])
            yield from refunds_of_line(line, by_refund, contracts[line["category_code"]])


def sale_of_line(
    world: World,
    order: dict[str, Any],
    line: dict[str, Any],
    sale: dict[str, list[dict[str, Any]]],
    contract: dict[str, str],
) -> Iterator[Finding]:
    line_id = line["order_line_id"]
    subject = ("ORDER_LINE", line_id)
    base = line["price"] + (line["shipping_price"] if contract["base"] == "PRICE_PLUS_SHIPPING" else 0)
    for kind in ("taxes", "shipping_taxes") if contract["base"] == "PRICE_PLUS_SHIPPING" else ("taxes",):
        # Orders here that state a tax state it on top, and commission is taken on what the customer pays.
        base += sum(tax["amount"] for tax in line[kind])
    expected_fee = max(
        rounded(base * Decimal(contract["rate_percent"]) / 100), Decimal(contract["minimum_amount"] or 0)
    )
    if abs(line["commission_fee"] - expected_fee) > PENNY:
        yield "SET-003", *subject
    if is_dead(line) or not sale["ORDER_AMOUNT"]:
        if is_dead(line) and sale["ORDER_AMOUNT"]:
            yield "SET-010", *subject
        return
    amount = {type_: rows[0]["amount"] if rows else Decimal(0) for type_, rows in sale.items()}
    parts = line.get("price_amount_breakdown", {}).get("parts", [])
    funded = sum(part["amount"] for part in parts if not part["debitable_from_customer"])
    short = line["price"] - cancelled(line, "amount") - amount["ORDER_AMOUNT"]
    if short:
        yield "SET-013" if funded and short == funded else "SET-002", *subject
    if amount["ORDER_SHIPPING_AMOUNT"] != line["shipping_price"] - cancelled(line, "shipping_amount"):
        yield "SET-011", *subject
    fee = line["commission_fee"] - cancelled(line, "commission_amount")
    if -amount["COMMISSION_FEE"] != fee:
        yield "SET-004", *subject
    if abs(-amount["COMMISSION_VAT"] - rounded(-amount["COMMISSION_FEE"] * Decimal("0.2"))) > PENNY:
        yield "SET-005", *subject
    if sale["ORDER_AMOUNT"][0]["payment_state"] != "PAID" and line["received_date"]:
        received = instant(line["received_date"]).astimezone(LONDON).date()
        if world.as_of.astimezone(LONDON).date() > due(received):
            yield "SET-001", *subject


def due(received: date) -> date:
    """The next cut-off after the receipt, and two business days."""
    day = received + timedelta(days=1)
    while day.day not in (1, 11, 21):
        day += timedelta(days=1)
    return business_days_after(day, 2)


def business_days_after(day: date, count: int) -> date:
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5
    return day


def refunds_of_line(
    line: dict[str, Any], by_refund: dict[tuple[str, str], list[dict[str, Any]]], contract: dict[str, str]
) -> Iterator[Finding]:
    base = line["price"] + (line["shipping_price"] if contract["base"] == "PRICE_PLUS_SHIPPING" else 0)
    kept = Decimal(contract["retain_share_percent"] or 0)
    for refund in line["refunds"]:
        returned = refund["amount"]
        if contract["base"] == "PRICE_PLUS_SHIPPING":
            returned += refund["shipping_amount"]
        expected = rounded(line["commission_fee"] * returned / base * (100 - kept) / 100)
        rows = by_refund[refund["id"], "REFUND_COMMISSION_FEE"]
        actual = rows[0]["amount"] if rows else Decimal(0)
        assert actual == refund["commission_amount"]
        if abs(actual - expected) > PENNY:
            yield "SET-008", "REFUND", refund["id"]


def payouts(world: World, marketplace: str) -> Iterator[Finding]:
    """Level c."""
    side = world.mirakl[marketplace]
    net: dict[str, Decimal] = defaultdict(Decimal)
    payment: dict[str, Decimal] = defaultdict(Decimal)
    balance = gap = Decimal(0)
    gaps: list[tuple[datetime, Decimal]] = []
    previous = ""
    for row in side.transaction_lines:
        if row["currency_iso_code"] != "GBP":
            if row["payment_state"] != "NOT_APPLICABLE":
                yield "PAY-008", "CYCLE", row["seller_billing_cycle_id"]
            continue
        cycle_id = row.get("seller_billing_cycle_id")
        if row["payment_state"] == "PAID" and not cycle_id:
            yield "PAY-002", "TRANSACTION_LINE", row["id"]
        if cycle_id and row["type"] == "PAYMENT":
            payment[cycle_id] -= row["amount"]
        elif cycle_id:
            net[cycle_id] += row["amount"]
        gap = row["balance"] - balance - row["amount"]
        if gap:
            gaps.append((instant(row["date_created"]), gap))
        balance = row["balance"]
        previous = row["date_created"]
    assert previous
    opening = Decimal(0)
    waiting: list[str] = []
    for cycle in side.cycles:
        due_amount = opening + net[cycle["id"]]
        paid = cycle["amount_transferred_to_seller"]
        assert paid == payment[cycle["id"]]
        missing = paid - due_amount if paid else Decimal(0)
        if missing:
            explained = any(amount == missing for when, amount in gaps if when < instant(cycle["date_created"]))
            yield "PAY-009" if explained else "PAY-001", "CYCLE", cycle["id"]
        if due_amount < 0:
            yield "PAY-005", "CYCLE", cycle["id"]
        if paid and waiting:
            yield "PAY-006", "CYCLE", cycle["id"]
            waiting.clear()
        if due_amount > 0 and not paid:
            waiting.append(cycle["id"])
        opening = Decimal(0) if paid else due_amount
    for cycle_id in waiting:
        yield "PAY-004", "CYCLE", cycle_id


def changes(world: World, marketplace: str) -> Iterator[Finding]:
    """What a line says of its amount never changes."""
    side = world.mirakl[marketplace]
    now = {line["id"]: line["amount"] for line in side.transaction_lines}
    for line in side.earlier_transaction_lines:
        if line["amount"] != now[line["id"]]:
            yield "SET-014", "TRANSACTION_LINE", line["id"]


def stock(world: World, marketplace: str) -> Iterator[Finding]:
    """Level h."""
    side, books = world.mirakl[marketplace], books_of(world, marketplace)
    for name in books.warehouses - {"MAIN", "NORTH", "RETURNS"}:
        yield "STK-004", "WAREHOUSE", name
    free: dict[str, Decimal] = defaultdict(Decimal)
    for (item, warehouse), quantity in books.free.items():
        if warehouse in ("MAIN", "NORTH"):
            free[item] += quantity
    imported = {order.reference for order in books.orders}
    awaited: dict[str, int] = defaultdict(int)
    for order in side.orders.values():
        waits = order["order_state"].startswith("WAITING_") or order["order_state"] == "SHIPPING"
        if waits and order["order_id"] not in imported:
            for line in order["order_lines"]:
                if not is_dead(line):
                    awaited[line["offer_sku"]] += line["quantity"] - int(cancelled(line, "quantity"))
    rows = [row for row in world.truth["stock"] if row["marketplace_code"] == marketplace]
    expected_in_truth = {row["shop_sku"]: row["expected_quantity"] for row in rows}
    for item in books.tax_code:
        if free[item] < 0:
            yield "STK-007", "ITEM", item
    for offer in side.offers:
        sku = offer["shop_sku"]
        if sku not in expected_in_truth:
            continue
        inactive = sku in books.inactive
        expected = 0 if inactive else min(999, max(0, int(free[sku]) - awaited[sku] - 2))
        assert expected_in_truth[sku] == expected
        tolerance = max(Decimal(1), expected * Decimal("0.05"))
        if inactive:
            if offer["quantity"] or offer["active"]:
                yield "STK-003", "OFFER", sku
        elif offer["quantity"] > expected + tolerance:
            yield "STK-006" if offer["quantity"] == expected + 2 else "STK-001", "OFFER", sku
        elif offer["quantity"] < expected - tolerance:
            yield "STK-002", "OFFER", sku


def findings(world: World, marketplace: str = "BRICO") -> set[Finding]:
    """Everything of the levels worked out here."""
    found = {
        *orders(world, marketplace),
        *settlement(world, marketplace),
        *changes(world, marketplace),
        *payouts(world, marketplace),
        *stock(world, marketplace),
        *fee_taxes(world, marketplace),
        *sale_taxes(world, marketplace),
        *dispatches(world, marketplace),
        *plain_refunds.findings(world, marketplace),
        *plain_service.findings(world, marketplace),
        *offers(world, marketplace),
    }
    return found | set(plain_refunds.receivables(world, marketplace, found))
