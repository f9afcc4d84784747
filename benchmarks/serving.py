"""Waiting for the servers that a benchmark starts, and reading the variables that they write down for a client."""

from __future__ import annotations

import shlex
import subprocess
import time
from pathlib import Path

import httpx

WAIT_SECONDS = 600


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until the address answers 200. Raises SystemExit with the end of the server's log when it never does."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise SystemExit(f"{url} did not answer:\n{log.read_text(errors='replace')[-4000:]}")


def wait_for_file(path: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until a server has written it. Raises SystemExit with the end of the server's log when it never does."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not path.exists():
        if time.monotonic() > deadline or process.poll() is not None:
            raise SystemExit(f"{path.name} was not written:\n{log.read_text(errors='replace')[-4000:]}")
        time.sleep(0.1)


def variables_of(env: Path) -> dict[str, str]:
    """The pipeline's variables as a sandbox writes them, one `NAME=value` a line, quoted for a shell."""
    pairs = (line.partition("=") for line in env.read_text().splitlines() if line)
    return {name: "".join(shlex.split(value)) for name, _, value in pairs}
