"""Posts canonical journals to Sage 200 as clearing-bank documents, finds them again by their key, completes what is
missing, and proves the result.

Every document carries the journal's wire key as `reference` and its part code as `second_reference`. Sage refuses no
duplicate, so a part is posted only after its key was looked up and not found, and never repeated by this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from connectors.delivery import Action, DeliveryResult, Found, Outcome, Request, Verification
from connectors.errors import ConnectorError
from connectors.http import Call
from connectors.sage200.endpoints import BANK_PAYMENT, BANK_RECEIPT, BANK_TRANSFER, SALES_PAYMENT, SALES_RECEIPT
from connectors.sage200.journals import (
    NIL,
    Account,
    BadJournal,
    Journal,
    Part,
    in_own_currency,
    read_journal,
    render,
)
from connectors.sage200.writes.codes import Codes
from connectors.sage200.writes.dates import CASH_BOOK, SALES, Dates
from connectors.sage200.writes.posting import NOT_SENT, Posted, Row, legs, posted
from connectors.sage200.writes.sending import Desk, Unfit, can_pass, decimal_of, failed_read, failed_write

CALLS: dict[str, Call] = {
    "SR": SALES_RECEIPT,
    "SP": SALES_PAYMENT,
    "BP": BANK_PAYMENT,
    "BR": BANK_RECEIPT,
    "BT": BANK_TRANSFER,
}
SALES_PARTS = frozenset({"SR", "SP"})
MAXIMUM_NARRATIVE = 500
RATE = Decimal("0.000001")


@dataclass(slots=True)
class _Posted:
    """What Sage holds under one wire key."""

    sales: Posted
    bank: Posted

    def rows(self, part: str) -> list[Row]:
        rows = self.sales.rows if part in SALES_PARTS else self.bank.rows
        return [r for r in rows if r.get("second_reference") == part]

    def urns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.sales.urns, *self.bank.urns)))


class JournalDelivery:
    """Posts journals of kind JOURNAL; the payload is described by `connectors.sage200.journals.Journal`.

    Precondition: Sage takes the posting date in every ledger that the journal touches, and has every code. Look-up: the
    sales ledger, its archive and the cash book by `reference`; parts that are there are not posted again.
    """

    kind = "JOURNAL"
    batch_size: int = 20
    """Enough to keep the site's places taken; each journal is looked up by itself after a crash."""

    def __init__(self, desk: Desk, codes: Codes) -> None:
        self._desk = desk
        self._codes = codes
        self.settle_seconds = desk.settle_seconds

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
                except Unfit as unfit:
                    body = {"error": unfit.detail}
                requests.append(self._desk.request("POST", f"/{CALLS[part.code].name}", body))
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
        """Journals as many at a time as the site takes; the parts of one, one after the other."""
        dates = Dates(self._desk)
        try:
            posted = self._posted(action.wire_key for action in actions)
        except ConnectorError as error:
            return dict.fromkeys((action.action_key for action in actions), failed_read(error))
        first = {action.wire_key: action.action_key for action in reversed(actions)}
        twice = DeliveryResult(Outcome.FAILED, detail="another action of this batch has the same wire key")
        results = {action.action_key: twice for action in actions}
        own = [action for action in actions if first[action.wire_key] == action.action_key]

        def send(action: Action) -> tuple[DeliveryResult, bool]:
            return self._send(action, posted[action.wire_key], dates)

        for action, result in self._desk.send_each(send, own, lambda _: NOT_SENT):
            results[action.action_key] = result
        return results

    def read_back(self, actions: Sequence[Action]) -> dict[str, Verification]:
        keys = {a.wire_key for a in actions}
        posted, moved = self._posted(keys), legs(self._desk, keys)
        return {a.action_key: self._verify(a, posted[a.wire_key], moved[a.wire_key]) for a in actions}

    # --- sending ---

    def _send(self, action: Action, posted: _Posted, dates: Dates) -> tuple[DeliveryResult, bool]:
        """What became of it, and whether that is unknown."""
        try:
            journal = read_journal(action.payload)
            if journal.wire_key != action.wire_key:
                raise BadJournal("the payload's wire_key is not the action's")
            bodies = [(part, self._body(journal, part)) for part in render(journal)]
            missing = [(part, body) for part, body in bodies if not posted.rows(part.code)]
            # All dates before the first part: a journal must not stay half posted for a period that is closed.
            for ledger in sorted({SALES if part.code in SALES_PARTS else CASH_BOOK for part, _ in missing}):
                dates.check(journal.posting_date[:10], ledger)
        except (BadJournal, Unfit) as error:
            return DeliveryResult(Outcome.FAILED, detail=str(error)), False
        except ConnectorError as error:
            # Only reads so far: nothing was written.
            return DeliveryResult(Outcome.FAILED, detail=str(error), retryable=can_pass(error)), False
        urns = list(posted.urns())
        done = [part.code for part, _ in bodies if posted.rows(part.code)]
        for part, body in missing:
            try:
                answer = self._desk.write(CALLS[part.code], body)
            except ConnectorError as error:
                detail = f"{part.code}: {error}" + (f"; already posted: {', '.join(done)}" if done else "")
                result = failed_write(error, detail)
                is_unknown = result.outcome is Outcome.UNKNOWN
                return DeliveryResult(result.outcome, tuple(urns), detail, result.retryable), is_unknown
            done.append(part.code)
            # A transfer echoes its body and keeps its URN to itself.
            if (urn := answer.get("urn")) and str(urn) not in urns:
                urns.append(str(urn))
        return DeliveryResult(Outcome.SENT, tuple(urns), f"posted {', '.join(done)}"), False

    def _body(self, journal: Journal, part: Part) -> dict[str, Any]:
        clearing = self._bank_id(journal, journal.clearing_bank_code or "")
        common = {
            "transaction_date": f"{journal.posting_date[:10]}T00:00:00Z",
            "reference": journal.wire_key,
            "second_reference": part.code,
        }
        if part.code in SALES_PARTS:
            customer = self._codes.customer(journal.customer_reference or "")
            self._codes.check_currency(
                journal.currency_code, customer, "currency_id", f"customer {journal.customer_reference}"
            )
            body = {
                "customer_id": customer["id"],
                "bank_id": clearing,
                "cheque_value": part.value,
                **common,
            }
            if part.customer_value is not None:
                # The rate is the one that the account's documents stood at: units of its currency for one of the base.
                # Of a payment's `exchange_rate` Sage takes two decimals only, of this one six.
                body |= {
                    "cheque_currency_id": self._codes.currency(journal.posted_currency)["id"],
                    "customer_cheque_value": part.customer_value,
                    "cheque_exchange_rate": (part.customer_value / part.value).quantize(RATE, rounding=ROUND_HALF_UP),
                }
            return body
        narrative = journal.journal_key
        if journal.narrative and journal.narrative != journal.journal_key:
            narrative = f"{narrative} {journal.narrative}"
        common["narrative"] = narrative[:MAXIMUM_NARRATIVE]
        if part.code == "BT":
            other = self._bank_id(journal, part.other_bank or "")
            banks = (clearing, other) if part.is_outward else (other, clearing)
            return {"bank_from_id": banks[0], "bank_to_id": banks[1], "payment_value": part.value, **common}
        items = []
        for item in part.items:
            self._codes.nominal(item.account, "account_code")
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
                analysis["tax_code_id"] = self._codes.tax_code(item.tax_code)["id"]
            items.append(analysis)
        return {"bank_id": clearing, **common, "nominal_analysis_items": items}

    # --- codes ---

    def _bank_id(self, journal: Journal, code: str) -> int:
        bank = self._codes.bank(code)
        self._codes.check_currency(journal.posted_currency, bank, "account_currency_id", f"bank {code}")
        return int(bank["id"])

    # --- finding and proving ---

    def _posted(self, wire_keys: Iterable[str]) -> dict[str, _Posted]:
        """What is posted under each key, in the sales ledger (its archive included) and in the cash book."""
        keys = set(wire_keys)
        sales = posted(self._desk, "sales_posted_transactions", "sales_historical_transactions", keys)
        bank = posted(self._desk, "bank_posted_transactions", None, keys)
        return {key: _Posted(sales[key], bank[key]) for key in keys}

    def _verify(self, action: Action, posted: _Posted, legs: Sequence[Row]) -> Verification:
        try:
            journal = read_journal(action.payload)
            parts = render(journal)
            problems = self._document_problems(journal, parts, posted) or self._leg_problems(journal, legs)
        except (BadJournal, Unfit) as error:
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
            values = {abs(decimal_of(r.get(member))) for r in rows}
            wanted = part.value if part.customer_value is None else part.customer_value
            if values != {wanted}:
                shown = ", ".join(str(v) for v in sorted(values))
                problems.append(f"{part.code} has the value {shown}, wanted {wanted}")
        return problems

    def _leg_problems(self, journal: Journal, legs: Sequence[Row]) -> list[str]:
        """Compare movements per account; the customer's control account is whatever remains."""
        if not legs:
            return ["no nominal legs yet: Sage may post the nominal ledger in batches"]
        # The nominal ledger is in the company's own currency.
        journal = in_own_currency(journal)
        wanted: dict[Account, Decimal] = {}
        for line in journal.lines:
            if line.account_type == "CUSTOMER":
                continue
            account = (
                self._codes.bank_account(line.bank_code)
                if line.account_type == "BANK" and line.bank_code
                else line.account
            )
            wanted[account] = wanted.get(account, NIL) + line.net
        held: dict[Account, Decimal] = {}
        for leg in legs:
            account = self._codes.account_of(int(leg["nominal_code_id"]))
            held[account] = held.get(account, NIL) + decimal_of(leg.get("debit")) - decimal_of(leg.get("credit"))
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
