"""`make outage`: six hours without the ERP on a simulated clock, while orders keep coming.

Shows, through the `tieout` command and the published marts, that no order is accepted before the ERP holds it, that
people are told at once, that nothing misses the operator's deadline, and that the queue drains in the order of the
deadlines once the ERP is back.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import httpx
from rich.console import Console
from rich.table import Table

from sandbox.clock import stamp
from sandbox.config import Places
from sandbox.demo import PIPE_WIDTH, PIPELINE, empty, environment_of, serving
from sandbox.demo_findings import DemoError

MARKETPLACE, SHOP_ID = "BRICO", 2042
WORLD_ORDERS = 250
OUTAGE_HOURS = 6
RUNS_AT = (0, 3, 6)
"""Hours after the ERP went down at which the lane runs; at the last one it is back."""
HOURS_LEFT = (7, 9, 8, 10, 24, 12, 40, 16)
"""What the operator's clock leaves each new order when it arrives; the first would not survive a whole night."""
ACCEPTANCE_HOURS = 48
"""As marketplaces.csv and the sandbox's operator have it."""
ALERT = "near an operator's deadline"


@dataclass
class Step:
    """One run of the lane, and what had become of the new orders after it."""

    hour: int
    seconds: float
    accepted: int
    created: int
    alerts: int


@dataclass
class Outage:
    steps: list[Step] = field(default_factory=list)
    order: list[tuple[str, str]] = field(default_factory=list)
    """(deadline, order) in the order in which the ERP numbered them."""
    problems: list[str] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when everything was as it should be, else 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dir", type=Path, default=Path(".tieout/outage"))
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args(arguments)
    out = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)
    places = Places(chosen.dir.absolute())
    try:
        empty(places)
        with serving(places, WORLD_ORDERS, chosen.seed, out, faults=False, marketplaces=[MARKETPLACE]) as url:
            outage = _play(places, url, out)
    except DemoError as error:
        out.print(f"[bold red]error:[/bold red] {error}")
        return 1
    _show(outage, out)
    return 1 if outage.problems else 0


def _play(places: Places, url: str, out: Console) -> Outage:
    outage, environment = Outage(), environment_of(places) | {"TIEOUT_RETRY_WAIT_SECONDS": "0"}
    began = datetime.fromisoformat(environment["TIEOUT_AS_OF"])
    _lane(environment, began, url, out, "before", outage)
    start = began + timedelta(minutes=10)
    _control(url, "clock", {"at": start.isoformat()})
    new = _arrive(places, url, start, HOURS_LEFT)
    _control(url, "chaos", {"path": "/sage200", "kind": "fail", "status": 503})
    for hour in RUNS_AT:
        now = start + timedelta(hours=hour)
        _control(url, "clock", {"at": now.isoformat()})
        if hour == OUTAGE_HOURS:
            httpx.delete(f"{url}/_sandbox/chaos", timeout=30).raise_for_status()
        elif hour:
            new |= _arrive(places, url, now, (5, 30))
        seconds, alerts = _lane(environment, now, url, out, f"hour {hour}", outage)
        held = _held(places, new)
        outage.steps.append(
            Step(
                hour,
                seconds,
                accepted=sum(state not in ("WAITING_ACCEPTANCE", "REFUSED") for _, state, _ in held.values()),
                created=sum(number is not None for _, _, number in held.values()),
                alerts=alerts,
            )
        )
    outage.order = sorted(((stamp(new[order]), order) for order in new), key=lambda one: str(held[one[1]][2]))
    outage.problems += _problems(outage, held, new)
    return outage


def _arrive(places: Places, url: str, now: datetime, hours_left: Sequence[int]) -> dict[str, datetime]:
    """New orders that wait for acceptance, with so many hours left of the operator's time; their deadlines by id."""
    with duckdb.connect(str(places.data / "published" / "tieout.duckdb"), read_only=True) as connection:
        (like,) = connection.execute(_LIKE, [MARKETPLACE]).fetchone() or (None,)
    if like is None:
        raise DemoError("the world has no order to copy")
    found, changes = {}, []
    for number, left in enumerate(hours_left):
        due = now + timedelta(hours=left)
        order_id = f"OUT{now:%d%H}{number:02d}-A"
        created = due - timedelta(hours=ACCEPTANCE_HOURS)
        found[order_id] = due
        values = {"created_date": stamp(created), "last_updated_date": stamp(now), "commercial_id": order_id[:-2]}
        changes.append({"feed": "orders", "action": "insert", "ids": [like], "new_ids": [order_id], "values": values})
    _control(url, "mutations", {"marketplace": MARKETPLACE, "shop_id": SHOP_ID, "changes": changes})
    return found


_LIKE = """
    select min(order_id) from marts.fct_orders
    where marketplace_code = $1 and order_state = 'WAITING_ACCEPTANCE'
"""


def _lane(
    environment: Mapping[str, str], now: datetime, url: str, out: Console, title: str, outage: Outage
) -> tuple[float, int]:
    """Runs the lane at the simulated time; how long it took, and how many alerts of deadlines it sent."""
    out.rule(f"{title} [dim]{now:%Y-%m-%d %H:%M} tieout run orders[/dim]", align="left")
    out.file.flush()
    began = time.monotonic()
    finished = subprocess.run(
        [*PIPELINE, "run", "orders"],
        env={**environment, "TIEOUT_AS_OF": stamp(now)},
        capture_output=True,
        text=True,
        check=False,
    )
    text = finished.stdout + finished.stderr
    for line in finished.stdout.splitlines()[-4:]:
        out.print(f"  {line.strip()}", markup=False, soft_wrap=True)
    if finished.returncode not in (0, 5):
        outage.problems.append(f"`tieout run orders` ended with {finished.returncode} ({title}): {text[-600:]}")
    return time.monotonic() - began, text.count(ALERT)


def _held(places: Places, orders: Mapping[str, datetime]) -> dict[str, tuple[str, str, str | None]]:
    """Order → (id, state at the marketplace, number of the ERP order)."""
    with duckdb.connect(str(places.data / "published" / "tieout.duckdb"), read_only=True) as connection:
        rows = connection.execute(_HELD).fetchall()
    found = {order_id: (order_id, state, number) for order_id, state, number in rows if order_id in orders}
    return {order: found.get(order, (order, "WAITING_ACCEPTANCE", None)) for order in orders}


_HELD = """
    select subject_id, expected_value, right_id
    from marts.rec_orders
    where rule_code = 'ORDER_IN_ERP'
"""


def _control(url: str, name: str, body: Mapping[str, object]) -> None:
    httpx.post(f"{url}/_sandbox/{name}", json=body, timeout=60).raise_for_status()


def _problems(
    outage: Outage, held: Mapping[str, tuple[str, str, str | None]], deadlines: Mapping[str, datetime]
) -> list[str]:
    found = [
        f"{step.accepted} orders were accepted in hour {step.hour}, without an ERP order"
        for step in outage.steps[:-1]
        if step.accepted
    ]
    if not outage.steps[0].alerts:
        found.append("nobody was told when the ERP went down")
    lost = [order for order, state, _ in held.values() if state in ("REFUSED", "WAITING_ACCEPTANCE")]
    if lost:
        found.append(f"{len(lost)} orders missed their deadline or still wait: {', '.join(lost)}")
    dues = [due for due, _ in outage.order]
    # Two are written at a time, so neighbours may change places.
    if any(abs(place - sorted(dues).index(due)) > 1 for place, due in enumerate(dues)):
        found.append("the queue did not drain in the order of the deadlines")
    return found


def _show(outage: Outage, out: Console) -> None:
    out.rule("Six hours without the ERP", align="left")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("hour", "alerts", "in the ERP", "accepted", "seconds"):
        table.add_column(name, justify="right")
    for step in outage.steps:
        table.add_row(str(step.hour), str(step.alerts), str(step.created), str(step.accepted), f"{step.seconds:.1f}")
    out.print(table)
    out.print("Created in this order, by deadline: " + ", ".join(due[5:16] for due, _ in outage.order), soft_wrap=True)
    for problem in outage.problems:
        out.print(f"[red]✗[/red] {problem}", soft_wrap=True)
    if not outage.problems:
        out.print(
            f"[bold green]All {len(outage.order)} orders were created and accepted in time, none before the ERP held "
            "it.[/bold green]"
        )


if __name__ == "__main__":
    sys.exit(main())
