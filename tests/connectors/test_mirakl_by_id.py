"""Feeds that are read for ids: batches, one call each, files, and ids that the vendor does not know."""

from __future__ import annotations

import json
import logging
from hashlib import sha256
from typing import Any

import pytest

from connectors.errors import BadPayload, PermissionDenied
from connectors.feeds import REGISTRY, feed_spec
from connectors.mirakl import MiraklConnector
from connectors.records import Page, Window
from tests.connectors.conftest import NOW
from tests.connectors.server import Asked, Reply, serving

PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def read(entity: str, ids: tuple[str, ...], answer: Any, **more: Any) -> tuple[list[Page], list[Asked]]:
    with serving(answer) as server:
        mirakl = MiraklConnector("BRICO", server.url, 2042, "key", sleep=lambda _: None, clock=lambda: NOW, **more)
        return list(mirakl.pages(entity, Window(ids=ids))), server.asked


def test_documents_of_orders_are_asked_for_a_hundred_at_a_time() -> None:
    def answer(asked: Asked) -> Reply:
        ids = asked.parameters["order_ids"].split(",")
        documents = [{"id": n, "order_id": order, "type": "SYSTEM_DELIVERY_BILL"} for n, order in enumerate(ids)]
        return Reply(200, json.dumps({"order_documents": documents}).encode())

    pages, asked = read("order_documents", tuple(f"O{n}" for n in range(250)), answer)
    assert [(p.number, p.record_count) for p in pages] == [(1, 100), (2, 100), (3, 50)]
    assert [a.path for a in asked] == ["/api/orders/documents"] * 3
    assert all(a.parameters["shop_id"] == "2042" for a in asked)


def test_products_are_asked_for_by_reference_and_keep_it() -> None:
    products = [
        {"product_id_type": "EAN", "product_id": "9312432012041", "product_sku": "P1", "product_title": "Machine"},
        {"product_id_type": "EAN", "product_sku": "P2"},
    ]
    pages, asked = read(
        "products", ("EAN|9312432012041", "EAN|2"), lambda _: Reply(200, json.dumps({"products": products}).encode())
    )
    assert asked[0].parameters["product_references"] == "EAN|9312432012041,EAN|2"
    decoded = feed_spec("mirakl", "products").decoded(pages[0].body, pages[0].url)
    (row,) = decoded.tables["mirakl_products"].to_pylist()
    assert row["product_reference"] == "EAN|9312432012041"
    assert [(r.position, r.field, r.code) for r in decoded.rejects] == [(1, "product_id", "REQUIRED_MISSING")]


def test_lines_of_a_document_request_keep_the_request_that_they_do_not_name() -> None:
    def answer(asked: Asked) -> Reply:
        if asked.parameters.get("page_token") == "next":
            return Reply(200, b'{"data":[{"id":"c","quantity":1}],"next_page_token":null}')
        assert asked.path in {"/api/document-request/R%2F1/lines", "/api/document-request/R2/lines"}
        if asked.path.endswith("R2/lines"):
            return Reply(200, b'{"data":[]}')
        return Reply(200, b'{"data":[{"id":"a"},{"id":"b"}],"next_page_token":"next"}')

    pages, _ = read("document_request_lines", ("R/1", "R2"), answer)
    assert [(p.number, p.record_count) for p in pages] == [(1, 2), (2, 1), (3, 0)]
    spec = feed_spec("mirakl", "document_request_lines")
    rows = [r for p in pages for r in spec.decoded(p.body, p.url).tables["mirakl_document_request_lines"].to_pylist()]
    assert [(r["id"], r["document_request_id"]) for r in rows] == [("a", "R/1"), ("b", "R/1"), ("c", "R/1")]


def test_a_document_is_kept_whole_as_evidence() -> None:
    pages, asked = read("invoice_files", ("4711",), lambda _: Reply(200, PDF, {"Content-Type": "application/pdf"}))
    assert (asked[0].path, asked[0].headers["accept"]) == ("/api/invoices/4711", "*/*")
    (page,) = pages
    assert page.body == PDF
    decoded = feed_spec("mirakl", "invoice_files").decoded(page.body, page.url)
    (row,) = decoded.tables["mirakl_invoice_files"].to_pylist()
    assert row == {
        "_position": 0,
        "_hash": page.record_hashes[0].hex(),
        "document_id": "4711",
        "sha256": sha256(PDF).hexdigest(),
        "byte_count": str(len(PDF)),
        "content_type": "application/pdf",
    }


@pytest.mark.parametrize("body", [b"", b"  ", b'{"message":"wait"}', b"<!DOCTYPE html><p>login</p>", b"<HTML>"])
def test_what_is_no_document_is_not_kept_as_one(body: bytes) -> None:
    with pytest.raises(BadPayload, match="no document"):
        read("invoice_files", ("4711",), lambda _: Reply(200, body))


def test_an_id_that_is_gone_is_passed_over_and_said(caplog: pytest.LogCaptureFixture) -> None:
    def answer(asked: Asked) -> Reply:
        number = asked.path.rpartition("/")[2]
        return Reply(404, b'{"message":"gone"}') if number == "2" else Reply(200, b'{"offer_id":%s}' % number.encode())

    with caplog.at_level(logging.WARNING):
        pages, _ = read("offer_details", ("1", "2", "3"), answer)
    assert [(p.number, json.loads(p.body)["offer_id"]) for p in pages] == [(1, 1), (2, 3)]
    assert "id 2 is not known there" in caplog.text


def test_a_missing_right_ends_the_feed() -> None:
    with pytest.raises(PermissionDenied):
        read("order_documents", ("O1",), lambda _: Reply(403))


@pytest.mark.parametrize("entity", [e for e, spec in REGISTRY["mirakl"].items() if spec.mode == "by_id"])
def test_without_ids_nothing_is_asked_for(entity: str) -> None:
    assert read(entity, (), lambda _: Reply(500)) == ([], [])


def test_every_feed_by_id_says_where_its_ids_come_from() -> None:
    columns = {t.name: {c.name for c in t.columns} for spec in REGISTRY["mirakl"].values() for t in spec.tables}
    by_id = [spec for spec in REGISTRY["mirakl"].values() if spec.mode == "by_id"]
    assert len(by_id) == 5
    for spec in by_id:
        source = spec.ids_from
        assert source is not None
        assert {source.column, source.version_column or source.column} <= columns[source.table]
        assert source.held_as in columns[spec.tables[0].name]
    assert all(spec.ids_from is None for spec in REGISTRY["mirakl"].values() if spec.mode != "by_id")
