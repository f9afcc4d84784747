"""`tieout demo`: the whole pipeline on a generated world, and the proof that it found what was planted.

Drives the pipeline as a user does, through the `tieout` command and the published marts; it knows nothing of its
inside.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import httpx
from rich.console import Console
from rich.table import Table

from sandbox import jsonio
from sandbox.accuracy import Accuracy, measure
from sandbox.config import Places, read_environment

DEFAULT_FOLDER = Path(".tieout/demo")
START_SECONDS = 600.0
SHOWN = 3
PIPE_WIDTH = 140
PIPELINE = (sys.executable, "-m", "orchestration.cli")
# ru_maxrss is in kilobytes everywhere but on macOS, where it is in bytes.
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


class DemoError(Exception):
    """The demo cannot go on; the text says why and what to do."""


@dataclass(frozen=True)
class Step:
    """One command of the pipeline: its exit code, wall time and the largest resident memory of its processes."""

    title: str
    exit_code: int
    seconds: float
    peak_bytes: int


@dataclass
class Summary:
    """What the demo shows. Amounts are Decimals in the marketplace's currency."""

    folder: str
    steps: list[Step] = field(default_factory=list)
    feeds: list[dict[str, Any]] = field(default_factory=list)
    payouts: list[dict[str, Any]] = field(default_factory=list)
    unbalanced: list[dict[str, Any]] = field(default_factory=list)
    accuracy: Accuracy | None = None
    delivered: list[dict[str, Any]] = field(default_factory=list)
    vendor_writes: dict[str, int] = field(default_factory=dict)
    writes_of_second_run: dict[str, int] = field(default_factory=dict)
    changed_by_second_run: list[str] = field(default_factory=list)
    next_commands: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def is_success(self) -> bool:
        return not self.problems


def run_demo(*, orders: int, seed: int, folder: Path | None, keep: bool, as_json: bool) -> int:
    """Runs the demo and prints its summary. Returns 0 only when everything ties and all faults are found, else 1."""
    stream = sys.stderr if as_json else sys.stdout
    out = Console(file=stream, width=None if stream.isatty() else PIPE_WIDTH, highlight=False)
    places = Places((folder or DEFAULT_FOLDER).absolute())
    try:
        _empty(places)
        with _sandbox(places, orders, seed, out, keep=keep) as url:
            summary = _run(places, url, out)
    except DemoError as error:
        if as_json:
            sys.stdout.write(json.dumps({"error": str(error)}) + "\n")
        out.print(f"[bold red]error:[/bold red] {error}")
        return 1
    if as_json:
        sys.stdout.buffer.write(jsonio.encode(_document(summary)) + b"\n")
    else:
        _show(summary, out)
    if keep:
        out.print(f"The sandbox goes on at {url}; `kill {_pid(places)}` ends it.")
    return 0 if summary.is_success else 1


# --- the sandbox


def _empty(places: Places) -> None:
    """Removes what an earlier demo left; a folder with anything else in it is not touched."""
    root = places.root
    if not root.exists() or not any(root.iterdir()):
        return
    if not places.truth.exists():
        raise DemoError(f"{root} is not empty and holds no earlier demo; name another folder with --dir.")
    if places.address.exists() and _is_alive(_pid(places)):
        raise DemoError(f"a sandbox still runs in {root}; `kill {_pid(places)}` ends it.")
    shutil.rmtree(root)


def _pid(places: Places) -> int:
    return int(json.loads(places.address.read_text("utf-8"))["pid"])


def run_dev(*, orders: int, seed: int, folder: Path, port: int) -> int:
    """Serves a sandbox and Dagster's web UI on it until Ctrl+C. Returns Dagster's exit code, 1 when the sandbox fails.

    The folder is kept from one start to the next, so earlier runs and what they wrote stay visible.
    """
    out = Console(highlight=False)
    places = Places(folder.absolute())
    try:
        with _sandbox(places, orders, seed, out, keep=False):
            environment = {
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("TIEOUT_", "MIRAKL_", "SAGE200_"))
            } | read_environment(places.env)
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


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def _sandbox(places: Places, orders: int, seed: int, out: Console, *, keep: bool) -> Iterator[str]:
    """A sandbox in a process of its own on a free port, ready to answer; ended with the block unless it is kept."""
    places.root.mkdir(parents=True, exist_ok=True)
    log = places.root / "sandbox.log"
    code = (
        "import sys; from pathlib import Path; from sandbox.serve import serve; "
        "serve(Path(sys.argv[1]), port=0, orders=int(sys.argv[2]), seed=int(sys.argv[3]))"
    )
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(places.root), str(orders), str(seed)],
            stdout=stream,
            stderr=subprocess.STDOUT,
            # Ctrl+C in the terminal is for the demo, which then ends the sandbox; a kept one must outlive the terminal.
            start_new_session=True,
        )
    is_done = False
    try:
        with out.status(f"Generating a world of {orders:,} orders …"):
            url = _wait(places, process, log)
        out.print(f"[green]✓[/green] Mirakl, Sage 200 and a bank with {orders:,} orders behind them answer at {url}")
        yield url
        is_done = True
    finally:
        if not (keep and is_done):
            _end(process)


def _wait(places: Places, process: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            last = log.read_text("utf-8", "replace").strip().splitlines()[-1:] or ["no message"]
            raise DemoError(f"the sandbox ended while starting: {last[0]} (all of it in {log})")
        if places.address.exists():
            url = str(json.loads(places.address.read_text("utf-8"))["url"])
            if _answers(url):
                return url
        time.sleep(0.05)
    _end(process)
    raise DemoError(f"the sandbox did not answer within {START_SECONDS:.0f} seconds; see {log}")


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/_sandbox/health", timeout=5).is_success
    except httpx.HTTPError:
        return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


# --- the pipeline


def _run(places: Places, url: str, out: Console) -> Summary:
    summary = Summary(folder=str(places.root))
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("TIEOUT_", "MIRAKL_", "SAGE200_"))
    } | read_environment(places.env)

    def lane(title: str, name: str) -> None:
        step = _command(title, ("run", name), environment, out)
        summary.steps.append(step)
        if step.exit_code != 0:
            summary.problems.append(f"`tieout run {name}` ended with {step.exit_code} ({title.lower()})")

    lane("Settlement, first run", "settlement")
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
    truth = jsonio.decode(places.truth.read_bytes())
    with duckdb.connect(str(marts), read_only=True) as connection:
        _examine(summary, Marts(connection), truth, places)
    return summary


def _command(title: str, arguments: Sequence[str], environment: Mapping[str, str], out: Console) -> Step:
    """Runs one `tieout` command, its messages passing through, and measures it."""
    out.rule(f"{title} [dim]tieout {' '.join(arguments)}[/dim]", align="left")
    started = time.monotonic()
    out.file.flush()
    # In --json mode standard output carries one document only, so the command's output goes beside it.
    process = subprocess.Popen([*PIPELINE, *arguments], env=dict(environment), stdout=out.file)
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        process.terminate()
        process.wait()
        raise
    process.returncode = os.waitstatus_to_exitcode(status)
    return Step(title, process.returncode, time.monotonic() - started, usage.ru_maxrss * _MAXRSS_UNIT)


def _writes(url: str) -> dict[str, int]:
    response = httpx.get(f"{url}/_sandbox/writes", timeout=30)
    response.raise_for_status()
    return {str(name): int(count) for name, count in response.json().items()}


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


class Marts:
    """Read-only access to the published marts. A mart or column that is missing raises DemoError with its name."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def rows(self, query: str) -> list[dict[str, Any]]:
        try:
            result = self._connection.execute(query)
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise DemoError(f"the published marts are not as documented: {str(error).splitlines()[0]}") from error
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


# --- what the marts say


def _examine(summary: Summary, marts: Marts, truth: dict[str, Any], places: Places) -> None:
    summary.feeds = marts.rows(
        """
        select vendor, account, feed, landed_count, duplicate_count, records_in_count, staged_count, superseded_count,
            quarantined_count
        from marts.control_totals where control_code = 'RECORDS' order by vendor, account, feed
        """
    )
    summary.unbalanced = marts.rows(
        """
        select control_code, vendor, account, feed, measure, difference
        from marts.control_totals where not is_balanced order by 1, 2, 3, 4, 5
        """
    )
    summary.payouts = marts.rows(
        """
        select marketplace_code, billing_cycle_id, cycle_date, opening_amount, net_amount, break_amount, payout_amount,
            closing_amount, received_amount, pay_out_state, currency_code,
            opening_amount + net_amount + break_amount - payout_amount - closing_amount as residual_amount
        from marts.fct_cycles order by marketplace_code, cycle_date, billing_cycle_id
        """
    )
    summary.accuracy = measure(
        truth,
        marts.rows("select exception_code, marketplace_code, subject_type, subject_id from marts.exceptions"),
    )
    summary.delivered = marts.rows(
        """
        select kind, state, count(*) as action_count, sum(amount) as amount
        from marts.actions group by kind, state order by kind, state
        """
    )
    summary.next_commands = _next_commands(marts, places)
    summary.problems += _problems(summary)


def _problems(summary: Summary) -> list[str]:
    problems = []
    if not summary.feeds:
        problems.append("there are no control totals")
    problems += [
        f"the control total of {row['vendor']} {row['account']} {row['feed']} ({row['measure']}) is off by "
        f"{row['difference']}"
        for row in summary.unbalanced
    ]
    if not summary.payouts:
        problems.append("there are no billing cycles")
    problems += [
        f"the pay-out of cycle {row['billing_cycle_id']} has a residual of {row['residual_amount']}"
        for row in summary.payouts
        if row["residual_amount"]
    ]
    accuracy = summary.accuracy
    if accuracy is not None:
        for score in accuracy.scores:
            for word, findings in (("missed", score.missed), ("invented", score.invented)):
                if findings:
                    shown = ", ".join(_subject(finding) for finding in findings[:SHOWN])
                    more = f" and {len(findings) - SHOWN:,} more" if len(findings) > SHOWN else ""
                    problems.append(f"{score.exception_code} {word}: {shown}{more}")
        problems += [f"a near-miss was raised: {_subject(finding)}" for finding in accuracy.near_misses_raised]
    problems += [
        f"{row['action_count']} {row['kind']} actions ended {row['state']}"
        for row in summary.delivered
        if row["state"] in ("FAILED", "UNKNOWN", "SENDING", "SENT")
    ]
    return problems


def _subject(finding: Any) -> str:
    return f"{finding.marketplace_code} {finding.subject_type} {finding.subject_id}"


def _next_commands(marts: Marts, places: Places) -> list[str]:
    """Commands worth typing, with ids that exist."""
    queries = {
        "a pay-out": (
            "select billing_cycle_id as id from marts.fct_cycles where received_amount > 0 order by cycle_date, 1"
        ),
        "an order with a refund": (
            "select order_id as id from marts.fct_settlement_lines where refund_id is not null order by order_id"
        ),
        "a receipt": "select receipt_id as id from marts.fct_receipt_allocations order by receipt_id",
    }
    call = f"tieout --env-file {places.env}"
    commands = [f"{call} exceptions"]
    for query in queries.values():
        found = marts.rows(f"{query} limit 1")
        commands += [f"{call} explain {row['id']}" for row in found]
    return [*commands, f"{call} actions", f"{call} status"]


# --- showing it


def _document(summary: Summary) -> dict[str, Any]:
    accuracy = summary.accuracy
    document: dict[str, Any] = _plain(
        {
            "is_success": summary.is_success,
            "problems": summary.problems,
            "folder": summary.folder,
            "steps": [
                {
                    "title": step.title,
                    "exit_code": step.exit_code,
                    "seconds": f"{step.seconds:.1f}",
                    "peak_megabytes": step.peak_bytes // 1_000_000,
                }
                for step in summary.steps
            ],
            "feeds": summary.feeds,
            "payouts": summary.payouts,
            "exceptions": [
                {
                    "exception_code": score.exception_code,
                    "planted": score.planted,
                    "found": score.found,
                    "precision": score.precision,
                    "recall": score.recall,
                    "missed": [finding._asdict() for finding in score.missed],
                    "invented": [finding._asdict() for finding in score.invented],
                }
                for score in (accuracy.scores if accuracy else ())
            ],
            "near_misses_raised": [finding._asdict() for finding in accuracy.near_misses_raised] if accuracy else [],
            "delivered": summary.delivered,
            "vendor_writes": summary.vendor_writes,
            "writes_of_second_run": summary.writes_of_second_run,
            "changed_by_second_run": summary.changed_by_second_run,
            "next_commands": summary.next_commands,
        }
    )
    return document


def _plain(value: Any) -> Any:
    """Money and dates as text, as `tieout --json` writes them."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value if isinstance(value, str | int | bool | None) else str(value)


def _show(summary: Summary, out: Console) -> None:
    out.rule("What came in", align="left")
    feeds = _table("feed", ">in", ">staged", ">superseded", ">quarantined", ">landed again")
    for row in summary.feeds:
        counts = ("records_in_count", "staged_count", "superseded_count", "quarantined_count", "duplicate_count")
        feeds.add_row(f"{row['vendor']} {row['account']} {row['feed']}", *(f"{row[name] or 0:,}" for name in counts))
    out.print(feeds)
    out.print(
        "[green]✓[/green] in = staged + superseded + quarantined for every feed, and every sum of amounts ties"
        if summary.feeds and not summary.unbalanced
        else f"[bold red]✗ {len(summary.unbalanced)} control totals do not tie[/bold red]"
    )
    out.rule("Pay-outs explained", align="left")
    payouts = _table("cycle", "state", ">opening", ">net", ">named break", ">paid out", ">carried on", ">residual")
    for row in summary.payouts:
        names = ("opening", "net", "break", "payout", "closing", "residual")
        amounts = [_money(row[f"{name}_amount"]) for name in names]
        payouts.add_row(f"{row['cycle_date']} {str(row['billing_cycle_id'])[:8]}", str(row["pay_out_state"]), *amounts)
    out.print(payouts)
    if summary.accuracy is not None:
        _show_accuracy(summary.accuracy, out)
    out.rule("Pushed and read back", align="left")
    delivered = _table("kind", "state", ">actions", ">amount")
    for row in summary.delivered:
        delivered.add_row(str(row["kind"]), str(row["state"]), f"{row['action_count']:,}", _money(row["amount"]))
    out.print(delivered)
    writes = ", ".join(f"{count} × {name}" for name, count in summary.vendor_writes.items()) or "nothing"
    out.print(f"The vendors received {writes}.")
    out.rule("Time and memory", align="left")
    steps = _table("step", ">seconds", ">peak memory", ">exit")
    for step in summary.steps:
        steps.add_row(step.title, f"{step.seconds:.1f}", f"{step.peak_bytes / 1e6:,.0f} MB", str(step.exit_code))
    out.print(steps)
    if not summary.writes_of_second_run and not summary.changed_by_second_run:
        out.print("[green]✓[/green] the second run wrote nothing anywhere and left every mart as it was")
    out.rule("What to type next", align="left")
    for command in summary.next_commands:
        out.print(f"  {command}", soft_wrap=True)
    if summary.problems:
        out.rule("[bold red]Not as it should be[/bold red]", align="left")
        for problem in summary.problems:
            out.print(f"[red]✗[/red] {problem}", soft_wrap=True)
    else:
        out.print("[bold green]Everything ties out, and every planted fault was found.[/bold green]")


def _show_accuracy(accuracy: Accuracy, out: Console) -> None:
    out.rule("Exceptions found, against the truth", align="left")
    table = _table("code", ">planted", ">found", ">precision", ">recall")
    for score in accuracy.scores:
        style = "" if score.is_perfect else "bold red"
        numbers = (f"{score.planted:,}", f"{score.found:,}", str(score.precision), str(score.recall))
        table.add_row(score.exception_code, *numbers, style=style)
    table.add_section()
    planted = sum(score.planted for score in accuracy.scores)
    found = sum(score.found for score in accuracy.scores)
    table.add_row("all", f"{planted:,}", f"{found:,}", str(accuracy.precision), str(accuracy.recall), style="bold")
    out.print(table)


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in headings:
        table.add_column(heading.removeprefix(">"), justify="right" if heading.startswith(">") else "left")
    return table


def _money(value: Decimal | None) -> str:
    return "–" if value is None else f"{value:,.2f}"
