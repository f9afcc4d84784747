"""The payloads of the documents that are written beside journals, and their arithmetic.

Amounts, prices and quantities are decimal text in the document's currency; dates are calendar dates (ISO). Taxes,
shipping and discounts are lines of their own, with items that stand for them: over REST NetSuite takes tax only on
SuiteTax accounts, and drops it elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, TypeVar

import msgspec

from connectors.netsuite.records import NIL, BadRecord

QUANTITY_DECIMALS = 5
SHIP_STATUSES = frozenset({"A", "B", "C"})
"""Picked, packed, shipped. Only a shipped fulfilment moves the ledger."""


class ItemLine(msgspec.Struct, frozen=True):
    """One line. `item_code` is the SKU; a discount has a negative `unit_price`."""

    item_code: str
    quantity: str
    unit_price: str
    narrative: str | None = None


class Address(msgspec.Struct, frozen=True):
    """Where a parcel goes. `country` is the ISO code of two letters."""

    addressee: str | None = None
    attention: str | None = None
    street_1: str | None = None
    street_2: str | None = None
    city: str | None = None
    state: str | None = None
    postcode: str | None = None
    country: str | None = None
    phone: str | None = None


class Applied(msgspec.Struct, frozen=True):
    """Part of a document that settles another: its external id, and how much."""

    external_id: str
    amount: str


class SalesOrder(msgspec.Struct, frozen=True):
    """`order_reference` is the marketplace's order number; `location_name` the warehouse that ships, `class_name`
    the class of the order, by which reports tell the marketplaces apart.
    """

    wire_key: str
    order_reference: str
    order_date: str
    customer_reference: str
    currency_code: str
    lines: list[ItemLine]
    location_name: str | None = None
    class_name: str | None = None
    narrative: str | None = None
    shipping_address: Address | None = None


class OrderCancellation(msgspec.Struct, frozen=True):
    """`order_reference` is the marketplace's order number; `narrative` goes into the order's memo."""

    order_reference: str
    customer_reference: str
    narrative: str


class CreditMemo(msgspec.Struct, frozen=True):
    """`reference` is what the credit answers, the marketplace's refund."""

    wire_key: str
    document_date: str
    customer_reference: str
    currency_code: str
    lines: list[ItemLine]
    apply: list[Applied] = []
    location_name: str | None = None
    narrative: str | None = None
    reference: str | None = None


class CustomerPayment(msgspec.Struct, frozen=True):
    """Money received. Without an `account_code` it goes where the account's preference says, as a rule to the
    undeposited funds.
    """

    wire_key: str
    payment_date: str
    customer_reference: str
    currency_code: str
    amount: str
    account_code: str | None = None
    apply: list[Applied] = []
    narrative: str | None = None


class DepositLine(msgspec.Struct, frozen=True):
    """`amount` is positive as a rule; NetSuite credits an `other` line's account and debits a `cashback` line's."""

    account_code: str
    amount: str
    customer_reference: str | None = None
    narrative: str | None = None


class Deposit(msgspec.Struct, frozen=True):
    """Into the bank `account_code`: payments (external ids) + other - cashback."""

    wire_key: str
    deposit_date: str
    account_code: str
    payments: list[str] = []
    other: list[DepositLine] = []
    cashback: list[DepositLine] = []
    narrative: str | None = None


class ShippedLine(msgspec.Struct, frozen=True):
    """`order_line` is the line's number in the order."""

    order_line: int
    quantity: str
    location_name: str | None = None


class Package(msgspec.Struct, frozen=True):
    tracking_number: str
    description: str | None = None
    weight: str | None = None


class ItemFulfillment(msgspec.Struct, frozen=True):
    """What of an order (its external id) left. Lines that are not named stay open."""

    wire_key: str
    order_external_id: str
    ship_date: str
    lines: list[ShippedLine]
    packages: list[Package] = []
    ship_status: str = "C"
    narrative: str | None = None


T = TypeVar("T")


def read(payload: Mapping[str, Any], kind: type[T]) -> T:
    """The payload, typed. Raises BadRecord."""
    try:
        return msgspec.convert(dict(payload), kind)
    except msgspec.ValidationError as error:
        raise BadRecord(f"the payload is no {kind.__name__}: {error}") from error


def number(text: str, decimals: int, what: str) -> Decimal:
    """A decimal with at most so many decimals, of either sign. Raises BadRecord."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise BadRecord(f"{what} is not a decimal number") from None
    if not value.is_finite() or value != value.quantize(Decimal(1).scaleb(-decimals)):
        raise BadRecord(f"{what} has more than {decimals} decimals")
    return value


def positive(text: str, decimals: int, what: str) -> Decimal:
    value = number(text, decimals, what)
    if value <= 0:
        raise BadRecord(f"{what} is not positive")
    return value


def line_amounts(lines: Sequence[ItemLine], decimals: int) -> list[tuple[Decimal, Decimal, Decimal]]:
    """Quantity, unit price and amount of each line; the amount is rounded as NetSuite rounds it, line by line.

    Raises BadRecord.
    """
    if not lines:
        raise BadRecord("no lines")
    found = []
    for index, line in enumerate(lines, start=1):
        quantity = positive(line.quantity, QUANTITY_DECIMALS, f"line {index}: the quantity")
        price = number(line.unit_price, 8, f"line {index}: the unit price")
        amount = (quantity * price).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
        found.append((quantity, price, amount))
    return found


def deposit_total(deposit: Deposit, payments: Decimal, decimals: int) -> Decimal:
    """What reaches the bank. Raises BadRecord when nothing does."""
    other = sum((number(line.amount, decimals, "an amount") for line in deposit.other), NIL)
    cashback = sum((number(line.amount, decimals, "an amount") for line in deposit.cashback), NIL)
    if not deposit.payments and not deposit.other:
        raise BadRecord("a deposit needs at least one payment or one other line")
    return payments + other - cashback
