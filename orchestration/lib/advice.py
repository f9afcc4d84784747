"""What a person can do about a failure of the machine: disk, file, lock. Recognised by the words of whoever failed."""

from __future__ import annotations

import re

_DISK_FULL = (
    "The disk is full: free some space, then run the same again. Nothing is lost: a page is evidence only when it is "
    "whole, the marts stay the last good ones, and what was cut off is read or made again."
)
_DISK_FAILS = f"{_DISK_FULL} Where there is space, the disk itself fails: see the system's log."
"""SQLite says no more than this of a full disk when it cannot even enlarge its log's index."""
_READ_ONLY = (
    "The data folder cannot be written: make it writable (mount, owner), then run the same again. Nothing is lost."
)
_EDITED = (
    "Find out who wrote to it. Then make it anew from the evidence (`tieout rebuild`), or put a backup back "
    "(`tieout restore`). Nothing is lost: the evidence is in landing/."
)
_WAREHOUSE_DAMAGED = (
    "The warehouse is damaged: make it anew from the evidence (`tieout rebuild`), or put a backup back "
    "(`tieout restore`). Nothing is lost: the evidence is in landing/."
)
_WAREHOUSE_BUSY = (
    "Another program has the warehouse open. Close it (readers open published/tieout.duckdb instead), then run the "
    "same again."
)
_DATABASE_DAMAGED = (
    "A SQLite file is damaged: put it back from the newest backup (`tieout restore`). What came since is asked for "
    "again; what was sent is found at the vendors by its wire key."
)
_DATABASE_BUSY = (
    "Another program holds the database open for writing. Close it, then run the same again; nothing was changed."
)

_ADVICE: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile("|".join(words), re.IGNORECASE), text)
    for words, text in (
        (("no space left on device", "database or disk is full", "file too large", "disk quota"), _DISK_FULL),
        (("read-only file system", "readonly database", "read-only mode", "permission denied"), _READ_ONLY),
        (("disk i/o error",), _DISK_FAILS),
        (("changed outside tieout",), _EDITED),
        (
            (
                "corrupt database file",
                "could not read enough bytes",
                "not a valid duckdb database",
                "serialization error",
                "computed checksum",
                "failed to deserialize",
            ),
            _WAREHOUSE_DAMAGED,
        ),
        (("could not set lock on file", "conflicting lock"), _WAREHOUSE_BUSY),
        (("database disk image is malformed", "file is not a database"), _DATABASE_DAMAGED),
        (("database is locked",), _DATABASE_BUSY),
    )
)


def advice(words: str) -> str | None:
    """The advice that fits an error's text; None when it is not about the machine."""
    return next((text for pattern, text in _ADVICE if pattern.search(words)), None)
