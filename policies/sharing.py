"""A judgement shared out among processors: copies of the judge take rule after rule, and tell what came.

Only for a judge of one thread, whose rules are its own code; own rules run apart from it as before. A rule is
judged whole by whoever takes it, under the same limits. docs/adr/0039-a-judgement-on-all-processors.md
"""

from __future__ import annotations

import gc
import marshal
import os
import signal
import struct
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from policies.limits import Watch
from policies.model import Subject

WORTH: Final = 25_000
"""Pairs from which on it pays: they take a tenth of a second, and a copy costs some 50 ms of that."""
MOST: Final = 4
"""Processes that judge at once, however many processors there are: each has a copy of what it touches."""
_MOST_RULES: Final = 2_000
"""Of which the numbers fit into a pipe that nobody has read yet."""
_NUMBER: Final = struct.Struct("=H")
_HEAD: Final = struct.Struct("=HI")
"""Number of the rule, bytes of what came of it."""
_LOAD: Final = Path("/proc/loadavg")
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)

Answer = Any
"""What came of a rule, in the plain values that `marshal` writes."""


@dataclass(frozen=True)
class Sharing:
    """How a judgement is shared out: by how many processes at most, this one among them.

    `meanwhile`: is given the subjects and the names of their profiles, and runs here while copies judge; not
    at all where this process judges alone.
    """

    processes: int = 1
    meanwhile: Callable[[Sequence[Subject], Sequence[str]], object] | None = None


ALONE: Final = Sharing()


def processors() -> int:
    """How many processes may judge at once: this one, and one for each processor that has nothing to do.

    A copy that waits for its turn costs more than it brings. Where the system does not tell, this one alone.
    """
    try:
        at_work, _, _ = _LOAD.read_text(encoding="ascii").split()[3].partition("/")  # with this process
        int(at_work)
    except (OSError, ValueError, IndexError):
        return 1
    return min(MOST, max(1, len(os.sched_getaffinity(0)) - int(at_work) + 1))


@contextmanager
def helped(
    processes: int, rules: Sequence[int], judge: Callable[[int], Answer], watch: Watch
) -> Iterator[Team]:
    """So many processes, this one among them, for the rules of these numbers in this order, under a watch.

    Alone where there is no more than one or no rule, or where a copy would be a broken one, beside threads.
    Whatever happens inside, no copy is left when it ends.
    """
    team = Team(rules, watch)
    try:
        if 0 < len(rules) <= _MOST_RULES and _is_alone(watch):
            for _ in range(processes - 1):
                team.add(judge)
        yield team
    finally:
        team.end()


def _is_alone(watch: Watch) -> bool:
    """Whether the main thread asks, and none runs beside it but the watch of limits, which begins anew."""
    others = threading.active_count() - watch.threads() - 1
    return threading.current_thread() is threading.main_thread() and not others


class Team:
    """This process and its copies, which take the next rule from one pipe."""

    def __init__(self, rules: Sequence[int], watch: Watch) -> None:
        self._rules, self._left, self._watch = rules, {*rules}, watch
        self._queue: int | None = None
        self._said: dict[int, int] = {}
        self._ended: dict[int, int] = {}

    def add(self, judge: Callable[[int], Answer]) -> None:
        """One copy more that judges; where the system gives none, the others do its work."""
        said, judge_id = os.memfd_create("rules"), os.getpid()
        if self._queue is None:
            self._queue, into = os.pipe()
            os.write(into, b"".join(map(_NUMBER.pack, self._rules)))
            os.close(into)  # so that who finds it empty knows that no number will come
        # No signal may reach a copy before it knows that it is one: it would end the others as its own.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            pid = os.fork()
            if pid == 0:
                self._help(judge, said, judge_id, before)
            self._said[pid] = said
        except OSError:
            os.close(said)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def __len__(self) -> int:
        """How many copies there are."""
        return len(self._said)

    def rules(self) -> Iterator[int]:
        """The numbers of the rules that are this process's to judge, until none is left."""
        for number in self._taken() if self._said else self._rules:
            yield number
            self._left.discard(number)

    def answers(self) -> Mapping[int, Answer]:
        """What the copies found, by the number of the rule; waits for their end."""
        found: dict[int, Answer] = {}
        for pid, said in self._said.items():
            if pid not in self._ended:
                self._ended[pid] = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            found |= _answers(said)
        self._left -= found.keys()
        return found

    def lost(self) -> Sequence[int]:
        """The rules that a copy took and did not answer for before it ended."""
        return sorted(self._left)

    def endings(self) -> str:
        """How the copies ended, where they did not come to their end."""
        codes = sorted({code for code in self._ended.values() if code} or {0})
        return " and ".join(f"signal {-code}" if code < 0 else f"exit code {code}" for code in codes)

    def end(self) -> None:
        """Kill the copies that still run, and leave nothing open."""
        for pid in self._said.keys() - self._ended.keys():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)
        for each in ([] if self._queue is None else [self._queue], self._said.values()):
            for descriptor in each:
                os.close(descriptor)

    def _taken(self) -> Iterator[int]:
        """Whoever reads a number has it alone."""
        while self._queue is not None and (taken := os.read(self._queue, _NUMBER.size)):
            yield _NUMBER.unpack(taken)[0]

    def _help(
        self, judge: Callable[[int], Answer], said: int, judge_id: int, mask: Iterable[int]
    ) -> NoReturn:
        """All that a copy does; whatever is raised in it, it never returns to what the judge does next."""
        code = 1
        try:
            # Ctrl-C is for the judge, which ends its copies.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            gc.disable()
            self._watch.begin_anew()
            with self._watch.assessment():
                for number in self._taken():
                    answer = marshal.dumps(judge(number))
                    _write(said, _HEAD.pack(number, len(answer)) + answer)
                    if os.getppid() != judge_id:
                        break  # nobody is left to read it
            code = 0
        except BaseException:
            os.write(2, traceback.format_exc().encode(errors="replace"))
            raise
        finally:
            os._exit(code)


def _write(said: int, text: bytes) -> None:
    """The whole of it: a part alone would be read as if the next one belonged to it."""
    left = memoryview(text)
    while left:
        left = left[os.write(said, left) :]


def _answers(said: int) -> Iterator[tuple[int, Answer]]:
    """All whole ones of a copy; one that was killed may have been in the middle of the last."""
    size = os.fstat(said).st_size
    content = memoryview(os.pread(said, size, 0))
    while len(content) >= _HEAD.size:
        number, length = _HEAD.unpack(content[: _HEAD.size])
        answer, content = content[_HEAD.size : _HEAD.size + length], content[_HEAD.size + length :]
        if len(answer) == length:
            yield number, marshal.loads(answer)  # noqa: S302  # a copy of this very process wrote it
