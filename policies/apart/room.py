"""One room of own rules: its process, started anew where a rule ended it, and its answers as outcomes."""

from __future__ import annotations

import json
import sys
import threading
import time
import weakref
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from policies.answers import NO_ANSWER, Broken
from policies.apart.process import EndedError, RulesProcess
from policies.apart.wire import MARK, packed, subject_text
from policies.checks import MeaninglessError, named, outcome_of
from policies.facts import Facts, shown
from policies.limits import MEMORY_BYTES, RULE_SECONDS
from policies.model import Outcome, PackError, Subject

_MOST_ENDINGS: Final = 3
"""How often a process is started anew for one rule that ends it, or is too late."""
_ENDED_OFTEN: Final = f"its process ended {_MOST_ENDINGS} times before it answered"


Answer = Sequence[Outcome] | Broken


class Shown:
    """The subjects of one judgement, put into text once, whoever is shown them."""

    def __init__(self) -> None:
        self._texts: dict[int, tuple[Subject, str]] = {}

    def key(self, subject: Subject) -> str:
        """By what a process knows it; raises ValueError or TypeError where it cannot be handed over."""
        if id(subject) not in self._texts:
            self._texts[id(subject)] = (subject, subject_text(subject))  # held, so that its id stays its own
        return str(id(subject))

    def texts(self, keys: Collection[str]) -> dict[str, str]:
        """The texts of these."""
        return {key: self._texts[int(key)][1] for key in keys}


_SHOWN: Final[weakref.WeakKeyDictionary[object, Shown]] = weakref.WeakKeyDictionary()
"""By what stands for a judgement."""


@dataclass(frozen=True)
class Asked:
    """One rule and the pairs to judge; `among`: all subjects of the kind, where it reads its stack first."""

    rule: str
    function: str
    pairs: Sequence[tuple[Subject, Facts]]
    among: Sequence[Subject] | None
    shown: Shown
    seconds: float


@dataclass(frozen=True)
class OwnCheck:
    """One function of a room, as `policies.answers.Apart`."""

    room: Room
    rule: str
    function: str

    def judge(
        self,
        pairs: Sequence[tuple[Subject, Facts]],
        among: Sequence[Subject] | None,
        seconds: float,
        judgement: object,
    ) -> Sequence[Answer]:
        """An answer for each pair."""
        shown_so_far = _SHOWN.setdefault(judgement, Shown())
        return self.room.judge(Asked(self.rule, self.function, pairs, among, shown_so_far, seconds))


class _Request:
    """What is asked, as text; raises ValueError or TypeError where it cannot be handed over."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.keys = [asked.shown.key(subject) for subject, _ in asked.pairs]
        self._among = [asked.shown.key(each) for each in asked.among or ()]
        params = {id(each): each for _, each in asked.pairs}
        self._params = [packed(each) for each in params.values()]
        numbers = {key: number for number, key in enumerate(params)}
        self._pairs = [
            (key, numbers[id(each)]) for key, (_, each) in zip(self.keys, asked.pairs, strict=True)
        ]

    def text(self, done: int, known: set[str], *, anew: bool) -> str:
        """The pairs after the first `done`, for a process that knows these subjects, and then more."""
        subjects = list(dict.fromkeys([*self._among, *self.keys[done:]]))
        missing = [key for key in subjects if key not in known]
        known.update(missing)
        return json.dumps({
            "rule": self.asked.function, "whole": self.asked.among is not None, "anew": anew,
            "shown": self.asked.shown.texts(missing), "subjects": subjects, "params": self._params,
            "asked": self._pairs[done:], "seconds": int(2 * self.asked.seconds) + 1,
        })  # fmt: skip


class Room:
    """A module of own rules. Calls from several threads are answered one after the other."""

    def __init__(self, name: str, file: Path) -> None:
        self.name, self.file = name, file
        self._lock = threading.Lock()
        self._process: RulesProcess | None = None
        self._known: tuple[weakref.ref[Shown] | None, set[str]] = (None, set())
        self._endings: dict[str, int] = {}
        self._functions: frozenset[str] | None = None

    def begin(self) -> None:
        """Start the process and let it load the module, while others do the same."""
        with self._lock, suppress(EndedError, TimeoutError):  # `functions` says so
            if self._functions is None:
                self._begun()

    def functions(self) -> frozenset[str]:
        """What the module defines; raises PackError that names the file where it does not load."""
        with self._lock:
            if self._functions is None:
                self._functions = self._started(time.monotonic() + RULE_SECONDS)
            return self._functions

    def judge(self, asked: Asked) -> list[Answer]:
        """An answer for each pair, whatever the rule does; its process is another one where it ended it."""
        with self._lock:
            try:
                request = _Request(asked)
            except (TypeError, ValueError) as error:
                return [Broken(**named(error))] * len(asked.pairs)
            answers: list[Answer] = []
            deadline = time.monotonic() + asked.seconds
            while left := len(asked.pairs) - len(answers):
                if self._endings.get(asked.rule, 0) >= _MOST_ENDINGS:
                    answers += [Broken(NO_ANSWER, f"{_ENDED_OFTEN}; it is asked no more")] * left
                else:
                    self._ask(request, answers, deadline)
            return answers

    def _ask(self, request: _Request, answers: list[Answer], deadline: float) -> None:
        """Add the answers that come; where they end, an error for the pair that is next."""
        asked = request.asked
        try:
            # A list keeps what came before the iterator raises.
            answers.extend(_answer(line) for line in self._lines(request, len(answers), deadline))
        except (EndedError, PackError, MeaninglessError) as problem:
            answers.append(Broken(NO_ANSWER, str(problem)))
        except TimeoutError:
            late = Broken("TimeoutError", f"it did not end within {asked.seconds:g} s")
            answers += [late] * (len(asked.pairs) - len(answers))
        except BaseException:
            self._end()  # it may be in the middle of an answer
            raise
        else:
            return
        self._endings[asked.rule] = self._endings.get(asked.rule, 0) + 1
        self._end()

    def _lines(self, request: _Request, done: int, deadline: float) -> Iterator[bytes]:
        """One line for each pair after the first `done`; raises EndedError, TimeoutError and PackError."""
        if self._process is not None and not self._process.is_silent():
            self._end()
        if self._process is None:
            self._started(deadline)
        process = self._begun()
        shown_before, known = self._known
        anew = shown_before is None or shown_before() is not request.asked.shown
        if anew:
            self._known = (weakref.ref(request.asked.shown), known := set())
        keys = request.keys[done:]
        process.write(request.text(done, known, anew=anew).encode("ascii"), deadline)
        for _, line in zip(keys, process.lines(deadline), strict=False):
            yield line

    def _begun(self) -> RulesProcess:
        """The process, or a new one that loads the module; raises EndedError and TimeoutError."""
        if self._process is not None:
            return self._process
        self._process = process = RulesProcess()
        weakref.finalize(self, process.end)
        self._known = (None, set())
        first = {
            "room": self.name, "file": str(self.file), "mark": MARK, "memory_bytes": MEMORY_BYTES,
            "seconds": int(2 * RULE_SECONDS),
            "path": [entry for entry in sys.path if Path(entry).is_absolute()],
        }  # fmt: skip
        process.write(json.dumps(first).encode("ascii"), time.monotonic() + RULE_SECONDS)
        return process

    def _started(self, deadline: float) -> frozenset[str]:
        """Functions of the module in a process that runs; raises PackError."""
        try:
            told = json.loads(next(self._begun().lines(deadline)))
        except TimeoutError:
            told = {"refused": f"{self._place}: cannot be loaded: it did not end within {RULE_SECONDS:g} s"}
        except (EndedError, ValueError, RecursionError) as error:
            told = {"refused": f"{self._place}: cannot be loaded: {error}"}
        match told:
            case {"loaded": [*names]} if all(isinstance(name, str) for name in names):
                return frozenset(names)
            case {"refused": str(text)}:
                self._end()
                raise PackError(text)
        self._end()
        raise PackError(f"{self._place}: cannot be loaded: it says {shown(told)} of itself")

    @property
    def _place(self) -> str:
        return f"rules/{self.file.name}"

    def _end(self) -> None:
        if self._process is not None:
            self._process.end()
            self._process = None


def _answer(line: bytes) -> Answer:
    """The outcomes of a line; raises MeaninglessError."""
    try:
        told = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise MeaninglessError("its process wrote what is no answer") from error
    match told:
        case {"said": [*rows], **others} if not others:
            return [outcome_of(row) for row in rows]
        case {"broke": {"type": str(name), "text": str(text)}}:
            return Broken(shown(name), text)
    raise MeaninglessError("its process wrote what is no answer")
