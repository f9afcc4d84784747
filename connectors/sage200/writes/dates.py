"""Asks Sage whether it takes a date before anything is posted on it: a period may have closed since the proposal."""

from __future__ import annotations

from connectors.errors import NotFound, PermissionDenied
from connectors.sage200.endpoints import DATE_VALIDATION
from connectors.sage200.writes.sending import Desk, Unfit

SALES, PURCHASE, CASH_BOOK = "LedgerSales", "LedgerPurchase", "LedgerCashBook"


class Dates:
    """The answers of one batch. The next batch asks again."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._answers: dict[tuple[str, str], tuple[str, str]] = {}

    def check(self, day: str, ledger: str) -> str:
        """What Sage remarks on a date (ISO) that it takes, empty as a rule. Raises Unfit when it does not take it."""
        key = (day, ledger)
        if key not in self._answers:
            self._answers[key] = self._ask(day, ledger)
        classification, message = self._answers[key]
        if classification.endswith("Unacceptable"):
            raise Unfit(
                f"nothing was posted: Sage does not take {day} in {ledger} ({message or 'no reason given'}): open the "
                "period in Sage, or date the document into an open one"
            )
        return message

    def _ask(self, day: str, ledger: str) -> tuple[str, str]:
        try:
            answer = self._desk.ask(DATE_VALIDATION, {"date": f"{day}T00:00:00Z", "ledger_type": ledger})
        except (NotFound, PermissionDenied):
            # A site from before September 2020, or a role that may post but not ask: the posting itself is refused.
            return "Normal", ""
        return str(answer.get("classification") or "Normal"), str(answer.get("message") or "")
