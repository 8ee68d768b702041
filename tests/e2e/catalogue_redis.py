"""Clients of the catalogue's Redis while something happens to it: one that stays connected, others that connect anew."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from orchestrator.supplies.logins import LoginBook
from tests.e2e.catalogue import RUN, STACK, Catalogue, asking, failures
from tests.e2e.catalogue_parts import redis
from tests.e2e.planted import processes
from tests.e2e.world import container_of

OWN = f'own "pass" w\'rd \\n $HOME `x` {RUN}'.replace(" ", "-")
"""A password of the user's own, with what other programs would read as something else."""
CONCERNED = ("--host", "store-1", "--host", "app-1", "--host", "app-2")
"""Who keeps Redis, and who has its password."""
CLIENT = r"""
import json, sys, threading
import redis
def connected():
    return redis.Redis(
        host="store-1", password=json.loads(sys.stdin.readline()), ssl=True, ssl_check_hostname=True,
        ssl_ca_certs="/etc/steward/authority.crt", single_connection_client=True, socket_timeout=10,
    )
"""
WRITE = (
    CLIENT
    + r"""
client, over = connected(), threading.Event()
first, wrote, failed = client.client_id(), 0, []
print("connected", flush=True)
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
while not over.wait(0.01):
    try:
        client.incr("written")
        wrote += 1
    except redis.RedisError as problem:
        failed.append(repr(problem))
print(json.dumps({"wrote": wrote, "failed": failed, "same": client.client_id() == first}))
"""
)
PING = (
    CLIENT
    + r"""
try:
    print("accepted" if connected().ping() else "no answer")
except (redis.AuthenticationError, redis.ResponseError) as problem:
    print(problem)
"""
)


@dataclass
class Watched:
    """What clients of Redis saw until a block ended."""

    run: str
    """Which start of Redis served before."""
    pinged: list[Any]
    """Answers of an application that connects anew for each request."""
    processes: set[str]
    told: dict[str, Any] = field(default_factory=dict)
    """Of the one connection that wrote from before the block to its end."""

    def interruptions(self, catalogue: Catalogue) -> list[str]:
        """All that a client could notice."""
        found = [*map(repr, failures(self.pinged)), *self.told["failed"]]
        found += [] if self.told["same"] else ["the connection was another one at the end"]
        return found + ([] if run_of(catalogue) == self.run else ["Redis was started again"])


@contextmanager
def watched(catalogue: Catalogue, password: str) -> Iterator[Watched]:
    """Clients on an application's server, by TLS, from before the block to its end."""
    argv = [
        "podman",
        "exec",
        "-i",
        container_of(catalogue.fleet, "app-1"),
        "python3",
        "-c",
        WRITE,
    ]
    before = run_of(catalogue)
    with (
        asking(catalogue, "/health", clients=2) as pinged,
        processes() as seen,
        subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running,
    ):
        assert running.stdin is not None
        assert running.stdout is not None
        running.stdin.write(f"{json.dumps(password)}\n")
        running.stdin.flush()
        assert running.stdout.readline() == "connected\n"
        found = Watched(before, pinged, seen)
        try:
            yield found
        finally:
            running.stdin.close()
            found.told.update(json.loads(running.stdout.readline() or "{}"))


def entered(catalogue: Catalogue, password: str) -> str:
    """`accepted`, or what Redis says to a new connection with this password."""
    container = container_of(catalogue.fleet, "app-1")
    argv = ["podman", "exec", "-i", container, "python3", "-c", PING]
    done = subprocess.run(
        argv, input=f"{json.dumps(password)}\n", capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


def run_of(catalogue: Catalogue) -> str:
    """Which start of Redis it is that serves."""
    asked = ("-p", "MainPID", "-p", "ExecMainStartTimestampMonotonic")
    return catalogue.inside("store-1", "systemctl", "show", *asked, "redis-server")


def in_users_file(catalogue: Catalogue) -> list[str]:
    """The passwords that Redis would take after a restart."""
    words = catalogue.inside("store-1", "cat", "/etc/redis/users.acl").split()
    return [word[1:] for word in words if word.startswith(">")]


def made_by_steward(catalogue: Catalogue) -> str:
    """The password that is in use unless a test wrote another into the fleet."""
    return LoginBook(catalogue.world.home / "keys" / STACK).password("orders_cache")


def give_it_its_own(catalogue: Catalogue, *, both: bool) -> None:
    """Write `OWN` into the fleet for Redis and applications, with the made one beside it or alone."""
    (catalogue.fleet.parent / "cache.password").write_text(f"{OWN}\n")
    made, own = "password: {generated: orders_cache}", "password: {file: cache.password}"
    beside = "\n          further_passwords: [{generated: orders_cache}]" if both else ""
    catalogue.change(
        **{
            "CACHE_PASSWORD: {generated: orders_cache}": "CACHE_PASSWORD: {file: cache.password}",
            f"          {made}": f"          {own}{beside}",
        }
    )


def changed_by_hand(catalogue: Catalogue) -> str:
    """A password that nobody wrote down, in the running server alone: what a converge says, and the way back."""
    redis(catalogue, "acl", "setuser", "default", "resetpass", ">nobody-wrote-it-down", password=OWN)
    catalogue.change()
    refused = catalogue.world.steward("configure", "--fleet", catalogue.fleet, "--host", "store-1")
    assert refused.code == 3, refused.all
    catalogue.inside("store-1", "systemctl", "stop", "redis-server")
    catalogue.world.ok("configure", "--fleet", catalogue.fleet, *CONCERNED)
    return refused.all
