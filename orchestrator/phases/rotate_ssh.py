"""rotate ssh: a new admin key for a stack; the old one works until the new one is proven on every server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event

from orchestrator.errors import ToolError
from orchestrator.parallel import for_each
from orchestrator.ports.hosts import HostShell
from orchestrator.ports.rotation import Rotation
from orchestrator.ports.run import Say
from stacks.outputs import ServerOutput

_SECONDS = 30.0

_AUTHORIZE = r"""
import json, os, sys
asked = json.load(sys.stdin)
path = os.path.expanduser("~/.ssh/authorized_keys")
with open(path) as file:
    lines = [line.rstrip("\n") for line in file if line.strip()]
blob = lambda line: next((word for word in line.split() if word.startswith("AAAA")), "")
kept = [line for line in lines if blob(line) != blob(asked["remove"] or "-")]
if asked["add"] and blob(asked["add"]) not in map(blob, kept):
    kept.append(asked["add"])
if blob(asked["keep"]) not in map(blob, kept):
    sys.exit("authorized_keys would not hold the key that is to stay")
if kept != lines:
    draft = path + ".new"
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write("".join(line + "\n" for line in kept))
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
print(json.dumps({"changed": kept != lines, "keys": len(kept)}))
"""


@dataclass(frozen=True)
class SshRotated:
    """On how many servers the key was changed."""

    servers: int


def let_in(stack: str, servers: Sequence[ServerOutput], shell: HostShell, rotation: Rotation) -> None:
    """Every server lets the key to come in beside the one in use, and each is logged in to with it alone.

    Raises ToolError, with nothing taken away, when one server cannot be reached or refuses the new key.
    """
    if rotation.ring.retiring() is not None:
        return  # an earlier run came further than this
    rotation.note("ssh", stack, "begun")
    current, coming = rotation.ring.current(), rotation.ring.prepare()
    _authorize(shell, servers, add=coming.public, remove="", keep=current.public)
    with rotation.login(servers, coming.private) as login:
        _log_in(login, servers)
    rotation.ring.promote()
    rotation.note("ssh", stack, "switched")


def shut_out(stack: str, servers: Sequence[ServerOutput], rotation: Rotation, say: Say) -> SshRotated:
    """Take the retiring key away from every server, and see each refuse it."""
    retiring, current = rotation.ring.retiring(), rotation.ring.current()
    if retiring is None:
        raise ToolError(stack, "no key is on its way out", next_step="Run steward rotate ssh again.")
    with rotation.login(servers, current.private) as login:
        _authorize(login, servers, add=current.public, remove=retiring.public, keep=current.public)
    with rotation.login(servers, retiring.private) as login:
        still = [
            server.name for server, open_ in zip(servers, _lets_in(login, servers), strict=True) if open_
        ]
    if still:
        raise ToolError(
            ", ".join(still), "still lets the old key in, from another place than authorized_keys",
            next_step="Look at AuthorizedKeysFile and AuthorizedKeysCommand there, then run this again.",
        )  # fmt: skip
    rotation.ring.forget_retiring()
    rotation.note("ssh", stack, "finished")
    say(f"{stack}: the old key is refused by {len(servers)} servers")
    return SshRotated(len(servers))


def _authorize(
    shell: HostShell, servers: Sequence[ServerOutput], *, add: str, remove: str, keep: str
) -> None:
    asked = json.dumps({"add": add, "remove": remove, "keep": keep})

    def change(server: ServerOutput, _stopping: Event) -> None:
        shell.run(server, ["python3", "-I", "-c", _AUTHORIZE], timeout=_SECONDS, stdin=asked)

    for_each(servers, change)


def _log_in(shell: HostShell, servers: Sequence[ServerOutput]) -> None:
    for_each(servers, lambda server, _: shell.run(server, ["true"], timeout=_SECONDS))


def _lets_in(shell: HostShell, servers: Sequence[ServerOutput]) -> list[bool]:
    """Whether each server still opens to the key of this shell; one out of reach is an error, not a no."""

    def attempt(server: ServerOutput, _stopping: Event) -> bool:
        try:
            shell.run(server, ["true"], timeout=_SECONDS)
        except ToolError as problem:
            if "Permission denied" not in str(problem):
                raise
            return False
        return True

    return for_each(servers, attempt)
