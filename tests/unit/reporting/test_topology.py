"""The drawing: nothing lies over anything else, whatever the fleet looks like."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.reporting.graph import build, described
from orchestrator.reporting.layout import Box, Drawing
from orchestrator.reporting.model import Flow, Network, Report
from orchestrator.reporting.stacked import stacked
from orchestrator.reporting.topology import topology
from orchestrator.reporting.wide import wide
from tests.unit.reporting import sample

GROUPS = ("api", "cache", "db", "edge", "queue", "web")


@st.composite
def fleets(draw: st.DrawFn) -> Report:
    networks = draw(st.integers(1, 3))
    sizes = draw(st.lists(st.integers(1, 14), min_size=1, max_size=6))
    servers = []
    for group, size in zip(GROUPS, sizes, strict=False):
        network = f"net{draw(st.integers(1, networks))}"
        volumes = tuple(f"v{i}" for i in range(draw(st.integers(0, 5))))
        servers += [
            sample.server(f"{group}-{i}", group, f"10.0.0.{i}", 1, network=network, volumes=volumes)
            for i in range(size)
        ]
    used = GROUPS[: len(sizes)]
    ends = st.sampled_from((*used, "anywhere", "10.9.0.0/24 (office)"))
    flows = draw(
        st.lists(
            st.builds(
                Flow,
                source=ends,
                target=st.sampled_from(used),
                port=st.sampled_from((22, 80, 443, 5432)),
                protocol=st.just("tcp"),
            ),
            max_size=14,
        )
    )
    backups = [sample.backup("site", f"{group}-0") for group in used if draw(st.booleans())]
    return sample.demo(
        networks=[Network(name=f"net{i + 1}", cidr="10.0.0.0/24") for i in range(networks)],
        servers=servers,
        flows=flows,
        backups=backups,
    )


def assert_clear(drawing: Drawing) -> None:
    groups = [group.box for group in drawing.groups]
    outside = [item.box for item in drawing.outsides]
    nodes = groups + outside
    labels = [label.box for label in drawing.labels]
    whole = Box(0, 0, drawing.width, drawing.height)
    for boxes in (nodes, [n.box for n in drawing.networks] + outside, labels):
        assert not [(a, b) for a, b in combinations(boxes, 2) if a.overlaps(b)]
    for group in drawing.groups:
        cards = [card.box for card in group.cards]
        assert all(group.box.holds(card) for card in cards)
        assert not [(a, b) for a, b in combinations(cards, 2) if a.overlaps(b)]
        assert any(network.box.holds(group.box) for network in drawing.networks)
    assert not [(a, b) for a in labels for b in nodes if a.overlaps(b)]
    assert all(whole.holds(box) for box in (*nodes, *labels, *(n.box for n in drawing.networks)))
    titles = [Box(n.box.x + 20, n.box.y + 12, min(n.box.width - 40, 190), 18) for n in drawing.networks]
    for arrow in drawing.arrows:
        for start, end in zip(arrow.points, arrow.points[1:], strict=False):
            assert start[0] == end[0] or start[1] == end[1], "lines are level or upright"
            stretch = Box(
                min(start[0], end[0]), min(start[1], end[1]), abs(start[0] - end[0]), abs(start[1] - end[1])
            )
            assert whole.holds(stretch)
            assert not [box for box in nodes if box.overlaps(stretch)], "a line crosses a box"
            if stretch.width == 0:
                assert not [box for box in (*labels, *titles) if box.overlaps(stretch)], "a line crosses text"


@settings(max_examples=80, deadline=None)
@given(fleets())
def test_nothing_overlaps(report: Report) -> None:
    graph = build(report)
    assert_clear(wide(graph))
    assert_clear(stacked(graph))


@pytest.mark.parametrize(
    "report", [sample.demo(), sample.failing(), sample.large(10, 3), sample.large(1, 30)]
)
def test_samples_are_clear_and_drawn_the_same_each_time(report: Report) -> None:
    assert_clear(wide(build(report)))
    assert_clear(stacked(build(report)))
    assert topology(report) == topology(report)


def test_every_server_flow_and_backup_is_in_the_drawing() -> None:
    graph = build(sample.demo())
    assert [card.name for group in graph.groups for card in group.cards] == ["db-1", "web-1", "web-2"]
    assert [(e.source, e.target, e.label) for e in graph.edges] == [
        ("from:anywhere", "group:app:web", "80"),
        ("group:app:web", "group:app:db", "5432"),
        ("group:app:db", "vault:acme-vault/vault", "backup"),
        ("group:app:web", "vault:acme-vault/vault", "backup"),
    ]
    assert "Internet anywhere may connect to web × 2 on port 80." in described(graph)


def test_many_servers_are_tiles_with_counts_and_the_names_of_those_that_are_not_well() -> None:
    report = sample.thousand()
    drawing = wide(build(report))
    assert sum(len(group.tiles) for group in drawing.groups) == 1000
    counts = {group.group.name: group.counts for group in drawing.groups}
    assert counts["edge"] == "1 not healthy: edge-8"
    assert counts["web"] == "100 healthy"
    assert "edge × 100 (1 not healthy: edge-8 · 99 healthy)" in described(build(report))
    for group in drawing.groups:
        tiles = [Box(tile.x, tile.y, tile.side, tile.side) for tile in group.tiles]
        assert all(group.box.holds(tile) for tile in tiles)
        assert not [(a, b) for a, b in combinations(tiles, 2) if a.overlaps(b)]


def test_many_groups_are_one_box_a_network_and_many_networks_one_box() -> None:
    def fleet(networks: int, groups: int) -> Report:
        servers = [
            sample.server(f"g{n}x{g}-1", f"g{n}x{g}", "10.0.0.1", 1, network=f"net{n:02d}")
            for n in range(networks)
            for g in range(groups)
        ]
        flows = [Flow(source=f"g0x{g}", target="g1x0", port=80 + g, protocol="tcp") for g in range(groups)]
        nets = [Network(name=f"net{n:02d}", cidr="10.0.0.0/24") for n in range(60)]
        return sample.demo(networks=nets, servers=servers, flows=flows, backups=())

    overview = build(fleet(2, 30))
    assert [group.title for group in overview.groups] == ["30 groups of servers × 30"] * 2
    assert [(edge.source[6:11], edge.target[6:11], edge.label) for edge in overview.edges] == [
        ("net00", "net01", "80, 81 +28")
    ]
    assert len(overview.networks) == 16, "of the empty ones only so many"
    assert [group.title for group in build(fleet(20, 2)).groups] == ["40 groups of servers × 40"]
    assert_clear(wide(overview))
    assert_clear(stacked(overview))


def test_flows_of_the_demo_run_from_left_to_right() -> None:
    drawing = wide(build(sample.demo()))
    for arrow in drawing.arrows:
        assert arrow.points[0][0] < arrow.points[-1][0]
    assert sum(len(arrow.points) == 2 for arrow in drawing.arrows) >= 3, (
        "neighbours are joined by straight lines"
    )
