"""Reads one company of one Sage 200 site."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

import httpx
import msgspec

from connectors.auth import CredentialStore, RefreshingToken
from connectors.checks import try_call
from connectors.decoding import Envelope, format_stamp, raw_records, split_records
from connectors.errors import (
    AuthError,
    BadPayload,
    NotFound,
    PermissionDenied,
    RequestRejected,
    ServerFailed,
    TransportFailed,
)
from connectors.extraction import read_pages
from connectors.http import Answer, ApiClient, Call, safe_base_url, utc_now
from connectors.pagination import Guard, ODataKeyset
from connectors.records import CheckResult, FeedSpec, Page, Window
from connectors.sage200.decode import DECODERS, FEEDS, VENDOR
from connectors.sage200.endpoints import RESOURCES, SITES, Resource


class _Site(msgspec.Struct):
    site_id: str
    company_id: int | str
    company_name: str | None = None


def quoted(text: str) -> str:
    """A text as an OData literal."""
    return "'" + text.replace("'", "''") + "'"


class Sage200Connector:
    """One company of one site: `site_id` (a GUID) and `company_id` go into every request but the list of sites.

    `credentials` keeps the rotating refresh token. Windows start at `since`, inclusively, in UTC; keyset feeds start
    after `after_id`.
    """

    vendor = VENDOR

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
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], datetime] = utc_now,
        is_paced: bool | None = None,
    ) -> None:
        self.account = account
        self.site_id = site_id
        self.company_id = str(company_id)
        self._auth = RefreshingToken(
            VENDOR,
            safe_base_url(token_url, vendor=VENDOR, what=f"token_url of {account}"),
            client_id,
            client_secret,
            credentials,
            timeout_seconds=timeout_seconds,
            transport=transport,
            sleep=sleep,
            clock=clock,
        )
        self.client = ApiClient(
            VENDOR,
            base_url,
            auth=self._auth,
            headers={"X-Site": site_id, "X-Company": self.company_id},
            secrets=(client_secret,),
            timeout_seconds=timeout_seconds,
            transport=transport,
            sleep=sleep,
            clock=clock,
            is_paced=is_paced,
        )

    def close(self) -> None:
        self.client.close()
        self._auth.close()

    @property
    def feeds(self) -> dict[str, FeedSpec]:
        return FEEDS

    def pages(self, entity: str, window: Window) -> Iterator[Page]:
        """The feed's pages, lazily. Unknown entity: KeyError. Raises a ConnectorError when reading cannot go on."""
        resource = RESOURCES[entity]
        spec = FEEDS[entity]
        condition = None
        if resource.since is not None and window.since is not None:
            condition = f"{resource.since} ge {format_stamp(window.since)}"
        after = window.after_id if spec.mode == "keyset" else None
        declared = self._count(resource, condition, after) if resource.is_counted else None
        paginator = ODataKeyset(
            resource.size,
            Guard(VENDOR, resource.call.name),
            key=resource.key,
            condition=condition,
            after=after,
            declared_count=declared,
        )
        parameters = {"$expand": resource.expand} if resource.expand else {}
        yield from read_pages(self.client, resource.call, resource.path, parameters, paginator, spec, DECODERS[entity])

    def _count(self, resource: Resource, condition: str | None, after: str | None) -> int | None:
        """The vendor's own number of rows; None from a site whose version does not count."""
        conditions = [c for c in (condition, f"{resource.key} gt {after}" if after is not None else None) if c]
        parameters = {"$count": "true", **({"$filter": " and ".join(conditions)} if conditions else {})}

        def parse(answer: Answer) -> int | None:
            try:
                return msgspec.json.decode(answer.body, type=int)
            except msgspec.DecodeError:
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
        except msgspec.DecodeError as error:
            raise BadPayload("the answer holds no objects", vendor=VENDOR, call=resource, detail=str(error)) from error

    def check(self) -> list[CheckResult]:
        """Token, host, site, company, and the permission for each resource, by one small call each."""
        host = httpx.URL(self.client.base_url).host
        prefix = f"SAGE200_{self.account}_"
        advice: Mapping[Any, str] = {
            AuthError: f"sign in again and set {prefix}CLIENT_ID, {prefix}CLIENT_SECRET and {prefix}REFRESH_TOKEN",
            TransportFailed: f"check base_url and token_url of {self.account} in erps.csv and the network: no answer",
            ServerFailed: f"{host} cannot reach the site: is the Sage 200 server running and its gateway connected?",
            NotFound: f"check base_url of {self.account} in erps.csv: {host} has no such resource, or its site is old",
            BadPayload: f"check base_url of {self.account} in erps.csv: {host} answers, but not as Sage 200",
            PermissionDenied: "give the API user's Sage 200 role the feature behind this resource",
            RequestRejected: f"check site_id and company_id of {self.account} in erps.csv",
        }
        otherwise = "try again later; the vendor has a problem"
        first = try_call(f"{self.account}: token, site and company", self._own_company, advice, otherwise)
        results = [first]
        if not first.ok:
            return results
        results.extend(
            try_call(
                f"{self.account}: {resource.entity} ({resource.path})",
                partial(self._trial, resource),
                advice,
                otherwise,
            )
            for resource in RESOURCES.values()
        )
        return results

    def _own_company(self) -> str:
        def parse(answer: Answer) -> list[_Site]:
            whole, _ = split_records(answer.body, Envelope(), vendor=VENDOR, call=SITES.name)
            try:
                return msgspec.json.decode(whole, type=list[_Site])
            except msgspec.DecodeError as error:
                raise BadPayload("the answer is no list of sites", vendor=VENDOR, call=SITES.name) from error

        sites = self.client.read(SITES, "/sites", {}, parse)
        if not sites:
            raise ServerFailed("no site is registered: the site's tunnel is down", vendor=VENDOR, call=SITES.name)
        here = [s for s in sites if s.site_id.lower() == self.site_id.lower()]
        if not here:
            raise RequestRejected(
                f"the user has no site {self.site_id}, only {sorted({s.site_id for s in sites})}",
                vendor=VENDOR,
                call=SITES.name,
            )
        company = next((s for s in here if str(s.company_id) == self.company_id), None)
        if company is None:
            known = ", ".join(f"{s.company_id} ({s.company_name})" for s in here)
            raise RequestRejected(
                f"the site has no company {self.company_id}, only {known}", vendor=VENDOR, call=SITES.name
            )
        return f"company {company.company_id} {company.company_name or ''}"

    def _trial(self, resource: Resource) -> str:
        def parse(answer: Answer) -> int:
            whole, _ = split_records(answer.body, Envelope(), vendor=VENDOR, call=resource.call.name)
            return len(raw_records(whole, vendor=VENDOR, call=resource.call.name))

        self.client.read(resource.call, resource.path, {"$top": "1"}, parse)
        return "may be read"
