"""Erasing customers from the evidence, one order at a time or by age, with a seal in the chain for each; and the one
look-up that shows a customer, for service.
"""

from __future__ import annotations

import csv
import hashlib
from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
from filelock import FileLock

from connectors.personal import PERSONAL, put_back
from orchestration.lib.landing_files import LandingFiles
from orchestration.lib.persons import Persons, PersonsUnavailable, opened, sealed_of
from orchestration.lib.settings import Settings
from orchestration.lib.state import State

KIND = "ERASURE"


class NoSuchPerson(Exception):
    """Nothing of this order's customer is kept under a key; the text says why."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What the evidence holds of customers. Orders with a key and erased ones; pages that are cut, and pages of the
    same feeds that are not (landed before there were keys, or none of the vendor's); pages of feeds that are never cut.
    """

    orders: int
    erased: int
    cut_pages: int
    whole_pages: int
    other_pages: int


@dataclass(frozen=True, slots=True)
class Overdue:
    """Orders that last came before the limit of the feed with the shortest retention, and that limit (UTC)."""

    limit: str
    orders: tuple[str, ...]


def holding(settings: Settings) -> Holding:
    """Counted from the manifest and the key store."""
    feeds = {(row["vendor"], row["entity"]) for row in _retention(settings)}
    counts = {"cut": 0, "whole": 0, "other": 0}
    with State(settings.state_path) as state, Persons(settings.persons_path) as persons:
        feed_of = {batch.batch: (batch.vendor, batch.entity) for batch in state.batches()}
        for file in state.files():
            if feed_of[file.batch] in feeds:
                is_cut = file.stored_sha256 is not None
                counts["cut" if is_cut else "whole" if feed_of[file.batch] in PERSONAL else "other"] += 1
        orders, erased = persons.count()
    return Holding(orders, erased, counts["cut"], counts["whole"], counts["other"])


def erase(settings: Settings, orders: Sequence[str], *, by: str, reason: str) -> list[str]:
    """Erase the customers of these orders for good; the orders that had one. Each is sealed into the chain. What comes
    of them later is kept without its customer. Waits for a lane that runs. Raises PersonsUnavailable.
    """
    at = settings.clock.text()
    settings.locks_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.locks_dir / "lane.lock", timeout=3600), Persons(settings.persons_path) as persons:
        had = persons.erase(orders, at=at, by=by, reason=reason)
        _seal_missing(settings, persons)
    return had


def reapply(settings: Settings) -> tuple[list[str], int]:
    """Make chain and keys agree after either was put back from a backup: keys that the chain says are erased go again,
    and erasures that the chain does not know are sealed. (orders erased again, erasures sealed).
    """
    with Persons(settings.persons_path) as persons, State(settings.state_path) as state:
        said = {seal.subject: msgspec.json.decode(seal.content) for seal in state.seals() if seal.kind == KIND}
        returned = sorted(persons.keys(list(said)))
        for order, erasure in sorted(said.items()):
            persons.erase([order], at=erasure["at"], by=erasure["by"], reason=erasure["reason"])
        return returned, _seal_missing(settings, persons)


def returned_keys(settings: Settings, erased: Iterable[str]) -> list[str]:
    """Erased orders that have a key again, because the key store was put back from a copy."""
    orders = list(erased)
    if not orders or not settings.persons_path.exists():
        return []
    with Persons(settings.persons_path) as persons:
        return sorted(persons.keys(orders))


def overdue(settings: Settings) -> Overdue:
    """What retention.csv no longer allows, of the feeds whose customers are under keys."""
    months = [int(row["months"]) for row in _retention(settings) if (row["vendor"], row["entity"]) in PERSONAL]
    if not months:
        return Overdue("", ())
    limit = f"{_months_before(settings.clock.now().date(), min(months)):%Y-%m-%d}T00:00:00.000000Z"
    with Persons(settings.persons_path) as persons:
        return Overdue(limit, tuple(persons.landed_before(limit)))


def shown(settings: Settings, order_id: str) -> list[dict[str, Any]]:
    """What the evidence holds of an order's customer, oldest first: file, and the members as the vendor sent them.

    Raises NoSuchPerson, PersonsUnavailable.
    """
    with Persons(settings.persons_path) as persons:
        keys = persons.keys([order_id])
        if not keys:
            gone = {erasure.order_id: erasure for erasure in persons.erasures()}
            if (erasure := gone.get(order_id)) is not None:
                raise NoSuchPerson(f"the customer of {order_id} was erased on {erasure.at[:10]} by {erasure.by}")
            raise NoSuchPerson(f"no customer of an order {order_id} is kept")
        paths = persons.places(order_id)
    store, found = LandingFiles(settings.landing), []
    for path in paths:
        pieces = opened([one for one in sealed_of(store.stored(path)) if one.order_id == order_id], keys)
        members = [msgspec.json.decode(piece.original) for piece in pieces.get(order_id, ())]
        found.append({"file": path, "members": members})
    return found


def received_page(settings: Settings, path: str, sha256: str) -> bytes | None:
    """A page as it was received; None when it cannot be had because somebody in it was erased. Raises
    PersonsUnavailable when nobody was and it is not the page of this hash.
    """
    store = LandingFiles(settings.landing)
    sealed = sealed_of(store.stored(path))
    with Persons(settings.persons_path) as persons:
        keys = persons.keys([one.order_id for one in sealed])
        is_whole = len(keys) == len(sealed) and not persons.erasures()
    pieces = [piece for pieces in opened(sealed, keys).values() for piece in pieces]
    body = put_back(store.read(path), pieces)
    if hashlib.sha256(body).hexdigest() == sha256:
        return body
    if is_whole:
        raise PersonsUnavailable(f"{path} put together again is not the page that was received")
    return None


def _seal_missing(settings: Settings, persons: Persons) -> int:
    """Seals the erasures that the chain does not know yet: a process that died between the two comes back to it."""
    with State(settings.state_path) as state:
        known = {seal.subject for seal in state.seals() if seal.kind == KIND}
        missing = [erasure for erasure in persons.erasures() if erasure.order_id not in known]
        for erasure in missing:
            content = {"at": erasure.at, "by": erasure.by, "reason": erasure.reason}
            state.seal(KIND, erasure.order_id, content, at=settings.clock.text())
    return len(missing)


def with_persons(settings: Settings) -> set[tuple[str, str]]:
    """Feeds whose pages are kept with people in them: those of retention.csv whose customers are not cut out."""
    return {(row["vendor"], row["entity"]) for row in _retention(settings)} - PERSONAL.keys()


def _retention(settings: Settings) -> list[dict[str, str]]:
    with (settings.config_dir / "retention.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _months_before(day: date, months: int) -> date:
    """The same day so many months before, or the last of that month where it has no such day."""
    number = day.year * 12 + day.month - 1 - months
    year, month = number // 12, number % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
