"""SIGKILL between a commit and a vendor call: nothing lost, nothing twice."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from orchestration.outbox import Outbox, delivering

from .world import AUTO, ON, FileVendor, PinnedClock, states

SCRIPT = Path(__file__).parent / "killed.py"
ACCOUNTS = {"JOURNAL": "SAGE_UK", "STOCK": "BRICO"}


def run(url: str, memory: Path, moment: str, count: int, kind: str) -> int:
    return subprocess.run(
        [sys.executable, str(SCRIPT), url, str(memory), moment, str(count), kind],
        cwd=SCRIPT.parent.parent.parent,
        timeout=50,
        check=False,
    ).returncode


@pytest.mark.parametrize("kind", ["JOURNAL", "STOCK"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_killed_delivery_is_completed_by_the_next_run(
    url: str, tmp_path: Path, clock: PinnedClock, moment: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = {name: replace(kind, settle_seconds=0.0) for name, kind in delivering.KINDS.items()}
    monkeypatch.setattr(delivering, "KINDS", kinds)
    memory = tmp_path / "vendor.txt"
    assert run(url, memory, moment, 3, kind) == -signal.SIGKILL
    box = Outbox(url, clock)
    left = sorted(states(box).values())
    assert left == (["APPROVED", "APPROVED", "SENDING"] if kind == "JOURNAL" else ["SENDING"] * 3)
    taken = FileVendor(memory).documents()
    assert len(taken) == {"before": 0, "after": 1 if kind == "JOURNAL" else 3}[moment]
    result = box.deliver({(kind, ACCOUNTS[kind]): FileVendor(memory, kind=kind)}, switches=ON, write_back=True)
    assert result.verified == 3
    documents = FileVendor(memory).documents()
    assert sorted(documents) == sorted(states(box)), "each one is at the vendor"
    assert len(documents) == len(set(documents)), "and once only"
    assert box.verify_audit().ok
    box.close()


def test_killed_at_every_document_the_vendor_still_gets_each_once(url: str, tmp_path: Path, clock: PinnedClock) -> None:
    memory = tmp_path / "vendor.txt"
    for _ in range(2):
        assert run(url, memory, "after", 3, "JOURNAL") == -signal.SIGKILL
    assert run(url, memory, "none", 3, "JOURNAL") == 0
    box = Outbox(url, clock)
    documents = FileVendor(memory).documents()
    assert len(documents) == len(set(documents)) == 3
    assert set(states(box).values()) == {"VERIFIED"}
    assert box.apply_policy(AUTO, ON, True).approved == ()
    box.close()
