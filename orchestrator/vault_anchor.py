"""An anchor on a backup vault: heads, records and encrypted documents of a chain, which it never overwrites.

The vault's endpoint takes objects that are named by their own SHA-256, and lets nobody remove or replace one;
the credential kept here opens no more than that. Objects: `snapshots` holds heads, `index` the records since
the head before, `data` the ciphertexts that those name.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestrator.courier import PROGRAM
from orchestrator.errors import InputError, StewardError, ToolError
from orchestrator.evidence.anchors import read_head
from orchestrator.evidence.folder import EvidenceFolder
from orchestrator.evidence.payloads import PayloadStore
from orchestrator.evidence.record import canonical
from orchestrator.ports.evidence import AnchorReceipt, Head, Kept
from orchestrator.ports.hosts import HostShell
from orchestrator.private_file import write_private
from orchestrator.redaction import know
from stacks.outputs import ServerOutput

_SECONDS: Final = 120.0
_LARGEST_HEAD: Final = 4_096
_LOAD_BYTES: Final = 32 << 20
"""Of one journey: documents that do not fit go with the next one of the same run."""
_PAYLOAD: Final = re.compile(rb'"sha256":"([0-9a-f]{64})"')
"""Also of records themselves, which name no file."""


class Route(BaseModel):
    """A host from which the vault can be reached, and the stack whose key opens it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stack: str
    server: ServerOutput


class VaultAccess(BaseModel):
    """How the heads of one chain reach one vault. Holds a secret, which can add and not remove."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_: Literal["steward.evidence-vault/1"] = Field("steward.evidence-vault/1", alias="schema")
    chain: str = Field(pattern=r"^[0-9a-f]{32}$")
    name: str
    stack: str
    address: str
    port: int = Field(ge=1, le=65_535)
    certificate: str
    password: str = Field(repr=False)
    routes: tuple[Route, ...] = ()

    @staticmethod
    def fresh_password() -> str:
        """A new one, known to whoever hides secrets in what is printed."""
        password = secrets.token_urlsafe(32)
        know(password)
        return password


ShellOf = Callable[[Route], HostShell]
"""A shell on a host that carries; the caller of the anchor closes it."""


def access_path(home: Path, chain: str, name: str) -> Path:
    """Where access to one vault is kept for one chain."""
    return home / "keys" / "evidence" / "anchors" / f"{chain}-{name}.json"


def read_accesses(home: Path, chain: str) -> Sequence[VaultAccess]:
    """Every vault that keeps this chain; raises InputError where a file cannot be read."""
    found = []
    for path in sorted(access_path(home, chain, "x").parent.glob(f"{chain}-*.json")):
        if path.name.endswith(".sent.json"):
            continue
        try:
            access = VaultAccess.model_validate_json(path.read_text())
        except (OSError, ValidationError, UnicodeDecodeError) as problem:
            raise InputError(
                "evidence", "how the vault is reached cannot be read", place=str(path),
                next_step="Restore the file from your backup of STEWARD_HOME.",
            ) from problem  # fmt: skip
        know(access.password)
        found.append(access)
    return found


def retire_accesses(home: Path, stack: str) -> None:
    """A vault's stack was destroyed: nobody asks it any more, though each chain goes on telling what it took.

    The files are kept apart; raises InputError where one cannot be read.
    """
    folder = access_path(home, "x", "x").parent
    gone = folder / "gone"
    for chain in {path.name.partition("-")[0] for path in folder.glob("*.json")}:
        for access in read_accesses(home, chain):
            if access.stack == stack:
                gone.mkdir(mode=0o700, exist_ok=True)
                path = access_path(home, chain, access.name)
                path.rename(gone / path.name)


def keep_access(home: Path, access: VaultAccess) -> None:
    """Keep how the vault is reached, readable by this user alone."""
    text = json.dumps(access.model_dump(mode="json", by_alias=True), indent=2, sort_keys=True)
    write_private(access_path(home, access.chain, access.name), text + "\n")


@dataclass(frozen=True)
class Sent:
    """The newest record that this machine brought to the vault; only time is lost where it is not true."""

    number: int = -1
    sha256: str = ""


@dataclass(frozen=True)
class VaultAnchor:
    """Implements `ports.evidence.Anchor` for the chain of one folder."""

    folder: EvidenceFolder
    access: VaultAccess
    shell_of: ShellOf

    @property
    def name(self) -> str:
        """By the vault's stack and its name there."""
        return f"vault {self.access.stack}"

    def publish(self, head: Head) -> AnchorReceipt:
        """Bring the head, and before it every record and document that leads to it."""
        sent = self._sent()
        lines = self._lines(sent, head)
        for load in _loads(self._documents(lines)):
            self._carry(load)
        told = canonical(asdict(head)) + b"\n"
        self._carry([_object("index", b"".join(lines)), _object("snapshots", told)])
        write_private(self._sent_path, json.dumps({"number": head.number, "sha256": head.sha256}) + "\n")
        return AnchorReceipt(self.name, hashlib.sha256(told).hexdigest())

    def kept(self, chain: str) -> Kept:
        """All of them by the vault itself, which is asked each time."""
        return Kept(self.heads(chain))

    def heads(self, chain: str) -> Sequence[Head]:
        """All heads that the vault holds, each once."""
        found = [_head(name, content) for name, content in self._carry([], lists="snapshots")]
        return list(dict.fromkeys(head for head in found if head.chain == chain))

    def _carry(self, puts: Sequence[tuple[str, bytes]], lists: str = "") -> Sequence[tuple[str, bytes]]:
        """Let the first host that can reach the vault do it; raises ToolError with what each said."""
        request = json.dumps(self._request(puts, lists))
        said = []
        for route in self.access.routes:
            try:
                done = self.shell_of(route).run(
                    route.server, ["python3", "-I", "-c", PROGRAM], timeout=_SECONDS, stdin=request,
                    check=False,
                )  # fmt: skip
            except StewardError as problem:
                said.append(f"{route.server.name}: {problem.message}")
                continue
            if done.returncode == 0:
                return _found(done.stdout, route.server.name)
            told = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
            said.append(f"{route.server.name}: {told[:300]}")
        raise ToolError(
            self.name, "cannot be reached: " + ("; ".join(said) or "no host is known that reaches it"),
            next_step="Nothing is lost: the next run brings everything since the last head. See: steward up",
        )  # fmt: skip

    def _request(self, puts: Sequence[tuple[str, bytes]], lists: str) -> Mapping[str, Any]:
        return {
            "address": self.access.address,
            "port": self.access.port,
            "certificate": self.access.certificate,
            "user": self.access.chain,
            "password": self.access.password,
            "puts": [(path, base64.b64encode(content).decode()) for path, content in puts],
            "lists": lists,
            "largest": _LARGEST_HEAD,
        }

    def _lines(self, sent: Sent, head: Head) -> list[bytes]:
        """The records after the last one that was brought, up to the head; all where that one is not here."""
        with self.folder.chain.open("rb") as file:
            lines = [line for _, line in zip(range(head.number + 1), file, strict=False)]
        known = 0 <= sent.number < len(lines) and f'"sha256":"{sent.sha256}"'.encode() in lines[sent.number]
        return lines[sent.number + 1 :] if known else lines

    def _documents(self, lines: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
        """Ciphertexts that these records name and that are still here."""
        store = PayloadStore(self.folder.payloads, self.folder.id)
        for line in lines:
            for found in _PAYLOAD.finditer(line):
                path = store.place(found[1].decode())
                if path.is_file():
                    yield _object("data", path.read_bytes())

    def _sent(self) -> Sent:
        try:
            return Sent(**json.loads(self._sent_path.read_text()))
        except (OSError, ValueError, TypeError):
            return Sent()

    @property
    def _sent_path(self) -> Path:
        return access_path(self.folder.home, self.access.chain, self.access.name).with_suffix(".sent.json")


def _object(kind: str, content: bytes) -> tuple[str, bytes]:
    return f"{kind}/{hashlib.sha256(content).hexdigest()}", content


def _loads(objects: Iterator[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    """Objects in loads of bounded size; a larger one goes alone."""
    load, size = list[tuple[str, bytes]](), 0
    for each in objects:
        if load and size + len(each[1]) > _LOAD_BYTES:
            yield load
            load, size = [], 0
        load.append(each)
        size += len(each[1])
    if load:
        yield load


def _found(text: str, host: str) -> list[tuple[str, bytes]]:
    """Objects as the host carried them; raises ToolError where one is not what its name says."""
    try:
        rows = [
            (str(name), base64.b64decode(each, validate=True)) for name, each in json.loads(text)["found"]
        ]
    except (ValueError, TypeError, KeyError, binascii.Error, RecursionError) as problem:
        raise ToolError(host, "carried no answer of the vault", got=text[:80]) from problem
    for name, content in rows:
        if hashlib.sha256(content).hexdigest() != name:
            raise ToolError(host, "carried an object that is not what the vault named", got=name[:64])
    return rows


def _head(name: str, content: bytes) -> Head:
    """One head; raises ToolError for what is none."""
    head = read_head(content)
    if head is None:
        raise ToolError(
            "anchor", "an object in the vault is no head", place=f"snapshots/{name}",
            got=content[:80].decode(errors="replace"),
        )  # fmt: skip
    return head
