"""What fleet file and outputs say of each server before secrets, certificates and code are had. Pure.

Enough to say, without asking a host or a vault, whether a converge is given something else than the last.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from stacks.fleet.model import Fleet
from stacks.outputs import FleetOutputs

_CONFIGURED = {"roles", "ingress", "volumes", "backup"}
"""The fields of a group that playbooks see; a tag or a count of others is none of theirs."""


def declared(fleet: Fleet, outputs: FleetOutputs) -> Mapping[str, str]:
    """Canonical JSON by server name; a secret is in it as the place where it is kept, never as what it is."""
    addresses = {server.name: server.address for server in outputs.servers}
    shared = {"client": fleet.client, "environment": fleet.environment, "addresses": addresses}
    found = {}
    for group, name in fleet.server_names():
        spec = fleet.servers[group]
        parts = {
            **shared,
            "group": group,
            "memory": spec.capacity.memory_gib,
            "spec": spec.model_dump(mode="json", include=_CONFIGURED),
            "plans": {plan: it.model_dump(mode="json") for plan, it in fleet.plans_of(group).items()},
        }
        found[name] = json.dumps(parts, sort_keys=True, default=str)
    return found
