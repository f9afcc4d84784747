"""The verdict over an outage: it must see what it is there for. The play itself is `make outage`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sandbox.outage import Step, problems_of

NOON = datetime(2026, 7, 3, 12, tzinfo=UTC)
ORDERS = [("BRICO", f"ORDER-{number}") for number in range(4)]
DUES = {order: NOON + timedelta(hours=number + 1) for number, order in enumerate(ORDERS)}
IN_TIME = {order: {"SALES_ORDER": NOON, "ACCEPTANCE": NOON} for order in ORDERS}
IN_ORDER = {"BRICO": [DUES[order] for order in ORDERS]}


def _steps(*, accepted: int = 0, alerts: int = 1) -> list[Step]:
    told = ["Tieout: 4 orders near an operator's deadline"] * alerts
    return [Step(0, 4, 0, accepted, NOON, told, 1.0), Step(6, 0, 4, 4, None, [], 1.0)]


def test_an_outage_that_went_as_it_must() -> None:
    assert problems_of(_steps(), IN_ORDER, DUES, IN_TIME) == []


def test_two_that_change_places_are_written_at_once() -> None:
    first, second, third, fourth = IN_ORDER["BRICO"]
    assert problems_of(_steps(), {"BRICO": [second, first, third, fourth]}, DUES, IN_TIME) == []


def test_what_went_wrong_is_told() -> None:
    late = IN_TIME | {ORDERS[0]: {"ACCEPTANCE": NOON + timedelta(hours=2)}, ORDERS[1]: {"SALES_ORDER": NOON}}
    found = problems_of(_steps(accepted=1, alerts=0), {"BRICO": IN_ORDER["BRICO"][::-1]}, DUES, late)
    assert found == [
        "1 orders were accepted in hour 0, before the ERP held them",
        "nobody was told in the hour in which the ERP went down",
        "BRICO ORDER-0 was due at 07-03 13:00, accepted: 2026-07-03 14:00:00+00:00",
        "BRICO ORDER-1 was due at 07-03 14:00, accepted: never",
        "the queue of BRICO did not drain in the order of the deadlines",
    ]
