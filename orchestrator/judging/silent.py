"""What a fleet has and nobody heard of in a judgement: each such subject, and why no rule was asked. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from orchestrator.judging.sources import Source, Whose
from policies.assessment import Assessment
from policies.bench import Bench
from policies.facts import Facts, Unknown, UnknownFactError
from policies.model import CheckResult, Enforcement, Kind, Subject
from policies.profiles import Profiles
from policies.subjects.backups import NO_PLAN

_TOLD_BY = {Kind.HOST_FACTS: "host", Kind.BACKUP_RECORD: "vault"}
"""The fact of a silent subject that says why it is silent."""


def silent_record(plan: str | None, server: str, why: str, whose: Whose) -> Subject:
    """A backup that nobody saw anything of, and why; `plan` is None for a server without one."""
    name = f"{plan or NO_PLAN}/{server}"
    return Subject(
        kind=Kind.BACKUP_RECORD,
        type="backup_record",
        name=name,
        urn=f"{Kind.BACKUP_RECORD}:{whose.stack}/{name}",
        stack=whose.stack,
        facts=Facts({"name": name, "tags": whose.tags, _TOLD_BY[Kind.BACKUP_RECORD]: Unknown(why)}),
        witness="nobody",
    )


def with_reasons(assessment: Assessment, sources: Sequence[Source], profiles: Profiles) -> Assessment:
    """The assessment, in which each pair of a silent subject is told with the reason; no state changes."""
    silent = {
        subject.urn: why
        for source in sources
        if source.silent
        for subject in source.subjects
        if (why := _reason(subject))
    }
    added = list(_not_run(assessment, silent, profiles)) if silent else []
    return replace(assessment, results=(*assessment.results, *added)) if added else assessment


def _reason(subject: Subject) -> str:
    try:
        subject.facts.get(_TOLD_BY.get(subject.kind, ""))
    except UnknownFactError as gap:
        return gap.reason
    return ""


def _not_run(assessment: Assessment, silent: dict[str, str], profiles: Profiles) -> Iterator[CheckResult]:
    told = {(result.rule, result.subject.urn) for result in assessment.results}
    for subject in assessment.subjects:
        why = silent.get(subject.urn)
        for rule in assessment.rules if why else ():
            read = rule.kind is subject.kind and subject.type in rule.subjects
            if read and (rule.id, subject.urn) not in told:
                bench = Bench(rule, subject, profiles.choose(subject), settled=True)
                yield bench.not_run(why or "", Enforcement.ADVISORY)
