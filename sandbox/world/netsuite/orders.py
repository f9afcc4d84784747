"""Sales orders and what was shipped of them.

An order line bears the marketplace's line id as its memo, the order the marketplace as the class of its main line. VAT
stands on a tax line behind the line it is for, also where it is nil. A draft of the books is an estimate here, and no
order.
"""

from decimal import Decimal
from typing import Any

from sandbox.world.erp import COST_OF_SALES, STOCK
from sandbox.world.model import Despatch, ErpLine, ErpOrder
from sandbox.world.money import unit_price
from sandbox.world.netsuite.ids import (
    CARRIAGE,
    EUR,
    GBP,
    LOCATION_IDS,
    ORDERS,
    SECOND_PARCEL,
    SHIPMENTS,
    TAX_ITEM_IDS,
    Ids,
    ship_method,
)
from sandbox.world.netsuite.tables import ONE, Tables, when
from sandbox.world.stamps import london_date

EURO_RATE = Decimal("0.85")
_STATUSES = {"ON_HOLD": "A", "LIVE": "B", "CANCELLED": "C", "COMPLETE": "G"}


def add_order(tables: Tables, ids: Ids, order: ErpOrder) -> None:
    gross = sum(line.net + line.tax for line in order.lines)
    number, day = ORDERS + order.id, london_date(order.created)
    header: dict[str, Any] = {
        "entity": ids.customers[order.customer],
        "currency": EUR if order.currency == "EUR" else GBP,
        "otherrefnum": order.customer_document_no,
        "foreigntotal": Decimal(gross).scaleb(-2),
    }
    lines = [{"amount": gross}]
    for place, line in enumerate(order.lines):
        lines += sold(ids, order, line, shipped=order.despatched_of(place))
    options: dict[str, Any] = {
        "created": when(order.created),
        "rate": EURO_RATE if order.currency == "EUR" else ONE,
        "of_main_line": {"class": ids.classes.get(order.analysis), "location": LOCATION_IDS["MAIN"]},
    }
    if order.is_draft:
        tables.transaction(number, "Estimate", day, when(order.updated), lines, **header, **options)
        return
    status = _STATUSES[order.status]
    if order.despatched is not None and not order.is_despatched_in_full:
        status = "D"
    elif order.despatched is not None and not order.is_invoiced:
        status = "F"
    # The import writes its key; what somebody keyed has none.
    header["externalid"] = f"SO-{order.customer_document_no}" if order.order is not None else None
    header |= {"tranid": order.document_no, "status": status}
    tables.transaction(number, "SalesOrd", day, when(order.updated), lines, **header, **options)
    for position, despatch in enumerate(order.despatches):
        _ship(tables, order, header, despatch, SHIPMENTS + order.id + position * SECOND_PARCEL)


def sold(
    ids: Ids, order: ErpOrder, line: ErpLine, account: str | None = None, shipped: int = 0
) -> list[dict[str, Any]]:
    """A line of a sale and the tax line behind it: negative, as credits are. With `account` both are posted."""
    quantity = Decimal(line.quantity)
    goods: dict[str, Any] = {
        "amount": -line.net,
        "account": Ids.account(account) if account else None,
        "item": ids.items[line.item.code] if line.item is not None else CARRIAGE,
        "itemtype": "InvtPart" if line.item is not None else "OthCharge",
        "quantity": -quantity,
        "rate": unit_price(line.net, max(1, line.quantity)),
        "memo": line.order_line_id or None,
        "quantitybilled": quantity if order.is_invoiced else Decimal(0),
        "quantityshiprecv": Decimal(shipped),
        "isfullyshipped": "T" if order.despatched is not None and shipped >= quantity else "F",
    }
    if line.item is not None:
        goods |= {
            "location": LOCATION_IDS["MAIN"],
            "quantitycommitted": quantity if order.is_open else Decimal(0),
        }
    return [goods, tax_line(-line.tax, line.tax_code, line.vat_rate, "2200" if account else None)]


def tax_line(amount: int, tax_code: int, vat_rate: int, account: str | None) -> dict[str, Any]:
    """`vat_rate` in basis points."""
    return {
        "amount": amount,
        "account": Ids.account(account) if account and amount else None,
        "taxline": "T",
        "item": TAX_ITEM_IDS[tax_code],
        "itemtype": "TaxItem",
        "rate": Decimal(vat_rate) / 100,
    }


def _ship(tables: Tables, order: ErpOrder, header: dict[str, Any], despatch: Despatch, number: int) -> None:
    """The fulfilment of what left at one time. Each of its goods stands there twice: given up, and what it cost."""
    places: list[int] = []
    lines: list[dict[str, Any]] = [
        {"amount": 0, "createdfrom": ORDERS + order.id, "shipmethod": ship_method(despatch.carrier)}
    ]
    for index, line in enumerate(order.lines):
        left = despatch.quantities.get(index, 0)
        if line.item is None or not left:
            continue
        # Every line of the order has its tax line behind it.
        places.append(2 * index + 1)
        cost = line.item.cost * left
        goods = {
            "item": line.item.product_id,
            "itemtype": "InvtPart",
            "memo": line.order_line_id or None,
            "location": LOCATION_IDS["MAIN"],
            "createdfrom": ORDERS + order.id,
        }
        lines += [
            {"amount": -cost, "account": Ids.account(STOCK), "quantity": -Decimal(left), **goods},
            {
                "amount": cost,
                "account": Ids.account(COST_OF_SALES),
                "quantity": Decimal(left),
                **goods,
                "iscogs": "T",
            },
        ]
    tables.transaction(
        number,
        "ItemShip",
        london_date(despatch.at),
        when(despatch.at),
        lines,
        entity=header["entity"],
        currency=header["currency"],
        status="C",
        tranid=despatch.number,
        trackingnumberlist=despatch.tracking or None,
        foreigntotal=Decimal(0),
    )
    if despatch.tracking:
        tables.add("trackingnumber", id=number, trackingnumber=despatch.tracking)
        tables.add("trackingnumbermap", transaction=number, trackingnumber=number)
    tables.link(ORDERS + order.id, "SalesOrd", number, "ItemShip", "ShipRcpt", places)
