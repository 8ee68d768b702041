"""A backup plan as the host's own programs read it; they must be importable, see each test's `on_path`."""

from __future__ import annotations

from typing import Any


def plan(**change: Any) -> Any:
    """A plan over one path, with what a test changes."""
    from steward_backup.settings import Plan

    known = {
        "name": "content",
        "id": "c" * 32,
        "kind": "paths",
        "paths": ("/var/www",),
        "databases": (),
        "keep": {},
    }
    return Plan(**{**known, **change})
