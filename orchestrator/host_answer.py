"""What a host answers in JSON: it may answer anything, so it is read as a stranger's letter."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from orchestrator.errors import ToolError

T = TypeVar("T")
_SHOWN = 200


def answer(host: str, text: str, kind: type[T]) -> T:
    """One JSON value of this kind; raises ToolError that names the host for anything else."""
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise ToolError(host, "gave no whole answer", got=text[:_SHOWN]) from problem
    if not isinstance(found, kind):
        raise ToolError(host, "gave another answer than was asked for", got=text[:_SHOWN])
    return found
