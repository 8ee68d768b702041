"""Walks a chain from its first record on, and stops at the first that cannot stand where it stands."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from orchestrator.errors import InputError
from orchestrator.evidence.record import (
    NO_RECORD,
    BadLineError,
    Kind,
    Line,
    hash_of,
    is_canonical,
    read_line,
    signed_bytes,
)
from orchestrator.evidence.sshsig import (
    EVIDENCE,
    BadSignatureError,
    check,
    fingerprint,
    public_key_of,
    read_signature,
    verify_by_ssh,
)
from orchestrator.evidence.standing import lost_in
from orchestrator.evidence.verdict import Fault, Problem, said_lost


class Walk:
    """The records that hold, up to the first that breaks the chain; every signature is checked on the way.

    `trusted` are public keys that somebody vouches for; a key that no earlier key vouches for must be one of
    them, but for the very first, where `trusted` is empty.
    """

    def __init__(self, chain: str, raw: Sequence[bytes], trusted: Collection[str] = ()) -> None:
        self.lines: list[Line] = []
        self.problems: list[Problem] = []
        self._chain = chain
        self._raw = raw
        self._trusted = trusted
        self._force = ""
        self._retired: dict[str, int] = {}
        self._broken = not self._all_hold()
        self._check_by_ssh()

    @property
    def first_key(self) -> str:
        """Fingerprint of the key that the chain began with, '' when it has none."""
        return str(self.lines[0].body.get("fingerprint", "")) if self.lines else ""

    @property
    def broken(self) -> bool:
        """Whether records after those in `lines` were not looked at."""
        return self._broken

    def _all_hold(self) -> bool:
        for at, raw in enumerate(self._raw):
            try:
                line = read_line(raw)
            except BadLineError as problem:
                self._say(at, Fault.EDITED, f"line {at + 1} is no record: {problem}")
                return False
            problem_found = self._content(at, line) or self._link(at, line) or self._signature(at, line)
            if problem_found:
                self.problems.append(problem_found)
                return False
            self._time(line)
            self._take(line)
        return True

    def _content(self, at: int, line: Line) -> Problem | None:
        if hash_of(line.raw) != line.sha256:
            return Problem(at, Fault.EDITED, "its content is not what its hash says")
        if not is_canonical(line):
            return Problem(at, Fault.EDITED, "it is not written in the one canonical form")
        if line.text("chain") != self._chain:
            return Problem(at, Fault.FOREIGN, f"it is of the chain {line.text('chain')[:40]}")
        return None

    def _link(self, at: int, line: Line) -> Problem | None:
        """Whether it is the successor of the one before."""
        last = self.lines[-1] if self.lines else None
        previous = line.text("previous")
        if line.number != at:
            return self._out_of_place(at, line)
        if previous != (last.sha256 if last else NO_RECORD):
            if any(previous == each.sha256 for each in self.lines):
                return Problem(at, Fault.FORKED, f"it follows an earlier record than {at - 1}")
            return Problem(
                max(0, at - 1), Fault.FORKED if self._twice(at - 1) else Fault.EDITED,
                f"record {at} names another record as the one before it",
            )  # fmt: skip
        if last and line.record["fence"] < last.record["fence"]:
            return Problem(at, Fault.STALE_WRITER, "its writer had lost the lease to the one before it")
        return None

    def _out_of_place(self, at: int, line: Line) -> Problem:
        numbers = list(self._numbers())
        if line.number < at:
            return Problem(line.number, Fault.FORKED, f"there are two records {line.number}")
        if at in numbers[at + 1 :]:
            return Problem(at, Fault.REORDERED, f"record {line.number} stands in its place")
        gone = f"record {at} is" if line.number == at + 1 else f"records {at} to {line.number - 1} are"
        return Problem(at, Fault.DELETED, f"{gone} gone")

    def _signature(self, at: int, line: Line) -> Problem | None:
        """Whether the key in force signed it; a key that begins here signs its own record."""
        key = self._key_for(line)
        try:
            signature = read_signature(line.signature)
            if signature.key != key:
                return Problem(at, Fault.BAD_SIGNATURE, self._whose(signature.key))
            check(signature, EVIDENCE, signed_bytes(line.raw))
        except BadSignatureError as problem:
            return Problem(at, Fault.BAD_SIGNATURE, str(problem))
        return None

    def _key_for(self, line: Line) -> str:
        if line.kind == Kind.KEY_CREATED:
            return _public(line)
        return self._force

    def _whose(self, key: str) -> str:
        try:
            name = fingerprint(public_key_of(key))
        except InputError:
            return "signed by something that is no Ed25519 key"
        if key in self._retired:
            return f"signed by {name}, which record {self._retired[key]} retired"
        return f"signed by {name}, which no record created before"

    def _take(self, line: Line) -> None:
        if line.kind == Kind.KEY_CREATED:
            key = _public(line)
            if (self.lines or self._trusted) and key not in self._trusted:
                text = f"no earlier key and nobody else vouches for {fingerprint(key)}"
                self._say(line.number, Fault.UNTRUSTED_KEY, text)
        if line.kind in (Kind.KEY_CREATED, Kind.KEY_ROTATED):
            if self._force:
                self._retired[self._force] = line.number
            self._force = _public(line)
        if line.kind == Kind.KEY_REVOKED:
            self._revoke(line)
        if line.kind == Kind.LOSS:
            self._lost(line)
        self.lines.append(line)

    def _lost(self, line: Line) -> None:
        """What its writer found to be gone: the end of the chain, or runs that the ledger knows."""
        first, writer = line.body.get("first"), f"the writer of record {line.number} found that"
        if isinstance(first, int):
            self._say(first, Fault.TRUNCATED, f"{writer} records were gone from the end")
        else:
            text = f"{writer} {said_lost(sorted(lost_in(line)))}"
            self._say(line.number, Fault.RECORDS_LOST, text)

    def _revoke(self, line: Line) -> None:
        """Records that the key signed since then cannot be believed any more."""
        name, since = str(line.body.get("fingerprint", "")), line.body.get("since")
        for each in self.lines:
            if isinstance(since, int) and each.number >= since and self._signed_by(each) == name:
                text = f"signed by {name}, which record {line.number} revokes from record {since} on"
                self._say(each.number, Fault.REVOKED_KEY, text)
                return

    def _time(self, line: Line) -> None:
        """A clock that went back; within one boot the monotonic clock says so, too."""
        last = self.lines[-1] if self.lines else None
        if last is None:
            return
        if line.ended_at() < last.ended_at():
            text = f"clock_suspect: its time is before that of record {last.number}"
            self._say(line.number, Fault.CLOCK_SUSPECT, text)
        elif (
            line.text("boot_id") == last.text("boot_id")
            and line.record["monotonic_ms"] < last.record["monotonic_ms"]
        ):
            self._say(line.number, Fault.CLOCK_SUSPECT, "clock_suspect: its monotonic counter went back")

    def _check_by_ssh(self) -> None:
        """ssh-keygen itself looks at the last record of each key; the hashes carry that to all before."""
        signers = [read_signature(line.signature).key for line in self.lines]
        for line, key, following in zip(self.lines, signers, [*signers[1:], ""], strict=False):
            if key != following and not verify_by_ssh(key, EVIDENCE, signed_bytes(line.raw), line.signature):
                self._say(line.number, Fault.BAD_SIGNATURE, "ssh-keygen does not accept it")

    def _signed_by(self, line: Line) -> str:
        return fingerprint(read_signature(line.signature).key)

    def _twice(self, number: int) -> bool:
        return list(self._numbers()).count(number) > 1

    def _numbers(self) -> Iterator[int]:
        for raw in self._raw:
            try:
                yield read_line(raw).number
            except BadLineError:
                yield -1

    def _say(self, number: int, fault: Fault, text: str) -> None:
        self.problems.append(Problem(number, fault, text))


def _public(line: Line) -> str:
    """The key that a record brings; '' when it is none, which no signature fits."""
    try:
        return public_key_of(str(line.body.get("public_key", "")))
    except InputError:
        return ""
