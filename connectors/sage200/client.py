"""Reads one company of one Sage 200 site."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from decimal import Decimal
from functools import cached_property, partial
from typing import Any

import httpx
import msgspec

from connectors.auth import TOKEN_CALL, Credentials, CredentialStore, RefreshingToken
from connectors.decoding import Envelope, format_stamp, split_records
from connectors.errors import (
    AuthError,
    BadPayload,
    ConnectorError,
    NotFound,
    PermissionDenied,
    RequestRejected,
    ServerFailed,
    SiteDown,
    WrongAccount,
)
from connectors.extraction import read_pages
from connectors.http import Answer, ApiClient, Call, safe_base_url, utc_now
from connectors.pagination import Guard, ODataKeyset
from connectors.records import CheckResult, FeedSpec, Page, Window
from connectors.sage200.check import check_company
from connectors.sage200.decode import DECODERS, FEEDS, VENDOR
from connectors.sage200.endpoints import CIVIL, RESOURCES, SITES, Resource
from connectors.sage200.settings import SETTINGS, CompanySettings
from connectors.sage200.sign_in import consent_warning


class Site(msgspec.Struct, frozen=True):
    """One company that the signed-in person may work with: a site may have several."""

    site_id: str
    company_id: int | str
    company_name: str | None = None
    site_name: str | None = None


def quoted(text: str) -> str:
    """A text as an OData literal."""
    return "'" + text.replace("'", "''") + "'"


class Sage200Connector:
    """One company of one site: `site_id` (a GUID) and `company_id` go into every request but the list of sites.

    `credentials` keeps the rotating refresh token. Windows start at `since`, inclusively, in UTC; keyset feeds start
    after `after_id`. `reread_secret` gives the client's secret as it is now and is asked when it was refused. Tokens
    and consents are kept by `sign_in_clock`, the true time, also where `clock` is pinned.
    """

    vendor = VENDOR
    deletes_silently = frozenset({"sop_orders"})
    """Feeds whose deleted records leave no trace. Posted transactions are not deleted but archived."""

    def __init__(
        self,
        account: str,
        base_url: str,
        token_url: str,
        site_id: str,
        company_id: str | int,
        credentials: CredentialStore,
        client_id: str,
        client_secret: str,
        timeout_seconds: float = 60.0,
        *,
        reread_secret: Callable[[], str] | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], datetime] = utc_now,
        sign_in_clock: Callable[[], datetime] = utc_now,
        is_paced: bool | None = None,
    ) -> None:
        self.account = account
        self.site_id = site_id
        self.company_id = str(company_id)
        self._credentials = credentials
        self._sign_in_clock = sign_in_clock
        self._auth = RefreshingToken(
            VENDOR,
            safe_base_url(token_url, vendor=VENDOR, what=f"token_url of {account}"),
            client_id,
            client_secret,
            credentials,
            sign_in=f"sign in again with `tieout auth sage200 --erp {account}`",
            reread=reread_secret,
            timeout_seconds=timeout_seconds,
            transport=transport,
            sleep=sleep,
            clock=sign_in_clock,
        )

        self._new_client = partial(
            ApiClient,
            VENDOR,
            base_url,
            auth=self._auth,
            secrets=(client_secret,),
            timeout_seconds=timeout_seconds,
            transport=transport,
            sleep=sleep,
            clock=clock,
            is_paced=is_paced,
        )
        self.client = self._new_client(headers={"X-Site": site_id, "X-Company": self.company_id})

    def close(self) -> None:
        self.client.close()
        self._auth.close()

    @property
    def feeds(self) -> dict[str, FeedSpec]:
        return FEEDS

    @property
    def edition(self) -> str:
        """By the address, which differs per edition. Empty for an address that is none of Sage's two."""
        if "/uk/sage200extra/" in self.client.base_url + "/":
            return "Professional"
        return "Standard" if "/uk/sage200/" in self.client.base_url + "/" else ""

    # --- reading

    def pages(self, entity: str, window: Window) -> Iterator[Page]:
        """The feed's pages, lazily. Unknown entity: KeyError. Raises a ConnectorError when reading cannot go on."""
        resource = RESOURCES[entity]
        spec = FEEDS[entity]
        condition = _since(resource, window.since)
        after = window.after_id if spec.mode == "keyset" else None
        parameters = {"$expand": resource.expand} if resource.expand else {}
        with self._explained():
            paginator = ODataKeyset(
                resource.size,
                Guard(VENDOR, resource.call.name),
                key=resource.key,
                second_key=resource.second_key,
                condition=condition,
                after=after,
                declared_count=self._count(resource, condition, after) if resource.is_counted else None,
            )
            yield from read_pages(
                self.client, resource.call, resource.path, parameters, paginator, spec, DECODERS[entity]
            )

    def _count(self, resource: Resource, condition: str | None, after: str | None) -> int | None:
        """The vendor's own number of rows; None from a site whose version does not count."""
        conditions = [c for c in (condition, f"{resource.key} gt {after}" if after is not None else None) if c]
        parameters = {"$count": "true", **({"$filter": " and ".join(conditions)} if conditions else {})}

        def parse(answer: Answer) -> int | None:
            try:
                return msgspec.json.decode(answer.body, type=int)
            except (msgspec.DecodeError, UnicodeError):
                return None  # an older site ignores the option and gives rows

        try:
            return self.client.read(resource.call, resource.path, parameters, parse)
        except (RequestRejected, NotFound):
            return None

    def select(
        self, resource: str, conditions: str, *, top: int = 500, expand: str | None = None
    ) -> list[dict[str, Any]]:
        """Rows of a resource as plain objects, numbers as Decimal, at most `top`: for look-ups, not for extraction."""
        parameters = {"$orderby": "id asc", "$top": str(top), "$filter": conditions}
        if expand:
            parameters["$expand"] = expand
        return self.client.read(Call(resource), f"/{resource}", parameters, lambda a: self._objects(a, resource))

    @staticmethod
    def _objects(answer: Answer, resource: str) -> list[dict[str, Any]]:
        whole, _ = split_records(answer.body, Envelope(), vendor=VENDOR, call=resource)
        try:
            return msgspec.json.Decoder(list[dict[str, Any]], float_hook=Decimal).decode(whole)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise BadPayload("the answer holds no objects", vendor=VENDOR, call=resource, detail=str(error)) from error

    # --- site and company

    def sites(self) -> list[Site]:
        """The companies of the signed-in person. Raises SiteDown when there is none: the gateway has lost the site."""

        def parse(answer: Answer) -> list[Site]:
            whole, _ = split_records(answer.body, Envelope(), vendor=VENDOR, call=SITES.name)
            try:
                return msgspec.json.decode(whole, type=list[Site])
            except (msgspec.DecodeError, UnicodeError) as error:
                raise BadPayload("the answer is no list of sites", vendor=VENDOR, call=SITES.name) from error

        # This is the one call without X-Site and X-Company: with wrong ones it would be refused like the others.
        with closing(self._new_client()) as client:
            sites = client.read(SITES, "/sites", {}, parse)
        if not sites:
            raise SiteDown("no site is registered: the site's tunnel is down", vendor=VENDOR, call=SITES.name)
        return sites

    def company(self) -> Site:
        """The company that is configured. Raises WrongAccount when the signed-in person has no such site or company."""
        sites = self.sites()
        here = [s for s in sites if s.site_id.lower() == self.site_id.lower()]
        if not here:
            raise WrongAccount(
                f"the user has no site {self.site_id}, only {sorted({s.site_id for s in sites})}",
                vendor=VENDOR,
                call=SITES.name,
            )
        company = next((s for s in here if str(s.company_id) == self.company_id), None)
        if company is None:
            known = ", ".join(f"{s.company_id} ({s.company_name})" for s in here)
            raise WrongAccount(
                f"the site has no company {self.company_id}, only {known}", vendor=VENDOR, call=SITES.name
            )
        return company

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Tells a 401's causes apart (token, site, company: all have an empty body) and names a site that is down."""
        try:
            yield
        except AuthError as error:
            if error.status != 401 or error.call == TOKEN_CALL.name:
                raise
            try:
                self.company()
            except AuthError:
                raise error from None
            except ConnectorError as cause:
                raise cause from error
            raise
        except SiteDown:
            raise
        except ServerFailed as error:
            if error.status != 504:
                raise
            raise SiteDown(
                "Sage's gateway does not reach the site: its server or tunnel is down, or the query is too slow",
                vendor=VENDOR,
                call=error.call,
                status=error.status,
                detail=error.detail,
                retry_after=error.retry_after,
            ) from error

    # --- what the company is set to

    def settings(self) -> CompanySettings:
        """Read once. Resources that the user may not see, or that the site is too old for, are in `unread`."""
        return self._settings

    @cached_property
    def _settings(self) -> CompanySettings:
        found: dict[str, Any] = {}
        unread: dict[str, str] = {}
        for resource, (member, kind) in SETTINGS.items():
            try:
                found[member] = self._single(resource, kind)
            except (PermissionDenied, NotFound, RequestRejected) as error:
                unread[resource] = str(error)
        return CompanySettings(**found, unread=unread)

    def _single(self, resource: str, kind: type[msgspec.Struct]) -> msgspec.Struct:
        def parse(answer: Answer) -> msgspec.Struct:
            whole, _ = split_records(answer.body, Envelope(), vendor=VENDOR, call=resource)
            try:
                rows = msgspec.json.decode(whole, type=list[kind])  # type: ignore[valid-type]
            except (msgspec.DecodeError, UnicodeError) as error:
                raise BadPayload(
                    "the answer is no settings", vendor=VENDOR, call=resource, detail=str(error)
                ) from error
            return rows[0] if rows else kind()

        return self.client.read(Call(resource, CIVIL), f"/{resource}", {}, parse)

    # --- health

    def credentials(self) -> Credentials:
        """The tokens as stored, without asking Sage. Raises AuthError when nobody has signed in."""
        return self._credentials.load()

    def sign_in_time(self) -> datetime:
        return self._sign_in_clock()

    def warnings(self) -> list[str]:
        """What a person should hear of although reading went well. Calls nobody. Each text appears once per stage."""
        warning = consent_warning(self.credentials(), self.sign_in_time())
        return [f"{warning}: sign in again with `tieout auth sage200 --erp {self.account}`"] if warning else []

    def check(self) -> list[CheckResult]:
        """Sign-in, host, site, company, edition, settings, periods, and the permission for each resource."""
        return check_company(self)


def _since(resource: Resource, since: datetime | None) -> str | None:
    if not resource.since or since is None:
        return None
    conditions = [f"{member} ge {format_stamp(since)}" for member in resource.since]
    return conditions[0] if len(conditions) == 1 else f"({' or '.join(conditions)})"
