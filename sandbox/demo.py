"""`tieout demo`: the whole pipeline on a generated world, and the proof that it found what was planted.

Drives the pipeline as a user does, through the `tieout` command and the published marts; it knows nothing of its
inside.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx
from rich.console import Console

from sandbox import jsonio
from sandbox.clock import stamp
from sandbox.config import Places
from sandbox.demo_findings import DemoError, Marts, Step, Summary, examine, examine_put_right
from sandbox.demo_report import document, show
from sandbox.demo_site import PIPE_WIDTH, empty, environment_of, pid_of, serving
from sandbox.outage import play_within_demo
from sandbox.outage import show as show_outage
from sandbox.warm import tieout, warm_up
from sandbox.world.people import with_people

DEFAULT_FOLDER = Path(".tieout/demo")


def run_demo(
    *, orders: int, seed: int, folder: Path | None, keep: bool, as_json: bool, with_outage: bool = False
) -> int:
    """Runs the demo and prints its summary. Returns 0 only when everything ties and all faults are found, else 1."""
    stream = sys.stderr if as_json else sys.stdout
    out = Console(file=stream, width=None if stream.isatty() else PIPE_WIDTH, highlight=False)
    places = Places((folder or DEFAULT_FOLDER).absolute())
    try:
        empty(places)
        warm_up()  # while the world is made
        with serving(places, orders, seed, out, keep=keep) as url:
            summary = _run(places, url, out, with_outage=with_outage)
    except DemoError as error:
        if as_json:
            sys.stdout.write(json.dumps({"error": str(error)}) + "\n")
        out.print(f"[bold red]error:[/bold red] {error}")
        return 1
    if as_json:
        sys.stdout.buffer.write(jsonio.encode(document(summary)) + b"\n")
    else:
        show(summary, out)
    if keep:
        out.print(f"The sandbox goes on at {url}; `kill {pid_of(places)}` ends it.")
    return 0 if summary.is_success else 1


def run_dev(*, orders: int, seed: int, folder: Path, port: int) -> int:
    """Serves a sandbox and Dagster's web UI on it until Ctrl+C. Returns Dagster's exit code, 1 when the sandbox fails.

    The folder is kept from one start to the next, so earlier runs and what they wrote stay visible.
    """
    out = Console(highlight=False)
    places = Places(folder.absolute())
    try:
        with serving(places, orders, seed, out, keep=False):
            environment = environment_of(places)
            home = places.data / "dagster"
            home.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path(__file__).resolve().parent.parent / "dagster.yaml", home / "dagster.yaml")
            environment["DAGSTER_HOME"] = str(home)
            out.print(f"Dagster will answer at http://127.0.0.1:{port} in about half a minute; Ctrl+C ends both.")
            out.print(f"In another shell: [bold]tieout --env-file {places.env} run settlement[/bold]", soft_wrap=True)
            command = [sys.executable, "-m", "dagster", "dev", "-m", "orchestration.definitions"]
            process = subprocess.Popen([*command, "--host", "127.0.0.1", "--port", str(port)], env=environment)
            try:
                return process.wait()
            except KeyboardInterrupt:
                # Dagster got the same Ctrl+C and ends its own processes.
                return process.wait()
    except DemoError as error:
        out.print(f"[bold red]error:[/bold red] {error}")
        return 1


# --- the pipeline


def _run(places: Places, url: str, out: Console, *, with_outage: bool) -> Summary:
    summary = Summary(folder=str(places.root))
    environment = environment_of(places)

    def lane(title: str, name: str) -> None:
        step = _command(title, ("run", name), environment, out)
        summary.steps.append(step)
        if step.exit_code != 0:
            summary.problems.append(f"`tieout run {name}` ended with {step.exit_code} ({title.lower()})")

    lane("Settlement, first run", "settlement")
    truth = jsonio.decode(places.truth.read_bytes())
    _act(summary, truth, environment, out)
    lane("Stock", "stock")
    marts = places.data / "published" / "tieout.duckdb"
    if not marts.exists():
        raise DemoError(f"nothing was published: {marts} does not exist; the run's own messages above say why.")
    writes, contents = _writes(url), _contents(marts)
    lane("Settlement, second run", "settlement")
    summary.vendor_writes = _writes(url)
    summary.writes_of_second_run = {
        name: count - writes.get(name, 0)
        for name, count in summary.vendor_writes.items()
        if count != writes.get(name, 0)
    }
    after = _contents(marts)
    summary.changed_by_second_run = sorted(
        name for name in contents.keys() | after.keys() if contents.get(name) != after.get(name)
    )
    if summary.writes_of_second_run:
        summary.problems.append("the second run wrote to a vendor although nothing was new")
    if summary.changed_by_second_run:
        summary.problems.append("the second run changed " + ", ".join(summary.changed_by_second_run))
    with duckdb.connect(str(marts), read_only=True) as connection:
        examine(summary, Marts(connection), with_people(truth), places, _documents(url))
    _close(summary, truth, places, environment, out)
    # Only now: what these put right is no longer found.
    outage = play_within_demo(places, url, out) if with_outage else None
    if outage is None:
        lane("Orders", "orders")
    else:
        summary.steps += outage.commands
        summary.outage = [asdict(step) for step in outage.steps]
        summary.problems += outage.problems
        environment["TIEOUT_AS_OF"] = stamp(outage.ended)
    lane("Dispatch", "dispatch")
    with duckdb.connect(str(marts), read_only=True) as connection:
        examine_put_right(summary, Marts(connection))
    if outage is not None:
        show_outage(outage, out)
    return summary


def _act(summary: Summary, truth: Mapping[str, Any], environment: Mapping[str, str], out: Console) -> None:
    """Lets the world's people do what they do, without their screens."""
    out.rule(f"People close the first month [dim]{len(truth['people']['acts'])} commands[/dim]", align="left")
    for act in truth["people"]["acts"]:
        done = tieout([*act, "--json"], environment)
        for words in json.loads(done.stdout).get("messages", ()) if done.exit_code == 0 else ():
            out.print(f"  {words}", markup=False)
        if done.exit_code:
            summary.problems.append(f"`tieout {' '.join(act)}` ended with {done.exit_code}: {done.stderr.strip()}")


def _close(
    summary: Summary, truth: Mapping[str, Any], places: Places, environment: Mapping[str, str], out: Console
) -> None:
    """The newest whole month of the first seller: shown and packed; the pack verified, and refused once a byte of it
    was changed.
    """
    entity = truth["people"]["acts"][0][3]
    newest = date.fromisoformat(truth["as_of"][:10]).replace(day=1) - timedelta(days=1)
    period, packs = f"{newest:%Y-%m}", places.root / "packs"
    pack = packs / f"{entity}-{period}"
    steps = [
        (("close", period, "--entity", entity, "--pack", str(packs)), "Close of a month", 0),
        (("audit", "verify", str(pack)), "Its evidence, checked", 0),
        (("audit", "verify", str(packs / "spoilt")), "The same with one byte changed", 1),
    ]
    for arguments, title, expected in steps:
        if expected:
            shutil.copytree(pack, packs / "spoilt")
            lines = packs / "spoilt" / "rows" / "journal_lines.csv"
            content = lines.read_bytes()
            lines.write_bytes(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])
        step = _command(title, arguments, environment, out)
        summary.steps.append(step)
        if step.exit_code != expected:
            summary.problems.append(f"`tieout {' '.join(arguments)}` ended with {step.exit_code}, not {expected}")
    with duckdb.connect(str(places.data / "published" / "tieout.duckdb"), read_only=True) as connection:
        ((difference,),) = connection.execute(_NEW_DIFFERENCE, [entity, period]).fetchall()
    if difference:
        summary.problems.append(f"the roll-forward of {entity} for {period} differs by {difference}")


_NEW_DIFFERENCE = """
    select coalesce(sum(abs(step)), 0)
    from (
        select entity_code, period, unexplained_amount - lag(unexplained_amount, 1, 0) over (
            partition by marketplace_code, account_role, currency_code order by period
        ) as step
        from marts.clearing_rollforward
    )
    where entity_code = ? and period = ?
"""
"""What nothing explains and what arose in the month: the rest was told in the month in which it arose (CLR-001)."""


def _command(title: str, arguments: Sequence[str], environment: Mapping[str, str], out: Console) -> Step:
    """Runs one `tieout` command, its messages passing through, and measures it."""
    out.rule(f"{title} [dim]tieout {' '.join(arguments)}[/dim]", align="left")
    out.file.flush()
    # In --json mode standard output carries one document only, so the command's output goes beside it.
    ended = tieout(arguments, environment, stream=out.file)
    return Step(title, ended.exit_code, ended.seconds, ended.processor_seconds, ended.peak_bytes)


def _writes(url: str) -> dict[str, int]:
    response = httpx.get(f"{url}/_sandbox/writes", timeout=30)
    response.raise_for_status()
    return {str(name): int(count) for name, count in response.json().items()}


def _documents(url: str) -> dict[str, set[str]]:
    response = httpx.get(f"{url}/_sandbox/state", timeout=60)
    response.raise_for_status()
    return {
        code: {str(document["external_id"]) for document in documents}
        for code, documents in response.json()["netsuite"].items()
    }


def _contents(marts: Path) -> dict[str, tuple[int, int]]:
    """Row count and an order-free digest of every published mart."""
    with duckdb.connect(str(marts), read_only=True) as connection:
        names = [name for (name,) in connection.execute(_TABLES).fetchall()]
        return {
            name: connection.execute(
                f'select count(*), coalesce(sum(hash(mart)::hugeint), 0) from marts."{name}" as mart'  # noqa: S608
            ).fetchone()
            or (0, 0)
            for name in names
        }


_TABLES = "select table_name from information_schema.tables where table_schema = 'marts' order by 1"
