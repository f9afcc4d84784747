"""The playbook is made of the configuration, every command in it exists, and the site builds without a broken link."""

from __future__ import annotations

import csv
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from orchestration.lib.registry import Registry, load_registry
from orchestration.lib.settings import DEFAULT_CONFIG_DIR
from orchestration.playbook.write import Playbook, contents, sections_of, write
from tests.playbook.commands import commands_in, resolve

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry(DEFAULT_CONFIG_DIR)


@pytest.fixture(scope="module")
def book(registry: Registry) -> Playbook:
    return Playbook(registry, (ROOT / "docs" / "runbooks.md").read_text(), date(2026, 7, 3))


@pytest.fixture(scope="module")
def pages(book: Playbook) -> dict[str, str]:
    return dict(contents(book))


def test_there_is_a_page_per_code_with_what_the_runbook_says(pages: dict[str, str]) -> None:
    with (DEFAULT_CONFIG_DIR / "exception_codes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        page = pages[f"codes/{row['exception_code'].lower()}.md"]
        assert page.startswith(f"# {row['exception_code']} {row['title']}\n")
        for part in (row["severity"], row["owner_team"], row["recommended_action"]):
            assert part in page
        assert f"]({row['exception_code'].lower()}.md)" in pages["codes/index.md"]
    assert "although the import had its time" in pages["codes/ord-001.md"]
    assert "- Severity S1" not in pages["codes/ord-001.md"]


def test_every_command_is_one_that_the_command_line_takes(pages: dict[str, str]) -> None:
    named = [(page, words) for page, text in pages.items() for words in commands_in(text)]
    assert len(named) > 300
    for page, words in named:
        try:
            resolve(words)
        except Exception as error:
            raise AssertionError(f"{page}: tieout {' '.join(words)}: {error}") from error


def test_a_command_that_does_not_exist_is_refused() -> None:
    for words in (["exception"], ["exceptions", "--team", "X"], ["alerts", "ack", "1"], ["close", "--lock"]):
        with pytest.raises(Exception, match=r"no command|No such option|Missing|required"):
            resolve(words)


def test_it_follows_the_configuration(book: Playbook, registry: Registry) -> None:
    from dataclasses import replace

    only = tuple(
        row.model_copy(update={"is_enabled": row.marketplace_code == "HOMELY"}) for row in registry.marketplaces
    )
    codes = tuple(row for row in registry.exception_codes if row.owner_team != "CUSTOMER_SERVICE")
    changed = dict(contents(replace(book, registry=replace(registry, marketplaces=only, exception_codes=codes))))
    assert "HOMELY Homely" in changed["index.md"]
    assert "BRICO Brico" not in changed["index.md"]
    assert "handover/customer-service.md" not in changed
    assert "CUSTOMER_SERVICE" not in changed["daily.md"]
    assert "tieout close 2026-06 --entity NORTHHOME" in changed["month-end.md"]
    assert "Sellers' balances" not in changed["month-end.md"], "nobody is an operator here"
    assert "18:30 and 07:30" in changed["index.md"], "quiet hours of alert_routes.csv"


def test_a_section_ends_where_the_next_begins() -> None:
    section = "### A-001\n\nTitle.\n\n- Severity S1.\n- Do: x.\n\nMore.\n\n"
    text = f"{section}## Next level\n\nNot this.\n\n### B-001\n\nOther.\n"
    assert sections_of(text) == {"A-001": "More.", "B-001": ""}


def test_the_site_builds_without_a_broken_link(book: Playbook, tmp_path: Path) -> None:
    written = write(book, tmp_path)
    (tmp_path / "pages" / "codes" / "old-001.md").write_text("gone")
    assert write(book, tmp_path) == written
    assert not (tmp_path / "pages" / "codes" / "old-001.md").exists()
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--config-file", str(written[-1])]
    done = subprocess.run(build, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    html = (tmp_path / "site" / "codes" / "ord-001" / "index.html").read_text()
    assert "Mirakl order missing in ERP" in html
    assert "fonts.googleapis" not in html, "the site asks nobody else for anything"
