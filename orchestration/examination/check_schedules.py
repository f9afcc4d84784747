"""Does everything run as often as it has to?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from orchestration.examination.finding import Facts, Found, Impact, by_amount, check, counted

LANES = {
    "settlement": timedelta(hours=6),
    "stock": timedelta(hours=1),
    "orders": timedelta(hours=1),
    "dispatch": timedelta(hours=1),
    "returns": timedelta(hours=6),
}
"""How long a lane may be silent before somebody should know."""


@check(
    "SCH-1",
    "schedules",
    Impact.MEDIUM,
    "Feeds older than their limit",
    why="What is judged on them is a guess, and the month cannot be closed.",
    remedy="Run the lane, see why it failed (`tieout status`), ask the vendor, or mend the limit in feeds.csv.",
)
def stale_feeds(facts: Facts) -> Iterator[Found]:
    for row in facts.rows("select * from freshness where is_stale order by age_minutes desc, account, feed"):
        last = (
            f"last read whole {row['last_complete_at']:%Y-%m-%d %H:%M} UTC" if row["last_complete_at"] else "never read"
        )
        newest = f", newest record of {row['newest_record_date']}" if row["newest_record_date"] else ""
        yield Found(
            f"{row['vendor']}/{row['account']} {row['feed']}",
            f"{last}{newest}; the limit is {row['freshness_hours']} hours.",
            "select * from freshness where is_stale",
        )


@check(
    "SCH-2",
    "schedules",
    Impact.HIGH,
    "Orders that miss, or will miss, the operator's deadline",
    why="The operator cancels them, charges a penalty, and the shop's rating falls.",
    remedy="Run lane orders every minute (TIEOUT_SCHEDULES, or cron); see what they wait for.",
)
def missed_deadlines(facts: Facts) -> Iterator[Found]:
    rows = facts.rows(
        """
        select marketplace_code, deadline, waits_for, currency_code, count(*) as orders, sum(amount_at_risk) as amount
        from deadlines where status in ('MISSED', 'BREACH_FORECAST') group by 1, 2, 3, 4
        """
    )
    for row in by_amount(rows):
        yield Found(
            f"{row['marketplace_code']} {row['deadline']}",
            f"{counted(row['orders'], 'order')} late, or late soon, waiting for {row['waits_for']}.",
            "select * from deadlines where status in ('MISSED', 'BREACH_FORECAST')",
            row["amount"],
            row["currency_code"],
        )


@check(
    "SCH-3",
    "schedules",
    Impact.MEDIUM,
    "Lanes that do not run",
    why="Nothing of what the lane promises happens, and nobody is told.",
    remedy="Start the schedules (TIEOUT_SCHEDULES=on), or call `tieout run LANE` from cron.",
)
def silent_lanes(facts: Facts) -> Iterator[Found]:
    if not facts.sellers:
        return
    for lane, longest in LANES.items():
        last = facts.lanes.get(lane)
        if last is None:
            yield Found(lane, "has never run to its end.", "tieout status")
        elif facts.now - last > longest:
            hours = (facts.now - last).total_seconds() / 3600
            yield Found(lane, f"has not run to its end for {hours:,.0f} hours.", "tieout status")
