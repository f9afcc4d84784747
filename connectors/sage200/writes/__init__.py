"""What is written to Sage 200, one module per family of documents.

Nothing at Sage is idempotent and no write takes a key, so every delivery looks before it writes and looks again
afterwards, and says in its docstring what its precondition is and by what an unknown outcome is recognised.
"""

from __future__ import annotations

from connectors.addresses import DestinationsOf
from connectors.delivery import Delivery
from connectors.sage200.client import Sage200Connector
from connectors.sage200.writes.allocations import AllocationDelivery
from connectors.sage200.writes.cash_book import BankPaymentDelivery, BankReceiptDelivery, BankTransferDelivery
from connectors.sage200.writes.codes import Codes
from connectors.sage200.writes.customers import CustomerDelivery
from connectors.sage200.writes.journal import JournalDelivery
from connectors.sage200.writes.order_addresses import SageOrderAddressDelivery
from connectors.sage200.writes.order_cancellations import OrderCancellationDelivery
from connectors.sage200.writes.orders import SalesOrderDelivery
from connectors.sage200.writes.sending import CONCURRENCY, Desk
from connectors.sage200.writes.trading import (
    PurchaseInvoiceDelivery,
    SalesCreditNoteDelivery,
    SalesInvoiceDelivery,
    SalesPaymentDelivery,
    SalesReceiptDelivery,
)

__all__ = [
    "AllocationDelivery",
    "BankPaymentDelivery",
    "BankReceiptDelivery",
    "BankTransferDelivery",
    "CustomerDelivery",
    "JournalDelivery",
    "OrderCancellationDelivery",
    "PurchaseInvoiceDelivery",
    "SalesCreditNoteDelivery",
    "SalesInvoiceDelivery",
    "SalesOrderDelivery",
    "SalesPaymentDelivery",
    "SalesReceiptDelivery",
    "deliveries",
]


def deliveries(
    connector: Sage200Connector, concurrency: int = CONCURRENCY, destinations_of: DestinationsOf | None = None
) -> dict[str, Delivery]:
    """Who delivers what to this company, by kind of action. `concurrency` writes are under way at a time. Without
    `destinations_of` no address is written.
    """
    desk = Desk(connector, concurrency)
    codes = Codes(desk)
    addresses: dict[str, Delivery] = {}
    if destinations_of is not None:
        addresses["ORDER_ADDRESS"] = SageOrderAddressDelivery(desk, codes, destinations_of)
    return addresses | {
        "JOURNAL": JournalDelivery(desk, codes),
        "CUSTOMER": CustomerDelivery(desk, codes),
        "SALES_ORDER": SalesOrderDelivery(desk, codes),
        "ORDER_CANCELLATION": OrderCancellationDelivery(desk, codes),
        "SALES_RECEIPT": SalesReceiptDelivery(desk, codes),
        "SALES_PAYMENT": SalesPaymentDelivery(desk, codes),
        "SALES_INVOICE": SalesInvoiceDelivery(desk, codes),
        "CREDIT_NOTE": SalesCreditNoteDelivery(desk, codes),
        "SALES_ALLOCATION": AllocationDelivery(desk, codes),
        "BANK_PAYMENT": BankPaymentDelivery(desk, codes),
        "BANK_RECEIPT": BankReceiptDelivery(desk, codes),
        "BANK_TRANSFER": BankTransferDelivery(desk, codes),
        "PURCHASE_INVOICE": PurchaseInvoiceDelivery(desk, codes),
    }
