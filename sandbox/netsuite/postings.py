"""What each record does to the books: one function per record, from a body to a posting, with the vendor's refusals."""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.netsuite.books import Books, Posting
from sandbox.netsuite.problems import Refusal, invalid_value, missing

MOST_JOURNAL_LINES = 1000
ZERO = Decimal(0)


def lines_of(document: dict[str, Any], sublist: str) -> list[dict[str, Any]]:
    """The lines of a sublist. Raises Refusal when it has another shape than {"items": [{…}, …]}."""
    sent = document.get(sublist)
    if sent is None:
        return []
    items = sent.get("items", []) if isinstance(sent, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Refusal(f"Invalid content for the sublist {sublist}.", "INVALID_CONTENT", path=sublist)
    return items


def _dimensions(books: Books, item: dict[str, Any], path: str) -> dict[str, Any]:
    tables = {"location": "location", "department": "department", "class": "classification"}
    return {name: books.reference(item.get(name), name, f"{path}{name}", table) for name, table in tables.items()}


def _id(value: Any) -> str:
    return str(value.get("id") if isinstance(value, dict) else value)


def journal(books: Books, document: dict[str, Any]) -> Posting:
    """Balanced in its one currency; each line debit or credit, positive. Waits for approval where that is on."""
    subsidiary = books.required(document, "subsidiary", "Subsidiary", "subsidiary")
    currency = books.reference(document.get("currency"), "currency", "currency", "currency")
    currency = currency or books.base_currency(subsidiary)
    day, items = books.day(document), lines_of(document, "line")
    precision = books.precision(currency)
    rate = books.rate(document, currency, subsidiary, day)
    if len(items) < 2:
        raise Refusal("Error while accessing a resource. You must enter at least two lines for this transaction.")
    if len(items) > MOST_JOURNAL_LINES:
        raise Refusal(f"Error while accessing a resource. The journal has more than {MOST_JOURNAL_LINES:,} lines.")
    lines = []
    for number, item in enumerate(items):
        path = f"line.items[{number}]."
        account = books.account(item, path, subsidiary)
        debit = books.amount(item.get("debit"), "debit", f"{path}debit", precision)
        credit = books.amount(item.get("credit"), "credit", f"{path}credit", precision)
        if (debit is None) == (credit is None):
            raise missing("Debit or Credit")
        if (debit or credit or ZERO) <= 0:
            side = "debit" if credit is None else "credit"
            raise invalid_value(debit or credit or ZERO, side, path + side)
        entity = books.entity(item.get("entity"), f"{path}entity")
        if account.get("accttype") in ("AcctRec", "AcctPay") and entity is None:
            raise missing("Name")
        columns = {"subsidiary": subsidiary, "entity": entity, "memo": item.get("memo")}
        amount = debit if debit is not None else -(credit or ZERO)
        columns |= _dimensions(books, item, path)
        lines.append(books.line(number, amount, rate, account["id"], **columns))
    if sum((line["foreignamount"] for line in lines), ZERO):
        raise Refusal("Error while accessing a resource. The amounts in a journal entry must balance.")
    approval = document.get("approvalStatus")
    is_approved = document.get("approved") is True or (approval is not None and _id(approval) == "2")
    is_posted = is_approved or (not books.settings.approval_required and document.get("approved") is not False)
    header = {
        "trandate": day,
        "currency": currency,
        "exchangerate": rate,
        "foreigntotal": sum((line["foreignamount"] for line in lines if line["foreignamount"] > 0), ZERO),
        "postingperiod": books.period(document, day),
        "posting": "T" if is_posted else "F",
        "status": "B" if is_posted else "A",
        "approvalstatus": 2 if is_posted else 1,
    }
    return Posting(header, lines)


def _trade_items(
    books: Books, document: dict[str, Any], sign: int, rate: Decimal, subsidiary: int, precision: int
) -> list[dict[str, Any]]:
    """Item lines from 1 on; `sign` is -1 on the sales side, where quantities and amounts are negative."""
    items = lines_of(document, "item")
    if not items:
        raise Refusal("Error while accessing a resource. You must enter at least one line item for this transaction.")
    lines, number = [], 0
    for position, item in enumerate(items):
        path = f"item.items[{position}]."
        found = books.required(item, "item", "Item", "item", path)
        row = books.database.row("item", found) or {}
        quantity = books.amount(item.get("quantity", 1), "quantity", f"{path}quantity", 5) or ZERO
        price = books.amount(item.get("rate"), "rate", f"{path}rate", 8)
        amount = books.amount(item.get("amount"), "amount", f"{path}amount", precision)
        if amount is None:
            amount = (quantity * (price or ZERO)).quantize(Decimal(1).scaleb(-precision))
        if price is None:
            price = amount / quantity if quantity else ZERO
        sent = item.get("line")
        number = int(sent) if sent is not None else number + 1
        columns = {
            "item": found,
            "itemtype": row.get("itemtype"),
            "quantity": sign * quantity,
            "rate": price.quantize(Decimal("0.00000001")),
            "subsidiary": subsidiary,
            "memo": item.get("description"),
            "isfullyshipped": "F",
            "isclosed": "T" if item.get("isClosed") is True else "F",
            **_dimensions(books, item, path),
        }
        if columns["location"] is None:
            columns["location"] = books.reference(document.get("location"), "location", "location", "location")
        lines.append(books.line(number, sign * amount, rate, row.get("incomeaccount"), **columns))
    if len({line["id"] for line in lines}) != len(lines):
        raise Refusal("Two lines carry the same line number.", "INVALID_CONTENT", path="item")
    return lines


def _taxes(
    books: Books, items: list[dict[str, Any]], rate: Decimal, subsidiary: int, precision: int
) -> list[dict[str, Any]]:
    """The tax lines of item lines, each shown behind its own: no body may say them, the items' tax codes do. What has
    none of its own, as carriage, takes that of the goods before it.
    """
    found: list[dict[str, Any]] = []
    number = max(line["id"] for line in items)
    code: int | None = None
    for place, line in enumerate(items):
        line["linesequencenumber"] = 2 * place + 1
        item = books.database.row("item", line["item"]) if line.get("item") is not None else None
        own = (item or {}).get("salestaxcode")
        code = int(own) if own else code
        tax = books.database.row("salestaxitem", code) if code is not None else None
        if tax is None or item is None:
            continue
        number += 1
        percent = Decimal(str(tax.get("rate") or 0))
        amount = (line["foreignamount"] * percent / 100).quantize(Decimal(1).scaleb(-precision), ROUND_HALF_UP)
        columns = {"item": code, "itemtype": "TaxItem", "taxline": "T", "rate": percent, "subsidiary": subsidiary}
        found.append(books.line(number, amount, rate, **columns | {"linesequencenumber": 2 * place + 2}))
    return found


def _customer(books: Books, document: dict[str, Any], name: str) -> tuple[int, int, int]:
    """(customer, subsidiary, currency); the latter two default to the customer's."""
    entity = books.required(document, name, "Customer", "customer")
    row = books.database.row("customer", entity) or {}
    subsidiary = books.reference(document.get("subsidiary"), "subsidiary", "subsidiary", "subsidiary")
    if subsidiary is None:
        primary = books.database.rows("customersubsidiaryrelationship", "entity = ? AND isprimarysub = 'T'", [entity])
        subsidiary = int(primary[0]["subsidiary"]) if primary else 1
    currency = books.reference(document.get("currency"), "currency", "currency", "currency")
    return entity, subsidiary, currency or int(row.get("currency") or books.base_currency(subsidiary))


def sales_order(books: Books, document: dict[str, Any]) -> Posting:
    """Nothing is posted. Item lines are negative; the main line carries the total."""
    entity, subsidiary, currency = _customer(books, document, "entity")
    day = books.day(document)
    rate, precision = books.rate(document, currency, subsidiary, day), books.precision(currency)
    status = _id(document.get("orderStatus", "B"))
    if status not in ("A", "B"):
        raise invalid_value(status, "orderStatus", "orderStatus")
    items = _trade_items(books, document, -1, rate, subsidiary, precision)
    if all(line["isclosed"] == "T" for line in items):
        status = "H"
    shipping = books.amount(document.get("shippingCost"), "shippingCost", "shippingCost", precision)
    if shipping:
        last = max(line["id"] for line in items)
        items.append(books.line(last + 1, -shipping, rate, itemtype="ShipItem", subsidiary=subsidiary))
    items += _taxes(books, items, rate, subsidiary, precision)
    total = -sum((line["foreignamount"] for line in items), ZERO)
    for line in items:
        line["_account"] = None
    location = books.reference(document.get("location"), "location", "location", "location")
    of_class = books.reference(document.get("class"), "class", "class", "classification")
    main = books.line(0, total, rate, entity=entity, subsidiary=subsidiary, location=location, **{"class": of_class})
    header = {
        "trandate": day,
        "entity": entity,
        "currency": currency,
        "exchangerate": rate,
        "foreigntotal": total,
        "status": status,
        "posting": "F",
        "otherrefnum": document.get("otherRefNum"),
        "email": document.get("email"),
    }
    return Posting(header, [main, *items])


def _applications(books: Books, document: dict[str, Any], entity: int, most: Decimal | None) -> list[dict[str, Any]]:
    """Links to the invoices that are paid, the invoices changed already."""
    links = []
    for position, item in enumerate(lines_of(document, "apply")):
        path = f"apply.items[{position}]."
        if item.get("apply") is False:
            continue
        invoice = books.required(item, "doc", "Doc", "transaction", path)
        row = books.database.row("transaction", invoice) or {}
        unpaid = row.get("foreignamountunpaid", ZERO)
        amount = books.amount(item.get("amount"), "amount", f"{path}amount") or unpaid
        if row.get("type") != "CustInvc" or row.get("entity") != entity or amount > unpaid or amount <= 0:
            raise invalid_value(amount, "amount", f"{path}amount")
        books.apply(invoice, amount)
        links.append(
            {
                "previousdoc": invoice,
                "previoustype": "CustInvc",
                "previousline": 0,
                "nextline": 0,
                "linktype": "Payment",
                "foreignamount": amount,
            }
        )
    applied = sum((link["foreignamount"] for link in links), ZERO)
    if most is not None and applied > most:
        raise Refusal("Error while accessing a resource. The amount applied is more than the payment.")
    return links


def _special(books: Books, kind: str, column: str) -> int:
    rows = books.database.rows("account", f'"{column}" = ? ORDER BY id LIMIT 1', [kind])
    if not rows:
        raise missing("Account")
    return int(rows[0]["id"])


def payment(books: Books, document: dict[str, Any]) -> Posting:
    """A customer's payment: to a bank account, or to undeposited funds until a deposit takes it."""
    entity, subsidiary, currency = _customer(books, document, "customer")
    day, precision = books.day(document), books.precision(currency)
    rate = books.rate(document, currency, subsidiary, day)
    total = books.amount(document.get("payment"), "payment", "payment", precision)
    links = _applications(books, document, entity, total)
    total = total if total is not None else sum((link["foreignamount"] for link in links), ZERO)
    if total <= 0:
        raise missing("Payment Amount")
    bank = books.reference(document.get("account"), "account", "account", "account")
    bank = bank if bank is not None else _special(books, "UndepFunds", "sspecacct")
    is_undeposited = (books.database.row("account", bank) or {}).get("sspecacct") == "UndepFunds"
    receivable = books.reference(document.get("arAcct"), "arAcct", "arAcct", "account")
    receivable = receivable or _special(books, "AcctRec", "accttype")
    shared = {"subsidiary": subsidiary, "entity": entity}
    header = {
        "trandate": day,
        "entity": entity,
        "currency": currency,
        "exchangerate": rate,
        "foreigntotal": total,
        "status": "B" if is_undeposited else "C",
        "posting": "T",
        "postingperiod": books.period(document, day, "arlocked"),
    }
    main = books.line(0, total, rate, bank, **shared)
    return Posting(header, [main, books.line(1, -total, rate, receivable, **shared)], links)


def credit_memo(books: Books, document: dict[str, Any]) -> Posting:
    """The customer's debt shrinks: positive lines, a negative total."""
    entity, subsidiary, currency = _customer(books, document, "entity")
    day, precision = books.day(document), books.precision(currency)
    rate = books.rate(document, currency, subsidiary, day)
    items = _trade_items(books, document, 1, rate, subsidiary, precision)
    taxes = _taxes(books, items, rate, subsidiary, precision)
    for line in taxes:
        line["_account"] = _special(books, "SalesTaxPay", "sspecacct")
    items += taxes
    total = sum((line["foreignamount"] for line in items), ZERO)
    links = _applications(books, document, entity, total)
    applied = sum((link["foreignamount"] for link in links), ZERO)
    receivable = books.reference(document.get("account"), "account", "account", "account")
    receivable = receivable or _special(books, "AcctRec", "accttype")
    location = books.reference(document.get("location"), "location", "location", "location")
    created_from = books.reference(document.get("createdFrom"), "createdFrom", "createdFrom", "transaction")
    header = {
        "trandate": day,
        "entity": entity,
        "currency": currency,
        "exchangerate": rate,
        "foreigntotal": -total,
        "foreignamountunpaid": total - applied,
        "foreignamountpaid": applied,
        "status": "B" if applied == total else "A",
        "posting": "T",
        "postingperiod": books.period(document, day, "arlocked"),
        "otherrefnum": document.get("otherRefNum"),
    }
    columns = {"subsidiary": subsidiary, "entity": entity, "location": location, "createdfrom": created_from}
    return Posting(header, [books.line(0, -total, rate, receivable, **columns), *items], links)


def credit_for(books: Books, invoice: int) -> dict[str, Any]:
    """The body of the credit memo that takes a whole invoice back, applied to what is still open of it."""
    row = books.database.row("transaction", invoice) or {}
    lines = books.database.rows("transactionline", '"transaction" = ? ORDER BY id', [invoice])
    items = [
        {"item": line["item"], "quantity": -line.get("quantity", ZERO), "amount": -line["foreignamount"]}
        for line in lines
        if line.get("item") is not None and line.get("taxline") != "T"
    ]
    total, unpaid = sum((item["amount"] for item in items), ZERO), row.get("foreignamountunpaid", ZERO)
    applied = [{"doc": invoice, "apply": True, "amount": min(total, unpaid)}] if unpaid else []
    return {
        "entity": row.get("entity"),
        "currency": row.get("currency"),
        "subsidiary": lines[0].get("subsidiary"),
        "location": lines[0].get("location"),
        "createdFrom": invoice,
        "item": {"items": items},
        "apply": {"items": applied},
    }


def deposit(books: Books, document: dict[str, Any]) -> Posting:
    """Bank = payments + other lines - cash back. Currency and subsidiary follow the bank account."""
    bank = books.required(document, "account", "Account", "account")
    row = books.database.row("account", bank) or {}
    if row.get("accttype") not in ("Bank", "OthCurrAsset"):
        raise invalid_value(bank, "account", "account")
    subsidiary = books.reference(document.get("subsidiary"), "subsidiary", "subsidiary", "subsidiary")
    subsidiary = subsidiary or int(str(row.get("subsidiary", "1")).split(",")[0])
    own = str(row.get("currency", "")).split(",")[0].strip()
    currency = int(own) if own else books.base_currency(subsidiary)
    day, precision = books.day(document), books.precision(currency)
    rate = books.rate(document, currency, subsidiary, day)
    paid, other = lines_of(document, "payment"), lines_of(document, "other")
    if not paid and not other:
        raise Refusal("Error while accessing a resource. You must enter at least one line item for this transaction.")
    lines: list[dict[str, Any]] = []
    links = []
    for position, item in enumerate(paid):
        if item.get("deposit") is False:
            continue
        path = f"payment.items[{position}].id"
        number = books.reference(item.get("id"), "id", path, "transaction")
        taken = books.database.row("transaction", number) or {}
        if taken.get("type") != "CustPymt" or taken.get("status") != "B":
            raise invalid_value(number, "id", path)
        books.database.update("transaction", {"status": "C", "lastmodifieddate": books.now()}, "id = ?", [number])
        account = books.database.value(
            'SELECT account FROM transactionaccountingline WHERE "transaction" = ? AND transactionline = 0 LIMIT 1',
            [number],
        )
        amount = taken["foreigntotal"]
        columns = {"createdfrom": number, "subsidiary": subsidiary, "entity": taken.get("entity")}
        lines.append(books.line(len(lines) + 1, -amount, rate, account, **columns))
        links.append(
            {
                "previousdoc": number,
                "previoustype": "CustPymt",
                "previousline": 0,
                "nextline": len(lines),
                "linktype": "DepPymt",
                "foreignamount": amount,
            }
        )
    for sublist, sign in (("other", -1), ("cashback", 1)):
        for position, item in enumerate(lines_of(document, sublist)):
            path = f"{sublist}.items[{position}]."
            account = books.account(item, path, subsidiary)["id"]
            amount = books.amount(item.get("amount"), "amount", f"{path}amount", precision)
            if amount is None:
                raise missing("Amount")
            entity = books.reference(item.get("entity"), "entity", f"{path}entity", "customer")
            columns = {
                "subsidiary": subsidiary,
                "entity": entity,
                "memo": item.get("memo"),
                "accountinglinetype": sublist,
            }
            columns |= _dimensions(books, item, path)
            lines.append(books.line(len(lines) + 1, sign * amount, rate, account, **columns))
    total = -sum((line["foreignamount"] for line in lines), ZERO)
    header = {
        "trandate": day,
        "currency": currency,
        "exchangerate": rate,
        "foreigntotal": total,
        "posting": "T",
        "status": "A",
        "postingperiod": books.period(document, day),
    }
    main = books.line(0, total, rate, bank, subsidiary=subsidiary, cleared="F")
    return Posting(header, [main, *lines], links)


POSTINGS: dict[str, Callable[[Books, dict[str, Any]], Posting]] = {
    "journalEntry": journal,
    "salesOrder": sales_order,
    "customerPayment": payment,
    "creditMemo": credit_memo,
    "deposit": deposit,
}
