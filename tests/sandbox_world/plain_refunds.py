"""A second opinion on level j: refunds, credit notes, returns and sales, in the plainest way from the records."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.world import World
from tests.sandbox_world.plain_books import Books, Credit, books_of

PENNY = Decimal("0.01")
LONDON = ZoneInfo("Europe/London")
RETURN_DAYS = 14
Finding = tuple[str, str, str]
Row = dict[str, Any]


def _day(text: str) -> date:
    return datetime.fromisoformat(text).astimezone(LONDON).date()


def _next_working_day(day: date) -> date:
    """A weekend counts as the Friday before it."""
    while day.weekday() > 4:
        day -= timedelta(days=1)
    return day + timedelta(days=3 if day.weekday() == 4 else 1)


def _vat(gross: Decimal, rate: Decimal) -> Decimal:
    return (gross * rate / (100 + rate)).quantize(PENNY, rounding=ROUND_HALF_UP)


def findings(world: World, marketplace: str) -> Iterator[Finding]:
    """Level j of a marketplace, with the books where it has some."""
    side = world.mirakl[marketplace]
    lines = {line["order_line_id"]: line for order in side.orders.values() for line in order["order_lines"]}
    today = world.as_of.astimezone(LONDON).date()
    under_way = {
        line["order_line_id"]
        for record in side.returns
        if record["state"] in ("WAITING_ACCEPTANCE", "IN_PROGRESS")
        for line in record["return_lines"]
    }
    for line_id, line in lines.items():
        yield from _sold(line_id, line)
        yield from _tax_shares(line)
        for refund in line["refunds"]:
            if line_id in under_way and (today - _day(refund["created_date"])).days > RETURN_DAYS:
                yield "CRN-005", "REFUND", refund["id"]
    if side.perspective == "SELLER":
        yield from _books(side.orders, books_of(world, marketplace), f"MK{marketplace}", today)


def _left(line: Row, field: str, cancelled: str) -> Decimal:
    return Decimal(line[field]) - sum((Decimal(c[cancelled]) for c in line["cancelations"]), Decimal(0))


def _sold(line_id: str, line: Row) -> Iterator[Finding]:
    goods = sum((Decimal(r["amount"]) for r in line["refunds"]), Decimal(0))
    carriage = sum((Decimal(r["shipping_amount"]) for r in line["refunds"]), Decimal(0))
    if goods > _left(line, "price", "amount") or carriage > _left(line, "shipping_price", "shipping_amount"):
        yield "CRN-004", "ORDER_LINE", line_id


def _tax_shares(line: Row) -> Iterator[Finding]:
    charged = sum((Decimal(tax["amount"]) for tax in line["taxes"]), Decimal(0))
    sold = _left(line, "price", "amount")
    before = Decimal(0)
    for refund in line["refunds"] if charged else ():
        until = before + refund["amount"]
        share = [(charged * part / sold).quantize(PENNY, rounding=ROUND_HALF_UP) for part in (before, until)]
        given = sum((Decimal(tax["amount"]) for tax in refund["taxes"]), Decimal(0))
        if abs(given - (share[1] - share[0])) > PENNY:
            yield "CRN-006", "REFUND", refund["id"]
        before = until


def _books(orders: dict[str, Row], books: Books, customer: str, today: date) -> Iterator[Finding]:
    erp_orders = {order.reference: order for order in books.orders if order.is_live}
    named: dict[str, list[Credit]] = defaultdict(list)
    for credit in books.credits:
        if credit.customer == customer:
            named[credit.names].append(credit)
    for order_id, order in orders.items():
        erp_order = erp_orders.get(order_id)
        for line in order["order_lines"]:
            for place, refund in enumerate(line["refunds"]):
                gross = refund["amount"] + refund["shipping_amount"]
                credits = named.pop(refund["id"], []) or _take(named[line["order_line_id"]], gross)
                if not credits:
                    is_late = today > _next_working_day(_day(refund["created_date"]))
                    if is_late and (erp_order is None or erp_order.status == "COMPLETE"):
                        yield "CRN-002", "REFUND", refund["id"]
                elif abs(sum(c.gross for c in credits) - gross) > PENNY:
                    yield "CRN-003", "REFUND", refund["id"]
                elif erp_order is not None:
                    erp_line = next(x for x in erp_order.lines if x.order_line_id == line["order_line_id"])
                    rate = (erp_line.tax * 100 / erp_line.net).quantize(Decimal(1))
                    before = line["refunds"][:place]
                    expected = sum(
                        _vat(sum((r[f] for r in before), refund[f]), rate)
                        - _vat(sum((r[f] for r in before), Decimal(0)), rate)
                        for f in ("amount", "shipping_amount")
                    )
                    if abs(sum(c.tax for c in credits) - expected) > 2 * PENNY:
                        yield "CRN-006", "REFUND", refund["id"]
    for rest in named.values():
        for credit in rest:
            if today > _next_working_day(credit.day):
                yield "CRN-001", "CREDIT_NOTE", credit.number


def _take(credits: list[Credit], gross: Decimal) -> list[Credit]:
    found = next((credit for credit in credits if credit.gross == gross), None)
    if found is None:
        return []
    credits.remove(found)
    return [found]


def receivables(world: World, marketplace: str, others: set[Finding]) -> Iterator[Finding]:
    """What a settled order leaves on the customer account, where no finding of `others` is about that order."""
    side, books = world.mirakl[marketplace], books_of(world, marketplace)
    today = world.as_of.astimezone(LONDON).date()
    left: dict[str, Decimal] = defaultdict(Decimal)
    for invoice in books.invoices:
        left[invoice.names] += invoice.gross
    order_of = {
        name: order_id
        for order_id, order in side.orders.items()
        for line in order["order_lines"]
        for name in (line["order_line_id"], *(refund["id"] for refund in line["refunds"]))
    }
    known: set[str] = set()
    for credit in books.credits:
        order_id = order_of.get(credit.names, "")
        left[order_id] -= credit.gross
        if ("CRN-001", "CREDIT_NOTE", credit.number) in others or today <= _next_working_day(credit.day):
            known.add(order_id)
    waiting: set[str] = set()
    remitted = {
        (row["entities"]["order_line"]["id"], row["type"].removeprefix("OPERATOR_REMITTED_"))
        for row in side.transaction_lines
        if row["type"].startswith("OPERATOR_REMITTED_")
    }
    for row in side.transaction_lines:
        order_id = row["entities"].get("order", {}).get("id", "")
        if row["type"].removeprefix("REFUND_").removesuffix("_TAX") in ("ORDER_AMOUNT", "ORDER_SHIPPING_AMOUNT"):
            if (row["entities"]["order_line"]["id"], row["type"]) in remitted:
                continue
            left[order_id] -= row["amount"]
            if not row.get("seller_billing_cycle_id"):
                waiting.add(order_id)
    named = {subject for _, _, subject in others}
    lines_named = {row["id"] for row in side.transaction_lines} & named
    for row in side.transaction_lines:
        if row["id"] in lines_named:
            known.add(row["entities"].get("order", {}).get("id", ""))
    for order_id, order in side.orders.items():
        refunds = [refund for line in order["order_lines"] for refund in line["refunds"]]
        subjects = {order_id, *(x["order_line_id"] for x in order["order_lines"]), *(x["id"] for x in refunds)}
        is_young = any(today <= _next_working_day(_day(refund["created_date"])) for refund in refunds)
        is_open = order_id in waiting or not order["order_lines"][0]["received_date"]
        if abs(left[order_id]) > 5 * PENNY and not (subjects & named or order_id in known or is_open or is_young):
            yield "CLR-003", "RECEIVABLE", order_id
