"""Podman's command line: argument lists in, typed answers out, every call with a time limit.

The only file under `stacks` that starts programs.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stacks.providers.local import records
from stacks.providers.local.errors import LocalError
from stacks.providers.local.records import Container, Inspected, NetworkRecord, VolumeRecord

AT_ONCE = 8
"""Podman processes at one time: more only wait for each other's storage lock and eat the processors."""
ATTEMPTS = 6
IN_USE = "bind: address already in use"
TRANSIENT = (
    IN_USE,  # a port that another run tries: it holds it while it lists the containers
    "database is locked",
    "resource temporarily unavailable",
    "device or resource busy",  # a mount of a start that was killed
    "layer not known",
    "xtables lock",
    "netavark: iptables",
    "timed out waiting for file",
    "error acquiring lock",
    "locked by another process",
)
MISSING = ("no such container", "no such volume", "network not found", "no such object", "no such network")

INSTALL = {
    "podman": "On Debian: `apt-get install podman runc netavark aardvark-dns iptables nftables`, "
    "then `steward doctor`.",
    "nsenter": "On Debian: `apt-get install util-linux`.",
    "nft": "On Debian: `apt-get install nftables`.",
}


@dataclass(frozen=True)
class Finished:
    """A program that ended: exit code and what it wrote."""

    argv: tuple[str, ...]
    code: int
    stdout: bytes
    stderr: str

    @property
    def verb(self) -> str:
        """The subcommand: the first argument after the program that is no option."""
        return next((word for word in self.argv[1:] if not word.startswith("-")), "")


def execute(argv: Sequence[str], *, stdin: bytes | None = None, timeout: float = 60.0) -> Finished:
    """Run one program to its end; seconds for `timeout`. Raises LocalError when it is missing or too slow."""
    try:
        # A session of its own: Ctrl-C on the terminal must not kill a half done podman.
        ended = subprocess.run(
            list(argv), input=stdin, capture_output=True, timeout=timeout, check=False, start_new_session=True
        )
    except FileNotFoundError as error:
        raise LocalError(
            argv[0], "is not installed or not on PATH", place="PATH", next_step=INSTALL.get(argv[0], "")
        ) from error
    except subprocess.TimeoutExpired as error:
        raise LocalError(
            argv[0],
            f"`{argv[0]} {' '.join(argv[1:3])}` did not end within {timeout:.0f} s",
            next_step="The machine may be overloaded: run the same command again.",
        ) from error
    return Finished(
        tuple(argv), ended.returncode, ended.stdout, ended.stderr.decode(errors="replace").strip()
    )


class Podman:
    """The calls the provider needs, safe to use from many threads."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._gate = threading.BoundedSemaphore(AT_ONCE)

    def call(
        self, *args: str, subject: str = "podman", stdin: bytes | None = None, timeout: float = 60.0
    ) -> Finished:
        """One podman command; transient lock errors are tried again, other failures raise LocalError."""
        ended = self.attempt(*args, stdin=stdin, timeout=timeout)
        if ended.code != 0:
            how = (
                f"failed with exit code {ended.code}"
                if ended.code > 0
                else f"was killed by signal {-ended.code}"
            )
            raise LocalError(
                subject,
                f"`podman {ended.verb}` {how}",
                place="podman",
                got=what_it_said(ended.stderr),
                next_step="Run `steward doctor`; `podman ps -a` shows what is there.",
            )
        return ended

    def attempt(self, *args: str, stdin: bytes | None = None, timeout: float = 60.0) -> Finished:
        """One podman command whose failure the caller judges; transient lock errors are tried again."""
        for attempt in range(1, ATTEMPTS):
            with self._gate:
                ended = execute(("podman", *args), stdin=stdin, timeout=timeout)
            if ended.code == 0 or not any(text in ended.stderr.lower() for text in TRANSIENT):
                return ended
            if self._stop.wait(0.05 * 2**attempt):
                return ended
        with self._gate:
            return execute(("podman", *args), stdin=stdin, timeout=timeout)

    def installed(self) -> bool:
        """Whether the program is on PATH."""
        return shutil.which("podman") is not None

    def runtimes(self) -> tuple[str, ...]:
        """The OCI runtimes on this machine, Podman's own choice first."""
        preferred = str(self.about().get("host", {}).get("ociRuntime", {}).get("name", ""))
        named = [preferred, "crun", "runc"]
        return tuple(dict.fromkeys(name for name in named if name and shutil.which(name)))

    def about(self) -> dict[str, Any]:
        """`podman info`: control groups, rootless or not, runtime."""
        facts = self._json("info", "--format", "json")
        return facts if isinstance(facts, dict) else {}

    def has_image(self, reference: str) -> bool:
        """Whether the image is in local storage."""
        return self.attempt("image", "exists", reference).code == 0

    def image_labels(self, reference: str) -> dict[str, str]:
        """The labels of an image in local storage; none of one that is not there."""
        found = self.attempt("image", "inspect", "--format", "{{json .Labels}}", reference)
        labels = _parse(found) if found.code == 0 else None
        return {str(key): str(text) for key, text in labels.items()} if isinstance(labels, dict) else {}

    def images(self, pattern: str) -> tuple[str, ...]:
        """The names of all images that match."""
        listed = self._json("image", "ls", "--filter", f"reference={pattern}", "--format", "json")
        return tuple(str(name) for record in listed or [] for name in record.get("Names") or [])

    def remove_image(self, reference: str, subject: str) -> None:
        """Remove an image's name, and the image when nothing is made from it; one that is gone is fine."""
        self.call("image", "rm", "--ignore", reference, subject=subject)

    def containers(self) -> tuple[Container, ...]:
        """Every container of this user, stopped ones too."""
        return tuple(
            records.container(record) for record in self._json("ps", "--all", "--format", "json") or []
        )

    def container(self, name: str) -> Inspected | None:
        """One container by its name, or None."""
        return self.named(name).get(name)

    def named(self, *names: str) -> dict[str, Inspected]:
        """Those of the named containers that exist, by name."""
        found = self.attempt("container", "inspect", *names)
        if found.code != 0:
            _refuse_unless_missing(found, names[0])
        return {one.name: one for one in map(records.inspected, _parse(found) or [])}

    def networks(self) -> tuple[NetworkRecord, ...]:
        """Every network of this user."""
        return tuple(
            records.network(record) for record in self._json("network", "ls", "--format", "json") or []
        )

    def volumes(self) -> tuple[VolumeRecord, ...]:
        """Every volume of this user."""
        return tuple(
            records.volume(record) for record in self._json("volume", "ls", "--format", "json") or []
        )

    def inside(self, name: str, *argv: str, stdin: bytes | None = None, timeout: float = 30.0) -> Finished:
        """One command inside a running container."""
        interactive = () if stdin is None else ("--interactive",)
        return self.attempt("exec", *interactive, name, *argv, stdin=stdin, timeout=timeout)

    def remove(self, kind: str, name: str, subject: str) -> None:
        """Remove a network or volume; one that is gone already is fine, one in use raises LocalError."""
        ended = self.attempt(kind, "rm", name)
        if ended.code != 0:
            _refuse_unless_missing(ended, subject)

    def remove_container(self, subject: str, grace: int, *names: str) -> None:
        """Stop (at most `grace` seconds) and remove containers; those that are gone already are fine."""
        self.call(
            "rm", "--force", "--ignore", "--time", str(grace), *names, subject=subject, timeout=grace + 60.0
        )

    def _json(self, *args: str) -> Any:
        return _parse(self.call(*args))


def _parse(ended: Finished) -> Any:
    try:
        return json.loads(ended.stdout or b"null")
    except ValueError as error:
        raise LocalError(
            "podman",
            f"`podman {ended.verb}` did not answer in JSON",
            next_step="Podman 4.3 or newer is wanted: see `podman --version`.",
        ) from error


def _refuse_unless_missing(ended: Finished, subject: str) -> None:
    if not any(text in ended.stderr.lower() for text in MISSING):
        raise LocalError(
            subject,
            f"`{' '.join(ended.argv[:3])}` failed with exit code {ended.code}",
            place="podman",
            got=what_it_said(ended.stderr),
            next_step="`podman ps -a` shows the containers that may still use it.",
        )


def what_it_said(text: str) -> str:
    """The end of an error text, bounded, because hosts and tools may write anything."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith("Error")] or lines
    return told[-1][-400:] if told else "no message"
