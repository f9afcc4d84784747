"""Closes and deletes offers by file (OF01, NORMAL mode) and changes single fields of others (OF24)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum

from connectors.delivery import Action, DeliveryResult, Found, Request, Verification
from connectors.errors import ConnectorError
from connectors.mirakl.client import MiraklConnector
from connectors.mirakl.writes.calls import (
    OFFER_IMPORT,
    OFFER_IMPORT_ERRORS,
    OFFER_IMPORT_STATUS,
    OFFER_IMPORTS_PATH,
)
from connectors.mirakl.writes.file_requests import file_request, send_file
from connectors.mirakl.writes.imports import (
    DEFAULT_MAXIMUM_WAIT_SECONDS,
    ImportCalls,
    Importer,
    csv_file,
    sorted_out,
)
from connectors.mirakl.writes.offer_reading import Offers, quantity_of, read_offers
from connectors.mirakl.writes.offer_updates import OfferUpdates
from connectors.mirakl.writes.payloads import text
from connectors.mirakl.writes.sending import Desk, Unfit, failed_read

CALLS = ImportCalls(
    OFFER_IMPORT_STATUS,
    OFFER_IMPORTS_PATH + "/{}",
    OFFER_IMPORT_ERRORS,
    OFFER_IMPORTS_PATH + "/{}/error_report",
    poll_seconds=60.0,
)
NORMAL = {"import_mode": "NORMAL"}
"""REPLACE would delete every offer that is not in the file."""


class Operation(StrEnum):
    CLOSE = "CLOSE"
    DELETE = "DELETE"
    UPDATE = "UPDATE"


class OfferDelivery:
    """Changes offers. A payload holds `shop_sku` and `operation`:

    - CLOSE: quantity 0, so that it is not sold any more and stays (OF01; a file in NORMAL mode leaves alone what it has
      no column for);
    - DELETE: gone from the shop (OF01);
    - UPDATE: `changes` of single fields (OF24); see `OfferUpdates`, which proves that nothing else is lost.

    Precondition: one action per SKU; OF21 shows the offer; no earlier file of this process still runs.
    Look-up: OF21 shows quantity 0 (or no such offer) for CLOSE, no such offer for DELETE, the changed fields for
    UPDATE. All three are states: a repeat does no harm, a repeated deletion is an error line.
    """

    kind = "OFFER"

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
        self._updates = OfferUpdates(self._desk, self._importer)

    def preview(self, actions: Sequence[Action]) -> list[Request]:
        good, _ = sorted_out(actions, _wanted)
        requests = self._updates.preview(_of(actions, good, Operation.UPDATE))
        return requests + [
            file_request(self._desk, OFFER_IMPORTS_PATH, "offers.csv", _file(operation, skus), NORMAL)
            for operation in (Operation.CLOSE, Operation.DELETE)
            if (skus := _skus(good, operation))
        ]

    def look_up(self, actions: Sequence[Action]) -> dict[str, Found | None]:
        return {
            key: Found((), True, verification.detail) if verification.ok else None
            for key, verification in self.read_back(actions).items()
        }

    def send(self, actions: Sequence[Action]) -> dict[str, DeliveryResult]:
        good, results = sorted_out(actions, _wanted)
        results |= self._updates.send(_of(actions, good, Operation.UPDATE))
        for operation in (Operation.CLOSE, Operation.DELETE):
            results |= self._import(operation, {k: sku for k, (sku, o) in good.items() if o is operation})
        return results

    def read_back(self, actions: Sequence[Action]) -> dict[str, Verification]:
        wanted: dict[str, tuple[str, Operation]] = {}
        result = {a.action_key: Verification(False, "the payload cannot be read") for a in actions}
        for action in actions:
            try:
                wanted[action.action_key] = _wanted(action)
            except Unfit:
                continue  # it cannot have been sent, and `send` says why it cannot be
        offers = read_offers(self._desk, {sku for sku, _ in wanted.values()})
        for key, (sku, operation) in wanted.items():
            if operation is not Operation.UPDATE:
                result[key] = _verified(operation, sku, offers)
        return result | self._updates.read_back(_of(actions, wanted, Operation.UPDATE), offers)

    def _import(self, operation: Operation, skus: dict[str, str]) -> dict[str, DeliveryResult]:
        """One file for the actions (SKU by key) of one operation."""
        if not skus:
            return {}
        try:
            offers = read_offers(self._desk, set(skus.values()))
        except ConnectorError as error:
            return dict.fromkeys(skus, failed_read(error))
        results: dict[str, DeliveryResult] = {}
        for key, sku in list(skus.items()):
            if sku not in offers.by_sku:
                del skus[key]
                results[key] = Unfit(f"the shop has no offer with SKU {sku}").result()
        if not skus:
            return results
        content = _file(operation, list(skus.values()))
        return results | self._importer.run(
            OFFER_IMPORT,
            lambda: send_file(self._desk, OFFER_IMPORT, OFFER_IMPORTS_PATH, "offers.csv", content, NORMAL),
            {key: (sku,) for key, sku in skus.items()},
        )


def _verified(operation: Operation, sku: str, offers: Offers) -> Verification:
    """Whether a CLOSE or a DELETE shows."""
    offer = offers.by_sku.get(sku)
    if offer is None:
        if offers.unreadable:
            return Verification(False, f"{sku} was not seen, but {offers.unreadable} offers could not be read")
        return Verification(True, f"the shop has no offer with SKU {sku}")
    quantity = quantity_of(offer)
    return Verification(operation is Operation.CLOSE and quantity == 0, f"the offer is there with quantity {quantity}")


def _wanted(action: Action) -> tuple[str, Operation]:
    """SKU and operation. Raises Unfit."""
    operation = text(action.payload, "operation")
    if operation not in set(Operation):
        raise Unfit(f"operation is not one of {', '.join(Operation)}")
    return text(action.payload, "shop_sku"), Operation(operation)


def _of(actions: Sequence[Action], wanted: dict[str, tuple[str, Operation]], operation: Operation) -> list[Action]:
    return [a for a in actions if a.action_key in wanted and wanted[a.action_key][1] is operation]


def _skus(good: dict[str, tuple[str, Operation]], operation: Operation) -> list[str]:
    return [sku for sku, one in good.values() if one is operation]


def _file(operation: Operation, skus: Sequence[str]) -> bytes:
    """Only the columns that say it: what has no column stays as it is."""
    if operation is Operation.CLOSE:
        return csv_file(("sku", "quantity", "update-delete"), [(sku, "0", "update") for sku in skus])
    return csv_file(("sku", "update-delete"), [(sku, "delete") for sku in skus])
