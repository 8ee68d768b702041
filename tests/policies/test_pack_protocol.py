"""The pack as a process, asked by the engine's own protocol: no command line tool, no cloud."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2 as wire

from policies.model import Kind
from policies.pack import all_rules

UNKNOWN_STRING_VALUE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
ROOT = Path(__file__).parents[2]
STACK = "acme-demo"
TAGS = {"client": "acme", "environment": "demo", "owner": "o", "profile": "demo", "stackId": "s"}
Start = Callable[..., Any]


PLAIN = {
    "image": "debian-12",
    "cpus": 1,
    "memoryGib": 1,
    "group": "db",
    "publish": [],
    "authorizedKeys": ["ssh-ed25519 AAAA steward"],
}
"""What each server has."""
NEED_THE_PORT = {
    *("network.ssh-not-public", "network.sources-not-too-wide", "network.databases-not-public"),
    *("network.admin-ports-not-public", "network.clear-text-ports-closed"),
    *("network.port-ranges-narrow", "network.families-alike"),
}


def struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    return json_format.ParseDict(dict(values), struct_pb2.Struct())


def urn(token: str, name: str) -> str:
    return f"urn:pulumi:{STACK}::steward::{token}::{name}"


def request(token: str, name: str, *, protect: bool = False, **properties: Any) -> Any:
    """What the engine asks before it makes a resource."""
    vendor = token.startswith("local:")
    return wire.AnalyzeRequest(
        type=token,
        urn=urn(token, name),
        name=name,
        properties=struct({"name": name, "tags": TAGS, **properties}),
        options=wire.AnalyzerResourceOptions(protect=protect),
        provider=wire.AnalyzerProviderResource(type="pulumi:providers:local", name="default")
        if vendor
        else None,
    )


def in_stack(asked: Any, **sources: str) -> Any:
    """The same resource as the engine shows it at the end, where it knows no outputs yet."""
    edges = {key: wire.AnalyzerPropertyDependencies(urns=[value]) for key, value in sources.items()}
    return wire.AnalyzerResource(
        type=asked.type,
        urn=asked.urn,
        name=asked.name,
        properties=struct({}),
        propertyDependencies=edges,
        provider=asked.provider if asked.HasField("provider") else None,
    )


def said(response: Any) -> dict[str, tuple[str, int]]:
    return {item.policyName: (item.urn, item.enforcementLevel) for item in response.diagnostics}


def firewall(**rule: Any) -> Any:
    row = {"name": "ssh", "port": 22, "protocol": "tcp", "source": "anywhere", "addresses": ["0.0.0.0/0"]}
    return request("local:index:Firewall", "web-1", rules=[row | rule])


BY_THE_SDK = [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(ROOT / "policies")]
"""How the language host of an official release starts every pack."""


@pytest.mark.parametrize("argv", [None, BY_THE_SDK], ids=["our language host", "the SDK's loader"])
def test_policies_are_named_by_rule(start_pack: Start, argv: list[str] | None) -> None:
    from google.protobuf import empty_pb2

    info = start_pack(argv=argv).GetAnalyzerInfo(empty_pb2.Empty())

    assert info.name == "steward"
    names = [policy.name for policy in info.policies]
    assert names == [rule.id for rule in all_rules() if rule.kind is Kind.RESOURCE]
    assert {policy.enforcementLevel for policy in info.policies} == {wire.MANDATORY}


def test_public_ssh_blocks_with_the_urn_of_the_firewall(start_pack: Start) -> None:
    response = start_pack().Analyze(firewall())

    assert said(response) == {
        "network.ssh-not-public": (urn("local:index:Firewall", "web-1"), wire.MANDATORY)
    }
    assert "SSH (22/tcp) is open to anywhere" in response.diagnostics[0].message
    assert response.diagnostics[0].severity == wire.POLICY_SEVERITY_CRITICAL
    reasons = {item.policy_name: item.reason for item in response.not_applicable}
    assert reasons["network.private-range"] == "judges network; this is a firewall"


@pytest.mark.parametrize(
    ("rule", "blocked"),
    [
        ({"port": UNKNOWN_STRING_VALUE}, NEED_THE_PORT),
        ({"source": UNKNOWN_STRING_VALUE}, {"network.ssh-not-public"}),
        ({"source": "bastion", "addresses": [UNKNOWN_STRING_VALUE]}, set()),
    ],
)
def test_unknown_values_block_unless_only_up_can_know_them(
    rule: dict[str, Any], blocked: set[str], start_pack: Start
) -> None:
    response = start_pack().Analyze(firewall(**rule))

    assert said(response) == {
        name: (urn("local:index:Firewall", "web-1"), wire.MANDATORY) for name in blocked
    }


def test_protection_is_read_from_the_options(start_pack: Start) -> None:
    pack = start_pack()

    bare = pack.Analyze(request("local:index:Volume", "data", sizeGib=10, dataBearing=True))
    protected = pack.Analyze(
        request("local:index:Volume", "data", sizeGib=10, dataBearing=True, protect=True)
    )

    assert set(said(bare)) == {"storage.data-is-protected"}
    assert said(protected) == {}


def test_what_the_profile_makes_advice_is_advice(start_pack: Start) -> None:
    services = [{"name": "shop", "owner": None, "availabilityTargetPercent": 99}]

    response = start_pack().Analyze(
        request("steward:index:Fleet", "fleet", owner="a@acme.example", region="local-1", services=services)
    )

    assert said(response) == {
        "quality.service-has-owner": (urn("steward:index:Fleet", "fleet"), wire.ADVISORY)
    }


def test_the_stack_rule_judges_inputs_that_it_saw_before(start_pack: Start) -> None:
    pack = start_pack()
    volume = request("local:index:Volume", "db-1-data", protect=True, sizeGib=10, dataBearing=True)
    mounts = [{"name": "data", "volumeId": UNKNOWN_STRING_VALUE, "mount": "/x", "dataBearing": True}]
    server = request("local:index:Server", "db-1", roles=["postgresql"], volumes=mounts, **PLAIN)
    plan = request(
        "steward:index:BackupPlan",
        "databases",
        repository={"name": "vault", "stack": "acme-vault"},
        rpoSeconds=7200,
        longestGapSeconds=3600,
        keep={"daily": 7},
        covers=[{"server": "db-1", "volume": "data"}],
    )
    for asked in (volume, server, plan):
        assert said(pack.Analyze(asked)) == {}
    both = [in_stack(volume), in_stack(server, volumes=volume.urn)]

    bare = pack.AnalyzeStack(wire.AnalyzeStackRequest(resources=both))
    covered = pack.AnalyzeStack(wire.AnalyzeStackRequest(resources=[*both, in_stack(plan)]))

    assert said(bare) == said(covered) | {"backups.data-is-covered": (server.urn, wire.MANDATORY)}
    assert "backups.data-is-covered" not in said(covered)


def test_a_crashing_rule_speaks_under_its_own_name(start_pack: Start, tmp_path: Path) -> None:
    (tmp_path / "PulumiPolicy.yaml").write_text("runtime: python\n", encoding="utf-8")
    (tmp_path / "__main__.py").write_text(
        f"""
import sys
from dataclasses import replace

sys.path.insert(0, {str(ROOT)!r})
from policies.crossguard import Analyzer, serve
from policies.profiles import load_profiles
from policies.rules import all_rules


def broken(subject, params):
    return [].pop()


rules = [replace(rule, check=broken) if rule.id == "network.private-range" else rule for rule in all_rules()]
serve(Analyzer(rules, load_profiles(), None))
""",
        encoding="utf-8",
    )
    asked = request("local:index:Network", "app", cidr="10.0.0.0/8", tags={})

    response = start_pack(tmp_path).Analyze(asked)

    assert said(response) == {
        "network.private-range": (asked.urn, wire.MANDATORY),
        "quality.tags-complete": (asked.urn, wire.MANDATORY),
    }
    messages = [item.message for item in response.diagnostics if item.policyName == "network.private-range"]
    assert "rule network.private-range could not judge: IndexError" in messages[0]


def test_the_result_file_holds_every_pair(start_pack: Start, tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    pack = start_pack(env={"STEWARD_POLICY_RESULTS": str(file)})
    network = request("local:index:Network", "app", cidr="10.41.0.0/24")
    wall = firewall()

    for asked in (network, wall):
        pack.Analyze(asked)
    pack.AnalyzeStack(wire.AnalyzeStackRequest(resources=[in_stack(network), in_stack(wall)]))

    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    pairs = [(row["rule"], row["subject"]["urn"]) for row in rows]
    judged = [rule.id for rule in all_rules() if rule.kind is Kind.RESOURCE]
    assert sorted(pairs) == sorted((rule, asked.urn) for rule in judged for asked in (network, wall))
    found = {row["rule"]: row for row in rows if row["subject"]["urn"] == wall.urn}
    assert found["network.ssh-not-public"] | {
        "message": "",
        "remediation": "",
        "expected": "",
        "fingerprint": "",
    } == {
        "rule": "network.ssh-not-public",
        "severity": "critical",
        "state": "fail",
        "enforcement": "mandatory",
        "subject": {"kind": "resource", "type": "local:index:Firewall", "name": "web-1", "urn": wall.urn},
        "profile": "demo",
        "path": "rules[0].source",
        "observed": "anywhere",
        "expected": "",
        "message": "",
        "remediation": "",
        "witness": "plan",
        "fingerprint": "",
        "waiver": "",
    }
    assert file.stat().st_mode & 0o777 == 0o600
