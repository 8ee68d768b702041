"""What a provider's adapter tells the contract suite: how to look at the vendor and meddle, past Pulumi."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from typing import Protocol


class Vendor(Protocol):
    """One provider under test; everything else about it is learned through the program."""

    name: str
    """As `provider:` in a fleet file."""
    region: str
    types: Mapping[str, str]
    """Type token of `network`, `volume`, `server` and `firewall`."""
    ranges: Sequence[str]
    """Two /16 that nothing else uses, as their first two numbers."""
    one_address_space: bool
    """Networks of different fleets may not overlap."""

    def exists(self, stack_id: str) -> set[str]:
        """Names of all that carries this stack's id, kept disks too, whoever knows of it."""

    def remove_server(self, identity: str) -> None:
        """As a person does it who does not know Pulumi."""

    def stop_server(self, identity: str) -> None:
        """Switch it off."""


LOCAL_TYPES: Mapping[str, str] = {
    "network": "local:index:Network",
    "volume": "local:index:Volume",
    "server": "local:index:Server",
    "firewall": "local:index:Firewall",
}


class LocalVendor:
    """Podman on this machine."""

    name = "local"
    region = "local-1"
    types = LOCAL_TYPES
    ranges = ("10.64", "10.65")
    one_address_space = True

    def exists(self, stack_id: str) -> set[str]:
        """By label."""
        found: set[str] = set()
        for listing in (["ps", "--all"], ["network", "ls"], ["volume", "ls"], ["image", "ls"]):
            text = _podman(*listing, "--filter", f"label=steward.stack-id={stack_id}", "--format", "json")
            for one in json.loads(text or "[]") or []:
                name = one.get("Names") or one.get("Name") or one.get("name")
                found.add(name[0] if isinstance(name, list) else name)
        return found

    def remove_server(self, identity: str) -> None:
        """`podman rm`."""
        _podman("rm", "--force", "--time", "0", identity)

    def stop_server(self, identity: str) -> None:
        """`podman stop`."""
        _podman("stop", "--time", "5", identity)


def _podman(*words: str) -> str:
    done = subprocess.run(["podman", *words], capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.strip()
