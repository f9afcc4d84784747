"""`tieout demo --outage`: six hours without the ERPs on a simulated clock, while orders keep coming.

Shows, through the `tieout` command and the published marts, that no order is accepted before the ERP holds it, that
people are told at once, that nothing misses the operator's deadline, and that the queue drains in the order of the
deadlines once the ERP is back.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import httpx
from rich.console import Console
from rich.table import Table

from sandbox.clock import stamp
from sandbox.config import Places
from sandbox.demo_findings import DemoError
from sandbox.demo_findings import Step as Command
from sandbox.demo_site import PIPE_WIDTH, empty, environment_of, serving
from sandbox.warm import tieout, warm_up

SHOPS = {"BRICO": (2042, "/sage200"), "HOMELY": (3107, "/netsuite/NS_HOME")}
"""Marketplace → shop, and where the ERP behind it answers."""
AT_ONCE = {"BRICO": 2, "HOMELY": 4}
"""How many orders each ERP is sent at a time: Sage 200 by our own limit, NetSuite by the account's share."""
WORLD_ORDERS = 250
MOULD = "OUTMOULD-A"
OUTAGE_HOURS = 6
RUNS_AT = (0, 3, 6)
"""Hours after the ERPs went down at which the lane runs; at the last one they are back."""
HOURS_LEFT = (7, 9, 8, 10, 24, 12, 40, 16)
"""What the operator's clock leaves each order that arrives as the ERPs go down, and ..."""
LATER_HOURS_LEFT = (5, 30)
"""... each that arrives while they are away: the first of these is the first of all that is due."""
ACCEPTANCE_HOURS = 48
"""As marketplaces.csv and the sandbox's operators have it."""
PARTIAL = 5
"""What `tieout run` ends with when an account was left out."""
ALERT = "near an operator's deadline"


@dataclass
class Step:
    """One run of the lane, and what had become of the new orders after it."""

    hour: int
    waiting: int
    created: int
    accepted: int
    nearest: datetime | None
    alerts: list[str]
    seconds: float


@dataclass
class Outage:
    steps: list[Step] = field(default_factory=list)
    created: dict[str, list[datetime]] = field(default_factory=dict)
    """Marketplace → deadlines of its new orders in the order in which its ERP numbered them."""
    problems: list[str] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    ended: datetime = datetime(2000, 1, 1, tzinfo=UTC)
    """The simulated time of the last run."""


def run_outage(*, seed: int, folder: Path, marketplaces: Sequence[str] = tuple(SHOPS)) -> int:
    """Plays the outage and prints its time line. 0 when everything was as it should be, else 1."""
    out = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)
    places = Places(folder.absolute())
    try:
        empty(places)
        warm_up()
        with serving(places, WORLD_ORDERS, seed, out, faults=False, marketplaces=list(marketplaces)) as url:
            outage = _play(places, url, out, marketplaces)
    except DemoError as error:
        out.print(f"[bold red]error:[/bold red] {error}")
        return 1
    show(outage, out)
    return 1 if outage.problems else 0


def keep_mould(places: Places, url: str, marketplace: str) -> str | None:
    """Has the marketplace keep a copy of an order that waits, still to be checked, so that nobody decides on it; its
    id, None where no order waits. The orders of an outage are made like it.
    """
    with duckdb.connect(str(places.data / "published" / "tieout.duckdb"), read_only=True) as connection:
        (like,) = connection.execute(_LIKE, [marketplace]).fetchone() or (None,)
    if like is None:
        return None
    change = {"feed": "orders", "action": "insert", "ids": [like], "new_ids": [MOULD]}
    changes = [{**change, "values": {"order_state": "STAGING"}}]
    _control(url, "mutations", {"marketplace": marketplace, "shop_id": SHOPS[marketplace][0], "changes": changes})
    return MOULD


def play_within_demo(places: Places, url: str, out: Console) -> Outage | None:
    """The same in a demo that has run: the lane runs as the ERPs go and when they are back; None without an order."""
    began = datetime.fromisoformat(environment_of(places)["TIEOUT_AS_OF"])
    moulds = {marketplace: keep_mould(places, url, marketplace) for marketplace in SHOPS}
    named = {marketplace: mould for marketplace, mould in moulds.items() if mould}
    if not named:
        return None
    outage = Outage()
    _act(outage, places, url, out, began, named, runs_at=(0, OUTAGE_HOURS))
    return outage


def _play(places: Places, url: str, out: Console, marketplaces: Sequence[str]) -> Outage:
    outage, environment = Outage(), environment_of(places)
    began = datetime.fromisoformat(environment["TIEOUT_AS_OF"])
    # Read only: what the world's own orders wait for stays undone, so that there is one to copy.
    _lane(environment | {"TIEOUT_WRITE_BACK": "off"}, began, out, "before", outage)
    moulds = {marketplace: keep_mould(places, url, marketplace) for marketplace in marketplaces}
    if without := [marketplace for marketplace, mould in moulds.items() if mould is None]:
        raise DemoError(f"{', '.join(without)} has no order that waits to be created")
    named = {marketplace: mould for marketplace, mould in moulds.items() if mould}
    _act(outage, places, url, out, began, named, runs_at=RUNS_AT)
    return outage


def _act(
    outage: Outage,
    places: Places,
    url: str,
    out: Console,
    began: datetime,
    moulds: Mapping[str, str],
    *,
    runs_at: Sequence[int],
) -> None:
    environment = environment_of(places) | {"TIEOUT_RETRY_WAIT_SECONDS": "0"}
    start = began + timedelta(minutes=10)
    _control(url, "clock", {"at": start.isoformat()})
    dues: dict[tuple[str, str], datetime] = {}
    for marketplace, mould in moulds.items():
        dues |= _arrive(url, marketplace, mould, start, HOURS_LEFT)
        # As gateways do, it says when to ask again, and that is at once: nobody watches a demo wait in real time.
        away = {"path": SHOPS[marketplace][1], "kind": "fail", "status": 503, "retry_after": 0}
        _control(url, "chaos", away)
    for hour in RUNS_AT:
        now = start + timedelta(hours=hour)
        _control(url, "clock", {"at": now.isoformat()})
        if hour == OUTAGE_HOURS:
            httpx.delete(f"{url}/_sandbox/chaos", timeout=30).raise_for_status()
        elif hour:
            for marketplace, mould in moulds.items():
                dues |= _arrive(url, marketplace, mould, now, LATER_HOURS_LEFT)
        if hour not in runs_at:
            continue
        outage.ended = now
        seconds, alerts = _lane(environment, now, out, f"hour {hour}", outage)
        done = _done(places)
        waiting = [due for order, due in dues.items() if "ACCEPTANCE" not in done.get(order, {})]
        outage.steps.append(
            Step(
                hour,
                len(waiting),
                sum("SALES_ORDER" in done.get(order, {}) for order in dues),
                len(dues) - len(waiting),
                min(waiting, default=None),
                alerts,
                seconds,
            )
        )
    for marketplace, order_id in _numbered(places):
        if (due := dues.get((marketplace, order_id))) is not None:
            outage.created.setdefault(marketplace, []).append(due)
    outage.problems += problems_of(outage.steps, outage.created, dues, _done(places))


def _arrive(
    url: str, marketplace: str, mould: str, now: datetime, hours_left: Sequence[int]
) -> dict[tuple[str, str], datetime]:
    """New orders that wait for acceptance, with so many hours left of the operator's time: (marketplace,
    order) → due.
    """
    found, changes = {}, []
    for number, left in enumerate(hours_left):
        due = now + timedelta(hours=left)
        order_id = f"OUT{now:%d%H}{number:02d}-A"
        created = due - timedelta(hours=ACCEPTANCE_HOURS)
        found[marketplace, order_id] = due
        values = {"created_date": stamp(created), "last_updated_date": stamp(now), "commercial_id": order_id[:-2]}
        values |= {"order_state": "WAITING_ACCEPTANCE"}
        changes.append({"feed": "orders", "action": "insert", "ids": [mould], "new_ids": [order_id], "values": values})
    _control(url, "mutations", {"marketplace": marketplace, "shop_id": SHOPS[marketplace][0], "changes": changes})
    return found


_LIKE = """
    select min(order_id) from marts.deadlines
    where marketplace_code = $1 and deadline = 'ACCEPTANCE' and document_no is null and waits_for <> 'DATA'
        and order_id not like 'OUT%'
"""


def _lane(
    environment: Mapping[str, str], now: datetime, out: Console, title: str, outage: Outage
) -> tuple[float, list[str]]:
    """Runs the lane at the simulated time; how long it took, and the alerts of deadlines that it sent."""
    out.rule(f"{title} [dim]{now:%Y-%m-%d %H:%M} tieout run orders[/dim]", align="left")
    ended = tieout(("run", "orders"), {**environment, "TIEOUT_AS_OF": stamp(now)})
    command = Command(f"Orders, {title}", ended.exit_code, ended.seconds, ended.processor_seconds, ended.peak_bytes)
    outage.commands.append(command)
    lines = (ended.stdout + ended.stderr).splitlines()
    for line in ended.stdout.splitlines()[-4:]:
        out.print(f"  {line.strip()}", markup=False, soft_wrap=True)
    if ended.exit_code not in (0, PARTIAL):
        outage.problems.append(f"`tieout run orders` ended with {ended.exit_code} ({title}): {lines[-3:]}")
    return ended.seconds, [line.strip() for line in lines if ALERT in line]


def _done(places: Places) -> dict[tuple[str, str], dict[str, datetime]]:
    """(marketplace, order) → kind of what was done and proved → when."""
    found: dict[tuple[str, str], dict[str, datetime]] = {}
    with duckdb.connect(str(places.data / "published" / "tieout.duckdb"), read_only=True) as connection:
        for marketplace, order_id, kind, sent_at in connection.execute(_DONE).fetchall():
            found.setdefault((marketplace, order_id), {})[kind] = sent_at.replace(tzinfo=UTC)
    return found


_DONE = """
    select marketplace_code, natural_id, kind, sent_at
    from marts.actions
    where kind in ('SALES_ORDER', 'ACCEPTANCE') and state = 'VERIFIED'
"""


def _numbered(places: Places) -> list[tuple[str, str]]:
    with duckdb.connect(str(places.data / "published" / "tieout.duckdb"), read_only=True) as connection:
        return connection.execute(_NUMBERED).fetchall()


_NUMBERED = """
    select marketplace_code, subject_id
    from marts.rec_orders
    where rule_code = 'ORDER_IN_ERP' and right_id is not null
    order by marketplace_code, length(right_id), right_id
"""


def _control(url: str, name: str, body: Mapping[str, object]) -> None:
    httpx.post(f"{url}/_sandbox/{name}", json=body, timeout=60).raise_for_status()


def problems_of(
    steps: Sequence[Step],
    created: Mapping[str, Sequence[datetime]],
    dues: Mapping[tuple[str, str], datetime],
    done: Mapping[tuple[str, str], Mapping[str, datetime]],
) -> list[str]:
    """What was not as it must be."""
    found = [
        f"{step.accepted} orders were accepted in hour {step.hour}, before the ERP held them"
        for step in steps[:-1]
        if step.accepted
    ]
    if not steps[0].alerts:
        found.append("nobody was told in the hour in which the ERP went down")
    for (marketplace, order_id), due in sorted(dues.items()):
        accepted_at = done.get((marketplace, order_id), {}).get("ACCEPTANCE")
        if accepted_at is None or accepted_at > due:
            found.append(f"{marketplace} {order_id} was due at {due:%m-%d %H:%M}, accepted: {accepted_at or 'never'}")
    for marketplace, order in created.items():
        # Some are written at a time: one that the ERP is slow with is overtaken by many, but none overtakes more than
        # those that are written beside it.
        overtaken = [sum(later < due for later in order[place:]) for place, due in enumerate(order, 1)]
        if max(overtaken, default=0) >= AT_ONCE[marketplace]:
            found.append(f"the queue of {marketplace} did not drain in the order of the deadlines")
    return found


def show(outage: Outage, out: Console) -> None:
    """The time line, the order of creation, and the verdict."""
    out.rule("Six hours without the ERPs", align="left")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("hour", "waiting", "next deadline", "in the ERPs", "accepted", "alerts", "seconds"):
        table.add_column(name, justify="right")
    for step in outage.steps:
        nearest = "" if step.nearest is None else f"{step.nearest:%m-%d %H:%M}"
        numbers = (str(step.waiting), nearest, str(step.created), str(step.accepted), str(len(step.alerts)))
        table.add_row(str(step.hour), *numbers, f"{step.seconds:.1f}")
    out.print(table)
    for step in outage.steps:
        for alert in step.alerts:
            out.print(f"hour {step.hour}: {alert}", markup=False, soft_wrap=True)
    for marketplace, order in outage.created.items():
        dues = ", ".join(f"{due:%m-%d %H:%M}" for due in order)
        out.print(f"{marketplace}: created by deadline: {dues}", soft_wrap=True)
    for problem in outage.problems:
        out.print(f"[red]✗[/red] {problem}", soft_wrap=True)
    if not outage.problems:
        count = sum(len(order) for order in outage.created.values())
        words = f"All {count} orders were created and accepted in time, none before its ERP held it."
        out.print(f"[bold green]{words}[/bold green]")
