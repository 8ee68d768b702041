"""`steward setup`: bring this machine to the toolchain that this version wants."""

from __future__ import annotations

import json
import sys
import time
from typing import Annotated

import typer

from orchestrator.settings import load_settings

_QUIET_SECONDS = 10.0
"""How often a log without a terminal gets a sign of life."""


def setup(
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document on stdout; progress goes to stderr.")
    ] = False,
) -> None:
    """Get the Pulumi CLI, restic, rest-server, Ansible collections and the base image; quick when nothing
    is to do.

    Example: steward setup
    """
    from orchestrator.toolchain.installation import install

    progress = _Lines()
    installed = install(load_settings(), progress)
    progress.close()
    if as_json:
        document = {
            "schema": "steward.setup/1",
            "digest": installed.toolchain.digest,
            "root": str(installed.toolchain.root),
            "runtime": installed.toolchain.runtime,
            "changed": installed.changed,
            "duration_seconds": round(installed.duration_seconds, 3),
        }
        print(json.dumps(document))
    else:
        took = f"ready ({installed.duration_seconds:.0f} s)" if installed.changed else "already there"
        print(f"toolchain {took}: {installed.toolchain.root}", file=sys.stderr)


class _Lines:
    """A line per step; signs of life overwrite each other on a terminal and come seldom in a log."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._said = self._began
        self._terminal = sys.stderr.isatty()
        self._overwriting = False

    def step(self, text: str) -> None:
        self._write(text)

    def tick(self, text: str) -> None:
        now = time.monotonic()
        if now - self._said < (0.1 if self._terminal else _QUIET_SECONDS):
            return
        self._said = now
        if not self._terminal:
            self._write(f"  {text[:100]}")
            return
        sys.stderr.write(f"\r\x1b[K  {text[:76]}")
        sys.stderr.flush()
        self._overwriting = True

    def close(self) -> None:
        if self._overwriting:
            sys.stderr.write("\r\x1b[K")
            self._overwriting = False

    def _write(self, text: str) -> None:
        self.close()
        self._said = time.monotonic()
        print(f"[{self._said - self._began:5.0f} s] {text}", file=sys.stderr, flush=True)
