"""A small OneWorld company that tests write into: two trading subsidiaries in two currencies, their stock and orders.

Generated from a seed alone. It holds what readers get wrong: stock rows without quantities, inactive items, a voided
journal, an adjustment period over a month, a second accounting book, closed and locked periods, deleted records.
"""

import calendar
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox.netsuite.world import NetSuiteWorld
from sandbox.world.netsuite.tables import Tables, period_id

UK, GERMANY, ELIMINATION = 2, 3, 4
GBP, EUR, USD = 1, 2, 3
BANK_GBP, BANK_EUR, RECEIVABLE, UNDEPOSITED, STOCK, CLEARING_GBP, CLEARING_EUR = 101, 102, 110, 115, 120, 130, 131
VAT, EQUITY, SALES, COST, FEES, OLD_BANK = 220, 300, 400, 500, 610, 199
CUSTOMER_UK, CUSTOMER_DE = 1001, 1002
WAREHOUSE_UK, WAREHOUSE_DE, SHOWROOM = 1, 2, 3
SHIPPING_ITEM = 90
CENT = Decimal("0.01")

_ACCOUNTS = (
    (BANK_GBP, "1000", "Current account GBP", "Bank", "1", f"{UK}"),
    (BANK_EUR, "1010", "Current account EUR", "Bank", "2", f"{GERMANY}"),
    (RECEIVABLE, "1100", "Accounts receivable", "AcctRec", "", f"{UK}, {GERMANY}"),
    (UNDEPOSITED, "1150", "Undeposited funds", "OthCurrAsset", "", f"{UK}, {GERMANY}"),
    (OLD_BANK, "1190", "Closed account", "Bank", "1", f"{UK}"),
    (STOCK, "1200", "Inventory asset", "OthCurrAsset", "", f"{UK}, {GERMANY}"),
    (CLEARING_GBP, "1300", "Marketplace clearing GBP", "OthCurrAsset", "", f"{UK}"),
    (CLEARING_EUR, "1310", "Marketplace clearing EUR", "OthCurrAsset", "", f"{GERMANY}"),
    (VAT, "2200", "VAT payable", "OthCurrLiab", "", f"{UK}, {GERMANY}"),
    (EQUITY, "3000", "Retained earnings", "Equity", "", f"{UK}, {GERMANY}"),
    (SALES, "4000", "Sales", "Income", "", f"{UK}, {GERMANY}"),
    (COST, "5000", "Cost of goods sold", "COGS", "", f"{UK}, {GERMANY}"),
    (FEES, "6100", "Marketplace commission", "Expense", "", f"{UK}, {GERMANY}"),
)
_SIDES = {
    UK: (CUSTOMER_UK, GBP, WAREHOUSE_UK, BANK_GBP, CLEARING_GBP),
    GERMANY: (CUSTOMER_DE, EUR, WAREHOUSE_DE, BANK_EUR, CLEARING_EUR),
}


def build_company(as_of: datetime, seed: int = 7, orders: int = 60, items: int = 20) -> NetSuiteWorld:
    """The company as it stands at `as_of` (UTC). The three months up to it are open, the one before is locked."""
    company = _Company(as_of, random.Random(seed))
    company.masters(items)
    company.periods()
    company.stock(items)
    for number in range(orders):
        company.order(number, items)
    company.payouts()
    company.oddities()
    return NetSuiteWorld(tables=company.tables)


class _Company:
    def __init__(self, as_of: datetime, chance: random.Random) -> None:
        self._as_of = as_of.astimezone(UTC).replace(tzinfo=None)
        self._today = self._as_of.date()
        self._chance = chance
        self._next = 5000
        self._rows = Tables(UK)
        self._add = self._rows.add
        self.tables = self._rows.rows

    def masters(self, items: int) -> None:
        changed = self._as_of - timedelta(days=200)
        for number, name, symbol, rate in ((GBP, "British pound", "GBP", "1"), (EUR, "Euro", "EUR", "0.85")):
            self._currency(number, name, symbol, rate, changed)
        self._currency(USD, "US Dollar", "USD", "0.78", changed)
        parts = (
            (1, "Parent", GBP, "GB", None, "F"),
            (UK, "Trading UK", GBP, "GB", 1, "F"),
            (GERMANY, "Trading Deutschland", EUR, "DE", 1, "F"),
            (ELIMINATION, "Elimination", GBP, "GB", 1, "T"),
        )
        for number, name, currency, country, parent, elimination in parts:
            self._add(
                "subsidiary",
                id=number,
                name=name,
                fullname=name,
                legalname=f"{name} Ltd",
                currency=currency,
                country=country,
                parent=parent,
                iselimination=elimination,
                isinactive="F",
                lastmodifieddate=changed,
            )
        for number, code, name, kind, currency, subsidiary in _ACCOUNTS:
            self._add(
                "account",
                id=number,
                acctnumber=code,
                fullname=name,
                accountsearchdisplayname=f"{code} {name}",
                displaynamewithhierarchy=f"{code} {name}",
                accttype=kind,
                currency=currency,
                subsidiary=subsidiary,
                isinactive="T" if number == OLD_BANK else "F",
                issummary="F",
                eliminate="F",
                sspecacct="UndepFunds" if number == UNDEPOSITED else None,
                lastmodifieddate=changed,
            )
            for part in subsidiary.split(", "):
                self._add("accountsubsidiarymap", account=number, subsidiary=int(part))
        self._add("accountingbook", id=1, name="Primary", isprimary="T", lastmodifieddate=changed)
        self._add("accountingbook", id=2, name="Statutory DE", isprimary="F", lastmodifieddate=changed)
        places = (
            (WAREHOUSE_UK, "Warehouse Leeds", UK),
            (WAREHOUSE_DE, "Lager Köln", GERMANY),
            (SHOWROOM, "Showroom", UK),
        )
        for number, name, subsidiary in places:
            self._add(
                "location",
                id=number,
                name=name,
                fullname=name,
                subsidiary=str(subsidiary),
                isinactive="F",
                makeinventoryavailable="F" if number == SHOWROOM else "T",
                lastmodifieddate=changed,
            )
        for subsidiary, (customer, currency, *_) in _SIDES.items():
            name = f"Marketplace customer {'UK' if subsidiary == UK else 'DE'}"
            self._add(
                "customer",
                id=customer,
                entityid=name,
                altname=name,
                companyname=name,
                isperson="F",
                isinactive="F",
                currency=currency,
                receivablesaccount=RECEIVABLE,
                externalid=f"MKL-CUST-{subsidiary}",
                datecreated=changed,
                lastmodifieddate=changed,
            )
            self._add(
                "customersubsidiaryrelationship", id=customer, entity=customer, subsidiary=subsidiary, isprimarysub="T"
            )
        self._add("taxtype", id=1, name="VAT", country="GB")
        for number, name, rate in ((11, "UK-S", "20"), (12, "UK-Z", "0"), (13, "DE-S", "19")):
            self._add(
                "salestaxitem", id=number, name=name, description=name, isinactive="F", taxtype=1, rate=Decimal(rate)
            )
        for number in range(1, items + 1):
            cost = Decimal(self._chance.randrange(200, 4000)) / 100
            self._add(
                "item",
                id=number,
                itemid=f"SKU-{number:04d}",
                fullname=f"SKU-{number:04d}",
                displayname=f"Product {number}",
                itemtype="InvtPart",
                upccode=f"50000000{number:05d}",
                isinactive="T" if number == items else "F",
                assetaccount=STOCK,
                incomeaccount=SALES,
                expenseaccount=COST,
                cogsaccount=COST,
                averagecost=cost,
                subsidiary=f"{UK}, {GERMANY}",
                createddate=changed,
                lastmodifieddate=changed + timedelta(seconds=number),
            )
        self._add(
            "item",
            id=1000 + SHIPPING_ITEM,
            itemid="Delivery",
            fullname="Delivery",
            itemtype="OthCharge",
            isinactive="F",
            incomeaccount=SALES,
            lastmodifieddate=changed,
        )

    def _currency(self, number: int, name: str, symbol: str, rate: str, changed: datetime) -> None:
        self._add(
            "currency",
            id=number,
            name=name,
            symbol=symbol,
            exchangerate=Decimal(rate),
            currencyprecision=2,
            isbasecurrency="T" if number == GBP else "F",
            isinactive="F",
            lastmodifieddate=changed,
        )
        for months in range(12):
            day = self._today.replace(day=1) - timedelta(days=30 * months)
            moved = Decimal(rate) + (Decimal(months) / 1000 if number != GBP else 0)
            self._add(
                "currencyrate", basecurrency=GBP, transactioncurrency=number, exchangerate=moved, effectivedate=day
            )
            if number == GBP:
                self._add(
                    "currencyrate",
                    basecurrency=EUR,
                    transactioncurrency=GBP,
                    exchangerate=Decimal("1.1765"),
                    effectivedate=day,
                )

    def periods(self) -> None:
        """The months of this year and the one before, each year itself, and an adjustment period over December."""
        for year in (self._today.year - 1, self._today.year):
            self._period(year, f"FY {year}", date(year, 1, 1), date(year, 12, 31), isyear="T", isposting="F")
            for month in range(1, 13):
                start, last = date(year, month, 1), calendar.monthrange(year, month)[1]
                behind = 12 * (self._today.year - year) + self._today.month - month
                shut = dict.fromkeys(("alllocked", "arlocked", "aplocked"), "T" if behind >= 3 else "F")
                closed = "T" if behind > 3 else "F"
                name, end = f"{calendar.month_abbr[month]} {year}", date(year, month, last)
                self._period(period_id(start), name, start, end, parent=year, closed=closed, **shut)
                self._add(
                    "consolidatedexchangerate",
                    id=period_id(start),
                    postingperiod=period_id(start),
                    fromsubsidiary=GERMANY,
                    tosubsidiary=1,
                    fromcurrency=EUR,
                    tocurrency=GBP,
                    accountingbook=1,
                    currentrate=Decimal("0.85"),
                    averagerate=Decimal("0.851"),
                    historicalrate=Decimal("0.84"),
                )
            december = date(year, 12, 1)
            self._period(year * 100 + 13, f"Adjust {year}", december, date(year, 12, 31), isadjust="T", parent=year)

    def _period(self, number: int, name: str, start: date, end: date, **columns: Any) -> None:
        flags = "isyear isquarter isadjust isinactive closed alllocked arlocked aplocked"
        row = dict.fromkeys(flags.split(), "F") | {"isposting": "T", "allownonglchanges": "T"} | columns
        self._add(
            "accountingperiod",
            id=number,
            periodname=name,
            startdate=start,
            enddate=end,
            lastmodifieddate=self._as_of,
            **row,
        )

    def stock(self, items: int) -> None:
        """A row for every item and location; in the showroom none has quantities: they count as zero."""
        for item in range(1, items + 1):
            for location in (WAREHOUSE_UK, WAREHOUSE_DE):
                on_hand = Decimal(self._chance.randrange(20, 400))
                committed = Decimal(self._chance.randrange(0, 10))
                cost = self.tables["item"][item - 1]["averagecost"]
                self._add(
                    "inventoryitemlocations",
                    item=item,
                    location=location,
                    quantityonhand=on_hand,
                    quantitycommitted=committed,
                    quantityavailable=on_hand - committed,
                    quantitybackordered=Decimal(0),
                    averagecostmli=cost,
                    onhandvaluemli=cost * on_hand,
                    lastquantityavailablechange=self._as_of - timedelta(hours=item),
                )
            self._add("inventoryitemlocations", item=item, location=SHOWROOM)

    def order(self, number: int, items: int) -> None:
        """An order; the older ones are shipped with a tracking number and invoiced."""
        subsidiary = UK if number % 3 else GERMANY
        customer, currency, location, *_ = _SIDES[subsidiary]
        at = self._as_of - timedelta(hours=7 * number + 1)
        day, reference = at.date(), f"MKP-{number:05d}-A"
        chosen = [(self._chance.randrange(1, items), Decimal(self._chance.randrange(1, 4))) for _ in range(2)]
        prices = [Decimal(self._chance.randrange(500, 9000)) / 100 for _ in chosen]
        total = sum((price * quantity for price, (_, quantity) in zip(prices, chosen, strict=True)), Decimal(0))
        is_shipped = number >= 5
        shared = {"entity": customer, "currency": currency, "subsidiary": subsidiary, "location": location}

        def lines(sales: int | None) -> list[dict[str, Any]]:
            return [
                {
                    "amount": -price * quantity,
                    "account": sales,
                    "item": item,
                    "itemtype": "InvtPart",
                    "quantity": -quantity,
                    "rate": price,
                    "quantityshiprecv": quantity if is_shipped else Decimal(0),
                    "isfullyshipped": "T" if is_shipped else "F",
                }
                for price, (item, quantity) in zip(prices, chosen, strict=True)
            ]

        order = self.transaction(
            "SalesOrd",
            day,
            at,
            [{"amount": total}, *lines(None)],
            posting="F",
            status="G" if is_shipped else "B",
            otherrefnum=reference,
            externalid=f"MKL-SO-{reference}",
            foreigntotal=total,
            **shared,
        )
        if not is_shipped:
            return
        cost = sum((self.tables["item"][item - 1]["averagecost"] * quantity for item, quantity in chosen), Decimal(0))
        moved = [
            {"amount": Decimal(0)},
            {
                "amount": -cost,
                "account": STOCK,
                "item": chosen[0][0],
                "itemtype": "InvtPart",
                "quantity": -chosen[0][1],
            },
            {"amount": cost, "account": COST, "iscogs": "T"},
        ]
        later = at + timedelta(hours=3)
        tracking = f"TRK{number:08d}"
        shipment = self.transaction(
            "ItemShip",
            later.date(),
            later,
            moved,
            status="C",
            trackingnumberlist=tracking,
            foreigntotal=Decimal(0),
            createdfrom=order,
            **shared,
        )
        self._link(order, "SalesOrd", shipment, "ItemShip", "ShipRcpt")
        self._add("trackingnumber", id=number, trackingnumber=tracking)
        self._add("trackingnumbermap", transaction=shipment, trackingnumber=number)
        receivable = {"amount": total, "account": RECEIVABLE}
        invoice = self.transaction(
            "CustInvc",
            later.date(),
            later,
            [receivable, *lines(SALES)],
            status="A",
            foreigntotal=total,
            foreignamountunpaid=total,
            foreignamountpaid=Decimal(0),
            otherrefnum=reference,
            createdfrom=order,
            **shared,
        )
        self._link(order, "SalesOrd", invoice, "CustInvc", "OrdBill")

    def payouts(self) -> None:
        """A payout a week and subsidiary: bank and commission against clearing."""
        for week in range(6):
            at = self._as_of - timedelta(days=7 * week + 2)
            for subsidiary, (_, currency, _, bank, clearing) in _SIDES.items():
                paid = Decimal(self._chance.randrange(50_000, 90_000)) / 100
                fee = (paid / 9).quantize(CENT)
                lines = [
                    {"amount": paid, "account": bank},
                    {"amount": fee, "account": FEES},
                    {"amount": -paid - fee, "account": clearing},
                ]
                self.transaction(
                    "Journal",
                    at.date(),
                    at,
                    lines,
                    status="B",
                    foreigntotal=paid + fee,
                    approvalstatus=2,
                    externalid=f"MKL-JE-{subsidiary}-{week}",
                    memo=f"Payout {week}",
                    currency=currency,
                    subsidiary=subsidiary,
                )

    def oddities(self) -> None:
        day = self._today - timedelta(days=4)
        lines = [{"amount": Decimal(10), "account": BANK_GBP}, {"amount": Decimal(-10), "account": CLEARING_GBP}]
        at = self._as_of - timedelta(days=4)
        shared = {"currency": GBP, "subsidiary": UK, "foreigntotal": Decimal(10)}
        self.transaction("Journal", day, at, lines, status="V", voided="T", memo="Voided", **shared)
        self.transaction("Journal", day, at, lines, status="A", posting="F", approvalstatus=1, **shared)
        self._add(
            "deletedrecord",
            recordid=4999,
            recordtypeid=-30,
            scriptid="journalentry",
            type="Journal",
            name="Journal #JRN4999",
            deleteddate=self._as_of - timedelta(days=1),
            iscustomrecord="F",
        )

    def transaction(self, code: str, day: date, at: datetime, lines: list[dict[str, Any]], **header: Any) -> int:
        """One transaction in the base currency of its subsidiary; the first line is its main line."""
        number = self._next = self._next + 1
        subsidiary, location = header.pop("subsidiary"), header.pop("location", None)
        self._rows.transaction(
            number,
            code,
            day,
            at,
            [{"location": location, **line, "amount": int(line["amount"] * 100)} for line in lines],
            subsidiary=subsidiary,
            of_main_line={"createdfrom": header.pop("createdfrom", None)},
            **header,
        )
        return number

    def _link(self, before: int, before_type: str, after: int, after_type: str, kind: str) -> None:
        self._rows.link(before, before_type, after, after_type, kind, [1, 2])
