"""The one feed of a bank account: its statement files."""

from __future__ import annotations

from connectors.bank.camt053 import decode_camt053
from connectors.bank.csv import decode_csv
from connectors.bank.formats import format_of
from connectors.bank.mt940 import decode_mt940
from connectors.bank.ofx import decode_ofx
from connectors.bank.tables import BANK_STATEMENT_ENTRIES, BANK_STATEMENTS
from connectors.errors import BadPayload
from connectors.records import Decoded, FeedSpec

VENDOR = "bank"
ENTITY = "statements"


def decode_statement(body: bytes) -> Decoded:
    """A landed statement: the bank's file as it was, or a CSV file wrapped with the profile that explains it."""
    match format_of(body):
        case "camt053":
            return decode_camt053(body)
        case "ofx":
            return decode_ofx(body)
        case "mt940":
            return decode_mt940(body)
        case "csv":
            return decode_csv(body)


def decode_statement_at(body: bytes, url: str) -> Decoded:
    """Like `decode_statement`; what cannot be read is named by its file, which `url` is."""
    try:
        return decode_statement(body)
    except BadPayload as error:
        raise BadPayload(f"{url}: {error.message}", vendor=VENDOR, call=ENTITY, detail=error.detail) from error


FEEDS: dict[str, FeedSpec] = {
    ENTITY: FeedSpec(
        VENDOR,
        ENTITY,
        # Files are only ever added, and overlap: the newest version of an entry wins, nothing is taken back.
        "cursor",
        (BANK_STATEMENT_ENTRIES, BANK_STATEMENTS),
        ("statement_id", "entry_reference"),
        None,
        decode_statement,
        decode_at=decode_statement_at,
    )
}
