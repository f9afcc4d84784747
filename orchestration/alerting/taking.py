"""Who has what: taking a cause of an alert and being given its exceptions is one thing, whichever way somebody does it.

A cause is taken when somebody acknowledged it, or when all its open exceptions are given to people. It is free again
when one of them is given back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from orchestration.alerting.causes import Cause, key_of, open_causes
from orchestration.alerting.store import Acknowledged, AlertStore
from orchestration.lib.settings import Settings


def taken(settings: Settings) -> dict[str, Acknowledged]:
    """The causes that somebody has, by key."""
    if not settings.state_path.is_file():
        return {}
    with AlertStore(settings.state_path) as store:
        return store.acknowledged()


def who_has(row: Mapping[str, Any], assignees: Mapping[str, str], causes: Mapping[str, Acknowledged]) -> str | None:
    """Who works on a row of the mart `exceptions`: it was given to them, or they took its cause."""
    own = assignees.get(str(row["exception_id"]))
    cause = causes.get(key_of(row))
    return own or (cause.by if cause else None)


def take(settings: Settings, cause: Cause, *, by: str, reason: str) -> None:
    """Somebody has the cause: no more messages of it until it becomes worse."""
    with AlertStore(settings.state_path) as store:
        _take(settings, store, cause, by=by, reason=reason)


def follow(settings: Settings, changed: Collection[Mapping[str, Any]], assignees: Mapping[str, str]) -> None:
    """Exceptions were given to somebody, or back: take or free their causes. `changed` are rows of the mart,
    `assignees` all that were given, by exception id.
    """
    keys = {key_of(row) for row in changed}
    given = {str(row["exception_id"]) for row in changed if assignees.get(str(row["exception_id"]))}
    with AlertStore(settings.state_path) as store:
        for cause in open_causes(settings.published_path):
            if cause.key not in keys:
                continue
            people = [assignees.get(item.item_id) for item in cause.items]
            if all(people):
                names = ", ".join(sorted({str(name) for name in people}))
                _take(settings, store, cause, by=names, reason="assigned in the app")
            elif not given:
                store.release(cause.key)


def _take(settings: Settings, store: AlertStore, cause: Cause, *, by: str, reason: str) -> None:
    store.acknowledge(
        cause.key,
        team=cause.team,
        at=settings.clock.text(),
        by=by,
        reason=reason,
        severity=cause.severity,
        amounts=cause.amounts,
    )
