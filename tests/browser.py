"""The browser that tests look at pages with: the machine's own Chromium, and what a page did in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Error, Page, Request, sync_playwright

_CHROMIUM = "/usr/bin/chromium"
_ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser, or a skip that says how to get one; with STEWARD_REQUIRE_REAL=1 its absence is a failure."""
    if not Path(_CHROMIUM).exists() and shutil.which("chromium") is None:
        missing = "chromium is missing: apt-get install chromium"
        if os.environ.get("STEWARD_REQUIRE_REAL") == "1":
            pytest.fail(f"{missing} (STEWARD_REQUIRE_REAL=1)", pytrace=False)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Watched:
    """A page with everything it tried beyond showing itself."""

    page: Page
    own: str = ""
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)

    def look_at(self, path: Path) -> None:
        """Open a file; what it asks for besides itself is kept."""
        self.own = path.as_uri()
        self.page.goto(self.own)

    def listen(self) -> None:
        """Keep what it does from now on."""
        self.page.on("request", self._asked)
        self.page.on("dialog", self._dismiss)
        self.page.on("console", self._said)
        self.page.on("pageerror", self._failed)

    def leave(self) -> None:
        """Keep nothing more; the page is the next one's."""
        self.page.remove_listener("request", self._asked)
        self.page.remove_listener("dialog", self._dismiss)
        self.page.remove_listener("console", self._said)
        self.page.remove_listener("pageerror", self._failed)

    def _asked(self, request: Request) -> None:
        if request.url != self.own:
            self.requests.append(request.url)

    def _dismiss(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _said(self, message: ConsoleMessage) -> None:
        self.console.append(message.text)

    def _failed(self, problem: Error) -> None:
        self.console.append(str(problem))


@cache
def _page(browser: Browser, *, scripts: bool) -> Page:
    """One for all that look: a context of its own would start three processes for each look."""
    return browser.new_context(java_script_enabled=scripts).new_page()


@contextmanager
def looking(
    browser: Browser, *, width: int = 1280, scheme: str = "light", media: str = "screen", scripts: bool = True
) -> Iterator[Watched]:
    """A page that shows nothing yet, of a width (pixels), in a colour scheme, on screen or as printed."""
    page = _page(browser, scripts=scripts)
    page.goto("about:blank")
    page.set_viewport_size({"width": width, "height": 900})
    # Without a medium of its own a page is on screen, and on paper where it is printed.
    page.emulate_media(
        media="print" if media == "print" else "null", color_scheme="dark" if scheme == "dark" else "light"
    )
    watched = Watched(page)
    watched.listen()
    try:
        yield watched
    finally:
        watched.leave()
