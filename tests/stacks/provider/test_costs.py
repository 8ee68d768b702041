"""What a change costs, what a person is told about it, and the order of a change that needs a restart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stacks.providers.local import remake
from stacks.providers.local.diffs import Cost, compare, sentences
from stacks.providers.local.kind import labels
from stacks.providers.local.records import Inspected
from stacks.providers.local.remake import Step
from stacks.providers.local.server import Server
from stacks.providers.local.wire import UNKNOWN, Properties
from tests.stacks.provider.samples import MADE, PLAN, SERVER


@pytest.mark.parametrize(
    ("change", "restarts"),
    [
        ({"publish": [{"port": 80, "hostPort": 20080}]}, []),
        ({"publish": [{"port": 80, "hostPort": 8080}]}, ["publish"]),
        ({"publish": [{"port": 80}, {"port": 443}]}, ["publish"]),
        ({"volumes": [*SERVER["volumes"], {"name": "b", "volumeId": "v-2", "mount": "/b"}]}, ["volumes"]),
        ({"volumes": [{**SERVER["volumes"][0], "dataBearing": False}]}, []),
        ({"memoryGib": 2}, []),
    ],
)
def test_what_costs_a_server_a_restart(change: Properties, restarts: list[str]) -> None:
    changes = compare(SERVER, MADE, {**SERVER, **change}, Server.rules)
    assert [key for key, one in changes.items() if one.cost is Cost.RESTART] == restarts


def test_a_cost_is_told_with_property_values_and_reason() -> None:
    news = {**SERVER, "image": "debian-13", "publish": [], "tags": {}}
    told = sentences(compare(SERVER, MADE, news, Server.rules), SERVER, news, delete_first=True)
    assert told == [
        "replaced: image debian-12 → debian-13 (another image is another disk); the old one goes first."
    ]
    news = {**SERVER, "networkId": UNKNOWN}
    (text,) = sentences(compare(SERVER, MADE, news, Server.rules), SERVER, news, delete_first=True)
    assert "networkId known only when it is made (a server joins its network when it is made)" in text
    news = {**SERVER, "publish": []}
    (text,) = sentences(compare(SERVER, MADE, news, Server.rules), SERVER, news, delete_first=True)
    assert text.startswith("restarted: publish (Podman fixes ports")
    assert text.endswith("identity, host key and disk stay.")
    assert (
        sentences(compare(SERVER, MADE, {**SERVER, "cpus": 2}, Server.rules), SERVER, {}, delete_first=True)
        == []
    )


def inspected(name: str, state: str, mounts: dict[str, str] | None = None) -> Inspected:
    marks = {**labels("server", "urn:x", SERVER), **PLAN.marks()}
    own = {"/srv/data": "v-1"} if mounts is None else mounts
    ports = {22: 20022, 80: 20080}
    return Inspected(name, state, marks, frozenset(ports.values()), 0, "ab" * 32, "img", own, ports, "", "")


def test_every_state_that_a_kill_can_leave_has_its_next_step() -> None:
    before = inspected(f"{PLAN.container}.before", "exited", {})
    cases: list[tuple[Inspected | None, Inspected | None, bool, Step]] = [
        (inspected("x", "running"), None, False, Step.DONE),
        (inspected("x", "exited"), None, False, Step.DONE),
        (inspected("x", "running", {}), None, False, Step.SET_ASIDE),
        (inspected("x", "exited", {}), None, False, Step.SET_ASIDE),
        (None, before, False, Step.KEEP_DISK),
        (None, before, True, Step.MAKE),
        (None, replace(before, state="running"), True, Step.KEEP_DISK),
        (inspected("x", "created"), before, True, Step.START),
        (inspected("x", "created", {}), before, True, Step.UNMAKE),
        (inspected("x", "running"), before, True, Step.FORGET),
        (inspected("x", "exited", {}), before, False, Step.FORGET),
    ]
    for container, aside, kept, step in cases:
        fit = remake.fits(container, PLAN, SERVER)
        assert remake.next_step(remake.Seen("x", container, aside), fits=fit, disk_kept=kept) is step
