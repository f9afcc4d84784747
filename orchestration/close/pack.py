# ruff: noqa: S608  # the only texts put into SQL are our own queries, column names of the catalogue, and paths we made
"""Writes the evidence pack of an entity's month: a folder, and the same as one zip archive.

Rows go from the published marts to CSV and Parquet inside DuckDB, so that the size of a month does not matter; the
workbook holds what people read. The manifest names every file with its SHA-256 and the totals that the verifier adds up
again from the files (`orchestration.close.verify`).
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb

from orchestration.close.contents import CONTENTS, UNSAFE_FIRST, RowSet
from orchestration.close.workbook import write_workbook
from orchestration.lib.settings import Settings
from orchestration.lib.state import State
from orchestration.lib.warehouse import quote
from orchestration.outbox import Outbox

FORMAT = "tieout-evidence-1"
MANIFEST = "manifest.json"
SEAL = "manifest.sha256"
ROWS = "rows"
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Pack:
    """What was written. `manifest_sha256` is worth noting elsewhere: it stands for every byte of the pack."""

    folder: Path
    archive: Path
    files: int
    manifest_sha256: str


def write_pack(settings: Settings, marts: Path, outbox: Outbox, entity: str, period: str, folder: Path) -> Pack:
    """Write the pack below `folder` from the published `marts`, replacing an earlier one of the same entity and month.

    Raises OSError; a pack is complete when its seal is there, because that is written last.
    """
    target = folder / f"{entity}-{period}"
    if target.exists():
        shutil.rmtree(target)
    rows = target / ROWS
    rows.mkdir(parents=True)
    totals, counts = _write_rows(settings, marts, entity, period, rows)
    events = outbox.closing.all(entity, period)
    signatures = [
        {name: row[name] for name in ("kind", "role", "state", "taken_by", "taken_at", "reason", "evidence_hash")}
        for row in events
    ]
    _write_csv(rows / "signatures.csv", signatures)
    sources = _sources(settings, entity)
    _write_csv(rows / "sources.csv", sources)
    counts |= {"signatures": len(signatures), "sources": len(sources)}
    locks = [row for row in events if row["kind"] == "LOCKED" and row["state"] == "STANDING"]
    trail = outbox.verify_audit()
    cover = {
        "entity_code": entity,
        "period": period,
        "as_of": settings.clock.text(),
        "status": f"locked on {locks[-1]['taken_at'][:10]}" if locks else "open: a draft",
        "project_version": version("tieout"),
        "audit_trail_head": trail.head,
        "audit_trail_entries": trail.entries,
        "audit_trail_holds": trail.ok,
    }
    write_workbook(target / f"close-{entity}-{period}.xlsx", rows, cover, signatures, sources, settings.clock.now())
    files = [
        {"path": path.relative_to(target).as_posix(), "bytes": path.stat().st_size, "sha256": _sha256(path)}
        for path in sorted(target.rglob("*"))
        if path.is_file()
    ]
    manifest = {
        "format": FORMAT,
        **cover,
        "configuration": _configuration(settings),
        "row_counts": counts,
        "totals": totals,
        "files": files,
    }
    (target / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    seal = _sha256(target / MANIFEST)
    (target / SEAL).write_text(f"{seal}  {MANIFEST}\n", encoding="utf-8")
    archive = _archive(target)
    return Pack(target, archive, len(files) + 2, seal)


def _write_rows(
    settings: Settings, marts: Path, entity: str, period: str, folder: Path
) -> tuple[list[dict[str, str]], dict[str, int]]:
    """Every row set as CSV and Parquet. Returns the sums of its money columns per currency, and the counts of rows."""
    totals: list[dict[str, str]] = []
    counts: dict[str, int] = {}
    with duckdb.connect(
        config={
            "memory_limit": settings.memory_limit,
            "threads": settings.threads,
            "temp_directory": str(settings.temporary_dir),
        }
    ) as connection:
        connection.execute(f"attach {_literal(marts)} as published (read_only)")
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("use published.marts")
        for one in CONTENTS:
            query = one.query.replace(" p.", " published.marts.").replace("$entity", _literal(entity))
            connection.execute(
                f"create or replace temp table pack_rows as {query.replace('$period', _literal(period))}"
            )
            kinds = [(str(row[0]), str(row[1])) for row in connection.execute("describe pack_rows").fetchall()]
            connection.execute(
                f"copy pack_rows to {_literal(folder / f'{one.name}.parquet')} (format parquet, compression zstd)"
            )
            columns = ", ".join(_safe(name) if kind == "VARCHAR" else quote(name) for name, kind in kinds)
            connection.execute(
                f"copy (select {columns} from pack_rows) to {_literal(folder / f'{one.name}.csv')} (format csv, header)"
            )
            ((counts[one.name],),) = connection.execute("select count(*) from pack_rows").fetchall()
            totals += _totals(connection, one, {name for name, _ in kinds})
    return totals, counts


def _totals(connection: duckdb.DuckDBPyConnection, one: RowSet, columns: set[str]) -> Iterator[dict[str, str]]:
    if not one.amounts or "currency_code" not in columns:
        return
    sums = ", ".join(f"coalesce(sum({quote(name)}), 0)::varchar" for name in one.amounts)
    query = f"select coalesce(currency_code, ''), {sums} from pack_rows group by 1 order by 1"
    for currency, *values in connection.execute(query).fetchall():
        for name, value in zip(one.amounts, values, strict=True):
            yield {"file": f"{ROWS}/{one.name}.csv", "column": name, "currency_code": currency, "sum": value}


def _safe(name: str) -> str:
    """A text column as a spreadsheet may read it: what looks like a formula gets an apostrophe."""
    unsafe = ", ".join(_literal(character) for character in UNSAFE_FIRST)
    column = quote(name)
    return f"case when left({column}, 1) in ({unsafe}) then '''' || {column} else {column} end as {column}"


def _write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else ["nothing"], lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({name: _harmless(value) for name, value in row.items()})


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(UNSAFE_FIRST) else value


def _sources(settings: Settings, entity: str) -> list[dict[str, Any]]:
    """The landing files of the entity's accounts: what was received, with its SHA-256."""
    from orchestration.lib.registry import load_registry

    registry = load_registry(settings.config_dir)
    accounts = {
        *(("mirakl", one.marketplace_code) for one in registry.marketplaces if one.entity_code == entity),
        *((one.vendor, one.erp_code) for one in registry.erps if one.entity_code == entity),
        *(("bank", one.bank_account_code) for one in registry.bank_accounts if one.entity_code == entity),
    }
    with State(settings.state_path) as state:
        batches = {batch.batch: batch for batch in state.batches()}
        return [
            {
                "vendor": batch.vendor,
                "account": batch.account,
                "feed": batch.entity,
                "landed_at": file.landed_at,
                "records": file.record_count,
                "bytes": file.byte_count,
                "sha256": file.sha256,
                "path": file.path,
            }
            for file in state.files()
            if ((batch := batches[file.batch]).vendor, batch.account) in accounts
        ]


def _configuration(settings: Settings) -> dict[str, str]:
    """SHA-256 of every configuration file that the figures rest on."""
    return {path.name: _sha256(path) for path in sorted(settings.config_dir.glob("*.csv"))}


def _archive(folder: Path) -> Path:
    """The folder as a zip with fixed times and order, and its SHA-256 beside it."""
    archive = folder.with_name(f"{folder.name}.zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as file:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _EPOCH)
                entry.compress_type = (
                    zipfile.ZIP_STORED if path.suffix in (".parquet", ".xlsx") else zipfile.ZIP_DEFLATED
                )
                with path.open("rb") as source, file.open(entry, "w") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
    archive.with_name(f"{archive.name}.sha256").write_text(f"{_sha256(archive)}  {archive.name}\n", encoding="utf-8")
    return archive


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _literal(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"
