"""What a seed has done: proposals of every kind of write, on both ERPs and both marketplaces.

The same seed gives the same proposals in every town. `prepare` does what they hang on, undisturbed: the order that a
fulfilment ships, the documents that an allocation settles, the orders that a marketplace waits for.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import Any

from connectors.delivery import Action, Outcome
from orchestration.outbox.delivering import KINDS
from sandbox.world.netsuite.ids import LOCATION_IDS
from tests.chaos.town import NETSUITE, NETSUITE_SHOP, PARCEL_SHOP, SAGE, SAGE_SHOP, Deliveries, Town
from tests.connectors_sage200.payloads import KINDS as POSTED

DAY = "2026-07-02"
MAIN = LOCATION_IDS["MAIN"]
Payload = dict[str, Any]
PENNIES = {"amount": "0.01", "shipping_amount": "0"}


@dataclass(frozen=True)
class Job:
    """A proposal to come. `human` does what a person might do meanwhile: the same thing by hand."""

    kind: str
    account: str
    marketplace: str
    payload: Payload
    wire_key: str
    form: str = ""
    """What the kind is drawn and counted as, where it has several."""
    natural_id: str = ""
    """What it is about, where another job is about the same; else nothing else is."""

    @property
    def action(self) -> Action:
        key = f"{self.kind}|{self.marketplace}|{self.natural_id or self.wire_key}|1"
        return Action(key, self.wire_key, self.kind, self.marketplace, self.account, self.payload)

    @property
    def row(self) -> dict[str, Any]:
        vendor = {SAGE: "sage200", NETSUITE: "netsuite"}.get(self.account, "mirakl")
        return {
            "action_key": self.action.action_key,
            "kind": self.kind,
            "vendor": vendor,
            "account": self.account,
            "marketplace_code": self.marketplace,
            "entity_code": "UKTRADE",
            "natural_id": self.natural_id or self.wire_key,
            "version": 1,
            "wire_key": self.wire_key,
            "amount": None,
            "currency_code": None,
            "payload": json.dumps(self.payload),
            "reason": "a seed of chaos",
            "source_hash": None,
        }


@dataclass
class Plan:
    """A seed's work: how many jobs of which kind, and the names that nothing else in the town has."""

    seed: int
    kinds: list[tuple[str, str]]
    places: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, seed: int, size: int) -> Plan:
        draw = random.Random(seed)
        kinds = [draw.choice(EVERYTHING) for _ in range(size)]
        return cls(seed, kinds, {str(number): draw.randrange(1000) for number in range(size)})

    def jobs(self, town: Town, deliveries: Deliveries) -> list[Job]:
        """Prepares the town for the jobs, and gives them."""
        found, used = [], set()
        for number, (kind, account) in enumerate(self.kinds):
            name = f"CHAOS{self.seed}X{number}"
            context = Context(town, deliveries, name, _wire(name), account, self.places[str(number)])
            if kind == ORDER_FIRST:
                found += _order_then_acceptance(context)
                continue
            payload = PAYLOADS[kind](context) if account not in (NETSUITE,) else NETSUITE_PAYLOADS[kind](context)
            # Two quantities for one offer are two wishes of which the outbox keeps the newer one.
            if (subject := payload.get("shop_sku")) is not None:
                if (account, subject) in used:
                    continue
                used.add((account, subject))
            marketplace = {SAGE: SAGE_SHOP, NETSUITE: NETSUITE_SHOP}.get(account, account)
            if account in (SAGE, NETSUITE):
                payload = {"wire_key": context.wire_key, **payload}
            found.append(Job(FORMS.get(kind, kind), account, marketplace, payload, context.wire_key, kind))
        return found


@dataclass(frozen=True)
class Context:
    town: Town
    deliveries: Deliveries
    name: str
    wire_key: str
    account: str
    place: int

    def order(self, state: str) -> Mapping[str, Any]:
        return self.town.order(self.account, state, f"{self.name}-A", self.place)

    def reason(self, kind: str) -> str:
        reasons = self.town.shop(self.account).world.reasons
        codes = [str(one["code"]) for one in reasons if one["type"] == kind and one.get("is_shop_right")]
        return codes[self.place % len(codes)]

    def offer(self) -> str:
        offers = self.town.offers(self.account)
        return offers[self.place % len(offers)]

    def product(self) -> str:
        """The operator's product that an offer of the shop sells."""
        return str(self.town.shop(self.account).offers[self.offer()]["product_sku"])

    def carrier(self) -> str:
        return str(self.town.shop(self.account).carriers[0]["code"])

    def item(self) -> str:
        rows = self.town.store.company["products"].rows
        codes = [row["code"] for row in rows if row.get("allow_sales_order", True)]
        single = [code for code in codes if codes.count(code) == 1]
        return str(single[self.place % len(single)])

    def netsuite_item(self) -> str:
        rows = self.town.store.netsuite[NETSUITE].database.rows("item", "itemtype = 'InvtPart' AND isinactive = 'F'")
        codes = [str(row["itemid"]) for row in rows if " : " not in str(row["itemid"])]
        return codes[self.place % len(codes)]

    def stocked_item(self) -> str:
        """An item of which a few can be sent: NetSuite refuses to ship what is not there, in any weather."""
        database = self.town.store.netsuite[NETSUITE].database
        stock = database.rows("inventoryitemlocations", "location = ? AND quantityavailable >= 20", [MAIN])
        held = {row["item"] for row in stock}
        rows = database.rows("item", "itemtype = 'InvtPart' AND isinactive = 'F'")
        codes = [str(row["itemid"]) for row in rows if row["id"] in held and " : " not in str(row["itemid"])]
        return codes[self.place % len(codes)]

    def done(self, kind: str, name: str, payload: Payload) -> str:
        """Something done beforehand; its wire key."""
        wire = _wire(name)
        one = Action(f"{kind}|{wire}", wire, kind, self.account, self.account, {"wire_key": wire, **payload})
        result = self.deliveries[kind, self.account].send([one])[one.action_key]
        if result.outcome is not Outcome.SENT:
            raise AssertionError(f"{kind} {name} could not be prepared: {result.detail}")
        return wire


def _wire(name: str) -> str:
    return "TO" + hashlib.sha256(name.encode()).hexdigest()[:16].upper()


# --- Mirakl


def _acceptance(one: Context) -> Payload:
    order = one.order("WAITING_ACCEPTANCE")
    is_accepted = one.place % 5 != 0
    lines = [{"id": line["order_line_id"], "accepted": is_accepted} for line in order["order_lines"]]
    return {"order_id": order["order_id"], "order_lines": lines}


def _order_then_acceptance(one: Context) -> list[Job]:
    """An order that waits at the marketplace: created in the ERP, and accepted only when that is proved."""
    order = one.order("WAITING_ACCEPTANCE")
    order_id = str(order["order_id"])
    erp, created = (SAGE, _sage_order(one)) if one.account == SAGE_SHOP else (NETSUITE, _netsuite_order(one))
    lines = [{"id": line["order_line_id"], "accepted": True} for line in order["order_lines"]]
    accepted = {"order_id": order_id, "order_lines": lines, "only_after": "SALES_ORDER"}
    creation = {"wire_key": one.wire_key, **created}
    then = _wire(f"{one.name} acceptance")
    return [
        Job("ACCEPTANCE", one.account, one.account, accepted, then, ORDER_FIRST, order_id),
        Job("SALES_ORDER", erp, one.account, creation, one.wire_key, "SALES_ORDER", order_id),
    ]


def _tracking(one: Context) -> Payload:
    order = one.order("SHIPPING")
    how = {"carrier_code": one.carrier(), "tracking_number": f"T{one.wire_key}"}
    shipment = {"shipment_id": one.town.shipment(one.account, order)} if one.account == PARCEL_SHOP else {}
    return {"order_id": order["order_id"], **shipment, **how}


def _deletion(one: Context) -> Payload:
    order = one.order("SHIPPING")
    return {"order_id": order["order_id"], "shipment_id": one.town.shipment(one.account, order)}


def _origin(one: Context) -> Payload:
    return {**_deletion(one), "warehouse_code": ("MAIN", "NORTH")[one.place % 2]}


def _dispatch(one: Context) -> Payload:
    order = one.order("SHIPPING")
    lines = [{"order_line_id": line["order_line_id"], "quantity": line["quantity"]} for line in order["order_lines"]]
    code = one.carrier()
    return {"order_id": order["order_id"], "lines": lines, "carrier_code": code, "tracking_number": f"T{one.wire_key}"}


def _part(one: Context, order: Mapping[str, Any], kind: str) -> Payload:
    line = order["order_lines"][0]
    taxes = {
        name: [{"code": tax["code"], "amount": "0"} for tax in line.get(name) or ()]
        for name in ("taxes", "shipping_taxes")
    }
    return {"order_line_id": line["order_line_id"], **PENNIES, "reason_code": one.reason(kind), **taxes}


def _adjusted(order: Mapping[str, Any], name: str, part: Payload) -> Payload:
    return {
        "order_id": order["order_id"],
        "currency_code": order["currency_iso_code"],
        "order_tax_mode": order["order_tax_mode"],
        "known_ids": [],
        name: [part],
    }


def _refund(one: Context) -> Payload:
    order = one.order("SHIPPED")
    return _adjusted(order, "refunds", _part(one, order, "REFUND"))


def _line_cancelation(one: Context) -> Payload:
    """One piece of the first line, or all of it where it has no more; the taxes by their share."""
    order = one.order("WAITING_DEBIT_PAYMENT")
    line = order["order_lines"][0]
    pieces = int(line["quantity"])

    def share(amount: Any) -> str:
        return str((Decimal(str(amount)) / pieces).quantize(Decimal("0.01"), ROUND_DOWN))

    part = {
        "order_line_id": line["order_line_id"],
        "amount": share(line["price"]),
        "shipping_amount": share(line["shipping_price"]) if pieces == 1 else "0",
        "quantity": 1,
        "reason_code": one.reason("CANCELATION"),
    }
    for name, is_whole in (("taxes", True), ("shipping_taxes", pieces == 1)):
        taxes = line.get(name) or ()
        part[name] = [{"code": tax["code"], "amount": share(tax["amount"]) if is_whole else "0"} for tax in taxes]
    return _adjusted(order, "cancelations", part)


def _cancelation(one: Context) -> Payload:
    return {"order_id": one.order("WAITING_DEBIT_PAYMENT")["order_id"], "is_whole_order": True}


def _stock(one: Context) -> Payload:
    return {"shop_sku": one.offer(), "quantity": 1 + one.place % 50}


def _offer(one: Context) -> Payload:
    """Closed, changed or deleted."""
    if one.place % 3 == 0:
        changes = {"quantity": 1 + one.place % 50, "min_quantity_alert": one.place % 7}
        how: Payload = {"operation": "UPDATE", "changes": changes, "states": ["NO_PRICING_UNIT", "NO_CUSTOMER_PRICES"]}
    else:
        how = {"operation": "CLOSE" if one.place % 3 == 1 else "DELETE"}
    return {"shop_sku": one.offer(), **how}


def _new_offer(one: Context) -> Payload:
    """Of a product that the shop offers already, under a code of its own."""
    product = {"product_id": one.product(), "product_id_type": "SKU"}
    return {"shop_sku": one.name[-40:], **product, "price": "19.99", "quantity": 0, "state_code": "11"}


def _price(one: Context) -> Payload:
    return {"shop_sku": one.offer(), "prices": [{"price": f"{500 + one.place}.99"}], "deletes_others": True}


# --- Sage 200


def _sage_order(one: Context) -> Payload:
    line = {"item_code": one.item(), "quantity": "2", "unit_price": "16.66667", "tax_code": "1"}
    charge = {"line_type": "CHARGE", "charge_code": "CARRIAGE", "unit_price": "4.16", "tax_code": "1"}
    return {
        "order_reference": f"{one.name}-A",
        "order_date": DAY,
        "customer_reference": "MKBRICO",
        "currency_code": "GBP",
        "location_name": "MAIN",
        "analysis_codes": {"1": "BRICO"},
        "lines": [line, charge],
    }


def _order_cancellation(order: Callable[[Context], Payload]) -> Callable[[Context], Payload]:
    """Of an order that was made beforehand."""

    def payload(one: Context) -> Payload:
        made = order(one)
        one.done("SALES_ORDER", f"{one.name} order", made)
        named = {name: made[name] for name in ("order_reference", "customer_reference")}
        return {"narrative": "Cancelled: the marketplace order is CANCELED", **named}

    return payload


def _order_address(order: Callable[[Context], Payload], shop: str) -> Callable[[Context], Payload]:
    """Of an order that was made beforehand and that the marketplace has paid for."""

    def payload(one: Context) -> Payload:
        made = order(one)
        one.town.order(shop, "SHIPPING", made["order_reference"], one.place)
        one.done("SALES_ORDER", f"{one.name} order", made)
        return {name: made[name] for name in ("order_reference", "customer_reference")}

    return payload


def _sage_journal(one: Context) -> Payload:
    def line(number: int, kind: str, code: str | None, side: str, amount: str, **more: Any) -> Payload:
        sides = {"account_role": kind, "account_type": kind, "account_code": code, side: amount}
        return {"line_no": number, **sides, **more}

    return {
        "journal_key": one.name,
        "kind": "SETTLEMENT",
        "posting_date": DAY,
        "currency_code": "GBP",
        "customer_reference": "MKBRICO",
        "clearing_bank_code": "MKBRICO",
        "lines": [
            line(1, "BANK", None, "debit", "881.00", bank_code="MKBRICO"),
            line(2, "NOMINAL", "6100", "debit", "100.00", tax_code="1"),
            line(3, "VAT", "2201", "debit", "20.00", tax_line_of=2, tax_code="1"),
            line(4, "NOMINAL", "6130", "credit", "1.00"),
            line(5, "CUSTOMER", None, "credit", "1100.00"),
            line(6, "CUSTOMER", None, "debit", "100.00"),
        ],
    }


def _customer(one: Context) -> Payload:
    return {"reference": one.wire_key[2:10], "name": "A new marketplace", "currency_code": "GBP", "tax_code": "1"}


def _allocation(one: Context) -> Payload:
    posted = {kind: one.done(kind, f"{one.name} {kind}", _posted(kind)(one)) for kind in _SETTLED}
    lines = [
        {"reference": posted["SALES_INVOICE"], "amount": "64.80", "outstanding_amount": "64.80"},
        {"reference": posted["SALES_RECEIPT"], "amount": "64.80", "outstanding_amount": "120.00"},
    ]
    return {"customer_reference": "MKBRICO", "currency_code": "GBP", "allocation_date": DAY, "lines": lines}


_SETTLED = ("SALES_INVOICE", "SALES_RECEIPT")


def _posted(kind: str) -> Callable[[Context], Payload]:
    """A document of this kind, dated today; the amounts are those of the connectors' tests."""

    def payload(one: Context) -> Payload:
        more = {"reference": one.wire_key[:20]} if "reference" in POSTED[kind] else {}
        return {"currency_code": "GBP", **POSTED[kind], **more}

    return payload


# --- NetSuite

_BUYER = {"customer_reference": "MKHOMELY", "currency_code": "GBP"}


def _netsuite_order(one: Context) -> Payload:
    line = {"item_code": one.netsuite_item(), "quantity": "3", "unit_price": "39.95", "narrative": one.name}
    order = {"order_reference": f"{one.name}-A", "order_date": DAY, "location_name": "MAIN", "lines": [line]}
    return {**order, **_BUYER}


def _netsuite_journal(one: Context) -> Payload:
    def line(number: int, code: str, **side: str) -> Payload:
        return {"line_no": number, "account_role": "X", "account_type": "NOMINAL", "account_code": code, **side}

    lines = [line(1, "6100", debit="12.34"), line(2, "6130", credit="12.34")]
    header = {"journal_key": one.name, "kind": "SETTLEMENT", "posting_date": DAY, "currency_code": "GBP"}
    return {**header, "lines": lines}


def _credit_memo(one: Context) -> Payload:
    lines = [{"item_code": one.netsuite_item(), "quantity": "1", "unit_price": "2.00"}]
    return {"document_date": DAY, "location_name": "MAIN", "lines": lines, **_BUYER}


def _customer_payment(one: Context) -> Payload:
    return {"payment_date": DAY, "amount": "100.00", "narrative": one.name, **_BUYER}


def _deposit(one: Context) -> Payload:
    other = [{"account_code": "6130", "amount": "20.00"}]
    return {"deposit_date": DAY, "account_code": "1200", "other": other, "narrative": one.name}


def _fulfilment(one: Context) -> Payload:
    order = _netsuite_order(one)
    order["lines"] = [{**line, "item_code": one.stocked_item()} for line in order["lines"]]
    wire = one.done("SALES_ORDER", f"{one.name} order", order)
    lines = [{"order_line": 1, "quantity": "2"}]
    packages = [{"tracking_number": f"T{one.wire_key}"}]
    return {"order_external_id": f"SO-{wire}", "ship_date": DAY, "lines": lines, "packages": packages}


PAYLOADS: dict[str, Callable[[Context], Payload]] = {
    "ACCEPTANCE": _acceptance,
    "TRACKING": _tracking,
    "DISPATCH": _dispatch,
    "REFUND": _refund,
    "CANCELATION": _cancelation,
    "CANCELATION_OF_LINES": _line_cancelation,
    "STOCK": _stock,
    "PRICE": _price,
    "OFFER": _offer,
    "OFFER_CREATE": _new_offer,
    "SHIPMENT_DELETION": _deletion,
    "SHIPMENT_ORIGIN": _origin,
    "SALES_ORDER": _sage_order,
    "ORDER_CANCELLATION": _order_cancellation(_sage_order),
    "ORDER_ADDRESS": _order_address(_sage_order, SAGE_SHOP),
    "JOURNAL": _sage_journal,
    "CUSTOMER": _customer,
    "SALES_ALLOCATION": _allocation,
    **{kind: _posted(kind) for kind in POSTED},
}
NETSUITE_PAYLOADS: dict[str, Callable[[Context], Payload]] = {
    "SALES_ORDER": _netsuite_order,
    "ORDER_CANCELLATION": _order_cancellation(_netsuite_order),
    "ORDER_ADDRESS": _order_address(_netsuite_order, NETSUITE_SHOP),
    "JOURNAL": _netsuite_journal,
    "CREDIT_NOTE": _credit_memo,
    "CUSTOMER_PAYMENT": _customer_payment,
    "DEPOSIT": _deposit,
    "FULFILMENT": _fulfilment,
}
MARKETPLACE_KINDS = (
    "ACCEPTANCE",
    "TRACKING",
    "DISPATCH",
    "REFUND",
    "CANCELATION",
    "CANCELATION_OF_LINES",
    "STOCK",
    "PRICE",
    "OFFER",
    "OFFER_CREATE",
)
PARCEL_KINDS = ("SHIPMENT_DELETION", "SHIPMENT_ORIGIN")
ORDER_FIRST = "ACCEPTANCE_AFTER_SALES_ORDER"
"""Two jobs, of which the second waits for the first."""
EVERYTHING: list[tuple[str, str]] = [
    *((kind, shop) for kind in MARKETPLACE_KINDS for shop in (SAGE_SHOP, NETSUITE_SHOP)),
    *((kind, PARCEL_SHOP) for kind in PARCEL_KINDS),
    *((kind, SAGE) for kind in PAYLOADS if kind not in (*MARKETPLACE_KINDS, *PARCEL_KINDS)),
    *((kind, NETSUITE) for kind in NETSUITE_PAYLOADS),
    *((ORDER_FIRST, shop) for shop in (SAGE_SHOP, NETSUITE_SHOP)),
]
FORMS = {"CANCELATION_OF_LINES": "CANCELATION"}
"""What is drawn and counted apart although the outbox has one kind for it: OR30 beside OR29. An acceptance that waits
for its order is made by itself.
"""
LEFT_OUT = sorted(KINDS.keys() - {kind for kind, _ in EVERYTHING})
"""Kinds that no seed plays; there are none."""
