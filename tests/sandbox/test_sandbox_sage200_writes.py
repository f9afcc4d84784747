"""Sage 200's writes beside postings: orders, accounts, allocations, dates; refusals, and what a restart keeps."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import Served, serve

from sandbox import jsonio
from sandbox.store import Store
from sandbox.world import DEFAULT_AS_OF, World

JSON = {"Content-Type": "application/json"}
DAY = "2026-06-11T00:00:00Z"


class Desk:
    """Sends exact JSON and reads it back."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.client = served.sage()
        company = served.store.company
        self.customer = company["customers"].find("reference", "MKBRICO")["id"]
        self.main = company["warehouses"].find("name", "MAIN")["id"]
        self.tax = company["tax_codes"].find("code", 1)["id"]
        held = {
            row["product_id"]: row for row in company["warehouse_holdings"].rows if row["warehouse_id"] == self.main
        }
        sellable = [row for row in company["products"].rows if row["allow_sales_order"] and row["id"] in held]
        self.products = [row["id"] for row in sellable if held[row["id"]]["free_stock_available"] > 5]
        self.withdrawn = next(row["id"] for row in company["products"].rows if not row["allow_sales_order"])

    def call(self, method: str, path: str, body: Any) -> httpx.Response:
        return self.client.request(method, path, content=jsonio.encode(body), headers=JSON)

    def done(self, method: str, path: str, body: Any) -> Any:
        answer = self.call(method, path, body)
        assert answer.status_code == 200, answer.text
        return jsonio.decode(answer.content)

    def refused(self, method: str, path: str, body: Any) -> str:
        answer = self.call(method, path, body)
        assert answer.status_code == 400, answer.text
        return answer.text

    def get(self, path: str, **options: str) -> Any:
        return jsonio.decode(self.client.get(path, params=options).raise_for_status().content)

    def switch(self, **values: Any) -> None:
        self.served.control().post("sage200", json=values).raise_for_status()

    def line(self, position: int = 0, quantity: int = 2, **changes: Any) -> dict[str, Any]:
        return {
            "line_type": "EnumLineTypeStandard",
            "product_id": self.products[position],
            "warehouse_id": self.main,
            "line_quantity": quantity,
            "selling_unit_price": Decimal("10.00"),
            "tax_code_id": self.tax,
        } | changes

    def order(self, *lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
        return {"customer_id": self.customer, "document_date": DAY, "lines": list(lines)} | changes


@pytest.fixture(scope="module")
def written(world: World) -> Iterator[Served]:
    """A sandbox that all tests of this file write to, each under names of its own."""
    yield from serve(world)


@pytest.fixture
def desk(written: Served) -> Iterator[Desk]:
    yield (desk := Desk(written))
    desk.switch(closed_periods=[], closed_period="Unacceptable", locked_orders={}, concurrent_writes=None)


def test_an_order_is_answered_whole_and_seen_by_every_reader(desk: Desk) -> None:
    made = desk.done("POST", "sop_orders", desk.order(desk.line(), customer_document_no="MK-1"))
    assert (made["is_draft"], made["document_status"]) == (False, "EnumDocumentStatusLive")
    assert made["customer"]["reference"] == "MKBRICO"
    assert [line["line_total_value"] for line in made["lines"]] == [Decimal("20.00")]
    assert (made["total_tax_value"], made["total_gross_value"]) == (Decimal("4.00"), Decimal("24.00"))
    found = desk.get("sop_orders", **{"$filter": "customer_document_no eq 'MK-1'", "$expand": "lines"})
    assert [row["id"] for row in found] == [made["id"]]
    assert [line["id"] for line in found[0]["lines"]] == [made["lines"][0]["id"]]


def test_a_sent_number_is_ignored_unless_the_site_numbers_nothing(desk: Desk) -> None:
    assert desk.done("POST", "sop_orders", desk.order(desk.line(), document_no="MINE"))["document_no"] != "MINE"
    desk.served.store.company["sop_settings"].rows[0]["auto_generate_order_return_numbers"] = False
    assert "document_no" in desk.refused("POST", "sop_orders", desk.order(desk.line()))
    assert desk.done("POST", "sop_orders", desk.order(desk.line(), document_no="MINE"))["document_no"] == "MINE"
    assert "already exists" in desk.refused("POST", "sop_orders", desk.order(desk.line(), document_no="MINE"))
    desk.served.store.company["sop_settings"].rows[0]["auto_generate_order_return_numbers"] = True


def test_an_order_that_is_edited_or_empty_stays_a_draft_without_stamps(desk: Desk) -> None:
    for body in (desk.order(desk.line(), is_editing=True), desk.order()):
        draft = desk.done("POST", "sop_orders", body)
        assert (draft["document_no"], draft["is_draft"]) == ("TBA", True)
        assert not [name for name in draft if name.startswith("date_time")]
    confirmed = desk.done("PUT", f"sop_orders/{draft['id']}", {"is_editing": False, "lines": [desk.line()]})
    assert (confirmed["is_draft"], confirmed["document_no"] != "TBA") == (False, True)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"customer_id": 1}, "customer with id 1"),
        ({"customer_id": None}, "customer_id"),
        ({"line": {"product_id": 1}}, "stock item with id 1"),
        ({"line": {"warehouse_id": None}}, "warehouse"),
        ({"line": {"line_quantity": 0}}, "line_quantity"),
        ({"line": {"line_quantity": None}}, "line_quantity"),
        ({"line": {"tax_code_id": 1}}, "tax code with id 1"),
        ({"line": {"nominal_reference": "0001"}}, "0001"),
        ({"line": {"line_type": "EnumLineTypeGift"}}, "line_type"),
        ({"line": {"line_type": "EnumLineTypeCharge", "code": "NONE"}}, "charge NONE"),
        ({"line": {"line_type": "EnumLineTypeComment", "description": None}}, "description"),
        ({"customer_document_no": "X" * 31}, "maximum length of 30"),
        ({"document_date": "2026-06-11"}, "document_date"),
        ({"delivery_address": {"postcode": "X" * 11}}, "delivery_address.postcode"),
        ({"delivery_address": "1 High Street"}, "delivery_address"),
    ],
)
def test_a_bad_order_is_refused_and_nothing_is_written(desk: Desk, changes: dict[str, Any], word: str) -> None:
    line = desk.line(**changes.pop("line", {}))
    body = desk.order({k: v for k, v in line.items() if v is not None}, **changes)
    before = desk.get("sop_orders", **{"$count": "true"})
    assert word in desk.refused("POST", "sop_orders", {k: v for k, v in body.items() if v is not None})
    assert desk.get("sop_orders", **{"$count": "true"}) == before


def test_an_item_that_may_not_be_sold_is_refused(desk: Desk) -> None:
    text = desk.refused("POST", "sop_orders", desk.order(desk.line(product_id=desk.withdrawn)))
    assert "not allowed on sales orders" in text


def test_a_put_stops_at_the_first_bad_line_and_keeps_what_it_did(desk: Desk) -> None:
    made = desk.done("POST", "sop_orders", desk.order(desk.line(0), desk.line(1), desk.line(2)))
    ids = [line["id"] for line in made["lines"]]
    lines = [
        {"id": ids[0], "line_quantity": 1},
        {"id": ids[1], "line_quantity": -1},
        {"id": ids[2], "line_quantity": 1},
    ]
    assert "lines[1].line_quantity" in desk.refused("PUT", f"sop_orders/{made['id']}", {"lines": lines})
    now = desk.get(f"sop_orders/{made['id']}", **{"$expand": "lines"})
    assert [line["line_quantity"] for line in now["lines"]] == [1, 2, 2]
    assert now["total_net_value"] == Decimal("50.00")


def test_a_lock_is_one_persons(desk: Desk) -> None:
    made = desk.done("POST", "sop_orders", desk.order(desk.line()))
    path = f"sop_orders/{made['id']}"
    lock_id = desk.get(path, **{"$expand": "lines,is_to_lock"})["lock_id"]
    assert "is not held" in desk.refused("PUT", path, {"lock_id": lock_id + 1, "lines": []})
    desk.switch(locked_orders={str(made["id"]): "J.SMITH"})
    assert "locked by user J.SMITH" in desk.refused("PUT", path, {"lines": []})
    assert desk.client.get(path, params={"$expand": "is_to_lock"}).status_code == 400
    assert desk.client.get(path).status_code == 200, "reading is not locked"
    desk.switch(locked_orders={})
    desk.done("PUT", path, {"lock_id": lock_id, "is_editing": False})
    assert "is not held" in desk.refused("PUT", path, {"lock_id": lock_id})


def test_a_date_is_classified_and_a_closed_period_refuses_every_document(desk: Desk) -> None:
    question = {"date": DAY, "ledger_type": "LedgerSales"}
    assert desk.done("POST", "transaction_date_validation", question)["classification"] == "Normal"
    desk.switch(closed_periods=["2026-06"])
    answer = desk.done("POST", "transaction_date_validation", question)
    assert answer["classification"] == "Unacceptable"
    assert "closed accounting period" in answer["message"]
    body = {"customer_id": desk.customer, "transaction_date": DAY, "document_goods_value": 5}
    assert "closed accounting period" in desk.refused("POST", "sales_invoices", body)
    desk.switch(closed_period="Acceptable")
    assert desk.done("POST", "transaction_date_validation", question)["classification"] == "Acceptable"
    desk.done("POST", "sales_invoices", body)
    far = question | {"date": "2019-06-11T00:00:00Z"}
    assert desk.done("POST", "transaction_date_validation", far)["classification"] == "Unacceptable"
    assert "ledger" in desk.refused("POST", "transaction_date_validation", {"date": DAY, "ledger_type": "LedgerMoon"})
    assert "date" in desk.refused("POST", "transaction_date_validation", {"ledger_type": "LedgerSales"})


def test_an_allocation_balances_and_never_takes_more_than_is_open(desk: Desk) -> None:
    bank = desk.served.store.company["banks"].find("code", "MKBRICO")["id"]
    head = {"customer_id": desk.customer, "transaction_date": DAY}
    urns = [
        desk.done("POST", "sales_invoices", head | {"document_goods_value": 60})["urn"],
        desk.done("POST", "sales_receipts", head | {"bank_id": bank, "cheque_value": 100})["urn"],
    ]
    rows = [desk.get("sales_posted_transactions", **{"$filter": f"urn eq {urn}"})[0] for urn in urns]

    def allocation(*values: Any) -> dict[str, Any]:
        lines = [{"posted_tran_id": row["id"], "value_to_allocate": v} for row, v in zip(rows, values, strict=True)]
        return {"customer_id": desk.customer, "allocation_date": DAY, "allocation_lines": lines}

    assert "out of balance by 10" in desk.refused("POST", "sales_allocations", allocation(60, 50))
    assert "more than what is outstanding" in desk.refused("POST", "sales_allocations", allocation(61, 61))
    assert "greater than zero" in desk.refused("POST", "sales_allocations", allocation(-5, -5))
    by_urn = {"allocation_lines": [{"posted_tran_id": urn, "value_to_allocate": 60} for urn in urns]}
    assert "is not on this customer account" in desk.refused("POST", "sales_allocations", allocation(60, 60) | by_urn)
    legs = desk.get("nominal_transaction_enquiry_views", **{"$count": "true"})
    assert desk.done("POST", "sales_allocations", allocation(60, 60)) == allocation(60, 60)
    now = [desk.get(f"sales_posted_transactions/{row['id']}") for row in rows]
    assert [row["document_outstanding_value"] for row in now] == [Decimal("0.00"), Decimal("-40.00")]
    assert [row["document_allocated_value"] for row in now] == [Decimal("60.00"), Decimal("-60.00")]
    assert desk.get("nominal_transaction_enquiry_views", **{"$count": "true"}) == legs, "no ledger moves"


def test_a_customer_reference_exists_once_however_it_is_written(desk: Desk) -> None:
    made = desk.done("POST", "customers", {"reference": "NEWONE", "name": "New"})
    assert (made["balance"], made["account_status_type"]) == (0, "AccountStatusActive")
    assert "already exists" in desk.refused("POST", "customers", {"reference": "newone", "name": "New"})
    assert "reference" in desk.refused("POST", "customers", {"name": "New"})
    assert "maximum length of 8" in desk.refused("POST", "customers", {"reference": "X" * 9, "name": "New"})


def test_a_purchase_invoice_moves_creditors_and_input_tax(desk: Desk) -> None:
    supplier = desk.served.store.company["suppliers"].rows[0]
    body = {
        "supplier_id": supplier["id"],
        "transaction_date": DAY,
        "document_goods_value": 100,
        "document_tax_value": 20,
        "tax_analysis_items": [{"id": desk.tax, "goods_amount": 100, "tax_amount": 20}],
    }
    urn = desk.done("POST", "purchase_invoices", body)["urn"]
    (row,) = desk.get("purchase_posted_transactions", **{"$filter": f"urn eq {urn}"})
    assert (row["document_gross_value"], row["supplier_id"]) == (Decimal("120.00"), supplier["id"])
    legs = desk.get("nominal_transaction_enquiry_views", **{"$filter": f"urn eq {urn}"})
    assert sorted(leg["debit"] - leg["credit"] for leg in legs) == [-120, 20, 100]
    assert "goods value" in desk.refused("POST", "purchase_invoices", body | {"document_goods_value": 90})


def test_a_write_beyond_the_sites_limit_is_answered_with_429(desk: Desk) -> None:
    desk.switch(concurrent_writes=0)
    assert desk.call("POST", "customers", {"reference": "NEWTWO", "name": "New"}).status_code == 429
    desk.switch(concurrent_writes=None)
    desk.done("POST", "customers", {"reference": "NEWTWO", "name": "New"})


def test_unknown_switches_and_verbs_are_refused(desk: Desk) -> None:
    assert desk.served.control().post("sage200", json={"closed_period": "Perhaps"}).status_code == 400
    assert desk.served.control().post("sage200", json={"moon": 1}).status_code == 400
    assert desk.call("PUT", "customers/1", {}).status_code == 404
    assert desk.call("POST", "nominal_journals", {}).status_code == 404, "there is no such thing"


def test_a_restart_keeps_orders_amendments_accounts_and_allocations(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    for served in serve(world, folder):
        desk = Desk(served)
        made = desk.done("POST", "sop_orders", desk.order(desk.line(0), desk.line(1)))
        ids = [line["id"] for line in made["lines"]]
        half = [{"id": ids[0], "line_quantity": 1}, {"id": ids[1], "line_quantity": -1}]
        desk.refused("PUT", f"sop_orders/{made['id']}", {"lines": half})
        desk.done("PUT", f"sop_orders/{made['id']}", {"lines": [{"id": ids[1], "is_to_delete": True}, desk.line(2)]})
        desk.done("POST", "customers", {"reference": "NEWONE", "name": "New"})
        desk.switch(closed_periods=["2026-06"])
        state, writes = served.store.state()["sage200"], served.store.writes()
        order = desk.get(f"sop_orders/{made['id']}", **{"$expand": "lines"})
    from conftest import SEED

    again = Store(world, seed=SEED, as_of=DEFAULT_AS_OF, state_folder=folder)
    assert (again.state()["sage200"], again.writes()) == (state, writes)
    row = again.company["sop_orders"].by_key[order["id"]]
    assert [(line["id"], line["line_quantity"]) for line in row["lines"]] == [
        (line["id"], line["line_quantity"]) for line in order["lines"]
    ]
    assert world.sage is not None
    assert order["id"] not in {row["id"] for row in world.sage.tables["sop_orders"]}, "the world's records are not ours"
