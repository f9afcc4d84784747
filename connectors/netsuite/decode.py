"""The feeds of NetSuite, decoded. A row of an answer is one record."""

from __future__ import annotations

import re

from connectors.decoding import Envelope, Parsed, RecordDecoder
from connectors.netsuite.accounts import VENDOR
from connectors.netsuite.queries import QUERIES
from connectors.netsuite.query import Query
from connectors.records import FeedSpec, TableSpec

ITEMS = Envelope("items")
_KEY = re.compile(rb'"([A-Za-z0-9_]*[A-Z][A-Za-z0-9_]*)"(\s*:)')


def lowered(rows: bytes) -> bytes:
    """JSON with its keys in lower case. They come so, but Oracle promises nothing about the case of columns."""
    return _KEY.sub(lambda found: b'"' + found[1].lower() + b'"' + found[2], rows)


class LoweringDecoder(RecordDecoder):
    """Reads a page again with its keys in lower case when they came otherwise. Records keep the digests of what was
    received.
    """

    def parse(self, body: bytes, digests: bytes = b"") -> Parsed:
        page = super().parse(body, digests)
        if any(name != name.lower() for name in page.unknown_fields):
            return super().parse(lowered(body), page.digests)
        return page


def _decoder(query: Query) -> RecordDecoder:
    table = TableSpec(f"{VENDOR}_{query.entity}", tuple(field.column for field in query.fields))
    names = frozenset(column.name for column in table.columns)
    return LoweringDecoder(VENDOR, query.entity, (table,), ITEMS, documented={"": names | {"links"}})


def _spec(query: Query, decoder: RecordDecoder) -> FeedSpec:
    return FeedSpec(VENDOR, query.entity, query.mode, decoder.tables, query.id_columns, query.version_column, decoder)


DECODERS: dict[str, RecordDecoder] = {entity: _decoder(query) for entity, query in QUERIES.items()}
FEEDS: dict[str, FeedSpec] = {entity: _spec(query, DECODERS[entity]) for entity, query in QUERIES.items()}
