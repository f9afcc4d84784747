"""The write journal: every change a client made, appended before it takes effect, replayed at the next start."""

import os
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from sandbox import jsonio
from sandbox.clock import SandboxClock, stamp

Applier = Callable[[dict[str, Any], datetime, bool], Any]


class WriteJournal:
    """Applies changes and remembers them in `<folder>/writes.jsonl`; without a folder it only applies them.

    An applier takes (data, time of the change, is_replay) and must depend on nothing else but the state, so that a
    replay rebuilds the same state.
    """

    def __init__(self, clock: SandboxClock, folder: Path | None = None) -> None:
        self._clock = clock
        self._path = folder / "writes.jsonl" if folder else None
        self._appliers: dict[str, Applier] = {}
        self._lock = threading.RLock()
        self.count = 0
        if folder:
            folder.mkdir(parents=True, exist_ok=True)

    def register(self, operation: str, applier: Applier) -> None:
        self._appliers[operation] = applier

    def write(self, operation: str, data: dict[str, Any]) -> Any:
        """Records one change, on disk before it takes effect, applies it and returns what the applier returns."""
        with self._lock:
            return self._appliers[operation](data, self.remember(operation, data), False)

    def remember(self, operation: str, data: dict[str, Any]) -> datetime:
        """Records one change that its caller makes, and returns when it was. On disk when this returns."""
        with self._lock:
            at = self._clock.now()
            if self._path:
                line = jsonio.encode({"operation": operation, "at": stamp(at), "data": data})
                with self._path.open("ab") as file:
                    file.write(line + b"\n")
                    file.flush()
                    os.fsync(file.fileno())
            self.count += 1
            return at

    def replay(self) -> int:
        """Applies what earlier processes recorded and returns how much that was. A torn last line never took effect."""
        if self._path is None or not self._path.exists():
            return 0
        content = self._path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) != len(content):
            self._path.write_bytes(whole)
        for line in whole.splitlines():
            record = jsonio.decode(line)
            at = datetime.fromisoformat(record["at"])
            # Time never goes back over a restart, or later changes would be older than earlier ones.
            if at > self._clock.now():
                self._clock.freeze(at)
            self._appliers[record["operation"]](record["data"], at, True)
            self.count += 1
        return self.count

    def forget(self) -> None:
        if self._path:
            self._path.unlink(missing_ok=True)
        self.count = 0
