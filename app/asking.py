"""What a page is given: who asks, in which way they write, the marts, the outbox and the address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from starlette.requests import Request

from app.formats import Formats
from app.marts import Marts
from app.people import Person, Right
from app.settings import AppSettings
from app.signing.limits import Attempts
from app.signing.users import Users
from app.tables import Table
from orchestration.lib.published import Published
from orchestration.lib.settings import Settings
from orchestration.outbox import Outbox

CHANNEL = "app"


@dataclass
class Site:
    """What the requests of one app share."""

    settings: Settings
    own: AppSettings
    marts: Marts
    users: Users
    attempts: Attempts = field(default_factory=Attempts)
    ended: set[str] = field(default_factory=set)
    """Ids of sessions that people signed out of before they were over."""
    searches: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    """Orders that somebody found by what a customer has in hand: key of the address → (who, order ids). The newest."""
    link_token: str = ""
    """What the printed sign-in link holds; empty once it was used, or where there is none."""
    link_person: Person | None = None

    @property
    def url(self) -> str:
        """Public address, such as https://tieout.example.com; empty: this machine only."""
        return self.settings.app_url.rstrip("/")

    @property
    def is_secure(self) -> bool:
        """Whether people reach the app by https; cookies are for https only then."""
        return self.url.startswith("https://")

    @cached_property
    def outbox(self) -> Outbox:
        """The outbox; its audit trail says that the app was the way in."""
        return Outbox(self.settings.outbox_address, self.settings.clock, channel=CHANNEL)

    def close(self) -> None:
        """Let go of what was opened."""
        self.marts.close()
        if "outbox" in self.__dict__:
            self.outbox.close()


@dataclass(frozen=True)
class Ask:
    """One request of somebody who is signed in."""

    request: Request
    site: Site
    person: Person
    formats: Formats
    published: Published

    @property
    def asked(self) -> Mapping[str, str]:
        """The parameters of the address; of several with one name the last."""
        return dict(self.request.query_params)

    def path(self, name: str) -> str:
        """A part of the path, such as the id in /exceptions/{id}."""
        return str(self.request.path_params[name])

    @property
    def outbox(self) -> Outbox:
        return self.site.outbox

    @property
    def settings(self) -> Settings:
        return self.site.settings

    @property
    def now(self) -> datetime:
        """Naive UTC, like the times of the marts."""
        return self.settings.clock.now().replace(tzinfo=None)

    @cached_property
    def age(self) -> Age:
        return age_of(self.published, self.now)

    def may(self, right: str) -> bool:
        return self.person.may(Right(right))


@dataclass(frozen=True, slots=True)
class Age:
    """How old the marts are: `as_of` is the clock of the run that published them, `stale` the feeds that are older than
    their limit now.
    """

    as_of: datetime | None
    stale: int
    feeds: int
    oldest: str = ""


def age_of(published: Published, now: datetime) -> Age:
    """The age of the marts at `now` (naive UTC)."""
    if "freshness" not in published.marts:
        return Age(None, 0, 0)
    rows = published.rows(
        "SELECT vendor, account, feed, last_complete_at, age_minutes, stale_from, "
        "is_stale OR coalesce(stale_from < ?, false) AS is_late FROM freshness ORDER BY last_complete_at",
        [now],
    )
    runs = [row["last_complete_at"] + timedelta(minutes=row["age_minutes"]) for row in rows if row["last_complete_at"]]
    late = [row for row in rows if row["is_late"]]
    oldest = " ".join(str(late[0][name]) for name in ("vendor", "account", "feed")) if late else ""
    return Age(max(runs, default=None), len(late), len(rows), oldest)


@dataclass(frozen=True)
class Page:
    """What a page answers: a template with values, and its tables by the names that the template uses."""

    template: str
    title: str
    values: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True)
class Done:
    """What a form answers: words for the top of the page that follows, and its address here."""

    message: str
    to: str
    is_good: bool = True


class NotHere(Exception):
    """There is nothing at this address; the text says what could be looked for instead."""


class NotNow(Exception):
    """A form asks for something that does not go; the text is for the person, nothing was written."""
