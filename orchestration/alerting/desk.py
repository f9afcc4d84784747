"""Decides what leaves now: a cause nobody was told of, more of one that was, one that nobody took in time, the day's
digest. Everything else waits, and the report says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256

from orchestration.alerting.causes import Cause, Item, open_causes, resolved_since
from orchestration.alerting.messages import budget_alert, cause_alert, digest_alert
from orchestration.alerting.routes import addresses, is_digest_due, is_quiet, load_routes, local_day, routes_of
from orchestration.alerting.store import Acknowledged, AlertStore
from orchestration.lib.alerts import Alert, deliver
from orchestration.lib.configuration import ANY, AlertRoute
from orchestration.lib.settings import Settings, parse_stamp

GROWTH = 2
"""An acknowledged cause is told of again when its money has grown by this factor, or its severity became worse."""


@dataclass
class Round:
    """One look at the open causes."""

    sent: list[str] = field(default_factory=list)
    """Titles, in the order in which they left."""
    held: list[tuple[str, str]] = field(default_factory=list)
    """(key, reason) of what has to wait."""


def look(settings: Settings) -> Round:
    """Tell what is new in the published marts, escalate what nobody took, send the digests that are due.

    Safe to call as often as one likes, with or without a new publication. A message that its channel did not take is
    tried again with the next look.
    """
    since = settings.clock.now() - timedelta(days=1)
    return tell(settings, open_causes(settings.published_path), resolved_since(settings.published_path, since))


def tell(settings: Settings, causes: Sequence[Cause], resolved: Mapping[str, int] | None = None) -> Round:
    """`look` on causes at hand: all that are open, not only the new ones. `resolved`: exceptions by team that were put
    right since yesterday.
    """
    done = Round()
    with AlertStore(settings.state_path) as store:
        store.forget((cause.key, item.item_id) for cause in causes for item in cause.items)
        routes = load_routes(settings)
        desk = _Desk(settings, store, routes, store.acknowledged(), done)
        teams = sorted({cause.team for cause in causes} | {route.owner_team for route in routes} - {ANY})
        for team in teams:
            own = [cause for cause in causes if cause.team == team]
            for route in routes_of(routes, team):
                desk.tell_team(route, team, own)
                desk.digest(route, team, own, resolved=(resolved or {}).get(team, 0))
    return done


def notify(settings: Settings, alert: Alert, *, team: str = "OPERATIONS", key: str | None = None) -> bool:
    """Send a message that is about no exception (a lane's problem, a deadline, an account); whether it went through.

    With a `key`, the same message is repeated only after the route's `repeat_hours`. Quiet hours and the budget do not
    apply: what comes this way cannot wait.
    """
    went_through = True
    now, at = settings.clock.now(), settings.clock.text()
    with AlertStore(settings.state_path) as store:
        routes = load_routes(settings)
        for route in routes_of(routes, team):
            name = key and f"{route.channel}|{key}"
            last = store.last("NOTICE", name) if name else None
            if last and now - parse_stamp(last) < timedelta(hours=route.repeat_hours):
                continue
            if deliver(settings, alert, addresses(settings, route.channel)):
                day = str(local_day(route, now))
                store.record(at=at, day=day, channel=route.channel, team=team, kind="NOTICE", key=name)
            else:
                went_through = False
    return went_through


def problem_key(lane: str, places: Sequence[tuple[str, str | None]]) -> str:
    """The same problems of the same lane, whatever number of feeds they concern."""
    text = "|".join(sorted({f"{stage} {account or ''}" for stage, account in places}))
    return f"PROBLEM|{lane}|{sha256(text.encode()).hexdigest()[:16]}"


@dataclass
class _Desk:
    settings: Settings
    store: AlertStore
    routes: Sequence[AlertRoute]
    acknowledged: dict[str, Acknowledged]
    done: Round

    def __post_init__(self) -> None:
        self.now = self.settings.clock.now()
        self.at = self.settings.clock.text()
        self.naive: datetime = self.now.replace(tzinfo=None)

    def tell_team(self, route: AlertRoute, team: str, causes: Sequence[Cause]) -> None:
        day = str(local_day(route, self.now))
        over: list[Cause] = []
        for whole in causes:
            cause = whole.at_least(route.severity)
            if cause is None:
                continue
            told = self.store.told(route.channel, cause.key)
            new = [item for item in cause.items if item.item_id not in told.items]
            if not new:
                self._escalate(route, cause, day)
                continue
            reason = self._why_not(route, cause, new, told.severity, told.last_at, day)
            if reason:
                self.done.held.append((cause.key, reason))
                self.store.hold(day=day, channel=route.channel, team=team, key=cause.key, reason=reason)
                if reason == "BUDGET":
                    over.append(cause)
                continue
            alert = cause_alert(self.settings, cause, new, now=self.naive)
            self._send(route, alert, day, "MORE" if told.items else "ALERT", cause, new)
        if over and not self.store.count(route.channel, team, day, "BUDGET"):
            alert = budget_alert(over, team=team, budget=int(route.daily_budget or 0))
            if deliver(self.settings, alert, addresses(self.settings, route.channel)):
                self.done.sent.append(alert.title)
                self.store.record(at=self.at, day=day, channel=route.channel, team=team, kind="BUDGET")

    def _why_not(
        self,
        route: AlertRoute,
        cause: Cause,
        new: Sequence[Item],
        told_severity: str | None,
        last_at: str | None,
        day: str,
    ) -> str | None:
        """Why this does not leave now: ACKNOWLEDGED, REPEAT, QUIET, BUDGET; None when it does."""
        if (taken := self.acknowledged.get(cause.key)) and not has_worsened(cause, taken):
            return "ACKNOWLEDGED"
        worst = min(item.severity for item in new)
        is_worse = told_severity is None or worst < told_severity
        if not is_worse and last_at and self.now - parse_stamp(last_at) < timedelta(hours=route.repeat_hours):
            return "REPEAT"
        if is_quiet(route, self.now, worst):
            return "QUIET"
        may_wait = route.quiet_severity is None or worst > route.quiet_severity
        if (
            may_wait
            and route.daily_budget is not None
            and self.store.count(route.channel, cause.team, day) >= route.daily_budget
        ):
            return "BUDGET"
        return None

    def _escalate(self, route: AlertRoute, cause: Cause, day: str) -> None:
        """Tell somebody else, once, of what was told and not taken within the time, or is overdue."""
        if route.escalate_hours is None or route.escalate_to is None or cause.key in self.acknowledged:
            return
        first, escalated = self.store.cause(cause.key)
        if first is None or escalated is not None or is_quiet(route, self.now, cause.severity):
            return
        hours = (self.now - parse_stamp(first)).total_seconds() / 3600
        is_overdue = cause.due_at is not None and cause.due_at < self.naive
        if hours < route.escalate_hours and not is_overdue:
            return
        why = "overdue" if is_overdue else f"not taken for {hours:.0f} hours"
        alert = cause_alert(self.settings, cause, (), now=self.naive, opening=f"{why}: ", is_escalated=True)
        if deliver(self.settings, alert, addresses(self.settings, route.escalate_to)):
            self.done.sent.append(alert.title)
            self.store.record(
                at=self.at, day=day, channel=route.escalate_to, team=cause.team, kind="ESCALATION", key=cause.key
            )

    def digest(self, route: AlertRoute, team: str, causes: Sequence[Cause], *, resolved: int) -> None:
        """The team's day, once per local day and channel, from the hour on that the team wants it."""
        day = str(local_day(route, self.now))
        if not is_digest_due(route, self.now) or self.store.count(route.channel, team, day, "DIGEST"):
            return
        alert = team_digest(self.settings, team, causes, acknowledged=frozenset(self.acknowledged), resolved=resolved)
        if deliver(self.settings, alert, addresses(self.settings, route.channel)):
            self.done.sent.append(alert.title)
            self.store.record(at=self.at, day=day, channel=route.channel, team=team, kind="DIGEST")

    def _send(self, route: AlertRoute, alert: Alert, day: str, kind: str, cause: Cause, new: Sequence[Item]) -> None:
        if not deliver(self.settings, alert, addresses(self.settings, route.channel)):
            return
        self.done.sent.append(alert.title)
        self.store.record(
            at=self.at,
            day=day,
            channel=route.channel,
            team=cause.team,
            kind=kind,
            key=cause.key,
            items=[(item.item_id, item.severity) for item in new],
            consequences=sum(item.consequences for item in new),
        )


def has_worsened(cause: Cause, taken: Acknowledged) -> bool:
    """Whether a cause became graver than it was when somebody took it."""
    if cause.severity < taken.severity:
        return True
    return any(amount > GROWTH * taken.amounts.get(currency, Decimal(0)) for currency, amount in cause.amounts.items())


def team_digest(
    settings: Settings, team: str, causes: Sequence[Cause], *, acknowledged: frozenset[str], resolved: int
) -> Alert:
    """The digest of a team as it would read now."""
    naive = settings.clock.now().replace(tzinfo=None)
    return digest_alert(settings, team, causes, now=naive, acknowledged=acknowledged, resolved=resolved)
