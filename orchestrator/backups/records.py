"""Backup records for the policies: one a plan and server, out of what vault, hosts and ledger said. Pure.

The document is `steward.backup-records/1` as `policies/subjects/backups.py` reads it. Nobody having looked is
written as unknown with the reason, and nothing having happened as null; the two are never one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median_low
from typing import Any, Final

from orchestrator.backups.documents import BackupStatus, PlanStatus
from orchestrator.backups.predecessors import told
from orchestrator.ports.backups import Receipt
from orchestrator.reporting.seen import Restore, Unrestored
from policies.subjects.backups import SCHEMA
from stacks.fleet.backup import BackupPlan
from stacks.fleet.coverage import VAULT_ROLE
from stacks.fleet.model import Fleet
from stacks.outputs import ServerOutput

_WEEK, _MONTH = timedelta(days=7), timedelta(days=30)
_SHARED: Final = "the vault cannot tell the plans of one server apart"


@dataclass(frozen=True)
class Vault:
    """What is known of the place of a repository; None is what nobody looked at."""

    region: str | None = None
    append_only: bool | None = None
    immutable_until: datetime | None = None


@dataclass(frozen=True)
class Drill:
    """A restore, and when it was tried."""

    at: datetime
    restore: Restore


@dataclass(frozen=True)
class Checked:
    """A check or a clean-up of a repository, and whether it went well."""

    at: datetime
    ok: bool


@dataclass(frozen=True)
class Seen:
    """What was seen by `now`; None is a source that nobody looked at, an empty one saw nothing.

    `receipts` lie in the vault now, `arrivals` are those that the ledger remembers. `statuses` are by server
    name (None: the host did not answer), `vaults` by the fleet's name of the repository, `sizes` (bytes of
    earlier backups) by plan and server; what is left is by repository id.
    """

    now: datetime
    receipts: Sequence[Receipt] | None = None
    arrivals: Sequence[Receipt] = ()
    statuses: Mapping[str, BackupStatus | None] | None = None
    vaults: Mapping[str, Vault] = field(default_factory=dict)
    sizes: Mapping[tuple[str, str], Sequence[int]] = field(default_factory=dict)
    drills: Sequence[Drill] | None = None
    checks: Mapping[str, Checked] | None = None
    prunes: Mapping[str, Checked] | None = None
    escrow: Mapping[str, datetime] | None = None
    credentials: Mapping[str, datetime] | None = None
    unrestored: Mapping[tuple[str, str], Unrestored] = field(default_factory=dict)
    """By (plan, server): the data lie with a predecessor alone, and no arrival since is of them."""


def backup_records(fleet: Fleet, servers: Sequence[ServerOutput], seen: Seen) -> dict[str, Any]:
    """The document: a record for each plan of each server in the fleet file, made or not."""
    made = {server.name: server for server in servers}
    return {
        "schema": SCHEMA,
        "stack": fleet.stack,
        "at": seen.now.isoformat(),
        "records": [
            record
            for group, name in fleet.server_names()
            for record in _of_server(fleet, group, name, made.get(name), seen)
        ],
    }


def _of_server(
    fleet: Fleet, group: str, name: str, made: ServerOutput | None, seen: Seen
) -> Iterator[dict[str, Any]]:
    spec, plans = fleet.servers[group], fleet.plans_of(group)
    # A vault's volume holds the repositories of other fleets; a second vault would hold theirs twice.
    is_vault = {role.name for role in spec.roles} == {VAULT_ROLE}
    bears_data = not is_vault and any(volume.bears_data for volume in spec.volumes.values())
    common = {"server": name, "region": fleet.region, "bears_data": bears_data}
    if not plans:
        yield {**common, "plan": None}
    for plan, promise in plans.items():
        alone = len(plans) == 1
        yield {**common, **_promise(fleet, plan, promise, seen), **_seen(plan, name, made, seen, alone=alone)}


def _promise(fleet: Fleet, plan: str, spec: BackupPlan, seen: Seen) -> dict[str, Any]:
    vault = seen.vaults.get(spec.repository, Vault())
    return {
        "plan": plan,
        "schedule": f"{spec.schedule} {spec.timezone}",
        "longest_gap_seconds": int(spec.longest_gap.total_seconds()),
        "rpo_seconds": int(spec.rpo.total_seconds()),
        "rto_seconds": int(spec.rto.total_seconds()),
        "keep": spec.keep.model_dump(),
        "repository": {
            "name": spec.repository,
            "stack": fleet.repositories[spec.repository].stack or fleet.stack,
            "region": _known(vault.region, "nobody asked where the vault is"),
            "append_only": _known(vault.append_only, "nobody looked whether the store is append-only"),
            "encrypted": True,  # a repository of restic has no other form
            "immutable_until": _time(vault.immutable_until),
        },
    }


def _seen(plan: str, name: str, made: ServerOutput | None, seen: Seen, *, alone: bool) -> dict[str, Any]:
    if made is None:
        why = _unknown("the server was not made yet")
        return dict.fromkeys(("vault", "host", "check", "prune", "drill", "escrow", "credentials"), why)
    repository = made.incarnation
    return {
        "vault": _vault(plan, name, repository, seen, alone=alone),
        "host": _host(plan, name, repository, seen),
        "check": _checked(seen.checks, repository, "no record of checks was given"),
        "prune": _checked(seen.prunes, repository, "no record of clean-ups was given"),
        "drill": _drill(plan, name, repository, seen),
        "escrow": _when(seen.escrow, repository, "proven_at", "no record of the escrow was given"),
        "credentials": _when(seen.credentials, repository, "rotated_at", "no credentials were given"),
    }


def _vault(plan: str, name: str, repository: str, seen: Seen, *, alone: bool) -> dict[str, Any]:
    """By receipts alone; with several plans only the snapshot that the host names can be told apart."""
    if seen.receipts is None:
        return _unknown("the vault was not asked")
    ever = _first_arrivals([*seen.arrivals, *seen.receipts], repository)
    here = {each.snapshot for each in seen.receipts if each.repository == repository}
    kept = sorted(moment for snapshot, moment in ever.items() if snapshot in here)
    newest = kept[-1] if kept else None
    named: Any = _time(newest)
    if not alone and kept:
        status = _plan_status(seen.statuses.get(name) if seen.statuses else None, plan)
        good = status.last_good if status else None
        named = _time(ever[good.snapshot]) if good and good.snapshot in here else _unknown(_SHARED)
    if (lost := seen.unrestored.get((plan, name))) is not None:
        named = _unknown(told(lost))
    count = {"count_7_days": _WEEK, "count_30_days": _MONTH}
    return {
        "newest_arrived_at": named,
        "oldest_arrived_at": _time(kept[0] if kept else None),
        "first_seen_at": _time(min(ever.values(), default=None)),
        **{key: sum(seen.now - moment <= span for moment in ever.values()) for key, span in count.items()},
        "longest_gap_seconds": _longest_gap(sorted(ever.values()), seen.now) if alone else _unknown(_SHARED),
    }


def _first_arrivals(receipts: Sequence[Receipt], repository: str) -> dict[str, datetime]:
    """When each snapshot arrived, by snapshot; of two claims about one the earlier holds."""
    first: dict[str, datetime] = {}
    for each in receipts:
        if each.repository == repository:
            first[each.snapshot] = min(first.get(each.snapshot, each.arrived_at), each.arrived_at)
    return first


def _longest_gap(moments: Sequence[datetime], now: datetime) -> float | None:
    """The longest wait that lasted into the last 30 days, the one for the next included; None before all."""
    if not moments:
        return None
    begin = now - _MONTH
    waits = [
        later - earlier for earlier, later in pairwise([*moments, max(now, moments[-1])]) if later >= begin
    ]
    return max(waits, default=timedelta(0)).total_seconds()


def _host(plan: str, name: str, repository: str, seen: Seen) -> dict[str, Any]:
    status = seen.statuses.get(name) if seen.statuses is not None else None
    if status is None:
        return _unknown("the host was not asked" if seen.statuses is None else "the host did not answer")
    found = _plan_status(status, plan)
    last, good = (found.last, found.last_good) if found else (None, None)
    arrived: Any = None
    if good:
        told = {(each.repository, each.snapshot) for each in seen.receipts or ()}
        arrived = (repository, good.snapshot or "") in told
        arrived = _unknown("the vault was not asked") if seen.receipts is None else arrived
    sizes = seen.sizes.get((plan, name), ())
    return {
        "last_run_at": _time(last.finished_at if last else None),
        "last_ok": last.ok if last else None,
        "snapshot_arrived": arrived,
        "bytes": good.bytes if good else 0,
        "usual_bytes": median_low(sizes) if sizes else None,
    }


def _plan_status(status: BackupStatus | None, plan: str) -> PlanStatus | None:
    return next((each for each in status.plans if each.plan == plan), None) if status else None


def _drill(plan: str, name: str, repository: str, seen: Seen) -> dict[str, Any] | None:
    """The last restore out of this very repository: one of a predecessor's proves nothing of it."""
    if seen.drills is None:
        return _unknown("no record of restores was given")
    here = {
        each.snapshot for each in (*seen.arrivals, *(seen.receipts or ())) if each.repository == repository
    }
    own = [
        each
        for each in seen.drills
        if (each.restore.plan, each.restore.server) == (plan, name)
        and (each.restore.repository == repository or (not each.restore.repository and _known_in(each, here)))
    ]
    if not own:
        return None
    last = max(own, key=lambda drill: drill.at)
    done = last.restore
    return {
        "at": last.at.isoformat(),
        "ok": done.ok,
        "measured_seconds": done.seconds,
        "restored": f"{done.files} files, {done.tables} tables",
        "compared": done.files + done.tables,
        "different": done.differences,
    }


def _known_in(drill: Drill, snapshots: Collection[str]) -> bool:
    """Reports of before name no repository; a drill that came to no snapshot is nobody else's."""
    return not drill.restore.snapshot or drill.restore.snapshot in snapshots


def _checked(found: Mapping[str, Checked] | None, repository: str, why: str) -> dict[str, Any] | None:
    if found is None:
        return _unknown(why)
    checked = found.get(repository)
    return {"at": checked.at.isoformat(), "ok": checked.ok} if checked else None


def _when(found: Mapping[str, datetime] | None, repository: str, key: str, why: str) -> dict[str, Any] | None:
    if found is None:
        return _unknown(why)
    moment = found.get(repository)
    return {key: moment.isoformat()} if moment else None


def _known(value: object, why: str) -> object:
    return _unknown(why) if value is None else value


def _unknown(why: str) -> dict[str, Any]:
    return {"unknown": why}


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
