"""Reads a Mirakl marketplace, as one of its sellers or as its operator."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial

import httpx
import msgspec

from connectors.auth import BareKey, ClientCredentials, ClientToken
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
from connectors.http import Answer, ApiClient, Budget, safe_base_url, utc_now
from connectors.mirakl.decode import DECODERS, FEEDS, VENDOR
from connectors.mirakl.endpoints import ENDPOINTS, MAXIMUM_IDS, Endpoint, Perspective
from connectors.pagination import Guard, LinkOffset, member_int
from connectors.records import CheckResult, FeedSpec, Page, Route, Window


class _Account(msgspec.Struct):
    shop_id: int | str
    shop_name: str | None = None
    shop_state: str | None = None


def _bad_configuration(message: str) -> BadConfiguration:
    return BadConfiguration(message, vendor=VENDOR, call="configuration")


class MiraklConnector:
    """One account of a marketplace: a shop (perspective SELLER), or the marketplace itself (OPERATOR).

    A seller signs with a bare key, and `shop_id` goes into every request, because a key for several shops otherwise
    answers for whichever is its default. An operator signs with client credentials or a bare key and never names a
    shop; `shop_ids` narrows those calls that know such a filter (OR11, OR13, DR11, S20) to at most 100 shops.

    `order_tax_mode` (TAX_INCLUDED or TAX_EXCLUDED) is pinned in every read of orders, because the platform's default
    may change; each order repeats it. Windows start at `since`, inclusively, in UTC.
    """

    vendor = VENDOR

    def __init__(
        self,
        account: str,
        base_url: str,
        shop_id: str | int | None,
        auth: str | ClientCredentials,
        timeout_seconds: float = 60.0,
        *,
        perspective: Perspective = "SELLER",
        shop_ids: Sequence[str | int] = (),
        order_tax_mode: str = "TAX_INCLUDED",
        budget: Budget | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        if not auth:
            raise _bad_configuration(f"no API key for {account}")
        if perspective == "SELLER" and (shop_id is None or str(shop_id) == ""):
            raise _bad_configuration(f"{account} needs a shop_id: without one the key's default shop answers")
        if perspective == "SELLER" and not isinstance(auth, str):
            raise _bad_configuration(f"{account} is a seller's account, which Mirakl knows by an API key")
        if len(shop_ids) > MAXIMUM_IDS:
            raise _bad_configuration(f"{account} names {len(shop_ids)} shops, Mirakl takes at most {MAXIMUM_IDS}")
        self.account = account
        self.perspective = perspective
        self.shop_id = str(shop_id) if perspective == "SELLER" else None
        self.shop_ids = tuple(map(str, shop_ids)) if perspective == "OPERATOR" else ()
        self.order_tax_mode = order_tax_mode
        self._token = None
        if isinstance(auth, ClientCredentials):
            safe_base_url(auth.token_url, vendor=VENDOR, what=f"token_url of {account}")
            self._token = ClientToken(
                VENDOR, auth, timeout_seconds=timeout_seconds, transport=transport, sleep=sleep, clock=clock
            )
        self.client = ApiClient(
            VENDOR,
            base_url,
            auth=self._token or BareKey(str(auth)),
            secrets=(auth if isinstance(auth, str) else auth.client_secret,),
            timeout_seconds=timeout_seconds,
            transport=transport,
            sleep=sleep,
            clock=clock,
            budget=budget,
        )

    def close(self) -> None:
        self.client.close()
        if self._token is not None:
            self._token.close()

    @property
    def feeds(self) -> dict[str, FeedSpec]:
        """The feeds of this perspective."""
        return {entity: spec for entity, spec in FEEDS.items() if entity in ENDPOINTS}

    def routes(self, entity: str) -> tuple[Route, ...]:
        """The ways to the same records, the usual one first. Unknown entity: KeyError."""
        return ENDPOINTS[entity].routes

    def shop_parameters(self) -> dict[str, str]:
        """What every request of this account says about the shop."""
        return {} if self.shop_id is None else {"shop_id": self.shop_id}

    def parameters(self, endpoint: Endpoint, window: Window) -> dict[str, str | Sequence[str]]:
        parameters: dict[str, str | Sequence[str]] = {**self.shop_parameters(), **endpoint.parameters}
        if self.shop_ids and endpoint.shop_filter is not None:
            parameters["shop_ids"] = self.shop_ids if endpoint.shop_filter == "REPEATED" else ",".join(self.shop_ids)
        if endpoint.takes_tax_mode:
            parameters["order_tax_mode"] = self.order_tax_mode
        if endpoint.since is not None and window.since is not None:
            parameters[endpoint.since] = format_stamp(window.since)
        return parameters

    def pages(self, entity: str, window: Window, route: Route = "INTERACTIVE") -> Iterator[Page]:
        """The feed's pages, lazily. Unknown entity: KeyError. Raises a ConnectorError when reading cannot go on.

        `route` matters only where `routes` names several.
        """
        endpoint = ENDPOINTS[entity]
        return read_pages(
            self.client,
            endpoint.call,
            endpoint.path,
            self.parameters(endpoint, window),
            endpoint.paginator(Guard(VENDOR, endpoint.call.name)),
            FEEDS[entity],
            DECODERS[entity],
            shop_id=self.shop_id,
        )

    def measure(self, entity: str, window: Window) -> int | None:
        """The vendor's own number of records in the window, by one call for one record; None where it gives none.

        It counts as part of the poll that follows, not as a poll of its own.
        """
        endpoint = ENDPOINTS[entity]
        paginator = endpoint.paginator(Guard(VENDOR, endpoint.call.name))
        if not isinstance(paginator, LinkOffset):
            return None

        def parse(answer: Answer) -> int | None:
            _, members = split_records(answer.body, DECODERS[entity].envelope, vendor=VENDOR, call=endpoint.call.name)
            return member_int(members.get("total_count"))

        smallest = {**self.parameters(endpoint, window), **paginator.first(), "max": "1"}
        return self.client.read(endpoint.call, endpoint.path, smallest, parse, is_first_page=False)

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

        found = self.client.read(endpoint.call, endpoint.path, self.shop_parameters(), parse)
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

        self.client.read(endpoint.call, endpoint.path, parameters, parse)
        return "may be read"
