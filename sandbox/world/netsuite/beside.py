"""What else a real account holds. Nothing of it belongs to the trading company's books, or may be taken for it.

A sister company abroad with an order of the same number and postings of its own, a voided journal, one that waits for
approval, transactions that were deleted.
"""

from datetime import timedelta
from decimal import Decimal

from sandbox.world.erp import AR, BANK, CLEARING, Books
from sandbox.world.netsuite.ids import EUR, GBP, GERMAN, LOCATION_IDS, OTHERS, TAX_ITEM_IDS, Ids
from sandbox.world.netsuite.tables import Tables, when
from sandbox.world.stamps import DAY, london_date

_CUSTOMER = 1_900


def add_what_else_there_is(tables: Tables, ids: Ids, books: Books, as_of: int) -> None:
    """`as_of` in milliseconds."""
    _sister(tables, ids, books, as_of)
    day, saved = london_date(as_of - 4 * DAY), when(as_of - 4 * DAY)
    nothing = [{"amount": 0, "account": Ids.account(account)} for account in (BANK, CLEARING)]
    shared = {"currency": GBP, "foreigntotal": Decimal(0)}
    tables.transaction(
        OTHERS + 1, "Journal", day, saved, nothing, status="V", voided="T", memo="Voided: keyed twice", **shared
    )
    waiting = [
        {"amount": 5_000, "account": Ids.account("6140")},
        {"amount": -5_000, "account": Ids.account(CLEARING)},
    ]
    tables.transaction(
        OTHERS + 2,
        "Journal",
        day,
        saved,
        waiting,
        status="A",
        posting="F",
        approvalstatus=1,
        memo="Waits for approval",
        currency=GBP,
        foreigntotal=Decimal(50),
    )
    for number, code, record in ((OTHERS - 2, "Journal", "journalentry"), (OTHERS - 1, "SalesOrd", "salesorder")):
        tables.add(
            "deletedrecord",
            recordid=number,
            recordtypeid=-30,
            scriptid=record,
            type=code,
            name=f"{record} #{number}",
            deleteddate=when(as_of - DAY),
            iscustomrecord="F",
        )


def _sister(tables: Tables, ids: Ids, books: Books, as_of: int) -> None:
    """The company abroad: its own customer, warehouse and stock, an order that bears the number of one of ours."""
    day, saved = london_date(as_of - 6 * DAY), when(as_of - 6 * DAY)
    set_up = when(as_of - 150 * DAY)
    tables.add(
        "customer",
        id=_CUSTOMER,
        entityid="DE-MARKT",
        altname="Marktplatz Kunden",
        companyname="Marktplatz Kunden",
        isperson="F",
        isinactive="F",
        currency=EUR,
        receivablesaccount=Ids.account(AR),
        datecreated=set_up,
        lastmodifieddate=set_up,
    )
    tables.add("customersubsidiaryrelationship", id=_CUSTOMER, entity=_CUSTOMER, subsidiary=GERMAN, isprimarysub="T")
    place = LOCATION_IDS["KOELN"]
    tables.add(
        "location",
        id=place,
        name="KOELN",
        fullname="KOELN",
        subsidiary=str(GERMAN),
        isinactive="F",
        makeinventoryavailable="T",
        usebins="F",
        lastmodifieddate=set_up,
    )
    items = sorted(ids.items.values())[:5]
    for item in items:
        tables.add(
            "inventoryitemlocations",
            item=item,
            location=place,
            quantityonhand=Decimal(40),
            quantitycommitted=Decimal(0),
            quantityavailable=Decimal(40),
            lastquantityavailablechange=saved,
        )
    ours = next((order for order in books.orders if order.order is not None), None)
    if ours is None:
        return
    lines = [
        {"amount": 2_380},
        {
            "amount": -2_000,
            "item": items[0],
            "itemtype": "InvtPart",
            "quantity": Decimal(-1),
            "rate": Decimal(20),
            "location": place,
        },
        {"amount": -380, "taxline": "T", "item": TAX_ITEM_IDS[1], "itemtype": "TaxItem", "rate": Decimal(19)},
    ]
    shared = {"entity": _CUSTOMER, "currency": EUR, "foreigntotal": Decimal("23.80"), "subsidiary": GERMAN}
    tables.transaction(
        OTHERS + 10,
        "SalesOrd",
        day,
        saved,
        lines,
        status="B",
        otherrefnum=ours.customer_document_no,
        of_main_line={"class": ids.classes[books.business.marketplace], "location": place},
        **shared,
    )
    posted = [
        {"amount": 2_380, "account": Ids.account(AR)},
        {"amount": -2_000, "account": Ids.account("4100")},
        {"amount": -380, "account": Ids.account("2200")},
    ]
    tables.transaction(OTHERS + 11, "CustInvc", day, saved, posted, status="A", tranid="DE0001", **shared)
    december = (day.replace(month=1, day=1) - timedelta(days=1)).replace(day=31)
    adjusting = [
        {"amount": 90_000, "account": Ids.account("7100")},
        {"amount": -90_000, "account": Ids.account("9998")},
    ]
    tables.transaction(
        OTHERS + 12,
        "Journal",
        december,
        set_up,
        adjusting,
        status="B",
        approvalstatus=2,
        memo=f"Adjustment of {december.year}",
        currency=EUR,
        foreigntotal=Decimal(900),
        subsidiary=GERMAN,
        postingperiod=december.year * 100 + 13,
    )
