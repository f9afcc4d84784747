"""`tieout backup` and `tieout restore`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.cli.output import console, print_json
from orchestration.cli.problems import CliError
from orchestration.cli.session import Session

if TYPE_CHECKING:
    from orchestration.lib.backup import Backup, Proof


def backup_command(session: Session, target: Path) -> None:
    """Copy the installation and print what vouches for the copy."""
    from orchestration.lib.backup import BackupRefused, backup

    try:
        made = backup(session.settings, target)
    except BackupRefused as error:
        raise CliError(str(error)) from error
    if session.as_json:
        print_json({"path": str(made.path), **_words(made, made.proof)})
        return
    out = console()
    out.print(f"{made.files:,} files, {made.size / 1e6:,.1f} MB in {made.path}", markup=False)
    _print_proof(made.proof)
    out.print(f"Backup: {made.digest}", markup=False)
    out.print(
        "Note the last line elsewhere; `tieout restore --expect` proves by it that the copy is this one. "
        "No key and no token is in it; the evidence holds personal data: keep it where only you can read it.",
        style="dim",
    )


def restore_command(session: Session, source: Path, directory: Path, *, expect: str | None) -> None:
    """Set up a new installation from a backup and print the proof that it is equal."""
    from orchestration.lib.backup import CONFIG, DATA, BackupRefused, restore

    try:
        found, proved = restore(source, directory, expected=expect)
    except BackupRefused as error:
        raise CliError(str(error)) from error
    if session.as_json:
        print_json({"path": str(directory), "equal": True, **_words(found, proved)})
        return
    out = console()
    made = f"of {found.created_at[:16].replace('T', ' ')} UTC by Tieout {found.project_version}"
    out.print(f"{found.files:,} files restored from the backup {made}, each as it was written.", markup=False)
    _print_proof(proved)
    out.print(f"Equal to what was saved. Backup: {found.digest}", style="green", markup=False)
    out.print("Work with it:", markup=False)
    for name, folder in (("DATA", DATA), ("CONFIG", CONFIG)):
        out.print(f"  export TIEOUT_{name}_DIR={(directory / folder).absolute()}", markup=False, soft_wrap=True)
    out.print(
        "Set the keys in the environment again, and sign in again where a vendor gives tokens (`tieout auth sage200`). "
        "Stop the old installation first: two of them on one consent take each other's tokens.",
        style="dim",
    )


def _print_proof(proof: Proof) -> None:
    out = console()
    out.print(f"  evidence   {proof.landing_files:,} files, {proof.landing_bytes:,} bytes, every hash right")
    rows = sum(rows for rows, _ in proof.published.values())
    out.print(f"  marts      {len(proof.published):,} tables, {rows:,} rows")
    rows = sum(rows for rows, _ in proof.warehouse.values())
    out.print(f"  warehouse  {len(proof.warehouse):,} tables, {rows:,} rows")
    if proof.outbox_head is None:
        out.print("  outbox     not in it (none yet, or on a database server, which has its own backups)")
    else:
        out.print(f"  outbox     {proof.outbox_entries:,} audit entries, head {proof.outbox_head}", soft_wrap=True)


def _words(made: Backup, proof: Proof) -> dict[str, object]:
    return {
        "digest": made.digest,
        "files": made.files,
        "bytes": made.size,
        "created_at": made.created_at,
        "project_version": made.project_version,
        "evidence_files": proof.landing_files,
        "evidence_bytes": proof.landing_bytes,
        "audit_entries": proof.outbox_entries,
        "audit_head": proof.outbox_head,
        "marts": {name.removeprefix("marts."): digest for name, (_, digest) in proof.published.items()},
        "warehouse_tables": len(proof.warehouse),
    }
