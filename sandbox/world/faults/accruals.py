"""Faults of level f: accruals of a month's end."""

from datetime import date, timedelta

from sandbox.world.faults.journals import manual_journal
from sandbox.world.faults.registry import Phase, fault
from sandbox.world.model import Posting
from sandbox.world.scene import Scene
from sandbox.world.stamps import DAY, london_date

ACCRUED_FEES, COMMISSION = "2112", "6100"
_ACCRUALS = (41_280, 38_615, 45_030)
"""Pence of fees not yet settled, the three newest month ends in order of time."""


def month_ends(last_day: date, count: int) -> list[date]:
    """The last days of the `count` months before the one of `last_day`, oldest first."""
    found: list[date] = []
    day = last_day.replace(day=1)
    for _ in range(count):
        day -= timedelta(days=1)
        found.append(day)
        day = day.replace(day=1)
    return found[::-1]


@fault("JNL-011", Phase.JOURNALS, once=True)
def accrual_that_nobody_reversed(scene: Scene) -> None:
    """Finance accrues a month's commission at its end. Of three accruals the second was never taken back.

    The commission is in the books twice: once accrued, once settled. Near-miss: the accrual of the month before,
    taken back on the first of the next month.
    """
    accruals: list[Posting] = []
    days = month_ends(london_date(scene.as_of), len(_ACCRUALS))
    for number, (day, amount) in enumerate(zip(days, _ACCRUALS, strict=True), start=1):
        text = f"{scene.business.marketplace} fees {day:%B %Y}"
        accrual = manual_journal(
            day, f"AC{number:06d}", f"Accrued {text}", [(COMMISSION, amount), (ACCRUED_FEES, -amount)]
        )
        accruals.append(accrual)
        if number != 2:
            taken_back = manual_journal(
                day + timedelta(days=1),
                f"AR{number:06d}",
                f"Accrued {text}, taken back",
                [(COMMISSION, -amount), (ACCRUED_FEES, amount)],
            )
            # The first thing that is posted in a month.
            taken_back.at -= DAY // 2
            accruals.append(taken_back)
    scene.books.postings += accruals
    kept, never = accruals[0], accruals[2]

    def tell() -> None:
        scene.truth.exception(
            "JNL-011", "ERP_POSTING", str(never.number), "accrual_that_nobody_reversed", -_ACCRUALS[1]
        )
        scene.truth.near_miss("taken back a day later", "JNL-011", "ERP_POSTING", str(kept.number))

    scene.later(tell)
