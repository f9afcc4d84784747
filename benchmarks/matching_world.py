# ruff: noqa: S608  # the only texts put into SQL are names from the catalogue, quoted; values are parameters
"""Raw tables of many sellers, made in DuckDB from those of one: every copy is an entity with a marketplace, books and
a bank account of its own. A day's change receives some of it again.

A copy bears its number behind the codes of its owner (`BRICO_0001`) and behind the names of files and batches, and its
ERP holds the keys that its journals have with such names; what the vendors gave is else the same in all. So a table of
the marts must hold as many rows for each copy.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

OWNERS = ("marketplace_code", "entity_code", "erp_code", "bank_account_code", "key_name", "clearing_bank_code")
"""Columns of the configuration that name whose row it is."""
CODES = frozenset({"BRICO", "UKTRADE", "SAGE_UK", "BARC_GBP", "BARC_RES", "BARC_DEP"})
MOVED = frozenset(
    {"_account", "account", "marketplace_code", "entity_code", "_file", "file", "path", "batch", "_batch"}
)
"""Columns of raw tables that differ from copy to copy."""
JOURNAL_KEYS = frozenset({"action_key", "natural_id"})
"""Columns that hold a journal's natural key among their parts."""
WIRE_KEYS = frozenset({"reference", "wire_key"})
"""Columns in which an ERP bears the digest of such a key, from which the books know their journals."""
CYCLES = frozenset(
    {
        ("mirakl_billing_cycles", "id"),
        ("mirakl_billing_cycle_totals", "billing_cycle_id"),
        ("mirakl_document_requests", "shop_billing_cycle_id"),
        ("mirakl_invoices", "seller_billing_cycle_id"),
        ("mirakl_transaction_lines", "seller_billing_cycle_id"),
    }
)
"""Where cycles are named, whose ids no two marketplaces share."""
ANALYSIS = ("sage200_sop_orders", "analysis_code_1")
"""Where an ERP's order names its marketplace."""
WHOLE = frozenset({"last_build", "built_files"})
CHANGED = 3
"""Of a thousand orders and transaction lines, those that a day's change touches."""


def multiply_configuration(template: Path, folder: Path, copies: int) -> None:
    """The template's CSV files, with the rows of its owner once per copy."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(template.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            names, rows = list(reader.fieldnames or ()), list(reader)
        with (folder / path.name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            for row in rows:
                owned = [name for name in OWNERS if row.get(name) in CODES]
                for copy in range(copies if owned else 1):
                    writer.writerow({**row, **{name: f"{row[name]}_{copy:04d}" for name in owned}})


def multiply_raw(template: Path, warehouse: Path, copies: int) -> None:
    """Every table of the template's schema `raw`, `copies` times."""
    with _opened(warehouse) as connection:
        connection.execute(f"attach '{template}' as template (read_only)")
        connection.execute("create schema raw")
        connection.execute("set variable cycles = (select list(distinct id) from template.raw.mirakl_billing_cycles)")
        _name_journals(connection, copies)
        tables = connection.execute(
            "select table_name from duckdb_tables() where database_name = 'template' and schema_name = 'raw'"
        ).fetchall()
        for (table,) in tables:
            if table in WHOLE:
                continue
            names = [name for name, *_ in connection.execute(f'describe template.raw."{table}"').fetchall()]
            moved = {name: f'rows."{name}" || suffix' for name in names if name in MOVED or (table, name) in CYCLES}
            moved |= {name: _key_of_copy(f'rows."{name}"') for name in names if name in JOURNAL_KEYS}
            wired = [name for name in names if name in WIRE_KEYS]
            moved |= {name: f'coalesce(journals.new_key, rows."{name}")' for name in wired}
            if "payload" in names:
                moved["payload"] = _payload_of_copy()
            if ANALYSIS[0] == table:
                moved[ANALYSIS[1]] = _key_of_copy(f'rows."{ANALYSIS[1]}"')
            shown = ", ".join(f'{expression} as "{name}"' for name, expression in moved.items())
            journals = "".join(
                f' left join journals on journals.old_key = rows."{name}" and journals.copy_suffix = suffix'
                for name in wired
            )
            connection.execute(
                f'create table raw."{table}" as select {f"rows.* replace ({shown})" if moved else "rows.*"}'
                f' from {_suffixes(copies if moved else 1)} as copy cross join template.raw."{table}" as rows'
                f"{journals} order by suffix"
            )
        connection.execute("detach template")


def _suffixes(copies: int) -> str:
    return f"(select '_' || lpad(i::varchar, 4, '0') as suffix from range({copies}) as r(i))"


def _key_of_copy(key: str) -> str:
    """A natural key in a copy: codes and cycles get the copy's number, and so do the accounts that receipts begin
    with.
    """
    codes = ", ".join(f"'{code}'" for code in sorted(CODES))
    return (
        f"array_to_string([case when part in ({codes}) or list_contains(getvariable('cycles'), part)"
        f" then part || suffix when split_part(part, '-', 1) in ({codes})"
        " then split_part(part, '-', 1) || suffix || substr(part, length(split_part(part, '-', 1)) + 1) else part end"
        f" for part in string_split({key}, '|')], '|')"
    )


def _payload_of_copy() -> str:
    """A sent journal with the copy's keys: it is compared with what would be posted today."""
    new = _key_of_copy("rows.natural_id")
    document = "'\"document_id\":\"' || split_part({}, '|', 4) || '\"'"
    renamed = f"replace(rows.payload, rows.natural_id, {new})"
    renamed = f"replace({renamed}, {document.format('rows.natural_id')}, {document.format(new)})"
    return f"replace({renamed}, rows.wire_key, journals.new_key)"


def _name_journals(connection: duckdb.DuckDBPyConnection, copies: int) -> None:
    """Of each journal of the template, whoever posted it, the digest in each copy."""
    digest = "'TO' || upper(substr(sha256({}), 1, 16))"
    connection.execute(
        "create temp table journals as select wire_key as old_key, suffix as copy_suffix,"
        f" {digest.format(_key_of_copy('journal_key'))} as new_key"
        " from (select journal_key, wire_key from template.marts.journals union"
        " select narrative, reference from template.raw.sage200_nominal_transactions"
        f" where reference = {digest.format('narrative')}) as named, {_suffixes(copies)} as copy"
    )


def change(warehouse: Path, fetched_at: str) -> int:
    """Receives some orders, with what belongs to them, and some transaction lines again, changed later. Returns how
    many transaction lines.
    """
    again = "_file || '_again' as _file, _batch || '_again' as _batch"
    later = f"timestamp '{fetched_at}' as _fetched_at"
    stamp = f"'{fetched_at.replace(' ', 'T')}Z'"
    with _opened(warehouse) as connection:
        changed = f"hash(_account, {{}}) % 1000 < {CHANGED}"
        roots = f"select _account, _file, _position from raw.mirakl_orders where {changed.format('order_id')}"
        connection.execute(f"create temp table touched as {roots}")
        tables = connection.execute("select table_name from duckdb_tables() where schema_name = 'raw'").fetchall()
        for table in (name for (name,) in tables if name.startswith("mirakl_order_line")):
            connection.execute(
                f'insert into raw."{table}" select rows.* replace ({again}, {later}) from raw."{table}" as rows'
                " semi join touched using (_account, _file, _position)"
            )
        connection.execute(
            f"insert into raw.mirakl_orders select rows.* replace ({again}, {later}, {stamp} as last_updated_date)"
            " from raw.mirakl_orders as rows semi join touched using (_account, _file, _position)"
        )
        ((count,),) = connection.execute(
            f"insert into raw.mirakl_transaction_lines select * replace ({again}, {later}, {stamp} as last_updated)"
            f" from raw.mirakl_transaction_lines where {changed.format('id')}"
        ).fetchall()
        # The manifest names the new files, with as many records as each brought, as the loader would.
        connection.execute(
            "create temp table brought as select _file, count(*) as records from"
            " (select _file from raw.mirakl_orders union all select _file from raw.mirakl_transaction_lines)"
            " where ends_with(_file, '_again') group by _file"
        )
        counted = {
            "landing_files": "records as record_count, null::bigint as declared_count",
            "loaded_files": "records as record_count, records as inserted, 0 as duplicates, 0 as quarantined",
        }
        for table, counts in counted.items():
            when = "landed_at" if table == "landing_files" else "loaded_at"
            connection.execute(
                f"insert into raw.{table} select files.* replace (_file as path, batch || '_again' as batch, {counts},"
                f" timestamp '{fetched_at}' as {when})"
                f" from raw.{table} as files inner join brought on files.path || '_again' = _file"
            )
    return int(count)


def digests(warehouse: Path) -> dict[str, str]:
    """The rows of each mart as a multiset."""
    with _opened(warehouse) as connection:
        tables = connection.execute("select table_name from duckdb_tables() where schema_name = 'marts'").fetchall()
        return {
            table: str(connection.execute(f'select count(*), sum(hash(t)::hugeint) from marts."{table}" t').fetchone())
            for (table,) in sorted(tables)
        }


@contextmanager
def _opened(warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    warehouse.parent.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(str(warehouse))
    try:
        connection.execute("set preserve_insertion_order = false")
        yield connection
    finally:
        connection.close()
