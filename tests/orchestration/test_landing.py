"""Landing: immutable files, a manifest that is always true, nothing landed twice, nothing lost by a crash."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import zstandard

from connectors.errors import ConnectorError
from connectors.feeds import feed_spec
from connectors.records import Window
from orchestration.lib.landing import IncompleteSnapshot, Landing
from orchestration.lib.landing_files import LandingFiles
from orchestration.lib.settings import Settings
from orchestration.lib.state import Batch, FeedKey, State
from tests.orchestration.vendor import Vendor, broken_server, line, offer

LINES = feed_spec("mirakl", "transaction_lines")
OFFERS = feed_spec("mirakl", "offers")
FEED = FeedKey("mirakl", "BRICO", "transaction_lines")
HOUR = timedelta(hours=1)


def land(settings: Settings, vendor: Vendor, spec=LINES, overlap: timedelta = HOUR) -> Batch:
    with State(settings.state_path) as state:
        return Landing(settings, state, "run").land(spec, "BRICO", vendor, overlap=overlap)


def files_on_disk(settings: Settings) -> list[Path]:
    return sorted(path for path in Path(settings.landing).rglob("*") if path.is_file())


def vendor_with(*numbers: int, updated: str = "2026-07-01T10:00:00Z") -> Vendor:
    return Vendor(records={"transaction_lines": [line(number, updated=updated) for number in numbers]})


def test_a_page_is_kept_exactly_as_received_and_its_manifest_row_proves_it(settings: Settings) -> None:
    batch = land(settings, vendor_with(1, 2, 3, 4))

    with State(settings.state_path) as state:
        manifest = state.files(batch.batch)
    assert [file.record_count for file in manifest] == [3, 1]
    assert manifest[0].path == "landing/mirakl/BRICO/transaction_lines/2026-07-03/0000000001-000001.json.zst"
    body = zstandard.ZstdDecompressor().decompress((settings.root / manifest[0].path).read_bytes())
    assert body.startswith(b'{"data":[{"id":"00000001-')
    assert b'"amount":12.34' in body
    assert hashlib.sha256(body).hexdigest() == manifest[0].sha256
    assert len(body) == manifest[0].byte_count


def test_nobody_else_on_the_machine_may_look_into_the_evidence(settings: Settings) -> None:
    land(settings, vendor_with(1))
    assert Path(settings.landing).stat().st_mode & 0o777 == 0o700


def test_a_second_run_with_nothing_new_lands_nothing(settings: Settings) -> None:
    vendor = vendor_with(1, 2, 3, 4)
    land(settings, vendor)
    before = files_on_disk(settings)

    again = land(settings, vendor)

    assert (again.status, again.records_received, again.records_landed, again.records_unchanged) == (
        "COMPLETE",
        4,
        0,
        4,
    )
    assert files_on_disk(settings) == before


def test_the_window_starts_an_overlap_before_the_newest_stamp(settings: Settings) -> None:
    vendor = vendor_with(1)
    land(settings, vendor)
    land(settings, vendor)
    assert vendor.windows == [Window(), Window(since=datetime(2026, 7, 1, 9, tzinfo=UTC))]


def test_a_record_that_changed_without_a_newer_stamp_is_landed_within_the_overlap(settings: Settings) -> None:
    vendor = vendor_with(1, 2)
    land(settings, vendor)
    vendor.records["transaction_lines"][1] = line(2, amount="99.99")
    assert land(settings, vendor).records_landed == 2  # its whole page


def test_the_cursor_stays_when_the_vendor_breaks_half_way_and_the_next_run_takes_up_the_rest(
    settings: Settings,
) -> None:
    vendor = vendor_with(1, 2, 3, 4, 5, 6, 7)
    vendor.fails_with, vendor.fails_after_pages = broken_server(), 2
    with pytest.raises(ConnectorError):
        land(settings, vendor)
    with State(settings.state_path) as state:
        assert state.cursor(FEED) is None
        assert [batch.status for batch in state.batches()] == ["FAILED"]
    vendor.fails_with = None

    batch = land(settings, vendor)

    assert (batch.records_received, batch.records_landed, batch.records_unchanged) == (7, 1, 6)
    with State(settings.state_path) as state:
        assert state.cursor(FEED) == "2026-07-01T10:00:00Z"


def test_hashes_that_left_the_overlap_are_forgotten(settings: Settings) -> None:
    vendor = vendor_with(1, 2, 3, updated="2026-06-01T10:00:00Z")
    land(settings, vendor)
    vendor.records["transaction_lines"] += [line(4, updated="2026-07-01T10:00:00Z")]
    land(settings, vendor)
    with State(settings.state_path) as state:
        assert sum(len(page) for page in state.seen_pages(FEED)) == 8  # one record of 8 bytes


def test_an_unchanged_snapshot_is_not_landed_again_and_a_changed_one_is_landed_whole(settings: Settings) -> None:
    vendor = Vendor(records={"offers": [offer(number) for number in range(7)]})
    first = land(settings, vendor, OFFERS)
    same = land(settings, vendor, OFFERS)
    vendor.records["offers"][6] = offer(6, quantity=0)
    changed = land(settings, vendor, OFFERS)

    assert (first.records_landed, same.records_landed, changed.records_landed) == (7, 0, 7)
    assert same.records_unchanged == 7
    assert not any(settings.temporary_dir.iterdir())


def test_a_snapshot_that_lost_its_last_page_is_a_change(settings: Settings) -> None:
    vendor = Vendor(records={"offers": [offer(number) for number in range(6)]})
    land(settings, vendor, OFFERS)
    del vendor.records["offers"][3:]
    assert land(settings, vendor, OFFERS).records_landed == 3


def test_an_emptied_snapshot_is_landed_as_an_empty_page(settings: Settings) -> None:
    vendor = Vendor(records={"offers": [offer(1)]})
    land(settings, vendor, OFFERS)
    vendor.records["offers"] = []
    batch = land(settings, vendor, OFFERS)
    with State(settings.state_path) as state:
        assert [file.record_count for file in state.files(batch.batch)] == [0]


def test_a_snapshot_with_fewer_records_than_declared_is_never_complete(settings: Settings) -> None:
    vendor = Vendor(records={"offers": [offer(1), offer(2)]}, declares=500)
    with pytest.raises(IncompleteSnapshot, match="declared 500 records and gave 2"):
        land(settings, vendor, OFFERS)
    with State(settings.state_path) as state:
        assert state.newest_complete() == {}


def test_a_record_that_slips_between_two_pages_is_found_by_reading_again(settings: Settings) -> None:
    vendor = vendor_with(1, 2, 3, 4, 5, 6, 7)

    def hide_the_first(page: int) -> None:
        if len(vendor.records["transaction_lines"]) == 7:
            del vendor.records["transaction_lines"][0]  # all others move up by one: number 4 onto the page just read

    vendor.between_pages = hide_the_first
    batch = land(settings, vendor)

    with State(settings.state_path) as state:
        landed = b"".join(LandingFiles(settings.landing).read(file.path) for file in state.files(batch.batch))
    assert b'"id":"00000004-' in landed
    assert len(vendor.windows) == 2
    assert batch.status == "COMPLETE"
    assert batch.declared_count == batch.records_received == 6 + 6


def test_a_listing_that_only_grows_is_read_twice_and_no_more(settings: Settings) -> None:
    vendor = vendor_with(*range(1, 8))
    numbers = iter(range(100, 200))
    vendor.between_pages = lambda page: vendor.records["transaction_lines"].append(line(next(numbers)))
    batch = land(settings, vendor)
    assert batch.status == "COMPLETE"
    assert len(vendor.windows) == 2


def test_a_snapshot_that_moves_is_read_again_as_a_batch_of_its_own(settings: Settings) -> None:
    vendor = Vendor(records={"offers": [offer(number) for number in range(1, 8)]})

    def sell_out(page: int) -> None:
        vendor.between_pages = None
        del vendor.records["offers"][0]

    vendor.between_pages = sell_out
    batch = land(settings, vendor, OFFERS)
    with State(settings.state_path) as state:
        assert [one.status for one in state.batches()] == ["FAILED", "COMPLETE"]
        assert "its total went from 7 to 6" in str(state.batches()[0].error)
    assert batch.records_landed == 6


def test_a_snapshot_that_never_holds_still_is_never_complete(settings: Settings) -> None:
    vendor = Vendor(records={"offers": [offer(number) for number in range(1, 8)]})
    numbers = iter(range(100, 200))
    vendor.between_pages = lambda page: vendor.records["offers"].insert(0, offer(next(numbers)))
    vendor.page_size = 5
    with pytest.raises(IncompleteSnapshot, match="its total went from"):
        land(settings, vendor, OFFERS)
    assert len(vendor.windows) == 3
    with State(settings.state_path) as state:
        assert state.newest_complete() == {}


def test_a_window_can_be_read_again_without_moving_the_cursor_back(settings: Settings) -> None:
    vendor = vendor_with(1)
    land(settings, vendor)
    with State(settings.state_path) as state:
        long_ago = datetime(2026, 5, 1, tzinfo=UTC)
        Landing(settings, state, "run").land(LINES, "BRICO", vendor, overlap=HOUR, since=long_ago)
        assert state.cursor(FEED) == "2026-07-01T10:00:00Z"
    assert vendor.windows[-1] == Window(since=long_ago)


def test_any_fsspec_storage_takes_the_files(settings: Settings) -> None:
    remote = settings.model_copy(update={"landing_url": "memory://bucket/landing"})
    batch = land(remote, vendor_with(1))
    with State(remote.state_path) as state:
        (file,) = state.files(batch.batch)
    assert LandingFiles("memory://bucket/landing").read(file.path).startswith(b'{"data":[')


@pytest.mark.parametrize("entity", ["transaction_lines", "offers"])
def test_a_page_that_cannot_be_written_fails_the_batch_and_what_was_written_beside_it_is_evidence(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, entity: str
) -> None:
    def write(self: LandingFiles, path: str, data: bytes) -> None:
        if path.endswith("000002.json.zst"):
            raise OSError("no space left")
        real(self, path, data)

    real = LandingFiles.write
    monkeypatch.setattr(LandingFiles, "write", write)
    records = {
        "transaction_lines": [line(number) for number in range(1, 13)],
        "offers": [offer(number) for number in range(1, 13)],
    }
    with pytest.raises(OSError, match="no space"):
        land(settings, Vendor(records=records), feed_spec("mirakl", entity))
    with State(settings.state_path) as state:
        assert [batch.status for batch in state.batches()] == ["FAILED"]
        assert state.cursor(FeedKey("mirakl", "BRICO", entity)) is None
        manifest = sorted(str(settings.root / file.path) for file in state.files())
    assert manifest == [str(path) for path in files_on_disk(settings)]
    assert len(manifest) >= 1


def test_a_lost_state_never_overwrites_older_evidence(settings: Settings) -> None:
    land(settings, vendor_with(1))
    before = {path: path.read_bytes() for path in files_on_disk(settings)}
    for name in ("state.db", "state.db-wal", "state.db-shm"):
        (settings.root / name).unlink(missing_ok=True)

    assert land(settings, vendor_with(2)).batch == 2
    assert all(path.read_bytes() == content for path, content in before.items())


KILLED = textwrap.dedent(
    """
    import os, signal, sys
    from datetime import timedelta
    from pathlib import Path
    from orchestration.lib import landing, landing_files
    from orchestration.lib.settings import Settings
    from orchestration.lib.state import State
    from connectors.feeds import feed_spec
    from tests.orchestration.vendor import Vendor, line, offer

    data, where, entity = sys.argv[1:]
    settings = Settings.model_validate({"data_dir": data, "as_of": "2026-07-03T08:00:00Z"})
    calls = 0

    def dying(real, second):
        def call(*arguments, **keywords):
            global calls
            mine = calls = calls + 1  # several files are written at once
            if mine == 2 and not second:
                os.kill(os.getpid(), signal.SIGKILL)
            answer = real(*arguments, **keywords)
            if mine == 2:
                os.kill(os.getpid(), signal.SIGKILL)
            return answer
        return call

    if where == "before_rename":
        landing_files.os.rename = dying(landing_files.os.rename, False)
    elif where == "after_rename":
        landing_files.os.rename = dying(landing_files.os.rename, True)
    elif where == "after_manifest":
        landing.PAGES_UNDER_WAY = 1  # each page gets its row by itself
        State.add_files = dying(State.add_files, True)
    elif where == "before_completion":
        calls = 1
        State.complete_batch = dying(State.complete_batch, False)
    vendor = Vendor(records={
        "transaction_lines": [line(n) for n in range(1, 8)],
        "offers": [offer(n) for n in range(1, 8)],
    })
    with State(settings.state_path) as state:
        landing.Landing(settings, state, "killed").land(
            feed_spec("mirakl", entity), "BRICO", vendor, overlap=timedelta(hours=1)
        )
    """
)


@pytest.mark.parametrize("entity", ["transaction_lines", "offers"])
@pytest.mark.parametrize("where", ["before_rename", "after_rename", "after_manifest", "before_completion"])
def test_a_kill_at_any_point_loses_nothing_and_doubles_nothing(settings: Settings, where: str, entity: str) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(settings.root), where, entity],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": "."},
        check=False,
        timeout=60,
    )
    assert killed.returncode == -signal.SIGKILL

    vendor = Vendor(
        records={
            "transaction_lines": [line(number) for number in range(1, 8)],
            "offers": [offer(number) for number in range(1, 8)],
        }
    )
    batch = land(settings, vendor, feed_spec("mirakl", entity))

    with State(settings.state_path) as state:
        assert [one.status for one in state.batches()] == ["ABANDONED", "COMPLETE"]
        manifest = state.files()
    assert sorted(str(settings.root / file.path) for file in manifest) == [
        str(path) for path in files_on_disk(settings)
    ]
    assert batch.records_received == 7
    if entity == "transaction_lines":
        assert sum(file.record_count for file in manifest) == 7
    else:
        assert batch.records_landed == 7  # a snapshot is complete in one batch or not at all
