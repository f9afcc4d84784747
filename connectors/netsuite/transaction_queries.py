"""The feeds of transactions: headers, lines, postings, links, tracking numbers.

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

from connectors.netsuite.fields import Field, day, ident, instant, number, ref, shown, word, yes
from connectors.netsuite.query import BY_ID, PRIMARY_BOOK, Condition, Key, Query


def _types(codes: Iterable[str]) -> Condition:
    return Condition(f"t.type IN ({', '.join(repr(code) for code in codes)})", ("t.type",))


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
    shown("ml.shipmethod", "shipmethod_name"),
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
    yes("t.isreversal"),
    ref("t.reversal"),
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
        BY_ID,
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


TRANSACTIONS = Query(
    "transactions",
    "cursor",
    "transaction",
    "transaction t",
    _HEADER,
    BY_ID,
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

TRANSACTION_QUERIES: tuple[Query, ...] = (
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
)
