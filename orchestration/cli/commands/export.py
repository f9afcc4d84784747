"""`tieout export` and `tieout metrics`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from orchestration.cli.output import Col, cell, console, print_json, table
from orchestration.cli.problems import CliError, ExitCode
from orchestration.cli.session import Session
from orchestration.exports.export import FORMATS, dbt_site, export
from orchestration.exports.metrics import metric, published_metrics

LIST = (
    Col("name", "Metric", "code"),
    Col("unit", "Unit", "code"),
    Col("by", "By", max_width=60),
    Col("meaning", "What it means", max_width=80),
)


def export_command(
    session: Session, directory: Path, *, formats: Sequence[str], marts: Sequence[str], site: bool
) -> None:
    """Write marts, schema, lineage and metrics to `directory`."""
    from orchestration.lib.dbt import ensure_manifest

    if wrong := [name for name in formats if name not in FORMATS]:
        raise CliError(
            f"there is no format {', '.join(wrong)}", action=f"Formats: {', '.join(FORMATS)}.", code=ExitCode.USAGE
        )
    session.published  # noqa: B018  (says it when nothing was published)
    manifest = ensure_manifest(session.settings)
    try:
        done = export(
            session.settings.published_path,
            directory,
            formats=formats,
            marts=marts,
            manifest=json.loads(manifest.read_text(encoding="utf-8")),
        )
    except KeyError as error:
        action = '`tieout sql "show tables"` lists the marts.'
        raise CliError(f"no such mart is published: {error.args[0]}", action=action, code=ExitCode.USAGE) from error
    if site:
        done.files.append(dbt_site(manifest, directory / "lineage.html"))
    if session.as_json:
        print_json({"directory": str(directory), "marts": done.marts, "files": [str(path) for path in done.files]})
        return
    out = console()
    out.print(f"{len(done.marts)} marts in {len(done.files)} files written to {directory}.", markup=False)
    for name, rows in done.cut.items():
        out.print(
            f"{name} has {rows:,} rows, more than a sheet holds: the rest is missing in the workbook.", style="yellow"
        )


def metrics_command(session: Session, name: str | None, *, by: Sequence[str]) -> None:
    """List the metrics, or show one by some of its dimensions."""
    if name is None:
        found = published_metrics(session.published.marts)
        rows = [
            {"name": one.name, "unit": one.unit, "by": ", ".join(one.dimensions), "meaning": one.meaning}
            for one in found
        ]
        if session.as_json:
            print_json({"metrics": [one.model_dump() | {"sql": one.query()} for one in found]})
            return
        console().print(table(rows, LIST))
        return
    try:
        wanted = metric(name)
        query = wanted.query(by)
    except (KeyError, ValueError) as error:
        words = str(error) if isinstance(error, ValueError) else f"there is no metric {name}"
        raise CliError(
            words, action="`tieout metrics` lists them with their dimensions.", code=ExitCode.USAGE
        ) from error
    names, rows = session.published.table(query.replace(" from marts.", " from tieout.marts."))
    if session.as_json:
        print_json({"metric": wanted.name, "unit": wanted.unit, "rows": rows})
        return
    shown = [{one: cell(row[one]) for one in names} for row in rows]
    grid = table(shown, [Col(one, one, "text") for one in names])
    grid.columns[-1].justify = "right"
    out = console()
    out.print(f"{wanted.title}: {wanted.meaning}", markup=False)
    out.print(grid)
