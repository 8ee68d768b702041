"""A testinfra backend that asks a host everything at once: one SSH command instead of one for each answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

from testinfra.backend.base import BaseBackend, CommandResult
from testinfra.host import Host

from orchestrator.errors import ToolError
from orchestrator.host_answer import answer
from orchestrator.ports.hosts import PYTHON_AS_ROOT, HostShell
from stacks.outputs import ServerOutput

_SECONDS: Final = 35
"""For one command; a check of a project's own role may take 30."""
_SECONDS_IN_ALL: Final = 240
_HOST_SECONDS: Final = 300.0
"""Longer than all commands may take together, so that what was answered comes back."""
_LONGEST: Final = 4 << 20
"""Bytes of one stream of one command; the packages of a host are below one million."""


class NotAskedError(Exception):
    """The host has not been asked this command; it is with the next ones."""


class AskedTogether(BaseBackend):  # type: ignore[misc]  # testinfra has no types
    """Commands that were answered, and those that a probe found missing."""

    NAME = "steward"

    def __init__(self, shell: HostShell, server: ServerOutput) -> None:
        super().__init__(server.name)
        self._shell, self._server = shell, server
        self._answers: dict[str, CommandResult] = {}
        self._lost: dict[str, str] = {}
        self._wanted: dict[str, None] = {}

    def run(self, command: str, *args: str, **_options: Any) -> CommandResult:
        """What the host answered; NotAskedError until it was asked, RuntimeError where nobody knows."""
        asked = self.get_command(command, *args)
        if asked in self._lost:
            raise RuntimeError(f"{asked.split()[0]} {self._lost[asked]}")
        if asked not in self._answers:
            self._wanted[asked] = None
            raise NotAskedError(asked)
        return self._answers[asked]

    def ask(self) -> None:
        """Have the commands answered that were missing; raises StewardError when the host is not there."""
        commands, self._wanted = list(self._wanted), {}
        request = {
            "seconds": _SECONDS,
            "seconds_in_all": _SECONDS_IN_ALL,
            "longest": _LONGEST,
            "commands": commands,
        }
        argv = [*PYTHON_AS_ROOT, "-c", _program()]
        done = self._shell.run(self._server, argv, timeout=_HOST_SECONDS, stdin=json.dumps(request))
        told = answer(self.hostname, done.stdout, list)
        if len(told) != len(commands):
            raise ToolError(self.hostname, f"answered {len(told)} of {len(commands)} commands")
        for command, each in zip(commands, told, strict=True):
            self._take(command, each)

    def get_encoding(self) -> str:
        """Of what the host's programs print; testinfra would ask the host."""
        return "utf-8"

    def _take(self, command: str, told: Sequence[Any]) -> None:
        match told:
            case [None, str(), str(why)]:
                self._lost[command] = why
            case [int(code), str(out), str(errors)] if max(out + errors, default="") <= "\xff":
                said = out.encode("latin-1"), errors.encode("latin-1")
                self._answers[command] = self.result(code, command.encode(), *said)
            case _:
                raise ToolError(self.hostname, "gave another answer than was asked for", got=repr(told)[:200])


def asked_together(shell: HostShell, server: ServerOutput) -> tuple[AskedTogether, Any]:
    """A backend for one host, and testinfra's view of that host."""
    backend = AskedTogether(shell, server)
    return backend, Host(backend)


@cache
def _program() -> str:
    return files("orchestrator.verification").joinpath("commands_program.py").read_text()
