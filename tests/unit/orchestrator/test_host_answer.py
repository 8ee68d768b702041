"""What hosts answer in JSON is taken only as what was asked for."""

from __future__ import annotations

import pytest

from orchestrator.errors import ToolError
from orchestrator.host_answer import answer


def test_an_answer_of_the_kind_that_was_asked_for() -> None:
    assert answer("web-1", '["a"]', list) == ["a"]
    assert answer("web-1", "true", bool) is True


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"a": 1}', "null", "7"])
def test_anything_else_names_the_host(text: str) -> None:
    with pytest.raises(ToolError, match="web-1: gave") as told:
        answer("web-1", text, list)
    assert len(str(told.value)) < 1_000
