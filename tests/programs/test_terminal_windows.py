"""`steward validate` on real terminals of several widths, and in a pipe."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pexpect
import pyte
import pytest

from tests.unit.orchestrator.samples import FLEET

LINES = 40


def environment() -> dict[str, str]:
    """What decides about width is the terminal alone."""
    kept = {key: value for key, value in os.environ.items() if key not in {"COLUMNS", "LINES", "CI"}}
    return {**kept, "TERM": "xterm", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def screen(columns: int, command: str) -> list[str]:
    """What a terminal of so many columns shows when the command is over."""
    shown = pyte.Screen(columns, LINES)
    child = pexpect.spawn(
        "/bin/sh", ["-c", command], env=environment(), dimensions=(LINES, columns), timeout=60, echo=False
    )
    child.expect(pexpect.EOF)
    pyte.ByteStream(shown).feed(child.before)
    child.close()
    assert child.exitstatus == 2
    return [line.rstrip() for line in shown.display if line.strip()]


@pytest.fixture
def command(tmp_path: Path) -> str:
    """A valid file and one with a mistake."""
    (tmp_path / "good.yaml").write_text(FLEET)
    (tmp_path / "bad.yaml").write_text(FLEET.replace("network: app", "network: ap", 1))
    files = [str(tmp_path / name) for name in ("good.yaml", "bad.yaml")]
    return shlex.join([sys.executable, "-P", "-m", "orchestrator.cli.main", "validate", *files])


@pytest.mark.parametrize(
    ("columns", "wanted"),
    [
        (
            40,
            [
                "good.yaml: valid; stack acme-demo,",
                "    servers web-1, web-2, db-1",
                "bad.yaml: 1 mistake, nothing was changed",
                "  servers.web.network",
                "    no network named 'ap'; known: app.",
                "    Did you mean 'app'?   line 16",
            ],
        ),
        (
            60,
            [
                "good.yaml: valid; stack acme-demo, servers web-1, web-2,",
                "    db-1",
                "bad.yaml: 1 mistake, nothing was changed",
                "  servers.web.network",
                "    no network named 'ap'; known: app. Did you mean 'app'?",
                "    line 16",
            ],
        ),
        (
            200,
            [
                "good.yaml: valid; stack acme-demo, servers web-1, web-2, db-1",
                "bad.yaml: 1 mistake, nothing was changed",
                "  servers.web.network  no network named 'ap'; known: app. Did you mean 'app'?   line 16",
            ],
        ),
    ],
)
def test_words_stay_whole_at_every_width(command: str, columns: int, wanted: list[str]) -> None:
    assert screen(columns, command) == wanted


def test_only_the_stream_that_leads_to_the_terminal_is_wrapped(command: str, tmp_path: Path) -> None:
    piped = tmp_path / "said"
    assert screen(40, f"{command} >{piped}")[1] == "  servers.web.network"
    assert piped.read_text() == "good.yaml: valid; stack acme-demo, servers web-1, web-2, db-1\n"


def test_an_error_that_ends_a_verb_is_wrapped_too() -> None:
    command = shlex.join([sys.executable, "-P", "-m", "orchestrator.cli.main", "validate"])
    assert screen(40, command) == [
        "steward: validate: name fleet files, or",
        "    say --all. See: steward validate",
        "    --help",
    ]


def test_in_a_pipe_every_mistake_is_one_line(command: str) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", command], capture_output=True, text=True, check=False, env=environment()
    )
    assert (done.returncode, done.stdout.count("\n")) == (2, 1)
    assert done.stderr == (
        "bad.yaml: 1 mistake, nothing was changed\n\n"
        "  servers.web.network  no network named 'ap'; known: app. Did you mean 'app'?   line 16\n"
    )
