"""Single lines in a file that belongs to somebody else, the rest as it was. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any


def edited(text: str, edits: Iterable[dict[str, Any]]) -> str:
    """The text with every edit made; made twice it is as made once.

    An edit has `match` (a pattern), `line`, and `at`: `first` puts the line before all others; `last` puts it
    where the first match is, or at the end. Further matches go.
    """
    lines = text.splitlines()
    for edit in edits:
        pattern = re.compile(edit["match"])
        places = [number for number, line in enumerate(lines) if pattern.search(line)]
        rest = [line for number, line in enumerate(lines) if number not in places]
        place = 0 if edit["at"] == "first" else places[0] if places else len(rest)
        lines = [*rest[:place], edit["line"], *rest[place:]]
    return "".join(f"{line}\n" for line in lines)
