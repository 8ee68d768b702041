"""The engine's own history as subjects: one a change, with the run of the ledger that made it.

Document `steward.pulumi-history/1`:

  entries  [{operation: update|destroy|refresh|..., started_at, ended_at, result, by, through}]: `by` is the
           account that wrote it, `through` is `automation` where a program drove the engine
  runs     [{run, verb, started_at, ended_at}]: the ledger's; ended_at null for one that is under way

A change belongs to a run where the run's verb makes such changes and its times hold the change's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from policies.facts import Facts, Unknown, shown
from policies.model import Kind, Subject
from policies.subjects.document import DocumentError, Record, body_of, each_once, records

SCHEMA: Final = "steward.pulumi-history/1"
TYPE: Final = "engine_change"
HISTORY_TYPES: Final = (TYPE,)
AUTOMATION: Final = "automation"
VERBS: Final[Mapping[str, tuple[str, ...]]] = {
    "update": ("up", "rotate ssh", "patch"),
    "destroy": ("destroy",),
    "refresh": ("up", "destroy", "drift"),
}
"""Verbs whose runs make each kind of change; other kinds are made by hand alone.

`tests/test_engine_verbs.py` reads from the code which verbs drive the engine, and holds them against this.
"""
_TOLERANCE: Final = timedelta(seconds=2)
"""The engine writes whole seconds."""


@dataclass(frozen=True)
class _Run:
    name: str
    verb: str
    began: datetime
    ended: datetime | None

    def holds(self, operation: str, began: datetime, ended: datetime) -> bool:
        return (
            self.verb in VERBS.get(operation, ())
            and self.began - _TOLERANCE <= began
            and (self.ended is None or ended <= self.ended + _TOLERANCE)
        )


def history_subjects(document: object, *, stack: str, tags: Mapping[str, object]) -> list[Subject]:
    """A subject for each entry; raises DocumentError that names the place."""
    entries, runs = records(document, SCHEMA, "entries"), _runs(body_of(document, SCHEMA))
    found = [_subject(Record(each, None), runs, stack, tags) for each in entries]
    return list(each_once(found, SCHEMA))


def is_engine_history(document: object) -> bool:
    """Whether this is what `pulumi stack history --json` prints."""
    return (
        isinstance(document, list)
        and bool(document)
        and all(
            isinstance(each, Mapping) and {"kind", "startTime", "result"} <= set(each) for each in document
        )
    )


def from_engine(history: Sequence[Mapping[str, object]]) -> Mapping[str, object]:
    """The document of the engine's own words; which runs there were is unknown then."""
    entries = [
        {
            "operation": each.get("kind"),
            "started_at": each.get("startTime"),
            "ended_at": each.get("endTime"),
            "result": each.get("result"),
            "by": {"unknown": "the engine does not write who it was"},
            "through": through_of(each.get("environment")),
        }
        for each in history
    ]
    why = "the ledger was not given with it; judge the history.json of a run"
    return {"schema": SCHEMA, "entries": entries, "runs": {"unknown": why}}


def through_of(environment: object) -> str:
    """`automation`, or `cli` for a person's own command."""
    told = environment.get("exec.kind") if isinstance(environment, Mapping) else None
    return AUTOMATION if isinstance(told, str) and told.startswith("auto.") else "cli"


def _runs(body: Mapping[str, object]) -> Sequence[_Run] | Unknown:
    told = body.get("runs")
    if isinstance(told, Mapping) and set(told) == {"unknown"}:
        return Unknown(shown(told["unknown"]))
    found = []
    for place, each in enumerate(records(body, SCHEMA, "runs")):
        began, ended = _time(each.get("started_at")), _time(each.get("ended_at"))
        if began is None or (ended is None and each.get("ended_at") is not None):
            raise DocumentError(f"{SCHEMA}: runs[{place}]: expected times with their zone; write it again")
        found.append(_Run(str(each.get("run")), str(each.get("verb")), began, ended))
    return found


def _subject(
    entry: Record, runs: Sequence[_Run] | Unknown, stack: str, tags: Mapping[str, object]
) -> Subject:
    name = f"{entry.label('operation', 'change')} of {entry.label('started_at', 'no known time')}"
    facts = {
        "name": name,
        "tags": tags,
        "operation": entry.value("operation"),
        "startedAt": entry.value("started_at"),
        "result": entry.value("result"),
        "by": entry.value("by"),
        "through": entry.value("through"),
        "run": _run_of(entry, runs),
    }
    return Subject(
        kind=Kind.RESOURCE,
        type=TYPE,
        name=name,
        urn=f"{TYPE}:{stack}/{name}",
        stack=stack,
        facts=Facts(facts),
        source_type=SCHEMA,
        witness="the engine's history",
    )


def _run_of(entry: Record, runs: Sequence[_Run] | Unknown) -> str | Unknown | None:
    """The run that made the change, None where no run did."""
    if isinstance(runs, Unknown):
        return runs
    began, ended = _time(entry.value("started_at")), _time(entry.value("ended_at"))
    if began is None or ended is None:
        return Unknown("the history does not say when it began and ended")
    if entry.value("through") != AUTOMATION:
        return None
    operation = str(entry.value("operation"))
    return next((run.name for run in runs if run.holds(operation, began, ended)), None)


def _time(value: object) -> datetime | None:
    if not isinstance(value, str) or len(value) > 40:  # longer than any time
        return None
    try:
        found = datetime.fromisoformat(value)
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None
