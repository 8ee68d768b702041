"""What a rule of ours raises is its error, whatever it is; what a person's Ctrl-C raises stops the run."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NoReturn

import pytest

from policies.evaluate import evaluate
from policies.facts import Facts
from policies.model import Finding, Subject
from policies.pack import rule_by_id
from policies.profiles import load_profiles
from policies.stopping import Stops
from tests.policies.references import RULE, network
from tests.policies.test_limits import rule


class OddError(BaseException):
    """Of no kind that anybody catches by chance."""


class StopError(Exception):
    """What a program's own handler of signals may raise; an `except Exception` would swallow it."""


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """A person's keyboard stops us, also where whoever runs the tests ignores it; afterwards as before."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def judged(check: Any) -> list[str]:
    """States of a rule with that check, and of one of ours after it."""
    rules = [rule(check), rule_by_id(RULE)]
    return [result.state for result in evaluate([network()], load_profiles(), rules=rules)]


@pytest.mark.parametrize(
    "error", [SystemExit(0), SystemExit("done"), GeneratorExit(), KeyboardInterrupt(), OddError("x")]
)
def test_whatever_a_rule_raises_is_its_error(error: BaseException) -> None:
    def raising(_subject: Subject, _params: Facts) -> Iterator[Finding]:
        yield Finding("a", "b", "c", "d")
        raise error

    assert judged(raising) == ["error", "fail"]


def interrupted(_subject: Subject, _params: Facts) -> list[Finding]:
    os.kill(os.getpid(), signal.SIGINT)
    return []


def swallowing(_subject: Subject, _params: Facts) -> list[Finding]:
    with suppress(StopError):
        os.kill(os.getpid(), signal.SIGTERM)
    return []


def test_ctrl_c_while_a_rule_runs_stops_the_run() -> None:
    with pytest.raises(KeyboardInterrupt):
        judged(interrupted)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_a_handler_of_the_program_raises_stops_the_run() -> None:
    def stop(number: int, _frame: object) -> NoReturn:
        signal.signal(number, signal.SIG_IGN)
        raise StopError

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    with pytest.raises(StopError):
        judged(interrupted)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN, "the handler's own choice stays"
    assert signal.getsignal(signal.SIGTERM) is stop
    with pytest.raises(KeyboardInterrupt):
        judged(swallowing)


def test_without_a_signal_handlers_are_given_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Stops():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before
