"""A fleet of a thousand servers, from its file to the inventory that Ansible reads.

    .venv/bin/python -P -m tests.benchmarks.inventory

One process does all of it once: reading, judging, outputs, building, rendering. Its own peak of memory counts, the
imports with it. Ten groups of a hundred, each open to two other groups, so that every server has 200 addresses to let in.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

MOST_SECONDS = 2.0
MOST_MIB = 300
GROUPS, EACH = 10, 100

HEAD = """\
version: 1
client: acme
environment: large
owner: ops@acme.example
provider: local
region: local-1
profile: standard
networks: {app: {cidr: 10.64.0.0/16}}
services:
  shop: {purpose: p, owner: ops@acme.example, availability: {target_percent: 99.5}, servers: [g0]}
repositories: {vault: {stack: acme-vault}}
backups:
  site: {paths: [/var/www], repository: vault, schedule: "30 1 * * *", keep: {daily: 7}, rpo: 26h, rto: 30m}
servers:
"""


def fleet_text() -> str:
    """The file, as a person would write it."""
    rows = []
    for number in range(GROUPS):
        sources = ", ".join(f"{{from: g{(number - near) % GROUPS}, port: {9100 + near}}}" for near in (1, 2))
        rows.append(
            f"  g{number}: {{count: {EACH}, size: small, network: app, roles: [{{nginx: {{site: debian-faq}}}}], "
            f"ingress: [{{from: anywhere, port: 80}}, {sources}], backup: [site]}}"
        )
    return HEAD + "\n".join(rows) + "\n"


def outputs_of(names: list[tuple[str, str]]) -> dict[str, Any]:
    """What Pulumi would export; numbers as floats, as it has them."""
    servers = [
        {"name": name, "group": group, "network": "app", "incarnation": f"{place:032x}",
         "address": f"10.64.{place // 200 + 1}.{place % 200 + 1}", "ssh_host": "127.0.0.1",
         "ssh_port": 20_000.0 + place, "ssh_user": "steward", "host_key": "ssh-ed25519 " + "A" * 68, "published": {}}
        for place, (group, name) in enumerate(names)
    ]  # fmt: skip
    network = {"name": "app", "cidr": "10.64.0.0/16", "network_id": "n", "gateway": "10.64.0.1"}
    return {
        "version": 1.0, "client": "acme", "client_id": "c" * 32, "environment": "large", "stack": "acme-large",
        "stack_id": "5" * 32, "networks": [network], "servers": servers, "repositories": [],
        "plans": [{"name": "site", "id": "a" * 32}],
    }  # fmt: skip


def main() -> int:
    """Print what each part took; exit code 1 when it is too much."""
    began = time.perf_counter()
    from orchestrator.app_fleet import read_fleet
    from orchestrator.inventory.build import Binaries, RepositoryAccess, build_inventory
    from orchestrator.inventory.render import render_hosts, render_secrets
    from orchestrator.settings import load_settings
    from stacks.outputs import read_outputs

    took = {"imports": time.perf_counter() - began}

    def part(name: str, since: float) -> float:
        now = time.perf_counter()
        took[name] = now - since
        return now

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.yaml"
        path.write_text(fleet_text())
        at = time.perf_counter()
        fleet = read_fleet(load_settings(), path).fleet
        at = part("load", at)
    raw = outputs_of(list(fleet.server_names()))
    pem = "-----BEGIN CERTIFICATE-----\n" + ("M" * 64 + "\n") * 12
    access = {
        each["name"]: RepositoryAccess("https://10.42.0.2:8443/r/", each["name"], pem, "h", "s")
        for each in raw["servers"]
    }
    at = time.perf_counter()
    outputs = read_outputs("acme-large", raw)
    at = part("outputs", at)
    inventory = build_inventory(fleet, outputs, "RUN", Binaries(Path("/r"), Path("/s")), access)
    at = part("build", at)
    hosts, secrets = render_hosts(inventory), render_secrets(inventory)
    part("render", at)
    total, peak = sum(took.values()), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert len(inventory.hosts) == GROUPS * EACH and hosts.count("ansible_host") == len(inventory.hosts)
    print("  ".join(f"{name} {seconds:.2f} s" for name, seconds in took.items()))
    print(f"{len(inventory.hosts)} servers: {total:.2f} s (<= {MOST_SECONDS}), peak {peak:.0f} MiB (<= {MOST_MIB}), "
          f"hosts {len(hosts) / 2**20:.1f} MiB, secrets {len(secrets) / 2**20:.1f} MiB")  # fmt: skip
    return int(total > MOST_SECONDS or peak > MOST_MIB)


if __name__ == "__main__":
    sys.exit(main())
