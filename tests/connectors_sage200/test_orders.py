"""Sales orders: created once by the marketplace's number, amended line by line, never half done without a word."""

from __future__ import annotations

import itertools
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from connectors.delivery import Action, Outcome
from tests.connectors_sage200.conftest import DAY, Site, action

_NUMBERS = itertools.count(1)
CARRIAGE = {"line_type": "CHARGE", "charge_code": "CARRIAGE", "unit_price": "4.16", "tax_code": "1"}


def items(site: Site) -> list[dict[str, Any]]:
    """Stock items that may be sold, with stock in the main warehouse."""
    main = site.one("warehouses", name="MAIN")["id"]
    stocked = {
        r["product_id"] for r in site.rows("warehouse_holdings", warehouse_id=main) if r["free_stock_available"] > 9
    }
    found = [row for row in site.rows("products", allow_sales_order=True) if row["id"] in stocked]
    codes = [row["code"] for row in found]
    return [row for row in found if codes.count(row["code"]) == 1]


def goods(code: str, quantity: str = "2", price: str = "16.66667", **more: Any) -> dict[str, Any]:
    return {"item_code": code, "quantity": quantity, "unit_price": price, "tax_code": "1", **more}


def order(lines: list[dict[str, Any]], number: str | None = None, **more: Any) -> Action:
    header = {
        "order_reference": number or f"MKP-{next(_NUMBERS):06d}-A",
        "order_date": DAY,
        "customer_reference": "MKBRICO",
        "location_name": "MAIN",
    }
    return action("SALES_ORDER", lines=lines, **header | more)


def held(site: Site, one: Action) -> dict[str, Any]:
    return site.one("sop_orders", customer_document_no=one.payload["order_reference"], is_draft=False)


def amended(one: Action, lines: list[dict[str, Any]], **more: Any) -> Action:
    return order(lines, one.payload["order_reference"], is_update=True, **more)


def test_an_order_is_created_with_number_address_and_exact_prices_and_proved(site: Site) -> None:
    first, second = items(site)[:2]
    address = {"addressee": "J. Doe " * 20, "street_1": "1 High Street " * 6, "city": "York", "postcode": "YO1 1AA, UK"}
    one = order(
        [
            goods(first["code"], analysis_codes={"1": "LINE-1", "2": "MKP"}),
            goods(second["code"], "1", "9.99"),
            CARRIAGE,
        ],
        requested_delivery_date="2026-06-13",
        shipping_address=address,
        analysis_codes={"1": "BRICO"},
    )
    assert site.look_up(one) is None
    (result,) = site.send(one)
    assert result.outcome is Outcome.SENT, result.detail
    row = held(site, one)
    assert result.vendor_ids == (str(row["id"]),)
    assert [line["line_type"].removeprefix("EnumLineType") for line in row["lines"]] == [
        "Standard",
        "Standard",
        "Charge",
    ]
    assert row["lines"][0]["selling_unit_price"] == Decimal("16.66667")
    assert row["lines"][0]["line_total_value"] == Decimal("33.33")
    assert (row["lines"][0]["analysis_code_1"], row["lines"][0]["analysis_code_2"]) == ("LINE-1", "MKP")
    assert (row["analysis_code_1"], row["document_status"]) == ("BRICO", "EnumDocumentStatusLive")
    assert row["delivery_address"]["address_2"].startswith("High Street")
    assert len(row["delivery_address"]["address_1"]) <= 60
    assert row["requested_delivery_date"] == "2026-06-13T00:00:00Z"
    assert row["total_gross_value"] == Decimal("56.98")
    assert site.proof(one).ok
    assert site.rows("sales_posted_transactions", reference=one.wire_key) == [], "an order has no ledger effect"
    other = one.payload["lines"][0] | {"analysis_codes": {"2": "OTHER"}}
    proof = site.proof(replace(one, payload={**one.payload, "lines": [other, *one.payload["lines"][1:]]}))
    assert not proof.ok
    assert "analysis_code_2 is MKP, wanted OTHER" in proof.detail


def test_an_order_that_exists_is_not_created_again(site: Site) -> None:
    one = order([goods(items(site)[0]["code"])])
    site.send(one)
    before = site.writes()
    (again,) = site.send(order(one.payload["lines"], one.payload["order_reference"]))
    assert again.outcome is Outcome.SENT
    assert "is there already" in again.detail
    assert site.writes() == before


def test_drafts_cancelled_orders_and_orders_of_other_customers_do_not_count(site: Site) -> None:
    one = order([goods(items(site)[0]["code"])])
    base = {
        "customer_document_no": one.payload["order_reference"],
        "document_no": "TBA",
        "lines": [],
        "total_gross_value": 0,
    }
    mine, other = (site.one("customers", reference=name)["id"] for name in ("MKBRICO", "BRICOLA"))
    table = site.store.company["sop_orders"]
    for changes in (
        {"customer_id": mine, "is_draft": True, "document_status": "EnumDocumentStatusDraft"},
        {"customer_id": mine, "is_draft": False, "document_status": "EnumDocumentStatusCancelled"},
        {"customer_id": other, "is_draft": False, "document_status": "EnumDocumentStatusLive"},
    ):
        table.append(base | changes)
    assert site.look_up(one) is None
    assert site.send(one)[0].outcome is Outcome.SENT
    assert site.proof(one).ok


def test_two_live_orders_under_one_number_are_reported_not_touched(site: Site) -> None:
    one = order([goods(items(site)[0]["code"])])
    site.send(one)
    site.store.company["sop_orders"].append(dict(held(site, one)) | {"document_no": "0000099999"})
    before = site.writes()
    (result,) = site.send(one)
    assert result.outcome is Outcome.FAILED
    assert "2 orders carry the number" in result.detail
    assert site.writes() == before


@pytest.mark.parametrize("disturbance", ["outcome_unknown", "fail_after"])
def test_an_order_whose_answer_was_lost_is_found_by_the_marketplaces_number(site: Site, disturbance: str) -> None:
    one = order([goods(items(site)[0]["code"])])
    site.disturb("sop_orders", kind=disturbance, method="POST", status=504)
    assert site.send(one)[0].outcome is Outcome.UNKNOWN
    found = site.look_up(one)
    assert found is not None
    assert found.complete
    assert len(site.rows("sop_orders", customer_document_no=one.payload["order_reference"])) == 1


def test_allocation_takes_stock_and_an_amendment_gives_it_back(site: Site) -> None:
    product = items(site)[2]
    place = {"product_id": product["id"], "warehouse_id": site.one("warehouses", name="MAIN")["id"]}
    free = site.one("warehouse_holdings", **place)["free_stock_available"]
    one = order([goods(product["code"], "3")])
    site.send(one)
    assert site.one("warehouse_holdings", **place)["free_stock_available"] == free - 3
    assert site.send(amended(one, [goods(product["code"], "1")]))[0].outcome is Outcome.SENT
    assert site.one("warehouse_holdings", **place)["free_stock_available"] == free - 1


@pytest.mark.parametrize(
    ("lines", "more", "words"),
    [
        ([goods("NO-SUCH-ITEM")], {}, "lines[0].item_code: Sage has no stock item 'NO-SUCH-ITEM'"),
        ([goods("DISCONTINUED")], {}, "is discontinued in Sage"),
        ([goods("TWICE")], {}, "lines[0].item_code: Sage has more than one stock item 'TWICE'"),
        ([goods("GOOD", location_name="MOON")], {}, "lines[0].location_name: Sage has no warehouse 'MOON'"),
        ([goods("GOOD")], {"location_name": None}, "lines[0].location_name is missing"),
        ([goods("GOOD", tax_code="77")], {}, "lines[0].tax_code: Sage has no tax code 77"),
        ([goods("GOOD", account_code="6999")], {}, "lines[0].account_code: Sage has no nominal account 6999"),
        ([goods("GOOD", "0")], {}, "lines[0].quantity is not positive"),
        ([goods("GOOD", price="1.123456")], {}, "lines[0].unit_price has more than 5 decimals"),
        ([{"line_type": "COMMENT"}], {}, "lines[0].narrative is missing"),
        ([{"line_type": "GIFT"}], {}, "$.lines[0].line_type"),
        ([], {}, "an order without lines stays a draft"),
        ([goods("GOOD")], {"currency_code": None}, "$.currency_code"),
        ([goods("GOOD")], {"currency_code": "EUR"}, "currency_code: the document is in EUR, customer MKBRICO"),
        ([goods("GOOD")], {"number": "X" * 31}, "order_reference has 31 characters"),
        ([goods("GOOD")], {"analysis_codes": {"21": "x"}}, "'21' is no analysis code"),
    ],
)
def test_an_order_that_cannot_be_written_is_refused_by_name_and_field(
    site: Site, lines: list[dict[str, Any]], more: dict[str, Any], words: str
) -> None:
    sellable = items(site)
    codes = {
        "GOOD": sellable[0]["code"],
        "DISCONTINUED": site.rows("products", allow_sales_order=False)[0]["code"],
        "TWICE": sellable[-1]["code"],
    }
    lines = [
        line | {"item_code": codes.get(line["item_code"], line["item_code"])} if "item_code" in line else line
        for line in lines
    ]
    before = site.writes()
    twin = None
    if "'TWICE'" in words:
        twin = site.store.company["products"].append(dict(sellable[-1]))
        words = words.replace("TWICE", codes["TWICE"])
    try:
        one = order(lines, **more)
        (result,) = site.send(one)
    finally:
        if twin is not None:
            site.store.company["products"].remove(twin["id"])
    assert (result.outcome, result.retryable) == (Outcome.FAILED, False)
    assert result.detail.startswith(f"SALES_ORDER {one.payload['order_reference']}: ")
    assert words in result.detail
    assert site.writes() == before


# --- amending


def test_an_existing_order_that_differs_fails_unless_the_action_is_an_update(site: Site) -> None:
    code = items(site)[0]["code"]
    one = order([goods(code, "2")])
    site.send(one)
    changed = order([goods(code, "3")], one.payload["order_reference"])
    found = site.look_up(changed)
    assert found is not None
    assert not found.complete
    before = site.writes()
    (result,) = site.send(changed)
    assert result.outcome is Outcome.FAILED
    assert "quantity is 2.00000, wanted 3" in result.detail
    assert site.writes() == before


def test_an_amendment_changes_adds_and_removes_lines_and_frees_its_lock(site: Site) -> None:
    first, second, third = (row["code"] for row in items(site)[:3])
    settings = site.one("sop_settings")
    settings["record_cancelled_order_lines"] = True
    one = order([goods(first, "2"), goods(second, "1"), CARRIAGE])
    site.send(one)
    order_id, line_id = held(site, one)["id"], held(site, one)["lines"][0]["id"]
    change = amended(one, [goods(first, "1"), goods(third, "4"), CARRIAGE])
    (result,) = site.send(change)
    settings["record_cancelled_order_lines"] = False
    assert result.outcome is Outcome.SENT, result.detail
    row = held(site, one)
    assert sorted((line["code"], line["line_quantity"]) for line in row["lines"]) == sorted(
        [(first, Decimal(1)), (third, Decimal(4)), ("CARRIAGE", Decimal(1))]
    )
    assert next(line for line in row["lines"] if line["code"] == first)["id"] == line_id, "changed, not replaced"
    assert [line["item_code"] for line in site.rows("sop_cancelled_lines", sop_order_return_id=order_id)] == [second]
    assert not site.store.sage_writes.orders.holds_lock(order_id)
    assert site.proof(change).ok


def test_a_half_updated_order_is_reported_as_such_and_finished_later(site: Site) -> None:
    """The PUT is not atomic: the lines before the one that is refused stay changed."""
    first, second, third = items(site)[3:6]
    table = site.store.company["warehouses"]
    spare = table.append(dict(site.one("warehouses", name="MAIN")) | {"name": "POP-UP"})

    def lines(quantity: str) -> list[dict[str, Any]]:
        there = goods(second["code"], quantity, location_name="POP-UP")
        return [goods(first["code"], quantity), there, goods(third["code"], quantity)]

    one = order(lines("2"))
    site.send(one)
    row = held(site, one)
    change = amended(one, lines("1"))
    # The second line's warehouse is closed for good after its id was looked up.
    table.remove(spare["id"])
    (result,) = site.send(change)
    assert (result.outcome, result.retryable) == (Outcome.FAILED, False)
    assert "HALF UPDATED" in result.detail
    assert "The warehouse with id" in result.detail
    changed, unchanged = result.detail.split("Not changed: ")
    assert first["code"] in changed
    assert second["code"] in unchanged
    assert third["code"] in unchanged
    assert [line["line_quantity"] for line in held(site, one)["lines"]] == [1, 2, 2]
    assert not site.store.sage_writes.orders.holds_lock(row["id"])
    found = site.look_up(change)
    assert found is not None
    assert not found.complete
    table.rows.append(spare)
    table.by_key[spare["id"]] = spare
    assert site.send(change)[0].outcome is Outcome.SENT
    assert [line["line_quantity"] for line in held(site, one)["lines"]] == [1, 1, 1]
    table.remove(spare["id"])
    site.look_again()


def test_a_locked_order_waits_and_nothing_is_changed(site: Site) -> None:
    code = items(site)[0]["code"]
    one = order([goods(code, "2")])
    site.send(one)
    change = amended(one, [goods(code, "1")])
    site.switch(locked_orders={str(held(site, one)["id"]): "J.SMITH"})
    (result,) = site.send(change)
    assert (result.outcome, result.retryable) == (Outcome.FAILED, True)
    assert "locked by user J.SMITH" in result.detail
    assert held(site, one)["lines"][0]["line_quantity"] == 2
    site.switch(locked_orders={})
    assert site.send(change)[0].outcome is Outcome.SENT


def test_a_line_that_left_the_house_is_not_changed(site: Site) -> None:
    code = items(site)[0]["code"]
    one = order([goods(code, "2")])
    site.send(one)
    row = held(site, one)
    row["lines"][0]["despatch_receipt_quantity"] = Decimal("2.00000")
    site.store.company["sop_orders"].touch(row)
    before = site.writes()
    (result,) = site.send(amended(one, [goods(code, "1")]))
    assert result.outcome is Outcome.FAILED
    assert "is despatched already" in result.detail
    assert site.writes() == before + 1, "nothing but the lock was given back"
    assert not site.store.sage_writes.orders.holds_lock(row["id"])


def test_a_complete_order_is_not_amended(site: Site) -> None:
    code = items(site)[0]["code"]
    one = order([goods(code, "2")])
    site.send(one)
    row = held(site, one)
    row["document_status"] = "EnumDocumentStatusComplete"
    site.store.company["sop_orders"].touch(row)
    (result,) = site.send(amended(one, [goods(code, "1")]))
    assert result.outcome is Outcome.FAILED
    assert "is complete and cannot be amended" in result.detail


@pytest.mark.parametrize("disturbance", ["outcome_unknown", "fail_after"])
def test_an_amendment_whose_answer_was_lost_is_looked_up(site: Site, disturbance: str) -> None:
    code = items(site)[0]["code"]
    one = order([goods(code, "2")])
    site.send(one)
    change = amended(one, [goods(code, "1"), CARRIAGE])
    site.disturb("sop_orders", kind=disturbance, method="PUT", status=504)
    assert site.send(change)[0].outcome is Outcome.UNKNOWN
    found = site.look_up(change)
    assert found is not None
    assert found.complete
    assert len(held(site, one)["lines"]) == 2, "an added line exists once"


# --- settings that change the meaning of an order


def test_where_sage_does_not_number_orders_the_wire_key_is_the_number(site: Site) -> None:
    settings = site.one("sop_settings")
    settings["auto_generate_order_return_numbers"] = False
    site.store.company["sop_settings"].touch(settings)
    site.look_again()
    try:
        one = order([goods(items(site)[0]["code"])])
        assert site.send(one)[0].outcome is Outcome.SENT
        assert held(site, one)["document_no"] == one.wire_key
    finally:
        settings["auto_generate_order_return_numbers"] = True
        site.store.company["sop_settings"].touch(settings)
        site.look_again()


def test_where_prices_include_tax_they_are_sent_with_it(site: Site) -> None:
    settings = site.one("sop_settings")
    settings["are_prices_tax_inclusive"] = True
    site.store.company["sop_settings"].touch(settings)
    site.look_again()
    try:
        one = order([goods(items(site)[0]["code"], "1", "10.00")])
        assert site.send(one)[0].outcome is Outcome.SENT
        row = held(site, one)
        assert row["lines"][0]["selling_unit_price"] == Decimal("12.00000")
        assert (row["total_net_value"], row["total_tax_value"]) == (Decimal("10.00"), Decimal("2.00"))
        assert site.proof(one).ok
    finally:
        settings["are_prices_tax_inclusive"] = False
        site.store.company["sop_settings"].touch(settings)
        site.look_again()


def test_what_a_setting_would_make_sage_ignore_is_refused(site: Site) -> None:
    settings = site.one("sop_settings")
    settings["amend_nominal_codes"] = False
    site.store.company["sop_settings"].touch(settings)
    site.look_again()
    try:
        (result,) = site.send(order([goods(items(site)[0]["code"], account_code="4910")]))
    finally:
        settings["amend_nominal_codes"] = True
        site.store.company["sop_settings"].touch(settings)
        site.look_again()
    assert "lines[0].account_code: Sage would ignore it (sop_settings.amend_nominal_codes is off)" in result.detail


def test_a_user_who_may_not_set_prices_sends_no_order(site: Site) -> None:
    permissions = site.one("current_user_sop_user_permissions")
    table = site.store.company["current_user_sop_user_permissions"]
    permissions["override_prices_discounts"] = False
    table.touch(permissions)
    site.look_again()
    one = order([goods(items(site)[0]["code"])])
    (result,) = site.send(one)
    assert (result.outcome, result.retryable) == (Outcome.FAILED, True)
    assert "override_prices_discounts" in result.detail
    permissions["override_prices_discounts"] = True
    table.touch(permissions)
    assert site.send(one)[0].outcome is Outcome.SENT


def test_the_items_of_a_batch_are_looked_up_in_few_calls(site: Site) -> None:
    site.look_again()
    codes = [row["code"] for row in items(site)[:20]]
    reads = []
    original = site.connector.client.read

    def read(call: Any, *arguments: Any, **more: Any) -> Any:
        reads.append(call.name)
        return original(call, *arguments, **more)

    site.connector.client.read = read  # type: ignore[method-assign]
    try:
        results = site.send(*(order([goods(code, "1")]) for code in codes))
    finally:
        site.connector.client.read = original  # type: ignore[method-assign]
    assert [result.outcome for result in results] == [Outcome.SENT] * len(codes)
    assert reads.count("products") == -(-len(set(codes)) // 20)


def test_a_batch_of_orders_is_written_once_each(site: Site) -> None:
    code = items(site)[0]["code"]
    batch = [order([goods(code, "1")]) for _ in range(10)]
    double = order([goods(code, "1")], batch[0].payload["order_reference"])
    results = site.send(*batch, double)
    assert [result.outcome for result in results[:-1]] == [Outcome.SENT] * 10
    assert results[-1].outcome is Outcome.FAILED
    assert all(site.proof(one).ok for one in batch)
