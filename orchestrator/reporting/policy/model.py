"""`steward.policy-report/1`: the one record of a judgement, that every format is drawn from."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final, Literal

from pydantic import ConfigDict, Field

from orchestrator.reporting.record import Record

SCHEMA: Final = "steward.policy-report/1"
State = Literal["pass", "fail", "waived", "baselined", "not_applicable", "unknown", "error", "not_run"]
Kind = Literal["resource", "step", "playbook_task", "host_facts", "backup_record", "cost_line"]
Severity = Literal["critical", "high", "medium", "low"]
Enforcement = Literal["mandatory", "advisory", "deferred", "disabled"]
Phase = Literal["preview", "up", "destroy", "live", "offline"]

LETTERS: Final[dict[str, State]] = {
    "p": "pass",
    "f": "fail",
    "w": "waived",
    "b": "baselined",
    "n": "not_applicable",
    "u": "unknown",
    "e": "error",
    "x": "not_run",
}
"""What a letter of the matrix stands for; a test holds it against the words of the rules."""


class Digests(Record):
    """SHA-256 of what judged and what was judged, so that the same judgement can be made again.

    `reference` is that of the protected policy reference, '' where there is none.
    """

    rules: str
    profiles: str
    reference: str = ""
    inputs: dict[str, str] = Field(default_factory=dict)


class Verdict(Record):
    """`green`: nothing failed, stayed unknown, broke or was not run; `exit_code` is by enforcement."""

    green: bool
    exit_code: Literal[0, 1]
    blocking: int
    words: str


class Source(Record):
    """One place that subjects were read from; a subject that two of them know is counted by both."""

    name: str
    subjects: int
    digest: str = ""


class Population(Record):
    """Everything that was there to judge; `differences` between the sources are findings of their own.

    The subjects of all sources, less `overlaps`, and those that are `unsourced` are the population. A subject
    of three sources overlaps twice; None: nobody counted that. Of no source are the policy's own waivers,
    baseline and reference, and what an engine planned.
    """

    subjects: int
    by_kind: dict[Kind, int]
    sources: tuple[Source, ...] = ()
    overlaps: int | None = None
    unsourced: int = 0
    differences: int = 0


class ReportedFramework(Record):
    """A public framework, with those of its controls that the rules name."""

    id: str
    title: str
    version: str
    controls: dict[str, str]


class ReportedSteps(Record):
    """Steps by what happens to which type of resource; what is empty stands for all.

    `sides`: of `old` and `new`, the facts that the step has, all of them.
    """

    types: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    sides: tuple[str, ...] = ()


class ReportedRule(Record):
    """One rule as it judged: `params` and `enforcement` are told for each profile that judged a subject.

    `steps`: which ones it judges, of a rule about steps.
    """

    id: str
    title: str
    rationale: str
    severity: Severity
    kind: Kind
    types: tuple[str, ...]
    steps: ReportedSteps = ReportedSteps()
    controls: dict[str, tuple[str, ...]]
    remediation: str
    owner: str
    reviewed_on: date
    version: int
    on_unknown: Literal["block", "defer", "warn"]
    own: bool = False
    params: dict[str, dict[str, Any]] = Field(default_factory=dict)
    enforcement: dict[str, Enforcement] = Field(default_factory=dict)


class ReportedSubject(Record):
    """One thing that was judged; `file` and `line` (from 1, 0 unsaid) where it is written in a file.

    `step_type`, `operation` and `sides` (`old`, `new`): of a step, the type of its resource, what happens to
    that, and of when it has facts; nothing where nobody knows. `left_out` says why no rule was asked about
    it, '' where they were.
    """

    id: str
    kind: Kind
    type: str
    name: str
    profile: str
    source_type: str = ""
    witness: str = ""
    file: str = ""
    line: int = 0
    step_type: str = ""
    operation: str = ""
    sides: tuple[str, ...] = ()
    left_out: str = ""


class ReportedResult(Record):
    """What a rule said of the subjects at the places `on`; what it says alike of many is told once.

    `message` leaves out what has a field of its own. `witness` and `remediation` are '' where they are those
    of the subject and of the rule. `fingerprints` has one a subject, in the order of `on`, or none.
    """

    rule: str
    on: tuple[int, ...]
    state: State
    enforcement: Enforcement
    blocks: bool = False
    path: str = ""
    observed: str = ""
    expected: str = ""
    message: str = ""
    remediation: str = ""
    witness: str = ""
    waiver: str = ""
    fingerprints: tuple[str, ...] = ()


class ReportedWaiver(Record):
    """One exception; `subject` is an id or a pattern. Only `active` ones excuse.

    `matched` counts the pairs that it means, which are its rule with each subject of that id or pattern, and
    `excused` those of them that would fail without it.
    """

    id: str
    rule: str
    subject: str
    owner: str
    approver: str = ""
    reason: str = ""
    ticket: str = ""
    created: date | None = None
    expires: date | None = None
    days_left: int | None = None
    compensating_control: str = ""
    matched: int = 0
    excused: int = 0
    state: Literal["active", "expired", "unused", "refused"]
    problem: str = ""


class Lapsed(Record):
    """An entry of the baseline that excuses nothing any more, because what it was made for changed."""

    rule: str
    subject: str
    why: str = ""


class Baseline(Record):
    """The ratchet: failures that were there when it was made; it can only shrink."""

    entries: int = 0
    matched: int = 0
    lapsed: tuple[Lapsed, ...] = ()


class Deferred(Record):
    """A value that was not known at the plan; `settled_state` is '' while nobody has settled it."""

    rule: str
    subject: str
    path: str
    planned_at: datetime
    settled_state: State | Literal[""] = ""
    settled_at: datetime | None = None


class NotChecked(Record):
    """Something that no rule looked at in this run, why, and what would change that."""

    what: str
    why: str
    next_step: str = ""


class TrendPoint(Record):
    """What an earlier judgement of the same stack came to."""

    run: str
    at: datetime
    counts: dict[State, int]
    blocking: int


class PolicyReport(Record):
    """One judgement. `matrix`: rule id -> a letter a subject, in the order of `subjects`; no pair is missing.

    `chain_head` is the digest of the evidence record that this judgement follows, '' outside of a chain.
    `as_of` is the moment that ages count to where it is not when it was judged; such a report is never green.
    """

    schema_: Literal["steward.policy-report/1"] = Field(SCHEMA, alias="schema")
    run: str
    stack: str
    client: str
    environment: str
    phase: Phase
    started_at: datetime
    ended_at: datetime
    actor: str
    commit: str = ""
    change_id: str = ""
    command: tuple[str, ...] = ()
    fleet_file: str = ""
    chain_head: str = ""
    as_of: datetime | None = None
    versions: dict[str, str] = Field(default_factory=dict)
    digests: Digests
    verdict: Verdict
    counts: dict[State, int]
    population: Population
    frameworks: tuple[ReportedFramework, ...] = ()
    rules: tuple[ReportedRule, ...]
    subjects: tuple[ReportedSubject, ...]
    matrix: dict[str, str]
    results: tuple[ReportedResult, ...] = ()
    waivers: tuple[ReportedWaiver, ...] = ()
    baseline: Baseline = Baseline()
    deferred: tuple[Deferred, ...] = ()
    not_checked: tuple[NotChecked, ...] = ()
    trend: tuple[TrendPoint, ...] = ()

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
