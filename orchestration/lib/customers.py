"""An order by what its customer has in hand: the postcode it went to, or the address that the marketplace writes from.

Neither is in a mart, and a marketplace's address is a relay that no ledger knows. So what is kept is a keyed hash of
each, beside the order's key in the key store (persons.py): in no backup, and gone with the customer.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from enum import StrEnum
from hashlib import blake2b
from typing import Any

import msgspec

from orchestration.lib.landing_files import LandingFiles
from orchestration.lib.persons import Persons, PersonsUnavailable, opened, sealed_of
from orchestration.lib.settings import Settings

log = logging.getLogger("tieout.customers")
HASH_BYTES = 16
_MAIL = re.compile(r"[^\s<>,;\"]+@[^\s<>,;\"]+")
_POSTCODES = frozenset({"zip_code", "zip", "postcode"})
"""Members of vendors' addresses."""
_SHORTEST, _LONGEST = 3, 10
"""Letters and digits of a postcode."""


class Clue(StrEnum):
    """What a customer may have in hand. The value begins the hash, so that the kinds are told apart."""

    MAIL = "m"
    POSTCODE = "p"


def clue_of(text: str) -> tuple[Clue, str] | None:
    """What kind of clue a text is, in the form in which it is hashed; None for what is neither."""
    if found := _MAIL.search(text):
        return Clue.MAIL, found[0].casefold()
    plain = re.sub(r"[\s-]", "", text).casefold()
    if plain.isalnum() and _SHORTEST <= len(plain) <= _LONGEST and any(one.isdigit() for one in plain):
        return Clue.POSTCODE, plain
    return None


def read_new(settings: Settings) -> int:
    """Note the clues of what was landed since the last time; how many files that were. One that is damaged stays unread
    and is named in the log: `tieout audit verify` judges it.
    """
    if not settings.persons_path.exists():
        return 0
    store, count = LandingFiles(settings.landing), 0
    with Persons(settings.persons_path) as persons:
        salt = persons.salt()
        for path in persons.unread():
            try:
                sealed = sealed_of(store.stored(path))
                pieces = opened(sealed, persons.keys([one.order_id for one in sealed]))
            except FileNotFoundError:
                continue  # its page is being written, or its run was cut off
            except PersonsUnavailable as error:
                log.warning("%s: %s", path, error)
                continue
            clues = {
                (_hashed(salt, *clue), order)
                for order, parts in pieces.items()
                for part in parts
                for clue in _clues(msgspec.json.decode(part.original))
            }
            persons.keep_clues(path, sorted(clues))
            count += 1
    return count


def orders_with(settings: Settings, clue: tuple[Clue, str]) -> list[str]:
    """Orders whose customer has it."""
    if not settings.persons_path.exists():
        return []
    with Persons(settings.persons_path) as persons:
        return persons.with_clue(_hashed(persons.salt(), *clue))


def orders_beside(settings: Settings, order_id: str) -> list[str]:
    """The other orders that came with the same mail address, whichever marketplace or shop they belong to."""
    if not settings.persons_path.exists():
        return []
    with Persons(settings.persons_path) as persons:
        own = [clue for clue in persons.clues_of(order_id) if clue.startswith(Clue.MAIL.encode())]
        return sorted({order for clue in own for order in persons.with_clue(clue)} - {order_id})


def _hashed(salt: bytes, kind: Clue, plain: str) -> bytes:
    return kind.encode() + blake2b(plain.encode(), key=salt, digest_size=HASH_BYTES, person=kind.encode()).digest()


def _clues(value: Any, name: str = "") -> Iterator[tuple[Clue, str]]:
    """The clues in a member of a vendor's record, however deep."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _clues(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from _clues(item, name)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        clue = clue_of(str(value))
        if clue is not None and (clue[0] is Clue.MAIL or name in _POSTCODES):
            yield clue
