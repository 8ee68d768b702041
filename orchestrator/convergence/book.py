"""Which converge left each host as it is: kept on the control machine, held against the host's own state."""

from __future__ import annotations

import gzip
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from threading import Event

from pydantic import ValidationError

from orchestrator.clock import SystemClock
from orchestrator.convergence.acceptance import accepted
from orchestrator.convergence.comparison import after_converge, beyond, hand_made, items, with_learned
from orchestrator.convergence.inputs import declared_digest, inputs_digest
from orchestrator.convergence.records import ConvergeRecord, Expected, Seen, read_look
from orchestrator.errors import StewardError
from orchestrator.inventory.model import Inventory
from orchestrator.parallel import for_each
from orchestrator.ports.hosts import PYTHON_AS_ROOT, HostShell
from orchestrator.ports.run import Clock
from orchestrator.private_file import write_private
from orchestrator.reporting.drift import DriftItem, DriftSubject
from stacks.outputs import ServerOutput

_LOOK_SECONDS = 60.0

HandMade = Mapping[str, Mapping[str, str | None]]


class ConvergeBook:
    """Implements `ports.plays.Convergence` and `ports.drift.HostDrifts`: two files a server in `folder`,
    the short record that `up` reads and every entry as it should be, for drift.

    `tools`, `key` as in `inputs_digest`.
    """

    def __init__(
        self,
        folder: Path,
        shell: HostShell,
        tools: Callable[[], str],
        key: Callable[[], bytes],
        clock: Clock | None = None,
    ) -> None:
        self._folder = folder
        self._shell = shell
        self._tools = tools
        self._key = key
        self._clock = clock or SystemClock()
        self._before: dict[str, tuple[Expected | None, HandMade]] = {}
        self._looked: dict[str, Seen] = {}

    def settled(self, inventory: Inventory, servers: Sequence[ServerOutput]) -> Mapping[str, str]:
        """Servers on which nothing differs from what their last converge was given and left, with its run."""
        wanted = self._inputs(inventory)
        known = {server.name: self._load(server) for server in servers}
        asked = [s for s in servers if (r := known[s.name]) is not None and r.inputs == wanted.get(s.name)]
        found = {}
        for server, seen in zip(asked, for_each(asked, self._look_again), strict=True):
            record = known[server.name]
            if seen is not None and record is not None and not record.begun and seen.parts == record.state:
                found[server.name] = record.run
        self._learn([server for server in asked if server.name in found], known)
        return found

    def due(self, declared: Mapping[str, str], servers: Sequence[ServerOutput]) -> Sequence[str]:
        """Servers that a converge would be given something else for than their last one; asks no host."""
        wanted = self._declared(declared)
        found = []
        for server in servers:
            record = self._load(server)
            if record is None or record.begun or record.declared not in ("", wanted.get(server.name)):
                found.append(server.name)
        return found

    def _learn(self, servers: Sequence[ServerOutput], known: Mapping[str, ConvergeRecord | None]) -> None:
        """What another version kept cannot be compared; these hosts are as they should be, so look anew."""
        strange = [server for server in servers if not _current(self._expected(server))]
        for server, seen in zip(strange, for_each(strange, self._look_whole), strict=True):
            record = known[server.name]
            if seen is not None and record is not None and seen.parts == record.state:
                made = after_converge(None, {}, seen, record.run, self._clock.now(), _look_digest())
                self._expect(server, made)

    def forget(self, servers: Sequence[ServerOutput]) -> None:
        """Before a converge begins: the old record no longer holds, but what was changed by hand is kept in
        mind, so that the converge cannot make it look right.
        """
        known = [server for server in servers if self._load(server) is not None]
        for server, seen in zip(known, for_each(known, self._look_once), strict=True):
            expected, record = self._expected(server), self._load(server)
            if record is None:
                continue
            by_hand = record.by_hand  # what a converge that broke off did since is not by hand
            if not record.begun:
                by_hand = hand_made(expected, seen) if expected and seen and _current(expected) else {}
            self._before[server.incarnation] = (expected, by_hand)
            self._keep(server, record.model_copy(update={"begun": True, "by_hand": by_hand}))

    def record(self, inventory: Inventory, servers: Sequence[ServerOutput], run: str) -> None:
        """Keep what these servers are like after a converge that ended well; forget what cannot be seen."""
        inputs, at = self._inputs(inventory), self._clock.now()
        declared = self._declared(inventory.declared)
        for server, seen in zip(servers, for_each(servers, self._look_whole), strict=True):
            if seen is None:
                self._path(server).unlink(missing_ok=True)
                continue
            old, by_hand = self._before.get(server.incarnation, (None, {}))
            self._expect(server, after_converge(old, by_hand, seen, run, at, _look_digest()))
            made = ConvergeRecord(
                run=run, inputs=inputs[server.name], declared=declared.get(server.name, ""), state=seen.parts
            )
            self._keep(server, made)

    def drifted(self, servers: Sequence[ServerOutput]) -> Sequence[DriftSubject]:
        """One subject for each server, in order; a host that cannot be looked at is unknown."""
        return for_each(servers, self._drift)

    def accept(self, servers: Sequence[ServerOutput], run: str) -> Sequence[str]:
        """From now on these hosts are right as they are; the names of those that could be looked at."""
        done, at = [], self._clock.now()
        for server, seen in zip(servers, for_each(servers, self._look_whole), strict=True):
            record = self._load(server)
            if seen is not None and record is not None and not record.begun:
                self._expect(server, after_converge(None, {}, seen, run, at, _look_digest()))
                self._keep(server, record.model_copy(update={"state": seen.parts}))
                done.append(server.name)
        return done

    def accept_items(
        self, servers: Sequence[ServerOutput], wanted: Sequence[DriftItem]
    ) -> Sequence[DriftItem]:
        """From now on these differences are right, and no other; those that were still as they were told."""
        done: list[DriftItem] = []
        for server, seen in zip(servers, for_each(servers, self._look_again), strict=True):
            record, expected = self._load(server), self._expected(server)
            if seen is None or record is None or record.begun or expected is None or not _current(expected):
                continue
            made = accepted(server.name, expected, record.state, seen, wanted)
            if made.items:
                self._expect(server, made.expected)
                self._keep(server, record.model_copy(update={"state": made.state}))
            done += made.items
        return done

    def learn(self, servers: Sequence[ServerOutput], paths: Sequence[str]) -> None:
        """Steward itself changed these files there, outside of a converge: that is how they should be."""
        known = [server for server in servers if _current(self._expected(server))]
        for server, seen in zip(known, for_each(known, self._look_again), strict=True):
            record, expected = self._load(server), self._expected(server)
            if seen is None or record is None or expected is None or record.begun:
                continue
            differing = hand_made(expected, seen)
            self._expect(server, with_learned(expected, differing, paths))
            if not beyond(expected, differing, paths):
                self._keep(server, record.model_copy(update={"state": seen.parts}))

    def _drift(self, server: ServerOutput, _stopping: Event) -> DriftSubject:
        record, expected = self._load(server), self._expected(server)
        if record is not None and not _current(expected):
            return _unknown(server, "another version of Steward looked at it last; a converge makes it known")
        if record is None or expected is None:
            return _unknown(
                server, "it was never converged from here, so nothing is known of how it should be"
            )
        if record.begun:
            return _unknown(server, "a converge began and did not end well, so it may be anywhere in between")
        try:
            seen = self._look(server, expected.digests())
        except StewardError as problem:
            return _unknown(server, problem.message)
        found = items(server.name, expected, seen)
        return DriftSubject(
            kind="host",
            name=server.name,
            state="drifted" if found else "clean",
            since=expected.run,
            since_at=expected.at,
            items=found,
        )

    def _declared(self, declared: Mapping[str, str]) -> dict[str, str]:
        tools, key = self._tools(), self._key()
        return {name: declared_digest(text, tools, key) for name, text in declared.items()}

    def _inputs(self, inventory: Inventory) -> dict[str, str]:
        tools, key = self._tools(), self._key()
        return {host.name: inputs_digest(host, inventory, tools, key) for host in inventory.hosts}

    def _look_again(self, server: ServerOutput, _stopping: Event) -> Seen | None:
        """The look of `up`: digests, and the entries of what differs, which are then by hand."""
        expected = self._expected(server)
        seen = self._seen(server, expected.digests() if expected is not None else None)
        if seen is not None:
            self._looked[server.incarnation] = seen
        return seen

    def _look_once(self, server: ServerOutput, stopping: Event) -> Seen | None:
        """The look of this run, or one now."""
        looked = self._looked.pop(server.incarnation, None)
        return looked if looked is not None else self._look_again(server, stopping)

    def _look_whole(self, server: ServerOutput, _stopping: Event) -> Seen | None:
        """Every entry there is."""
        return self._seen(server, {})

    def _seen(self, server: ServerOutput, known: Mapping[str, str] | None) -> Seen | None:
        """None when it cannot be seen, which equals no record."""
        try:
            return self._look(server, known)
        except StewardError:
            return None

    def _look(self, server: ServerOutput, known: Mapping[str, str] | None) -> Seen:
        """One call; the key comes with the program on standard input, where no process list shows it."""
        key = hmac.new(self._key(), f"look {server.incarnation}".encode(), "sha256").hexdigest()
        call = f"\nmain({key!r}, {dict(known) if known is not None else None!r})\n"
        done = self._shell.run(server, [*PYTHON_AS_ROOT, "-"], timeout=_LOOK_SECONDS, stdin=_script() + call)
        return read_look(server.name, done.stdout)

    def _load(self, server: ServerOutput) -> ConvergeRecord | None:
        try:
            return ConvergeRecord.model_validate_json(self._path(server).read_text())
        except (OSError, ValidationError):
            return None  # no record, or one of another version: the playbooks will make a new one

    def _keep(self, server: ServerOutput, record: ConvergeRecord) -> None:
        write_private(self._path(server), record.model_dump_json(by_alias=True) + "\n")

    def _expected(self, server: ServerOutput) -> Expected | None:
        try:
            text = gzip.decompress(self._entries(server).read_bytes())
            return Expected.model_validate(json.loads(text))
        except (OSError, EOFError, ValueError):
            return None

    def _expect(self, server: ServerOutput, expected: Expected) -> None:
        text = json.dumps(expected.model_dump(mode="json", by_alias=True), sort_keys=True)
        write_private(self._entries(server), gzip.compress(text.encode(), 6, mtime=0))

    def _path(self, server: ServerOutput) -> Path:
        return self._folder / f"{server.incarnation}.json"

    def _entries(self, server: ServerOutput) -> Path:
        return self._folder / f"{server.incarnation}.entries.gz"


@cache
def _script() -> str:
    return files("orchestrator.convergence").joinpath("look.py").read_text()


@cache
def _look_digest() -> str:
    return sha256(_script().encode()).hexdigest()


def _current(expected: Expected | None) -> bool:
    """Whether it was made by the look of this version."""
    return expected is not None and expected.look == _look_digest()


def _unknown(server: ServerOutput, reason: str) -> DriftSubject:
    return DriftSubject(kind="host", name=server.name, state="unknown", reason=reason)
