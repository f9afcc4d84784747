"""When lanes run and who is told. Everything starts switched off unless TIEOUT_SCHEDULES says otherwise."""

import dagster as dg
from dagster import RunFailureSensorContext

from orchestration.lib.alerts import Alert, Level, send
from orchestration.lib.workspace import Workspace

HOURLY = "0 * * * *"
MORNING = "30 7 * * 1-5"
EVERY_FIVE_MINUTES = "*/5 * * * *"
EVERY_HALF_HOUR = "*/30 * * * *"


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
        # The lane's own run fails with its parts; the parts would tell the same thing again.
        if "tieout/lane_run" in run.tags:
            return
        send(settings, Alert(f"Tieout: {run.job_name} failed", context.failure_event.message or "", Level.FAILURE))

    return [alert_on_run_failure]
