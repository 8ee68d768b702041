"""The example fleet, and the same with one place of its text changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from stacks.fleet.loader import parse
from stacks.fleet.mistakes import FleetInvalid
from stacks.fleet.model import Fleet

ROOT = Path(__file__).parents[4]
TEXT = (ROOT / "stacks/fleets/demo.yaml").read_text()


def changed(old: str, new: str) -> str:
    """The demo's text with the first `old` replaced."""
    assert old in TEXT, f"demo.yaml has no {old!r} any more; mend the test"
    return TEXT.replace(old, new, 1)


def fleet(old: str = "", new: str = "") -> Fleet:
    return parse(changed(old, new).encode(), "demo.yaml")


def refusal(text: str | bytes) -> FleetInvalid:
    """Why a text is refused."""
    with pytest.raises(FleetInvalid) as caught:
        parse(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text, "demo.yaml")
    return caught.value


def told(text: str | bytes) -> list[str]:
    """Its mistakes as `path: message`."""
    return [f"{each.path}: {each.message}" for each in refusal(text).mistakes]
