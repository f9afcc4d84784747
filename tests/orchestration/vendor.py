"""A vendor held in memory: real bytes, real windows, no HTTP. Faults are switched on by attributes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from connectors.decoding import record_hash
from connectors.delivery import Action, Delivery, DeliveryResult, Found, Outcome, Request, Verification
from connectors.errors import AuthError, ConnectorError, ServerFailed
from connectors.feeds import all_feeds
from connectors.records import CheckResult, FeedSpec, Page, Window
from orchestration.lib.budgets import CallUsage, KeyBudget

FETCHED_AT = datetime(2026, 7, 3, 8, tzinfo=UTC)
CALLS = {"transaction_lines": "TL02", "offers": "OF21"}
ENVELOPES = {"transaction_lines": "data", "offers": "offers", "offer_copies": "offers"}


def line(number: int, amount: str = "12.34", updated: str = "2026-07-01T10:00:00Z", **changes: Any) -> dict[str, Any]:
    """A transaction line of Mirakl's TL02."""
    return {
        "id": f"{number:08d}-0000-4000-8000-000000000000",
        "type": "ORDER_AMOUNT",
        "amount": f"@{amount}@",
        "currency_iso_code": "GBP",
        "date_created": "2026-07-01T09:00:00Z",
        "last_updated": updated,
        **changes,
    }


def offer(number: int, quantity: int = 5) -> dict[str, Any]:
    """An offer of Mirakl's OF21."""
    return {"offer_id": number, "shop_sku": f"SKU-{number}", "quantity": quantity, "active": True}


def render(record: Mapping[str, Any]) -> bytes:
    """JSON, with a text between two @ as a number exactly as typed: no float comes in between."""
    return json.dumps(record, separators=(",", ":")).replace('"@', "").replace('@"', "").encode()


@dataclass
class Vendor:
    """Answers like a connector. `records` by entity; `page_size` records a page."""

    vendor: str = "mirakl"
    records: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {"transaction_lines": [], "offers": []})
    page_size: int = 3
    fails_with: ConnectorError | None = None
    fails_after_pages: int = 0
    fails_entity: str | None = None
    """The only feed that fails; None: all."""
    between_pages: Callable[[int], None] | None = None
    """Called before each page but the first: things happen while somebody reads."""
    declares: int | None = None
    windows: list[Window] = field(default_factory=list)
    quantities: dict[str, str] = field(default_factory=dict)
    budget: KeyBudget | None = None
    warns_of: list[str] = field(default_factory=list)
    missing_columns: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def warnings(self) -> list[str]:
        return self.warns_of

    @property
    def feeds(self) -> Mapping[str, FeedSpec]:
        return all_feeds(self.vendor)

    def check(self) -> list[CheckResult]:
        return []

    def _within(self, entity: str, window: Window) -> list[dict[str, Any]]:
        if window.ids:
            return [one for one in self.records["offers"] if str(one["offer_id"]) in window.ids]
        records = self.records.get(entity, [])
        if window.since is None:
            return list(records)
        return [one for one in records if datetime.fromisoformat(one["last_updated"]) >= window.since]

    def pages(self, entity: str, window: Window) -> Iterator[Page]:
        self.windows.append(window)
        if self.budget is not None:
            self.budget.take(CALLS[entity], is_first_page=True)
        records = self._within(entity, window)
        number = 0
        while number == 0 or number * self.page_size < len(records):
            if number and self.between_pages is not None:
                self.between_pages(number)
                records = self._within(entity, window)
            chunk = records[number * self.page_size : (number + 1) * self.page_size]
            number += 1
            fails_now = self.fails_with is not None and number > self.fails_after_pages
            if self.fails_with is not None and fails_now and self.fails_entity in (None, entity):
                raise self.fails_with
            rendered = [render(one) for one in chunk]
            body = b'{"' + ENVELOPES.get(entity, "data").encode() + b'":[' + b",".join(rendered) + b"]}"
            yield Page(
                entity=entity,
                number=number,
                body=body,
                url=f"https://vendor.example/{entity}?page={number}",
                status=200,
                fetched_at=FETCHED_AT,
                record_count=len(chunk),
                record_hashes=tuple(map(record_hash, rendered)),
                declared_count=len(records) if self.declares is None else self.declares,
                cursor=max((one["last_updated"] for one in chunk if "last_updated" in one), default=None),
            )


class Postman:
    """A delivery that succeeds, and changes the vendor: its lines are confirmed by one more line."""

    kind = "STOCK"

    def __init__(self, vendor: Vendor, fate: Outcome = Outcome.SENT) -> None:
        self._vendor = vendor
        self._fate = fate

    def preview(self, actions: Any) -> list[Request]:
        return []

    def look_up(self, actions: Any) -> dict[str, Found | None]:
        return {action.action_key: None for action in actions}

    def send(self, actions: list[Action]) -> dict[str, DeliveryResult]:
        if self._fate is not Outcome.SENT:
            return {action.action_key: DeliveryResult(self._fate, detail="no such offer") for action in actions}
        for action in actions:
            self._vendor.quantities[action.action_key] = str(action.payload["quantity"])
        return {action.action_key: DeliveryResult(Outcome.SENT, ("1",)) for action in actions}

    def read_back(self, actions: Any) -> dict[str, Verification]:
        return {action.action_key: Verification(action.action_key in self._vendor.quantities, "") for action in actions}


@dataclass
class Vendors:
    """Where a run finds its connectors: one fake per account."""

    accounts: dict[tuple[str, str], Vendor]
    is_delivering: bool = False
    fate: Outcome = Outcome.SENT
    """What becomes of everything that is delivered."""
    budgets: dict[tuple[str, str], KeyBudget] = field(default_factory=dict)

    def connector(self, vendor: str, account: str) -> Vendor:
        return self.accounts[vendor, account]

    def deliveries(self) -> dict[tuple[str, str], Delivery]:
        if not self.is_delivering:
            return {}
        return {("STOCK", account): Postman(fake, self.fate) for (_, account), fake in self.accounts.items()}

    def budget(self, vendor: str, account: str) -> KeyBudget | None:
        return self.budgets.get((vendor, account))

    def usage(self) -> list[CallUsage]:
        return []


def wrong_key() -> AuthError:
    return AuthError("the key was not accepted", vendor="mirakl", call="TL02", status=401)


def broken_server() -> ServerFailed:
    return ServerFailed("the server failed", vendor="mirakl", call="TL02", status=503)
