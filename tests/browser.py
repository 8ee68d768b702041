"""The browser that tests look at pages with: the machine's own Chromium, and what a page did in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, Page, sync_playwright

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
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)

    def look_at(self, path: Path) -> None:
        """Open a file; what it asks for besides itself is kept."""
        address = path.as_uri()
        self.page.on("request", lambda request: self._note(request.url, address))
        self.page.on("dialog", self._dismiss)
        self.page.on("console", lambda message: self.console.append(message.text))
        self.page.on("pageerror", lambda problem: self.console.append(str(problem)))
        self.page.goto(address)

    def _note(self, url: str, own: str) -> None:
        if url != own:
            self.requests.append(url)

    def _dismiss(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()


@contextmanager
def looking(
    browser: Browser, *, width: int = 1280, scheme: str = "light", media: str = "screen"
) -> Iterator[Watched]:
    """A fresh page of a width (pixels), in a colour scheme, on screen or as printed."""
    dark = "dark" if scheme == "dark" else "light"
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=dark)  # type: ignore[arg-type]
    page = context.new_page()
    if media == "print":
        page.emulate_media(media="print")
    try:
        yield Watched(page)
    finally:
        context.close()
