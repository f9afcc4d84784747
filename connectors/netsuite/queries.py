"""What each feed asks SuiteQL for.

Two rules hold for everything that hangs on a transaction (its lines, its ledger postings, its tracking numbers):

- NetSuite keeps no trace of a removed line. Such a feed is therefore read by the change of its transaction, and each
  row carries that change as `transaction_lastmodifieddate`: rows older than the transaction's newest
  `lastmodifieddate` (feed `transactions`) are no longer there.
- Signs are NetSuite's own: on the sales side (orders, invoices, cash sales, fulfilments) item lines are negative,
  credits and returns positive. In the ledger `debit` and `credit` are positive, `amount` is debit less credit; all
  three are in the base currency of the line's subsidiary, `foreign...` amounts in the transaction's currency.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from connectors.netsuite.fields import Field, day, ident, instant, number, ref, word, yes
from connectors.records import Mode

KeyKind = Literal["number", "text", "day"]
PRIMARY_BOOK = "{primary_book}"
"""Stands in a condition for the id of the primary accounting book."""


@dataclass(frozen=True, slots=True)
class Key:
    """A column of the order in which a feed is read. `name` is the raw column."""

    name: str
    sql: str
    kind: KeyKind = "number"


@dataclass(frozen=True, slots=True)
class Condition:
    """`needs` are the vendor's columns it speaks of: without one of them it is left out when it may be (`is_dropped`
    says so), because the account then has nothing to tell apart.
    """

    sql: str
    needs: tuple[str, ...] = ()
    is_dropped: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """One feed. `table` is the vendor's main table. `changed` are the time stamps by which a window is drawn; with
    several, a change of any of them counts.
    """

    entity: str
    mode: Mode
    table: str
    source: str
    fields: tuple[Field, ...]
    keys: tuple[Key, ...]
    conditions: tuple[Condition, ...] = ()
    changed: tuple[str, ...] = ()
    version_column: str | None = None
    id_columns: tuple[str, ...] = ("id",)


def _types(codes: Iterable[str]) -> Condition:
    return Condition(f"t.type IN ({', '.join(repr(code) for code in codes)})", ("t.type",))


_ID = (Key("id", "t.id"),)
_LINE_KEYS = (Key("transaction", "tl.transaction"), Key("id", "tl.id"))
_CHANGE = instant("t.lastmodifieddate", "transaction_lastmodifieddate")

_HEADER: tuple[Field, ...] = (
    ident("t.id"),
    word("t.type"),
    word("t.recordtype"),
    word("t.tranid"),
    word("t.externalid"),
    day("t.trandate"),
    ref("t.entity"),
    ref("t.currency"),
    number("t.exchangerate"),
    number("t.foreigntotal"),
    number("t.foreignamountpaid"),
    number("t.foreignamountunpaid"),
    word("t.status"),
    word("t.approvalstatus"),
    yes("t.posting"),
    ref("t.postingperiod"),
    yes("t.voided"),
    word("t.memo"),
    word("t.otherrefnum"),
    yes("t.isreversal"),
    ref("t.reversal"),
    day("t.duedate"),
    day("t.closedate"),
    day("t.shipdate"),
    day("t.actualshipdate"),
    word("t.shipcarrier"),
    word("t.trackingnumberlist"),
    word("t.linkedtrackingnumberlist"),
    instant("t.createddate"),
    instant("t.lastmodifieddate"),
)
# A header has no columns of its own for these: its main line does.
_MAIN_LINE: tuple[Field, ...] = (
    ref("ml.subsidiary"),
    ref("ml.location"),
    ref("ml.department"),
    ref("ml.class"),
    ref("ml.createdfrom"),
    ref("ml.shipmethod"),
)
_LINE: tuple[Field, ...] = (
    ident("tl.transaction"),
    ident("tl.id"),
    ref("tl.uniquekey"),
    number("tl.linesequencenumber"),
    yes("tl.mainline"),
    yes("tl.taxline"),
    yes("tl.iscogs"),
    yes("tl.donotdisplayline"),
    word("tl.transactionlinetype"),
    word("tl.accountinglinetype"),
    ref("tl.item"),
    word("tl.itemtype"),
    number("tl.quantity"),
    number("tl.rate"),
    number("tl.foreignamount"),
    number("tl.netamount"),
    number("tl.quantitybilled"),
    number("tl.quantitycommitted"),
    number("tl.quantitypicked"),
    number("tl.quantitypacked"),
    number("tl.quantityshiprecv"),
    number("tl.quantitybackordered"),
    ref("tl.location"),
    ref("tl.subsidiary"),
    ref("tl.department"),
    ref("tl.class"),
    ref("tl.entity"),
    ref("tl.createdfrom"),
    word("tl.memo"),
    yes("tl.isclosed"),
    yes("tl.isfullyshipped"),
    yes("tl.kitcomponent"),
    ref("tl.kitmemberof"),
    word("tl.price"),
    ref("tl.units"),
    ref("tl.paymentmethod"),
    ref("tl.shipmethod"),
    day("tl.expectedshipdate"),
    day("tl.actualshipdate"),
    instant("tl.linelastmodifieddate"),
    word("t.type", "transaction_type"),
    _CHANGE,
)
_POSTING: tuple[Field, ...] = (
    ident("tal.transaction"),
    ident("tal.transactionline"),
    ref("tal.accountingbook"),
    ref("tal.account"),
    number("tal.amount"),
    number("tal.debit"),
    number("tal.credit"),
    number("tal.netamount"),
    number("tal.exchangerate"),
    number("tal.amountlinked"),
    yes("tal.posting"),
    word("t.type", "transaction_type"),
    word("t.tranid"),
    word("t.externalid"),
    day("t.trandate"),
    ref("t.currency"),
    ref("t.postingperiod"),
    yes("t.voided"),
    ref("tl.subsidiary"),
    ref("tl.department"),
    ref("tl.class"),
    ref("tl.location"),
    ref("tl.entity"),
    word("tl.memo"),
    number("tl.foreignamount"),
    number("tl.debitforeignamount"),
    number("tl.creditforeignamount"),
    yes("tl.eliminate"),
    yes("tl.cleared"),
    day("tl.cleareddate"),
    instant("tal.lastmodifieddate"),
    _CHANGE,
)
_POSTED = (
    Condition("tal.posting = 'T'", ("tal.posting",)),
    Condition("tal.account IS NOT NULL", ("tal.account",)),
    # Each further book repeats every posting.
    Condition(f"tal.accountingbook = {PRIMARY_BOOK}", ("tal.accountingbook",), is_dropped=True),
)
_POSTING_SOURCE = (
    "transactionaccountingline tal JOIN transaction t ON t.id = tal.transaction"
    " LEFT JOIN transactionline tl ON tl.transaction = tal.transaction AND tl.id = tal.transactionline"
)
_POSTING_KEYS = (Key("transaction", "tal.transaction"), Key("transactionline", "tal.transactionline"))


def _headers(entity: str, *codes: str) -> Query:
    """Transactions of some types with what their main line says."""
    return Query(
        entity,
        "cursor",
        "transaction",
        "transaction t LEFT JOIN transactionline ml ON ml.transaction = t.id AND ml.mainline = 'T'",
        _HEADER + _MAIN_LINE,
        _ID,
        (_types(codes),),
        ("t.lastmodifieddate",),
        "lastmodifieddate",
    )


def _lines(entity: str, *codes: str) -> Query:
    return Query(
        entity,
        "cursor",
        "transactionline",
        "transactionline tl JOIN transaction t ON t.id = tl.transaction",
        _LINE,
        _LINE_KEYS,
        (_types(codes),),
        ("t.lastmodifieddate",),
        "transaction_lastmodifieddate",
        ("transaction", "id"),
    )


def _postings(entity: str, source: str, fields: tuple[Field, ...], conditions: tuple[Condition, ...]) -> Query:
    return Query(
        entity,
        "cursor",
        "transactionaccountingline",
        source,
        fields,
        _POSTING_KEYS,
        conditions,
        # Cost is recalculated behind a transaction's back: its postings change, it does not.
        ("t.lastmodifieddate", "tal.lastmodifieddate"),
        "transaction_lastmodifieddate",
        ("transaction", "transactionline"),
    )


def _list(entity: str, table: str, *fields: Field, conditions: tuple[Condition, ...] = ()) -> Query:
    """A small table, read whole every time: several of them have no usable time stamp."""
    return Query(entity, "snapshot", table, f"{table} t", fields, _ID, conditions)


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
        ref("t.class"),
        ref("t.department"),
        ref("t.location"),
        number("t.averagecost"),
        number("t.totalquantityonhand"),
        word("t.externalid"),
        instant("t.createddate"),
        instant("t.lastmodifieddate"),
    ),
    _ID,
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
    _ID,
    (),
    ("t.lastmodifieddate",),
    "lastmodifieddate",
)
TRANSACTIONS = Query(
    "transactions",
    "cursor",
    "transaction",
    "transaction t",
    _HEADER,
    _ID,
    (),
    ("t.lastmodifieddate",),
    "lastmodifieddate",
)
TRACKING = Query(
    "tracking_numbers",
    "cursor",
    "trackingnumbermap",
    "trackingnumbermap m JOIN trackingnumber n ON n.id = m.trackingnumber JOIN transaction t ON t.id = m.transaction",
    (
        ident("m.transaction"),
        ident("m.trackingnumber", "tracking_id"),
        word("n.trackingnumber", "tracking_number"),
        _CHANGE,
    ),
    (Key("transaction", "m.transaction"), Key("tracking_id", "m.trackingnumber")),
    (),
    ("t.lastmodifieddate",),
    "transaction_lastmodifieddate",
    ("transaction", "tracking_id"),
)
LINKS = Query(
    "transaction_links",
    "cursor",
    "nexttransactionlinelink",
    "nexttransactionlinelink t",
    (
        ident("t.previousdoc"),
        ident("t.previousline"),
        ident("t.nextdoc"),
        ident("t.nextline"),
        ident("t.linktype"),
        word("t.previoustype"),
        word("t.nexttype"),
        number("t.foreignamount"),
        instant("t.lastmodifieddate"),
    ),
    (
        Key("previousdoc", "t.previousdoc"),
        Key("previousline", "t.previousline"),
        Key("nextdoc", "t.nextdoc"),
        Key("nextline", "t.nextline"),
        Key("linktype", "t.linktype", "text"),
    ),
    (),
    ("t.lastmodifieddate",),
    "lastmodifieddate",
    ("previousdoc", "previousline", "nextdoc", "nextline", "linktype"),
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

_ALL: tuple[Query, ...] = (
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
    ITEMS,
    STOCK,
    CUSTOMERS,
    TRANSACTIONS,
    _headers("sales_orders", "SalesOrd"),
    _lines("sales_order_lines", "SalesOrd"),
    _headers("fulfilments", "ItemShip"),
    _lines("fulfilment_lines", "ItemShip"),
    TRACKING,
    _headers("invoices", "CustInvc", "CashSale"),
    _lines("invoice_lines", "CustInvc", "CashSale"),
    _headers("credit_memos", "CustCred"),
    _lines("credit_memo_lines", "CustCred"),
    _headers("return_authorisations", "RtnAuth"),
    _lines("return_authorisation_lines", "RtnAuth"),
    _headers("refunds", "CustRfnd", "CashRfnd"),
    _headers("customer_payments", "CustPymt", "CustDep", "DepAppl"),
    _headers("deposits", "Deposit"),
    _lines("deposit_lines", "Deposit"),
    LINKS,
    _postings("gl_lines", _POSTING_SOURCE, _POSTING, _POSTED),
    _postings(
        "bank_postings",
        f"{_POSTING_SOURCE} JOIN account a ON a.id = tal.account",
        (*_POSTING, word("a.acctnumber"), word("a.accttype")),
        (*_POSTED, Condition("a.accttype IN ('Bank', 'CredCard')", ("a.accttype",))),
    ),
    DELETED,
)
QUERIES: dict[str, Query] = {query.entity: query for query in _ALL}
