"""Writes on whole orders: acceptance (OR21), tracking (OR23), shipping (OR24), cancelation (OR29), incidents (OR64)."""

from datetime import datetime
from typing import Any

from starlette.responses import Response

from sandbox import jsonio
from sandbox.mirakl import flow, flow_orders, flow_refunds
from sandbox.mirakl.account import MiraklAccount
from sandbox.mirakl.calls import SELLERS, Call, Endpoint, admin_or
from sandbox.mirakl.flow_records import Record, is_multi_shipment, order_of, wrong_state
from sandbox.mirakl.flow_worklists import shipments_of
from sandbox.mirakl.values import BadParameter
from sandbox.mirakl.writes_bodies import OrderTracking, ReasonBody, Tracking, read
from sandbox.mirakl_shop import MiraklShop, RuleError

CANCELED_BY_SELLER = "CANCELED_BY_SHOP"


def write(call: Call, operation: str, **data: Any) -> Any:
    """Journals a checked change and returns what carrying it out returned."""
    head = {"marketplace": call.account.code, "shop_id": call.shop.shop_id}
    return call.account.journal.write(operation, head | data)


def subject(account: MiraklAccount, data: dict[str, Any]) -> MiraklShop:
    return account.shops[data["shop_id"]]


# --- OR21


async def _accept(call: Call) -> Response:
    order_id = call.request.path_params["order_id"]
    decisions = _decisions(await call.request.body())
    allowed = call.account.settings.is_partial_acceptance_allowed
    flow_orders.check_decision(call.shop, order_id, decisions, allowed)
    write(call, "OR21", order_id=order_id, decisions=dict(decisions))
    return Response(status_code=204)


def _decisions(body: bytes) -> list[tuple[str, bool]]:
    """OR21's body. Raises RuleError with the platform's codes."""
    try:
        content = jsonio.decode(body)
        lines = content["order_lines"]
    except (ValueError, KeyError, TypeError):
        raise RuleError(400, "VALIDATION_ERROR", "The request body is not valid") from None
    if not isinstance(lines, list) or not lines:
        raise RuleError(400, "VALIDATION_ERROR", "order_lines must not be empty")
    decisions: list[tuple[str, bool]] = []
    for line in lines:
        if line is None:
            raise RuleError(400, "ORDER_LINE_NULL_ELEMENT", "The order lines list contains a null element")
        if (
            not isinstance(line, dict)
            or not isinstance(line.get("id"), str)
            or not isinstance(line.get("accepted"), bool)
        ):
            raise RuleError(400, "VALIDATION_ERROR", "Each order line needs an id and a boolean 'accepted'")
        decisions.append((line["id"], line["accepted"]))
    return decisions


def _decide(account: MiraklAccount, data: dict[str, Any], at: datetime, _is_replay: bool) -> None:
    shop = subject(account, data)
    flow_orders.decide(shop, data["order_id"], data["decisions"], at)
    flow.watch(shop, account.settings, data["order_id"], at)


# --- OR23, OR24


def shown_tracking(shop: MiraklShop, wanted: Tracking, place: str = "") -> Record:
    """A tracking as the platform shows it. Raises BadParameter, RuleError.

    A registered carrier's URL is computed and a given one ignored; an unregistered carrier needs a name, and a platform
    that permits it.
    """
    number = wanted.tracking_number or None
    if wanted.carrier_code:
        carrier = next((one for one in shop.carriers if one["code"] == wanted.carrier_code), None)
        if carrier is None:
            text = f"Carrier with code '{wanted.carrier_code}' not found"
            raise BadParameter(f"{place}carrier_code", text)
        template = carrier.get("tracking_url") or ""
        if "{trackingId}" in template and not number:
            raise BadParameter(f"{place}tracking_number", "The tracking number is mandatory for this carrier")
        return {
            "carrier_code": carrier["code"],
            "carrier_name": carrier.get("label"),
            "carrier_standard_code": carrier.get("standard_code"),
            "tracking_number": number,
            "tracking_url": template.replace("{trackingId}", number or "") or None,
        }
    if (shop.platform.get("features") or {}).get("disable_seller_alternative_carrier"):
        raise BadParameter(f"{place}carrier_code", "Only registered carriers are allowed on this platform")
    if not wanted.carrier_name:
        raise BadParameter(f"{place}carrier_name", "A carrier code or a carrier name is mandatory")
    return {
        "carrier_code": None,
        "carrier_name": wanted.carrier_name,
        "carrier_standard_code": wanted.carrier_standard_code,
        "tracking_number": number,
        "tracking_url": wanted.tracking_url,
    }


def needs_tracking(shop: MiraklShop, record: Record) -> bool:
    """Whether the order's shipping method asks for a tracking number (SH12 `mandatory_tracking`)."""
    code = record.get("shipping_type_code")
    method = next((one for one in shop.world.shipping_methods if one.get("code") == code), {})
    return bool(method.get("mandatory_tracking"))


def _shipped_as_whole(shop: MiraklShop, order_id: str) -> Record:
    """The order, which goes out in one piece. Raises RuleError for one that was split into shipments."""
    record = order_of(shop, order_id)
    if is_multi_shipment(shop) and shipments_of(shop, order_id):
        raise RuleError(400, "ORDER_INVALID_STATE", f"Order '{order_id}' is shipped in several shipments")
    return record


async def _track(call: Call) -> Response:
    body = read(await call.request.body(), OrderTracking)
    record = _shipped_as_whole(call.shop, call.request.path_params["order_id"])
    if record["order_state"] not in ("SHIPPING", "SHIPPED", "TO_COLLECT"):
        raise wrong_state(record["order_id"], "SHIPPING", record["order_state"])
    wanted = Tracking(
        body.carrier_code, body.carrier_name, body.carrier_standard_code, body.tracking_number, body.carrier_url
    )
    write(call, "OR23", order_id=record["order_id"], tracking=shown_tracking(call.shop, wanted))
    return Response(status_code=204)


def _set_tracking(account: MiraklAccount, data: dict[str, Any], at: datetime, _is_replay: bool) -> None:
    shop = subject(account, data)
    flow_orders.set_tracking(shop, order_of(shop, data["order_id"]), data["tracking"], at)


async def _ship(call: Call) -> Response:
    record = _shipped_as_whole(call.shop, call.request.path_params["order_id"])
    if record["order_state"] != "SHIPPING":
        # The platform says no more than this.
        raise RuleError(400, "ORDER_INVALID_STATE", "The order is not in the expected state for this operation")
    if needs_tracking(call.shop, record) and not record.get("shipping_tracking"):
        raise RuleError(
            400, "TRACKING_MANDATORY", "A tracking number is mandatory for the shipping method of the order"
        )
    write(call, "OR24", order_id=record["order_id"])
    return Response(status_code=204)


def _set_shipped(account: MiraklAccount, data: dict[str, Any], at: datetime, _is_replay: bool) -> None:
    shop = subject(account, data)
    flow_orders.ship(shop, order_of(shop, data["order_id"]), at)
    flow.watch(shop, account.settings, data["order_id"], at)


# --- OR29, OR64


async def _cancel(call: Call) -> Response:
    record = order_of(call.shop, call.request.path_params["order_id"])
    if not record.get("can_cancel"):
        text = f"Order '{record['order_id']}' can no longer be canceled, current state: {record['order_state']}"
        raise RuleError(400, "ORDER_INVALID_STATE", text)
    write(call, "OR29", order_id=record["order_id"])
    return Response(status_code=204)


def _set_cancelled(account: MiraklAccount, data: dict[str, Any], at: datetime, _is_replay: bool) -> None:
    shop = subject(account, data)
    flow_refunds.cancel_order(shop, order_of(shop, data["order_id"]), CANCELED_BY_SELLER, at)


def line_of(record: Record, line_id: str) -> Record:
    line: Record | None = next((line for line in record["order_lines"] if line["order_line_id"] == line_id), None)
    if line is None:
        text = f"Order line '{line_id}' is not a line of '{record['order_id']}'"
        raise RuleError(404, "ORDER_LINE_NOT_FOUND", text)
    return line


def check_reason(shop: MiraklShop, code: str, kind: str, place: str, *, is_by_seller: bool = True) -> None:
    """A reason must be one of RE01's of its kind, and one that sellers may use. Platforms here without reasons accept
    any. Raises BadParameter."""
    known = {one["code"]: one for one in shop.world.reasons if one.get("type") == kind}
    if shop.world.reasons and code not in known:
        raise BadParameter(place, f"Reason '{code}' is not a reason of type {kind}")
    if known and is_by_seller and not known[code].get("is_shop_right", True):
        raise BadParameter(place, f"Reason '{code}' may not be used by a shop")


async def _resolve_incident(call: Call) -> Response:
    body = read(await call.request.body(), ReasonBody)
    record = order_of(call.shop, call.request.path_params["order_id"])
    line = line_of(record, call.request.path_params["line"])
    if line["order_line_state"] != "INCIDENT_OPEN":
        raise RuleError(400, "ORDER_LINE_INVALID_STATE", f"Order line '{line['order_line_id']}' has no open incident")
    check_reason(call.shop, body.reason_code, "INCIDENT_CLOSE", "reason_code")
    write(call, "OR64", order_id=record["order_id"], line=line["order_line_id"], reason=body.reason_code)
    return Response(status_code=204)


def _set_resolved(account: MiraklAccount, data: dict[str, Any], at: datetime, _is_replay: bool) -> None:
    shop = subject(account, data)
    record = order_of(shop, data["order_id"])
    flow_orders.resolve_incident(shop, record, line_of(record, data["line"]), data["reason"], at)


def _order_write(code: str, path: str, answer: Any, *roles: str) -> Endpoint:
    return Endpoint(code, "PUT", f"/api/orders/{{order_id}}/{path}", answer, roles=admin_or(*roles), sides=SELLERS)


WRITES = (
    _order_write("OR21", "accept", _accept, "ORDER_ACCEPT"),
    _order_write("OR23", "tracking", _track, "ORDER_TRACKING_WRITE"),
    _order_write("OR24", "ship", _ship, "ORDER_SHIP"),
    _order_write("OR29", "cancel", _cancel, "ORDER_CANCEL"),
    _order_write("OR64", "lines/{line}/resolve_incident", _resolve_incident, "ORDER_INCIDENT_RESOLVE"),
)
APPLIERS = {
    "OR21": _decide,
    "OR23": _set_tracking,
    "OR24": _set_shipped,
    "OR29": _set_cancelled,
    "OR64": _set_resolved,
}
