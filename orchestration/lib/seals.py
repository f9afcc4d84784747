"""The chain that vouches for evidence, published files and configuration, beside the outbox's audit trail.

A seal says what something was when it was finished: a batch of landed pages, the files that were published, the
configuration that a run worked with. Each holds the hash of the one before, so that nothing sealed can be edited,
removed or slipped in without breaking the chain, and no end be cut off once its head was noted elsewhere. A batch is
sealed by what its pages are (number, counts, SHA-256, address, time), not by where they lie.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

GENESIS = "0" * 64
"""Previous hash of the first seal."""


@dataclass(frozen=True, slots=True)
class Seal:
    """A row of the chain. `content` is a digest (of a batch), or JSON of names and their SHA-256."""

    sequence: int
    kind: str
    subject: str
    content: str
    at: str
    previous_hash: str
    hash: str

    def expected_hash(self) -> str:
        return _hash(self.sequence, self.kind, self.subject, self.content, self.at, self.previous_hash)


def canonical(value: object) -> str:
    """One spelling per value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def broken_links(seals: Iterable[Seal]) -> list[str]:
    """Where the chain does not hold, in words; empty when it does."""
    problems, previous, count = [], GENESIS, 0
    for seal in seals:
        count += 1
        if seal.sequence != count:
            problems.append(f"seal {count} expected, {seal.sequence} found: seals are missing or were added")
            count = seal.sequence
        if seal.previous_hash != previous:
            problems.append(f"seal {seal.sequence} does not follow the one before it")
        if seal.expected_hash() != seal.hash:
            problems.append(f"seal {seal.sequence} was changed after it was written")
        previous = seal.hash
    return problems


def append(connection: sqlite3.Connection, kind: str, subject: str, content: str, at: str) -> None:
    """Add a seal. `connection` is in a transaction that may write, so that the chain has one end."""
    last = connection.execute("select sequence, hash from seals order by sequence desc limit 1").fetchone()
    sequence, previous = (int(last[0]) + 1, str(last[1])) if last else (1, GENESIS)
    row = (sequence, kind, subject, content, at, previous)
    connection.execute("insert into seals values (?, ?, ?, ?, ?, ?, ?)", (*row, _hash(*row)))


def seal_batch(connection: sqlite3.Connection, batch: int) -> None:
    """Seal a batch that has just ended, in the transaction that ends it."""
    (at,) = connection.execute("select finished_at from batches where batch = ?", (batch,)).fetchone()
    append(connection, "BATCH", str(batch), batch_content(connection, batch), str(at))


def seal_finished_batches(connection: sqlite3.Connection) -> None:
    """Seal every batch that has ended, in their order."""
    for (batch,) in connection.execute("select batch from batches where status <> 'RUNNING' order by batch").fetchall():
        seal_batch(connection, batch)


def batch_content(connection: sqlite3.Connection, batch: int) -> str:
    """Digest of a batch and its pages as the manifest has them."""
    head = connection.execute(
        """
        select batch, run_id, vendor, account, entity, mode, status, started_at, finished_at, window_since,
            window_after, cursor_after, pages, records_received, records_landed, records_unchanged, declared_count
        from batches where batch = ?
        """,
        (batch,),
    ).fetchone()
    # Folders of before there was a second hash are sealed while they are upgraded.
    has_second = connection.execute("select 1 from pragma_table_info('files') where name = 'stored_sha256'").fetchone()
    pages = connection.execute(
        f"""
        select number, record_count, byte_count, sha256, declared_count, url, http_status, fetched_at,
            {"stored_sha256" if has_second else "null"}
        from files where batch = ? order by number, sha256
        """,  # noqa: S608
        (batch,),
    ).fetchall()
    # A page that is kept as it came has no second hash, and the seal that it had before there were any.
    listed = [list(page) if page[-1] is not None else list(page)[:-1] for page in pages]
    return hashlib.sha256(canonical([list(head or ()), listed]).encode()).hexdigest()


def _hash(*fields: object) -> str:
    return hashlib.sha256(canonical(fields).encode()).hexdigest()
