"""Whatever a program that fails says of the secrets it was handed, none of it is told on."""

from __future__ import annotations

import pytest

from orchestrator import process
from orchestrator.errors import ToolError
from tests.unit.orchestrator.test_planted_secrets import KINDS, known, leaks

__all__ = ["known"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_program_that_fails_tells_no_secret(kind: str) -> None:
    script = (
        "import sys; text = sys.stdin.read(); print(text); sys.stderr.write(text + repr(text)); sys.exit(3)"
    )
    lines: list[str] = []
    with pytest.raises(ToolError) as caught:
        process.run(["python3", "-c", script], timeout=20, stdin=KINDS[kind], on_line=lines.append)
    assert leaks(str(caught.value)) == []
    assert leaks("\n".join(lines)) == []
