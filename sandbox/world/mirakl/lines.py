"""Transaction lines (TL02)."""

from dataclasses import replace
from typing import Any

from sandbox.world.model import Entry, Order, Shop
from sandbox.world.money import pounds
from sandbox.world.stamps import iso


def shop_reference(shop: Shop) -> dict[str, Any]:
    return {"domains": ["PRODUCT"], "id": shop.id, "model": shop.model, "operator_internal_id": shop.internal_id}


class LineRenderer:
    """Renders the lines of one shop. Lines about the same thing share their `entities`."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop_reference(shop)
        self._psp = shop.psp
        self._references: dict[str, dict[str, Any]] = {}
        self._shared: dict[tuple[str | None, ...], dict[str, Any]] = {}

    def __call__(self, entry: Entry) -> dict[str, Any]:
        cycle = entry.cycle
        created = iso(entry.created)
        updated = created
        if entry.is_informative:
            state = "NOT_APPLICABLE"
        elif cycle is not None:
            state = "PAID"
            if entry.type != "PAYMENT":
                updated = iso(max(cycle.created, entry.created))
        elif entry.payable is not None:
            state = "PAYABLE"
            updated = iso(max(entry.payable, entry.created))
        else:
            state = "PENDING"
        amount = pounds(entry.amount)
        balance = pounds(entry.balance)
        nil = pounds(0)
        line: dict[str, Any] = {
            "amount": amount,
            "amount_credited": amount if entry.amount > 0 else nil,
            "amount_debited": pounds(-entry.amount) if entry.amount < 0 else nil,
            "balance": balance,
            "currency_iso_code": entry.currency,
            "date_created": created,
            "entities": self._entities(entry),
            "id": entry.id,
            "last_updated": updated,
            "pay_out_psp_code": self._psp,
            "payment_state": state,
            "psp_balance": balance,
            "shop": self._shop,
            "type": entry.type,
        }
        if cycle is not None and entry.shows_cycle:
            if entry.document is not None:
                number, document_created = entry.document.number, entry.document.created
                document_id = entry.document.id
            else:
                number, document_created, document_id = cycle.invoice_number, cycle.created, cycle.invoice_id
            line["accounting_document_creation_date"] = iso(document_created)
            line["accounting_document_id"] = document_id
            line["accounting_document_number"] = f"{number:012d}"
            line["payment_voucher_number"] = cycle.voucher
            line["seller_billing_cycle_id"] = cycle.id
        return line

    def as_it_was(self, entry: Entry) -> dict[str, Any]:
        """The line of an entry with an `earlier_amount`, as it was before a cycle took it."""
        if entry.earlier_amount is None:
            raise ValueError(f"line {entry.id} never changed")
        return self(replace(entry, amount=entry.earlier_amount, cycle=None, payable=None))

    def _order(self, order: Order) -> dict[str, Any]:
        found = self._references.get(order.id)
        if found is None:
            found = self._references[order.id] = {
                "commercial_id": order.commercial_id,
                "creation_date": iso(order.created),
                "id": order.id,
                "payment_info": {"payment_type": "CARD"},
                "references": {"order_reference_for_customer": None, "order_reference_for_seller": None},
            }
        return found

    def _entities(self, entry: Entry) -> dict[str, Any]:
        is_tax = entry.type.endswith(("_VAT", "_TAX"))
        is_order_tax = entry.line is not None and entry.line.tax is not None and entry.type.endswith("AMOUNT_TAX")
        if entry.order is None:
            return _without_order(entry, is_tax)
        key = (
            entry.order.id if entry.line is None else entry.line.id,
            None if entry.refund is None else entry.refund.id,
            (entry.fee_code or "") + ("T" if is_tax else "") + ("O" if is_order_tax else ""),
            None if entry.shipment is None else entry.shipment.id,
        )
        found = self._shared.get(key)
        if found is not None:
            return found
        entities: dict[str, Any] = {"domain": "PRODUCT", "order": self._order(entry.order)}
        if entry.line is not None:
            entities["order_line"] = {"id": entry.line.id}
        if entry.refund is not None:
            entities["refund"] = {"id": entry.refund.id}
        if entry.shipment is not None:
            entities["debit"] = {"id": f"{entry.shipment.id[:8]}-D"}
            entities["shipment"] = {"id": entry.shipment.id}
        if entry.fee_code is not None:
            entities["fee"] = {"cancelations": [], "code": entry.fee_code, "refunds": []}
        if is_order_tax and entry.line is not None and entry.line.tax is not None:
            entities["order_tax"] = {"code": entry.line.tax.code, "rate": pounds(entry.line.tax.rate)}
        elif is_tax:
            entities["shop_tax"] = _shop_tax(entry)
        self._shared[key] = entities
        return entities


def _shop_tax(entry: Entry) -> dict[str, Any]:
    return {"code": "TAXDEFAULT", "rate": pounds(entry.line.commission_vat_rate if entry.line else 2000)}


def _without_order(entry: Entry, is_tax: bool) -> dict[str, Any]:
    entities: dict[str, Any] = {}
    if entry.document is not None:
        if entry.type.startswith("INVOICEABLE"):
            entities["one_off_item"] = {
                "description": entry.description,
                "operation_date": iso(entry.created)[:10],
                "quantity": 1,
                "references": [{"type": "INTERNAL", "value": f"ONEOFF{entry.document.number}"}],
                "unit_price": pounds(entry.document.net),
            }
        else:
            entities["manual_accounting_document"] = {
                "emission_date": iso(entry.document.created),
                "number": f"{entry.document.number:012d}",
            }
    if is_tax:
        entities["shop_tax"] = _shop_tax(entry)
    return entities
