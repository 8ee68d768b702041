"""True source addresses between fleets: Podman would hide every host behind its network's gateway.

netavark masquerades whatever leaves a bridge, so a vault would see all hosts of a fleet as one address and
no rule could tell them apart. Worse, a container of any other network would come in as the gateway, which is
the control machine, whom every server lets in. The kernel asks NAT chains in order of priority and keeps the
first answer. A table of our own comes a little earlier and translates each address to itself, whatever it
writes. Only what comes from the loopback, to a published port, needs another source to find its way back.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING

from stacks.providers.local import units
from stacks.providers.local.podman import Podman, execute

if TYPE_CHECKING:
    from stacks.providers.local.machine import Machine

TABLE = "steward_nat"
_TEMPLATE = """\
table ip steward_nat {{}}
delete table ip steward_nat
table ip steward_nat {{
  set fleets {{
    type ipv4_addr; flags interval; elements = {{ {networks} }}
  }}
  chain postrouting {{
    type nat hook postrouting priority srcnat - 10; policy accept;
    ip daddr @fleets ip saddr != 127.0.0.0/8 snat ip prefix to ip saddr map {{ 0.0.0.0/0 : 0.0.0.0/0 }}
  }}
}}
"""
_LOCK = Path("/run/steward-local.lock")
"""Root's alone, as the table is: nobody else may make it first, or hold it."""
_GONE = "table ip steward_nat {}\ndelete table ip steward_nat\n"


def render(networks: Iterable[IPv4Network]) -> str:
    """The nft transaction that keeps sources true on the way to these networks; none removes the table."""
    named = [str(network) for network in sorted(networks)]
    if not named:
        return _GONE
    return _TEMPLATE.format(networks=", ".join(named))


def keep(machine: Machine, urn: str) -> None:
    """Make the table fit the Steward networks that exist now; says so when this user may not.

    A table loaded from a look that was begun after this call is as good as an own one: fifty networks made at
    once load a few tables, not fifty.
    """
    (kept,) = machine.sources.now()
    if not kept:
        machine.note(
            "local: source addresses between networks are not kept on this machine (nft needs root): "
            "a host on another network is seen as that network's gateway.",
            urn,
        )


def extend(machine: Machine, urn: str, network: IPv4Network) -> None:
    """Add a network that was just made, without a look at the others; load it all where nothing is loaded."""
    if os.geteuid() == 0:
        element = f"add element ip {TABLE} fleets {{ {network} }}\n"
        with _one_at_a_time():
            if execute(("nft", "-f", "-"), stdin=element.encode(), timeout=20.0).code == 0:
                if units.active():
                    units.store_sources(render(loaded()))
                return
    keep(machine, urn)


def loaded() -> list[IPv4Network]:
    """The networks that the loaded table names; none where there is no table."""
    listed = execute(("nft", "-j", "list", "set", "ip", TABLE, "fleets"), timeout=20.0)
    if listed.code != 0:
        return []
    sets = [item["set"] for item in json.loads(listed.stdout)["nftables"] if "set" in item]
    elements = [element for each in sets for element in each.get("elem", [])]
    return [IPv4Network((each["prefix"]["addr"], each["prefix"]["len"])) for each in elements]


def load(podman: Podman) -> tuple[bool]:
    """Look at all networks and load their table; whether it could be loaded, which takes root."""
    if os.geteuid() != 0:
        return (False,)
    with _one_at_a_time():
        networks = [
            subnet
            for record in podman.networks()
            if record.labels.get("steward.kind") == "network"
            for subnet in record.subnets
        ]
        text = render(networks)
        ended = execute(("nft", "-f", "-"), stdin=text.encode(), timeout=20.0)
        if units.active():
            units.store_sources(text if networks else "")
    return (ended.code == 0,)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Across processes: two fleets that list and load at once would each forget the other's network."""
    descriptor = os.open(_LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
