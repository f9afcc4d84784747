"""What dbt made of a project, kept for the next data folder on this machine: parsing everything takes ten seconds.

An entry is named by everything that parsing depends on, so it is never out of date, and it is found again from any
place: the one folder name inside it is exchanged. Without a writable cache folder every data folder parses by itself.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgpack

from orchestration.lib.files import replace_file

_LOG = logging.getLogger(__name__)
KEPT = 12
"""Entries that stay; the oldest go."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A parsed project as dbt writes it: its own image (msgpack), and the manifest (JSON)."""

    image: bytes
    manifest: bytes


def find(folder: Path, name: str, project: Path) -> Parsed | None:
    """The entry of this name as if it had been parsed in the folder `project`; None without a whole one."""
    entry = folder / f"{name}.parsed"
    try:
        kept = msgpack.unpackb(entry.read_bytes())
        return _moved(Parsed(kept["image"], kept["manifest"]), kept["project"], str(project))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, msgpack.UnpackException) as problem:
        _LOG.warning("%s is not used and will be written anew: %s", entry, problem)
        return None


def keep(folder: Path, name: str, project: Path, parsed: Parsed) -> None:
    """Writes the entry, and removes the oldest."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        content = {"project": str(project), "image": parsed.image, "manifest": parsed.manifest}
        replace_file(folder / f"{name}.parsed", msgpack.packb(content))
        _prune(folder, "*.parsed")
    except OSError as problem:
        _LOG.warning("%s keeps nothing for the next data folder: %s", folder, problem)


def find_queries(folder: Path, name: str) -> dict[str, str] | None:
    """The SQL of the entry's tests by unique id, which is the same in every data folder; None without a whole one."""
    entry = folder / f"{name}.tests"
    try:
        return dict(json.loads(entry.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as problem:
        _LOG.warning("%s is not used and will be written anew: %s", entry, problem)
        return None


def keep_queries(folder: Path, name: str, queries: Mapping[str, str]) -> None:
    """Writes them beside the entry, and removes the oldest."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_file(folder / f"{name}.tests", json.dumps(dict(queries)).encode())
        _prune(folder, "*.tests")
    except OSError as problem:
        _LOG.warning("%s keeps nothing for the next data folder: %s", folder, problem)


def _prune(folder: Path, pattern: str) -> None:
    entries = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime, reverse=True)
    for stale in entries[KEPT:]:
        stale.unlink(missing_ok=True)


def _moved(parsed: Parsed, before: str, now: str) -> Parsed:
    def exchanged(value: Any) -> Any:
        if isinstance(value, str):
            return now if value == before else value
        if isinstance(value, dict):
            return {key: exchanged(one) for key, one in value.items()}
        return [exchanged(one) for one in value] if isinstance(value, list) else value

    image = exchanged(msgpack.unpackb(parsed.image))
    return Parsed(msgpack.packb(image), parsed.manifest.replace(_quoted(before), _quoted(now)))


def _quoted(path: str) -> bytes:
    return json.dumps(path).encode()
