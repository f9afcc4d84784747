"""What the orders lane did in a demo, and whether every order that waited has been created, proved and accepted.

The lane runs after the findings were compared with the truth: it takes away what the truth says of orders that are not
in the ERP or not accepted.
"""

from typing import Any

from sandbox.demo_findings import Marts, Summary

KINDS = "('SALES_ORDER', 'ACCEPTANCE')"


def examine_orders(summary: Summary, marts: Marts) -> None:
    """Adds what was delivered to the summary, and what was left undone to its problems."""
    rows = marts.rows(
        f"""
        select vendor, account, kind, state, count(*) as action_count, sum(amount) as amount
        from marts.actions where kind in {KINDS} group by all order by vendor, account, kind, state
        """  # noqa: S608
    )
    kept = [row for row in summary.delivered if row["kind"] not in ("SALES_ORDER", "ACCEPTANCE")]
    summary.delivered = sorted([*kept, *rows], key=_order)
    summary.problems += [
        f"{row['action_count']} {row['kind']} actions of {row['account']} are {row['state']}, not proved"
        for row in rows
        if row["state"] != "VERIFIED"
    ]
    if not any(row["kind"] == "ACCEPTANCE" for row in rows):
        summary.problems.append("no order was accepted")
    left = marts.rows(
        """
        select marketplace_code, order_id, waits_for, summary from marts.deadlines
        where deadline = 'ACCEPTANCE' and waits_for <> 'DATA' order by due_at, order_id
        """
    )
    summary.problems += [f"order {row['order_id']} still waits for acceptance: {row['summary']}" for row in left]


def _order(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in ("vendor", "account", "kind", "state"))
