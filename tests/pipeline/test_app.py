"""The web app on a finished installation, in the machine's own browser: every page, every role, axe, screenshots."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app.asking import Site as AppSite
from app.marts import Marts
from app.people import Person, Role
from app.settings import AppSettings
from app.signing.users import Users
from orchestration.examination.examine import examine
from orchestration.examination.finding import Facts
from orchestration.examination.report import keep
from orchestration.lib import erasing
from orchestration.lib.published import Published
from orchestration.lib.registry import load_registry
from orchestration.lib.settings import Settings, parse_stamp
from tests.app.browser import browsing
from tests.app.conftest import write_users
from tests.app.serving import serving
from tests.app.walking import ids_of, walk
from tests.pipeline.site import Site


@pytest.mark.browser
@pytest.mark.pipeline
def test_everybody_can_do_their_work_in_the_app(finished: Site, tmp_path: Path) -> None:
    """On a copy: what people decide here must not reach the tests that look at the same installation."""
    data = tmp_path / "data"
    shutil.copytree(finished.data_dir / "published", data / "published")
    for name in ("outbox.db", "evidence.duckdb"):
        shutil.copy(finished.data_dir / name, data / name)
    with browsing() as browser:
        shutil.copytree(finished.env["TIEOUT_CONFIG_DIR"], tmp_path / "config")
        settings = Settings(
            config_dir=tmp_path / "config",
            data_dir=data,
            landing_url=str(finished.data_dir / "landing"),
            persons_file=finished.data_dir / "secrets" / "persons.db",
            as_of=parse_stamp(finished.env["TIEOUT_AS_OF"]),
            write_back=True,
        )
        write_users(tmp_path / "users.csv")
        site = AppSite(settings, AppSettings(), Marts(settings.published_path), Users(tmp_path / "users.csv"))
        published = Published(settings.published_path)
        ids = ids_of(published) | {"link": "printed-by-make-app"}
        members = erasing.shown(settings, ids["order"].split("/")[1])[0]["members"]
        ids["relay"] = next(one for one in members if "@" in one)
        facts = Facts(
            load_registry(settings.config_dir), settings.clock.now().replace(tzinfo=None), published.rows, True
        )
        keep(settings.examination_path, examine(facts), at=settings.clock.now())
        published.close()
        site.link_token, site.link_person = ids["link"], Person("newcomer", frozenset({Role.ADMIN}))
        with serving(site) as base:
            walk(browser, base, ids)
