"""Decoders: exact values, one bad record at a time, nothing lost, whatever JSON says."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.decoding import format_stamp, largest_id, newest_stamp, parse_stamp, plain_decimal, record_hash
from connectors.envelopes import Envelope, scanned_records
from connectors.errors import BadPayload
from connectors.feeds import REGISTRY, all_feeds, feed_spec
from connectors.mirakl.decode import DECODERS as MIRAKL_DECODERS
from connectors.records import Decoded, FeedSpec, Kind

LINE: dict[str, Any] = {
    "id": "5561cedd-536a-4d0c-8671-c9f0fc5d1e87",
    "type": "COMMISSION_FEE",
    "amount": -5.10,
    "amount_credited": 0,
    "amount_debited": 5.10,
    "balance": 12.30,
    "currency_iso_code": "GBP",
    "date_created": "2026-05-01T10:11:12.345Z",
    "last_updated": "2026-05-02T10:11:12Z",
    "payment_state": "PAID",
    "entities": {"domain": "PRODUCT", "order": {"id": "O1-A", "commercial_id": "O1"}, "order_line": {"id": "O1-A-1"}},
    "shop": {"id": 2042},
}
ORDER: dict[str, Any] = {
    "order_id": "O1-A",
    "commercial_id": "O1",
    "created_date": "2026-05-01T10:11:12Z",
    "last_updated_date": "2026-05-01T10:12:00Z",
    "currency_iso_code": "GBP",
    "order_state": "SHIPPING",
    "price": 20,
    "shipping_price": 3.5,
    "total_price": 23.5,
    "customer": {
        "firstname": "Jo",
        "shipping_address": {"country": "GBR", "zip_code": "yo1 1aa", "street_1": "1 High St"},
    },
    "order_lines": [
        {
            "order_line_id": "O1-A-1",
            "order_line_state": "SHIPPING",
            "quantity": 2,
            "price": 20,
            "shipping_price": 3.5,
            "total_price": 23.5,
            "offer_id": 77,
            "commission_taxes": [{"code": "VAT", "amount": 0.4, "rate": 20}],
            "refunds": [{"id": "9", "amount": 5, "state": "REFUNDED", "taxes": [{"code": "V", "amount": 1}]}],
            "price_amount_breakdown": {
                "parts": [
                    {"amount": 18.75, "payable_to_shop": True, "debitable_from_customer": True},
                    {"amount": 1.25, "payable_to_shop": True, "debitable_from_customer": False},
                ]
            },
        }
    ],
}
LINES = feed_spec("mirakl", "transaction_lines")
ORDERS = feed_spec("mirakl", "orders")


def decode_lines(*records: Any) -> Decoded:
    return LINES.decode(json.dumps({"data": list(records)}).encode())


def decode_orders(*records: Any) -> Decoded:
    return ORDERS.decode(json.dumps({"orders": list(records), "total_count": len(records)}).encode())


def changed(record: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {**copy.deepcopy(record), **members}


def without(record: dict[str, Any], member: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != member}


def rows(decoded: Decoded, table: str) -> list[dict[str, Any]]:
    return decoded.tables[table].to_pylist()


# --- values ---


@pytest.mark.parametrize(
    "number",
    ["0", "-0.5", "1.10", "0.1", "19.990", "12345678901234.5678", "0.30000000000000004", "-99999999999999", "1.00"],
)
def test_an_amount_arrives_as_the_vendors_exact_text(number: str) -> None:
    body = json.dumps({"data": [LINE]}).replace("-5.1", number, 1).encode()
    assert number.encode() in body
    assert rows(LINES.decode(body), "mirakl_transaction_lines")[0]["amount"] == number


@pytest.mark.parametrize(("sent", "text"), [("1.5e3", "1500"), ("12E-2", "0.12"), ('"7.25"', "7.25"), ("1E+2", "100")])
def test_a_number_in_another_spelling_keeps_its_value(sent: str, text: str) -> None:
    body = json.dumps({"data": [LINE]}).replace("-5.1", sent, 1).encode()
    decoded = LINES.decode(body)
    assert decoded.rejects == []
    assert rows(decoded, "mirakl_transaction_lines")[0]["amount"] == text


def test_ids_arrive_as_text_whether_sent_as_number_or_text() -> None:
    first, second = rows(
        decode_lines(LINE, changed(LINE, id=123456789012345678901234567890)), "mirakl_transaction_lines"
    )
    assert first["id"] == LINE["id"]
    assert second["id"] == "123456789012345678901234567890"
    assert first["shop_id"] == "2042"


def test_an_order_becomes_rows_of_every_table() -> None:
    decoded = decode_orders(ORDER, changed(ORDER, order_id="O2-A", order_lines=None))
    assert decoded.rejects == []
    orders = rows(decoded, "mirakl_orders")
    assert [o["order_id"] for o in orders] == ["O1-A", "O2-A"]
    assert orders[0]["ship_to_postcode_district"] == "YO1"
    line = rows(decoded, "mirakl_order_lines")[0]
    assert line["order_id"] == "O1-A"
    assert line["offer_id"] == "77"
    assert line["operator_funded_amount"] == "1.25"
    taxes = rows(decoded, "mirakl_order_line_taxes")
    assert [(t["parent_type"], t["parent_id"], t["tax_kind"], t["amount"], t["_index"]) for t in taxes] == [
        ("LINE", "O1-A-1", "COMMISSION", "0.4", 0),
        ("REFUND", "9", "PRICE", "1", 1),
    ]
    assert rows(decoded, "mirakl_order_line_refunds")[0]["refund_state"] == "REFUNDED"


def test_nothing_of_the_person_but_country_state_and_district_reaches_a_table() -> None:
    assert "High St" not in str(decode_orders(ORDER).tables)
    texts = {
        value for table in decode_orders(ORDER).tables.values() for row in table.to_pylist() for value in row.values()
    }
    assert not texts & {"Jo", "1 High St", "yo1 1aa"}


def test_positions_and_hashes_point_at_the_record_that_was_sent() -> None:
    body = b'{"data": [' + b", ".join(json.dumps(changed(LINE, id=f"L{n}")).encode() for n in range(3)) + b"]}"
    decoded = LINES.decode(body)
    found = rows(decoded, "mirakl_transaction_lines")
    assert [r["_position"] for r in found] == [0, 1, 2]
    assert found[1]["_hash"] == record_hash(json.dumps(changed(LINE, id="L1")).encode()).hex()


def test_every_decoded_table_has_exactly_the_columns_of_its_specification() -> None:
    for feeds in REGISTRY.values():
        for spec in feeds.values():
            if spec.vendor == "bank":
                continue
            decoded = spec.decode(EMPTY_PAGES[spec.vendor] if spec.vendor in EMPTY_PAGES else empty_page(spec))
            for table in spec.tables:
                own = "_index" if table.parent else "_hash"
                wanted = ["_position", own, *(c.name for c in table.columns)]
                assert decoded.tables[table.name].column_names == wanted, table.name


EMPTY_PAGES = {"sage200": b"[]", "netsuite": b'{"items":[]}'}


def empty_page(spec: FeedSpec) -> bytes:
    if spec.entity == "invoice_files":
        return b"%PDF-1.4"
    envelope = MIRAKL_DECODERS[spec.entity].envelope
    return b"{}" if envelope.is_single else json.dumps({envelope.member: []}).encode()


# --- one bad record at a time ---


@pytest.mark.parametrize(
    ("bad", "field", "code"),
    [
        (without(LINE, "id"), "id", "REQUIRED_MISSING"),
        (changed(LINE, id=""), "id", "REQUIRED_MISSING"),
        (changed(LINE, id=None), "id", "REQUIRED_MISSING"),
        (changed(LINE, id={"x": 1}), "id", "WRONG_TYPE"),
        (changed(LINE, amount=None), "amount", "REQUIRED_MISSING"),
        (without(LINE, "amount"), "amount", "REQUIRED_MISSING"),
        (changed(LINE, amount="twelve"), "amount", "NOT_A_NUMBER"),
        (changed(LINE, amount={}), "amount", "NOT_A_NUMBER"),
        (changed(LINE, amount=True), "amount", "NOT_A_NUMBER"),
        (changed(LINE, amount=10**20), "amount", "NOT_A_NUMBER"),
        (changed(LINE, balance="1,50"), "balance", "NOT_A_NUMBER"),
        (changed(LINE, date_created="yesterday"), "date_created", "BAD_TIMESTAMP"),
        (changed(LINE, date_created="2026-02-30T00:00:00Z"), "date_created", "BAD_TIMESTAMP"),
        (changed(LINE, date_created="2026-02-03T25:00:00Z"), "date_created", "BAD_TIMESTAMP"),
        (changed(LINE, date_created="2026-02-03T10:00:00"), "date_created", "BAD_TIMESTAMP"),
        (changed(LINE, last_updated=1751529600), "last_updated", "WRONG_TYPE"),
        (changed(LINE, type=None), "type", "REQUIRED_MISSING"),
        (changed(LINE, type=["COMMISSION_FEE"]), "type", "WRONG_TYPE"),
        (changed(LINE, entities="none"), "entities", "WRONG_TYPE"),
        (changed(LINE, entities={"order": []}), "entities.order", "WRONG_TYPE"),
        ("a text", "record", "WRONG_TYPE"),
        (None, "record", "WRONG_TYPE"),
        ([LINE], "record", "WRONG_TYPE"),
    ],
)
def test_a_bad_line_is_rejected_alone_with_field_and_reason(bad: Any, field: str, code: str) -> None:
    decoded = decode_lines(LINE, bad, changed(LINE, id="L3"))
    assert [(r.position, r.field, r.code) for r in decoded.rejects] == [(1, field, code)]
    found = rows(decoded, "mirakl_transaction_lines")
    assert [r["_position"] for r in found] == [0, 2]
    assert [r["amount"] for r in found] == ["-5.1", "-5.1"]
    assert decoded.record_count == 3
    if isinstance(bad, dict) and isinstance(bad.get("id"), str) and bad["id"]:
        assert decoded.rejects[0].record_id == LINE["id"]


def test_an_order_with_a_bad_line_goes_as_a_whole_so_that_no_order_lacks_a_line() -> None:
    bad = changed(ORDER, order_id="O2-A")
    bad["order_lines"][0]["price"] = "n/a"
    decoded = decode_orders(ORDER, bad)
    assert [(r.position, r.record_id, r.field) for r in decoded.rejects] == [(1, "O2-A", "order_lines.price")]
    assert {r["order_id"] for name in decoded.tables for r in rows(decoded, name)} == {"O1-A"}


def test_a_refunds_tax_without_an_amount_is_found_at_any_depth() -> None:
    bad = changed(ORDER)
    bad["order_lines"][0]["refunds"][0]["taxes"][0]["amount"] = None
    assert decode_orders(bad).rejects[0].code == "REQUIRED_MISSING"


def test_a_rejects_reason_never_repeats_the_value() -> None:
    for bad in (
        changed(LINE, amount="secret-12"),
        changed(LINE, id=["secret-12"]),
        changed(LINE, date_created="secret-12"),
    ):
        assert "secret-12" not in repr(decode_lines(bad).rejects)


def test_invalid_utf8_in_one_record_rejects_that_record() -> None:
    body = json.dumps({"data": [LINE, changed(LINE, id="XX"), LINE]}).encode().replace(b'"XX"', b'"\xff\xfe"')
    decoded = LINES.decode(body)
    assert [r.position for r in decoded.rejects] == [1]
    assert decoded.tables["mirakl_transaction_lines"].num_rows == 2


# --- what the vendor added ---


def test_unknown_fields_are_counted_by_path_and_lose_nothing() -> None:
    decoded = decode_lines(
        changed(LINE, new_member=1),
        changed(LINE, entities={"order": {"id": "O9", "colour": "red"}, "thing": {}}),
        changed(LINE, new_member=2),
    )
    assert decoded.unknown_fields == {"new_member": 2, "entities.order.colour": 1, "entities.thing": 1}
    assert decoded.rejects == []
    assert [r["order_id"] for r in rows(decoded, "mirakl_transaction_lines")] == ["O1-A", "O9", "O1-A"]


def test_unknown_enumeration_values_are_kept_and_counted() -> None:
    decoded = decode_lines(changed(LINE, type="MOON_FEE"), changed(LINE, type="MOON_FEE"), LINE)
    assert decoded.unknown_values == {"type=MOON_FEE": 2}
    assert [r["type"] for r in rows(decoded, "mirakl_transaction_lines")] == ["MOON_FEE", "MOON_FEE", "COMMISSION_FEE"]


def test_the_fast_and_the_slow_way_give_the_same_rows() -> None:
    fast = decode_lines(LINE, changed(LINE, id="L2", amount=7))
    slow = decode_lines(LINE, changed(LINE, id="L2", amount=7), {"id": []})
    assert fast.tables["mirakl_transaction_lines"].equals(slow.tables["mirakl_transaction_lines"])


# --- pages as wholes ---


@pytest.mark.parametrize(
    "body",
    [b"", b"  ", b"<html></html>", b'{"data":[{"id":"1"}', b"{}", b'{"data":null}', b'{"data":{}}', b"7", b"nonsense"],
)
def test_a_page_that_is_no_list_of_records_is_a_bad_payload(body: bytes) -> None:
    with pytest.raises(BadPayload) as caught:
        LINES.decode(body)
    assert caught.value.retryable is False


@pytest.mark.parametrize("body", ["[%s]", '{"value":[%s]}', " \n[ %s ]", '{"@odata.context":"x","value":[%s]}'])
def test_bare_lists_and_odata_envelopes_are_both_understood(body: str) -> None:
    record = '{"id":1,"code":1,"name":"Standard rate","tax_rate":20.00}'
    decoded = feed_spec("sage200", "tax_codes").decode((body % record).encode())
    assert rows(decoded, "sage200_tax_codes")[0]["tax_rate"] == "20.00"


def test_a_hostile_depth_of_nesting_is_refused_not_suffered() -> None:
    with pytest.raises(BadPayload):
        LINES.decode(b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}")


def test_pages_decoded_together_are_what_they_are_one_by_one() -> None:
    """Ordinary pages, an empty one, and ones with a bad record, a member and a value that nobody knows."""
    bad_line = changed(ORDER, order_id="O4-A")
    bad_line["order_lines"][0]["price"] = "n/a"
    sent: list[list[Any]] = [
        [ORDER, changed(ORDER, order_id="O2-A", order_lines=None)],
        [],
        [changed(ORDER, order_id="O3-A"), bad_line, changed(ORDER, order_id="O5-A", brand_new=1)],
        [{"order_id": []}, changed(ORDER, order_id="O6-A", order_state="DREAMING", channel={"code": "X"})],
        [],
    ]
    bodies = [json.dumps({"orders": records}).encode() for records in sent]
    decoder = MIRAKL_DECODERS["orders"]
    together = decoder.decode_pages([decoder.parse(body) for body in bodies])
    for number, body in enumerate(bodies):
        alone, page = decoder(body), together.pages[number]
        for name, table in alone.tables.items():
            common = together.tables[name]
            mine = common.filter(pc.equal(common["_page"], number)).drop_columns(["_page"])
            assert mine.to_pylist() == table.to_pylist(), name
        assert (page.rejects, page.record_count) == (alone.rejects, alone.record_count)
        assert page.unknown_fields == alone.unknown_fields
        assert page.unknown_values == alone.unknown_values
        assert page.missing_fields == alone.missing_fields
    assert [len(page.rejects) for page in together.pages] == [0, 0, 1, 1, 0]
    assert together.pages[3].unknown_values == {"order_state=DREAMING": 1}
    assert together.pages[2].unknown_fields == {"brand_new": 1}


# --- anything that JSON can say ---

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(allow_nan=False, allow_infinity=False).map(str)
    | st.text(max_size=20)
    | st.sampled_from(["2026-01-01T00:00:00Z", "2026-13-01", "12.50", "", "null"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def mutated(record: dict[str, Any]) -> st.SearchStrategy[Any]:
    """The record with some members, at any depth, replaced by anything or left out."""

    @st.composite
    def build(draw: st.DrawFn) -> Any:
        result = copy.deepcopy(record)
        for _ in range(draw(st.integers(0, 3))):
            holder: Any = result
            while isinstance(holder, dict) and holder:
                name = draw(st.sampled_from(sorted(holder)))
                below = holder[name][0] if isinstance(holder[name], list) and holder[name] else holder[name]
                if isinstance(below, dict) and draw(st.booleans()):
                    holder = below
                    continue
                if draw(st.booleans()):
                    holder[name] = draw(ANYTHING)
                else:
                    del holder[name]
                break
        return result

    return build() | ANYTHING


@pytest.mark.parametrize(
    ("spec", "record", "member"), [(LINES, LINE, "data"), (ORDERS, ORDER, "orders")], ids=["lines", "orders"]
)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.differing_executors]
)
@given(data=st.data())
def test_anything_that_json_can_say_is_decoded_or_rejected(
    spec: FeedSpec, record: dict[str, Any], member: str, data: st.DataObject
) -> None:
    sent = data.draw(st.lists(mutated(record), max_size=4))
    decoded = spec.decode(json.dumps({member: sent}).encode())
    root = decoded.tables[spec.tables[0].name]
    assert decoded.record_count == len(sent) == root.num_rows + len(decoded.rejects)
    kept = root["_position"].to_pylist()
    refused = [r.position for r in decoded.rejects]
    assert sorted(kept + refused) == list(range(len(sent)))
    for table in spec.tables:
        assert set(decoded.tables[table.name]["_position"].to_pylist()) <= set(kept)
        for column in table.columns:
            values = decoded.tables[table.name][column.name].to_pylist()
            if column.kind is Kind.AMOUNT:
                assert all(v is None or abs(Decimal(v)) < 10**14 for v in values)
            if column.kind is Kind.STAMP:
                assert all(v is None or parse_stamp(v) is not None for v in values)
            if not column.nullable:
                assert None not in values


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda t: t.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_a_page_or_a_bad_payload(body: bytes) -> None:
    for spec in (LINES, feed_spec("sage200", "banks"), feed_spec("mirakl", "account"), feed_spec("bank", "statements")):
        try:
            decoded = spec.decode(body)
        except BadPayload:
            continue
        assert decoded.record_count == decoded.tables[spec.tables[0].name].num_rows + len(decoded.rejects)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**12), max_value=10**12))
def test_a_plain_decimal_keeps_its_value(number: Decimal) -> None:
    for text in (str(number), f"{number:.6e}" if number == round(number, -6) else str(number)):
        plain = plain_decimal(text)
        assert plain is not None
        assert Decimal(plain) == Decimal(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "1.",
        ".5",
        "01",
        "NaN",
        "Infinity",
        "1e99",
        "1e-99",
        "0x1",
        "1_0",
        "١",
        " 1",
        "1\n",
        "--1",
        "1e",
        "9" * 100,
    ],
)
def test_what_is_not_a_decimal_is_not_taken_for_one(text: str) -> None:
    assert plain_decimal(text) in {None, "1"}  # a leading zero as in 01 is read as the number it is


# --- cursors ---


def test_stamps_are_compared_as_instants_not_as_text() -> None:
    now = datetime(2026, 7, 3, 8, tzinfo=UTC)
    stamps = ["2026-07-01T10:00:00Z", "2026-07-01T11:30:00+02:00", "2026-07-01T10:00:00.5Z", "no stamp"]
    assert newest_stamp(stamps, not_after=now) == "2026-07-01T10:00:00.500Z"


@given(
    st.lists(
        st.tuples(
            st.integers(-40, 40),
            st.sampled_from(
                [
                    "%Y-%m-%dT%H:%M:%SZ",
                    "%Y-%m-%dT%H:%MZ",
                    "%Y-%m-%dT%H:%M:%S.5Z",
                    "%Y-%m-%dT%H:%M:%S+02:00",
                    "%Y-%m-%d",
                    "9%Y",
                    "%Y-99-%dT%H:%M:%SZ",
                ]
            ),
        )
    )
)
def test_the_newest_of_stamps_in_many_forms_is_the_newest_instant(written: list[tuple[int, str]]) -> None:
    now = datetime(2026, 7, 3, 8, tzinfo=UTC)
    stamps = [(now + timedelta(hours=hours, minutes=7 * hours)).strftime(form) for hours, form in written]
    instants = [instant for instant in map(parse_stamp, stamps) if instant and instant <= now + timedelta(days=1)]
    expected = format_stamp(min(max(instants), now)) if instants else None
    assert newest_stamp(stamps, not_after=now) == expected


def test_a_stamp_in_the_far_future_moves_no_cursor() -> None:
    now = datetime(2026, 7, 3, 8, tzinfo=UTC)
    assert newest_stamp(["9999-12-31T23:59:59Z", "2026-07-01T10:00:00Z"], not_after=now) == "2026-07-01T10:00:00Z"
    assert newest_stamp(["9999-12-31T23:59:59Z"], not_after=now) is None


def test_ids_are_compared_as_numbers() -> None:
    assert largest_id(["9", "10", "x"]) == "10"
    assert largest_id([]) is None


def test_a_written_stamp_reads_back_as_the_same_instant() -> None:
    moment = datetime(2026, 7, 3, 8, 1, 2, 345000, tzinfo=UTC)
    assert parse_stamp(format_stamp(moment)) == moment


# --- the registry ---


def test_the_registry_names_what_it_lacks() -> None:
    with pytest.raises(KeyError, match=r"no vendor 'odoo'; there are mirakl, sage200, netsuite, bank"):
        all_feeds("odoo")
    with pytest.raises(KeyError, match="no feed 'cats'"):
        feed_spec("mirakl", "cats")


def test_table_names_are_unique_and_roots_come_first() -> None:
    names = [t.name for feeds in REGISTRY.values() for spec in feeds.values() for t in spec.tables]
    assert len(names) == len(set(names))
    for feeds in REGISTRY.values():
        for spec in feeds.values():
            root, *children = spec.tables
            assert root.parent is None
            assert all(c.parent == root.name for c in children)
            assert set(spec.id_columns) <= {c.name for c in root.columns}


@pytest.mark.parametrize(
    "body",
    [
        '{"orders":[{"order_id":"A"},{"order_id":"B"}],"total_count":2}',
        '{"total_count":2,"orders":[{"order_id":"A"},{"order_id":"B"}]}',
        '{"orders": [ {"order_id":"A"},\n{"order_id":"B"} ], "total_count":2}',
        '{"orders": [{"order_id":"A"}, {"order_id":"B"}\n], "total_count":2}',
    ],
)
def test_the_list_of_records_is_the_list_however_it_is_spaced(body: str) -> None:
    records, whole, members = scanned_records(body.encode(), Envelope("orders"), vendor="mirakl", call="OR11")
    assert json.loads(bytes(whole)) == json.loads(body)["orders"] == [json.loads(bytes(record)) for record in records]
    assert {name: bytes(value) for name, value in members.items()} == {"total_count": b"2"}
