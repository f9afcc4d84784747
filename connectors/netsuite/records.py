"""Writes to the record service, by external id, and the look-ups that make them safe.

NetSuite ignores idempotency keys on synchronous calls, and a repeated `PUT eid:` without `replace` doubles the lines
of a transaction. So a record is created by POST, after its external id was looked up and not found; an answer that
did not come leaves it unknown, and the external id is looked up before anything is sent again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from connectors.delivery import DeliveryResult, Outcome
from connectors.errors import (
    AuthError,
    BadPayload,
    ConnectorError,
    PermissionDenied,
    RateLimited,
    RequestRejected,
    ServerFailed,
    TransportFailed,
)
from connectors.http import Answer, Call
from connectors.netsuite.accounts import SERVICES, VENDOR
from connectors.netsuite.client import NetSuiteConnector
from connectors.netsuite.statements import quoted

RECORD_PATH = f"{SERVICES}/record/v1"
KEYS_PER_LOOK_UP = 500
"""NetSuite takes at most 1000 values in a list."""
TRANSACTIONS_PER_LOOK_UP = 100
WRITE_HEADERS = {
    "Content-Type": "application/json",
    # By default a misspelt member is dropped with nothing but a response header to say so.
    "X-NetSuite-PropertyNameValidation": "error",
}
_EXTERNAL_ID = re.compile(r"[A-Za-z0-9_-]{1,60}")
_ALREADY = re.compile(r"already exist", re.IGNORECASE)
_BODY = msgspec.json.Encoder(decimal_format="number")
NIL = Decimal(0)
OF_ENTITY = " of entity id "


class BadRecord(ValueError):
    """The action cannot become a record; the message says why and what to correct."""


@dataclass(frozen=True, slots=True)
class Held:
    """A transaction that NetSuite holds under an external id. `total` is in its own currency, with NetSuite's sign;
    `status` is the bare letter.
    """

    id: str
    type: str
    tran_id: str
    day: str
    period: str
    total: Decimal
    is_posting: bool
    is_voided: bool
    approval: str
    created_from: str
    status: str


@dataclass(frozen=True, slots=True)
class Period:
    """A month of the books, and the ways in which it is shut."""

    id: str
    name: str
    shut: tuple[str, ...]


def external_id(prefix: str, wire_key: str) -> str:
    """`JE-<wire key>`: prefixed by type, because external ids of transactions may share one space. Raises BadRecord."""
    found = f"{prefix}-{wire_key}"
    if not wire_key or not _EXTERNAL_ID.fullmatch(found):
        raise BadRecord("the wire key may hold letters, digits, _ and - only")
    return found


def encoded(body: Mapping[str, Any]) -> bytes:
    return _BODY.encode(body)


def decimal_of(text: str | None) -> Decimal:
    """A number of SuiteQL; an absent one is nil."""
    return Decimal(text) if text else NIL


def says_already_there(error: ConnectorError) -> bool:
    """Whether a refusal is that of an external id that is taken: by its words, as it has no code of its own."""
    return isinstance(error, RequestRejected) and bool(_ALREADY.search(error.detail or ""))


def result_of(error: ConnectorError) -> DeliveryResult:
    """A write that was not carried out for certain: nobody knows (UNKNOWN), or it was refused (FAILED)."""
    if isinstance(error, ServerFailed | BadPayload) or (isinstance(error, TransportFailed) and error.sent):
        return DeliveryResult(Outcome.UNKNOWN, detail=str(error))
    return DeliveryResult(Outcome.FAILED, detail=str(error), retryable=can_pass(error))


def can_pass(error: ConnectorError) -> bool:
    """Whether the same action can succeed later: after a wait, or once a person has renewed the access."""
    return isinstance(error, TransportFailed | ServerFailed | RateLimited | AuthError | PermissionDenied)


class Records:
    """The record service of one account."""

    def __init__(self, connector: NetSuiteConnector) -> None:
        self.connector = connector
        self._ids: dict[tuple[str, str, str], str] = {}
        self._periods: dict[str, Period] = {}
        self._currencies: dict[str, tuple[str | None, int]] = {}

    def url(self, path: str) -> str:
        return str(self.connector.client.url(f"{RECORD_PATH}/{path}"))

    def create(self, path: str, body: Mapping[str, Any]) -> str:
        """POST a record, once; its id, from the `Location` of the answer, whose body is empty."""
        answer = self.write("POST", path, body)
        identifier = answer.headers.get("location", "").rstrip("/").rpartition("/")[2]
        if not identifier.isdigit():
            raise BadPayload(
                "the record was answered without its address", vendor=VENDOR, call=path, status=answer.status
            )
        return identifier

    def write(self, method: str, path: str, body: Mapping[str, Any]) -> Answer:
        return self.connector.client.write(
            Call(f"{method} {path.partition('/')[0]}"),
            f"{RECORD_PATH}/{path}",
            method=method,
            content=encoded(body),
            headers=WRITE_HEADERS,
        )

    # --- look-ups ---

    def held(self, external_ids: Iterable[str]) -> dict[str, list[Held]]:
        """The transactions under each external id, voided ones too; an id without any has an empty list."""
        wanted = list(dict.fromkeys(external_ids))
        found: dict[str, list[Held]] = {key: [] for key in wanted}
        spelt = {key.lower(): key for key in wanted}  # NetSuite may compare without regard to case
        for keys in _batches(wanted):
            sql = (
                "SELECT t.id, t.type, t.externalid, t.tranid, TO_CHAR(t.trandate,'YYYY-MM-DD') AS trandate,"  # noqa: S608  # marks only
                " t.postingperiod, t.foreigntotal, t.posting, t.voided, t.approvalstatus, t.status, ml.createdfrom"
                " FROM transaction t"
                " LEFT JOIN transactionline ml ON ml.transaction = t.id AND ml.mainline = 'T'"
                f" WHERE t.externalid IN ({', '.join('?' for _ in keys)}) ORDER BY t.id"
            )
            for row in self.connector.select(sql, keys, what="external ids"):
                here = found[spelt[row["externalid"].lower()]]
                if any(held.id == row["id"] for held in here):
                    continue  # a type with several main lines
                here.append(
                    Held(
                        id=row["id"],
                        type=row.get("type", ""),
                        tran_id=row.get("tranid", ""),
                        day=row.get("trandate", ""),
                        period=row.get("postingperiod", ""),
                        total=decimal_of(row.get("foreigntotal")),
                        is_posting=row.get("posting") == "T",
                        is_voided=row.get("voided") == "T",
                        approval=row.get("approvalstatus", ""),
                        created_from=row.get("createdfrom", ""),
                        status=row.get("status", "").rpartition(":")[2],
                    )
                )
        return found

    def orders_named(self, references: Iterable[str]) -> dict[str, list[dict[str, str]]]:
        """The sales orders that bear each customer reference, closed ones too: id, tranid, customer and bare status."""
        found: dict[str, list[dict[str, str]]] = {}
        for some in _batches(sorted(set(references) - {""})):
            sql = (
                "SELECT t.id, t.tranid, t.otherrefnum, t.status, t.voided, c.entityid AS customer FROM transaction t"  # noqa: S608  # marks only
                " LEFT JOIN customer c ON c.id = t.entity"
                f" WHERE t.type = 'SalesOrd' AND t.otherrefnum IN ({', '.join('?' for _ in some)}) ORDER BY t.id"
            )
            for row in self.connector.select(sql, some, what="orders by reference"):
                row["status"] = row.get("status", "").rpartition(":")[2]
                found.setdefault(row["otherrefnum"], []).append(row)
        return found

    def orders_of(self, references: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
        """The sales orders that bear each customer reference and are not closed: number and external id (or "")."""
        found: dict[str, list[tuple[str, str]]] = {}
        for some in _batches(sorted(set(references) - {""})):
            sql = (
                "SELECT t.id, t.tranid, t.externalid, t.otherrefnum, t.status, t.voided FROM transaction t"  # noqa: S608  # marks only
                f" WHERE t.type = 'SalesOrd' AND t.otherrefnum IN ({', '.join('?' for _ in some)}) ORDER BY t.id"
            )
            for row in self.connector.select(sql, some, what="orders by reference"):
                is_gone = row.get("voided") == "T" or row.get("status", "").rpartition(":")[2] in ("C", "H")
                if not is_gone:
                    number = row.get("tranid") or row["id"]
                    found.setdefault(row["otherrefnum"], []).append((number, row.get("externalid", "")))
        return found

    def id_of(self, table: str, column: str, value: str, where: str) -> str:
        """The id of the one active record whose column has this value. Raises BadRecord, naming `where` to correct."""
        known = self._ids.get((table, column, value))
        if known is not None:
            return known
        sql = f"SELECT t.id, t.isinactive FROM {table} t WHERE t.{column} = {quoted(value)} ORDER BY t.id"  # noqa: S608
        rows = self.connector.select(sql, what=table)
        active = [row for row in rows if row.get("isinactive") != "T"]
        if len(active) != 1:
            count = "more than one" if active else "only an inactive" if rows else "no"
            raise BadRecord(f"NetSuite has {count} {table} {value!r}: correct {where}, or NetSuite")
        self._ids[table, column, value] = active[0]["id"]
        return active[0]["id"]

    def account(self, number: str) -> str:
        return self.id_of("account", "acctnumber", number, "account_code in accounts.csv")

    def customer(self, reference: str) -> str:
        return self.id_of("customer", "entityid", reference, "customer_reference in marketplaces.csv")

    def seller(self, shop_id: str) -> str:
        """The id of the vendor (or customer) that stands for a marketplace's seller. Raises BadRecord."""
        known = self._ids.get(("entity", "externalid", shop_id))
        return known or self.id_of("entity", "externalid", shop_id, f"the external id of seller {shop_id}'s vendor")

    def sellers(self, shop_ids: Iterable[str]) -> None:
        """Looks sellers up together, so that hundreds in one journal cost one question. Whoever is not there, or twice,
        is told of when it is asked for by itself.
        """
        wanted = [shop for shop in dict.fromkeys(shop_ids) if ("entity", "externalid", shop) not in self._ids]
        for some in _batches(wanted):
            sql = (
                "SELECT t.id, t.externalid FROM entity t"  # noqa: S608  # marks only
                f" WHERE t.externalid IN ({', '.join('?' for _ in some)}) AND NVL(t.isinactive,'F') = 'F' ORDER BY t.id"
            )
            found: dict[str, list[str]] = {}
            for row in self.connector.select(sql, some, what="sellers"):
                found.setdefault(row["externalid"], []).append(row["id"])
            for shop, ids in found.items():
                if len(ids) == 1:
                    self._ids["entity", "externalid", shop] = ids[0]

    def item(self, code: str) -> str:
        """The id of an item by its SKU, which may follow a parent's name (`Shirt : SHIRT-L`)."""
        known = self._ids.get(("item", "itemid", code))
        if known is not None:
            return known
        sql = (
            "SELECT t.id, t.itemid, t.isinactive FROM item t"  # noqa: S608
            f" WHERE t.itemid = {quoted(code)} OR t.itemid LIKE {quoted(f'% : {code}')} ORDER BY t.id"
        )
        rows = self.connector.select(sql, what="item")
        # A LIKE takes _ and % of a code for any character.
        rows = [row for row in rows if row["itemid"].rpartition(" : ")[2] == code]
        active = [row for row in rows if row.get("isinactive") != "T"]
        if len(active) != 1:
            count = "more than one item" if active else "only an inactive item" if rows else "no item"
            raise BadRecord(f"NetSuite has {count} {code!r}: correct the item's mapping, or NetSuite")
        self._ids["item", "itemid", code] = active[0]["id"]
        return active[0]["id"]

    def one(self, key: str) -> Held:
        """The one valid transaction that has an external id. Raises BadRecord."""
        found = [held for held in self.held([key])[key] if not held.is_voided]
        if len(found) != 1:
            raise BadRecord(f"NetSuite has {'more than one' if found else 'no'} transaction {key!r}")
        return found[0]

    def movements(self, ids: Iterable[str], *, by_entity: bool = False) -> dict[str, dict[str, Decimal]]:
        """What transactions move in the primary book, posted or waiting: debit less credit in their own currency, by
        `account id <id>`; with `by_entity` also by `account id <id> of entity id <id>`, where lines have one.
        """
        wanted = sorted(set(ids), key=int)
        moved: dict[str, dict[str, Decimal]] = {identifier: {} for identifier in wanted}
        for some in _batches(wanted, TRANSACTIONS_PER_LOOK_UP):
            sql = (
                "SELECT tal.transaction, tal.transactionline, tal.account, tal.debit, tal.credit,"  # noqa: S608
                " tl.entity, tl.foreignamount, tl.debitforeignamount, tl.creditforeignamount"
                " FROM transactionaccountingline tal"
                " JOIN transactionline tl ON tl.transaction = tal.transaction AND tl.id = tal.transactionline"
                f" WHERE tal.transaction IN ({', '.join(some)}) AND tal.account IS NOT NULL"
                f" AND tal.accountingbook = {self.connector.primary_book()}"
                " ORDER BY tal.transaction, tal.transactionline"
            )
            for row in self.connector.select(sql, what="ledger"):
                here, account = moved[row["transaction"]], f"account id {row['account']}"
                here[account] = here.get(account, NIL) + _own_net(row)
                if by_entity and row.get("entity"):
                    key = f"{account}{OF_ENTITY}{row['entity']}"
                    here[key] = here.get(key, NIL) + _own_net(row)
        return moved

    def item_lines(self, ids: Iterable[str]) -> dict[str, list[dict[str, str]]]:
        """The real item lines of transactions, in order: no main, tax, cost or kit component lines."""
        wanted = sorted(set(ids), key=int)
        lines: dict[str, list[dict[str, str]]] = {identifier: [] for identifier in wanted}
        for some in _batches(wanted, TRANSACTIONS_PER_LOOK_UP):
            sql = (
                "SELECT tl.transaction, tl.id, tl.item, tl.itemtype, tl.quantity, tl.foreignamount,"  # noqa: S608
                " tl.quantityshiprecv, tl.isclosed, tl.iscogs, tl.kitcomponent FROM transactionline tl"
                f" WHERE tl.transaction IN ({', '.join(some)}) AND NVL(tl.mainline,'F') = 'F'"
                " AND NVL(tl.taxline,'F') = 'F'"
                " AND tl.item IS NOT NULL ORDER BY tl.transaction, tl.id"
            )
            for row in self.connector.select(sql, what="item lines"):
                if row.get("iscogs") != "T" and row.get("kitcomponent") != "T":
                    lines[row["transaction"]].append(row)
        return lines

    def forget_periods(self) -> None:
        """Before a batch: a period may have been closed since the last one."""
        self._periods.clear()

    def period_of(self, day: str, *, with_receivables: bool) -> str:
        """The id of the month that a date falls into. Raises BadRecord when it is closed or locked.

        It is sent with the record: without it NetSuite may move a date of a closed month into another one, silently.
        """
        period = self.period_at(day)
        shut = [name for name in period.shut if name != "arlocked" or with_receivables]
        if shut:
            raise BadRecord(
                f"period {period.name} of {day} is shut ({', '.join(shut)}): reopen it in NetSuite, or date the "
                "posting into an open one"
            )
        return period.id

    def period_at(self, day: str) -> Period:
        """The month that a date (ISO) falls into, shut or not. Raises BadRecord when there is none."""
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", day):
            raise BadRecord(f"{day!r} is no date")
        if day not in self._periods:
            here = f"TO_DATE('{day}','YYYY-MM-DD')"
            rows = self.connector.select(
                "SELECT p.id, p.periodname, p.closed, p.alllocked, p.arlocked FROM accountingperiod p"  # noqa: S608
                " WHERE p.isyear = 'F' AND p.isquarter = 'F' AND p.isadjust = 'F'"
                f" AND p.startdate <= {here} AND p.enddate >= {here} ORDER BY p.id",
                what="accountingperiod",
            )
            if len(rows) != 1:
                raise BadRecord(f"NetSuite has {len(rows) or 'no'} accounting periods for {day}: set them up there")
            shut = tuple(name for name in ("closed", "alllocked", "arlocked") if rows[0].get(name) == "T")
            self._periods[day] = Period(rows[0]["id"], rows[0].get("periodname", rows[0]["id"]), shut)
        return self._periods[day]

    def currency(self, code: str) -> tuple[str | None, int]:
        """Id and decimals of a currency by its ISO code; no id on an account that keeps but one currency."""
        if code not in self._currencies:
            self._currencies[code] = self._currency(code)
        return self._currencies[code]

    def _currency(self, code: str) -> tuple[str | None, int]:
        try:
            rows = self.connector.select(
                "SELECT c.id, c.currencyprecision FROM currency c WHERE c.symbol = ? ORDER BY c.id",
                [code],
                what="currency",
            )
        except PermissionDenied:
            return None, 2
        if len(rows) != 1:
            raise BadRecord(f"NetSuite has {len(rows) or 'no'} currencies {code}: add it there, or correct the record")
        return rows[0]["id"], int(rows[0].get("currencyprecision", "2"))


def _own_net(row: Mapping[str, str]) -> Decimal:
    """Debit less credit of a ledger row in its transaction's currency; the ledger itself is in the subsidiary's."""
    own = row.get("debitforeignamount"), row.get("creditforeignamount")
    if any(own):
        return decimal_of(own[0]) - decimal_of(own[1])
    if "foreignamount" in row:
        return decimal_of(row["foreignamount"])
    return decimal_of(row.get("debit")) - decimal_of(row.get("credit"))


def _batches(keys: Sequence[str], size: int = KEYS_PER_LOOK_UP) -> Iterable[Sequence[str]]:
    for start in range(0, len(keys), size):
        yield keys[start : start + size]
