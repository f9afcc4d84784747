"""Item fulfilments: made from a sales order only; lines the body does not name are shipped in full."""

from decimal import Decimal
from typing import Any

from sandbox.netsuite.books import Books, Posting
from sandbox.netsuite.postings import ZERO, lines_of
from sandbox.netsuite.problems import Refusal, invalid_value, missing

SHIPPABLE = ("InvtPart", "Assembly", "Kit", "NonInvtPart")
PACKAGES = {
    "package": "packageTrackingNumber",
    "packageUps": "packageTrackingNumberUps",
    "packageFedex": "packageTrackingNumberFedEx",
    "packageUsps": "packageTrackingNumberUsps",
}
_OPEN = ("B", "D", "E")


def fulfilment(books: Books, order_id: int, document: dict[str, Any]) -> Posting:
    """Ships what remains of an order, less what the body takes out. Books costs when the status is C (shipped)."""
    database = books.database
    order = database.row("transaction", order_id) or {}
    if order.get("type") != "SalesOrd" or order.get("status") not in _OPEN:
        raise Refusal("Error while accessing a resource. The sales order is not pending fulfillment.")
    ship_status = document.get("shipStatus", "C")
    ship_status = ship_status.get("id") if isinstance(ship_status, dict) else ship_status
    if ship_status not in ("A", "B", "C"):
        raise invalid_value(ship_status, "shipStatus", "shipStatus")
    ordered = database.rows("transactionline", '"transaction" = ? ORDER BY id', [order_id])
    subsidiary = int(ordered[0].get("subsidiary", 1))
    lines: list[dict[str, Any]] = []
    links = []
    for line, item, path in _chosen(books, ordered, document):
        left = -line["quantity"] - line.get("quantityshiprecv", ZERO)
        quantity = books.amount(item.get("quantity"), "quantity", f"{path}quantity", 5)
        quantity = left if quantity is None else quantity
        if quantity > left or quantity <= 0:
            raise invalid_value(quantity, "quantity", f"{path}quantity")
        location = books.reference(item.get("location"), "location", f"{path}location", "location")
        location = location or books.reference(document.get("location"), "location", "location", "location")
        location = location or line.get("location")
        if location is None:
            raise missing("Location")
        cost = _take_stock(books, line, location, quantity)
        part = database.row("item", line["item"]) or {}
        shared = {
            "subsidiary": subsidiary,
            "item": line["item"],
            "itemtype": line.get("itemtype"),
            "location": location,
        }
        number = len(lines) + 1
        moved = books.line(
            number, -cost, Decimal(1), part.get("assetaccount"), quantity=-quantity, iscogs="F", **shared
        )
        moved["createdfrom"] = order_id
        expense = part.get("cogsaccount") or part.get("expenseaccount")
        lines += [moved, books.line(number + 1, cost, Decimal(1), expense, quantity=quantity, iscogs="T", **shared)]
        links.append(
            {
                "previousdoc": order_id,
                "previoustype": "SalesOrd",
                "previousline": line["id"],
                "nextline": number,
                "linktype": "ShipRcpt",
                "foreignamount": cost,
            }
        )
    if not lines:
        raise Refusal("Error while accessing a resource. You must enter at least one line item for this transaction.")
    day = books.day(document)
    tracking = [
        str(package[name])
        for sublist, name in PACKAGES.items()
        for package in lines_of(document, sublist)
        if package.get(name)
    ]
    header = {
        "trandate": day,
        "entity": order.get("entity"),
        "currency": books.base_currency(subsidiary),
        "exchangerate": Decimal(1),
        "status": ship_status,
        "posting": "T" if ship_status == "C" else "F",
        "postingperiod": books.period(document, day),
        "trackingnumberlist": "<BR>".join(tracking) or None,
    }
    if ship_status != "C":
        for line in lines:
            line["_account"] = None
    main = books.line(0, ZERO, Decimal(1), subsidiary=subsidiary, entity=order.get("entity"), createdfrom=order_id)
    _move_order_on(books, order_id)
    return Posting(header, [main, *lines], links, tracking)


def _chosen(
    books: Books, ordered: list[dict[str, Any]], document: dict[str, Any]
) -> list[tuple[dict[str, Any], dict[str, Any], str]]:
    open_lines = {
        line["id"]: line
        for line in ordered
        if line.get("itemtype") in SHIPPABLE
        and line.get("isclosed") != "T"
        and -line.get("quantity", ZERO) > line.get("quantityshiprecv", ZERO)
    }
    sent: dict[int, tuple[dict[str, Any], str]] = {}
    for position, item in enumerate(lines_of(document, "item")):
        path = f"item.items[{position}]."
        number = item.get("orderLine")
        if number not in open_lines:
            raise invalid_value(number, "orderLine", f"{path}orderLine")
        sent[number] = (item, path)
    chosen = []
    for number, line in open_lines.items():
        item, path = sent.get(number, ({}, ""))
        # The help writes itemreceive where the schema says itemReceive.
        if item.get("itemReceive", item.get("itemreceive", True)) is not False:
            chosen.append((line, item, path))
    return chosen


def _take_stock(books: Books, line: dict[str, Any], location: int, quantity: Decimal) -> Decimal:
    """Takes the quantity off the shelf and off the order, and returns what it cost in the base currency."""
    database, now = books.database, books.now()
    cost = Decimal((database.row("item", line["item"]) or {}).get("averagecost", 0))
    key = "item = ? AND location = ?"
    if line.get("itemtype") != "NonInvtPart":
        held = database.rows("inventoryitemlocations", key, [line["item"], location])
        on_hand = held[0].get("quantityonhand", ZERO) if held else ZERO
        if on_hand < quantity:
            raise Refusal("Error while accessing a resource. There is not enough inventory in this location.")
        committed = held[0].get("quantitycommitted", ZERO)
        committed -= min(line.get("quantitycommitted", ZERO), quantity, committed)
        changes = {
            "quantityonhand": on_hand - quantity,
            "quantitycommitted": committed,
            "quantityavailable": max(on_hand - quantity - committed, ZERO),
            "lastquantityavailablechange": now,
        }
        database.update("inventoryitemlocations", changes, key, [line["item"], location])
        cost = held[0].get("averagecostmli", cost)
    shipped = line.get("quantityshiprecv", ZERO) + quantity
    changes = {
        "quantityshiprecv": shipped,
        "quantitycommitted": max(line.get("quantitycommitted", ZERO) - quantity, ZERO),
        "isfullyshipped": "T" if shipped == -line["quantity"] else "F",
        "linelastmodifieddate": now,
    }
    database.update("transactionline", changes, '"transaction" = ? AND id = ?', [line["transaction"], line["id"]])
    return (cost * quantity).quantize(Decimal("0.01"))


def take_back(books: Books, number: int) -> None:
    """A deleted fulfilment: quantities go back onto the shelf, and the order is open again."""
    database = books.database
    for link in database.rows("nexttransactionlinelink", "nextdoc = ? AND linktype = 'ShipRcpt'", [number]):
        shipped = database.rows("transactionline", '"transaction" = ? AND id = ?', [number, link["nextline"]])[0]
        quantity, order = -shipped["quantity"], link["previousdoc"]
        where = '"transaction" = ? AND id = ?'
        line = database.rows("transactionline", where, [order, link["previousline"]])[0]
        changes = {"quantityshiprecv": line["quantityshiprecv"] - quantity, "isfullyshipped": "F"}
        database.update("transactionline", changes, where, [order, link["previousline"]])
        key = "item = ? AND location = ?"
        for held in database.rows("inventoryitemlocations", key, [shipped["item"], shipped["location"]]):
            back = {name: held.get(name, ZERO) + quantity for name in ("quantityonhand", "quantityavailable")}
            database.update("inventoryitemlocations", back, key, [shipped["item"], shipped["location"]])
        _move_order_on(books, order)


def _move_order_on(books: Books, order_id: int) -> None:
    lines = books.database.rows("transactionline", '"transaction" = ? AND item IS NOT NULL', [order_id])
    lines = [line for line in lines if line.get("itemtype") in SHIPPABLE and line.get("isclosed") != "T"]
    shipped = sum((line.get("quantityshiprecv", ZERO) for line in lines), ZERO)
    is_done = all(line.get("quantityshiprecv", ZERO) >= -line["quantity"] for line in lines)
    status = "F" if is_done else "D" if shipped else "B"
    books.database.update("transaction", {"status": status, "lastmodifieddate": books.now()}, "id = ?", [order_id])
