"""The fault table of the ERPs, writing: an action that meets a bad state, and what becomes of it and of the books."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from connectors.delivery import Action, Delivery, DeliveryResult, Outcome
from connectors.netsuite.delivery import JournalDelivery
from connectors.netsuite.document_delivery import SalesOrderDelivery
from sandbox.netsuite import NetSuiteApi
from tests.connectors_netsuite.account import SUBSIDIARY, connector
from tests.connectors_sage200.conftest import Site
from tests.connectors_sage200.test_orders import amended, goods, held, items, order
from tests.connectors_sage200.test_postings import document
from tests.contracts.writing_netsuite import BANK, BUYER, DAY, FEES, LINES

End = Literal["refused", "later", "looked up", "done"]
ENDS: dict[End, str] = {
    "refused": "failed: a person has to correct something",
    "later": "not sent, tried again with the next run",
    "looked up": "unknown, until it has been looked up: then it is done, or sent again",
    "done": "done, once",
}
_OUTCOMES = {
    "refused": (Outcome.FAILED, False),
    "later": (Outcome.FAILED, True),
    "looked up": (Outcome.UNKNOWN, False),
    "done": (Outcome.SENT, False),
}
_NUMBERS = itertools.count(1)


@dataclass
class Books:
    """Both ERPs of the sandbox. `after` undoes what a case has done to them."""

    site: Site
    api: NetSuiteApi
    url: str
    after: list[Callable[[], object]] = field(default_factory=list)

    def netsuite(self, kind: str) -> Delivery:
        reader = connector(self.url, sleep=lambda _: None)
        self.after.append(reader.close)
        return SalesOrderDelivery(reader, SUBSIDIARY) if kind == "SALES_ORDER" else JournalDelivery(reader, SUBSIDIARY)

    def count(self) -> int:
        """How much has been written so far."""
        return self.site.writes() + int(self.api.database.value('SELECT count(*) FROM "transaction"'))

    def send(self, one: Action) -> DeliveryResult:
        if one.account == "SAGE_UK":
            return self.site.send(one)[0]
        return self.netsuite(one.kind).send([one])[one.action_key]


@dataclass(frozen=True, kw_only=True)
class Writing:
    """One row. `act` brings about the bad state and gives the action; `written` is how much may be written."""

    name: str
    bad_input: str
    what_happens: str
    says: str
    ends: End
    act: Callable[[Books], Action]
    written: int = 0

    def is_fulfilled_by(self, result: DeliveryResult) -> bool:
        outcome, retryable = _OUTCOMES[self.ends]
        return (result.outcome, result.retryable) == (outcome, retryable) and self.says in result.detail


# --- Sage 200


def _sage_order(books: Books, **line: Any) -> Action:
    return order([goods(items(books.site)[0]["code"]) | line])


def _discontinued(books: Books) -> Action:
    return _sage_order(books, item_code=books.site.rows("products", allow_sales_order=False)[0]["code"])


def _twice(books: Books) -> Action:
    products = books.site.store.company["products"]
    row = items(books.site)[-1]
    twin = products.append(dict(row))
    books.after.append(lambda: products.remove(twin["id"]))
    return _sage_order(books, item_code=row["code"])


def _locked(books: Books) -> Action:
    code = items(books.site)[0]["code"]
    one = order([goods(code, "2")])
    books.site.send(one)
    books.site.switch(locked_orders={str(held(books.site, one)["id"]): "J.SMITH"})
    return amended(one, [goods(code, "1")])


def _half_updated(books: Books) -> Action:
    """The second line's warehouse is closed after its id was looked up: PUT stops behind the first line."""
    first, second = items(books.site)[3:5]
    table = books.site.store.company["warehouses"]
    spare = table.append(dict(books.site.one("warehouses", name="MAIN")) | {"name": "POP-UP"})

    def lines(quantity: str) -> list[dict[str, Any]]:
        return [goods(first["code"], quantity), goods(second["code"], quantity, location_name="POP-UP")]

    one = order(lines("2"))
    books.site.send(one)
    table.remove(spare["id"])
    books.after.append(books.site.look_again)
    return amended(one, lines("1"))


def _archived(books: Books) -> Action:
    one = document("SALES_INVOICE")
    books.site.send(one)
    table = books.site.store.company["sales_posted_transactions"]
    row = books.site.one("sales_posted_transactions", reference=one.wire_key)
    table.remove(row["id"])
    books.site.store.company["sales_historical_transactions"].append(dict(row))
    return one


def _closed(books: Books) -> Action:
    books.site.switch(closed_periods=["2026-06"])
    return document("BANK_PAYMENT")


def _sage_lost(books: Books) -> Action:
    books.site.disturb("sales_receipts", kind="outcome_unknown", method="POST")
    return document("SALES_RECEIPT")


def _sage_spent(books: Books) -> Action:
    """Somebody has withdrawn the consent: neither token is good any more."""
    auth: Any = books.site.connector._auth
    kept = auth._store.load()
    auth._store.save(type(kept)("spent-by-somebody-else"))
    books.site.store.sage_id.expire_access_tokens()
    books.after.append(lambda: auth._store.save(type(kept)(books.site.store.sage_id.consent())))
    return document("SALES_RECEIPT")


# --- NetSuite


def _netsuite(kind: str, /, **payload: Any) -> Action:
    wire = f"FAULT{next(_NUMBERS)}"
    return Action(f"{kind}|{wire}", wire, kind, "BRICO", "NS_UK", {"wire_key": wire, **payload})


def _netsuite_order(item_code: str = "SKU-0001", **more: Any) -> Action:
    lines = [{**LINES[0], "item_code": item_code}]
    return _netsuite("SALES_ORDER", **{"order_reference": "O", "order_date": DAY, "lines": lines, **BUYER, **more})


def _netsuite_journal(day: str = DAY, amount: str = "9.00") -> Action:
    sides = [{"account_code": FEES, "debit": amount}, {"account_code": BANK, "credit": amount}]
    lines = [
        {"line_no": number, "account_role": "FEE", "account_type": "NOMINAL", **side}
        for number, side in enumerate(sides, start=1)
    ]
    return _netsuite("JOURNAL", journal_key="K", kind="SETTLEMENT", posting_date=day, currency_code="GBP", lines=lines)


def _netsuite_twice(books: Books) -> Action:
    row = books.api.database.rows("item", "itemid = 'SKU-0003'")[0]
    twin = {**row, "id": 99_001}
    with books.api.database.writing():
        books.api.database.insert("item", [twin])
    books.after.append(lambda: books.api.database.delete("item", "id = ?", [99_001]))
    return _netsuite_order("SKU-0003")


def _netsuite_taken(books: Books) -> Action:
    one = _netsuite_journal()
    books.send(one)
    other = _netsuite_journal(amount="10.00")
    payload = {**other.payload, "wire_key": one.wire_key}
    return Action(one.action_key, one.wire_key, one.kind, "BRICO", "NS_UK", payload)


WRITING: tuple[Writing, ...] = (
    Writing(
        name="sage200-discontinued-item",
        bad_input="Sage 200: an item that may not be sold any more, on an order",
        what_happens="refused before anything is sent, by line and item",
        says="is discontinued in Sage (not allowed on sales orders)",
        ends="refused",
        act=_discontinued,
    ),
    Writing(
        name="sage200-duplicate-item",
        bad_input="Sage 200: two items with one code",
        what_happens="nobody guesses which is meant",
        says="lines[0].item_code: Sage has more than one stock item",
        ends="refused",
        act=_twice,
    ),
    Writing(
        name="sage200-unmapped-item",
        bad_input="Sage 200: an item that Sage does not have",
        what_happens="refused before anything is sent, by line and item",
        says="lines[0].item_code: Sage has no stock item 'NOT-IN-SAGE'",
        ends="refused",
        act=lambda books: _sage_order(books, item_code="NOT-IN-SAGE"),
    ),
    Writing(
        name="sage200-unmapped-warehouse",
        bad_input="Sage 200: a warehouse that Sage does not have, or none",
        what_happens="refused: no default is relied on",
        says="lines[0].location_name: Sage has no warehouse 'NOWHERE'",
        ends="refused",
        act=lambda books: _sage_order(books, location_name="NOWHERE"),
    ),
    Writing(
        name="sage200-currency-missing",
        bad_input="Sage 200: a document without currency, or in one that its account is not kept in",
        what_happens="refused before anything is sent",
        says="currency_code: the currency is missing",
        ends="refused",
        act=lambda _: document("SALES_RECEIPT", currency_code=""),
    ),
    Writing(
        name="sage200-closed-period",
        bad_input="Sage 200: a period that was closed between proposal and delivery",
        what_happens="Sage is asked before every batch; nothing is posted into another month",
        says="closed accounting period",
        ends="refused",
        act=_closed,
    ),
    Writing(
        name="sage200-locked-order",
        bad_input="Sage 200: an order that somebody has open",
        what_happens="nothing of it is changed",
        says="locked by user J.SMITH",
        ends="later",
        act=_locked,
    ),
    Writing(
        name="sage200-half-updated-order",
        bad_input="Sage 200: a PUT that stops in the middle of an order",
        what_happens="the order is read again, and both halves are named; the next attempt begins from what is there",
        says="HALF UPDATED",
        ends="refused",
        act=_half_updated,
        written=2,  # half a change, and the lock is given back
    ),
    Writing(
        name="sage200-archived-transaction",
        bad_input="Sage 200: a posted transaction that has moved to the archive",
        what_happens="looked for there too, and not posted again",
        says="",
        ends="done",
        act=_archived,
    ),
    Writing(
        name="sage200-lost-answer",
        bad_input="Sage 200: an answer that is lost after the posting",
        what_happens="never repeated blindly: the next attempt finds it by its reference",
        says="",
        ends="looked up",
        act=_sage_lost,
        written=1,
    ),
    Writing(
        name="sage200-spent-token",
        bad_input="Sage 200: a refresh token that somebody else has spent, before a write",
        what_happens="nothing was sent for certain; sent once a person has consented",
        says="nothing was sent",
        ends="later",
        act=_sage_spent,
    ),
    Writing(
        name="netsuite-inactive-item",
        bad_input="NetSuite: an inactive item on an order",
        what_happens="refused before anything is sent",
        says="only an inactive item",
        ends="refused",
        act=lambda _: _netsuite_order("SKU-0020"),
    ),
    Writing(
        name="netsuite-duplicate-item",
        bad_input="NetSuite: two active items with one code",
        what_happens="nobody guesses which is meant",
        says="more than one item",
        ends="refused",
        act=_netsuite_twice,
    ),
    Writing(
        name="netsuite-unmapped-warehouse",
        bad_input="NetSuite: a location that the account does not have",
        what_happens="refused before anything is sent",
        says="no location 'NOWHERE'",
        ends="refused",
        act=lambda _: _netsuite_order(location_name="NOWHERE"),
    ),
    Writing(
        name="netsuite-currency-missing",
        bad_input="NetSuite: a currency that the account does not have, or none",
        what_happens="refused before anything is sent",
        says="no currencies",
        ends="refused",
        act=lambda _: _netsuite_order(currency_code=""),
    ),
    Writing(
        name="netsuite-closed-period",
        bad_input="NetSuite: a journal into a closed month",
        what_happens="refused here: NetSuite might post it into another one",
        says="is shut",
        ends="refused",
        act=lambda _: _netsuite_journal("2026-01-10"),
    ),
    Writing(
        name="netsuite-taken-external-id",
        bad_input="NetSuite: another document under the same external id",
        what_happens="compared, and named; no second document",
        says="is there already, but",
        ends="refused",
        act=_netsuite_taken,
    ),
)
