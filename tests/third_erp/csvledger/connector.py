"""Reads `postings.csv` and `cash_book.csv`. A file is a page, landed byte for byte; a line is a record."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from connectors.columns import amount, key, stamp, text
from connectors.decoding import Envelope, RecordDecoder, record_hash
from connectors.erps import ErpCompany
from connectors.errors import BadConfiguration
from connectors.records import CheckResult, Decoded, FeedSpec, Page, TableSpec, Window

VENDOR = "csvledger"
POSTINGS = TableSpec(
    "csvledger_postings",
    (
        key("id"),
        key("urn"),
        stamp("date", required=True),
        text("account", required=True),
        amount("debit"),
        amount("credit"),
        text("reference"),
        text("narrative"),
    ),
)
CASH_BOOK = TableSpec(
    "csvledger_cash_book",
    (
        key("id"),
        key("urn"),
        stamp("date", required=True),
        text("bank", required=True),
        amount("amount", required=True),
        text("text"),
    ),
)


def as_json(content: bytes) -> list[bytes]:
    """Every line as a JSON object, which the pipeline's decoder checks; an empty cell is null."""
    rows = csv.DictReader(io.StringIO(content.decode()))
    return [msgspec.json.encode({name: value or None for name, value in row.items()}) for row in rows]


def _feed(entity: str, table: TableSpec) -> FeedSpec:
    columns = {"": frozenset(column.name for column in table.columns)}
    decoder = RecordDecoder(VENDOR, entity, (table,), Envelope(), documented=columns)

    def decode(body: bytes) -> Decoded:
        return decoder(b"[" + b",".join(as_json(body)) + b"]")

    return FeedSpec(VENDOR, entity, "snapshot", (table,), ("id",), None, decode)


FEEDS: Mapping[str, FeedSpec] = {"postings": _feed("postings", POSTINGS), "cash_book": _feed("cash_book", CASH_BOOK)}


class CsvLedger:
    """One company: the folder that column `folder` of its row in erps.csv names."""

    def __init__(self, company: ErpCompany) -> None:
        folder = company.columns["folder"]
        if folder is None:
            raise BadConfiguration("folder in erps.csv is empty", vendor=VENDOR, call="configuration")
        self.folder: Path = company.config_dir / folder
        self._clock = company.clock

    @property
    def feeds(self) -> Mapping[str, FeedSpec]:
        return FEEDS

    def pages(self, entity: str, window: Window) -> Iterator[Page]:
        path = self.folder / f"{entity}.csv"
        body = path.read_bytes()
        records = as_json(body)
        yield Page(
            entity=entity,
            number=1,
            body=body,
            url=path.name,
            status=200,
            fetched_at=self._clock(),
            record_count=len(records),
            record_hashes=tuple(record_hash(record) for record in records),
            declared_count=len(records),
            cursor=None,
        )

    def check(self) -> list[CheckResult]:
        missing = [entity for entity in FEEDS if not (self.folder / f"{entity}.csv").is_file()]
        action = f"put {', '.join(f'{entity}.csv' for entity in missing)} there, or correct folder in erps.csv"
        return [CheckResult("ledger files", not missing, str(self.folder), action if missing else "")]
