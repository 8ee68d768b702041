"""The second example fleet in a project of its own, and clients that ask while something happens to it."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from tests.e2e.world import ROOT, World, container_of, on_host

SECRETS = {
    "ORDERS_CACHE_PASSWORD": "cache-password-0123456789",
    "ORDERS_REPORTS_PASSWORD": 'reports "pass" w\'rd $HOME `x` \\n',
}
CHANGES = {
    "client: acme": "client: shelf",
    "10.43.0": "10.74.0",
    "      - node_exporter\n": "      - node_exporter\n      - greeting\n",
}
PROJECT = """\
name: steward
runtime: python
main: stacks
stackConfigDir: stacks/config
plugins: {{providers: [{{name: local, path: {root}/stacks/providers/local}}]}}
"""
SAME = 8
"""Clients that ask at the same time."""


@dataclass
class Catalogue:
    """The fleet, up and proven once."""

    world: World
    fleet: Path
    first: dict[str, Any]

    def change(self, **changes: str) -> None:
        """Write the fleet again with other words; nothing stays of earlier changes."""
        text = self.text
        for old, new in changes.items():
            assert old in text, old
            text = text.replace(old, new)
        self.fleet.write_text(text)

    def __post_init__(self) -> None:
        self.text = self.fleet.read_text()

    def inside(self, server: str, *argv: str, check: bool = True) -> str:
        """A command as root on a server."""
        return on_host(container_of(self.world, self.fleet, server), *argv, check=check)

    def url(self, port: str) -> str:
        """Where the edge server's port is published."""
        exported = json.loads(self.world.shell("pulumi stack output fleet --json", self.fleet).out)
        return str(
            next(s for s in exported["servers"] if s["name"] == "edge-1")["published"][port]
        ).partition(".")[0]


def release(work: Path, tag: str, old: str, new: str) -> None:
    """One more tag of the example application."""
    text = (work / "server.py").read_text()
    assert old in text
    (work / "server.py").write_text(text.replace(old, new))
    git(work, "add", "-A")
    git(work, "commit", "-qm", tag)
    git(work, "tag", tag)


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=t", "-c", "user.email=t@t.example"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def repository(folder: Path) -> None:
    """A bare repository with a good release, a newer good one and one that cannot start."""
    work = folder / "work"
    shutil.copytree(ROOT / "tests" / "fleets" / "orders", work)
    git(work, "init", "-q", "-b", "main", ".")
    release(work, "v1.0.0", "v1.0.0", "v1.0.0")
    release(work, "v1.1.0", 'RELEASE = "v1.0.0"', 'RELEASE = "v1.1.0"')
    release(work, "v1.2.0", 'os.environ.get("BROKEN")', "True")
    git(work, "clone", "-q", "--bare", ".", str(folder / "examples" / "orders.git"))


def authority(catalogue: Catalogue) -> ssl.SSLContext:
    """Trusts the stack's own authority and nobody else."""
    pem = (catalogue.world.home / "keys" / "shelf-catalogue" / "tls" / "authority.pem").read_text()
    return ssl.create_default_context(cadata=pem.partition("-----BEGIN PRIVATE")[0])


def ask(catalogue: Catalogue, path: str, context: ssl.SSLContext, port: str) -> dict[str, Any]:
    """A request through TLS, nginx and the application."""
    with urllib.request.urlopen(f"https://localhost:{port}{path}", context=context, timeout=30) as answer:
        assert answer.status == 200
        return dict(json.loads(answer.read()))


@contextmanager
def asking(catalogue: Catalogue, path: str, clients: int = SAME) -> Iterator[list[Any]]:
    """Clients that ask without a pause while something happens; every answer or error, in the end."""
    context, port, over = authority(catalogue), catalogue.url("443"), Event()
    seen: list[Any] = []

    def client(number: int) -> None:
        mine = "/slow" if number == 0 else path
        while not over.is_set():
            try:
                seen.append(ask(catalogue, mine, context, port))
            except Exception as problem:  # noqa: BLE001  # any at all is a dropped request
                seen.append(problem)

    with ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(client, number) for number in range(clients)]
        try:
            yield seen
        finally:
            over.set()
    for each in running:
        each.result()


def failures(seen: list[Any]) -> list[Any]:
    return [each for each in seen if isinstance(each, Exception)]
