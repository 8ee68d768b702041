"""Every command and option in the docs exists, and every one that exists is in the docs."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from orchestrator.cli.main import app
from tests.module_files import load

ROOT = Path(__file__).parents[1]
EXTENSION = ROOT / "docs" / "_extensions" / "steward_reference.py"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
EVERYWHERE = {"-h", "--help", "--version", "-v", "-vv", "--verbose"}
"""Options of `steward` itself."""


steward_reference = load(EXTENSION)
leaves = steward_reference.leaves


@cache
def commands() -> dict[str, Any]:
    """What Typer makes of each verb, by its words: `backup run`."""
    return dict(leaves(typer.main.get_command(app)))


@cache
def verbs() -> dict[str, set[str]]:
    """Options of each verb."""
    return {
        words: {option for each in command.params for option in each.opts if option.startswith("-")}
        for words, command in commands().items()
    }


def calls(text: str) -> list[list[str]]:
    """Every `steward ...` in a code block or between backticks, as words."""
    blocks = re.findall(r"^```(?:sh|bash|console|)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    found: list[list[str]] = []
    for code in [*lines, *spans]:
        matches = re.finditer(r"(?:^|[\s(\"$/])steward +([a-z-][^|&;)\"#]*)", code)
        found += [match.group(1).split() for match in matches]
    return found


def verb_of(words: list[str]) -> str:
    """The longest beginning that is a verb, '' when there is none."""
    for length in (2, 1):
        name = " ".join(words[:length])
        if name in verbs():
            return name
    return ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_of_a_page_exist(page: Path) -> None:
    for words in calls(page.read_text()):
        if words[0].startswith("-"):
            assert words[0] in EVERYWHERE, words
            continue
        groups = {name.split(" ")[0] for name in verbs() if " " in name}
        if words[0] in groups and (len(words) == 1 or "|" in words[1]):
            continue
        verb = verb_of(words)
        assert verb, f"no such command: steward {' '.join(words)}"
        options = {word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert options <= verbs()[verb] | EVERYWHERE, f"steward {' '.join(words)}"


@cache
def everything() -> tuple[str, frozenset[str]]:
    """The text of all pages, and the verbs they call."""
    text = "\n".join(page.read_text() for page in PAGES)
    return text, frozenset(map(verb_of, calls(text)))


@pytest.mark.parametrize("verb", sorted(verbs()))
def test_a_verb_and_its_options_are_in_the_docs(verb: str) -> None:
    text, called = everything()
    assert verb in called, f"steward {verb} is in no page"
    missing = {
        option
        for option in verbs()[verb] - EVERYWHERE
        if not re.search(rf"(?<![\w-]){option}(?![\w-])", text)
    }
    assert missing == set()


@pytest.mark.parametrize("verb", sorted(verbs()))
def test_help_of_a_verb_gives_an_example_of_it(verb: str) -> None:
    command = commands()[verb]
    found = calls("\n".join(f"`{text}`" for text in re.findall(r"Examples?: (.*)", command.help or "")))
    assert verb in {verb_of(words) for words in found}
    for words in found:
        options = {word for word in words if word.startswith("--")}
        assert options <= verbs()[verb_of(words)] | EVERYWHERE, words


@pytest.mark.parametrize("verb", sorted(verbs()))
def test_each_example_of_a_verb_begins_a_line_of_its_help(verb: str) -> None:
    command = commands()[verb]
    with typer.Context(command, info_name=verb, terminal_width=80) as context:
        shown = command.get_help(context)
    assert "Example" in shown
    assert not re.search(r"\S.*Examples?: ", shown)


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.relative_to(ROOT)}: {target}"


def test_the_reference_is_what_the_code_says() -> None:
    """Made anew with: make docs."""
    for name, make in steward_reference.PAGES.items():
        assert (ROOT / "docs" / "reference" / name).read_text() == make(), f"{name}: run make docs"


def test_each_row_of_the_threat_model_names_a_test_that_exists_or_says_that_nothing_stops_it() -> None:
    rows = re.findall(
        r"^\| (?!---|it tries|they try)(.+)\|$", (ROOT / "docs/threat-model.md").read_text(), re.MULTILINE
    )
    assert len(rows) > 20
    for row in rows:
        *_, kind, test = (cell.strip() for cell in row.split("|"))
        assert kind in {"stopped", "detected", "partly", "not stopped"}, row
        if kind == "not stopped":
            assert not test, row
            continue
        path, _, name = test.strip("`").partition("::")
        assert (ROOT / path).is_file(), row
        assert f"def {name}" in (ROOT / path).read_text(), row


def test_the_pages_are_built_without_a_warning(tmp_path: Path) -> None:
    """A page in no table of contents, a dead link or a heading that skips a level is a warning."""
    argv = [sys.executable, "-P", "-m", "sphinx", "-b", "html", "-q", "-W", "--keep-going"]
    done = subprocess.run(
        [*argv, "docs", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "reference" / "commands.html").read_text()
    assert "steward up" in page
    loaded = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(https?:[^"]+)"', page)
    assert loaded == [], "the pages load nothing from elsewhere"
