"""PLAZA, seen by its operator: every identity per seller, and a truth that somebody else can derive."""

from collections import Counter, defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from sandbox.world import MiraklWorld, World, build_world, configuration_rows
from sandbox.world.plaza.faults import FAULTS
from tests.sandbox_world.plain_operator import findings

BOTH = ("BRICO", "PLAZA")
NATURAL = {"PAY-004", "PAY-005", "PAY-006"}


def of_plaza(world: World, part: str = "exceptions") -> list[dict[str, Any]]:
    return [record for record in world.truth[part] if record["marketplace_code"] == "PLAZA"]


def subjects(world: World) -> set[tuple[str, str, str]]:
    return {(e["exception_code"], e["subject_type"], e["subject_id"]) for e in of_plaza(world)}


@pytest.fixture(params=[7, 11, 2026], ids="seed{}".format)
def world(request: pytest.FixtureRequest, world_of: Callable[..., World]) -> World:
    return world_of(request.param, marketplaces=BOTH)


@pytest.fixture
def plaza(world: World) -> MiraklWorld:
    return world.mirakl["PLAZA"]


# --- what it is


def test_hundreds_of_sellers_have_nine_cycles_each(world: World, plaza: MiraklWorld) -> None:
    assert plaza.perspective == "OPERATOR"
    assert len(plaza.shops) == len({shop["shop_id"] for shop in plaza.shops}) == 200
    assert len(plaza.orders) >= 595
    assert Counter(Counter(cycle["shop"]["shop_id"] for cycle in plaza.cycles).values()) == {9: 200}
    assert Counter(Counter(row["shop_id"] for row in of_plaza(world, "seller_balances")).values()) == {9: 200}
    assert {shop["model"] for shop in plaza.shops} == {"MARKETPLACE", "DROPSHIP", "ONE_CREDITOR"}


def test_all_five_payment_workflows_are_there_and_debit_when_they_say(plaza: MiraklWorld) -> None:
    seen = set()
    for order in plaza.orders.values():
        if order["order_state"] not in ("RECEIVED", "CLOSED"):
            continue
        workflow, debited = order["payment_workflow"], order["customer_debited_date"]
        seen.add(workflow)
        shipped = min((line["shipped_date"] for line in order["order_lines"] if line["shipped_date"]), default=None)
        received = max((line["received_date"] for line in order["order_lines"] if line["received_date"]), default=None)
        if shipped is None or received is None:
            continue
        if workflow == "NO_CUSTOMER_PAYMENT_CONFIRMATION":
            assert debited is None
        elif workflow == "PAY_ON_ACCEPTANCE":
            assert order["acceptance_decision_date"] < debited < shipped
        elif workflow == "PAY_ON_DELIVERY":
            assert debited >= received
        elif workflow == "PAY_ON_DUE_DATE":
            assert order["payment_duration"] == 7
            assert order["acceptance_decision_date"] < debited < received
        else:
            assert any(line["shipped_date"] for line in order["order_lines"])
            assert debited < received
    assert len(seen) == 5


def test_every_record_says_whose_it_is(plaza: MiraklWorld) -> None:
    shops = {shop["shop_id"] for shop in plaza.shops}
    shop_of = {order_id: order["shop_id"] for order_id, order in plaza.orders.items()}
    assert set(shop_of.values()) <= shops
    assert {line["shop"]["id"] for line in plaza.transaction_lines} <= shops
    assert {document["shop_id"] for document in plaza.invoices} <= shops
    assert {offer["shop_id"] for offer in plaza.offers} == shops
    # Shop SKUs and offers belong to one seller each: whoever keys by one of them alone loses nothing.
    assert len({offer["shop_sku"] for offer in plaza.offers}) == len(plaza.offers)
    assert len({offer["offer_id"] for offer in plaza.offers}) == len(plaza.offers)
    sku_of = {offer["offer_id"]: (offer["shop_sku"], offer["shop_id"]) for offer in plaza.offers}
    for order in plaza.orders.values():
        for line in order["order_lines"]:
            assert sku_of[line["offer_id"]] == (line["offer_sku"], order["shop_id"])


def test_ids_are_unique_over_all_sellers(plaza: MiraklWorld) -> None:
    for ids in (
        [line["id"] for line in plaza.transaction_lines],
        [cycle["id"] for cycle in plaza.cycles],
        [cycle["payment_voucher_number"] for cycle in plaza.cycles],
        [document["id"] for document in plaza.invoices],
        [document["invoice_id"] for document in plaza.invoices],
        [shipment["id"] for shipment in plaza.shipments],
        [refund["id"] for o in plaza.orders.values() for line in o["order_lines"] for refund in line["refunds"]],
    ):
        assert len(ids) == len(set(ids)) > 0


def test_parcels_carry_what_was_sold(world: World, plaza: MiraklWorld) -> None:
    lacking = {e["subject_id"] for e in of_plaza(world) if e["exception_code"] == "DSP-005"}
    assert lacking
    sent: dict[str, int] = defaultdict(int)
    for shipment in plaza.shipments:
        for line in shipment["shipment_lines"]:
            sent[line["order_line_id"]] += line["quantity"]
    split = 0
    for order in plaza.orders.values():
        for line in order["order_lines"]:
            gone = sum(cancelation["quantity"] for cancelation in line["cancelations"])
            if line["shipped_date"]:
                lacks = line["order_line_id"] in lacking
                assert sent[line["order_line_id"]] == line["quantity"] - gone - lacks
    split = sum(1 for parcels in Counter(x["order_id"] for x in plaza.shipments).values() if parcels > 1)
    assert split >= 10
    assert {row["order_id"] for row in plaza.items_to_ship} == {
        order_id for order_id, order in plaza.orders.items() if order["order_state"] == "SHIPPING"
    }
    assert plaza.items_to_ship


def test_what_the_payment_system_has_to_confirm_is_what_the_customer_owes(plaza: MiraklWorld) -> None:
    waiting = {k: o for k, o in plaza.orders.items() if o["order_state"] == "WAITING_DEBIT_PAYMENT"}
    assert {row["order_id"] for row in plaza.payment_debits} == set(waiting) != set()
    for row in plaza.payment_debits:
        order = waiting[row["order_id"]]
        taxes = sum(tax["amount"] for line in order["order_lines"] for tax in (*line["taxes"], *line["shipping_taxes"]))
        funded = sum(
            part["amount"]
            for line in order["order_lines"]
            for part in line.get("price_amount_breakdown", {}).get("parts", [])
            if not part["debitable_from_customer"]
        )
        assert funded > 0
        assert row["amount"] == order["total_price"] + taxes - funded
        assert row["amount"] == sum(line["order_line_amount"] for line in row["order_lines"]["order_line"])
    unpaid = {
        refund["id"]: refund["amount"] + refund["shipping_amount"] + sum(tax["amount"] for tax in refund["taxes"])
        for order in plaza.orders.values()
        for line in order["order_lines"]
        for refund in line["refunds"]
        if refund["refund_state"] == "WAITING_REFUND_PAYMENT"
    }
    rows = [
        refund
        for row in plaza.payment_refunds
        for line in row["order_lines"]["order_line"]
        for refund in line["refunds"]["refund"]
    ]
    assert {refund["id"]: refund["amount"] for refund in rows} == unpaid != {}


def test_papers_belong_to_orders_that_exist(world: World) -> None:
    for side in world.mirakl.values():
        for rows in (side.returns, side.order_documents):
            assert rows
            assert {row["order_id"] for row in rows} <= side.orders.keys()
        planted = {row["subject_id"] for part in ("exceptions", "near_misses") for row in world.truth[part]}
        threads = [thread for thread in side.threads if thread["id"] not in planted]
        assert {thread["entities"][0]["id"] for thread in threads} <= side.orders.keys()
        assert {request["id"] for request in side.document_requests} == side.document_request_lines.keys() != set()
        for request in side.document_requests:
            lines = side.document_request_lines[request["id"]]
            gross = sum(line["total_price_including_taxes"] for line in lines)
            assert request["total_amount_including_taxes"] == gross
            assert request["total_amount_excluding_taxes"] + request["total_tax_amount"] == gross
        codes = {reason["code"] for reason in side.reasons}
        used = {
            part["reason_code"]
            for order in side.orders.values()
            for line in order["order_lines"]
            for part in (*line["refunds"], *line["cancelations"])
        }
        assert used <= codes
        assert {document["id"] for document in side.invoices} == side.invoice_files.keys()


# --- what it adds up to


def test_every_seller_ties_out(world: World, plaza: MiraklWorld) -> None:
    """Opening, lines, named break, pay-out and closing of every cycle, and the chain between cycles."""
    net: dict[str, Decimal] = defaultdict(Decimal)
    for line in [*plaza.transaction_lines, *plaza.hidden_transaction_lines]:
        is_counted = line["payment_state"] == "PAID" and line["currency_iso_code"] == "GBP"
        if is_counted and line["type"] != "PAYMENT" and "seller_billing_cycle_id" in line:
            net[line["seller_billing_cycle_id"]] += line["amount"]
    paid = {cycle["id"]: cycle["amount_transferred_to_seller"] for cycle in plaza.cycles}
    closing: dict[str, Decimal] = defaultdict(Decimal)
    for row in of_plaza(world, "seller_balances"):
        cycle_id, shop_id = row["billing_cycle_id"], row["shop_id"]
        assert row["opening"] == closing[shop_id]
        assert row["net"] == net[cycle_id]
        assert row["payout"] == paid[cycle_id] >= 0
        assert row["closing"] == row["opening"] + row["net"] + row["break"] - row["payout"]
        closing[shop_id] = row["closing"]


def test_balances_of_the_shops_are_their_lines(world: World, plaza: MiraklWorld) -> None:
    balance: dict[int, Decimal] = defaultdict(Decimal)
    pending: dict[int, Decimal] = defaultdict(Decimal)
    paid: dict[int, Decimal] = defaultdict(Decimal)
    reserve: dict[int, Decimal] = defaultdict(Decimal)
    for line in [*plaza.transaction_lines, *plaza.hidden_transaction_lines]:
        shop_id = line["shop"]["id"]
        if line["payment_state"] == "NOT_APPLICABLE" or line["currency_iso_code"] != "GBP":
            continue
        balance[shop_id] += line["amount"]
        pending[shop_id] += line["amount"] if line["payment_state"] == "PENDING" else 0
        paid[shop_id] -= line["amount"] if line["type"] == "PAYMENT" else 0
        reserve[shop_id] -= line["amount"] if line["type"].startswith("RESERVE_") else 0
    rows = {row["shop_id"]: row for row in of_plaza(world, "sellers")}
    for exception in of_plaza(world):
        if exception["exception_code"] == "CLR-005":
            # Stated, and in no line.
            balance[int(exception["subject_id"])] += exception["amount"]
    for shop in plaza.shops:
        shop_id, details = shop["shop_id"], shop["payment_details"]
        assert details["pending_balance"] == pending[shop_id]
        assert details["payable_balance"] == balance[shop_id] - pending[shop_id]
        assert details["paid_balance"] == paid[shop_id]
        assert details["reserve_balance"] == reserve[shop_id]
        assert rows[str(shop_id)]["payable"] == details["payable_balance"]
    assert any(reserve.values())


def test_collected_taxes_pass_through_to_nil_for_sellers_abroad(plaza: MiraklWorld) -> None:
    country = {shop["shop_id"]: shop["shipping_country"] for shop in plaza.shops}
    taxes: dict[int, Decimal] = defaultdict(Decimal)
    remitted = kept = 0
    for line in plaza.transaction_lines:
        if "ORDER_" in line["type"] and line["type"].endswith("AMOUNT_TAX"):
            taxes[line["shop"]["id"]] += line["amount"]
            remitted += line["type"].startswith("OPERATOR_REMITTED_")
        assert country[line["shop"]["id"]] == "GBR" or not line["type"].endswith("_VAT")
    for shop_id, amount in taxes.items():
        if country[shop_id] != "GBR":
            assert amount == 0
        else:
            kept += 1
    assert remitted > 50
    assert kept > 2


# --- the truth


def test_a_second_opinion_finds_exactly_the_truth(world: World) -> None:
    assert findings(world) == subjects(world)


@pytest.mark.parametrize("seed", [7, 11])
def test_a_second_opinion_finds_only_the_natural_without_faults(world_of: Callable[..., World], seed: int) -> None:
    world = world_of(seed, faults=False, marketplaces=BOTH)
    assert findings(world) == subjects(world)
    assert {e["exception_code"] for e in of_plaza(world)} == NATURAL
    assert not world.mirakl["PLAZA"].hidden_transaction_lines


def test_a_second_opinion_agrees_on_a_larger_world() -> None:
    world = build_world(seed=7, orders=2_500, marketplaces=BOTH)
    assert findings(world) == subjects(world)
    assert Counter(e["exception_code"] for e in of_plaza(world))["SET-004"] == 3


@pytest.mark.parametrize("seed", range(30, 36))
def test_any_seed_holds_every_fault(seed: int) -> None:
    world = build_world(seed=seed, orders=300, marketplaces=BOTH)
    assert findings(world) == subjects(world)
    assert {e["fault"] for e in of_plaza(world)} == {fault.name for fault in FAULTS} | {"NATURAL"}


def test_every_fault_has_a_near_miss_and_no_subject_is_both(world: World) -> None:
    planted = {e["fault"]: e["exception_code"] for e in of_plaza(world) if e["fault"] != "NATURAL"}
    assert planted == {fault.name: fault.code for fault in FAULTS}
    wrong = [(e["exception_code"], e["subject_id"]) for e in of_plaza(world)]
    right = [(n["not_code"], n["subject_id"]) for n in of_plaza(world, "near_misses")]
    assert len(wrong) == len(set(wrong))
    assert len(right) == len(set(right))
    assert not set(wrong) & set(right)
    assert {code for code, _ in wrong} - {"PAY-005", "PAY-006"} <= {code for code, _ in right}


def test_the_second_marketplace_moves_nothing_at_the_first(world_of: Callable[..., World]) -> None:
    alone, both = world_of(7, marketplaces=("BRICO",)), world_of(7, marketplaces=BOTH)
    assert both.mirakl["BRICO"] == alone.mirakl["BRICO"]
    assert both.sage == alone.sage
    assert both.bank_world == alone.bank_world
    for part in ("exceptions", "near_misses"):
        assert [r for r in both.truth[part] if r["marketplace_code"] in ("BRICO", "*")] == alone.truth[part]
    for part in ("settlements", "receipts", "stock", "preposted"):
        assert both.truth[part] == alone.truth[part]


def test_the_same_arguments_make_the_same_marketplace(world_of: Callable[..., World]) -> None:
    again = build_world(seed=7, orders=400, marketplaces=BOTH)
    assert again.mirakl["PLAZA"] == world_of(7, marketplaces=BOTH).mirakl["PLAZA"]
    assert again.truth == world_of(7, marketplaces=BOTH).truth


def test_unknown_marketplaces_are_refused() -> None:
    with pytest.raises(ValueError, match="BRICO and, beside it, HOMELY and PLAZA"):
        build_world(orders=300, marketplaces=("PLAZA",))


def test_configuration_is_what_the_seeds_say(seed_rows: Callable[[str], list[dict[str, str]]]) -> None:
    """The world keeps to the project's own configuration; whoever changes one side sees the other."""
    for name, rows in configuration_rows().items():
        known = [{key: row[key] for key in rows[0]} for row in seed_rows(name)]
        for row in rows:
            assert row in known
