"""The shells of a run, one a stack, opened ahead of need and closed together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock, Thread

from orchestrator.errors import StewardError
from orchestrator.leftovers import end_leftovers
from orchestrator.provisioning.credentials import admin_key
from orchestrator.provisioning.expected_keys import expected_keys, keep_expected
from orchestrator.scratch import scratch
from orchestrator.settings import Settings
from orchestrator.ssh import SshShell
from stacks.outputs import FleetOutputs, ServerOutput

_WARM_SECONDS = 8.0


@dataclass(frozen=True)
class StackHostKeys:
    """Implements `ports.rotation.KnownHostKeys` for one stack."""

    connections: Connections
    stack: str

    def expect(self, keys: Mapping[str, str]) -> None:
        """These may be shown too."""
        self.connections.expect(self.stack, keys)

    def settle(self, servers: Sequence[ServerOutput]) -> None:
        """These show the keys that they are given with, and no other."""
        self.connections.expect(self.stack, {}, servers)


class Connections:
    """Makes each shell once; `warm` opens connections while something else is waited for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._current: dict[str, tuple[Sequence[ServerOutput], SshShell]] = {}
        self._all: list[SshShell] = []
        self._lock = Lock()
        self._warming: list[Thread] = []

    def shell(self, stack: str, servers: Sequence[ServerOutput]) -> SshShell:
        """The shell to exactly these servers."""
        with self._lock:
            known = self._current.get(stack)
            if known is not None and list(known[0]) == list(servers):
                return known[1]
            keys = self._settings.stack_keys(stack)
            shell = SshShell(keys / "ssh", admin_key(keys).places, servers, expected_keys(keys))
            self._current[stack] = (servers, shell)
            self._all.append(shell)
            return shell

    def expect(self, stack: str, keys: Mapping[str, str], changed: Sequence[ServerOutput] = ()) -> None:
        """Servers may show these host keys beside the pinned ones, in this run and those to come.

        For `changed` that is over: they show the key that they are given with, and no other.
        """
        over = {server.incarnation for server in changed}
        with self._lock:
            folder = self._settings.stack_keys(stack)
            known = {**expected_keys(folder), **keys}
            coming = {each: key for each, key in known.items() if each not in over}
            keep_expected(folder, coming)
            if stack in self._current:
                self._current[stack][1].expect(coming, changed)

    @contextmanager
    def login(self, servers: Sequence[ServerOutput], private_key: Path) -> Iterator[SshShell]:
        """A shell of its own that logs in with this key alone."""
        with scratch("login") as folder:
            shell = SshShell(folder, [private_key], servers)
            try:
                yield shell
            finally:
                shell.close()

    def warm(self, stacks: Sequence[str], outputs: Callable[[str], FleetOutputs]) -> None:
        """Begin to connect to what these stacks had when they were last changed.

        Only time is gained: whatever fails here is met again, and told, by the step that needs it.
        """

        def stack_of(stack: str) -> None:
            with suppress(StewardError):
                servers = outputs(stack).servers
                shell = self.shell(stack, servers)
                for server in servers:
                    self._start(partial(self._knock, shell, server))

        for stack in stacks:
            self._start(partial(stack_of, stack))

    def end_leftovers(self, run: str) -> list[str]:
        """End on every server what a stopped run left there; a problem for each that could not be asked."""
        with self._lock:  # a connection may still be warming up
            current = list(self._current.values())
        return [text for servers, shell in current for text in end_leftovers(shell, servers, run)]

    def close(self) -> None:
        """End every connection."""
        for thread in self._warming:
            thread.join()
        for shell in self._all:
            with suppress(StewardError):
                shell.close()

    def _start(self, act: Callable[[], None]) -> None:
        thread = Thread(target=act, daemon=True)
        self._warming.append(thread)
        thread.start()

    @staticmethod
    def _knock(shell: SshShell, server: ServerOutput) -> None:
        with suppress(StewardError):
            shell.run(server, ["true"], timeout=_WARM_SECONDS)
