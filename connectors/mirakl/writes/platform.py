"""What the marketplace's own settings say about writing (PC01), read once per delivery."""

from __future__ import annotations

import msgspec

from connectors.errors import BadPayload
from connectors.http import Answer
from connectors.mirakl.decode import VENDOR
from connectors.mirakl.writes.calls import PLATFORM, PLATFORM_PATH
from connectors.mirakl.writes.sending import Desk


class _Shipment(msgspec.Struct):
    multi_shipment: bool | None = None


class _Pricing(msgspec.Struct):
    channel_pricing: str | None = None


class _Features(msgspec.Struct):
    shipment: _Shipment | None = None
    pricing: _Pricing | None = None
    disable_seller_alternative_carrier: bool | None = None


class _Platform(msgspec.Struct):
    features: _Features


class Platform:
    """The settings, read at the first question. Raises a ConnectorError when they cannot be: no write is chosen by a
    guess.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._features: _Features | None = None

    @property
    def is_multi_shipment(self) -> bool:
        """Whether orders are shipped by shipments (ST..) instead of as a whole (OR23, OR24)."""
        shipment = self._settings().shipment
        if shipment is None or shipment.multi_shipment is None:
            raise BadPayload(
                "the platform does not say whether it has several shipments per order",
                vendor=VENDOR,
                call=PLATFORM.name,
            )
        return shipment.multi_shipment

    @property
    def takes_free_carrier_names(self) -> bool:
        return not self._settings().disable_seller_alternative_carrier

    @property
    def channel_pricing(self) -> str:
        """DISABLED, SINGLE (prices of a channel are shown only when asked for it) or MULTI."""
        pricing = self._settings().pricing
        if pricing is None or pricing.channel_pricing is None:
            raise BadPayload("the platform does not say how channels are priced", vendor=VENDOR, call=PLATFORM.name)
        return pricing.channel_pricing

    def _settings(self) -> _Features:
        if self._features is None:
            self._features = self._desk.read(PLATFORM, PLATFORM_PATH, {}, _parse)
        return self._features


def _parse(answer: Answer) -> _Features:
    try:
        return msgspec.json.decode(answer.body, type=_Platform).features
    except (msgspec.DecodeError, ValueError) as error:
        raise BadPayload("no platform settings", vendor=VENDOR, call=PLATFORM.name, detail=str(error)) from error
