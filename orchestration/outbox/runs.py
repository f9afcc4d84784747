"""History of lane runs: when each lane ran last, how it ended, what it counted. For people; no mart reads it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from time import monotonic
from typing import Any

from sqlalchemy import Engine, func, insert, select, update

from orchestration.outbox.audit import canonical_json
from orchestration.outbox.clock import Clock, stamp
from orchestration.outbox.database import writing
from orchestration.outbox.schema import lane_runs


class RunStatus(StrEnum):
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    PARTIAL = "PARTIAL"
    """Ended, but an account was left out."""
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class LaneRun:
    """One run of a lane. Times are UTC text of the injected clock; `seconds` was measured, and is None while it
    runs.
    """

    run_id: str
    lane: str
    started_at: str
    ended_at: str | None
    status: RunStatus
    seconds: Decimal | None
    summary: Mapping[str, Any]


class RunHistory:
    """Append and read lane runs. A run whose process was killed stays RUNNING until the lane starts again."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._started: dict[str, float] = {}

    def start(self, lane: str, *, run_id: str | None = None) -> str:
        """Note that `lane` starts; returns the run's id. Earlier runs of the lane left RUNNING are noted as FAILED."""
        identifier = run_id or f"{lane}-{secrets.token_hex(6)}"
        with writing(self._engine) as connection:
            connection.execute(
                update(lane_runs)
                .where(lane_runs.c.lane == lane, lane_runs.c.status == RunStatus.RUNNING.value)
                .values(
                    status=RunStatus.FAILED.value,
                    summary=canonical_json({"error": "the process ended before the run did"}),
                )
            )
            newest: int | None = connection.execute(select(func.max(lane_runs.c.sequence))).scalar_one()
            connection.execute(
                insert(lane_runs).values(
                    run_id=identifier,
                    lane=lane,
                    started_at=stamp(self._clock.now()),
                    status=RunStatus.RUNNING.value,
                    summary="{}",
                    sequence=(newest or 0) + 1,
                )
            )
        self._started[identifier] = monotonic()
        return identifier

    def finish(self, run_id: str, status: RunStatus, summary: Mapping[str, Any]) -> None:
        """Note how the run ended. `summary` must be JSON-ready (Decimals become text)."""
        started = self._started.pop(run_id, None)
        with writing(self._engine) as connection:
            connection.execute(
                update(lane_runs)
                .where(lane_runs.c.run_id == run_id)
                .values(
                    ended_at=stamp(self._clock.now()),
                    status=status.value,
                    seconds=None if started is None else f"{monotonic() - started:.1f}",
                    summary=canonical_json(dict(summary)),
                )
            )

    def latest(self) -> list[LaneRun]:
        """The newest run of every lane, by name of lane."""
        newest = select(func.max(lane_runs.c.sequence)).group_by(lane_runs.c.lane)
        query = select(lane_runs).where(lane_runs.c.sequence.in_(newest)).order_by(lane_runs.c.lane)
        with self._engine.connect() as connection:
            return [
                LaneRun(
                    run_id=row["run_id"],
                    lane=row["lane"],
                    started_at=row["started_at"],
                    ended_at=row["ended_at"],
                    status=RunStatus(row["status"]),
                    seconds=None if row["seconds"] is None else Decimal(row["seconds"]),
                    summary=json.loads(row["summary"]),
                )
                for row in connection.execute(query).mappings()
            ]
