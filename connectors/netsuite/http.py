"""Requests to one account: within its concurrency limit, and with NetSuite's own errors told apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

from connectors.errors import ConnectorError, PermissionDenied, RateLimited
from connectors.http import Answer, ApiClient, Call, retry_after_seconds, utc_now
from connectors.netsuite.limiter import AccountLimiter

LIMIT_CODES = frozenset({"CONCURRENCY_LIMIT_EXCEEDED", "SSS_REQUEST_LIMIT_EXCEEDED"})
PERMISSION_CODES = frozenset({"INSUFFICIENT_PERMISSION"})
_NO_PERMISSION = re.compile(r"does not have permission|insufficient permission", re.IGNORECASE)
SUPPORT_HEADERS = ("x-n-operationid", "x-netsuite-jobid")


class ErrorDetail(msgspec.Struct, frozen=True):
    """One of an answer's errors. `path` names the member of the body that was at fault."""

    detail: str = ""
    code: str = msgspec.field(name="o:errorCode", default="")
    path: str | None = msgspec.field(name="o:errorPath", default=None)


class _Error(msgspec.Struct, frozen=True):
    details: list[ErrorDetail] = msgspec.field(name="o:errorDetails", default_factory=list)
    code: str | None = msgspec.field(name="o:errorCode", default=None)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What an error answer says: all its texts, and all its codes."""

    text: str
    codes: frozenset[str]


def refusal_of(body: bytes) -> Refusal:
    """The errors in an answer; an answer of another form has no codes and no text."""
    try:
        error = msgspec.json.decode(body, type=_Error)
    except (msgspec.DecodeError, UnicodeError):
        return Refusal("", frozenset())
    texts = [f"{d.detail} ({d.path})" if d.path else d.detail for d in error.details]
    codes = {d.code for d in error.details} | {error.code or ""}
    shown = " ".join(sorted(codes - {""}))
    return Refusal(f"{shown}: {'; '.join(texts)}" if texts else shown, frozenset(codes - {""}))


class AccountClient(ApiClient):
    """As ApiClient, and: no more requests at once than the limiter has places; a role without permission raises
    PermissionDenied and a full account RateLimited, whatever the status they come with.
    """

    def __init__(self, vendor: str, base_url: str, limiter: AccountLimiter, **more: Any) -> None:
        super().__init__(vendor, base_url, **more)
        self.limiter = limiter

    def _send(self, call: Call, request: httpx.Request, *, may_redirect: bool, is_signed: bool = True) -> Answer:
        with self.limiter.place(call.name):
            return super()._send(call, request, may_redirect=may_redirect, is_signed=is_signed)

    def _status_error(self, call: Call, response: httpx.Response, body: bytes) -> ConnectorError:
        status = response.status_code
        refusal = refusal_of(body)
        support = " ".join(f"{name}={response.headers[name]}" for name in SUPPORT_HEADERS if name in response.headers)
        detail = " ".join(part for part in (refusal.text, support and f"[{support}]") if part) or None
        more: dict[str, Any] = {"status": status, "detail": self.masked(detail) if detail else None}
        if refusal.codes & LIMIT_CODES and status < 500:
            wish = retry_after_seconds(response.headers.get("retry-after"), utc_now())
            return self._error(RateLimited, "too many requests at once", call, retry_after=wish, **more)
        if status in {400, 403} and (refusal.codes & PERMISSION_CODES or _NO_PERMISSION.search(refusal.text)):
            return self._error(PermissionDenied, "the role lacks a permission", call, **more)
        error = super()._status_error(call, response, body)
        if detail:
            error.detail = more["detail"]
        return error
