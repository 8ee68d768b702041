"""BackupPlan: what a plan promises, as a subject for policies, and the plan's own id."""

from __future__ import annotations

import pulumi

from stacks.fleet.backup import BackupPlan as PlanSpec
from stacks.fleet.model import Fleet as FleetSpec
from stacks.providers.base import Provider, Tags


class BackupPlan(pulumi.ComponentResource):
    """Registers a plan's facts; its id is made once and travels into receipts and reports."""

    identity: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        fleet: FleetSpec,
        *,
        provider: Provider,
        tags: Tags,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        own_tags = {**tags, "plan": name}
        super().__init__("steward:index:BackupPlan", name, plan_inputs(name, fleet, own_tags), opts)
        inside = pulumi.ResourceOptions(parent=self)
        made = provider.identity(f"backup-plan-{name}", kind="backup-plan", tags=own_tags, opts=inside)
        self.identity = made.identity
        self.register_outputs({"id": self.identity})


def plan_inputs(name: str, fleet: FleetSpec, tags: Tags) -> dict[str, pulumi.Input[object]]:
    """The facts of a plan that rules judge: times in seconds, volumes by server."""
    plan = fleet.backups[name]
    repository = fleet.repositories[plan.repository]
    return {
        "name": name,
        "kind": plan.kind,
        "servers": list(fleet.groups_with_plan(name)),
        "paths": list(plan.paths),
        "databases": list(plan.postgresql),
        "repository": {"name": plan.repository, "stack": repository.stack, "server": repository.server},
        "schedule": plan.schedule,
        "timezone": plan.timezone,
        "longestGapSeconds": int(plan.longest_gap.total_seconds()),
        "rpoSeconds": int(plan.rpo.total_seconds()),
        "rtoSeconds": int(plan.rto.total_seconds()),
        "keep": plan.keep.model_dump(),
        "covers": covered_volumes(name, plan, fleet),
        "tags": tags,
    }


def covered_volumes(name: str, plan: PlanSpec, fleet: FleetSpec) -> list[dict[str, str]]:
    """Each volume that the plan saves, as server and volume name."""
    return [
        {"server": server, "volume": volume}
        for group in fleet.groups_with_plan(name)
        for server in fleet.servers[group].names(group)
        for volume, disk in fleet.servers[group].volumes.items()
        if plan.covers(disk.mount)
    ]
