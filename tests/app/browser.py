"""A real browser on the app: what it must find on every page, whoever looks and in whatever light."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.app.serving import PASSWORD

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
SHOTS = "APP_SCREENSHOTS"
"""Environment variable with the folder that screenshots for the docs are written to; without it none are."""
PHONE = 390
LIGHT = {"exclude": [["tbody tr:nth-child(n+13)"]]}
DARK = {"exclude": [["tbody tr:nth-child(n+5)"], [".filters option"]]}
"""Of a table's rows, which are alike, axe reads the first dozen; by night, for the colours, the first four."""
GRAVE = ("serious", "critical")
AXE = Axe()


@contextmanager
def browsing() -> Iterator[Browser]:
    """The machine's own browser. Where there is none the test is skipped; in CI it fails."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        reason = "no Chromium is installed on this machine"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{reason}, and CI must prove the app in one")
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Person:
    """Somebody with a window of their own. What the browser complains about is kept."""

    browser: Browser
    base: str
    width: int = 1280
    complaints: list[str] = field(default_factory=list)
    page: Page = field(init=False)

    def __post_init__(self) -> None:
        context = self.browser.new_context(viewport={"width": self.width, "height": 800}, locale="en-GB")
        self.page = context.new_page()
        self.page.on("console", lambda message: self._complain(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def sign_in(self, name: str, password: str = PASSWORD) -> None:
        self.page.goto(f"{self.base}/sign-in")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        assert urlsplit(self.page.url).path == "/"

    def open(self, path: str) -> None:
        """Go to a page of the app; it must answer well and name itself once."""
        response = self.page.goto(self.base + path)
        assert response is not None
        assert response.status == 200, f"{path}: {response.status}"
        assert self.page.locator("h1").count() == 1, path

    def judge(self) -> list[str]:
        """What axe finds grave on the page in light, and of its colours in dark; and anything wider than the window or
        than a telephone.
        """
        found = []
        for scheme, where, rules in (("light", LIGHT, {}), ("dark", DARK, {"runOnly": ["color-contrast"]})):
            self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            result: dict[str, Any] = AXE.run(
                self.page, context=where, options={"resultTypes": ["violations"], **rules}
            ).response
            found += [
                f"{self.page.url} in {scheme}: {one['id']} ({one['impact']}) {one['nodes'][0]['html'][:160]}"
                for one in result["violations"]
                if one["impact"] in GRAVE
            ]
        self.page.emulate_media(color_scheme="light")
        for width in (self.width, PHONE):
            self.page.set_viewport_size({"width": width, "height": 800})
            if self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1"):
                found.append(f"{self.page.url}: wider than a window of {width}")
        self.page.set_viewport_size({"width": self.width, "height": 800})
        return found

    def shoot(self, name: str, width: int = 1024) -> None:
        """A screenshot for the docs when it is asked for."""
        folder = os.environ.get(SHOTS)
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            # A small window: the pictures are for a page of documentation.
            self.page.set_viewport_size({"width": width, "height": 640 if width > PHONE else 800})
            self.page.screenshot(path=f"{folder}/{name}.png")
            self.page.set_viewport_size({"width": self.width, "height": 800})

    def note(self, name: str, seconds: Mapping[str, float]) -> None:
        """How long something took, beside the screenshots: docs/app.md has these figures."""
        if folder := os.environ.get(SHOTS):
            Path(folder).mkdir(parents=True, exist_ok=True)
            Path(folder, f"{name}.json").write_text(
                json.dumps({key: round(value, 2) for key, value in seconds.items()})
            )

    def _complain(self, kind: str, text: str) -> None:
        if kind == "error":
            self.complaints.append(text)
