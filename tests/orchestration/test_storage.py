"""What is measured is what lies there."""

from __future__ import annotations

from orchestration.lib.settings import Settings
from orchestration.lib.state import State
from orchestration.lib.storage import storage


def test_every_part_is_weighed(ran: Settings) -> None:
    with State(ran.state_path) as state:
        landed = state.files()
    stored = [path for path in (ran.root / "landing").rglob("*") if path.is_file()]

    found = storage(ran)
    parts = {part.name: part for part in found.parts}

    assert (found.records, found.received_bytes) == (
        sum(file.record_count for file in landed),
        sum(file.byte_count for file in landed),
    )
    assert (parts["evidence"].files, parts["evidence"].byte_count) == (
        len(landed),
        sum(path.stat().st_size for path in stored),
    )
    assert parts["warehouse"].byte_count >= ran.warehouse_path.stat().st_size
    assert parts["published"].byte_count > ran.published_path.stat().st_size, "Parquet is beside it"
    assert found.byte_count == sum(part.byte_count for part in found.parts)
    assert found.per_million(found.records) == 1_000_000
    assert found.first_day == landed[0].landed_at[:10]


def test_an_empty_folder_takes_nothing_and_gets_nothing(settings: Settings) -> None:
    found = storage(settings)
    assert (found.byte_count, found.records, found.first_day) == (0, 0, None)
    assert found.per_million(1) is None
    assert not settings.state_path.exists()
