"""Posts canonical journals to Sage 200, finds them again by their key, completes what is missing, and proves the
result.

Every document carries the journal's wire key as `reference` and its part code as `second_reference`. Sage refuses no
duplicate, so a part is posted only after its key was looked up and not found, and never repeated by this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from connectors.delivery import Action, DeliveryResult, Found, Outcome, Request, Verification
from connectors.errors import (
    AuthError,
    BadPayload,
    ConnectorError,
    PermissionDenied,
    RateLimited,
    ServerFailed,
    TransportFailed,
)
from connectors.http import Call
from connectors.sage200.client import Sage200Connector, quoted
from connectors.sage200.decode import VENDOR
from connectors.sage200.endpoints import BANK_PAYMENT, BANK_RECEIPT, BANK_TRANSFER, SALES_PAYMENT, SALES_RECEIPT
from connectors.sage200.journals import NIL, Account, BadJournal, Journal, Part, read_journal, render

CALLS: dict[str, Call] = {
    "SR": SALES_RECEIPT,
    "SP": SALES_PAYMENT,
    "BP": BANK_PAYMENT,
    "BR": BANK_RECEIPT,
    "BT": BANK_TRANSFER,
}
KEYS_PER_LOOK_UP = 15
"""Keys in one `$filter`: long enough to save calls, short enough for any gateway's limit on addresses."""
ROWS_PER_LOOK_UP = 1000
SALES_PARTS = frozenset({"SR", "SP"})
MAXIMUM_NARRATIVE = 500
_BODY = msgspec.json.Encoder(decimal_format="number")


@dataclass(slots=True)
class _Posted:
    """What Sage holds under one wire key."""

    sales: list[dict[str, Any]] = field(default_factory=list)
    bank: list[dict[str, Any]] = field(default_factory=list)

    def rows(self, part: str) -> list[dict[str, Any]]:
        rows = self.sales if part in SALES_PARTS else self.bank
        return [r for r in rows if r.get("second_reference") == part]

    def urns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(str(r["urn"]) for r in (*self.sales, *self.bank) if r.get("urn")))


class _Unresolved(Exception):
    """A code of the journal that this company does not have; the message says where to correct it."""


class JournalDelivery:
    """Posts journals of kind JOURNAL; the payload is described by `connectors.sage200.journals.Journal`."""

    kind = "JOURNAL"

    def __init__(self, connector: Sage200Connector) -> None:
        self._connector = connector
        self._client = connector.client
        self._banks: dict[str, dict[str, Any]] = {}
        self._customers: dict[str, int] = {}
        self._tax_codes: dict[str, int] = {}
        self._accounts: dict[int, Account] = {}

    # --- the protocol ---

    def preview(self, actions: Sequence[Action]) -> list[Request]:
        """The requests for all parts. Codes are resolved by reading Sage; where one is unknown, its code stands in its
        place.
        """
        requests = []
        for action in actions:
            journal = read_journal(action.payload)
            for part in render(journal):
                try:
                    body = self._body(journal, part)
                except _Unresolved as error:
                    body = {"error": str(error)}
                requests.append(
                    Request(
                        "POST",
                        str(self._client.url(f"/{CALLS[part.code].name}")),
                        {
                            "Authorization": "***",
                            "X-Site": self._connector.site_id,
                            "X-Company": self._connector.company_id,
                            "Content-Type": "application/json",
                        },
                        _BODY.encode(body).decode(),
                    )
                )
        return requests

    def look_up(self, actions: Sequence[Action]) -> dict[str, Found | None]:
        posted = self._posted(a.wire_key for a in actions)
        result: dict[str, Found | None] = {}
        for action in actions:
            held = posted[action.wire_key]
            try:
                wanted = [p.code for p in render(read_journal(action.payload))]
            except BadJournal:
                wanted = []
            there = [code for code in wanted if held.rows(code)]
            if not held.urns():
                result[action.action_key] = None
                continue
            missing = [code for code in wanted if code not in there]
            detail = f"posted: {', '.join(there) or 'other documents under this key'}"
            if missing:
                detail += f"; missing: {', '.join(missing)}"
            result[action.action_key] = Found(held.urns(), bool(wanted) and not missing, detail)
        return result

    def send(self, actions: Sequence[Action]) -> dict[str, DeliveryResult]:
        return {action.action_key: self._send(action) for action in actions}

    def read_back(self, actions: Sequence[Action]) -> dict[str, Verification]:
        posted = self._posted(a.wire_key for a in actions)
        legs = self._legs(a.wire_key for a in actions)
        return {a.action_key: self._verify(a, posted[a.wire_key], legs.get(a.wire_key, [])) for a in actions}

    # --- sending ---

    def _send(self, action: Action) -> DeliveryResult:
        try:
            journal = read_journal(action.payload)
            if journal.wire_key != action.wire_key:
                raise BadJournal("the payload's wire_key is not the action's")
            parts = render(journal)
            bodies = [(part, self._body(journal, part)) for part in parts]
            posted = self._posted([action.wire_key])[action.wire_key]
        except (BadJournal, _Unresolved) as error:
            return DeliveryResult(Outcome.FAILED, detail=str(error))
        except ConnectorError as error:
            # Only reads so far: nothing was written.
            return DeliveryResult(Outcome.FAILED, detail=str(error), retryable=error.retryable or _needs_a_key(error))
        urns = list(posted.urns())
        done = [part.code for part in parts if posted.rows(part.code)]
        for part, body in bodies:
            if part.code in done:
                continue
            try:
                urn = self._post(part, body)
            except ConnectorError as error:
                return _broken_off(error, part, done, urns)
            done.append(part.code)
            if urn is not None and urn not in urns:
                urns.append(urn)
        return DeliveryResult(Outcome.SENT, tuple(urns), f"posted {', '.join(done)}")

    def _post(self, part: Part, body: Mapping[str, Any]) -> str | None:
        """Send one document; its URN, or None where Sage gives none (a transfer echoes the body)."""
        call = CALLS[part.code]
        answer = self._client.write(
            call, f"/{call.name}", content=_BODY.encode(body), headers={"Content-Type": "application/json"}
        )
        try:
            decoded = msgspec.json.decode(answer.body, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise BadPayload(
                "the document was answered without an object", vendor=VENDOR, call=call.name, status=answer.status
            ) from error
        urn = decoded.get("urn")
        return str(urn) if urn else None

    def _body(self, journal: Journal, part: Part) -> dict[str, Any]:
        clearing = self._bank_id(journal.clearing_bank_code or "")
        common = {
            "transaction_date": f"{journal.posting_date[:10]}T00:00:00Z",
            "reference": journal.wire_key,
            "second_reference": part.code,
        }
        if part.code in SALES_PARTS:
            return {
                "customer_id": self._customer_id(journal.customer_reference or ""),
                "bank_id": clearing,
                "cheque_value": part.value,
                **common,
            }
        narrative = journal.journal_key
        if journal.narrative and journal.narrative != journal.journal_key:
            narrative = f"{narrative} {journal.narrative}"
        common["narrative"] = narrative[:MAXIMUM_NARRATIVE]
        if part.code == "BT":
            other = self._bank_id(part.other_bank or "")
            banks = (clearing, other) if part.is_outward else (other, clearing)
            return {"bank_from_id": banks[0], "bank_to_id": banks[1], "payment_value": part.value, **common}
        items = []
        for item in part.items:
            analysis: dict[str, Any] = {
                "code": item.account.code,
                "cost_centre": item.account.cost_centre,
                "department": item.account.department,
                "narrative": f"{journal.journal_key} {item.narrative}"[:MAXIMUM_NARRATIVE],
                "goods_value": item.goods,
                "tax_value": item.tax,
                "gross_value": item.gross,
            }
            if item.tax_code:
                analysis["tax_code_id"] = self._tax_code_id(item.tax_code)
            items.append(analysis)
        return {"bank_id": clearing, **common, "nominal_analysis_items": items}

    # --- ids ---

    def _one(self, resource: str, condition: str, what: str, where: str) -> dict[str, Any]:
        rows = self._connector.select(resource, condition, top=2)
        if len(rows) != 1 or not isinstance(rows[0].get("id"), int):
            count = "no" if not rows else "more than one"
            raise _Unresolved(f"Sage has {count} {what}: correct {where}, or create it in Sage")
        return rows[0]

    def _bank(self, code: str) -> dict[str, Any]:
        if code not in self._banks:
            where = "clearing_bank_code in marketplaces.csv or erp_bank_code in bank_accounts.csv"
            self._banks[code] = self._one("banks", f"code eq {quoted(code)}", f"bank account {code!r}", where)
        return self._banks[code]

    def _bank_id(self, code: str) -> int:
        return int(self._bank(code)["id"])

    def _bank_account(self, code: str) -> Account:
        bank = self._bank(code)
        return Account(
            *(str(bank.get(f"bank_account_nominal_{p}") or "") for p in ("reference", "cost_centre", "department"))
        )

    def _customer_id(self, reference: str) -> int:
        if reference not in self._customers:
            where = "customer_reference in marketplaces.csv"
            row = self._one("customers", f"reference eq {quoted(reference)}", f"customer {reference!r}", where)
            self._customers[reference] = int(row["id"])
        return self._customers[reference]

    def _tax_code_id(self, code: str) -> int:
        """The id of a tax code: `code` is a small number that users know, the id differs per company."""
        if code not in self._tax_codes:
            where = "erp_tax_code in tax_codes.csv"
            if not code.isdigit():
                raise _Unresolved(f"tax code {code!r} is not a number: correct {where}")
            row = self._one("tax_codes", f"code eq {int(code)}", f"tax code {code}", where)
            self._tax_codes[code] = int(row["id"])
        return self._tax_codes[code]

    # --- finding and proving ---

    def _posted(self, wire_keys: Iterable[str]) -> dict[str, _Posted]:
        """What is posted under each key, in the sales ledger and in the cash book."""
        keys = sorted(set(wire_keys))
        posted = {key: _Posted() for key in keys}
        for condition in _conditions(keys):
            for row in self._all_rows("sales_posted_transactions", condition):
                if (reference := row.get("reference")) in posted:
                    posted[str(reference)].sales.append(row)
            for row in self._all_rows("bank_posted_transactions", condition):
                if (reference := row.get("reference")) in posted:
                    posted[str(reference)].bank.append(row)
        return posted

    def _legs(self, wire_keys: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
        legs: dict[str, list[dict[str, Any]]] = {}
        for condition in _conditions(sorted(set(wire_keys))):
            for row in self._all_rows("nominal_transaction_enquiry_views", condition):
                legs.setdefault(str(row.get("reference")), []).append(row)
        return legs

    def _all_rows(self, resource: str, condition: str) -> Iterator[dict[str, Any]]:
        """Every row that meets the condition, page by page of ascending ids."""
        after = ""
        while True:
            rows = self._connector.select(resource, f"({condition}){after}", top=ROWS_PER_LOOK_UP)
            yield from rows
            if len(rows) < ROWS_PER_LOOK_UP:
                return
            after = f" and id gt {max(int(r['id']) for r in rows)}"

    def _account_of(self, nominal_code_id: int) -> Account:
        if nominal_code_id not in self._accounts:
            rows = self._connector.select("nominal_codes", f"id eq {nominal_code_id}", top=1)
            row = rows[0] if rows else {}
            self._accounts[nominal_code_id] = Account(
                str(row.get("reference") or f"id {nominal_code_id}"),
                str(row.get("cost_centre_code") or ""),
                str(row.get("department_code") or ""),
            )
        return self._accounts[nominal_code_id]

    def _verify(self, action: Action, posted: _Posted, legs: Sequence[Mapping[str, Any]]) -> Verification:
        try:
            journal = read_journal(action.payload)
            parts = render(journal)
            problems = self._document_problems(journal, parts, posted) or self._leg_problems(journal, legs)
        except (BadJournal, _Unresolved) as error:
            return Verification(False, str(error), posted.urns())
        if problems:
            return Verification(False, "; ".join(problems), posted.urns())
        codes = ", ".join(p.code for p in parts)
        return Verification(True, f"{codes} read back, {len(legs)} nominal legs agree", posted.urns())

    def _document_problems(self, journal: Journal, parts: Sequence[Part], posted: _Posted) -> list[str]:
        problems = []
        for part in parts:
            rows = posted.rows(part.code)
            urns = {str(r.get("urn")) for r in rows}
            if not rows:
                problems.append(f"{part.code} is missing")
                continue
            if len(urns) > 1:
                problems.append(f"{part.code} is there {len(urns)} times (URN {', '.join(sorted(urns))})")
                continue
            dates = {str(r.get("transaction_date"))[:10] for r in rows}
            if dates != {journal.posting_date[:10]}:
                problems.append(f"{part.code} is dated {', '.join(sorted(dates))}, wanted {journal.posting_date[:10]}")
            member = "document_gross_value" if part.code in SALES_PARTS else "cheque_value"
            values = {abs(_decimal(r.get(member))) for r in rows}
            if values != {part.value}:
                shown = ", ".join(str(v) for v in sorted(values))
                problems.append(f"{part.code} has the value {shown}, wanted {part.value}")
        return problems

    def _leg_problems(self, journal: Journal, legs: Sequence[Mapping[str, Any]]) -> list[str]:
        """Compare movements per account; the customer's control account is whatever remains."""
        if not legs:
            return ["no nominal legs yet: Sage may post the nominal ledger in batches"]
        wanted: dict[Account, Decimal] = {}
        for line in journal.lines:
            if line.account_type == "CUSTOMER":
                continue
            account = (
                self._bank_account(line.bank_code) if line.account_type == "BANK" and line.bank_code else line.account
            )
            wanted[account] = wanted.get(account, NIL) + line.net
        held: dict[Account, Decimal] = {}
        for leg in legs:
            account = self._account_of(int(leg["nominal_code_id"]))
            held[account] = held.get(account, NIL) + _decimal(leg.get("debit")) - _decimal(leg.get("credit"))
        problems = [
            f"account {account} moved by {held.get(account, NIL)}, wanted {net}"
            for account, net in sorted(wanted.items())
            if held.get(account, NIL) != net
        ]
        customer = sum((line.net for line in journal.lines if line.account_type == "CUSTOMER"), NIL)
        rest = sum((net for account, net in held.items() if account not in wanted), NIL)
        if rest != customer:
            problems.append(f"other accounts moved by {rest}, the customer account should by {customer}")
        return problems


def _conditions(keys: Sequence[str]) -> Iterator[str]:
    for start in range(0, len(keys), KEYS_PER_LOOK_UP):
        yield " or ".join(f"reference eq {quoted(key)}" for key in keys[start : start + KEYS_PER_LOOK_UP])


def _decimal(value: Any) -> Decimal:
    """A number of Sage's JSON as money with 2 decimals; a member that was left out is nil."""
    return Decimal(str(value if value is not None else 0)).quantize(Decimal("0.01"))


def _needs_a_key(error: ConnectorError) -> bool:
    """Refused for who asked, not for what was asked: the same action succeeds once a person has renewed the access."""
    return isinstance(error, AuthError | PermissionDenied)


def _broken_off(error: ConnectorError, part: Part, done: Sequence[str], urns: Sequence[str]) -> DeliveryResult:
    """A document that was not posted for certain: nobody knows (UNKNOWN), or it was refused (FAILED)."""
    detail = f"{part.code}: {error}" + (f"; already posted: {', '.join(done)}" if done else "")
    if isinstance(error, ServerFailed | BadPayload) or (isinstance(error, TransportFailed) and error.sent):
        return DeliveryResult(Outcome.UNKNOWN, tuple(urns), detail)
    can_pass = isinstance(error, TransportFailed | RateLimited) or _needs_a_key(error)
    return DeliveryResult(Outcome.FAILED, tuple(urns), detail, retryable=can_pass)
