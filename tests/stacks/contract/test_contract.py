"""What every provider must do, through the same program and engine that people run.

A new provider passes by one class beside `LocalVendor`, added to `VENDORS`. The tests of one vendor share a
fleet and run in order; each leaves it standing.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stacks.outputs import ServerOutput
from tests.stacks.contract.installation import STACK, Installation, Wanted
from tests.stacks.contract.vendor import LocalVendor, Vendor

pytestmark = [pytest.mark.real, pytest.mark.e2e]
VENDORS: tuple[type[Vendor], ...] = (LocalVendor,)
KEPT = ("incarnation", "host_key", "address", "ssh_port")


@pytest.fixture(scope="module", params=VENDORS, ids=lambda vendor: vendor.name)
def vendor(request: pytest.FixtureRequest) -> Vendor:
    made: Vendor = request.param()
    return made


@pytest.fixture(scope="module")
def one(vendor: Vendor, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The fleet that the tests share, not yet up."""
    made = Installation(tmp_path_factory.mktemp("one"), vendor, vendor.ranges[0])
    yield made
    made.pulumi("destroy", "--yes", "--skip-preview")
    assert made.exists() == set(), "destroy leaves nothing"


def kept(server: ServerOutput) -> dict[str, object]:
    return {name: getattr(server, name) for name in KEPT}


def until(holds: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come"


def test_a_preview_makes_nothing_and_names_everything(one: Installation) -> None:
    planned = one.plan(Wanted(volume=True))
    assert {name: step["op"] for name, step in planned.items()} == dict.fromkeys(
        ("network lan", "volume box-1-data", "server box-1", "firewall box-1"), "create"
    )
    assert one.exists() == set()


def test_up_gives_every_output_and_a_server_that_lets_us_in(one: Installation) -> None:
    outputs = one.up(Wanted())
    server = outputs.server("box-1")
    assert one.ssh(server, "sudo", "-n", "hostname").stdout.strip() == "box-1"
    made = one.resources()
    assert {made["network lan"]["id"], made["server box-1"]["id"]} == one.exists()


def test_nothing_asked_is_nothing_done(one: Installation) -> None:
    one.up(Wanted(), "--expect-no-changes")
    one.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")


def test_tags_size_rules_and_a_volume_change_in_place(one: Installation) -> None:
    before = one.outputs().server("box-1")
    wanted = Wanted(owner="two@twin.example", memory_gib=0.5, ports=(8080,), volume=True)
    planned = one.plan(wanted)
    told = {name: step["op"] for name, step in planned.items()}
    assert told.pop("volume box-1-data") == "create"
    assert told == dict.fromkeys(("network lan", "server box-1", "firewall box-1"), "update")
    server = one.up(wanted).server("box-1")
    assert kept(server) == kept(before)
    assert "/srv/data" in one.ssh(server, "findmnt", "-n", "-o", "TARGET", "/srv/data").stdout
    assert kept(one.up(Wanted()).server("box-1")) == kept(before), "and back again"
    assert one.ssh(server, "findmnt", "/srv/data").returncode != 0


def test_a_replacement_names_the_property_and_the_reason(one: Installation) -> None:
    text = one.path.read_text()
    changed = text.replace(f"{one.range}.0.0/24", f"{one.range}.200.0/24")
    assert changed != text
    one.path.write_text(changed)
    said = one.pulumi("preview", "--diff")
    assert "replaced: cidr" in said
    assert f"{one.range}.0.0/24 → {one.range}.200.0/24 (" in said, "from what to what, and why"
    planned = one.plan(Wanted())
    assert planned == {}, "and nothing of it was done"


@pytest.mark.parametrize("name", ["network lan", "server box-1"])
def test_import_needs_the_id_only_and_the_program_stays_quiet(one: Installation, name: str) -> None:
    resource = one.resources()[name]
    kind, label = name.split()
    one.pulumi("state", "delete", resource["urn"], "--yes", "--target-dependents")
    one.pulumi(
        "import", one.vendor.types[kind], label, resource["id"], "--parent", f"parent={resource['parent']}",
        "--yes", "--protect=false", "--generate-code=false", "--skip-preview",
    )  # fmt: skip
    imported = one.resources()[name]
    assert imported["outputs"] == resource["outputs"]
    assert name not in one.plan(Wanted())
    one.up(Wanted())
    assert one.resources()[name]["id"] == resource["id"]


def test_a_server_that_was_switched_off_is_started_again(one: Installation) -> None:
    before = one.outputs().server("box-1")
    one.vendor.stop_server(one.resources()["server box-1"]["id"])
    after = one.up(Wanted(), "--refresh").server("box-1")
    assert kept(after) == kept(before)
    assert one.ssh(after, "true").returncode == 0


def test_a_server_removed_by_hand_is_made_again_and_is_another_one(one: Installation) -> None:
    before = one.outputs().server("box-1")
    one.vendor.remove_server(one.resources()["server box-1"]["id"])
    assert one.plan(Wanted(), "--refresh")["server box-1"]["op"] == "create"
    after = one.up(Wanted(), "--refresh").server("box-1")
    assert (after.incarnation != before.incarnation, after.host_key != before.host_key) == (True, True)
    assert one.ssh(after, "true").returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_up_that_is_stopped_in_the_middle_is_finished_by_the_next(one: Installation, number: int) -> None:
    before = one.exists()
    one.ask(Wanted(servers=2))
    running = one.start("up", "--yes", "--skip-preview")
    until(lambda: len(one.exists()) > len(before))
    os.kill(running.pid, number)
    running.communicate(timeout=60)
    assert running.returncode != 0
    if number == signal.SIGKILL:
        one.pulumi("cancel", STACK, "--yes")
    server = one.up(Wanted(servers=2)).server("box-2")
    assert len(one.exists()) == len(before) + 1, "taken up, not made twice"
    assert one.ssh(server, "true").returncode == 0
    one.up(Wanted())
    assert one.exists() == before


def test_twenty_at_once(one: Installation) -> None:
    outputs = one.up(Wanted(networks=20))
    assert len({network.network_id for network in outputs.networks}) == 21
    one.up(Wanted())


def test_equal_fleets_of_two_installations_never_meet(
    one: Installation, vendor: Vendor, tmp_path: Path
) -> None:
    """Same client, stack and servers: made at the same time, and one taken down beside the other."""
    two = Installation(tmp_path, vendor, vendor.ranges[1])
    with ThreadPoolExecutor(2) as pool:
        ours, theirs = pool.map(lambda each: each.up(Wanted(servers=2)), (one, two))
    try:
        assert not one.exists() & two.exists()
        assert (len(one.exists()), len(two.exists())) == (3, 3)
        for name in ("incarnation", "ssh_port", "host_key", "address"):
            assert len({getattr(each, name) for each in (*ours.servers, *theirs.servers)}) == 4, name
        assert ours.stack_id != theirs.stack_id
        before = one.exists()
    finally:
        two.pulumi("destroy", "--yes", "--skip-preview")
    assert (one.exists(), two.exists()) == (before, set())
    assert one.ssh(ours.server("box-1"), "true").returncode == 0


def test_another_fleets_range_is_refused_with_its_name_before_anything_is_made(
    one: Installation, vendor: Vendor, tmp_path: Path
) -> None:
    if not vendor.one_address_space:
        pytest.skip("networks of this vendor may overlap")
    two = Installation(tmp_path, vendor, vendor.ranges[0])
    said = two.pulumi("up", "--yes", "--skip-preview", fails=True)
    assert f"{vendor.ranges[0]}.0.0/24 overlaps" in said
    assert f"network lan of {STACK}" in said, "whose it is"
    assert two.exists() == set()
