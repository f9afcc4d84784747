"""Request bodies in the shapes of the specification, read strictly: types, required members, lengths, enumerations.

Members that a body does not know are ignored, as the platform does. A number may come quoted, as it does in some of the
published examples; it is read exactly.
"""

import re
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from sandbox.mirakl.values import BadParameter

TaxMode = Literal["TAX_INCLUDED", "TAX_EXCLUDED"]
PaymentStatus = Literal["OK", "REFUSED"]
Text = Annotated[str, msgspec.Meta(min_length=1)]
Whole = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]


class Amount(msgspec.Struct):
    """A tax's or a fee's amount by its code."""

    code: Text
    amount: Decimal


class Refund(msgspec.Struct):
    order_line_id: Text
    amount: Decimal
    shipping_amount: Decimal
    reason_code: Text
    quantity: Whole = 0
    currency_iso_code: str | None = None
    excluded_from_shipment: bool | None = None
    fees: list[Amount] | None = None
    taxes: list[Amount] | None = None
    shipping_taxes: list[Amount] | None = None


class RefundBody(msgspec.Struct):
    refunds: Annotated[list[Refund], msgspec.Meta(min_length=1)]
    order_tax_mode: TaxMode | None = None


class Cancelation(msgspec.Struct):
    order_line_id: Text
    amount: Decimal
    shipping_amount: Decimal
    quantity: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
    reason_code: Text
    currency_iso_code: str | None = None
    fees: list[Amount] | None = None
    taxes: list[Amount] | None = None
    shipping_taxes: list[Amount] | None = None


class CancelationBody(msgspec.Struct):
    cancelations: Annotated[list[Cancelation], msgspec.Meta(min_length=1)]
    order_tax_mode: TaxMode | None = None


class OrderTracking(msgspec.Struct):
    """OR23; its URL is `carrier_url` where shipments say `tracking_url`."""

    carrier_code: str | None = None
    carrier_name: str | None = None
    carrier_standard_code: str | None = None
    carrier_url: str | None = None
    tracking_number: str | None = None


class Tracking(msgspec.Struct):
    carrier_code: str | None = None
    carrier_name: str | None = None
    carrier_standard_code: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None


class ShipmentLine(msgspec.Struct):
    quantity: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
    order_line_id: str | None = None
    offer_sku: str | None = None
    package_reference: str | None = None


class Warehouse(msgspec.Struct):
    code: str | None = None


class ShippingFrom(msgspec.Struct):
    warehouse: Warehouse | None = None


class ShipmentInformation(msgspec.Struct):
    code: str
    type: str
    value: Any


class Shipment(msgspec.Struct):
    order_id: Text
    shipment_lines: Annotated[list[ShipmentLine], msgspec.Meta(min_length=1)]
    shipped: bool = False
    invoice_reference: Annotated[str, msgspec.Meta(max_length=255, pattern=r"^[0-9a-zA-Z_-]*$")] | None = None
    shipment_additional_information: list[ShipmentInformation] | None = None
    shipping_from: ShippingFrom | None = None
    tracking: Tracking | None = None


class ShipmentBody(msgspec.Struct):
    shipments: Annotated[list[Shipment], msgspec.Meta(min_length=1, max_length=1000)]


class ShipmentId(msgspec.Struct):
    id: Text


class ShipmentIdBody(msgspec.Struct):
    shipments: Annotated[list[ShipmentId], msgspec.Meta(min_length=1, max_length=1000)]


class ShipmentTracking(msgspec.Struct):
    id: Text
    tracking: Tracking


class ShipmentTrackingBody(msgspec.Struct):
    shipments: Annotated[list[ShipmentTracking], msgspec.Meta(min_length=1, max_length=1000)]


class KnownWarehouse(msgspec.Struct):
    code: Text


class KnownShippingFrom(msgspec.Struct):
    warehouse: KnownWarehouse


class ShipmentOrigin(msgspec.Struct):
    id: Text
    shipping_from: KnownShippingFrom


class ShipmentOriginBody(msgspec.Struct):
    shipments: Annotated[list[ShipmentOrigin], msgspec.Meta(min_length=1, max_length=100)]


class ReasonBody(msgspec.Struct):
    reason_code: Text


class OptionalReasonBody(msgspec.Struct):
    reason_code: str | None = None


class DebitEntity(msgspec.Struct):
    id: Text
    type: Literal["ORDER", "SHIPMENT"]


class Debit(msgspec.Struct):
    order_id: Text
    customer_id: Text
    payment_status: PaymentStatus
    amount: Decimal | None = None
    currency_iso_code: str | None = None
    debit_entity: DebitEntity | None = None
    transaction_date: str | None = None
    transaction_number: str | None = None


class DebitBody(msgspec.Struct):
    orders: Annotated[list[Debit], msgspec.Meta(min_length=1)]


class RefundPayment(msgspec.Struct):
    refund_id: Text
    payment_status: PaymentStatus
    amount: Decimal | None = None
    currency_iso_code: str | None = None
    transaction_date: str | None = None
    transaction_number: str | None = None


class RefundPaymentBody(msgspec.Struct):
    refunds: Annotated[list[RefundPayment], msgspec.Meta(min_length=1)]


class CyclePayment(msgspec.Struct):
    id: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]
    amount_transferred_to_seller: Decimal
    state: Literal["PAID", "FAILED"]
    currency_iso_code: str | None = None
    failure_reason: Literal["INCOMPLETE_KYC", "AWAITING_INVOICE_CHECK"] | None = None
    reference: str | None = None
    transaction_date: str | None = None


class CyclePaymentBody(msgspec.Struct):
    seller_billing_cycles: Annotated[list[CyclePayment], msgspec.Meta(min_length=1, max_length=100)]


class ReturnDecision(msgspec.Struct):
    id: Text
    accepted: bool
    rejection_reason_code: str | None = None


class ReturnDecisionBody(msgspec.Struct):
    returns: Annotated[list[ReturnDecision], msgspec.Meta(min_length=1, max_length=100)]


class ReturnId(msgspec.Struct):
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=36)]


class ReturnIdBody(msgspec.Struct):
    returns: Annotated[list[ReturnId], msgspec.Meta(min_length=1, max_length=100)]


Body = TypeVar("Body", bound=msgspec.Struct)
_PLACE = re.compile(r"^(?P<message>.*?)(?: - at `\$\.?(?P<place>[^`]*)`)?$", re.DOTALL)
_MISSING = re.compile(r"required field `(?P<name>\w+)`")


def read(content: bytes, kind: type[Body]) -> Body:
    """The body. Raises BadParameter with the member named, which is answered with 400."""
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError as error:
        found = _PLACE.match(str(error))
        message, place = (found["message"], found["place"] or "") if found else (str(error), "")
        missing = _MISSING.search(message)
        if missing:
            place = f"{place}.{missing['name']}" if place else missing["name"]
        raise BadParameter(place or "body", message) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadParameter("body", "The request body is not valid JSON") from None


def plain(body: msgspec.Struct) -> Any:
    """The body as dicts and lists, amounts still exact: what the journal keeps."""
    return msgspec.to_builtins(body, builtin_types=(Decimal,))
