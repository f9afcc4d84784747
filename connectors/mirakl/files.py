"""Documents as files (IV02): kept whole as evidence; a row holds their id, digest and size."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256

import pyarrow as pa

from connectors.decoding import record_hash
from connectors.errors import BadPayload
from connectors.mirakl.computed import invoice_id_of_address
from connectors.mirakl.tables.money import INVOICE_FILES
from connectors.records import Decoded, Reject

_KINDS = ((b"%PDF", "application/pdf"), (b"PK\x03\x04", "application/zip"), (b"<?xml", "application/xml"))
OTHER_KIND = "application/octet-stream"


def content_type(body: bytes) -> str:
    """What the file is by its first bytes; Mirakl itself calls every file an octet stream.

    Raises BadPayload for what is no document: nothing, a JSON message, a web page.
    """
    start = body[:64].lstrip()
    if not start or start[:1] in {b"{", b"["} or start[:5].lower() in {b"<html", b"<!doc"}:
        raise BadPayload("the answer is no document", vendor="mirakl", call="IV02")
    return next((kind for magic, kind in _KINDS if start.startswith(magic)), OTHER_KIND)


def decode_invoice_file(body: bytes, url: str = "") -> Decoded:
    """One file, one row. The document's id stands only in the address it came from."""
    kind = content_type(body)
    document_id = invoice_id_of_address(url)
    rejects = [] if document_id else [Reject(0, None, "document_id", "is missing", "REQUIRED_MISSING")]
    digests = [record_hash(body).hex()] if document_id else []
    row = (document_id, sha256(body).hexdigest(), str(len(body)), kind)
    columns = {
        "_position": pa.array(range(len(digests)), pa.int64()),
        "_hash": pa.array(digests, pa.string()),
        **{
            column.name: pa.array([value] * len(digests), column.type)
            for column, value in zip(INVOICE_FILES.columns, row, strict=True)
        },
    }
    return Decoded({INVOICE_FILES.name: pa.table(columns)}, rejects, 1, Counter(), Counter())
