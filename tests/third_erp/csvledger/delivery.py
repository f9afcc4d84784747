"""Posts canonical journals: one line of `postings.csv` per journal line, the wire key as reference."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal

from csvledger.connector import POSTINGS, CsvLedger

from connectors.delivery import Action, DeliveryResult, Found, Outcome, Request, Verification

COLUMNS = [column.name for column in POSTINGS.columns]


class JournalDelivery:
    kind = "JOURNAL"

    def __init__(self, ledger: CsvLedger) -> None:
        self._path = ledger.folder / "postings.csv"

    def preview(self, actions: Sequence[Action]) -> list[Request]:
        return [Request("APPEND", self._path.name, {}, self._lines(action)) for action in actions]

    def look_up(self, actions: Sequence[Action]) -> dict[str, Found | None]:
        held = self._held()
        return {
            action.action_key: Found((action.wire_key,), True, "it is in the file") if action.wire_key in held else None
            for action in actions
        }

    def send(self, actions: Sequence[Action]) -> dict[str, DeliveryResult]:
        with self._path.open("ab") as file:
            file.write("".join(self._lines(action) for action in actions).encode())
        return {action.action_key: DeliveryResult(Outcome.SENT, (action.wire_key,)) for action in actions}

    def read_back(self, actions: Sequence[Action]) -> dict[str, Verification]:
        held = self._held()
        return {
            action.action_key: Verification(held.get(action.wire_key) == _wanted(action), "compared by account")
            for action in actions
        }

    def _lines(self, action: Action) -> str:
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS)
        for number, line in enumerate(action.payload["lines"], start=1):
            writer.writerow(
                {
                    "id": f"{action.wire_key}-{number}",
                    "urn": action.wire_key,
                    "date": action.payload["posting_date"],
                    "account": line["account_code"],
                    "debit": line["debit"],
                    "credit": line["credit"],
                    "reference": action.wire_key,
                    "narrative": line["narrative"],
                }
            )
        return text.getvalue()

    def _held(self) -> Mapping[str, dict[str, Decimal]]:
        """Net debit by reference and account."""
        found: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        with self._path.open(newline="") as file:
            for row in csv.DictReader(file):
                found[row["reference"]][row["account"]] += Decimal(row["debit"] or 0) - Decimal(row["credit"] or 0)
        return found


def _wanted(action: Action) -> dict[str, Decimal]:
    wanted: dict[str, Decimal] = defaultdict(Decimal)
    for line in action.payload["lines"]:
        wanted[line["account_code"]] += Decimal(line["debit"]) - Decimal(line["credit"])
    return wanted
