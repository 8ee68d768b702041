"""20 servers and 50 networks in one `pulumi up` against the same Podman commands at the same parallelism.

    .venv/bin/python -m tests.benchmarks.provision [--rounds 3] [--servers 20] [--networks 50] [--parallel 16]

Ours is the on-disk program with its policy pack, as `steward env` gives it to a person: state, firewalls and waiting
included. Bare is `podman network create`, `podman create`, `podman cp` of keys, `podman start`, and a connection
until SSH introduces itself. Neither pays for a preview or for taking things down again.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestrator.settings import load_settings
from orchestrator.toolchain.environment import Toolchain, load_toolchain
from stacks.providers.local import boot, hostkeys, injection
from stacks.providers.local.machine import Machine
from tests.benchmarks.pairs import in_turn, seconds

STEWARD = str(Path(sys.executable).parent / "steward")
BOUND = "<= 2.00"


@dataclass(frozen=True)
class Size:
    """How much is made, and how many things at a time."""

    servers: int
    networks: int
    parallel: int


def main() -> None:
    """Print the ratio."""
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--servers", type=int, default=20)
    options.add_argument("--networks", type=int, default=50)
    options.add_argument("--parallel", type=int, default=16)
    chosen = options.parse_args()
    size = Size(chosen.servers, chosen.networks, chosen.parallel)
    toolchain = load_toolchain(load_settings())
    with our_stack(size) as ours:
        pair = in_turn(
            f"up of {size.servers} servers, {size.networks} networks",
            chosen.rounds,
            ours,
            lambda: bare(size, toolchain),
        )
    print(pair.line(BOUND))


def fleet_text(size: Size, environment: str) -> str:
    """A fleet of small servers, one group a network, and the rest of the networks empty."""
    networks = "".join(f"  n{n}: {{cidr: 10.66.{n}.0/24}}\n" for n in range(size.networks))
    servers = "".join(
        f"  s{n}:\n    size: small\n    network: n{n % size.networks}\n    roles: []\n"
        for n in range(size.servers)
    )
    head = f"version: 1\nclient: bench\nenvironment: {environment}\nowner: bench@bench.example\nprovider: local\n"
    service = (
        "services:\n  all: {purpose: Bench, owner: bench@bench.example, availability: {target_percent: 99}, "
    )
    groups = f"servers: [{', '.join(f's{n}' for n in range(size.servers))}]}}\n"
    return f"{head}region: local-1\nprofile: demo\n{service}{groups}networks:\n{networks}servers:\n{servers}"


@contextmanager
def our_stack(size: Size) -> Iterator[Callable[[], float]]:
    """One `pulumi up` in a state folder of its own, in seconds; each call takes down what it made."""
    with tempfile.TemporaryDirectory() as scratch:
        name = f"p{secrets.token_hex(4)}"  # two runs at one time have two configuration files
        fleet = Path(scratch) / "fleet.yaml"
        fleet.write_text(fleet_text(size, name))
        config = load_settings().project / "stacks" / "config" / f"Pulumi.bench-{name}.yaml"
        home = {**os.environ, "STEWARD_HOME": f"{scratch}/home"}
        told = quiet([STEWARD, "env", "--fleet", str(fleet), "--json"], home)
        environment = {**home, **json.loads(told)["environment"]}
        program = str(load_toolchain(load_settings()).pulumi)

        def pulumi(*words: str) -> None:
            quiet([program, *words], environment)

        def up() -> float:
            try:
                return seconds(
                    lambda: pulumi("up", "--yes", "--skip-preview", "--parallel", str(size.parallel))
                )
            finally:
                pulumi("destroy", "--yes", "--skip-preview", "--parallel", str(size.parallel))

        try:
            yield up
        finally:
            config.unlink(missing_ok=True)


def bare(size: Size, toolchain: Toolchain) -> float:
    """The same with nothing but Podman, in seconds; takes down what it made."""
    mark = f"bench-{secrets.token_hex(3)}"
    machine, image = Machine(), toolchain.images["debian-12"]
    key = hostkeys.make()
    try:
        began = time.perf_counter()
        with ThreadPoolExecutor(size.parallel) as pool:
            list(pool.map(lambda n: bare_network(mark, n), range(size.networks)))
            list(
                pool.map(
                    lambda n: bare_server(machine, toolchain, image, key, mark, n, size), range(size.servers)
                )
            )
        return time.perf_counter() - began
    finally:
        with ThreadPoolExecutor(size.parallel) as pool:
            list(
                pool.map(
                    lambda n: podman("rm", "--force", "--time", "0", f"{mark}-s{n}"), range(size.servers)
                )
            )
            list(pool.map(lambda n: podman("network", "rm", f"{mark}-n{n}"), range(size.networks)))


def bare_network(mark: str, number: int) -> None:
    """One bridge."""
    podman("network", "create", "--subnet", f"10.67.{number}.0/24", f"{mark}-n{number}")


def bare_server(
    machine: Machine,
    toolchain: Toolchain,
    image: str,
    key: hostkeys.HostKey,
    mark: str,
    number: int,
    size: Size,
) -> None:
    """One container with systemd whose SSH answers."""
    name, port = f"{mark}-s{number}", 31000 + number
    files, processes = machine.limits.open_files, machine.limits.processes
    podman(
        f"--runtime={toolchain.runtime}", "create", "--name", name, "--hostname", f"s{number}", "--systemd=always",
        "--cap-add", "NET_ADMIN", "--cap-add", "AUDIT_WRITE",
        "--ulimit", f"nofile={files}:{files}", "--ulimit", f"nproc={processes}:{processes}",
        "--network", f"{mark}-n{number % size.networks}", "--publish", f"127.0.0.1:{port}:22", image, "/sbin/init",
    )  # fmt: skip
    entries = injection.first_boot(
        secrets.token_hex(16), key, ["ssh-ed25519 AAAA"], f"10.67.{number % size.networks}.1"
    )
    podman("cp", "--archive=false", "-", f"{name}:/", stdin=injection.archive(entries, time.time()))
    podman("start", name)
    while not boot.answers(port):
        time.sleep(boot.POLL_SECONDS)


def podman(*words: str, stdin: bytes | None = None) -> None:
    """One podman command that must end well."""
    quiet([shutil.which("podman") or "podman", *words], dict(os.environ), stdin)


def quiet(argv: list[str], environment: dict[str, str], stdin: bytes | None = None) -> bytes:
    """Standard output of a command that must end well."""
    done = subprocess.run(argv, env=environment, input=stdin, capture_output=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{argv[0]} ended with {done.returncode}:\n{(done.stdout + done.stderr).decode()[-3000:]}")
    return done.stdout


if __name__ == "__main__":
    main()
