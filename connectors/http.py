"""HTTP to a vendor: one request at a time, bounded in time, in size and in number of tries.

What a caller may rely on:
- reads are tried again after failures that can pass, honouring `Retry-After`; writes are sent once, never again;
- the key never leaves the configured origin: redirects and page links elsewhere raise UnsafeRedirect, plain `http://`
  is refused except on this machine;
- nothing secret reaches a log line or an error text.
"""

from __future__ import annotations

import ipaddress
import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Protocol, TypeVar
from urllib.parse import quote, urlencode

import httpx
import msgspec
from pyrate_limiter import Limiter, Rate
from tenacity import RetryCallState, Retrying, retry_if_exception, wait_exponential_jitter

from connectors.bodies import read_straight
from connectors.errors import (
    AuthError,
    BadConfiguration,
    BadPayload,
    BudgetExhausted,
    ConnectorError,
    NotFound,
    PermissionDenied,
    RateLimited,
    RequestRejected,
    ServerFailed,
    TransportFailed,
    UnsafeRedirect,
)

logger = logging.getLogger(__name__)
for _name in ("httpx", "httpcore"):
    # They log whole addresses and headers, secrets in them included; our own line says the same with those masked.
    logging.getLogger(_name).setLevel(logging.WARNING)

ATTEMPTS = 5
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0
LONGEST_RETRY_AFTER_SECONDS = 300.0
"""A vendor that asks for a longer pause is obeyed by giving up: the next scheduled run comes back."""
GIVEN_UP_SECONDS = 60.0
"""So long after a read was given up, others are tried once: a vendor that is down must not cost each its retries."""
MAXIMUM_BODY_BYTES = 256 * 1024 * 1024
MAXIMUM_REDIRECTS = 3
TIMEOUTS_PER_ANSWER = 10
"""A whole answer may take this many time-outs: a server that drips bytes must not hold a run for ever."""
CONNECT_TIMEOUT_SECONDS = 10.0
SECRET_PARAMETERS = frozenset(
    {"access_token", "api_key", "client_secret", "code", "key", "page_token", "refresh_token", "token"}
)
MASK = "***"

read_straight()

T = TypeVar("T")
Parameters = Mapping[str, str | Sequence[str]]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer with a success status. `url` is fit for logs."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    url: str
    fetched_at: datetime


@dataclass(frozen=True, slots=True)
class _Asked:
    """One read, whatever the number of tries."""

    path: str
    parameters: Parameters
    content: bytes | None
    headers: Mapping[str, str]
    is_signed: bool


@dataclass(frozen=True, slots=True)
class Pace:
    """At most `calls` in `seconds`, as the vendor states it."""

    calls: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Call:
    """A vendor's call by its own name, and the paces it allows. Calls of one name share their allowance."""

    name: str
    paces: tuple[Pace, ...] = ()


class Budget(Protocol):
    """Knows how often each call of one key may be made, in real time, across the processes that share the key."""

    def take(self, call: str, *, is_first_page: bool) -> None:
        """Count one request, waiting for its turn within reason. Raises BudgetExhausted when that is too far away.

        `is_first_page` is False for a request that continues what an earlier one began (a further page, another try):
        some vendors count polls, not pages.
        """

    def throttled(self, call: str, retry_after: float | None) -> None:
        """The vendor answered 429, and asked for a pause of so many seconds where it said so."""


def is_loopback(url: str | httpx.URL) -> bool:
    host = httpx.URL(url).host
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def safe_base_url(url: str, *, vendor: str, what: str) -> str:
    """The URL without a trailing slash. Raises BadConfiguration when no key may be sent there."""

    def bad(message: str) -> BadConfiguration:
        return BadConfiguration(f"{what} {message}", vendor=vendor, call="configuration")

    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise bad(f"is not a URL ({error})") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise bad("must begin with https:// and name a host")
    if parsed.userinfo:
        raise bad("must not hold a user name or password")
    if parsed.scheme == "http" and not is_loopback(parsed):
        raise bad("must be https:// (plain http:// is only for a server on this machine)")
    if parsed.query or parsed.fragment:
        raise bad("must end with the path")
    return url.rstrip("/")


@lru_cache(maxsize=64)
def _parsed(url: str) -> httpx.URL:
    """Each page of a listing has the same address but for its query, and parsing it costs as much as sending it."""
    return httpx.URL(url)


def with_query(url: httpx.URL, parameters: Parameters) -> httpx.URL:
    """The URL with these parameters as its query; without any, the query that it has. A parameter with several values
    is repeated. A space becomes `%20`, because not every server reads `+` as one."""
    query = urlencode(parameters, doseq=True, quote_via=quote)
    return url.copy_with(query=query.encode()) if parameters else url


def redacted_url(url: httpx.URL) -> str:
    """The URL for logs: no user name, and the values of secret or opaque parameters masked."""
    if not (url.userinfo or url.fragment or SECRET_PARAMETERS.intersection(map(str.lower, url.params))):
        return str(url)  # making it anew costs a tenth of all that a request does
    parameters = [
        (name, MASK if name.lower() in SECRET_PARAMETERS else value) for name, value in url.params.multi_items()
    ]
    clean = url.copy_with(username=None, password=None, fragment=None, query=None)
    return str(clean.copy_with(params=parameters)).replace("%2A%2A%2A", MASK) if parameters else str(clean)


def retry_after_seconds(value: str | None, now: datetime) -> float | None:
    """The header's wish in seconds: a number or an HTTP date. None when absent or unreadable."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - now).total_seconds()
        except (ValueError, TypeError):
            return None
    return max(seconds, 0.0) if seconds == seconds and seconds != float("inf") else None


def _date_of(response: httpx.Response) -> datetime:
    """When the vendor answered by its own clock: a date in Retry-After is of that clock too. Without one, ours."""
    try:
        return parsedate_to_datetime(response.headers["date"])
    except (KeyError, ValueError, TypeError):
        return utc_now()


class _RetryWait:
    """The vendor's wish where it has one, otherwise exponential with jitter."""

    def __init__(self) -> None:
        self._exponential = wait_exponential_jitter(initial=FIRST_WAIT_SECONDS, max=LONGEST_WAIT_SECONDS, jitter=1.0)

    def __call__(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        wish = error.retry_after if isinstance(error, RateLimited | ServerFailed | TransportFailed) else None
        return wish if wish is not None else self._exponential(state)


def _can_pass(error: BaseException) -> bool:
    """Whether a read is worth another try. A broken answer counts: an intermediary may have cut it or shown its own
    page.
    """
    if not isinstance(error, ConnectorError) or isinstance(error, BudgetExhausted):
        return False  # a budget has waited already
    wish = error.retry_after if isinstance(error, RateLimited | ServerFailed | TransportFailed) else None
    if wish is not None and wish > LONGEST_RETRY_AFTER_SECONDS:
        return False
    return error.retryable or isinstance(error, BadPayload)


class _ForgetfulCookies(httpx.Cookies):
    """Of a client whose every request carries its whole right to be answered: what an answer sets is not sent back."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Reading them costs an eighth of all that a request does."""


class _Client(httpx.Client):
    _none = _ForgetfulCookies()

    @property
    def cookies(self) -> httpx.Cookies:
        return self._none

    @cookies.setter
    def cookies(self, cookies: object) -> None:
        """There are none to set."""


class ApiClient:
    """Requests to one vendor's API under one base URL, with one key.

    `secrets` are masked wherever they turn up in an error text. `budget` is asked before every request and told of
    every 429. `is_paced` concerns the paces that a call carries itself; None means: kept, except for a server on this
    machine, whose load is its owner's own affair. `sleep` and `clock` can be replaced in tests.
    """

    def __init__(
        self,
        vendor: str,
        base_url: str,
        *,
        auth: httpx.Auth | None = None,
        headers: Mapping[str, str] | None = None,
        secrets: Sequence[str] = (),
        timeout_seconds: float = 60.0,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], datetime] = utc_now,
        budget: Budget | None = None,
        is_paced: bool | None = None,
    ) -> None:
        self.vendor = vendor
        self.base_url = safe_base_url(base_url, vendor=vendor, what="base_url")
        self._base = httpx.URL(self.base_url)
        self.is_local = is_loopback(base_url)
        self.clock = clock
        self.sleep = sleep
        self._timeout_seconds = timeout_seconds
        self._secrets = tuple(s for s in secrets if s)
        self._budget = budget
        self._is_paced = not self.is_local if is_paced is None else is_paced
        self._limiters: dict[str, Limiter] = {}
        self._given_up_until = 0.0
        self._client = _Client(
            auth=auth,
            headers={"Accept": "application/json", "User-Agent": "tieout", **(headers or {})},
            timeout=httpx.Timeout(timeout_seconds, connect=min(timeout_seconds, CONNECT_TIMEOUT_SECONDS)),
            transport=transport,
            follow_redirects=False,
            # A proxy of the environment must not stand between this machine and itself.
            trust_env=not self.is_local,
        )

    def close(self) -> None:
        self._client.close()

    def url(self, path: str) -> httpx.URL:
        """The absolute URL of a path under the base; an absolute URL must be of the same origin."""
        return _parsed(path if "://" in path else f"{self.base_url}{path}")

    def read(
        self,
        call: Call,
        path: str,
        parameters: Parameters,
        parse: Callable[[Answer], T],
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        is_first_page: bool = True,
        is_signed: bool = True,
    ) -> T:
        """GET, or with a JSON `content` a POST that changes nothing, tried again while that can help.

        `parse` belongs to the try: its BadPayload is tried again too. `is_first_page`: see `Budget.take`. Only without
        our signature (`is_signed` False) may the path be an https address of another host.
        """
        asked = _Asked(path, parameters, content, headers or {}, is_signed)
        try:
            found = self._try(call, asked, parse, is_first_page)
        except (ServerFailed, TransportFailed):
            self._given_up_until = time.monotonic() + GIVEN_UP_SECONDS
            raise
        self._given_up_until = 0.0
        return found

    def _try(self, call: Call, asked: _Asked, parse: Callable[[Answer], T], is_first_page: bool) -> T:
        is_first_try = True
        for attempt in Retrying(
            sleep=self.sleep,
            stop=self._should_stop,
            wait=_RetryWait(),
            retry=retry_if_exception(_can_pass),
            before_sleep=self._log_retry,
            reraise=True,
        ):
            with attempt:
                is_poll, is_first_try = is_first_page and is_first_try, False
                return parse(self._ask(call, asked, is_poll))
        raise AssertionError("unreachable: the last failure is raised")

    def write(
        self,
        call: Call,
        path: str,
        *,
        method: str = "POST",
        parameters: Parameters | None = None,
        content: bytes | None = None,
        files: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request, sent once. TransportFailed with `sent=False` is the only failure that proves that nothing
        arrived.
        """
        self._take(call, is_first_page=True)
        request = self._client.build_request(
            method, with_query(self.url(path), parameters or {}), content=content, files=files, headers=headers
        )
        return self._send(call, request, may_redirect=False)

    def _ask(self, call: Call, asked: _Asked, is_first_page: bool) -> Answer:
        url = self.url(asked.path)
        parameters = asked.parameters
        method, headers = "GET", dict(asked.headers)
        if asked.content is not None:
            method, headers["Content-Type"] = "POST", "application/json"
        may_redirect = asked.is_signed and asked.content is None
        for _ in range(MAXIMUM_REDIRECTS + 1):
            if asked.is_signed:
                self.refuse_other_origin(url, call)
            elif url.scheme != "https":
                raise self._error(UnsafeRedirect, f"the answer points to {url.scheme}://{url.host}", call)
            self._take(call, is_first_page=is_first_page)
            is_first_page = False
            request = self._client.build_request(
                method, with_query(url, parameters), content=asked.content, headers=headers
            )
            answer = self._send(call, request, may_redirect=may_redirect, is_signed=asked.is_signed)
            location = answer.headers.get("location") if 300 <= answer.status < 400 else None
            if location is None:
                return answer
            url = request.url.join(location)
            parameters = {}
        raise self._error(BadPayload, "redirected in a circle", call)

    def refuse_other_origin(self, url: httpx.URL, call: Call) -> None:
        base = self._base
        if (url.scheme, url.host, url.port) != (base.scheme, base.host, base.port):
            raise self._error(
                UnsafeRedirect, f"the answer points to {url.scheme}://{url.host}, the key stays with {base.host}", call
            )

    def _send(self, call: Call, request: httpx.Request, *, may_redirect: bool, is_signed: bool = True) -> Answer:
        request_id = uuid.uuid4().hex
        request.headers["X-Request-Id"] = request_id
        # Another host's address may be signed in its query, under names that nobody knows.
        shown = redacted_url(request.url if is_signed else request.url.copy_with(query=None))
        started = time.monotonic()
        try:
            response = self._client.send(request, stream=True, auth=httpx.USE_CLIENT_DEFAULT if is_signed else None)
            try:
                body = self._body(call, response, started)
            finally:
                response.close()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise self._transport_error(call, error, sent=False) from error
        except (httpx.TransportError, httpx.DecodingError, httpx.StreamError) as error:
            raise self._transport_error(call, error, sent=True) from error
        milliseconds = round((time.monotonic() - started) * 1000)
        theirs = response.headers.get("x-correlation-id") or response.headers.get("x-request-id") or "-"
        logger.debug(
            "%s %s %s %s -> %s, %s bytes, %s ms, request %s, theirs %s",
            self.vendor,
            call.name,
            request.method,
            shown,
            response.status_code,
            len(body),
            milliseconds,
            request_id,
            theirs,
        )
        if response.is_success or (may_redirect and response.is_redirect):
            return Answer(response.status_code, body, response.headers, shown, self.clock())
        raise self._status_error(call, response, body)

    def _body(self, call: Call, response: httpx.Response, started: float) -> bytes:
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_bytes():
            chunks.append(chunk)
            size += len(chunk)
            if size > MAXIMUM_BODY_BYTES:
                raise self._error(BadPayload, f"the answer is larger than {MAXIMUM_BODY_BYTES >> 20} MiB", call)
            if time.monotonic() - started > self._timeout_seconds * TIMEOUTS_PER_ANSWER:
                raise self._error(TransportFailed, "the answer takes too long to arrive", call)
        return b"".join(chunks)

    def _take(self, call: Call, *, is_first_page: bool) -> None:
        if self._budget is not None:
            self._budget.take(call.name, is_first_page=is_first_page)
        if not self._is_paced or not call.paces:
            return
        limiter = self._limiters.get(call.name)
        if limiter is None:
            limiter = Limiter(
                [Rate(p.calls, round(p.seconds * 1000)) for p in sorted(call.paces, key=lambda p: p.seconds)]
            )
            self._limiters[call.name] = limiter
        pause = min(p.seconds / p.calls for p in call.paces)
        while not limiter.try_acquire(call.name, blocking=False):
            self.sleep(min(max(pause, 0.01), LONGEST_WAIT_SECONDS))

    # --- errors ---

    def _error(self, kind: type[ConnectorError], message: str, call: Call, **more: Any) -> ConnectorError:
        return kind(self.masked(message), vendor=self.vendor, call=call.name, **more)

    def mask(self, secret: str) -> None:
        """Mask this one, too, in every error from now on."""
        self._secrets = (*self._secrets, secret)

    def masked(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return text

    def _transport_error(self, call: Call, error: Exception, *, sent: bool) -> ConnectorError:
        what = "no connection" if not sent else "the connection broke before the answer was complete"
        if isinstance(error, httpx.TimeoutException):
            what = f"no answer within {self._timeout_seconds:g} s"
        return self._error(
            TransportFailed, what, call, detail=self.masked(f"{type(error).__name__}: {error}"), sent=sent
        )

    def _status_error(self, call: Call, response: httpx.Response, body: bytes) -> ConnectorError:
        status = response.status_code
        detail = self.masked(vendor_message(body))
        more: dict[str, Any] = {"status": status, "detail": detail or None}
        wish = retry_after_seconds(response.headers.get("retry-after"), _date_of(response))
        if status == 401:
            return self._error(AuthError, "the key or token was not accepted", call, **more)
        if status == 403:
            return self._error(PermissionDenied, "the key's user may not make this call", call, **more)
        if status in {404, 410}:
            return self._error(NotFound, "no such path or record", call, **more)
        if status == 408:
            return self._error(TransportFailed, "the vendor gave up waiting for the request", call, **more)
        if status == 429:
            if self._budget is not None:
                self._budget.throttled(call.name, wish)
            return self._error(RateLimited, "too many calls", call, retry_after=wish, **more)
        if status >= 500:
            return self._error(ServerFailed, "the vendor's side failed", call, retry_after=wish, **more)
        if 300 <= status < 400:
            return self._error(UnsafeRedirect, "a write was redirected", call, **more)
        return self._error(RequestRejected, "the vendor refused the request", call, **more)

    def _should_stop(self, state: RetryCallState) -> bool:
        return state.attempt_number >= ATTEMPTS or time.monotonic() < self._given_up_until

    def _log_retry(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        wait = state.next_action.sleep if state.next_action else 0.0
        logger.warning("%s: try %s of %s failed, next in %.1f s", error, state.attempt_number, ATTEMPTS, wait)


def vendor_message(body: bytes) -> str:
    """The vendor's own words in an error body: of its usual members, else the JSON or text as it stands; no HTML."""
    if not body.strip():
        return ""
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        text = body[:2000].decode("utf-8", "replace").strip()
        return "an HTML page" if text.lstrip().startswith("<") else text
    if isinstance(decoded, dict):
        message = (
            decoded.get("message") or decoded.get("Message") or decoded.get("error_description") or decoded.get("error")
        )
        errors = [
            " ".join(str(e[k]) for k in ("code", "field", "message", "description") if e.get(k))
            for e in decoded.get("errors") or ()
            if isinstance(e, dict)
        ]
        found = "; ".join(str(m) for m in (message, *errors) if m)
        if found:
            return found
    return body[:2000].decode("utf-8", "replace")
