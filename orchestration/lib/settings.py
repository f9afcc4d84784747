"""Where things are, what time it is, and what a run may do. Read once from the environment and passed on by hand.

Every path of the data folder is named here and nowhere else. Secrets never become part of a settings object that could
be printed (secret_store.py).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from platformdirs import user_cache_path
from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parents[2]
DBT_PROJECT_DIR = PROJECT_ROOT / "dbt_project"
DEFAULT_CONFIG_DIR = DBT_PROJECT_DIR / "seeds"


@dataclass(frozen=True, slots=True)
class Clock:
    """The only source of the current time. `as_of` (UTC) pins it, so that the same input gives the same output."""

    as_of: datetime | None = None

    def now(self) -> datetime:
        """Time zone aware UTC, the pinned one when there is one."""
        return self.as_of or datetime.now(UTC)

    def text(self) -> str:
        """`now()` as ISO 8601 with `Z` and microseconds: sorts as text."""
        return stamp(self.now())


def stamp(moment: datetime) -> str:
    """UTC ISO 8601 with `Z` and always microseconds, so that texts sort as times."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_stamp(text: str) -> datetime:
    """An ISO 8601 date or time as aware UTC. A text without a zone is taken as UTC, as vendors' dates are."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _as_of(value: Any) -> Any:
    if value is None or value == "":
        return None
    return parse_stamp(value) if isinstance(value, str) else value


def _cache_dir(value: Any) -> Any:
    return value or user_cache_path("tieout")


class Settings(BaseSettings):
    """Everything the environment may say (`TIEOUT_*`). Frozen; make another one with `model_copy(update=...)`."""

    model_config = SettingsConfigDict(env_prefix="TIEOUT_", extra="ignore", frozen=True)

    config_dir: Path = DEFAULT_CONFIG_DIR
    data_dir: Path = Path(".tieout/data")
    as_of: Annotated[datetime | None, BeforeValidator(_as_of)] = None
    write_back: bool = False
    dbt_project_dir: Path = DBT_PROJECT_DIR
    cache_dir: Annotated[Path, BeforeValidator(_cache_dir)] = Field(default="", validate_default=True)
    """What several data folders on this machine share: the parsed dbt project and its compiled templates. No data; it
    may be deleted at any time.
    """
    landing_url: str | None = None
    """fsspec address of the landing files (`s3://bucket/landing`); default `<data dir>/landing`."""
    persons_file: Path | None = None
    """Where the keys of the customers in the evidence lie; default `<data dir>/secrets/persons.db`."""
    raw_url: str | None = None
    """fsspec address that the loader also writes raw to, as Parquet for Spark; None: nothing but the warehouse."""
    outbox_url: str | None = Field(default=None, repr=False)
    """SQLAlchemy address of the outbox; default SQLite in the data folder."""
    memory_limit: str = "700MB"
    """What DuckDB may use before it spills to disk."""
    threads: int = Field(default=2, ge=1)
    schedules: bool = False
    """Whether schedules and sensors start switched on."""
    alert_urls: str = Field(default="", repr=False)
    """apprise addresses, separated by white space; alerts always go to the log as well."""
    app_url: str = ""
    """Where the web app answers people, for links in messages; empty: no such link."""
    playbook_url: str = ""
    """Where the site of `tieout playbook` stands; empty: links name the place in the repository."""
    retry_wait_seconds: float = Field(default=5.0, ge=0)
    """Pause before an extraction step that failed for a passing reason is tried once more."""

    run_history_days: int = Field(default=30, ge=0)
    """How long Dagster's history of runs is kept; 0: for ever. Evidence, outbox and audit trail are never shortened."""
    netsuite_requests: int = Field(default=4, ge=1)
    """Requests at once to one NetSuite account, over all processes of this data folder."""
    pace_local: bool = False
    """Whether call budgets hold for vendors on this machine too; elsewhere they always do."""

    @property
    def clock(self) -> Clock:
        return Clock(self.as_of)

    @property
    def root(self) -> Path:
        return self.data_dir.absolute()

    @property
    def landing(self) -> str:
        return self.landing_url or str(self.root / "landing")

    @property
    def state_path(self) -> Path:
        return self.root / "state.db"

    @property
    def budgets_path(self) -> Path:
        return self.root / "budgets.db"

    @property
    def warehouse_path(self) -> Path:
        return self.root / "warehouse.duckdb"

    @property
    def published_dir(self) -> Path:
        return self.root / "published"

    @property
    def published_path(self) -> Path:
        """Not `marts.duckdb`: DuckDB names the catalogue after the file, and `marts.exceptions` would be ambiguous."""
        return self.published_dir / "tieout.duckdb"

    @property
    def secrets_dir(self) -> Path:
        return self.root / "secrets"

    @property
    def persons_path(self) -> Path:
        """Where the keys of the customers in the evidence lie (persons.py); in no backup of the data folder."""
        return self.persons_file or self.secrets_dir / "persons.db"

    @property
    def locks_dir(self) -> Path:
        return self.root / "locks"

    @property
    def events_dir(self) -> Path:
        """Signed events of the ERPs that came in."""
        return self.root / "events"

    @property
    def examination_path(self) -> Path:
        """The newest `tieout audit systems`, for the web app."""
        return self.root / "examination.json"

    @property
    def evidence_index_path(self) -> Path:
        """Which file and record of the evidence an id stands in (evidence_index.py)."""
        return self.root / "evidence.duckdb"

    @property
    def temporary_dir(self) -> Path:
        return self.root / "tmp"

    @property
    def dbt_dir(self) -> Path:
        return self.root / "dbt"

    @property
    def dagster_home(self) -> Path:
        """DAGSTER_HOME when a person set it, else a folder of the data folder."""
        home = os.environ.get("DAGSTER_HOME")
        return Path(home).absolute() if home else self.root / "dagster"

    @property
    def outbox_address(self) -> str:
        return self.outbox_url or f"sqlite:///{self.root / 'outbox.db'}"
