"""The identities that hold in any honest world, checked on the rendered records, not on what made them."""

import csv
import io
import xml.etree.ElementTree as ET
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sandbox.world import World, build_world

CAMT = "{urn:iso:std:iso:20022:tech:xsd:camt.053.001.02}"


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def lines_of(world: World) -> list[dict[str, Any]]:
    return world.mirakl["BRICO"].transaction_lines


def by_cycle(world: World) -> dict[str, list[dict[str, Any]]]:
    found = defaultdict(list)
    for line in lines_of(world):
        if line.get("seller_billing_cycle_id"):
            found[line["seller_billing_cycle_id"]].append(line)
    return found


def test_amount_is_credited_less_debited_and_one_of_them_is_nil(clean: World) -> None:
    for line in lines_of(clean):
        assert line["amount"] == line["amount_credited"] - line["amount_debited"]
        assert not (line["amount_credited"] and line["amount_debited"])


def test_running_balance_has_no_gap(clean: World) -> None:
    balance = Decimal(0)
    last = ""
    for line in lines_of(clean):
        assert instant(line["date_created"]) >= instant(last or line["date_created"])
        balance += line["amount"]
        assert line["balance"] == balance
        last = line["date_created"]


def test_every_cycle_keeps_the_settlement_identity(clean: World) -> None:
    lines = by_cycle(clean)
    opening = Decimal(0)
    settlements = {s["billing_cycle_id"]: s for s in clean.truth["settlements"]}
    for cycle in clean.mirakl["BRICO"].cycles:
        members = lines[cycle["id"]]
        net = sum((x["amount"] for x in members if x["type"] != "PAYMENT"), Decimal(0))
        payout = -sum((x["amount"] for x in members if x["type"] == "PAYMENT"), Decimal(0))
        assert payout == cycle["amount_transferred_to_seller"] >= 0
        truth = settlements[cycle["id"]]
        assert (truth["opening"], truth["net"], truth["payout"]) == (opening, net, payout)
        opening += net - payout
        assert truth["closing"] == opening
        assert sum(truth["roles"].values()) == 0


def test_the_cycles_hold_the_scenes_that_were_asked_for(clean: World) -> None:
    states = [cycle["pay_out"]["state"] for cycle in clean.mirakl["BRICO"].cycles]
    assert len(states) == 9
    assert states.count("FAILED") == 1
    closings = [s["closing"] for s in clean.truth["settlements"]]
    assert closings[4] < 0
    assert closings[6] > 0
    assert [closing for n, closing in enumerate(closings) if n not in (4, 6)] == [0] * 7


def test_documents_agree_with_their_lines(clean: World) -> None:
    lines = by_cycle(clean)
    fees = {"COMMISSION_FEE", "REFUND_COMMISSION_FEE", "SUBSCRIPTION_FEE", "SELLER_PENALTY_FEE"}
    taxes = {"COMMISSION_VAT", "REFUND_COMMISSION_VAT", "SUBSCRIPTION_VAT", "SELLER_PENALTY_FEE_TAX"}
    kinds = set()
    for document in clean.mirakl["BRICO"].invoices:
        kinds.add(document["type"])
        if document["type"] == "AUTO_INVOICE":
            members = lines[document["seller_billing_cycle_id"]]
            net = -sum(x["amount"] for x in members if x["type"] in fees)
            tax = -sum(x["amount"] for x in members if x["type"] in taxes)
            paid = -sum(x["amount"] for x in members if x["type"] == "PAYMENT")
            assert document["summary"]["amount_transferred"] == paid
        else:
            members = [x for x in lines_of(clean) if x.get("accounting_document_id") == document["id"]]
            sign = 1 if document["type"] == "MANUAL_CREDIT" else -1
            net = sign * sum(x["amount"] for x in members if not x["type"].endswith(("_VAT", "_TAX")))
            tax = sign * sum(x["amount"] for x in members if x["type"].endswith(("_VAT", "_TAX")))
        assert (document["total_amount_excl_taxes"], document["total_amount_incl_taxes"]) == (net, net + tax)
    assert kinds == {"AUTO_INVOICE", "MANUAL_CREDIT", "MANUAL_INVOICE"}


def test_states_follow_cycle_and_delivery(clean: World) -> None:
    orders = clean.mirakl["BRICO"].orders
    seen = set()
    for line in lines_of(clean):
        seen.add(line["payment_state"])
        assert (line["payment_state"] == "PAID") == ("seller_billing_cycle_id" in line)
        assert instant(line["last_updated"]) >= instant(line["date_created"])
        assert instant(line["last_updated"]) <= clean.as_of
        order = line["entities"].get("order")
        if line["payment_state"] == "PENDING":
            assert orders[order["id"]]["order_state"] in ("SHIPPING", "SHIPPED")
    assert seen == {"PENDING", "PAYABLE", "PAID"}


def test_lines_of_the_last_hour_of_april_belong_to_may_in_london(clean: World) -> None:
    turn = [
        line
        for line in lines_of(clean)
        if datetime(2026, 4, 30, 23, tzinfo=UTC) <= instant(line["date_created"]) < datetime(2026, 5, 1, tzinfo=UTC)
    ]
    assert turn
    assert {instant(x["date_created"]).astimezone(ZoneInfo("Europe/London")).date().month for x in turn} == {5}
    stamps = [line["date_created"] for line in lines_of(clean)]
    assert any("." in stamp for stamp in stamps)
    assert any("." not in stamp for stamp in stamps)


def test_every_urn_balances_and_every_leg_has_one_side(clean: World) -> None:
    totals: dict[int, Decimal] = defaultdict(Decimal)
    for leg in clean.sage.tables["nominal_transaction_enquiry_views"]:
        assert (leg["debit"] > 0) != (leg["credit"] > 0)
        totals[leg["urn"]] += leg["debit"] - leg["credit"]
    assert set(totals.values()) == {Decimal(0)}


def test_control_accounts_agree_with_their_sub_ledgers(clean: World) -> None:
    tables = clean.sage.tables
    ids = {row["reference"]: row["id"] for row in tables["nominal_codes"]}
    nominal: dict[int, Decimal] = defaultdict(Decimal)
    for leg in tables["nominal_transaction_enquiry_views"]:
        nominal[leg["nominal_code_id"]] += leg["debit"] - leg["credit"]
    assert nominal[ids["1100"]] == sum(row["base_gross_value"] for row in tables["sales_posted_transactions"])
    assert nominal[ids["1100"]] == sum(row["balance"] for row in tables["customers"])
    for bank in tables["banks"]:
        movements = [x["cheque_value"] for x in tables["bank_posted_transactions"] if x["bank_id"] == bank["id"]]
        assert nominal[ids[bank["bank_account_nominal_reference"]]] == sum(movements) == bank["balance"]


def test_receivable_of_every_settled_order_is_nil(clean: World) -> None:
    """What Sage invoiced and credited for an order is what the marketplace settled for it, to the penny."""
    side, tables = clean.mirakl["BRICO"], clean.sage.tables
    settled: dict[str, Decimal] = defaultdict(Decimal)
    open_orders = set()
    for line in side.transaction_lines:
        if line["type"].startswith(("ORDER_", "REFUND_ORDER_", "OPERATOR_REMITTED_")):
            order_id = line["entities"]["order"]["id"]
            settled[order_id] += line["amount"]
            if line["payment_state"] != "PAID":
                open_orders.add(order_id)
    order_of_document = {row["document_no"]: row["customer_document_no"] for row in tables["sop_orders"]}
    order_of_refund = {
        refund["id"]: order["order_id"]
        for order in side.orders.values()
        for line in order["order_lines"]
        for refund in line["refunds"]
    }
    booked: dict[str, Decimal] = defaultdict(Decimal)
    for row in tables["sales_posted_transactions"]:
        kind = row["trader_transaction_type"]
        if kind.endswith("Invoice"):
            booked[order_of_document[row["second_reference"]]] += row["base_gross_value"]
        elif kind.endswith("CreditNote"):
            booked[order_of_refund[row["second_reference"]]] += row["base_gross_value"]
    compared = [order_id for order_id in settled if order_id not in open_orders]
    assert len(compared) > 200
    for order_id in compared:
        assert booked[order_id] == settled[order_id], order_id


def test_earlier_journals_move_what_the_truth_says(clean: World) -> None:
    tables = clean.sage.tables
    account = {row["id"]: row["reference"] for row in tables["nominal_codes"]}
    roles = {
        "1260": "MARKETPLACE_CLEARING",
        "1100": "AR_MARKETPLACE",
        "2201": "INPUT_VAT",
        "6100": "COMMISSION_EXPENSE",
        "6120": "SUBSCRIPTION_EXPENSE",
        "6130": "PENALTY_EXPENSE",
        "6140": "MARKETPLACE_ADJUSTMENTS",
    }
    moved: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for leg in tables["nominal_transaction_enquiry_views"]:
        if leg["narrative"].startswith("UKTRADE|BRICO|SETTLEMENT|"):
            cycle_id = leg["narrative"].split("|")[3]
            moved[cycle_id][roles[account[leg["nominal_code_id"]]]] += leg["debit"] - leg["credit"]
    truth = {s["billing_cycle_id"]: s["roles"] for s in clean.truth["settlements"][:4]}
    assert {key: dict(value) for key, value in moved.items()} == truth
    assert len(clean.truth["preposted"]) == 8


def test_statement_balances_add_up_and_chain(clean: World) -> None:
    previous = None
    entries: dict[str, Decimal] = {}
    for file in clean.bank:
        if file.name.endswith(".xml"):
            root = ET.fromstring(file.content)  # noqa: S314 - made by the generator under test
            balances = {}
            for balance in root.iter(f"{CAMT}Bal"):
                amount = Decimal(balance.findtext(f"{CAMT}Amt") or "")
                sign = 1 if balance.findtext(f"{CAMT}CdtDbtInd") == "CRDT" else -1
                balances[balance.findtext(f"{CAMT}Tp/{CAMT}CdOrPrtry/{CAMT}Cd")] = sign * amount
            total = Decimal(0)
            for entry in root.iter(f"{CAMT}Ntry"):
                sign = 1 if entry.findtext(f"{CAMT}CdtDbtInd") == "CRDT" else -1
                amount = sign * Decimal(entry.findtext(f"{CAMT}Amt") or "")
                total += amount
                entries[entry.findtext(f"{CAMT}AcctSvcrRef") or ""] = amount
            assert balances["CLBD"] == balances["OPBD"] + total
            assert previous in (None, balances["OPBD"])
            previous = balances["CLBD"]
    newest = [file for file in clean.bank if file.account == "BARC_GBP"][-1]
    rows = list(csv.DictReader(io.StringIO(newest.content.decode())))
    overlap = [row for row in rows if row["Entry reference"] in entries]
    assert overlap
    for row in overlap:
        assert entries[row["Entry reference"]] == Decimal(row["Amount"])
    assert Decimal(overlap[-1]["Balance"]) == previous
    for before, after in pairwise(rows):
        assert Decimal(after["Balance"]) == Decimal(before["Balance"]) + Decimal(after["Amount"])


def test_offers_show_what_is_there_to_sell(clean: World) -> None:
    offers = {offer["shop_sku"]: offer for offer in clean.mirakl["BRICO"].offers}
    for row in clean.truth["stock"]:
        offer = offers[row["shop_sku"]]
        assert offer["quantity"] == row["expected_quantity"] >= 0
        assert offer["active"] == (offer["quantity"] > 0)
    holdings: dict[int, Decimal] = defaultdict(Decimal)
    for holding in clean.sage.tables["warehouse_holdings"]:
        assert holding["free_stock_available"] == holding["quantity_in_stock"] - holding["quantity_allocated"]
        holdings[holding["product_id"]] += holding["free_stock_available"]
    for product in clean.sage.tables["products"]:
        assert product["free_stock_quantity"] == holdings[product["id"]]


def test_refunds_never_exceed_the_sale_and_full_ones_reverse_its_vat(clean: World) -> None:
    full = 0
    for order in clean.mirakl["BRICO"].orders.values():
        for line in order["order_lines"]:
            if not line["refunds"]:
                continue
            goods = sum(refund["amount"] for refund in line["refunds"])
            assert goods <= line["price"]
            if line["order_line_state"] == "REFUNDED":
                full += 1
                assert goods == line["price"] - sum(c["amount"] for c in line["cancelations"])
                if line["category_code"] != "PAINT":
                    back = sum(refund["commission_total_amount"] for refund in line["refunds"])
                    assert back == line["total_commission"]
    assert full


def test_the_time_needs_a_time_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        build_world(as_of=datetime(2026, 7, 3, 8))  # noqa: DTZ001 - the missing zone is the point


def test_a_world_too_small_for_its_cases_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 250 orders"):
        build_world(orders=100)
