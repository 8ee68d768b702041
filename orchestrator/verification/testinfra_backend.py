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
from orchestrator.ports.hosts import HostShell
from stacks.outputs import ServerOutput

_SECONDS: Final = 35
"""For one command; a check of a project's own role may take 30."""
_HOST_SECONDS: Final = 300.0
_LONGEST: Final = 4 << 20
"""Bytes of one stream of one command; the packages of a host are below one million."""
_AT_ONCE: Final = 4


class NotAskedError(Exception):
    """The host has not been asked this command; it is with the next ones."""


class AskedTogether(BaseBackend):  # type: ignore[misc]  # testinfra has no types
    """Commands that were answered, and those that a probe found missing."""

    NAME = "steward"

    def __init__(self, shell: HostShell, server: ServerOutput) -> None:
        super().__init__(server.name)
        self._shell, self._server = shell, server
        self._answers: dict[str, CommandResult] = {}
        self._wanted: dict[str, None] = {}

    def run(self, command: str, *args: str, **_options: Any) -> CommandResult:
        """What the host answered; raises NotAskedError until it was asked."""
        asked = self.get_command(command, *args)
        if asked not in self._answers:
            self._wanted[asked] = None
            raise NotAskedError(asked)
        return self._answers[asked]

    def ask(self) -> None:
        """Have the commands answered that were missing; raises StewardError when the host is not there."""
        commands, self._wanted = list(self._wanted), {}
        request = {"seconds": _SECONDS, "longest": _LONGEST, "at_once": _AT_ONCE, "commands": commands}
        argv = ["sudo", "-n", "python3", "-c", _program()]
        done = self._shell.run(self._server, argv, timeout=_HOST_SECONDS, stdin=json.dumps(request))
        told = answer(self.hostname, done.stdout, list)
        if len(told) != len(commands):
            raise ToolError(self.hostname, f"answered {len(told)} of {len(commands)} commands")
        for command, each in zip(commands, told, strict=True):
            self._answers[command] = self._result(command, each)

    def get_encoding(self) -> str:
        """Of what the host's programs print; testinfra would ask the host."""
        return "utf-8"

    def _result(self, command: str, told: Sequence[Any]) -> CommandResult:
        match told:
            case [int(code), str(out), str(errors)] if max(out + errors, default="") <= "\xff":
                return self.result(code, command.encode(), out.encode("latin-1"), errors.encode("latin-1"))
        raise ToolError(self.hostname, "gave another answer than was asked for", got=repr(told)[:200])


def asked_together(shell: HostShell, server: ServerOutput) -> tuple[AskedTogether, Any]:
    """A backend for one host, and testinfra's view of that host."""
    backend = AskedTogether(shell, server)
    return backend, Host(backend)


@cache
def _program() -> str:
    return files("orchestrator.verification").joinpath("commands_program.py").read_text()
