"""Signed events of the ERPs: "something was saved". They start a lane at once; what was saved the lane reads itself.

A sender signs `<timestamp>.<body>` with HMAC-SHA256 under a secret of its ERP company. An event counts once: its file
in the spool folder is named by what it says and when, and can be created once. The body is not kept, so nothing that an
ERP puts into it reaches a log or a disk.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from pydantic import SecretStr

from orchestration.lib.secret_store import SecretUnavailable, secret
from orchestration.lib.settings import Settings

logger = logging.getLogger("tieout.events")

REPLAY_WINDOW = timedelta(minutes=5)
"""How far a sender's clock may be off, and how long an event could be sent again by somebody who listened."""
MAXIMUM_BODY_BYTES = 64 * 1024
_SIGNATURE = re.compile(r"sha256=([0-9a-f]{64})")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_NEW, _HEEDED = ".event", ".heeded"


class Verdict(StrEnum):
    """What becomes of a received event. REFUSED says nothing of the reason: whoever guesses learns nothing."""

    ACCEPTED = "ACCEPTED"
    KNOWN = "KNOWN"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class Received:
    """An event as it came: `timestamp` in seconds since 1970 (UTC), `signature` as `sha256=<hex>`."""

    erp_code: str
    timestamp: str
    signature: str
    body: bytes


def secret_name(erp_code: str) -> str:
    """The environment variable with the secret that senders of this ERP company sign with."""
    return f"TIEOUT_EVENTS_{erp_code}_SECRET"


def sign(key: SecretStr, timestamp: str, body: bytes) -> str:
    """The signature that a sender puts into its header."""
    signed = timestamp.encode("ascii") + b"." + body
    return "sha256=" + hmac.new(key.get_secret_value().encode(), signed, hashlib.sha256).hexdigest()


def receive(settings: Settings, event: Received, erp_codes: Iterable[str]) -> Verdict:
    """Check an event and put it into the spool folder, durably, before the sender is told that it arrived."""
    try:
        key = secret(secret_name(event.erp_code)) if event.erp_code in set(erp_codes) else None
    except SecretUnavailable as error:
        logger.error("events of %s are refused: %s", event.erp_code, error)
        return Verdict.REFUSED
    if key is None or not _is_genuine(event, key, settings.clock.now()):
        return Verdict.REFUSED
    folder = settings.events_dir
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(f"{event.erp_code}|{event.signature}".encode()).hexdigest()[:32]
    path = folder / f"{int(event.timestamp)}-{digest}{_NEW}"
    if path.with_suffix(_HEEDED).exists():
        return Verdict.KNOWN
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        return Verdict.KNOWN
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return Verdict.ACCEPTED


def heed(settings: Settings) -> int:
    """Take the events that nobody has heeded yet; their number. They stay known until nobody could send them again."""
    new = _events(settings, _NEW)
    for path in new:
        path.rename(path.with_suffix(_HEEDED))
    limit = (settings.clock.now() - 2 * REPLAY_WINDOW).timestamp()
    for path in _events(settings, _HEEDED):
        if int(path.name.partition("-")[0]) < limit:
            path.unlink(missing_ok=True)
    return len(new)


def _events(settings: Settings, suffix: str) -> list[Path]:
    return sorted(settings.events_dir.glob(f"*{suffix}")) if settings.events_dir.exists() else []


def _is_genuine(event: Received, key: SecretStr, now: datetime) -> bool:
    if not _TIMESTAMP.fullmatch(event.timestamp) or not _SIGNATURE.fullmatch(event.signature):
        return False
    if not hmac.compare_digest(sign(key, event.timestamp, event.body), event.signature):
        return False
    return abs(int(event.timestamp) - now.timestamp()) <= REPLAY_WINDOW.total_seconds()
