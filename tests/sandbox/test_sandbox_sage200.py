"""Sage 200's side: sign-in, headers, query options, posting documents and what they write."""

from collections import defaultdict
from decimal import Decimal

import httpx
import pytest
from conftest import SEED, Served

from sandbox import jsonio
from sandbox.credentials import sage_client
from sandbox.world import World

LEGS = "nominal_transaction_enquiry_views"


def exact(response: httpx.Response) -> object:
    assert response.status_code == 200, response.text
    return jsonio.decode(response.content)


@pytest.fixture(scope="module")
def sage(served: Served) -> httpx.Client:
    return served.sage()


@pytest.fixture
def books(fresh: Served) -> "Books":
    return Books(fresh)


class Books:
    """Posts documents and reads back what they wrote."""

    def __init__(self, served: Served) -> None:
        self.client = served.sage()
        self.banks = {row["code"]: row for row in exact(self.client.get("banks"))}
        self.customers = {row["reference"]: row for row in exact(self.client.get("customers"))}
        self.codes = {row["id"]: row["reference"] for row in exact(self.client.get("nominal_codes"))}
        self.taxes = {row["code"]: row["id"] for row in exact(self.client.get("tax_codes"))}

    def post(self, resource: str, body: dict) -> int:
        answer = exact(self.client.post(resource, content=jsonio.encode(body), headers=JSON))
        assert list(answer) == ["urn"]
        assert isinstance(answer["urn"], int)
        return answer["urn"]

    def refusal(self, resource: str, body: object) -> str:
        answer = self.client.post(resource, content=jsonio.encode(body), headers=JSON)
        assert answer.status_code == 400, answer.text
        return answer.text

    def by_urn(self, resource: str, urn: int, **options: str) -> list[dict]:
        return exact(self.client.get(resource, params={"$filter": f"urn eq {urn}", "$orderby": "id asc", **options}))

    def legs(self, urn: int) -> list[tuple[str, Decimal]]:
        """(account, debit − credit) in the order posted."""
        rows = self.by_urn(LEGS, urn)
        assert all(row["debit"] >= 0 and row["credit"] >= 0 and not row["debit"] * row["credit"] for row in rows)
        return [(self.codes[row["nominal_code_id"]], row["debit"] - row["credit"]) for row in rows]

    def account(self, **changes: object) -> dict:
        return {
            "bank_id": self.banks["MKBRICO"]["id"],
            "transaction_date": "2026-06-11T00:00:00Z",
            "reference": "TO0123456789ABCDEF",
        } | changes


JSON = {"Content-Type": "application/json"}


# --- signing in


def test_refresh_tokens_rotate_and_a_spent_one_is_refused(fresh: Served) -> None:
    first = fresh.store.sage_id.usable_refresh_token
    assert first is not None
    granted = fresh.refresh(first).json()
    assert granted["expires_in"] == 28800
    assert granted["refresh_token"] != first
    spent = fresh.refresh(first)
    assert (spent.status_code, spent.json()["error"]) == (400, "invalid_grant")
    assert fresh.refresh(granted["refresh_token"]).status_code == 200


def test_the_token_endpoint_checks_the_client_and_the_grant(served: Served) -> None:
    client = sage_client(SEED)
    form = {
        "grant_type": "refresh_token",
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        "refresh_token": "v1.unknown",
    }
    url = f"{served.url}/oauth/token"
    assert httpx.post(url, data=form | {"client_secret": "guess"}).json()["error"] == "invalid_client"
    assert httpx.post(url, data=form | {"grant_type": "client_credentials"}).json()["error"] == "unsupported_grant_type"
    assert httpx.post(url, data=form).json()["error"] == "invalid_grant"
    assert httpx.post(url, json=form).json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    "changes",
    [
        {"Authorization": "Bearer old"},
        {"Authorization": ""},
        {"X-Site": ""},
        {"X-Company": "8"},
        {"X-Site": "00000000-0000-0000-0000-000000000000"},
    ],
)
def test_a_call_without_right_headers_gets_401_and_no_body(sage: httpx.Client, changes: dict[str, str]) -> None:
    answer = sage.get("banks", headers=changes)
    assert (answer.status_code, answer.content) == (401, b"")


def test_sites_need_a_token_only(served: Served) -> None:
    authorization = served.sage().headers["authorization"]
    url = f"{served.url}/sage200/accounts/v1/sites"
    sites = httpx.get(url, headers={"Authorization": authorization})
    assert [site["company_id"] for site in sites.json()] == [7]
    assert httpx.get(url).status_code == 401


def test_access_tokens_expire(fresh: Served) -> None:
    client = fresh.sage()
    assert client.get("banks").status_code == 200
    fresh.control().post("tokens/expire")
    assert client.get("banks").status_code == 401
    fresh.settings(token_seconds=0)
    assert fresh.sage().get("banks").status_code == 401


# --- query options


def test_lists_are_bare_arrays_of_scalars_without_nulls(sage: httpx.Client) -> None:
    orders = exact(sage.get("sop_orders"))
    assert isinstance(orders, list)
    for order in orders:
        assert not any(isinstance(value, dict | list) or value is None for value in order.values())
    with_lines = exact(sage.get("sop_orders", params={"$expand": "lines,customer", "$top": 1}))[0]
    assert with_lines["lines"]
    assert with_lines["customer"]["id"] == with_lines["customer_id"]


def test_keyset_reading_reaches_every_row_once(sage: httpx.Client, world: World) -> None:
    last, seen = 0, []
    while True:
        options = {"$orderby": "id asc", "$top": "111", "$filter": f"id gt {last}"}
        rows = exact(sage.get(LEGS, params=options))
        seen += [row["id"] for row in rows]
        if len(rows) < 111:
            break
        last = rows[-1]["id"]
    assert seen == sorted(row["id"] for row in world.sage.tables[LEGS])
    assert exact(sage.get(LEGS, params={"$count": "true"})) == len(seen)


def test_views_list_newest_first_and_500_rows_by_default(sage: httpx.Client) -> None:
    ids = [row["id"] for row in exact(sage.get(LEGS))]
    assert len(ids) == 500
    assert ids == sorted(ids, reverse=True)


@pytest.mark.parametrize(
    ("resource", "expression", "matches"),
    [
        ("customers", "reference eq 'mkbrico'", lambda row: row["reference"] == "MKBRICO"),
        ("customers", "contains(name, 'Ltd') and not startswith(reference, 'A')", None),
        ("sop_orders", "document_status eq '2'", lambda row: row["document_status"] == "EnumDocumentStatusComplete"),
        ("sop_orders", "total_gross_value gt 100 and total_gross_value le 150.5", None),
        ("sop_orders", "document_date ge 2026-05-01 and document_date lt 2026-06-01T00:00:00Z", None),
        ("sop_orders", "(is_draft eq true) or (document_status ne 'EnumDocumentStatusComplete')", None),
        ("sop_orders", "date_time_updated ge 2026-06-15T10:00:00.5Z", None),
        (
            "customers",
            "reference eq 'mkbrico' or reference eq 'nobody' or reference eq 'MKHomely'",
            lambda row: row["reference"] in ("MKBRICO", "MKHOMELY"),
        ),
        ("products", "endswith(code, '1')", lambda row: row["code"].endswith("1")),
    ],
)
def test_filters(sage: httpx.Client, resource: str, expression: str, matches: object) -> None:
    everything = exact(sage.get(resource, params={"$top": 5000}))
    found = exact(sage.get(resource, params={"$top": 5000, "$filter": expression}))
    count = exact(sage.get(resource, params={"$filter": expression, "$count": "true"}))
    assert 0 < len(found) < len(everything)
    assert count == len(found)
    if matches is not None:
        assert [row["id"] for row in found] == [row["id"] for row in everything if matches(row)]


def test_quotes_inside_a_text_are_doubled(sage: httpx.Client) -> None:
    assert exact(sage.get("customers", params={"$filter": "name eq 'O''Neill'"})) == []


@pytest.mark.parametrize(
    "options",
    [
        {"$skip": "5"},
        {"$top": "5001"},
        {"$top": "-1"},
        {"$filter": "nobody eq 1"},
        {"$filter": "reference eq MKBRICO"},
        {"$filter": "id eq '5'"},
        {"$filter": "id eq 5.0"},
        {"$filter": "date_time_updated gt '2026-01-01T00:00:00Z'"},
        {"$filter": "date_time_updated gt 2026-01-01T00:00:00"},
        {"$filter": "date_time_updated gt 2026-01-01T00:00:00+01:00"},
        {"$filter": "on_hold eq 1"},
        {"$filter": "(id eq 5"},
        {"$filter": "id eq 5 and"},
        {"$filter": "id between 5"},
        {"$filter": "contains(id, '5')"},
        {"$filter": ""},
        {"$orderby": "nobody"},
        {"$orderby": "id down"},
        {"$select": "nobody"},
        {"$select": "currency.name"},
        {"$expand": "nobody"},
        {"$expand": "reference"},
        {"$search": "x"},
        {"$count": "yes"},
    ],
)
def test_a_query_option_sage_would_refuse_is_400_with_a_text(sage: httpx.Client, options: dict[str, str]) -> None:
    answer = sage.get("customers", params=options)
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text


def test_select_trims_rows_and_expanded_objects(sage: httpx.Client) -> None:
    options = {"$expand": "customer", "$select": "id,document_no,customer.name", "$top": "1"}
    row = exact(sage.get("sop_orders", params=options))[0]
    assert sorted(row) == ["customer", "document_no", "id"]
    assert list(row["customer"]) == ["name"]


def test_skip_goes_with_orderby(sage: httpx.Client) -> None:
    newest = {"$orderby": "total_gross_value desc,id asc"}
    everything = exact(sage.get("sop_orders", params={"$top": 5000, **newest}))
    some = exact(sage.get("sop_orders", params={"$top": 7, "$skip": 3, **newest}))
    assert some == everything[3:10]
    values = [row["total_gross_value"] for row in everything]
    assert values == sorted(values, reverse=True)


def test_single_records_and_nested_lists(sage: httpx.Client) -> None:
    order = exact(sage.get("sop_orders", params={"$expand": "lines", "$top": 1}))[0]
    alone = exact(sage.get(f"sop_orders/{order['id']}"))
    assert alone == {name: value for name, value in order.items() if name != "lines"}
    lines = exact(sage.get(f"sop_orders/{order['id']}/sop_order_lines"))
    assert lines == order["lines"]
    assert exact(sage.get(f"sop_order_lines/{lines[0]['id']}")) == lines[0]
    assert sage.get(f"sop_orders/{order['id']}", params={"$filter": "id gt 1"}).status_code == 400


def test_what_does_not_exist_is_404(sage: httpx.Client) -> None:
    assert sage.get("sop_orders/1").status_code == 404
    assert sage.get("stock_items").status_code == 404
    assert sage.get("sop_order_lines").status_code == 404
    assert sage.post("product_groups", json={}).status_code == 404
    assert sage.post("nominal_journals", json={}).status_code == 404
    assert sage.post("bank_payments", json={}).status_code == 404
    assert sage.get("bank_payment").status_code == 404
    assert sage.delete("sop_orders/1").status_code == 404


def test_settings_and_licence(sage: httpx.Client) -> None:
    assert exact(sage.get("licence"))["is_cash_book_enabled"] is True
    assert exact(sage.get("system_settings"))[0]["update_nominal_online"] is True
    assert {"name": "urn", "type": "integer"} in exact(sage.get(LEGS, params={"$metadata": "true"}))


# --- posting


def test_a_sales_receipt(books: Books) -> None:
    customer = books.customers["MKBRICO"]
    urn = books.post("sales_receipts", books.account(customer_id=customer["id"], cheque_value=Decimal("120.00")))
    assert books.legs(urn) == [("1260", Decimal("120.00")), ("1100", Decimal("-120.00"))]
    row = books.by_urn("sales_posted_transactions", urn, **{"$expand": "nominal_analysis_items,bank_items"})[0]
    assert row["trader_transaction_type"] == "TradingAccountEntryTypePurchasePaymentSalesReceipt"
    assert row["document_gross_value"] == row["document_outstanding_value"] == Decimal("-120.00")
    assert row["transaction_date"] == "2026-06-11T00:00:00Z"
    assert row["date_time_updated"] == "2026-07-03T08:00:00Z"
    assert sum(item["value"] for item in row["nominal_analysis_items"]) == 0
    assert [item["cheque_value"] for item in row["bank_items"]] == [Decimal("120.00")]
    cash = books.by_urn("bank_posted_transactions", urn)
    assert [(one["bank_transaction_type"], one["cheque_value"]) for one in cash] == [("Receipt", Decimal("120.00"))]
    after = exact(books.client.get(f"customers/{customer['id']}"))["balance"]
    assert after == customer["balance"] - 120


def test_a_sales_payment(books: Books) -> None:
    customer = books.customers["MKBRICO"]
    urn = books.post("sales_payments", books.account(customer_id=customer["id"], cheque_value=Decimal("30.5")))
    assert books.legs(urn) == [("1260", Decimal("-30.50")), ("1100", Decimal("30.50"))]
    row = books.by_urn("sales_posted_transactions", urn)[0]
    assert row["trader_transaction_type"] == "TradingAccountEntryTypePurchaseReceiptSalesPayment"
    assert row["document_gross_value"] == Decimal("30.50")
    assert books.by_urn("bank_posted_transactions", urn)[0]["cheque_value"] == Decimal("-30.50")


def test_a_bank_payment_with_nominal_and_tax_analysis(books: Books) -> None:
    items = [
        {
            "code": "6100",
            "goods_value": Decimal("100.00"),
            "tax_value": Decimal("20.00"),
            "gross_value": Decimal("120.00"),
            "tax_code_id": books.taxes[1],
            "narrative": "Commission",
        },
        {"code": "6130", "goods_value": Decimal("7.50")},
        {"code": "6120", "goods_value": 0, "tax_value": Decimal("0.02"), "tax_code_id": books.taxes[1]},
    ]
    body = books.account(second_reference="BP", narrative="UKTRADE|BRICO|SETTLEMENT", nominal_analysis_items=items)
    urn = books.post("bank_payment", body)
    assert books.legs(urn) == [
        ("6100", Decimal("100.00")),
        ("2201", Decimal("20.00")),
        ("6130", Decimal("7.50")),
        ("2201", Decimal("0.02")),
        ("1260", Decimal("-127.52")),
    ]
    rows = books.by_urn(LEGS, urn)
    assert {(row["period_number"], row["reference"]) for row in rows} == {(6, "TO0123456789ABCDEF")}
    assert [row["narrative"] for row in rows[:3]] == ["Commission", "Commission", "UKTRADE|BRICO|SETTLEMENT"]
    cash = books.by_urn("bank_posted_transactions", urn)[0]
    assert (cash["cheque_value"], cash["second_reference"]) == (Decimal("-127.52"), "BP")
    assert books.by_urn("sales_posted_transactions", urn) == []


def test_a_bank_receipt_takes_the_other_side(books: Books) -> None:
    item = {
        "code": "6100",
        "goods_value": Decimal("10.00"),
        "tax_value": Decimal("2.00"),
        "tax_code_id": books.taxes[1],
    }
    urn = books.post("bank_receipt", books.account(nominal_analysis_items=[item]))
    assert books.legs(urn) == [("6100", Decimal("-10.00")), ("2201", Decimal("-2.00")), ("1260", Decimal("12.00"))]


def test_the_old_name_of_the_analysis_is_accepted(books: Books) -> None:
    urn = books.post("bank_payment", books.account(nominal_journal_items=[{"code": "7901", "gross_value": 6}]))
    assert books.legs(urn) == [("7901", Decimal("6.00")), ("1260", Decimal("-6.00"))]


def test_a_transfer_echoes_its_body_and_writes_both_banks(books: Books) -> None:
    body = {
        "bank_from_id": books.banks["MKBRICO"]["id"],
        "bank_to_id": books.banks["BANK"]["id"],
        "payment_value": Decimal("2534.17"),
        "transaction_date": "2026-07-02T00:00:00Z",
        "reference": "TOFEDCBA9876543210",
        "second_reference": "BT",
    }
    answer = books.client.post("bank_transfer", content=jsonio.encode(body), headers=JSON)
    assert exact(answer) == body
    found = exact(books.client.get("bank_posted_transactions", params={"$filter": "reference eq 'TOFEDCBA9876543210'"}))
    assert sorted(row["cheque_value"] for row in found) == [Decimal("-2534.17"), Decimal("2534.17")]
    urns = {row["urn"] for row in found}
    assert len(urns) == 1
    assert books.legs(urns.pop()) == [("1200", Decimal("2534.17")), ("1260", Decimal("-2534.17"))]


def test_invoices_and_credit_notes(books: Books) -> None:
    body = {
        "customer_id": books.customers["MKBRICO"]["id"],
        "transaction_date": "2026-06-11T00:00:00Z",
        "document_goods_value": Decimal("10.00"),
        "document_tax_value": Decimal("2.00"),
        "tax_analysis_items": [{"id": books.taxes[1], "goods_amount": Decimal("10.00"), "tax_amount": 2}],
        "nominal_analysis_items": [{"code": "4100", "value": Decimal("4.00")}, {"code": "4905", "value": 6}],
    }
    invoice, note = books.post("sales_invoices", body), books.post("sales_credit_notes", body)
    expected = [
        ("1100", Decimal("12.00")),
        ("4100", Decimal("-4.00")),
        ("4905", Decimal("-6.00")),
        ("2200", Decimal("-2.00")),
    ]
    assert books.legs(invoice) == expected
    assert books.legs(note) == [(code, -value) for code, value in expected]
    gross = [books.by_urn("sales_posted_transactions", urn)[0]["document_gross_value"] for urn in (invoice, note)]
    assert gross == [Decimal("12.00"), Decimal("-12.00")]
    plain = books.post("sales_invoices", {"customer_id": body["customer_id"], "document_goods_value": 5})
    assert books.legs(plain) == [("1100", Decimal("5.00")), ("4100", Decimal("-5.00"))]


def test_the_same_document_twice_is_posted_twice(books: Books) -> None:
    body = books.account(customer_id=books.customers["MKBRICO"]["id"], cheque_value=1)
    first, second = books.post("sales_receipts", body), books.post("sales_receipts", body)
    assert second == first + 1
    assert exact(books.client.get("system_settings"))[0]["next_urn"] == str(second + 1)


def test_every_urn_of_the_company_balances(books: Books) -> None:
    books.post("bank_payment", books.account(nominal_analysis_items=[{"code": "7901", "goods_value": Decimal("6.5")}]))
    totals: dict[int, Decimal] = defaultdict(Decimal)
    last = 0
    while rows := exact(
        books.client.get(LEGS, params={"$filter": f"id gt {last}", "$orderby": "id asc", "$top": "5000"})
    ):
        for row in rows:
            totals[row["urn"]] += row["debit"] - row["credit"]
        last = rows[-1]["id"]
    assert totals
    assert not {urn: total for urn, total in totals.items() if total}


def test_the_other_legs_of_a_posting_come_expanded(books: Books) -> None:
    urn = books.post(
        "bank_payment", books.account(nominal_analysis_items=[{"code": "7901", "goods_value": Decimal("6.5")}])
    )
    rows = books.by_urn(LEGS, urn, **{"$expand": "nominal_analysis_items"})
    assert [[item["code"] for item in row["nominal_analysis_items"]] for row in rows] == [["1260"], ["7901"]]


GOOD_ITEM = {"code": "7901", "goods_value": Decimal("6.50")}


@pytest.mark.parametrize(
    ("resource", "changes", "word"),
    [
        ("sales_receipts", {"cheque_value": None}, "cheque_value"),
        ("sales_receipts", {"cheque_value": 0}, "cheque_value"),
        ("sales_receipts", {"cheque_value": -5}, "cheque_value"),
        ("sales_receipts", {"cheque_value": "5.00"}, "cheque_value"),
        ("sales_receipts", {"cheque_value": Decimal("5.001")}, "decimal places"),
        ("sales_receipts", {"customer_id": 1}, "customer"),
        ("sales_receipts", {"customer_id": None}, "customer_id"),
        ("sales_receipts", {"bank_id": 1}, "bank"),
        ("sales_receipts", {"reference": "X" * 21}, "maximum length of 20"),
        ("sales_receipts", {"second_reference": "X" * 21}, "maximum length of 20"),
        ("sales_receipts", {"transaction_date": "2026-06-11"}, "transaction_date"),
        ("sales_receipts", {"transaction_date": "2026-06-31T00:00:00Z"}, "transaction_date"),
        ("sales_receipts", {"transaction_date": "2019-06-11T00:00:00Z"}, "accounting periods"),
        ("bank_payment", {"nominal_analysis_items": None}, "nominal_analysis_items"),
        ("bank_payment", {"nominal_analysis_items": []}, "nominal_analysis_items"),
        ("bank_payment", {"nominal_analysis_items": [{"goods_value": 1}]}, "code"),
        ("bank_payment", {"nominal_analysis_items": [{"code": "7901"}]}, "goods_value"),
        ("bank_payment", {"nominal_analysis_items": [{"code": "0001", "goods_value": 1}]}, "0001"),
        (
            "bank_payment",
            {"nominal_analysis_items": [{"code": "7901", "cost_centre": "X", "goods_value": 1}]},
            "7901/X",
        ),
        ("bank_payment", {"nominal_analysis_items": [{"code": "123456789", "goods_value": 1}]}, "maximum length of 8"),
        ("bank_payment", {"nominal_analysis_items": [{"code": "7901", "goods_value": -1}]}, "negative"),
        ("bank_payment", {"nominal_analysis_items": [{"code": "7901", "goods_value": 0}]}, "no value"),
        ("bank_payment", {"nominal_analysis_items": [GOOD_ITEM | {"gross_value": 7}]}, "gross value"),
        ("bank_payment", {"nominal_analysis_items": [GOOD_ITEM | {"tax_value": 1}]}, "tax_code_id"),
        ("bank_payment", {"nominal_analysis_items": [GOOD_ITEM | {"tax_value": 1, "tax_code_id": 99}]}, "tax code"),
        ("bank_payment", {"cheque_value": Decimal("6.50")}, "foreign currency"),
        ("bank_receipt", {"bank_id": None}, "bank_id"),
        ("bank_transfer", {"payment_value": 0}, "payment_value"),
        ("bank_transfer", {"bank_to_id": 1}, "bank_to_id"),
        ("sales_invoices", {"document_goods_value": -1}, "document_goods_value"),
        ("sales_invoices", {"nominal_analysis_items": [{"code": "4100", "value": 9}]}, "do not add up"),
        ("sales_invoices", {"tax_analysis_items": [{"goods_amount": 10}]}, "SageNullFieldException"),
        ("sales_credit_notes", {"document_goods_value": None}, "no value"),
    ],
)
def test_a_bad_document_is_refused_and_writes_nothing(
    books: Books, resource: str, changes: dict[str, object], word: str
) -> None:
    customer = books.customers["MKBRICO"]["id"]
    good: dict[str, dict[str, object]] = {
        "sales_receipts": {"customer_id": customer, "cheque_value": 5},
        "bank_payment": {"nominal_analysis_items": [GOOD_ITEM]},
        "bank_receipt": {"nominal_analysis_items": [GOOD_ITEM]},
        "bank_transfer": {"bank_from_id": books.banks["MKBRICO"]["id"], "bank_to_id": 41, "payment_value": 5},
        "sales_invoices": {"customer_id": customer, "document_goods_value": 10},
        "sales_credit_notes": {"customer_id": customer, "document_goods_value": 10},
    }
    body = books.account(**good[resource]) | changes
    before = exact(books.client.get(LEGS, params={"$count": "true"}))
    text = books.refusal(resource, {name: value for name, value in body.items() if value is not None})
    assert word in text
    assert "\n" not in text
    assert exact(books.client.get(LEGS, params={"$count": "true"})) == before


def test_tax_on_a_zero_rate_is_refused(books: Books) -> None:
    item = GOOD_ITEM | {"tax_value": Decimal("1.30"), "tax_code_id": books.taxes[2]}
    assert "rate of zero" in books.refusal("bank_payment", books.account(nominal_analysis_items=[item]))


def test_a_body_that_is_not_json_is_refused(books: Books) -> None:
    assert books.client.post("bank_transfer", content=b"{", headers=JSON).status_code == 400
    assert books.client.post("bank_transfer", content=b"[]", headers=JSON).status_code == 400
    assert books.client.post("bank_transfer", content=b"x=1").status_code == 415
