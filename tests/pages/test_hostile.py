"""Hostile text in real viewers: a browser, a Markdown renderer and a terminal show it and never obey it."""

from __future__ import annotations

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pyte
import pytest
from markdown_it import MarkdownIt
from playwright.sync_api import Browser

from orchestrator.reporting.escape import visible
from orchestrator.reporting.html import to_html
from orchestrator.reporting.index import to_index
from orchestrator.reporting.markdown import to_markdown
from orchestrator.reporting.model import Report
from orchestrator.reporting.plan import plan_of
from orchestrator.reporting.plan_markdown import to_markdown as plan_to_markdown
from orchestrator.reporting.terminal import findings, summary
from tests.browser import looking
from tests.unit.reporting import sample
from tests.unit.reporting.test_hostile import CORPUS, hostile


def with_findings(*texts: str) -> Report:
    """The failing run, with one finding a text whose subject is exactly that."""
    [first, *_] = sample.failing().findings
    changed = (
        first.model_copy(update={"subject": text, "observed": text, "fix": text, "title": f"T {text}"})
        for text in texts
    )
    return sample.failing().model_copy(update={"findings": tuple(changed)})


def shown_as(text: str) -> str:
    """What a page must show: the text itself, with what could act written as its code."""
    return visible(text, keep_newlines=True)


SAID = """all => all.map(
  each => [".small strong", ".pair dd"].map(part => each.querySelector(part)?.textContent ?? ""))"""
"""Subject and observation of each finding."""


def test_a_browser_shows_every_case_as_text_and_does_nothing(browser: Browser, tmp_path: Path) -> None:
    """All on one page: the first that acts has only what is harmless before it, as if it were alone."""
    path = tmp_path / "page.html"
    path.write_text(to_html(with_findings(*CORPUS.values())), encoding="utf-8")
    with looking(browser) as watched:
        watched.look_at(path)
        said = watched.page.locator(".finding").evaluate_all(SAID)
        assert len(said) == len(CORPUS)
        found = sorted(pair for pair in said if pair[0])
        assert found == sorted([shown_as(text)] * 2 for text in CORPUS.values() if text)
        assert watched.page.evaluate("window.owned") is None
        assert (watched.requests, watched.dialogs, watched.console) == ([], [], [])


def test_what_cannot_act_is_shown_unchanged() -> None:
    unchanged = [name for name, text in CORPUS.items() if shown_as(text) == text]
    assert len(unchanged) > 30, "the page shows the text itself and no clean-up of it"


def test_a_browser_obeys_no_case_in_any_place_of_report_and_index(browser: Browser, tmp_path: Path) -> None:
    """All places at once: every free text of a report is one case after the other."""
    path = tmp_path / "page.html"
    clean = to_html(sample.failing())
    path.write_text(clean, encoding="utf-8")
    count = "[...new Set([...document.querySelectorAll('*')].map(e => e.tagName))]"
    with looking(browser) as watched:
        watched.look_at(path)
        tags = set(watched.page.evaluate(count))
        for name in ("script", "script-in-svg", "image", "remote-image", "meta", "style", "attribute",
                     "attribute-unquoted", "javascript-url", "comment", "entities", "null"):  # fmt: skip
            report = hostile(CORPUS[name])
            row = sample.row(4).model_copy(update={"verb": CORPUS[name], "sentence": CORPUS[name]})
            for page in (to_html(report), to_index(report.stack, [row])):
                path.write_text(page, encoding="utf-8")
                watched.look_at(path)
                assert watched.page.evaluate("window.owned") is None, name
                assert (watched.requests, watched.dialogs, watched.console) == ([], [], []), name
                assert set(watched.page.evaluate(count)) - tags <= {
                    "SPAN", "CODE", "FORM", "FIELDSET", "LEGEND", "LABEL", "INPUT", "CIRCLE", "LINE", "BR",
                }, name  # fmt: skip


class Rendered(HTMLParser):
    """Tags, attributes and text that a Markdown renderer made."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def rendered(text: str) -> Rendered:
    """As GitHub's dialect with raw HTML let through, so that nothing is neutralised by the renderer."""
    return Rendered(MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(text))


@cache
def clean_markdown() -> Rendered:
    """What the run looks like with no hostile text in it."""
    return rendered(to_markdown(sample.failing()))


@pytest.mark.parametrize("name", CORPUS)
def test_markdown_is_rendered_as_text(name: str) -> None:
    text = CORPUS[name]
    clean = clean_markdown()
    page = rendered(to_markdown(with_findings(text)))
    assert page.tags <= clean.tags | {"code", "pre"}
    assert page.attributes <= {"class", "style"}
    if text.strip():
        wanted = " ".join(visible(text).split())
        assert wanted in " ".join(page.text.split()), name
    for other in (to_markdown(hostile(text)), plan_to_markdown(plan_of(hostile(text)))):
        everywhere = rendered(other)
        assert everywhere.tags <= clean.tags | {"code", "pre", "br"}, name
        assert {"a", "img", "script"}.isdisjoint(everywhere.tags), name


@pytest.mark.parametrize("name", CORPUS)
def test_a_terminal_shows_it_and_keeps_its_state(name: str) -> None:
    columns = 100
    report = hostile(CORPUS[name])
    text = summary(report, "report.html", columns) + findings(report, columns)
    screen = pyte.HistoryScreen(columns, 2_000, history=10)
    stream = pyte.ByteStream(screen)
    before = (set(screen.mode), screen.title, screen.icon_name, screen.margins)
    lines = text.splitlines()
    stream.feed("".join(f"{line}\r\n" for line in lines).encode("utf-8"))
    assert (set(screen.mode), screen.title, screen.icon_name, screen.margins) == before
    assert screen.cursor.y == len(lines), "one line of text is one line of the terminal"
    assert all(
        cell.fg == "default" and not cell.bold for row in screen.buffer.values() for cell in row.values()
    )
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)
    assert not any(line.lstrip().startswith("::") for line in lines), name
    assert not re.search(r"##(\[|vso|teamcity)", text), name
