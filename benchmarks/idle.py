"""What a lane of the minute costs that finds nothing to do, and what `tieout status` costs: processor seconds.

    python -m benchmarks.idle --orders 300

Dagster's sensor looks inside the code server, whose imports are long done; what it used to ask for every minute, and
what a timer of the system starts, is a whole process. Both are measured on the same small sandbox, after the lane has
got to its end, with every feed due again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.measuring import machine, measure, report
from benchmarks.serving import variables_of, wait_for_file

LANE = "orders"
CALLS_ALLOWED_AGAIN = 62.0
"""Seconds until the marketplace's orders may be read again: once a minute."""
STARTS = 3
"""How often a process is started; the least of its processor seconds counts, the machine adds to the others."""


def looks(lane: str) -> dict[str, Any]:
    """Two looks in a process that has Dagster's definitions loaded: the first opens files, the second is any other."""
    from orchestration.definitions import build
    from orchestration.lib.looking import look
    from orchestration.lib.settings import Settings
    from orchestration.lib.workspace import Workspace

    settings = Settings()
    build(Workspace.open(settings))
    found: list[dict[str, Any]] = []
    for minutes in (2, 4):
        time.sleep(CALLS_ALLOWED_AGAIN)
        now = settings.model_copy(update={"as_of": settings.clock.now() + timedelta(minutes=minutes)})
        began, worked = time.monotonic(), time.process_time()
        looked = look(Workspace.open(now), lane)
        found.append({"seconds": time.monotonic() - began, "processor_seconds": time.process_time() - worked})
        assert looked.why is None, looked.why
        assert looked.read, "nothing was due"
        found[-1]["feeds"] = len(looked.read)
    return {"looks": found}


def measured(folder: Path, orders: int, port: int) -> dict[str, Any]:
    cli = [sys.executable, "-m", "orchestration.cli"]
    place = folder / "sandbox"
    with (folder / "sandbox.log").open("wb") as log:
        server = subprocess.Popen(
            [*cli, "sandbox", "-m", "BRICO", "--orders", str(orders), "--port", str(port), "--dir", str(place)],
            stdout=log,
            stderr=log,
        )
        try:
            wait_for_file(place / "sandbox.json", server, folder / "sandbox.log")
            variables = os.environ | variables_of(place / "env")
            for _ in range(2):  # the second ends what the first began: orders that are read back, and accepted
                subprocess.run([*cli, "run", LANE], env=variables, stdout=log, stderr=log, check=False)
            in_process = measure([sys.executable, "-m", "benchmarks.idle", "--looks", LANE], variables)
            later = Clock(variables["TIEOUT_AS_OF"])
            run = [_once([*cli, "run", LANE, "--json"], variables | later.after(10 + n)) for n in range(STARTS)]
            status = [_once([*cli, "status", "--json"], variables) for _ in range(STARTS)]
        finally:
            server.terminate()
            server.wait()
    return {
        "orders": orders,
        "look": in_process.answer["looks"][-1],
        "process": min(run, key=lambda one: one["processor_seconds"]),
        "status": min(status, key=lambda one: one["processor_seconds"]),
    }


class Clock:
    """The world's time, moved."""

    def __init__(self, as_of: str) -> None:
        from orchestration.lib.settings import parse_stamp

        self._as_of = parse_stamp(as_of)

    def after(self, minutes: int) -> dict[str, str]:
        from orchestration.lib.settings import stamp

        return {"TIEOUT_AS_OF": stamp(self._as_of + timedelta(minutes=minutes))}


def _once(command: list[str], variables: dict[str, str]) -> dict[str, Any]:
    """A command whose output is one JSON document over several lines."""
    wrapped = "import json, subprocess, sys; ended = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)"
    run = measure(
        [sys.executable, "-c", f"{wrapped}; print(json.dumps({{'code': ended.returncode}}))", *command], variables
    )
    return {"seconds": run.seconds, "processor_seconds": run.processor_seconds, "peak_bytes": run.peak_bytes}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--orders", type=int, default=300)
    parser.add_argument("--port", type=int, default=8975)
    parser.add_argument("--output", type=Path, help="where the figures go as JSON")
    parser.add_argument("--looks", metavar="LANE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.looks:
        sys.stdout.write(json.dumps(looks(options.looks)) + "\n")
        return
    with tempfile.TemporaryDirectory(prefix="tieout-bench-") as name:
        found = {"machine": machine(), **measured(Path(name), options.orders, options.port)}
    report(found, options.output)


if __name__ == "__main__":
    main()
