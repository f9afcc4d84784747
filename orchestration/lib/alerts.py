"""Telling people: always the log, and every apprise address of a channel. No secret ever leaves in a message. Who is
told of what is decided in `orchestration.alerting`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from orchestration.lib.settings import Settings

logger = logging.getLogger("tieout.alerts")

_SECRET_ENDINGS = ("_API_KEY", "_CLIENT_SECRET", "_CLIENT_ID", "_REFRESH_TOKEN", "_TOKEN", "_SECRET", "_PASSWORD")
_SHORTEST_SECRET = 6
"""Shorter values are not masked: they would blank out ordinary words."""


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


def redact(text: str, environ: Mapping[str, str] | None = None) -> str:
    """`text` with the value of every secret in the environment replaced by `***`."""
    values = {
        value
        for name, value in (os.environ if environ is None else environ).items()
        if name.endswith(_SECRET_ENDINGS) and len(value) >= _SHORTEST_SECRET
    }
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, "***")
    return text


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
