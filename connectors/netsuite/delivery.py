"""Posts canonical journals to NetSuite, finds them again by their external id, approves what waits, and proves the
result in the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from connectors.delivery import Action, DeliveryResult, Found, Request, Verification
from connectors.netsuite.client import NetSuiteConnector
from connectors.netsuite.foreign import merged_found, merged_result, merged_verification, parts_of
from connectors.netsuite.journals import Journal, Leg, read_journal, render
from connectors.netsuite.records import NIL, OF_ENTITY, Held
from connectors.netsuite.writing import Evidence, RecordDelivery, date_difference, differences

MAXIMUM_MEMO = 200
Answer = TypeVar("Answer")


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

    # A journal in a foreign currency takes two entries (connectors.netsuite.foreign): each is looked up, sent and
    # proved by itself, and the action is as far as the lesser of them.

    def preview(self, actions: Sequence[Action]) -> list[Request]:
        return super().preview([part for action in actions for part in parts_of(action)])

    def look_up(self, actions: Sequence[Action]) -> dict[str, Found | None]:
        return self._by_part(actions, super().look_up, merged_found)

    def send(self, actions: Sequence[Action]) -> dict[str, DeliveryResult]:
        return self._by_part(actions, super().send, merged_result)

    def read_back(self, actions: Sequence[Action]) -> dict[str, Verification]:
        return self._by_part(actions, super().read_back, merged_verification)

    @staticmethod
    def _by_part(
        actions: Sequence[Action],
        answer: Callable[[Sequence[Action]], Mapping[str, Answer]],
        merge: Callable[[Sequence[Answer]], Answer],
    ) -> dict[str, Answer]:
        parts = {action.action_key: parts_of(action) for action in actions}
        answers = answer([part for found in parts.values() for part in found])
        return {
            key: answers[key] if len(found) == 1 else merge([answers[part.action_key] for part in found])
            for key, found in parts.items()
        }

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
        self._records.sellers(leg.seller for leg in legs if leg.seller)
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
        if document.exchange_rate is not None:
            body["exchangeRate"] = Decimal(document.exchange_rate)
        return body

    def _line(self, leg: Leg) -> dict[str, Any]:
        side = "debit" if leg.net > 0 else "credit"
        line: dict[str, Any] = {"account": {"id": self._account(leg)}, side: abs(leg.net), "memo": leg.memo}
        if leg.customer:
            line["entity"] = {"id": self._records.customer(leg.customer)}
        if leg.seller:
            line["entity"] = {"id": self._records.seller(leg.seller)}
        if leg.department:
            line["department"] = {"id": self._records.id_of("department", "name", leg.department, "accounts.csv")}
        if leg.cost_centre:
            line["class"] = {"id": self._records.id_of("classification", "name", leg.cost_centre, "accounts.csv")}
        return line

    def _account(self, leg: Leg) -> str:
        return self._records.account(leg.account)

    def _evidence(self, held: Sequence[Held]) -> Mapping[str, Evidence]:
        return self._records.movements((h.id for h in held), by_entity=True)

    def _differences(self, document: Journal, held: Held, evidence: Evidence) -> list[str]:
        day = document.posting_date[:10]
        if different := date_difference(held, day):
            return different
        period = self._records.period_at(day)
        if held.period != period.id:
            return [f"it is posted to period id {held.period}, wanted {period.name} (id {period.id})"]
        _, decimals = self._records.currency(document.currency_code)
        legs = render(document, decimals)
        self._records.sellers(leg.seller for leg in legs if leg.seller)
        wanted: dict[str, Decimal] = {}
        sellers: dict[str, Decimal] = {}
        for leg in legs:
            account = f"account id {self._account(leg)}"
            wanted[account] = wanted.get(account, NIL) + leg.net
            if leg.seller:
                key = f"{account}{OF_ENTITY}{self._records.seller(leg.seller)}"
                sellers[key] = sellers.get(key, NIL) + leg.net
        whole = {key: net for key, net in evidence.items() if OF_ENTITY not in key}
        # The account may be right and the seller another one.
        by_seller = {key: evidence.get(key, NIL) for key in sellers}
        return differences(whole, wanted, "moved by") + differences(by_seller, sellers, "moved by")
