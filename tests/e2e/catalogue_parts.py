"""What the tests of the catalogue bring along: certificates and tarballs of others, requests under a name, a kill."""

from __future__ import annotations

import hashlib
import http.client
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import Message
from pathlib import Path
from typing import Any

from orchestrator.supplies.logins import LoginBook
from stacks.fleet.service import Maintenance
from stacks.fleet.window import opening
from tests.e2e.catalogue import (
    CHANGES,
    PEM,
    PROJECT,
    SECRETS,
    STACK,
    Catalogue,
    ask,
    authority,
    repository,
)
from tests.e2e.planted import processes
from tests.e2e.world import ROOT, World, container_of, unfolded_document
from tests.git_server import QUOTED, TOKEN, serving


def openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def self_signed(folder: Path, name: str, host: str) -> None:
    """A certificate of the user's own, and its key."""
    openssl(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj", f"/CN={host}",
        "-addext", f"subjectAltName=DNS:{host}", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt",
    )  # fmt: skip


def signed(folder: Path, name: str, host: str, authority: Path) -> None:
    """A certificate of the user's own that those who trust the stack's authority accept."""
    request, names = folder / f"{name}.csr", folder / f"{name}.ext"
    names.write_text(f"subjectAltName=DNS:{host}")
    openssl(
        "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}", "-keyout", folder / f"{name}.key",
        "-out", request,
    )  # fmt: skip
    openssl(
        "x509", "-req", "-in", request, "-CA", authority, "-CAkey", authority, "-days", "30", "-extfile", names, "-out", folder / f"{name}.crt",
    )  # fmt: skip


def tarball(folder: Path, tag: str) -> str:
    """The code of a tag as somebody else would publish it, beside the fleet; its digest."""
    packed = subprocess.run(
        ["git", "archive", "--format=tar.gz", "--prefix=orders-x/", tag],
        cwd=folder / "work",
        check=True,
        capture_output=True,
    )
    (folder / "orders.tar.gz").write_bytes(packed.stdout)
    return hashlib.sha256(packed.stdout).hexdigest()


@contextmanager
def raised(folder: Path) -> Iterator[Catalogue]:
    """A project of its own with one own role, its fleet up; destroyed at the end."""
    project = folder / "project"
    (project / "stacks" / "config").mkdir(parents=True)
    shutil.copy(ROOT / "stacks" / "__main__.py", project / "stacks")
    (project / "Pulumi.yaml").write_text(PROJECT.format(root=ROOT))
    shutil.copytree(ROOT / "tests" / "fleets" / "own" / "roles", project / "roles")
    repository(folder)
    (folder / "signing.pem").write_text(PEM)
    self_signed(folder, "pay", "pay.example")
    with serving(folder / "examples", folder / "git") as (address, trusted):
        given = {**SECRETS, "ORDERS_GIT_URL": f"https://ci:{QUOTED}@{address}/orders.git"}
        more = {"STEWARD_PROJECT": str(project), "GIT_SSL_CAINFO": str(trusted)}
        world = World(folder, {**given, **more})
        fleet = world.example("catalogue.yaml", CHANGES)
        try:
            with processes(("cmdline", "environ")) as seen:
                done = world.steward("up", "--fleet", fleet, "--json", seconds=1_200)
            assert done.code == 0, done.all
            planted = {**given, "token in a URL": TOKEN, "signing key": PEM}
            yield Catalogue(world, fleet, unfolded_document(done.out), planted, seen, done.all)
        finally:
            world.steward("destroy", "--fleet", fleet)


def visit(port: str, name: str, path: str, context: ssl.SSLContext | None = None) -> tuple[int, Message, str]:
    """Status, headers and page of one request under a host name, wherever that leads; no redirect is followed."""
    with socket.create_connection(("localhost", int(port)), timeout=30) as plain:
        connection = http.client.HTTPConnection(name, timeout=30)
        connection.sock = context.wrap_socket(plain, server_hostname=name) if context else plain
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()


READ, WRITE = "select count(*) from orders", "insert into orders default values"


def may(catalogue: Catalogue, statement: str) -> bool:
    """Whether the user `reports` may."""
    text = f"set role reports; {statement}"
    argv = ["runuser", "-u", "postgres", "--", "psql", "-v", "ON_ERROR_STOP=1", "-XAtqc", text, "orders"]
    return "DENIED" not in catalogue.inside("store-1", "sh", "-c", '"$@" || echo DENIED', "sh", *argv)


def is_closed(report: dict[str, Any]) -> bool:
    """Whether the example's window was shut when the run began."""
    began = datetime.fromisoformat(report["started_at"])
    return not opening(Maintenance(window="Sun 02:00-04:00", timezone="Europe/Berlin"), began).holds(began)


def closed_window() -> str:
    """An hour in two days: shut now, whatever day it is."""
    return f"{datetime.now(UTC) + timedelta(days=2):%a} 12:00-13:00"


def redis(catalogue: Catalogue, *words: str, password: str = "") -> str:
    """One command's answer from Redis, as its own client gives it; with the password that Steward made unless told."""
    password = password or LoginBook(catalogue.world.home / "keys" / STACK).password("orders_cache")
    ask = 'read -r REDISCLI_AUTH && export REDISCLI_AUTH && exec redis-cli --tls --cacert /etc/redis/authority.crt "$@"'
    container = container_of(catalogue.fleet, "store-1")
    argv = ["podman", "exec", "-i", container, "sh", "-c", ask, "sh", *words]
    done = subprocess.run(argv, input=f"{password}\n", capture_output=True, text=True, check=True)
    return done.stdout.strip()


def change_store(catalogue: Catalogue) -> list[bool]:
    """The store's roles changed in one converge: no grant, a certificate of the user's own, snapshots; what was granted before."""
    ask(catalogue, "/orders", authority(catalogue), catalogue.url("443"))  # which makes the table
    before = [may(catalogue, statement) for statement in (READ, WRITE)]
    assert redis(catalogue, "set", "carried", "yes") == "OK"
    folder = catalogue.fleet.parent
    signed(folder, "store", "store-1", catalogue.world.home / "keys" / STACK / "tls" / "authority.pem")
    lost = "          grants:\n            - {user: reports, database: orders, access: read}\n"
    own = "          certificate: {file: store.crt}\n          certificate_key: {file: store.key}\n"
    kept = "          eviction: allkeys-lru\n"
    catalogue.change(**{lost: own, kept: f"{kept}          persistence: snapshots\n"})
    done = catalogue.world.steward("configure", "--fleet", catalogue.fleet, "--host", "store-1")
    assert done.code == 0, done.all
    return before
