"""Is a plan's newest snapshot younger than its RPO, by what the store saw and not what a host says?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from orchestrator.backups.documents import BackupStatus, PlanStatus
from orchestrator.ports import Receipt
from orchestrator.reporting.model import Backup, Verdict
from stacks.fleet.backup import BackupPlan

_CLOCK_TOLERANCE = timedelta(minutes=2)
_FORGED = "the host reports a snapshot that the vault never saw arrive"
_FUTURE = "the vault's clock or ours is wrong: the snapshot arrived in the future"


def judge(
    name: str,
    plan: BackupPlan,
    server: str,
    repository: str,
    status: BackupStatus | None,
    receipts: Mapping[tuple[str, str], Receipt],
    now: datetime,
    run: str,
) -> Backup:
    """One plan on one server; `receipts` is by (repository id, snapshot id)."""
    found = plan_status(status, name)
    row = _unjudged(name, plan, server, found)
    if status is None:
        return row.model_copy(update={"message": "the host could not be asked"})
    note = _last_attempt(found)
    good = found.last_good if found else None
    if good is None:
        return row.model_copy(update={"verdict": Verdict.FAIL, "message": note or "no backup was taken yet"})
    receipt = receipts.get((repository, good.snapshot or ""))
    if receipt is None:
        seen = {"verdict": Verdict.FAIL, "snapshot": good.snapshot or "", "message": _FORGED}
        return row.model_copy(update=seen)
    age = now - receipt.arrived_at
    known = {
        "snapshot": receipt.snapshot,
        "arrived_at": receipt.arrived_at,
        "age_seconds": max(0.0, age.total_seconds()),
        "bytes": good.bytes,
        "taken_in_this_run": good.run == run,
    }
    if age < -_CLOCK_TOLERANCE:
        return row.model_copy(update={**known, "verdict": Verdict.UNKNOWN, "message": _FUTURE})
    verdict = Verdict.PASS if age <= plan.rpo else Verdict.FAIL
    return row.model_copy(update={**known, "verdict": verdict, "message": note})


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
