"""AWS Backup in the words of our backup plans: RPO, longest gap, what is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from policies.facts import Unknown
from policies.subjects.aws_words import ELSEWHERE, Inputs, or_else, records, tag, when_known, within

_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR
_WEEK: Final = 7 * _DAY
_FIELDS: Final = 6
_FOR_EVER: Final = 10_000
_NO_RPO: Final = Unknown("AWS Backup promises none; say it in the plan's tag rpoSeconds")


def plan(inputs: Inputs) -> dict[str, object]:
    """A plan, judged by the rule that saves most often."""
    rules = records(inputs, "rules")
    gaps = [_gap(within(rule, "schedule")) for rule in rules]
    known = [gap for gap in gaps if isinstance(gap, int)]
    gap = next((gap for gap in gaps if isinstance(gap, Unknown)), None) or min(known, default=_DAY)
    rule = rules[gaps.index(gap)] if gap in gaps else {}
    vault_name = within(rule, "targetVaultName")
    return {
        "repository": {"name": vault_name, "stack": ELSEWHERE},
        "schedule": within(rule, "schedule"),
        "longestGapSeconds": gap,
        "rpoSeconds": when_known(tag(inputs, "rpoSeconds"), _seconds),
        "keep": _keep(gap, within(rule, "lifecycle", "deleteAfter")),
        "covers": [],
    }


def selection(inputs: Inputs) -> dict[str, object]:
    """What a plan saves: resources by id, or all that carry a tag."""
    rows = records(inputs, "selectionTags")
    return {
        "planId": inputs.get("planId"),
        "everything": "*" in records(inputs, "resources"),
        "selectionTags": [
            row if isinstance(row, Unknown) else {"key": within(row, "key"), "value": within(row, "value")}
            for row in rows
        ],
    }


def vault(inputs: Inputs) -> dict[str, object]:
    """Where recovery points lie."""
    return {
        "vaultName": inputs.get("name"),
        "dataBearing": True,
        "encrypted": True,  # always, by the account's key where none is named
        "lockedDays": ELSEWHERE,
        "forceDestroy": or_else(inputs.get("forceDestroy"), default=False),
    }


def vault_lock(inputs: Inputs) -> dict[str, object]:
    """For how many days a vault lets nobody remove a recovery point."""
    return {
        "vaultName": inputs.get("backupVaultName"),
        "lockedDays": or_else(inputs.get("minRetentionDays"), 0),
    }


def _seconds(told: Any) -> object:
    return int(told) if isinstance(told, str) and told.isdecimal() and len(told) < 10 else _NO_RPO


def _gap(schedule: Any) -> object:
    """The longest time between two runs of a schedule of the plain kinds: hourly, daily, weekly."""
    if isinstance(schedule, Unknown):
        return schedule
    text = str(schedule)
    fields = text.removeprefix("cron(").removesuffix(")").split()
    gap = _gap_of(fields) if len(fields) == _FIELDS and text.startswith("cron(") else None
    return gap or Unknown(f"the schedule {text} is of no plain kind")


def _gap_of(fields: Sequence[str]) -> int | None:
    _minute, hour, day, month, weekday, _year = fields
    if day not in ("*", "?") or month != "*":
        return None
    if weekday not in ("*", "?"):
        return _WEEK if weekday.isalnum() and hour.isdecimal() else None
    if hour == "*":
        return _HOUR
    every = hour.rpartition("/")[2] if "/" in hour else ""
    if every.isdecimal() and int(every):
        return int(every) * _HOUR
    return _DAY if hour.isdecimal() else None


def _keep(gap: object, days: Any) -> object:
    """Snapshots of each period that a lifetime in days leaves; without one everything is kept."""
    if isinstance(gap, Unknown) or isinstance(days, Unknown):
        return gap if isinstance(gap, Unknown) else days
    if days is not None and not isinstance(days, int):
        return Unknown("the lifetime of recovery points is no whole number of days")
    kept = _FOR_EVER if days is None else days
    daily = kept if isinstance(gap, int) and gap <= _DAY else 0
    return {"daily": daily, "weekly": kept // 7, "monthly": kept // 30}
