"""What of the past was never reconciled?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from orchestration.examination.finding import Facts, Found, Impact, by_amount, check, counted

OLD_DAYS = 30
RETURNS = 3
"""An exception that came back so often is not put right where it arises."""


@check(
    "HIS-1",
    "history",
    Impact.HIGH,
    "Pay-outs and receipts without their counterpart for a month",
    why="After a while nobody can find out any more, and claims lapse.",
    remedy="Chase the operator or the bank, match by hand (`tieout match`), or write off with a reason.",
)
def old_unmatched(facts: Facts) -> Iterator[Found]:
    rows = facts.rows(
        """
        select marketplace_code, subject_type, currency_code, count(*) as items, max(days_open) as oldest,
            sum(abs(residual_amount)) as amount
        from unmatched_payouts where days_open > $1 group by 1, 2, 3
        """,
        [OLD_DAYS],
    )
    for row in by_amount(rows):
        yield Found(
            f"{row['marketplace_code']} {row['subject_type']}",
            f"{counted(row['items'], 'item')} open for more than {OLD_DAYS} days, the oldest for {row['oldest']}.",
            f"select * from unmatched_payouts where days_open > {OLD_DAYS}",
            row["amount"],
            row["currency_code"],
        )


@check(
    "HIS-2",
    "history",
    Impact.MEDIUM,
    "Old items on the clearing accounts",
    why="A clearing account that is never empty hides what is new on it.",
    remedy="Clear each: chase, correct, or write off; those from before going live belong to somebody by name.",
)
def old_clearing_items(facts: Facts) -> Iterator[Found]:
    rows = facts.rows(
        """
        select marketplace_code, item_kind, currency_code, count(*) as items, max(days_open) as oldest,
            sum(abs(open_amount)) as amount
        from clearing_open_items where days_open > $1 group by 1, 2, 3
        """,
        [OLD_DAYS],
    )
    for row in by_amount(rows):
        yield Found(
            f"{row['marketplace_code']} {row['item_kind']}",
            f"{counted(row['items'], 'item')}, the oldest {row['oldest']} days old.",
            f"select * from clearing_open_items where days_open > {OLD_DAYS}",
            row["amount"],
            row["currency_code"],
        )


@check(
    "HIS-3",
    "history",
    Impact.MEDIUM,
    "Exceptions beyond their deadline",
    why="A deadline that nobody keeps is no deadline.",
    remedy="Work them off, oldest first; accept with a reason what stays; move deadlines that nobody means.",
)
def overdue_exceptions(facts: Facts) -> Iterator[Found]:
    rows = facts.rows(
        """
        select owner_team, currency_code, count(*) as items, min(due_at) as oldest, sum(amount_at_risk) as amount
        from exceptions where status = 'OPEN' and due_at < $1 group by 1, 2
        """,
        [facts.now],
    )
    for row in by_amount(rows):
        yield Found(
            row["owner_team"],
            f"{counted(row['items'], 'exception')} overdue, the oldest since {row['oldest']:%Y-%m-%d}.",
            "select * from exceptions where status = 'OPEN' order by due_at",
            row["amount"],
            row["currency_code"],
        )


@check(
    "HIS-4",
    "history",
    Impact.MEDIUM,
    "Exceptions that keep coming back",
    why="The cause is still there: somebody mends the same thing again and again.",
    remedy="Look for what they have in common (`tieout explain ID`), and mend it where it arises.",
)
def recurring(facts: Facts) -> Iterator[Found]:
    rows = facts.rows(
        """
        select marketplace_code, exception_code, title, currency_code, count(*) as items,
            max(times_opened) as often, sum(amount_at_risk) as amount
        from exceptions where times_opened >= $1 group by 1, 2, 3, 4
        """,
        [RETURNS],
    )
    for row in by_amount(rows):
        yield Found(
            f"{row['marketplace_code']} {row['exception_code']}",
            f"{row['title']}: {counted(row['items'], 'exception')} came back, one of them {row['often']} times.",
            f"select * from exceptions where times_opened >= {RETURNS}",
            row["amount"],
            row["currency_code"],
        )


@check(
    "HIS-5",
    "history",
    Impact.MEDIUM,
    "Months that were never closed",
    why="Their figures still move, and nobody has signed them.",
    remedy="`tieout close PERIOD`: work off what blocks, sign, lock (docs/close.md).",
)
def open_months(facts: Facts) -> Iterator[Found]:
    last = facts.now.date().replace(day=1) - timedelta(days=1)
    due = (date(last.year, last.month, 1) - timedelta(days=1)).strftime("%Y-%m")
    for row in facts.rows(
        """
        select entity_code, period, sum(case when is_blocking and not is_done then 1 else 0 end) as blocking
        from close_readiness where period <= $1 group by 1, 2 having not bool_or(is_locked) order by 2, 1
        """,
        [due],
    ):
        yield Found(
            f"{row['entity_code']} {row['period']}",
            f"is not locked; {row['blocking']} checks block it.",
            f"tieout close {row['period']} --entity {row['entity_code']}",
        )
