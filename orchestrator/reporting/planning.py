"""What a plan tells beyond its list of changes: differences, interruptions, losses, cost, tasks on hosts."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import PlainSerializer

from orchestrator.reporting.record import Record

Amount = Annotated[Decimal, PlainSerializer(str, return_type=str)]
"""Money; text in JSON, so that no reader rounds it."""


class PropertyChange(Record):
    """One property that differs, in words; None is a value that is not there, a secret is never told."""

    path: str
    how: Literal["add", "change", "remove"]
    old: str | None = None
    new: str | None = None
    replaces: bool = False


class Interruption(Record):
    """A service that pauses while a change is made; `window` is when its owner allows that, '' unsaid."""

    service: str
    window: str = ""


class DataLoss(Record):
    """What goes with a change for good; `saved_seconds` is the age of the newest snapshot of its server that
    lies in the vault, None when none is known, and `note` says why."""

    subject: str
    saved_seconds: float | None = None
    note: str = ""


BudgetVerdict = Literal["none", "inside", "near", "over", "over_allowed", "unknown"]


class CostLine(Record):
    """What one resource costs a month before and after; None where it has no price or is not there."""

    urn: str
    kind: str
    name: str
    existed: bool
    exists: bool
    before: Amount | None = None
    after: Amount | None = None


class Cost(Record):
    """What the fleet costs a month by the price book `book` ('' is none: then nothing is priced, not free).

    Sums leave out what is unpriced, so they are lower bounds. `budget` is a month's share of what was agreed;
    `over` blocks, `over_allowed` does not, `unknown` is never inside.
    """

    currency: str
    book: str
    before: Amount
    after: Amount
    unpriced_before: int = 0
    unpriced: int = 0
    lines: Sequence[CostLine] = ()
    budget: Amount | None = None
    budget_currency: str = ""
    used_percent: int | None = None
    verdict: BudgetVerdict = "none"


class TaskPlan(Record):
    """One task that would do something on a host, or could not say; `diff` is Ansible's, without secrets."""

    role: str
    task: str
    state: Literal["change", "unknown"]
    diff: str = ""
    note: str = ""


class HostPlan(Record):
    """What the playbooks would do on one host, by check mode; what could not be looked at is unknown.

    A `change` with a `reason` was not asked: its record says that a converge is due.
    """

    name: str
    state: Literal["clean", "change", "unknown"]
    changes: int = 0
    unknown: int = 0
    tasks: Sequence[TaskPlan] = ()
    restarts: Sequence[str] = ()
    reason: str = ""
