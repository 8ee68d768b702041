"""The page of messages: each is a message of ours that the named test asserts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestrator.diagnosis.causes import Fault

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text()
ROWS = re.findall(r"^\| `([^`]+)` \|.*\| `(tests/[^`]+)` \|$", PAGE, re.MULTILINE)


def test_the_page_has_rows_and_every_fault_is_one() -> None:
    assert len(ROWS) >= 18
    assert {fault.value for fault in Fault} <= {message for message, _ in ROWS}


@pytest.mark.parametrize(("message", "test"), ROWS)
def test_the_named_test_asserts_the_message(message: str, test: str) -> None:
    text = (ROOT / test).read_text()
    names = [f"Fault.{fault.name}" for fault in Fault if fault.value == message]
    assert message in text or any(name in text for name in names)
