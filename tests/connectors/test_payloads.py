"""Real input: every payload and every example printed in the specifications, over HTTP, through the connectors.

What a table should hold is derived here from the payload by plain JSON reading, not by the code under test.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.auth import MemoryCredentialStore
from connectors.delivery import Action
from connectors.errors import AuthError
from connectors.feeds import feed_spec
from connectors.mirakl import MiraklConnector
from connectors.mirakl.decode import DECODERS as MIRAKL_DECODERS
from connectors.mirakl.endpoints import ENDPOINTS, OPERATOR_FEEDS, SELLER_FEEDS
from connectors.mirakl.writes.imports import parse_error_report
from connectors.records import Column, Decoded, FeedSpec, Kind, Page, Window
from connectors.sage200 import Sage200Connector
from connectors.sage200.journals import read_journal, render
from tests.connectors.conftest import NOW
from tests.connectors.server import Asked, Reply, serving

pytestmark = pytest.mark.contracts

MIRAKL = {
    "orders/or11-seller-full.json": "orders",
    "orders/or11-operator-full.json": "orders",
    "orders/or11-refund-cancelation-promotion.json": "orders",
    "finance/tl02-seller.json": "transaction_lines",
    "finance/sbc11-seller.json": "billing_cycles",
    "finance/sbc11-operator.json": "billing_cycles",
    "finance/iv01-seller.json": "invoices",
    "finance/iv01-operator.json": "invoices",
    "offers/of21-response-0.json": "offers",
    "offers/of21-response-1.json": "offers",
    "reference-data/a01-account.json": "account",
    "reference-data/pc01-platform-configuration.json": "platform",
    "reference-data/sh21-carriers.json": "carriers",
    "reference-data/af01-additional-fields.json": "custom_fields",
    "reference-data/ch11-channels.json": "channels",
    "reference-data/cur01-currencies.json": "currencies",
    "reference-data/m11-threads.json": "threads",
    "reference-data/re01-reasons.json": "reasons",
    "reference-data/sh12-shipping-types.json": "shipping_methods",
    "finance/dr11-response-0.json": "document_requests",
    "finance/dr12-response-0.json": "document_request_lines",
    "finance/tl05-response.json": "transaction_lines",
    "offers/of22-response-0.json": "offer_details",
    "offers/of61-response.json": "offer_conditions",
    "offers/p31-response.json": "products",
    "orders/or72-documents.json": "order_documents",
    "shipments/rt11-returns.json": "returns",
    "shipments/st11-response.json": "shipments",
    "shipments/st12-response.json": "items_to_ship",
    "shops/s20-shops-sellers.json": "shops",
}
SAGE = {
    "sop_orders_list.json": "sop_orders",
    "sop_orders_post_draft.json": "sop_orders",
    "products_list.json": "products",
    "warehouse_holdings.json": "warehouse_holdings",
    "customers_list.json": "customers",
    "customers_get_one.json": "customers",
    "tax_codes_list.json": "tax_codes",
    "sales_posted_transactions.receipt.json": "sales_posted_transactions",
    "sales_posted_transactions.sop_invoice.json": "sales_posted_transactions",
}


@functools.cache
def specification(file: Path) -> Any:
    return json.loads(file.read_bytes())


COMPUTED = {"document_request_lines": ["document_request_id"], "products": ["product_reference"]}
"""Columns that no member of a record holds."""


class Number(str):
    """A JSON number as it was written."""


def plain(body: bytes) -> Any:
    return json.loads(body, parse_float=Number, parse_int=Number)


def at(record: Any, path: str) -> Any:
    for name in path.split("."):
        record = record.get(name) if isinstance(record, dict) else None
    return record


def expected(record: Any, column: Column) -> Any:
    """The column's value by plain reading: the first path that is not empty, as text."""
    found = [at(record, path) for path in column.at or (column.name,)]
    value = next((v for v in found if v not in {None, ""}), found[0])
    if column.kind is Kind.STAMP and value == "":
        return None
    return str(value) if isinstance(value, Number) else value


def records_of(document: Any, spec: FeedSpec) -> list[Any]:
    if isinstance(document, list):
        return document
    envelope = MIRAKL_DECODERS[spec.entity].envelope if spec.vendor == "mirakl" else None
    return document[envelope.member] if envelope is not None and envelope.member in document else [document]


def assert_every_value_arrived(spec: FeedSpec, body: bytes, decoded: Decoded) -> int:
    """Compare each column that is taken over as it is (derived ones have their own tests); answer how many values."""
    records = records_of(plain(body), spec)
    assert decoded.rejects == []
    assert decoded.record_count == len(records)
    root = spec.tables[0]
    computed = set(COMPUTED.get(spec.entity, ()))
    compared = 0
    for row, record in zip(decoded.tables[root.name].to_pylist(), records, strict=True):
        for column in root.columns:
            if column.via is None and column.name not in computed:
                wanted = expected(record, column)
                assert row[column.name] == wanted, f"{root.name}.{column.name}"
                compared += wanted is not None
    for table in spec.tables[1:]:
        children = decoded.tables[table.name].to_pylist()
        wanted_children = [
            c
            for record in records
            for source in table.sources
            for c in elements(record, source.path, source.is_mapping)
        ]
        assert len(children) == len(wanted_children), table.name
        for column in table.columns:
            if column.via is None and not column.at and column.name not in (table.sources[0].constants or {}):
                got = sorted(str(row[column.name]) for row in children)
                assert got == sorted(str(expected(c, column)) for c in wanted_children), f"{table.name}.{column.name}"
                compared += len(got)
    return compared


def elements(record: Any, path: str, is_mapping: bool) -> Iterator[Any]:
    name, _, rest = path.partition(".")
    below = record.get(name) if isinstance(record, dict) else None
    if is_mapping and not rest:
        yield from ({"name": key, "amount": value} for key, value in (below or {}).items())
        return
    for element in below or ():
        if rest:
            yield from elements(element, rest, is_mapping)
        else:
            yield element


def from_mirakl(entity: str, body: bytes) -> Page:
    def answer(asked: Asked) -> Reply:
        assert asked.path == ENDPOINTS[entity].path.replace("{id}", "1")
        return Reply(200, body, {"Content-Type": "application/json"})

    with serving(answer) as server:
        # An operator takes records of any shop, and the examples show several.
        mirakl = MiraklConnector("BRICO", server.url, None, "key", perspective="OPERATOR", clock=lambda: NOW)
        # The first page only: the examples promise a next one that is not there.
        return next(mirakl.pages(entity, Window(ids=("1",))))


def from_sage(entity: str, body: bytes) -> Page:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/token":
            return Reply(200, b'{"access_token":"a","refresh_token":"r","expires_in":3600}')
        count = plain(body)
        return Reply(200, str(len(count)).encode() if "$count" in asked.parameters else body)

    with serving(answer) as server:
        sage = Sage200Connector(
            "SAGE",
            server.url,
            f"{server.url}/token",
            "site",
            7,
            MemoryCredentialStore("r"),
            "id",
            "secret",
            clock=lambda: NOW,
        )
        (page,) = sage.pages(entity, Window())
    return page


def as_answer(body: bytes, member: str) -> bytes:
    """A payload that shows one record only, in the envelope that the call answers with."""
    return b'{"%s":[%s],"total_count":1}' % (member.encode(), body)


@pytest.mark.parametrize(("file", "entity"), MIRAKL.items())
def test_every_mirakl_payload_arrives_without_a_loss(payloads: Path, file: str, entity: str) -> None:
    body = (payloads / "mirakl" / file).read_bytes()
    if file.endswith("promotion.json"):
        body = as_answer(body, "orders")
    page = from_mirakl(entity, body)
    assert page.body == body
    decoded = feed_spec("mirakl", entity).decoded(page.body, page.url)
    assert page.record_count == decoded.record_count
    assert decoded.unknown_fields == {}, "what a vendor prints is known"
    assert assert_every_value_arrived(feed_spec("mirakl", entity), body, decoded) >= 4


@pytest.mark.parametrize(("file", "entity"), SAGE.items())
def test_every_sage_payload_arrives_without_a_loss(payloads: Path, file: str, entity: str) -> None:
    body = (payloads / "sage200" / file).read_bytes()
    if body.lstrip().startswith(b"{"):
        body = b"[" + body + b"]"
    page = from_sage(entity, body)
    assert page.body == body
    decoded = feed_spec("sage200", entity).decode(page.body)
    assert decoded.unknown_fields == {}
    assert assert_every_value_arrived(feed_spec("sage200", entity), body, decoded) >= 4


@pytest.mark.parametrize("side", ["seller", "operator"])
@pytest.mark.parametrize("entity", sorted(ENDPOINTS.keys() - {"invoice_files"}))
def test_every_example_of_the_specification_arrives_without_a_loss(contracts: Path, side: str, entity: str) -> None:
    published = specification(contracts / "mirakl" / f"mirakl-mmp-{side}-openapi.json")
    operation = published["paths"].get(documented_path(published, entity), {}).get("get")
    if operation is None:
        unpublished = {"transaction_lines", *SELLER_FEEDS - {"products"}} if side == "operator" else OPERATOR_FEEDS
        assert entity in {*unpublished, *OPERATOR_FEEDS}
        return
    examples = operation["responses"]["200"]["content"]["application/json"].get("examples", {})
    for name, example in examples.items():
        body = json.dumps(example["value"]).encode()
        page = from_mirakl(entity, body)
        decoded = feed_spec("mirakl", entity).decoded(page.body, page.url)
        assert assert_every_value_arrived(feed_spec("mirakl", entity), body, decoded), name
        assert decoded.unknown_fields == {}, f"{name}: both specifications together are what we know"
    if side == "seller":
        assert examples


def documented_path(published: Any, entity: str) -> str:
    """The specification's spelling of a path, whose parameter has a name of its own."""
    wanted = re.compile(re.escape(ENDPOINTS[entity].path).replace(r"\{id\}", r"\{\w+\}"))
    return next((path for path in published["paths"] if wanted.fullmatch(path)), "")


@pytest.mark.parametrize("side", ["seller", "operator"])
def test_every_exported_offer_of_the_specification_arrives_without_a_loss(contracts: Path, side: str) -> None:
    published = specification(contracts / "mirakl" / f"mirakl-mmp-{side}-openapi.json")
    (files,) = (operations["get"] for path, operations in published["paths"].items() if path.endswith("/OF54"))
    examples = files["responses"]["200"]["content"]["application/json"]["examples"]
    spec = feed_spec("mirakl", "offer_changes")
    printed = [example["value"] for example in examples.values() if isinstance(example["value"], list)]
    for value in printed:
        body = json.dumps(value).encode()
        decoded = spec.decode(body)
        assert assert_every_value_arrived(spec, body, decoded) > 10
        assert decoded.unknown_fields == {}
    assert printed


def test_what_an_example_leaves_out_of_its_promises_is_counted(payloads: Path) -> None:
    decoded = feed_spec("mirakl", "orders").decode((payloads / "mirakl/orders/or11-seller-full.json").read_bytes())
    assert decoded.missing_fields == {
        "order_lines.taxes.tax_calculation_rule": 1,
        "order_lines.shipping_taxes.tax_calculation_rule": 1,
    }
    platform = (payloads / "mirakl/reference-data/pc01-platform-configuration.json").read_bytes()
    assert feed_spec("mirakl", "platform").decode(platform).missing_fields == {"features.payment_confirmation": 1}


def test_no_table_holds_what_an_example_says_of_a_person(payloads: Path) -> None:
    """Whatever stands in a member about people, addresses or bank accounts must reach no column."""
    secret = re.compile(
        r"(first|last)_?name|civility|street|phone|email|^(iban|bic|owner|body|display_name|file_name|city)$|zip_code"
    )
    for file, entity in MIRAKL.items():
        if file.endswith("promotion.json"):
            continue
        body = (payloads / "mirakl" / file).read_bytes()
        people = {value for name, value in leaves(json.loads(body)) if secret.search(name) and len(value) > 3}
        decoded = feed_spec("mirakl", entity).decoded(body, "https://h/api/document-request/1/lines")
        kept = {
            value
            for table in decoded.tables.values()
            for row in table.to_pylist()
            for name, value in row.items()
            if isinstance(value, str)
        }
        assert not kept & people, (entity, kept & people)


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for below, member in value.items():
            yield from leaves(member, below)
    elif isinstance(value, list):
        for member in value:
            yield from leaves(member, name)
    elif isinstance(value, str):
        yield name, value


def test_the_full_order_has_the_figures_that_staging_needs(payloads: Path) -> None:
    decoded = feed_spec("mirakl", "orders").decode((payloads / "mirakl/orders/or11-seller-full.json").read_bytes())
    (refund,) = decoded.tables["mirakl_order_line_refunds"].to_pylist()
    assert (refund["refund_id"], refund["amount"], refund["shipping_amount"], refund["refund_state"]) == (
        "1106",
        "6.82",
        "1.79",
        "WAITING_REFUND_PAYMENT",
    )
    taxes = decoded.tables["mirakl_order_line_taxes"].to_pylist()
    assert {(t["parent_type"], t["parent_id"]) for t in taxes} == {
        ("LINE", "Order_00010-A-1"),
        ("REFUND", "1106"),
        ("CANCELATION", "1122"),
    }
    remitted = [t for t in taxes if t["is_payable_to_shop"] is False]
    assert [(t["parent_type"], t["tax_kind"], t["amount"]) for t in remitted] == [
        ("CANCELATION", "PRICE", "0.75"),
        ("CANCELATION", "PRICE", "0.75"),
        ("CANCELATION", "SHIPPING", "1.54"),
        ("CANCELATION", "SHIPPING", "1.54"),
    ]


def test_the_refunded_order_keeps_its_trailing_noughts(payloads: Path) -> None:
    body = as_answer((payloads / "mirakl/orders/or11-refund-cancelation-promotion.json").read_bytes(), "orders")
    decoded = feed_spec("mirakl", "orders").decode(body)
    (line,) = decoded.tables["mirakl_order_lines"].to_pylist()
    assert (line["price"], line["commission_fee"], line["total_commission"]) == ("240.00", "51.00", "61.20")


def test_transaction_lines_keep_sign_balance_and_cycle(payloads: Path) -> None:
    decoded = feed_spec("mirakl", "transaction_lines").decode(
        (payloads / "mirakl/finance/tl02-seller.json").read_bytes()
    )
    rows = decoded.tables["mirakl_transaction_lines"].to_pylist()
    assert [(r["amount"], r["balance"]) for r in rows] == [
        ("-0.5", "-8.5"),
        ("-5", "-8"),
        ("-1", "-3"),
        ("-3", "-2"),
        ("1", "1"),
    ]
    assert rows[2]["fee_code"] == "CANCELLATION_FEE"
    assert rows[3]["shop_tax_rate"] == "12.45"
    assert rows[4]["order_tax_rate"] == "0.2"
    assert {r["shop_id"] for r in rows} == {"1"}


def test_cycles_bring_their_summary_line_by_line(payloads: Path) -> None:
    decoded = feed_spec("mirakl", "billing_cycles").decode((payloads / "mirakl/finance/sbc11-seller.json").read_bytes())
    totals = {
        (r["billing_cycle_id"][:8], r["name"]): r["amount"]
        for r in decoded.tables["mirakl_billing_cycle_totals"].to_pylist()
    }
    assert totals["a5b77ee5", "total_commissions_incl_tax"] == "-889.24"
    assert totals["98665be1", "total_other_invoices_excl_tax"] == "1"


def test_the_recorded_401_is_an_auth_error_with_the_vendors_word(payloads: Path) -> None:
    body = (payloads / "mirakl/errors/live-401-body.json").read_bytes()
    with serving(lambda _: Reply(401, body)) as server, pytest.raises(AuthError) as caught:
        list(MiraklConnector("BRICO", server.url, 2042, "key").pages("orders", Window()))
    assert caught.value.detail == "Unauthorized"


def test_the_published_error_report_is_read_to_its_message(payloads: Path) -> None:
    (error,) = parse_error_report((payloads / "mirakl/offers/of03-error-report.csv").read_bytes())
    assert (error.line, error.shop_sku, error.message) == (2, "OFFER_SKU_004", "The product does not exist")


def test_a_refund_line_of_the_orders_payload_is_rejected_when_its_amount_is_spoilt(payloads: Path) -> None:
    document = json.loads((payloads / "mirakl/orders/or11-seller-full.json").read_bytes())
    document["orders"][0]["order_lines"][0]["refunds"][0]["amount"] = "6,82"
    (reject,) = feed_spec("mirakl", "orders").decode(json.dumps(document).encode()).rejects
    assert (reject.record_id, reject.field, reject.code) == (
        "Order_00010-A",
        "order_lines.refunds.amount",
        "NOT_A_NUMBER",
    )


# --- names in the specifications ---


def sage_schema(contracts: Path, file: str, name: str) -> dict[str, Any]:
    found = specification(contracts / "sage200" / "openapi" / f"{file}.json")["components"]["schemas"][name][
        "properties"
    ]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("part", "file", "schema"),
    [
        ("SR", "sales", "sales_receipt"),
        ("SP", "sales", "sales_payment"),
        ("BP", "cash-book", "bank_payment"),
        ("BR", "cash-book", "bank_receipt"),
        ("BT", "cash-book", "bank_transfer"),
    ],
)
def test_every_member_of_a_posted_document_is_in_sages_specification(
    contracts: Path, part: str, file: str, schema: str
) -> None:
    from tests.connectors.test_journal_delivery import RECEIPT, SETTLEMENT, Company, delivery

    company = Company()
    delivery(company).send([Action("a", SETTLEMENT["wire_key"], "JOURNAL", "BRICO", "SAGE_UK", SETTLEMENT)])
    other = {**RECEIPT, "wire_key": "TOFEDCBA9876543210"}
    delivery(company).send([Action("b", other["wire_key"], "JOURNAL", "BRICO", "SAGE_UK", other)])
    known = sage_schema(contracts, file, schema)
    bodies = [body for _, body in company.posts if body["second_reference"] == part]
    assert bodies
    for body in bodies:
        assert body.keys() <= known.keys()
        for name in ("reference", "second_reference"):
            assert len(body[name]) <= known[name]["maxLength"]
        items = known.get("nominal_analysis_items", {}).get("items", {})
        item_names = items.get("properties") or {}
        if "$ref" in items:
            item_names = sage_schema(contracts, file, items["$ref"].rpartition("/")[2])
        for item in body.get("nominal_analysis_items", ()):
            assert item.keys() <= item_names.keys()
    assert render(read_journal(SETTLEMENT))


@pytest.mark.parametrize("entity", sorted(ENDPOINTS.keys() - OPERATOR_FEEDS))
def test_every_parameter_sent_to_mirakl_is_documented(contracts: Path, entity: str) -> None:
    published = specification(contracts / "mirakl/mirakl-mmp-seller-openapi.json")
    documented = {p["name"] for p in published["paths"][documented_path(published, entity)]["get"]["parameters"]}
    paging = {"max", "offset", "limit", "page_token", "sort", "order"}  # described for all calls in the general notes
    connector = MiraklConnector("BRICO", "https://brico.example.com", 2042, "key")
    sent = connector.parameters(ENDPOINTS[entity], Window(since=NOW))
    assert sent.keys() <= documented | paging
    assert ENDPOINTS[entity].ids_in is None or ENDPOINTS[entity].ids_in in documented


def test_every_sage_resource_read_exists_in_the_specification(contracts: Path) -> None:
    from connectors.sage200.endpoints import RESOURCES

    paths: set[str] = set()
    for file in (contracts / "sage200" / "openapi").glob("*.json"):
        paths |= {p for p, methods in specification(file)["paths"].items() if "get" in methods}
    assert {r.path for r in RESOURCES.values()} <= paths
