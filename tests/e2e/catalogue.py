"""The second example fleet in a project of its own, and clients that ask while something happens to it."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from orchestrator.provisioning.credentials import admin_key
from orchestrator.supplies.logins import LoginBook
from tests.e2e.world import ROOT, STEWARD, World, container_of, on_host

RUN = secrets.token_hex(4)
"""In every secret, because another run on this machine has ones like them in its processes."""
PEM = f"""\
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIHBsYW50ZWQtaW4{RUN}tdGhlLWNh
b2d1ZS1mbGVldC1mb3ItYW4t{RUN}YXBwbGljYXRpb24taXRz
-----END PRIVATE KEY-----
"""
SECRETS = {
    "ORDERS_API_TOKEN": f"ghp_planted0123456789abcdef{RUN}",
    "ORDERS_DATABASE_URL": f"postgresql://other:pl%40nted-{RUN}@db.example/orders?sslmode=require",
    "ORDERS_SERVICE_ACCOUNT": f'{{"private_key_id": "planted-in-json-{RUN}", "n": 1}}',
    "ORDERS_WORDS": f"correct horse battery planted {RUN}",
    "ORDERS_WORLD": f"pl\u00e4nted-\u2713-w\u00f6rld-{RUN}",
    "ORDERS_MARKUP": f"<b>&amp;planted-{RUN}</b>{{{{ 7 * 7 }}}}${{HOME}}%n",
    "ORDERS_REPORTS_PASSWORD": f'reports "pass" w\'rd $HOME `x` \\n {RUN}',
}
CHANGES = {
    "client: acme": "client: shelf",
    "git: examples/orders.git": "git: {env: ORDERS_GIT_URL}",
    "            CACHE_PASSWORD:": """\
            API_TOKEN: {env: ORDERS_API_TOKEN}
            OTHER_DATABASE: {env: ORDERS_DATABASE_URL}
            SERVICE_ACCOUNT: {env: ORDERS_SERVICE_ACCOUNT}
            WORDS: {env: ORDERS_WORDS}
            WORLD: {env: ORDERS_WORLD}
            MARKUP: {env: ORDERS_MARKUP}
            SIGNING_KEY: {file: signing.pem}
            CACHE_PASSWORD:""",
    "10.43.0": "10.74.0",
    "      - node_exporter\n": "      - node_exporter\n      - greeting\n",
    "              proxy: {servers: app, port: 8000}\n": "              proxy: {servers: app, port: 8000}\n              redirect_from: 80\n",
    "              manual: debian-reference\n": (
        "              manual: debian-reference\n"
        "            - {name: pay, server_names: [pay.example], tls: given, root: /var/www/pay,\n"
        "               certificate: {file: pay.crt}, certificate_key: {file: pay.key}}\n"
    ),
}
PROJECT = """\
name: steward
runtime: python
main: stacks
stackConfigDir: stacks/config
plugins: {{providers: [{{name: local, path: {root}/stacks/providers/local}}]}}
"""
GIVEN = ("python3 server.py", "/usr/bin/python3 server.py", "/bin/sh /opt/orders/current/start",
         f"{sys.executable} {STEWARD}")  # fmt: skip
"""Command lines of those to whom secrets are given by their environment: the application, and steward itself."""
_HOST_KEY = {"/etc/ssh/ssh_host_ed25519_key": "600 root"}
HELD = {
    "edge-1": ({"edge-1.pem"}, {r"/etc/nginx/tls/orders.pem": "600 root", **_HOST_KEY}),
    "app-1": (
        {*(name for name in SECRETS if name != "ORDERS_REPORTS_PASSWORD"), "signing key", "orders_app", "orders_cache"},
        {r"/opt/orders/releases/[^/]+/environment": "600 root", **_HOST_KEY},
    ),
    "store-1": ({"orders_cache", "store-1.pem"}, {
        r"/etc/redis/(users.acl|tls.key)": "640 root", r"/etc/postgresql/15/main/server.pem": "600 postgres",
        **_HOST_KEY,
    }),
}  # fmt: skip
"""By server: the kinds of secrets that it holds, and the files that may, with mode and owner."""
STACK = "shelf-catalogue"
SAME = 8
"""Clients that ask at the same time."""


@dataclass
class Catalogue:
    """The fleet, up and proven once."""

    world: World
    fleet: Path
    first: dict[str, Any]
    planted: dict[str, str]
    """Every secret that was given to it, by kind."""
    processes: set[str]
    """Arguments and environments of what ran while it came up."""
    said: str
    """Both streams of that."""

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
        return on_host(container_of(self.fleet, server), *argv, check=check)

    def url(self, port: str) -> str:
        """Where the edge server's port is published."""
        exported = json.loads(self.world.shell("pulumi stack output fleet --json", self.fleet).out)
        return str(
            next(s for s in exported["servers"] if s["name"] == "edge-1")["published"][port]
        ).partition(".")[0]


def secrets_of(catalogue: Catalogue) -> dict[str, str]:
    """All that was planted and all that Steward made for this stack, by kind."""
    keys = catalogue.world.home / "keys" / STACK
    private = re.compile("-----BEGIN PRIVATE KEY-----\n.*\n.*\n")  # what follows is the public half alone
    return {
        **catalogue.planted,
        **{path.name: private.findall(path.read_text())[0] for path in (keys / "tls").iterdir()},
        **{f"host key of {each}": catalogue.inside(each, "cat", *_HOST_KEY) for each in HELD},
        **{name: LoginBook(keys).password(name) for name in ("orders_app", "orders_cache")},
        "admin key": admin_key(keys).private.read_text(),
        "passphrase": (keys / "passphrase").read_text(),
    }


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
    pem = (catalogue.world.home / "keys" / STACK / "tls" / "authority.pem").read_text()
    return ssl.create_default_context(cadata=pem.partition("-----BEGIN PRIVATE")[0])


def ask(catalogue: Catalogue, path: str, context: ssl.SSLContext, port: str) -> dict[str, Any]:
    """A request through TLS, nginx and the application."""
    with urllib.request.urlopen(f"https://localhost:{port}{path}", context=context, timeout=30) as answer:
        assert answer.status == 200
        return dict(json.loads(answer.read()))


@contextmanager
def asking(catalogue: Catalogue, path: str, clients: int = SAME) -> Iterator[list[Any]]:
    """Clients that ask four times a second while something happens; every answer or error, in the end."""
    context, port, over = authority(catalogue), catalogue.url("443"), Event()
    seen: list[Any] = []

    def client(number: int) -> None:
        mine = "/slow" if number == 0 else path
        while not over.wait(0.25):
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
