"""Chains for tests: on real files, signed by the real ssh-keygen."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from orchestrator.evidence.folder import EvidenceFolder
from orchestrator.evidence.record import Circumstances, Line, make_line, read_line
from orchestrator.evidence.trust import Trusted
from orchestrator.evidence.verdict import Verdict
from orchestrator.evidence.verify import verify
from orchestrator.evidence.writer import Attachment, EvidenceWriter, RunEnd, open_writer
from orchestrator.ports.evidence import Anchor, AnchorReceipt, Head, Kept
from tests.fakes import FixedClock

STACK_ID = "a1" * 16
CLIENT_ID = "c1" * 16
BY = Circumstances(
    actor="alice@ci", commit="f" * 40, change="MR 7", command=["steward", "up"],
    versions={"steward": "0.1.0"}, rules="1" * 64, params="2" * 64, tools="3" * 64,
    inputs={"demo.yaml": "4" * 64},
)  # fmt: skip
REPORT = Attachment("report.json", "application/json", b'{"schema":"steward.report/2"}')


@dataclass
class MemoryAnchor:
    """An anchor that keeps heads in memory, which nobody rewrites."""

    taken: list[Head] = field(default_factory=list)
    name: str = "memory"

    def publish(self, head: Head) -> AnchorReceipt:
        self.taken.append(head)
        return AnchorReceipt(self.name, str(len(self.taken)))

    def kept(self, chain: str) -> Kept:
        return Kept([head for head in self.taken if head.chain == chain])


@dataclass
class Bench:
    """One chain, its clock, and short ways to write to it and judge it."""

    folder: EvidenceFolder
    clock: FixedClock

    @contextmanager
    def writer(self) -> Iterator[EvidenceWriter]:
        with open_writer(self.folder, CLIENT_ID, self.clock, BY) as writer:
            yield writer

    def runs(self, count: int, *, begin: int = 0, attachments: tuple[Attachment, ...] = ()) -> None:
        with self.writer() as writer:
            for number in range(begin, begin + count):
                started = self.clock.moment()
                self.clock.move(timedelta(minutes=1))
                writer.append_run(RunEnd(f"{number:026d}", "up", 0, started, attachments=attachments))

    def verify(
        self, *anchors: Anchor, trusted: tuple[str, ...] = (), reviewers: str = "", runs: Collection[str] = ()
    ) -> Verdict:
        known = Trusted(trusted, reviewers)
        return verify(self.folder, anchors, self.clock.now(), trusted=known, runs=runs)

    def lines(self) -> list[bytes]:
        return self.folder.chain.read_bytes().splitlines(keepends=True)

    def put(self, lines: list[bytes]) -> None:
        self.folder.chain.write_bytes(b"".join(lines))

    def records(self) -> list[Line]:
        return [read_line(line[:-1]) for line in self.lines()]

    def kinds(self) -> list[str]:
        return [line.kind for line in self.records()]


def changed(line: bytes, **values: Any) -> bytes:
    """The line with other values and a hash that fits them again; its signature is the old one."""
    old = read_line(line[:-1])
    record = json.dumps({**old.record, **values}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return make_line(record.encode(), old.signature)


def bench_at(home: Path) -> Bench:
    """A chain of a new installation."""
    return Bench(EvidenceFolder(home, "acme-demo", STACK_ID), FixedClock())


def copied(made: Bench, home: Path) -> Bench:
    """The same chain elsewhere, to do harm to: signing each anew would take most of the tests' time."""
    shutil.copytree(made.folder.home, home, symlinks=True)
    return Bench(replace(made.folder, home=home), replace(made.clock))
