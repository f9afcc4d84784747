"""Pay-outs: from the cycle to its lines, documents, bank receipts and journals, down to the single line."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from app.asking import Ask, NotHere, Page
from app.charts import waterfall
from app.pages.explain import sections_of
from app.rendering import explained
from app.tables import Column, Filter, Query, Row, Table
from orchestration.lib.explaining.chains import Explainer
from orchestration.lib.explaining.finding import Subject


def page_of(row: Row) -> str:
    """Address of a pay-out."""
    return f"/payouts/{quote(str(row['marketplace_code']), safe='')}/{quote(str(row['billing_cycle_id']), safe='')}"


RESIDUAL = "c.payout_amount - c.received_amount - c.bank_fee_amount"
CYCLES = f"""
    SELECT c.*, CASE WHEN c.pay_out_state = 'PAID' AND c.paying_cycle_id = c.billing_cycle_id
        AND e.perspective IS DISTINCT FROM 'OPERATOR' THEN {RESIDUAL} END AS residual_amount,
        r.status AS match_status, r.exception_code
    FROM fct_cycles AS c
    LEFT JOIN (SELECT DISTINCT marketplace_code, perspective FROM channel_profitability) AS e
        ON e.marketplace_code = c.marketplace_code
    LEFT JOIN rec_receipts AS r
        ON r.marketplace_code = c.marketplace_code AND r.subject_type = 'PAYOUT' AND r.subject_id = c.billing_cycle_id
"""
LINES = (
    Column("line_date", "Date", "date"),
    Column("transaction_line_id", "Line", "text", explained("transaction_line_id")),
    Column("transaction_type", "Type", "code"),
    Column("fee_type", "Fee type", "words"),
    Column("account_role", "Booked to", "words"),
    Column("order_id", "Order", "text", explained("order_id")),
    Column("document_number", "Document", "text"),
    Column("amount", "Amount", "money"),
    Column("order_match_status", "Status", "state", note="order_exception_code"),
)


def listing(ask: Ask) -> Page:
    """Every cycle with what was paid out and what arrived."""
    table = Table(
        "Pay-outs",
        (
            Column("cycle_date", "Cycle", "date", page_of),
            Column("marketplace_code", "Market", "code", note="shop_id"),
            Column("billing_cycle_id", "Id", "text", page_of),
            Column("opening_amount", "Opening", "money"),
            Column("net_amount", "Net", "money"),
            Column("payout_amount", "Paid out", "money"),
            Column("closing_amount", "Carried on", "money"),
            Column("received_amount", "Received", "money"),
            Column("bank_fee_amount", "Bank fee", "money"),
            Column("residual_amount", "Missing", "money"),
            Column("pay_out_state", "State", "state"),
            Column("match_status", "Bank", "state", note="exception_code"),
        ),
        Query(CYCLES),
        sort="-cycle_date",
        totals=("net_amount", "payout_amount", "received_amount", "bank_fee_amount", "residual_amount"),
        filters=(
            Filter("marketplace_code", "Marketplace"),
            Filter("pay_out_state", "State"),
            Filter("match_status", "Bank"),
        ),
        search=("billing_cycle_id", "voucher_number", "pay_out_reference", "document_number", "shop_id"),
        nothing="No cycle has been read yet.",
    )
    return Page("table.html", "Pay-outs", {"lead": ""}, {"table": table})


def one(ask: Ask) -> Page:
    """One pay-out: the arithmetic, the bridge from sales to cash, documents, bank, journals, and every line."""
    marketplace, cycle = ask.path("marketplace"), ask.path("cycle")
    keys = {"marketplace_code": marketplace, "billing_cycle_id": cycle}
    rows = ask.published.select("fct_cycles", keys)
    if not rows:
        raise NotHere(f"{marketplace} has no cycle {cycle}. Look under Pay-outs.")
    node = Explainer(ask.published).explain(Subject("PAYOUT", cycle, marketplace))
    sections, tables = sections_of([node])
    of_cycle = "marketplace_code = ? AND billing_cycle_id = ?"
    steps = ask.published.select("settlement_bridge", keys, order_by=("step_no",))
    tables |= {
        "lines": Table(
            "Lines",
            LINES,
            Query(f"SELECT * FROM fct_settlement_lines WHERE {of_cycle}", list(keys.values())),
            name="lines",
            sort="line_date",
            totals=("amount",),
            filters=(
                Filter("fee_type", "Fee type"),
                Filter("transaction_type", "Type"),
                Filter("order_match_status", "Status"),
            ),
            search=("transaction_line_id", "order_id", "document_number"),
            page_rows=25,
        ),
        "documents": Table(
            "Documents",
            (
                Column("left_id", "Document", "text", explained("left_id")),
                Column("rule_code", "Check", "code"),
                Column("status", "Status", "state", note="exception_code"),
                Column("expected_amount", "Expected", "money"),
                Column("actual_amount", "Actual", "money"),
                Column("delta_amount", "Difference", "money"),
                Column("summary", "What", "long", is_sortable=False),
            ),
            Query(f"SELECT * FROM rec_documents WHERE {of_cycle}", list(keys.values())),
            name="documents",
            sort="left_id",
            nothing="The operator has issued no document for this cycle.",
        ),
        "bridge": Table(
            "From sales to cash",
            (Column("step_name", "Step"), Column("amount", "Amount", "money", lambda _: "#lines")),
            steps,
            name="bridge",
        ),
    }
    title = f"Pay-out of {marketplace}, {ask.formats.day(rows[0]['cycle_date'])}"
    values = {"sections": sections, "chart": bridge_chart(ask, steps, title), "row": rows[0]}
    return Page("payout.html", title, values, tables)


def bridge_chart(ask: Ask, steps: list[dict[str, Any]], title: str) -> Markup | None:
    """The steps as a waterfall; what leaves (pay-out, balance carried) is where it ends."""
    if not steps:
        return None
    bars = [(str(row["step_name"]), Decimal(row["amount"]), False) for row in steps if row["amount"]]
    return waterfall(bars, ask.formats, f"{title}: from sales to cash")
