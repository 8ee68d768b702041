"""What is no longer as it was made, on hosts and in infrastructure; unknown is never clean."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, get_args

from pydantic import ConfigDict, Field

from orchestrator.reporting.document import document_text, schema_of, schema_text
from orchestrator.reporting.model import Report
from orchestrator.reporting.record import Record

SCHEMA_FILE = "drift.v1.json"

DriftState = Literal["clean", "drifted", "unknown"]


class DriftItem(Record):
    """One thing that differs; `server` is '' where it belongs to none.

    `also` are differences that follow from it. `unhealed_since` is the run whose converge left it so,
    because no role manages it. `fix` is what to do.
    """

    kind: str
    name: str
    how: Literal["add", "change", "remove"]
    expected: str
    observed: str
    server: str = ""
    changed_at: datetime | None = None
    also: Sequence[str] = ()
    unhealed_since: str = ""
    fix: str = ""


class DriftSubject(Record):
    """A host, or a resource of the infrastructure; `reason` says why nothing is known of it.

    `since` is the run that left it as it should be, at `since_at`.
    """

    kind: Literal["host", "resource"]
    name: str
    server: str = ""
    state: DriftState
    reason: str = ""
    fix: str = ""
    since: str = ""
    since_at: datetime | None = None
    items: Sequence[DriftItem] = ()


class Drift(Record):
    """All subjects of a fleet, each in one state; the counts add up to the subjects."""

    schema_: Literal["steward.drift/1"] = Field("steward.drift/1", alias="schema")
    run: str
    stack: str
    fleet_file: str
    looked_at: datetime
    subjects: Sequence[DriftSubject]
    clean: int
    drifted: int
    unknown: int
    items: int
    next: Sequence[str] = ()
    exit_code: int

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def drift_of(report: Report, subjects: Sequence[DriftSubject], following: Sequence[str]) -> Drift:
    """The document of a run of `steward drift`; `following` are the next commands."""
    counts = {state: sum(each.state == state for each in subjects) for state in get_args(DriftState)}
    return Drift(
        run=report.run,
        stack=report.stack,
        fleet_file=report.fleet_file,
        looked_at=report.finished_at,
        subjects=tuple(subjects),
        items=sum(len(each.items) for each in subjects),
        next=tuple(following),
        exit_code=report.exit_code,
        **counts,
    )


def to_json(drift: Drift) -> str:
    """One JSON document with sorted keys and UTC times."""
    return document_text(drift.model_dump(mode="python", by_alias=True))


def drift_schema() -> str:
    """JSON Schema as text."""
    return schema_text(schema_of(Drift, "Steward drift, version 1"))
