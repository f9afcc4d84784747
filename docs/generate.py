"""Writes the reference pages that are made of the project's own descriptions: `python docs/generate.py`.

`configuration.md` comes from the seeds' YAML, `marts.md` from the marts' YAML, the tables in `accounting.md` from the
seeds that post, those in `rights.md` from `connectors/rights.csv`. A test fails when they are not current,
so a column that is added without a description, or described and not published, shows up in review.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / "dbt_project" / "models"

CONFIGURATION_HEAD = """# Configuration

A folder of CSV files says what is traded where, what books to which account, and what counts as a difference;
`TIEOUT_CONFIG_DIR` points at it. `tieout init DIR` writes a copy to edit; `tieout doctor` checks it and names file,
row, column and value of whatever is wrong. Files whose rows change accounting carry `effective_from`: the newest row
that is not after the date in question counts, so a changed rate is a new row, never an edit.

Secrets and places come from the environment: every variable is in [`.env.example`](../.env.example).

This page is written by `python docs/generate.py` from `dbt_project/models/config/_seeds.yml`.
"""
MARTS_HEAD = """# Marts

The tables that queries, dashboards and notebooks hang on: schema `marts` of `<data dir>/published/tieout.duckdb`
(readable while a run works) and one Parquet file each. Contracts are enforced; columns change only with a line in the
changelog. Amounts are exact decimals at two places beside their `currency_code`; times are UTC, dates are in the
entity's time zone.

This page is written by `python docs/generate.py` from the YAML beside the models.
"""


def described(paths: Iterable[Path], key: str) -> dict[str, dict[str, Any]]:
    """Name to its YAML entry, over all files."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(paths):
        for entry in (yaml.safe_load(path.read_text()) or {}).get(key, []):
            found[entry["name"]] = entry
    return found


def one_line(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


def section(title: str, entry: dict[str, Any], *, with_type: bool) -> list[str]:
    lines = [f"## {title}", "", one_line(entry.get("description")), ""]
    lines += ["| column | type | meaning |", "|---|---|---|"] if with_type else ["| column | meaning |", "|---|---|"]
    for column in entry.get("columns", []):
        data_type = [str(column.get("data_type", ""))] if with_type else []
        cells = [f"`{column['name']}`", *data_type, one_line(column.get("description"))]
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]


def configuration() -> str:
    seeds = described((MODELS / "config").glob("*.yml"), "seeds")
    lines = [CONFIGURATION_HEAD]
    for name in sorted(seeds):
        lines += section(f"{name}.csv", seeds[name], with_type=False)
    return "\n".join(lines).rstrip() + "\n"


def marts() -> str:
    models = described((MODELS / "marts").rglob("*.yml"), "models")
    lines = [MARTS_HEAD]
    for name in sorted(models):
        lines += section(name, models[name], with_type=True)
    return "\n".join(lines).rstrip() + "\n"


def rows_of(seed: str) -> list[dict[str, str]]:
    with (ROOT / "dbt_project" / "seeds" / f"{seed}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def transaction_table() -> str:
    """What each type of settlement line moves beside clearing, from the seeds that post."""
    accounts: dict[str, set[str]] = {}
    for row in rows_of("accounts"):
        accounts.setdefault(row["account_role"], set()).add(row["account_code"])

    def posted(row: dict[str, str], role: str) -> str:
        if not role:
            return "nothing: the receipt clears it" if row["counts_in_net"] == "false" else "blocked (SET-009)"
        return f"{role} ({', '.join(sorted(accounts.get(role, set()))) or 'no account yet'})"

    lines = [
        "| type | sign | ORDER_LED | SETTLEMENT_LED | tax of |",
        "|---|---|---|---|---|",
    ]
    for row in sorted(rows_of("transaction_types"), key=lambda row: (row["bucket"], row["transaction_type"])):
        role = row["account_role"]
        led = row["settlement_led_role"]
        cells = [
            f"`{row['transaction_type']}`",
            {"1": "+", "-1": "−"}.get(row["expected_sign"], ""),
            posted(row, role),
            posted(row, led) if led else "the same",
            f"`{row['tax_of_type']}`" if row["tax_of_type"] else "",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def operator_table() -> str:
    """What each type moves beside a seller's account in an operator's books, from the seeds that post."""
    accounts = {
        row["account_role"]: row["account_code"] for row in rows_of("accounts") if row["entity_code"] == OPERATOR
    }
    lines = ["| type | sign | journal | beside SELLER_PAYABLE of the seller |", "|---|---|---|---|"]
    rows = sorted(rows_of("transaction_types"), key=lambda row: (row["operator_kind"] or "~", row["transaction_type"]))
    for row in rows:
        role = row["operator_role"]
        if role:
            posted = f"{role} ({accounts.get(role, 'no account yet')})"
        else:
            posted = "BANK, from the pay-out" if row["counts_in_net"] == "false" else "blocked (SET-009)"
        kind = row["operator_kind"] or ("" if row["counts_in_net"] == "true" else "SELLER_PAYOUT")
        sign = {"1": "+", "-1": "−"}.get(row["expected_sign"], "")
        lines.append(f"| `{row['transaction_type']}` | {sign} | {kind} | {posted} |")
    return "\n".join(lines)


OPERATOR = "PLAZAOPS"
"""The entity whose accounts the operator's table shows."""
TABLE_ENDS = "<!-- end of what is written -->"
TABLES = {
    "<!-- written by docs/generate.py -->": transaction_table,
    "<!-- the operator's, written by docs/generate.py -->": operator_table,
}


def accounting() -> str:
    """The page as it is, with the tables between the marks made anew."""
    text = (ROOT / "docs" / "accounting.md").read_text()
    for mark, table in TABLES.items():
        before, rest = text.split(mark)
        after = rest.split(TABLE_ENDS, 1)[1]
        text = f"{before}{mark}\n{table()}\n{TABLE_ENDS}{after}"
    return text


RIGHTS_BEGIN = "<!-- what follows is written by docs/generate.py from connectors/rights.csv -->"
PLACES = {
    ("mirakl", "SELLER"): "Mirakl, a seller's key",
    ("mirakl", "OPERATOR"): "Mirakl, an operator's client",
    ("sage200", ""): "Sage 200, the API user",
    ("netsuite", ""): "NetSuite, the integration's role",
    ("postgresql", ""): "PostgreSQL",
    ("object store", ""): "Object store",
}


def rights() -> str:
    """Templates from the table that doctor reads, below the page's own words."""
    head, _, _ = (ROOT / "docs" / "rights.md").read_text("utf-8").partition(RIGHTS_BEGIN)
    with (ROOT / "connectors" / "rights.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    def names(cell: str, every: str) -> str:
        return every if cell == "*" else ", ".join(f"`{part}`" for part in cell.split("|") if part)

    lines = []
    for (vendor, side), title in PLACES.items():
        lines += [f"## {title}", ""]
        levels = any(row["level"] for row in rows if (row["vendor"], row["side"]) == (vendor, side))
        columns = ["right", *(["level"] if levels else []), "for feeds", "for kinds of write", "what it is"]
        lines += ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
        for row in rows:
            if (row["vendor"], row["side"]) != (vendor, side):
                continue
            needed = [names(row["feeds"], "all"), names(row["kinds"], "all")]
            note = row["note"]
            if row["is_required"] == "false":
                note += " (some accounts only)"
            if not any(needed):
                needed = ["never needed", "never needed"]
            level = [row["level"].title()] if levels else []
            lines.append("| " + " | ".join([f"`{row['right']}`", *level, *needed, one_line(note)]) + " |")
        lines.append("")
    return f"{head}{RIGHTS_BEGIN}\n\n" + "\n".join(lines).rstrip() + "\n"


PAGES = {"rights.md": rights, "configuration.md": configuration, "marts.md": marts, "accounting.md": accounting}


def main() -> int:
    for name, page in PAGES.items():
        (ROOT / "docs" / name).write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
