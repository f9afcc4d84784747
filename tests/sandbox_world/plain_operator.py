"""A second opinion on an operator's marketplace: levels b, c and d worked out in the plainest way from its records.

Like `plain_reconciler` it knows the rules of the accounting reference and nothing of how the world was made. Everything
is per seller: a balance never nets one seller against another.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox.world import MiraklWorld, World
from tests.sandbox_world import plain_refunds
from tests.sandbox_world.plain_dispatches import parcels
from tests.sandbox_world.plain_documents import is_somebody_else
from tests.sandbox_world.plain_reconciler import (
    LONDON,
    PENNY,
    Finding,
    business_days_after,
    cancelled,
    changes,
    contracts_of,
    due,
    instant,
    is_dead,
    refunds_of_line,
    rounded,
)

Line = dict[str, Any]
SALE = ("ORDER_AMOUNT", "ORDER_SHIPPING_AMOUNT")
UNMAPPED = {"PURCHASE_COMMISSION_FEE", "PURCHASE_SHIPPING_COMMISSION_FEE"}
RESERVE_DAYS = 45
CHARGED = {
    "COMMISSION_FEE",
    "REFUND_COMMISSION_FEE",
    "SUBSCRIPTION_FEE",
    "SELLER_FEE_ON_ORDER",
    "SELLER_PENALTY_FEE",
}
TAX_CHARGED = {
    "COMMISSION_VAT",
    "REFUND_COMMISSION_VAT",
    "SUBSCRIPTION_VAT",
    "SELLER_FEE_ON_ORDER_TAX",
    "SELLER_PENALTY_FEE_TAX",
}
FEES = {"SUBSCRIPTION_FEE": Decimal(-29), "SELLER_PENALTY_FEE": Decimal(-5), "SELLER_FEE_ON_ORDER": Decimal("-0.35")}


def counted(side: MiraklWorld) -> list[Line]:
    """Every line that moves a balance."""
    return [line for line in side.transaction_lines if line["payment_state"] != "NOT_APPLICABLE"]


def total(lines: list[Line]) -> Decimal:
    return sum((line["amount"] for line in lines), Decimal(0))


def taxes(record: dict[str, Any], name: str) -> Decimal:
    return sum((tax["amount"] for tax in record[name]), Decimal(0))


def settlement(world: World, marketplace: str) -> Iterator[Finding]:
    """Level b."""
    side = world.mirakl[marketplace]
    contracts = contracts_of(marketplace)
    by_line: dict[tuple[str, str], list[Line]] = defaultdict(list)
    by_refund: dict[tuple[str, str], list[Line]] = defaultdict(list)
    unknown_orders, unknown_types = set(), set()
    for row in counted(side):
        entities = row["entities"]
        order_id = entities.get("order", {}).get("id")
        if row["type"] in UNMAPPED:
            unknown_types.add(row["type"])
        if order_id is not None and order_id not in side.orders:
            unknown_orders.add(order_id)
            continue
        if order_id is not None:
            assert side.orders[order_id]["shop_id"] == row["shop"]["id"]
        if "refund" in entities:
            by_refund[entities["refund"]["id"], row["type"]].append(row)
        elif "order_line" in entities:
            by_line[entities["order_line"]["id"], row["type"]].append(row)
        yield from fee(row, side.orders.get(order_id or ""))
    for order_id in unknown_orders:
        yield "SET-006", "ORDER", order_id
    for type_ in unknown_types:
        yield "SET-009", "TRANSACTION_TYPE", type_
    for order in side.orders.values():
        for line in order["order_lines"]:
            yield from sale_of_line(world, order, line, by_line, contracts[line["category_code"]])
            yield from refunds_of_line(line, by_refund, contracts[line["category_code"]])
            check_refunds(line, by_refund)


def fee(row: Line, order: dict[str, Any] | None) -> Iterator[Finding]:
    if row["type"] not in FEES:
        return
    is_deserved = row["amount"] == FEES[row["type"]]
    if row["type"] == "SELLER_PENALTY_FEE" and order is not None:
        shipped = [instant(line["shipped_date"]) for line in order["order_lines"] if line["shipped_date"]]
        is_deserved &= max(shipped) > instant(order["shipping_deadline"])
    if not is_deserved:
        yield "SET-012", "TRANSACTION_LINE", row["id"]


def sale_of_line(
    world: World,
    order: dict[str, Any],
    line: dict[str, Any],
    by_line: dict[tuple[str, str], list[Line]],
    contract: dict[str, str],
) -> Iterator[Finding]:
    line_id = line["order_line_id"]
    subject = ("ORDER_LINE", line_id)
    base = line["price"] + (line["shipping_price"] if contract["base"] == "PRICE_PLUS_SHIPPING" else 0)
    expected_fee = max(
        rounded(base * Decimal(contract["rate_percent"]) / 100), Decimal(contract["minimum_amount"] or 0)
    )
    assert abs(line["commission_fee"] - expected_fee) <= PENNY
    goods, shipping, commission, vat = (
        by_line[line_id, type_] for type_ in (*SALE, "COMMISSION_FEE", "COMMISSION_VAT")
    )
    if is_dead(line) or not goods:
        assert not goods
        return
    net = line["price"] - cancelled(line, "amount")
    fee_due = line["commission_fee"] - cancelled(line, "commission_amount")
    # Parcels divide a sale; one line too many is as much as there already is.
    if total(commission) != -fee_due and total(commission[:-1]) == -fee_due:
        yield "SET-007", "TRANSACTION_LINE", commission.pop()["id"]
    if -total(commission) != fee_due:
        yield "SET-004", *subject
    assert abs(total(vat) - rounded(total(commission) * Decimal(contract["vat_percent"]) / 100)) <= PENNY
    parts = line.get("price_amount_breakdown", {}).get("parts", [])
    funded = sum(part["amount"] for part in parts if not part["debitable_from_customer"])
    short = net - total(goods)
    if short:
        yield "SET-013" if funded and short == funded else "SET-002", *subject
    if total(shipping) != line["shipping_price"] - cancelled(line, "shipping_amount"):
        yield "SET-011", *subject
    for type_, name in (("ORDER_AMOUNT_TAX", "taxes"), ("ORDER_SHIPPING_AMOUNT_TAX", "shipping_taxes")):
        assert total(by_line[line_id, type_]) == taxes(line, name)
        kept = all(part["payable_to_shop"] for tax in line[name] for part in tax["amount_breakdown"]["parts"])
        assert total(by_line[line_id, f"OPERATOR_REMITTED_{type_}"]) == (0 if kept else -taxes(line, name))
    if line["received_date"] and not order["has_incident"] and any(x["payment_state"] != "PAID" for x in goods):
        received = instant(line["received_date"]).astimezone(LONDON).date()
        assert world.as_of.astimezone(LONDON).date() <= due(received), line_id


def check_refunds(line: dict[str, Any], by_refund: dict[tuple[str, str], list[Line]]) -> None:
    """Settled as the order says; whether its tax came back in proportion is level j."""
    for refund in line["refunds"]:
        for type_, amount in (
            ("REFUND_ORDER_AMOUNT", refund["amount"]),
            ("REFUND_ORDER_SHIPPING_AMOUNT", refund["shipping_amount"]),
            ("REFUND_ORDER_AMOUNT_TAX", taxes(refund, "taxes")),
            ("REFUND_ORDER_SHIPPING_AMOUNT_TAX", taxes(refund, "shipping_taxes")),
        ):
            assert total(by_refund[refund["id"], type_]) == -amount


def payouts(world: World, marketplace: str) -> Iterator[Finding]:
    """Level c, one seller at a time."""
    side = world.mirakl[marketplace]
    lines_of: dict[int, list[Line]] = defaultdict(list)
    cycles_of: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for line in side.transaction_lines:
        lines_of[line["shop"]["id"]].append(line)
    for cycle in side.cycles:
        cycles_of[cycle["shop"]["shop_id"]].append(cycle)
    for shop in side.shops:
        yield from payouts_of_seller(lines_of[shop["shop_id"]], cycles_of[shop["shop_id"]])


def payouts_of_seller(lines: list[Line], cycles: list[dict[str, Any]]) -> Iterator[Finding]:
    net: dict[str, Decimal] = defaultdict(Decimal)
    payment: dict[str, Decimal] = defaultdict(Decimal)
    gaps: list[tuple[datetime, Decimal]] = []
    balance = Decimal(0)
    for line in lines:
        if line["currency_iso_code"] != "GBP":
            if line["payment_state"] != "NOT_APPLICABLE":
                yield "PAY-008", "CYCLE", line["seller_billing_cycle_id"]
            continue
        if line["payment_state"] == "NOT_APPLICABLE":
            assert line["balance"] == balance
            continue
        cycle_id = line.get("seller_billing_cycle_id")
        if line["payment_state"] == "PAID" and not cycle_id:
            yield "PAY-002", "TRANSACTION_LINE", line["id"]
        if cycle_id and line["type"] == "PAYMENT":
            payment[cycle_id] -= line["amount"]
        elif cycle_id:
            net[cycle_id] += line["amount"]
        if line["balance"] - balance != line["amount"]:
            gaps.append((instant(line["date_created"]), line["balance"] - balance - line["amount"]))
        balance = line["balance"]
    opening = Decimal(0)
    failed: list[str] = []
    is_owed = False
    for cycle in cycles:
        paid = cycle["amount_transferred_to_seller"]
        assert paid == payment[cycle["id"]]
        difference = paid - opening - net[cycle["id"]] if paid else Decimal(0)
        if difference:
            if any(amount == difference for when, amount in gaps if when < instant(cycle["date_created"])):
                yield "PAY-009", "CYCLE", cycle["id"]
            else:
                yield "PAY-003" if paid == net[cycle["id"]] else "PAY-001", "CYCLE", cycle["id"]
        opening = Decimal(0) if paid else opening + net[cycle["id"]]
        if paid:
            if is_owed:
                yield "PAY-006", "CYCLE", cycle["id"]
            is_owed, failed = False, []
        elif opening < 0:
            yield "PAY-005", "CYCLE", cycle["id"]
        elif opening > 0:
            is_owed = True
        if cycle["pay_out"]["state"] == "FAILED":
            failed.append(cycle["id"])
    for cycle_id in failed:
        yield "PAY-004", "CYCLE", cycle_id


def reserves(world: World, marketplace: str) -> Iterator[Finding]:
    """Level c: a reserve is to be given back, oldest first, within 45 days of the cycle that took it."""
    side = world.mirakl[marketplace]
    today = world.as_of.astimezone(LONDON).date()
    date_of = {cycle["id"]: instant(cycle["date_created"]).astimezone(LONDON).date() for cycle in side.cycles}
    held: dict[int, list[list[Any]]] = defaultdict(list)
    for line in counted(side):
        shop_id = line["shop"]["id"]
        if line["type"] == "RESERVE_FUNDING":
            held[shop_id].append([line["seller_billing_cycle_id"], -line["amount"]])
        if line["type"] == "RESERVE_SETTLEMENT":
            left = line["amount"]
            for each in held[shop_id]:
                part = min(left, each[1])
                each[1] -= part
                left -= part
            assert not left
    for shop in side.shops:
        rows = held[shop["shop_id"]]
        assert shop["payment_details"]["reserve_balance"] == sum(amount for _, amount in rows)
        for cycle_id, amount in rows:
            if amount and date_of[cycle_id] + timedelta(days=RESERVE_DAYS) < today:
                yield "PAY-007", "CYCLE", cycle_id


def statements(world: World, marketplace: str) -> Iterator[Finding]:
    """What is stated of a seller's balance is what its lines add up to, those included that were never delivered."""
    side = world.mirakl[marketplace]
    totals: dict[int, Decimal] = defaultdict(Decimal)
    for line in (*side.transaction_lines, *side.hidden_transaction_lines):
        if line["payment_state"] != "NOT_APPLICABLE" and line["currency_iso_code"] == "GBP":
            totals[line["shop"]["id"]] += line["amount"]
    for shop in side.shops:
        stated = shop["payment_details"]
        if stated["pending_balance"] + stated["payable_balance"] != totals[shop["shop_id"]]:
            yield "CLR-005", "SHOP", str(shop["shop_id"])


def documents(world: World, marketplace: str) -> Iterator[Finding]:
    """Level d."""
    side = world.mirakl[marketplace]
    net: dict[str, Decimal] = defaultdict(Decimal)
    tax: dict[str, Decimal] = defaultdict(Decimal)
    for line in counted(side):
        cycle_id = line.get("seller_billing_cycle_id", "")
        if line["type"] in CHARGED:
            net[cycle_id] -= line["amount"]
        if line["type"] in TAX_CHARGED:
            tax[cycle_id] -= line["amount"]
    issued: dict[str, list[dict[str, Any]]] = defaultdict(list)
    sellers = {shop["shop_id"]: shop["pro_details"] for shop in side.shops}
    for document in side.invoices:
        seller = sellers[document["shop_id"]]
        if is_somebody_else(document, seller["corporate_name"], seller["tax_identification_number"]):
            yield "INV-007", "DOCUMENT", document["id"]
        assert side.invoice_files[document["id"]].startswith(b"%PDF-")
        if document["type"] == "AUTO_INVOICE":
            issued[document["seller_billing_cycle_id"]].append(document)
    for cycle in side.cycles:
        cycle_id = cycle["id"]
        found = sorted(issued[cycle_id], key=lambda document: int(document["invoice_id"]))
        created = instant(cycle["date_created"]).astimezone(LONDON).date()
        if not found and (net[cycle_id] or tax[cycle_id]):
            if world.as_of.astimezone(LONDON).date() > business_days_after(created, 2):
                yield "INV-001", "CYCLE", cycle_id
            continue
        for document in found[1:]:
            yield "INV-006", "DOCUMENT", document["id"]
        for document in found[:1]:
            charged = document["total_amount_excl_taxes"]
            if charged != net[cycle_id]:
                yield "INV-002", "DOCUMENT", document["id"]
            if abs(document["total_amount_incl_taxes"] - charged - tax[cycle_id]) > PENNY:
                yield "INV-003", "DOCUMENT", document["id"]
            if document["summary"]["amount_transferred"] != cycle["amount_transferred_to_seller"]:
                yield "INV-004", "DOCUMENT", document["id"]


def findings(world: World, marketplace: str = "PLAZA") -> set[Finding]:
    """Everything of levels b, c, d, i and j and of the balances of one operator's marketplace."""
    levels = (settlement, changes, payouts, reserves, statements, documents, plain_refunds.findings, parcels)
    return {finding for level in levels for finding in level(world, marketplace)}
