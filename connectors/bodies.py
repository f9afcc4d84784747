"""Bodies of answers, read from the socket without a detour.

httpcore hands every byte of a body to h11, which has nothing to say about one whose length is known, and copies it six
times on its way. A page of 2 MB costs about half the processor time without, and all of it is time in which the threads
that land and load beside it wait for Python's lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpcore

READ_BYTES = 256 * 1024
"""What is asked of a socket at a time. With httpcore's 64 KiB a page of 2 MB took twice the processor time; much more
is allocated in vain each time.
"""

Body = Callable[[Any, httpcore.Request], Iterator[bytes]]


def read_straight() -> None:
    """From now on all connections of this process read bodies this way."""
    kind: Any = httpcore.HTTP11Connection
    kind.READ_NUM_BYTES = READ_BYTES
    kind._receive_response_body = _straight(kind._receive_response_body)


def _straight(usual: Body) -> Body:
    def body(connection: Any, request: httpcore.Request) -> Iterator[bytes]:
        timeout = request.extensions.get("timeout", {}).get("read")
        for data in usual(connection, request):
            yield data
            yield from _rest(connection, timeout)

    return body


def _rest(connection: Any, timeout: float | None) -> Iterator[bytes]:
    """What h11 has not seen of a body of known length. It is told how much that was, so that it finds the end, or an
    end before its time, by itself. Nothing is read here of a body in chunks, or beside an h11 of another make.
    """
    state = getattr(connection, "_h11_state", None)
    reader: Any = getattr(state, "_reader", None)
    if state is None or not isinstance(getattr(reader, "_remaining", None), int) or state.trailing_data[0]:
        return
    while reader._remaining and (
        data := connection._network_stream.read(min(reader._remaining, READ_BYTES), timeout=timeout)
    ):
        reader._remaining -= len(data)
        yield data
