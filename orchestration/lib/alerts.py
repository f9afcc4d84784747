"""Telling people: always the log, and every apprise address of a channel. No secret ever leaves in a message. Who is
told of what is decided in `orchestration.alerting`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from orchestration.lib.secret_store import redact
from orchestration.lib.settings import Settings

logger = logging.getLogger("tieout.alerts")


class Level(StrEnum):
    INFO = "info"
    WARNING = "warning"
    FAILURE = "failure"


_LOG_LEVELS = {Level.INFO: logging.INFO, Level.WARNING: logging.WARNING, Level.FAILURE: logging.ERROR}


@dataclass(frozen=True, slots=True)
class Alert:
    title: str
    body: str
    level: Level = Level.WARNING


def deliver(settings: Settings, alert: Alert, addresses: Sequence[str]) -> bool:
    """Log the alert and notify every address; whether all of them took it. Never raises for a messenger that is down:
    an alert that fails must not turn a finished run into a failed one.
    """
    title, body = redact(alert.title), redact(alert.body)
    logger.log(_LOG_LEVELS[alert.level], "%s: %s", title, body)
    if not addresses:
        return True
    import apprise

    messenger = apprise.Apprise()
    added = messenger.add(list(addresses))
    # Said to be plain text, so that a mail shows what a vendor wrote and does not run it.
    sent = bool(
        messenger.notify(
            title=title,
            body=body,
            notify_type=apprise.NotifyType(alert.level.value),
            body_format=apprise.NotifyFormat.TEXT,
        )
    )
    if not (added and sent):
        logger.error("the alert %r did not reach every address of its channel", title)
    return added and sent
