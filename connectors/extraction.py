"""Reads one feed page by page: request, learn, yield; nothing but the current page is in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from connectors.decoding import RecordDecoder, largest_id, newest_stamp, raw_records, record_hash, split_records
from connectors.errors import WrongAccount
from connectors.http import Answer, ApiClient, Call, Parameters
from connectors.pagination import Learned, Paginator
from connectors.records import FeedSpec, Page


@dataclass(frozen=True, slots=True)
class _Scanned:
    answer: Answer
    raws: list[msgspec.Raw]
    whole: msgspec.Raw
    members: Mapping[str, msgspec.Raw]


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

    With a `shop_id`, records that name another shop raise WrongAccount.
    """

    def scan(answer: Answer) -> _Scanned:
        whole, members = split_records(answer.body, decoder.envelope, vendor=client.vendor, call=call.name)
        return _Scanned(answer, raw_records(whole, vendor=client.vendor, call=call.name), whole, members)

    base = dict(parameters)
    target = path
    wanted: Parameters = {**base, **paginator.first()}
    number = 0
    while True:
        scanned = client.read(call, target, wanted, scan, is_first_page=number == 0)
        number += 1
        hashes = tuple(map(record_hash, scanned.raws))
        learned = _learn(spec, decoder, scanned.raws, scanned.whole)
        if shop_id is not None:
            refuse_other_shops(learned, shop_id, vendor=client.vendor, call=call.name)
        keys = learned.get(spec.id_columns[0], []) if spec.id_columns else []
        following = paginator.next(Learned(hashes, scanned.members, scanned.answer.headers, keys))
        yield Page(
            entity=spec.entity,
            number=number,
            body=scanned.answer.body,
            url=scanned.answer.url,
            status=scanned.answer.status,
            fetched_at=scanned.answer.fetched_at,
            record_count=len(scanned.raws),
            record_hashes=hashes,
            declared_count=paginator.declared_count,
            cursor=_cursor(spec, learned, scanned.answer.fetched_at),
        )
        if following is None:
            return
        if following.link is not None:
            # `read` refuses a link that leaves the origin. The position is the link's word; shop and filters are ours,
            # so that a link which forgets one cannot widen the extraction.
            link = client.url(path).join(following.link)
            target, wanted = str(link.copy_with(query=None)), {**link.params, **base}
        else:
            target, wanted = path, {**base, **following.parameters}


SHOP_COLUMN = "shop_id"


def _learn(spec: FeedSpec, decoder: RecordDecoder, raws: list[msgspec.Raw], whole: msgspec.Raw) -> dict[str, list[str]]:
    """What must be known of a page's records before they are decoded: ids, update stamps, shops."""
    names = list(spec.id_columns[:1])
    if spec.mode == "cursor" and spec.version_column is not None:
        names.append(spec.version_column)
    if any(column.name == SHOP_COLUMN for column in spec.tables[0].columns) and SHOP_COLUMN not in names:
        names.append(SHOP_COLUMN)
    return decoder.member_values(names, raws, whole) if names else {}


def refuse_other_shops(learned: Mapping[str, list[str]], shop_id: str, *, vendor: str, call: str) -> None:
    others = set(learned.get(SHOP_COLUMN, ())) - {shop_id}
    if others:
        raise WrongAccount(
            f"asked for shop {shop_id}, the answer holds records of {', '.join(sorted(others)[:5])}",
            vendor=vendor,
            call=call,
        )


def _cursor(spec: FeedSpec, learned: Mapping[str, list[str]], fetched_at: datetime) -> str | None:
    if spec.mode == "keyset":
        return largest_id(learned.get(spec.id_columns[0], []))
    if spec.mode == "cursor" and spec.version_column is not None:
        return newest_stamp(learned[spec.version_column], not_after=fetched_at)
    return None
