"""`tieout init`."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.cli.output import console, print_json
from orchestration.cli.problems import CliError, ExitCode
from orchestration.cli.session import Session

if TYPE_CHECKING:
    from orchestration.first_day.answers import Answers

README = "README.md"
ENV_EXAMPLE = "env.example"


def init_command(
    session: Session, directory: Path, *, force: bool, ask: bool = False, answers: Path | None = None
) -> None:
    """Write the default configuration to `directory`, or with answers that of one company, with a page that explains
    every file and column, and the environment it needs.
    """
    from orchestration.lib.settings import DBT_PROJECT_DIR, DEFAULT_CONFIG_DIR

    sources = sorted(DEFAULT_CONFIG_DIR.glob("*.csv"))
    if not sources:
        raise CliError(
            f"the default configuration is missing from {DEFAULT_CONFIG_DIR}", action="Install Tieout again."
        )
    contents = {source.name: source.read_text(encoding="utf-8") for source in sources}
    if ask or answers is not None:
        from orchestration.first_day.answers import tailored

        contents = tailored(contents, _asked() if answers is None else _read(answers))
    contents[README] = (
        "\n".join(_readme(_described(DBT_PROJECT_DIR / "models" / "config" / "_seeds.yml"), contents)) + "\n"
    )
    contents[ENV_EXAMPLE] = "\n".join(_environment(directory, contents)) + "\n"
    present = [name for name in contents if (directory / name).exists()]
    if present and not force:
        raise CliError(
            f"{directory} already holds {', '.join(present[:3])}{' …' if len(present) > 3 else ''}",
            action="Choose another folder, or say --force to overwrite.",
        )
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in contents.items():
        (directory / name).write_text(text, encoding="utf-8")
    if session.as_json:
        print_json({"directory": str(directory), "files": sorted(contents)})
        return
    out = console()
    out.print(f"{len(contents)} files written to {directory}.", markup=False)
    out.print(
        f"1. Read {README}, then put your marketplaces, ERP company, bank accounts and accounts into the CSV files.",
        markup=False,
    )
    out.print(f"2. Copy {ENV_EXAMPLE} to .env where you run tieout, and fill in the keys.", markup=False)
    out.print("3. tieout doctor", markup=False)
    out.print(
        f"4. tieout init {directory}-proposed --propose reads the ERP's chart and proposes accounts and tax codes.",
        markup=False,
    )


def _asked() -> Answers:
    """Ask one question per field until the answer fits; Enter takes the default."""
    import typer
    from pydantic import ValidationError

    from orchestration.first_day.answers import Answers, first_of_next_month

    given: dict[str, Any] = {}
    for name, field in Answers.model_fields.items():
        default = None if field.is_required() else field.default
        if name == "go_live_date":
            default = first_of_next_month(datetime.now(UTC).date()).isoformat()
        while True:
            given[name] = typer.prompt(str(field.description), default=default, show_default=bool(default)).strip()
            try:
                Answers.model_validate(given)
            except ValidationError as error:
                # The questions that were not asked yet are missing, and nothing is wrong with that.
                if wrong := [one["msg"] for one in error.errors() if one["loc"][0] == name]:
                    typer.echo(f"  {wrong[0]}")
                    continue
            break
    return Answers.model_validate(given)


def _read(path: Path) -> Answers:
    """The answers of a TOML file. Raises CliError with every answer that is missing or wrong."""
    import tomllib

    from pydantic import ValidationError

    from orchestration.first_day.answers import Answers

    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
        return Answers.model_validate({key: str(value) for key, value in given.items()})
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise CliError(f"{path}: {error}", action="Correct --answers.", code=ExitCode.CONFIGURATION) from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors())
        raise CliError(f"{path}: {wrong}", action="Correct the answers.", code=ExitCode.CONFIGURATION) from error


def _described(path: Path) -> dict[str, Mapping[str, Any]]:
    """The descriptions of the configuration files, by file name; empty when the page is not there."""
    if not path.is_file():
        return {}
    import yaml

    page = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {f"{seed['name']}.csv": seed for seed in page.get("seeds", [])}


def _readme(described: Mapping[str, Mapping[str, Any]], contents: Mapping[str, str]) -> Iterator[str]:
    yield "# Tieout configuration"
    yield ""
    yield "One CSV file per subject (UTF-8, comma, header line). An empty cell means not set; `*` means all."
    yield "Dates are `2026-04-01`, amounts `12.50`, yes/no is `true`/`false`. Rows with `effective_from` hold from that"
    yield "day: never edit one that was in force, add the next."
    yield "Point `TIEOUT_CONFIG_DIR` at this folder. `tieout doctor` checks it."
    for name in (file for file in contents if file.endswith(".csv")):
        seed = described.get(name, {})
        columns = {column["name"]: column.get("description", "") for column in seed.get("columns", [])}
        yield from ("", f"## {name}", "", " ".join(str(seed.get("description", "")).split()), "")
        for column in next(csv.reader(contents[name].splitlines()), []):
            yield f"- `{column}`: {' '.join(str(columns.get(column, '')).split())}"


def _environment(directory: Path, contents: Mapping[str, str]) -> Iterator[str]:
    yield "# KEY=value lines for tieout --env-file FILE (or .env in the working directory)."
    yield "# Keep this file out of version control."
    yield f"TIEOUT_CONFIG_DIR={directory.absolute()}"
    yield "TIEOUT_DATA_DIR=.tieout/data"
    yield "# Nothing is written to a marketplace or an ERP until this says on."
    yield "TIEOUT_WRITE_BACK=off"
    for row in _rows(contents.get("marketplaces.csv", "")):
        parts = ("CLIENT_ID", "CLIENT_SECRET") if row["auth_method"] == "OAUTH2" else ("API_KEY",)
        for part in parts:
            yield f"MIRAKL_{row['key_name'] or row['marketplace_code']}_{part}="
    for row in _rows(contents.get("erps.csv", "")):
        yield from _erp_secrets(row["vendor"], row["erp_code"], row["auth_method"])


def _erp_secrets(vendor: str, code: str, auth_method: str) -> Iterator[str]:
    from orchestration.lib.connections import NETSUITE_SECRETS, SAGE200_SECRETS

    if vendor == "netsuite":
        yield f"# NetSuite signs in by {auth_method}; a private key is its PEM text, or the path of its file."
        yield from (f"NETSUITE_{code}_{part}=" for part in NETSUITE_SECRETS[auth_method])
        return
    yield "# `tieout auth sage200` signs in and keeps the tokens; or a first refresh token from elsewhere, here."
    yield from (f"SAGE200_{code}_{part}=" for part in SAGE200_SECRETS)


def _rows(text: str) -> Sequence[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))
