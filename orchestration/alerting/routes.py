"""Which team hears of what, through which channel, and when it wants to be left alone (alert_routes.csv)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from orchestration.lib.configuration import ANY, AlertRoute
from orchestration.lib.registry import read_rows
from orchestration.lib.settings import Settings

DEFAULT_CHANNEL = "DEFAULT"
"""The addresses of TIEOUT_ALERT_URLS; every other channel has a variable of its own."""
FALLBACK = AlertRoute(
    line=0,
    owner_team=ANY,
    channel=DEFAULT_CHANNEL,
    severity="S2",
    quiet_from=None,
    quiet_until=None,
    quiet_severity=None,
    time_zone="UTC",
    daily_budget=None,
    repeat_hours=4,
    escalate_hours=None,
    escalate_to=None,
    digest_at=None,
)
"""Holds where the file cannot be read: a broken configuration is itself worth an alert."""


def load_routes(settings: Settings) -> tuple[AlertRoute, ...]:
    """The routes of the configuration folder; rows that cannot be read are left out, and one route always remains."""
    return read_rows(settings.config_dir, AlertRoute) or (FALLBACK,)


def routes_of(routes: Sequence[AlertRoute], team: str) -> list[AlertRoute]:
    """The routes of a team: its own, else those of everybody, else the fallback. One per channel."""
    own = [route for route in routes if route.owner_team == team]
    return own or [route for route in routes if route.owner_team == ANY] or [FALLBACK]


def addresses(settings: Settings, channel: str, environ: Mapping[str, str] | None = None) -> list[str]:
    """The apprise addresses of a channel. One without its variable uses TIEOUT_ALERT_URLS."""
    given = (os.environ if environ is None else environ).get(f"TIEOUT_ALERT_URLS_{channel}", "")
    own = given.split() if channel != DEFAULT_CHANNEL else []
    return own or settings.alert_urls.split()


def local(route: AlertRoute, now: datetime) -> datetime:
    """`now` (aware) in the zone in which the team lives."""
    return now.astimezone(ZoneInfo(route.time_zone))


def local_day(route: AlertRoute, now: datetime) -> date:
    return local(route, now).date()


def is_quiet(route: AlertRoute, now: datetime, severity: str) -> bool:
    """Whether something of this severity has to wait for the morning. The hours may span midnight."""
    if not route.quiet_from or not route.quiet_until:
        return False
    if route.quiet_severity and severity <= route.quiet_severity:
        return False
    start, end, at = time.fromisoformat(route.quiet_from), time.fromisoformat(route.quiet_until), local(route, now)
    clock = at.time().replace(tzinfo=None)
    return start <= clock < end if start < end else clock >= start or clock < end


def is_digest_due(route: AlertRoute, now: datetime) -> bool:
    """Whether the time of the day's digest has come."""
    return bool(route.digest_at) and local(route, now).strftime("%H:%M") >= str(route.digest_at)
