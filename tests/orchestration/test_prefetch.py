"""Pages are fetched one ahead of the one in hand, never more, and nothing before an error is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Event

import pytest

from connectors.records import Page
from orchestration.lib.prefetch import one_ahead


def page(number: int) -> Page:
    return Page(
        entity="orders",
        number=number,
        body=b"[]",
        url="http://127.0.0.1/",
        status=200,
        fetched_at=datetime(2026, 7, 1, tzinfo=UTC),
        record_count=0,
        record_hashes=(),
        declared_count=None,
        cursor=None,
    )


def test_the_next_page_is_fetched_while_one_is_in_hand_and_no_further() -> None:
    asked = [Event() for _ in range(4)]

    def pages() -> Iterator[Page]:
        for number, event in enumerate(asked):
            event.set()
            yield page(number)

    reading = one_ahead(pages())
    assert next(reading).number == 0
    assert asked[1].wait(timeout=30)
    assert not asked[2].is_set()
    assert [one.number for one in reading] == [1, 2, 3]


def test_every_page_before_an_error_arrives() -> None:
    def pages() -> Iterator[Page]:
        yield page(0)
        yield page(1)
        raise ConnectionResetError("in the middle of page 2")

    reading = one_ahead(pages())
    assert [next(reading).number, next(reading).number] == [0, 1]
    with pytest.raises(ConnectionResetError, match="page 2"):
        next(reading)
