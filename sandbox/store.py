"""The state of a running sandbox: a world in forms that serve fast, and every change that clients made to it."""

import copy
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from sandbox import jsonio
from sandbox.clock import SandboxClock, milliseconds
from sandbox.credentials import (
    PARTNER_ROLES,
    ROLES_TOO_MANY,
    MiraklClient,
    MiraklKey,
    SageClient,
    mirakl_secret,
    netsuite_client,
    operator_client,
    sage_client,
)
from sandbox.journal import Applier, WriteJournal
from sandbox.mirakl import MiraklAccount, MiraklSettings
from sandbox.mirakl.flow import catch_up
from sandbox.mirakl.operator_sign_in import OperatorSignIn
from sandbox.mirakl.routes import APPLIERS, MiraklApplier
from sandbox.mirakl_shop import MiraklShop, MiraklWorldLike
from sandbox.netsuite import NetSuiteApi, NetSuiteWorld
from sandbox.sage_company import SageCompany
from sandbox.sage_id import SageId
from sandbox.sage_settings import SageSettings
from sandbox.sage_writes import SageWrites


class SageWorldLike(Protocol):
    """What the server needs of a generated Sage company: `tables` by resource name, records in the vendor's shape."""

    @property
    def sites(self) -> list[dict[str, Any]]: ...
    @property
    def tables(self) -> dict[str, list[dict[str, Any]]]: ...


class WorldLike(Protocol):
    """What the servers need of `sandbox.world.build_world`'s result. `netsuite` goes by the ERP company's code."""

    @property
    def mirakl(self) -> Mapping[str, MiraklWorldLike]: ...
    @property
    def sage(self) -> SageWorldLike | None: ...
    @property
    def netsuite(self) -> Mapping[str, NetSuiteWorld]: ...
    @property
    def truth(self) -> dict[str, Any]: ...


def _idle_shop(world: MiraklWorldLike) -> MiraklWorldLike:
    """A second shop of the same user that never traded. It answers when a client forgets to say which shop it means."""
    account = dict(world.account)
    account["shop_id"] = int(account["shop_id"]) - 1000
    account["shop_name"] = f"{account.get('shop_name', 'Shop')} (archive)"
    account |= {"offers_count": 0, "orders_count": 0}
    idle = copy.copy(world)
    idle.account = account
    idle.orders, idle.document_request_lines, idle.account_statistics, idle.invoice_files = {}, {}, {}, {}
    for name in _TRADE:
        setattr(idle, name, [])
    return idle


# The lists that hold what a shop traded; the others hold what its platform is set to.
_TRADE = (
    "transaction_lines",
    "cycles",
    "invoices",
    "offers",
    "shipments",
    "items_to_ship",
    "returns",
    "document_requests",
    "threads",
    "order_documents",
    "payment_debits",
    "payment_refunds",
)


class Store:
    """All state of one sandbox, built from a world and the write journal."""

    def __init__(self, world: WorldLike, *, seed: int, as_of: datetime, state_folder: Path | None = None) -> None:
        self.truth = world.truth
        self.clock = SandboxClock(as_of)
        self.journal = WriteJournal(self.clock, state_folder)
        self.sage_client: SageClient = sage_client(seed)
        self.sage_settings = SageSettings()
        self.sage_id = SageId(self.sage_client, self.journal, self.sage_settings, self.clock)
        self.has_sage = world.sage is not None
        tables, sites = (world.sage.tables, world.sage.sites) if world.sage else ({}, [])
        self.company = SageCompany(tables, sites, self.sage_settings)
        self.sage_writes = SageWrites(self.company, self.journal, self.clock)
        self.settings = MiraklSettings()
        self.accounts = {code: self._account(code, part, seed) for code, part in world.mirakl.items()}
        self.netsuite = {code: self._netsuite_account(code, part, seed) for code, part in world.netsuite.items()}
        self.journal.register("NETSUITE", self._repeat_netsuite)
        self.journal.register("NETSUITE_PERIOD", self._shut_period)
        self._operations: Counter[str] = Counter()
        for operation, applier in APPLIERS.items():
            self.journal.register(operation, self._mirakl_applier(operation, applier))
        self.replayed = self.journal.replay()

    def _account(self, code: str, world: MiraklWorldLike, seed: int) -> MiraklAccount:
        shops = [MiraklShop(world)]
        keys, client = [_operator_key(seed, code)], None
        if world.perspective == "SELLER":
            shops = [MiraklShop(_idle_shop(world)), *shops]
            keys = _seller_keys(seed, code, tuple(shop.shop_id for shop in shops))
        else:
            client = MiraklClient(*operator_client(seed, code), keys[0])
        for shop in shops:
            shop.flow.until = milliseconds(self.clock.now().isoformat())
        return MiraklAccount(
            code=code,
            shops={shop.shop_id: shop for shop in shops},
            keys={key.secret: key for key in keys},
            salt=mirakl_secret(seed, code, "page tokens"),
            journal=self.journal,
            clock=self.clock,
            settings=self.settings,
            sign_in=OperatorSignIn(client) if client else None,
        )

    def _netsuite_account(self, code: str, world: NetSuiteWorld, seed: int) -> NetSuiteApi:
        def remember(data: dict[str, Any]) -> datetime:
            return self.journal.remember("NETSUITE", {"erp": code, **data})

        client = netsuite_client(seed, code, world.account_id)
        return NetSuiteApi(world, client, self.clock, remember=remember)

    # --- changes: functions of the state, the data and the time, so that a replay repeats them

    def _repeat_netsuite(self, data: dict[str, Any], _at: datetime, _is_replay: bool) -> None:
        """Only ever a replay: when a client calls, the account carries the write out by itself and remembers it."""
        self.netsuite[data["erp"]].repeat({name: part for name, part in data.items() if name != "erp"})

    def _shut_period(self, data: dict[str, Any], _at: datetime, _is_replay: bool) -> None:
        self.netsuite[data["erp"]].books.shut(data["period"], is_shut=data["is_shut"])

    def _mirakl_applier(self, operation: str, apply: MiraklApplier) -> Applier:
        def change(data: dict[str, Any], at: datetime, is_replay: bool) -> Any:
            self._operations[f"mirakl {operation}"] += 1
            account = self.accounts[data["marketplace"]]
            # What time had done by then comes first, as it did when the change was made.
            catch_up(account, at)
            return apply(account, data, at, is_replay)

        return change

    # --- what a test compares

    def settle(self) -> None:
        """Lets every stock import end now."""
        for account in self.accounts.values():
            for shop in account.shops.values():
                shop.settle_imports(float("inf"), 0.0, 0.0)

    def state(self) -> dict[str, Any]:
        """Everything clients changed, without ids, URNs, times or the order of the calls: equal work gives equal
        states.

        Sage: documents posted (each as often as it was posted), balances. NetSuite: transactions written, with their
        external ids and lines. Mirakl: quantity, price and activity of every offer, and the orders that changed with
        what was made of them.
        """
        self.settle()
        return {
            "sage200": {
                "documents": sorted(self.sage_writes.documents, key=jsonio.encode_stable),
                "banks": {row["code"]: row.get("balance") for row in self.company["banks"].rows},
                "customers": {row["reference"]: row.get("balance") for row in self.company["customers"].rows},
            },
            "netsuite": {code: account.written() for code, account in self.netsuite.items()},
            "mirakl": {
                code: {
                    "offers": {
                        sku: {name: offer.get(name) for name in ("quantity", "active", "price")}
                        for shop in account.shops.values()
                        for sku, offer in shop.offers.items()
                    },
                    "changed_orders": {
                        order_id: _changed(shop, shop.orders[order_id].record())
                        for shop in account.shops.values()
                        for order_id in shop.changed_orders & shop.orders.keys()
                    },
                }
                for code, account in self.accounts.items()
            },
        }

    def writes(self) -> dict[str, int]:
        """How many writes of each kind took effect, over all starts of this sandbox."""
        sage = {f"sage200 {resource}": count for resource, count in self.sage_writes.applied.items()}
        netsuite: Counter[str] = Counter()
        for account in self.netsuite.values():
            netsuite.update({f"netsuite {record}": count for record, count in account.writes.items()})
        return dict(sorted((self._operations | sage | netsuite).items()))

    def sizes(self) -> dict[str, int]:
        """Records held per feed."""
        sizes = {}
        if self.has_sage:
            sizes |= {f"sage200 {name}": len(table.rows) for name, table in self.company.tables.items()}
        for code, books in self.netsuite.items():
            sizes |= {f"netsuite {code} {name}": count for name, count in books.database.sizes().items() if count}
        for code, account in self.accounts.items():
            for shop in account.shops.values():
                if shop.lines:
                    sizes |= {
                        f"mirakl {code} orders": len(shop.orders),
                        f"mirakl {code} transaction lines": len(shop.lines),
                        f"mirakl {code} billing cycles": len(shop.cycles),
                        f"mirakl {code} invoices": len(shop.invoices),
                        f"mirakl {code} offers": len(shop.offers),
                    }
        return sizes


def _changed(shop: MiraklShop, record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "state": record["order_state"],
        "tracking": record.get("shipping_tracking"),
        "lines": {
            line["order_line_id"]: {
                "state": line["order_line_state"],
                "refunds": _parts(line, "refunds"),
                "cancelations": _parts(line, "cancelations"),
            }
            for line in record["order_lines"]
        },
        "shipments": sorted(
            (
                {
                    "status": shipment["status"],
                    "tracking": (shipment.get("tracking") or {}).get("tracking_number"),
                    "from": ((shipment.get("shipping_from") or {}).get("warehouse") or {}).get("code"),
                    "lines": [[line["order_line_id"], line["quantity"]] for line in shipment["shipment_lines"]],
                }
                for shipment in shop.shipments.values()
                if shipment["order_id"] == record["order_id"]
            ),
            key=jsonio.encode_stable,
        ),
    }


def _parts(line: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    """Refunds or cancelations of an order line, each as often as it was made."""
    names = ("amount", "shipping_amount", "quantity", "reason_code")
    parts = [{name: part.get(name) for name in names} for part in line.get(kind) or ()]
    return sorted(parts, key=jsonio.encode_stable)


def _operator_key(seed: int, code: str) -> MiraklKey:
    """A legacy key of an operator: bare like a seller's. Shop 0 is the view of every shop."""
    return MiraklKey(mirakl_secret(seed, code, "operator"), (0,), is_operator=True)


def _seller_keys(seed: int, code: str, shop_ids: tuple[int, ...]) -> list[MiraklKey]:
    """Keys of one seller's users. The idle shop is the default: a client that forgets shop_id gets well-formed nothing.

    - seller: everything. no_accountancy: everything but transaction lines.
    - orders_only: an integration with the one role that reads orders.
    - least: an integration with the partner roles that reading takes, and those of accepting and stock. too_much: the
      same, and it makes users, sees the shop's documents and changes product data.
    - operator: the marketplace's own systems, which see this shop alone.
    """
    return [
        MiraklKey(mirakl_secret(seed, code), shop_ids),
        MiraklKey(mirakl_secret(seed, code, "no_accountancy"), shop_ids[-1:], frozenset({"ROLE_SHOP_ADMIN"})),
        MiraklKey(mirakl_secret(seed, code, "orders_only"), shop_ids[-1:], frozenset({"ROLE_PARTNER_ORDER_READ"})),
        MiraklKey(mirakl_secret(seed, code, "least"), shop_ids[-1:], PARTNER_ROLES),
        MiraklKey(mirakl_secret(seed, code, "too_much"), shop_ids[-1:], PARTNER_ROLES | ROLES_TOO_MANY),
        MiraklKey(mirakl_secret(seed, code, "operator"), shop_ids[-1:], is_operator=True),
    ]


StoreFactory = Callable[[], Store]
