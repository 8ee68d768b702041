"""Parts that are valid alone and wrong together."""

from __future__ import annotations

from stacks.fleet.loader import parse
from tests.unit.stacks.fleet.demo import TEXT, changed, told

OPEN = "- {from: anywhere, port: 80}"


def test_networks_are_told_for_each_pair_that_overlaps() -> None:
    ranges = {"app": "10.41.0.0/24", "b": "10.41.0.0/25", "c": "10.41.0.0/16", "d": "10.42.0.0/24"}
    more = "\n".join(f"  {name}: {{cidr: {cidr}}}" for name, cidr in ranges.items())
    mistakes = told(changed("  app: {cidr: 10.41.0.0/24}", more))
    assert [each.split(" ")[0] for each in mistakes] == [
        "networks.b.cidr:",
        "networks.c.cidr:",
        "networks.c.cidr:",
    ]


def test_a_network_has_room_for_its_servers() -> None:
    text = changed("10.41.0.0/24", "10.41.0.0/28").replace("count: 2 ", "count: 13 ")
    assert told(text) == [
        "networks.app.cidr: '10.41.0.0/28' has room for 13 servers, not 14; choose a larger range"
    ]


def test_a_fleet_has_a_most_of_servers() -> None:
    many = "".join(f"  s{n}: {{count: 100, size: small, network: app}}\n" for n in range(10))
    text = changed("10.41.0.0/24", "10.41.0.0/16").replace("servers:\n  web:", f"servers:\n{many}  web:")
    assert told(text) == ["servers: 1003 servers are more than the 1000 a fleet may have; split the fleet"]


def test_one_port_of_the_control_machine_is_published_once() -> None:
    text = TEXT.replace("count: 2 ", "count: 1 ").replace(
        OPEN, "- {from: anywhere, port: 80, publish: 8080}\n      - {from: anywhere, port: 81, publish: 8080}"
    )
    assert told(text) == [
        "servers.web.ingress[1].publish: port 8080 is published by server 'web' already; choose another"
    ]


def test_the_same_port_by_tcp_and_udp_are_two_rules() -> None:
    parse(changed(OPEN, OPEN + "\n      - {from: anywhere, port: 80, protocol: udp}").encode(), "demo.yaml")


def test_a_part_that_is_wrong_hides_no_mistake_of_the_others() -> None:
    text = changed("count: 2 ", "count: 0 ").replace("network: app\n    volumes", "network: ap\n    volumes")
    assert [each.split(":")[0] for each in told(text)] == ["servers.web.count", "servers.db.network"]


def test_a_server_with_a_bad_name_is_not_reported_as_missing_too() -> None:
    text = changed("\n  db:\n", "\n  d_b:\n").replace("[web, db]", "[web, d_b]")
    assert [each.split(":")[0] for each in told(text)] == [
        "services.shop.servers[1]", "servers.d_b"
    ]  # fmt: skip
