"""Fleet: the root component; every other resource is under it."""

from __future__ import annotations

import pulumi

from stacks.fleet.model import Fleet as FleetSpec
from stacks.fleet.service import Service
from stacks.providers.base import Tags


class Fleet(pulumi.ComponentResource):
    """Registers who the fleet belongs to and what its services promise, so that rules have a subject."""

    def __init__(self, spec: FleetSpec, *, tags: Tags, opts: pulumi.ResourceOptions | None = None) -> None:
        budget = spec.budget.model_dump(mode="json") if spec.budget else None
        inputs: dict[str, object] = {
            "client": spec.client,
            "environment": spec.environment,
            "owner": spec.owner,
            "region": spec.region,
            "profile": spec.profile,
            "services": [service_facts(name, service) for name, service in spec.services.items()],
            "budget": budget,
            "tags": tags,
        }
        super().__init__("steward:index:Fleet", spec.stack, inputs, opts)


def service_facts(name: str, service: Service) -> dict[str, object]:
    """A service as rules see it."""
    availability = service.availability
    return {
        "name": name,
        "owner": service.owner,
        "availabilityTargetPercent": availability.target_percent if availability else None,
        "servers": list(service.servers),
    }
