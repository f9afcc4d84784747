"""Pushes stock quantities to a Mirakl marketplace (STO01) and reads the import's report to its last error line."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from connectors.delivery import Action, DeliveryResult, Found, Request, Verification
from connectors.mirakl.client import MiraklConnector
from connectors.mirakl.writes.calls import (
    STOCK_IMPORT,
    STOCK_IMPORT_ERRORS,
    STOCK_IMPORT_STATUS,
    STOCK_IMPORTS_PATH,
)
from connectors.mirakl.writes.file_requests import file_request, send_file
from connectors.mirakl.writes.imports import DEFAULT_MAXIMUM_WAIT_SECONDS, ImportCalls, Importer, csv_file, sorted_out
from connectors.mirakl.writes.offer_reading import quantity_of, read_offers
from connectors.mirakl.writes.payloads import count, text
from connectors.mirakl.writes.sending import Desk, Unfit

HEADINGS = ("offer-sku", "quantity", "warehouse-code", "update-delete")
CALLS = ImportCalls(
    STOCK_IMPORT_STATUS,
    STOCK_IMPORTS_PATH + "/{}/status",
    STOCK_IMPORT_ERRORS,
    STOCK_IMPORTS_PATH + "/{}/error_report",
    poll_seconds=15.0,
)


class StockDelivery:
    """Sets the quantity of offers. A payload holds `shop_sku` and `quantity` (whole units, not negative).

    One call of `send` is one file and one import. `poll_seconds` is the pause between two looks at the import (Mirakl
    allows one in 15 s); `maximum_wait_seconds` bounds them, after which the outcome is UNKNOWN.

    Precondition: one action per SKU; no earlier file of this process still runs, because files must not overtake each
    other. That the shop has the offer is the import's own check, line by line.
    Look-up: OF21 shows the wanted quantity. A quantity is a state, not an event: a repeat does no harm.
    """

    kind = "STOCK"

    def __init__(
        self,
        connector: MiraklConnector,
        *,
        poll_seconds: float | None = None,
        maximum_wait_seconds: float = DEFAULT_MAXIMUM_WAIT_SECONDS,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self._desk = Desk(connector)
        self._importer = Importer(
            self._desk,
            CALLS,
            poll_seconds=poll_seconds,
            maximum_wait_seconds=maximum_wait_seconds,
            sleep=sleep,
        )

    def preview(self, actions: Sequence[Action]) -> list[Request]:
        good, _ = sorted_out(actions, _wanted)
        return [file_request(self._desk, STOCK_IMPORTS_PATH, "stock.csv", _file(good))] if good else []

    def look_up(self, actions: Sequence[Action]) -> dict[str, Found | None]:
        return {
            key: Found((), True, verification.detail) if verification.ok else None
            for key, verification in self.read_back(actions).items()
        }

    def send(self, actions: Sequence[Action]) -> dict[str, DeliveryResult]:
        good, results = sorted_out(actions, _wanted)
        if not good:
            return results
        return results | self._importer.run(
            STOCK_IMPORT,
            lambda: send_file(self._desk, STOCK_IMPORT, STOCK_IMPORTS_PATH, "stock.csv", _file(good)),
            {key: (sku,) for key, (sku, _) in good.items()},
        )

    def read_back(self, actions: Sequence[Action]) -> dict[str, Verification]:
        wanted: dict[str, tuple[str, int]] = {}
        result = {a.action_key: Verification(False, "the payload cannot be read") for a in actions}
        for action in actions:
            try:
                wanted[action.action_key] = _wanted(action)
            except Unfit:
                continue  # it cannot have been sent, and `send` says why it cannot be
        offers = read_offers(self._desk, {sku for sku, _ in wanted.values()}).by_sku
        for key, (sku, quantity) in wanted.items():
            if sku not in offers:
                result[key] = Verification(False, f"the shop has no offer with SKU {sku}")
            else:
                held = quantity_of(offers[sku])
                result[key] = Verification(held == quantity, f"quantity is {held}, wanted {quantity}")
        return result


def _wanted(action: Action) -> tuple[str, int]:
    """SKU and quantity. Raises Unfit."""
    return text(action.payload, "shop_sku"), count(action.payload, "quantity", minimum=0)


def _file(good: dict[str, tuple[str, int]]) -> bytes:
    """The STO01 file: one line per offer, no warehouse (the offer's global quantity), in the order of the actions."""
    return csv_file(HEADINGS, [(sku, str(quantity), "", "update") for sku, quantity in good.values()])
