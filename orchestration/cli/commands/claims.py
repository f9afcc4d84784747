"""`tieout claims`: what the operator has to put right, gathered into packs that can be sent to it."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from orchestration.cli.output import Col, console, json_ready, print_json, table
from orchestration.cli.problems import CliError, ExitCode
from orchestration.cli.session import Session

PACKS = (
    Col("claim_pack_id", "Pack", "code"),
    Col("owed_to", "Owed to", "code"),
    Col("item_count", "Items", "number"),
    Col("claim_amount", "Amount", "money"),
    Col("claim_tax_amount", "VAT", "money"),
    Col("currency_code", "", "code"),
    Col("first_date", "From", "moment"),
    Col("last_date", "To", "moment"),
)
ITEMS = (
    Col("exception_code", "Code", "code"),
    Col("subject_date", "Day", "moment"),
    Col("subject", "Subject", max_width=44),
    Col("expected_amount", "Expected", "money"),
    Col("actual_amount", "Actual", "money"),
    Col("claim_amount", "Claim", "money"),
    Col("claim_tax_amount", "VAT", "money"),
    Col("currency_code", "", "code"),
    Col("rule_text", "Rule", max_width=60),
)


def claims_command(
    session: Session, *, marketplace: str | None, kind: str | None, pack: str | None, out: Path | None
) -> None:
    """List the packs, or the items of one; with `out` write a CSV file per pack into that folder.

    Raises CliError when `pack` is given and does not exist.
    """
    rows = [
        row
        for row in session.published.select(
            "claims", order_by=("claim_pack_id", "exception_code", "subject_date", "subject_id", "claim_id")
        )
        if (not marketplace or row["marketplace_code"] == marketplace)
        and (not kind or row["claim_kind"] == kind.upper())
        and (not pack or row["claim_pack_id"] == pack)
    ]
    if pack and not rows:
        raise CliError(f"there is no claim pack {pack!r}", action="`tieout claims` lists them.", code=ExitCode.USAGE)
    gathered = packs(rows)
    files = write(rows, out) if out is not None else []
    if session.as_json:
        print_json({"packs": gathered, "claims": rows, "files": [str(file) for file in files]})
        return
    screen = console()
    if not rows:
        screen.print("Nothing to claim.", style="green")
        return
    if pack:
        for row in rows:
            row["subject"] = f"{row['subject_type']} {row['subject_id']}"
        screen.print(table(rows, ITEMS))
    else:
        screen.print(table(gathered, PACKS))
    for file in files:
        screen.print(f"Written {file}")
    words = f"{len(rows):,} item{'' if len(rows) == 1 else 's'}"
    screen.print(words + "; `--pack ID` lists one pack, `--out DIR` writes the files to send.", style="dim")


def packs(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row per pack, side and currency: number of items, Σ of claim and VAT, and the days they span."""
    groups: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in rows:
        key = (str(row["claim_pack_id"]), str(row["owed_to"]), str(row["currency_code"]))
        group = groups.setdefault(
            key,
            {
                "claim_pack_id": row["claim_pack_id"],
                "marketplace_code": row["marketplace_code"],
                "claim_kind": row["claim_kind"],
                "owed_to": row["owed_to"],
                "item_count": 0,
                "claim_amount": Decimal(0),
                "claim_tax_amount": Decimal(0),
                "currency_code": row["currency_code"],
                "first_date": row["subject_date"],
                "last_date": row["subject_date"],
            },
        )
        group["item_count"] += 1
        group["claim_amount"] += row["claim_amount"]
        group["claim_tax_amount"] += row["claim_tax_amount"]
        group["first_date"] = min(group["first_date"], row["subject_date"])
        group["last_date"] = max(group["last_date"], row["subject_date"])
    return [groups[key] for key in sorted(groups)]


def write(rows: Sequence[Mapping[str, Any]], folder: Path) -> list[Path]:
    """`<folder>/<pack>.csv` with every column of the mart; returns the files, those of an earlier call are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    by_pack: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_pack.setdefault(str(row["claim_pack_id"]), []).append(row)
    files = []
    for name, members in sorted(by_pack.items()):
        file = folder / f"{name}.csv"
        columns = [column for column in members[0] if column != "subject"]
        with file.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows([[_cell(row[column]) for column in columns] for row in members])
        files.append(file)
    return files


def _cell(value: Any) -> Any:
    """Vendors' text must not become a formula where the file is opened."""
    if value is None:
        return ""
    ready = json_ready(value)
    return f"'{ready}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else ready
