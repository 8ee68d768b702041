"""Facts of hosts: what collecting them takes a host and as a whole, by the steps of `steward verify`.

    .venv/bin/python -m tests.benchmarks.facts [--servers 20] [--rounds 3] [--fleet FILE]

A fleet of its own on a network of its own, made and destroyed; or with --fleet one that is up already. Hosts are asked
side by side, so that on a machine with few processors a host waits for the others: its time is printed as it was.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.noop import STEWARD, quiet
from tests.benchmarks.twenty import fleet

HOST_SECONDS, ALL_SECONDS = 3.0, 10.0


def main() -> None:
    """Print every round; exit code 1 when the best of them is above a bound."""
    options = argparse.ArgumentParser()
    options.add_argument("--servers", type=int, default=20)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--fleet", type=Path)
    chosen = options.parse_args()
    if chosen.fleet:
        took = [measured(chosen.fleet) for _ in range(chosen.rounds)]
    else:
        took = on_a_fleet_of_its_own(chosen.servers, chosen.rounds)
    for hosts, total in took:
        whole = f"{len(hosts)} hosts in {total:.2f} s"
        print(f"{whole}; a host {min(hosts):.2f} to {max(hosts):.2f} s")
    slowest, total = min(max(hosts) for hosts, _ in took), min(total for _, total in took)
    print(
        f"best round: slowest host {slowest:.2f} s (<= {HOST_SECONDS}), all {total:.2f} s (<= {ALL_SECONDS})"
    )
    sys.exit(total > ALL_SECONDS or slowest > HOST_SECONDS)


def on_a_fleet_of_its_own(servers: int, rounds: int) -> list[tuple[list[float], float]]:
    """Made for this and destroyed whatever happens."""
    with tempfile.TemporaryDirectory() as scratch:
        made = fleet(Path(scratch), "facts", 86, servers)
        try:
            quiet([STEWARD, "up", "--fleet", str(made)], dict(os.environ))
            return [measured(made) for _ in range(rounds)]
        finally:
            quiet([STEWARD, "destroy", "--fleet", str(made)], dict(os.environ))


def measured(path: Path) -> tuple[list[float], float]:
    """Seconds of each host and of the whole step; findings do not matter here."""
    argv = [str(STEWARD), "verify", "--fleet", str(path), "--json"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(done.stderr)
    report: dict[str, Any] = json.loads(done.stdout)
    step = next(each for each in report["steps"] if each["name"] == "facts")
    return [each["duration_seconds"] for each in step["hosts"]], step["duration_seconds"]


if __name__ == "__main__":
    main()
