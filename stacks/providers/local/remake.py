"""Changing what Podman fixes when it makes a container: mounts and published ports.

The server keeps its name, identity, host key and disk. Its container is set aside under another name, its
disk is kept as an image, and a container of the old name is made from that. Podman's own objects are the
journal: each step can be seen in them, so a run that was killed anywhere is taken up by the next one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

from stacks.providers.local import boot, ports
from stacks.providers.local.blueprint import STOPPED, Blueprint, from_labels
from stacks.providers.local.errors import LocalError, StoppedError
from stacks.providers.local.kind import Call
from stacks.providers.local.machine import DISKS, Machine
from stacks.providers.local.records import Inspected
from stacks.providers.local.wire import Properties

ASIDE = ".before"
COMMIT_SECONDS = 900.0
"""A disk of many GiB is copied once."""


class Step(Enum):
    """What comes next; the order of a change is the order here."""

    SET_ASIDE = "stop the server and set its container aside"
    KEEP_DISK = "keep its disk as an image"
    MAKE = "make the container from the image"
    UNMAKE = "remove the new container: it never ran, and other things are wanted by now"
    START = "start the new container"
    FORGET = "remove the one set aside: the new one ran, so its disk is the newer one"
    DONE = "nothing is left to do"


@dataclass(frozen=True)
class Seen:
    """One server in Podman: its container, and the one that an unfinished change set aside."""

    name: str
    container: Inspected | None
    aside: Inspected | None

    @property
    def plan(self) -> Blueprint | None:
        """What the server was made with, from whichever container is there."""
        there = self.container or self.aside
        return from_labels(self.name, there.labels) if there else None


def look(machine: Machine, name: str) -> Seen:
    """Both containers, in one call."""
    found = machine.podman.named(name, name + ASIDE)
    return Seen(name, found.get(name), found.get(name + ASIDE))


def next_step(seen: Seen, *, fits: bool, disk_kept: bool) -> Step:
    """What comes next, from what is there; `fits` when the container has the mounts and ports asked for."""
    if seen.aside is None:
        return Step.DONE if fits else Step.SET_ASIDE
    if seen.container is None:
        return Step.MAKE if disk_kept and seen.aside.state != "running" else Step.KEEP_DISK
    if seen.container.state != "created":
        return Step.FORGET
    return Step.START if fits else Step.UNMAKE


def fits(container: Inspected | None, plan: Blueprint, inputs: Properties) -> bool:
    """Whether the container has exactly the mounts and published ports that are asked for."""
    if container is None:
        return False
    wishes = boot.port_wishes(inputs, plan)
    asked = {22: plan.ssh_port, **{int(inside): wish.fixed or wish.kept for inside, wish in wishes.items()}}
    return container.mounts == mounts(inputs) and container.ports == asked


def mounts(inputs: Properties) -> Mapping[str, str]:
    """Where -> which volume, as asked for."""
    return {str(one["mount"]): str(one["volumeId"]) for one in inputs.get("volumes") or []}


def disk_of(aside: Inspected) -> str:
    """The image of one container's disk; named after its id, so that no older one is taken for it."""
    return f"{DISKS}:{aside.name.removesuffix(ASIDE)}-{aside.identity[:12]}"


class Remake:
    """One change under way: it holds the new ports from before the server stops until the new one starts."""

    def __init__(self, machine: Machine, call: Call, inputs: Properties) -> None:
        self._machine = machine
        self._call = call
        self._inputs = inputs
        self._subject = str(inputs["name"])
        self._claims: ports.Claims | None = None

    def fit(self, seen: Seen, plan: Blueprint) -> Blueprint:
        """Give the server the mounts and ports asked for; what it is made with afterwards.

        Raises LocalError when it runs on as it was, InitFailedError when the next `up` has to finish.
        """
        try:
            return self._walk(seen, plan)
        except StoppedError as error:
            raise boot.half_made(self._machine, plan, self._inputs, error, STOPPED) from error
        except LocalError as error:
            raise self._back(plan, error) from error
        finally:
            ports.release(self._claims or {})

    def _walk(self, seen: Seen, plan: Blueprint) -> Blueprint:
        podman = self._machine.podman
        while True:
            plan = seen.plan or plan
            fit = fits(seen.container, plan, self._inputs)
            kept = seen.aside is not None and podman.has_image(disk_of(seen.aside))
            step = next_step(seen, fits=fit, disk_kept=kept)
            if step is Step.DONE:
                return plan
            self._machine.go_on(self._subject)
            self._take(step, seen, plan)
            seen = look(self._machine, seen.name)

    def _take(self, step: Step, seen: Seen, plan: Blueprint) -> None:
        podman, name, aside = self._machine.podman, seen.name, seen.name + ASIDE
        if step is Step.SET_ASIDE:
            self._published(plan)
            self._stop(name)
            podman.call("rename", name, aside, subject=self._subject)
        elif step is Step.KEEP_DISK and seen.aside:
            self._stop(aside)
            disk = disk_of(seen.aside)
            podman.call("commit", "--quiet", aside, disk, subject=self._subject, timeout=COMMIT_SECONDS)
        elif step is Step.MAKE and seen.aside:
            changed = replace(plan, published=self._published(plan))
            boot.create(self._machine, self._call, self._inputs, changed, disk_of(seen.aside))
        elif step is Step.UNMAKE:
            podman.remove_container(self._subject, 0, name)
        elif step is Step.START:
            ports.release(self._claims or {})
            boot.start(self._machine, self._call, self._inputs, name)
        elif step is Step.FORGET and seen.aside:
            podman.remove_container(self._subject, 0, aside)
            if seen.aside.image.startswith(f"{DISKS}:"):
                podman.remove_image(seen.aside.image, self._subject)

    def _stop(self, container: str) -> None:
        grace = boot.STOP_SECONDS
        self._machine.podman.call(
            "stop", "--time", str(grace), container, subject=self._subject, timeout=grace + 60.0
        )

    def _published(self, plan: Blueprint) -> dict[str, int]:
        """The port of this machine for each published one; those that are new are held from now on."""
        wishes = boot.port_wishes(self._inputs, plan)
        own = {plan.ssh_port, *plan.published.values()}
        chosen = {inside: wish.fixed or wish.kept for inside, wish in wishes.items()}
        if self._claims is None:
            new = {inside: wishes[inside] for inside, port in chosen.items() if port not in own}
            holders = (plan.container, plan.container + ASIDE)
            self._claims = ports.hold(self._machine, self._subject, self._call.urn, new, holders)
        held = {inside: claim.port for inside, claim in self._claims.items()}
        return {**{inside: port for inside, port in chosen.items() if port}, **held}

    def _back(self, plan: Blueprint, error: LocalError) -> Exception:
        """Start the server as it was, when its new container never ran; what to raise for the error."""
        try:
            seen = look(self._machine, plan.container)
            if seen.aside is not None and seen.container is not None and seen.container.state != "created":
                return boot.half_made(self._machine, plan, self._inputs, error, STOPPED)
            if seen.aside is not None:
                self._machine.podman.remove_container(self._subject, 0, plan.container)
                self._machine.podman.call("rename", plan.container + ASIDE, plan.container)
            boot.start(self._machine, self._call, self._inputs, plan.container)
        except LocalError as second:
            return boot.half_made(self._machine, plan, self._inputs, second, STOPPED)
        step = f"It runs as it was. {error.next_step}".rstrip()
        return LocalError(self._subject, error.message, place=error.place, got=error.got, next_step=step)


def remove_orphans(machine: Machine, subject: str, seen_since: float) -> None:
    """Disk images of servers that are gone: deleted ones, and those that a person removed by hand.

    Images are listed before containers: while a disk is of use, one of its server's containers exists. An
    list from before (`seen_since`, monotonic seconds) only leaves an orphan for the next call.
    """
    images = machine.disks.since(seen_since)
    alive = {one.name.removesuffix(ASIDE) for one in machine.containers.now()} if images else set()
    for image in images:
        if image.removeprefix(f"{DISKS}:").rsplit("-", 1)[0] not in alive:
            machine.podman.remove_image(image, subject)
