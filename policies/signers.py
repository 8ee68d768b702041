"""Whose key may sign what: an `allowed_signers` file of OpenSSH, where namespaces are the roles.

A key may sign waivers when its line says so in `namespaces=`, and the policy itself when it says that.
`ssh-keygen -Y verify` reads the same file and gives the verdict; what is read here says why it is no.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from policies import yamlfile
from policies.facts import shown
from policies.model import PackError
from policies.people import plain_person, same_person

FILE: Final = "allowed_signers"
REVOKED_FILE: Final = "revoked_keys"
WAIVERS: Final = "steward-waiver@v1"
POLICY: Final = "steward-policy@v1"
REVIEWS: Final = "steward-review@v1"
ROLES: Final = {
    WAIVERS: "approver of waivers",
    POLICY: "owner of the policy",
    REVIEWS: "reader of reports",
}
_LINE: Final = re.compile(
    r'(?P<principals>\S+)\s+(?:(?P<options>(?:[^"\s]|"[^"]*")+)\s+)?'
    r"(?P<type>(?:ssh|ecdsa|sk)-\S+)\s+(?P<key>[A-Za-z0-9+/]+={0,2})(?:\s.*)?"
)
_OPTION: Final = re.compile(r'(?P<name>[a-z-]+)="(?P<value>[^"]*)"(?:,|$)')
_KEY: Final = re.compile(r"(?:ssh|ecdsa|sk)-\S+\s+(?P<key>[A-Za-z0-9+/]+={0,2})(?:\s.*)?")
_MOMENT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})?)?Z?")


class Standing(StrEnum):
    """What is to be said of a signature; only `good` is good."""

    GOOD = "good"
    MISSING = "there is no signature"
    BROKEN = "is no signature of this content"
    UNKNOWN_KEY = "the key is not in allowed_signers"
    REVOKED = "the key is revoked"
    NOT_YET = "the key is not valid yet"
    NO_LONGER = "the key is no longer valid"
    NO_ROLE = "the key may not sign this"
    NO_TIME = "the clock cannot be believed, so no key is known to be valid"


@dataclass(frozen=True)
class Verdict:
    """What came of checking one signature; `said` are the words of the program that checked."""

    standing: Standing
    principal: str = ""
    key: str = ""
    """Fingerprint, as `SHA256:...`."""
    said: str = ""


NO_SIGNATURE: Final = Verdict(Standing.MISSING)


@dataclass(frozen=True)
class Signer:
    """One key of one person; times are UTC."""

    principal: str
    key: str
    namespaces: frozenset[str]
    valid_after: datetime | None
    valid_before: datetime | None
    line: str
    """As it stands in the file, without comment."""


@dataclass(frozen=True)
class Signers:
    """All keys that may sign something, and those that may no longer."""

    each: tuple[Signer, ...] = ()
    revoked: frozenset[str] = frozenset()

    def keys_of(self, principal: str) -> tuple[str, ...]:
        """Fingerprints of a person's keys, however the name is written."""
        return tuple(signer.key for signer in self.each if same_person(signer.principal, principal))

    def judge(self, key: str, namespace: str, now: datetime, *, clock_suspect: bool) -> Verdict:
        """What a true signature by this key is worth; of several lines with the key the best counts."""
        if key in self.revoked:
            return Verdict(Standing.REVOKED, next(iter(self._principals(key)), ""), key)
        verdicts = [
            Verdict(_standing(signer, namespace, now, clock_suspect=clock_suspect), signer.principal, key)
            for signer in self.each
            if signer.key == key
        ]
        good = [verdict for verdict in verdicts if verdict.standing is Standing.GOOD]
        return (good or verdicts or [Verdict(Standing.UNKNOWN_KEY, "", key)])[0]

    def _principals(self, key: str) -> list[str]:
        return [signer.principal for signer in self.each if signer.key == key]


def _standing(signer: Signer, namespace: str, now: datetime, *, clock_suspect: bool) -> Standing:
    if namespace not in signer.namespaces:
        return Standing.NO_ROLE
    if clock_suspect:
        return Standing.NO_TIME
    if signer.valid_after and now < signer.valid_after:
        return Standing.NOT_YET
    if signer.valid_before and now > signer.valid_before:
        return Standing.NO_LONGER
    return Standing.GOOD


def read_signers(folder: Path) -> Signers:
    """The signers of a policy reference, none where it has no such file; raises PackError by line."""
    return Signers(
        tuple(signer for place, line in _lines(folder / FILE) for signer in _signers(line, place)),
        frozenset(_revoked(line, place) for place, line in _lines(folder / REVOKED_FILE)),
    )


def _lines(path: Path) -> Sequence[tuple[str, str]]:
    if not path.exists():
        return ()
    try:
        text = yamlfile.read_bytes(path).decode()
    except ValueError as error:
        raise PackError(f"{path.name}: {error}") from error
    numbered = [(f"{path.name}:{number}", line.strip()) for number, line in enumerate(text.split("\n"), 1)]
    return [(place, line) for place, line in numbered if line and not line.startswith("#")]


def _signers(line: str, place: str) -> list[Signer]:
    found = _LINE.fullmatch(line)
    if found is None:
        raise PackError(
            f'{place}: expected `WHO namespaces="...",valid-before="..." TYPE KEY`, got {shown(line)}'
        )
    options = _options(found["options"] or "", place)
    namespaces = frozenset(filter(None, options.get("namespaces", "").split(",")))
    if not namespaces or namespaces - set(ROLES):
        raise PackError(
            f"{place}: namespaces say what the key may sign: {' and '.join(ROLES)}; "
            f"got {shown(options.get('namespaces'))}"
        )
    principals = found["principals"].split(",")
    wild = [name for name in principals if not name or re.search(r'[*?!"]', name)]
    if wild:
        raise PackError(f"{place}: a key belongs to somebody by name, not to {shown(wild[0])}")
    for name in principals:
        plain_person(name, place)
    key = _fingerprint(found["key"], place)
    after, before = (_moment(options.get(name), place) for name in ("valid-after", "valid-before"))
    said = f"{found['principals']} {found['options']} {found['type']} {found['key']}"
    return [Signer(name, key, namespaces, after, before, said) for name in principals]


def _options(text: str, place: str) -> dict[str, str]:
    options: dict[str, str] = {}
    while text:
        found = _OPTION.match(text)
        if found is None or found["name"] not in ("namespaces", "valid-after", "valid-before"):
            raise PackError(f"{place}: expected namespaces, valid-after and valid-before; got {shown(text)}")
        if found["name"] in options:
            raise PackError(f"{place}: {found['name']} stands twice")
        options[found["name"]], text = found["value"], text[found.end() :]
    return options


def _revoked(line: str, place: str) -> str:
    found = _KEY.fullmatch(line)
    if found is None:
        raise PackError(f"{place}: expected a public key, got {shown(line)}")
    return _fingerprint(found["key"], place)


def _fingerprint(key: str, place: str) -> str:
    try:
        blob = base64.b64decode(key, validate=True)
    except ValueError as error:
        raise PackError(f"{place}: the key is not whole: {error}") from None
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _moment(text: str | None, place: str) -> datetime | None:
    if text is None:
        return None
    found = _MOMENT.fullmatch(text)
    try:
        if found:
            year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        pass
    raise PackError(f"{place}: expected a day as 20261231 or a moment as 20261231235959Z, got {shown(text)}")
