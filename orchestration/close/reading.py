"""An entity's month as the published marts show it: what the close is decided by, and what its signatures stand for."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from orchestration.lib.published import Published

if TYPE_CHECKING:
    from orchestration.outbox import Figure

ACCRUAL_KINDS = ("ACCRUAL", "UNBILLED", "RECLASS", "FX_REVALUATION")


@dataclass(frozen=True, slots=True)
class Close:
    """An entity's month as the marts show it."""

    entity: str
    period: str
    checks: list[dict[str, Any]]
    rollforward: list[dict[str, Any]]
    figures: list[dict[str, Any]]
    tie_out: list[dict[str, Any]]
    ageing: list[dict[str, Any]]
    accruals: list[dict[str, Any]]
    first_period: str

    @property
    def left_open(self) -> list[str]:
        """Blocking checks that are not done."""
        return [row["check_code"] for row in self.checks if row["is_blocking"] and not row["is_done"]]

    @property
    def untied(self) -> Decimal:
        """Ledger less marketplace less listed items, over all marketplaces and currencies, without signs."""
        sums: dict[tuple[str, str], Decimal] = {}
        for row in self.tie_out:
            key = (row["marketplace_code"], row["currency_code"])
            sums[key] = sums.get(key, Decimal(0)) + (row["amount"] if row["side"] == "LEDGER" else -row["amount"])
        return sum((abs(one) for one in sums.values()), Decimal(0))

    @property
    def difference(self) -> Decimal:
        """Sum of what nothing explains and what arose in this month, without signs."""
        return sum((abs(row["difference_amount"]) for row in self.rollforward), Decimal(0))

    @property
    def signed_figures(self) -> list[Figure]:
        """What a signature stands for."""
        from orchestration.outbox import Figure

        return [
            Figure(row["marketplace_code"], row["figure_code"], row["currency_code"], str(row["restated_amount"]))
            for row in self.figures
        ]


def known_months(published: Published) -> list[tuple[str, str, str]]:
    """(entity, first month, last month) of every entity with books."""
    rows = published.rows(
        "SELECT entity_code, min(period) AS first, max(period) AS last FROM close_readiness GROUP BY 1 ORDER BY 1"
    )
    return [(str(row["entity_code"]), str(row["first"]), str(row["last"])) for row in rows]


def read_close(published: Published, entity: str, period: str) -> Close | None:
    """What the marts say about the month; None when they do not know it."""
    keys = {"entity_code": entity, "period": period}
    checks = published.select("close_readiness", keys, order_by=["check_code"])
    if not checks:
        return None
    debt = published.select(
        "reconciliation_debt", {"entity_code": entity}, order_by=["exception_code", "marketplace_code", "oldest_days"]
    )
    journals = published.select("journals", keys, order_by=["kind", "journal_key"])
    first = published.rows("SELECT min(period) AS period FROM close_readiness WHERE entity_code = ?", [entity])
    return Close(
        entity=entity,
        period=period,
        checks=checks,
        rollforward=published.rows(_ROLL_FORWARD, [entity, period]),
        figures=published.select("period_figures", keys, order_by=["marketplace_code", "figure_code"]),
        tie_out=published.rows(_TIE_OUT, [entity]),
        ageing=[row for row in debt if row["exception_code"] is not None],
        accruals=[row for row in journals if any(word in row["kind"] for word in ACCRUAL_KINDS)],
        first_period=str(first[0]["period"]),
    )


_ROLL_FORWARD = """
    SELECT * EXCLUDE (difference_amount, unexplained_amount), unexplained_amount - brought_forward_amount
        AS difference_amount
    FROM (
        SELECT *, lag(unexplained_amount, 1, 0) OVER (
            PARTITION BY marketplace_code, account_role, currency_code ORDER BY period
        ) AS brought_forward_amount
        FROM clearing_rollforward
        WHERE entity_code = ?
    )
    WHERE period = ?
    ORDER BY marketplace_code, account_role, currency_code
"""
"""What nothing explains is told once, in the month in which it arose (CLR-001); after that it is brought forward."""


_TIE_OUT = """
    SELECT marketplace_code, currency_code, side, item_kind, count(*) AS item_count,
        sum(amount)::DECIMAL(18, 2) AS amount
    FROM balance_tie_out
    WHERE entity_code = ?
    GROUP BY marketplace_code, currency_code, side, item_kind
    ORDER BY marketplace_code, currency_code, CASE side WHEN 'ITEM' THEN 2 ELSE 1 END, side, item_kind
"""
