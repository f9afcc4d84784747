"""Small pieces the outbox tests are made of."""

from __future__ import annotations

import hashlib
import json
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from connectors.delivery import Action, DeliveryResult, Found, Outcome, Request, Verification
from connectors.errors import ServerFailed


@dataclass
class PinnedClock:
    """Advances by one second with every question, so that orders of events can be asserted."""

    moment: datetime = datetime(2026, 7, 3, 8, 0, tzinfo=UTC)

    def now(self) -> datetime:
        self.moment += timedelta(seconds=1)
        return self.moment


@dataclass(frozen=True)
class PolicyRow:
    kind: str
    marketplace_code: str = "*"
    mode: str = "AUTO"
    maximum_amount: Decimal | None = None
    currency_code: str | None = "GBP"
    expires_after_hours: int | None = None


@dataclass(frozen=True)
class SwitchRow:
    vendor: str = "*"
    marketplace_code: str = "*"
    kind: str = "*"
    is_on: bool = True


AUTO = (PolicyRow("JOURNAL"), PolicyRow("STOCK"))
ON = (SwitchRow(),)


def journal(
    natural_id: str = "UKTRADE|BRICO|SETTLEMENT|c1|2026-04|1", *, amount: str = "100.00", **changes: Any
) -> dict[str, Any]:
    version = changes.pop("version", 1)
    payload = changes.pop("payload", {"journal_key": natural_id, "lines": [{"line_no": 1, "debit": amount}]})
    marketplace = changes.pop("marketplace_code", "BRICO")
    return {
        "action_key": f"JOURNAL|{marketplace}|{natural_id}|{version}",
        "kind": "JOURNAL",
        "vendor": "sage200",
        "account": "SAGE_UK",
        "marketplace_code": marketplace,
        "entity_code": "UKTRADE",
        "natural_id": natural_id,
        "version": version,
        "wire_key": "TO" + hashlib.sha256(natural_id.encode()).hexdigest()[:16].upper(),
        "amount": Decimal(amount),
        "currency_code": "GBP",
        "payload": json.dumps(payload),
        "reason": "the cycle is closed and its journal is not in the ERP",
        "source_hash": "feed" * 4,
        **changes,
    }


def stock(sku: str, quantity: int, *, version: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "action_key": f"STOCK|BRICO|{sku}|{version}",
        "kind": "STOCK",
        "vendor": "mirakl",
        "account": "BRICO",
        "marketplace_code": "BRICO",
        "entity_code": "UKTRADE",
        "natural_id": sku,
        "version": version,
        "wire_key": None,
        "amount": None,
        "currency_code": None,
        "payload": json.dumps({"shop_sku": sku, "quantity": quantity}),
        "reason": "the offer shows another quantity",
        "source_hash": None,
        **changes,
    }


SCHEMA = pa.schema(
    [
        (name, pa.int64() if name == "version" else pa.decimal128(18, 2) if name == "amount" else pa.string())
        for name in journal()
    ]
)


def table(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=SCHEMA)


@dataclass
class FileVendor:
    """A vendor that remembers in a file, one line per document it took, duplicates included: it refuses nothing.

    `die_in` names the moment at which the calling process is killed: `before`, `after` (the vendor took it, the answer
    never came). `outcomes` overrides the answer per action key; `down` makes calls fail.
    """

    path: Path
    kind: str = "JOURNAL"
    die_in: str | None = None
    outcomes: dict[str, DeliveryResult] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    wrong: set[str] = field(default_factory=set)
    calls: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def documents(self) -> list[str]:
        return self.path.read_text().splitlines() if self.path.exists() else []

    def _call(self, name: str, actions: Sequence[Action]) -> None:
        self.calls.append((name, tuple(a.action_key for a in actions)))
        if name in self.down:
            raise ServerFailed("the vendor is down", vendor="fake", call=name, status=503)

    def preview(self, actions: Sequence[Action]) -> list[Request]:
        self._call("preview", actions)
        return [
            Request("POST", "http://vendor/documents", {"Authorization": "***"}, json.dumps(dict(a.payload)))
            for a in actions
        ]

    def look_up(self, actions: Sequence[Action]) -> dict[str, Found | None]:
        self._call("look_up", actions)
        held = self.documents()
        return {
            a.action_key: Found((f"urn-{a.action_key}",), True, "") if a.action_key in held else None for a in actions
        }

    def send(self, actions: Sequence[Action]) -> dict[str, DeliveryResult]:
        if self.die_in == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answers = {
            a.action_key: self.outcomes.get(a.action_key, DeliveryResult(Outcome.SENT, (f"urn-{a.action_key}",)))
            for a in actions
        }
        with self.path.open("a") as documents:
            for key, answer in answers.items():
                if answer.outcome is Outcome.SENT:
                    documents.write(key + "\n")
        if self.die_in == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        self._call("send", actions)
        return answers

    def read_back(self, actions: Sequence[Action]) -> dict[str, Verification]:
        self._call("read_back", actions)
        held = self.documents()
        return {
            a.action_key: Verification(
                a.action_key in held and a.action_key not in self.wrong,
                "as wanted" if a.action_key not in self.wrong else "holds 3, wanted 5",
            )
            for a in actions
        }


def states(outbox: Any) -> dict[str, str]:
    return {row["action_key"]: row["state"] for row in outbox.actions()}
