"""The order in which a host key is pinned anew."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from functools import partial

from orchestrator.adapters import Adapters
from orchestrator.host_keys import HostKeyPin, fingerprint
from orchestrator.phases.reach import check_wanted, of_fleet
from orchestrator.phases.repin import KeySeen, judge, pin_of, told
from orchestrator.pipelines.step import Step, Steps
from orchestrator.reporting.humanise import plural
from orchestrator.results import RunResults
from stacks.outputs import ServerOutput


def repin_steps(
    adapters: Adapters,
    results: RunResults,
    name: str,
    accept: str,
    fleet_file: str,
    keep: Callable[[HostKeyPin], None],
) -> Steps:
    """Look at the key that is shown, refuse what no person named, record what one did."""
    stack, fleet = adapters.target.stack, adapters.target.loaded.fleet
    check_wanted(fleet, [name])
    read = partial(adapters.provisioner.outputs, stack.name)
    found = yield Step("outputs", "up", "read", read, lambda found: plural(len(found.servers), "server"))
    outputs = results.outputs = of_fleet(fleet, found, [name])
    look = partial(_look, adapters, outputs.server(name))
    seen: KeySeen = yield Step("host key", "repin", "read", look, told)
    judge(seen, accept, f"steward repin --fleet {shlex.quote(fleet_file)} --host {name}")
    if not seen.same:
        pin = partial(keep, pin_of(seen, stack.id))
        yield Step("pin", "repin", "write", pin, lambda _: f"{seen.new} instead of {seen.old}")


def _look(adapters: Adapters, server: ServerOutput) -> KeySeen:
    shown = adapters.shown_key(server)
    return KeySeen(server, shown, fingerprint(server.host_key), fingerprint(shown))
