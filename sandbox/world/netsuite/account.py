"""A NetSuite account: which company it is, and everything that its transactions refer to."""

import calendar
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sandbox.netsuite.world import NetSuiteWorld
from sandbox.world.business import BRICO, Business, coded
from sandbox.world.catalogue import MARKETPLACE_PRICES, PROMOTION, TAX_CODES, TAXES
from sandbox.world.erp import ACCOUNTS as CHART
from sandbox.world.erp import AR, BANK, CLEARING, OUTPUT_VAT, Books
from sandbox.world.model import Item, Shop
from sandbox.world.money import pounds, tax_inside
from sandbox.world.netsuite.beside import add_what_else_there_is
from sandbox.world.netsuite.ids import (
    CARRIAGE,
    CREDITED,
    ELIMINATION,
    EUR,
    GBP,
    GERMAN,
    GROUP,
    LOCATION_IDS,
    SHIP_METHODS,
    TAX_ITEM_IDS,
    TRADING,
    TWINS,
    UNDEPOSITED,
    Ids,
)
from sandbox.world.netsuite.orders import add_order
from sandbox.world.netsuite.postings import add_postings
from sandbox.world.netsuite.tables import Tables, period_id, when
from sandbox.world.stamps import DAY, at, london_date
from sandbox.world.stock import Stock, warehouses

SPECIAL = {UNDEPOSITED: "UndepFunds", OUTPUT_VAT: "SalesTaxPay"}


@dataclass(frozen=True, slots=True)
class Account:
    """`erp_code` is the configuration's name for it. Its clock matters: times without a zone are its own."""

    erp_code: str
    account_id: str
    time_zone: str


def account_of(business: Business) -> Account:
    """The account that a business keeps its books in. In a numbered world it has another id: an id is one company."""
    number = business.number
    if business.name == BRICO.marketplace:
        return Account(coded("NS_UK", number), f"{7654321 + number}", "Europe/London")
    return Account(coded("NS_HOME", number), f"{1234567 + number}_SB1", "America/Los_Angeles")


SET_UP = at(date(2026, 1, 5), 8, 14, 2)
_TYPES = {AR: "AcctRec", BANK: "Bank", CLEARING: "Bank", "9998": "OthCurrAsset"}
_TYPES_BY_DIGIT = {"1": "OthCurrAsset", "2": "OthCurrLiab", "4": "Income", "5": "COGS", "6": "Expense", "7": "Expense"}


def render(
    account: Account, books: Books, items: list[Item], stock: Stock, first_day: date, as_of: int
) -> NetSuiteWorld:
    """The account's tables at `as_of` (milliseconds). Months before `first_day` are closed, and those that are shut."""
    tables, ids = Tables(TRADING), Ids(books.business, items)
    add_companies(tables, books.business.shop, ids.classes)
    add_periods(tables, first_day, as_of, books.shut_months, books.months_shut_for_purchases)
    _chart(tables, books)
    add_taxes(tables)
    _customers(tables, books, ids)
    _items(tables, items, ids, EUR if books.business.is_foreign else GBP)
    _stock(tables, items, stock, ids, as_of)
    for order in books.orders:
        add_order(tables, ids, order)
    add_postings(tables, ids, books)
    add_what_else_there_is(tables, ids, books, as_of)
    return NetSuiteWorld(
        tables=dict(tables.rows),
        account_id=account.account_id,
        time_zone=account.time_zone,
        ship_methods=SHIP_METHODS,
    )


def add_companies(tables: Tables, shop: Shop, classes: Mapping[str, int]) -> None:
    """The trading company between its parent, a sister abroad and the company that eliminations are booked in."""
    name, changed = shop.corporate_name, when(SET_UP)
    for number, called, currency, country, parent, is_elimination in (
        (GROUP, f"{shop.name} Group", GBP, "GB", None, "F"),
        (TRADING, name, GBP, "GB", GROUP, "F"),
        (GERMAN, f"{shop.name} Deutschland GmbH", EUR, "DE", GROUP, "F"),
        (ELIMINATION, "Elimination", GBP, "GB", GROUP, "T"),
    ):
        tables.add(
            "subsidiary",
            id=number,
            name=called,
            fullname=called,
            legalname=called,
            currency=currency,
            country=country,
            parent=parent,
            iselimination=is_elimination,
            isinactive="F",
            lastmodifieddate=changed,
        )
    for number, symbol, called, rate in ((GBP, "GBP", "British pound", "1"), (EUR, "EUR", "Euro", "0.85")):
        tables.add(
            "currency",
            id=number,
            name=called,
            symbol=symbol,
            exchangerate=Decimal(rate),
            currencyprecision=2,
            isbasecurrency="T" if number == GBP else "F",
            isinactive="F",
            lastmodifieddate=changed,
        )
        tables.add(
            "currencyrate",
            basecurrency=GBP,
            transactioncurrency=number,
            exchangerate=Decimal(rate),
            effectivedate=date(2026, 1, 5),
        )
    tables.add("accountingbook", id=1, name="Primary", isprimary="T", lastmodifieddate=changed)
    tables.add("accountingbook", id=2, name="Statutory", isprimary="F", lastmodifieddate=changed)
    for called, number in classes.items():
        tables.add("classification", id=number, name=called, fullname=called, isinactive="F", lastmodifieddate=changed)
    tables.add("department", id=1, name="Sales", fullname="Sales", isinactive="F", lastmodifieddate=changed)


def add_periods(
    tables: Tables, first_day: date, as_of: int, shut_months: Collection[str] = (), shut_aplocked: Collection[str] = ()
) -> None:
    """Months of this year and of its neighbours; each year is a period itself, and December has one for adjustments."""
    today = london_date(as_of)
    for year in (today.year - 1, today.year, today.year + 1):
        _period(tables, year, f"FY {year}", date(year, 1, 1), date(year, 12, 31), isyear="T", isposting="F")
        for month in range(1, 13):
            start = date(year, month, 1)
            end = date(year, month, calendar.monthrange(year, month)[1])
            called = f"{start:%Y-%m}"
            shut = "T" if end < first_day or called in shut_months else "F"
            flags = dict.fromkeys(("closed", "alllocked", "arlocked", "aplocked"), shut)
            if called in shut_aplocked:
                flags["aplocked"] = "T"
            name = f"{calendar.month_abbr[month]} {year}"
            _period(tables, period_id(start), name, start, end, parent=year, **flags)
        _period(
            tables, year * 100 + 13, f"Adjust {year}", date(year, 12, 1), date(year, 12, 31), isadjust="T", parent=year
        )


def _period(tables: Tables, number: int, name: str, start: date, end: date, **columns: object) -> None:
    flags = ("isyear", "isquarter", "isadjust", "isinactive", "closed", "alllocked", "arlocked", "aplocked")
    row = dict.fromkeys(flags, "F") | {"isposting": "T", "allownonglchanges": "T"} | columns
    tables.add(
        "accountingperiod",
        id=number,
        periodname=name,
        startdate=start,
        enddate=end,
        lastmodifieddate=when(SET_UP),
        **row,
    )


def _chart(tables: Tables, books: Books) -> None:
    for number, name in (*CHART, (UNDEPOSITED, "Undeposited funds")):
        own = Ids.account(number)
        kind = _TYPES.get(number) or _TYPES_BY_DIGIT[number[0]]
        if number == CLEARING and books.business.is_foreign:
            # A bank account is kept in one currency; clearing holds euro and what they stand at in pounds.
            kind = "OthCurrAsset"
        called = books.business.clearing_name if number == CLEARING else name
        both = kind != "Bank"
        tables.add(
            "account",
            id=own,
            acctnumber=number,
            fullname=called,
            accountsearchdisplayname=f"{number} {called}",
            displaynamewithhierarchy=f"{number} {called}",
            accttype=kind,
            currency="" if both else str(GBP),
            subsidiary=f"{TRADING}, {GERMAN}" if both else str(TRADING),
            isinactive="F",
            issummary="F",
            eliminate="F",
            sspecacct=SPECIAL.get(number),
            lastmodifieddate=when(SET_UP),
        )
        for part in (TRADING, GERMAN) if both else (TRADING,):
            tables.add("accountsubsidiarymap", account=own, subsidiary=part)


def add_taxes(tables: Tables) -> None:
    tables.add("taxtype", id=1, name="VAT", country="GB")
    for code, name, rate in TAXES:
        tables.add(
            "salestaxitem",
            id=TAX_ITEM_IDS[code],
            name=str(code),
            description=name,
            isinactive="F",
            taxtype=1,
            rate=Decimal(rate),
        )


def _customers(tables: Tables, books: Books, ids: Ids) -> None:
    business = books.business
    names = {business.customer: business.customer_name, **{c.reference: c.name for c in business.customers}}
    for reference, name in names.items():
        number = ids.customers[reference]
        tables.add(
            "customer",
            id=number,
            entityid=reference,
            altname=name,
            companyname=name,
            isperson="F",
            isinactive="F",
            currency=EUR if business.is_foreign and reference == business.customer else GBP,
            receivablesaccount=Ids.account(AR),
            datecreated=when(SET_UP),
            lastmodifieddate=when(SET_UP),
        )
        tables.add("customersubsidiaryrelationship", id=number, entity=number, subsidiary=TRADING, isprimarysub="T")


def _items(tables: Tables, items: list[Item], ids: Ids, currency: int) -> None:
    for item in items:
        tables.add(
            "item",
            id=ids.items[item.code],
            itemid=item.code,
            fullname=item.code,
            displayname=item.name,
            description=item.name,
            itemtype="InvtPart",
            upccode=item.ean,
            vendorname=item.name.split()[0],
            isinactive="T" if item.is_discontinued else "F",
            subsidiary=f"{TRADING}, {GERMAN}",
            assetaccount=Ids.account("1001"),
            incomeaccount=Ids.account("4100"),
            expenseaccount=Ids.account("5000"),
            cogsaccount=Ids.account("5000"),
            averagecost=pounds(item.cost),
            salestaxcode=TAX_ITEM_IDS[TAX_CODES[item.vat_rate]],
            createddate=when(SET_UP),
            lastmodifieddate=when(SET_UP if item.repriced is None else item.repriced),
        )
        net = item.list_price - tax_inside(item.list_price, item.vat_rate)
        for level, price in (
            ("Base Price", net),
            (MARKETPLACE_PRICES, item.list_price),
            (PROMOTION, item.promotion),
        ):
            if price is not None:
                tables.add(
                    "itemprice",
                    item=ids.items[item.code],
                    currencypage=currency,
                    pricelevelname=level,
                    price=pounds(price),
                    isinactive="F",
                )
    for item in items:
        if item.twin is not None:
            of_item = next(row for row in tables.rows["item"] if row["itemid"] == item.code)
            named = {"itemid": f"RANGE : {item.code}", "fullname": f"RANGE : {item.code}", "upccode": None}
            is_retired = {"id": TWINS + of_item["id"], "isinactive": "T" if item.twin == "RETIRED" else "F"}
            tables.add("item", **of_item | named | is_retired)
    charges: list[tuple[int, str, str, str, int | None]] = [(CARRIAGE, "CARRIAGE", "Carriage", "4905", None)]
    for place, code in enumerate(TAX_CODES.values()):
        # What was given back, by the VAT of the sale: a credit takes its tax from the item.
        charges.append((CREDITED + place, f"RETURNS-{code}", "Goods given back", "4110", code))
        charges.append((CREDITED + 50 + place, f"CARRIAGE-BACK-{code}", "Carriage given back", "4906", code))
    for number, name, words, account, code in charges:
        tables.add(
            "item",
            id=number,
            itemid=name,
            fullname=name,
            displayname=words,
            itemtype="OthCharge",
            isinactive="F",
            subsidiary=f"{TRADING}, {GERMAN}",
            incomeaccount=Ids.account(account),
            salestaxcode=None if code is None else TAX_ITEM_IDS[code],
            createddate=when(SET_UP),
            lastmodifieddate=when(SET_UP),
        )


def _stock(tables: Tables, items: list[Item], stock: Stock, ids: Ids, as_of: int) -> None:
    """A row for every item and location where it could be; without quantities where it never was.

    No more is committed than there is: the rest is back-ordered, and nothing is available.
    """
    for name in warehouses(items):
        tables.add(
            "location",
            id=LOCATION_IDS[name],
            name=name,
            fullname=name,
            subsidiary=str(TRADING),
            isinactive="F",
            makeinventoryavailable="F" if name == "RETURNS" else "T",
            usebins="F",
            lastmodifieddate=when(SET_UP),
        )
    for position, item in enumerate(items):
        changed = when(as_of - (position * 37 % 96 + 1) * DAY // 96)
        for name in warehouses(items):
            key = {"item": ids.items[item.code], "location": LOCATION_IDS[name]}
            if name not in item.free:
                tables.add("inventoryitemlocations", **key)
                continue
            free = item.free[name]
            wanted = stock.allocated.get(item.code, 0) if name == "MAIN" else 0
            on_hand = free + wanted
            committed = min(wanted, max(0, on_hand))
            tables.add(
                "inventoryitemlocations",
                **key,
                quantityonhand=Decimal(on_hand),
                quantitycommitted=Decimal(committed),
                quantitybackordered=Decimal(wanted - committed),
                quantityavailable=Decimal(on_hand - committed),
                quantityonorder=Decimal(24 if free < 3 else 0),
                averagecostmli=pounds(item.cost),
                onhandvaluemli=pounds(item.cost * max(0, on_hand)),
                lastquantityavailablechange=changed,
            )
