"""The report as a merge-request comment: the verdict first, lists folded away, no value left to act."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from orchestrator.reporting import humanise
from orchestrator.reporting.advice import next_steps
from orchestrator.reporting.budget import budget
from orchestrator.reporting.escape import markdown_block, markdown_code, markdown_text
from orchestrator.reporting.findings import ranked, symbol
from orchestrator.reporting.markdown_table import table
from orchestrator.reporting.model import Change, Finding, Report, Verdict
from orchestrator.reporting.page import (
    AS_LEFT,
    DONE,
    NOT_KNOWN,
    WOULD,
    kept,
    open_checks,
    open_policies,
    standing,
)
from orchestrator.reporting.plan_words import difference, shown
from orchestrator.reporting.sentence import sentence
from orchestrator.reporting.tone import SEVERITIES, SYMBOLS
from orchestrator.reporting.verdict import EXIT_MEANINGS, check_counts, numbers, policy_counts, tone, unjudged

_MARKS = {Verdict.PASS: "✓ ", Verdict.FAIL: "✕ ", Verdict.UNKNOWN: "? ", Verdict.NOT_APPLICABLE: ""}


def to_markdown(report: Report) -> str:
    """The whole comment; values are inline code or fenced blocks, so none can mention, link or command."""
    parts = [
        f"### {SYMBOLS[tone(report)]} {markdown_text(sentence(report))}",
        _numbers(report),
        *_findings(report),
        *_next(report),
        *_folded("Planned, not made", len(report.planned), _resources(report.planned, WOULD)),
        "" if report.changes_known else f"Changes: {NOT_KNOWN}",
        *_folded("Changes", len(report.changes), _resources(report.changes, DONE)),
        *_folded("Hosts", len(report.hosts), _hosts(report)),
        *_folded("Upgraded", sum(len(each.upgrades) for each in report.patched), _upgraded(report)),
        *_folded("Backups", len(report.backups), _backups(report)),
        *_folded("Checks", len(report.checks), _checks(report)),
        "Policies: not judged." if unjudged(report) else "",
        *_folded("Policies", len(report.policies), _policies(report)),
        *_folded("Steps", len(report.steps), _steps(report)),
        _provenance(report),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _numbers(report: Report) -> str:
    counted = numbers(report)
    found = ", ".join(f"{counted.findings[name]} {name}" for name in SEVERITIES if counted.findings[name])
    return _table(
        ("Servers healthy", "Findings", "Backups inside RPO", "Budget used"),
        [
            (
                f"**{counted.servers_healthy}** of {counted.servers}",
                f"**{len(report.findings)}**" + (f": {found}; {counted.blocking} blocking" if found else ""),
                f"**{counted.backups_inside}** of {counted.backups}",
                markdown_text(f"{budget(report).shown}: {budget(report).note}"),
            )
        ],
    )


def _findings(report: Report) -> list[str]:
    if not report.findings:
        return []
    rows = [
        (
            f"{symbol(finding)} {finding.severity}" + (", blocks" if finding.blocking else ""),
            markdown_code(finding.subject),
            markdown_text(finding.title) + _rule(finding),
            markdown_code(finding.observed),
            markdown_code(finding.expected),
        )
        for finding in ranked(report.findings)
    ]
    return ["#### Findings", _table(("Severity", "Subject", "Finding", "Seen", "Expected"), rows)]


def _rule(finding: Finding) -> str:
    return f" ({markdown_code(finding.rule)})" if finding.rule else ""


def _next(report: Report) -> list[str]:
    items = []
    for step in next_steps(report):
        items.append("1. " + markdown_text(step.action))
        if step.command:
            items += ["", *(f"   {line}" for line in markdown_block(step.command).splitlines()), ""]
    return ["#### What to do next", "\n".join(items).rstrip()]


def _resources(changes: Sequence[Change], words: Mapping[str, str]) -> list[str]:
    rows = [
        (
            words[change.op],
            markdown_code(change.kind),
            markdown_code(change.name),
            markdown_code("; ".join(difference(each) for each in shown(change)) or change.detail),
        )
        for change in changes
    ]
    return [_table(("What", "Kind", "Name", "Detail"), rows)]


def _hosts(report: Report) -> list[str]:
    rows = [
        (
            markdown_code(host.name),
            "✕ unreachable"
            if host.unreachable
            else "✕ failed"
            if host.failed
            else "✓ as converged"
            if host.unchanged_since
            else "✓ configured",
            str(host.ok + host.failed),
            str(host.changed),
            humanise.duration(host.duration_seconds),
        )
        for host in report.hosts
    ]
    table = _table(("Host", "State", "Tasks", "Changed", "Took"), rows)
    left = any(host.unchanged_since for host in report.hosts)
    return [table, *([f"“As converged” means {AS_LEFT}."] if left else [])]


def _upgraded(report: Report) -> list[str]:
    rows = [
        (
            markdown_code(each.server),
            markdown_code(upgrade.package),
            markdown_code(upgrade.before or "new"),
            markdown_code(upgrade.after),
            "yes" if upgrade.security else "",
        )
        for each in report.patched
        for upgrade in each.upgrades
    ]
    rebooted = [f"{markdown_code(each.server)} was rebooted." for each in report.patched if each.rebooted]
    return [_table(("Server", "Package", "Before", "After", "Security"), rows), *rebooted]


def _backups(report: Report) -> list[str]:
    rows = [
        (
            markdown_code(f"{backup.plan}/{backup.server}"),
            _MARKS[backup.verdict] + standing(backup),
            f"{humanise.age(backup.age_seconds)} of {humanise.duration(backup.rpo_seconds)}",
            humanise.size(backup.bytes),
            markdown_code(backup.snapshot[:10]),
            humanise.instant(backup.next_at),
            markdown_code(kept(backup.keep)),
        )
        for backup in report.backups
    ]
    return [_table(("Plan", "Standing", "Age of RPO", "Size", "Snapshot", "Next", "Agreed to keep"), rows)]


def _checks(report: Report) -> list[str]:
    counts = " + ".join(f"{count} {name.replace('_', ' ')}" for name, count in check_counts(report).items())
    rows = [
        (
            markdown_code(check.server),
            check.verdict.value,
            markdown_code(check.title),
            markdown_code(check.observed),
            markdown_code(check.expected),
        )
        for check in open_checks(report)
    ]
    told = f"{len(report.checks)} checks = {counts}"
    return [told, *([_table(("Server", "Verdict", "Check", "Seen", "Expected"), rows)] if rows else [])]


def _policies(report: Report) -> list[str]:
    counts = policy_counts(report)
    states = " + ".join(f"{count} {state.replace('_', ' ')}" for state, count in counts.states.items())
    between = "×" if counts.complete else "over"
    told = f"{counts.rules} rules {between} {counts.subjects} subjects: {counts.pairs} pairs = {states}"
    rows = [
        (
            markdown_code(result.rule),
            markdown_code(result.subject),
            result.state.replace("_", " "),
            markdown_code(result.observed or result.message),
        )
        for result in open_policies(report)
    ]
    return [told, *([_table(("Rule", "Subject", "State", "Seen"), rows)] if rows else [])]


def _steps(report: Report) -> list[str]:
    rows = [
        (
            markdown_code(step.name),
            step.state.value,
            humanise.duration(step.duration_seconds),
            markdown_code(step.message),
        )
        for step in report.steps
    ]
    return [_table(("Step", "State", "Took", "Said"), rows)]


def _provenance(report: Report) -> str:
    meaning = EXIT_MEANINGS.get(report.exit_code, "no meaning known")
    return (
        f"Run {markdown_code(report.run)} by {markdown_code(report.actor)}, "
        f"finished {humanise.instant(report.finished_at)}, exit code {report.exit_code} ({meaning}). "
        f"Fleet {markdown_code(report.fleet_file)} {markdown_code(report.fleet_digest)}, "
        f"Steward {markdown_code(report.steward_version)}."
    )


def _folded(title: str, count: int, parts: Sequence[str]) -> Iterable[str]:
    if not count:
        return ()
    # Blank lines around the content make it Markdown again inside the HTML element.
    return (f"<details><summary>{title} ({count})</summary>", *parts, "</details>")


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return table(heads, rows, "report.json")
