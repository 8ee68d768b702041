"""The policy report of 100 rules on 1,000 subjects: what each step costs, held against its limit.

    .venv/bin/python -P -m tests.benchmarks.policy_report

Judging is not part of it. Each figure is the least of three in one process, after one that compiled the templates;
limits hold for processor time, since all of it is one thread that waits for nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import process_time
from typing import Final

from orchestrator.reporting.policy.build import policy_report
from orchestrator.reporting.policy.csv import to_csv
from orchestrator.reporting.policy.html import to_html
from orchestrator.reporting.policy.json import from_json, to_json
from orchestrator.reporting.policy.junit import to_junit
from orchestrator.reporting.policy.markdown import to_markdown
from orchestrator.reporting.policy.oscal import to_oscal
from orchestrator.reporting.policy.sarif import to_sarif
from tests.unit.reporting.policy import sample

LIMITS: Final = {"build and JSON": (0.1, 3_000_000), "HTML": (1.0, 5_000_000), "Markdown": (1.0, 60_000)}
"""Seconds of processor time, and characters."""


def measure(rules: int = 100, subjects: int = 1_000) -> dict[str, tuple[float, int]]:
    """Seconds and characters of each format."""
    judged, context = sample.judged_large(rules, subjects), sample.context()
    report = policy_report(judged, context)
    text = to_json(report)
    steps: dict[str, Callable[[], object]] = {
        "build and JSON": lambda: to_json(policy_report(judged, context)),
        "read again": lambda: from_json(text),
        "HTML": lambda: to_html(report),
        "Markdown": lambda: to_markdown(report),
        "SARIF": lambda: to_sarif(report),
        "JUnit": lambda: to_junit(report),
        "CSV": lambda: to_csv(report),
        "OSCAL": lambda: to_oscal(report),
    }
    return {name: _least(step) for name, step in steps.items()}


def _least(step: Callable[[], object]) -> tuple[float, int]:
    step()
    seconds = []
    made: object = ""
    for _ in range(3):
        began = process_time()
        made = step()
        seconds.append(process_time() - began)
    return min(seconds), len(made) if isinstance(made, str) else 0


def main() -> int:
    """Measure at 1,000 and at 4,000 subjects, print, and fail where a limit of the first is broken."""
    found = measure()
    large = measure(subjects=4_000)
    report = sample.large()
    told = sum(len(each.on) for each in report.results)
    print(
        f"100 rules, 1,000 subjects, {told:,} results in {len(report.results):,} rows; 4,000 subjects beside it"
    )
    broken = []
    for name, (seconds, size) in found.items():
        at_four = large[name][0]
        print(
            f"{name:<16}{seconds * 1000:8.1f} ms {size:>12,} characters {at_four * 1000:10.1f} ms  x{at_four / seconds:.1f}"
        )
        allowed = LIMITS.get(name)
        if allowed and (seconds > allowed[0] or size > allowed[1]):
            broken.append(
                f"{name}: {seconds:.3f} s and {size} characters, {allowed[0]} s and {allowed[1]} allowed"
            )
    print("\n".join(broken) or "inside every limit")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
