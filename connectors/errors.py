"""One exception tree for every vendor.

`retryable` answers the only question a caller has: can the same call succeed later without anybody changing anything?
No message ever holds a key, a token or a person's data: callers log and store them as they are.
"""

from __future__ import annotations

MAXIMUM_DETAIL = 2_000
"""Characters of a vendor's answer that are kept in an error: enough for every message seen, too few for a page of
records.
"""


class ConnectorError(Exception):
    """A call to a vendor, or the reading of a vendor's file, did not give what it should.

    `vendor` and `call` name what was being done (`mirakl`, `OR11`), `status` is the HTTP status when there was one,
    `detail` the vendor's own words.
    """

    retryable = False

    def __init__(
        self, message: str, *, vendor: str, call: str, status: int | None = None, detail: str | None = None
    ) -> None:
        self.message = message
        self.vendor = vendor
        self.call = call
        self.status = status
        self.detail = detail[:MAXIMUM_DETAIL] if detail else None
        super().__init__(message)

    def __str__(self) -> str:
        status = f" (HTTP {self.status})" if self.status is not None else ""
        detail = f": {self.detail}" if self.detail else ""
        return f"{self.vendor} {self.call}: {self.message}{status}{detail}"


class BadConfiguration(ConnectorError, ValueError):
    """What a connector was given cannot work; the message says what to correct, and where."""


class AuthError(ConnectorError):
    """The key or token was not accepted. A person must renew it."""


class PermissionDenied(ConnectorError):
    """The key is good, its user's role is not: the vendor forbids this call."""


class NotFound(ConnectorError):
    """The path or the record does not exist: wrong host, wrong id, or a site older than the call."""


class RequestRejected(ConnectorError):
    """The vendor understood the request and refused it. Sending it again as it is cannot help."""


class RateLimited(ConnectorError):
    """Too many calls. `retry_after` is the vendor's wish in seconds, None when it gave none."""

    retryable = True

    def __init__(
        self,
        message: str,
        *,
        vendor: str,
        call: str,
        status: int | None = None,
        detail: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, vendor=vendor, call=call, status=status, detail=detail)
        self.retry_after = retry_after


class BudgetExhausted(RateLimited):
    """Our own budget for this call is used up: nothing was sent. `retry_after` says in how many seconds it has more."""


class ServerFailed(ConnectorError):
    """The vendor's side broke (5xx). `retry_after` is the vendor's wish in seconds, None when it gave none."""

    retryable = True

    def __init__(
        self,
        message: str,
        *,
        vendor: str,
        call: str,
        status: int | None = None,
        detail: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, vendor=vendor, call=call, status=status, detail=detail)
        self.retry_after = retry_after


class SiteDown(ServerFailed):
    """The vendor's gateway answers, the customer's own server behind it does not. Its owner must start or connect it;
    until then every call fails.
    """


class TransportFailed(ConnectorError):
    """No complete answer: refused, reset, timed out, cut off.

    `sent` is False only when the request certainly never reached the vendor (no connection was made). After a write,
    True means that nobody knows whether it took effect. `retry_after` is what the token service wished, in seconds,
    when a request could not go because of that; else None.
    """

    retryable = True

    def __init__(
        self,
        message: str,
        *,
        vendor: str,
        call: str,
        status: int | None = None,
        detail: str | None = None,
        sent: bool = True,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, vendor=vendor, call=call, status=status, detail=detail)
        self.sent = sent
        self.retry_after = retry_after


class BadPayload(ConnectorError):
    """An answer came that is not what the vendor's contract promises: not JSON, no list, a page that repeats for ever.

    Not retryable: a truncated transfer is `TransportFailed`; this is the vendor, a proxy or a changed contract.
    """


class ExportFailed(ConnectorError):
    """A file that the vendor was preparing did not come about. Another one can be asked for."""

    retryable = True


class WrongAccount(ConnectorError):
    """The vendor answered for another shop or company than was asked for: its records must not be mixed with ours."""


class UnsafeRedirect(ConnectorError):
    """The answer, or a link in it, points to another host or to an unencrypted one. The key must not travel there."""
