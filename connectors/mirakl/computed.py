"""Columns that no member of a record holds: what a page's address says, and what two members say together."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc

from connectors.mirakl.tables.values import SEPARATOR
from connectors.records import Table

_DOCUMENT_REQUEST = re.compile(r"/api/document-request/([^/?]+)/lines")
_INVOICE = re.compile(r"/api/invoices/([^/?]+)")


def _id_in(pattern: re.Pattern[str], url: str) -> str | None:
    found = pattern.search(url)
    return unquote(found.group(1)) if found else None


def invoice_id_of_address(url: str) -> str | None:
    return _id_in(_INVOICE, url)


def document_request_of_address(table: Table, url: str) -> Any:
    """DR12 answers with lines that do not name their document request."""
    return pa.array([_id_in(_DOCUMENT_REQUEST, url)] * table.num_rows, pa.string())


def product_reference(table: Table, _: str) -> Any:
    """The reference in the form in which P31 was asked for it, `EAN|3059412166368`."""
    return pc.binary_join_element_wise(table["product_id_type"], table["product_id"], SEPARATOR)
