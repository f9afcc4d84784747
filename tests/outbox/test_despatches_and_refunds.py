"""Despatches, tracking numbers and refunds on their way to a marketplace that fails: each takes effect exactly once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orchestration.outbox import Outbox
from sandbox.chaos import Rule
from sandbox.world import DEFAULT_AS_OF, build_world
from tests.connectors.test_mirakl_writes_sandbox import SEED, Site, carrier, part, refundable, running
from tests.outbox.world import ON, PinnedClock, PolicyRow, stock, table

Record = dict[str, Any]
AUTO = tuple(PolicyRow(kind) for kind in ("DISPATCH", "TRACKING", "REFUND"))
RUNS = 4
"""Lane runs within which everything must have settled."""
FAULTS: dict[str, Record] = {
    "no answer, but it took effect": {"kind": "outcome_unknown"},
    "the gateway gave up, but it took effect": {"kind": "fail_after", "status": 504},
    "reset in the answer, but it took effect": {"kind": "reset"},
    "cut off in the answer, but it took effect": {"kind": "truncate"},
    "too many requests": {"kind": "fail", "status": 429, "retry_after": 1},
    "server error before it": {"kind": "fail", "status": 503},
    "nothing in a 200": {"kind": "empty", "status": 200},
}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running(build_world(SEED, 300, DEFAULT_AS_OF)) as found:
        yield found


@pytest.fixture(scope="module")
def taken() -> set[str]:
    """Orders that a test has used up."""
    return set()


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    found = Outbox(f"sqlite:///{tmp_path}/outbox.db", PinnedClock())
    yield found
    found.close()


def proposal(kind: str, natural_id: str, payload: Record, amount: Decimal | None = None) -> Record:
    row = stock(natural_id, 0)
    key = f"{kind}|BRICO|{natural_id}|1"
    money = {"amount": amount, "currency_code": None if amount is None else "GBP"}
    wire_key = "TO" + natural_id[-16:].upper()
    return {**row, **money, "action_key": key, "kind": kind, "payload": json.dumps(payload), "wire_key": wire_key}


def next_of(site: Site, taken: set[str], orders: Iterator[Record]) -> Record:
    order = next(order for order in orders if order["order_id"] not in taken)
    taken.add(order["order_id"])
    return order


def dispatch(site: Site, taken: set[str]) -> tuple[Record, str]:
    order = next_of(site, taken, iter(site.orders("SHIPPING")))
    order_id = str(order["order_id"])
    payload = {"order_id": order_id, "carrier_code": carrier(site), "tracking_number": "T-1", "lines": None}
    return proposal("DISPATCH", order_id, payload), order_id


def tracking(site: Site, taken: set[str]) -> tuple[Record, str]:
    order = next_of(site, taken, iter(site.orders("SHIPPED")))
    order_id = str(order["order_id"])
    return proposal(
        "TRACKING", order_id, {"order_id": order_id, "carrier_code": carrier(site), "tracking_number": "T-2"}
    ), order_id


def refund(site: Site, taken: set[str]) -> tuple[Record, str]:
    order = next_of(site, taken, refundable(site))
    wanted = part(site, order["order_lines"][0], "REFUND")
    wanted = json.loads(json.dumps(wanted, default=str))
    payload = {
        "order_id": order["order_id"],
        "currency_code": order["currency_iso_code"],
        "known_ids": [],
        "refunds": [wanted],
    }
    return proposal("REFUND", f"SC-{order['order_id']}", payload, Decimal(wanted["amount"])), str(order["order_id"])


def effects(site: Site, order_id: str, kind: str) -> int:
    """How often what was wanted has happened at the marketplace."""
    order = site.order(order_id)
    if kind == "REFUND":
        return sum(len(line["refunds"]) for line in order["order_lines"])
    if kind == "TRACKING":
        return int(order["shipping_tracking"] == "T-2")
    return int(order["order_state"] == "SHIPPED" and order["shipping_tracking"] == "T-1")


MAKERS: dict[str, Callable[[Site, set[str]], tuple[Record, str]]] = {
    "DISPATCH": dispatch,
    "TRACKING": tracking,
    "REFUND": refund,
}
CALLS = {
    "DISPATCH": "/mirakl/BRICO/api/orders/{}/ship",
    "TRACKING": "/mirakl/BRICO/api/orders/{}/tracking",
    "REFUND": "/mirakl/BRICO/api/orders/refund",
}


def run(outbox: Outbox, site: Site) -> None:
    """What a lane does with the outbox, with the pause before a second look-up left out by a delivery without one."""
    deliveries: dict[tuple[str, str], Any] = {}
    for kind, delivery in site.deliveries.items():
        delivery.settle_seconds = 0.0  # type: ignore[attr-defined]
        deliveries[kind, "BRICO"] = delivery
    outbox.apply_policy(AUTO, ON, write_back=True)
    outbox.deliver(deliveries)


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_the_marketplace_answers_it_happens_once(
    site: Site, taken: set[str], outbox: Outbox, kind: str, fault: str
) -> None:
    row, order_id = MAKERS[kind](site, taken)
    site.sandbox.chaos.rules.append(Rule(path=CALLS[kind].format(order_id), method="PUT", times=1, **FAULTS[fault]))
    for _ in range(RUNS):
        # As the models do: the next version once one has failed, nothing more once one is through.
        ended = [one["state"] for one in outbox.actions() if one["state"] in ("FAILED", "VERIFIED")]
        if "VERIFIED" not in ended:
            version = len(ended) + 1
            outbox.propose(table({**row, "version": version, "action_key": row["action_key"][:-1] + str(version)}))
        run(outbox, site)
    site.sandbox.chaos.rules.clear()
    held = outbox.actions()[-1]
    assert (held["state"], effects(site, order_id, kind)) == ("VERIFIED", 1), held["detail"]


@pytest.mark.parametrize("kind", ["DISPATCH", "REFUND"])
def test_what_a_person_has_done_meanwhile_is_not_done_again(
    site: Site, taken: set[str], outbox: Outbox, kind: str
) -> None:
    row, order_id = MAKERS[kind](site, taken)
    outbox.propose(table(row))
    outbox.apply_policy(AUTO, ON, write_back=True)
    payload = json.loads(row["payload"])
    if kind == "REFUND":
        body = {"order_tax_mode": "TAX_INCLUDED", "refunds": payload["refunds"]}
        site.http.put("/api/orders/refund", params={"shop_id": "2042"}, json=body).raise_for_status()
    else:
        tracked = {name: payload[name] for name in ("carrier_code", "tracking_number")}
        for call, content in (("tracking", tracked), ("ship", {})):
            path = f"/api/orders/{order_id}/{call}"
            site.http.put(path, params={"shop_id": "2042"}, json=content).raise_for_status()
    run(outbox, site)
    (held,) = outbox.actions()
    assert (held["state"], effects(site, order_id, kind)) == ("VERIFIED", 1)
    assert held["attempts"] == 0, "it was found, not sent"


@pytest.mark.parametrize("kind", ["DISPATCH", "REFUND"])
def test_what_is_no_longer_wanted_is_withdrawn_before_anybody_sends_it(
    site: Site, taken: set[str], outbox: Outbox, kind: str
) -> None:
    row, order_id = MAKERS[kind](site, taken)
    outbox.propose(table(row))
    outbox.propose(table(), kinds={kind})
    run(outbox, site)
    (held,) = outbox.actions()
    assert (held["state"], effects(site, order_id, kind)) == ("SUPERSEDED", 0)


def test_an_order_that_was_cancelled_meanwhile_is_never_declared_sent(
    site: Site, taken: set[str], outbox: Outbox
) -> None:
    order = next_of(site, taken, iter(site.orders("CANCELED")))
    order_id = str(order["order_id"])
    row = proposal("DISPATCH", order_id, {"order_id": order_id, "carrier_code": carrier(site), "tracking_number": "T"})
    outbox.propose(table(row))
    run(outbox, site)
    (held,) = outbox.actions()
    assert held["state"] == "FAILED"
    assert "CANCELED" in held["detail"]
    assert site.order(order_id)["order_state"] == "CANCELED"


def test_a_refund_beyond_what_the_line_has_left_never_leaves(site: Site, taken: set[str], outbox: Outbox) -> None:
    row, order_id = refund(site, taken)
    payload = json.loads(row["payload"])
    payload["refunds"][0]["amount"] = "100000.00"
    outbox.propose(table({**row, "payload": json.dumps(payload)}))
    run(outbox, site)
    (held,) = outbox.actions()
    assert held["state"] == "FAILED"
    assert "more than is left" in held["detail"]
    assert effects(site, order_id, "REFUND") == 0
