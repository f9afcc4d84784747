"""Posts canonical journals to NetSuite, finds them again by their external id, approves what waits, and proves the
result in the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from connectors.netsuite.client import NetSuiteConnector
from connectors.netsuite.journals import Journal, Leg, read_journal, render
from connectors.netsuite.records import NIL, Held
from connectors.netsuite.writing import Evidence, RecordDelivery, date_difference, differences

MAXIMUM_MEMO = 200


class JournalDelivery(RecordDelivery[Journal]):
    """Posts journals of kind JOURNAL; the payload is described by `connectors.netsuite.journals.Journal`.

    `subsidiary_id` is the books that are posted to, None on an account without subsidiaries. A journal is posted
    approved, and one that still waits is approved when it is sent again: until then it is not in the ledger. With
    `is_approved` False people approve, and a waiting journal counts as sent, not as proved.
    """

    kind = "JOURNAL"
    record = "journalEntry"
    prefix = "JE"
    type_code = "Journal"

    def __init__(self, connector: NetSuiteConnector, subsidiary_id: str | None, *, is_approved: bool = True) -> None:
        super().__init__(connector)
        self._subsidiary = subsidiary_id
        self._is_approved = is_approved

    @property
    def _may_release(self) -> bool:
        return self._is_approved

    def _waits(self, held: Held) -> bool:
        return not held.is_posting

    def _release(self, held: Held) -> None:
        self._records.write("PATCH", f"{self.record}/{held.id}", {"approved": True})

    def _document(self, payload: Mapping[str, Any]) -> Journal:
        return read_journal(payload)

    def _body(self, document: Journal) -> dict[str, Any]:
        currency, decimals = self._records.currency(document.currency_code)
        legs = render(document, decimals)
        day = document.posting_date[:10]
        period = self._records.period_of(day, with_receivables=any(leg.customer for leg in legs))
        body: dict[str, Any] = {
            "tranDate": day,
            "postingPeriod": {"id": period},
            "memo": (document.narrative or document.journal_key)[:MAXIMUM_MEMO],
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
            line["entity"] = {"id": self._records.customer(leg.customer)}
        if leg.department:
            line["department"] = {"id": self._records.id_of("department", "name", leg.department, "accounts.csv")}
        if leg.cost_centre:
            line["class"] = {"id": self._records.id_of("classification", "name", leg.cost_centre, "accounts.csv")}
        return line

    def _account(self, leg: Leg) -> str:
        return self._records.account(leg.account)

    def _evidence(self, held: Sequence[Held]) -> Mapping[str, Evidence]:
        return self._records.movements(h.id for h in held)

    def _differences(self, document: Journal, held: Held, evidence: Evidence) -> list[str]:
        day = document.posting_date[:10]
        if different := date_difference(held, day):
            return different
        period = self._records.period_at(day)
        if held.period != period.id:
            return [f"it is posted to period id {held.period}, wanted {period.name} (id {period.id})"]
        _, decimals = self._records.currency(document.currency_code)
        wanted: dict[str, Decimal] = {}
        for leg in render(document, decimals):
            account = f"account id {self._account(leg)}"
            wanted[account] = wanted.get(account, NIL) + leg.net
        return differences(evidence, wanted, "moved by")
