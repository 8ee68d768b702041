"""What of the auditor's page is printed, and how names stand on it: paper has what is open, and counts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from markupsafe import Markup, escape

from orchestrator.reporting.escape import visible
from orchestrator.reporting.humanise import plural
from orchestrator.reporting.policy.model import PolicyReport
from orchestrator.reporting.policy.standing import ControlStand, Standing

LONGEST: Final = 400
"""Characters of a value; a browser takes minutes to break thousands of names without end."""
LOUD: Final = frozenset("feuxwb")
"""Letters of what is open or excused."""
CALM_STANDS: Final[tuple[ControlStand, ...]] = ("met", "nothing to judge")
"""Controls that paper lists by their numbers alone."""
_OPEN_STANDS: Final[tuple[ControlStand, ...]] = ("not met", "not shown", "excused")
_JOINTS: Final = re.compile(r"[./:]+(?=\w)")


def is_calm(letters: str) -> bool:
    """Whether nothing in them is open or excused: what is left away on paper, and counted."""
    return LOUD.isdisjoint(letters)


def unprinted(report: PolicyReport) -> str:
    """Which subjects the paper leaves out."""
    lines = [report.matrix[rule.id] for rule in report.rules]
    calm = sum(is_calm("".join(letters)) for letters in zip(*lines, strict=True))
    return (
        f"{calm:,} of {plural(len(report.subjects), 'subject')} have no pair that is open or excused, "
        "and are not printed; they are on this page when it is open, and in policy-report.json."
    )


def stands(rows: Sequence[Standing]) -> str:
    """How many controls stand how, the worst first."""
    counts = Counter(each.stand for each in rows)
    return " · ".join(f"{counts[stand]} {stand}" for stand in (*_OPEN_STANDS, *CALM_STANDS) if counts[stand])


def speaking(report: PolicyReport, control: Standing) -> Markup:
    """The rules that speak for a control, those with something open or excused first; paper counts others."""
    calm = [rule for rule in control.rules if is_calm(report.matrix[rule])]
    loud = [rule for rule in control.rules if rule not in calm]
    if not loud:
        return Markup(_safe_list(calm))  # noqa: S704  it went through _safe
    rest = f'<span class="ranges">, {_safe_list(calm)}</span>' if calm else ""
    count = f'<span class="paper">; {plural(len(calm), "other")}</span>' if calm else ""
    return Markup(f"{_safe_list(loud)}{rest}{count}")  # noqa: S704  likewise


def _safe_list(names: Sequence[str]) -> str:
    return ", ".join(map(safe, names))


def broken(name: str) -> Markup:
    """A path or id that a narrow column breaks behind its dots, slashes and colons, not inside a word."""
    return Markup(_JOINTS.sub(r"\g<0><wbr>", safe(name)))  # noqa: S704  it went through _safe


def safe(value: str) -> str:
    """The value as a page may hold it, at most LONGEST characters of it."""
    return str(escape(visible(value if len(value) <= LONGEST else value[: LONGEST - 1] + "…")))
