"""The `tieout` command in a process that has its imports behind it.

A command line begins with four seconds of imports. Whoever plays many of them starts one process that imports, and
each command is a fork of it: a process of its own as before, with its own environment, memory and exit code.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import runpy
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO

COMMAND = "orchestration.cli"
IMPORTED = (
    COMMAND + ".app",
    COMMAND + ".commands.run",
    COMMAND + ".commands.close",
    "orchestration.definitions",
    "dbt.cli.main",
    "dbt.adapters.duckdb.connections",
    "dbt.parser.manifest",
)
"""Named, not imported: the sandbox shares no code with the pipeline."""
# ru_maxrss is in kilobytes everywhere but on macOS, where it is in bytes.
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024
_CONTEXT = multiprocessing.get_context("forkserver")


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended. Seconds by the clock and of the processor; `stdout` and `stderr` when captured."""

    exit_code: int
    seconds: float
    processor_seconds: float
    peak_bytes: int
    stdout: str = ""
    stderr: str = ""


def warm_up() -> None:
    """Start importing, in another process, and do not wait for it. A second call does nothing."""
    _CONTEXT.set_forkserver_preload(list(IMPORTED))
    forkserver.ensure_running()


def tieout(arguments: Sequence[str], environment: Mapping[str, str], *, stream: IO[str] | None = None) -> Ended:
    """Run `tieout ARGUMENTS` with this environment and wait for it.

    Its messages go to our standard error and its output to `stream`, which is our standard output or standard error;
    without one both are captured.
    """
    warm_up()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tieout-command-") as folder:
        captured = None if stream is not None else folder
        ours, theirs = _CONTEXT.Pipe(duplex=False)
        process = _CONTEXT.Process(
            target=_run, args=(tuple(arguments), dict(environment), captured, stream is sys.stderr, theirs)
        )
        process.start()
        theirs.close()
        try:
            process.join()
        except BaseException:
            process.terminate()
            process.join()
            raise
        try:
            processor_seconds, peak = ours.recv()
        except EOFError:  # it was killed
            processor_seconds, peak = 0.0, 0
        code = process.exitcode if process.exitcode is not None else 1
        words = (_text(folder, "stdout"), _text(folder, "stderr")) if captured else ("", "")
        return Ended(code, time.monotonic() - began, processor_seconds, peak, *words)


def _run(
    arguments: tuple[str, ...], environment: Mapping[str, str], folder: str | None, is_json: bool, said: Connection
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    if folder is not None:
        for number, name in ((1, "stdout"), (2, "stderr")):
            os.dup2(os.open(Path(folder) / name, os.O_WRONLY | os.O_CREAT, 0o600), number)
    elif is_json:
        os.dup2(2, 1)
    before = _processor_seconds()
    sys.argv[:] = ["tieout", *arguments]
    try:
        runpy.run_module(COMMAND, run_name="__main__", alter_sys=True)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        said.send((_processor_seconds() - before, peak * _MAXRSS_UNIT))


def _processor_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _text(folder: str, name: str) -> str:
    path = Path(folder) / name
    return path.read_text("utf-8", "replace") if path.exists() else ""
