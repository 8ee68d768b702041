"""What the tests of the catalogue bring along: certificates and tarballs of others, requests under a name, a kill."""

from __future__ import annotations

import hashlib
import http.client
import socket
import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from email.message import Message
from pathlib import Path
from typing import Any

from stacks.fleet.service import Maintenance
from stacks.fleet.window import opening
from tests.e2e.catalogue import SECRETS, STACK, Catalogue, ask, authority


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


def redis(catalogue: Catalogue, *words: str) -> str:
    """One command's answer from Redis, as its own client gives it."""
    password = SECRETS["ORDERS_CACHE_PASSWORD"]
    tls = ["--tls", "--cacert", "/etc/redis/authority.crt", "--no-auth-warning", "-a", password]
    return catalogue.inside("store-1", "redis-cli", *tls, *words).strip()


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
