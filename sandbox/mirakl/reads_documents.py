"""Reads of requested documents and of messages: DR11, DR12, M11."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from sandbox.mirakl.calls import Call, Endpoint
from sandbox.mirakl.records import Bound, Choice, Filter, each, member, only, record_page
from sandbox.mirakl.values import BadParameter
from sandbox.mirakl_shop import RuleError

REQUEST_STATES = frozenset({"STAGING", "TO_PROCESS", "ISSUED", "CANCELED"})
REQUEST_TYPES = frozenset({"INVOICE", "CREDIT_NOTE"})
ISSUER_TYPES = frozenset({"OPERATOR", "SHOP"})
ENTITY_TYPES = frozenset(
    {
        "PRODUCT_LOGISTIC_ORDER",
        "SHOP_BILLING_CYCLE_PURCHASE_ORDER",
        "LOGISTIC_PURCHASE_ORDER",
        "FEES",
        "ONE_OFF_FEES",
    }
)
THREAD_ENTITIES = frozenset({"MMP_ORDER", "MMP_OFFER", "MPS_ORDER", "MPS_SERVICE", "SELLER_OPERATOR"})

REQUEST_FILTERS: tuple[Filter, ...] = (
    Choice("id", only("id")),
    Choice("document_number", only("document_number")),
    Bound("date_created_from", member("date_created"), "FROM"),
    Bound("date_created_to", member("date_created"), "TO"),
    Bound("last_updated_from", member("last_updated"), "FROM"),
    Bound("last_updated_to", member("last_updated"), "TO"),
    Bound("issue_date_from", member("issue_date"), "FROM"),
    Bound("issue_date_to", member("issue_date"), "TO"),
    Choice("state", only("state"), REQUEST_STATES),
    Choice("type", only("type"), REQUEST_TYPES),
    Choice("issuer_type", only("issuer", "type"), ISSUER_TYPES),
    Choice("entity_id", only("entity_id")),
    Choice("entity_type", only("entity_type"), ENTITY_TYPES),
    Choice("shop_billing_cycle_id", only("entities", "shop_billing_cycle", "id")),
    Bound("shop_billing_cycle_from", member("entities", "shop_billing_cycle", "date_from"), "FROM"),
    Bound("shop_billing_cycle_to", member("entities", "shop_billing_cycle", "date_to"), "TO"),
    Choice("payment_state", only("payment_state"), frozenset({"PAID", "PENDING"})),
)


def _shop_of_request(record: Mapping[str, Any]) -> tuple[Any, ...]:
    """The shop of a document request: whichever of its two parties is a shop."""
    parties = (record.get("issuer") or {}, record.get("recipient") or {})
    return (record.get("shop_id"), *(party.get("id") for party in parties if party.get("type") == "SHOP"))


async def _requests(call: Call) -> Response:
    filters = REQUEST_FILTERS
    if call.is_operator:
        filters += (Choice("shop_ids", _shop_of_request, is_integer=True),)
    return record_page(call, call.shop.document_requests, filters, {"dateCreated": member("date_created")})


async def _request_lines(call: Call) -> Response:
    request_id = call.request.path_params["document_request_id"]
    if not any(record["id"] == request_id for record in call.shop.document_requests):
        raise RuleError(404, "DOCUMENT_REQUEST_NOT_FOUND", f"Document request '{request_id}' not found")
    lines = call.shop.world.document_request_lines.get(request_id, [])
    # The lines carry no time; they come in the order of their ids.
    return record_page(call, lines, (), {"dateCreated": member("date_created")}, is_ascending=True)


def _shown_thread(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "messages"}


async def _threads(call: Call) -> Response:
    with_messages = call.flag("with_messages") or False
    kind = call.one("entity_type", THREAD_ENTITIES)
    if call.many("entity_id", form="EITHER") and kind is None and not call.text("page_token"):
        raise BadParameter("entity_type", "'entity_type' must be specified when 'entity_id' is")
    filters: tuple[Filter, ...] = (
        Choice("entity_type", each("entities", "type"), THREAD_ENTITIES),
        Choice("entity_id", each("entities", "id"), form="EITHER"),
        Bound("updated_since", member("date_updated"), "FROM"),
        Choice("channel_codes", only("channel", "code"), form="EITHER"),
    )
    return record_page(
        call,
        call.shop.threads,
        filters,
        {"dateUpdated": member("date_updated")},
        default_limit=50,
        show=None if with_messages else _shown_thread,
    )


READS = (
    Endpoint("DR11", "GET", "/api/document-request/requests", _requests, roles=frozenset()),
    Endpoint("DR12", "GET", "/api/document-request/{document_request_id}/lines", _request_lines, roles=frozenset()),
    Endpoint("M11", "GET", "/api/inbox/threads", _threads, roles=frozenset()),
)
