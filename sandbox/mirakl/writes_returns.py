"""Returns: RT21 accept or refuse, RT25 receive, RT27 close. Each element succeeds or fails alone."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from starlette.responses import Response

from sandbox import jsonio
from sandbox.clock import stamp
from sandbox.mirakl.account import MiraklAccount
from sandbox.mirakl.calls import SELLERS, Call, Endpoint, admin_or, json_response
from sandbox.mirakl.flow_records import Record
from sandbox.mirakl.writes_bodies import ReturnDecisionBody, ReturnIdBody, read
from sandbox.mirakl.writes_orders import subject, write
from sandbox.mirakl_shop import RuleError


async def _decide(call: Call) -> Response:
    body = read(await call.request.body(), ReturnDecisionBody)
    wanted = []
    for one in body.returns:
        changes: Record = {"state": "IN_PROGRESS" if one.accepted else "REFUSED"}
        if not one.accepted:
            changes["rejection_reason_code"] = one.rejection_reason_code
        wanted.append((one.id, changes, ("WAITING_ACCEPTANCE",)))
    return _change(call, "RT21", wanted)


async def _receive(call: Call) -> Response:
    body = read(await call.request.body(), ReturnIdBody)
    return _change(call, "RT25", [(one.id, {"state": "RECEIVED"}, ("IN_PROGRESS",)) for one in body.returns])


async def _close(call: Call) -> Response:
    body = read(await call.request.body(), ReturnIdBody)
    states = ("RECEIVED", "NO_RECEPTION", "IN_PROGRESS")
    return _change(call, "RT27", [(one.id, {"state": "CLOSED"}, states) for one in body.returns])


def _change(call: Call, operation: str, wanted: Iterable[tuple[str, Record, tuple[str, ...]]]) -> Response:
    good, bad = [], []
    for return_id, changes, states in wanted:
        try:
            _check(call, return_id, changes, states)
        except RuleError as error:
            bad.append({"id": return_id, "message": error.message})
        else:
            write(call, operation, return_id=return_id, changes=changes)
            good.append({"id": return_id})
    return json_response(jsonio.encode({"return_errors": bad, "return_success": good}))


def _check(call: Call, return_id: str, changes: Record, states: tuple[str, ...]) -> None:
    found = call.shop.returns.get(return_id)
    if found is None:
        raise RuleError(404, "RETURN_NOT_FOUND", f"Return with identifier '{return_id}' not found")
    if found["state"] not in states:
        text = f"Return '{return_id}' must be in state {' or '.join(states)}, current state: {found['state']}"
        raise RuleError(400, "RETURN_INVALID_STATE", text)
    if changes["state"] == "REFUSED" and not changes["rejection_reason_code"]:
        raise RuleError(400, "VALIDATION_ERROR", "A rejection reason is mandatory to refuse a return")


def _changed(account: MiraklAccount, data: dict[str, Any], at: datetime, _is_replay: bool) -> None:
    returns = subject(account, data).returns
    changed = returns[data["return_id"]] | data["changes"] | {"last_updated": stamp(at)}
    returns[data["return_id"]] = changed


_ROLES = admin_or("ORDER_RETURN_WRITE")
WRITES = (
    Endpoint("RT21", "PUT", "/api/returns/accept", _decide, roles=_ROLES, sides=SELLERS),
    Endpoint("RT25", "PUT", "/api/returns/receive", _receive, roles=_ROLES, sides=SELLERS),
    Endpoint("RT27", "PUT", "/api/returns/close", _close, roles=_ROLES, sides=SELLERS),
)
APPLIERS = {"RT21": _changed, "RT25": _changed, "RT27": _changed}
