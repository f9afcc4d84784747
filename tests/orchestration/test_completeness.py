"""What a by-id feed is read for, and the comparison of ids, on real DuckDB and SQLite."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.errors import ServerFailed
from connectors.feeds import feed_spec
from connectors.records import FeedSpec, IdSource
from orchestration.lib import parent_ids
from orchestration.lib.completeness import compare_ids
from orchestration.lib.landing import Landing
from orchestration.lib.loading import load, reload
from orchestration.lib.parent_ids import wanted_ids
from orchestration.lib.registry import load_registry
from orchestration.lib.settings import Settings
from orchestration.lib.state import FeedKey, State
from orchestration.lib.warehouse import connect
from orchestration.lib.workspace import Workspace
from tests.orchestration.vendor import Vendor, Vendors, broken_server, line

LINES = feed_spec("mirakl", "transaction_lines")
KEY = FeedKey("mirakl", "BRICO", "line_files")
SINCE = datetime(2026, 6, 1, tzinfo=UTC)


def by_id(version_column: str | None = "last_updated") -> FeedSpec:
    """A feed of files that hang on transaction lines."""
    return replace(
        LINES,
        entity="line_files",
        mode="by_id",
        ids_from=IdSource(LINES.tables[0].name, "id", version_column, "id"),
    )


def bring(settings: Settings, vendor: Vendor) -> None:
    with State(settings.state_path) as state:
        Landing(settings, state, "run").land(LINES, "BRICO", vendor, overlap=timedelta(hours=1))
    load(settings)


def note_read(settings: Settings, versions: dict[str, str]) -> None:
    with State(settings.state_path) as state:
        Landing(settings, state, "run").land(by_id(), "BRICO", Vendor(), overlap=timedelta(), versions=versions)


def wanted(settings: Settings, spec: FeedSpec | None = None) -> list[str]:
    return [one.lstrip("0").partition("-")[0] for one in wanted_ids(settings, [(KEY, spec or by_id())])[KEY]]


@pytest.fixture
def vendor() -> Vendor:
    return Vendor(records={"transaction_lines": [line(number) for number in (1, 2, 3)]})


def read_all(settings: Settings) -> None:
    note_read(settings, wanted_ids(settings, [(KEY, by_id())])[KEY])


def test_ids_are_wanted_once_and_again_when_their_parent_is_newer(settings: Settings, vendor: Vendor) -> None:
    assert wanted(settings) == []  # nothing was ever loaded
    bring(settings, vendor)
    assert sorted(wanted(settings)) == ["1", "2", "3"]
    read_all(settings)
    assert wanted(settings) == []
    vendor.records["transaction_lines"][1] = line(2, updated="2026-07-02T10:00:00Z", payment_state="PAID")
    vendor.records["transaction_lines"].append(line(4))
    bring(settings, vendor)
    assert sorted(wanted(settings)) == ["2", "4"]


def test_without_a_version_an_id_is_read_once(settings: Settings, vendor: Vendor) -> None:
    bring(settings, vendor)
    spec = by_id(version_column=None)
    note_read(settings, wanted_ids(settings, [(KEY, spec)])[KEY])
    vendor.records["transaction_lines"][1] = line(2, updated="2026-07-02T10:00:00Z")
    bring(settings, vendor)
    assert wanted(settings, spec) == []


def test_what_was_read_is_known_after_the_raw_tables_were_made_anew(settings: Settings, vendor: Vendor) -> None:
    bring(settings, vendor)
    read_all(settings)
    reload(settings)
    assert wanted(settings) == []


def test_a_reading_that_failed_is_wanted_again(settings: Settings, vendor: Vendor) -> None:
    bring(settings, vendor)
    ids = wanted_ids(settings, [(KEY, by_id())])[KEY]
    with State(settings.state_path) as state, pytest.raises(ServerFailed):
        Landing(settings, state, "run").land(
            by_id(), "BRICO", Vendor(fails_with=broken_server()), overlap=timedelta(), versions=ids
        )
    assert len(wanted(settings)) == 3


def test_a_run_reads_no_more_than_it_may_and_the_newest_first(
    settings: Settings, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parent_ids, "MAXIMUM_CALLS", 2)
    bring(settings, vendor)
    vendor.records["transaction_lines"].append(line(4, updated="2026-07-02T10:00:00Z"))
    bring(settings, vendor)
    first = wanted(settings)
    assert len(first) == 2
    assert first[0] == "4"
    read_all(settings)
    assert len(wanted(settings)) == 2


def compare(settings: Settings, vendor: Vendor, *, as_of: str = "2026-07-03T08:00:00+00:00") -> Any:
    settings = settings.model_copy(update={"as_of": datetime.fromisoformat(as_of)})
    workspace = Workspace(settings, load_registry(settings.config_dir), Vendors({("mirakl", "BRICO"): vendor}))
    return compare_ids(workspace, "mirakl", "BRICO", "transaction_lines", SINCE)


def written(settings: Settings) -> list[tuple[str | None, bool | None, bool | None]]:
    with connect(settings) as connection:
        rows = connection.execute(
            """
            select ltrim(split_part(record_id, '-', 1), '0'), found_at_vendor, found_here
            from raw.tieout_id_checks order by checked_at, record_id nulls last
            """
        ).fetchall()
    return [(one, there, here) for one, there, here in rows]


def loaded(settings: Settings) -> int:
    with connect(settings) as connection:
        ((count,),) = connection.execute("select count(*) from raw.mirakl_transaction_lines").fetchall()
    return int(count)


def test_equal_sets_leave_only_the_note_that_they_were_compared(settings: Settings, vendor: Vendor) -> None:
    bring(settings, vendor)
    result = compare(settings, vendor)
    assert (result.at_vendor, result.here, result.missing_here, result.missing_at_vendor) == (3, 3, (), ())
    assert written(settings) == [(None, None, None)]
    assert loaded(settings) == 3
    assert vendor.windows[-1].since == SINCE


def test_a_record_that_was_never_delivered_is_named_and_loaded(settings: Settings, vendor: Vendor) -> None:
    bring(settings, vendor)
    # It carries a stamp from before the window of the ordinary reading: no incremental read would ever bring it.
    vendor.records["transaction_lines"].append(line(9, updated="2026-06-05T10:00:00Z"))
    result = compare(settings, vendor)
    assert [one[:8] for one in result.missing_here] == ["00000009"]
    assert written(settings) == [("9", True, False), (None, None, None)]
    assert loaded(settings) == 4


def test_a_record_that_is_gone_is_named_until_it_is_back(settings: Settings, vendor: Vendor) -> None:
    bring(settings, vendor)
    gone = vendor.records["transaction_lines"].pop(0)
    assert [one[:8] for one in compare(settings, vendor).missing_at_vendor] == ["00000001"]
    vendor.records["transaction_lines"].insert(0, gone)
    assert compare(settings, vendor, as_of="2026-07-10T08:00:00+00:00").missing_at_vendor == ()
    assert written(settings) == [("1", False, True), (None, None, None), ("1", True, True), (None, None, None)]


def test_what_lies_before_the_window_is_not_missing(settings: Settings, vendor: Vendor) -> None:
    vendor.records["transaction_lines"].append(line(4, updated="2026-05-05T10:00:00Z"))
    bring(settings, vendor)
    assert compare(settings, vendor).missing_at_vendor == ()


def test_a_quarantined_record_is_not_missing(settings: Settings, vendor: Vendor) -> None:
    vendor.records["transaction_lines"].append(line(5, date_created="yesterday"))
    bring(settings, vendor)
    assert loaded(settings) == 3
    assert compare(settings, vendor).missing_here == ()


def test_nothing_is_concluded_from_a_reading_that_failed(settings: Settings, vendor: Vendor) -> None:
    bring(settings, vendor)
    vendor.fails_with, vendor.page_size, vendor.fails_after_pages = broken_server(), 1, 1
    with pytest.raises(ServerFailed):
        compare(settings, vendor)
    with connect(settings) as connection:
        assert connection.execute("from raw.tieout_id_checks").fetchall() == []


def test_a_feed_without_a_past_is_refused(settings: Settings) -> None:
    workspace = Workspace(settings, load_registry(settings.config_dir), Vendors({}))
    with pytest.raises(ValueError, match="snapshot feed"):
        compare_ids(workspace, "mirakl", "BRICO", "offers", SINCE)
