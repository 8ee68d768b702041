"""The program under Pulumi's mocks: what a fleet registers and exports, and what is refused first."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import pytest

from stacks.fleet.loader import load
from stacks.fleet.model import Fleet
from stacks.outputs import FleetOutputs, read_outputs
from stacks.program import StackIdentity, deploy, provider_for, read_fleet, read_identity

ROOT = Path(__file__).parents[2]
FLEETS = ROOT / "stacks/fleets"
IDENTITY = StackIdentity("c" * 32, "5" * 32, "ssh-ed25519 AAAA steward@acme-demo")
REQUIRED_TAGS = {"client", "clientId", "environment", "stack", "stackId", "owner", "region", "profile"}


@dataclass
class Registered:
    """One resource as the engine saw it."""

    type: str
    name: str
    inputs: dict[str, Any]
    protect: bool


@dataclass
class Engine(pulumi.runtime.Mocks):
    """Answers as the local provider would, with values that are told apart."""

    resources: list[Registered] = field(default_factory=list)

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        self.resources.append(Registered(args.typ, args.name, dict(args.inputs), False))
        number = len(self.resources)
        values: dict[str, dict[str, Any]] = {
            "local:index:Identity": {"identity": f"{number:032x}"},
            "local:index:Network": {"networkId": f"net-{args.name}", "gateway": "10.41.0.1"},
            "local:index:Volume": {"volumeId": f"volume-{args.name}"},
            "local:index:Server": {
                "containerId": f"container-{args.name}",
                "incarnation": f"{number:032x}",
                "address": f"10.41.0.{number}",
                "sshHost": "127.0.0.1",
                "sshPort": 40_000.0 + number,
                "sshUser": "steward",
                "hostKey": "ssh-ed25519 AAAA",
                "published": {str(int(port["port"])): 41_000.0 for port in args.inputs.get("publish", ())},
            },
        }
        made = values.get(args.typ, {})
        return f"{args.name}-id", {**args.inputs, **made}

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        raise AssertionError(f"the program calls {args.token}")

    def of(self, kind: str) -> dict[str, Registered]:
        return {each.name: each for each in self.resources if each.type == kind}


def run(fleet: Fleet) -> tuple[Engine, FleetOutputs]:
    """Deploy a fleet under mocks; the resources, and the outputs as another program would read them."""
    asyncio.set_event_loop(asyncio.new_event_loop())
    engine = Engine()
    pulumi.runtime.set_mocks(engine, project="steward", stack=fleet.stack, preview=False)
    exported: list[Any] = []

    def program() -> None:
        outputs = pulumi.Output.from_input(deploy(fleet, IDENTITY, provider_for(fleet.provider)))
        outputs.apply(exported.append)

    protected: set[str] = set()
    original = pulumi.CustomResource.__init__

    def remember(self: Any, kind: str, name: str, *rest: Any, **named: Any) -> None:
        options = named.get("opts") or next(
            (each for each in rest if isinstance(each, pulumi.ResourceOptions)), None
        )
        if options is not None and options.protect:
            protected.add(f"{kind} {name}")
        original(self, kind, name, *rest, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pulumi.CustomResource, "__init__", remember)
        pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]
    for resource in engine.resources:
        resource.protect = f"{resource.type} {resource.name}" in protected
    return engine, read_outputs(fleet.stack, exported[0])


@pytest.fixture(scope="module")
def demo() -> tuple[Engine, FleetOutputs]:
    return run(load(FLEETS / "demo.yaml").fleet)


@pytest.fixture(scope="module")
def vault() -> tuple[Engine, FleetOutputs]:
    return run(load(FLEETS / "vault.yaml").fleet)


def test_the_demo_registers_what_its_file_says(demo: tuple[Engine, FleetOutputs]) -> None:
    engine, _ = demo
    vendor = sorted(
        f"{each.type.split(':')[-1]} {each.name}"
        for each in engine.resources
        if each.type.startswith("local:")
    )
    assert vendor == [
        "Firewall db-1", "Firewall web-1", "Firewall web-2",
        "Identity backup-plan-databases", "Identity backup-plan-site",
        "Network app", "Server db-1", "Server web-1", "Server web-2", "Volume db-1-data",
    ]  # fmt: skip
    components = {each.type for each in engine.resources if each.type.startswith("steward:")}
    assert components == {
        f"steward:index:{name}" for name in ("Fleet", "Network", "Server", "Volume", "Firewall", "BackupPlan")
    }


def test_every_resource_carries_the_tags(
    demo: tuple[Engine, FleetOutputs], vault: tuple[Engine, FleetOutputs]
) -> None:
    for engine, _ in (demo, vault):
        for each in engine.resources:
            if each.type.startswith(("local:", "steward:")):
                assert each.inputs["tags"].keys() >= REQUIRED_TAGS, each.name
    tags = demo[0].of("local:index:Server")["web-2"].inputs["tags"]
    assert tags["server"] == "web-2"
    assert tags["costCentre"] == "web"


def test_a_volume_that_bears_data_is_protected_and_nothing_else(demo: tuple[Engine, FleetOutputs]) -> None:
    assert [each.name for each in demo[0].resources if each.protect] == ["db-1-data"]


def test_a_server_is_asked_for_as_the_file_says(demo: tuple[Engine, FleetOutputs]) -> None:
    servers = demo[0].of("local:index:Server")
    web, db = servers["web-1"].inputs, servers["db-1"].inputs
    assert (web["cpus"], web["memoryGib"], web["roles"], web["publish"]) == (1, 1, ["nginx"], [{"port": 80}])
    assert (db["cpus"], db["memoryGib"], db["roles"], db.get("publish", [])) == (2, 2, ["postgresql"], [])
    assert db["volumes"] == [
        {"name": "data", "volumeId": "volume-db-1-data", "mount": "/var/lib/postgresql", "dataBearing": True}
    ]
    assert web["authorizedKeys"] == [IDENTITY.admin_key]
    assert web["networkId"] == "net-app"


def test_names_of_servers_become_addresses_in_firewalls(demo: tuple[Engine, FleetOutputs]) -> None:
    engine, outputs = demo
    firewalls = engine.of("local:index:Firewall")
    (web,) = firewalls["web-1"].inputs["rules"]
    (db,) = firewalls["db-1"].inputs["rules"]
    assert web["addresses"] == ["0.0.0.0/0"]
    assert (db["source"], db["port"], db["protocol"]) == ("web", 5432, "tcp")
    assert db["addresses"] == [f"{outputs.server(name).address}/32" for name in ("web-1", "web-2")]
    assert firewalls["db-1"].inputs["incarnation"] == outputs.server("db-1").incarnation


def test_rules_about_backups_have_a_subject(demo: tuple[Engine, FleetOutputs]) -> None:
    plans = demo[0].of("steward:index:BackupPlan")
    site, databases = plans["site"].inputs, plans["databases"].inputs
    assert (site["kind"], site["paths"], site["servers"]) == ("paths", ["/var/www"], ["web"])
    assert (site["rpoSeconds"], site["rtoSeconds"], site["longestGapSeconds"]) == (93_600, 1800, 90_000)
    assert databases["covers"] == [{"server": "db-1", "volume": "data"}]
    assert databases["repository"]["name"] == "vault"
    assert databases["repository"]["stack"] == "acme-vault"
    assert databases["keep"] == {"hourly": 24, "daily": 7, "weekly": 0, "monthly": 12, "yearly": 0}


def test_rules_about_services_have_a_subject(demo: tuple[Engine, FleetOutputs]) -> None:
    (fleet,) = demo[0].of("steward:index:Fleet").values()
    (service,) = fleet.inputs["services"]
    assert service == {
        "name": "shop", "owner": "shop-team@acme.example", "availabilityTargetPercent": 99.5,
        "servers": ["web", "db"],
    }  # fmt: skip
    assert fleet.inputs["budget"]["amount"] == "250"


def test_the_outputs_name_everything(
    demo: tuple[Engine, FleetOutputs], vault: tuple[Engine, FleetOutputs]
) -> None:
    outputs = demo[1]
    assert [server.name for server in outputs.servers] == ["web-1", "web-2", "db-1"]
    assert outputs.server("web-1").published == {"80": 41_000}
    assert [plan.name for plan in outputs.plans] == ["site", "databases"]
    assert (outputs.client_id, outputs.stack_id) == (IDENTITY.client_id, IDENTITY.stack_id)
    assert len({server.incarnation for server in outputs.servers}) == 3
    (repository,) = vault[1].repositories
    assert (repository.name, repository.server) == ("vault", "vault-1")
    assert repository.address == vault[1].server("vault-1").address


class Config(pulumi.Config):
    """A stack's configuration with these values."""

    def __init__(self, **values: str) -> None:
        self._values = values

    def get(self, key: str, default: Any = None) -> Any:
        return self._values.get(key, default)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: read_fleet(ROOT, "acme-demo", Config()),
         'acme-demo: steward:fleet: the stack has no fleet file. Run: eval "$(steward env --fleet FILE)"'),
        (lambda: read_fleet(ROOT, "acme-prod", Config(fleet="stacks/fleets/demo.yaml")),
         "stacks/fleets/demo.yaml describes the stack 'acme-demo', not 'acme-prod'. Select it with: eval"),
        (lambda: read_fleet(ROOT, "acme-demo", Config(fleet="none.yaml")), "cannot be read: No such file"),
        (lambda: read_identity("acme-demo", Config(clientId="c")), "acme-demo: steward:stackId: not set"),
        (lambda: read_identity("acme-demo", Config()), "acme-demo: steward:clientId: not set, so this stack"),
        (lambda: provider_for("aws"), "provider 'aws' is not built; known: local"),
    ],
)  # fmt: skip
def test_a_stack_that_is_not_this_fleets_is_refused(call: Callable[[], object], text: str) -> None:
    with pytest.raises(pulumi.RunError, match=re.escape(text)):
        call()


def test_a_stack_with_its_fleet_and_identity_is_read() -> None:
    config = Config(fleet="stacks/fleets/demo.yaml", clientId="c", stackId="s", adminKey="k")
    assert read_fleet(ROOT, "acme-demo", config).stack == "acme-demo"
    assert read_identity("acme-demo", config) == StackIdentity("c", "s", "k")
