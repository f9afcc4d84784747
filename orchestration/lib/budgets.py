"""How often each call of a key may be made, in real time, shared by every process and lane that uses the key.

Two uses. `KeyBudget.take` is asked before every request: a published maximum is never exceeded, whoever else uses the
key. `KeyBudget.not_before` is asked by a lane before it reads a feed: one that was read more recently than the vendor
recommends waits for a later run.

Time is the machine's own, never the pipeline's clock: a vendor counts real minutes.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from connectors.errors import BudgetExhausted
from orchestration.lib.configuration import ANY, CallBudget

PATIENCE_SECONDS = 120.0
"""How long a request waits for its turn: a minute's allowance is worth waiting for, an hour's is not."""
MARGIN_SECONDS = 1.0
"""Requests do not arrive evenly: two that leave a window apart may come in a little closer to each other."""
LONG_WINDOW_SECONDS = 3600
"""Longer windows are about use, not load: they count readings that gave something; a person's trial call is none."""
SLACK_SHARE, SLACK_SECONDS = 0.1, 60.0
"""A lane that starts a little early is on time for a recommended interval: a schedule's ticks are not exact."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 5.0, 3600.0
"""After a 429 that names no pause: doubled each time within the hour that such answers speak of."""
KEPT_SECONDS = 2 * 86400

_SCHEMA = """
create table if not exists calls (
    vendor text not null,
    key_name text not null,
    call text not null,
    account text not null,
    entity text,
    is_poll integer not null,
    is_start integer not null,
    is_void integer not null default 0,
    at real not null
);
create index if not exists ix_calls on calls (vendor, key_name, call, at);
create index if not exists ix_calls_feed on calls (vendor, account, entity, at);
create table if not exists throttles (
    vendor text not null,
    key_name text not null,
    call text not null,
    at real not null,
    until real not null
);
create index if not exists ix_throttles on throttles (vendor, key_name, call, at);
"""


@dataclass(frozen=True, slots=True)
class Frequency:
    """So many calls in so many seconds."""

    calls: int
    seconds: int

    def __str__(self) -> str:
        return f"{self.calls} in {self.seconds} s"


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is published for one call. `counts_pages` is False where only the first page of a reading counts."""

    recommended: Frequency | None = None
    maxima: tuple[Frequency, ...] = ()
    counts_pages: bool = True


NO_ALLOWANCE = Allowance()


@dataclass(frozen=True, slots=True)
class CallUsage:
    """What was used of one call's window, and what is left of it. Times are seconds since 1970 of the machine's clock.

    A call without a published maximum is counted over an hour.
    """

    vendor: str
    key_name: str
    call: str
    window_seconds: int
    calls_in_window: int
    maximum_calls: int | None
    recommended: Frequency | None
    measured_at: float
    last_call_at: float
    next_allowed_at: float
    throttled_count: int


class Budgets:
    """The allowances of every key, with the calls made so far in one SQLite file. Safe for several processes.

    `rows` are those of call_budgets.csv; a row that names the marketplace replaces all `*` rows of its call.
    """

    def __init__(
        self,
        path: Path,
        rows: Iterable[CallBudget],
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._path = path
        self._rows = tuple(rows)
        self._is_ready = False
        self.now = now
        self.sleep = sleep
        self.patience_seconds = patience_seconds

    def of(self, vendor: str, key_name: str, account: str) -> KeyBudget:
        """The budget of one account under one key."""
        return KeyBudget(self, vendor, key_name, account)

    def allowance(self, vendor: str, call: str, account: str) -> Allowance:
        rows = [row for row in self._rows if (row.vendor, row.call) == (vendor, call)]
        rows = [row for row in rows if row.marketplace_code == account] or [
            row for row in rows if row.marketplace_code == ANY
        ]
        if not rows:
            return NO_ALLOWANCE
        first = rows[0]
        return Allowance(
            _frequency(first.recommended_calls, first.recommended_seconds),
            tuple(one for row in rows if (one := _frequency(row.maximum_calls, row.maximum_seconds)) is not None),
            first.counts == "CALLS",
        )

    def usage(self) -> list[CallUsage]:
        """Every call made in the last day, one row per window that is published for it. Forgets what is older than
        any window.
        """
        if not self._path.exists():
            return []
        now, found = self.now(), []
        with self.transaction() as connection:
            for table in ("calls", "throttles"):
                connection.execute(f"delete from {table} where at < ?", (now - KEPT_SECONDS,))  # noqa: S608
            seen = connection.execute(
                """
                select vendor, key_name, call, min(account), max(at)
                from calls
                where at > ?
                group by vendor, key_name, call
                order by vendor, key_name, call
                """,
                (now - 86400,),
            ).fetchall()
            for vendor, key_name, call, account, last in seen:
                budget = self.of(vendor, key_name, account)
                allowance = self.allowance(vendor, call, account)
                for maximum in allowance.maxima or (None,):
                    window = maximum.seconds if maximum is not None else LONG_WINDOW_SECONDS
                    used = budget.used(connection, call, allowance, window, now)
                    (throttled,) = connection.execute(
                        "select count(*) from throttles where vendor = ? and key_name = ? and call = ? and at > ?",
                        (vendor, key_name, call, now - window),
                    ).fetchone()
                    wait = budget.wait(connection, call, allowance, now, is_poll=True, is_reading=True)
                    found.append(
                        CallUsage(
                            vendor,
                            key_name,
                            call,
                            window,
                            used,
                            maximum.calls if maximum is not None else None,
                            allowance.recommended,
                            now,
                            last,
                            now + wait,
                            throttled,
                        )
                    )
        return found

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One writing transaction on a connection of its own: counting and adding must not be torn apart."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path, timeout=60, isolation_level=None)) as connection:
            # No WAL: switching to it fails at once when two processes open a new file together.
            connection.execute("begin immediate")
            try:
                if not self._is_ready:
                    for statement in _SCHEMA.split(";"):
                        connection.execute(statement)
                yield connection
            except BaseException:
                connection.execute("rollback")
                raise
            connection.execute("commit")
            self._is_ready = True


class KeyBudget:
    """One account's view of its key's budget; a connector's `Budget`.

    The maximum holds for the key as a whole, the recommended interval for each feed of the account.
    """

    def __init__(self, budgets: Budgets, vendor: str, key_name: str, account: str) -> None:
        self._budgets = budgets
        self._key = (vendor, key_name)
        self._account = account
        self._entity: str | None = None
        self._counted: list[int] = []

    @contextmanager
    def reading(self, entity: str) -> Iterator[None]:
        """Calls made in this block read `entity`. What fails is forgotten by the windows of a day: the feed was not
        read, and an hour later the vendor may be well again.
        """
        self._entity, self._counted = entity, []
        try:
            yield
        except Exception:
            marked = [(one,) for one in self._counted]
            with self._budgets.transaction() as connection:
                connection.executemany("update calls set is_void = 1 where rowid = ?", marked)
            raise
        finally:
            self._entity = None

    def take(self, call: str, *, is_first_page: bool) -> None:
        """Count one request, waiting for its turn. Raises BudgetExhausted, with the seconds until then, when that is
        too far away.
        """
        allowance = self._budgets.allowance(self._key[0], call, self._account)
        waited = 0.0
        while (wait := self._count(call, allowance, is_first_page)) > 0:
            if waited + wait > self._budgets.patience_seconds:
                words = " and ".join(map(str, allowance.maxima)) or "the vendor's own limit"
                raise BudgetExhausted(
                    f"no more calls for now ({words}), again in {wait:.0f} s",
                    vendor=self._key[0],
                    call=call,
                    retry_after=wait,
                )
            self._budgets.sleep(wait)
            waited += wait

    def throttled(self, call: str, retry_after: float | None) -> None:
        """The vendor answered 429: nobody who shares the key asks again before it said so."""
        with self._budgets.transaction() as connection:
            now = self._budgets.now()
            (times,) = connection.execute(
                "select count(*) from throttles where vendor = ? and key_name = ? and call = ? and at > ?",
                (*self._key, call, now - LONGEST_PAUSE_SECONDS),
            ).fetchone()
            pause = retry_after
            if pause is None:
                pause = min(FIRST_PAUSE_SECONDS * 2 ** min(times, 20), LONGEST_PAUSE_SECONDS)
            connection.execute("insert into throttles values (?, ?, ?, ?, ?)", (*self._key, call, now, now + pause))

    def not_before(self, entity: str, *, is_wanted: bool = False) -> datetime | None:
        """When the feed is due, None when it is due now. A feed that was never read is.

        `is_wanted`: whatever the vendor recommends; its maximum still holds.
        """
        now = self._budgets.now()
        with self._budgets.transaction() as connection:
            call = self._last_call(connection, entity)
            if call is None:
                return None
            allowance = self._budgets.allowance(self._key[0], call, self._account)
            wait = self.wait(connection, call, allowance, now, is_poll=True, is_reading=True)
            wait = wait if wait > self._budgets.patience_seconds else 0.0
            if allowance.recommended is not None and not is_wanted:
                wait = max(wait, self._recommended_wait(connection, entity, call, allowance.recommended, now))
        return datetime.fromtimestamp(now + wait, UTC) if wait > 0 else None

    def calls_left(self, entity: str) -> int | None:
        """How many calls the feed's usual call has left in its tightest window; None when no maximum is known."""
        now = self._budgets.now()
        with self._budgets.transaction() as connection:
            call = self._last_call(connection, entity)
            if call is None:
                return None
            allowance = self._budgets.allowance(self._key[0], call, self._account)
            if not allowance.counts_pages:
                return None
            return min(
                (
                    maximum.calls - self.used(connection, call, allowance, maximum.seconds, now)
                    for maximum in allowance.maxima
                ),
                default=None,
            )

    def used(self, connection: sqlite3.Connection, call: str, allowance: Allowance, seconds: int, now: float) -> int:
        """The calls that count in a window of so many seconds that ends now."""
        (count,) = connection.execute(
            f"select count(*) from calls where {_counted(allowance, seconds)} and at > ?",  # noqa: S608
            (*self._key, call, now - seconds),
        ).fetchone()
        return int(count)

    def wait(
        self,
        connection: sqlite3.Connection,
        call: str,
        allowance: Allowance,
        now: float,
        *,
        is_poll: bool,
        is_reading: bool,
    ) -> float:
        """Seconds until another such request is allowed, 0 when it is now."""
        (until,) = connection.execute(
            "select coalesce(max(until), 0) from throttles where vendor = ? and key_name = ? and call = ? and at <= ?",
            (*self._key, call, now),
        ).fetchone()
        waits = [until - now]
        for maximum in allowance.maxima:
            is_long = maximum.seconds > LONG_WINDOW_SECONDS
            if (is_long or not allowance.counts_pages) and not is_poll:
                continue
            if is_long and not is_reading:
                continue
            row = connection.execute(
                f"""
                select at from calls where {_counted(allowance, maximum.seconds)} and at <= ?
                order by at desc limit 1 offset ?
                """,  # noqa: S608
                (*self._key, call, now, maximum.calls - 1),
            ).fetchone()
            if row is not None:
                waits.append(row[0] + maximum.seconds + MARGIN_SECONDS - now)
        return float(max(*waits, 0.0))

    def _count(self, call: str, allowance: Allowance, is_first_page: bool) -> float:
        """Add the request when it is allowed now; the seconds it must wait otherwise."""
        with self._budgets.transaction() as connection:
            # Only now: who waited for the file must see the calls that others made meanwhile as made before its own.
            now = self._budgets.now()
            is_reading = self._entity is not None
            wait = self.wait(connection, call, allowance, now, is_poll=is_first_page, is_reading=is_reading)
            if wait > 0:
                return wait
            added = connection.execute(
                "insert into calls values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *self._key,
                    call,
                    self._account,
                    self._entity,
                    is_first_page,
                    is_reading and not self._counted,
                    not is_reading,
                    now,
                ),
            )
            if (is_first_page or not self._counted) and added.lastrowid is not None:
                self._counted.append(added.lastrowid)
        return 0.0

    def _last_call(self, connection: sqlite3.Connection, entity: str) -> str | None:
        """The call with which the feed's last reading began."""
        row = connection.execute(
            """
            select call from calls
            where vendor = ? and key_name = ? and account = ? and entity = ? and is_start and not is_void
            order by at desc limit 1
            """,
            (*self._key, self._account, entity),
        ).fetchone()
        return None if row is None else str(row[0])

    def _recommended_wait(
        self, connection: sqlite3.Connection, entity: str, call: str, recommended: Frequency, now: float
    ) -> float:
        row = connection.execute(
            """
            select at from calls
            where vendor = ? and key_name = ? and account = ? and entity = ? and call = ? and is_start and not is_void
            order by at desc limit 1 offset ?
            """,
            (*self._key, self._account, entity, call, recommended.calls - 1),
        ).fetchone()
        if row is None:
            return 0.0
        slack = min(recommended.seconds * SLACK_SHARE, SLACK_SECONDS)
        return max(float(row[0]) + recommended.seconds - slack - now, 0.0)


def _frequency(calls: int | None, seconds: int | None) -> Frequency | None:
    return None if calls is None or seconds is None else Frequency(calls, seconds)


def _counted(allowance: Allowance, seconds: int) -> str:
    """The condition that names a key's calls which count in a window of this length."""
    key = "vendor = ? and key_name = ? and call = ?"
    if seconds > LONG_WINDOW_SECONDS:
        return f"{key} and is_poll and not is_void"
    return key if allowance.counts_pages else f"{key} and is_poll"
