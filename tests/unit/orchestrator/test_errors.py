"""An error tells its five parts in one sentence, and each kind has its own exit code."""

from __future__ import annotations

import pytest

from orchestrator.errors import (
    FindingsError,
    InputError,
    StewardError,
    StoppedError,
    ToolError,
    WaitingError,
)


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (StewardError("s", "m"), "s: m."),
        (StewardError("s", "m?"), "s: m?"),
        (StewardError("s", "m", place="p"), "s: p: m."),
        (StewardError("s", "m", got="g", rule="r"), "s: m (rule: r), got g."),
        (
            StewardError(
                "demo.yaml", "no network", place="servers.web", rule="r", got="'ap'", next_step="Say app."
            ),
            "demo.yaml: servers.web: no network (rule: r), got 'ap'. Say app.",
        ),
    ],
)
def test_text(problem: StewardError, text: str) -> None:
    assert str(problem) == text


def test_exit_codes_are_those_that_are_promised() -> None:
    kinds = (FindingsError, InputError, ToolError, WaitingError, StoppedError)
    assert [kind.exit_code for kind in kinds] == [1, 2, 3, 4, 130]
    assert set(StewardError.__subclasses__()) == set(kinds), "a new kind of error needs its exit code here"
