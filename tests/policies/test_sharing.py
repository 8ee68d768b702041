"""A judgement that is shared out is the same as one alone; what a copy does not answer is an error."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from policies import evaluate as evaluating
from policies import sharing as sharing_out
from policies.assessment import Assessment
from policies.evaluate import assess
from policies.facts import UNKNOWN, Facts
from policies.limits import Watch
from policies.model import Finding, Outcome, Phase, Rule, State, Subject, SubjectCheck
from policies.pack import all_rules, rule_by_id
from policies.profiles import load_profiles
from policies.sharing import ALONE, Sharing
from policies.subjects.plan import preview_subjects
from tests.policies.references import network
from tests.policies.test_limits import GOOD, forever, rule

PREVIEWS = Path(__file__).parent / "previews"
JUDGE = os.getpid()


class PlainLooking(str):
    """A text of a class of its own, which a rule may give."""

    __slots__ = ()


def broken(_subject: Subject, _params: Facts) -> Iterator[Outcome]:
    raise SystemExit(0)


def no_stack(stack: Sequence[Subject]) -> SubjectCheck:
    raise ZeroDivisionError(str(len(stack)))


def odd(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    yield Finding(PlainLooking("cidr"), "is \udcff odd", PlainLooking(subject.name), "e\x00")
    yield Finding("name", "is odd again", "", "")


def population() -> list[Subject]:
    plans = ("demo.json", "aws.json", "vault.json")
    found = {
        subject.urn: subject
        for name in plans
        for subject in preview_subjects(json.loads((PREVIEWS / name).read_text()), name=name)
    }
    half_known = replace(network("late"), facts=Facts({"cidr": UNKNOWN, "tags": UNKNOWN}))
    nothing_known = replace(network("later"), facts=Facts(UNKNOWN))
    strange = replace(network("strange"), type="unrecognised")
    return [
        *found.values(),
        strange,
        network("a"),
        half_known,
        nothing_known,
        network("other", stack="acme-live"),
    ]


def rules() -> list[Rule]:
    checks = {"broken": broken, "odd": odd, "forever": forever}
    whole = rule_by_id("network.ranges-do-not-overlap")
    return [
        *all_rules(),
        *(replace(rule(check), id=f"network.{name}") for name, check in checks.items()),
        replace(whole, id="network.no-stack", stack_check=no_stack),
    ]


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Process ids of the copies; every judgement is worth some, also beside the threads of who runs tests."""
    made: list[int] = []
    fork = os.fork

    def forked() -> int:
        made.append(fork())
        return made[-1]

    monkeypatch.setattr(evaluating, "WORTH", 0)
    monkeypatch.setattr(sharing_out, "_is_alone", lambda _watch: True)
    monkeypatch.setattr(os, "fork", forked)
    monkeypatch.setattr(evaluating, "WATCH", Watch(0.5))
    return made


def shared(subjects: Sequence[Subject], chosen: Sequence[Rule], sharing: Sharing) -> Assessment:
    return assess(subjects, load_profiles(), rules=chosen, phase=Phase.OFFLINE, sharing=sharing)


def until_ended(copies: list[int]) -> Any:
    """Meanwhile: leaves all rules to the copies until they have ended."""
    return lambda *_: [os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT) for pid in copies]


def assert_gone(copies: list[int]) -> None:
    assert copies
    for pid in copies:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.parametrize("processes", [2, 3])
def test_it_is_the_same_as_alone_whoever_judges(copies: list[int], processes: int) -> None:
    alone = shared(population(), rules(), ALONE)
    assert {State.PASS, State.FAIL, State.ERROR, State.UNKNOWN, State.NOT_RUN} <= {
        state for state, count in alone.counts().items() if count
    }
    assert shared(population(), rules(), Sharing(processes)) == alone
    assert len(copies) == processes - 1
    assert_gone(copies)


def test_it_is_the_same_where_the_copy_judges_all(copies: list[int]) -> None:
    assert shared(population(), rules(), Sharing(2, until_ended(copies))) == shared(
        population(), rules(), ALONE
    )
    assert_gone(copies)


def test_a_copy_that_is_killed_makes_an_error_of_what_it_had_taken_and_the_rest_is_judged(
    copies: list[int],
) -> None:
    def kills(_subject: Subject, _params: Facts) -> Iterator[Outcome]:
        assert os.getpid() != JUDGE
        os.kill(os.getpid(), signal.SIGKILL)
        yield from ()

    found = shared([network()], [rule(kills), GOOD], Sharing(2, until_ended(copies)))

    assert [result.state for result in found.results] == [State.ERROR, State.FAIL]
    assert "NoAnswer: the process that judged by it ended by signal 9" in found.results[0].message
    assert found.results[0].blocks
    assert_gone(copies)


def test_so_does_one_that_a_rule_ends_as_if_all_were_well(copies: list[int]) -> None:
    def leaves(_subject: Subject, _params: Facts) -> Iterator[Outcome]:
        assert os.getpid() != JUDGE
        os._exit(0)

    found = shared([network(), network("b")], [rule(leaves)], Sharing(2, until_ended(copies)))

    assert found.matrix == {"network.strange": "ee"}
    assert "ended by exit code 0" in found.results[0].message
    assert_gone(copies)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_whoever_stops_the_judge_stops_its_copies(copies: list[int], number: int) -> None:
    class StoppedError(Exception):
        pass

    def stop(*_: object) -> None:
        raise StoppedError

    before = signal.signal(number, stop)
    try:
        with pytest.raises(StoppedError):
            shared([network()], [rule(forever)], Sharing(2, lambda *_: os.kill(JUDGE, number)))
    finally:
        signal.signal(number, before)
    assert_gone(copies)


def test_where_the_system_gives_no_copy_this_process_judges_alone(
    copies: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", refused)
    told: list[object] = []
    found = shared([network()], [GOOD], Sharing(2, lambda *_: told.append(1)))
    assert [result.state for result in found.results] == [State.FAIL]
    assert not copies
    assert not told


@pytest.mark.parametrize(("at_work", "processes"), [("1/99", 2), ("2/99", 1), ("7/99", 1)])
def test_a_copy_is_for_a_processor_that_has_nothing_to_do(
    at_work: str, processes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = tmp_path / "loadavg"
    load.write_text(f"0.00 0.01 0.05 {at_work} 12345\n")
    monkeypatch.setattr(sharing_out, "_LOAD", load)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    assert sharing_out.processors() == processes
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    assert sharing_out.processors() == sharing_out.MOST


@pytest.mark.parametrize("told", ["", "0.00 0.01", "0.00 0.01 0.05 x/99 12345", None])
def test_where_the_system_does_not_tell_its_load_this_process_judges_alone(
    told: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = tmp_path / "loadavg"
    if told is not None:
        load.write_text(told)
    monkeypatch.setattr(sharing_out, "_LOAD", load)
    assert sharing_out.processors() == 1


def test_for_little_there_are_no_copies(copies: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluating, "WORTH", 25_000)
    shared([network()], [GOOD], Sharing(2))
    assert not copies


def test_a_process_is_copied_in_its_only_thread_alone() -> None:
    """In a process of its own: who runs tests has threads."""
    script = """
import threading
from policies.limits import Watch
from policies.sharing import _is_alone
watch = Watch(9.0)
with watch.assessment():
    found, end = [_is_alone(watch)], threading.Event()
    beside = threading.Thread(target=end.wait)
    beside.start()
    found.append(_is_alone(watch))
    end.set()
    beside.join()
    off = threading.Thread(target=lambda: found.append(_is_alone(watch)))
    off.start()
    off.join()
print([*found, _is_alone(watch)])
"""
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout == "[True, False, False, True]\n", done.stderr
