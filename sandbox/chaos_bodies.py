"""Answers bent on demand: what a broken, changed or hostile vendor would have sent in place of the real one."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox import jsonio

Headers = list[tuple[bytes, bytes]]
# The members that tell one record of a feed from another, the most telling first.
IDENTITIES = ("id", "order_id", "offer_id", "shop_id", "order_line_id", "code", "urn", "reference")
ORIGIN = re.compile(rb"https?://[^/>\s\"]+")


@dataclass(frozen=True)
class Answer:
    """A whole HTTP answer."""

    status: int
    headers: Headers
    body: bytes

    def with_body(self, body: bytes) -> "Answer":
        return Answer(self.status, self.headers, body)

    def with_header(self, name: bytes, value: bytes) -> "Answer":
        return Answer(
            self.status, [part for part in self.headers if part[0].lower() != name] + [(name, value)], self.body
        )

    def header(self, name: bytes) -> bytes | None:
        return next((value for key, value in self.headers if key.lower() == name), None)


def with_token(answer: Answer, token: str) -> Answer:
    """The page says that another one follows."""
    return _edited(answer, lambda body: body | {"next_page_token": token} if isinstance(body, dict) else body)


def pointing_elsewhere(answer: Answer, path: str, host: str) -> Answer:
    """The links to further pages, or to files, lead to another host. A page without a link gets one."""
    link = answer.header(b"link") or f'<http://here{path}?offset=1>; rel="next"'.encode()
    moved = answer.with_header(b"link", ORIGIN.sub(host.encode(), link))
    return _edited(moved, lambda body: _with_moved_urls(body, host))


def _with_moved_urls(body: Any, host: str) -> Any:
    if not isinstance(body, dict) or "urls" not in body:
        return body
    return body | {"urls": [ORIGIN.sub(host.encode(), url.encode()).decode() for url in body["urls"]]}


def without_id(answer: Answer) -> Answer:
    """The first record lacks what it is known by."""

    def edit(body: Any) -> Any:
        for record in _records(body):
            name = next((name for name in IDENTITIES if name in record), None)
            if name:
                del record[name]
            break
        return body

    return _edited(answer, edit)


def with_text_amounts(answer: Answer) -> Answer:
    """Every number with decimals is a text."""
    return _edited(answer, _as_text)


def _as_text(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return {name: _as_text(part) for name, part in value.items()}
    return [_as_text(part) for part in value] if isinstance(value, list) else value


def heavy(answer: Answer, megabytes: float) -> Answer:
    """The same records, with so much text in a member nobody knows that the page has this size."""

    def edit(body: Any) -> Any:
        records = list(_records(body))
        missing = int(megabytes * 1_000_000) - len(answer.body)
        if records and missing > 0:
            text = "lorem ipsum " * (missing // len(records) // 12 + 1)
            for record in records:
                record["free_text"] = text
        return body

    return _edited(answer, edit)


def _records(body: Any) -> Iterator[dict[str, Any]]:
    """The records of a page: its first list of objects, or the page itself when it is one."""
    if isinstance(body, dict):
        found = next((part for part in body.values() if isinstance(part, list) and part), [])
        if not found:
            found = next((list(_records(part)) for part in body.values() if isinstance(part, dict)), [])
    else:
        found = body
    yield from (record for record in found if isinstance(record, dict))


def _edited(answer: Answer, edit: Callable[[Any], Any]) -> Answer:
    """The answer with its JSON edited; one that is no JSON, or no success, stays as it is."""
    if answer.status != 200 or not (answer.header(b"content-type") or b"").startswith(b"application/json"):
        return answer
    return answer.with_body(jsonio.encode(edit(jsonio.decode(answer.body))))
