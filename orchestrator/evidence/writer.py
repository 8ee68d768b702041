"""The one writer of a chain: appends records, and does what they tell of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from orchestrator.clock import Moment
from orchestrator.errors import StewardError
from orchestrator.evidence.chain import ChainFile
from orchestrator.evidence.fence import LEASE_SECONDS, Fence, Lease
from orchestrator.evidence.folder import EvidenceFolder
from orchestrator.evidence.keys import KeyPair, SigningKeys, key_in_force
from orchestrator.evidence.payloads import PayloadKey, PayloadStore, load_key, make_key
from orchestrator.evidence.record import (
    NO_RECORD,
    Circumstances,
    Kind,
    Line,
    Payload,
    Place,
    make_line,
    make_record,
    read_line,
    signed_bytes,
)
from orchestrator.evidence.sshsig import fingerprint
from orchestrator.evidence.standing import Standing, standing_of
from orchestrator.ports.evidence import Anchor, Head
from orchestrator.ports.run import Clock
from orchestrator.private_file import make_private_folder


@dataclass(frozen=True)
class Attachment:
    """A document to keep with a record."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class RunEnd:
    """How a run ended; `problem` is its error in words, '' when there was none."""

    run: str
    verb: str
    exit_code: int
    started: Moment
    problem: str = ""
    attachments: Sequence[Attachment] = ()


class EvidenceWriter:
    """Appends to one chain; made by `open_writer`, which takes the lease and gives it back."""

    def __init__(
        self,
        folder: EvidenceFolder,
        client_id: str,
        clock: Clock,
        by: Circumstances,
        fence: Fence,
        token: int,
    ) -> None:
        self.folder = folder
        self.chain = ChainFile(folder.chain)
        self.store = PayloadStore(folder.payloads, folder.id)
        self.keys = SigningKeys(folder.signing_keys)
        self._client_id = client_id
        self._clock = clock
        self._by = by
        self._fence = fence
        self._token = token
        self._in_force: KeyPair | None = None

    def append_run(self, end: RunEnd) -> Line:
        """The record of a run, with its documents."""
        body = {"run": end.run, "verb": end.verb, "exit_code": end.exit_code, "problem": end.problem}
        return self.append(Kind.RUN, body, end.attachments, started=end.started)

    def append_killed(self, runs: Sequence[str], found_by: str) -> Sequence[Line]:
        """Runs that were killed before they could write; one that did write has its record already."""
        told = self.standing().runs if runs else {}
        return [
            self.append(Kind.KILLED, {"run": run, "found_by": found_by}) for run in runs if run not in told
        ]

    def append_loss(self, runs: Sequence[str], keys: Sequence[str], found_by: str) -> Line:
        """Records that were here: the ledger saw these runs to their end, these keys signed; all are gone."""
        return self.append(Kind.LOSS, {"runs": list(runs), "keys": list(keys), "found_by": found_by})

    def append(
        self,
        kind: Kind,
        body: Mapping[str, Any],
        attachments: Sequence[Attachment] = (),
        *,
        started: Moment | None = None,
    ) -> Line:
        """One record; its documents are on disk before it. Raises StaleWriterError, ToolError or OSError."""
        began = started or self._clock.moment()
        with self._fence.held(self._token) as lease:
            self._mend(lease)
            pair = self._pair()
            payloads = self._put(attachments, pair)
            return self._add(kind, body, payloads, pair, began)

    def rotate(self, reason: str) -> Line:
        """A new signing key; the one in force signs that, and is deleted."""
        with self._fence.held(self._token) as lease:
            self._mend(lease)
            old = self._pair()
            new = self.keys.make()
            body = {
                "public_key": new.public, "fingerprint": fingerprint(new.public),
                "retires": fingerprint(old.public), "reason": reason,
            }  # fmt: skip
            line = self._add(Kind.KEY_ROTATED, body, (), old, self._clock.moment())
            self._use(new)
            return line

    def revoke(self, revoked: str, since: int, reason: str) -> Line:
        """An earlier key (by fingerprint) is not to be believed from record `since` on."""
        return self.append(Kind.KEY_REVOKED, {"fingerprint": revoked, "since": since, "reason": reason})

    def replace_lost_key(self, reason: str) -> Line:
        """A new key that no earlier one vouches for; `verify` asks for it in allowed_signers."""
        with self._fence.held(self._token) as lease:
            self._mend(lease)
            return self._first_key(reason)

    def erase(self, payloads: Sequence[Payload], cause: str, reason: str) -> Sequence[Line]:
        """Erase documents for good: a tombstone, then the ciphertext. Holds are the caller's question."""
        lines = []
        for each in payloads:
            body = {"sha256": each.sha256, "name": each.name, "cause": cause, "reason": reason}
            lines.append(self.append(Kind.TOMBSTONE, body))
            self.store.erase(each.sha256)
        return lines

    def finish_erasures(self) -> int:
        """Remove what has a tombstone and is still there, because an erasure was killed; returns how many."""
        left = [sha256 for sha256 in self.standing().tombstones if self.store.exists(sha256)]
        for sha256 in left:
            self.store.erase(sha256)
        return len(left)

    def anchor(self, anchors: Sequence[Anchor]) -> Sequence[str]:
        """Publish the head to each anchor and record that; returns what went wrong, in words."""
        line = self.chain.tail().last
        first = next(self.chain.key_lines(), None)
        if line is None or first is None:
            return []
        head = Head(
            self.folder.id, line.number, line.sha256, str(first.body["fingerprint"]), line.text("ended_at")
        )
        problems = []
        for each in anchors:
            try:
                receipt = each.publish(head)
            except StewardError as problem:
                problems.append(str(problem))
                continue
            self.append(Kind.ANCHOR, {**asdict(receipt), "head": head.number, "head_sha256": head.sha256})
        return problems

    def standing(self) -> Standing:
        """What all records say together."""
        return standing_of(self.chain.lines())

    def _mend(self, lease: Lease) -> None:
        """Say in records what is missing at the end: a torn line, records that were surely there."""
        cut = self.chain.cut_torn_end()
        last = self.chain.tail().last
        number = last.number if last else -1
        now = self._clock.moment()
        if cut is not None:
            self._add(Kind.REPAIR, {"bytes": cut.bytes, "sha256": cut.sha256}, (), self._pair(), now)
            self.chain.forget_cut()
        if lease.head_number > number:
            body = {"first": number + 1, "last": lease.head_number, "last_sha256": lease.head_sha256}
            self._add(Kind.LOSS, body, (), self._pair(), now)

    def _pair(self) -> KeyPair:
        """The key in force; the first one is made here, with its record.

        Looked up once: while this writer's number is the newest, nobody else brings another key.
        """
        if self._in_force is None:
            public = key_in_force(self.chain)
            if not public:
                self._first_key("first key of this chain")
                public = key_in_force(self.chain)
            self._in_force = self.keys.pair(public)
        return self._in_force

    def _first_key(self, reason: str) -> Line:
        pair = self.keys.make()
        body = {"public_key": pair.public, "fingerprint": fingerprint(pair.public), "reason": reason}
        line = self._add(Kind.KEY_CREATED, body, (), pair, self._clock.moment())
        self._use(pair)
        return line

    def _use(self, pair: KeyPair) -> None:
        """A record of the chain brought it; private halves of others go."""
        self._in_force = self.keys.adopt(pair.public)
        self.keys.forget_but(pair.public)

    def _put(self, attachments: Sequence[Attachment], pair: KeyPair) -> Sequence[Payload]:
        if not attachments:
            return ()
        key = self._payload_key(pair)
        return [self.store.put(key, each.name, each.media_type, each.content) for each in attachments]

    def _payload_key(self, pair: KeyPair) -> PayloadKey:
        """The client's key; its first use in this chain is a record."""
        path = self.folder.payload_key(self._client_id)
        key = load_key(path) or make_key(path)
        told = f'"key_id":"{key.id}"'.encode()
        if not any(told in raw for raw in self.chain.raw_lines()):
            body = {"key_id": key.id, "client": self._client_id, "cipher": "AES-256-GCM"}
            self._add(Kind.PAYLOAD_KEY, body, (), pair, self._clock.moment())
        return key

    def _add(
        self, kind: Kind, body: Mapping[str, Any], payloads: Sequence[Payload], pair: KeyPair, began: Moment
    ) -> Line:
        last, now = self.chain.tail().last, self._clock.moment()
        place = Place(
            chain=self.folder.id,
            number=last.number + 1 if last else 0,
            previous=last.sha256 if last else NO_RECORD,
            fence=self._token,
            started_at=began.utc,
            ended_at=now.utc,
            boot_id=now.boot_id,
            monotonic_ms=int(now.monotonic_seconds * 1000),
        )
        record = make_record(place, kind, self._by, body, payloads)
        raw = make_line(record, pair.sign(signed_bytes(record)))
        self.chain.append(raw)
        line = read_line(raw[:-1])
        self._fence.note_head(line.number, line.sha256)
        return line


@contextmanager
def open_writer(
    folder: EvidenceFolder,
    client_id: str,
    clock: Clock,
    by: Circumstances,
    *,
    lease_seconds: float = LEASE_SECONDS,
) -> Iterator[EvidenceWriter]:
    """The writer of a chain for the block; makes the folder of a new one."""
    make_private_folder(folder.payloads)
    fence = Fence(folder.path, lease_seconds)
    chain = ChainFile(folder.chain)
    last = chain.tail().last
    token = fence.take(int(last.record["fence"]) if last else 0)
    try:
        yield EvidenceWriter(folder, client_id, clock, by, fence, token)
    finally:
        fence.release(token)
