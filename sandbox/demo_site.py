"""A sandbox in a process of its own and the folder it lives in, for the demo and whatever else plays on one."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from rich.console import Console

from sandbox.config import Places, read_environment
from sandbox.demo_findings import DemoError

START_SECONDS = 600.0
PIPE_WIDTH = 140
OWN_VARIABLES = ("TIEOUT_", "MIRAKL_", "SAGE200_", "NETSUITE_")


def empty(places: Places) -> None:
    """Removes what an earlier demo left; a folder with anything else in it is not touched."""
    root = places.root
    if not root.exists() or not any(root.iterdir()):
        return
    if not places.truth.exists():
        raise DemoError(f"{root} is not empty and holds no earlier demo; name another folder with --dir.")
    if places.address.exists() and _is_alive(pid_of(places)):
        raise DemoError(f"a sandbox still runs in {root}; `kill {pid_of(places)}` ends it.")
    shutil.rmtree(root)


def pid_of(places: Places) -> int:
    return int(json.loads(places.address.read_text("utf-8"))["pid"])


def environment_of(places: Places) -> dict[str, str]:
    """This process's variables without any of an installation, and the sandbox's."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(OWN_VARIABLES)}
    return others | read_environment(places.env)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def serving(
    places: Places, orders: int, seed: int, out: Console, *, keep: bool = False, **options: object
) -> Iterator[str]:
    """A sandbox in a process of its own on a free port, ready to answer; ended with the block unless it is kept.
    `options` are those of `sandbox.serve.serve`.
    """
    places.root.mkdir(parents=True, exist_ok=True)
    log = places.root / "sandbox.log"
    code = (
        "import json, sys; from pathlib import Path; from sandbox.serve import serve; "
        "serve(Path(sys.argv[1]), port=0, orders=int(sys.argv[2]), seed=int(sys.argv[3]), **json.loads(sys.argv[4]))"
    )
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(places.root), str(orders), str(seed), json.dumps(options)],
            stdout=stream,
            stderr=subprocess.STDOUT,
            # Ctrl+C in the terminal is for the demo, which then ends the sandbox; a kept one must outlive the terminal.
            start_new_session=True,
        )
    is_done = False
    try:
        with out.status(f"Generating a world of {orders:,} orders …"):
            url = wait_for(places, process, log)
        out.print(f"[green]✓[/green] the vendors and a bank with {orders:,} orders behind them answer at {url}")
        yield url
        is_done = True
    finally:
        if not (keep and is_done):
            end_process(process)


def wait_for(places: Places, process: "subprocess.Popen[bytes]", log: Path) -> str:
    """The address of a sandbox once it answers. Raises DemoError when it ends first or never does."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            last = log.read_text("utf-8", "replace").strip().splitlines()[-1:] or ["no message"]
            raise DemoError(f"the sandbox ended while starting: {last[0]} (all of it in {log})")
        if places.address.exists():
            url = str(json.loads(places.address.read_text("utf-8"))["url"])
            if _answers(url):
                return url
        time.sleep(0.05)
    end_process(process)
    raise DemoError(f"the sandbox did not answer within {START_SECONDS:.0f} seconds; see {log}")


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/_sandbox/health", timeout=5).is_success
    except httpx.HTTPError:
        return False


def end_process(process: "subprocess.Popen[bytes]") -> None:
    """Asks it to stop, and insists after a quarter of a minute."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
