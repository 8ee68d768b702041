"""Bringing one server up: choose, create, put files in, start, wait until it answers as itself."""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from stacks.providers.local import (
    addresses,
    forwards,
    hostkeys,
    injection,
    inspection,
    ports,
    prepared,
    units,
)
from stacks.providers.local.blueprint import (
    NEVER_READY,
    RUNNING,
    Blueprint,
    create_arguments,
    limit_options,
)
from stacks.providers.local.errors import InitFailedError, LocalError
from stacks.providers.local.kind import Call
from stacks.providers.local.machine import Machine
from stacks.providers.local.podman import IN_USE
from stacks.providers.local.wire import Properties

POLL_SECONDS = 0.1
LEASED = "is already allocated to container ID"
"""Podman's word for an address that a `podman start` took and never gave back, because it was killed."""
MOST_LOST = 3
"""Addresses given up for that reason before it is told as a failure."""
STALE_SECONDS = 1.0
"""How old a look may be that tells whether a server died while it booted."""
STOP_SECONDS = 20
"""Grace for a database to close its files before a container is removed."""


@dataclass
class Held:
    """What is set aside while a server is being made."""

    plan: Blueprint
    key: hostkeys.HostKey
    claims: ports.Claims


def build(
    machine: Machine, call: Call, inputs: Properties, container: str, prefer: Blueprint | None = None
) -> Properties:
    """Make one server from nothing and wait for it; the outputs. `prefer` names an address and ports to keep.

    Raises LocalError while nothing exists, InitFailedError as soon as a container does.
    """
    subject = str(inputs["name"])
    machine.go_on(subject)
    image = prepared.image_for(machine, subject, machine.image(subject, str(inputs["image"])))
    lost: set[str] = set()
    while True:
        with ExitStack() as until_end:
            held = _choose(machine, call, inputs, container, prefer, lost, until_end)
            create(machine, call, inputs, held.plan, image)
            try:
                return recorded(machine, held.plan, inputs, partial(_first_boot, machine, call, inputs, held))
            except InitFailedError as error:
                if inputs.get("address") or len(lost) == MOST_LOST or LEASED not in str(error):
                    raise
        machine.podman.remove_container(subject, 0, container)
        lost.add(held.plan.address)


def create(machine: Machine, call: Call, inputs: Properties, plan: Blueprint, image: str) -> None:
    """The container, not started; nothing of it stays when Podman refuses."""
    arguments = create_arguments(
        plan, inputs, urn=call.urn, image=image, runtime=machine.runtime, limits=machine.limits
    )
    subject = str(inputs["name"])
    try:
        machine.podman.call(*arguments, subject=subject, timeout=120.0)
    except LocalError:
        machine.podman.remove_container(subject, 0, plan.container)
        raise


def recorded(
    machine: Machine, plan: Blueprint, inputs: Properties, work: Callable[[], None], failed: str = NEVER_READY
) -> Properties:
    """Do the work on a container that exists; when it goes wrong, its recorded state is `failed`."""
    try:
        work()
    except (LocalError, OSError) as error:
        raise half_made(machine, plan, inputs, error, failed) from error
    return plan.outputs(inputs, RUNNING, machine.limits)


def half_made(
    machine: Machine, plan: Blueprint, inputs: Properties, error: Exception, state: str
) -> InitFailedError:
    """What the engine keeps of a server that exists and does not work."""
    reason = error.reason() if isinstance(error, LocalError) else str(error)
    outputs = plan.outputs(inputs, state, machine.limits)
    return InitFailedError(plan.container, outputs, [f"{inputs['name']}: {reason}"])


def _choose(
    machine: Machine,
    call: Call,
    inputs: Properties,
    container: str,
    prefer: Blueprint | None,
    lost: Collection[str],
    until_end: ExitStack,
) -> Held:
    subject = str(inputs["name"])
    address = _address(machine, call, inputs, prefer, lost)
    until_end.callback(machine.release, f"{inputs['networkId']} {address}", call.urn)
    wishes = {"22": ports.PortWish(kept=prefer.ssh_port if prefer else None), **port_wishes(inputs, prefer)}
    claims = ports.hold(machine, subject, call.urn, wishes)
    until_end.callback(ports.release, claims)
    published = {name: claims[name].port for name in port_wishes(inputs, prefer)}
    key = hostkeys.make()
    plan = Blueprint(container, secrets.token_hex(16), address, claims["22"].port, published, key.public)
    return Held(plan, key, claims)


def port_wishes(inputs: Properties, prefer: Blueprint | None) -> dict[str, ports.PortWish]:
    """What each published port asks for, by the port inside."""
    return {
        str(item["port"]): ports.PortWish(
            fixed=item.get("hostPort"), kept=prefer.published.get(str(item["port"])) if prefer else None
        )
        for item in inputs.get("publish") or []
    }


def _address(
    machine: Machine, call: Call, inputs: Properties, prefer: Blueprint | None, lost: Collection[str]
) -> str:
    """A fixed address when asked for, else a free one; claimed until the container exists and shows it."""
    subject, network = str(inputs["name"]), str(inputs["networkId"])
    fixed = inputs.get("address")
    used = set(lost) | {
        one.labels.get("steward.address", "")
        for one in machine.containers.now()  # an address that was claimed and given back since is in use
        if one.labels.get("steward.network") == network
    }
    if fixed:
        if fixed in used or machine.claim(f"{network} {fixed}", call.urn):
            raise LocalError(
                subject,
                f"address {fixed} is already another server's on this network",
                place="address",
                next_step="Choose another address, or leave it out.",
            )
        return str(fixed)
    if prefer and prefer.address not in used and not machine.claim(f"{network} {prefer.address}", call.urn):
        return prefer.address
    while True:
        choice = addresses.free_address(subject, str(inputs["cidr"]), used)
        if not machine.claim(f"{network} {choice}", call.urn):
            return choice
        used.add(choice)


def _first_boot(machine: Machine, call: Call, inputs: Properties, held: Held) -> None:
    subject, name = str(inputs["name"]), held.plan.container
    entries = injection.first_boot(
        held.plan.incarnation, held.key, inputs["authorizedKeys"], str(inputs["gateway"])
    )
    machine.go_on(subject)
    machine.podman.call(
        "cp",
        "--archive=false",
        "-",
        f"{name}:/",
        subject=subject,
        stdin=injection.archive(entries, time.time()),
    )
    machine.go_on(subject)
    ports.release(held.claims)
    start(machine, call, inputs, name)
    wait(machine, subject, held.plan, call.deadline)


def start(machine: Machine, call: Call, inputs: Properties, container: str) -> None:
    """Start the container and see to it that it comes back after a reboot."""
    subject = str(inputs["name"])
    limits = limit_options(inputs, machine.limits)
    try:
        machine.podman.call("start", container, subject=subject, timeout=120.0)
    except LocalError as error:
        if LEASED in error.got:
            error.next_step = (
                "A start that was killed keeps the address until this machine restarts; then run `up`."
            )
        elif IN_USE in error.got:
            error.next_step = "`ss -ltnp` shows which program has the port; end it, then run `up`."
        raise
    if not limits:
        machine.note("local: processor and memory limits are not enforced on this machine.", call.urn)
    if not units.write(container, subject, limits):
        machine.note(
            "local: systemd does not run this machine (or we are not root), so servers do not start "
            "by themselves after a reboot: `podman start CONTAINER` brings one back, as does `up --refresh`.",
            call.urn,
        )


def wait(machine: Machine, subject: str, plan: Blueprint, until: float) -> None:
    """Until SSH speaks, users may log in and the firewall is up, or LocalError; `until` in monotonic s."""
    forwards.clear(
        subject, plan.address, {plan.ssh_port, *plan.published.values()}, lambda: _identity(machine, plan)
    )
    attempt = 0
    while lacking := _lacking(machine, plan):
        machine.go_on(subject)
        if time.monotonic() >= until:
            raise LocalError(
                subject,
                f"{lacking} in time",
                place=f"127.0.0.1:{plan.ssh_port}",
                next_step=f"`podman exec {plan.container} systemctl --failed` shows why; `up` again mends it."
                + _inotify_hint(machine),
            )
        attempt += 1
        if attempt % 20 == 0:
            _refuse_dead(machine, subject, plan)
        machine.stop.wait(POLL_SECONDS)


def _identity(machine: Machine, plan: Blueprint) -> str:
    found = machine.podman.container(plan.container)
    return found.identity if found else ""


def _lacking(machine: Machine, plan: Blueprint) -> str:
    """What the server does not do yet, or nothing; an open server counts as not ready."""
    if not answers(plan.ssh_port):
        return "SSH did not answer"
    found = next((one for one in machine.containers.now() if one.name == plan.container), None)
    if found is None or not found.pid:
        return "its container did not run"
    return inspection.unsettled(machine, found)


def answers(port: int) -> bool:
    """Whether an SSH server introduces itself on this loopback port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2.0) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def _refuse_dead(machine: Machine, subject: str, plan: Blueprint) -> None:
    listed = machine.containers.since(time.monotonic() - STALE_SECONDS)
    container = next((one for one in listed if one.name == plan.container), None)
    if container is None or container.state not in ("running", "created", "initialized"):
        raise LocalError(
            subject,
            "the server stopped by itself while it booted",
            place=plan.container,
            got=container.state if container else "no container",
            next_step=f"`podman logs {plan.container}` shows why; run `up` again to mend it.",
        )


def _inotify_hint(machine: Machine) -> str:
    problem = machine.inotify_problem(0)
    return f" {problem}" if problem else ""
