"""repin: replace the pinned host key of one server, when a person says which key it shall be."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.errors import FindingsError, InputError
from orchestrator.host_keys import HostKeyPin
from stacks.outputs import ServerOutput


@dataclass(frozen=True)
class KeySeen:
    """The pinned key of a server and the one that it shows, both as public keys."""

    server: ServerOutput
    shown: str
    old: str
    new: str
    """Fingerprints of the two."""

    @property
    def same(self) -> bool:
        """Whether it shows the key that is pinned."""
        return self.shown == self.server.host_key


def judge(seen: KeySeen, accept: str, again: str) -> None:
    """Refuse anything but a key whose fingerprint a person named; `again` is the command without it."""
    if seen.same:
        if accept and accept != seen.old:
            raise InputError(
                seen.server.name, "shows the pinned host key, and --accept names another one",
                got=accept, rule=seen.old,
            )  # fmt: skip
        return
    if not accept:
        raise FindingsError(
            seen.server.name,
            f"shows another host key than the pinned one: pinned {seen.old}, shown {seen.new}; "
            "nothing was changed",
            next_step="Learn on the server's own console whether that is its key (ssh-keygen -lf "
            f"/etc/ssh/ssh_host_ed25519_key.pub); only then: {again} --accept {seen.new}",
        )  # fmt: skip
    if accept != seen.new:
        raise InputError(
            seen.server.name, "--accept does not name the host key that it shows now; nothing was changed",
            got=accept, rule=f"shown {seen.new}, pinned {seen.old}",
        )  # fmt: skip


def pin_of(seen: KeySeen, stack_id: str) -> HostKeyPin:
    """What the ledger keeps of an accepted key."""
    return HostKeyPin(
        stack_id=stack_id,
        server=seen.server.name,
        incarnation=seen.server.incarnation,
        old_key=seen.server.host_key,
        new_key=seen.shown,
    )


def told(seen: KeySeen) -> str:
    """What was seen, in one line."""
    return (
        f"{seen.server.name} shows the pinned key {seen.old}"
        if seen.same
        else (f"{seen.server.name}: pinned {seen.old}, shown {seen.new}")
    )
