"""The feeds of NetSuite, decoded. A row of an answer is one record."""

from __future__ import annotations

import re
from collections.abc import Callable

from connectors.decoding import Envelope, RecordDecoder, raw_records, split_records
from connectors.netsuite.accounts import VENDOR
from connectors.netsuite.queries import QUERIES
from connectors.netsuite.query import Query
from connectors.records import Decoded, FeedSpec, TableSpec

ITEMS = Envelope("items")
_KEY = re.compile(rb'"([A-Za-z0-9_]*[A-Z][A-Za-z0-9_]*)"(\s*:)')


def lowered(rows: bytes) -> bytes:
    """JSON with its keys in lower case. They come so, but Oracle promises nothing about the case of columns."""
    return _KEY.sub(lambda found: b'"' + found[1].lower() + b'"' + found[2], rows)


def _decoder(query: Query) -> RecordDecoder:
    table = TableSpec(f"{VENDOR}_{query.entity}", tuple(field.column for field in query.fields))
    names = frozenset(column.name for column in table.columns)
    return RecordDecoder(VENDOR, query.entity, (table,), ITEMS, documented={"": names | {"links"}})


def _decode(decoder: RecordDecoder) -> Callable[[bytes], Decoded]:
    def decode(body: bytes) -> Decoded:
        whole, _ = split_records(body, ITEMS, vendor=VENDOR, call=decoder.entity)
        raws = raw_records(whole, vendor=VENDOR, call=decoder.entity)
        decoded = decoder.decode_records(raws, whole)
        if any(name != name.lower() for name in decoded.unknown_fields):
            whole = type(whole)(lowered(bytes(whole)))
            decoded = decoder.decode_records(raw_records(whole, vendor=VENDOR, call=decoder.entity), whole)
        return decoded

    return decode


def _spec(query: Query, decoder: RecordDecoder) -> FeedSpec:
    return FeedSpec(
        VENDOR, query.entity, query.mode, decoder.tables, query.id_columns, query.version_column, _decode(decoder)
    )


DECODERS: dict[str, RecordDecoder] = {entity: _decoder(query) for entity, query in QUERIES.items()}
FEEDS: dict[str, FeedSpec] = {entity: _spec(query, DECODERS[entity]) for entity, query in QUERIES.items()}
