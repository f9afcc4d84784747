"""Writes on orders: acceptance (OR21)."""

from datetime import datetime
from typing import Any

from starlette.responses import Response

from sandbox import jsonio
from sandbox.mirakl.account import MiraklAccount
from sandbox.mirakl.calls import Call, Endpoint
from sandbox.mirakl_shop import RuleError


async def _accept(call: Call) -> Response:
    order_id = call.request.path_params["order_id"]
    decisions = _decisions(await call.request.body())
    allowed = call.account.settings.is_partial_acceptance_allowed
    call.shop.check_decision(order_id, decisions, allowed)
    call.account.journal.write(
        "OR21",
        {
            "marketplace": call.account.code,
            "shop_id": call.shop.shop_id,
            "order_id": order_id,
            "decisions": dict(decisions),
        },
    )
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
    account.shops[data["shop_id"]].decide(data["order_id"], data["decisions"], at)


WRITES = (Endpoint("OR21", "PUT", "/api/orders/{order_id}/accept", _accept),)
APPLIERS = {"OR21": _decide}
