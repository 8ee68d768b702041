"""The pages in a real Chromium: they load nothing, fit every width, can be used by all, and print."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from orchestrator.reporting.html import to_html
from orchestrator.reporting.index import to_index
from tests.browser import Watched, looking
from tests.unit.reporting import sample

PAGES: dict[str, Callable[[], str]] = {
    "demo": lambda: to_html(sample.demo()),
    "failing": lambda: to_html(sample.failing()),
    "planned": lambda: to_html(sample.planned()),
    "hundred": lambda: to_html(sample.large(10, 10)),
    "index": lambda: to_index("acme-demo", [sample.row(i) for i in range(60)]),
}
LOOKS = [
    (400, "light", "screen"),
    (1280, "dark", "screen"),
    (1920, "light", "screen"),
    (794, "light", "print"),
]
JUDGED = [
    ("demo", 400, "light"),
    ("demo", 1280, "dark"),
    ("failing", 400, "dark"),
    ("failing", 1280, "light"),
    ("index", 400, "light"),
    ("index", 1280, "dark"),
]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pages")
    for name, render in PAGES.items():
        (made / f"{name}.html").write_text(render(), encoding="utf-8")
    return made


@pytest.fixture(params=sorted(PAGES))
def page(request: pytest.FixtureRequest, folder: Path) -> Path:
    return folder / f"{request.param}.html"


def serious(watched: Watched) -> list[str]:
    """What axe calls serious or critical, with the elements."""
    found: Any = Axe().run(watched.page).response
    return [
        f"{each['id']}: {[node['target'] for node in each['nodes'][:3]]}"
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize(("width", "scheme", "media"), LOOKS)
def test_a_page_fits_loads_nothing_and_says_nothing(
    browser: Browser, page: Path, width: int, scheme: str, media: str
) -> None:
    with looking(browser, width=width, scheme=scheme, media=media) as watched:
        watched.look_at(page)
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= width
        assert watched.page.evaluate(CUT_OFF) == []
    assert (watched.requests, watched.dialogs, watched.console) == ([], [], [])


CUT_OFF = """[...document.querySelectorAll('h1, h2, h3, p, td, th, dd, dt, li, pre')]
  .filter(e => e.checkVisibility() && !e.closest('.unseen, .skip, thead, caption')
    && e.scrollWidth > e.clientWidth + 1
    && getComputedStyle(e).overflow !== 'auto' && getComputedStyle(e).display !== 'inline')
  .map(e => e.tagName + ' ' + e.className + ': ' + e.textContent.slice(0, 60))"""
"""Elements whose text is wider than they are."""


@pytest.mark.parametrize(("name", "width", "scheme"), JUDGED)
def test_axe_finds_nothing_serious(
    browser: Browser, folder: Path, name: str, width: int, scheme: str
) -> None:
    with looking(browser, width=width, scheme=scheme) as watched:
        watched.look_at(folder / f"{name}.html")
        assert serious(watched) == []


def test_axe_and_the_width_are_judges_that_can_say_no(browser: Browser, tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text("<html lang=en><p style='color:#ccc;width:9px;white-space:nowrap'>hardly to be read</p>")
    with looking(browser) as watched:
        watched.look_at(bad)
        assert any(each.startswith("color-contrast") for each in serious(watched))
        assert len(watched.page.evaluate(CUT_OFF)) == 1


def test_the_keyboard_reaches_every_link_and_command_in_order(browser: Browser, page: Path) -> None:
    with looking(browser) as watched:
        watched.look_at(page)
        wanted = watched.page.evaluate(
            "document.querySelectorAll('a, pre[tabindex], summary, input[type=checkbox]').length"
        )
        seen, order = set(), []
        for _ in range(wanted + 60):
            watched.page.keyboard.press("Tab")
            place = watched.page.evaluate(
                "(() => { const e = document.activeElement; e.dataset.seen ??= Math.random();"
                " return [e.dataset.seen, e.tagName, getComputedStyle(e).outlineStyle,"
                " e.getBoundingClientRect().top + scrollY] })()"
            )
            if place[1] == "BODY" or place[0] in seen:
                break
            seen.add(place[0])
            order.append(place)
    focused = [each for each in order if each[1] != "INPUT"]
    assert all(style != "none" for _, _, style, _ in order), "focus is visible"
    assert len(focused) >= wanted - 1
    tops = [top for _, _, _, top in order if top > 0]
    assert all(later >= earlier - 40 for earlier, later in pairwise(tops))


def test_without_css_and_scripts_everything_can_be_read(browser: Browser, page: Path) -> None:
    with looking(browser, scripts=False) as watched:
        watched.look_at(page)
        text = watched.page.locator("main").inner_text()
        assert "acme-demo" in text
        assert len(text) > 500


def test_filters_of_the_index_work_without_scripts(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    path.write_text(PAGES["index"](), encoding="utf-8")
    with looking(browser, scripts=False) as watched:
        watched.look_at(path)
        index = watched.page

        def shown() -> int:
            return sum(row.is_visible() for row in index.locator(".runs tbody tr").all())

        assert shown() == 60
        index.check("#standing-bad")
        assert shown() == 7
        index.check("#verb-up")
        assert 0 < shown() < 7
        index.check("#standing-any")
        assert shown() == 24
        index.check("#only-changed")
        assert 0 < shown() < 24


def test_printed_it_is_a_few_pages_of_paper(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "demo.html"
    path.write_text(PAGES["demo"](), encoding="utf-8")
    with looking(browser) as watched:
        watched.look_at(path)
        paper = watched.page.pdf(format="A4", print_background=True)
    assert paper.startswith(b"%PDF")
    assert 2 <= paper.count(b"/Type /Page\n") + paper.count(b"/Type/Page/") <= 8
