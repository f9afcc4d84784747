"""Sets the prices of offers (PRI01) and reads the import's report to its last error line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from connectors.delivery import Action, DeliveryResult, Found, Request, Verification
from connectors.errors import ConnectorError
from connectors.mirakl.client import MiraklConnector
from connectors.mirakl.writes.calls import (
    PRICE_IMPORT,
    PRICE_IMPORT_ERRORS,
    PRICE_IMPORT_STATUS,
    PRICE_IMPORTS_PATH,
)
from connectors.mirakl.writes.file_requests import file_request, send_file
from connectors.mirakl.writes.imports import (
    DEFAULT_MAXIMUM_WAIT_SECONDS,
    ImportCalls,
    Importer,
    csv_file,
    sorted_out,
)
from connectors.mirakl.writes.offer_reading import Offer, read_offers
from connectors.mirakl.writes.payloads import optional_flag, text
from connectors.mirakl.writes.platform import Platform
from connectors.mirakl.writes.price_lists import (
    BASE_HEADINGS,
    MORE_HEADINGS,
    Place,
    Price,
    by_place,
    held_prices,
    read_prices,
)
from connectors.mirakl.writes.sending import Desk, Unfit, failed_read

CALLS = ImportCalls(
    PRICE_IMPORT_STATUS,
    PRICE_IMPORTS_PATH,
    PRICE_IMPORT_ERRORS,
    PRICE_IMPORTS_PATH + "/{}/error_report",
    poll_seconds=60.0,
)
SINGLE = "SINGLE"


@dataclass(frozen=True, slots=True)
class PriceList:
    prices: tuple[Price, ...]
    deletes_others: bool


class PriceDelivery:
    """Sets all prices of offers. A payload holds `shop_sku` and `prices`, the offer's complete list of `{"price",
    "discount_price"?, "discount_start_date"?, "discount_end_date"?, "price_ranges"?, "discount_ranges"?, "channels"?,
    "start_date"?, "end_date"?}`, in the shop's currency, with stamps in ISO 8601; ranges are lists of
    `{"quantity_threshold", "price"}`. An import deletes every price of the offer that is not in the file.

    One call of `send` is one file and one import.

    Precondition: one action per SKU; OF21 shows the offer, and no discount and no price of a channel, period or
    customer that the payload does not name, unless it says `deletes_others`; where channels are priced singly (PC01)
    each of the offer's channels is read for its price. Prices of single customers are shown to nobody who does not ask
    for the customer: where those exist, the payload must be their master. No earlier file of this process still runs.
    Look-up: OF21 shows these prices. A price is a state, a repeat does no harm. Where prices wait for the operator's
    approval, OF21 shows the old ones until then.
    """

    kind = "PRICE"

    def __init__(
        self,
        connector: MiraklConnector,
        *,
        poll_seconds: float | None = None,
        maximum_wait_seconds: float = DEFAULT_MAXIMUM_WAIT_SECONDS,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self._desk = Desk(connector)
        self._platform = Platform(self._desk)
        self._importer = Importer(
            self._desk,
            CALLS,
            poll_seconds=poll_seconds,
            maximum_wait_seconds=maximum_wait_seconds,
            sleep=sleep,
        )

    def preview(self, actions: Sequence[Action]) -> list[Request]:
        good, _ = sorted_out(actions, _wanted)
        return [file_request(self._desk, PRICE_IMPORTS_PATH, "prices.csv", _file(good))] if good else []

    def look_up(self, actions: Sequence[Action]) -> dict[str, Found | None]:
        return {
            key: Found((), True, verification.detail) if verification.ok else None
            for key, verification in self.read_back(actions).items()
        }

    def send(self, actions: Sequence[Action]) -> dict[str, DeliveryResult]:
        good, results = sorted_out(actions, _wanted)
        try:
            offers = self._offers({sku for sku, _ in good.values()})
        except ConnectorError as error:
            return results | dict.fromkeys(good, failed_read(error))
        for key, (sku, wanted) in list(good.items()):
            try:
                _check(sku, wanted, offers.get(sku))
            except Unfit as unfit:
                del good[key]
                results[key] = unfit.result()
        if not good:
            return results
        return results | self._importer.run(
            PRICE_IMPORT,
            lambda: send_file(self._desk, PRICE_IMPORT, PRICE_IMPORTS_PATH, "prices.csv", _file(good)),
            {key: (sku,) * len(wanted.prices) for key, (sku, wanted) in good.items()},
        )

    def read_back(self, actions: Sequence[Action]) -> dict[str, Verification]:
        wanted: dict[str, tuple[str, PriceList]] = {}
        result = {a.action_key: Verification(False, "the payload cannot be read") for a in actions}
        for action in actions:
            try:
                wanted[action.action_key] = _wanted(action)
            except Unfit:
                continue  # it cannot have been sent, and `send` says why it cannot be
        offers = self._offers({sku for sku, _ in wanted.values()})
        for key, (sku, one) in wanted.items():
            try:
                wrong = _differences(sku, one, offers.get(sku))
            except Unfit as unfit:
                wrong = [unfit.detail]
            result[key] = Verification(not wrong, "; ".join(wrong) or "the offer has these prices")
        return result

    def _offers(self, skus: set[str]) -> dict[str, list[Offer]]:
        """Each offer as shown by default, and where channels are priced singly once more for each of its channels."""
        views = {sku: [offer] for sku, offer in read_offers(self._desk, skus).by_sku.items()}
        if views and self._platform.channel_pricing == SINGLE:
            by_channel: dict[str, set[str]] = {}
            for sku, (offer,) in views.items():
                for channel in offer.get("channels") or ():
                    by_channel.setdefault(str(channel), set()).add(sku)
            for channel, some in sorted(by_channel.items()):
                for sku, offer in read_offers(self._desk, some, channel=channel).by_sku.items():
                    views[sku].append(offer)
        return views


def _wanted(action: Action) -> tuple[str, PriceList]:
    """SKU and prices. Raises Unfit."""
    prices = read_prices(action.payload)
    return text(action.payload, "shop_sku"), PriceList(prices, bool(optional_flag(action.payload, "deletes_others")))


def _held(sku: str, views: Sequence[Offer] | None) -> dict[Place, Price]:
    """Raises Unfit when there is no such offer, or its prices cannot be read."""
    if not views:
        raise Unfit(f"the shop has no offer with SKU {sku}")
    return by_place(price for view in views for price in held_prices(view))


def _check(sku: str, wanted: PriceList, views: Sequence[Offer] | None) -> None:
    """The precondition. Raises Unfit."""
    held, prices = _held(sku, views), by_place(wanted.prices)
    lost = sorted(
        str(place)
        for place in held.keys() & prices.keys()
        if held[place].discount is not None and prices[place].discount is None
    )
    if lost and not wanted.deletes_others:
        raise Unfit(f"the import would delete a discount of {sku} that the payload does not name: {', '.join(lost)}")
    others = held.keys() - prices.keys()
    if others and not wanted.deletes_others:
        named = ", ".join(sorted(str(place) for place in others))
        raise Unfit(f"the import would delete prices of {sku} that the payload does not name: {named}")


def _differences(sku: str, wanted: PriceList, views: Sequence[Offer] | None) -> list[str]:
    """Raises Unfit when the prices cannot be compared."""
    held, prices = _held(sku, views), by_place(wanted.prices)
    wrong = [f"{place} still has a price" for place in held.keys() - prices.keys()]
    for place, price in prices.items():
        if place not in held:
            wrong.append(f"{place} has no price")
        else:
            wrong += [f"{place}: {difference}" for difference in price.differences(held[place])]
    return sorted(wrong)


def _file(good: Mapping[str, tuple[str, PriceList]]) -> bytes:
    """One line per price, the lines of an offer together; features' columns only where a line needs them."""
    rows = [price.cells(sku) for sku, wanted in good.values() for price in wanted.prices]
    headings = (*BASE_HEADINGS, *(name for name in MORE_HEADINGS if any(row[name] for row in rows)))
    return csv_file(headings, [[row[name] for name in headings] for row in rows])
