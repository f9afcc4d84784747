"""Reads a Mirakl marketplace as one of its sellers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial

import httpx
import msgspec

from connectors.auth import BareKey
from connectors.checks import try_call
from connectors.decoding import format_stamp, raw_records, split_records
from connectors.errors import (
    AuthError,
    BadConfiguration,
    BadPayload,
    NotFound,
    PermissionDenied,
    RequestRejected,
    TransportFailed,
)
from connectors.extraction import read_pages
from connectors.http import Answer, ApiClient, utc_now
from connectors.mirakl.decode import DECODERS, FEEDS, VENDOR
from connectors.mirakl.endpoints import ENDPOINTS, Endpoint
from connectors.pagination import Guard
from connectors.records import CheckResult, FeedSpec, Page, Window


class _Account(msgspec.Struct):
    shop_id: int | str
    shop_name: str | None = None
    shop_state: str | None = None


class MiraklConnector:
    """One shop on one marketplace.

    `shop_id` goes into every request, because a key for several shops otherwise answers for whichever is its default.
    `order_tax_mode` (TAX_INCLUDED or TAX_EXCLUDED) is pinned in every read of orders, because the platform's default
    may change; each order repeats it. Windows start at `since`, inclusively, in UTC.
    """

    vendor = VENDOR

    def __init__(
        self,
        account: str,
        base_url: str,
        shop_id: str | int,
        api_key: str,
        timeout_seconds: float = 60.0,
        *,
        order_tax_mode: str = "TAX_INCLUDED",
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], datetime] = utc_now,
        is_paced: bool | None = None,
    ) -> None:
        if not api_key:
            raise BadConfiguration(f"no API key for {account}", vendor=VENDOR, call="configuration")
        self.account = account
        self.shop_id = str(shop_id)
        self.order_tax_mode = order_tax_mode
        self.client = ApiClient(
            VENDOR,
            base_url,
            auth=BareKey(api_key),
            secrets=(api_key,),
            timeout_seconds=timeout_seconds,
            transport=transport,
            sleep=sleep,
            clock=clock,
            is_paced=is_paced,
        )

    def close(self) -> None:
        self.client.close()

    @property
    def feeds(self) -> dict[str, FeedSpec]:
        return FEEDS

    def parameters(self, endpoint: Endpoint, window: Window) -> dict[str, str]:
        parameters = {"shop_id": self.shop_id, **endpoint.parameters}
        if endpoint.takes_tax_mode:
            parameters["order_tax_mode"] = self.order_tax_mode
        if endpoint.since is not None and window.since is not None:
            parameters[endpoint.since] = format_stamp(window.since)
        return parameters

    def pages(self, entity: str, window: Window) -> Iterator[Page]:
        """The feed's pages, lazily. Unknown entity: KeyError. Raises a ConnectorError when reading cannot go on."""
        endpoint = ENDPOINTS[entity]
        return read_pages(
            self.client,
            endpoint.call,
            endpoint.path,
            self.parameters(endpoint, window),
            endpoint.paginator(Guard(VENDOR, endpoint.call.name)),
            FEEDS[entity],
            DECODERS[entity],
        )

    def check(self) -> list[CheckResult]:
        """Host, key, shop, and the permission for each feed, by one small call each."""
        host = httpx.URL(self.client.base_url).host
        advice = {
            AuthError: f"set MIRAKL_{self.account}_API_KEY to a valid key (test and production differ)",
            TransportFailed: f"check base_url of {self.account} in marketplaces.csv and the network: {host} is silent",
            NotFound: f"check base_url of {self.account} in marketplaces.csv: {host} is not a Mirakl instance",
            BadPayload: f"check base_url of {self.account} in marketplaces.csv: {host} answers, but not as Mirakl",
            PermissionDenied: "ask the shop's administrator to give the key's user the roles order and accountancy",
            RequestRejected: f"check shop_id of {self.account} in marketplaces.csv: it must be one of the key's shops",
        }
        first = try_call(
            f"{self.account}: key and shop", self._own_shop, advice, "try again later; the vendor has a problem"
        )
        results = [first]
        if not first.ok:
            return results
        results.extend(
            try_call(
                f"{self.account}: {endpoint.entity} ({endpoint.call.name})",
                partial(self._trial, endpoint),
                advice,
                "try again later; the vendor has a problem",
            )
            for endpoint in ENDPOINTS.values()
            if endpoint.entity != "account"
        )
        return results

    def _own_shop(self) -> str:
        endpoint = ENDPOINTS["account"]

        def parse(answer: Answer) -> _Account:
            try:
                return msgspec.json.decode(answer.body, type=_Account)
            except msgspec.DecodeError as error:
                raise BadPayload(
                    "the answer is no account", vendor=VENDOR, call=endpoint.call.name, detail=str(error)
                ) from error

        found = self.client.read(endpoint.call, endpoint.path, {"shop_id": self.shop_id}, parse)
        if str(found.shop_id) != self.shop_id:
            raise RequestRejected(
                f"the key answers for shop {found.shop_id}, not for {self.shop_id}",
                vendor=VENDOR,
                call=endpoint.call.name,
            )
        return f"shop {found.shop_id} {found.shop_name or ''} is {found.shop_state or 'of unknown state'}"

    def _trial(self, endpoint: Endpoint) -> str:
        paginator = endpoint.paginator(Guard(VENDOR, endpoint.call.name))
        smallest = {name: "1" if name in {"max", "limit"} else value for name, value in paginator.first().items()}
        parameters = {**self.parameters(endpoint, Window()), **smallest}
        decoder = DECODERS[endpoint.entity]

        def parse(answer: Answer) -> int:
            whole, _ = split_records(answer.body, decoder.envelope, vendor=VENDOR, call=endpoint.call.name)
            return len(raw_records(whole, vendor=VENDOR, call=endpoint.call.name))

        self.client.read(replace(endpoint.call, paces=()), endpoint.path, parameters, parse)
        return "may be read"
