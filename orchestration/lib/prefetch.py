"""Reading ahead: while one page is hashed, compressed and written, the vendor already answers for the next."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from connectors.records import Page

_END = None


def one_ahead(pages: Iterator[Page]) -> Iterator[Page]:
    """The same pages in the same order, the next one being fetched in a thread; at most one more page in memory.

    Raises what `pages` raises, after every page before it. Whoever stops early waits for the page under way.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="prefetch") as reader:
        upcoming = reader.submit(next, pages, _END)
        while (page := upcoming.result()) is not _END:
            upcoming = reader.submit(next, pages, _END)
            yield page
