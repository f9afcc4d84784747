"""The app as a server in a thread, and people who talk to it over real HTTP."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from typing import Any

import httpx
import uvicorn

from app.asking import Site
from app.server import create_app

PASSWORD = "correct horse battery"


@contextmanager
def serving(site: Site) -> Iterator[str]:
    """The address of the app while it runs."""
    server = uvicorn.Server(uvicorn.Config(create_app(site), host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started:
        assert thread.is_alive(), "the app did not start"
        assert time.monotonic() < deadline, "the app did not start in time"
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)


@dataclass
class Visitor:
    """Somebody with a browser's cookies."""

    base: str
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx.Client(base_url=self.base, follow_redirects=True, timeout=30)

    def sign_in(self, name: str, password: str = PASSWORD) -> httpx.Response:
        form = self.client.get("/sign-in")
        return self.client.post("/sign-in", data={"token": hidden(form, "token"), "name": name, "password": password})

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.client.get(path, **options)

    def do(self, path: str, /, seen: str = "/exceptions", **fields: Any) -> httpx.Response:
        """Send a form as the page `seen` would."""
        token = hidden(self.client.get(seen), "token")
        return self.client.post(path, data={"token": token, "back": seen, **fields})


def hidden(response: httpx.Response, name: str) -> str:
    """Value of a hidden field of a page."""
    found = re.search(rf'name="{name}" value="([^"]*)"', response.text)
    assert found, f"no field {name} in {response.url} ({response.status_code})"
    return unescape(found.group(1))


def banner(response: httpx.Response) -> str:
    """What the page says at its top about the form that was sent."""
    found = re.search(r'<p class="banner (?:good|bad)"[^>]*>(.*?)</p>', response.text, re.DOTALL)
    return unescape(found.group(1)) if found else ""
