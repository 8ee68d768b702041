"""The provider's pure decisions: diffs, addresses, ports, edge rules, shapes, units, arguments."""

from __future__ import annotations

import io
import tarfile
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from stacks.fleet.overlap import in_the_way
from stacks.providers.local import addresses, edge, hostkeys, injection, shapes, sources, units
from stacks.providers.local.blueprint import NEVER_READY, create_arguments, from_labels
from stacks.providers.local.diffs import compare
from stacks.providers.local.errors import LocalError
from stacks.providers.local.firewall import Firewall
from stacks.providers.local.kind import IDENTITY, inputs_of, labels, object_name
from stacks.providers.local.machine import Limits, Machine, View
from stacks.providers.local.network import Network
from stacks.providers.local.server import Server
from stacks.providers.local.wire import UNKNOWN, Properties
from tests.stacks.provider.samples import LIMITS, MADE, PLAN, SERVER

RULE: dict[str, Any] = {
    "name": "http",
    "port": 80,
    "protocol": "tcp",
    "source": "anywhere",
    "addresses": ["0.0.0.0/0"],
}


@pytest.mark.parametrize(
    ("change", "replaces"),
    [
        ({"tags": {"client": "acme", "owner": "x"}}, []),
        ({"roles": ["db"]}, []),
        ({"authorizedKeys": []}, []),
        ({"cpus": 2, "memoryGib": 1}, []),
        ({"address": "10.61.40.128"}, []),
        ({"address": "10.61.40.7"}, ["address"]),
        ({"publish": [{"port": 80, "hostPort": 20080}]}, []),
        ({"publish": [{"port": 80, "hostPort": 8080}]}, []),
        ({"publish": []}, []),
        ({"image": "debian-13"}, ["image"]),
        ({"cidr": "10.61.41.0/24"}, ["cidr"]),
        ({"networkId": UNKNOWN}, ["networkId"]),
        ({"volumes": []}, []),
        ({"volumes": [{**SERVER["volumes"][0], "dataBearing": False}]}, []),
        ({"volumes": [{**SERVER["volumes"][0], "volumeId": UNKNOWN}]}, []),
    ],
)
def test_what_a_server_can_change_in_place(change: Properties, replaces: list[str]) -> None:
    changes = compare(SERVER, MADE, {**SERVER, **change}, Server.rules)
    assert set(changes) == set(change)
    assert [key for key, one in changes.items() if one.replace] == replaces


def test_equal_inputs_differ_in_nothing() -> None:
    assert compare(SERVER, MADE, {**SERVER, "address": None}, Server.rules) == {}


def test_a_network_is_replaced_for_its_cidr_only() -> None:
    old = {"name": "app", "cidr": "10.61.40.0/24", "tags": {}}
    changes = compare(old, old, {**old, "cidr": "10.61.41.0/24", "tags": {"a": "b"}}, Network.rules)
    assert {key: one.replace for key, one in changes.items()} == {"cidr": True, "tags": False}


def test_addresses_come_from_the_upper_half_first() -> None:
    assert addresses.free_address("web-1", "10.61.40.0/24", set()) == "10.61.40.128"
    taken = {f"10.61.40.{host}" for host in range(128, 255)}
    assert addresses.free_address("web-1", "10.61.40.0/24", taken) == "10.61.40.2"
    with pytest.raises(LocalError, match="no free address"):
        addresses.free_address("web-1", "10.61.40.0/29", {f"10.61.40.{host}" for host in range(8)})


@pytest.mark.parametrize("cidr", ["10.61.40.1/24", "nonsense", "10.61.40.0/30", "127.0.0.0/8", "224.0.0.0/8"])
def test_unusable_networks_are_named(cidr: str) -> None:
    assert addresses.cidr_problem(cidr)


@pytest.mark.parametrize("address", ["10.61.40.1", "10.61.40.0", "10.61.40.255", "10.61.41.5", "x"])
def test_unusable_addresses_are_named(address: str) -> None:
    assert addresses.address_problem(address, "10.61.40.0/24")
    assert not addresses.address_problem("10.61.40.9", "10.61.40.0/24")


def test_a_restarted_server_keeps_its_hardware_address() -> None:
    assert addresses.hardware_address("10.61.40.9") == "02:57:0a:3d:28:09"
    made = create_arguments(PLAN, SERVER, urn="u", image="i", runtime="", limits=LIMITS)
    assert made[made.index("--mac-address") + 1] == addresses.hardware_address(PLAN.address)


def test_ports_are_searched_until_one_is_taken() -> None:
    asked: list[int] = []

    def third(number: int) -> int | None:
        asked.append(number)
        return number if len(asked) == 3 else None

    port = addresses.free_port("web-1", "urn", "ssh", third)
    assert asked[-1] == port
    assert port in addresses.PORTS
    with pytest.raises(LocalError, match="no free port"):
        addresses.free_port("web-1", "urn", "ssh", lambda number: None)


def test_routes_are_read_without_the_default_route() -> None:
    table = (
        "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n"
        "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\n"
        "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\n"
    )
    assert addresses.routes(table) == [("eth0", IPv4Network("192.0.2.0/24"))]
    assert in_the_way(IPv4Network("192.0.2.128/25"), addresses.routes(table)) == addresses.routes(table)[0]


def test_edge_drops_by_default_and_never_flushes() -> None:
    text = edge.render("10.61.40.1")
    assert "policy drop" in text
    assert "flush" not in text
    assert "ip saddr 10.61.40.1 tcp dport 22 accept" in text


def test_edge_is_the_same_in_any_order_and_merges_networks() -> None:
    narrow = {**RULE, "name": "db", "port": 5432, "addresses": ["10.61.0.0/16", "10.61.40.5/32"]}
    assert edge.render("10.61.40.1", [RULE, narrow]) == edge.render("10.61.40.1", [narrow, RULE])
    text = edge.render("10.61.40.1", [RULE, narrow])
    assert '    meta nfproto ipv4 tcp dport 80 accept comment "http"' in text
    assert "ip saddr { 10.61.0.0/16 } tcp dport 5432 accept" in text


def test_rules_that_another_version_rendered_otherwise_are_loaded_again() -> None:
    news = {"name": "web-1", "containerId": "c", "gateway": "10.61.40.1", "rules": [RULE]}
    made = {**news, "digest": edge.digest(edge.render("10.61.40.1", [RULE])), "live": "table"}
    assert compare(news, made, news, Firewall.rules) == {}
    for olds in ({**made, "digest": "0" * 64}, {**made, "live": ""}):
        (change,) = compare(news, olds, news, Firewall.rules).values()
        assert change.output
        assert not change.replace
    assert compare(news, made, {**news, "gateway": UNKNOWN}, Firewall.rules).keys() == {"gateway"}


def test_a_changed_table_says_what_was_added_and_what_is_missing() -> None:
    before = f"table {edge.TABLE} {{\n\tchain input {{\n\t\ttcp dport 22 accept\n\t}}\n}}\n"
    assert edge.difference(before, before) == ""
    other = before.replace("22", "99")
    assert edge.difference(before, other) == "without `tcp dport 22 accept`, with `tcp dport 99 accept`"
    assert edge.difference(before, "") == "table inet steward_edge is gone"
    assert len(edge.difference(before, before + "x" * 70_000)) <= 600


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"name": 'x"; flush ruleset; #'}, "name"),
        ({"protocol": "icmp"}, "protocol"),
        ({"port": 0}, "port"),
        ({"port": True}, None),
        ({"addresses": []}, "addresses"),
        ({"addresses": ["10.0.0.0/8 } accept; {"]}, "addresses"),
    ],
)
def test_hostile_rules_never_reach_nft(change: dict[str, Any], place: str | None) -> None:
    rule = {**RULE, **change}
    shape = shapes.misfits(
        {"name": "web-1", "containerId": "c", "incarnation": "i", "gateway": "g", "rules": [rule]},
        Firewall.fields,
    )
    problems = edge.rule_problems(rule)
    assert shape or [key for key, _ in problems] == [place]


def test_shapes_name_strays_and_let_unknowns_through() -> None:
    inputs = {"name": "app", "cidr": UNKNOWN, "tagz": {}}
    (failure,) = shapes.misfits(inputs, Network.fields)
    assert failure.path == "tagz"
    assert "Did you mean 'tags'?" in failure.reason
    missing = shapes.misfits({"name": 5}, Network.fields)
    assert sorted(one.path for one in missing) == ["cidr", "name"]


def test_labels_carry_all_that_an_import_needs() -> None:
    marks = {**labels("server", "urn:x", SERVER), **PLAN.marks()}
    assert inputs_of(marks) == SERVER
    assert from_labels(PLAN.container, marks) == PLAN
    assert from_labels("other", {"steward.published": "[]"}) is None
    assert inputs_of({"steward.inputs": "???"}) == {}


def test_names_never_meet() -> None:
    assert object_name(SERVER) != object_name(SERVER)
    assert object_name(SERVER).startswith("steward-acme-prod-web-1-")
    assert IDENTITY.fullmatch(object_name({**SERVER, "tags": {"stack": "../../x y"}}))


def test_create_arguments_pin_address_ports_and_limits() -> None:
    words = create_arguments(PLAN, SERVER, urn="urn:x", image="img", runtime="runc", limits=LIMITS)
    text = " ".join(words)
    assert words[:2] == ["--runtime=runc", "create"]
    assert "--ip 10.61.40.128" in text
    assert "--publish 127.0.0.1:20022:22 --publish 127.0.0.1:20080:80" in text
    assert "--cpus 1 --memory 512m" in text
    assert words[-2:] == ["img", "/sbin/init"]
    free = Limits(cgroups=False, open_files=1, processes=1)
    assert "--memory" not in create_arguments(PLAN, SERVER, urn="u", image="i", runtime="", limits=free)


def test_first_boot_files_have_owners_and_modes() -> None:
    key = hostkeys.make()
    assert "PRIVATE" not in repr(key)
    assert key.public.startswith("ssh-ed25519 ")
    stream = injection.archive(injection.first_boot("a" * 32, key, ["ssh-ed25519 AAAA a"], "10.61.40.1"), 0.0)
    with tarfile.open(fileobj=io.BytesIO(stream)) as tar:
        seen = {one.name: (one.uid, one.mode) for one in tar.getmembers()}
    assert seen["etc/ssh/ssh_host_ed25519_key"] == (0, 0o600)
    assert seen["home/steward/.ssh/authorized_keys"] == (1000, 0o600)
    assert seen["etc/steward/edge.nft"] == (0, 0o644)


def test_outputs_hold_no_private_key() -> None:
    outputs = PLAN.outputs(SERVER, NEVER_READY, LIMITS)
    assert set(Server.outputs) <= set(outputs)
    assert "PRIVATE" not in str(outputs)


def test_unit_starts_the_container_with_the_command_the_tests_run() -> None:
    limits = ("--cpus", "1", "--memory", "512m")
    text = units.render("steward-x", "web-1", limits)
    assert "ExecStart=/usr/bin/env podman start steward-x\n" in text
    assert "ExecStartPost=-/usr/bin/env podman update --cpus 1 --memory 512m steward-x\n" in text
    assert "WantedBy=multi-user.target" in text
    assert units.start_commands("steward-x")[0] == ("podman", "start", "steward-x")


def test_source_table_names_every_network_and_vanishes_with_the_last() -> None:
    text = sources.render([IPv4Network("10.61.41.0/24"), IPv4Network("10.61.40.0/24")])
    assert "elements = { 10.61.40.0/24, 10.61.41.0/24 }" in text
    assert "ip saddr != 127.0.0.0/8 snat ip prefix to ip saddr map { 0.0.0.0/0 : 0.0.0.0/0 }" in text
    assert "flush" not in text
    assert sources.render([]).endswith("delete table ip steward_nat\n")


def test_low_inotify_limit_names_the_sysctl(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine()
    empty = View(containers=(), networks=())
    monkeypatch.setattr(machine, "view", lambda: empty)
    monkeypatch.setattr(Path, "read_text", lambda self: "128\n")
    assert machine.inotify_problem(10) == ""
    assert "sysctl -w fs.inotify.max_user_instances=8192" in machine.inotify_problem(40)
