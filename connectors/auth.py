"""Who we are to a vendor: a bare key, OAuth 2 client credentials, or OAuth 2 with refresh tokens that are used up by
being used.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import httpx
import msgspec
from filelock import FileLock, Timeout

from connectors.errors import (
    AuthError,
    BadConfiguration,
    BadPayload,
    ConnectorError,
    ServerFailed,
    TransportFailed,
)
from connectors.http import ApiClient, Call, utc_now

EXPIRY_MARGIN = timedelta(seconds=60)
TOKEN_CALL = Call("token")
DEFAULT_TOKEN_SECONDS = 3600
LOCK_TIMEOUT_SECONDS = 120.0


class BareKey(httpx.Auth):
    """`Authorization: <key>`, without a scheme word.

    A 401 asks `reread` for the key as it is now: when it was replaced meanwhile, the request is repeated once with the
    new one, also a write, because what was not accepted was not carried out. A key that was refused is never repeated.
    """

    def __init__(self, key: str, reread: Callable[[], str] | None = None) -> None:
        self._key = key
        self._reread = reread

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        refused = self._key
        request.headers["Authorization"] = refused
        response = yield request
        if response.status_code == 401 and self._reread is not None:
            self._key = self._reread()
            if self._key != refused:
                request.headers["Authorization"] = self._key
                yield request


class Credentials(msgspec.Struct, frozen=True):
    """The newest tokens of one account. All times are UTC.

    `expires_at` concerns the access token. `consented_at` is when a person signed in, or when the chain of tokens was
    first seen, which is later; `consent_days` is how long that consent lasts, where it is known.
    """

    refresh_token: str
    access_token: str | None = None
    expires_at: datetime | None = None
    consented_at: datetime | None = None
    consent_days: int | None = None


class CredentialStore(Protocol):
    """Keeps the newest tokens of one account.

    `save` must be durable and atomic before it returns: the old refresh token is already spent by then. `lock`
    excludes every other process that refreshes the same account, because two refreshes with one token lose the chain.
    """

    def load(self) -> Credentials: ...

    def save(self, credentials: Credentials) -> None: ...

    def lock(self) -> AbstractContextManager[object]: ...


class _Stored(msgspec.Struct, frozen=True):
    credentials: Credentials
    first_token_digest: str


class FileCredentialStore:
    """One account's tokens in a file that only its owner can read, replaced by an atomic rename.

    `first_refresh_token` is the one that a person put into the configuration. It is used until a refresh has replaced
    it, and again when it has changed since: then somebody has signed in anew. Without one the file must be there, as
    signing in leaves it. `sign_in` says how that is done.
    """

    def __init__(self, path: Path, first_refresh_token: str | None = None, sign_in: str = "sign in") -> None:
        self._path = path
        self._sign_in = sign_in
        self._first = first_refresh_token or ""
        self._digest = sha256(self._first.encode()).hexdigest()
        self._lock = FileLock(f"{path}.lock", mode=0o600)

    def load(self) -> Credentials:
        try:
            stored = msgspec.json.decode(self._path.read_bytes(), type=_Stored)
        except FileNotFoundError:
            if not self._first:
                message = f"nobody has signed in yet: {self._sign_in}"
                raise AuthError(message, vendor="credentials", call=self._path.name) from None
            return Credentials(self._first)
        except (msgspec.DecodeError, UnicodeError):
            raise BadConfiguration(
                "damaged: delete the file, sign in again, and set the new refresh token in the environment",
                vendor="credentials",
                call=self._path.name,
            ) from None
        return (
            stored.credentials
            if stored.first_token_digest == self._digest or not self._first
            else Credentials(self._first)
        )

    def save(self, credentials: Credentials) -> None:
        self._make_folder()
        content = msgspec.json.encode(_Stored(credentials, self._digest))
        descriptor, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}-")  # mode 0600
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self._path)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
            raise
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def lock(self) -> Iterator[None]:
        self._make_folder()
        try:
            self._lock.acquire(timeout=LOCK_TIMEOUT_SECONDS)
        except Timeout:
            raise TransportFailed(
                f"another process has been renewing the token for {LOCK_TIMEOUT_SECONDS:g} s",
                vendor="credentials",
                call=self._path.name,
                sent=False,
            ) from None
        try:
            yield
        finally:
            self._lock.release()

    def _make_folder(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)


class MemoryCredentialStore:
    """Tokens for as long as the process lives."""

    def __init__(self, refresh_token: str) -> None:
        self._credentials = Credentials(refresh_token)
        self._lock = threading.Lock()

    def load(self) -> Credentials:
        return self._credentials

    def save(self, credentials: Credentials) -> None:
        self._credentials = credentials

    @contextmanager
    def lock(self) -> Iterator[None]:
        with self._lock:
            yield


class TokenAnswer(msgspec.Struct):
    """What a token service grants. `expires_in` is seconds."""

    access_token: str
    refresh_token: str | None = None
    expires_in: float = DEFAULT_TOKEN_SECONDS


class RefreshingToken(httpx.Auth):
    """`Authorization: Bearer <access token>`, renewed in time by the refresh token.

    A new refresh token is saved before the access token that came with it is used once. A 401 is answered by one
    refresh and one repetition, also of a write: what was not accepted was not carried out. `sign_in` tells a person how
    to sign in again. When the client's secret is refused, which spends no refresh token, `reread` is asked for the
    secret as it is now, and one that was replaced is tried at once.
    """

    def __init__(
        self,
        vendor: str,
        token_url: str,
        client_id: str,
        client_secret: str,
        store: CredentialStore,
        *,
        sign_in: str = "sign in again and set the new one in the environment",
        reread: Callable[[], str] | None = None,
        timeout_seconds: float = 60.0,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.vendor = vendor
        self._sign_in = sign_in
        self._client_id = client_id
        self._client_secret = client_secret
        self._reread = reread
        self._store = store
        self._clock = clock
        self._client = ApiClient(
            vendor,
            token_url,
            secrets=(client_secret,),
            timeout_seconds=timeout_seconds,
            transport=transport,
            sleep=sleep,
            clock=clock,
            is_paced=False,
        )

    def close(self) -> None:
        self._client.close()

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        token = self.access_token()
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == 401:
            request.headers["Authorization"] = f"Bearer {self.access_token(refused=token)}"
            yield request

    def access_token(self, *, refused: str | None = None) -> str:
        """A token that is good for another minute, and is not the one that the vendor has just refused."""
        credentials = self._store.load()
        if not self._is_good(credentials, refused):
            with self._store.lock():
                # Another process may have refreshed while this one waited for the lock.
                credentials = self._store.load()
                if not self._is_good(credentials, refused):
                    credentials = self._refresh(credentials)
        assert credentials.access_token is not None
        return credentials.access_token

    def _is_good(self, credentials: Credentials, refused: str | None) -> bool:
        return (
            credentials.access_token is not None
            and credentials.access_token != refused
            and credentials.expires_at is not None
            and credentials.expires_at > self._clock() + EXPIRY_MARGIN
        )

    def _refresh(self, credentials: Credentials) -> Credentials:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": credentials.refresh_token,
            "client_id": self._client_id,
            "client_secret": self._client_secret,
        }
        try:
            # Sent once: after a lost answer the token may be spent, and only the vendor knows.
            tokens = request_tokens(self._client, form)
        except TransportFailed as error:
            raise _not_sent(error) from error
        except ConnectorError as error:
            if (
                isinstance(error, AuthError)
                and (secret := replaced(self._client_secret, self._reread, self._client)) is not None
            ):
                self._client_secret = secret
                return self._refresh(credentials)
            if _is_refusal(error):
                raise AuthError(
                    self._why_refused(error, credentials),
                    vendor=self.vendor,
                    call=TOKEN_CALL.name,
                    status=error.status,
                    detail=_without(error.detail, credentials.refresh_token),
                ) from None
            raise
        renewed = Credentials(
            tokens.refresh_token or credentials.refresh_token,
            tokens.access_token,
            self._clock() + timedelta(seconds=tokens.expires_in),
            credentials.consented_at or self._clock(),
            credentials.consent_days,
        )
        self._store.save(renewed)
        return renewed

    def _why_refused(self, error: ConnectorError, credentials: Credentials) -> str:
        if isinstance(error, AuthError):
            return "the client id and secret were not accepted"
        given, days = credentials.consented_at, credentials.consent_days
        if given is not None and days is not None and given + timedelta(days=days) <= self._clock():
            return f"the consent of {given.date()} has lapsed after {days} days: {self._sign_in}"
        return (
            "the refresh token was not accepted: it was spent by somebody else (a second data folder, a copy brought "
            f"back from a backup), or the consent was withdrawn: {self._sign_in}"
        )


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """An OAuth 2 client that acts for itself. `token_url` is its authorisation server's, not the API's."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)


class MemoryToken(httpx.Auth, ABC):
    """A bearer token that is kept in memory, renewed before it expires and once when it is refused."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._token: str | None = None
        self._expires_at = datetime.min.replace(tzinfo=UTC)

    @abstractmethod
    def _renew(self) -> tuple[str, datetime]:
        """A new token and when it expires (UTC). Raises a ConnectorError."""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        token = self.access_token()
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == 401:
            request.headers["Authorization"] = f"Bearer {self.access_token(refused=token)}"
            yield request

    def access_token(self, *, refused: str | None = None) -> str:
        """A token that is good for another minute, and is not the one that the vendor has just refused."""
        with self._lock:
            is_good = self._token != refused and self._expires_at > self._clock() + EXPIRY_MARGIN
            if self._token is None or not is_good:
                self._token, self._expires_at = self._renew()
            return self._token


class ClientToken(MemoryToken):
    """`Authorization: Bearer <access token>` by client credentials. The token lives in memory only.

    It is renewed a minute before it ends. A 401 is answered by one renewal and one repetition, also of a write: what
    was not accepted was not carried out. The secret travels in the body of the token request (`client_secret_post`).
    When it is refused `reread` is asked for the secret as it is now, and one that was replaced is tried at once.
    """

    def __init__(
        self,
        vendor: str,
        credentials: ClientCredentials,
        *,
        reread: Callable[[], str] | None = None,
        timeout_seconds: float = 60.0,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.vendor = vendor
        self._credentials = credentials
        self._reread = reread
        super().__init__(clock)
        self._client = ApiClient(
            vendor,
            credentials.token_url,
            secrets=(credentials.client_secret,),
            timeout_seconds=timeout_seconds,
            transport=transport,
            sleep=sleep,
            clock=clock,
            is_paced=False,
        )

    def close(self) -> None:
        self._client.close()

    def _renew(self) -> tuple[str, datetime]:
        try:
            tokens = self._request()
        except (TransportFailed, ServerFailed, BadPayload) as error:
            raise _not_sent(error) from error
        except ConnectorError as error:
            if _is_refusal(error):
                if (secret := replaced(self._credentials.client_secret, self._reread, self._client)) is not None:
                    self._credentials = replace(self._credentials, client_secret=secret)
                    return self._renew()
                raise AuthError(
                    "the client id and secret were not accepted",
                    vendor=self.vendor,
                    call=TOKEN_CALL.name,
                    status=error.status,
                    detail=error.detail,
                ) from None
            raise
        return tokens.access_token, self._clock() + timedelta(seconds=tokens.expires_in)

    def _request(self) -> TokenAnswer:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret,
        }
        return request_tokens(self._client, form)


def replaced(refused: str, reread: Callable[[], str] | None, client: ApiClient) -> str | None:
    """The secret that took the place of the refused one, masked by `client` from now on; None when there is none."""
    secret = refused if reread is None else reread()
    if secret == refused:
        return None
    client.mask(secret)
    return secret


def request_tokens(client: ApiClient, form: Mapping[str, str]) -> TokenAnswer:
    """Post a form to the token service at the client's address, once. Raises a ConnectorError."""
    answer = client.write(
        TOKEN_CALL,
        "",
        content=str(httpx.QueryParams(form)).encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    try:
        return msgspec.json.decode(answer.body, type=TokenAnswer)
    except (msgspec.DecodeError, UnicodeError):
        raise BadPayload(
            "the token service did not answer with tokens",
            vendor=client.vendor,
            call=TOKEN_CALL.name,
            status=answer.status,
        ) from None


def _not_sent(error: ConnectorError) -> TransportFailed:
    """A failed token request, as what it means for the request that needed the token: that one has not been sent."""
    return TransportFailed(
        error.message,
        vendor=error.vendor,
        call=error.call,
        status=error.status,
        detail=error.detail,
        sent=False,
        retry_after=error.retry_after if isinstance(error, ServerFailed) else None,
    )


def _is_refusal(error: ConnectorError) -> bool:
    return error.status is not None and 400 <= error.status < 500 and not error.retryable


def _without(text: str | None, secret: str) -> str | None:
    return text.replace(secret, "***") if text else text
