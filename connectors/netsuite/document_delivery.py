"""Writes sales orders, credit memos, customer payments and deposits, each once, by external id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from connectors.delivery import Action, DeliveryResult, Outcome
from connectors.errors import ConnectorError
from connectors.netsuite import documents as d
from connectors.netsuite.client import NetSuiteConnector
from connectors.netsuite.records import NIL, BadRecord, Held, can_pass, decimal_of
from connectors.netsuite.writing import Document, Evidence, RecordDelivery, date_difference, differences

MAXIMUM_MEMO = 200
CUSTOM_PRICE = {"id": "-1"}
"""The price level without a price of its own: with another one NetSuite replaces the rate that was sent."""
DECIMALS = 2
T = TypeVar("T", bound=Document)


class _DocumentDelivery(RecordDelivery[T]):
    def __init__(self, connector: NetSuiteConnector, subsidiary_id: str | None = None) -> None:
        """`subsidiary_id`: the books that are written to; None leaves it to the customer's or the bank account's."""
        super().__init__(connector)
        self._subsidiary = subsidiary_id

    def _common(self, day: str, narrative: str | None, *, with_receivables: bool = True) -> dict[str, Any]:
        """What every posted document has; its period is open, or BadRecord is raised."""
        period = self._records.period_of(day, with_receivables=with_receivables)
        return {"tranDate": day, "postingPeriod": {"id": period}, **self._optional(narrative)}

    def _optional(self, narrative: str | None, currency_code: str | None = None) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if narrative:
            found["memo"] = narrative[:MAXIMUM_MEMO]
        if self._subsidiary is not None:
            found["subsidiary"] = {"id": self._subsidiary}
        if currency_code is not None and (currency := self._records.currency(currency_code)[0]) is not None:
            found["currency"] = {"id": currency}
        return found

    def _location(self, name: str | None) -> dict[str, Any]:
        if name is None:
            return {}
        return {"location": {"id": self._records.id_of("location", "name", name, "the warehouse's mapping")}}

    def _items(self, lines: Sequence[d.ItemLine], currency_code: str) -> dict[str, Any]:
        decimals = self._records.currency(currency_code)[1]
        items = []
        for line, (quantity, price, _) in zip(lines, d.line_amounts(lines, decimals), strict=True):
            item: dict[str, Any] = {
                "item": {"id": self._records.item(line.item_code)},
                "quantity": quantity,
                "rate": price,
                "price": CUSTOM_PRICE,
            }
            if line.narrative:
                item["description"] = line.narrative[:MAXIMUM_MEMO]
            items.append(item)
        return {"items": items}

    def _apply(self, applied: Sequence[d.Applied], currency_code: str) -> dict[str, Any]:
        if not applied:
            return {}
        decimals = self._records.currency(currency_code)[1]
        items = [
            {
                "doc": {"id": self._records.one(part.external_id).id},
                "apply": True,
                "amount": d.positive(part.amount, decimals, f"the amount for {part.external_id}"),
            }
            for part in applied
        ]
        return {"apply": {"items": items}}

    def _wanted_items(self, lines: Sequence[d.ItemLine], currency_code: str) -> Evidence:
        decimals = self._records.currency(currency_code)[1]
        wanted: dict[str, Decimal] = {}
        for line, (quantity, _, amount) in zip(lines, d.line_amounts(lines, decimals), strict=True):
            item = f"item id {self._records.item(line.item_code)}"
            for name, value in ((f"{item}: quantity", quantity), (f"{item}: amount", amount)):
                wanted[name] = wanted.get(name, NIL) + value
        return wanted

    def _held_items(self, held: Sequence[Held], sign: int) -> Mapping[str, Evidence]:
        """Quantities and amounts by item; `sign` is -1 for the types whose lines NetSuite keeps negative."""
        found: dict[str, dict[str, Decimal]] = {}
        for identifier, lines in self._records.item_lines(h.id for h in held).items():
            here = found.setdefault(identifier, {})
            for line in lines:
                item = f"item id {line['item']}"
                for name, column in ((f"{item}: quantity", "quantity"), (f"{item}: amount", "foreignamount")):
                    here[name] = here.get(name, NIL) + sign * decimal_of(line.get(column))
        return found


class SalesOrderDelivery(_DocumentDelivery[d.SalesOrder]):
    """Writes orders of kind SALES_ORDER; the payload is `connectors.netsuite.documents.SalesOrder`.

    An order is approved as it is written, and one that still waits when it is sent again; with `is_approved` False
    people approve. An order of the same marketplace number under another key, or under none as people key them, is not
    written a second time.
    """

    kind = "SALES_ORDER"
    record = "salesOrder"
    prefix = "SO"
    type_code = "SalesOrd"

    def __init__(
        self, connector: NetSuiteConnector, subsidiary_id: str | None = None, *, is_approved: bool = True
    ) -> None:
        super().__init__(connector, subsidiary_id)
        self._is_approved = is_approved
        self._others: Mapping[str, Sequence[tuple[str, str]]] = {}

    def send(self, actions: Sequence[Action]) -> dict[str, DeliveryResult]:
        try:
            self._others = self._records.orders_of(str(one.payload.get("order_reference") or "") for one in actions)
        except ConnectorError as error:
            # Only read so far: nothing was written.
            failed = DeliveryResult(Outcome.FAILED, detail=str(error), retryable=can_pass(error))
            return {action.action_key: failed for action in actions}
        return super().send(actions)

    def _send(self, action: Action, held: Sequence[Held], evidence: Mapping[str, Evidence]) -> DeliveryResult:
        reference = str(action.payload.get("order_reference") or "")
        if not held and (others := self._others.get(reference)):
            numbers = ", ".join(number for number, _ in others)
            detail = f"order {numbers} bears the number {reference} already, and not by our key: nothing is written"
            return DeliveryResult(Outcome.FAILED, detail=detail)
        return super()._send(action, held, evidence)

    @property
    def _may_release(self) -> bool:
        return self._is_approved

    def _waits(self, held: Held) -> bool:
        return held.status == "A"

    def _release(self, held: Held) -> None:
        self._records.write("PATCH", f"{self.record}/{held.id}", {"orderStatus": {"id": "B"}})

    def _document(self, payload: Mapping[str, Any]) -> d.SalesOrder:
        return d.read(payload, d.SalesOrder)

    def _body(self, document: d.SalesOrder) -> dict[str, Any]:
        body: dict[str, Any] = {
            "entity": {"id": self._records.customer(document.customer_reference)},
            "tranDate": document.order_date[:10],
            "otherRefNum": document.order_reference,
            "orderStatus": {"id": "B" if self._is_approved else "A"},
            "item": self._items(document.lines, document.currency_code),
            **self._optional(document.narrative, document.currency_code),
            **self._location(document.location_name),
        }
        if document.class_name is not None:
            where = "the marketplace's class"
            body["class"] = {"id": self._records.id_of("classification", "name", document.class_name, where)}
        if document.shipping_address is not None:
            body["shippingAddress"] = address_of(document.shipping_address)
        return body

    def _evidence(self, held: Sequence[Held]) -> Mapping[str, Evidence]:
        return self._held_items(held, -1)

    def _differences(self, document: d.SalesOrder, held: Held, evidence: Evidence) -> list[str]:
        wanted = self._wanted_items(document.lines, document.currency_code)
        return [*date_difference(held, document.order_date[:10]), *differences(evidence, wanted, "is")]


class CreditMemoDelivery(_DocumentDelivery[d.CreditMemo]):
    """Writes credit memos of kind CREDIT_NOTE; the payload is `connectors.netsuite.documents.CreditMemo`."""

    kind = "CREDIT_NOTE"
    record = "creditMemo"
    prefix = "CM"
    type_code = "CustCred"

    def _document(self, payload: Mapping[str, Any]) -> d.CreditMemo:
        return d.read(payload, d.CreditMemo)

    def _body(self, document: d.CreditMemo) -> dict[str, Any]:
        return {
            "entity": {"id": self._records.customer(document.customer_reference)},
            **self._common(document.document_date[:10], document.narrative),
            **self._optional(None, document.currency_code),
            **self._location(document.location_name),
            **({"otherRefNum": document.reference} if document.reference else {}),
            "item": self._items(document.lines, document.currency_code),
            **self._apply(document.apply, document.currency_code),
        }

    def _evidence(self, held: Sequence[Held]) -> Mapping[str, Evidence]:
        return self._held_items(held, 1)

    def _differences(self, document: d.CreditMemo, held: Held, evidence: Evidence) -> list[str]:
        wanted = self._wanted_items(document.lines, document.currency_code)
        return [*date_difference(held, document.document_date[:10]), *differences(evidence, wanted, "is")]


class CustomerPaymentDelivery(_DocumentDelivery[d.CustomerPayment]):
    """Writes receipts of kind CUSTOMER_PAYMENT; the payload is `connectors.netsuite.documents.CustomerPayment`."""

    kind = "CUSTOMER_PAYMENT"
    record = "customerPayment"
    prefix = "CP"
    type_code = "CustPymt"

    def _document(self, payload: Mapping[str, Any]) -> d.CustomerPayment:
        return d.read(payload, d.CustomerPayment)

    def _amount(self, document: d.CustomerPayment) -> Decimal:
        return d.positive(document.amount, self._records.currency(document.currency_code)[1], "the amount")

    def _body(self, document: d.CustomerPayment) -> dict[str, Any]:
        body: dict[str, Any] = {
            "customer": {"id": self._records.customer(document.customer_reference)},
            **self._common(document.payment_date[:10], document.narrative),
            **self._optional(None, document.currency_code),
            "payment": self._amount(document),
            **self._apply(document.apply, document.currency_code),
        }
        if document.account_code is not None:
            body["account"] = {"id": self._records.account(document.account_code)}
        return body

    def _evidence(self, held: Sequence[Held]) -> Mapping[str, Evidence]:
        # Whether a receipt's total is negative differs between accounts of the reference: its size is what counts.
        return {h.id: {"its amount": abs(h.total)} for h in held}

    def _differences(self, document: d.CustomerPayment, held: Held, evidence: Evidence) -> list[str]:
        wanted = {"its amount": self._amount(document)}
        return [*date_difference(held, document.payment_date[:10]), *differences(evidence, wanted, "is")]


class DepositDelivery(_DocumentDelivery[d.Deposit]):
    """Writes bank deposits of kind DEPOSIT; the payload is `connectors.netsuite.documents.Deposit`. Currency and
    subsidiary are the bank account's.
    """

    kind = "DEPOSIT"
    record = "deposit"
    prefix = "DEP"
    type_code = "Deposit"

    def __init__(self, connector: NetSuiteConnector) -> None:
        super().__init__(connector)

    def _document(self, payload: Mapping[str, Any]) -> d.Deposit:
        return d.read(payload, d.Deposit)

    def _body(self, document: d.Deposit) -> dict[str, Any]:
        payments = [self._records.one(key) for key in document.payments]
        if d.deposit_total(document, sum((abs(p.total) for p in payments), NIL), DECIMALS) <= 0:
            raise BadRecord("nothing would reach the bank")
        body: dict[str, Any] = {
            "account": {"id": self._records.account(document.account_code)},
            **self._common(document.deposit_date[:10], document.narrative, with_receivables=False),
        }
        if payments:
            body["payment"] = {"items": [{"id": int(payment.id), "deposit": True} for payment in payments]}
        for name, lines in (("other", document.other), ("cashback", document.cashback)):
            if lines:
                body[name] = {"items": [self._line(line) for line in lines]}
        return body

    def _line(self, line: d.DepositLine) -> dict[str, Any]:
        found: dict[str, Any] = {
            "account": {"id": self._records.account(line.account_code)},
            "amount": d.number(line.amount, DECIMALS, "an amount"),
        }
        if line.customer_reference is not None:
            found["entity"] = {"id": self._records.customer(line.customer_reference)}
        if line.narrative:
            found["memo"] = line.narrative[:MAXIMUM_MEMO]
        return found

    def _evidence(self, held: Sequence[Held]) -> Mapping[str, Evidence]:
        return self._records.movements(h.id for h in held)

    def _differences(self, document: d.Deposit, held: Held, evidence: Evidence) -> list[str]:
        """The bank and the named accounts by their movements; what else moves must be the payments."""
        payments = sum((abs(self._records.one(key).total) for key in document.payments), NIL)
        wanted: dict[str, Decimal] = {}

        def move(account_code: str, net: Decimal) -> None:
            account = f"account id {self._records.account(account_code)}"
            wanted[account] = wanted.get(account, NIL) + net

        move(document.account_code, d.deposit_total(document, payments, DECIMALS))
        for line in document.other:
            move(line.account_code, -Decimal(line.amount))
        for line in document.cashback:
            move(line.account_code, Decimal(line.amount))
        here = {name: net for name, net in evidence.items() if name in wanted}
        rest = sum((net for name, net in evidence.items() if name not in wanted), NIL)
        wanted["the payments' accounts"], here["the payments' accounts"] = -payments, rest
        return [*date_difference(held, document.deposit_date[:10]), *differences(here, wanted, "moved by")]


def address_of(address: d.Address) -> dict[str, Any]:
    """The members of NetSuite's sub-record."""
    names = {
        "addressee": address.addressee,
        "attention": address.attention,
        "addr1": address.street_1,
        "addr2": address.street_2,
        "city": address.city,
        "state": address.state,
        "zip": address.postcode,
        "addrPhone": address.phone,
    }
    found: dict[str, Any] = {name: value for name, value in names.items() if value}
    if address.country:
        found["country"] = {"id": address.country}
    return found
