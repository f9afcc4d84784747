"""What has no mapping and what that costs, and the configuration as it stands. Read-only: the files are edited."""

from __future__ import annotations

import csv
from typing import Any

from app.asking import Ask, NotHere, Page
from app.pages.exceptions import page_of
from app.rendering import explained
from app.tables import Column, Query, Row, Table

GAPS = {
    "SET-009": "transaction_types.csv",
    "JNL-012": "accounts.csv",
    "JNL-009": "accounts.csv",
    "ORD-008": "tax_codes.csv",
    "TAX-001": "tax_regimes.csv",
    "ORD-015": "marketplaces.csv",
    "OFR-001": "item_map.csv",
    "OFR-002": "item_map.csv",
    "OFR-007": "item_map.csv",
    "STK-004": "warehouses.csv",
    "DSP-004": "carriers.csv",
    "FX-001": "exchange_rates.csv",
}
"""Exceptions that a row of configuration ends, and the file that the row belongs into."""
SHOWN_FIRST = "accounts.csv"


def show(ask: Ask) -> Page:
    """The gaps with their cost, and one file of the configuration."""
    folder = ask.settings.config_dir
    files = sorted(path.name for path in folder.glob("*.csv"))
    wanted = ask.asked.get("file", SHOWN_FIRST)
    if wanted not in files:
        raise NotHere(f"The configuration has no file {wanted}.")
    with (folder / wanted).open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        names = list(reader.fieldnames or ())
        rows: list[dict[str, Any]] = list(reader)
    named = " ".join(f"WHEN '{code}' THEN '{file}'" for code, file in GAPS.items())
    codes = ", ".join(f"'{code}'" for code in GAPS)
    tables = {
        "gaps": Table(
            "Gaps and what they cost",
            (
                Column("exception_code", "Code", "code", page_of, note="title"),
                Column("subject_id", "What has no mapping", "text", explained("subject_id"), note="subject_type"),
                Column("marketplace_code", "Market", "code"),
                Column("file", "Mend in", "code", _file_page),
                Column("summary", "Why it matters", "long", note="recommended_action", is_sortable=False),
                Column("consequence_count", "Held up", "number"),
                Column("cost_amount", "Costs", "money"),
            ),
            Query(
                f"SELECT *, CASE exception_code {named} END AS file, amount_at_risk AS cost_amount FROM exceptions "
                f"WHERE exception_code IN ({codes}) AND status IN ('OPEN', 'IN_PROGRESS')"
            ),
            name="gaps",
            sort="-cost_amount",
            nothing="Everything that was read has its mapping.",
        ),
        "file": Table(
            wanted,
            tuple(Column(name, name.replace("_", " "), "text") for name in names),
            rows,
            name="file",
            search=tuple(names),
            nothing="The file has no rows.",
        ),
    }
    return Page("mappings.html", "Mappings", {"files": files, "wanted": wanted, "folder": str(folder)}, tables)


def _file_page(row: Row) -> str:
    return f"/mappings?file={row['file']}#file"
