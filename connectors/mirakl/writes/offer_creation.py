"""Lists new offers by file (OF01, NORMAL mode)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from connectors.delivery import Action, DeliveryResult, Found, Request, Verification
from connectors.errors import ConnectorError
from connectors.mirakl.client import MiraklConnector
from connectors.mirakl.writes.calls import OFFER_IMPORT, OFFER_IMPORTS_PATH
from connectors.mirakl.writes.file_requests import file_request, send_file
from connectors.mirakl.writes.imports import DEFAULT_MAXIMUM_WAIT_SECONDS, Importer, csv_file, sorted_out
from connectors.mirakl.writes.offer_reading import Offer, decimal, read_offers
from connectors.mirakl.writes.offers import CALLS, NORMAL
from connectors.mirakl.writes.payloads import amount, count, text
from connectors.mirakl.writes.sending import Desk, Unfit, failed_read

COLUMNS = ("sku", "product-id", "product-id-type", "price", "quantity", "state", "update-delete")
LONGEST_SKU = 40


@dataclass(frozen=True, slots=True)
class NewOffer:
    product_id: str
    product_id_type: str
    price: Decimal
    quantity: int
    state_code: str


class OfferCreationDelivery:
    """Lists offers that the shop does not have. A payload holds `shop_sku`, `product_id` and `product_id_type` (EAN,
    UPC, SKU, …: the operator's product), `price` in the shop's currency, `state_code` (the condition of the
    goods, OF61) and `quantity` in offer units.

    One call of `send` is one file and one import.

    Precondition: one action per SKU; a SKU of at most 40 characters without a slash; OF21 shows no offer of that SKU,
    because a line of the file would change one that is there. No earlier file of this process still runs.
    Look-up: OF21 shows an offer of this SKU, product, price and condition. That is a state, and an equal file that
    still waits is the same import at Mirakl, so a repeat makes no second offer. The quantity is not compared: stock
    may be pushed meanwhile.
    """

    kind = "OFFER_CREATE"

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
            self._desk, CALLS, poll_seconds=poll_seconds, maximum_wait_seconds=maximum_wait_seconds, sleep=sleep
        )

    def preview(self, actions: Sequence[Action]) -> list[Request]:
        good, _ = sorted_out(actions, _wanted)
        return [file_request(self._desk, OFFER_IMPORTS_PATH, "offers.csv", _file(good), NORMAL)] if good else []

    def look_up(self, actions: Sequence[Action]) -> dict[str, Found | None]:
        return {
            key: Found((), True, verification.detail) if verification.ok else None
            for key, verification in self.read_back(actions).items()
        }

    def send(self, actions: Sequence[Action]) -> dict[str, DeliveryResult]:
        good, results = sorted_out(actions, _wanted)
        try:
            offers = read_offers(self._desk, {sku for sku, _ in good.values()})
        except ConnectorError as error:
            return results | dict.fromkeys(good, failed_read(error))
        for key, (sku, _) in list(good.items()):
            if sku in offers.by_sku or offers.unreadable:
                del good[key]
                why = f"the shop has an offer with SKU {sku} already"
                if sku not in offers.by_sku:
                    why = f"{offers.unreadable} offers could not be read, {sku} may be among them"
                results[key] = Unfit(why, is_for_now=sku not in offers.by_sku).result()
        if not good:
            return results
        return results | self._importer.run(
            OFFER_IMPORT,
            lambda: send_file(self._desk, OFFER_IMPORT, OFFER_IMPORTS_PATH, "offers.csv", _file(good), NORMAL),
            {key: (sku,) for key, (sku, _) in good.items()},
        )

    def read_back(self, actions: Sequence[Action]) -> dict[str, Verification]:
        result = {a.action_key: Verification(False, "the payload cannot be read") for a in actions}
        good, _ = sorted_out(actions, _wanted)
        offers = read_offers(self._desk, {sku for sku, _ in good.values()}) if good else None
        for key, (sku, wanted) in good.items():
            result[key] = _verified(sku, wanted, offers.by_sku.get(sku) if offers else None)
        return result


def _verified(sku: str, wanted: NewOffer, offer: Offer | None) -> Verification:
    if offer is None:
        return Verification(False, f"the shop has no offer with SKU {sku}")
    ids = (str(offer.get("offer_id")),)
    if (wanted.product_id_type, wanted.product_id) not in _products_of(offer):
        return Verification(False, f"the offer {sku} sells product {offer.get('product_sku')}", ids)
    shown = (decimal(offer.get("price")), str(offer.get("state_code")))
    if shown != (wanted.price, wanted.state_code):
        return Verification(False, f"the offer {sku} asks {shown[0]} in condition {shown[1]}", ids)
    return Verification(True, f"the offer {sku} is there", ids)


def _products_of(offer: Offer) -> set[tuple[str, str]]:
    """Type and value of every reference to the product that the offer sells."""
    references = offer.get("product_references")
    found = {("SKU", str(offer.get("product_sku")))}
    for one in references if isinstance(references, list) else ():
        if isinstance(one, Mapping):
            found.add((str(one.get("reference_type")), str(one.get("reference"))))
    return found


def _wanted(action: Action) -> tuple[str, NewOffer]:
    """SKU and offer. Raises Unfit."""
    sku = text(action.payload, "shop_sku")
    if len(sku) > LONGEST_SKU or "/" in sku:
        raise Unfit(f"{sku} is no SKU of an offer: at most {LONGEST_SKU} characters, without a slash")
    price = amount(action.payload, "price")
    if not price:
        raise Unfit("price is not more than 0")
    return sku, NewOffer(
        text(action.payload, "product_id"),
        text(action.payload, "product_id_type"),
        price,
        count(action.payload, "quantity", minimum=0),
        text(action.payload, "state_code"),
    )


def _file(good: Mapping[str, tuple[str, NewOffer]]) -> bytes:
    rows = [
        (sku, new.product_id, new.product_id_type, format(new.price, "f"), str(new.quantity), new.state_code, "update")
        for sku, new in good.values()
    ]
    return csv_file(COLUMNS, rows)
