"""What has no mapping and what that costs, the maps as they stand, and rows that one person proposes for another to
approve.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml
from starlette.datastructures import FormData

from app.asking import Ask, Done, NotHere, NotNow, Page
from app.masks import masked
from app.pages.exceptions import page_of
from app.people import Right
from app.rendering import explained
from app.tables import Column, Query, Row, Table
from orchestration.lib.config_changes import in_words, propose, rows_of
from orchestration.lib.config_files import DATED, MAPS, ConfigFile, FileChanged, read_file
from orchestration.lib.landed_charts import landed_charts
from orchestration.lib.map_gaps import gaps
from orchestration.lib.registry import load_registry

OTHERS = {
    "ORD-008": "tax_codes.csv",
    "JNL-009": "accounts.csv",
    "TAX-001": "tax_regimes.csv",
    "ORD-015": "analysis_codes.csv",
    "OFR-002": "item_map.csv",
    "OFR-007": "item_map.csv",
    "FX-001": "exchange_rates.csv",
}
"""Exceptions that a row of configuration may end, beside the gaps: the row that is there may be a wrong one."""
SHOWN_FIRST = "accounts.csv"
MOST_CHOICES = 300
CELL = "cell."
"""Prefix of the row's cells in addresses and forms."""


def show(ask: Ask) -> Page:
    """The gaps with their cost, what waits for a second person, and one file of the configuration."""
    folder = ask.settings.config_dir
    files = sorted(path.name for path in folder.glob("*.csv"))
    if SHOWN_FIRST not in files:
        load_registry(folder)  # raises, and says what is missing
    wanted = ask.asked.get("file", SHOWN_FIRST)
    if wanted not in files:
        raise NotHere(f"The configuration has no file {wanted}.")
    held = _read(folder, wanted)
    may = ask.may(Right.DECIDE) and wanted in MAPS
    rows: list[dict[str, Any]] = [
        {**cells, " number": number, " file": wanted} for number, cells in enumerate(held.rows)
    ]
    columns = [Column(name, name.replace("_", " "), "text") for name in held.heading]
    if may and columns:
        columns[0] = replace(columns[0], link=_row_page)
    tables = {
        "gaps": _gaps(ask),
        "others": _others(),
        "changes": waiting_changes(ask),
        "decided": _decided(ask),
        "file": Table(wanted, columns, rows, name="file", search=held.heading, nothing="The file has no rows."),
    }
    values = {"files": files, "wanted": wanted, "folder": str(folder), "may": may, "is_map": wanted in MAPS}
    return Page("mappings.html", "Mappings", values, tables)


def row(ask: Ask) -> Page:
    """A form for one row: a new one, with what the address knows of it, or one that is there."""
    file = ask.asked.get("file", "")
    if file not in MAPS:
        raise NotHere(f"{file or 'Nothing'} is no map. Look under Mappings.")
    held = _read(ask.settings.config_dir, file)
    number = ask.asked.get("row", "")
    before: Mapping[str, str] | None = None
    if number:
        if not number.isdecimal() or int(number) >= len(held.rows):
            raise NotHere(f"{file} has no such row. Look under Mappings.")
        before = held.rows[int(number)]
    given = {name: ask.asked.get(CELL + name, "") for name in held.heading}
    meanings = _meanings(ask.settings.dbt_project_dir).get(file.removesuffix(".csv"), {})
    required = {name for name, field in MAPS[file].model_fields.items() if name != "line" and _is_needed(field)}
    fields = [
        {
            "name": name,
            "value": before.get(name, "") if before else given[name],
            "meaning": meanings.get(name, ""),
            "choices": sorted({cells[name] for cells in held.rows if cells[name]})[:MOST_CHOICES],
            "is_needed": name in required,
            "is_key": name in MAPS[file].KEY,
            "is_date": name.startswith(DATED.removesuffix("_from")) or name.endswith("_date"),
        }
        for name in held.heading
    ]
    values = {
        "file": file,
        "fields": fields,
        "digest": held.digest,
        "number": number,
        "is_new": before is None,
        "is_dated": DATED in held.heading,
        "why": ask.asked.get("why", ""),
        "back": f"/mappings?file={file}",
        "here": f"{ask.request.url.path}?{ask.request.url.query}",
    }
    return Page("mapping_row.html", f"{'New row of' if before is None else 'Row of'} {file}", values)


def propose_row(ask: Ask, sent: FormData) -> Done:
    """Ask another person for the row as the form has it."""
    file = str(sent.get("file", ""))
    if file not in MAPS:
        raise NotNow(f"{file or 'nothing'} is no map")
    held = _read(ask.settings.config_dir, file)
    if held.digest != sent.get("digest"):
        raise NotNow(f"{file} was changed while you looked at it; load the page again")
    number = str(sent.get("row", ""))
    before = held.rows[int(number)] if number.isdecimal() and int(number) < len(held.rows) else None
    after = {name: str(sent.get(CELL + name, "")) for name in held.heading}
    is_new = before is None or sent.get("how") == "add"
    wanted = None if sent.get("how") == "remove" else after
    propose(
        ask.settings,
        ask.outbox,
        file,
        None if is_new else before,
        wanted,
        by=ask.person.name,
        reason=str(sent.get("reason", "")),
    )
    return Done(f"Proposed for {file}. Another person approves it under Approvals.", "/mappings")


def withdraw(ask: Ask, sent: FormData) -> Done:
    """Take back what one proposed oneself."""
    key = str(sent.get("choose", ""))
    own = [one for one in ask.outbox.changes.all() if one["change_key"] == key]
    if not own or own[0]["proposed_by"] != ask.person.name:
        raise NotNow("that is another person's; an approver rejects it under Approvals")
    ask.outbox.changes.reject(key, by=ask.person.name, reason="withdrawn")
    return Done(f"{key} is withdrawn.", "/mappings")


def waiting_changes(ask: Ask, *, choose: str = "") -> Table:
    """Rows of maps that wait for a second person."""
    rows = [_shown(one) for one in ask.outbox.changes.all() if one["state"] == "PROPOSED"]
    columns = (
        Column("file", "Map", "code", lambda one: f"/mappings?file={one['file']}#file"),
        Column("kind", "", "words"),
        Column("words", "What", "long", is_sortable=False),
        Column("reason", "Why", "long", is_sortable=False),
        Column("proposed_by", "By", "text"),
        Column("proposed_at", "Since (UTC)", "moment"),
    )
    return Table(
        "Rows of maps that wait for a second person",
        columns,
        rows,
        name="changes",
        sort="proposed_at",
        nothing="No row waits.",
        choose=choose,
    )


def _decided(ask: Ask) -> Table:
    rows = [_shown(one) for one in ask.outbox.changes.all() if one["state"] != "PROPOSED"]
    return Table(
        "What became of the others",
        (
            Column("state", "State", "state"),
            Column("file", "Map", "code"),
            Column("words", "What", "long", is_sortable=False),
            Column("reason", "Why", "long", is_sortable=False),
            Column("proposed_by", "By", "text"),
            Column("decided_by", "Decided by", "text"),
            Column("decided_at", "When (UTC)", "moment"),
        ),
        rows,
        name="decided",
        sort="-decided_at",
        page_rows=20,
    )


def _shown(change: Mapping[str, Any]) -> dict[str, Any]:
    before, after = rows_of(change)
    return {**change, "words": in_words(change), "reason": masked(change["reason"]), "before": before, "after": after}


def _gaps(ask: Ask) -> Table:
    found = gaps(ask.published, ask.settings.config_dir, landed_charts(ask.settings))
    may = ask.may(Right.DECIDE)
    rows = [
        {
            "file": gap.file,
            "subject": gap.subject,
            "marketplace_code": gap.marketplace_code,
            "waiting": gap.waiting,
            "waiting_for": gap.waiting_for,
            "amount": gap.amount,
            "currency_code": gap.currency_code,
            "why": gap.why,
            "proposal": ", ".join(value for value in gap.cells.values() if value),
            "exception_id": gap.exception_id,
            "act": ("Propose" if gap.is_whole else "Fill in") if may else None,
            "to": "/mappings/row?"
            + urlencode({"file": gap.file, "why": gap.why, **{CELL + name: cell for name, cell in gap.cells.items()}}),
        }
        for gap in found
    ]
    columns = [
        Column("subject", "What has no row", "text", _exception_page, note="file"),
        Column("marketplace_code", "Market", "code"),
        Column("amount", "Worth", "money"),
        Column("waiting_for", "What waits", "text"),
        Column("proposal", "Proposed row", "long", note="why", is_sortable=False),
    ]
    if may:
        # Second, where a telephone still shows it.
        columns.insert(1, Column("act", "Do", "code", lambda one: str(one["to"]), is_sortable=False))
    return Table(
        "Gaps and what they cost",
        columns,
        rows,
        name="gaps",
        sort="-amount",
        totals=("amount",),
        nothing="Everything that was read has its mapping.",
    )


def _others() -> Table:
    named = " ".join(f"WHEN '{code}' THEN '{file}'" for code, file in OTHERS.items())
    codes = ", ".join(f"'{code}'" for code in OTHERS)
    return Table(
        "Where a row may be a wrong one",
        (
            Column("exception_code", "Code", "code", page_of, note="title"),
            Column("subject_id", "About", "text", explained("subject_id"), note="subject_type"),
            Column("marketplace_code", "Market", "code"),
            Column("file", "Look in", "code", lambda one: f"/mappings?file={one['file']}#file"),
            Column("summary", "Why", "long", is_sortable=False),
            Column("cost_amount", "Costs", "money"),
        ),
        Query(
            f"SELECT *, CASE exception_code {named} END AS file, amount_at_risk AS cost_amount FROM exceptions "
            f"WHERE exception_code IN ({codes}) AND status IN ('OPEN', 'IN_PROGRESS')"
        ),
        name="others",
        sort="-cost_amount",
        page_rows=12,
        nothing="None is suspected.",
    )


def _read(folder: Path, file: str) -> ConfigFile:
    try:
        return read_file(folder, file)
    except (FileChanged, FileNotFoundError) as error:
        raise NotHere(f"{error}. No row of it is shown.") from error


def _row_page(one: Row) -> str:
    return f"/mappings/row?{urlencode({'file': one[' file'], 'row': one[' number']})}"


def _exception_page(one: Row) -> str | None:
    return f"/exceptions/{one['exception_id']}" if one.get("exception_id") else None


def _is_needed(field: Any) -> bool:
    from typing import get_args

    return type(None) not in get_args(field.annotation)


@lru_cache(maxsize=1)
def _meanings(project: Path) -> dict[str, dict[str, str]]:
    """What each column of each file is for, in the words of docs/configuration.md."""
    described = yaml.safe_load((project / "models" / "config" / "_seeds.yml").read_text(encoding="utf-8"))
    return {
        seed["name"]: {column["name"]: str(column.get("description", "")) for column in seed["columns"]}
        for seed in described["seeds"]
    }
