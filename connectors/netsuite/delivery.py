"""Posts canonical journals to NetSuite, finds them again by their external id, approves what waits, and proves the
result in the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

from connectors.delivery import Action, DeliveryResult, Found, Outcome, Request, Verification
from connectors.errors import ConnectorError
from connectors.netsuite.client import NetSuiteConnector
from connectors.netsuite.journals import Journal, Leg, read_journal, render
from connectors.netsuite.records import (
    NIL,
    WRITE_HEADERS,
    BadRecord,
    Held,
    Records,
    can_pass,
    decimal_of,
    encoded,
    external_id,
    result_of,
    says_already_there,
)

PREFIX = "JE"
JOURNAL_TYPE = "Journal"
JOURNALS_PER_LOOK_UP = 100
Movements = dict[str, Decimal]
"""Debit less credit by account id, in the journal's currency."""


class JournalDelivery:
    """Posts journals of kind JOURNAL; the payload is described by `connectors.netsuite.journals.Journal`.

    `subsidiary_id` is the books that are posted to, None on an account without subsidiaries. A journal is posted
    approved, and one that still waits is approved when it is sent again: until then it is not in the ledger. With
    `is_approved` False people approve, and a waiting journal counts as sent, not as proved.
    """

    kind = "JOURNAL"

    def __init__(self, connector: NetSuiteConnector, subsidiary_id: str | None, *, is_approved: bool = True) -> None:
        self._connector = connector
        self._records = Records(connector)
        self._subsidiary = subsidiary_id
        self._is_approved = is_approved

    # --- the protocol ---

    def preview(self, actions: Sequence[Action]) -> list[Request]:
        """The requests. Codes are resolved by reading NetSuite; where that fails, the reason stands in the body."""
        requests = []
        for action in actions:
            try:
                body: Mapping[str, Any] = self._body(action)
            except BadRecord as error:
                body = {"error": str(error)}
            headers = {"Authorization": "***", **WRITE_HEADERS}
            requests.append(Request("POST", self._records.url("journalEntry"), headers, encoded(body).decode()))
        return requests

    def look_up(self, actions: Sequence[Action]) -> dict[str, Found | None]:
        keys = {action.action_key: _key(action) for action in actions}
        held = self._records.held(key for key in keys.values() if key)
        moved = self._movements(h.id for found in held.values() for h in found)
        result: dict[str, Found | None] = {}
        for action in actions:
            found = held.get(keys[action.action_key], [])
            if not found:
                result[action.action_key] = None
                continue
            try:
                problems = self._problems(action, found, moved)
            except BadRecord as error:
                problems = [str(error)]
            if not problems and self._is_approved and not found[0].is_posting:
                problems = ["it waits for approval"]
            detail = f"{keys[action.action_key]} is there: {'; '.join(problems) or 'as wanted'}"
            result[action.action_key] = Found(tuple(h.id for h in found), not problems, detail)
        return result

    def send(self, actions: Sequence[Action]) -> dict[str, DeliveryResult]:
        """Post what is not there yet, as many at once as the account's limit allows."""
        self._records.forget_periods()
        try:
            held = self._records.held(key for key in map(_key, actions) if key)
            moved = self._movements(h.id for found in held.values() for h in found)
        except ConnectorError as error:
            # Only read so far: nothing was written.
            failed = DeliveryResult(Outcome.FAILED, detail=str(error), retryable=can_pass(error))
            return {action.action_key: failed for action in actions}

        def send(action: Action) -> DeliveryResult:
            return self._send(action, held.get(_key(action), []), moved)

        first = {_key(action): action.action_key for action in reversed(actions)}
        twice = DeliveryResult(Outcome.FAILED, detail="another action of this batch has the same wire key")
        own = [a for a in actions if first[_key(a)] == a.action_key]
        results = {action.action_key: twice for action in actions}
        results.update(zip((a.action_key for a in own), in_parallel(self._connector, send, own), strict=True))
        return results

    def read_back(self, actions: Sequence[Action]) -> dict[str, Verification]:
        held = self._records.held(key for key in map(_key, actions) if key)
        moved = self._movements(h.id for found in held.values() for h in found)
        return {a.action_key: self._verify(a, held.get(_key(a), []), moved) for a in actions}

    # --- sending ---

    def _send(self, action: Action, held: Sequence[Held], moved: Mapping[str, Movements]) -> DeliveryResult:
        try:
            if held:
                return self._settle(action, held, moved)
            body = self._body(action)
        except BadRecord as error:
            return DeliveryResult(Outcome.FAILED, detail=str(error))
        except ConnectorError as error:
            return DeliveryResult(Outcome.FAILED, detail=str(error), retryable=can_pass(error))
        try:
            identifier = self._records.create("journalEntry", body)
        except ConnectorError as error:
            if not says_already_there(error):
                return result_of(error)
            return self._resolve(action, error)
        return DeliveryResult(Outcome.SENT, (identifier,), f"posted {_key(action)}")

    def _resolve(self, action: Action, refusal: ConnectorError) -> DeliveryResult:
        """NetSuite says that the external id is taken: what it holds tells whether by this very journal."""
        try:
            held = self._records.held([_key(action)])[_key(action)]
            if not held:
                return DeliveryResult(Outcome.FAILED, detail=f"{refusal}; yet no transaction has it", retryable=True)
            return self._settle(action, held, self._movements(h.id for h in held))
        except BadRecord as error:
            return DeliveryResult(Outcome.FAILED, detail=str(error))
        except ConnectorError as error:
            return DeliveryResult(Outcome.UNKNOWN, detail=f"{refusal}; and the look-up failed: {error}")

    def _settle(self, action: Action, held: Sequence[Held], moved: Mapping[str, Movements]) -> DeliveryResult:
        """What is there already is never posted again; one that waits for approval is approved."""
        ids = tuple(h.id for h in held)
        problems = self._problems(action, held, moved)
        if problems:
            return DeliveryResult(Outcome.FAILED, ids, f"{_key(action)} is there already, but {'; '.join(problems)}")
        if self._is_approved and not held[0].is_posting:
            try:
                self._records.write("PATCH", f"journalEntry/{held[0].id}", {"approved": True})
            except ConnectorError as error:
                result = result_of(error)
                return DeliveryResult(result.outcome, ids, f"approval: {result.detail}", result.retryable)
            return DeliveryResult(Outcome.SENT, ids, f"{_key(action)} was there, and is approved now")
        return DeliveryResult(Outcome.SENT, ids, f"{_key(action)} is there already")

    def _body(self, action: Action) -> dict[str, Any]:
        journal = read_journal(action.payload)
        if journal.wire_key != action.wire_key:
            raise BadRecord("the payload's wire_key is not the action's")
        key = external_id(PREFIX, action.wire_key)
        currency, decimals = self._records.currency(journal.currency_code)
        legs = render(journal, decimals)
        day = journal.posting_date[:10]
        period = self._records.period_of(day, with_receivables=any(leg.customer for leg in legs))
        body: dict[str, Any] = {
            "externalId": key,
            "tranDate": day,
            "postingPeriod": {"id": period},
            "memo": (journal.narrative or journal.journal_key)[:200],
            "approved": self._is_approved,
            "line": {"items": [self._line(leg) for leg in legs]},
        }
        if self._subsidiary is not None:
            body["subsidiary"] = {"id": self._subsidiary}
        if currency is not None:
            body["currency"] = {"id": currency}
        return body

    def _line(self, leg: Leg) -> dict[str, Any]:
        side = "debit" if leg.net > 0 else "credit"
        line: dict[str, Any] = {"account": {"id": self._account(leg)}, side: abs(leg.net), "memo": leg.memo}
        if leg.customer:
            where = "customer_reference in marketplaces.csv"
            line["entity"] = {"id": self._records.id_of("customer", "entityid", leg.customer, where)}
        if leg.department:
            line["department"] = {"id": self._records.id_of("department", "name", leg.department, "accounts.csv")}
        if leg.cost_centre:
            line["class"] = {"id": self._records.id_of("classification", "name", leg.cost_centre, "accounts.csv")}
        return line

    def _account(self, leg: Leg) -> str:
        return self._records.id_of("account", "acctnumber", leg.account, "account_code in accounts.csv")

    # --- finding and proving ---

    def _movements(self, ids: Iterable[str]) -> dict[str, Movements]:
        """What each journal moves in the primary book, posted or waiting, by account."""
        wanted = sorted(set(ids), key=int)
        found: dict[str, Movements] = {identifier: {} for identifier in wanted}
        for start in range(0, len(wanted), JOURNALS_PER_LOOK_UP):
            some = ", ".join(wanted[start : start + JOURNALS_PER_LOOK_UP])
            sql = (
                "SELECT tal.transaction, tal.transactionline, tal.account, tal.debit, tal.credit,"  # noqa: S608  # whole numbers
                " tl.debitforeignamount, tl.creditforeignamount FROM transactionaccountingline tal"
                " JOIN transactionline tl ON tl.transaction = tal.transaction AND tl.id = tal.transactionline"
                f" WHERE tal.transaction IN ({some}) AND tal.account IS NOT NULL"
                f" AND tal.accountingbook = {self._connector.primary_book()}"
                " ORDER BY tal.transaction, tal.transactionline"
            )
            for row in self._connector.select(sql, what="ledger"):
                # The ledger is in the subsidiary's currency, the journal's own amounts are on its lines.
                own = row.get("debitforeignamount"), row.get("creditforeignamount")
                debit, credit = own if any(own) else (row.get("debit"), row.get("credit"))
                moved = found[row["transaction"]]
                moved[row["account"]] = moved.get(row["account"], NIL) + decimal_of(debit) - decimal_of(credit)
        return found

    def _problems(self, action: Action, held: Sequence[Held], moved: Mapping[str, Movements]) -> list[str]:
        """In what the transactions under the action's external id are not the journal that is wanted."""
        if len(held) > 1:
            return [f"{len(held)} transactions have this external id ({', '.join(h.id for h in held)})"]
        (only,) = held
        if only.type != JOURNAL_TYPE:
            return [f"transaction {only.id} is a {only.type}"]
        if only.is_voided:
            return [f"journal {only.tran_id or only.id} is voided"]
        journal = read_journal(action.payload)
        _, decimals = self._records.currency(journal.currency_code)
        problems = self._date_problems(journal, only)
        wanted: Movements = {}
        for leg in render(journal, decimals):
            account = self._account(leg)
            wanted[account] = wanted.get(account, NIL) + leg.net
        here = moved.get(only.id, {})
        problems.extend(
            f"account id {account} moved by {here.get(account, NIL)}, wanted {wanted.get(account, NIL)}"
            for account in sorted(wanted.keys() | here.keys(), key=int)
            if here.get(account, NIL) != wanted.get(account, NIL)
        )
        return problems

    def _date_problems(self, journal: Journal, held: Held) -> list[str]:
        day = journal.posting_date[:10]
        if held.day != day:
            return [f"it is dated {held.day}, wanted {day}"]
        period = self._records.period_at(day)
        if held.period != period.id:
            return [f"it is posted to period id {held.period}, wanted {period.name} (id {period.id})"]
        return []

    def _verify(self, action: Action, held: Sequence[Held], moved: Mapping[str, Movements]) -> Verification:
        ids = tuple(h.id for h in held)
        if not held:
            return Verification(False, "no transaction has its external id")
        try:
            problems = self._problems(action, held, moved)
        except BadRecord as error:
            return Verification(False, str(error), ids)
        if not problems and not held[0].is_posting:
            problems = ["it waits for approval and is not in the ledger"]
        if problems:
            return Verification(False, "; ".join(problems), ids)
        count = len(moved[held[0].id])
        return Verification(True, f"journal {held[0].tran_id or ids[0]} read back, {count} accounts agree", ids)


def _key(action: Action) -> str:
    """The action's external id; empty when it cannot have one, which sending it then explains."""
    try:
        return external_id(PREFIX, action.wire_key)
    except BadRecord:
        return ""


def in_parallel(
    connector: NetSuiteConnector, send: Callable[[Action], DeliveryResult], actions: Sequence[Action]
) -> list[DeliveryResult]:
    """Each action sent once, with no more threads than the account has places."""
    if len(actions) < 2:
        return [send(action) for action in actions]
    with ThreadPoolExecutor(min(connector.client.limiter.limit, len(actions))) as pool:
        return list(pool.map(send, actions))
