"""A marketplace with its books in each ERP, in this process, and the deliveries to all of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from connectors.addresses import Destination
from connectors.auth import MemoryCredentialStore
from connectors.delivery import Delivery
from connectors.mirakl import MiraklConnector
from connectors.mirakl.addresses import destinations
from connectors.mirakl.writes import deliveries as mirakl_deliveries
from connectors.netsuite import Certificate, NetSuiteConnector
from connectors.netsuite.writes import deliveries as netsuite_deliveries
from connectors.sage200 import Sage200Connector
from connectors.sage200.writes import deliveries as sage200_deliveries
from sandbox import jsonio
from sandbox.app import Sandbox, listen, server_for
from sandbox.config import SUBSIDIARY_ID, netsuite_path
from sandbox.credentials import mirakl_secret, netsuite_client, netsuite_key_text, sage_client
from sandbox.mirakl.flow_orders import decide_all
from sandbox.mirakl.flow_shipments import create_shipment
from sandbox.mirakl_shop import MiraklShop
from sandbox.store import Store
from sandbox.world import DEFAULT_AS_OF, World, build_world

SEED, ORDERS = 7, 250
SAGE_SHOP, NETSUITE_SHOP = "BRICO", "HOMELY"
PARCEL_SHOP = NETSUITE_SHOP
SHOP_IDS = {SAGE_SHOP: 2042, NETSUITE_SHOP: 3107}
SAGE, NETSUITE = "SAGE_UK", "NS_HOME"
Deliveries = dict[tuple[str, str], Delivery]
Record = dict[str, Any]


def world() -> World:
    """Sage 200 keeps BRICO's books, NetSuite HOMELY's; nothing is wrong with any of them. BRICO ships orders as a
    whole, HOMELY in several shipments.
    """
    found = build_world(SEED, ORDERS, DEFAULT_AS_OF, False, (SAGE_SHOP, NETSUITE_SHOP))
    found.mirakl[PARCEL_SHOP].platform["features"]["shipment"]["multi_shipment"] = True
    return found


@dataclass
class Town:
    """All vendors, with what a test may look at inside them."""

    sandbox: Sandbox
    url: str

    @property
    def store(self) -> Store:
        return self.sandbox.store

    def shop(self, marketplace: str) -> MiraklShop:
        return self.store.accounts[marketplace].shops[SHOP_IDS[marketplace]]

    def order(self, marketplace: str, state: str, order_id: str, place: int) -> Record:
        """A new order like the one at this place of those in the state; nothing was ever done to it."""
        shop = self.shop(marketplace)
        is_accepted = state == "WAITING_DEBIT_PAYMENT"
        state = "WAITING_ACCEPTANCE" if is_accepted else state
        of_world = (one for one in shop.orders.values() if "CHAOS" not in one.order_id)
        like = sorted(one.order_id for one in of_world if one.state == state)
        old = like[place % len(like)]
        record: Record = jsonio.decode(
            jsonio.encode(shop.orders[old].record()).replace(old.encode(), order_id.encode())
        )
        shop.put_order(record)
        if is_accepted:
            # The generated world debits at once, so no order of its own waits for that.
            decide_all(shop, record, True, self.store.clock.now())
        shop.changed_orders.discard(order_id)
        return record

    def shipment(self, marketplace: str, order: Record) -> str:
        """The id of a shipment of all that the order holds, which has not left."""
        shop = self.shop(marketplace)
        lines = [
            {"order_line_id": line["order_line_id"], "quantity": line["quantity"]} for line in order["order_lines"]
        ]
        wanted = {"order_id": order["order_id"], "shipment_lines": lines}
        return str(create_shipment(shop, wanted, None, self.store.clock.now())["id"])

    def offers(self, marketplace: str) -> list[str]:
        shop = self.shop(marketplace)
        return sorted(sku for sku, offer in shop.offers.items() if offer.get("active"))

    def deliveries(self) -> Deliveries:
        """Those of a process that has looked nothing up yet. The connections are the town's own."""
        found: Deliveries = {}
        sage = sage200_deliveries(self.sage, destinations_of=self._destinations_of)
        found |= {(kind, SAGE): one for kind, one in sage.items()}
        netsuite = netsuite_deliveries(self.netsuite, SUBSIDIARY_ID, self._destinations_of)
        found |= {(kind, NETSUITE): one for kind, one in netsuite.items()}
        for shop in self.shops:
            found |= {(kind, shop.account): one for kind, one in mirakl_deliveries(shop).items()}
        return found

    def _destinations_of(self, marketplace: str, order_ids: Sequence[str]) -> Mapping[str, Destination]:
        return destinations(next(shop for shop in self.shops if shop.account == marketplace), order_ids)

    @cached_property
    def sage(self) -> Sage200Connector:
        site, client = self.store.company.site, sage_client(SEED)
        return Sage200Connector(
            SAGE,
            f"{self.url}/sage200/accounts/v1",
            f"{self.url}/oauth/token",
            str(site["site_id"]),
            str(site["company_id"]),
            MemoryCredentialStore(self.store.sage_id.consent()),
            client.client_id,
            client.client_secret,
            sleep=_briefly,
        )

    @cached_property
    def netsuite(self) -> NetSuiteConnector:
        api = self.store.netsuite[NETSUITE]
        integration = netsuite_client(SEED, NETSUITE, api.account_id)
        return NetSuiteConnector(
            NETSUITE,
            api.account_id,
            Certificate(integration.client_id, integration.certificate_id, netsuite_key_text(SEED, NETSUITE)),
            base_url=f"{self.url}{netsuite_path(NETSUITE)}",
            subsidiary_id=SUBSIDIARY_ID,
            sleep=_briefly,
            clock=self.store.clock.now,
        )

    @cached_property
    def shops(self) -> list[MiraklConnector]:
        return [
            MiraklConnector(
                code,
                f"{self.url}/mirakl/{code}",
                str(SHOP_IDS[code]),
                mirakl_secret(SEED, code),
                30,
                sleep=_briefly,
            )
            for code in (SAGE_SHOP, NETSUITE_SHOP)
        ]

    def close(self) -> None:
        for one in (self.sage, self.netsuite, *self.shops):
            one.close()


def _briefly(seconds: float) -> None:
    time.sleep(min(seconds, 0.002))


@contextmanager
def running(of: World) -> Iterator[Town]:
    sandbox = Sandbox(lambda: Store(of, seed=SEED, as_of=DEFAULT_AS_OF, state_folder=None))
    listener = listen("127.0.0.1", 0)
    server = server_for(sandbox)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    # What a file waits for at the marketplace is no fault; at its usual length it would be most of a seed's time.
    sandbox.store.settings.import_waiting_seconds = sandbox.store.settings.import_running_seconds = 0.005
    town = Town(sandbox, f"http://127.0.0.1:{listener.getsockname()[1]}")
    yield town
    town.close()
    server.should_exit = True
    thread.join(10)
    listener.close()
