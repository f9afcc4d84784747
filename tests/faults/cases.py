"""The fault table: bad input, what the run makes of it, what it reports and how it ends. A test tries each row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from tests.faults.proxy import Asked, Fault, Pass, Reply, nothing
from tests.faults.spoiling import (
    EMPTY,
    FORBIDDEN,
    HTML_503,
    LINES,
    ORDERS,
    amounts_as_text,
    at,
    changed,
    endless,
    first_page_again,
    link_to,
    reset,
    too_many,
    truncated,
)

End = Literal["whole", "partial", "refused"]
ENDS: dict[End, str] = {
    "whole": "complete",
    "partial": "partial: this feed stops, the others go on",
    "refused": "before it begins",
}
THIEF = "http://localhost:9"
"""Another host, as far as an address tells. Nothing may be sent there; nothing listens."""
BIG_PAGE_BYTES = 30_000_000


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the table. `reported` are the problems of the run, word for word; `quarantined` the refused records
    (feed, field, reason).
    """

    bad_input: str
    what_happens: str
    ends: End = "whole"
    reported: tuple[str, ...] = ()
    quarantined: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Case(Row):
    """A row that is tried by a run with the fault and one without. `failed` are the feeds that the first run does not
    read whole; `pauses` whether the pauses that the client made are right.
    """

    name: str
    fault: Callable[[], Fault] = lambda: nothing
    failed: frozenset[str] = frozenset()
    pauses: Callable[[list[float]], bool] = lambda made: made == []


def _four_waits_twice(made: list[float]) -> bool:
    """Four growing pauses between five tries, in the step and in its one repetition."""
    return len(made) == 8 and made[:4] == sorted(made[:4]) and made[0] >= 1


def _four_waits(made: list[float]) -> bool:
    return len(made) == 4 and made == sorted(made) and made[0] >= 1


BROKEN = (
    "mirakl TL02: the connection broke before the answer was complete: ReadError: [Errno 104] Connection reset by peer"
)
LINES_FAILED = frozenset({"transaction_lines"})
ORDERS_FAILED = frozenset({"orders"})


def _without_id(records: list[dict[str, Any]]) -> None:
    del records[-1]["id"]


def _on_the_last_page(asked: Asked, pass_on: Pass) -> Reply:
    whole = pass_on(asked)
    return whole if b'"next_page_token"' in whole.body else changed("data", _without_id)(asked, pass_on)


def _thirty_megabytes(records: list[dict[str, Any]]) -> None:
    """Members that are documented and not kept, blown up."""
    for record in records:
        record["customer_notification_email"] = "x" * (BIG_PAGE_BYTES // len(records))


CASES = (
    Case(
        name="429-with-retry-after",
        bad_input="429 with `Retry-After`",
        what_happens="the call waits as long as the vendor asks, then goes on",
        fault=lambda: at(LINES, too_many(2), times=2),
        pauses=lambda made: made == [2.0, 2.0],
    ),
    Case(
        name="429-without-retry-after",
        bad_input="429 without `Retry-After`",
        what_happens="the call waits longer each time, at most four times",
        fault=lambda: at(LINES, too_many(None), times=2),
        pauses=lambda made: len(made) == 2 and 1 <= made[0] <= made[1],
    ),
    Case(
        name="5xx-passing",
        bad_input="5xx with an HTML page, twice",
        what_happens="the call is tried again",
        fault=lambda: at(LINES, HTML_503, times=2),
        pauses=lambda made: len(made) == 2 and made[0] >= 1,
    ),
    Case(
        name="5xx-lasting",
        bad_input="5xx with an HTML page, for as long as the run",
        what_happens="five tries, the step once more, then the feed stops; its cursor stays",
        fault=lambda: at(LINES, HTML_503),
        ends="partial",
        reported=("mirakl TL02: the vendor's side failed (HTTP 503): an HTML page",),
        failed=LINES_FAILED,
        pauses=_four_waits_twice,
    ),
    Case(
        name="empty-body",
        bad_input="200 with an empty body",
        what_happens="tried again like a cut-off answer; an empty body is never taken for an empty list",
        fault=lambda: at(LINES, EMPTY),
        ends="partial",
        reported=("mirakl TL02: the answer is not JSON records but an empty body",),
        failed=LINES_FAILED,
        pauses=_four_waits,
    ),
    Case(
        name="truncated-json",
        bad_input="truncated JSON",
        what_happens="tried again; nothing of half a page is landed",
        fault=lambda: at(LINES, truncated),
        ends="partial",
        reported=("mirakl TL02: the answer is not valid JSON: Input data was truncated",),
        failed=LINES_FAILED,
        pauses=_four_waits,
    ),
    Case(
        name="reset",
        bad_input="connection reset in the middle of a page",
        what_happens="tried again; nothing of half a page is landed",
        fault=lambda: at(LINES, reset),
        ends="partial",
        reported=(BROKEN,),
        failed=LINES_FAILED,
        pauses=_four_waits_twice,
    ),
    Case(
        name="duplicate-page",
        bad_input="a page that comes twice",
        what_happens="the feed stops, because going on would skip what the second page should have held; what came "
        "before stays landed",
        fault=lambda: at(ORDERS, first_page_again),
        ends="partial",
        reported=("mirakl OR11: the same page came twice: paging does not advance",),
        failed=ORDERS_FAILED,
    ),
    Case(
        name="endless-token",
        bad_input="a `next_page_token` that never ends",
        what_happens="the feed stops at the first page that comes again",
        fault=lambda: at(LINES, endless),
        ends="partial",
        reported=("mirakl TL02: the same page came twice: paging does not advance",),
        failed=LINES_FAILED,
    ),
    Case(
        name="foreign-link",
        bad_input="a `Link` header to another host",
        what_happens="refused: the key never leaves the configured host, and the account's other feeds are not tried; "
        "the page with the link stays landed",
        fault=lambda: at(ORDERS, link_to(THIEF)),
        ends="partial",
        reported=("mirakl OR11: the answer points to http://localhost, the key stays with 127.0.0.1",),
        failed=ORDERS_FAILED | LINES_FAILED,
    ),
    Case(
        name="wrong-default-shop",
        bad_input="a key whose default shop is another one",
        what_happens="every request names the shop, so the default never answers",
    ),
    Case(
        name="no-permission",
        bad_input="a key that may read orders but not transaction lines",
        what_happens="asked once, because repeating a refusal can lock an account; the other feeds go on",
        fault=lambda: at(LINES, FORBIDDEN),
        ends="partial",
        reported=("mirakl TL02: the key's user may not make this call (HTTP 403): Forbidden",),
        failed=LINES_FAILED,
    ),
    Case(
        name="record-without-id",
        bad_input="a record without id",
        what_happens="that record goes to quarantine with field and reason, the rest of its page is loaded; the "
        "evidence keeps it, and it arrives with the next reading that holds it",
        fault=lambda: at(LINES, _on_the_last_page),
        quarantined=(("transaction_lines", "id", "is missing"),),
    ),
    Case(
        name="amounts-as-text",
        bad_input="amounts as strings",
        what_happens="read as the numbers that they spell, to the last digit",
        fault=lambda: at(LINES, amounts_as_text),
    ),
    Case(
        name="30-megabytes",
        bad_input="a page of 30 MB",
        what_happens="read like any other (more than 256 MiB is refused)",
        fault=lambda: at(ORDERS, changed("orders", _thirty_megabytes), times=1),
    ),
)

CLOCK_AHEAD = Row(
    bad_input="clock skew: the vendor's stamps are ahead of our clock",
    what_happens="no stamp moves the feed's cursor beyond our own clock, so what happens next is read",
)
PLAIN_HTTP = Row(
    bad_input="`http://` outside this machine, in the configuration",
    what_happens="refused by the check of the configuration, and by the connector itself: nothing is sent",
    ends="refused",
    reported=("must start with https://: a key would travel unencrypted",),
)
TABLE: tuple[Row, ...] = (*CASES, PLAIN_HTTP, CLOCK_AHEAD)
