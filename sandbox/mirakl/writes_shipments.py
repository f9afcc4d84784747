"""Shipments: ST01 create, ST06 delete, ST07 origin, ST23 tracking, ST24 ship. Each element succeeds or fails alone."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from starlette.responses import Response

from sandbox import jsonio
from sandbox.mirakl import flow, flow_shipments
from sandbox.mirakl.account import MiraklAccount
from sandbox.mirakl.calls import SELLERS, Call, Endpoint, admin_or, json_response
from sandbox.mirakl.flow_records import Record, is_multi_shipment, order_of
from sandbox.mirakl.values import BadParameter
from sandbox.mirakl.writes_bodies import (
    ShipmentBody,
    ShipmentIdBody,
    ShipmentOriginBody,
    ShipmentTrackingBody,
    plain,
    read,
)
from sandbox.mirakl.writes_orders import needs_tracking, shown_tracking, subject, write
from sandbox.mirakl_shop import RuleError

Outcome = tuple[Record | None, str | None]


def _require(call: Call) -> None:
    if not is_multi_shipment(call.shop):
        raise RuleError(400, "MULTI_SHIPMENT_DISABLED", "Orders of this platform are shipped as a whole")


def _each(
    call: Call, wanted: Iterable[Any], work: Callable[[Any], Record], name: str, key: str
) -> tuple[list[Record], list[Record]]:
    """(successes, errors) of the elements, one after another: an element sees what those before it did."""
    good, bad = [], []
    for one in wanted:
        try:
            good.append(work(one))
        except (RuleError, BadParameter) as error:
            bad.append({key: getattr(one, name), "message": error.message})
    return good, bad


def _answer(good: list[Record], bad: list[Record], status: int = 200) -> Response:
    return json_response(jsonio.encode({"shipment_errors": bad, "shipment_success": good}), status)


async def _create(call: Call) -> Response:
    _require(call)
    body = read(await call.request.body(), ShipmentBody)

    def create(one: Any) -> Record:
        wanted = plain(one)
        flow_shipments.check_shipment(call.shop, wanted)
        tracking = shown_tracking(call.shop, one.tracking) if one.tracking else None
        if one.shipped:
            _check_tracking(call, one.order_id, tracking)
        shipment: Record = write(call, "ST01", wanted=wanted, tracking=tracking)
        return shipment

    return _answer(*_each(call, body.shipments, create, "order_id", "order_id"), 201)


def _check_tracking(call: Call, order_id: str, tracking: Record | None) -> None:
    if needs_tracking(call.shop, order_of(call.shop, order_id)) and not (tracking or {}).get("tracking_number"):
        text = "A tracking number is mandatory for the shipping method of the order"
        raise RuleError(400, "TRACKING_MANDATORY", text)


async def _delete(call: Call) -> Response:
    _require(call)
    body = read(await call.request.body(), ShipmentIdBody)

    def delete(one: Any) -> Record:
        flow_shipments.shipment_in(call.shop, one.id, flow_shipments.OPEN)
        write(call, "ST06", shipment_id=one.id)
        return {"id": one.id}

    return _answer(*_each(call, body.shipments, delete, "id", "id"))


async def _set_origin(call: Call) -> Response:
    _require(call)
    body = read(await call.request.body(), ShipmentOriginBody)

    def move(one: Any) -> Record:
        flow_shipments.shipment_in(call.shop, one.id, flow_shipments.OPEN)
        origin = plain(one.shipping_from)
        write(call, "ST07", shipment_id=one.id, changes={"shipping_from": origin})
        return {"id": one.id, "shipping_from": origin}

    return _answer(*_each(call, body.shipments, move, "id", "id"))


async def _track(call: Call) -> Response:
    _require(call)
    body = read(await call.request.body(), ShipmentTrackingBody)

    def track(one: Any) -> Record:
        flow_shipments.shipment_in(call.shop, one.id, flow_shipments.OPEN, "SHIPPED", "TO_COLLECT")
        tracking = shown_tracking(call.shop, one.tracking, "tracking.")
        write(call, "ST23", shipment_id=one.id, changes={"tracking": tracking})
        return {"id": one.id}

    return _answer(*_each(call, body.shipments, track, "id", "id"))


async def _ship(call: Call) -> Response:
    _require(call)
    body = read(await call.request.body(), ShipmentIdBody)

    def ship(one: Any) -> Record:
        shipment = flow_shipments.shipment_in(call.shop, one.id, flow_shipments.OPEN)
        _check_tracking(call, shipment["order_id"], shipment.get("tracking"))
        write(call, "ST24", shipment_id=one.id)
        return {"id": one.id}

    return _answer(*_each(call, body.shipments, ship, "id", "id"))


# --- carried out


def _made(account: MiraklAccount, data: dict[str, Any], at: datetime, _is_replay: bool) -> Record:
    shop = subject(account, data)
    shipment = flow_shipments.create_shipment(shop, data["wanted"], data["tracking"], at)
    flow.watch(shop, account.settings, shipment["order_id"], at)
    return shipment


def _deleted(account: MiraklAccount, data: dict[str, Any], at: datetime, _is_replay: bool) -> None:
    shop = subject(account, data)
    flow_shipments.delete_shipment(shop, shop.shipments[data["shipment_id"]], at)


def _changed(account: MiraklAccount, data: dict[str, Any], at: datetime, _is_replay: bool) -> None:
    shop = subject(account, data)
    flow_shipments.change_shipment(shop, shop.shipments[data["shipment_id"]], data["changes"], at)


def _shipped(account: MiraklAccount, data: dict[str, Any], at: datetime, _is_replay: bool) -> None:
    shop = subject(account, data)
    shipment = flow_shipments.ship_shipment(shop, shop.shipments[data["shipment_id"]], at)
    flow.watch(shop, account.settings, shipment["order_id"], at)


WRITES = (
    Endpoint("ST01", "POST", "/api/shipments", _create, roles=admin_or("ORDER_SHIP"), sides=SELLERS),
    Endpoint("ST07", "PUT", "/api/shipments", _set_origin, roles=admin_or("ORDER_SHIPMENT_WRITE"), sides=SELLERS),
    Endpoint("ST06", "PUT", "/api/shipments/delete", _delete, roles=admin_or("ORDER_SHIPMENT_DELETE"), sides=SELLERS),
    Endpoint("ST23", "POST", "/api/shipments/tracking", _track, roles=admin_or("ORDER_TRACKING_WRITE"), sides=SELLERS),
    Endpoint("ST24", "PUT", "/api/shipments/ship", _ship, roles=admin_or("ORDER_SHIP"), sides=SELLERS),
)
APPLIERS = {"ST01": _made, "ST06": _deleted, "ST07": _changed, "ST23": _changed, "ST24": _shipped}
