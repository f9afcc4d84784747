"""How long the orders lane takes of itself, and how long an order waits for its acceptance, a despatch for its news.

    python -m benchmarks.lanes --waiting 10000 --minutes 5 --rate 1000 --pause 20

Two measurements on a sandbox in a process of its own, in which a call takes `--call-seconds`:

- waiting: so many orders through the outbox, as the lane hands them over by deadline: each is created in the ERP and
  read back, then accepted at the marketplace and read back. The least that the limits allow is orders / concurrency x
  answer seconds in the ERP, and orders x answer seconds at the marketplace, whose acceptances go one by one; the answer
  seconds are what a bare client waits for a write that takes `--call-seconds`, seen before anything else. What is
  beyond that is Tieout's: looking up before, reading back after, the outbox's transactions and its audit trail.
  `processor_seconds` is this process' own work.
- latency: orders arrive at `--rate` an hour for so many minutes, each at a moment of its own, while the whole lane runs
  again and again with `--pause` between two runs, as its sensor does. The marketplace is asked twice a second which
  orders still wait.
- dispatch: so many orders of both sides are despatched in the ERP, each at a moment of its own, while the dispatch lane
  runs in the same way; until the marketplace shows them as shipped.

Every order must be in the ERP once, accepted once and shipped once, or there are no figures.
"""

from __future__ import annotations

import argparse
import http.client
import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa

from benchmarks.measuring import machine, report
from benchmarks.postings import ERP, deliveries, served
from connectors.delivery import Action, Delivery, Outcome
from connectors.mirakl import MiraklConnector
from connectors.mirakl.writes import deliveries as mirakl_deliveries
from orchestration.outbox import Outbox

MARKETPLACE, SHOP_ID, DAY = "BRICO", 2042, "2026-07-02"
MOULD = "MOULD-A"
"""An order that the marketplace still checks: nobody decides on it, and copies of it wait."""
STILL_WAITING_SECONDS = 600.0
INSERTED_AT_A_TIME = 500
BARE_CALLS = 100


class Now:
    """The clock of the outbox."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that so many percent do not exceed. Raises ValueError without values."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def shares(arrivals: Mapping[str, float], ends: Mapping[str, float]) -> dict[str, float]:
    """p50, p95 and the longest of the waits, in seconds."""
    waits = [ends[order] - arrived for order, arrived in arrivals.items()]
    return {"p50": percentile(waits, 50), "p95": percentile(waits, 95), "longest": max(waits)}


class Shop:
    """The marketplace of the sandbox: what waits, and what is new."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self.key = url, key

    def orders(self, **query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            parameters = {"shop_id": str(SHOP_ID), "max": "100", "offset": str(len(found)), **query}
            answer = httpx.get(
                f"{self.url}/mirakl/{MARKETPLACE}/api/orders",
                params=parameters,
                headers={"Authorization": self.key},
                timeout=60,
            )
            page = answer.raise_for_status().json()["orders"]
            found += page
            if len(page) < 100:
                return found

    def insert(self, like: str, new_ids: Sequence[str], **values: str) -> None:
        """New orders like this one, but for `values`."""
        for first in range(0, len(new_ids), INSERTED_AT_A_TIME):
            part = list(new_ids[first : first + INSERTED_AT_A_TIME])
            ids = {"ids": [like] * len(part), "new_ids": part}
            change = {"feed": "orders", "action": "insert", **ids, "values": values}
            body = {"marketplace": MARKETPLACE, "shop_id": SHOP_ID, "changes": [change]}
            httpx.post(f"{self.url}/_sandbox/mutations", json=body, timeout=120).raise_for_status()


def set_limits(url: str, erp: str, options: argparse.Namespace) -> dict[str, float]:
    """What the ERP carries out, and how long it and the marketplace take for a write."""
    limits = {
        "call_seconds": options.call_seconds,
        "concurrency_limit" if erp == "netsuite" else "concurrent_writes": options.concurrency,
    }
    switches = f"{url}/_sandbox/netsuite/{ERP[erp]}" if erp == "netsuite" else f"{url}/_sandbox/sage200"
    httpx.post(switches, json=limits).raise_for_status()
    late = {"path": f"/mirakl/{MARKETPLACE}", "method": "PUT", "kind": "latency", "seconds": options.call_seconds}
    httpx.post(f"{url}/_sandbox/chaos", json=late).raise_for_status()
    return limits


def answer_seconds(url: str, key: str) -> float:
    """What a bare client waits for the answer to a write (that the marketplace refuses): the median of many."""
    place = httpx.URL(url)
    path = f"/mirakl/{MARKETPLACE}/api/orders/NONE-A/accept?shop_id={SHOP_ID}"
    body, headers = b'{"order_lines":[]}', {"Authorization": key, "Content-Type": "application/json"}
    connection = http.client.HTTPConnection(place.host, place.port or 80, timeout=60)
    waits = []
    for _ in range(BARE_CALLS):
        began = time.monotonic()
        connection.request("PUT", path, body, headers)
        answer = connection.getresponse()
        answer.read()
        waits.append(time.monotonic() - began)
        assert 400 <= answer.status < 500, answer.status
    connection.close()
    return statistics.median(waits)


def rows(kind: str, orders: Sequence[str], erp: str, payload: Mapping[str, Any], lines: int) -> pa.Table:
    """Proposals of the outbox for these orders."""
    found = []
    for number, order_id in enumerate(orders):
        wire = f"TB{number:016d}"
        is_order = kind == "SALES_ORDER"
        due_at = f"2026-07-04 {number % 24:02d}:00:00"
        content: dict[str, Any] = {"wire_key": wire, "order_reference": order_id, **payload, "due_at": due_at}
        if not is_order:
            ids = [{"id": f"{order_id}-{line}", "accepted": True} for line in range(1, lines + 1)]
            content = {"order_id": order_id, "order_lines": ids, "due_at": due_at}
        found.append(
            {
                "action_key": f"{kind}|{MARKETPLACE}|{order_id}|1",
                "kind": kind,
                "vendor": erp if is_order else "mirakl",
                "account": ERP[erp] if is_order else MARKETPLACE,
                "marketplace_code": MARKETPLACE,
                "entity_code": "UKTRADE",
                "natural_id": order_id,
                "version": 1,
                "wire_key": wire,
                "amount": None,
                "currency_code": None,
                "payload": json.dumps(content),
                "reason": "a benchmark",
                "source_hash": None,
            }
        )
    kinds = {name: pa.int64() if name == "version" else pa.string() for name in found[0]}
    return pa.Table.from_pylist(found, schema=pa.schema(list(kinds.items())))


def waiting(erp: str, options: argparse.Namespace) -> dict[str, Any]:
    """So many waiting orders, created and accepted through an outbox."""
    with tempfile.TemporaryDirectory(prefix="tieout-bench-") as name:
        folder = Path(name) / "sandbox"
        folder.mkdir()
        with served(erp, folder, options.port) as (url, variables):
            limits = set_limits(url, erp, options)
            shop = Shop(url, variables[f"MIRAKL_{MARKETPLACE}_API_KEY"])
            like = shop.orders(order_state_codes="WAITING_ACCEPTANCE")[0]
            orders = [f"BENCH{number:06d}-A" for number in range(options.waiting)]
            shop.insert(like["order_id"], orders)
            item = like["order_lines"][0]["offer_sku"]
            payload = {
                "order_date": DAY,
                "customer_reference": "MKBRICO",
                "currency_code": "GBP",
                "location_name": "MAIN",
                "lines": [{"item_code": item, "quantity": "1", "unit_price": "10.00000", "tax_code": "1"}],
            }
            connector = MiraklConnector(MARKETPLACE, f"{url}/mirakl/{MARKETPLACE}", str(SHOP_ID), shop.key, 30)
            outbox = Outbox(f"sqlite:///{Path(name) / 'outbox.db'}", Now())
            answered = answer_seconds(url, shop.key)
            found: dict[str, Any] = {"site": limits | {"answer_seconds": answered}, "orders": len(orders)}
            try:
                with deliveries(erp, folder, variables, options.concurrency) as made:
                    all_deliveries = {
                        ("SALES_ORDER", ERP[erp]): made["SALES_ORDER"],
                        ("ACCEPTANCE", MARKETPLACE): mirakl_deliveries(connector)["ACCEPTANCE"],
                    }
                    for kind, at_once in (("SALES_ORDER", options.concurrency), ("ACCEPTANCE", 1)):
                        table = rows(kind, orders, erp, payload, len(like["order_lines"]))
                        least = math.ceil(len(orders) / at_once) * answered
                        found[kind.lower()] = _deliver(outbox, table, all_deliveries, least)
            finally:
                outbox.close()
                connector.close()
            accepted = [one for one in shop.orders() if one["order_id"] in set(orders)]
            writes = httpx.get(f"{url}/_sandbox/writes").json()
    assert {one["order_state"] for one in accepted} & {"WAITING_ACCEPTANCE", "REFUSED"} == set(), "some still wait"
    assert len(accepted) == len(orders), f"{len(accepted)} of {len(orders)} orders are there"
    created = sum(count for what, count in writes.items() if what in ("sage200 sop_orders", "netsuite salesOrder"))
    assert created == len(orders), f"{created} ERP orders, {len(orders)} were to be: {writes}"
    seconds = sum(found[kind]["seconds"] for kind in ("sales_order", "acceptance"))
    least = sum(found[kind]["least_seconds"] for kind in ("sales_order", "acceptance"))
    return found | {"seconds": seconds, "least_seconds": least, "overhead_percent": 100 * (seconds - least) / least}


def _deliver(outbox: Outbox, table: pa.Table, made: Mapping[Any, Any], least: float) -> dict[str, Any]:
    began, worked = time.monotonic(), time.process_time()
    outbox.propose(table)
    outbox.approve(table.column("action_key").to_pylist(), by="A Person")
    result = outbox.deliver(made, switches=(), write_back=True)
    seconds = time.monotonic() - began
    assert result.verified == table.num_rows, f"{result.verified} of {table.num_rows} are proved: {result.problems}"
    processor = time.process_time() - worked
    shares_of_least = {
        "processor_percent": 100 * processor / least,
        "overhead_percent": 100 * (seconds - least) / least,
    }
    return {"seconds": seconds, "least_seconds": least, "processor_seconds": processor, **shares_of_least}


def latency(erp: str, options: argparse.Namespace) -> dict[str, Any]:
    """Orders that come while the lane runs again and again."""
    draw = random.Random(options.seed)
    count = max(1, round(options.rate * options.minutes / 60))
    moments = sorted(draw.uniform(0, options.minutes * 60) for _ in range(count))
    with tempfile.TemporaryDirectory(prefix="tieout-bench-") as name:
        folder = Path(name) / "sandbox"
        folder.mkdir()
        with served(erp, folder, options.port) as (url, variables):
            shop = Shop(url, variables[f"MIRAKL_{MARKETPLACE}_API_KEY"])
            like = shop.orders(order_state_codes="WAITING_ACCEPTANCE")[0]["order_id"]
            shop.insert(like, [MOULD], order_state="STAGING")
            limits = set_limits(url, erp, options)
            with looping("orders", options, variables, Path(name)) as lane:
                _until_said(Path(name) / "lane.log", lane)

                def arrive(orders: Sequence[str]) -> None:
                    # Touched now, in the world's time: the lane asks for what changed since it last looked.
                    now = variables["TIEOUT_AS_OF"]
                    shop.insert(MOULD, orders, order_state="WAITING_ACCEPTANCE", last_updated_date=now)

                arrivals, ends = _arrivals_and_ends(shop, "WAITING_ACCEPTANCE", arrive, moments, lane)
    return {"site": limits, "orders": count, "rate": options.rate, "pause_seconds": options.pause} | {
        "seconds": shares(arrivals, ends)
    }


def dispatch(erp: str, options: argparse.Namespace) -> dict[str, Any]:
    """Orders that leave the warehouse while the dispatch lane runs again and again."""
    draw = random.Random(options.seed)
    count = max(1, round(options.rate * options.minutes / 60))
    moments = sorted(draw.uniform(0, options.minutes * 60) for _ in range(count))
    orders = [f"BENCH{number:06d}-A" for number in range(count)]
    with tempfile.TemporaryDirectory(prefix="tieout-bench-") as name:
        folder = Path(name) / "sandbox"
        folder.mkdir()
        with served(erp, folder, options.port) as (url, variables):
            shop = Shop(url, variables[f"MIRAKL_{MARKETPLACE}_API_KEY"])
            like = shop.orders(order_state_codes="SHIPPING")[0]
            shop.insert(like["order_id"], orders)
            wires = {order: f"TB{number:016d}" for number, order in enumerate(orders)}
            lines = [
                {
                    "item_code": line["offer_sku"],
                    "quantity": str(line["quantity"]),
                    "unit_price": "10.00",
                    "tax_code": "1",
                }
                for line in like["order_lines"]
            ]
            with deliveries(erp, folder, variables, options.concurrency) as made:
                _make(made["SALES_ORDER"], erp, wires, lines)
            limits = set_limits(url, erp, options)
            with deliveries(erp, folder, variables, options.concurrency) as made:

                def leave(left: Sequence[str]) -> None:
                    if erp == "netsuite":
                        _fulfil(made["FULFILMENT"], erp, {order: wires[order] for order in left}, lines)
                    else:
                        body = {"customer_document_nos": list(left)}
                        httpx.post(f"{url}/_sandbox/sage200/despatches", json=body, timeout=60).raise_for_status()

                with looping("dispatch", options, variables, Path(name)) as lane:
                    _until_said(Path(name) / "lane.log", lane)
                    arrivals, ends = _arrivals_and_ends(shop, "SHIPPING", leave, moments, lane)
    return {"site": limits, "orders": count, "rate": options.rate, "pause_seconds": options.pause} | {
        "seconds": shares(arrivals, ends)
    }


def _make(delivery: Delivery, erp: str, wires: Mapping[str, str], lines: Sequence[Mapping[str, str]]) -> None:
    """The ERP's orders, undisturbed."""
    header = {
        "order_date": DAY,
        "customer_reference": "MKBRICO",
        "currency_code": "GBP",
        "location_name": "MAIN",
        "analysis_codes": {"1": MARKETPLACE},
        "lines": list(lines),
    }
    _carry_out(
        delivery, erp, {wire: {"wire_key": wire, "order_reference": order, **header} for order, wire in wires.items()}
    )


def _fulfil(delivery: Delivery, erp: str, wires: Mapping[str, str], lines: Sequence[Mapping[str, str]]) -> None:
    """The warehouse's item fulfilments of these orders."""
    left = [{"order_line": number, "quantity": line["quantity"]} for number, line in enumerate(lines, 1)]
    _carry_out(
        delivery,
        erp,
        {
            f"F{wire}": {
                "wire_key": f"F{wire}",
                "order_external_id": f"SO-{wire}",
                "ship_date": DAY,
                "lines": left,
                "packages": [{"tracking_number": f"T{wire}"}],
            }
            for wire in wires.values()
        },
    )


def _carry_out(delivery: Delivery, erp: str, payloads: Mapping[str, Mapping[str, Any]]) -> None:
    kind = delivery.kind
    actions = [Action(key, key, kind, MARKETPLACE, ERP[erp], payload) for key, payload in payloads.items()]
    for first in range(0, len(actions), 100):
        results = delivery.send(actions[first : first + 100])
        assert {one.outcome for one in results.values()} == {Outcome.SENT}, results


@contextmanager
def looping(
    lane: str, options: argparse.Namespace, variables: Mapping[str, str], folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """The lane in a process of its own, run after run."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("TIEOUT_")}
    command = [sys.executable, "-m", "benchmarks.lane_loop", lane, str(options.pause)]
    with (folder / "lane.log").open("wb") as log:
        process = subprocess.Popen(command, env=others | dict(variables), stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()  # Dagster turns a termination into a run that failed, and the lane goes on
            process.wait()


def _until_said(log: Path, lane: subprocess.Popen[bytes]) -> None:
    """Until the first run is over, which reads everything and accepts what the world itself left waiting."""
    deadline = time.monotonic() + STILL_WAITING_SECONDS
    while b"models built" not in log.read_bytes():
        if lane.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the lane did not end its first run: {log.read_text()[-500:]}")
        time.sleep(1)


def _arrivals_and_ends(
    shop: Shop,
    state: str,
    arrive: Callable[[Sequence[str]], None],
    moments: Sequence[float],
    lane: subprocess.Popen[bytes],
) -> tuple[dict[str, float], dict[str, float]]:
    """When each order came, by `arrive`, and when it was first seen to be in this state no more. Raises RuntimeError if
    one stays.
    """
    began, arrivals, ends = time.monotonic(), dict[str, float](), dict[str, float]()
    while len(ends) < len(moments):
        now = time.monotonic() - began
        new = [f"BENCH{n:06d}-A" for n in range(len(arrivals), len(moments)) if moments[n] <= now]
        if new:
            arrive(new)
            arrivals |= {order: time.monotonic() for order in new}
        still = {one["order_id"] for one in shop.orders(order_state_codes=state)}
        ends |= {order: time.monotonic() for order in arrivals.keys() - ends.keys() - still}
        if lane.poll() is not None or now > moments[-1] + STILL_WAITING_SECONDS:
            raise RuntimeError(f"{len(moments) - len(ends)} orders are still {state}")
        time.sleep(0.5)
    return arrivals, ends


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--erp", choices=tuple(ERP), action="append", help="only this one")
    parser.add_argument("--waiting", type=int, default=10_000, help="orders that wait at once; 0: not measured")
    parser.add_argument("--call-seconds", type=float, default=0.05, help="how long a site takes for one write")
    parser.add_argument("--concurrency", type=int, default=2, help="how many writes the ERP carries out at a time")
    parser.add_argument("--rate", type=float, default=1000, help="orders an hour")
    parser.add_argument("--minutes", type=float, default=5, help="how long they keep coming; 0: not measured")
    parser.add_argument("--pause", type=float, default=20, help="seconds between two runs of the lane")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--port", type=int, default=8980)
    parser.add_argument("--output", type=Path, help="where the figures go as JSON")
    options = parser.parse_args()
    result: dict[str, Any] = {"machine": machine()}
    parts = {"waiting": waiting} if options.waiting else {}
    if options.minutes:
        parts |= {"latency": latency, "dispatch": dispatch}
    for erp in options.erp or ERP:
        result[erp] = {}
        for name, part in parts.items():
            result[erp][name] = part(erp, options)
            sys.stderr.write(f"{erp} {name}: {json.dumps(result[erp][name])}\n")
    report(result, options.output)


if __name__ == "__main__":
    main()
