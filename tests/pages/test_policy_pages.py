"""The auditor's page in a real Chromium: it fits, filters offline, reads without its script, and prints."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from time import perf_counter

import pytest
from playwright.sync_api import Browser, Page

from orchestrator.reporting.escape import visible
from orchestrator.reporting.policy.build import policy_report
from orchestrator.reporting.policy.html import to_html
from orchestrator.reporting.policy.lookup import Lookup
from orchestrator.reporting.policy.model import LETTERS, PolicyReport
from orchestrator.reporting.policy.page import MOST_PRINTED
from policies.evaluate import assess
from policies.model import Phase
from policies.pack import load_pack
from policies.subjects.plan import preview_subjects
from tests.browser import looking
from tests.pages.test_pages import CUT_OFF, LOOKS, serious
from tests.unit.reporting.policy import sample
from tests.unit.reporting.policy.test_hostile import hostile
from tests.unit.reporting.test_hostile import CORPUS

PREVIEW = Path(__file__).parents[1] / "policies" / "previews" / "aws.json"


@cache
def calm() -> PolicyReport:
    """A medium report: all rules on the subjects of a preview, most of which pass or are not judged."""
    subjects = preview_subjects(json.loads(PREVIEW.read_text(encoding="utf-8")), name=PREVIEW.name)
    pack = load_pack(None)
    found = assess(subjects, pack.profiles, rules=pack.rules, phase=Phase.OFFLINE)
    return policy_report(found, sample.context())


PAGES: dict[str, Callable[[], str]] = {
    "calm": lambda: to_html(calm()),
    "green": lambda: to_html(sample.green()),
    "large": lambda: to_html(sample.large()),
    "refused": lambda: to_html(sample.refused()),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("policy-pages")
    for name, render in PAGES.items():
        (made / f"{name}.html").write_text(render(), encoding="utf-8")
    return made


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("width", "scheme", "media"), LOOKS)
def test_a_page_fits_loads_nothing_and_says_nothing(
    browser: Browser, folder: Path, name: str, width: int, scheme: str, media: str
) -> None:
    with looking(browser, width=width, scheme=scheme, media=media) as watched:
        watched.look_at(folder / f"{name}.html")
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= width
        assert watched.page.evaluate(CUT_OFF) == []
    assert (watched.requests, watched.dialogs, watched.console) == ([], [], [])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("name", "width"), [("refused", 400), ("refused", 1280), ("green", 1280)])
def test_axe_finds_nothing_serious(
    browser: Browser, folder: Path, name: str, width: int, scheme: str
) -> None:
    with looking(browser, width=width, scheme=scheme) as watched:
        watched.look_at(folder / f"{name}.html")
        assert serious(watched) == []


def rows(page: Page) -> list[str]:
    """Ids of the subjects that are listed."""
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('table.pairs tbody tr')].filter(row => row.checkVisibility())"
        ".map(row => row.querySelector('.id').textContent)"
    )
    return found


def test_pairs_are_found_by_rule_state_and_word(browser: Browser, folder: Path) -> None:
    report = sample.refused()
    with looking(browser) as watched:
        watched.look_at(folder / "refused.html")
        page = watched.page
        assert rows(page) == [subject.id for subject in report.subjects]
        for number, rule in enumerate(report.rules):
            for letter in sorted(set(report.matrix[rule.id])):
                page.select_option("#pairs [data-rule]", str(number))
                page.select_option("#pairs [data-state]", letter)
                wanted = [
                    subject.id
                    for subject, each in zip(report.subjects, report.matrix[rule.id], strict=True)
                    if each == letter
                ]
                assert rows(page) == wanted
                said = page.locator("table.pairs tr:visible .under").first.text_content()
                assert said == f"Rule {number + 1}: {LETTERS[letter].replace('_', ' ')}"
                assert page.text_content("#pairs [role=status]") == (
                    f"{len(wanted)} of {len(report.subjects)} subjects shown"
                )
        page.select_option("#pairs [data-rule]", "")
        page.select_option("#pairs [data-state]", "")
        page.fill("#pairs [data-text]", "SSH-not-public FAIL-web")
        assert rows(page) == [s.id for s in report.subjects if "ssh-not-public-fail-web" in s.name]
        page.fill("#pairs [data-text]", "")
        assert len(rows(page)) == len(report.subjects)


def test_findings_are_found_by_severity_word_and_what_blocks(browser: Browser, folder: Path) -> None:
    with looking(browser) as watched:
        watched.look_at(folder / "refused.html")
        page = watched.page
        listed = page.locator("li.finding:visible")
        everything = listed.count()
        page.select_option("#findings [data-severity]", "critical")
        assert 0 < listed.count() < everything
        page.select_option("#findings [data-severity]", "")
        page.check("#findings [data-blocking]")
        assert 0 < listed.count() < everything
        page.fill("#findings [data-text]", "no such word")
        assert listed.count() == 0
        assert page.text_content("#findings [role=status]") == f"0 of {everything} rules shown"


def test_every_pair_is_on_the_page_in_words_without_script_or_style(browser: Browser, folder: Path) -> None:
    report = sample.refused()
    with looking(browser, scripts=False) as watched:
        watched.look_at(folder / "refused.html")
        page = watched.page
        assert not page.locator("[data-filter]:visible").count(), "what does nothing is not shown"
        said = page.locator("table.pairs tbody tr").all_inner_texts()
        assert len(said) == len(report.subjects)
        for place, text in enumerate(said):
            letters = "".join(report.matrix[rule.id][place] for rule in report.rules)
            assert letters in text.replace(" ", "").replace("\n", "")
        page.check("#fw-2")
        assert page.locator(".framework:visible").count() == 1
        assert page.locator(".framework:visible h3").inner_text().startswith(report.frameworks[1].title)


def test_the_keyboard_reaches_the_filters(browser: Browser, folder: Path) -> None:
    with looking(browser) as watched:
        watched.look_at(folder / "refused.html")
        seen: list[str] = []
        for _ in range(60):
            watched.page.keyboard.press("Tab")
            place = watched.page.evaluate(
                "(() => { const e = document.activeElement;"
                " const name = e.id || Object.keys(e.dataset)[0] || '';"
                " return [e.tagName, name, getComputedStyle(e).outlineStyle] })()"
            )
            if place[0] == "BODY":
                break
            assert place[2] != "none", place
            seen.append(f"{place[0]} {place[1]}")
        assert {
            "INPUT text",
            "SELECT severity",
            "INPUT blocking",
            "INPUT fw-0",
            "SELECT rule",
            "SELECT state",
        } <= {*seen}


def paper(browser: Browser, path: Path) -> int:
    with looking(browser) as watched:
        watched.look_at(path)
        printed = watched.page.pdf(format="A4", print_background=True)
    return printed.count(b"/Type /Page\n") + printed.count(b"/Type/Page/")


def test_printed_it_is_white_paper_with_all_frameworks_and_no_filter(browser: Browser, folder: Path) -> None:
    assert 4 <= paper(browser, folder / "refused.html") <= 20
    with looking(browser, scheme="dark") as watched:
        watched.look_at(folder / "refused.html")
        page = watched.page
        page.check("#fw-1")
        page.emulate_media(media="print")
        assert page.locator(".framework:visible").count() == len(sample.refused().frameworks)
        assert page.locator("[data-filter]:visible").count() == 0
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.locator("table.pairs").is_visible()


OVERLAPS = """[...document.querySelectorAll("td > span, th > span")].filter(each => {
  const range = document.createRange();
  range.selectNodeContents(each);
  const inner = range.getBoundingClientRect(), cell = each.parentElement.getBoundingClientRect();
  return inner.width > 0 && inner.right > cell.right + 0.5;
}).map(each => each.textContent)"""
"""What stands in a cell of a table and reaches into the next one."""
PAPER = 695
"""Pixels between the margins of A4."""


@pytest.mark.parametrize(("width", "media"), [(400, "screen"), (1280, "screen"), (PAPER, "print")])
def test_no_cell_runs_into_the_next(browser: Browser, folder: Path, width: int, media: str) -> None:
    with looking(browser, width=width, media=media) as watched:
        watched.look_at(folder / "calm.html")
        assert "nothing to judge" in (watched.page.text_content("#controls") or "")
        assert watched.page.evaluate(OVERLAPS) == []


BROKEN_WORDS = """[...document.querySelectorAll(".finding td.value > span, .pairs td:nth-child(2) .small")]
.flatMap(each => [...each.childNodes]).filter(node => node.nodeType === Node.TEXT_NODE).filter(node => {
  const range = document.createRange();
  return [...node.textContent.matchAll(/\\w{2,24}/g)].some(word => {
    range.setStart(node, word.index);
    range.setEnd(node, word.index + word[0].length);
    return range.getClientRects().length > 1;
  });
}).map(node => node.textContent)"""


def test_paper_has_what_is_open_and_counts_and_breaks_no_word(browser: Browser, folder: Path) -> None:
    assert paper(browser, folder / "calm.html") <= 16, "it was 70 while every list was printed in full"
    with looking(browser, width=PAPER, media="print") as watched:
        watched.look_at(folder / "calm.html")
        page = watched.page
        assert page.locator("#rules .by-number li:visible").count() == len(calm().rules)
        assert 0 < page.locator("table.pairs tbody tr:visible").count() < len(calm().subjects)
        assert page.locator("td.letters:visible").count() == 0
        assert page.evaluate(BROKEN_WORDS) == []
    with looking(browser) as watched:
        watched.look_at(folder / "calm.html")
        assert len(rows(watched.page)) == len(calm().subjects)
        assert watched.page.locator(".paper:visible").count() == 0


def test_a_thousand_subjects_open_at_once_and_are_filtered_in_a_moment(
    browser: Browser, folder: Path
) -> None:
    assert len(sample.large().subjects) > MOST_PRINTED
    with looking(browser) as watched:
        began = perf_counter()
        watched.look_at(folder / "large.html")
        assert perf_counter() - began < 10, "on a busy machine; one or two seconds on a quiet one"
        assert len(rows(watched.page)) == 1_000
        began = perf_counter()
        watched.page.fill("#pairs [data-text]", "no such subject")
        assert rows(watched.page) == []
        assert perf_counter() - began < 5
        watched.page.emulate_media(media="print")
        assert not watched.page.locator("table.pairs").is_visible()
        assert watched.page.locator(".on-paper").is_visible()


def test_a_browser_obeys_no_case_in_any_place(browser: Browser, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    count = "[...new Set([...document.querySelectorAll('*')].map(e => e.tagName))]"
    with looking(browser) as watched:
        watched.look_at(folder / "refused.html")
        clean = set(watched.page.evaluate(count))
    with looking(browser) as watched:
        for name, text in CORPUS.items():
            report = hostile(text)
            path.write_text(to_html(report), encoding="utf-8")
            watched.look_at(path)
            assert watched.page.evaluate("window.owned") is None, name
            assert (watched.requests, watched.dialogs, watched.console) == ([], [], []), name
            assert set(watched.page.evaluate(count)) <= clean, name
            shown = watched.page.locator("table.pairs .id").first.text_content()
            assert shown, name
            assert visible(report.subjects[0].id)[:300] == shown[:300], name
            # The script reads names too; what it writes is text.
            watched.page.select_option("#pairs [data-rule]", "0")
            assert watched.page.evaluate("window.owned") is None, name
            assert Lookup(report).name(report.subjects[0].id) == report.subjects[0].name
