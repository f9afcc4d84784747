"""Everything that can be written to one account, by kind of action."""

from __future__ import annotations

from connectors.addresses import DestinationsOf
from connectors.delivery import Delivery
from connectors.netsuite.client import NetSuiteConnector
from connectors.netsuite.delivery import JournalDelivery
from connectors.netsuite.document_delivery import (
    CreditMemoDelivery,
    CustomerPaymentDelivery,
    DepositDelivery,
    SalesOrderDelivery,
)
from connectors.netsuite.fulfilments import FulfilmentDelivery
from connectors.netsuite.order_addresses import NetSuiteOrderAddressDelivery
from connectors.netsuite.order_cancellations import OrderCancellationDelivery


def deliveries(
    connector: NetSuiteConnector, subsidiary_id: str | None, destinations_of: DestinationsOf | None = None
) -> dict[str, Delivery]:
    """`subsidiary_id` is the books that are written to, None on an account without subsidiaries. Without
    `destinations_of` no address is written.
    """
    made: tuple[Delivery, ...] = (
        JournalDelivery(connector, subsidiary_id),
        SalesOrderDelivery(connector, subsidiary_id),
        CreditMemoDelivery(connector, subsidiary_id),
        CustomerPaymentDelivery(connector, subsidiary_id),
        DepositDelivery(connector),
        FulfilmentDelivery(connector),
        OrderCancellationDelivery(connector),
    )
    if destinations_of is not None:
        made += (NetSuiteOrderAddressDelivery(connector, destinations_of),)
    return {delivery.kind: delivery for delivery in made}
