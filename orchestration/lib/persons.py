"""Who the customers of the evidence are, under a key for each order: erasing the key erases the person.

A page of a feed with customers is kept in two parts, in one file: the page without them, which is all that anything is
computed from, and the pieces that were cut out of it, each order's encrypted by a key of its own. The keys lie in a
database beside the secrets, which is in no backup: when a key is gone, the person is gone from the evidence and from
every copy of it at once, and no amount, no hash and no mart changes.

AES-256-GCM; the order's id is authenticated with its pieces, so that nobody's can be passed off as another's.
"""

from __future__ import annotations

import os
import sqlite3
import struct
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from connectors.personal import Cut, Piece, cut, has_persons
from connectors.records import FeedSpec

KEY_BYTES, NONCE_BYTES = 32, 12
_SKIPPABLE = 0x184D2A50
"""Magic number of a Zstandard frame that every reader of the file passes over."""
_HEAD = struct.Struct("<II")
_TABLES = """
create table if not exists keys (
    order_id text primary key,
    key blob not null,
    made_at text not null,
    landed_at text not null
) without rowid;
create table if not exists places (
    order_id text not null,
    path text not null,
    primary key (order_id, path)
) without rowid;
create table if not exists erasures (
    order_id text primary key,
    at text not null,
    by_whom text not null,
    reason text not null
) without rowid;
create table if not exists unread (path text primary key) without rowid;
create table if not exists clues (
    clue blob not null,
    order_id text not null,
    primary key (clue, order_id)
) without rowid;
create index if not exists clues_of_order on clues (order_id);
create table if not exists salt (one integer primary key check (one = 1), value blob not null);
"""
_VERSION = 1
"""Of the tables; what an older one lacks is made when it is opened."""
_SALT_BYTES = 32


class PersonsUnavailable(Exception):
    """The key store cannot be read, or a piece is not what was written; the text says which."""


class Sealed(msgspec.Struct, frozen=True, array_like=True):
    """What was cut out of a page of one order: `content` is nonce, ciphertext and tag."""

    order_id: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Erasure:
    """An order whose person is gone. `at` is UTC; `reason` names nobody."""

    order_id: str
    at: str
    by: str
    reason: str


@dataclass(slots=True, eq=False)
class _Wish:
    """A page that asks for the keys of its orders; `keys`, also of others, are there when they are durable."""

    orders: Collection[str]
    path: str
    at: str
    keys: Mapping[str, bytes] | None = None


class Persons:
    """The key store, and the clues by which customers.py finds an order. One object serves all threads of a run."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        self._lock = threading.Lock()
        self._answering = threading.Lock()
        self._wishes: list[_Wish] = []
        self._connection = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
        # What is deleted is overwritten, and `erase` empties the log: an erased key must not be found on the disk.
        self._connection.execute("pragma secure_delete = on")
        self._connection.execute("pragma journal_mode = wal")
        # A page is durable before its cursor moves; keys that a power cut took back would leave it unreadable for ever.
        self._connection.execute("pragma synchronous = full")
        self._connection.executescript(_TABLES)
        ((version,),) = self._connection.execute("pragma user_version").fetchall()
        if version < _VERSION:
            with self._transaction() as connection:
                # What was landed before there were clues is read with the next run.
                connection.execute("insert or ignore into unread select distinct path from places")
                connection.execute(f"pragma user_version = {_VERSION:d}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("begin immediate")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("rollback")
                raise
            self._connection.execute("commit")

    def keys_for(self, orders: Collection[str], path: str, *, at: str) -> dict[str, bytes]:
        """Each order's key, made where there is none, durable when this returns. An order whose person was erased has
        none and gets none again. `path` is the file that the pieces go to.

        Pages that ask at the same time are answered together: one flush to the disk for all of them.
        """
        wish = _Wish(orders, path, at)
        self._wishes.append(wish)
        try:
            with self._answering:
                if wish.keys is None:  # nobody has answered it along with theirs
                    self._answer([one for one in list(self._wishes) if one.keys is None])
        finally:
            self._wishes.remove(wish)
        assert wish.keys is not None
        return {order: wish.keys[order] for order in orders if order in wish.keys}

    def _answer(self, wishes: list[_Wish]) -> None:
        at = max(wish.at for wish in wishes)
        orders = list(dict.fromkeys(order for wish in wishes for order in wish.orders))
        with self._transaction() as connection:
            gone = self._erased(connection, orders)
            wanted = [order for order in orders if order not in gone]
            found = self._keys(connection, wanted)
            fresh = [order for order in wanted if order not in found]
            random = os.urandom(KEY_BYTES * len(fresh))
            made = {order: random[n * KEY_BYTES : (n + 1) * KEY_BYTES] for n, order in enumerate(fresh)}
            # One statement for all: with each of them this thread waits anew for Python's lock, which others hold.
            connection.execute(
                "insert into keys select value, substr(?2, key * ?3 + 1, ?3), ?4, ?4 from json_each(?1)",
                (_listed(fresh), random, KEY_BYTES, at),
            )
            connection.execute(
                "update keys set landed_at = ? where order_id in (select value from json_each(?)) and landed_at < ?",
                (at, _listed(found), at),
            )
            for wish in wishes:
                mine = [order for order in wish.orders if order not in gone]
                connection.execute(
                    "insert or ignore into places select value, ? from json_each(?)", (wish.path, _listed(mine))
                )
                if mine:
                    connection.execute("insert or ignore into unread values (?)", (wish.path,))
        for wish in wishes:
            wish.keys = found | made

    def keys(self, orders: Collection[str]) -> dict[str, bytes]:
        """The keys that there are."""
        with self._lock:
            return self._keys(self._connection, orders)

    def places(self, order_id: str) -> list[str]:
        """Files with pieces of the order, in the order of landing."""
        with self._lock:
            rows = self._connection.execute("select path from places where order_id = ? order by path", (order_id,))
            return [str(path) for (path,) in rows]

    def salt(self) -> bytes:
        """What the clues are hashed with, made on first use: without it nobody can try all postcodes."""
        with self._transaction() as connection:
            connection.execute("insert or ignore into salt values (1, ?)", (os.urandom(_SALT_BYTES),))
            ((value,),) = connection.execute("select value from salt").fetchall()
            return bytes(value)

    def unread(self) -> list[str]:
        """Files whose pieces nobody has looked through for clues."""
        with self._lock:
            return [str(path) for (path,) in self._connection.execute("select path from unread order by path")]

    def keep_clues(self, path: str, clues: Iterable[tuple[bytes, str]]) -> None:
        """Note the clues (hash, order) of a file, which is read then. An order that was erased meanwhile gets none."""
        with self._transaction() as connection:
            connection.executemany(
                "insert or ignore into clues select ?1, order_id from keys where order_id = ?2", list(clues)
            )
            connection.execute("delete from unread where path = ?", (path,))

    def with_clue(self, clue: bytes) -> list[str]:
        """Orders that have it."""
        with self._lock:
            rows = self._connection.execute("select order_id from clues where clue = ? order by order_id", (clue,))
            return [str(order) for (order,) in rows]

    def clues_of(self, order_id: str) -> list[bytes]:
        """The clues of an order."""
        with self._lock:
            rows = self._connection.execute("select clue from clues where order_id = ? order by clue", (order_id,))
            return [bytes(clue) for (clue,) in rows]

    def held(self) -> set[str]:
        """Files with pieces of an order that has a key."""
        with self._lock:
            rows = self._connection.execute("select distinct path from places join keys using (order_id)")
            return {str(path) for (path,) in rows}

    def count(self) -> tuple[int, int]:
        """Orders with a key, and orders whose person was erased."""
        with self._lock:
            ((keys,),) = self._connection.execute("select count(*) from keys").fetchall()
            ((erased,),) = self._connection.execute("select count(*) from erasures").fetchall()
            return int(keys), int(erased)

    def landed_before(self, limit: str) -> list[str]:
        """Orders that last came before this stamp."""
        with self._lock:
            rows = self._connection.execute("select order_id from keys where landed_at < ? order by order_id", (limit,))
            return [str(order) for (order,) in rows]

    def erase(self, orders: Iterable[str], *, at: str, by: str, reason: str) -> list[str]:
        """Delete the orders' keys for good, and remember that; those that had one. Orders that were erased before stay
        as they are.
        """
        orders = list(orders)
        with self._transaction() as connection:
            had = sorted(self._keys(connection, orders))
            marks = [(order,) for order in orders]
            connection.executemany("delete from keys where order_id = ?", marks)
            connection.executemany("delete from clues where order_id = ?", marks)
            connection.executemany(
                "insert or ignore into erasures values (?, ?, ?, ?)", [(order, at, by, reason) for order in orders]
            )
        with self._lock:
            ((is_busy, *_),) = self._connection.execute("pragma wal_checkpoint(truncate)").fetchall()
        if is_busy:
            raise PersonsUnavailable("another program reads the keys, so that their log keeps them; run the same again")
        return had

    def erasures(self) -> list[Erasure]:
        """All of them, by time."""
        with self._lock:
            rows = self._connection.execute("select * from erasures order by at, order_id").fetchall()
        return [Erasure(*map(str, row)) for row in rows]

    @staticmethod
    def _keys(connection: sqlite3.Connection, orders: Collection[str]) -> dict[str, bytes]:
        rows = connection.execute(
            "select order_id, key from keys where order_id in (select value from json_each(?))", (_listed(orders),)
        )
        return {str(order): bytes(key) for order, key in rows}

    @staticmethod
    def _erased(connection: sqlite3.Connection, orders: Collection[str]) -> set[str]:
        rows = connection.execute(
            "select order_id from erasures where order_id in (select value from json_each(?))", (_listed(orders),)
        )
        return {str(order) for (order,) in rows}


@dataclass(frozen=True, slots=True)
class Kept:
    """A page without its customers, and the frame that goes behind it."""

    body: bytes
    frame: bytes


class PageKeeper:
    """Divides the pages of one feed; costs nothing for a feed without customers. Serves all threads of a batch."""

    def __init__(self, spec: FeedSpec, path: Path) -> None:
        self._spec = spec
        self._persons = Persons(path) if has_persons(spec) else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._persons is not None:
            self._persons.close()

    def divided(self, body: bytes, path: str, at: str) -> Kept | None:
        """None: the page is kept as it came."""
        if self._persons is None or (found := cut(self._spec, body)) is None:
            return None
        if not found.pieces:
            return Kept(found.body, b"")
        return Kept(found.body, sealed_frame(found, self._persons.keys_for(list(found.pieces), path, at=at)))


def _listed(orders: Collection[str]) -> str:
    return msgspec.json.encode(list(orders)).decode()


def held_by_keys(path: Path) -> set[str]:
    """Files in which somebody is who still has a key."""
    if not path.exists():
        return set()
    with Persons(path) as persons:
        return persons.held()


def sealed_frame(cut: Cut, keys: Mapping[str, bytes]) -> bytes:
    """The pieces of all orders that have a key, as a frame to put behind the page; empty when there are none."""
    there = [order for order in cut.pieces if order in keys]
    if not there:
        return b""
    # Asked for at once: each request lets go of Python's lock, for which other threads wait.
    nonces = memoryview(os.urandom(NONCE_BYTES * len(there)))
    sealed = [
        Sealed(order, _encrypted(order, cut.pieces[order], keys[order], bytes(nonces[at : at + NONCE_BYTES])))
        for order, at in zip(there, range(0, len(nonces), NONCE_BYTES), strict=True)
    ]
    content = msgspec.msgpack.encode(sealed)
    return _HEAD.pack(_SKIPPABLE, len(content)) + content


def sealed_of(stored: bytes) -> list[Sealed]:
    """What a stored file holds of persons. Raises PersonsUnavailable when it cannot be read."""
    try:
        begin = _frame_size(stored)
        if begin == len(stored):
            return []
        magic, size = _HEAD.unpack_from(stored, begin)
        if magic != _SKIPPABLE or begin + _HEAD.size + size != len(stored):
            raise PersonsUnavailable("what stands behind the page is no frame of Tieout's")
        return msgspec.msgpack.decode(stored[begin + _HEAD.size :], type=list[Sealed])
    except (struct.error, msgspec.DecodeError, zstandard.ZstdError) as error:
        raise PersonsUnavailable(f"what stands behind the page cannot be read: {error}") from error


def opened(sealed: Iterable[Sealed], keys: Mapping[str, bytes]) -> dict[str, list[Piece]]:
    """The pieces of the orders that have a key. Raises PersonsUnavailable when one was changed."""
    return {one.order_id: _decrypted(one, keys[one.order_id]) for one in sealed if one.order_id in keys}


def _encrypted(order: str, pieces: list[Piece], key: bytes, nonce: bytes) -> bytes:
    return nonce + AESGCM(key).encrypt(nonce, msgspec.msgpack.encode(pieces), order.encode())


def _decrypted(one: Sealed, key: bytes) -> list[Piece]:
    try:
        plain = AESGCM(key).decrypt(one.content[:NONCE_BYTES], one.content[NONCE_BYTES:], one.order_id.encode())
    except InvalidTag:
        raise PersonsUnavailable(f"the pieces of order {one.order_id} are not what was written") from None
    return msgspec.msgpack.decode(plain, type=list[Piece])


def _frame_size(stored: bytes) -> int:
    """Bytes of the first frame: where what stands behind it begins."""
    reader = zstandard.ZstdDecompressor().decompressobj()
    reader.decompress(stored)
    return len(stored) - len(reader.unused_data)
