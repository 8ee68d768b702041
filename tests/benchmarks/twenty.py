"""Twenty servers, cold and with nothing to do: `steward up` against bare `pulumi up` and `ansible-playbook -f 10`.

    .venv/bin/python -m tests.benchmarks.twenty [--servers 20] [--rounds 3] [--keep-images]

Two equal fleets on networks of their own: one by `steward up`, the other by the bare tools with the same program, policy
pack and playbooks. Ours is the whole run, with its prepared image, its gate, its checks and its report; prepared images
of earlier runs are removed before (but with --keep-images). Both fleets are destroyed at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestrator.settings import load_settings
from orchestrator.toolchain.prepared_image import NAME
from tests.benchmarks.noop import STEWARD, bare_converge, bare_up, quiet, up
from tests.benchmarks.pairs import Pair, in_turn, seconds
from tests.benchmarks.processor import spent

FLEET = """\
version: 1
client: bench
environment: {side}
owner: bench@acme.example
provider: local
region: local-1
profile: demo
networks:
  lan: {{cidr: 10.{octet}.0.0/24}}
services:
  manual:
    purpose: Readers look things up
    owner: bench@acme.example
    availability: {{target_percent: 99, probe: {{http: web, path: /, expect: 200}}}}
    maintenance: {{window: "Sun 02:00-04:00", timezone: Europe/Berlin}}
    servers: [web]
servers:
  web:
    count: {servers}
    cpus: 1
    memory_gib: 0.5
    network: lan
    roles:
      - nginx: {{site: debian-faq}}
    ingress:
      - {{from: anywhere, port: 80}}
"""
FORKS = "10"
BOUND = 0.50


def main() -> None:
    """Print both ratios; exit code 1 when one is above the bound."""
    options = argparse.ArgumentParser()
    options.add_argument("--servers", type=int, default=20)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--keep-images", action="store_true")
    chosen = options.parse_args()
    if not chosen.keep_images:
        forget_images()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        ours = fleet(folder, "ours", 84, chosen.servers)
        bare = fleet(folder, "bare", 85, chosen.servers)
        try:
            pairs = measure(folder, ours, bare, chosen.rounds)
        finally:
            for path in (ours, bare):
                quiet([STEWARD, "destroy", "--fleet", str(path)], dict(os.environ))
    for pair in pairs:
        print(pair.line(f"<= {BOUND:.2f}"))
    sys.exit(any(pair.ratio > BOUND for pair in pairs))


def forget_images() -> None:
    """Remove every prepared image that no server is made from: a cold run makes its own."""
    asked = [
        "podman",
        "image",
        "ls",
        "--filter",
        f"reference={NAME}:*",
        "--format",
        "{{.Repository}}:{{.Tag}}",
    ]
    names = quiet(asked, dict(os.environ)).split()
    if names:
        quiet(["podman", "image", "rm", *names], dict(os.environ))


def fleet(folder: Path, side: str, octet: int, servers: int) -> Path:
    """One of the two fleet files."""
    path = folder / f"{side}.yaml"
    path.write_text(FLEET.format(side=side, octet=octet, servers=servers))
    return path


def environment_of(path: Path) -> dict[str, str]:
    """What `steward env` gives a person's own pulumi; makes the stack."""
    argv = [STEWARD, "env", "--fleet", str(path), "--json"]
    return dict(json.loads(quiet(argv, dict(os.environ)))["environment"])


def measure(folder: Path, ours: Path, bare: Path, rounds: int) -> list[Pair]:
    """Cold once, because it makes everything; with nothing to do as often as asked."""
    settings = load_settings()
    environment = {**os.environ, **environment_of(bare)}
    steps: dict[str, float] = {}

    def our_up() -> float:
        took: dict[str, Any] = {}
        total = seconds(lambda: took.update(up(ours)))
        steps.clear()
        steps.update({step["name"]: step["duration_seconds"] for step in took["steps"]})
        return total

    def bare_run() -> float:
        total = seconds(lambda: bare_up(settings, environment))
        if not inventory:
            (folder / "bare").mkdir()
            inventory.append(bare_converge(settings, bare, folder / "bare"))
        argv, variables = inventory[0]
        converge = seconds(lambda: quiet([*argv, "-f", FORKS], variables))
        print(f"   bare: pulumi up {total:.1f}  ansible-playbook {converge:.1f}", flush=True)
        return total + converge

    inventory: list[tuple[list[str], dict[str, str]]] = []
    used: dict[str, float] = {}
    cold = in_turn("cold", 1, counted("ours", our_up, used), counted("bare", bare_run, used))
    if used:
        ours_used, bare_used = used["ours"], used["bare"]
        print(
            f"   processor: ours {ours_used:.1f} s  bare {bare_used:.1f} s  ratio {ours_used / bare_used:.2f}",
            flush=True,
        )
    print("   ours: " + "  ".join(f"{name} {took:.1f}" for name, took in steps.items()), flush=True)
    idle = in_turn("nothing to do", rounds, our_up, bare_run)
    print("   ours: " + "  ".join(f"{name} {took:.1f}" for name, took in steps.items()), flush=True)
    return [cold, idle]


def counted(side: str, act: Callable[[], float], used: dict[str, float]) -> Callable[[], float]:
    """The same act, with the processor seconds it took put down."""

    def acted() -> float:
        before = spent()
        total = act()
        after = spent()
        if before is not None and after is not None:
            used[side] = after - before
        return total

    return acted


if __name__ == "__main__":
    main()
