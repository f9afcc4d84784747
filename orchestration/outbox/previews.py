"""What would be sent for the actions that wait for a person, and what the vendor holds of each: looked at once, by the
lane that proposed it, because only lanes have the vendors' keys.

A preview decides nothing and is no part of the audit trail; it goes stale with the world and says when it was made.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Engine, insert, select

from connectors.delivery import Delivery, Request
from connectors.errors import ConnectorError
from orchestration.outbox.clock import Clock, stamp
from orchestration.outbox.database import writing
from orchestration.outbox.delivering import action_of
from orchestration.outbox.policies import Policy, needs_person, subject_of
from orchestration.outbox.schema import actions, previews
from orchestration.outbox.states import State

MOST = 20
"""Actions that one lane looks at; the next goes on. Each costs calls of the vendor's budget."""


@dataclass(frozen=True, slots=True)
class Kept:
    """`requests` as they would be sent, secrets as `***`; `held` is what the vendor said of the wanted state, `is_held`
    whether it holds it already. `made_at` is UTC text.
    """

    requests: tuple[Request, ...]
    held: str
    is_held: bool
    made_at: str


class Previews:
    """The previews of an outbox database."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def of(self, action_key: str) -> Kept | None:
        """The preview of one action; None when no lane has made one."""
        query = select(previews).where(previews.c.action_key == action_key)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        if row is None:
            return None
        requests = tuple(Request(**one) for one in json.loads(row["requests"]))
        return Kept(requests, str(row["held"]), bool(row["is_held"]), str(row["made_at"]))

    def prepare(self, deliveries: Mapping[tuple[str, str], Delivery], policies: Sequence[Policy]) -> int:
        """Make those that are missing of what a policy leaves to a person; how many. What waits only because write-back
        is off is not looked at, and an account that does not answer is left for the next lane.
        """
        made = []
        wanted = [row for row in self._waiting() if needs_person(subject_of(row), policies) is not None][:MOST]
        waiting = sorted(wanted, key=_account)
        for account, group in groupby(waiting, key=_account):
            if (delivery := deliveries.get(account)) is not None:
                made += list(self._of_account(delivery, list(group)))
        if made:
            with writing(self._engine) as connection:
                connection.execute(insert(previews), made)
        return len(made)

    def _waiting(self) -> list[dict[str, Any]]:
        query = (
            select(actions)
            .where(actions.c.state == State.PROPOSED.value, actions.c.action_key.not_in(select(previews.c.action_key)))
            .order_by(actions.c.proposed_at, actions.c.action_key)
        )
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def _of_account(self, delivery: Delivery, rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        for row in rows:
            action = action_of(row)
            try:
                requests = delivery.preview([action])
                found = delivery.read_back([action])[action.action_key]
            except ConnectorError:
                return  # what is approved will tell; a preview is not worth an alert of its own
            yield {
                "action_key": action.action_key,
                "requests": json.dumps([{**asdict(one), "headers": dict(one.headers)} for one in requests]),
                "held": found.detail,
                "is_held": found.ok,
                "made_at": stamp(self._clock.now()),
            }


def _account(row: Mapping[str, Any]) -> tuple[str, str]:
    return str(row["kind"]), str(row["account"])
