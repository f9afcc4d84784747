"""SIGKILL at points of one installation's life; in the end nothing is lost and nothing is there twice.

`make test` kills it at the two points that differ most; `make kills` at all ten.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pipeline.conftest import ORDERS, Finished, State
from tests.pipeline.site import Site, running_sandbox

pytestmark = pytest.mark.pipeline

EVERY_POINT = os.environ.get("KILLS") == "all"
LANES = ("settlement", "stock") if EVERY_POINT else ("settlement",)
MIRAKL = "/mirakl/BRICO/api"
SAGE = "/sage200/accounts/v1"


def during(
    site: Site, path: str, *, kind: str = "hang", after: int = 0, method: str | None = None
) -> Callable[[], bool]:
    """True while a call of this path hangs before its effect, or had it unanswered (outcome_unknown)."""
    site.calm()
    rule = {"path": path, "kind": kind, "after": after, "times": 1}
    site.strike(**rule | ({"seconds": 60} if kind == "hang" else {}) | ({"method": method} if method else {}))
    return lambda: site.strikes() > 0


def when_grown(path: Path, by: int) -> Callable[[], bool]:
    start = path.stat().st_size if path.exists() else 0
    return lambda: path.exists() and path.stat().st_size >= start + by


def when_replaced(path: Path) -> Callable[[], bool]:
    start = path.stat().st_ino if path.exists() else None
    return lambda: path.exists() and path.stat().st_ino != start


def test_kills_lose_nothing_and_double_nothing(finished: Finished, tmp_path: Path) -> None:
    """It ends where the undisturbed installation did."""
    with running_sandbox(tmp_path / "killed", orders=ORDERS) as url:
        site = Site(url, tmp_path / "killed", tmp_path / "killed-data")
        warehouse = site.data_dir / "warehouse.duckdb"
        published = site.data_dir / "published" / "tieout.duckdb"
        settlement = ("run", "settlement")
        points: list[tuple[str, Callable[[], Callable[[], bool]], tuple[str, ...]]] = [
            ("in the middle of the order pages", lambda: during(site, f"{MIRAKL}/orders", after=1), settlement),
            ("in the middle of the settlement lines", lambda: during(site, f"{MIRAKL}/sellerpayment"), settlement),
            ("before a token is refreshed", lambda: during(site, "/oauth/token"), settlement),
            (
                "in the middle of the ledger",
                lambda: during(site, f"{SAGE}/nominal_transaction_enquiry_views"),
                settlement,
            ),
            ("while raw tables are loaded", lambda: when_grown(warehouse, 1), settlement),
            ("while the marts are published", lambda: when_replaced(published), settlement),
            # Receipt journals leave before settlement journals, in the order of their keys.
            (
                "after a transfer took effect, before its answer",
                lambda: during(site, f"{SAGE}/bank_transfer", kind="outcome_unknown", method="POST"),
                settlement,
            ),
            (
                "before a customer's receipt is posted",
                lambda: during(site, f"{SAGE}/sales_receipts", method="POST"),
                settlement,
            ),
            (
                "after a fee payment took effect, before its answer",
                lambda: during(site, f"{SAGE}/bank_payment", kind="outcome_unknown", method="POST"),
                settlement,
            ),
            (
                "after the stock file took effect, before its answer",
                lambda: during(site, f"{MIRAKL}/offers/stock/imports", kind="outcome_unknown", method="POST"),
                ("run", "stock"),
            ),
        ]
        # The warehouse, and a posting whose answer is lost.
        chosen = points if EVERY_POINT else [points[at] for at in (4, 6)]
        for name, arm, command in chosen:
            assert site.kill_when(arm(), *command), f"the run ended before it could be killed {name}"
            site.calm()
        for lane in LANES:
            site.tieout("run", lane)

        ended, expected = State.of(site), finished.after[LANES[-1]]
        assert {name for name, mart in expected.marts.items() if ended.marts.get(name) != mart} == set()
        assert ended == expected
        assert site.tieout("audit", "verify")
