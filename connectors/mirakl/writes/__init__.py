"""What is written to a Mirakl marketplace, one module per kind of action.

Nothing at Mirakl is idempotent and no write takes a key, except where a package reference of a shipment can be one. So
every delivery looks before it writes and looks again afterwards, and says in its docstring what its precondition is and
by what an unknown outcome is recognised.
"""

from __future__ import annotations

from connectors.delivery import Delivery
from connectors.mirakl.client import MiraklConnector
from connectors.mirakl.writes.acceptance import AcceptanceDelivery
from connectors.mirakl.writes.cancelations import CancelationDelivery
from connectors.mirakl.writes.dispatch import DispatchDelivery
from connectors.mirakl.writes.offer_creation import OfferCreationDelivery
from connectors.mirakl.writes.offers import OfferDelivery
from connectors.mirakl.writes.prices import PriceDelivery
from connectors.mirakl.writes.refunds import RefundDelivery
from connectors.mirakl.writes.shipment_changes import ShipmentDeletionDelivery, ShipmentOriginDelivery
from connectors.mirakl.writes.stock import StockDelivery
from connectors.mirakl.writes.tracking import TrackingDelivery

__all__ = [
    "AcceptanceDelivery",
    "CancelationDelivery",
    "DispatchDelivery",
    "OfferCreationDelivery",
    "OfferDelivery",
    "PriceDelivery",
    "RefundDelivery",
    "ShipmentDeletionDelivery",
    "ShipmentOriginDelivery",
    "StockDelivery",
    "TrackingDelivery",
    "deliveries",
]


def deliveries(connector: MiraklConnector) -> dict[str, Delivery]:
    """Who delivers what to this account, by kind of action. An operator writes nothing: all of it is a shop's to do."""
    if connector.shop_id is None:
        return {}
    return {
        "ACCEPTANCE": AcceptanceDelivery(connector),
        "TRACKING": TrackingDelivery(connector),
        "DISPATCH": DispatchDelivery(connector),
        "SHIPMENT_DELETION": ShipmentDeletionDelivery(connector),
        "SHIPMENT_ORIGIN": ShipmentOriginDelivery(connector),
        "REFUND": RefundDelivery(connector),
        "CANCELATION": CancelationDelivery(connector),
        "STOCK": StockDelivery(connector),
        "OFFER": OfferDelivery(connector),
        "OFFER_CREATE": OfferCreationDelivery(connector),
        "PRICE": PriceDelivery(connector),
    }
