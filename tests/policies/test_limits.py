"""Rules that loop, take all memory or talk nonsense are errors under their own names, and hide no other."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from policies import evaluate as evaluating
from policies.evaluate import assess, evaluate
from policies.facts import Facts
from policies.limits import Watch, memory_limit
from policies.model import Finding, Rule, State, Subject
from policies.pack import rule_by_id
from policies.profiles import load_profiles
from policies.subjects.resources import resource_subject

TAGS = {"client": "acme", "environment": "demo", "owner": "o", "profile": "demo", "stackId": "s"}
GOOD = rule_by_id("network.private-range")


def networks(count: int = 2) -> list[Subject]:
    return [
        resource_subject(
            "local:index:Network", f"urn:pulumi:acme-demo::p::local:index:Network::n{place}", f"n{place}",
            {"cidr": "8.8.8.0/24", "tags": TAGS}, is_component=False,
        )
        for place in range(count)
    ]  # fmt: skip


def rule(check: Any) -> Rule:
    return replace(GOOD, id="network.strange", check=check)


def forever(_subject: Subject, _params: Facts) -> Iterator[Finding]:
    for number in itertools.count():
        try:
            sum(range(number % 1000))
        except Exception:  # noqa: BLE001, S112  # what a rule's own catch-all would do
            continue
    yield from ()


def greedy(_subject: Subject, _params: Facts) -> Iterator[Finding]:
    held = [bytearray(2**24) for _ in range(1000)]
    yield Finding("a", str(len(held)), "b", "c")


def test_a_rule_that_loops_is_an_error_for_each_subject_and_the_next_rule_still_speaks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(evaluating, "WATCH", Watch(0.2))

    found = evaluate(networks(), load_profiles(), rules=[rule(forever), GOOD])

    states = [(result.rule, result.state) for result in found]
    assert states == [("network.strange", State.ERROR), (GOOD.id, State.FAIL)] * 2
    assert (
        "n0: rule network.strange could not judge: TimeoutError: it did not end within 0.2 s"
        in found[0].message
    )
    assert found[0].blocks


def test_a_rule_that_takes_all_memory_is_an_error() -> None:
    with memory_limit(2**27):
        found = evaluate(networks(1), load_profiles(), rules=[rule(greedy), GOOD])

    assert [result.state for result in found] == [State.ERROR, State.FAIL]
    assert "MemoryError" in found[0].message


def test_the_memory_limit_is_given_back() -> None:
    with memory_limit(2**20):
        pass
    assert len(bytearray(2**28)) == 2**28


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (None, "'NoneType' object is not iterable"),
        (True, "'bool' object is not iterable"),
        ([True], "expected a Finding, a Gap or NotApplicable, got True"),
        (["fail"], "expected a Finding, a Gap or NotApplicable, got fail"),
        ([Finding("a", "b", 3, "d")], "Finding: expected texts, got 3"),  # type: ignore[arg-type]
        ([Finding], "expected a Finding, a Gap or NotApplicable"),
    ],
)
def test_nonsense_is_an_error_and_never_a_pass(said: Iterable[Any], told: str) -> None:
    found = evaluate(networks(1), load_profiles(), rules=[rule(lambda _subject, _params: said), GOOD])

    assert [result.state for result in found] == [State.ERROR, State.FAIL]
    assert told in found[0].message


def test_a_rule_that_nothing_can_interrupt_ends_the_process_without_a_verdict(tmp_path: Path) -> None:
    (tmp_path / "stuck.py").write_text("import re\nre.match('(a|a)*b', 'a' * 60)\n")
    program = (
        "from policies.limits import WATCH\nwith WATCH.assessment(0.3):\n    import stuck\nprint('judged')\n"
    )
    command = [sys.executable, "-c", program]
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env={"PYTHONPATH": path}
    )

    assert (ended.returncode, ended.stdout) == (1, "")
    assert 'stuck.py", line 2' in ended.stderr


@pytest.mark.parametrize(
    "turn",
    [
        "pass",
        "watch._watcher = 1; watch._turns[me].told = True; _interrupt(me, RuleTimeoutError)",
    ],
    ids=["in time", "told at its end"],
)
def test_after_a_rule_a_profiler_goes_on_and_nothing_is_raised(turn: str) -> None:
    program = (
        "import cProfile\nfrom threading import get_ident\n"
        "from policies.limits import RuleTimeoutError, Watch, _interrupt\n"
        "me, watch = get_ident(), Watch()\ndef judge():\n    with watch.rule('a'):\n"
        f"        {turn}\n"
        "profile = cProfile.Profile()\nprofile.enable()\n"
        "try:\n    judge()\nexcept RuleTimeoutError:\n    pass\n"
        "print(len([number for number in range(1000)]))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip

    assert (ended.returncode, ended.stdout) == (0, "1000\n"), ended.stderr


def test_an_assessment_counts_every_pair_and_tells_what_is_not_a_pass() -> None:
    subjects = [
        *networks(2),
        resource_subject("x:y:Z", "urn:pulumi:a-b::p::x:y:Z::t", "t", {}, is_component=False),
    ]

    found = assess(subjects, load_profiles(), rules=[GOOD, rule(forever)][:1])

    assert found.matrix == {GOOD.id: "ffx"}
    assert sum(found.counts().values()) == 3
    assert [(result.subject.name, result.state) for result in found.results] == [
        ("n0", "fail"),
        ("n1", "fail"),
    ]
