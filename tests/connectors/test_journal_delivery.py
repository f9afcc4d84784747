"""Journals as clearing-bank documents: the same movements, found by key, completed and never doubled."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.auth import MemoryCredentialStore
from connectors.delivery import Action, DeliveryResult, Outcome
from connectors.sage200 import Sage200Connector
from connectors.sage200.journals import BadJournal, Journal, read_journal, render
from connectors.sage200.writes import JournalDelivery
from connectors.sage200.writes.codes import Codes
from connectors.sage200.writes.sending import Desk
from tests.connectors.conftest import NOW

WIRE = "TO0123456789ABCDEF"
KEY = "UKTRADE|BRICO|SETTLEMENT|c1|2026-06|1"


def line(number: int, kind: str, code: str, net: str, **more: Any) -> dict[str, Any]:
    """A journal line; `net` is debit less credit."""
    value = Decimal(net)
    return {
        "line_no": number,
        "account_role": more.pop("role", kind),
        "account_type": kind,
        "account_code": code,
        "cost_centre": None,
        "department": None,
        "bank_code": more.pop("bank", None),
        "debit": f"{max(value, Decimal(0)):.2f}",
        "credit": f"{max(-value, Decimal(0)):.2f}",
        "tax_code": more.pop("tax", None),
        "tax_line_of": more.pop("of", None),
        "narrative": None,
        **more,
    }


def payload(*lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "journal_key": KEY,
        "wire_key": WIRE,
        "kind": "SETTLEMENT",
        "posting_date": "2026-06-21",
        "currency_code": "GBP",
        "narrative": KEY,
        "customer_reference": "MKBRICO",
        "clearing_bank_code": "MKBRICO",
        "bank_code": "BANK",
        "lines": list(lines),
        **more,
    }


def clearing(number: int, net: str) -> dict[str, Any]:
    return line(number, "BANK", "1260", net, bank="MKBRICO")


SETTLEMENT = payload(
    clearing(1, "881.00"),
    line(2, "NOMINAL", "6100", "100.00", tax="1"),
    line(3, "VAT", "2201", "20.00", of=2, tax="1"),
    line(4, "NOMINAL", "6130", "-1.00"),
    line(5, "CUSTOMER", "1100", "-1100.00"),
    line(6, "CUSTOMER", "1100", "100.00"),
)
RECEIPT = payload(
    line(1, "BANK", "1200", "99.00", bank="BANK"),
    line(2, "NOMINAL", "7901", "1.00"),
    clearing(3, "-100.00"),
    kind="PAYOUT_RECEIPT",
)


def action(body: dict[str, Any]) -> Action:
    return Action(f"JOURNAL|{body['wire_key']}", body["wire_key"], "JOURNAL", "BRICO", "SAGE_UK", body)


# --- rendering ---


def parts(body: dict[str, Any]) -> list[tuple[str, str, list[tuple[str, str, str, str | None]]]]:
    return [
        (p.code, str(p.value), [(str(i.account), str(i.goods), str(i.tax), i.tax_code) for i in p.items])
        for p in render(read_journal(body))
    ]


def test_a_settlement_becomes_receipt_refund_payment_and_bank_receipt() -> None:
    assert parts(SETTLEMENT) == [
        ("SR", "1100.00", []),
        ("SP", "100.00", []),
        ("BP", "120.00", [("6100", "100.00", "20.00", "1")]),
        ("BR", "1.00", [("6130", "1.00", "0.00", None)]),
    ]


def test_a_payout_becomes_a_transfer_and_its_fee_a_payment() -> None:
    assert parts(RECEIPT) == [("BP", "1.00", [("7901", "1.00", "0.00", None)]), ("BT", "99.00", [])]
    transfer = render(read_journal(RECEIPT))[1]
    assert (transfer.other_bank, transfer.is_outward) == ("BANK", True)


def test_money_paid_back_to_the_operator_is_a_transfer_the_other_way() -> None:
    body = payload(line(1, "BANK", "1200", "-50.00", bank="BANK"), clearing(2, "50.00"))
    (transfer,) = render(read_journal(body))
    assert (transfer.code, transfer.value, transfer.is_outward) == ("BT", Decimal("50.00"), False)


def test_vat_of_the_opposite_sign_goes_into_the_other_document_with_goods_of_nil() -> None:
    body = payload(
        line(1, "NOMINAL", "6120", "40.00", tax="1"),
        line(2, "VAT", "2201", "-8.00", of=1, tax="1"),
        clearing(3, "-32.00"),
    )
    assert parts(body) == [
        ("BP", "40.00", [("6120", "40.00", "0.00", "1")]),
        ("BR", "8.00", [("6120", "0.00", "8.00", "1")]),
    ]


def test_vat_on_a_net_that_came_to_nil_is_an_item_of_its_own() -> None:
    body = payload(
        line(1, "NOMINAL", "6100", "0.00"), line(2, "VAT", "2201", "0.01", of=1, tax="1"), clearing(3, "-0.01")
    )
    assert parts(body) == [("BP", "0.01", [("6100", "0.00", "0.01", "1")])]


def test_refunded_fees_are_received_with_their_vat() -> None:
    body = payload(
        line(1, "NOMINAL", "6100", "-10.00"), line(2, "VAT", "2201", "-2.00", of=1, tax="1"), clearing(3, "12.00")
    )
    assert parts(body) == [("BR", "12.00", [("6100", "10.00", "2.00", "1")])]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (payload(clearing(1, "5.00")), "debits and credits differ by 5.00"),
        (payload(line(1, "VAT", "2201", "5.00", tax="1"), clearing(2, "-5.00")), "must name in tax_line_of"),
        (
            payload(line(1, "NOMINAL", "6100", "5.00"), line(2, "VAT", "2201", "1.00", of=1), clearing(3, "-6.00")),
            "VAT without a tax_code",
        ),
        (payload(line(1, "NOMINAL", "", "5.00"), clearing(2, "-5.00")), "add it to accounts.csv"),
        (
            payload(line(1, "CUSTOMER", "1100", "5.00"), clearing(2, "-5.00"), customer_reference=None),
            "no customer_reference",
        ),
        (payload(clearing(1, "0.00"), clearing_bank_code=None), "no clearing_bank_code"),
        (payload(clearing(1, "0.00")), "nothing to post"),
        (payload(line(1, "MOON", "1", "5.00"), clearing(2, "-5.00")), "account type MOON"),
        (payload(line(1, "NOMINAL", "1", "5.00"), clearing(1, "-5.00")), "line number is used twice"),
        (payload(line(1, "BANK", "1", "5.00", bank="A"), line(2, "BANK", "1", "-5.00", bank="B")), "one bank_code"),
        (payload({**line(1, "NOMINAL", "1", "5.00"), "debit": "5.001"}), "more than 2 decimals"),
        (payload({**line(1, "NOMINAL", "1", "5.00"), "debit": "five"}), "not a decimal number"),
        (payload({**line(1, "NOMINAL", "1", "5.00"), "debit": "-5"}), "negative"),
        (payload(wire_key="X" * 21), "1 to 20 characters"),
        ({"wire_key": WIRE}, "not a canonical journal"),
    ],
)
def test_a_journal_that_cannot_be_posted_says_why(body: dict[str, Any], words: str) -> None:
    with pytest.raises(BadJournal) as caught:
        render(read_journal(body))
    assert words in str(caught.value)


def movements(journal: Journal) -> dict[str, Decimal]:
    moved: dict[str, Decimal] = defaultdict(Decimal)
    for entry in journal.lines:
        moved["clearing" if entry.account_type == "BANK" else str(entry.account)] += entry.net
    return {k: v for k, v in moved.items() if v}


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(-5000, 5000), st.integers(-1000, 1000), st.sampled_from(["6100", "6110", "6120"])),
        max_size=6,
    ),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
)
def test_documents_move_every_account_exactly_as_the_journal_does(
    fees: list[tuple[int, int, str]], sales: int, refunds: int
) -> None:
    lines = [
        line(1, "CUSTOMER", "1100", str(Decimal(-sales) / 100)),
        line(2, "CUSTOMER", "1100", str(Decimal(refunds) / 100)),
    ]
    number = 3
    for net, vat, code in fees:
        lines.append(line(number, "NOMINAL", code, str(Decimal(net) / 100), tax="1"))
        lines.append(line(number + 1, "VAT", "2201", str(Decimal(vat) / 100), of=number, tax="1"))
        number += 2
    total = Decimal(refunds - sales + sum(n + v for n, v, _ in fees)) / 100
    journal = read_journal(payload(*lines, clearing(number, str(-total))))
    if not movements(journal) and all(entry.net == 0 for entry in journal.lines):
        with pytest.raises(BadJournal, match="nothing to post"):
            render(journal)
        return
    rendered = render(journal)
    moved: dict[str, Decimal] = defaultdict(Decimal)
    for part in rendered:
        sign = {"SR": 1, "BR": 1, "SP": -1, "BP": -1}[part.code]
        moved["clearing"] += sign * part.value
        if part.code in {"SR", "SP"}:
            moved["1100"] -= sign * part.value
        for item in part.items:
            moved[str(item.account)] -= sign * item.goods
            moved["2201"] -= sign * item.tax
        assert part.value >= 0
        assert not part.items or part.value == sum(i.gross for i in part.items)
    assert {k: v for k, v in moved.items() if v} == movements(journal)


# --- a company that posts ---


class Company:
    """Sage 200 as far as journals go: posts whatever it is sent, duplicates included, and is searched by reference."""

    def __init__(self) -> None:
        self.sales: list[dict[str, Any]] = []
        self.bank: list[dict[str, Any]] = []
        self.nominal: list[dict[str, Any]] = []
        self.posts: list[tuple[str, dict[str, Any]]] = []
        self.urn = 100
        self.disturb: dict[str, Callable[[], httpx.Response]] = {}
        self.after: dict[str, Callable[[], httpx.Response]] = {}
        self.validate: Callable[[dict[str, Any]], dict[str, str]] = lambda _: {"classification": "Normal"}
        self.masters: dict[str, list[dict[str, Any]]] = {
            "banks": [
                {"id": 57, "code": "MKBRICO", "bank_account_nominal_reference": "1260"},
                {"id": 1, "code": "BANK", "bank_account_nominal_reference": "1200"},
            ],
            "customers": [{"id": 27867, "reference": "MKBRICO"}],
            "currencies": [{"id": 2103, "is_base_currency": True, "currency_iso_code": {"id": 826, "code": "GBP"}}],
            "sales_historical_transactions": [],
            "tax_codes": [{"id": 1729, "code": 1, "tax_rate": 20}],
            "nominal_codes": [
                {"id": n, "reference": str(n), "cost_centre_code": "", "department_code": ""}
                for n in (1100, 1200, 1260, 2201, 6100, 6120, 6130, 7901)
            ],
        }

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            return httpx.Response(200, json={"access_token": "a", "refresh_token": "r", "expires_in": 3600})
        resource = request.url.path.rpartition("/")[2]
        if request.method == "POST":
            return self._post(resource, json.loads(request.content, parse_float=Decimal))
        tables = {
            "sales_posted_transactions": self.sales,
            "bank_posted_transactions": self.bank,
            "nominal_transaction_enquiry_views": self.nominal,
            **self.masters,
        }
        condition = request.url.params.get("$filter", "")
        wanted = re.findall(r"(\w+) eq (?:'([^']*)'|(\d+))", condition)
        rows = [
            r
            for r in tables[resource]
            if not wanted or any(str(r.get(name)) == (text or number) for name, text, number in wanted)
        ]
        return httpx.Response(200, content=json.dumps(rows, default=str).encode())

    def _post(self, resource: str, body: dict[str, Any]) -> httpx.Response:
        if resource == "transaction_date_validation":
            return httpx.Response(200, json=self.validate(body))
        self.posts.append((resource, body))
        if resource in self.disturb:
            return self.disturb[resource]()
        self.urn += 1
        assert isinstance(body["reference"], str)
        if resource in {"sales_receipts", "sales_payments"}:
            sign = 1 if resource == "sales_receipts" else -1
            value = sign * body["cheque_value"]
            self._row(self.sales, body, customer_id=body["customer_id"], document_gross_value=-value)
            self._row(self.bank, body, bank_id=body["bank_id"], cheque_value=value)
            self._legs(body, {1260: value, 1100: -value})
        elif resource == "bank_transfer":
            value = body["payment_value"]
            self._row(self.bank, body, bank_id=body["bank_from_id"], cheque_value=-value)
            self._row(self.bank, body, bank_id=body["bank_to_id"], cheque_value=value)
            nominal = {57: 1260, 1: 1200}
            self._legs(body, {nominal[body["bank_from_id"]]: -value, nominal[body["bank_to_id"]]: value})
        else:
            sign = 1 if resource == "bank_receipt" else -1
            total = sum(i["gross_value"] for i in body["nominal_analysis_items"])
            self._row(self.bank, body, bank_id=body["bank_id"], cheque_value=sign * total)
            legs: dict[int, Decimal] = defaultdict(Decimal)
            legs[1260] += sign * total
            for item in body["nominal_analysis_items"]:
                assert item["gross_value"] == item["goods_value"] + item["tax_value"]
                legs[int(item["code"])] -= sign * item["goods_value"]
                legs[2201] -= sign * item["tax_value"]
            self._legs(body, legs)
        if resource in self.after:
            return self.after[resource]()
        return httpx.Response(
            200, json={k: str(v) for k, v in body.items()} if resource == "bank_transfer" else {"urn": self.urn}
        )

    def _row(self, table: list[dict[str, Any]], body: dict[str, Any], **members: Any) -> None:
        kept = {k: body[k] for k in ("reference", "second_reference", "transaction_date")}
        table.append({"id": len(table) + 1, "urn": self.urn, **kept, **members})

    def _legs(self, body: dict[str, Any], legs: dict[int, Decimal]) -> None:
        for account, net in legs.items():
            if net:
                side = {"debit": net} if net > 0 else {"credit": -net}
                row = {
                    "id": len(self.nominal) + 1,
                    "urn": self.urn,
                    "nominal_code_id": account,
                    "reference": body["reference"],
                }
                self.nominal.append({**row, **side})


def delivery(company: Company) -> JournalDelivery:
    connector = Sage200Connector(
        "SAGE_UK",
        "https://api.example.com/accounts/v1",
        "https://id.example.com/oauth/token",
        "site",
        7,
        MemoryCredentialStore("r"),
        "id",
        "secret",
        transport=httpx.MockTransport(company),
        sleep=lambda _: None,
        clock=lambda: NOW,
        is_paced=False,
    )
    desk = Desk(connector)
    return JournalDelivery(desk, Codes(desk))


def only(results: dict[str, Any]) -> Any:
    (result,) = results.values()
    return result


def send(company: Company, body: dict[str, Any] = SETTLEMENT) -> DeliveryResult:
    return only(delivery(company).send([action(body)]))


def test_a_settlement_is_posted_with_keys_ids_and_exact_amounts_and_proved() -> None:
    company = Company()
    result = send(company)
    assert (result.outcome, result.vendor_ids) == (Outcome.SENT, ("101", "102", "103", "104"))
    assert [resource for resource, _ in company.posts] == [
        "sales_receipts",
        "sales_payments",
        "bank_payment",
        "bank_receipt",
    ]
    assert company.posts[0][1] == {
        "customer_id": 27867,
        "bank_id": 57,
        "cheque_value": Decimal("1100.00"),
        "transaction_date": "2026-06-21T00:00:00Z",
        "reference": WIRE,
        "second_reference": "SR",
    }
    assert company.posts[2][1]["nominal_analysis_items"] == [
        {
            "code": "6100",
            "cost_centre": "",
            "department": "",
            "narrative": f"{KEY} NOMINAL",
            "goods_value": Decimal("100.00"),
            "tax_value": Decimal("20.00"),
            "gross_value": Decimal("120.00"),
            "tax_code_id": 1729,
        }
    ]
    assert company.posts[2][1]["narrative"].startswith(KEY)
    verification = only(delivery(company).read_back([action(SETTLEMENT)]))
    assert verification.ok, verification.detail


def test_a_payout_is_transferred_and_proved_although_sage_gives_no_urn_for_it() -> None:
    company = Company()
    assert send(company, RECEIPT).outcome is Outcome.SENT
    transfer = company.posts[1][1]
    assert (transfer["bank_from_id"], transfer["bank_to_id"], transfer["payment_value"]) == (57, 1, Decimal("99.00"))
    verification = only(delivery(company).read_back([action(RECEIPT)]))
    assert verification.ok, verification.detail
    assert verification.vendor_ids == ("101", "102")


def test_a_journal_that_is_there_is_not_posted_again() -> None:
    company = Company()
    send(company)
    before = len(company.posts)
    assert send(company).outcome is Outcome.SENT
    assert len(company.posts) == before
    found = only(delivery(company).look_up([action(SETTLEMENT)]))
    assert (found.complete, found.vendor_ids) == (True, ("101", "102", "103", "104"))


def test_what_is_not_there_is_not_found() -> None:
    assert only(delivery(Company()).look_up([action(SETTLEMENT)])) is None


def timeout() -> httpx.Response:
    raise httpx.ReadTimeout("t")


@pytest.mark.parametrize("took_effect", [True, False])
def test_a_lost_answer_is_unknown_and_is_completed_without_doubling(took_effect: bool) -> None:
    company = Company()
    (company.after if took_effect else company.disturb)["bank_payment"] = timeout
    result = send(company)
    assert result.outcome is Outcome.UNKNOWN
    assert "already posted: SR, SP" in result.detail
    company.after.clear()
    company.disturb.clear()
    found = only(delivery(company).look_up([action(SETTLEMENT)]))
    assert not found.complete
    assert found.detail.endswith("missing: BR" if took_effect else "missing: BP, BR")
    assert send(company).outcome is Outcome.SENT
    verification = only(delivery(company).read_back([action(SETTLEMENT)]))
    assert verification.ok, verification.detail
    assert sorted(r["second_reference"] for r in company.sales) == ["SP", "SR"]


@pytest.mark.parametrize(
    ("answer", "outcome", "retryable"),
    [
        (timeout, Outcome.UNKNOWN, False),
        (lambda: httpx.Response(500), Outcome.UNKNOWN, False),
        (lambda: httpx.Response(504), Outcome.UNKNOWN, False),
        (lambda: httpx.Response(200, text="ok"), Outcome.UNKNOWN, False),
        (lambda: httpx.Response(400, json={"Message": "Period is closed"}), Outcome.FAILED, False),
        (lambda: httpx.Response(404), Outcome.FAILED, False),
        (lambda: httpx.Response(403), Outcome.FAILED, True),
        (lambda: httpx.Response(429), Outcome.FAILED, True),
    ],
)
def test_a_refusal_is_failed_with_the_vendors_text_and_doubt_is_unknown(
    answer: Callable[[], httpx.Response], outcome: Outcome, retryable: bool
) -> None:
    company = Company()
    company.disturb["sales_receipts"] = answer
    result = send(company)
    assert (result.outcome, result.retryable) == (outcome, retryable)
    assert len(company.posts) == 1, "no part is sent twice, and none after one that went wrong"
    if "closed" in result.detail:
        assert "Period is closed" in result.detail


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("banks", "no bank account 'MKBRICO': correct clearing_bank_code in marketplaces.csv"),
        ("customers", "no customer 'MKBRICO': correct customer_reference in marketplaces.csv"),
        ("tax_codes", "no tax code 1: correct erp_tax_code in tax_codes.csv"),
    ],
)
def test_a_code_that_sage_does_not_have_fails_before_anything_is_posted(table: str, words: str) -> None:
    company = Company()
    company.masters[table] = []
    result = send(company)
    assert result.outcome is Outcome.FAILED
    assert words in result.detail
    assert company.posts == []


def test_an_unbalanced_journal_fails_before_anything_is_posted() -> None:
    company = Company()
    result = send(company, payload(clearing(1, "5.00")))
    assert (result.outcome, result.retryable) == (Outcome.FAILED, False)
    assert company.posts == []


def test_one_bad_journal_does_not_stop_the_others() -> None:
    company = Company()
    other = {**RECEIPT, "wire_key": "TOFEDCBA9876543210"}
    results = delivery(company).send([action(payload(clearing(1, "5.00"))), action(other)])
    assert [r.outcome for r in results.values()] == [Outcome.FAILED, Outcome.SENT]


def test_preview_shows_the_exact_requests_and_posts_nothing() -> None:
    company = Company()
    shown = delivery(company).preview([action(SETTLEMENT)])
    assert company.posts == []
    send(company)
    assert [json.loads(r.body, parse_float=Decimal) for r in shown] == [body for _, body in company.posts]
    assert [r.url.rpartition("/")[2] for r in shown] == [resource for resource, _ in company.posts]
    assert {r.headers["Authorization"] for r in shown} == {"***"}


def spoil_amount(company: Company) -> None:
    company.bank[2]["cheque_value"] = Decimal("-119.99")


def spoil_date(company: Company) -> None:
    company.sales[0]["transaction_date"] = "2026-06-22T00:00:00Z"


def spoil_account(company: Company) -> None:
    next(r for r in company.nominal if r["nominal_code_id"] == 6100)["nominal_code_id"] = 6130


def spoil_double(company: Company) -> None:
    company.sales.append({**company.sales[0], "id": 99, "urn": 999})


def spoil_missing(company: Company) -> None:
    del company.sales[1]


def spoil_batch(company: Company) -> None:
    company.nominal.clear()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (spoil_amount, "BP has the value 119.99, wanted 120.00"),
        (spoil_date, "SR is dated 2026-06-22, wanted 2026-06-21"),
        (spoil_account, "account 6100 moved by 0.00, wanted 100.00"),
        (spoil_double, "SR is there 2 times (URN 101, 999)"),
        (spoil_missing, "SP is missing"),
        (spoil_batch, "no nominal legs yet"),
    ],
)
def test_reading_back_notices_every_kind_of_difference(spoil: Callable[[Company], None], words: str) -> None:
    company = Company()
    send(company)
    spoil(company)
    verification = only(delivery(company).read_back([action(SETTLEMENT)]))
    assert not verification.ok
    assert words in verification.detail


# --- what may have changed since the proposal


def test_a_period_closed_since_the_proposal_posts_no_part_of_a_journal() -> None:
    company = Company()
    asked: list[str] = []

    def validate(body: dict[str, Any]) -> dict[str, str]:
        asked.append(body["ledger_type"])
        is_closed = body["ledger_type"] == "LedgerSales"
        return {"classification": "Unacceptable" if is_closed else "Normal", "message": "The period is closed."}

    company.validate = validate
    result = send(company)
    assert (result.outcome, result.retryable) == (Outcome.FAILED, False)
    assert "Sage does not take 2026-06-21 in LedgerSales (The period is closed.)" in result.detail
    assert company.posts == []
    assert asked == ["LedgerCashBook", "LedgerSales"], "every ledger is asked before the first part"


def test_a_nominal_account_that_sage_does_not_have_posts_no_part_of_a_journal() -> None:
    company = Company()
    company.masters["nominal_codes"] = [r for r in company.masters["nominal_codes"] if r["reference"] != "6130"]
    result = send(company)
    assert result.outcome is Outcome.FAILED
    assert "account_code: Sage has no nominal account 6130: correct accounts.csv" in result.detail
    assert company.posts == []


@pytest.mark.parametrize("currency", ["USD", "EUR"])
def test_a_journal_in_another_currency_than_its_bank_account_posts_nothing(currency: str) -> None:
    company = Company()
    euro = {"id": 2104, "is_base_currency": False, "currency_iso_code": {"id": 978, "code": "EUR"}}
    company.masters["currencies"].append(euro)
    result = send(company, {**SETTLEMENT, "currency_code": currency})
    assert result.outcome is Outcome.FAILED
    words = (
        "Sage has no currency USD" if currency == "USD" else "the document is in EUR, bank MKBRICO is kept in another"
    )
    assert words in result.detail
    assert company.posts == []


def test_a_receipt_that_was_archived_is_not_posted_again() -> None:
    company = Company()
    send(company)
    company.masters["sales_historical_transactions"] = [r for r in company.sales if r["second_reference"] == "SR"]
    company.sales.clear()
    before = len(company.posts)
    result = send(company)
    assert result.outcome is Outcome.SENT
    assert [resource for resource, _ in company.posts[before:]] == ["sales_payments"]


def test_journals_of_one_batch_with_one_wire_key_are_posted_once() -> None:
    company = Company()
    first = action(RECEIPT)
    twin = Action("another", first.wire_key, first.kind, first.marketplace_code, first.account, first.payload)
    results = delivery(company).send([first, twin])
    assert [r.outcome for r in results.values()] == [Outcome.SENT, Outcome.FAILED]
    assert len(company.posts) == 2
