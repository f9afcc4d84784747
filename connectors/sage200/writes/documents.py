"""The payloads of the writes to Sage 200, and their arithmetic.

Amounts, prices and quantities are decimal text, amounts with at most 2 decimals in the document's currency and never
negative; dates are calendar dates (ISO). `wire_key` is what Sage stores as `reference` (at most 20 characters);
`reference` is what people know the document by, and becomes `second_reference`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, TypeVar

import msgspec

from connectors.sage200.journals import Account
from connectors.sage200.writes.sending import Unfit

MAXIMUM_REFERENCE = 20
MAXIMUM_ORDER_REFERENCE = 30
MAXIMUM_NARRATIVE = 500
"""Sage takes 6000 characters; what is shown in its lists is far shorter."""
NIL = Decimal("0.00")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Analysis(msgspec.Struct, frozen=True):
    """One nominal account's share. `tax_code` is Sage's small number, required with a `tax_amount`."""

    account_code: str
    net_amount: str
    tax_amount: str = "0.00"
    tax_code: str | None = None
    cost_centre: str | None = None
    department: str | None = None
    narrative: str | None = None
    analysis_code: str | None = None
    """Sage's transaction analysis code; sales documents only, the cash book and journals take none."""

    @property
    def account(self) -> Account:
        return Account(self.account_code, self.cost_centre or "", self.department or "")


class CustomerCash(msgspec.Struct, frozen=True):
    """A sales receipt (money of the customer comes in) or a sales payment (it goes back)."""

    wire_key: str
    document_date: str
    customer_reference: str
    bank_code: str
    currency_code: str
    amount: str
    reference: str | None = None


class SalesDocument(msgspec.Struct, frozen=True):
    """A sales invoice or a credit note; a credit note's amounts are positive too."""

    wire_key: str
    document_date: str
    customer_reference: str
    currency_code: str
    lines: list[Analysis]
    due_date: str | None = None
    reference: str | None = None


class PurchaseInvoice(msgspec.Struct, frozen=True):
    """`reference` is the supplier's own number. `is_authorised` counts where the purchase ledger is authorised."""

    wire_key: str
    document_date: str
    supplier_reference: str
    currency_code: str
    lines: list[Analysis]
    due_date: str | None = None
    reference: str | None = None
    is_authorised: bool | None = None


class BankEntry(msgspec.Struct, frozen=True):
    """A payment from, or a receipt into, a bank account in the company's base currency, analysed to nominals."""

    wire_key: str
    document_date: str
    bank_code: str
    currency_code: str
    lines: list[Analysis]
    narrative: str | None = None
    reference: str | None = None


class BankTransfer(msgspec.Struct, frozen=True):
    wire_key: str
    document_date: str
    from_bank_code: str
    to_bank_code: str
    currency_code: str
    amount: str
    narrative: str | None = None
    reference: str | None = None


class Allocated(msgspec.Struct, frozen=True):
    """A posted document by the `reference` that Sage holds of it, and how much of it is settled.

    `outstanding_amount` is what stood open when the allocation was proposed, without sign: Sage stores no key with an
    allocation, so this is how one that was made is told from one that was not.
    """

    reference: str
    amount: str
    outstanding_amount: str


class SalesAllocation(msgspec.Struct, frozen=True):
    """Sets what raises a customer's debt against what lowers it; both sides come to the same amount."""

    wire_key: str
    customer_reference: str
    currency_code: str
    allocation_date: str
    lines: list[Allocated]


class Address(msgspec.Struct, frozen=True):
    """Where a parcel or a letter goes."""

    addressee: str | None = None
    attention: str | None = None
    street_1: str | None = None
    street_2: str | None = None
    city: str | None = None
    state: str | None = None
    postcode: str | None = None
    phone: str | None = None
    email: str | None = None


class Customer(msgspec.Struct, frozen=True):
    """A customer account. `reference` has at most 8 characters and is never changed."""

    reference: str
    name: str
    currency_code: str
    short_name: str | None = None
    tax_code: str | None = None
    vat_number: str | None = None
    credit_limit: str | None = None
    payment_terms_days: int | None = None
    account_code: str | None = None
    cost_centre: str | None = None
    department: str | None = None
    main_address: Address | None = None
    analysis_codes: dict[str, str] = {}


class OrderLine(msgspec.Struct, frozen=True):
    """One line. `unit_price` has up to 5 decimals and is without tax; without one Sage's price book decides.

    STANDARD needs `item_code`, FREE_TEXT and COMMENT `narrative`, CHARGE `charge_code` or `narrative`.
    """

    line_type: Literal["STANDARD", "FREE_TEXT", "CHARGE", "COMMENT"] = "STANDARD"
    item_code: str | None = None
    charge_code: str | None = None
    quantity: str = "1"
    unit_price: str | None = None
    tax_code: str | None = None
    location_name: str | None = None
    narrative: str | None = None
    account_code: str | None = None
    cost_centre: str | None = None
    department: str | None = None
    analysis_codes: dict[str, str] = {}

    @property
    def account(self) -> Account | None:
        if not self.account_code:
            return None
        return Account(self.account_code, self.cost_centre or "", self.department or "")


class SalesOrder(msgspec.Struct, frozen=True):
    """`order_reference` is the marketplace's order number; `location_name` the warehouse of lines that name none.

    With `is_update` an order that exists already is brought to these lines; without, a difference is an error.
    """

    wire_key: str
    order_reference: str
    order_date: str
    customer_reference: str
    currency_code: str
    lines: list[OrderLine]
    location_name: str | None = None
    requested_delivery_date: str | None = None
    promised_delivery_date: str | None = None
    shipping_address: Address | None = None
    analysis_codes: dict[str, str] = {}
    is_update: bool = False


class OrderCancellation(msgspec.Struct, frozen=True):
    """`order_reference` is the marketplace's order number; `narrative` says in the order why it was cancelled."""

    order_reference: str
    customer_reference: str
    narrative: str


T = TypeVar("T")


def read(payload: Mapping[str, Any], kind: type[T]) -> T:
    """The payload, typed. Raises Unfit."""
    try:
        return msgspec.convert(dict(payload), kind)
    except msgspec.ValidationError as error:
        raise Unfit(f"the payload is no {kind.__name__}: {error}") from error


def amount(text: str, field: str) -> Decimal:
    """Money with at most 2 decimals, nil or more. Raises Unfit."""
    value = number(text, field, 2)
    if value < 0:
        raise Unfit(f"{field} is negative")
    return value.quantize(NIL)


def positive(text: str, field: str) -> Decimal:
    value = amount(text, field)
    if value == 0:
        raise Unfit(f"{field} is nil")
    return value


def number(text: str, field: str, places: int) -> Decimal:
    """A decimal number of either sign. Raises Unfit."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise Unfit(f"{field} is not a decimal number") from None
    if not value.is_finite() or value != value.quantize(Decimal(1).scaleb(-places)):
        raise Unfit(f"{field} has more than {places} decimals")
    return value


def day(text: str, field: str) -> str:
    """A calendar date as Sage is sent it: midnight with a Z, which Sage does not take as an instant. Raises Unfit."""
    if not _DATE.fullmatch(text[:10]):
        raise Unfit(f"{field} is no date")
    return f"{text[:10]}T00:00:00Z"


def shortened(text: str) -> str:
    return text[:MAXIMUM_NARRATIVE]


def references(wire_key: str, reference: str | None) -> dict[str, str]:
    """`reference` and `second_reference`, which Sage would cut or refuse beyond their length. Raises Unfit."""
    for field, text in (("wire_key", wire_key), ("reference", reference)):
        if text is not None and not 1 <= len(text) <= MAXIMUM_REFERENCE:
            raise Unfit(f"{field} has {len(text)} characters, Sage holds 1 to {MAXIMUM_REFERENCE}")
    return {"reference": wire_key, **({"second_reference": reference} if reference else {})}


def totals(lines: Sequence[Analysis]) -> tuple[Decimal, Decimal]:
    """Net and tax of all lines. Raises Unfit when there is nothing to post."""
    net = sum((amount(line.net_amount, f"lines[{n}].net_amount") for n, line in enumerate(lines)), NIL)
    tax = sum((amount(line.tax_amount, f"lines[{n}].tax_amount") for n, line in enumerate(lines)), NIL)
    if net + tax == 0:
        raise Unfit("lines: the document has no value")
    return net, tax


def by_tax_code(lines: Sequence[Analysis]) -> dict[str, tuple[Decimal, Decimal]]:
    """Net and tax by tax code, which must add up to the document. Raises Unfit when a line has none."""
    found: dict[str, tuple[Decimal, Decimal]] = {}
    for position, line in enumerate(lines):
        if not line.tax_code:
            raise Unfit(f"lines[{position}].tax_code is missing: without it the amount would not reach the VAT return")
        net, tax = found.get(line.tax_code, (NIL, NIL))
        found[line.tax_code] = (net + Decimal(line.net_amount), tax + Decimal(line.tax_amount))
    return found
