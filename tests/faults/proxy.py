"""A server between the connector and the sandbox that passes everything on, and spoils what a fault says."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import httpx

_HOP = frozenset({"connection", "content-length", "date", "host", "server", "transfer-encoding"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def parameters(self) -> dict[str, str]:
        return dict(parse_qsl(self.query, keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Reply:
    """`cut_after` resets the connection when that many bytes of the body have been sent."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_after: int | None = None


Pass = Callable[[Asked], Reply]
"""Asks the sandbox and gives its answer."""
Fault = Callable[[Asked, Pass], Reply]


def nothing(asked: Asked, pass_on: Pass) -> Reply:
    """The fault that is none."""
    return pass_on(asked)


class Proxy:
    """Listens at `url` in front of `target`. `asked` keeps every request."""

    def __init__(self, target: str) -> None:
        self.fault: Fault = nothing
        self.asked: list[Asked] = []
        self._target = target
        self._client = httpx.Client(trust_env=False, timeout=30)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                parts = urlsplit(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                asked = Asked(self.command, parts.path, parts.query, dict(self.headers), self.rfile.read(length))
                outer.asked.append(asked)
                self._send(outer.fault(asked, outer._pass_on))

            def _send(self, reply: Reply) -> None:
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body if reply.cut_after is None else reply.body[: reply.cut_after])
                if reply.cut_after is not None:
                    self.wfile.flush()
                    # A reset, not an orderly end: what a dying intermediary does.
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.close_connection = True
                    self.connection.close()

            do_GET = do_POST = do_PUT = _serve

            def log_message(self, *_: object) -> None:
                """Quiet."""

            def finish(self) -> None:
                try:
                    super().finish()
                except OSError:
                    return  # the connection was cut on purpose

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def _pass_on(self, asked: Asked) -> Reply:
        # The sandbox writes links to the host that it was asked as, so it must hear this proxy's name.
        headers = {name: value for name, value in asked.headers.items() if name.lower() not in _HOP}
        headers["Host"] = urlsplit(self.url).netloc
        response = self._client.request(
            asked.method, f"{self._target}{asked.path}?{asked.query}", headers=headers, content=asked.body
        )
        kept = {name: value for name, value in response.headers.items() if name.lower() not in _HOP}
        return Reply(response.status_code, response.content, kept)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._client.close()


@contextmanager
def proxying(target: str) -> Iterator[Proxy]:
    proxy = Proxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
