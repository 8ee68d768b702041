"""effects: what the changes of a plan do to others: services that pause, data that goes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestrator.reporting.model import Change
from orchestrator.reporting.planning import DataLoss, Interruption
from stacks.fleet.model import Fleet

_BEARS = ("volume", "bucket")
_PAUSES = ("delete", "replace")

NO_SNAPSHOT = "no snapshot of its server is known in the vault"


def with_effects(fleet: Fleet, changes: Sequence[Change]) -> list[Change]:
    """The changes, each with the services it interrupts and the data it loses; ages are not known yet."""
    return [
        change.model_copy(update={"interrupts": _interrupted(fleet, change), "loses": _lost(change)})
        for change in changes
    ]


def with_saved(changes: Sequence[Change], ages: Mapping[str, float], note: str = "") -> list[Change]:
    """The changes with the age in seconds of the newest snapshot of each server whose data would go.

    `note` says why no age is known at all, when the vault could not be asked.
    """
    told = []
    for change in changes:
        if change.loses is not None:
            saved = ages.get(change.server)
            why = "" if saved is not None else note or NO_SNAPSHOT
            loses = change.loses.model_copy(update={"saved_seconds": saved, "note": why})
            change = change.model_copy(update={"loses": loses})  # noqa: PLW2901  # the same change, told better
        told.append(change)
    return told


def losing(changes: Sequence[Change]) -> list[Change]:
    """Those that lose data."""
    return [change for change in changes if change.loses is not None]


def _interrupted(fleet: Fleet, change: Change) -> list[Interruption]:
    """A server that goes or restarts takes its services along; other changes are made while they run."""
    if change.kind != "server" or not (change.restarts or change.op in _PAUSES):
        return []
    groups = {name: group for group, name in fleet.server_names()}
    group = groups.get(change.name, change.name.rsplit("-", 1)[0])
    found = []
    for name, service in fleet.services.items():
        if group in service.servers:
            agreed = service.maintenance
            window = f"{agreed.window} {agreed.timezone}" if agreed else ""
            found.append(Interruption(service=name, window=window))
    return found


def _lost(change: Change) -> DataLoss | None:
    if change.kind not in _BEARS or change.op not in _PAUSES:
        return None
    return DataLoss(subject=change.name)
