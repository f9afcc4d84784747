"""What was posted: invoices, credit memos, payments, cheques and journals. A posting's id is the books' number of it.

A journal of the marketplace is one transaction here, whatever documents other ERPs need for it. Its external id is the
key that a pipeline writes. Who keys it again by hand gives it the key as its number; a reversal names what it reverses.
"""

from decimal import Decimal
from itertools import groupby
from typing import Any

from sandbox.world.catalogue import TAX_CODES
from sandbox.world.erp import AR, OUTPUT_VAT, Books, sale_tax_code
from sandbox.world.model import ErpOrder, OrderLine, Posting
from sandbox.world.netsuite.ids import CARRIAGE, EUR, GBP, LOCATION_IDS, ORDERS, Ids
from sandbox.world.netsuite.orders import sold, tax_line
from sandbox.world.netsuite.tables import ONE, Tables, when


def add_postings(tables: Tables, ids: Ids, books: Books) -> None:
    journals: dict[tuple[str, str], list[Posting]] = {}
    for posting in books.postings:
        if posting.journal_key:
            event = "copy" if posting.repeats is not None else "reversal" if posting.reverses is not None else ""
            journals.setdefault((posting.journal_key, event), []).append(posting)
        elif posting.kind == "STOCK_ISSUE":
            # The fulfilment itself posts it.
            continue
        elif posting.invoice_of is not None:
            _invoice(tables, ids, posting, posting.invoice_of)
        elif posting.credit_of is not None:
            _credit_memo(tables, ids, posting, posting.credit_of)
        elif posting.kind == "INVOICE":
            _keyed_invoice(tables, ids, posting)
        elif posting.kind == "RECEIPT":
            _plain(tables, ids, "CustPymt", posting, status="C")
        elif posting.reverses is not None:
            _journal(tables, ids, [posting], isreversal="T", reversal=posting.reverses.number)
        elif posting.kind == "JOURNAL":
            _journal(tables, ids, [posting])
        else:
            _plain(tables, ids, "Check", posting)
    for (key, event), parts in journals.items():
        if event == "reversal":
            original = journals[key, ""][0]
            _journal(tables, ids, parts, isreversal="T", reversal=original.number)
        elif event == "copy":
            _journal(tables, ids, parts)
        else:
            _journal(tables, ids, parts, tranid=None, externalid=f"JE-{parts[0].reference}")


def _pounds(pence: int) -> Decimal:
    return Decimal(pence).scaleb(-2)


def _currency(posting: Posting) -> dict[str, Any]:
    """Currency and rate of a document."""
    return {"currency": GBP, "rate": ONE} if posting.rate is None else {"currency": EUR, "rate": posting.rate}


def _invoice(tables: Tables, ids: Ids, posting: Posting, order: ErpOrder) -> None:
    income = "4100" if order.order is not None else "4000"
    gross = posting.goods + posting.tax
    lines: list[dict[str, Any]] = [{"amount": gross, "account": Ids.account(AR), "createdfrom": ORDERS + order.id}]
    for line in order.lines:
        lines += sold(ids, order, line, "4905" if line.kind == "CHARGE" else income)
    tables.transaction(
        posting.number,
        "CustInvc",
        posting.day,
        when(posting.at),
        lines,
        entity=ids.customers[posting.customer],
        **_currency(posting),
        tranid=posting.reference,
        otherrefnum=order.customer_document_no,
        status="A",
        duedate=posting.day,
        foreigntotal=_pounds(gross),
        foreignamountunpaid=_pounds(gross),
        foreignamountpaid=Decimal(0),
    )
    places = [2 * index + 1 for index in range(len(order.lines))]
    tables.link(ORDERS + order.id, "SalesOrd", posting.number, "CustInvc", "OrdBill", places)


def _keyed_invoice(tables: Tables, ids: Ids, posting: Posting) -> None:
    """A charge that no order led to: one line, zero-rated."""
    gross = _pounds(posting.goods)
    charge = {"item": CARRIAGE, "itemtype": "OthCharge", "quantity": Decimal(-1)}
    tables.transaction(
        posting.number,
        "CustInvc",
        posting.day,
        when(posting.at),
        [
            {"amount": posting.goods, "account": Ids.account(AR)},
            {"amount": -posting.goods, "account": Ids.account("4905"), **charge},
            tax_line(0, TAX_CODES[0], 0, OUTPUT_VAT),
        ],
        entity=ids.customers[posting.customer],
        **_currency(posting),
        tranid=posting.reference,
        otherrefnum=posting.second_reference,
        memo=posting.narrative,
        status="A",
        duedate=posting.day,
        foreigntotal=gross,
        foreignamountunpaid=gross,
        foreignamountpaid=Decimal(0),
    )


def _credit_memo(tables: Tables, ids: Ids, posting: Posting, line: OrderLine) -> None:
    gross = -(posting.goods + posting.tax)
    lines: list[dict[str, Any]] = [{"amount": -gross, "account": Ids.account(AR)}]
    for account, amount in posting.legs:
        if account == "4110":
            goods = {"item": ids.items[line.item.code], "itemtype": "InvtPart", "location": LOCATION_IDS["RETURNS"]}
            lines.append(
                {"amount": amount, "account": Ids.account(account), "quantity": Decimal(1), "memo": line.id, **goods}
            )
        elif account == "4906":
            lines.append(
                {
                    "amount": amount,
                    "account": Ids.account(account),
                    "item": CARRIAGE,
                    "itemtype": "OthCharge",
                    "quantity": Decimal(1),
                }
            )
    code = sale_tax_code(line) if posting.tax or line.sale_tax_code is not None else TAX_CODES[0]
    lines.append(tax_line(-posting.tax, code, line.vat_rate if posting.tax else 0, OUTPUT_VAT))
    tables.transaction(
        posting.number,
        "CustCred",
        posting.day,
        when(posting.at),
        lines,
        entity=ids.customers[posting.customer],
        **_currency(posting),
        tranid=posting.reference,
        otherrefnum=posting.second_reference,
        memo=posting.narrative,
        status="A",
        foreigntotal=_pounds(-gross),
        foreignamountunpaid=_pounds(gross),
        foreignamountpaid=Decimal(0),
    )


def _plain(tables: Tables, ids: Ids, code: str, posting: Posting, **header: Any) -> None:
    """A payment or a cheque: its bank line is the main line."""
    legs = sorted(posting.legs, key=lambda leg: leg[0] not in dict(posting.banks))
    tables.transaction(
        posting.number,
        code,
        posting.day,
        when(posting.at),
        [{"amount": amount, "account": Ids.account(account)} for account, amount in legs],
        entity=ids.customers.get(posting.customer),
        currency=GBP,
        tranid=posting.reference,
        memo=posting.narrative,
        foreigntotal=_pounds(abs(legs[0][1])),
        **header,
    )


def _journal(tables: Tables, ids: Ids, parts: list[Posting], **header: Any) -> None:
    """One line per account; lines on a customer's account name the customer."""
    legs = sorted((leg for part in parts for leg in part.legs), key=lambda leg: leg[0])
    totals = {account: sum(amount for _, amount in group) for account, group in groupby(legs, key=lambda leg: leg[0])}
    customer = next((ids.customers[part.customer] for part in parts if part.customer), None)
    first = parts[0]
    tables.transaction(
        first.number,
        "Journal",
        first.day,
        when(first.at),
        [
            {"amount": amount, "account": Ids.account(account), "entity": customer if account == AR else None}
            for account, amount in totals.items()
            if amount
        ],
        currency=GBP,
        memo=first.narrative,
        status="B",
        approvalstatus=2,
        foreigntotal=_pounds(sum(amount for amount in totals.values() if amount > 0)),
        **{"tranid": first.reference, **header},
    )
