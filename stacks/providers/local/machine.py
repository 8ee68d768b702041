"""The control machine as the provider sees it: Podman, what is taken, limits, and the stop flag."""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network
from pathlib import Path

from stacks.providers.local import addresses, sources
from stacks.providers.local.errors import LocalError, StoppedError
from stacks.providers.local.listing import Listing
from stacks.providers.local.podman import Podman
from stacks.providers.local.records import Container, NetworkRecord

VIEW_SECONDS = 5.0
"""How old a look may be that only warns; whatever is chosen is compared with a fresh one."""
DISKS = "localhost/steward/disk"
"""The images that hold the disks of servers whose container was made again."""
INOTIFY_PER_SERVER = 5
"""Instances one systemd server takes; measured."""


@dataclass(frozen=True)
class View:
    """What is on the machine; checks share it, so that 300 of them cost one look every few seconds."""

    containers: tuple[Container, ...]
    networks: tuple[NetworkRecord, ...]

    def subnets(self, own: Collection[str] = ()) -> list[tuple[str, IPv4Network]]:
        """Podman's networks but for `own`, and the machine's routes, each with a name to tell a person."""
        bridges = {network.interface for network in self.networks}
        table = Path("/proc/net/route").read_text()
        routed = [(f"route of {name}", net) for name, net in addresses.routes(table) if name not in bridges]
        others = [one for one in self.networks if one.name not in own]
        return routed + [(_whose(one), net) for one in others for net in one.subnets]


def _whose(network: NetworkRecord) -> str:
    """`network lan of acme-prod (podman network ...)`: stacks of other users and installations too."""
    marks = network.labels
    named = f"podman network {network.name}"
    if marks.get("steward.kind") != "network":
        return named
    urn, stack = marks.get("steward.urn", ""), marks.get("steward.stack", "")
    gone = f"`podman network rm {network.name}` if that fleet is gone for good"
    return f"network {urn.rsplit('::', 1)[-1]} of {stack} ({gone})"


@dataclass(frozen=True)
class Limits:
    """What this machine lets a container have."""

    cgroups: bool
    """Processor and memory limits are enforced."""
    open_files: int
    processes: int


class Machine:
    """Everything the resources share; safe to use from many threads."""

    def __init__(self, note: Callable[[str, str], None] | None = None) -> None:
        self.stop = threading.Event()
        self.podman = Podman(self.stop)
        self.lock = threading.Lock()
        self.containers = Listing(self.podman.containers)
        self.networks = Listing(self.podman.networks)
        self.volumes = Listing(self.podman.volumes)
        self.disks = Listing(lambda: self.podman.images(f"{DISKS}:*"))
        self.sources = Listing(lambda: sources.load(self.podman))
        self.claims: dict[str, str] = {}
        """What a check or create of this process has set aside: address or port -> URN."""
        self._note = note or _to_stderr
        self._noted: set[str] = set()
        self._images: set[str] = set()
        self._bases: dict[str, str] = {}

    def note(self, text: str, urn: str) -> None:
        """Tell the person at the engine something about this machine, once for all resources."""
        self._once(text, text, urn)

    def tell(self, text: str, urn: str) -> None:
        """Tell the person at the engine something about one resource, once."""
        self._once(f"{urn} {text}", text, urn)

    def _once(self, key: str, text: str, urn: str) -> None:
        with self.lock:
            if key in self._noted:
                return
            self._noted.add(key)
        self._note(text, urn)

    def go_on(self, subject: str) -> None:
        """Raises StoppedError once the engine has asked us to stop."""
        if self.stop.is_set():
            raise StoppedError(
                subject, "stopped on request", next_step="Run `up` again: it goes on from here."
            )

    def view(self) -> View:
        """A look at the machine at most a few seconds old."""
        since = time.monotonic() - VIEW_SECONDS
        return View(self.containers.since(since), self.networks.since(since))

    def claim(self, what: str, urn: str) -> str:
        """Set an address or port aside for a resource; the URN that has it already, or nothing."""
        with self.lock:
            holder = self.claims.setdefault(what, urn)
        return "" if holder == urn else holder

    def release(self, what: str, urn: str) -> None:
        """Give a claim back."""
        with self.lock:
            if self.claims.get(what) == urn:
                del self.claims[what]

    def image(self, subject: str, name: str) -> str:
        """The Podman reference of a base image. Raises LocalError when it was never built."""
        root = os.environ.get("STEWARD_TOOLCHAIN_ROOT", "")
        table = _image_table(subject, root)
        reference = table.get(name, "")
        known = ", ".join(sorted(key for key in table if key != "runtime")) or "none"
        if not reference:
            raise LocalError(
                subject,
                f"no base image named {name!r}; known: {known}",
                place="image",
                next_step='Run `steward setup`, then use `steward` or `eval "$(steward env --fleet FILE)"`.',
            )
        if reference not in self._images and not self.podman.has_image(reference):
            raise LocalError(
                subject,
                f"the base image {reference} is not in Podman's storage",
                place="image",
                next_step="Run `steward setup`.",
            )
        self._images.add(reference)
        return reference

    def image_base(self, reference: str) -> str:
        """What base image a prepared image was made from, asked once; nothing for one that is gone."""
        if reference not in self._bases:
            found = self.podman.image_labels(reference).get("steward.base", "")
            with self.lock:
                self._bases[reference] = found
        return self._bases[reference]

    @cached_property
    def runtime(self) -> str:
        """The OCI runtime that can start a container here: told by set-up, else tried."""
        table = _image_table("podman", os.environ.get("STEWARD_TOOLCHAIN_ROOT", ""))
        if table.get("runtime"):
            return table["runtime"]
        found = self.podman.runtimes()
        image = next(iter(self._images), "")
        if len(found) > 1 and image:
            for name in found:
                if self.podman.attempt(f"--runtime={name}", "run", "--rm", image, "/bin/true").code == 0:
                    return name
        return found[0] if found else ""

    @cached_property
    def limits(self) -> Limits:
        """Asked once: control groups from Podman, the rest from our own hard limits."""
        host = self.podman.about().get("host", {})
        controllers = host.get("cgroupControllers") or []
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        processes = resource.getrlimit(resource.RLIMIT_NPROC)[1]
        return Limits(
            cgroups="memory" in controllers and "cpu" in controllers,
            open_files=min(files, 65536) if files > 0 else 65536,
            processes=min(processes, 32768) if processes > 0 else 32768,
        )

    def inotify_problem(self, new_servers: int) -> str:
        """A sentence when the kernel's inotify limit is too low for this many more, or nothing."""
        limit = int(Path("/proc/sys/fs/inotify/max_user_instances").read_text())
        running = sum(container.state == "running" for container in self.view().containers)
        wanted = (running + new_servers) * INOTIFY_PER_SERVER + 10
        if wanted <= limit:
            return ""
        return (
            f"fs.inotify.max_user_instances is {limit}, and {running} running containers plus {new_servers} "
            f"new ones need about {wanted}: systemd in them would hang. "
            f"As root: `sysctl -w fs.inotify.max_user_instances={max(8192, wanted)}`, or `steward setup`."
        )


def _to_stderr(text: str, urn: str) -> None:
    sys.stderr.write(f"{urn}: {text}\n")


def _image_table(subject: str, root: str) -> dict[str, str]:
    """The base images that set-up recorded: name -> Podman reference, and perhaps `runtime`."""
    path = Path(root or "/nonexistent") / "image.json"
    try:
        table = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise LocalError(
            subject, f"{path} cannot be read: {error}", place="image", next_step="Run `steward setup`."
        ) from error
    return {str(key): str(value) for key, value in table.items()} if isinstance(table, dict) else {}
