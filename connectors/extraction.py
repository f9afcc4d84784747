"""Reads one feed page by page: request, learn, yield; nothing but the current page is in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs, urljoin, urlsplit, urlunsplit

import httpx
import msgspec

from connectors.decoding import RecordDecoder, largest_id, newest_stamp, record_hash
from connectors.envelopes import scanned_records
from connectors.errors import BadPayload, WrongAccount
from connectors.http import Answer, ApiClient, Call, Parameters
from connectors.pagination import Learned, ODataKeyset, Paginator
from connectors.records import FeedSpec, Page

SHOP_COLUMN = "shop_id"


@dataclass(frozen=True, slots=True)
class Scanned:
    """An answer that holds records, not yet decoded. `whole` is their list, `members` the rest of the envelope."""

    answer: Answer
    raws: list[msgspec.Raw]
    whole: msgspec.Raw
    members: Mapping[str, msgspec.Raw]


@dataclass(frozen=True, slots=True)
class Reading:
    """One extraction of one feed. With a `shop_id`, records that name another shop raise WrongAccount. Ids are learnt
    where the cursor is made of them or the paginator asks for them (`needs_ids`).
    """

    client: ApiClient
    call: Call
    spec: FeedSpec
    decoder: RecordDecoder
    shop_id: str | None = None
    needs_ids: bool = False

    def scan(self, answer: Answer) -> Scanned:
        """Raises BadPayload when the answer is no page of records."""
        vendor, name = self.client.vendor, self.call.name
        return Scanned(answer, *scanned_records(answer.body, self.decoder.envelope, vendor=vendor, call=name))

    def learn(self, scanned: Scanned) -> dict[str, list[str]]:
        """What must be known of a page's records before they are decoded: ids, update stamps, shops."""
        spec = self.spec
        names = list(spec.id_columns[:1]) if self.needs_ids or spec.mode == "keyset" else []
        if spec.mode == "cursor" and spec.version_column is not None:
            names.append(spec.version_column)
        if SHOP_COLUMN not in names and any(column.name == SHOP_COLUMN for column in spec.tables[0].columns):
            names.append(SHOP_COLUMN)
        learned = self.decoder.member_values(names, scanned.raws, scanned.whole) if names else {}
        others = set(learned.get(SHOP_COLUMN, ())) - {self.shop_id}
        if self.shop_id is not None and others:
            raise WrongAccount(
                f"asked for shop {self.shop_id}, the answer holds records of {', '.join(sorted(others)[:5])}",
                vendor=self.client.vendor,
                call=self.call.name,
            )
        return learned

    def page(
        self,
        number: int,
        scanned: Scanned,
        learned: Mapping[str, list[str]],
        hashes: tuple[bytes, ...],
        declared_count: int | None,
    ) -> Page:
        answer = scanned.answer
        return Page(
            entity=self.spec.entity,
            number=number,
            body=answer.body,
            url=answer.url,
            status=answer.status,
            fetched_at=answer.fetched_at,
            record_count=len(scanned.raws),
            record_hashes=hashes,
            declared_count=declared_count,
            cursor=_cursor(self.spec, learned, answer.fetched_at),
        )


def read_pages(
    client: ApiClient,
    call: Call,
    path: str,
    parameters: Parameters,
    paginator: Paginator,
    spec: FeedSpec,
    decoder: RecordDecoder,
    *,
    shop_id: str | None = None,
) -> Iterator[Page]:
    """Every page of one extraction, at least one. Raises a ConnectorError when the extraction cannot be completed.

    `shop_id`: see `Reading`.
    """
    reading = Reading(client, call, spec, decoder, shop_id, needs_ids=isinstance(paginator, ODataKeyset))
    base = dict(parameters)
    target = path
    wanted: Parameters = {**base, **paginator.first()}
    number = 0
    while True:
        scanned = client.read(call, target, wanted, reading.scan, is_first_page=number == 0)
        number += 1
        learned = reading.learn(scanned)
        hashes = tuple(map(record_hash, scanned.raws))
        keys = learned.get(spec.id_columns[0], []) if spec.id_columns else []
        last = scanned.raws[-1] if scanned.raws else None
        following = paginator.next(Learned(hashes, scanned.members, scanned.answer.headers, keys, last))
        yield reading.page(number, scanned, learned, hashes, paginator.declared_count)
        if following is None:
            return
        if following.link is not None:
            # `read` refuses a link that leaves the origin. The position is the link's word; shop and filters are ours,
            # so that a link which forgets one cannot widen the extraction.
            target, said = _address_of(client, call, path, following.link)
            wanted = {**said, **base}
        else:
            target, wanted = path, {**base, **following.parameters}


def read_file(
    client: ApiClient,
    call: Call,
    path: str,
    parameters: Parameters,
    spec: FeedSpec,
    check: Callable[[bytes], object],
) -> Page:
    """A file as a page with one record. `check` raises BadPayload for what is no such file."""

    def parse(answer: Answer) -> Answer:
        check(answer.body)
        return answer

    answer = client.read(call, path, parameters, parse, headers={"Accept": "*/*"})
    return Page(
        entity=spec.entity,
        number=1,
        body=answer.body,
        url=answer.url,
        status=answer.status,
        fetched_at=answer.fetched_at,
        record_count=1,
        record_hashes=(record_hash(answer.body),),
        declared_count=None,
        cursor=None,
    )


def _address_of(client: ApiClient, call: Call, path: str, link: str) -> tuple[str, dict[str, str]]:
    """The link without its query, and the query's parameters; of one that comes twice the first. Raises BadPayload."""
    try:
        parts = urlsplit(urljoin(str(client.url(path)), link))
        values = parse_qs(parts.query, keep_blank_values=True)
        target = urlunsplit(parts._replace(query="", fragment=""))
        client.url(target)
    except (ValueError, httpx.InvalidURL) as error:
        raise BadPayload(
            "the link to the next page is no address", vendor=client.vendor, call=call.name, detail=str(error)
        ) from error
    return target, {name: value[0] for name, value in values.items()}


def _cursor(spec: FeedSpec, learned: Mapping[str, list[str]], fetched_at: datetime) -> str | None:
    if spec.mode == "keyset":
        return largest_id(learned.get(spec.id_columns[0], []))
    if spec.mode == "cursor" and spec.version_column is not None:
        return newest_stamp(learned[spec.version_column], not_after=fetched_at)
    return None
