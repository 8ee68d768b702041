"""Loopback ports held for a server until its container takes them; two runs cannot win the same one."""

from __future__ import annotations

import socket
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from stacks.providers.local import addresses
from stacks.providers.local.errors import LocalError
from stacks.providers.local.machine import Machine


@dataclass(frozen=True)
class PortWish:
    """The port that must be, or the one that was and should stay; else any."""

    fixed: int | None = None
    kept: int | None = None


class PortClaim:
    """A loopback port held by a bound socket until the container is about to take it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            self._socket.bind(("127.0.0.1", port))
        except OSError:
            self._socket.close()
            raise

    def release(self) -> None:
        """Free the port for the container."""
        self._socket.close()


Claims = Mapping[str, PortClaim]


def hold(
    machine: Machine, subject: str, urn: str, wishes: Mapping[str, PortWish], own: Collection[str] = ()
) -> Claims:
    """A port for each wish, all of them bound before stopped containers are asked for theirs.

    `own` names containers whose ports may be taken. Raises LocalError when a fixed one is taken.
    """
    taken: set[int] = set()
    while True:
        claims: dict[str, PortClaim] = {}
        with ExitStack() as unless_whole:
            for name, wish in wishes.items():
                claims[name] = _bind(subject, urn, name, wish, taken)
                unless_whole.callback(claims[name].release)
            others = [one for one in machine.containers.now() if one.name not in own]
            clash = {claim.port for claim in claims.values()} & {p for one in others for p in one.host_ports}
            if not clash:
                unless_whole.pop_all()
                return claims
        taken |= clash


def release(claims: Claims) -> None:
    """Free all of them."""
    for claim in claims.values():
        claim.release()


def _bind(subject: str, urn: str, name: str, wish: PortWish, taken: Collection[int]) -> PortClaim:
    if wish.fixed is not None:
        claim = _try(wish.fixed, taken)
        if claim is None:
            raise taken_port(subject, wish.fixed)
        return claim
    if wish.kept is not None and (claim := _try(wish.kept, taken)):
        return claim
    return addresses.free_port(subject, urn, name, lambda port: _try(port, taken))


def _try(port: int, taken: Collection[int]) -> PortClaim | None:
    try:
        return None if port in taken else PortClaim(port)
    except OSError:
        return None


def taken_port(subject: str, port: int) -> LocalError:
    """The refusal of a host port that something else has."""
    return LocalError(
        subject,
        f"port {port} of this machine is taken by another program or server",
        place="publish.hostPort",
        next_step=f"`ss -ltnp 'sport = :{port}'` shows which; choose another hostPort, or leave it out.",
    )
