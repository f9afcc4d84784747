"""The one feed of a bank account: its statement files."""

from __future__ import annotations

from connectors.bank.camt053 import decode_camt053, is_xml
from connectors.bank.csv import decode_csv
from connectors.bank.tables import BANK_STATEMENT_ENTRIES, BANK_STATEMENTS
from connectors.records import Decoded, FeedSpec

VENDOR = "bank"
ENTITY = "statements"


def decode_statement(body: bytes) -> Decoded:
    """A landed statement: a CAMT.053 file as it was, or a CSV file wrapped with the profile that explains it."""
    return decode_camt053(body) if is_xml(body) else decode_csv(body)


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
    )
}
