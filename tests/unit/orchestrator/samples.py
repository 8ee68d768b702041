"""A small fleet with its outputs, as the pieces of the orchestrator get them."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from stacks.fleet.loader import LoadedFleet, parse
from stacks.fleet.model import Fleet
from stacks.outputs import FleetOutputs, NetworkOutput, PlanOutput, RepositoryOutput, ServerOutput

HEAD = """
version: 1
client: acme
environment: demo
owner: platform@acme.example
provider: local
region: local-1
profile: demo
networks: {app: {cidr: 10.41.0.0/24}}
"""
"""What every fleet begins with, so that a test shows only what it is about."""
FLEET = (
    HEAD
    + """\
services:
  shop: {purpose: Customers order here, owner: shop@acme.example, servers: [web, db]}
servers:
  web:
    count: 2
    size: small
    network: app
    roles: [{nginx: {site: debian-reference, port: 8080}}]
    ingress: [{from: anywhere, port: 8080}]
    backup: [site]
  db:
    size: medium
    network: app
    volumes: {data: {size_gib: 10, mount: /var/lib/postgresql}}
    roles: [{postgresql: {databases: [shop], port: 5433}}]
    ingress: [{from: web, port: 5433}, {from: 10.9.0.0/16, port: 5433}, {from: web, port: 9100}]
    backup: [databases]
repositories: {vault: {stack: acme-vault}}
backups:
  site:
    {paths: [/var/www], repository: vault, schedule: "30 2 * * *", keep: {daily: 7}, rpo: 26h, rto: 30m}
  databases:
    {postgresql: [shop], repository: vault, schedule: "0 * * * *", keep: {hourly: 24}, rpo: 2h, rto: 1h}
"""
)
PLAN_IDS = {"site": "a1" * 16, "databases": "a2" * 16}
HELD: dict[str, dict[str, Any]] = {
    "site": {"paths": ["/var/www"], "databases": []},
    "databases": {"paths": [], "databases": ["shop"]},
}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKey"
SNAPSHOT = "5a" * 32


def fleet(text: str = FLEET) -> Fleet:
    """The fleet of a text."""
    return parse(text.encode(), "demo.yaml")


def loaded(text: str = FLEET, path: Path = Path("/fleets/demo.yaml")) -> LoadedFleet:
    """The fleet as a verb gets it."""
    return LoadedFleet(fleet(text), path, "ab" * 32)


def server(name: str = "web-1", address: str = "10.41.0.11", **changed: Any) -> ServerOutput:
    """One server; its incarnation follows from its name."""
    values = {
        "name": name,
        "group": name.rsplit("-", 1)[0],
        "network": "app",
        "incarnation": name.encode().hex().ljust(32, "0"),
        "address": address,
        "ssh_host": "127.0.0.1",
        "ssh_port": 40022,
        "ssh_user": "steward",
        "host_key": KEY,
        "published": {},
    }
    return ServerOutput.model_validate({**values, **changed})


def outputs(*servers: ServerOutput) -> FleetOutputs:
    """What exists after the fleet was provisioned."""
    usual = (server("web-1", "10.41.0.11"), server("web-2", "10.41.0.12"), server("db-1", "10.41.0.21"))
    return FleetOutputs(
        client="acme",
        client_id="c1" * 16,
        environment="demo",
        stack="acme-demo",
        stack_id="51" * 16,
        networks=[NetworkOutput(name="app", cidr="10.41.0.0/24", network_id="n", gateway="10.41.0.1")],
        servers=servers or usual,
        repositories=[RepositoryOutput(name="vault", server="vault-1", address="10.42.0.2")],
        plans=[PlanOutput(name=name, id=plan_id) for name, plan_id in PLAN_IDS.items()],
    )


def backup_run(
    plan: str, ended: datetime, *, snapshot: str | None = SNAPSHOT, **changed: Any
) -> dict[str, Any]:
    """The document of one backup on a host."""
    return {
        "schema": "steward.backup-run/1",
        "plan": plan,
        "plan_id": PLAN_IDS[plan],
        **HELD[plan],
        "run": None,
        "started_at": ended.isoformat(),
        "finished_at": ended.isoformat(),
        "snapshot": snapshot,
        "bytes": 1234,
        "ok": True,
        "error": None,
        **changed,
    }


def backup_status(*plans: tuple[str, dict[str, Any] | None, dict[str, Any] | None]) -> str:
    """What a host says of its plans: (plan, last, last good)."""
    rows = [
        {
            "plan": plan,
            "plan_id": PLAN_IDS[plan],
            "timer": {"enabled": True, "next_at": None, "last_at": None},
            "last": last,
            "last_good": good,
        }
        for plan, last, good in plans
    ]
    return json.dumps({"schema": "steward.backup-status/1", "plans": rows})
