"""rotate repository: new passwords for backups; the old ones work while any backup uses them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Event

from orchestrator.errors import InputError, ToolError
from orchestrator.host_answer import answer
from orchestrator.parallel import for_each
from orchestrator.phases.enrol import writers_by_repository
from orchestrator.ports.hosts import PYTHON_AS_ROOT, HostShell
from orchestrator.ports.rotation import Rotation
from orchestrator.ports.run import Say
from stacks.fleet.model import Fleet
from stacks.outputs import ServerOutput

_LIST_SECONDS = 120.0
_LONGEST_BACKUP_SECONDS = 900.0

_WAIT = r"""
import json, os, sys, time
def living():
    found = set()
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                with open("/proc/" + name + "/cmdline", "rb") as file:
                    words = file.read().split(b"\0")
                with open("/proc/" + name + "/stat") as file:
                    began = file.read().rpartition(")")[2].split()[19]
            except OSError:
                continue
            if b"/usr/local/sbin/steward-backup" in words or words[0] == b"/usr/local/lib/steward/restic":
                found.add((name, began))
    return found
before, until = living(), time.monotonic() + float(sys.argv[1])
while before & living():
    if time.monotonic() > until:
        sys.exit(9)
    time.sleep(0.5)
print(json.dumps({"waited_for": len(before)}))
"""
_STILL_RUNS = 9


@dataclass(frozen=True)
class RepositoryRotated:
    """The servers whose credentials were changed."""

    servers: Sequence[str]


def let_in(
    fleet: Fleet, servers: Sequence[ServerOutput], rotation: Rotation, now: datetime, say: Say
) -> list[str]:
    """The vault opens each server's repository to new credentials too, and they are the ones in use here."""
    done = []
    for repository, writers in writers_by_repository(fleet, servers).items():
        store, keeper = rotation.store(repository), rotation.credentials(repository)
        for server in writers:
            current = keeper.load(server.incarnation)
            if current is None:
                raise InputError(
                    server.name, "has no repository yet, so there is nothing to rotate",
                    next_step="Run steward up first.",
                )  # fmt: skip
            done.append(server.name)
            if keeper.retiring(server.incarnation) is not None:
                continue  # an earlier run came further than this
            rotation.note("repository", server.incarnation, "begun")
            coming = keeper.prepare(server.incarnation, now)
            old_key = store.admit(current, coming)
            keeper.promote(server.incarnation, old_key)
            rotation.note("repository", server.incarnation, "switched")
            say(f"{server.name}: the vault lets its new credentials in")
    return done


def shut_out(
    fleet: Fleet, servers: Sequence[ServerOutput], shell: HostShell, rotation: Rotation, say: Say
) -> RepositoryRotated:
    """Each server lists its snapshots with the new credentials; then the vault takes the old ones away.

    A backup or restore that began with the old ones is waited for: it would fail half way. One that takes
    longer leaves the old ones valid, and the next rotation ends it.
    """
    done = []
    for repository, writers in writers_by_repository(fleet, servers).items():
        store, keeper = rotation.store(repository), rotation.credentials(repository)

        def proven(server: ServerOutput, _stopping: Event) -> None:
            _prove(shell, server)

        for_each(writers, proven)
        for server in writers:
            retiring = keeper.retiring(server.incarnation)
            if retiring is None:
                continue
            store.expel(retiring)
            keeper.forget_retiring(server.incarnation)
            rotation.note("repository", server.incarnation, "finished")
            done.append(server.name)
            say(f"{server.name}: the old credentials are gone from the vault")
    return RepositoryRotated(done)


def _prove(shell: HostShell, server: ServerOutput) -> None:
    done = shell.run(
        server, ["sudo", "-n", "/usr/local/sbin/steward-backup", "list"], timeout=_LIST_SECONDS, check=False
    )
    if done.returncode != 0:
        raise ToolError(
            server.name, "cannot open its repository with the new credentials; the old ones still work",
            got=(done.stderr or done.stdout).strip()[-300:],
            next_step="Run steward rotate repository again, or steward up.",
        )  # fmt: skip
    wait = [*PYTHON_AS_ROOT, "-c", _WAIT, str(_LONGEST_BACKUP_SECONDS)]
    waited = shell.run(server, wait, timeout=_LONGEST_BACKUP_SECONDS + _LIST_SECONDS, check=False)
    if waited.returncode == _STILL_RUNS:
        raise ToolError(
            server.name, "a backup or restore that began with the old credentials still runs",
            next_step="Both credentials work. Run steward rotate repository again once it has ended.",
        )  # fmt: skip
    if waited.returncode != 0:
        raise ToolError(server.name, "its running backups cannot be seen", got=waited.stderr[-300:])
    answer(server.name, waited.stdout, object)
