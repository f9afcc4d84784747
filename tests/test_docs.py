"""Docs and code name the same things."""

from __future__ import annotations

import csv
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["configuration.md", "marts.md", "rights.md"])
def test_the_reference_pages_are_current(generate: ModuleType, page: str) -> None:
    assert (DOCS / page).read_text() == generate.PAGES[page](), "run `python docs/generate.py`"


def test_every_configuration_file_and_column_is_described() -> None:
    text = (DOCS / "configuration.md").read_text()
    for path in sorted((ROOT / "dbt_project" / "seeds").glob("*.csv")):
        section = text.split(f"## {path.name}\n", 1)
        assert len(section) == 2, f"{path.name} has no section"
        body = section[1].split("\n## ", 1)[0]
        with path.open(newline="") as file:
            for column in next(csv.reader(file)):
                row = re.search(rf"^\| `{column}` \| (.*) \|$", body, re.MULTILINE)
                assert row, f"{path.name}: {column} is not described"
                assert row.group(1).strip(), f"{path.name}: {column} has an empty description"


def test_every_mart_column_is_described() -> None:
    empty = re.findall(r"^\| `(\w+)` \| [^|]* \| +\|$", (DOCS / "marts.md").read_text(), re.MULTILINE)
    assert not empty


def test_every_exception_code_has_a_runbook() -> None:
    headings = set(re.findall(r"^### ([A-Z]+-\d{3})$", (DOCS / "runbooks.md").read_text(), re.MULTILINE))
    with (ROOT / "dbt_project" / "seeds" / "exception_codes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["exception_code"] for row in rows} == headings
    for row in rows:
        assert row["runbook"].endswith(f"#{row['exception_code'].lower()}")


def test_the_example_environment_names_every_variable_that_is_read() -> None:
    named = set(re.findall(r"^([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    from app.settings import AppSettings
    from orchestration.lib.settings import Settings

    read = {f"TIEOUT_{name.upper()}" for name in Settings.model_fields}
    read |= {f"TIEOUT_APP_{name.upper()}" for name in AppSettings.model_fields}
    assert read <= named, f"not in .env.example: {sorted(read - named)}"
    assert {n for n in named if n.startswith("TIEOUT_")} <= read | {"TIEOUT_ENV_FILE"}


def test_every_relative_link_in_the_docs_leads_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")]
    broken = []
    for page in pages:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
            if not target.startswith(("http:", "https:")) and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)} -> {target}")
    assert not broken, "\n".join(broken)


def test_every_make_target_in_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    # A command stands at the start of a line or in code; "Python, make and git" is prose.
    used = set(re.findall(r"(?:^ *|`)make ([a-z-]+)", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert used
    assert used <= targets
