"""OSCAL assessment-results: a finding a control, an observation a rule and outcome, ids from the evidence.

OSCAL knows satisfied and not satisfied only, so whatever was not shown is not satisfied, and says why.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from orchestrator.reporting.humanise import iso, plural
from orchestrator.reporting.policy.lookup import Lookup, places_of
from orchestrator.reporting.policy.model import (
    PolicyReport,
    ReportedFramework,
    ReportedResult,
    ReportedWaiver,
)
from orchestrator.reporting.policy.oscal_values import prop, text
from orchestrator.reporting.policy.standing import Standing, rule_counts, standings
from orchestrator.reporting.policy.words import STATES, state_words, sum_words, waiver_pairs

VERSION: Final = "1.2.1"
_NOTHING_TO_MEND: Final = ("not_run", "not_applicable", "pass")
_REASONS: Final = {"met": "pass", "not met": "fail"}


@dataclass(frozen=True)
class _Ids:
    """The same run over the same evidence gives the same ids, and no other run does."""

    root: UUID

    def of(self, *parts: str) -> str:
        return str(_uuid(self.root, *parts))


def _uuid(root: UUID, *parts: str) -> UUID:
    """ASCII, since a name may hold what UTF-8 has no form for."""
    return uuid5(root, "\n".join(parts).encode("ascii", "backslashreplace").decode())


def to_oscal(report: PolicyReport) -> str:
    """The document; equal reports give equal bytes."""
    ids = _Ids(_uuid(NAMESPACE_URL, "steward", report.stack, report.run, report.chain_head))
    document = {
        "uuid": ids.of("document"),
        "metadata": {
            "title": f"Policy report of {text(report.stack)}, run {text(report.run)}",
            "last-modified": iso(report.ended_at),
            "version": text(report.run),
            "oscal-version": VERSION,
            "props": [
                prop("schema", report.schema_),
                prop("chain-head", report.chain_head or "none"),
                *([prop("as-of", report.as_of.isoformat())] if report.as_of else []),
            ],
        },
        # OSCAL wants a plan: ours is the rules and parameters of this very run.
        "import-ap": {"href": f"#{ids.of('plan')}"},
        "results": [_result(Lookup(report), ids)],
        "back-matter": {"resources": [_plan(report, ids)]},
    }
    return json.dumps({"assessment-results": document}, sort_keys=True, separators=(",", ":")) + "\n"


def _plan(report: PolicyReport, ids: _Ids) -> dict[str, Any]:
    props = [
        prop("command", " ".join(report.command) or "not said"),
        prop("rules-digest", report.digests.rules),
        prop("profiles-digest", report.digests.profiles),
        prop("commit", report.commit or "not said"),
    ]
    return {
        "uuid": ids.of("plan"),
        "title": "The rules and profiles that judged",
        "description": f"{plural(len(report.rules), 'rule')}, named by their digests.",
        "props": props,
    }


def _result(lookup: Lookup, ids: _Ids) -> dict[str, Any]:
    report = lookup.report
    stands, pairs = standings(report), len(report.rules) * len(report.subjects)
    told = [*report.results, *lookup.untold()]
    observations = [_overall(report, rule.id, ids) for rule in report.rules]
    observations += [one for rule in report.rules if (one := _passes(report, rule.id, ids))]
    observations += [_observation(lookup, place, each, ids) for place, each in enumerate(told)]
    observations += [_not_checked(report, place, ids) for place in range(len(report.not_checked))]
    related = _related(report, told, ids)
    found: dict[str, Any] = {
        "uuid": ids.of("result"),
        "title": text(report.verdict.words),
        "description": f"{plural(pairs, 'pair')}: {sum_words(report.counts)}.",
        "start": iso(report.started_at),
        "end": iso(report.ended_at),
        "props": [prop("phase", report.phase), prop("environment", report.environment),
                  prop("actor", report.actor), prop("green", "yes" if report.verdict.green else "no")],
        "local-definitions": {"inventory-items": _inventory(report, ids)},
        "reviewed-controls": {"control-selections": _selections(report, stands)},
        "observations": observations,
        "findings": [_finding(lookup, each, related, ids) for rows in stands.values() for each in rows],
    }  # fmt: skip
    risks = [_risk(waiver, ids) for waiver in report.waivers]
    return found | ({"risks": risks} if risks else {})


def _inventory(report: PolicyReport, ids: _Ids) -> list[dict[str, Any]]:
    return [
        {
            "uuid": ids.of("subject", subject.id),
            "description": text(f"{state_words(subject.kind)} {subject.name}"),
            "props": [
                prop("id", subject.id),
                prop("kind", subject.kind),
                prop("type", subject.source_type or subject.type),
                prop("profile", subject.profile),
                prop("witness", subject.witness or "not said"),
            ],
        }
        for subject in report.subjects
    ]


def _selections(report: PolicyReport, stands: dict[str, list[Standing]]) -> list[dict[str, Any]]:
    selections = [
        {
            "description": text(f"{framework.title} {framework.version}".strip()),
            "include-controls": [
                {"control-id": control_id(framework, each.control)} for each in stands[framework.id]
            ],
        }
        for framework in report.frameworks
    ]
    return selections or [{"description": "No rule names a control.", "include-all": {}}]


def control_id(framework: ReportedFramework, control: str) -> str:
    """As NIST's own catalog has it (`ac-6.1`), for the other frameworks with their name before it."""
    if framework.id == "nist-800-53":
        name = control.lower().replace("(", ".").replace(")", "")
    else:
        name = f"{framework.id}_{control}"
    return "_" * (not re.match(r"[A-Za-z_]", name)) + re.sub(r"[^A-Za-z0-9._-]", "_", name)


def _overall(report: PolicyReport, rule: str, ids: _Ids) -> dict[str, Any]:
    """What a rule was held against as a whole: its pairs by state, which add up to the population."""
    counts = rule_counts(report.matrix[rule])
    told = {state: counts[state] for state in STATES if counts[state]}
    return {
        "uuid": ids.of("rule", rule),
        "title": text(f"{rule}: all pairs"),
        "description": f"{plural(len(report.subjects), 'subject')}: {sum_words(told, tuple(told))}.",
        "methods": ["TEST"],
        "collected": iso(report.ended_at),
        "props": [prop("rule", rule), prop("pairs", str(len(report.subjects)))]
        + [prop(f"pairs-{state.replace('_', '-')}", str(count)) for state, count in told.items()],
    }


def _passes(report: PolicyReport, rule: str, ids: _Ids) -> dict[str, Any] | None:
    """The passes of a rule, which no result tells of; None where nothing passed."""
    passed = [report.subjects[place].id for place in places_of(report.matrix[rule], "p")]
    if not passed:
        return None
    return {
        "uuid": ids.of("passes", rule),
        "title": text(f"{rule}: pass"),
        "description": f"{plural(len(passed), 'pass', 'passes')} of "
        f"{plural(len(report.subjects), 'subject')}.",
        "methods": ["TEST"],
        "collected": iso(report.ended_at),
        "subjects": [_subject(each, ids) for each in passed],
        "props": [prop("rule", rule), prop("state", "pass"), prop("pairs", str(len(passed)))],
    }


def _not_checked(report: PolicyReport, place: int, ids: _Ids) -> dict[str, Any]:
    """What no rule looked at: it is in no pair, so nothing else in the document would tell of it."""
    left = report.not_checked[place]
    found: dict[str, Any] = {
        "uuid": ids.of("not-checked", str(place)),
        "title": text(f"Not checked: {left.what}"),
        "description": text(left.why),
        "methods": ["UNKNOWN"],
        "collected": iso(report.ended_at),
        "props": [prop("state", "not_checked")],
    }
    return found | ({"remarks": text(f"Next: {left.next_step}")} if left.next_step else {})


def _related(report: PolicyReport, told: Sequence[ReportedResult], ids: _Ids) -> dict[str, list[str]]:
    """Rule id -> its observations."""
    found = {rule.id: [ids.of("rule", rule.id)] for rule in report.rules}
    for rule, line in report.matrix.items():
        found[rule] += [ids.of("passes", rule)] if "p" in line else []
    for place, result in enumerate(told):
        found[result.rule].append(ids.of("observation", str(place)))
    return found


def _subject(subject: str, ids: _Ids) -> dict[str, str]:
    return {"subject-uuid": ids.of("subject", subject), "type": "inventory-item"}


def _observation(lookup: Lookup, place: int, result: ReportedResult, ids: _Ids) -> dict[str, Any]:
    report = lookup.report
    said = {
        "path": result.path, "observed": result.observed, "expected": result.expected,
        "enforcement": result.enforcement, "witness": result.witness, "waiver": result.waiver,
    }  # fmt: skip
    found = {
        "uuid": ids.of("observation", str(place)),
        "title": text(f"{result.rule}: {state_words(result.state)}"),
        "description": text(result.message or lookup.rules[result.rule].title),
        "methods": ["TEST"],
        "collected": iso(report.ended_at),
        "subjects": [_subject(report.subjects[on].id, ids) for on in result.on],
        "props": [prop("rule", result.rule), prop("state", result.state)]
        + [prop(name, value) for name, value in said.items() if value],
    }
    fix = text(f"Fix: {result.remediation or lookup.rules[result.rule].remediation}")
    return found | ({} if result.state in _NOTHING_TO_MEND else {"remarks": fix})


def _finding(lookup: Lookup, each: Standing, related: Mapping[str, list[str]], ids: _Ids) -> dict[str, Any]:
    report, met = lookup.report, each.stand == "met"
    target = control_id(each.framework, each.control)
    found: dict[str, Any] = {
        "uuid": ids.of("finding", target),
        "title": text(f"{each.framework.title} {each.control}: {each.stand}"),
        "description": text(each.title or each.control),
        "target": {
            "type": "objective-id",
            "target-id": target,
            "status": {
                "state": "satisfied" if met else "not-satisfied",
                "reason": _REASONS.get(each.stand, "other"),
                "remarks": text(f"{each.stand}: {each.words}. {_why(each)}".strip()),
            },
        },
        "related-observations": [{"observation-uuid": one} for rule in each.rules for one in related[rule]],
    }
    waived = sorted({
        result.waiver for result in report.results
        if result.rule in each.rules and result.waiver in lookup.waivers
    })  # fmt: skip
    risks = [{"risk-uuid": ids.of("waiver", waiver)} for waiver in waived]
    return found | ({"related-risks": risks} if risks else {})


def _why(each: Standing) -> str:
    return {
        "met": "These rules show a part of the control, and what they show holds.",
        "not met": "",
        "not shown": "What is unknown or was not run is no pass.",
        "excused": "An excused failure is no pass; see the waivers.",
        "nothing to judge": "No subject of the population was judged by these rules.",
    }[each.stand]


def _risk(waiver: ReportedWaiver, ids: _Ids) -> dict[str, Any]:
    expires = waiver.expires
    found: dict[str, Any] = {
        "uuid": ids.of("waiver", waiver.id),
        "title": text(f"Waiver {waiver.id}: {waiver.state}"),
        "description": text(waiver.reason or waiver.problem or "no reason given"),
        "statement": text(f"{waiver.rule} on {waiver.subject}: {waiver_pairs(waiver)}."),
        "status": "deviation-approved" if waiver.state == "active" else "open",
        "props": list(_waiver_props(waiver)),
    }
    if expires:
        found["deadline"] = f"{expires.isoformat()}T23:59:59Z"
    return found


def _waiver_props(waiver: ReportedWaiver) -> Iterator[dict[str, str]]:
    for name in ("owner", "approver", "ticket", "problem"):
        value = str(getattr(waiver, name))
        if value:
            yield prop(name, value)
    yield prop("compensating-control", waiver.compensating_control or "none")
