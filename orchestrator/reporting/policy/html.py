"""The policy report as one HTML file for an auditor: offline, printable, and complete without its script."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from orchestrator.reporting import verdict
from orchestrator.reporting.html import STYLES, render_page
from orchestrator.reporting.policy import page, paper, words
from orchestrator.reporting.policy.lookup import Lookup, holes
from orchestrator.reporting.policy.model import LETTERS, PolicyReport
from orchestrator.reporting.policy.standing import standings
from orchestrator.reporting.tone import Tone
from orchestrator.reporting.trend import path

_STYLES: Final = (*STYLES, "policy/policy.css")
_STAND_TONES: Final = {
    "met": Tone.GOOD.value,
    "not met": Tone.BAD.value,
    "not shown": Tone.UNKNOWN.value,
    "excused": Tone.ATTENTION.value,
    "nothing to judge": Tone.UNKNOWN.value,
}


def to_html(report: PolicyReport, compiled: Path | None = None) -> str:
    """The whole page; `compiled` is a folder that keeps compiled templates, as in `render_page`."""
    lookup = Lookup(report)
    groups = page.findings(lookup)
    return render_page(
        "policy/page.html.j2",
        compiled,
        styles=_STYLES,
        program="policy/policy.js",
        longest=paper.LONGEST,
        report=report,
        lookup=lookup,
        told=page,
        paper=paper,
        tone=words.tone(report).value,
        headline=words.headline(report),
        STATES=words.STATES,
        MEANINGS=words.MEANINGS,
        LETTER_OF={state: letter for letter, state in LETTERS.items()},
        STAND_TONES=_STAND_TONES,
        state_words=words.state_words,
        waiver_pairs=words.waiver_pairs,
        beside_sources=words.beside_sources,
        pairs=len(report.rules) * len(report.subjects),
        groups=groups,
        severities=page.by_severity(groups),
        holes=holes(lookup),
        standings=standings(report),
        trends=page.trends(report),
        trend_path=path,
        judged=words.JUDGED[report.phase],
        exit_meaning=verdict.EXIT_MEANINGS[report.verdict.exit_code],
    )
