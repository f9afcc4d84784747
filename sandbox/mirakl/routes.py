"""Every call of the sandbox's Mirakl, and what stands before each: the key, the role, the shop, the frequency.

A module of reads or writes has a tuple of endpoints. A module of writes also has the functions that carry out what its
calls wrote to the journal: adding a module to `READ_MODULES` or `WRITE_MODULES` is all it takes to serve it.
"""

import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox import jsonio
from sandbox.credentials import MiraklKey
from sandbox.mirakl import (
    exports_lines,
    exports_offers,
    exports_orders,
    flow,
    mutations,
    reads_documents,
    reads_logistics,
    reads_money,
    reads_offers,
    reads_operator,
    reads_order_files,
    reads_orders,
    reads_settings,
    writes_offers,
    writes_operator,
    writes_orders,
    writes_prices,
    writes_refunds,
    writes_returns,
    writes_shipments,
    writes_stock,
)
from sandbox.mirakl.account import MiraklAccount
from sandbox.mirakl.calls import Call, Endpoint, field_problem, json_response, problem
from sandbox.mirakl.limits import TooManyRequests, take_call
from sandbox.mirakl.operator_sign_in import SIGN_IN_PATH, answer_token_request
from sandbox.mirakl.values import BadParameter
from sandbox.mirakl_shop import MiraklShop, RuleError

READ_MODULES = (
    reads_settings,
    reads_orders,
    reads_order_files,
    reads_offers,
    reads_money,
    reads_documents,
    reads_logistics,
    reads_operator,
    exports_orders,
    exports_offers,
    exports_lines,
)
WRITE_MODULES = (
    writes_orders,
    writes_refunds,
    writes_shipments,
    writes_returns,
    writes_stock,
    writes_offers,
    writes_prices,
    writes_operator,
)

READS: tuple[Endpoint, ...] = tuple(endpoint for module in READ_MODULES for endpoint in module.READS)
WRITES: tuple[Endpoint, ...] = tuple(endpoint for module in WRITE_MODULES for endpoint in module.WRITES)

# Journal operation -> what carries it out. Takes the account, the data, the time of the change and whether an earlier
# process made it; must depend on nothing else but the account's state, so that a replay rebuilds the same state.
MiraklApplier = Callable[[MiraklAccount, dict[str, Any], datetime, bool], Any]
APPLIERS: dict[str, MiraklApplier] = {
    name: applier for module in WRITE_MODULES for name, applier in module.APPLIERS.items()
}

UNAUTHORIZED = b'{"status":401,"message":"Unauthorized"}'


class MiraklApi:
    """The routes of all marketplaces of a sandbox."""

    def __init__(self, accounts: dict[str, MiraklAccount]) -> None:
        self._accounts = accounts

    def routes(self) -> list[Route]:
        # A fixed path goes before one with a parameter in its place: /offers/states before /offers/{offer}.
        endpoints = sorted((*READS, *WRITES), key=lambda endpoint: endpoint.path.count("{"))
        return [
            Route(SIGN_IN_PATH, self._token, methods=["POST"]),
            *(
                Route(f"/mirakl/{{marketplace}}{endpoint.path}", self._served(endpoint), methods=[endpoint.method])
                for endpoint in endpoints
            ),
            Route("/mirakl/{marketplace}/{rest:path}", self._unknown, methods=["GET", "POST", "PUT", "DELETE"]),
        ]

    async def _token(self, request: Request) -> Response:
        clients = [
            (account.sign_in, account.settings.operator_token_seconds)
            for account in self._accounts.values()
            if account.sign_in is not None
        ]
        return await answer_token_request(request, clients)

    async def _unknown(self, request: Request) -> Response:
        if _signed_in(self._accounts.get(request.path_params["marketplace"]), request) is None:
            return json_response(UNAUTHORIZED, 401)
        return problem(404, "Not Found")

    def _served(self, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            account = self._accounts.get(request.path_params["marketplace"])
            key = _signed_in(account, request)
            if account is None or key is None:
                return json_response(UNAUTHORIZED, 401)
            if not _may_call(key, endpoint):
                return problem(403, "Forbidden")
            shop = _shop_of(account, key, request.query_params.get("shop_id"))
            if isinstance(shop, Response):
                return shop
            response = await _answer(endpoint, Call(endpoint.code, account, shop, key, request))
            response.headers["Mirakl-Api-Code"] = endpoint.code
            response.headers["Mirakl-User-Role"] = "OPERATOR" if key.is_operator else "SHOP"
            if not key.is_operator:
                response.headers["Mirakl-Shop-Uuid"] = str(shop.shop_id)
            return response

        return serve


async def _answer(endpoint: Endpoint, call: Call) -> Response:
    settings = call.account.settings
    try:
        take_call(endpoint, call)
        mutations.apply_due(call.account, call.code, call.shop.shop_id)
        flow.catch_up(call.account, call.account.clock.now())
        call.shop.settle_imports(
            time.monotonic(),
            settings.import_waiting_seconds,
            settings.import_running_seconds,
            settings.import_line_seconds,
        )
        return await endpoint.answer(call)
    except TooManyRequests as error:
        body = jsonio.encode({"status": 429, "message": "Too many requests"})
        return json_response(body, 429, {"Retry-After": str(error.seconds)} if settings.has_retry_after else None)
    except BadParameter as error:
        return field_problem(error)
    except RuleError as error:
        return problem(error.status, error.message, error.code)


def _signed_in(account: MiraklAccount | None, request: Request) -> MiraklKey | None:
    """The key of a request. A key is the whole header; a scheme word in front of it makes it a wrong key.

    Only an operator's access token has one: `Bearer`.
    """
    if account is None:
        return None
    authorization = request.headers.get("authorization", "")
    scheme, _, token = authorization.partition(" ")
    if scheme == "Bearer" and account.sign_in is not None and account.sign_in.accepts(token):
        return account.sign_in.client.key
    return account.keys.get(authorization)


def _may_call(key: MiraklKey, endpoint: Endpoint) -> bool:
    if key.is_operator:
        return "OPERATOR" in endpoint.sides
    return "SELLER" in endpoint.sides and (not endpoint.roles or bool(endpoint.roles & key.roles))


def _shop_of(account: MiraklAccount, key: MiraklKey, text: str | None) -> MiraklShop | Response:
    """The shop that a seller's call names, or the key's default. An operator names none and sees all of them."""
    if text is None or key.is_operator:
        return account.shops[key.shop_ids[0]]
    if not (text.isascii() and text.isdigit()):
        return field_problem(BadParameter("shop_id", f"'{text}' is not a valid integer for 'shop_id'"))
    if int(text) not in key.shop_ids:
        return problem(403, "Forbidden")
    return account.shops[int(text)]
