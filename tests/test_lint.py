"""The SQL linter reads each model as dbt renders it; a file that it cannot read is a failure, never a silent pass."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def lint(folder: Path, sql: str) -> subprocess.CompletedProcess[str]:
    model = folder / "model.sql"
    model.write_text(sql)
    command = [
        sys.executable,
        "-m",
        "sqlfluff",
        "lint",
        "--nocolor",
        "--config",
        str(ROOT / "pyproject.toml"),
        str(model),
    ]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)


def test_a_dispatched_macro_is_linted_as_the_sql_that_duckdb_gets(tmp_path: Path) -> None:
    good = lint(tmp_path, "select {{ month_end('entries.posting_date') }} as month_end\nfrom entries\n")
    assert good.returncode == 0, good.stdout


@pytest.mark.parametrize(
    ("sql", "finding"),
    [
        ("select from where {{ ref('entries') }}\n    a,,b from\n", "PRS"),
        ("select {{ adapter.dispatch('no_such_macro')('a') }} as b\nfrom entries\n", "no_such_macro"),
        ("select {{ no_such_macro('a') }} as b\nfrom entries\n", "TMP"),
        ("{% for x in %}\nselect 1 as a\n", "TMP"),
        ("select a,\nfrom entries\n", "CV03"),
    ],
    ids=["unparsable", "unknown dispatch", "unknown macro", "broken template", "comma before from"],
)
def test_what_the_linter_cannot_read_or_must_refuse_fails(tmp_path: Path, sql: str, finding: str) -> None:
    bad = lint(tmp_path, sql)
    assert bad.returncode == 1
    assert finding in bad.stdout
