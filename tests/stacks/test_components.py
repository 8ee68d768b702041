"""Decisions of single components, without an engine."""

from __future__ import annotations

from typing import Any

import pytest

from stacks.components.backup_plan import covered_volumes
from stacks.components.firewall import allowed_flow
from stacks.components.server import published_ports
from stacks.fleet.backup import BackupPlan
from stacks.fleet.loader import parse
from stacks.fleet.network import Ingress
from stacks.fleet.server import Server
from stacks.providers.base import PublishedPort


def ingress(**keys: Any) -> Ingress:
    return Ingress.model_validate({"port": 80, **keys})


@pytest.mark.parametrize(
    ("source", "name", "addresses"),
    [("anywhere", "anywhere-80-tcp", ["0.0.0.0/0"]), ("10.9.0.0/16", "10_9_0_0_16-80-tcp", ["10.9.0.0/16"])],
)
def test_a_source_becomes_addresses(source: str, name: str, addresses: list[str]) -> None:
    flow = allowed_flow(ingress(**{"from": source}), {})
    assert (flow.name, flow.source, flow.addresses) == (name, source, addresses)


def test_only_tcp_that_is_open_to_anywhere_is_published() -> None:
    rules = [
        {"from": "anywhere", "port": 80, "publish": 8080},
        {"from": "anywhere", "port": 53},
        {"from": "anywhere", "port": 53, "protocol": "udp"},
        {"from": "10.0.0.0/8", "port": 22},
    ]
    server = Server.model_validate({"size": "small", "network": "app", "ingress": rules})
    assert published_ports(server) == [PublishedPort(80, 8080), PublishedPort(53)]


@pytest.mark.parametrize(
    ("saved", "mount", "covered"),
    [
        ({"paths": ["/srv"]}, "/srv/data", True),
        ({"paths": ["/srv/data"]}, "/srv/data", True),
        ({"paths": ["/srv/data/deeper"]}, "/srv/data", False),
        ({"paths": ["/srv/dat"]}, "/srv/data", False),
        ({"postgresql": ["shop"]}, "/var/lib/postgresql/15", True),
        ({"postgresql": ["shop"]}, "/srv/data", False),
    ],
)
def test_a_plan_covers_a_volume_below_its_paths(saved: dict[str, Any], mount: str, covered: bool) -> None:
    rest = {"repository": "v", "schedule": "0 1 * * *", "keep": {"daily": 1}, "rpo": "1d", "rto": "1h"}
    assert BackupPlan.model_validate({**saved, **rest}).covers(mount) is covered


def test_each_server_of_a_group_has_its_volumes_covered() -> None:
    text = """
version: 1
client: acme
environment: demo
owner: a@b.example
provider: local
region: local-1
profile: demo
networks: {app: {cidr: 10.41.0.0/24}}
servers:
  web: {count: 2, size: small, network: app, backup: [all], volumes: {data: {size_gib: 1, mount: /srv}}}
repositories: {vault: {stack: acme-vault}}
backups:
  all: {paths: [/srv], repository: vault, schedule: 0 1 * * *, keep: {daily: 1}, rpo: 1d, rto: 1h}
"""
    fleet = parse(text.encode(), "small.yaml")
    assert covered_volumes("all", fleet.backups["all"], fleet) == [
        {"server": "web-1", "volume": "data"},
        {"server": "web-2", "volume": "data"},
    ]
