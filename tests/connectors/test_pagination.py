"""Each paginator alone: what it learns from an answer, what it asks next, and how it refuses to read for ever."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import msgspec
import pytest

from connectors.decoding import record_hash
from connectors.errors import BadPayload
from connectors.pagination import MAXIMUM_EMPTY_PAGES, Guard, Learned, LinkOffset, NextPage, ODataKeyset, PageToken


def guard() -> Guard:
    return Guard("mirakl", "OR11")


def learned(
    records: Sequence[object], members: Mapping[str, object] | None = None, headers: Mapping[str, str] | None = None
) -> Learned:
    return Learned(
        [record_hash(json.dumps(r).encode()) for r in records],
        {k: msgspec.Raw(json.dumps(v).encode()) for k, v in (members or {}).items()},
        headers or {},
        [str(r) for r in records],
    )


# --- offset, with or without a Link header ---


def test_offset_pages_begin_at_nought_with_the_largest_page() -> None:
    assert LinkOffset(100, guard()).first() == {"max": "100", "offset": "0"}


def test_offset_goes_on_by_what_was_read_until_the_total_is_reached() -> None:
    paginator = LinkOffset(2, guard())
    assert paginator.next(learned([1, 2], {"total_count": 3})) == NextPage({"max": "2", "offset": "2"})
    assert paginator.next(learned([3], {"total_count": 3})) is None
    assert paginator.declared_count == 3


def test_a_page_shorter_than_asked_for_is_not_the_end_while_the_total_says_more() -> None:
    paginator = LinkOffset(100, guard())
    assert paginator.next(learned([1, 2], {"total_count": 5})) == NextPage({"max": "100", "offset": "2"})


def test_without_total_and_link_a_page_that_is_not_full_is_the_last() -> None:
    assert LinkOffset(2, guard()).next(learned([1])) is None
    assert LinkOffset(2, guard()).next(learned([1, 2])) == NextPage({"max": "2", "offset": "2"})


@pytest.mark.parametrize(
    "header",
    [
        '<https://h/api/orders?max=2&offset=2>; rel="next"',
        '<https://h/api/orders?max=2&offset=0>; rel="previous", <https://h/api/orders?max=2&offset=2>; rel="next"',
        '<https://h/api/orders?max=2&offset=2>; title="a"; rel=next',
    ],
)
def test_the_link_header_is_the_vendors_word_on_the_next_page(header: str) -> None:
    found = LinkOffset(2, guard()).next(learned([1, 2], {"total_count": 2}, {"link": header}))
    assert found == NextPage({}, "https://h/api/orders?max=2&offset=2")


def test_a_link_header_with_only_a_previous_page_is_the_end() -> None:
    headers = {"link": '<https://h/api/orders?offset=0>; rel="previous"'}
    assert LinkOffset(2, guard()).next(learned([1], {"total_count": 1}, headers)) is None


def test_an_empty_page_ends_offset_paging_whatever_the_total_says() -> None:
    assert LinkOffset(2, guard()).next(learned([], {"total_count": 9})) is None


def test_an_offset_that_does_not_advance_is_refused() -> None:
    paginator = LinkOffset(2, guard())
    paginator.next(learned([1, 2], {"total_count": 100}))
    with pytest.raises(BadPayload, match="same page came twice"):
        paginator.next(learned([1, 2], {"total_count": 100}))


# --- tokens ---


def test_the_token_of_one_page_asks_for_the_next() -> None:
    paginator = PageToken(2000, guard())
    assert paginator.first() == {"limit": "2000"}
    assert paginator.next(learned([1], {"next_page_token": "t1"})) == NextPage({"limit": "2000", "page_token": "t1"})


@pytest.mark.parametrize("members", [{}, {"next_page_token": None}, {"next_page_token": ""}])
def test_an_absent_a_null_and_an_empty_token_all_end_the_paging(members: dict[str, object]) -> None:
    assert PageToken(10, guard()).next(learned([1], members)) is None


def test_a_token_that_comes_again_is_refused() -> None:
    paginator = PageToken(10, guard())
    paginator.next(learned([1], {"next_page_token": "t"}))
    with pytest.raises(BadPayload, match="token came twice"):
        paginator.next(learned([2], {"next_page_token": "t"}))


def test_ever_new_tokens_for_the_same_page_are_refused() -> None:
    paginator = PageToken(10, guard())
    paginator.next(learned([1], {"next_page_token": "t1"}))
    with pytest.raises(BadPayload, match="same page came twice"):
        paginator.next(learned([1], {"next_page_token": "t2"}))


def test_ever_new_tokens_without_records_are_refused() -> None:
    paginator = PageToken(10, guard())
    for n in range(MAXIMUM_EMPTY_PAGES):
        assert paginator.next(learned([], {"next_page_token": f"t{n}"})) is not None
    with pytest.raises(BadPayload, match="empty pages"):
        paginator.next(learned([], {"next_page_token": "one more"}))


# --- keyset ---


def test_a_keyset_asks_for_what_lies_beyond_the_largest_key() -> None:
    paginator = ODataKeyset(2, guard(), condition="date_time_updated ge 2026-01-01T00:00:00Z")
    assert paginator.first() == {
        "$orderby": "id asc",
        "$top": "2",
        "$filter": "date_time_updated ge 2026-01-01T00:00:00Z",
    }
    found = paginator.next(learned([7, 9]))
    assert found is not None
    assert found.parameters["$filter"] == "date_time_updated ge 2026-01-01T00:00:00Z and id gt 9"
    assert paginator.next(learned([10])) is None


def test_a_keyset_resumes_after_the_window_and_by_its_own_key() -> None:
    paginator = ODataKeyset(5, guard(), key="accounting_period_id", after="41")
    assert paginator.first()["$filter"] == "accounting_period_id gt 41"
    assert paginator.first()["$orderby"] == "accounting_period_id asc"


def test_a_keyset_without_a_condition_sends_no_filter_at_first() -> None:
    assert "$filter" not in ODataKeyset(5, guard()).first()


def test_a_server_that_gives_smaller_pages_is_read_on_while_its_own_count_says_more() -> None:
    paginator = ODataKeyset(1000, guard(), declared_count=3)
    assert paginator.next(learned([1, 2])) is not None
    assert paginator.next(learned([3])) is None


def test_a_server_that_ignores_the_key_is_refused() -> None:
    paginator = ODataKeyset(2, guard())
    paginator.next(learned([1, 2]))
    with pytest.raises(BadPayload, match="does not advance"):
        paginator.next(learned([2, 1]))


def test_a_page_without_usable_keys_is_refused_rather_than_read_for_ever() -> None:
    with pytest.raises(BadPayload, match="does not advance"):
        ODataKeyset(2, guard()).next(learned(["a", "b"]))
