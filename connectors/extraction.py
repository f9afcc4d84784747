"""Reads one feed page by page: request, learn, yield; nothing but the current page is in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec

from connectors.decoding import RecordDecoder, largest_id, newest_stamp, raw_records, record_hash, split_records
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
) -> Iterator[Page]:
    """Every page of one extraction, at least one. Raises a ConnectorError when the extraction cannot be completed."""

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
        keys = decoder.member_values(spec.id_columns[0], scanned.raws, scanned.whole) if spec.id_columns else []
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
            cursor=_cursor(spec, decoder, scanned, keys),
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


def _cursor(spec: FeedSpec, decoder: RecordDecoder, scanned: _Scanned, keys: list[str]) -> str | None:
    if spec.mode == "keyset":
        return largest_id(keys)
    if spec.mode == "cursor" and spec.version_column is not None:
        stamps = decoder.member_values(spec.version_column, scanned.raws, scanned.whole)
        return newest_stamp(stamps, not_after=scanned.answer.fetched_at)
    return None
