"""One record of the evidence chain: its fields, its canonical bytes, and the line that carries it.

A line is `{"record":RECORD,"sha256":HEX,"signature":BASE64}`. HEX is the SHA-256 of RECORD and one newline,
so that `sha256sum` over a file with one record says the same; the signature is over the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

SCHEMA: Final = "steward.evidence/1"
NO_RECORD: Final = "0" * 64
"""What the first record names as its predecessor."""
LONGEST_LINE: Final = 4 << 20
_LINE: Final = re.compile(
    rb'\{"record":(\{.*\}),"sha256":"([0-9a-f]{64})","signature":"([A-Za-z0-9+/=]{1,2000})"\}', re.DOTALL
)
_TIME: Final = "%Y-%m-%dT%H:%M:%S.%fZ"
_WRITTEN_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


class Kind(StrEnum):
    """What a record tells of."""

    KEY_CREATED = "key_created"
    KEY_ROTATED = "key_rotated"
    KEY_REVOKED = "key_revoked"
    PAYLOAD_KEY = "payload_key_created"
    RUN = "run"
    KILLED = "run_killed"
    ANCHOR = "anchor"
    REVIEW = "review"
    TOMBSTONE = "payload_tombstone"
    HOLD = "hold"
    RELEASE = "hold_released"
    REPAIR = "torn_line_cut"
    LOSS = "records_lost"


class BadLineError(ValueError):
    """A line that is no record; the text says why."""


@dataclass(frozen=True)
class Payload:
    """One document that lies apart, encrypted.

    `sha256` and `size` are of the stored ciphertext. `commitment` is the SHA-256 of 32 random bytes, which
    only the ciphertext holds, and the document: it proves a decrypted copy, and tells nothing when erased.
    """

    name: str
    media_type: str
    sha256: str
    size: int
    commitment: str


@dataclass(frozen=True)
class Circumstances:
    """Who wrote a record, because of which change, with which command and versions of everything."""

    actor: str
    commit: str = ""
    change: str = ""
    command: Sequence[str] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    rules: str = ""
    params: str = ""
    tools: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Digest of each input by its name."""

    def fields(self) -> dict[str, Any]:
        """As they stand in a record: names that others chose are values there, never keys."""
        inputs = [{"name": name, "sha256": digest} for name, digest in sorted(self.inputs.items())]
        return {
            "actor": self.actor,
            "commit": self.commit,
            "change": self.change,
            "command": list(self.command),
            "versions": [{"name": name, "version": each} for name, each in sorted(self.versions.items())],
            "digests": {"rules": self.rules, "params": self.params, "tools": self.tools, "inputs": inputs},
        }


@dataclass(frozen=True)
class Place:
    """Where in which chain a record stands, and when it was made."""

    chain: str
    number: int
    previous: str
    fence: int
    started_at: datetime
    ended_at: datetime
    boot_id: str
    monotonic_ms: int


@dataclass(frozen=True)
class Line:
    """One line of a chain, taken apart; `raw` are the record's bytes as they stand in the file."""

    raw: bytes
    record: Mapping[str, Any]
    sha256: str
    signature: str

    @property
    def number(self) -> int:
        """Its place in the chain, from 0."""
        return int(self.record["number"])

    @property
    def kind(self) -> str:
        """What it tells of; a later Steward may know more kinds."""
        return str(self.record["kind"])

    @property
    def body(self) -> Mapping[str, Any]:
        """What is particular to its kind."""
        body: Mapping[str, Any] = self.record["body"]
        return body

    @property
    def payloads(self) -> Sequence[Payload]:
        """What it refers to."""
        return [Payload(**each) for each in self.record["payloads"]]

    def text(self, name: str) -> str:
        """A field that is text."""
        return str(self.record[name])

    def ended_at(self) -> datetime:
        """When it was written, by the machine's clock."""
        return read_time(self.text("ended_at"))


def make_record(
    place: Place, kind: Kind, by: Circumstances, body: Mapping[str, Any], payloads: Sequence[Payload] = ()
) -> bytes:
    """The canonical bytes of a record."""
    return canonical(
        {
            **by.fields(),
            **asdict(place),
            "schema": SCHEMA,
            "kind": str(kind),
            "started_at": written_time(place.started_at),
            "ended_at": written_time(place.ended_at),
            "body": body,
            "payloads": [asdict(each) for each in payloads],
        }
    )


def make_line(record: bytes, signature: str) -> bytes:
    """The line of a record, with its newline."""
    digest = hash_of(record).encode()
    return (
        b'{"record":' + record + b',"sha256":"' + digest + b'","signature":"' + signature.encode() + b'"}\n'
    )


def signed_bytes(record: bytes) -> bytes:
    """What is hashed and signed: the record as a text file of one line."""
    return record + b"\n"


def hash_of(record: bytes) -> str:
    """The digest by which the next record names this one."""
    return hashlib.sha256(signed_bytes(record)).hexdigest()


def read_line(line: bytes) -> Line:
    """A line without its newline, taken apart but not judged; raises BadLineError."""
    if len(line) > LONGEST_LINE:
        raise BadLineError(f"longer than {LONGEST_LINE >> 20} MiB")
    found = _LINE.fullmatch(line)
    if found is None:
        raise BadLineError("not the form of a record")
    raw, digest, signature = found[1], found[2].decode(), found[3].decode()
    try:
        record = json.loads(raw, parse_float=_no_fraction, parse_constant=_no_fraction)
        problem = _shape(record)
    except (ValueError, RecursionError) as error:
        raise BadLineError("not JSON") from error
    if problem:
        raise BadLineError(problem)
    return Line(raw, record, digest, signature)


_TYPES: Final[Mapping[str, type]] = {
    "schema": str, "chain": str, "number": int, "kind": str, "previous": str, "fence": int, "actor": str,
    "commit": str, "change": str, "command": list, "versions": list, "digests": dict, "started_at": str,
    "ended_at": str, "boot_id": str, "monotonic_ms": int, "payloads": list, "body": dict,
}  # fmt: skip
_PAYLOAD_TYPES: Final[Mapping[str, type]] = {
    "name": str, "media_type": str, "sha256": str, "size": int, "commitment": str,
}  # fmt: skip
_HEX: Final = re.compile(r"[0-9a-f]{64}")


def _shape(record: Any) -> str:
    """What is wrong with the fields of a record, '' when nothing is."""
    problem = _fields(record, _TYPES)
    if problem:
        return problem
    if record["schema"] != SCHEMA:
        return f"schema {record['schema'][:40]!r}, known: {SCHEMA}"
    for name in ("started_at", "ended_at"):
        try:
            read_time(record[name])
        except ValueError:
            return f"{name} is no UTC time"
    for each in record["payloads"]:
        problem = _fields(each, _PAYLOAD_TYPES)
        if problem or not _HEX.fullmatch(each["sha256"]):
            return f"a payload: {problem or 'its digest is none'}"
    return ""


def _fields(found: Any, types: Mapping[str, type]) -> str:
    if not isinstance(found, dict) or set(found) != set(types):
        return "other fields than a record has"
    wrong = [name for name, kind in types.items() if type(found[name]) is not kind]
    return f"{wrong[0]} is no {types[wrong[0]].__name__}" if wrong else ""


def canonical(value: Any) -> bytes:
    """Sorted keys, no spaces, UTF-8 in form NFC, no numbers but whole ones: equal values give equal bytes."""
    return _dumped(_plain(value)).encode()


def is_canonical(line: Line) -> bool:
    """Whether a record stands there in that form, so that nothing hides in how it is written."""
    try:
        same = _dumped(line.record).encode() == line.raw
    except (UnicodeEncodeError, RecursionError):
        return False
    return same and (line.raw.isascii() or unicodedata.is_normalized("NFC", line.raw.decode()))


def _dumped(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _no_fraction(text: str) -> Any:
    raise ValueError(f"a record holds no {text[:20]}")


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        text = value.encode("utf-8", "replace").decode()  # half a surrogate pair is no UTF-8
        return unicodedata.normalize("NFC", text)
    if isinstance(value, Mapping):
        return {_plain(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | int):
        return value
    raise TypeError(f"a record holds no {type(value).__name__}")


def written_time(at: datetime) -> str:
    """A time as records have it: UTC with microseconds."""
    return at.astimezone(UTC).strftime(_TIME)


def read_time(text: str) -> datetime:
    """The other way round; raises ValueError."""
    if not _WRITTEN_TIME.fullmatch(text):
        raise ValueError("not a time as records have it")
    return datetime.fromisoformat(text)
