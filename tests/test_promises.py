"""What the pages promise is proved by tests that exist, and the supply chain is what the pages say."""

from __future__ import annotations

import re
from importlib.metadata import distributions

import pytest

from tests.test_docs import DOCS, ROOT

PAGES = (DOCS / "threat-model.md", DOCS / "reliability.md")


@pytest.fixture(scope="module")
def known() -> set[str]:
    """Names of all tests, and of what make and tieout can do."""
    found = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^ *def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)
    }
    makefile = (ROOT / "Makefile").read_text()
    return found | {f"make {target}" for target in re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_promise_has_a_proof_that_exists(page: object, known: set[str]) -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page.read_text("utf-8").splitlines()  # type: ignore[attr-defined]
        if line.startswith("| ") and ("`test_" in line or "`make " in line)
    ]
    assert len(rows) >= 15
    missing = [
        (row[0], proof)
        for row in rows
        for proof in re.findall(r"`((?:test_|make )[a-z_0-9-]+)`", row[-1])
        if proof not in known
    ]
    assert missing == []
    headed = [
        line
        for line in page.read_text("utf-8").splitlines()  # type: ignore[attr-defined]
        if line.startswith("| ") and line.count("|") == 4 and "`test_" not in line and "`make " not in line
    ]
    assert [line for line in headed if not line.startswith(("| threat |", "|---"))] == []


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared() -> dict[str, str]:
    """Each dependency of pyproject.toml, by its normal name."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    names = [re.match(r"[A-Za-z0-9_.-]+", line) for group in groups for line in group]
    return {normal(name.group()): name.group() for name in names if name is not None}


def test_every_dependency_has_its_reason() -> None:
    page = normal((DOCS / "decisions" / "0007-libraries.md").read_text())
    without = [name for name in declared() if not re.search(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])", page)]
    assert without == []


def test_every_package_of_the_lock_has_hashes() -> None:
    lock = (ROOT / "requirements" / "lock.txt").read_text()
    entries = re.split(r"\n(?=\S)", lock.strip())
    assert len(entries) > 100
    assert [entry for entry in entries if "--hash=sha256:" not in entry or "==" not in entry] == []
    assert "://" not in lock
    locked = {normal(re.split(r"[=\[]", entry)[0].strip()) for entry in entries}
    assert set(declared()) - locked == set()


def test_no_licence_of_a_dependency_forbids_the_use() -> None:
    from tests.sbom import components

    forbidden = re.compile(r"\b(AGPL|SSPL|BUSL|Commons Clause|Elastic)|(?<!L)GPL", re.IGNORECASE)
    found = {one["name"]: one["licence"] for one in components(distributions())}
    assert len(found) > 100
    assert [name for name, licence in found.items() if not licence] == []
    assert {name: licence for name, licence in found.items() if forbidden.search(licence)} == {}


def test_tls_is_verified_everywhere() -> None:
    """Nobody can switch it off, and no client is made that would not verify."""
    offending = [
        f"{path.relative_to(ROOT)}:{number}"
        for room in ("connectors", "orchestration", "app")
        for path in (ROOT / room).rglob("*.py")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if re.search(r"verify\s*=\s*False|CERT_NONE|check_hostname\s*=\s*False|_create_unverified", line)
    ]
    assert offending == []
