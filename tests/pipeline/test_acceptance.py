"""Acceptance of orders over real HTTP: every line in one call, and never a second decision."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from connectors.delivery import Action, Outcome
from connectors.mirakl.client import MiraklConnector
from connectors.mirakl.writes.acceptance import AcceptanceDelivery
from tests.pipeline.site import Site, running_sandbox

pytestmark = pytest.mark.pipeline


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, MiraklConnector]]:
    folder = tmp_path_factory.mktemp("acceptance")
    with running_sandbox(folder / "sandbox", orders=300, marketplaces=("BRICO",)) as url:
        site = Site(url, folder / "sandbox", folder / "data")
        key = site.env["MIRAKL_BRICO_API_KEY"]
        connector = MiraklConnector("BRICO", f"{url}/mirakl/BRICO", "2042", key, 30)
        yield site, connector
        connector.close()


def waiting(site: Site) -> list[dict[str, object]]:
    response = httpx.get(
        f"{site.sandbox_url}/mirakl/BRICO/api/orders",
        params={"shop_id": "2042", "max": "100", "order_state_codes": "WAITING_ACCEPTANCE"},
        headers={"Authorization": site.env["MIRAKL_BRICO_API_KEY"]},
        timeout=30,
    )
    response.raise_for_status()
    return list(response.json()["orders"])


def decide(order: dict[str, object], *, accepted: bool = True) -> Action:
    lines = [{"id": line["order_line_id"], "accepted": accepted} for line in order["order_lines"]]  # type: ignore[attr-defined]
    payload = {"order_id": order["order_id"], "order_lines": lines}
    return Action(f"ACCEPTANCE|BRICO|{order['order_id']}|1", "", "ACCEPTANCE", "BRICO", "BRICO", payload)


def test_an_order_is_looked_up_accepted_and_read_back(shop: tuple[Site, MiraklConnector]) -> None:
    site, connector = shop
    delivery = AcceptanceDelivery(connector)
    action = decide(waiting(site)[0])
    (request,) = delivery.preview([action])
    assert request.method == "PUT"
    assert json.loads(request.body) == {"order_lines": action.payload["order_lines"]}
    assert site.env["MIRAKL_BRICO_API_KEY"] not in str(request)

    assert delivery.look_up([action])[action.action_key] is None
    assert not delivery.read_back([action])[action.action_key].ok
    assert delivery.send([action])[action.action_key].outcome is Outcome.SENT
    found = delivery.look_up([action])[action.action_key]
    assert found is not None
    assert found.complete
    assert delivery.read_back([action])[action.action_key].ok
    assert action.payload["order_id"] not in {order["order_id"] for order in waiting(site)}


def test_a_second_decision_is_refused_and_reading_back_shows_the_first(shop: tuple[Site, MiraklConnector]) -> None:
    site, connector = shop
    delivery = AcceptanceDelivery(connector)
    order = waiting(site)[0]
    assert delivery.send([decide(order, accepted=False)]).popitem()[1].outcome is Outcome.SENT
    second = decide(order)
    assert delivery.send([second])[second.action_key].outcome is Outcome.FAILED
    assert not delivery.read_back([second])[second.action_key].ok


def test_an_answer_that_never_comes_is_unknown_and_the_look_up_finds_the_decision(
    shop: tuple[Site, MiraklConnector],
) -> None:
    site, connector = shop
    delivery = AcceptanceDelivery(connector)
    action = decide(waiting(site)[0])
    site.strike(path=f"/mirakl/BRICO/api/orders/{action.payload['order_id']}/accept", kind="outcome_unknown", times=1)
    assert delivery.send([action])[action.action_key].outcome is Outcome.UNKNOWN
    assert delivery.look_up([action])[action.action_key] is not None


def test_a_payload_that_decides_nothing_never_leaves(shop: tuple[Site, MiraklConnector]) -> None:
    _, connector = shop
    action = Action("ACCEPTANCE|BRICO|X|1", "", "ACCEPTANCE", "BRICO", "BRICO", {"order_id": "X", "order_lines": []})
    result = AcceptanceDelivery(connector).send([action])[action.action_key]
    assert result.outcome is Outcome.FAILED
    assert "decides no line" in result.detail
