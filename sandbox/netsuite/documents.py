"""Records as the REST service shows them: references and choices as objects, real numbers and dates, nothing empty."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sandbox.clock import stamp
from sandbox.netsuite.books import Books
from sandbox.netsuite.contract import LISTS, NAMES, REFERENCES, TRANSACTIONS, contract, status_text

# Names that differ between the record and its table.
_COLUMNS = {
    "customerPayment": {"customer": "entity", "payment": "foreigntotal", "total": "foreigntotal"},
    "salesOrder": {"total": "foreigntotal", "orderStatus": "status"},
    "invoice": {"total": "foreigntotal", "amountRemaining": "foreignamountunpaid"},
    "deposit": {"total": "foreigntotal"},
    "creditMemo": {"total": "foreigntotal", "amountRemaining": "foreignamountunpaid"},
    "itemFulfillment": {"shipStatus": "status"},
}
_FROM_MAIN_LINE = ("subsidiary", "location", "department", "class", "createdfrom")
_TARGETS = {"customer": "entity", "arAcct": "account"}


def document(books: Books, record: str, row: dict[str, Any], base_url: str, is_expanded: bool) -> dict[str, Any]:
    """One record from its rows. `row` is the row of its own table."""
    number = row["id"]
    shown: dict[str, Any] = {
        "links": [{"rel": "self", "href": f"{base_url}/{record.lower()}/{number}"}],
        "id": str(number),
    }
    values, lines = dict(row), []
    if record in TRANSACTIONS:
        lines = books.database.rows("transactionline", '"transaction" = ? ORDER BY id', [number])
        main = next((line for line in lines if line.get("mainline") == "T"), {})
        values |= {name: main[name] for name in _FROM_MAIN_LINE if name in main}
        values["account"] = _main_account(books, number)
    names = _COLUMNS.get(record, {})
    for name, spec in contract()["records"][record]["fields"].items():
        value = values.get(names.get(name, name.lower()))
        if value is None or name in ("id", "links"):
            continue
        if record == "creditMemo" and name == "total":
            value = -value
        if spec["type"] == "sublist":
            # A list of choices is one of its own, with its own address.
            shown[name] = {"links": [{"rel": "self", "href": f"{base_url}/{record.lower()}/{number}/{name}"}]}
            continue
        if name == "orderStatus" and value not in ("A", "B"):
            continue  # what an order has come to is its `status`
        shown[name] = _shown(books, name, value, spec, base_url)
    if record not in TRANSACTIONS:
        return shown
    shown |= _states(record, row)
    shown |= {name: value for name, value in books.extras.get(number, {}).items() if name not in shown}
    for sublist, items in sublists(books, record, number, lines, base_url).items():
        link = f"{base_url}/{record.lower()}/{number}/{sublist}"
        shown[sublist] = {"links": [{"rel": "self", "href": link}]}
        if is_expanded:
            shown[sublist] |= {"items": items, "totalResults": len(items)}
    return shown


def _states(record: str, row: dict[str, Any]) -> dict[str, Any]:
    letter, code = str(row.get("status", "")), str(row["type"])
    # The id of a status is its text, where every other choice has its code there.
    text = status_text(code, letter)
    # A deposit has no status.
    states: dict[str, Any] = {"status": {"id": text, "refName": text}} if letter and record != "deposit" else {}
    if record == "journalEntry":
        approval = str(row.get("approvalstatus", 2))
        names = {"1": "Pending Approval", "2": "Approved", "3": "Rejected"}
        states["approved"] = approval == "2"
        states["approvalStatus"] = {"id": approval, "refName": names.get(approval, approval)}
    return states


def _main_account(books: Books, number: int) -> int | None:
    rows = books.database.rows(
        "transactionaccountingline", '"transaction" = ? AND transactionline = 0 LIMIT 1', [number]
    )
    return rows[0].get("account") if rows else None


def _shown(books: Books, name: str, value: Any, spec: dict[str, Any], base_url: str) -> Any:
    kind = spec["type"]
    if kind == "ref" or (kind == "object" and name in REFERENCES):
        return reference(books, name, value, base_url)
    if kind == "enum":
        return {"id": str(value), "refName": str(value)}
    if kind == "boolean":
        return value == "T"
    if isinstance(value, datetime):
        return stamp(value.replace(tzinfo=UTC))
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return plain(value)
    return value if kind in ("number", "integer") else str(value)


def plain(value: Decimal) -> Decimal:
    """Without trailing zeros and without an exponent."""
    value = value.normalize()
    return value.quantize(Decimal(1)) if value.as_tuple().exponent > 0 else value


def reference(books: Books, name: str, value: Any, base_url: str) -> dict[str, Any]:
    target = _TARGETS.get(name) or REFERENCES.get(name.lower()) or ""
    table = "customer" if target == "entity" else target
    shown: dict[str, Any] = {"id": str(value)}
    if not table:
        return shown
    record = next((record for record, listed in LISTS.items() if listed == table), table)
    shown["links"] = [{"rel": "self", "href": f"{base_url}/{record.lower()}/{value}"}]
    row = books.database.row(table, value)
    if row is not None and row.get(NAMES[table]):
        shown["refName"] = row[NAMES[table]]
    return shown


def sublists(
    books: Books, record: str, number: int, lines: list[dict[str, Any]], base_url: str
) -> dict[str, list[dict[str, Any]]]:
    """Sublist → its lines, in the shape a body sends them."""

    def line(row: dict[str, Any], key: dict[str, Any], **values: Any) -> dict[str, Any]:
        # Only lines of accounts name an entity; those of items have the document's.
        for name in ("account", *(() if "item" in row else ("entity",)), "item", "location", "department", "class"):
            if values.get(name, row.get(name)) is not None:
                key[name] = reference(books, name, values.get(name, row.get(name)), base_url)
        if row.get("memo"):
            key["description" if "item" in row else "memo"] = row["memo"]
        return key

    accounts = {
        row["transactionline"]: row["account"]
        for row in books.database.rows("transactionaccountingline", '"transaction" = ?', [number])
    }
    if record == "journalEntry":
        return {"line": [line(row, _sides(row), account=accounts.get(row["id"])) for row in lines]}
    if record == "deposit":
        found: dict[str, list[dict[str, Any]]] = {"payment": [], "other": [], "cashback": []}
        for row in lines[1:]:
            amount = row["foreignamount"]
            if row.get("createdfrom"):
                found["payment"].append({"id": row["createdfrom"], "deposit": True, "paymentAmount": plain(-amount)})
                continue
            sublist = row.get("accountinglinetype") or ("other" if amount < 0 else "cashback")
            shown = {"line": str(row["id"]), "amount": plain(-amount if sublist == "other" else amount)}
            found[sublist].append(line(row, shown, account=accounts.get(row["id"])))
        return found
    items = []
    for row in lines:
        if row.get("item") is None or row.get("iscogs") == "T" or row.get("taxline") == "T":
            continue
        shown = {"line": row["id"], "quantity": plain(abs(row.get("quantity", Decimal(0))))}
        if record == "itemFulfillment":
            shown["itemReceive"] = True
        else:
            sign = -1 if record in ("salesOrder", "invoice") else 1
            shown |= {"amount": plain(sign * row["foreignamount"]), "isClosed": row.get("isclosed") == "T"}
            shown |= {"rate": plain(row["rate"])} if "rate" in row else {}
        items.append(line(row, shown))
    lists = {"item": items}
    if record in ("creditMemo", "customerPayment"):
        links = books.database.rows("nexttransactionlinelink", "nextdoc = ? AND linktype = 'Payment'", [number])
        applied = [
            {"doc": {"id": str(link["previousdoc"])}, "apply": True, "amount": plain(link["foreignamount"])}
            for link in links
        ]
        lists = ({"item": items} if record == "creditMemo" else {}) | {"apply": applied}
    return lists


def _sides(row: dict[str, Any]) -> dict[str, Any]:
    amount = row["foreignamount"]
    return {"line": row["id"] + 1, "debit" if amount > 0 else "credit": plain(abs(amount))}
