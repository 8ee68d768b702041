"""Puts a run's report on disk; a reader finds the old file or the new one, never half of one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from orchestrator.reporting.html import to_html
from orchestrator.reporting.json import to_json
from orchestrator.reporting.markdown import to_markdown
from orchestrator.reporting.model import Report

# JSON first: it is the record; the others can be drawn from it again.
FORMATS: dict[str, tuple[str, Callable[[Report], str]]] = {
    "json": ("report.json", to_json),
    "html": ("report.html", to_html),
    "markdown": ("report.md", to_markdown),
}


def write(report: Report, folder: Path) -> dict[str, Path]:
    """Write all formats into the run's folder (files 0600) and say where each is; OSError if that fails."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {name: _replace(folder / file, render(report)) for name, (file, render) in FORMATS.items()}


def _replace(path: Path, text: str) -> Path:
    handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            os.fchmod(stream.fileno(), 0o600)
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(scratch).replace(path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise
    return path
