"""Real input without a loss: what the vendors publish goes over HTTP, through landing and raw, into staging.

Every recorded or published answer of a call used here is one account of its own, so that ids which the examples share
do not meet. Staging is compared with the answer's JSON, column by column, and every record is counted at every step.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.auth import MemoryCredentialStore
from connectors.delivery import Action, Outcome
from connectors.feeds import feed_spec
from connectors.mirakl import MiraklConnector
from connectors.mirakl.writes.stock import StockDelivery
from connectors.sage200 import Sage200Connector
from orchestration.lib import dbt, loading
from orchestration.lib.erasing import received_page
from orchestration.lib.landing import Landing
from orchestration.lib.settings import Settings
from orchestration.lib.state import State
from orchestration.lib.warehouse import connect
from tests.connectors.conftest import NOW, contracts, payloads  # noqa: F401  # fixtures: the vendors' own material
from tests.connectors.server import Asked, Reply, Server, serving
from tests.pipeline.real_input import MODELS, Expectation, parsed

pytestmark = pytest.mark.contracts

PATHS = {
    ("mirakl", "orders"): "/api/orders",
    ("mirakl", "transaction_lines"): "/api/sellerpayment/transactions_logs",
    ("mirakl", "billing_cycles"): "/api/seller-billing-cycles",
    ("mirakl", "invoices"): "/api/invoices",
    ("mirakl", "offers"): "/api/offers",
    ("mirakl", "account"): "/api/account",
    ("mirakl", "platform"): "/api/platform/configuration",
    ("mirakl", "carriers"): "/api/shipping/carriers",
    ("mirakl", "returns"): "/api/returns",
    ("mirakl", "shipments"): "/api/shipments",
    ("mirakl", "items_to_ship"): "/api/shipments/items_to_ship",
    ("mirakl", "document_requests"): "/api/document-request/requests",
    ("mirakl", "threads"): "/api/inbox/threads",
    ("mirakl", "reasons"): "/api/reasons",
    ("mirakl", "currencies"): "/api/currencies",
    ("mirakl", "channels"): "/api/channels",
    ("mirakl", "offer_conditions"): "/api/offers/states",
    ("mirakl", "shipping_methods"): "/api/shipping/types",
    ("mirakl", "shipping_zones"): "/api/shipping/zones",
    ("mirakl", "custom_fields"): "/api/additional_fields",
    ("sage200", "sop_orders"): "/sop_orders",
    ("sage200", "despatch_lines"): "/sop_order_despatch_line_views",
    ("sage200", "products"): "/products",
    ("sage200", "warehouse_holdings"): "/warehouse_holdings",
    ("sage200", "customers"): "/customers",
    ("sage200", "tax_codes"): "/tax_codes",
    ("sage200", "sales_posted_transactions"): "/sales_posted_transactions",
}
STAGING = [
    *(f"path:models/staging/{vendor}" for vendor in ("bank", "mirakl", "sage200")),
    *(f"stg_tieout__{name}" for name in ("landing_files", "loaded_files", "quarantine", "raw_amounts", "raw_counts")),
]
LISTS = {
    "orders": "orders",
    "transaction_lines": "data",
    "billing_cycles": "data",
    "invoices": "invoices",
    "offers": "offers",
    "carriers": "carriers",
    "returns": "data",
    "shipments": "data",
    "items_to_ship": "data",
    "document_requests": "data",
    "threads": "data",
    "reasons": "reasons",
    "currencies": "currencies",
    "channels": "channels",
    "offer_conditions": "offer_states",
    "shipping_methods": "shipping_types",
    "shipping_zones": "shipping_zones",
    "custom_fields": "additional_fields",
}
"""The member of a Mirakl answer that holds the records; `account` and `platform` are one record each."""

MIRAKL_PAYLOADS = {
    "a01": "account",
    "pc01": "platform",
    "or11": "orders",
    "of21": "offers",
    "tl02": "transaction_lines",
    "sbc11": "billing_cycles",
    "iv01": "invoices",
    "sh21": "carriers",
    "rt11": "returns",
    "st11": "shipments",
    "st12": "items_to_ship",
    "dr11": "document_requests",
    "m11": "threads",
    "re01": "reasons",
    "cur01": "currencies",
    "ch11": "channels",
    "of61": "offer_conditions",
    "sh12": "shipping_methods",
    "af01": "custom_fields",
}
"""By the first part of the file's name. Stock imports (STO01, STO02) answer a write and have a test of their own."""

SAGE_PAYLOADS = {
    "sop_orders_list": "sop_orders",
    "sop_orders_post_draft": "sop_orders",
    "sop_orders_post.freetext": "sop_orders",
    "sop_order_despatch_line_views": "despatch_lines",
    "products_list": "products",
    "warehouse_holdings": "warehouse_holdings",
    "customers_list": "customers",
    "customers_get_one": "customers",
    "tax_codes_list": "tax_codes",
    "sales_posted_transactions.receipt": "sales_posted_transactions",
    "sales_posted_transactions.sop_invoice": "sales_posted_transactions",
}
SAGE_NOT_READ = {
    "sites_list": "answers `doctor`, not a feed: a test of its own below",
    "product_groups_list": "no lane reads product groups: decoded in tests/sage200",
    "sales_invoices_post.header_totals": "a body that other clients post",
    "sales_receipts_post": "a body that clients post; what we post is checked against the specification",
}

MISSING = "REQUIRED_MISSING"
REFUSED = {
    # A body that a client posts is no stored order yet: it has neither id nor totals.
    "sop_orders_post.freetext": {(0, None, "id", MISSING)},
    "bad-lines": {
        (1, None, "id", MISSING),
        (2, "line-2", "amount", MISSING),
        (3, "line-3", "amount", "NOT_A_NUMBER"),
        (4, "line-4", "date_created", "BAD_TIMESTAMP"),
        (7, None, "record", "WRONG_TYPE"),
    },
    "bad-order": {(1, "order-1", "order_lines.refunds.amount", "NOT_A_NUMBER")},
    "bad-stock": {(0, "1", "quantity_in_stock", MISSING)},
}
"""Every record that may be refused, by account: position in the answer, record id, field, reason code."""

REASONS = {
    MISSING: "is missing",
    "NOT_A_NUMBER": "is not a decimal number of at most 14 digits",
    "BAD_TIMESTAMP": "is not an ISO 8601 date, or date and time with a zone",
    "WRONG_TYPE": "Expected `object`, got `str`",
}

NEVER_FILLED = {
    # Mirakl documents this amount for refunds only; the ledger falls back on the difference of two others.
    ("stg_mirakl__order_line_cancelations", "commission_tax_amount"),
    # Of the lists of codes only reasons say whether shops may use them.
    *(
        (name, "is_for_shops")
        for name in MODELS
        if name.startswith("stg_mirakl__codes ") and MODELS[name].entity != "reasons"
    ),
}

SAGE_SCHEMAS = {
    "full-order": ("sop.json", "sop_order"),
    "full-product": ("stock.json", "product"),
    "full-holding": ("stock.json", "warehouse_holding"),
    "full-posting": ("sales.json", "sales_posted_transaction"),
    "full-despatch": ("sop.json", "sop_order_despatch_line_view"),
}
"""Sage prints no examples. Where the recorded answers leave a column of staging empty, these accounts fill it."""

SAGE_LINE: dict[str, Any] = {
    "id": 501,
    "line_number": 1,
    "line_type": "EnumLineTypeStandard",
    "product_id": 15536,
    "code": "TEST001",
    "description": "Test Product",
    "tax_code_id": 2,
    "warehouse_id": 1,
    **{f"analysis_code_{n}": f"line {n}" for n in range(1, 6)},
    "line_quantity": 12.5,
    "allocated_quantity": 2.25,
    "despatch_receipt_quantity": 1.125,
    "invoice_credit_quantity": 1.0625,
    "posted_invoice_credit_quantity": 1,
    "selling_unit_price": 0.00833,
    "unit_discount_value": 0.00001,
    "line_total_value": 9583.2,
    "line_tax_value": 1635.13,
}
SAGE_WRITTEN: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "full-order": (
        "sop_orders",
        [
            {
                "id": 1,
                "customer_document_no": "Order_00010-A",
                **{f"analysis_code_{n}": f"head {n}" for n in range(1, 6)},
                "total_net_value": 9583.2,
                "total_tax_value": 1635.13,
                "total_gross_value": 11218.33,
                "date_time_updated": "2026-03-29T01:30:00.123Z",
                "lines": [
                    SAGE_LINE,
                    {
                        "id": 502,
                        "line_type": "EnumLineTypeCharge",
                        "product_id": 0,
                        "warehouse_id": 0,
                        "tax_code_id": 0,
                        "line_total_value": -0.01,
                    },
                ],
            }
        ],
    ),
    "full-product": (
        "products",
        [{"id": 1, "code": "OLD", "barcode": "0012345678905", "inactivation_date": "2026-03-29T00:00:00Z"}],
    ),
    "full-holding": (
        "warehouse_holdings",
        [
            {
                "id": 1,
                "product_id": 2,
                "warehouse_id": 3,
                "quantity_in_stock": 12.0625,
                "quantity_reserved": 0.5,
                "quantity_on_order": 100000.25,
            }
        ],
    ),
    "full-despatch": (
        "despatch_lines",
        [
            {
                "sop_despatch_line_id": 1,
                "sop_despatch_line_quantity": 0.5,
                "sop_order_id": 2,
                "sop_order_line_id": 3,
                "sop_despatch_date": "2026-03-29T00:00:00Z",
                "sop_despatch_courier_name": "Pretend Parcels",
                "sop_despatch_consignment_no": " PP000000001GB ",
                "date_time_updated": "2026-03-29T01:30:00.123Z",
            }
        ],
    ),
    "full-posting": (
        "sales_posted_transactions",
        [
            {
                "id": 1,
                "customer_id": 2,
                "urn": 3,
                "document_gross_value": -1e2,
                "date_time_created": "2026-03-29T01:30:00Z",
            }
        ],
    ),
}

LINE: dict[str, Any] = {
    "type": "ORDER_AMOUNT",
    "amount": 12.5,
    "currency_iso_code": "GBP",
    "date_created": "2026-06-30T23:30:00.25+01:00",
    "last_updated": "2026-07-01T10:00:00Z",
}
LINES = {
    "data": [
        {**LINE, "id": "line-0"},
        LINE,
        {**LINE, "id": "line-2", "amount": None},
        {**LINE, "id": "line-3", "amount": "12,5"},
        {**LINE, "id": "line-4", "date_created": "2026-06-30T23:30:00"},
        {**LINE, "id": "line-5", "type": "MOONLIGHT_FEE"},
        {**LINE, "id": "line-6", "brand_new": {"nested": True}},
        "not an object",
    ]
}


def order(number: int, refund_amount: Any) -> dict[str, Any]:
    """An order whose refund sits two lists down, sent to an address in York."""
    amounts = {"price": 10.0, "shipping_price": 2.5, "total_price": 12.5}
    part = {"payable_to_shop": True, "amount": 1.0}
    line = {
        "order_line_id": f"order-{number}-1",
        "order_line_state": "SHIPPED",
        "quantity": 1,
        **amounts,
        "price_amount_breakdown": {
            "parts": [{**part, "debitable_from_customer": True}, {**part, "debitable_from_customer": False}]
        },
        "refunds": [{"id": f"{number}", "amount": refund_amount, "taxes": [{"code": "VAT", "amount": 0.1}]}],
    }
    return {
        "order_id": f"order-{number}",
        "created_date": "2026-06-01T10:00:00Z",
        "last_updated_date": "2026-06-02T10:00:00Z",
        "currency_iso_code": "GBP",
        "order_state": "SHIPPED",
        **amounts,
        "customer": {"shipping_address": {"country_iso_code": "GBR", "zip_code": "YO1 1AA"}},
        "order_lines": [line],
    }


@dataclass
class Document:
    """An answer under an account's name. `later` is what the same account answers to a second extraction."""

    vendor: str
    entity: str
    body: bytes
    later: bytes | None = None

    def records(self, body: bytes | None = None) -> list[Any]:
        content = parsed(self.body if body is None else body)
        if isinstance(content, list):
            return content
        return content[LISTS[self.entity]] if self.entity in LISTS else [content]

    @property
    def versions(self) -> list[bytes]:
        return [self.body] if self.later is None else [self.body, self.later]


@dataclass
class Arrived:
    """The end of the road: a warehouse with staging built, and what was asked of the server."""

    settings: Settings
    documents: Mapping[str, Document] = field(repr=False)
    asked: list[Asked] = field(repr=False, default_factory=list)

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with connect(self.settings) as connection:
            return connection.execute(sql, list(parameters)).fetchall()


def encoded(content: Any) -> bytes:
    return json.dumps(content).encode()


def published(payloads: Path, contracts: Path) -> dict[str, Document]:  # noqa: F811
    """Every payload, and every example of the specifications, that answers a call used here."""
    documents = {}
    for file in sorted((payloads / "mirakl").rglob("*.json")):
        entity = MIRAKL_PAYLOADS.get(file.stem.partition("-")[0])
        if entity is not None:
            body = file.read_bytes()
            if entity in LISTS and LISTS[entity] not in parsed(body):
                # The page on refunds shows the order alone; the call answers with a list.
                body = b'{"%s":[%s],"total_count":1}' % (LISTS[entity].encode(), body)
            documents[file.stem] = Document("mirakl", entity, body)
    for name, entity in SAGE_PAYLOADS.items():
        body = (payloads / "sage200" / f"{name}.json").read_bytes()
        documents[name] = Document("sage200", entity, body if body.lstrip().startswith(b"[") else b"[" + body + b"]")
    for side in ("seller", "operator"):
        paths = json.loads((contracts / "mirakl" / f"mirakl-mmp-{side}-openapi.json").read_bytes())["paths"]
        for (vendor, entity), path in PATHS.items():
            if vendor != "mirakl" or "get" not in paths.get(path, {}):
                continue
            answer = paths[path]["get"]["responses"]["200"]["content"]["application/json"]
            for name, example in answer["examples"].items():
                account = f"{side}-{entity}-{name.rpartition('-')[2]}"
                documents[account] = Document(vendor, entity, encoded(example["value"]))
    return documents


def written_here(payloads: Path) -> dict[str, Document]:  # noqa: F811
    """Answers with bad records among good ones, and answers that change between two extractions."""
    lines = json.loads((payloads / "mirakl/finance/tl02-seller.json").read_bytes())
    changed = json.loads(encoded(lines))
    changed["data"][0] |= {"payment_state": "PAID", "last_updated": "2026-07-21T01:00:00.5+01:00"}
    offers = json.loads((payloads / "mirakl/offers/of21-response-0.json").read_bytes())
    sold_out = json.loads(encoded(offers))
    sold_out["offers"][0] |= {
        "quantity": 0,
        "active": False,
        "inactivity_reasons": ["ZERO_QUANTITY", "PRICE_SUSPICIOUS"],
    }
    shops_own = {
        f"of-a-shop-{entity}": Document(
            "mirakl", entity, encoded({"data": [record | {"shop_id": 30_001} for record in parsed(body)["data"]]})
        )
        for entity, body in (
            (entity, (payloads / f"mirakl/shipments/{file}.json").read_bytes())
            for file, entity in (
                ("rt11-returns", "returns"),
                ("st11-response", "shipments"),
                ("st12-response", "items_to_ship"),
            )
        )
    }
    orders = {"orders": [order(0, 1.25), order(1, "1,25"), order(2, 0.0001)], "total_count": 3}
    stock = [
        {"id": 1, "product_id": 1, "warehouse_id": 1},
        {"id": 2, "product_id": 2, "warehouse_id": 0, "quantity_in_stock": 3, "free_stock_available": -1},
    ]
    return {
        "bad-lines": Document("mirakl", "transaction_lines", encoded(LINES)),
        "bad-order": Document("mirakl", "orders", encoded(orders)),
        "bad-stock": Document("sage200", "warehouse_holdings", encoded(stock)),
        **{a: Document("sage200", entity, encoded(records)) for a, (entity, records) in SAGE_WRITTEN.items()},
        "again-lines": Document("mirakl", "transaction_lines", encoded(lines), encoded(changed)),
        "again-offers": Document("mirakl", "offers", encoded(offers), encoded(sold_out)),
        # No example prints the shop of an operator's record.
        **shops_own,
    }


def answering(documents: Mapping[str, Document], is_later: Callable[[], bool]) -> Callable[[Asked], Reply]:
    """The vendors: the account is the first part of the path, the rest is the vendor's own."""

    def answer(asked: Asked) -> Reply:
        if asked.path == "/token":
            return Reply(200, b'{"access_token":"a","refresh_token":"r","expires_in":3600}')
        _, account, path = asked.path.split("/", 2)
        document = documents[account]
        assert PATHS[document.vendor, document.entity] == f"/{path}"
        body = document.later if is_later() and document.later is not None else document.body
        if "page_token" in asked.parameters:
            body = b'{"data":[]}'  # what an example's `"next_page_token": "string"` leads to
        if "$count" in asked.parameters:
            body = str(len(document.records())).encode()
        return Reply(200, body, {"Content-Type": "application/json"})

    return answer


def connector(server: Server, account: str, vendor: str) -> MiraklConnector | Sage200Connector:
    url = f"{server.url}/{account}"
    if vendor == "mirakl":
        # An operator takes records of any shop, and the examples show several.
        return MiraklConnector(account, url, None, "key", perspective="OPERATOR", clock=lambda: NOW)
    credentials = MemoryCredentialStore("r")
    return Sage200Connector(
        account, url, f"{server.url}/token", "site", 7, credentials, "id", "secret", clock=lambda: NOW
    )


def land(settings: Settings, server: Server, documents: Mapping[str, Document], run: str) -> None:
    with State(settings.state_path) as state:
        landing = Landing(settings, state, run)
        for account, document in documents.items():
            with closing(connector(server, account, document.vendor)) as source:
                landing.land(feed_spec(document.vendor, document.entity), account, source, overlap=timedelta(days=1))


@pytest.fixture(scope="module")
def arrived(
    tmp_path_factory: pytest.TempPathFactory,
    payloads: Path,  # noqa: F811
    contracts: Path,  # noqa: F811
) -> Arrived:
    folder = tmp_path_factory.mktemp("real-input")
    settings = Settings.model_validate({"data_dir": folder, "as_of": "2026-07-03T08:00:00Z", "retry_wait_seconds": 0.0})
    documents = published(payloads, contracts) | written_here(payloads)
    changing = {account: document for account, document in documents.items() if document.later is not None}
    extraction = [0]
    result = Arrived(settings, documents)
    with serving(answering(documents, lambda: extraction[0] > 0)) as server:
        for accounts in (documents, changing):
            land(settings, server, accounts, f"run-{extraction[0]}")
            loading.load(settings)
            extraction[0] += 1
        result.asked = server.asked
    # Neither the models of the configuration, which examples do not share, nor the tests of a real shop's data.
    built = dbt.build(settings, select=STAGING, exclude=["resource_type:test"])
    assert built.ok, (built.error, built.failures)
    return result


def accounts_of(arrived: Arrived, model: Expectation) -> dict[str, Document]:
    return {a: d for a, d in arrived.documents.items() if (d.vendor, d.entity) == (model.vendor, model.entity)}


def accepted(account: str, document: Document) -> list[Any]:
    """The records that must arrive: of the newest answer, all but those in the table of refusals."""
    refused = {position for position, *_ in REFUSED.get(account, ())}
    return [r for position, r in enumerate(document.records(document.versions[-1])) if position not in refused]


def staged_rows(arrived: Arrived, name: str) -> dict[str, Counter[tuple[Any, ...]]]:
    model = MODELS[name]
    owner = "marketplace_code" if model.vendor == "mirakl" else "erp_code"
    rows: dict[str, Counter[tuple[Any, ...]]] = {}
    table = name.partition(" ")[0]
    sql = f"select {owner}, {', '.join(model.cells)} from staging.{table} where {model.only}"
    for account, *values in arrived.query(sql):
        rows.setdefault(account, Counter())[tuple(values)] += 1
    return rows


def test_every_payload_of_a_call_used_here_is_served(payloads: Path, arrived: Arrived) -> None:  # noqa: F811
    sage = {file.stem for file in (payloads / "sage200").glob("*.json")}
    assert sage == SAGE_PAYLOADS.keys() | SAGE_NOT_READ.keys()
    kinds = Counter(d.entity for a, d in arrived.documents.items() if d.vendor == "mirakl")
    assert kinds.keys() == {entity for vendor, entity in PATHS if vendor == "mirakl"}
    assert set(MIRAKL_PAYLOADS.values()) <= kinds.keys()
    assert min(kinds.values()) >= 3
    asked = {asked.path for asked in arrived.asked}
    assert {f"/{a}{PATHS[d.vendor, d.entity]}" for a, d in arrived.documents.items()} <= asked


@pytest.mark.parametrize("account", SAGE_SCHEMAS)
def test_what_is_written_here_for_sage_has_the_members_of_its_specification(contracts: Path, account: str) -> None:  # noqa: F811
    file, schema = SAGE_SCHEMAS[account]
    schemas = json.loads((contracts / "sage200" / "openapi" / file).read_bytes())["components"]["schemas"]
    (record,) = SAGE_WRITTEN[account][1]
    assert record.keys() <= schemas[schema]["properties"].keys()
    for line in record.get("lines", ()):
        assert line.keys() <= schemas["sop_order_line"]["properties"].keys()


def differences(model: Expectation, got: Counter[Any], wanted: Counter[Any]) -> dict[str, tuple[list[Any], list[Any]]]:
    """For the reader of a failure: by column, the values that are too many and those that are missing."""
    extra, missing = (list((a - b).elements()) for a, b in ((got, wanted), (wanted, got)))
    columns = {c: ([r[n] for r in extra], [r[n] for r in missing]) for n, c in enumerate(model.cells)}
    return {column: (found, expected) for column, (found, expected) in columns.items() if found != expected}


@pytest.mark.parametrize("name", MODELS)
def test_every_value_arrives_in_staging_exactly(arrived: Arrived, name: str) -> None:
    model = MODELS[name]
    staged = staged_rows(arrived, name)
    filled: set[str] = set()
    for account, document in accounts_of(arrived, model).items():
        wanted = Counter(row for record in accepted(account, document) for row in model.of(record))
        got = staged.pop(account, Counter())
        assert got == wanted, (account, differences(model, got, wanted))
        filled |= {
            column for row in wanted for column, value in zip(model.cells, row, strict=True) if value is not None
        }
    assert staged == {}, "rows of an account that nobody served"
    never = {column for model_name, column in NEVER_FILLED if model_name == name}
    assert model.cells.keys() - filled == never, "columns that no answer here fills prove nothing"


@pytest.mark.parametrize("name", MODELS)
def test_no_column_of_staging_is_left_out_of_the_comparison(arrived: Arrived, name: str) -> None:
    columns = {
        column
        for (column,) in arrived.query(
            "select column_name from duckdb_columns() where schema_name = 'staging' and table_name = ?",
            name.partition(" ")[0],
        )
    }
    own = {"marketplace_code", "erp_code", "_file", "_position", "fetched_at", "line_index"}
    assert columns - own == MODELS[name].cells.keys()


def test_every_record_is_counted_at_every_step(arrived: Arrived) -> None:
    landed = dict(arrived.query("select account, sum(record_count)::int from raw.landing_files group by account"))
    received = dict(arrived.query("select account, sum(records_received)::int from raw.batches group by account"))
    loaded = {
        account: counts
        for account, *counts in arrived.query(
            """
            select account, sum(inserted)::int, sum(duplicates)::int, sum(quarantined)::int
            from raw.loaded_files
            group by account
            """
        )
    }
    quarantined = dict(arrived.query("select account, count(*) from raw.quarantine group by account"))
    staged = {
        (vendor, account): (raw, current, kept)
        for vendor, account, raw, current, kept in arrived.query(
            "select vendor, account, raw_count, current_count, staged_count from staging.stg_tieout__raw_counts"
        )
    }
    roots = {feed_spec(d.vendor, d.entity).tables[0].name for d in arrived.documents.values()}
    counting = " union all ".join(f"select _account from raw.{root}" for root in sorted(roots))
    raw = dict(arrived.query(f"select _account, count(*) from ({counting}) group by _account"))
    for account, document in arrived.documents.items():
        served = sum(len(document.records(body)) for body in document.versions)
        inserted, duplicates, refused = loaded[account]
        assert served == received[account] == landed[account] == inserted + duplicates + refused, account
        assert (raw.get(account, 0), refused) == (inserted, len(REFUSED.get(account, ()))), account
        assert refused == quarantined.get(account, 0), account
        newest = len(accepted(account, document))
        if inserted:
            assert staged[document.vendor, account] == (inserted, newest, newest), account
    # A second extraction of a change feed brings one new version; of a snapshot, a whole new one.
    assert (loaded["again-lines"], loaded["again-offers"]) == ([6, 4, 0], [2, 0, 0])


def test_the_counts_tie_but_for_totals_that_the_examples_themselves_get_wrong(arrived: Arrived) -> None:
    """The specification's generated examples say `"total_count": 0` beside one record."""
    found = {(m.feed, m.left, m.right) for m in loading.proved_counts(arrived.settings)}
    assert found == {
        ("mirakl/seller-orders-auto/orders", 0, 1),
        ("mirakl/operator-orders-auto/orders", 0, 1),
        ("mirakl/seller-invoices-auto/invoices", 0, 1),
        ("mirakl/operator-invoices-auto/invoices", 0, 1),
        ("mirakl/seller-offers-auto/offers", 0, 1),
    }


def test_the_evidence_is_what_was_served_byte_for_byte(arrived: Arrived) -> None:
    kept: dict[str, list[bytes]] = {}
    for account, path, digest in arrived.query(
        "select account, path, sha256 from raw.landing_files where record_count > 0 order by path"
    ):
        # Of pages with customers the evidence holds these apart, under their keys.
        body = received_page(arrived.settings, path, digest)
        assert body is not None
        kept.setdefault(account, []).append(body)
    assert kept == {account: document.versions for account, document in arrived.documents.items()}


def test_each_refused_record_is_quarantined_with_file_position_field_and_reason(arrived: Arrived) -> None:
    rows = arrived.query(
        """
        select
            q.account, q.vendor, q.entity, f.account, q.record_position, q.record_id, q.field_name, q.reason_code,
            q.reason
        from staging.stg_tieout__quarantine as q
        inner join staging.stg_tieout__landing_files as f on q.file_path = f.file_path
        """
    )
    found: dict[str, set[tuple[Any, ...]]] = {}
    for account, vendor, entity, owner_of_file, *refusal, reason in rows:
        document = arrived.documents[account]
        assert (vendor, entity, owner_of_file) == (document.vendor, document.entity, account)
        assert reason == REASONS[refusal[-1]]
        found.setdefault(account, set()).add(tuple(refusal))
    assert found == REFUSED
    assert len(rows) == sum(map(len, REFUSED.values()))


def test_what_the_vendor_does_not_document_is_counted_and_the_record_kept(arrived: Arrived) -> None:
    counted = arrived.query(
        "select kind, name, occurrences from raw.unknown_fields where account = 'bad-lines' order by 1"
    )
    assert counted == [("FIELD", "brand_new", 1), ("VALUE", "type=MOONLIGHT_FEE", 1)]
    sellers = arrived.query(
        "select account, name from raw.unknown_fields where kind = 'FIELD' and account like 'seller-%'"
    )
    assert sellers == [], "what the seller's specification prints is known"


def test_the_stock_import_of_the_specification_is_read_and_never_taken_for_done(payloads: Path) -> None:  # noqa: F811
    """STO01 and STO02: the import's example is WAITING, so the outcome of the action is unknown, and says why."""
    started = (payloads / "mirakl/offers/sto01-response-auto.json").read_bytes()
    waiting = (payloads / "mirakl/offers/sto02-response-auto.json").read_bytes()
    status = f"/api/offers/stock/imports/{parsed(started)['import_id']}/status"

    def answer(asked: Asked) -> Reply:
        if asked.method == "POST":
            return Reply(201, started)
        assert asked.path == status
        return Reply(200, waiting)

    action = Action("a", "w", "STOCK", "BRICO", "BRICO", {"shop_sku": "S2000", "quantity": 3})
    with serving(answer) as server, closing(MiraklConnector("BRICO", server.url, 2042, "key")) as mirakl:
        delivery = StockDelivery(mirakl, poll_seconds=0.01, maximum_wait_seconds=0.02, sleep=lambda _: None)
        result = delivery.send([action])["a"]
    assert (result.outcome, result.vendor_ids) == (Outcome.UNKNOWN, ("string",))
    assert "still WAITING" in result.detail


def test_the_recorded_list_of_sites_passes_the_check_of_site_and_company(payloads: Path) -> None:  # noqa: F811
    body = (payloads / "sage200/sites_list.json").read_bytes()
    (site,) = parsed(body)

    def answer(asked: Asked) -> Reply:
        if asked.path == "/token":
            return Reply(200, b'{"access_token":"a","refresh_token":"r","expires_in":3600}')
        # A site without anything else: an answer that cannot be read would be asked for again and again.
        return Reply(200, body) if asked.path == "/sites" else Reply(404, b"{}")

    with serving(answer) as server:
        token = f"{server.url}/token"
        for company, is_ok, detail in (
            (site["company_id"], True, f"company {site['company_id']} {site['company_name']}"),
            (999, False, "has no company 999, only 123 (APITestCompany)"),
        ):
            with closing(
                Sage200Connector("S", server.url, token, site["site_id"], company, MemoryCredentialStore("r"), "i", "s")
            ) as sage:
                first = sage.check()[0]
            assert (first.ok, detail in first.detail) == (is_ok, True)
