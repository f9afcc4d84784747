"""What the playbook tells people to run is run, on a finished installation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestration.cli.app import app
from tests.pipeline.site import Site
from tests.playbook.commands import commands_in, is_read_only

pytestmark = pytest.mark.pipeline


def test_every_command_and_query_of_the_playbook_that_reads_answers(
    finished: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in finished.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)

    def tieout(*words: str) -> None:
        result = CliRunner().invoke(app, list(words))
        assert result.exit_code == 0, f"tieout {' '.join(words)}: {result.output}"

    tieout("playbook", str(tmp_path / "book"))
    pages = [path.read_text() for path in sorted((tmp_path / "book" / "pages").rglob("*.md"))]
    commands = {tuple(words) for page in pages for words in commands_in(page) if is_read_only(words)}
    # The page of each code names the same command: one of them is enough.
    kept = [words for words in sorted(commands) if words[:2] != ("exceptions", "--code")]
    assert len(kept) > 25
    for words in [*kept, ("exceptions", "--code", "ORD-001")]:
        tieout(*words)
    ((exception,),) = finished.query("select min(exception_id) from marts.exceptions where status = 'OPEN'")
    tieout("explain", exception)
    queries = {query for page in pages for query in re.findall(r"`(select [^`]+)`", page)}
    assert queries
    for query in sorted(queries):
        finished.query(query if "marts." in query else re.sub(r"\b(from|join) (?=[a-z])", r"\1 marts.", query))
