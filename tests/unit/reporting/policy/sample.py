"""Policy reports of real judgements: the rules over the subjects of their own cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

from orchestrator.reporting.policy.build import Occasion, ReportContext, policy_report
from orchestrator.reporting.policy.model import (
    Baseline,
    Deferred,
    Lapsed,
    NotChecked,
    PolicyReport,
    ReportedWaiver,
    Source,
    TrendPoint,
)
from policies.assessment import LETTERS, Assessment
from policies.cases import STACK, read_case
from policies.evaluate import assess
from policies.model import Rule, State, Subject
from policies.pack import load_pack

CASES = Path(__file__).parents[3] / "policies" / "cases"
NOW = datetime(2026, 11, 29, 9, 30, tzinfo=UTC)
SSH, OWNER = "network.ssh-not-public", "quality.service-has-owner"
EXCUSED = "quality.tags-complete"
FEW = (SSH, OWNER, EXCUSED, "backups.data-is-covered", "network.private-range", "recovery.last-run-succeeded")
"""Rules that are enough for each state, of two kinds."""


def subjects_of(path: Path) -> Iterator[Subject]:
    """The subjects of one case, named after it, so that many cases make one population."""
    for subject in read_case(path).subjects:
        name = f"{path.parent.name.split('.')[1]}-{path.stem}-{subject.name}"
        yield replace(subject, name=name, urn=subject.urn[: -len(subject.name)] + name)


@cache
def population(rules: Sequence[str] = ()) -> tuple[Subject, ...]:
    """Subjects of the plain cases of these rules, or of all, and one that nobody can read."""
    paths = (path for path in sorted(CASES.glob("*/*.yaml")) if path.stem in ("pass", "fail", "unknown"))
    named = [path for path in paths if not rules or path.parent.name in rules]
    known = [subject for path in named for subject in subjects_of(path)]
    return (
        *known,
        replace(known[0], type="unrecognised", source_type="aws:ec2:Strange", name="odd", urn="urn:odd"),
    )


@cache
def chosen() -> tuple[Rule, ...]:
    """The few rules, and one that breaks."""
    rules = [rule for rule in load_pack(None).rules if rule.id in FEW]
    return (*rules, broken(rules[0]))


@cache
def judged() -> Assessment:
    """The few rules on the subjects of their cases, as they judge them."""
    return assess(population(FEW), load_pack(None).profiles, rules=chosen())


def broken(rule: Rule) -> Rule:
    """The rule as it would be if somebody had made a mistake in it."""

    def check(subject: Subject, params: object) -> Iterator[None]:
        raise ZeroDivisionError(f"division by zero at {subject.name}")
        yield None

    return replace(rule, id="own.breaks", check=check, stack_check=None)  # type: ignore[arg-type]


Pair = tuple[str, str]
"""(rule id, subject id)."""


def excused(assessment: Assessment, pairs: Mapping[Pair, State], waiver: str) -> Assessment:
    """The assessment after exceptions were held against it: a waiver, and a baseline of what failed."""
    places = {subject.urn: place for place, subject in enumerate(assessment.subjects)}
    matrix = {rule: list(line) for rule, line in assessment.matrix.items()}
    for (rule, urn), state in pairs.items():
        matrix[rule][places[urn]] = LETTERS[state]
    results = []
    for result in assessment.results:
        pair = (result.rule, result.subject.urn)
        state = pairs.get(pair, result.state)
        told = waiver if state is State.WAIVED else ""
        results.append(result._replace(state=state, waiver=told))
    return replace(
        assessment, matrix={rule: "".join(line) for rule, line in matrix.items()}, results=tuple(results)
    )


def context(run: str = "01KBX7", **changes: object) -> ReportContext:
    """Who judged, when and by what."""
    about = Occasion(
        run=run,
        stack=STACK,
        client="acme",
        environment="demo",
        phase="offline",
        started_at=NOW - timedelta(seconds=3),
        actor="erika@acme.example",
        rules_digest="a1" * 32,
        profiles_digest="b2" * 32,
        commit="4f" * 20,
        change_id="!42",
        command=("steward", "policy", "check", "--from", "plan.json"),
        fleet_file="stacks/fleets/demo.yaml",
        chain_head="e5" * 32,
        versions={"steward": "0.1.0", "python": "3.11.7"},
    )
    usual = ReportContext(about, NOW, load_pack(None), reference="c3" * 32, inputs={"plan.json": "d4" * 32})
    return replace(usual, **changes)  # type: ignore[arg-type]


def failing_pairs(assessment: Assessment, rule: str) -> list[Pair]:
    """Pairs of a rule that fail, as the results name them."""
    found = [(each.rule, each.subject.urn) for each in assessment.results
             if each.rule == rule and each.state is State.FAIL]  # fmt: skip
    return list(dict.fromkeys(found))


def waivers(excused: int) -> tuple[ReportedWaiver, ...]:
    """One of each state."""
    common = {"owner": "erika@acme.example", "approver": "uwe@acme.example", "created": date(2026, 10, 1)}
    active = ReportedWaiver(
        id="W-7", rule=SSH, subject="*", reason="The old jump host goes in December", ticket="OPS-7",
        expires=date(2026, 12, 24), days_left=25, compensating_control="Keys only, and fail2ban",
        matched=excused + 4, excused=excused, state="active", **common,
    )  # fmt: skip
    expired = ReportedWaiver(
        id="W-3", rule=OWNER, subject="*mail*", reason="Being handed over", ticket="OPS-3",
        expires=date(2026, 11, 28), days_left=-1, state="expired", problem="expired yesterday", **common,
    )  # fmt: skip
    unused = ReportedWaiver(
        id="W-9", rule=SSH, subject="db-*", reason="Was a try", state="unused",
        problem="matches no subject", expires=date(2027, 1, 31), days_left=63, **common,
    )  # fmt: skip
    refused = ReportedWaiver(
        id="W-11", rule=OWNER, subject="web-1", reason="Wanted by its owner", state="refused",
        problem="signed by its owner", expires=date(2027, 1, 31), days_left=63, **common,
    )  # fmt: skip
    return active, expired, unused, refused


@cache
def refused() -> PolicyReport:
    """All eight states in one report, with waivers, a baseline, deferred values and a trend."""
    found = judged()
    waived, kept = failing_pairs(found, SSH), failing_pairs(found, EXCUSED)
    states = dict.fromkeys(waived, State.WAIVED) | dict.fromkeys(kept, State.BASELINED)
    subject = found.subjects[0].urn
    lapsed = Lapsed(rule=OWNER, subject=subject, why="its values changed")
    return policy_report(
        excused(found, states, "W-7"),
        context(
            waivers=waivers(len(waived)),
            baseline=Baseline(entries=3, matched=len(kept), lapsed=(lapsed,)),
            deferred=(
                Deferred(rule=SSH, subject=subject, path="addresses", planned_at=NOW - timedelta(hours=2)),
                Deferred(rule=OWNER, subject=subject, path="owner", planned_at=NOW - timedelta(hours=2),
                         settled_state="pass", settled_at=NOW - timedelta(hours=1)),
            ),
            not_checked=(NotChecked(what="host facts of db-1", why="it did not answer within 10 s",
                                    next_step="steward verify --host db-1"),),
            sources=(
                Source(name="fleet", subjects=len(found.subjects), digest="f6" * 32),
                Source(name="state", subjects=18),
            ),
            overlaps=18,
            trend=tuple(TrendPoint(run=f"01KBX{n}", at=NOW - timedelta(days=7 - n), blocking=9 - n,
                                   counts={"fail": 12 - n, "pass": 90 + n}) for n in range(1, 6)),
        ),
    )  # fmt: skip


@cache
def green() -> PolicyReport:
    """One rule over what passes it."""
    pack = load_pack(None)
    rules = [rule for rule in pack.rules if rule.id == SSH]
    found = tuple(subjects_of(CASES / SSH / "pass.yaml"))
    return policy_report(assess(found, pack.profiles, rules=rules), context())


@cache
def judged_large(rules: int = 100, subjects: int = 1_000) -> Assessment:
    """As many rules and subjects as a large client has: those there are, over and over."""
    pack, known = load_pack(None), population()
    named = [
        replace(rule, id=rule.id if n < len(pack.rules) else f"{rule.id}-{n // len(pack.rules)}")
        for n, rule in ((n, pack.rules[n % len(pack.rules)]) for n in range(rules))
    ]
    many = [
        replace(each, name=f"{each.name}-{n}", urn=f"{each.urn}-{n}")
        for n, each in ((n, known[n % len(known)]) for n in range(subjects))
    ]
    return without_errors(assess(many, pack.profiles, rules=named))


def without_errors(judged: Assessment) -> Assessment:
    """Errors taken as passes: a case's subject has the facts that its own rule reads, a real one has all."""
    matrix = {rule: line.replace("e", "p") for rule, line in judged.matrix.items()}
    wrong = {(each.rule, each.subject.urn) for each in judged.results if each.state is State.ERROR}
    results = [each for each in judged.results if (each.rule, each.subject.urn) not in wrong]
    return replace(judged, matrix=matrix, results=tuple(results))


@cache
def large(rules: int = 100, subjects: int = 1_000) -> PolicyReport:
    """The report of that."""
    return policy_report(judged_large(rules, subjects), context())


@cache
def earlier() -> Sequence[PolicyReport]:
    """The report before the refused one: without exceptions."""
    pack = load_pack(None)
    found = assess(population(FEW), pack.profiles, rules=chosen()[:-1])
    return (policy_report(found, context(run="01KBX1", ended_at=NOW - timedelta(days=1))),)
