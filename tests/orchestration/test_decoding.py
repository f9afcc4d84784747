"""A large load decodes in other processes: the tables are the same, and no process outlives the one that asked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestration.lib import decoding, loading
from orchestration.lib.settings import Settings
from tests.orchestration.test_loading import land, lines, query
from tests.orchestration.vendor import line

WAITING_POOL = """
import multiprocessing, sys, time
from concurrent.futures import ProcessPoolExecutor
from orchestration.lib import decoding

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(1, mp_context=context, initializer=decoding._end_with_parent)
    print(pool.submit(decoding.os.getpid).result(), flush=True)
    time.sleep(60)
"""


def test_another_process_and_this_one_together_give_the_same_tables(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor = lines(*(line(n, amount=f"{n}.10") for n in range(1, 41)), line(41, amount="no number"))
    vendor.records["transaction_lines"].append({**line(42), "surprise": 1, "type": "NEW_FEE"})
    land(settings, vendor)
    here = loading.load(settings)
    rows = "select * exclude (_batch) from raw.mirakl_transaction_lines order by all"
    expected = query(settings, rows)
    refused = query(settings, "select position, record_id, field, reason, code from raw.quarantine")

    elsewhere: list[int] = []
    nearby: list[int] = []
    submit, decode = decoding.ProcessPoolExecutor.submit, decoding._decode
    monkeypatch.setattr(decoding.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(decoding, "FROM_RECORDS", 1)
    monkeypatch.setattr(loading, "GROUP_RECORDS", 6)
    monkeypatch.setattr(decoding.ProcessPoolExecutor, "submit", lambda *args: (elsewhere.append(1), submit(*args))[1])
    monkeypatch.setattr(decoding, "_decode", lambda *args: (nearby.append(1), decode(*args))[1])
    there = loading.reload(settings)

    assert len(elsewhere) > 2, "groups were decoded in the other process"
    assert nearby, "and in this one, instead of waiting"
    assert (there.records, there.inserted, there.quarantined) == (here.records, here.inserted, here.quarantined)
    assert (there.unknown_fields, there.unknown_values) == (here.unknown_fields, here.unknown_values)
    assert query(settings, rows) == expected
    assert query(settings, "select position, record_id, field, reason, code from raw.quarantine") == refused


def test_no_process_outlives_a_killed_one(tmp_path: Path) -> None:
    script = tmp_path / "waiting_pool.py"
    script.write_text(WAITING_POOL)
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())

    parent.send_signal(signal.SIGKILL)
    parent.wait()

    deadline = time.monotonic() + 20
    while _is_running(child):
        assert time.monotonic() < deadline, "the pool's process still waits for work"
        time.sleep(0.05)


def _is_running(process: int) -> bool:
    """Also False for one that has ended and whom nobody has asked about its end."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
