"""The simulated week keeps to the vendors' limits and loses no order."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from benchmarks.peak import HOUR, Marketplace, World

OPTIONS = Namespace(
    call_seconds=0.3,
    write_seconds=0.6,
    lane_seconds=15.0,
    thousand_seconds=5.0,
    batch=500,
    pause=30.0,
    stock_minutes=5.0,
    seed=7,
)


def test_a_day_with_an_outage_loses_no_order_and_asks_no_more_often_than_allowed(tmp_path: Path) -> None:
    arrivals = [60.0 * minute for minute in range(240)]
    shop = Marketplace("BRICO", 48 * HOUR, 2, list(arrivals), (HOUR, 2 * HOUR))
    world = World(OPTIONS, [shop], tmp_path)
    series = world.run(6 * HOUR)
    assert sorted(arrival for arrival, _ in shop.accepted) == arrivals
    assert all(arrival < accepted for arrival, accepted in shop.accepted)
    assert not [accepted for _, accepted in shop.accepted if HOUR + 600 < accepted < 2 * HOUR]
    assert world.calls["OR11"] <= 6 * 60, "at most once a minute"
    assert world.calls["STO01"] <= 6 * 12
    assert max(look["BRICO waiting"] for look in series) >= 45, "the outage's orders waited"
    assert series[-1]["BRICO waiting"] == 0
