"""What people were told, when, through which channel, and what they said: tables beside the feeds' state.

Times are UTC stamps, amounts text. Every method is one transaction; several processes may use it at once.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Self

from orchestration.lib.state import connect
from orchestration.lib.state_schema import upgrade


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a cause. `severity` is the worst this channel was told of, None for nothing."""

    items: frozenset[str]
    severity: str | None
    last_at: str | None


@dataclass(frozen=True, slots=True)
class Acknowledged:
    at: str
    by: str
    reason: str
    severity: str
    amounts: dict[str, Decimal]


class AlertStore:
    """Open with `with AlertStore(path) as store`; `path` is the state file of the data folder."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = connect(path)
        upgrade(self._connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._connection.execute("begin immediate")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("rollback")
            raise
        self._connection.execute("commit")

    # Writing

    def forget(self, is_open: Iterable[tuple[str, str]]) -> None:
        """Forget every item (key, id) that is not open any more, so that its return is news. A cause without open items
        is closed: acknowledgement and escalation go with it.
        """
        still = set(is_open)
        keys = {key for key, _ in still}
        with self._transaction() as connection:
            known = {(str(row[0]), str(row[1])) for row in connection.execute("select key, item_id from alert_items")}
            connection.executemany("delete from alert_items where key = ? and item_id = ?", known - still)
            causes = {str(row[0]) for row in connection.execute("select key from alert_causes")}
            gone = [(key,) for key in causes - keys]
            connection.executemany("delete from alert_causes where key = ?", gone)

    def record(
        self,
        *,
        at: str,
        day: str,
        channel: str,
        team: str,
        kind: str,
        key: str | None = None,
        items: Collection[tuple[str, str]] = (),
        consequences: int = 0,
    ) -> None:
        """Remember a message that left, with the items (id, severity) that it told of."""
        with self._transaction() as connection:
            connection.execute(
                "insert into alert_messages (sent_at, day, channel, team, kind, key, items, consequences) "
                "values (?, ?, ?, ?, ?, ?, ?, ?)",
                (at, day, channel, team, kind, key, len(items), consequences),
            )
            if key is None or kind == "NOTICE":
                return
            connection.execute(
                "insert into alert_causes (key, team, first_told_at) values (?, ?, ?) on conflict (key) do nothing",
                (key, team, at),
            )
            if kind == "ESCALATION":
                connection.execute("update alert_causes set escalated_at = ? where key = ?", (at, key))
                return
            connection.executemany(
                "insert into alert_items values (?, ?, ?, ?, ?) on conflict do nothing",
                [(channel, key, item, severity, at) for item, severity in items],
            )

    def hold(self, *, day: str, channel: str, team: str, key: str, reason: str) -> None:
        """Remember that something was not said that day, and why."""
        with self._transaction() as connection:
            connection.execute(
                "insert into alert_holds values (?, ?, ?, ?, ?) on conflict do nothing",
                (day, channel, team, key, reason),
            )

    def acknowledge(
        self, key: str, *, team: str, at: str, by: str, reason: str, severity: str, amounts: dict[str, Decimal]
    ) -> None:
        """Somebody has it. It is silent until it becomes worse than it is now."""
        worth = json.dumps({currency: str(amount) for currency, amount in amounts.items()})
        with self._transaction() as connection:
            connection.execute(
                "insert into alert_causes (key, team) values (?, ?) on conflict (key) do nothing", (key, team)
            )
            connection.execute(
                """
                update alert_causes
                set acknowledged_at = ?, acknowledged_by = ?, reason = ?, acknowledged_severity = ?,
                    acknowledged_amounts = ?
                where key = ?
                """,
                (at, by, reason, severity, worth, key),
            )

    def release(self, key: str) -> None:
        """Nobody has it any more: what becomes of it is told again, and escalated in its time."""
        with self._transaction() as connection:
            connection.execute(
                """
                update alert_causes
                set acknowledged_at = null, acknowledged_by = null, reason = null, acknowledged_severity = null,
                    acknowledged_amounts = null
                where key = ?
                """,
                (key,),
            )

    # Reading

    def told(self, channel: str, key: str) -> Told:
        rows = self._connection.execute(
            "select item_id, severity, told_at from alert_items where channel = ? and key = ?", (channel, key)
        ).fetchall()
        return Told(
            frozenset(str(row[0]) for row in rows),
            min((str(row[1]) for row in rows), default=None),
            max((str(row[2]) for row in rows), default=None),
        )

    def acknowledged(self) -> dict[str, Acknowledged]:
        """What somebody has taken, by key."""
        return {
            str(row["key"]): Acknowledged(
                str(row["acknowledged_at"]),
                str(row["acknowledged_by"]),
                str(row["reason"]),
                str(row["acknowledged_severity"]),
                {name: Decimal(text) for name, text in json.loads(row["acknowledged_amounts"]).items()},
            )
            for row in self._connection.execute("select * from alert_causes where acknowledged_at is not null")
        }

    def cause(self, key: str) -> tuple[str | None, str | None]:
        """When the cause was first told of and when it was escalated."""
        row = self._connection.execute(
            "select first_told_at, escalated_at from alert_causes where key = ?", (key,)
        ).fetchone()
        return (None, None) if row is None else (row[0], row[1])

    def count(self, channel: str, team: str, day: str, kind: str | None = None) -> int:
        """Messages of a day, all but digests or those of a kind."""
        row = self._connection.execute(
            "select count(*) from alert_messages where channel = ? and team = ? and day = ? "
            "and (kind = ? or (? is null and kind <> 'DIGEST'))",
            (channel, team, day, kind, kind),
        ).fetchone()
        return int(row[0])

    def last(self, kind: str, key: str) -> str | None:
        """When a message of this kind and key was last sent."""
        row = self._connection.execute(
            "select max(sent_at) from alert_messages where kind = ? and key = ?", (kind, key)
        ).fetchone()
        return None if row[0] is None else str(row[0])

    def report(self, *, since: str) -> list[dict[str, object]]:
        """A row per day, team and channel: what was said, what it stood for, and what was held back."""
        rows = self._connection.execute(
            """
            with said as (
                select day, team, channel, count(*) as messages,
                    sum(kind = 'DIGEST') as digests, sum(kind = 'ESCALATION') as escalations,
                    count(distinct case when kind in ('ALERT', 'MORE') then key end) as causes,
                    sum(case when kind in ('ALERT', 'MORE') then items else 0 end) as items,
                    sum(case when kind in ('ALERT', 'MORE') then consequences else 0 end) as consequences,
                    0 as quiet, 0 as over_budget, 0 as acknowledged
                from alert_messages where day >= ? group by day, team, channel
                union all
                select day, team, channel, 0, 0, 0, 0, 0, 0,
                    sum(reason = 'QUIET'), sum(reason = 'BUDGET'), sum(reason = 'ACKNOWLEDGED')
                from alert_holds where day >= ? group by day, team, channel
            )
            select day, team, channel, sum(messages) as messages, sum(digests) as digests,
                sum(escalations) as escalations, sum(causes) as causes, sum(items) as items,
                sum(consequences) as consequences, sum(quiet) as held_quiet, sum(over_budget) as held_budget,
                sum(acknowledged) as held_acknowledged
            from said group by day, team, channel order by day, team, channel
            """,
            (since, since),
        ).fetchall()
        return [dict(row) for row in rows]
