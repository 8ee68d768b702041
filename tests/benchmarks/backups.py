"""`steward-backup` on a host against bare restic to the same URL with the same data.

    .venv/bin/python -m tests.benchmarks.backups --fleet stacks/fleets/demo.yaml --host web-1 --plan site [--mib 400]

The fleet must be up. Data is put under the plan's first path and removed again; the snapshots stay in the vault.
Both sides write to the host's own repository. Each side makes new data before it backs up, so that nothing is
deduplicated, and restores what it has just stored, so that the vault has read neither before.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from orchestrator.app import begin_run
from orchestrator.ports.hosts import HostShell
from orchestrator.settings import load_settings
from orchestrator.step_runner import Watcher
from stacks.outputs import ServerOutput
from tests.benchmarks.pairs import Pair

FILL = """
import os, sys
folder, mib = sys.argv[1], int(sys.argv[2])
os.makedirs(folder, exist_ok=True)
for number in range(mib):
    with open(f"{folder}/{number:05d}.bin", "wb") as file:
        file.write(os.urandom(1 << 20))
"""


def main() -> None:
    """Print both ratios, as speed: bare seconds over ours."""
    options = argparse.ArgumentParser()
    options.add_argument("--fleet", type=Path, required=True)
    options.add_argument("--host", required=True)
    options.add_argument("--plan", required=True)
    options.add_argument("--mib", type=int, default=400)
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args()
    with begin_run(load_settings(), chosen.fleet, "backup run", Watcher(), lambda _: None) as run:
        adapters = run.adapters
        stack = adapters.target.stack.name
        outputs = adapters.provisioner.outputs(stack)
        server = outputs.server(chosen.host)
        plan = adapters.target.loaded.fleet.backups[chosen.plan]
        host = Host(
            adapters.hosts(stack, outputs.servers).shell, server, plan.paths[0], chosen.plan, chosen.mib
        )
        try:
            rounds = [host.round() for _ in range(chosen.rounds)]
        finally:
            host.clean()
    backup = Pair("backup", [r[0] for r in rounds], [r[1] for r in rounds])
    restore = Pair("restore and compare / restore", [r[2] for r in rounds], [r[3] for r in rounds])
    verified = Pair("restore and compare / with --verify", [r[2] for r in rounds], [r[4] for r in rounds])
    print(backup.line(">= 0.95", inverse=True))
    print(restore.line(">= 0.95", inverse=True))
    print(verified.line("(the same job)", inverse=True))


class Host:
    """One host with both ways to back it up."""

    def __init__(self, shell: HostShell, server: ServerOutput, path: str, plan: str, mib: int) -> None:
        self._shell, self._server, self._plan, self._mib = shell, server, plan, mib
        self._path = path
        self._folder = f"{path}/benchmark"
        self._restic = Path(__file__).with_name("bare_restic.py").read_text()

    def round(self) -> tuple[float, float, float, float, float]:
        """Seconds of our backup and bare, our restore and bare without and with verifying; each has data of its own."""
        self._fill()
        ours, mine = self._timed("our-backup", self._plan), self._timed("our-restore", self._plan)
        self._fill()
        bare = self._timed("backup", self._path)
        return ours, bare, mine, self._timed("restore", self._path), self._timed("restore-verify", self._path)

    def clean(self) -> None:
        """Remove the data."""
        self._run(["rm", "-rf", self._folder])

    def _fill(self) -> None:
        self._run(["python3", "-c", FILL, self._folder, str(self._mib)])
        self._run(["sync"])

    def _timed(self, verb: str, subject: str) -> float:
        done = self._shell.run(
            self._server, ["sudo", "-n", "python3", "-", verb, subject], timeout=3600, stdin=self._restic
        )
        return float(json.loads(done.stdout)["seconds"])

    def _run(self, argv: Sequence[str]) -> None:
        self._shell.run(self._server, ["sudo", "-n", *argv], timeout=3600)


if __name__ == "__main__":
    main()
