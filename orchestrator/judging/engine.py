"""What the engine's pack said of each resource, as an assessment that can be joined with ours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from orchestrator.reporting.model import PolicyResult
from policies.assessment import LETTERS, WORST, Assessment
from policies.bench import Bench
from policies.model import CheckResult, Enforcement, Kind, Rule, Severity, State, Subject
from policies.profiles import Profiles

_NOT_REACHED = "the engine ended before it asked about this resource"


def engine_assessment(
    rows: Sequence[PolicyResult], subjects: Sequence[Subject], rules: Sequence[Rule], profiles: Profiles
) -> Assessment:
    """Every rule on every planned resource; what the engine never came to is not run, and no pass."""
    judged = [profiles.choose(subject) for subject in subjects]
    said = _by_pair(rows)
    matrix: dict[str, str] = {}
    results: list[CheckResult] = []
    for rule in rules:
        letters = []
        for subject, profile in zip(subjects, judged, strict=True):
            own = said.get((rule.id, subject.urn), ())
            if own:
                found = [_result(row, subject) for row in own]
            elif rule.kind is Kind.RESOURCE and subject.type in rule.subjects:
                bench = Bench(rule, profile, settled=False)
                found = [bench.not_run(subject, _NOT_REACHED, bench.usual)]
            else:
                silent = State.NOT_RUN if subject.type == "unrecognised" else State.NOT_APPLICABLE
                letters.append(LETTERS[silent])
                continue
            letters.append(LETTERS[min((each.state for each in found), key=WORST.index)])
            results += _telling(found, rule)
        matrix[rule.id] = "".join(letters)
    return Assessment(
        tuple(rules), tuple(subjects), tuple(profile.name for profile in judged), matrix, tuple(results)
    )


def _telling(found: Sequence[CheckResult], rule: Rule) -> list[CheckResult]:
    """What an assessment keeps of a pair: no pass, and nothing of types that the rule does not read."""
    read = [each for each in found if each.subject.type in rule.subjects]
    return [each for each in read if each.state is not State.PASS]


def _by_pair(rows: Sequence[PolicyResult]) -> Mapping[tuple[str, str], list[PolicyResult]]:
    pairs: dict[tuple[str, str], list[PolicyResult]] = defaultdict(list)
    for row in rows:
        pairs[row.rule, row.urn].append(row)
    return pairs


def _result(row: PolicyResult, subject: Subject) -> CheckResult:
    return CheckResult(
        rule=row.rule,
        severity=Severity(row.severity),
        state=State(row.state),
        enforcement=Enforcement(row.enforcement),
        subject=subject,
        profile=row.profile,
        path=row.path,
        observed=row.observed,
        expected=row.expected,
        message=row.message,
        remediation=row.remediation,
    )
