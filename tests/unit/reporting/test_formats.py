"""JSON, HTML, Markdown and the files they are written to."""

from __future__ import annotations

import json
import re
import stat
from base64 import b64encode
from functools import cache
from hashlib import sha256
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from orchestrator.reporting.html import to_html
from orchestrator.reporting.json import from_json, to_json
from orchestrator.reporting.markdown import to_markdown
from orchestrator.reporting.model import Report
from orchestrator.reporting.terminal import _pieces, summary
from orchestrator.reporting.write import write
from tests.unit.reporting import sample

REPORTS = {
    "demo": sample.demo,
    "failing": sample.failing,
    "large": sample.large,
    "planned": sample.planned,
    "refused": sample.refused,
    "broken_off": sample.broken_off,
}
PLAIN_TAG = re.compile(r"""<([a-z][a-z0-9]*)((?: [a-z-]+="[^"<>]*")*)>""")
PAIR = re.compile(r" ([a-z-]+)=\"([^\"<>]*)\"")
OF_TEXT = {*HTMLParser.CDATA_CONTENT_ELEMENTS, "title", "textarea", "plaintext"}
"""What is in them is read in ways of their own."""
VOID = {"meta", "br", "link", "img", "input", "hr", "col", "base", "wbr"}


class Strict(HTMLParser):
    """Fails on a tag that is not closed in order; keeps ids, tags and attributes for questions."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.source = source
        self.open: list[str] = []
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if len(named) != len(attrs):
            pytest.fail(f"an attribute twice on <{tag}>")
        self.tags.append((tag, named))
        if "id" in named:
            self.ids.append(named["id"] or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop() if tag not in VOID else None

    def handle_endtag(self, tag: str) -> None:
        if self.open[-1:] != [tag]:
            pytest.fail(f"</{tag}> closes {self.open[-1:]} behind {''.join(self.text)[-60:]!r}")
        self.open.pop()

    def parse_starttag(self, i: int) -> int:
        """Most tags are of the plain kind that can be read in one step; the parser reads all others."""
        found = PLAIN_TAG.match(self.rawdata, i)
        if found is None or found[1] in OF_TEXT:
            return super().parse_starttag(i)
        self.handle_starttag(found[1], [(name, unescape(value)) for name, value in PAIR.findall(found[2])])
        return found.end()

    def updatepos(self, i: int, j: int) -> int:
        """No lines are counted: that takes longer than all questions, and a page has few lines."""
        return j

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.text.append(data)


def parsed(page: str) -> Strict:
    parser = Strict(page)
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


@pytest.fixture(params=sorted(REPORTS))
def report(request: pytest.FixtureRequest) -> Report:
    return REPORTS[request.param]()


@cache
def drawn(name: str) -> Strict:
    """What a report's page is made of, which all that ask only read."""
    return parsed(to_html(REPORTS[name]()))


@pytest.fixture(params=sorted(REPORTS))
def page(request: pytest.FixtureRequest) -> Strict:
    return drawn(request.param)


def test_json_read_back_is_the_same_report(report: Report) -> None:
    text = to_json(report)
    assert from_json(text) == report
    assert to_json(from_json(text)) == text


def test_json_keys_are_sorted_and_times_are_utc(report: Report) -> None:
    document = json.loads(to_json(report))
    assert list(document) == sorted(document)
    assert document["schema"] == "steward.report/2"
    assert document["started_at"] == "2026-11-22T06:17:19Z"


def test_html_is_well_formed_with_unique_ids(page: Strict) -> None:
    assert len(page.ids) == len(set(page.ids))
    named = {value for _, attrs in page.tags for value in (attrs.get("aria-labelledby") or "").split()}
    linked = {
        (attrs["href"] or "")[1:] for _, attrs in page.tags if (attrs.get("href") or "").startswith("#")
    }
    assert named | linked <= set(page.ids)


def test_html_loads_and_runs_nothing(page: Strict) -> None:
    assert {tag for tag, _ in page.tags}.isdisjoint(
        {"script", "img", "link", "iframe", "object", "embed", "form", "base"}
    )
    for tag, attrs in page.tags:
        assert not any(name.startswith("on") or name in ("style", "src", "xlink:href") for name in attrs), (
            tag,
            attrs,
        )
        if "href" in attrs:
            assert tag == "a"


def test_html_policy_allows_its_own_style_and_nothing_else(page: Strict) -> None:
    [policy] = [a["content"] for t, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    style = re.search(r"<style>(.*?)</style>", page.source, re.DOTALL)
    assert style
    assert policy
    digest = b64encode(sha256(style.group(1).encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'")
    assert "url(" not in style.group(1)
    assert "@import" not in style.group(1)


def test_html_tables_and_drawings_explain_themselves(page: Strict) -> None:
    tags = [tag for tag, _ in page.tags]
    assert tags.count("table") == tags.count("caption")
    assert all(attrs.get("scope") for tag, attrs in page.tags if tag == "th")
    assert {"main", "header", "footer", "nav", "h1"} <= set(tags)
    assert tags.count("h1") == 1
    for tag, attrs in page.tags:
        if tag == "svg":
            assert attrs.get("aria-hidden") == "true" or attrs.get("aria-labelledby")


def test_html_counts_reconcile() -> None:
    text = " ".join("".join(parsed(to_html(sample.failing())).text).split())
    assert "230 pairs = 226 pass + 1 fail + 1 unknown + 2 not applicable" in text
    assert "32 checks = 29 pass + 1 fail + 1 unknown + 1 not applicable" in text


def test_html_and_markdown_of_an_empty_run_say_that_nothing_is_known() -> None:
    empty = sample.demo(
        servers=(),
        networks=(),
        flows=(),
        hosts=(),
        backups=(),
        checks=(),
        policies=(),
        steps=(),
        changes=(),
        services=(),
    )
    text = "".join(parsed(to_html(empty)).text)
    assert "No server exists yet." in text
    assert "No rule was run." in text
    assert "has no servers" in to_markdown(empty)


def test_only_web_addresses_become_links() -> None:
    risky = sample.server(
        "web-1", "web", "10.41.0.11", 1, urls=("javascript:alert(1)", "http://127.0.0.1:8/")
    )
    page = parsed(to_html(sample.demo(servers=(risky,))))
    outside = [
        attrs["href"] for tag, attrs in page.tags if tag == "a" and not (attrs["href"] or "").startswith("#")
    ]
    assert outside == ["http://127.0.0.1:8/"]


def test_markdown_tables_keep_their_columns(report: Report) -> None:
    lines = to_markdown(report).splitlines()
    for number, line in enumerate(lines):
        if re.fullmatch(r"\|( --- \|)+", line):
            width, row = line.count("|"), number - 1
            while row < len(lines) and lines[row].startswith("|"):
                assert lines[row].count("|") == width, lines[row]
                row += 1


def test_write_makes_private_files_and_replaces_them_whole(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "01JD"
    write(sample.failing(), folder)
    paths = write(sample.demo(), folder)
    assert {name: path.name for name, path in paths.items()} == {
        "json": "report.json",
        "html": "report.html",
        "markdown": "report.md",
    }
    assert sorted(p.name for p in folder.iterdir()) == ["report.html", "report.json", "report.md"]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in paths.values())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert from_json(paths["json"].read_text(encoding="utf-8")) == sample.demo()


def test_verify_says_in_the_terminal_what_does_not_apply_and_why() -> None:
    verified = sample.demo().model_copy(update={"verb": "verify"})
    assert "host.5 on 1: kernel of the container host" in " ".join(summary(verified, "r").split())
    assert "kernel of the container host" not in summary(sample.demo(), "r")


def test_a_command_is_broken_between_words() -> None:
    command = "steward backup restore --fleet stacks/fleets/demo.yaml --host db-1 --plan databases"
    lines = [piece.rstrip() for piece in _pieces(command, 67)]
    assert lines == ["steward backup restore --fleet stacks/fleets/demo.yaml --host db-1", "--plan databases"]
    assert [len(piece) for piece in _pieces("x" * 100, 40)] == [40, 40, 20], "what has no space is cut"
