"""The process in which one room of own rules runs: asked and answering by lines of JSON, ended by its judge.

Its rules may do to it whatever they like: the judge reads answers as data, and has an error for each pair
without one. What they print goes nowhere.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

from policies.apart.module import load_module
from policies.apart.wire import subject_of, unpacked
from policies.checks import as_row, by_stack, named, outcomes_of, understood
from policies.facts import Facts
from policies.model import PackError, Subject, SubjectCheck

ANSWER_BYTES: Final = 8 * 1024**2
"""Of what a rule may say of one subject: tens of thousands of findings."""
_WORDLESS: Final = {"type": "Error", "text": "it cannot be put into words"}
_TOO_MUCH: Final = {
    "type": "MeaninglessError",
    "text": f"it says more than {ANSWER_BYTES >> 20} MiB of one subject",
}


def main() -> None:
    """Load the room that the first line names, then judge what the others ask, until no more come."""
    born = os.getpid()
    asked, answers = _apart_from_standard_streams()
    try:
        room = _Room(json.loads(asked.readline()), born)
        _write(answers, room.loaded)
        for line in asked:
            for answer in room.judged(json.loads(line)):
                _end_copy(born)
                _write(answers, answer)
    finally:
        _end_copy(born)
        os.killpg(born, signal.SIGKILL)  # with whatever a rule started


class _Room:
    """One module and the subjects that it was shown so far, kept as texts: each rule gets its own copies."""

    def __init__(self, first: Mapping[str, Any], born: int) -> None:
        self._mark, self._born = first["mark"], born
        self._texts: dict[str, str] = {}
        self._checks: Mapping[str, Any] = {}
        sys.path[:] = first["path"]
        sys.dont_write_bytecode = True
        _limit_memory(first["memory_bytes"])
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(first["seconds"])
        self.loaded = json.dumps(self._load(first["room"], Path(first["file"])))
        signal.alarm(0)

    def _load(self, room: str, file: Path) -> object:
        try:
            found = vars(load_module(room, file))
            self._checks = {name: each for name, each in found.items() if callable(each)}
            return {"loaded": sorted(self._checks)}
        except PackError as error:
            return {"refused": str(error)}
        # KeyboardInterrupt that the module raised itself (no person's Ctrl-C reaches this process), and what
        # the text of an error raised.
        except BaseException as error:  # noqa: BLE001
            _end_copy(self._born)
            return {"refused": f"rules/{file.name}: cannot be loaded: {_told(error)['type']}"}

    def judged(self, request: Mapping[str, Any]) -> Iterator[str]:
        """One answer for each pair that is asked, in that order."""
        signal.alarm(request["seconds"])  # its judge ends it earlier, but for one that was killed itself
        if request["anew"]:
            self._texts.clear()
        self._texts.update(request["shown"])
        subjects = {key: subject_of(self._texts[key], self._mark) for key in request["subjects"]}
        params = [unpacked(text, self._mark) for text in request["params"]]
        check = self._check(request, list(subjects.values()))
        for key, number in request["asked"]:
            yield self._answer(check, subjects[key], params[number])
        signal.alarm(0)

    def _check(self, request: Mapping[str, Any], subjects: Sequence[Subject]) -> SubjectCheck:
        check: Callable[..., Any] = self._checks[request["rule"]]
        return by_stack(check, subjects) if request["whole"] else check

    def _answer(self, check: SubjectCheck, subject: Subject, params: Facts) -> str:
        try:
            said = outcomes_of(check, subject, params)
            for each in said:
                understood(each)
            answer = json.dumps({"said": [as_row(each) for each in said]})
            return answer if len(answer) < ANSWER_BYTES else json.dumps({"broke": _TOO_MUCH})
        # Also SystemExit, KeyboardInterrupt and what a rule makes of BaseException: each is its own error.
        except BaseException as error:  # noqa: BLE001
            _end_copy(self._born)
            return json.dumps({"broke": _told(error)})


def _told(error: BaseException) -> Mapping[str, str]:
    """Type and text of an error whose own methods may raise anything."""
    with suppress(BaseException):
        return named(error)
    return _WORDLESS


def _apart_from_standard_streams() -> tuple[BinaryIO, BinaryIO]:
    """Where to read and to answer; a rule that prints or reads meets nothing."""
    asked, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.close(nothing)
    return asked, answers


def _limit_memory(more_bytes: int) -> None:
    """Beyond what the process has now, for good: MemoryError where it happens."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * resource.getpagesize() + more_bytes
    _soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _end_copy(born: int) -> None:
    """A copy that a rule forked has nothing to say."""
    if os.getpid() != born:
        os._exit(0)


def _write(answers: BinaryIO, answer: str) -> None:
    answers.write(answer.encode("ascii") + b"\n")
    answers.flush()
