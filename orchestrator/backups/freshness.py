"""Is a plan's newest snapshot younger than its RPO, by what the store saw and not what a host says?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestrator.backups.documents import BackupRun, BackupStatus, PlanStatus
from orchestrator.ports.backups import Receipt
from orchestrator.reporting.model import Backup, Verdict
from stacks.fleet.backup import BackupPlan

_CLOCK_TOLERANCE = timedelta(minutes=2)
_STAGING = "/var/lib/steward/backup/{plan}/staging"
"""Where a host puts dumps and manifest of a plan; it may be among the paths of a snapshot."""

FORGED = "the host reports a snapshot that the vault never saw arrive"
_FUTURE = "the vault's clock or ours is wrong: the snapshot arrived in the future"
_REDATED = "the vault changed the arrival time: it was {first:%Y-%m-%d %H:%M:%S} UTC when first seen"
_ANOTHER = "the last good backup on the host is another plan's, or an earlier plan's of this name"
_SHARED = "two plans of the host claim the same snapshot"
_NO_TIMER = "its timer is not enabled"


@dataclass(frozen=True)
class Evidence:
    """By what rows are judged; receipts and first sights are by (repository id, snapshot id).

    `plan_ids` are by plan name; a plan that is not among them is known by its name alone.
    """

    receipts: Mapping[tuple[str, str], Receipt]
    now: datetime
    run: str
    plan_ids: Mapping[str, str] = field(default_factory=dict)
    first_seen: Mapping[tuple[str, str], datetime] = field(default_factory=dict)


def judge(
    name: str, plan: BackupPlan, server: str, repository: str, status: BackupStatus | None, evidence: Evidence
) -> Backup:
    """One plan on one server."""
    found = plan_status(status, name)
    row = _unjudged(name, plan, server, found)
    if status is None:
        return row.model_copy(update={"message": "the host could not be asked"})
    note = _last_attempt(found)
    if found is None or found.last_good is None:
        return row.model_copy(update={"verdict": Verdict.FAIL, "message": note or "no backup was taken yet"})
    good = found.last_good
    receipt = evidence.receipts.get((repository, good.snapshot or ""))
    refused = _refusal(name, good, status, receipt, evidence)
    if receipt is None or refused:
        seen = {"verdict": Verdict.FAIL, "snapshot": good.snapshot or "", "message": refused}
        return row.model_copy(update=seen)
    first = evidence.first_seen.get((repository, receipt.snapshot), receipt.arrived_at)
    arrived = min(receipt.arrived_at, first)
    age = evidence.now - arrived
    known = {
        "snapshot": receipt.snapshot,
        "arrived_at": arrived,
        "age_seconds": max(0.0, age.total_seconds()),
        "bytes": good.bytes,
        "taken_in_this_run": good.run == evidence.run,
    }
    doubt = _doubt(receipt.arrived_at, first, age)
    if doubt:
        return row.model_copy(update={**known, "verdict": Verdict.UNKNOWN, "message": doubt})
    wrong = _not_held(name, plan, good) + ([] if found.timer.enabled else [_NO_TIMER])
    verdict = Verdict.PASS if age <= plan.rpo and not wrong else Verdict.FAIL
    message = "; ".join([*wrong, *([note] if note else [])])
    return row.model_copy(update={**known, "verdict": verdict, "message": message})


def _refusal(
    name: str, good: BackupRun, status: BackupStatus, receipt: Receipt | None, evidence: Evidence
) -> str:
    """Why the snapshot proves nothing for this plan, '' when it does."""
    if receipt is None:
        return FORGED
    if good.plan != name or good.plan_id != evidence.plan_ids.get(name, good.plan_id):
        return _ANOTHER
    claims = [each for each in status.plans if each.last_good and each.last_good.snapshot == good.snapshot]
    return _SHARED if len(claims) > 1 else ""


def _doubt(arrived_at: datetime, first: datetime, age: timedelta) -> str:
    """Why the time of arrival cannot be believed, '' when it can."""
    if arrived_at - first > _CLOCK_TOLERANCE:
        return _REDATED.format(first=first)
    return _FUTURE if age < -_CLOCK_TOLERANCE else ""


def _not_held(name: str, plan: BackupPlan, good: BackupRun) -> list[str]:
    """How what was saved differs from what the plan, perhaps edited since, names."""
    staging = _STAGING.format(plan=name)
    wrong = []
    for held, wanted in ((good.paths, plan.paths), (good.databases, plan.postgresql)):
        saved = [each for each in held if each != staging]
        wrong += [f"does not hold {each}" for each in wanted if each not in saved]
        wrong += [f"holds {each}, which the plan does not name" for each in saved if each not in wanted]
    return wrong[:10]


def _unjudged(name: str, plan: BackupPlan, server: str, found: PlanStatus | None) -> Backup:
    """What is known of a plan before anything is proven."""
    return Backup(
        plan=name,
        server=server,
        repository=plan.repository,
        snapshot="",
        arrived_at=None,
        age_seconds=None,
        rpo_seconds=plan.rpo.total_seconds(),
        rto_seconds=plan.rto.total_seconds(),
        next_at=found.timer.next_at if found else None,
        schedule=f"{plan.schedule} {plan.timezone}",
        keep={period: count for period, count in plan.keep.model_dump().items() if count},
    )


def _last_attempt(found: PlanStatus | None) -> str:
    if found is None or found.last is None or found.last.ok:
        return ""
    return f"the last attempt failed: {found.last.error or 'no reason given'}"


def plan_status(status: BackupStatus | None, name: str) -> PlanStatus | None:
    """What a host says of one plan."""
    return next((each for each in status.plans if each.plan == name), None) if status else None


def is_due(row: Backup) -> bool:
    """Whether a run should take a backup now: only where no receipt is younger than the RPO."""
    return row.verdict is not Verdict.PASS


def by_snapshot(receipts: Iterable[Receipt]) -> dict[tuple[str, str], Receipt]:
    """Receipts by (repository id, snapshot id)."""
    return {(receipt.repository, receipt.snapshot): receipt for receipt in receipts}


def newest_first(rows: Sequence[Backup]) -> list[Backup]:
    """Rows ordered for people: what is wrong first, then by plan and server."""
    rank = {Verdict.FAIL: 0, Verdict.UNKNOWN: 1, Verdict.PASS: 2, Verdict.NOT_APPLICABLE: 3}
    return sorted(rows, key=lambda row: (rank[row.verdict], row.plan, row.server))
