"""Reads a Mirakl marketplace, as one of its sellers or as its operator."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from urllib.parse import quote

import httpx
import msgspec

from connectors.auth import BareKey, ClientCredentials, ClientToken
from connectors.checks import try_call
from connectors.decoding import format_stamp, split_records
from connectors.errors import (
    AuthError,
    BadConfiguration,
    BadPayload,
    BudgetExhausted,
    ConnectorError,
    NotFound,
    PermissionDenied,
    RequestRejected,
    TransportFailed,
    WrongAccount,
)
from connectors.extraction import Reading, read_file, read_pages
from connectors.http import Answer, ApiClient, Budget, Parameters, safe_base_url, utc_now
from connectors.mirakl.decode import DECODERS, FEEDS, VENDOR
from connectors.mirakl.endpoints import (
    ENDPOINTS,
    MAXIMUM_IDS,
    OPERATOR_FEEDS,
    SELLER_FEEDS,
    Endpoint,
    Perspective,
)
from connectors.mirakl.exports import EXPORTS, Question, export_pages
from connectors.mirakl.files import content_type
from connectors.pagination import Guard, LinkOffset, member_int
from connectors.records import CheckResult, FeedSpec, Page, Route, Window

logger = logging.getLogger(__name__)


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
    may change; each order repeats it. `key_name` is what the environment calls the key, the account's own name unless
    several accounts share one; `reread_key` gives the key (or the OAuth client's secret) as it is now and is asked
    when it was refused. Windows start at `since`, inclusively, in UTC.
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
        key_name: str | None = None,
        reread_key: Callable[[], str] | None = None,
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
        self._key_name = key_name or account
        self.shop_id = str(shop_id) if perspective == "SELLER" else None
        self.shop_ids = tuple(map(str, shop_ids)) if perspective == "OPERATOR" else ()
        self.order_tax_mode = order_tax_mode
        self._token = None
        if isinstance(auth, ClientCredentials):
            safe_base_url(auth.token_url, vendor=VENDOR, what=f"token_url of {account}")
            self._token = ClientToken(
                VENDOR,
                auth,
                reread=self._reread(reread_key),
                timeout_seconds=timeout_seconds,
                transport=transport,
                sleep=sleep,
                clock=clock,
            )
        self.client = ApiClient(
            VENDOR,
            base_url,
            auth=self._token or BareKey(str(auth), self._reread(reread_key)),
            secrets=(auth if isinstance(auth, str) else auth.client_secret,),
            timeout_seconds=timeout_seconds,
            transport=transport,
            sleep=sleep,
            clock=clock,
            budget=budget,
        )

    def _reread(self, reread: Callable[[], str] | None) -> Callable[[], str] | None:
        if reread is None:
            return None

        def masked() -> str:
            key = reread()
            self.client.mask(key)
            return key

        return masked

    def close(self) -> None:
        self.client.close()
        if self._token is not None:
            self._token.close()

    @property
    def feeds(self) -> dict[str, FeedSpec]:
        """The feeds of this perspective."""
        foreign = OPERATOR_FEEDS if self.perspective == "SELLER" else SELLER_FEEDS
        return {entity: spec for entity, spec in FEEDS.items() if entity not in foreign}

    def routes(self, entity: str) -> tuple[Route, ...]:
        """The ways to the same records, the usual one first. Unknown entity: KeyError."""
        ways: dict[Route, Mapping[str, object]] = {"INTERACTIVE": ENDPOINTS, "EXPORT": EXPORTS}
        found = tuple(route for route, entities in ways.items() if entity in entities)
        if not found:
            raise KeyError(entity)
        return found

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

        `route` matters only where `routes` names several. A feed that is read by id has no page without
        `Window.ids`; an id that the vendor does not know (any more) is logged and passed over.
        """
        ways = self.routes(entity)
        if route not in ways:
            (route,) = ways
        if route == "EXPORT":
            export = EXPORTS[entity]
            question = Question(window, self.client.clock(), self.order_tax_mode, self.shop_ids)
            reading = Reading(self.client, export.download, FEEDS[entity], DECODERS[entity], self.shop_id)
            return export_pages(reading, export, question, self.shop_parameters())
        endpoint = ENDPOINTS[entity]
        if endpoint.is_by_id:
            return self._pages_by_id(endpoint, window)
        return self._read(endpoint, endpoint.path, self.parameters(endpoint, window))

    def measure(self, entity: str, window: Window) -> int | None:
        """The vendor's own number of records in the window, by one call for one record; None where it gives none.

        It counts as part of the poll that follows, not as a poll of its own.
        """
        endpoint = ENDPOINTS.get(entity)
        if endpoint is None or not isinstance(endpoint.paginator(_guard(endpoint)), LinkOffset):
            return None

        def parse(answer: Answer) -> int | None:
            _, members = split_records(answer.body, DECODERS[entity].envelope, vendor=VENDOR, call=endpoint.call.name)
            return member_int(members.get("total_count"))

        smallest = {**self.parameters(endpoint, window), "max": "1", "offset": "0"}
        return self.client.read(endpoint.call, endpoint.path, smallest, parse, is_first_page=False)

    def _read(self, endpoint: Endpoint, path: str, parameters: Parameters) -> Iterator[Page]:
        return read_pages(
            self.client,
            endpoint.call,
            path,
            parameters,
            endpoint.paginator(_guard(endpoint)),
            FEEDS[endpoint.entity],
            DECODERS[endpoint.entity],
            shop_id=self.shop_id,
        )

    def _pages_by_id(self, endpoint: Endpoint, window: Window) -> Iterator[Page]:
        number = 0
        for ids in _batches(window.ids, MAXIMUM_IDS if endpoint.ids_in is not None else 1):
            try:
                for page in self._pages_of(endpoint, ids):
                    number += 1
                    yield replace(page, number=number)
            except NotFound as error:
                logger.warning("%s: passed over, id %s is not known there", error, ",".join(ids))

    def _pages_of(self, endpoint: Endpoint, ids: Sequence[str]) -> Iterator[Page]:
        if endpoint.ids_in is not None:
            parameters = {**self.parameters(endpoint, Window()), endpoint.ids_in: ",".join(ids)}
            return self._read(endpoint, endpoint.path, parameters)
        path = endpoint.path.format(id=quote(ids[0], safe=""))
        parameters = self.parameters(endpoint, Window())
        if endpoint.entity in DECODERS:
            return self._read(endpoint, path, parameters)
        spec = FEEDS[endpoint.entity]
        return iter([read_file(self.client, endpoint.call, path, parameters, spec, content_type)])

    def check(self) -> list[CheckResult]:
        """Host, key, shop, and the permission for each feed, by one small call each.

        Feeds that are read by id or only as an export are not tried: there is no small call for them.
        """
        advice, otherwise = self._advice(), "try again later; the vendor has a problem"
        name, trial = (
            ("key and shop", self._own_shop)
            if self.perspective == "SELLER"
            else ("key and shops", partial(self._trial, ENDPOINTS["shops"]))
        )
        first = try_call(f"{self.account}: {name}", trial, advice, otherwise)
        if not first.ok:
            return [first]
        tried = {"account", "shops"}
        return [
            first,
            *(
                try_call(
                    f"{self.account}: {entity} ({ENDPOINTS[entity].call.name})",
                    partial(self._trial, ENDPOINTS[entity]),
                    advice,
                    otherwise,
                )
                for entity in self.feeds
                if entity in ENDPOINTS and entity not in tried and not ENDPOINTS[entity].is_by_id
            ),
        ]

    def _advice(self) -> dict[type[ConnectorError], str]:
        host = httpx.URL(self.client.base_url).host
        place = f"{self.account} in marketplaces.csv"
        is_seller = self.perspective == "SELLER"
        return {
            AuthError: f"set MIRAKL_{self._key_name}_API_KEY to a valid key (test and production differ)"
            if self._token is None
            else f"set MIRAKL_{self._key_name}_CLIENT_ID and _CLIENT_SECRET, and check token_url of {place}",
            TransportFailed: f"check base_url of {place} and the network: {host} is silent",
            NotFound: f"check base_url of {place}: {host} is not a Mirakl instance",
            BadPayload: f"check base_url of {place}: {host} answers, but not as Mirakl",
            PermissionDenied: "ask the shop's administrator to give the key's user the roles order and accountancy"
            if is_seller
            else "ask the platform's administrator to give the client the right to this call",
            RequestRejected: f"check shop_id of {place}: it must be one of the key's shops",
            WrongAccount: f"check shop_id of {place}: it must be one of the key's shops",
            BudgetExhausted: "nothing is wrong: the call was made as often as Mirakl allows, ask again later",
        }

    def _own_shop(self) -> str:
        endpoint = ENDPOINTS["account"]

        def parse(answer: Answer) -> _Account:
            try:
                return msgspec.json.decode(answer.body, type=_Account)
            except (msgspec.DecodeError, UnicodeError) as error:
                raise BadPayload(
                    "the answer is no account", vendor=VENDOR, call=endpoint.call.name, detail=str(error)
                ) from error

        found = self.client.read(endpoint.call, endpoint.path, self.shop_parameters(), parse, is_first_page=False)
        if str(found.shop_id) != self.shop_id:
            raise WrongAccount(
                f"the key answers for shop {found.shop_id}, not for {self.shop_id}",
                vendor=VENDOR,
                call=endpoint.call.name,
            )
        return f"shop {found.shop_id} {found.shop_name or ''} is {found.shop_state or 'of unknown state'}"

    def _trial(self, endpoint: Endpoint) -> str:
        paginator = endpoint.paginator(_guard(endpoint))
        smallest = {name: "1" if name in {"max", "limit"} else value for name, value in paginator.first().items()}
        parameters = {**self.parameters(endpoint, Window()), **smallest}
        reading = Reading(self.client, endpoint.call, FEEDS[endpoint.entity], DECODERS[endpoint.entity], self.shop_id)
        self.client.read(
            endpoint.call,
            endpoint.path,
            parameters,
            lambda answer: reading.learn(reading.scan(answer)),
            is_first_page=False,
        )
        return "may be read"


def _guard(endpoint: Endpoint) -> Guard:
    return Guard(VENDOR, endpoint.call.name)


def _batches(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
