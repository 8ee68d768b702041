"""The evidence of a run: its record, however it ended, and those of runs that could not write theirs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from orchestrator.circumstances import Origin, command
from orchestrator.clock import Moment
from orchestrator.connections import Connections
from orchestrator.convergence.inputs import playbooks_digest
from orchestrator.errors import StewardError
from orchestrator.evidence.anchors import FolderAnchor
from orchestrator.evidence.chain import ChainFile
from orchestrator.evidence.folder import EvidenceFolder
from orchestrator.evidence.keys import SigningKeys
from orchestrator.evidence.payloads import LARGEST_BYTES
from orchestrator.evidence.record import Circumstances, Kind, canonical, read_line
from orchestrator.evidence.schema import wrote_its_record
from orchestrator.evidence.standing import lost_in
from orchestrator.evidence.verdict import said_lost
from orchestrator.evidence.writer import Attachment, EvidenceWriter, RunEnd, open_writer
from orchestrator.ports.evidence import Anchor
from orchestrator.ports.run import Clock, Say, StackRecord
from orchestrator.redaction import redacted
from orchestrator.room import with_reserve
from orchestrator.settings import Settings
from orchestrator.vault_anchor import VaultAnchor, read_accesses

_KEPT: Final = ("report.json", "policy-report*.json", "facts/*.json", "host-facts*.json")
"""What of a run's folder is kept with its record, as long as the evidence is: see `RETENTION_MONTHS`."""
_RUN: Final = re.compile(rb'"run":"([0-9A-Za-z]{1,40})"')
_LONGEST: Final = 2_000

Rows = Callable[[], Sequence[Mapping[str, Any]]]
"""The newest runs of the stack, as the ledger knows them."""


@dataclass(frozen=True)
class RunEvidence:
    """Writes what one run leaves; `inputs` are digests of the files it read, by name."""

    settings: Settings
    stack: StackRecord
    clock: Clock
    run: str
    verb: str
    started: Moment
    actor: str
    versions: Mapping[str, str]
    inputs: Mapping[str, str]
    tools: str
    """Digest of the toolchain."""
    origin: Origin

    def tell_lost(self, rows: Rows) -> str:
        """A record of what is missing where the chain of a stack with recorded runs is gone.

        The ledger is asked only then. Returns that in words, '' where nothing is missing; raises StewardError
        or OSError.
        """
        folder = self._folder
        if ChainFile(folder.chain).tail().last is not None:
            return ""
        runs, keys = self._ended(rows()), SigningKeys(folder.signing_keys).unknown([])
        if not runs and not keys:
            return ""
        with self._writer() as writer:
            line = writer.append_loss(runs, keys, self.run)
        return (
            f"the evidence chain of {self.stack.name} was gone and begins anew, with record {line.number} "
            f"about the loss: {said_lost([*runs, *keys])}. See: steward evidence verify"
        )

    def tell_killed(self, killed: Sequence[str]) -> None:
        """Records for runs that were killed; raises StewardError or OSError."""
        if killed:
            with self._writer() as writer:
                writer.append_killed(killed, self.run)

    def tell_end(self, exit_code: int, problem: str, earlier: Sequence[Mapping[str, Any]]) -> Sequence[str]:
        """The record of this run, then its head to every anchor; returns what the anchors refused.

        `earlier` are the ledger's rows of this stack: one that is over and without a record gets one, for it
        was killed in its last moment or had no room. One that ended well had a record, which is lost. Raises
        StewardError or OSError.
        """
        end = RunEnd(
            self.run, self.verb, exit_code, self.started, redacted(problem)[:_LONGEST], self._attachments()
        )
        with self._writer() as writer:
            told = recorded_runs(writer.chain.raw_lines())
            lost = [run for run in self._ended(earlier) if run not in told]
            if lost:
                writer.append_loss(lost, (), self.run)
            told |= set(lost)
            writer.append_killed(self._unrecorded(writer, earlier, told), self.run)
            if self.run not in told:
                writer.append_run(end)
            with anchors_of(self.settings, writer.folder) as anchors:
                return writer.anchor(anchors)

    def _writer(self) -> AbstractContextManager[EvidenceWriter]:
        return open_writer(self._folder, self.stack.client_id, self.clock, self._circumstances())

    @property
    def _folder(self) -> EvidenceFolder:
        return EvidenceFolder(self.settings.home, self.stack.name, self.stack.id)

    def _ended(self, rows: Sequence[Mapping[str, Any]]) -> list[str]:
        """Runs of this stack that the ledger saw to their end: each had written its record before that."""
        return sorted(
            str(row["id"])
            for row in rows
            if row["id"] != self.run
            and wrote_its_record(row["exit_code"])
            and datetime.fromisoformat(row["started_at"]) >= self.stack.created_at
        )

    def _unrecorded(
        self, writer: EvidenceWriter, earlier: Sequence[Mapping[str, Any]], told: Collection[str]
    ) -> Sequence[str]:
        """Runs of this chain's time that are over and have no record."""
        first = next(writer.chain.lines(), None)
        return sorted(
            str(row["id"])
            for row in earlier
            if first is not None
            and row["exit_code"] is not None
            and row["id"] not in told
            and row["id"] != self.run
            and datetime.fromisoformat(row["started_at"]) >= first.ended_at()
        )

    def _circumstances(self) -> Circumstances:
        playbooks = playbooks_digest(self.settings.playbooks)
        tools = {"toolchain": self.tools, "playbooks": playbooks, **self.versions}
        return Circumstances(
            actor=self.actor,
            commit=self.origin.commit,
            change=self.origin.change,
            command=command(),
            versions=self.versions,
            rules=self.origin.rules,
            params=self.origin.params,
            tools=hashlib.sha256(canonical(tools)).hexdigest(),
            inputs=self.inputs,
        )

    def _attachments(self) -> list[Attachment]:
        folder = self.settings.run_folder(self.run)
        paths = sorted({path for pattern in _KEPT for path in folder.glob(pattern)})
        return [
            Attachment(str(path.relative_to(folder)), "application/json", path.read_bytes())
            for path in paths
            if path.is_file() and not path.is_symlink() and path.stat().st_size <= LARGEST_BYTES
        ]


@contextmanager
def told_at_its_end(evidence: RunEvidence, ledger_rows: Rows, say: Say) -> Iterator[RunEnding]:
    """The record of a run is written when the block ends, also by an error, a stop or an exit.

    After an error of the block's own, one of the evidence is only said. Else it is raised: a run without
    evidence did not end well.
    """
    ending = RunEnding()
    try:
        yield ending
    except BaseException as problem:
        try:
            _tell(evidence, 3, str(problem) or type(problem).__name__, ledger_rows, say)
        except (StewardError, OSError) as other:
            say(f"the evidence of this run could not be written: {other}")
        raise
    _tell(evidence, ending.exit_code, ending.problem, ledger_rows, say)


def say_lost(evidence: RunEvidence, rows: Rows, say: Say) -> None:
    """A record about a chain that is gone, before anything else begins it anew, and the same in words."""
    try:
        told = evidence.tell_lost(rows)
    except (StewardError, OSError) as problem:
        told = f"it could not be seen whether evidence is missing: {problem}"
    if told:
        say(told)


def say_killed(evidence: RunEvidence, killed: Sequence[str], say: Say) -> None:
    """Records for killed runs before this one begins; what hinders that is said, and tried again later."""
    try:
        evidence.tell_killed(killed)
    except (StewardError, OSError) as problem:
        say(f"the evidence of killed runs could not be written yet: {problem}")


@dataclass
class RunEnding:
    """How the block ended, by its own word."""

    exit_code: int = 3
    problem: str = ""


def _tell(evidence: RunEvidence, exit_code: int, problem: str, ledger_rows: Rows, say: Say) -> None:
    home = evidence.settings.home
    for refused in with_reserve(home, lambda: evidence.tell_end(exit_code, problem, ledger_rows())):
        say(f"evidence is not anchored: {refused}")


@contextmanager
def anchors_of(settings: Settings, folder: EvidenceFolder) -> Iterator[Sequence[Anchor]]:
    """The anchors of one chain for the block: folder and time stamp authority that are named, and every vault
    of its fleet.

    None where none is set up. Raises InputError.
    """
    anchors: list[Anchor] = [FolderAnchor(settings.anchor, settings.home)] if settings.anchor else []
    if settings.tsa or settings.tsa_certificates:
        from orchestrator.evidence.timestamps import TimestampAnchor  # brings an HTTP client along

        anchors.append(TimestampAnchor(settings.tsa, settings.tsa_certificates, folder))
    connections = Connections(settings)
    try:
        anchors += [
            VaultAnchor(folder, access, lambda route: connections.shell(route.stack, [route.server]))
            for access in read_accesses(settings.home, folder.id)
        ]
        yield anchors
    finally:
        connections.close()


def recorded_runs(raw: Iterator[bytes]) -> set[str]:
    """Runs that a chain has a record of, also of their loss, without reading it closely."""
    marks = [b'"kind":"%s"' % kind.encode() for kind in (Kind.RUN, Kind.KILLED)]
    loss = b'"kind":"%s"' % Kind.LOSS.encode()
    found = set[str]()
    for line in raw:
        if any(mark in line for mark in marks):
            found |= {match[1].decode() for match in _RUN.finditer(line)}
        elif loss in line:
            found |= lost_in(read_line(line))
    return found
