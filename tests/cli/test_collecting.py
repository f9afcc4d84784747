"""A command hardly looks for garbage while it imports what it needs."""

from __future__ import annotations

import json
import subprocess
import sys

from orchestration.lib.collecting import COLLECTED_EVERY

LOOKS = """
import atexit, gc, json, sys
import duckdb  # whose binding lists on stderr what it still holds, unless the last look finds it
looks = []
gc.callbacks.append(lambda phase, info: looks.append(info["generation"]) if phase == "start" else None)
import orchestration.cli
sys.argv = ["tieout", "--help"]
before = len(looks)
atexit.register(lambda: print(json.dumps([gc.get_threshold()[0], len(looks) - before]), file=sys.stderr))
orchestration.cli.main()
"""


def test_a_command_hardly_looks_for_garbage_and_ends_quietly() -> None:
    ended = subprocess.run([sys.executable, "-c", LOOKS], capture_output=True, text=True, check=True, timeout=60)
    assert "run" in ended.stdout
    (said,) = ended.stderr.strip().splitlines()
    threshold, looks = json.loads(said)
    assert threshold == COLLECTED_EVERY
    assert looks < 20  # some hundred with Python's own threshold
