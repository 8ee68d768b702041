"""What Steward gives to roles that ask for it beside the fleet's own words: certificates, code, secrets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stacks.fleet.secret import Reference


@dataclass(frozen=True)
class HostCertificate:
    """A server's certificate of the stack's own authority, in PEM; the key is a secret."""

    certificate: str
    key: str = field(repr=False)
    authority: str


@dataclass(frozen=True)
class Archive:
    """An application's code as a tarball on the control machine; `release` is what people call it."""

    path: Path
    sha256: str
    release: str


@dataclass(frozen=True)
class Login:
    """A name with which a database is entered, and its password."""

    name: str
    password: str = field(repr=False)


def _asks_for_nothing(_role: str) -> Collection[str]:
    return ()


def _is_not_own(_role: str) -> bool:
    return False


def _refuse(reference: Reference) -> str:
    raise KeyError(str(reference))


def _knows_no_login(name: str) -> Sequence[Login]:
    raise KeyError(name)


@dataclass(frozen=True)
class Supplies:
    """By server or server group; `options` and `own` are the roles' own words, `secret` reads a reference.

    `logins` are those by which a database user with a generated password may be let in now.
    """

    options: Callable[[str], Collection[str]] = _asks_for_nothing
    own: Callable[[str], bool] = _is_not_own
    secret: Callable[[Reference], str] = _refuse
    certificates: Mapping[str, HostCertificate] = field(default_factory=dict)
    archives: Mapping[str, Archive] = field(default_factory=dict)
    logins: Callable[[str], Sequence[Login]] = _knows_no_login
