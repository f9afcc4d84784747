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
from sandbox.mirakl import reads_money, reads_offers, reads_orders, reads_settings, writes_orders, writes_stock
from sandbox.mirakl.account import MiraklAccount
from sandbox.mirakl.calls import BadParameter, Call, Endpoint, field_problem, json_response, problem
from sandbox.mirakl.limits import seconds_to_wait
from sandbox.mirakl_shop import MiraklShop, RuleError

READ_MODULES = (reads_settings, reads_orders, reads_offers, reads_money)
WRITE_MODULES = (writes_orders, writes_stock)

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
        routes = [
            Route(f"/mirakl/{{marketplace}}{endpoint.path}", self._served(endpoint), methods=[endpoint.method])
            for endpoint in (*READS, *WRITES)
        ]
        return [*routes, Route("/mirakl/{marketplace}/{rest:path}", self._unknown, methods=["GET", "POST", "PUT"])]

    async def _unknown(self, request: Request) -> Response:
        account = self._accounts.get(request.path_params["marketplace"])
        if account is None or request.headers.get("authorization", "") not in account.keys:
            return json_response(UNAUTHORIZED, 401)
        return problem(404, "Not Found")

    def _served(self, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            account = self._accounts.get(request.path_params["marketplace"])
            # The bare key is the whole header: a scheme word in front of it makes it a wrong key.
            key = account.keys.get(request.headers.get("authorization", "")) if account else None
            if account is None or key is None:
                return json_response(UNAUTHORIZED, 401)
            if endpoint.roles and not endpoint.roles & key.roles:
                return problem(403, "Forbidden")
            shop = self._shop(account, key, request.query_params.get("shop_id"))
            if isinstance(shop, Response):
                return shop
            call = Call(endpoint.code, account, shop, key, request)
            waiting = seconds_to_wait(endpoint, call)
            if waiting is not None:
                body = {"status": 429, "message": "Too many requests"}
                return json_response(jsonio.encode(body), 429, {"Retry-After": str(waiting)})
            settings = account.settings
            shop.settle_imports(time.monotonic(), settings.import_waiting_seconds, settings.import_running_seconds)
            try:
                response = await endpoint.answer(call)
            except BadParameter as error:
                response = field_problem(error)
            except RuleError as error:
                response = problem(error.status, error.message, error.code)
            response.headers["Mirakl-Api-Code"] = endpoint.code
            response.headers["Mirakl-User-Role"] = "SHOP"
            response.headers["Mirakl-Shop-Uuid"] = str(shop.shop_id)
            return response

        return serve

    @staticmethod
    def _shop(account: MiraklAccount, key: MiraklKey, text: str | None) -> MiraklShop | Response:
        if text is None:
            return account.shops[key.shop_ids[0]]
        if not (text.isascii() and text.isdigit()):
            return field_problem(BadParameter("shop_id", f"'{text}' is not a valid integer for 'shop_id'"))
        if int(text) not in key.shop_ids:
            return problem(403, "Forbidden")
        return account.shops[int(text)]
