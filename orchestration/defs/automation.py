"""When lanes run and who is told. Everything starts switched off unless TIEOUT_SCHEDULES says otherwise."""

import dagster as dg
from dagster import RunFailureSensorContext

from orchestration.alerting.desk import notify
from orchestration.defs.extraction import batch_metadata
from orchestration.lib.alerts import Alert, Level
from orchestration.lib.events import heed
from orchestration.lib.lanes import LANE_PAUSES, PART_OF_LANE, TOLD, feed_key
from orchestration.lib.looking import look
from orchestration.lib.state import Batch
from orchestration.lib.workspace import Workspace

HOURLY = "0 0,2,4,6-20,22 * * *"
"""Nineteen times: with the morning's second pass the twenty readings of transaction lines that the vendor recommends
for a day. Longer steps at night, none longer than the two hours by which a daily feed may be late.
"""
MORNING = "30 7 * * 1-5"
EVERY_FIVE_MINUTES = "*/5 * * * *"
EVERY_HALF_HOUR = "*/30 * * * *"
SUNDAY_NIGHT = "15 3 * * 0"
"""Between two settlement lanes; the files it asks for may be asked for once a day."""


def schedules(workspace: Workspace) -> list[dg.ScheduleDefinition]:
    status = dg.DefaultScheduleStatus.RUNNING if workspace.settings.schedules else dg.DefaultScheduleStatus.STOPPED

    def schedule(name: str, job: str, cron: str, why: str) -> dg.ScheduleDefinition:
        return dg.ScheduleDefinition(
            name=name,
            job_name=job,
            cron_schedule=cron,
            execution_timezone="Europe/London",
            default_status=status,
            description=why,
        )

    return [
        schedule(
            "hourly_settlement", "settlement", HOURLY, "Transaction lines, cycles, documents and bank into journals."
        ),
        schedule(
            "morning_settlement", "settlement", MORNING, "A second pass for ERP postings and statements of the night."
        ),
        schedule("five_minute_stock", "stock", EVERY_FIVE_MINUTES, "ERP stock to the marketplaces."),
        schedule("five_minute_returns", "returns", EVERY_FIVE_MINUTES, "Credit notes of the ERPs to the customers."),
        schedule("weekly_id_checks", "id_checks", SUNDAY_NIGHT, "The ids of the last weeks, asked for again."),
        schedule("half_hourly_freshness", "freshness", EVERY_HALF_HOUR, "Tells of a silent account."),
    ]


def sensors(workspace: Workspace) -> list[dg.SensorDefinition]:
    settings = workspace.settings
    status = dg.DefaultSensorStatus.RUNNING if settings.schedules else dg.DefaultSensorStatus.STOPPED

    @dg.run_failure_sensor(
        name="alert_on_run_failure",
        default_status=status,
        description="Tells people of a failed run once, with the reason.",
    )
    def alert_on_run_failure(context: RunFailureSensorContext) -> None:
        run = context.dagster_run
        # A lane tells of itself and of the runs it is made of, once and in its own words; of a lane that could not
        # even do that, this tells.
        if not run.tags.keys().isdisjoint(PART_OF_LANE.keys() | TOLD.keys()):
            return
        alert = Alert(f"Tieout: {run.job_name} failed", context.failure_event.message or "", Level.FAILURE)
        notify(settings, alert, key=f"RUN|{run.job_name}")

    @dg.sensor(
        name="heed_events",
        job_name="dispatch",
        minimum_interval_seconds=5,
        default_status=status,
        description="Runs the dispatch lane as soon as an ERP has said that it saved something.",
    )
    def heed_events(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        count = heed(settings)
        return dg.RunRequest(tags={"tieout/why": f"{count} events"}) if count else dg.SkipReason("no event came")

    watching = [_watching(workspace, lane, pause, status) for lane, pause in LANE_PAUSES.items()]
    return [alert_on_run_failure, heed_events, *watching]


def _watching(workspace: Workspace, lane: str, pause: int, status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    """A run costs seconds before it does anything, so this process reads what is due, and a run follows only when that
    brought something.
    """

    @dg.sensor(
        name=f"watch_{lane}",
        job_name=lane,
        minimum_interval_seconds=pause,
        default_status=status,
        description=f"Runs the {lane} lane when one of its feeds may be read again, or an action of it waits.",
    )
    def watch(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        running = dg.RunsFilter(job_name=lane, statuses=[dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTED])
        if context.instance.get_runs_count(running):
            return dg.SkipReason("the lane is running")
        # Configuration and secrets as they are now, as a run would find them.
        found = look(Workspace.open(workspace.settings), lane)
        events = [_materialization(batch) for batch in found.read]
        if found.why is None:
            return dg.SensorResult(skip_reason="nothing is due, or it brought nothing", asset_events=events)
        return dg.SensorResult([dg.RunRequest(tags={"tieout/why": found.why})], asset_events=events)

    return watch


def _materialization(batch: Batch) -> dg.AssetMaterialization:
    """What a run would have noted of the reading: Dagster's freshness counts from it."""
    return dg.AssetMaterialization(
        asset_key=feed_key(batch.feed.vendor, batch.feed.entity),
        partition=batch.feed.account,
        metadata=batch_metadata(batch),
    )
