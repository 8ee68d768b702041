"""The words of judging: subject, rule, outcome and result, with states that are never folded together."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING, Final, NamedTuple

from policies.facts import Facts, UnknownFactError

if TYPE_CHECKING:
    from policies.answers import Apart


class State(StrEnum):
    """What came of one rule on one subject; only `pass` is a pass."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    WAIVED = "waived"
    BASELINED = "baselined"
    NOT_APPLICABLE = "not_applicable"
    UNKNOWN = "unknown"
    ERROR = "error"
    NOT_RUN = "not_run"


class Kind(StrEnum):
    """What a subject is; a rule judges one kind, whatever source it was read from."""

    RESOURCE = "resource"
    STEP = "step"
    PLAYBOOK_TASK = "playbook_task"
    HOST_FACTS = "host_facts"
    BACKUP_RECORD = "backup_record"
    COST_LINE = "cost_line"


class Severity(StrEnum):
    """How bad a finding is, whether or not it stops anything."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Enforcement(StrEnum):
    """What a state other than pass does: stop, be said, wait for the values of `up`, or nothing."""

    MANDATORY = "mandatory"
    ADVISORY = "advisory"
    DEFERRED = "deferred"
    DISABLED = "disabled"


class Phase(StrEnum):
    """When rules are asked; a profile may stop less at one of these than at another."""

    PREVIEW = "preview"
    UP = "up"
    DESTROY = "destroy"
    LIVE = "live"
    OFFLINE = "offline"


class OnUnknown(StrEnum):
    """What a rule wants when the value it needs is not known at preview."""

    BLOCK = "block"
    DEFER = "defer"
    WARN = "warn"


class Scope(StrEnum):
    """Whether a rule needs one subject, or all of the stack."""

    SUBJECT = "subject"
    STACK = "stack"


class PackError(Exception):
    """The pack itself is wrong: a catalog, profile or rule that does not fit the others."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing to judge, in neutral words; `source_type` is for reports, never for rules.

    `urn` is its identity in reports and waivers; subjects that the engine does not know have one of the form
    `host_facts:acme-demo/web-1`. `depends_on`: property name -> URNs whose outputs feed it. `witness`: who
    saw the facts, as `plan`, `state`, `file`, `host`, `vault`, or the name of the server that looked.
    """

    kind: Kind
    type: str
    name: str
    urn: str
    stack: str
    facts: Facts
    source_type: str = ""
    protect: bool = False
    depends_on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    witness: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule saw, what it wanted instead, and at which property.

    `witness` and `fix` are given where they differ from the subject's witness and the rule's remediation.
    """

    path: str
    problem: str
    observed: str
    expected: str
    witness: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Gap:
    """A value that a rule needed and that is not known, or not yet; `reason` says why, if anybody said."""

    path: str
    settled_at_up: bool = False
    reason: str = ""

    @classmethod
    def of(cls, error: UnknownFactError) -> Gap:
        """The gap that the reading of a fact met."""
        return cls(error.path, error.settled_at_up, error.reason)


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """Why the rule has nothing to say about this subject."""

    reason: str


Outcome = Finding | Gap | NotApplicable
SubjectCheck = Callable[[Subject, Facts], Iterable[Outcome]]
StackCheck = Callable[[Sequence[Subject]], SubjectCheck]
"""Reads the stack once and gives the check for its subjects, so that cost grows with size, not its square."""


@dataclass(frozen=True)
class Steps:
    """Steps by what happens to which type of resource; what is empty stands for all.

    `sides`: of `old` and `new`, the facts that the step has, all of them.
    """

    types: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    sides: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    """A check with the metadata that the catalog keeps for it; exactly one of the checks is set, or none
    where a rule is read as data.
    """

    id: str
    title: str
    rationale: str
    severity: Severity
    kind: Kind
    scope: Scope
    subjects: tuple[str, ...]
    controls: Mapping[str, tuple[str, ...]]
    params: Mapping[str, Mapping[str, object]]
    on_unknown: OnUnknown
    remediation: str
    owner: str
    reviewed_on: date
    version: int
    waivable: bool = True
    """Whether a waiver may excuse it."""
    steps: Steps = Steps()
    """Which steps it judges, of a rule about steps."""
    check: SubjectCheck | None = None
    stack_check: StackCheck | None = None
    apart: Apart | None = None

    @property
    def can_judge(self) -> bool:
        """Whether there is code behind it."""
        return bool(self.check or self.stack_check or self.apart)


def stops(state: str, enforcement: str) -> bool:
    """Whether a state stops the change where it is enforced like that."""
    return state in (State.FAIL, State.ERROR, State.UNKNOWN) and enforcement == Enforcement.MANDATORY


# Python 3.11 takes ten times as long for a member of an enumeration as for a name.
_FAILING: Final = (State.FAIL, State.BASELINED)
_EMPTY: Final = hashlib.sha256()


class CheckResult(NamedTuple):
    """The record of one rule on one subject; a subject that fails at two places has two.

    `waiver`: id of the one that excuses it. A tuple, since there are tens of thousands: a frozen dataclass
    takes nearly twice as long to make.
    """

    rule: str
    severity: Severity
    state: State
    enforcement: Enforcement
    subject: Subject
    profile: str
    path: str = ""
    observed: str = ""
    expected: str = ""
    message: str = ""
    remediation: str = ""
    witness: str = ""
    waiver: str = ""

    @property
    def fingerprint(self) -> str:
        """By what a baseline knows a failure: rule, subject, property and offending value, so that another
        value is another failure; '' for what is none.
        """
        if self.state not in _FAILING:
            return ""
        told = map(encode_basestring_ascii, (self.rule, self.subject.urn, self.path, self.observed))
        digest = _EMPTY.copy()  # to ask for a new one takes twice as long
        digest.update(f"[{', '.join(told)}]".encode())  # as json.dumps, and twice as fast
        return digest.hexdigest()

    @property
    def blocks(self) -> bool:
        """Whether this result alone stops the change."""
        return stops(self.state, self.enforcement)

    def as_row(self) -> dict[str, object]:
        """The JSON form that reports and evidence read."""
        subject = self.subject
        return {
            "rule": self.rule,
            "severity": self.severity.value,
            "state": self.state.value,
            "enforcement": self.enforcement.value,
            "subject": {
                "kind": subject.kind.value,
                "type": subject.source_type or subject.type,
                "name": subject.name,
                "urn": subject.urn,
            },
            "profile": self.profile,
            "path": self.path,
            "observed": self.observed,
            "expected": self.expected,
            "message": self.message,
            "remediation": self.remediation,
            "witness": self.witness,
            "fingerprint": self.fingerprint,
            "waiver": self.waiver,
        }


def each(rows: Iterable[Facts], judge: Callable[[Facts], Iterable[Outcome]]) -> Iterator[Outcome]:
    """Judge row by row, so that one unknown value does not hide what is wrong in the next row."""
    for row in rows:
        try:
            yield from judge(row)
        except UnknownFactError as gap:
            yield Gap.of(gap)
