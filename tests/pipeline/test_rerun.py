"""A second run with nothing new proposes nothing, posts nothing, and leaves every mart as it was."""

from __future__ import annotations

import pytest

from tests.pipeline.site import Site

pytestmark = pytest.mark.pipeline


def test_a_second_run_proposes_nothing_and_changes_no_mart(finished: Site) -> None:
    marts, actions = finished.mart_hashes(), finished.tieout_json("actions", "--limit", "0")
    vendors = finished.vendor_state()
    assert len(marts) >= 20

    finished.tieout("run", "settlement")
    finished.tieout("run", "stock")

    assert finished.tieout_json("actions", "--limit", "0") == actions
    assert finished.vendor_state() == vendors
    assert finished.mart_hashes() == marts
