"""A checked request, and what an endpoint is: code, path, who may call it how often, and what answers."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response

from sandbox import jsonio
from sandbox.credentials import MiraklKey
from sandbox.mirakl.account import MiraklAccount
from sandbox.mirakl.values import BadParameter, Body, ListForm, Query
from sandbox.mirakl_shop import MiraklShop
from sandbox.seek import Question

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
ADMIN = frozenset({"ROLE_SHOP_ADMIN"})

Side = Literal["SELLER", "OPERATOR"]
BOTH_SIDES: frozenset[Side] = frozenset({"SELLER", "OPERATOR"})
SELLERS: frozenset[Side] = frozenset({"SELLER"})
OPERATORS: frozenset[Side] = frozenset({"OPERATOR"})
Limits = tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Call:
    """A checked request: the account, the shop that answers, the parameters."""

    code: str
    account: MiraklAccount
    shop: MiraklShop
    key: MiraklKey
    request: Request

    @property
    def is_operator(self) -> bool:
        return self.key.is_operator

    @property
    def query(self) -> Query:
        return Query(self.request.query_params)

    def shop_of(self, question: Question) -> MiraklShop:
        """The shop that a chain of pages was begun for."""
        return self.account.shops[question.shop_id]

    async def body(self) -> Body:
        """The JSON object of the request. Raises BadParameter."""
        try:
            members = jsonio.decode(await self.request.body())
        except ValueError:
            members = None
        if not isinstance(members, dict):
            raise BadParameter("body", "The request body is not a valid JSON object")
        return Body(members)

    # The query's readers, because most calls have nothing else.

    def text(self, name: str) -> str | None:
        return self.query.text(name)

    def many(self, name: str, allowed: frozenset[str] | None = None, form: ListForm = "REPEATED") -> tuple[str, ...]:
        return self.query.many(name, allowed, form)

    def one(self, name: str, allowed: frozenset[str], default: str | None = None) -> str | None:
        return self.query.one(name, allowed, default)

    def time(self, name: str) -> int | None:
        return self.query.time(name)

    def flag(self, name: str) -> bool | None:
        return self.query.flag(name)

    def whole(self, name: str, default: int, low: int, high: int | None) -> int:
        return self.query.whole(name, default, low, high)


def admin_or(*partner_roles: str) -> frozenset[str]:
    """The shop's administrator, or an integration with one of these partner roles (`ORDER_READ`)."""
    return ADMIN | {f"ROLE_PARTNER_{name}" for name in partner_roles}


Handler = Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True)
class Endpoint:
    """One call of the API.

    - `code`: Mirakl's name of it, such as OR11.
    - `roles`: one of them opens it to a seller's key; empty = any key. Operators' keys have no roles here.
    - `limits`: documented maximum frequencies as (calls, seconds); empty where none is published. A call whose limit
      hangs on what is asked has none here and asks `limits.take` itself.
    - `is_first_page_counted`: the text of the limit excludes further pages, so only first pages count.
    """

    code: str
    method: str
    path: str
    answer: Handler
    roles: frozenset[str] = ADMIN
    limits: Limits = ()
    is_first_page_counted: bool = False
    sides: frozenset[Side] = BOTH_SIDES


def json_response(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(body, status, dict(headers or {}), media_type="application/json;charset=UTF-8")


def problem(status: int, message: str, code: str | None = None) -> Response:
    """`{status, message}`, with the rule's code where the platform publishes one."""
    body: dict[str, Any] = {"status": status, "message": message}
    if code is not None:
        body["code"] = code
    return json_response(jsonio.encode(body), status)


def field_problem(error: BadParameter) -> Response:
    body = {"errors": [{"code": "VALIDATION_ERROR", "field": error.name, "message": error.message}]}
    return json_response(jsonio.encode(body), 400)
