"""Parts of a report: when things happened, in a converge, the vault or a restore, and how much was judged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from orchestrator.reporting.record import Record


class HostSpan(Record):
    """A stretch of a converge that one host spent in one role, or in the play itself where `role` is ''."""

    role: str
    started_at: datetime
    duration_seconds: float
    tasks: int
    changed: int = 0
    failed: bool = False


class HostTime(Record):
    """From the first word of a step with a server to the last, whatever else it did in between."""

    server: str
    started_at: datetime
    duration_seconds: float


class BackupHistory(Record):
    """What the vault saw arrive from one server, by day in UTC, oldest first; the lists are of one length.

    The vault cannot tell the plans of one server apart. `planned` counts the times at which a plan was due.
    `worst_age_seconds` is how old the newest snapshot became on that day, None before the first arrived.
    """

    server: str
    plans: Sequence[str]
    rpo_seconds: float
    first_day: date
    planned: Sequence[int]
    arrived: Sequence[int]
    worst_age_seconds: Sequence[float | None]


class Unrestored(Record):
    """What predecessors of a server left in the vault of a plan, while nobody said that it was put back.

    `newest_at` is when the vault saw the newest of them arrive, `snapshot` its id.
    """

    snapshots: int
    newest_at: datetime
    snapshot: str


class Restore(Record):
    """One snapshot read back beside the living data and compared with what it was when it was taken.

    `repository` is where it lay; '' in reports of before this was told. With `predecessor` it is one of an
    earlier incarnation of the server, which proves nothing of the backups of the present one.
    """

    plan: str
    server: str
    snapshot: str
    ok: bool
    seconds: float
    rto_seconds: float
    files: int
    tables: int
    differences: int = 0
    message: str = ""
    repository: str = ""
    predecessor: bool = False


class PolicyFigures(Record):
    """The figures of the run's policy report: rules × subjects is the sum of `counts`, state by state."""

    rules: int
    subjects: int
    counts: dict[str, int]
