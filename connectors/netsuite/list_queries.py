"""The feeds of what transactions refer to: companies, currencies, periods, accounts, items, stock, customers; and what
was deleted.

Quantities: on hand includes committed, available is on hand less committed. A row without quantities stands for every
location where an item could be: they count as nil. Stock is of the moment in which it is read.
"""

from __future__ import annotations

from connectors.netsuite.fields import Field, day, ident, instant, number, ref, word, yes
from connectors.netsuite.query import BY_ID, Condition, Key, Query


def _list(entity: str, table: str, *fields: Field, conditions: tuple[Condition, ...] = ()) -> Query:
    """A small table, read whole every time: several of them have no usable time stamp."""
    return Query(entity, "snapshot", table, f"{table} t", fields, BY_ID, conditions)


ITEMS = Query(
    "items",
    "cursor",
    "item",
    "item t",
    (
        ident("t.id"),
        word("t.itemid"),
        word("t.displayname"),
        word("t.fullname"),
        word("t.itemtype"),
        word("t.subtype"),
        word("t.description"),
        word("t.upccode"),
        yes("t.isinactive"),
        ref("t.parent"),
        word("t.subsidiary"),
        ref("t.assetaccount"),
        ref("t.incomeaccount"),
        ref("t.expenseaccount"),
        # Accounts on SuiteTax have none: there the tax follows from a schedule and the nexus.
        ref("t.salestaxcode"),
        ref("t.class"),
        ref("t.department"),
        ref("t.location"),
        number("t.averagecost"),
        number("t.totalquantityonhand"),
        word("t.externalid"),
        instant("t.createddate"),
        instant("t.lastmodifieddate"),
    ),
    BY_ID,
    (),
    ("t.lastmodifieddate",),
    "lastmodifieddate",
)
STOCK = Query(
    "stock",
    "snapshot",
    "inventoryitemlocations",
    "inventoryitemlocations t",
    (
        ident("t.item"),
        ident("t.location"),
        number("t.quantityonhand"),
        number("t.quantityavailable"),
        number("t.quantitycommitted"),
        number("t.quantitybackordered"),
        number("t.quantityonorder"),
        number("t.quantityintransit"),
        number("t.averagecostmli"),
        number("t.onhandvaluemli"),
        instant("t.lastquantityavailablechange"),
    ),
    (Key("item", "t.item"), Key("location", "t.location")),
    id_columns=("item", "location"),
)
PRICES = Query(
    "prices",
    "snapshot",
    "itemprice",
    "itemprice t",
    (ident("t.item"), ident("t.currencypage"), ident("t.pricelevelname"), number("t.price"), yes("t.isinactive")),
    (
        Key("item", "t.item"),
        Key("currencypage", "t.currencypage"),
        Key("pricelevelname", "t.pricelevelname", "text"),
    ),
    id_columns=("item", "currencypage", "pricelevelname"),
)
"""Prices of a piece by currency and price level. They have no dates: a price holds until it is changed."""
CUSTOMERS = Query(
    "customers",
    "cursor",
    "customer",
    "customer t",
    (
        ident("t.id"),
        word("t.entityid"),
        word("t.companyname"),
        yes("t.isperson"),
        yes("t.isinactive"),
        ref("t.currency"),
        ref("t.parent"),
        ref("t.receivablesaccount"),
        ref("t.terms"),
        word("t.externalid"),
        instant("t.datecreated"),
        instant("t.lastmodifieddate"),
    ),
    BY_ID,
    (),
    ("t.lastmodifieddate",),
    "lastmodifieddate",
)
DELETED = Query(
    "deleted_records",
    "cursor",
    "deletedrecord",
    "deletedrecord t",
    (
        ident("t.recordid"),
        ident("t.recordtypeid"),
        word("t.scriptid"),
        word("t.type"),
        word("t.context"),
        instant("t.deleteddate"),
    ),
    (Key("recordid", "t.recordid"), Key("recordtypeid", "t.recordtypeid")),
    (),
    ("t.deleteddate",),
    "deleteddate",
    ("recordid", "recordtypeid"),
)
CURRENCY_RATES = Query(
    "currency_rates",
    "snapshot",
    "currencyrate",
    "currencyrate t",
    (ident("t.basecurrency"), ident("t.transactioncurrency"), day("t.effectivedate"), number("t.exchangerate")),
    (
        Key("basecurrency", "t.basecurrency"),
        Key("transactioncurrency", "t.transactioncurrency"),
        Key("effectivedate", "t.effectivedate", "day"),
    ),
    id_columns=("basecurrency", "transactioncurrency", "effectivedate"),
)
_MONTHS = (Condition("t.isyear = 'F'", ("t.isyear",)), Condition("t.isquarter = 'F'", ("t.isquarter",)))

LIST_QUERIES: tuple[Query, ...] = (
    _list(
        "subsidiaries",
        "subsidiary",
        ident("t.id"),
        word("t.name"),
        word("t.fullname"),
        ref("t.currency"),
        word("t.country"),
        ref("t.parent"),
        yes("t.iselimination"),
        yes("t.isinactive"),
        ref("t.fiscalcalendar"),
        word("t.externalid"),
    ),
    _list(
        "currencies",
        "currency",
        ident("t.id"),
        word("t.name"),
        word("t.symbol"),
        word("t.displaysymbol"),
        number("t.exchangerate"),
        number("t.currencyprecision"),
        yes("t.isbasecurrency"),
        yes("t.isinactive"),
    ),
    CURRENCY_RATES,
    _list(
        "consolidated_rates",
        "consolidatedexchangerate",
        ident("t.id"),
        ref("t.postingperiod"),
        ref("t.fromsubsidiary"),
        ref("t.tosubsidiary"),
        ref("t.fromcurrency"),
        ref("t.tocurrency"),
        ref("t.accountingbook"),
        number("t.currentrate"),
        number("t.averagerate"),
        number("t.historicalrate"),
    ),
    _list(
        "periods",
        "accountingperiod",
        ident("t.id"),
        word("t.periodname"),
        day("t.startdate"),
        day("t.enddate"),
        ref("t.parent"),
        yes("t.isposting"),
        yes("t.isadjust"),
        yes("t.isinactive"),
        yes("t.closed"),
        yes("t.alllocked"),
        yes("t.arlocked"),
        yes("t.aplocked"),
        yes("t.allownonglchanges"),
        instant("t.closedondate"),
        conditions=_MONTHS,
    ),
    _list(
        "accounts",
        "account",
        ident("t.id"),
        word("t.acctnumber"),
        word("t.fullname"),
        word("t.accttype"),
        word("t.sspecacct"),
        ref("t.parent"),
        word("t.currency"),
        word("t.subsidiary"),
        yes("t.eliminate"),
        yes("t.issummary"),
        yes("t.isinactive"),
        word("t.externalid"),
    ),
    _list(
        "tax_codes",
        "salestaxitem",
        ident("t.id"),
        word("t.name"),
        word("t.description"),
        yes("t.isinactive"),
        ref("t.taxtype"),
        word("t.rate"),
    ),
    _list(
        "locations",
        "location",
        ident("t.id"),
        word("t.name"),
        word("t.fullname"),
        ref("t.parent"),
        word("t.subsidiary"),
        yes("t.isinactive"),
        yes("t.makeinventoryavailable"),
        word("t.locationtype"),
        yes("t.usebins"),
        word("t.externalid"),
    ),
    *(
        _list(
            entity,
            table,
            ident("t.id"),
            word("t.name"),
            word("t.fullname"),
            ref("t.parent"),
            yes("t.isinactive"),
            word("t.externalid"),
        )
        for entity, table in (("classes", "classification"), ("departments", "department"))
    ),
    ITEMS,
    STOCK,
    PRICES,
    CUSTOMERS,
)
