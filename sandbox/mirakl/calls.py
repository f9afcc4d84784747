"""A checked request and its parameters, and what an endpoint is: code, path, roles, limits, and what answers.

Parameters that a call does not know are ignored, as the platform does; a known parameter with a bad value is answered
with 400 and the field named.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox import jsonio
from sandbox.clock import milliseconds
from sandbox.credentials import MiraklKey
from sandbox.mirakl.account import MiraklAccount
from sandbox.mirakl_shop import MiraklShop

MAXIMUM_VALUES = 100
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
ADMIN = frozenset({"ROLE_SHOP_ADMIN"})


class BadParameter(Exception):
    """A known parameter with a value it cannot have: answered with 400 and the field named."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message


@dataclass(frozen=True)
class Call:
    """A checked request: the account, the shop that answers, the parameters."""

    code: str
    account: MiraklAccount
    shop: MiraklShop
    key: MiraklKey
    request: Request

    def text(self, name: str) -> str | None:
        return self.request.query_params.get(name)

    def many(self, name: str, allowed: frozenset[str] | None = None, *, is_repeated: bool = True) -> tuple[str, ...]:
        """A list parameter: comma-separated on old calls, repeated (or comma-separated) on newer ones."""
        raw = self.request.query_params.getlist(name) if is_repeated else [self.text(name) or ""]
        values = tuple(value.strip() for part in raw for value in part.split(",") if value.strip())
        if len(values) > MAXIMUM_VALUES:
            raise BadParameter(name, f"limit of {MAXIMUM_VALUES} exceeded for the parameter '{name}'")
        self.check_enum(name, values, allowed)
        return values

    def check_enum(self, name: str, values: tuple[str, ...], allowed: frozenset[str] | None) -> None:
        for value in values:
            if allowed is not None and value not in allowed:
                raise BadParameter(name, f"'{value}' is not a valid value for '{name}'")

    def one(self, name: str, allowed: frozenset[str], default: str | None = None) -> str | None:
        value = self.text(name) or default
        if value is not None:
            self.check_enum(name, (value,), allowed)
        return value

    def time(self, name: str) -> int | None:
        """An ISO 8601 date-time in milliseconds; an unencoded `+` that arrived as a blank makes it invalid."""
        value = self.text(name)
        if not value:
            return None
        if "T" not in value:
            raise BadParameter(name, f"'{value}' is not a valid date-time for '{name}' (ISO 8601 expected)")
        try:
            return milliseconds(value)
        except ValueError:
            raise BadParameter(name, f"'{value}' is not a valid date-time for '{name}' (ISO 8601 expected)") from None

    def flag(self, name: str) -> bool | None:
        value = self.text(name)
        if value in (None, ""):
            return None
        if value not in ("true", "false"):
            raise BadParameter(name, f"'{value}' is not a valid boolean for '{name}'")
        return value == "true"

    def whole(self, name: str, default: int, low: int, high: int | None) -> int:
        value = self.text(name)
        if not value:
            return default
        number = int(value) if value.isascii() and value.lstrip("-").isdigit() else None
        if number is None:
            raise BadParameter(name, f"'{value}' is not a valid integer for '{name}'")
        if number < low or (high is not None and number > high):
            bounds = f"at least {low}" if high is None else f"between {low} and {high}"
            raise BadParameter(name, f"'{name}' must be {bounds}, not {number}")
        return number


Handler = Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True)
class Endpoint:
    """One call of the API.

    - `code`: Mirakl's name of it, such as OR11.
    - `roles`: one of them opens it to a seller's key; empty = any key.
    - `limits`: documented maximum frequencies as (calls, seconds); empty where none is published.
    - `is_first_page_counted`: the text of the limit excludes further pages, so only first pages count.
    """

    code: str
    method: str
    path: str
    answer: Handler
    roles: frozenset[str] = ADMIN
    limits: tuple[tuple[int, float], ...] = ()
    is_first_page_counted: bool = False


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
