"""Runs a command and watches its whole family of processes: seconds by the clock, processor seconds, memory at its
largest.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

INTERVAL_SECONDS = 0.05
PAUSE_PER_LOOK = 19
"""The kernel walks all pages of a process to say what it holds, and lets it wait meanwhile: looking every 50 ms at some
GB took two fifths of a processor. So many times as long as a look took nobody looks, which leaves it a twentieth.
"""
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Measured:
    """`peak_bytes` is the largest sum, at one moment, of what each of the command's processes holds (a page that n of
    them share counts 1/n for each). `processor_seconds` are those of all its processes that it waited for, which a busy
    machine distorts least.
    """

    seconds: float
    processor_seconds: float
    peak_bytes: int
    answer: dict[str, Any]


def measure(command: Sequence[str], environment: Mapping[str, str]) -> Measured:
    """Run a command whose last line of output is a JSON object. Raises SystemExit with its words when it fails."""
    began, before = time.monotonic(), _of_ended_processes()
    process = subprocess.Popen(
        command,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    watch = _Watch(process.pid)
    watch.start()
    output, errors = process.communicate()
    seconds = time.monotonic() - began
    watch.end()
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{errors[-4000:]}")
    answer = json.loads(output.strip().splitlines()[-1])
    return Measured(seconds, _of_ended_processes() - before, watch.peak, answer)


def _of_ended_processes() -> float:
    """Processor seconds of every process that this one has started and waited for, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class _Watch(threading.Thread):
    def __init__(self, session: int) -> None:
        super().__init__(daemon=True)
        self._session = session
        self.peak = 0
        self._over = threading.Event()

    def end(self) -> None:
        """Stop looking."""
        self._over.set()
        self.join()

    def run(self) -> None:
        while not self._over.is_set():
            began = time.monotonic()
            self.peak = max(self.peak, sum(map(_share, _members(self._session))))
            self._over.wait(max(INTERVAL_SECONDS, PAUSE_PER_LOOK * (time.monotonic() - began)))


def _members(session: int) -> list[int]:
    """Processes of a session, which a command shares with all that it starts."""
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                fields = Path(entry.path, "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it has ended meanwhile
                continue
            if int(fields[3]) == session:
                found.append(int(entry.name))
    return found


def _share(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended meanwhile
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    memory = os.sysconf("SC_PHYS_PAGES") * _PAGE
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return {"processor": model, "cores": os.cpu_count(), "memory_bytes": memory, "python": platform.python_version()}


def report(result: Mapping[str, Any], output: Path | None) -> None:
    """Print the figures as JSON, and write them to `output` as well."""
    text = json.dumps(result, indent=2) + "\n"
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text)
    sys.stdout.write(text)
