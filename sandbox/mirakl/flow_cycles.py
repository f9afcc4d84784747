"""Billing cycles: at a cut-off the payable lines of each seller are gathered, charged for and paid out.

What is due to a seller is the running balance without what is still pending and without what an earlier cycle has
promised and not yet paid. A cycle that is not above nil pays nothing and is carried over.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sandbox import jsonio
from sandbox.clock import milliseconds, stamp
from sandbox.mirakl import flow_money
from sandbox.mirakl.flow_money import Entry
from sandbox.mirakl.flow_records import NIL, Record, new_id, psp_of, seller_of
from sandbox.mirakl_shop import MiraklShop

CUT_OFF_DAYS = (1, 11, 21)
CUT_OFF_HOUR = 1
PAY_OUT_HOUR = 9

Totals = dict[str, Decimal]

# Summary field -> (types whose amounts it sums, types of the taxes that its `_incl_tax` twin adds).
_SUMMARY: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "total_payable_orders": (
        ("ORDER_AMOUNT", "ORDER_SHIPPING_AMOUNT"),
        ("ORDER_AMOUNT_TAX", "ORDER_SHIPPING_AMOUNT_TAX"),
    ),
    "total_non_payable_orders": ((), ()),
    "total_refund_orders": (
        ("REFUND_ORDER_AMOUNT", "REFUND_ORDER_SHIPPING_AMOUNT"),
        ("REFUND_ORDER_AMOUNT_TAX", "REFUND_ORDER_SHIPPING_AMOUNT_TAX"),
    ),
    "total_refund_payable_orders": (
        ("REFUND_ORDER_AMOUNT", "REFUND_ORDER_SHIPPING_AMOUNT"),
        ("REFUND_ORDER_AMOUNT_TAX", "REFUND_ORDER_SHIPPING_AMOUNT_TAX"),
    ),
    "total_refund_non_payable_orders": ((), ()),
    "total_commissions": (("COMMISSION_FEE",), ("COMMISSION_VAT",)),
    "total_refund_commissions": (("REFUND_COMMISSION_FEE",), ("REFUND_COMMISSION_VAT",)),
    "total_subscription": (("SUBSCRIPTION_FEE",), ("SUBSCRIPTION_VAT",)),
    "total_fee": (("ORDER_FEE_AMOUNT",), ()),
    "total_fee_operator_remitted": (("OPERATOR_REMITTED_ORDER_FEE_AMOUNT",), ()),
    "total_refund_fee": (("REFUND_ORDER_FEE_AMOUNT",), ()),
    "total_refund_fee_operator_remitted": (("OPERATOR_REMITTED_REFUND_ORDER_FEE_AMOUNT",), ()),
    "total_seller_fees_on_orders": (("SELLER_FEE_ON_ORDER",), ("SELLER_FEE_ON_ORDER_TAX",)),
    "total_seller_penalty_fees": (("SELLER_PENALTY_FEE",), ("SELLER_PENALTY_FEE_TAX",)),
    "total_operator_paid_shipping_charges": (
        ("OPERATOR_PAID_ORDER_SHIPPING_AMOUNT",),
        ("OPERATOR_PAID_ORDER_SHIPPING_AMOUNT_TAX",),
    ),
    "total_refund_operator_paid_shipping_charges": (
        ("OPERATOR_PAID_REFUND_ORDER_SHIPPING_AMOUNT",),
        ("OPERATOR_PAID_REFUND_ORDER_SHIPPING_AMOUNT_TAX",),
    ),
    "total_other_credits": (
        ("MANUAL_CREDIT", "INVOICEABLE_ONE_OFF_CREDIT"),
        ("MANUAL_CREDIT_VAT", "INVOICEABLE_ONE_OFF_CREDIT_TAX"),
    ),
    "total_other_invoices": (
        ("MANUAL_INVOICE", "INVOICEABLE_ONE_OFF_DEBIT"),
        ("MANUAL_INVOICE_VAT", "INVOICEABLE_ONE_OFF_DEBIT_TAX"),
    ),
}
_SINGLES: dict[str, tuple[str, ...]] = {
    "total_operator_remitted_taxes": (
        "OPERATOR_REMITTED_ORDER_AMOUNT_TAX",
        "OPERATOR_REMITTED_ORDER_SHIPPING_AMOUNT_TAX",
    ),
    "total_purchase_taxes": (),
    "total_refund_operator_remitted_taxes": (
        "OPERATOR_REMITTED_REFUND_ORDER_AMOUNT_TAX",
        "OPERATOR_REMITTED_REFUND_ORDER_SHIPPING_AMOUNT_TAX",
    ),
    "total_refund_purchase_taxes": (),
}
# What the operator charges on the cycle's document: (description, net type, tax type).
_CHARGES = (
    ("Commissions of completed orders", "COMMISSION_FEE", "COMMISSION_VAT"),
    ("Commissions of refunded orders", "REFUND_COMMISSION_FEE", "REFUND_COMMISSION_VAT"),
    ("Subscription", "SUBSCRIPTION_FEE", "SUBSCRIPTION_VAT"),
    ("Seller fees on orders", "SELLER_FEE_ON_ORDER", "SELLER_FEE_ON_ORDER_TAX"),
    ("Penalty fees", "SELLER_PENALTY_FEE", "SELLER_PENALTY_FEE_TAX"),
)


def next_cut_off(shop: MiraklShop, after: datetime) -> datetime:
    """The first cut-off later than `after`: the 1st, 11th and 21st at one o'clock where the platform is."""
    zone = ZoneInfo(str(shop.platform.get("timezone") or "UTC"))
    day = after.astimezone(zone).date()
    while True:
        at = datetime(day.year, day.month, day.day, CUT_OFF_HOUR, tzinfo=zone)
        if day.day in CUT_OFF_DAYS and at > after:
            return at
        day += timedelta(days=1)


def pay_out_time(shop: MiraklShop, cut_off: datetime) -> datetime:
    """Nine o'clock on the day after the cut-off, where the platform is."""
    zone = ZoneInfo(str(shop.platform.get("timezone") or "UTC"))
    day = cut_off.astimezone(zone).date() + timedelta(days=1)
    return datetime(day.year, day.month, day.day, PAY_OUT_HOUR, tzinfo=zone)


def cut_off(shop: MiraklShop, at: datetime) -> list[Record]:
    """Closes a cycle for every seller and currency, also where nothing happened; returns the cycles.

    A currency in which a seller has had neither a cycle nor an open line gets none: a line that stands in a cycle of
    another currency has been paid with that cycle.
    """
    open_lines: dict[tuple[str, str], list[int]] = {}
    for seller in shop.sellers:
        open_lines[str(seller["shop_id"]), seller["currency_iso_code"]] = []
    for cycle in shop.cycles:
        open_lines.setdefault((_owner(cycle), cycle["currency_iso_code"]), [])
    for position, line in enumerate(shop.lines):
        is_open = line.payment_state in ("PENDING", "PAYABLE") and line.cycle_id is None
        if is_open and line.shop_id is not None and shop.is_current(position):
            open_lines.setdefault((line.shop_id, _currency(shop, position)), []).append(position)
    numbers = (str(cycle.get("payment_voucher_number") or "") for cycle in shop.cycles)
    newest = max((int(number) for number in numbers if number.isdigit()), default=0)
    return [
        _close(shop, owner, found, f"{voucher:06d}", at)
        for voucher, (owner, found) in enumerate(sorted(open_lines.items()), start=newest + 1)
    ]


def _currency(shop: MiraklShop, position: int) -> str:
    marker = b'"currency_iso_code":"'
    body = shop.lines[position].body
    start = body.index(marker) + len(marker)
    return body[start : start + 3].decode()


def _close(shop: MiraklShop, owner: tuple[str, str], open_lines: list[int], voucher: str, at: datetime) -> Record:
    shop_id, currency = owner
    balance, _ = flow_money.balance_of(shop, shop_id, currency)
    gathered: list[tuple[int, Record]] = []
    pending = NIL
    for position in open_lines:
        record = jsonio.decode(shop.lines[position].body)
        if record["payment_state"] == "PENDING":
            pending += Decimal(record["amount"])
        else:
            gathered.append((position, record))
    earlier = [cycle for cycle in shop.cycles if _owner(cycle) == shop_id and cycle["currency_iso_code"] == currency]
    promised = sum(
        (Decimal(one["amount_transferred_to_seller"]) for one in earlier if one["pay_out"]["state"] == "TO_PAY"), NIL
    )
    due = max(balance - pending - promised, NIL)
    totals: Totals = {}
    for _, record in gathered:
        totals[record["type"]] = totals.get(record["type"], NIL) + Decimal(record["amount"])
    charged = -sum((totals.get(net, NIL) + totals.get(tax, NIL) for _, net, tax in _CHARGES), NIL)
    seller = seller_of(shop, shop_id)
    cycle: Record = {
        "amount_transferred_to_operator": charged,
        "amount_transferred_to_seller": due,
        "currency_iso_code": currency,
        "date_created": stamp(at),
        "id": new_id(shop, "cycle"),
        "pay_out": {"state": "TO_PAY"},
        "pay_out_psp_code": psp_of(seller),
        "payment_voucher_number": voucher,
        "shop": {
            "shop_corporate_name": (seller.get("pro_details") or {}).get("corporate_name") or seller.get("shop_name"),
            "shop_id": int(shop_id),
            "shop_name": seller.get("shop_name"),
            "shop_operator_internal_id": seller.get("operator_internal_id"),
        },
        "summary": _summary(totals),
    }
    extra: Record = {"payment_voucher_number": cycle["payment_voucher_number"], "seller_billing_cycle_id": cycle["id"]}
    if charged:
        document = _auto_invoice(shop, cycle, totals, earlier, at)
        shop.put_invoice(document)
        extra |= {
            "accounting_document_creation_date": document["date_created"],
            "accounting_document_id": document["id"],
            "accounting_document_number": f"{document['invoice_id']:012d}",
        }
    for position, record in gathered:
        shop.change_line(position, record | extra | {"payment_state": "PAID", "last_updated": stamp(at)})
    shop.put_cycle(cycle)
    return cycle


def _owner(cycle: Record) -> str:
    return str(cycle["shop"]["shop_id"])


def _summary(totals: Totals) -> Record:
    summary: Record = {}
    for name, (net_types, tax_types) in _SUMMARY.items():
        net = sum((totals.get(type_, NIL) for type_ in net_types), NIL)
        summary[f"{name}_excl_tax"] = net
        summary[f"{name}_incl_tax"] = net + sum((totals.get(type_, NIL) for type_ in tax_types), NIL)
    for name, types in _SINGLES.items():
        summary[name] = sum((totals.get(type_, NIL) for type_ in types), NIL)
    return summary


def _auto_invoice(shop: MiraklShop, cycle: Record, totals: Totals, earlier: list[Record], at: datetime) -> Record:
    """The operator's document for what it charges in the cycle; positive = charged."""
    seller = seller_of(shop, _owner(cycle))
    start = max((one["date_created"] for one in earlier), key=milliseconds, default=stamp(at - timedelta(days=10)))
    net = -sum((totals.get(type_, NIL) for _, type_, _ in _CHARGES), NIL)
    tax = -sum((totals.get(type_, NIL) for _, _, type_ in _CHARGES), NIL)
    numbers = (invoice.get("invoice_id") or 0 for invoice in shop.invoices)
    code = next((one["code"] for one in seller.get("applicable_taxes") or ()), "TAXDEFAULT")
    contact = seller.get("contact_informations") or {}
    return {
        "currency_iso_code": cycle["currency_iso_code"],
        "date_created": stamp(at),
        "details": [
            {
                "amount_excl_taxes": -totals.get(net_type, NIL),
                "description": f"{label} from {start[:10]} to {stamp(at)[:10]}",
                "quantity": 1,
                "taxes": [{"amount": -totals.get(tax_type, NIL), "code": code}],
            }
            for label, net_type, tax_type in _CHARGES
            if totals.get(net_type) or totals.get(tax_type)
        ],
        "due_date": stamp(at + timedelta(days=1)),
        "end_time": stamp(at),
        "id": new_id(shop, "document"),
        "invoice_id": max(numbers, default=0) + 1,
        "issue_date": stamp(at),
        "issuing_user": {"information": "Automatic action", "type": "BATCH"},
        "pay_out_psp_code": psp_of(seller),
        "payment": {"reference": None, "state": "PENDING", "transaction_date": None},
        "payment_info": seller.get("payment_info"),
        "seller_billing_cycle_id": cycle["id"],
        "shop_address": {
            "city": contact.get("city"),
            "company": (seller.get("pro_details") or {}).get("corporate_name"),
            "country": contact.get("country"),
            "state": contact.get("state"),
            "street1": contact.get("street1"),
            "zip_code": contact.get("zip_code"),
        },
        "shop_corporate_name": cycle["shop"]["shop_corporate_name"],
        "shop_id": cycle["shop"]["shop_id"],
        "shop_model": seller.get("model") or "MARKETPLACE",
        "shop_name": cycle["shop"]["shop_name"],
        "shop_operator_internal_id": cycle["shop"]["shop_operator_internal_id"],
        "shop_tax_number": (seller.get("pro_details") or {}).get("tax_identification_number"),
        "start_time": start,
        "state": "COMPLETE",
        "summary": _summary(totals)
        | {
            "amount_transferred": cycle["amount_transferred_to_seller"],
            "amount_transferred_to_operator": net + tax,
            "reserve_funding": totals.get("RESERVE_FUNDING", NIL),
            "reserve_settlement": totals.get("RESERVE_SETTLEMENT", NIL),
        },
        "total_amount_excl_taxes": net,
        "total_amount_incl_taxes": net + tax,
        "total_charged_amount": net + tax,
        "total_taxes": [{"amount": tax, "code": code}] if tax else [],
        "type": "AUTO_INVOICE",
    }


def cycle_of(shop: MiraklShop, cycle_id: str) -> Record | None:
    return next((cycle for cycle in shop.cycles if cycle["id"] == cycle_id), None)


def pay_out(shop: MiraklShop, cycle: Record, at: datetime) -> None:
    """The pay-out of a cycle by itself: it fails for a seller who is not identified or whose payments are blocked."""
    if not cycle["amount_transferred_to_seller"] or cycle["pay_out"]["state"] != "TO_PAY":
        return
    seller = seller_of(shop, _owner(cycle))
    status = (seller.get("kyc") or {}).get("status")
    is_blocked = (seller.get("payment_details") or {}).get("payment_blocked") is True
    if is_blocked or status not in (None, "APPROVED", "NOT_REQUIRED"):
        fail_pay_out(shop, cycle, "INCOMPLETE_KYC")
    else:
        confirm_pay_out(shop, cycle, f"PO-{cycle['payment_voucher_number']}", at, None)


def confirm_pay_out(shop: MiraklShop, cycle: Record, reference: str | None, at: datetime, paid: str | None) -> None:
    """The money left: the seller's balance falls by a PAYMENT line. `paid`: when, by whoever confirms."""
    amount = Decimal(cycle["amount_transferred_to_seller"])
    extra: Record = {
        "payment_voucher_number": cycle.get("payment_voucher_number"),
        "seller_billing_cycle_id": cycle["id"],
    }
    document = _document_of(shop, cycle)
    if document is not None:
        extra |= {
            "accounting_document_creation_date": document["date_created"],
            "accounting_document_id": document["id"],
            "accounting_document_number": f"{document['invoice_id']:012d}",
        }
    entry = Entry("PAYMENT", -amount, "PAID", {}, extra)
    flow_money.book(shop, _owner(cycle), cycle["currency_iso_code"], [entry], at)
    outcome = {"state": "PAID", "reference": reference, "transaction_date": paid or stamp(at)}
    shop.put_cycle(cycle | {"pay_out": outcome})
    if document is not None:
        shop.put_invoice(document | {"payment": outcome})


def fail_pay_out(shop: MiraklShop, cycle: Record, reason: str) -> None:
    """Nothing was paid: the amount stays in the balance and goes out with a later cycle."""
    shop.put_cycle(
        cycle | {"amount_transferred_to_seller": NIL, "pay_out": {"state": "FAILED", "failure_reason": reason}}
    )
    document = _document_of(shop, cycle)
    if document is not None:
        failed = {"failure_reason": reason, "reference": None, "state": "FAILED", "transaction_date": None}
        shop.put_invoice(document | {"payment": failed})


def _document_of(shop: MiraklShop, cycle: Record) -> Record | None:
    return next(
        (
            one
            for one in shop.invoices
            if one.get("seller_billing_cycle_id") == cycle["id"] and one["type"] == "AUTO_INVOICE"
        ),
        None,
    )
