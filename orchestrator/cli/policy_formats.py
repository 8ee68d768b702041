"""A policy report in every format, as files of one folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.reporting.policy.model import PolicyReport


def write_formats(report: PolicyReport, folder: Path) -> list[Path]:
    """Write all of them, readable by their owner alone; raises InputError where the folder cannot be made."""
    from orchestrator.errors import InputError
    from orchestrator.private_file import write_private
    from orchestrator.reporting.policy.csv import to_csv
    from orchestrator.reporting.policy.html import to_html
    from orchestrator.reporting.policy.json import to_json
    from orchestrator.reporting.policy.junit import to_junit
    from orchestrator.reporting.policy.markdown import to_markdown
    from orchestrator.reporting.policy.oscal import to_oscal
    from orchestrator.reporting.policy.sarif import to_sarif

    formats = {
        "policy-report.json": to_json,
        "policy-report.html": to_html,
        "policy-report.sarif": to_sarif,
        "policy-report.junit.xml": to_junit,
        "policy-report.csv": to_csv,
        "policy-report.md": to_markdown,
        "policy-report.oscal.json": to_oscal,
    }
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        written = []
        for name, draw in formats.items():
            write_private(folder / name, draw(report))
            written.append(folder / name)
    except OSError as problem:
        raise InputError(
            "policy check", f"the report cannot be written: {problem.strerror}", place=str(folder),
            next_step="Name a folder that you may write to, with room in it.",
        ) from problem  # fmt: skip
    return written
