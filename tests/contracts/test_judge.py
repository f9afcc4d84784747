"""The judge can tell right from wrong: published examples, and what is planted in them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.conftest import document, strict_document
from tests.contracts.deviations import Documented, documented, read
from tests.contracts.exchange import Exchange
from tests.contracts.judge import Deviation, Judge
from tests.contracts.published import SIDES, Side, operations
from tests.contracts.report import Report
from tests.contracts.rules_mirakl import MiraklRules

pytestmark = [pytest.mark.contracts, pytest.mark.usefixtures("folder")]

KEYS = {"seller": "11111111-2222-3333-4444-555555555555", "operator": "Bearer token"}
LINE = {
    "id": "5561cedd-536a-4d0c-8671-c9f0fc5d1e87",
    "type": "COMMISSION_FEE",
    "amount": -5.1,
    "date_created": "2026-05-01T10:11:12Z",
}


@pytest.fixture(scope="module")
def judges(request: pytest.FixtureRequest) -> dict[Side, Judge]:
    return {side: Judge(strict_document(side), side, MiraklRules(strict_document(side), side)) for side in SIDES}


def exchange(
    path: str,
    answer: Any = b"",
    *,
    side: Side = "seller",
    method: str = "get",
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    status: int = 200,
    answer_type: str = "application/json",
    export: str | None = None,
) -> Exchange:
    return Exchange(
        side=side,
        method=method,
        path=path,
        query=tuple((query or {}).items()),
        headers={"authorization": KEYS[side], **(headers or {})},
        body=body,
        status=status,
        answer_headers={"content-type": answer_type},
        answer=answer if isinstance(answer, bytes) else json.dumps(answer).encode(),
        export=export,
    )


def found(judge: Judge, one: Exchange) -> list[tuple[str, str, str]]:
    verdict = judge.judge(one)
    return sorted({(f.deviation.part, f.deviation.kind, f.deviation.at) for f in verdict.findings})


LINES = "/api/sellerpayment/transactions_logs"


def test_a_call_as_published_has_no_deviation(judges: dict[Side, Judge]) -> None:
    one = exchange(LINES, {"data": [LINE]}, query={"payment_state": "PAID", "shop_id": "2042"})
    verdict = judges["seller"].judge(one)
    assert (verdict.call, verdict.findings) == ("TL02", ())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"colour": "red"}, ("undocumented member", "data[].colour")),
        ({"entities": {"order": {"nr": 1}}}, ("undocumented member", "data[].entities.order.nr")),
        ({"amount": "-5.1"}, ("type", "data[].amount")),
        ({"amount": None}, ("null", "data[].amount")),
        ({"date_created": "yesterday"}, ("format", "data[].date_created")),
        ({"type": "MOON_FEE"}, ("value", "data[].type")),
        ({"entities": []}, ("type", "data[].entities")),
    ],
)
def test_a_planted_difference_in_an_answer_is_found_where_it_is(
    judges: dict[Side, Judge], changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    one = exchange(LINES, {"data": [LINE, {**LINE, **changes}]})
    assert found(judges["seller"], one) == [("answer", *expected)]
    (finding,) = judges["seller"].judge(one).findings
    assert finding.place.startswith("data[1].")


def test_a_required_member_that_is_missing_is_found(judges: dict[Side, Judge]) -> None:
    assert found(judges["seller"], exchange(LINES, {})) == [("answer", "missing member", "data")]


@pytest.mark.parametrize(
    ("query", "kind", "at"),
    [
        ({"max": "100"}, "undocumented parameter", "max"),
        ({"payment_state": "LATE"}, "parameter", "payment_state"),
        ({"last_updated_from": "2026-05-01"}, "parameter", "last_updated_from"),
        ({"shop_id": "abc"}, "parameter", "shop_id"),
        ({"seller_billing_cycle_id": "short"}, "parameter", "seller_billing_cycle_id"),
    ],
)
def test_a_wrong_parameter_is_found(judges: dict[Side, Judge], query: dict[str, str], kind: str, at: str) -> None:
    assert found(judges["seller"], exchange(LINES, {"data": []}, query=query)) == [("request", kind, at)]


@pytest.mark.parametrize(("side", "key"), [("seller", "Bearer abc"), ("operator", "bare-key")])
def test_the_other_sides_form_of_key_is_found(judges: dict[Side, Judge], side: Side, key: str) -> None:
    one = exchange("/api/currencies", {"currencies": []}, side=side, headers={"authorization": key})
    assert ("request", "authorization", "") in found(judges[side], one)


def test_a_body_is_judged_by_its_schema(judges: dict[Side, Judge]) -> None:
    json_type = {"content-type": "application/json"}

    def accept(body: Any) -> list[tuple[str, str, str]]:
        content = json.dumps(body).encode()
        one = exchange("/api/orders/O1-A/accept", method="put", body=content, headers=json_type, status=204)
        return found(judges["seller"], one)

    assert accept({"order_lines": [{"id": "O1-A-1", "accepted": True}]}) == []
    assert accept({"order_lines": [{"id": "O1-A-1", "accepted": "yes"}]}) == [
        ("request", "type", "order_lines[].accepted")
    ]
    assert accept({"order_lines": [{"id": "O1-A-1"}]}) == [("request", "missing member", "order_lines[].accepted")]


def test_a_file_is_judged_by_its_parts(judges: dict[Side, Judge]) -> None:
    def upload(name: str) -> list[tuple[str, str, str]]:
        body = (
            f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="s.csv"\r\n'
            "Content-Type: text/csv\r\n\r\noffer-sku;quantity\nX;1\r\n--b--\r\n"
        ).encode()
        one = exchange(
            "/api/offers/stock/imports",
            {"import_id": "1"},
            method="post",
            body=body,
            headers={"content-type": "multipart/form-data; boundary=b"},
            status=201,
        )
        return found(judges["seller"], one)

    assert upload("file") == []
    assert upload("datei") == [("request", "missing member", "file")]


def test_what_is_not_published_is_found(judges: dict[Side, Judge]) -> None:
    assert judges["seller"].judge(exchange("/api/nonsense")).call == "?"
    assert found(judges["seller"], exchange("/api/payment/debit", {})) == [
        ("request", "unpublished call", "get /api/payment/debit")
    ]
    assert found(judges["seller"], exchange(LINES, b"<html>", answer_type="text/html")) == [
        ("answer", "media type", "")
    ]
    assert found(judges["seller"], exchange(LINES, b'{"data":[')) == [("answer", "body", "")]


def test_a_failure_is_an_undeclared_status_with_a_body_of_a_known_form(judges: dict[Side, Judge]) -> None:
    known = exchange(LINES, {"status": 403, "message": "Forbidden"}, status=403)
    assert found(judges["seller"], known) == [("answer", "status", "403")]
    strange = exchange(LINES, {"problem": "no"}, status=403)
    assert found(judges["seller"], strange) == [("answer", "error body", ""), ("answer", "status", "403")]


def test_calls_that_the_operators_document_leaves_out_are_judged_by_the_schemas_that_it_has(
    judges: dict[Side, Judge],
) -> None:
    debit = {"orders": {"order": [{"order_id": "O1", "amount": "1"}]}, "total_count": 1}
    one = exchange("/api/payment/debit", debit, side="operator")
    assert judges["operator"].judge(one).call == "PA11"
    assert ("answer", "type", "orders.order[].amount") in found(judges["operator"], one)
    lines = exchange(LINES, {"data": [{**LINE, "shop": {"id": 1}}]}, side="operator")
    assert found(judges["operator"], lines) == []


def test_an_export_file_is_judged_by_the_schema_of_its_download(judges: dict[Side, Judge]) -> None:
    rows = json.dumps(LINE).encode() + b"\n" + json.dumps({**LINE, "amount": "1"}).encode() + b"\n"
    one = exchange("/files/1", rows, answer_type="application/x-ndjson", query={"file": "x"}, export="TL05")
    assert judges["seller"].judge(one).call == "TL05"
    assert found(judges["seller"], one) == [("answer", "type", "[].amount")]


# --- the documented deviations


def published_examples() -> Iterator[tuple[Side, str, Exchange]]:
    """Every JSON example of a successful answer, as if it had been answered."""
    for side in SIDES:
        for call, method, path, operation in operations(document(side)):
            for status, answer in operation["responses"].items():
                for media_type, content in answer.get("content", {}).items():
                    for example in content.get("examples", {}).values():
                        if media_type == "application/json" and isinstance(example["value"], dict):
                            given = exchange(path, example["value"], side=side, method=method, status=int(status))
                            yield side, call, given


def test_every_deviation_that_names_published_examples_is_in_one(judges: dict[Side, Judge]) -> None:
    seen: set[Deviation] = set()
    for side, _, one in published_examples():
        seen |= {finding.deviation for finding in judges[side].judge(one).findings}
    entries = [entry for entry in read() if entry.source.startswith("published example")]
    assert entries
    for entry in entries:
        places = {(one.call, one.at) for one in seen if (one.part, one.kind) == (entry.part, entry.kind)}
        claimed = {(SAME_RECORDS.get(call, call), at) for call in entry.calls for at in entry.at}
        assert claimed <= places, f"no published example shows {entry.kind} at {sorted(claimed - places)}"


SAME_RECORDS = {"OR15": "OR11", "TL05": "TL02"}
"""Export files hold the records of the call that reads them page by page."""


def entry(**changes: Any) -> Documented:
    fields = {
        "calls": ["TL02"],
        "sides": ["seller"],
        "part": "answer",
        "kind": "null",
        "at": ["data[].id"],
        "source": "x" * 10,
        "why": "y" * 10,
    }
    return Documented.model_validate(fields | changes)


def test_an_entry_covers_its_calls_sides_and_places_only() -> None:
    deviation = Deviation("seller", "TL02", "answer", "null", "data[].id")
    assert documented(deviation, [entry()]) is not None
    for other in (
        {"calls": ["OR11"]},
        {"sides": ["operator"]},
        {"part": "request"},
        {"kind": "type"},
        {"at": ["data[]"]},
    ):
        assert documented(deviation, [entry(**other)]) is None


@pytest.mark.parametrize("missing", ["source", "why", "kind", "calls", "at"])
def test_an_entry_without_its_source_is_no_entry(tmp_path: Path, missing: str) -> None:
    lines = {"calls": '["TL02"]', "part": '"answer"', "kind": '"null"', "at": '["x"]', "source": '"mirakl.md 1.7"'}
    lines["why"] = '"because of it"'
    del lines[missing]
    file = tmp_path / "d.toml"
    file.write_text("[[deviation]]\n" + "\n".join(f"{name} = {value}" for name, value in lines.items()))
    with pytest.raises(ValueError, match=missing):
        read({file: ("seller",)})


def test_the_report_counts_and_names_what_is_not_documented(judges: dict[Side, Judge]) -> None:
    report = Report([entry(at=["data[].amount"])])
    report.add(exchange(LINES, {"data": [{**LINE, "amount": None}, {**LINE, "amount": None, "new": 1}]}), judges)
    text = "\n".join(report.lines())
    assert [deviation.at for deviation in report.undocumented] == ["data[].new"]
    assert "seller   TL02          1        1           1             1" in text
    assert "UNDOCUMENTED: seller TL02 answer, undocumented member: data[].new, 1 places" in text
    assert text.endswith("1 calls, 1 requests and 1 answers validated; 1 documented deviations, 1 undocumented")
