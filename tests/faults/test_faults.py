"""The fault table, tried over real HTTP: a lane runs while the fault lasts and once more when it is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import httpx
import pytest

from connectors.errors import BadConfiguration
from connectors.mirakl import MiraklConnector
from orchestration.lib.configuration import ConfigInvalid
from sandbox.clock import stamp
from sandbox.credentials import mirakl_secret
from sandbox.world import DEFAULT_AS_OF, World
from tests.contracts.serving import SEED, Served, serving, world
from tests.faults.cases import CASES, PLAIN_HTTP, Case
from tests.faults.documentation import DOCUMENT, page
from tests.faults.proxy import nothing, proxying
from tests.faults.running import FEEDS, MARKETPLACE, SHOP, Ran, Site, say_address, site, truth
from tests.faults.spoiling import ORDERS, at, stamps_ahead

AS_OF = stamp(DEFAULT_AS_OF)


@pytest.fixture(scope="module")
def generated() -> World:
    return world()


@pytest.fixture(scope="module")
def served(generated: World) -> Iterator[Served]:
    with serving(generated) as found:
        yield found


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as found:
        yield found


@pytest.fixture(scope="module")
def only_site(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with proxying(served.url) as proxy:
        yield site(tmp_path_factory.mktemp("faults"), proxy, as_of=AS_OF)


@pytest.fixture
def here(only_site: Site) -> Site:
    """An installation that never read anything, and a proxy that spoils nothing."""
    only_site.proxy.fault = nothing
    only_site.start_over()
    return only_site


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_nothing_is_lost_and_what_happened_is_reported(
    case: Case, served: Served, here: Site, instance: dg.DagsterInstance
) -> None:
    wanted = truth(served.url)
    here.proxy.fault = case.fault()
    first = here.run(instance)
    assert first == Ran(case.ends == "whole", case.reported, case.failed)
    assert tuple(here.quarantined()) == case.quarantined
    assert case.pauses(here.naps), here.naps
    assert all(asked.parameters["shop_id"] == SHOP for asked in here.proxy.asked)
    held = here.held()
    for feed in FEEDS:
        if feed not in case.failed:
            assert len(wanted[feed]) - len(held[feed]) == sum(refused == feed for refused, _, _ in case.quarantined)
        assert held[feed].items() <= wanted[feed].items()

    here.proxy.fault = nothing
    assert here.run(instance) == Ran(True, (), frozenset())
    assert here.held() == wanted


def test_a_lane_with_a_failed_feed_goes_on_to_its_end_and_says_that_it_is_partial(here: Site) -> None:
    case = next(case for case in CASES if case.name == "5xx-lasting")
    here.proxy.fault = case.fault()
    result = here.run_lane()
    assert result.is_partial
    assert tuple(problem.detail for problem in result.problems) == case.reported
    assert result.published is not None
    here.proxy.fault = nothing
    assert here.run_lane().ok


def test_plain_http_outside_this_machine_is_refused_before_anything_is_sent(
    here: Site, instance: dg.DagsterInstance
) -> None:
    say_address(here.settings.config_dir, "http://brico.marketplace.example")
    with pytest.raises(ConfigInvalid) as refused:
        here.run(instance)
    assert PLAIN_HTTP.reported[0] in str(refused.value)
    with pytest.raises(BadConfiguration, match="https://"):
        MiraklConnector(MARKETPLACE, "http://brico.marketplace.example", SHOP, "key")
    assert here.proxy.asked == []


def test_a_vendors_clock_that_is_ahead_hides_nothing_that_happens_later(
    generated: World, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    with serving(generated) as served, proxying(served.url) as proxy:
        here = site(tmp_path, proxy, as_of=AS_OF)
        proxy.fault = at(ORDERS, stamps_ahead(hours=20))
        assert here.run(instance).is_whole
        proxy.fault = nothing
        order = accept_an_order(served, hours=1)
        assert here.later(stamp(DEFAULT_AS_OF + timedelta(hours=2))).run(instance).is_whole
        assert here.held()["orders"][order] == truth(served.url)["orders"][order]


def accept_an_order(served: Served, *, hours: int) -> str:
    """Accept an order that waits, so many hours after the world's moment; its id."""
    served.at(DEFAULT_AS_OF + timedelta(hours=hours))
    with httpx.Client(
        base_url=f"{served.url}/mirakl/{MARKETPLACE}/api",
        headers={"Authorization": mirakl_secret(SEED, MARKETPLACE)},
        params={"shop_id": SHOP},
    ) as client:
        order = client.get("/orders", params={"order_state_codes": "WAITING_ACCEPTANCE"}).json()["orders"][0]
        lines = [{"id": line["order_line_id"], "accepted": True} for line in order["order_lines"]]
        client.put(f"/orders/{order['order_id']}/accept", json={"order_lines": lines}).raise_for_status()
    return str(order["order_id"])


def test_the_page_is_the_table() -> None:
    assert DOCUMENT.read_text("utf-8") == page(), "write it with: python -m tests.faults > docs/faults.md"
