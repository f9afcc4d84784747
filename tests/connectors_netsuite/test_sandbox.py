"""The connector against the sandbox's account: every feed whole, both ways of signing in, journals proved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.delivery import Action, Outcome
from connectors.netsuite import AccountLimiter, Certificate, NetSuiteConnector, Tokens
from connectors.netsuite.decode import FEEDS
from connectors.netsuite.delivery import JournalDelivery
from connectors.records import Window
from sandbox.netsuite import NetSuiteApi
from tests.connectors_netsuite.account import AS_OF, BY_CERTIFICATE, BY_TOKENS, SUBSIDIARY, connector, running


@pytest.fixture
def account() -> Iterator[tuple[NetSuiteApi, str]]:
    with running() as found:
        yield found


@pytest.fixture
def api(account: tuple[NetSuiteApi, str]) -> NetSuiteApi:
    return account[0]


@pytest.fixture
def url(account: tuple[NetSuiteApi, str]) -> str:
    return account[1]


@pytest.mark.parametrize("credentials", [BY_CERTIFICATE, BY_TOKENS], ids=["certificate", "tokens"])
def test_every_feed_is_read_whole_and_decodes(url: str, credentials: Certificate | Tokens) -> None:
    reader = connector(url, credentials)
    counts = {}
    for entity, spec in FEEDS.items():
        pages = list(reader.pages(entity, Window()))
        counts[entity] = sum(page.record_count for page in pages)
        assert pages[-1].declared_count == counts[entity], entity
        ids = set()
        for page in pages:
            decoded = spec.decoded(page.body, page.url)
            assert not decoded.rejects, (entity, decoded.rejects[:3])
            assert not decoded.unknown_fields, entity
            rows = decoded.tables[f"netsuite_{entity}"].select(list(spec.id_columns)).to_pylist()
            ids.update(tuple(row.values()) for row in rows)
        assert len(ids) == counts[entity], f"{entity} repeats a row"
    assert not [entity for entity in ("sales_orders", "gl_lines", "items", "stock", "periods") if not counts[entity]]
    # An account with SuiteTax keeps no tax code at the item.
    assert reader.missing_columns == {"items": ("t.salestaxcode",)}


def test_doctor_tells_edition_settings_permissions_and_open_periods(url: str) -> None:
    found = {result.name.removeprefix("NS_UK: "): result for result in connector(url, subsidiary_id="2").check()}
    assert "2026-" in found["sign-in"].detail
    assert found["sign-in"].detail.endswith("(UTC-07:00)")
    assert found["books"].detail == "OneWorld, 4 subsidiaries; 2 accounting books, the primary one has the id 1"
    assert found["company"].detail == "subsidiary 2 Trading UK"
    assert found["open periods"].detail == "6, Jul 2026 to Dec 2026"
    assert found["stock (inventoryitemlocations)"].detail == "may be read"
    # Neither keeps anybody from working with the account.
    assert [name for name, result in found.items() if not result.ok] == [
        "journals that wait for approval",
        "items (item)",
    ]
    assert all(found[name].is_warning for name in ("journals that wait for approval", "items (item)"))


def test_doctor_tells_a_missing_permission_from_an_empty_table(api: NetSuiteApi, url: str) -> None:
    api.settings.denied_tables = {"inventoryitemlocations", "classification"}
    used = ("stock", "classes", "refunds", "items")
    found = {result.name.removeprefix("NS_UK: "): result for result in connector(url, used=used).check()}
    stock, classes = found["stock (inventoryitemlocations)"], found["classes (classification)"]
    assert (stock.ok, stock.is_warning) == (False, False)
    assert "this is not an empty table" in stock.detail
    assert "permission Items; where the feature Multi-Location Inventory is off, take stock out" in stock.action
    assert "permission Classes" in classes.action
    assert found["refunds (transaction)"].ok
    assert not [name for name in found if name.startswith("gl_lines")]  # feeds.csv does not have it


@pytest.mark.parametrize(
    ("chosen", "detail"), [(None, "4 subsidiaries, and none is chosen: 1 Parent"), ("9", "sees no subsidiary 9")]
)
def test_doctor_wants_to_know_whose_books_are_read(url: str, chosen: str | None, detail: str) -> None:
    results = connector(url, subsidiary_id=chosen, used=()).check()
    (company,) = [result for result in results if result.name == "NS_UK: company"]
    assert not company.ok
    assert detail in company.detail
    assert "subsidiary_id of NS_UK in erps.csv" in company.action


def test_a_window_holds_what_changed_in_utc(url: str) -> None:
    reader = connector(url)
    stamps = set()
    for page in reader.pages("transactions", Window()):
        table = FEEDS["transactions"].decoded(page.body, "").tables["netsuite_transactions"]
        stamps.update(table["lastmodifieddate"].to_pylist())
    middle = sorted(stamps)[len(stamps) // 2]
    since = datetime.fromisoformat(middle)
    for page in reader.pages("transactions", Window(since=since)):
        table = FEEDS["transactions"].decoded(page.body, "").tables["netsuite_transactions"]
        assert min(table["lastmodifieddate"].to_pylist()) == middle
    later = list(reader.pages("transactions", Window(since=since + timedelta(seconds=1))))
    assert sum(p.record_count for p in later) > 0


def journal(reader: NetSuiteConnector, wire: str) -> Action:
    """A journal between the account's own bank and expense accounts, in its base currency."""
    rows = reader.select(
        "SELECT a.acctnumber, a.accttype FROM account a WHERE a.accttype IN ('Bank', 'Expense')"
        " AND a.acctnumber IS NOT NULL AND a.isinactive = 'F' ORDER BY a.id"
    )
    number = {row["accttype"]: row["acctnumber"] for row in reversed(rows)}
    base = reader.select("SELECT c.symbol FROM currency c WHERE c.id = 1 ORDER BY c.id")[0]["symbol"]
    lines = [
        {"line_no": 1, "account_role": "FEE", "account_type": "NOMINAL", "account_code": number["Expense"]},
        {"line_no": 2, "account_role": "BANK", "account_type": "BANK", "account_code": number["Bank"]},
    ]
    lines[0]["debit"] = lines[1]["credit"] = "12.34"
    payload = {
        "journal_key": f"UKTRADE|BRICO|{wire}",
        "wire_key": wire,
        "kind": "SETTLEMENT",
        "posting_date": f"{AS_OF:%Y-%m-%d}",
        "currency_code": base,
        "lines": lines,
    }
    return Action(f"JOURNAL|{wire}", wire, "JOURNAL", "BRICO", "NS_UK", payload)


def test_journals_are_posted_once_within_the_accounts_limit(api: NetSuiteApi, url: str, tmp_path: Path) -> None:
    reader = connector(url, limiter=AccountLimiter(3, tmp_path))
    delivery = JournalDelivery(reader, SUBSIDIARY)
    batch = [journal(reader, f"W{n}") for n in range(12)]
    api.settings.call_seconds = 0.02
    results = delivery.send(batch)
    assert {result.outcome for result in results.values()} == {Outcome.SENT}, results
    assert api.most_at_once <= 3
    assert all(found.ok for found in delivery.read_back(batch).values()), delivery.read_back(batch)
    assert {r.vendor_ids for r in delivery.send(batch).values()} == {r.vendor_ids for r in results.values()}


def test_an_operators_journal_names_every_seller_and_is_proved_seller_by_seller(api: NetSuiteApi, url: str) -> None:
    reader = connector(url)
    one = journal(reader, "PAYOUT1")
    bank, expense = one.payload["lines"][1], one.payload["lines"][0]["account_code"]
    sellers = [
        {"line_no": n, "account_role": "SELLER_PAYABLE", "account_type": "SELLER", "account_code": expense}
        | {"shop_id": f"3000{n}", "debit": debit}
        for n, debit in ((1, "10.00"), (2, "2.34"))
    ]
    one = replace(one, payload={**one.payload, "lines": [*sellers, bank | {"line_no": 3}]})
    delivery = JournalDelivery(reader, SUBSIDIARY)
    sent = delivery.send([one])[one.action_key]
    assert sent.outcome is Outcome.SENT, sent
    verified = JournalDelivery(connector(url), SUBSIDIARY).read_back([one])[one.action_key]
    assert verified.ok, verified.detail
    # The sum of the account is right, the sellers are not.
    api.database.update("transactionline", {"entity": 902}, '"transaction" = ? AND entity = 901', [sent.vendor_ids[0]])
    verified = delivery.read_back([one])[one.action_key]
    assert not verified.ok
    assert "of entity id 901 moved by 0, wanted 10" in verified.detail
    sellers[1]["shop_id"] = "39999"
    payload = {**one.payload, "wire_key": "PAYOUT2"}
    unknown = replace(one, wire_key="PAYOUT2", action_key="JOURNAL|PAYOUT2", payload=payload)
    refused = delivery.send([unknown])[unknown.action_key]
    assert refused.outcome is Outcome.FAILED
    assert "NetSuite has no entity '39999'" in refused.detail


def test_a_journal_that_waits_is_approved(api: NetSuiteApi, url: str) -> None:
    reader = connector(url)
    one = journal(reader, "P1")
    waiting = JournalDelivery(reader, SUBSIDIARY, is_approved=False)
    api.settings.approval_required = True
    assert waiting.send([one])[one.action_key].outcome is Outcome.SENT
    assert "waits for approval" in waiting.read_back([one])[one.action_key].detail
    delivery = JournalDelivery(reader, SUBSIDIARY)
    assert delivery.send([one])[one.action_key].detail.endswith("is approved now")
    assert delivery.read_back([one])[one.action_key].ok


def test_a_foreign_journal_takes_two_entries_that_book_it_to_the_penny(api: NetSuiteApi, url: str) -> None:
    reader = connector(url)
    delivery = JournalDelivery(reader, SUBSIDIARY)
    wire = "TO0123456789ABCDEF"
    rows = (
        ("1300", "83.30", "71.64"),
        ("4000", "-103.30", "-88.01"),
        ("6100", "20.00", "17.20"),
        ("5000", "0", "-0.83"),
    )
    lines = [
        {
            "line_no": number,
            "account_role": "NOMINAL",
            "account_type": "NOMINAL",
            "account_code": account,
            "debit": net if not net.startswith("-") else "0",
            "credit": net.removeprefix("-") if net.startswith("-") else "0",
            "functional_debit": own if not own.startswith("-") else "0",
            "functional_credit": own.removeprefix("-") if own.startswith("-") else "0",
        }
        for number, (account, net, own) in enumerate(rows, start=1)
    ]
    payload = {
        "journal_key": "K",
        "wire_key": wire,
        "kind": "SETTLEMENT",
        "posting_date": f"{AS_OF:%Y-%m-%d}",
        "currency_code": "EUR",
        "functional_currency_code": "GBP",
        "exchange_rate": "0.86000000",
        "rate_source": "ECB",
        "lines": lines,
    }
    one = Action(f"JOURNAL|{wire}", wire, "JOURNAL", "BRICO", "NS_UK", payload)
    assert delivery.look_up([one]) == {one.action_key: None}
    result = delivery.send([one])[one.action_key]
    assert (result.outcome, len(result.vendor_ids)) == (Outcome.SENT, 2), result.detail
    proof = delivery.read_back([one])[one.action_key]
    assert proof.ok, proof.detail
    found = delivery.look_up([one])[one.action_key]
    assert found is not None
    assert found.complete
    ids = ", ".join(result.vendor_ids)
    booked = reader.select(
        "SELECT a.acctnumber, SUM(COALESCE(l.debit, 0) - COALESCE(l.credit, 0)) AS net FROM transactionaccountingline l"
        f" JOIN account a ON a.id = l.account WHERE l.transaction IN ({ids}) AND l.accountingbook = 1"
        " GROUP BY a.acctnumber ORDER BY a.acctnumber"
    )
    assert {row["acctnumber"]: Decimal(row["net"]) for row in booked} == {
        account: Decimal(own) for account, _, own in rows
    }
