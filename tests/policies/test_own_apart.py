"""Whatever an own rule does, it is an error under its name, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from policies import evaluate as evaluating
from policies.cases import try_cases
from policies.evaluate import evaluate
from policies.facts import Facts, Unknown
from policies.limits import Watch
from policies.model import Kind, PackError, Subject
from policies.pack import load_pack
from tests.policies.own_rooms import OTHER, OWN, entry, judged, rooms
from tests.policies.references import RULE, TAGS, network
from tests.policies.test_own import CATALOG, write

SCRIBBLE = """
    import os
    for each in range(3, 64):
        try: os.write(each, b'{"said": 5}\\n')
        except OSError: pass
"""
HOSTILE = {
    "exit": ("raise SystemExit(0)", "SystemExit: 0"),
    "exit with a text": ("raise SystemExit('done')", "SystemExit: done"),
    "os exit": ("import os; os._exit(0)", "NoAnswer: its process ended with exit code 0"),
    "killed": ("import os; os.kill(os.getpid(), 9)", "NoAnswer: its process was ended by signal 9 (Killed)"),
    "interrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt: "),
    "generator's exit": ("raise GeneratorExit", "GeneratorExit: "),
    "own base": ("raise type('Odd', (BaseException,), {})('x')", "Odd: x"),
    "error without words": (
        "raise type('Mute', (Exception,), {'__str__': lambda self: 1 / 0})()",
        "Error: it cannot be put into words",
    ),
    "closed descriptors": ("import os; os.closerange(0, 256)", "NoAnswer: its process was ended by signal 9"),
    "other writing": (SCRIBBLE, "NoAnswer: its process wrote what is no answer"),
    "outcome whose words raise": (
        "return [type('X', (), {'__repr__': lambda self: __import__('sys').exit(0)})()]",
        "SystemExit: 0",
    ),
    "no outcome": ("return [5]", "MeaninglessError: expected a Finding, a Gap or NotApplicable, got 5"),
    "no texts": (
        "from policies.model import Finding; return [Finding('a', 'b', 3, 'c')]",
        "MeaninglessError: Finding: expected texts, got 3",
    ),
    "memory": ("return [bytearray(2**32)]", "MemoryError: "),
    "words without end": (
        "from policies.model import Finding; return [Finding('a' * 2**23, 'b', 'c', 'd')]",
        "MeaninglessError: it says more than 8 MiB of one subject",
    ),
}


@pytest.mark.parametrize(("does", "told"), HOSTILE.values(), ids=list(HOSTILE))
def test_whatever_a_rule_does_is_its_own_error_and_hides_no_other(
    does: str, told: str, tmp_path: Path
) -> None:
    pack = rooms(tmp_path, f"def strange(subject, params):\n    {does}\n")

    found = judged(pack)

    assert [result.state for result in found[OWN]] == ["error", "error"]
    assert all(result.blocks and told in result.message for result in found[OWN]), found[OWN][0].message
    assert "rule own.strange could not judge: " in found[OWN][0].message
    assert [result.state for result in found[RULE] + found[OTHER]] == ["fail"] * 4


QUIET = {
    "a judge without a say": "import policies.evaluate as e\ne._Bout.judge = lambda self: None\n",
    "a reader of nothing": "import json\njson.loads = lambda *_, **__: {}\n",
    "an end at exit": "import atexit, os\natexit.register(lambda: os._exit(0))\n",
    "noise": "print('{\"said\": []}', flush=True)\nimport sys\nsys.stderr.write('noise')\n",
}


@pytest.mark.parametrize("head", QUIET.values(), ids=list(QUIET))
def test_a_module_that_changes_its_process_changes_nobody_elses_results(head: str, tmp_path: Path) -> None:
    found = judged(rooms(tmp_path, f"{head}\ndef strange(subject, params):\n    return []\n"))

    assert {result.state for result in found[OWN]} <= {"pass", "error"}
    assert [result.state for result in found[RULE] + found[OTHER]] == ["fail"] * 4


@pytest.mark.parametrize(
    ("module", "told"),
    [
        ("import sys\nsys.exit(0)", "rules/own.py: line 2 cannot be loaded: SystemExit: 0"),
        ("raise KeyboardInterrupt", "rules/own.py: cannot be loaded: KeyboardInterrupt"),
        ("import os\nos._exit(0)", "rules/own.py: cannot be loaded: its process ended with exit code 0"),
        ("class Odd(BaseException): pass\nraise Odd('x')", "line 2 cannot be loaded: Odd: x"),
    ],
)
def test_a_module_that_ends_its_process_while_it_loads_is_named(
    module: str, told: str, tmp_path: Path
) -> None:
    with pytest.raises(PackError) as error:
        rooms(tmp_path, module)
    assert told in str(error.value)


def test_a_subject_that_ends_the_process_takes_no_other_answer_along(tmp_path: Path) -> None:
    module = (
        "import os\nfrom policies.model import Finding\n\n\ndef strange(subject, params):\n"
        "    if subject.name == 'n1': os._exit(3)\n"
        "    yield Finding('name', 'is seen', subject.name, 'x')\n"
        "\n\ndef second(subject, params):\n    yield Finding('name', 'is seen', subject.name, 'x')\n"
    )
    pack = rooms(tmp_path, module, entry("own", "strange") + entry("own", "second"))

    found = judged(pack, 4)

    assert [result.state for result in found[OWN]] == ["fail", "error", "fail", "fail"]
    assert "its process ended with exit code 3" in found[OWN][1].message
    assert [result.state for result in found["own.second"]] == ["fail"] * 4


def test_a_rule_that_ends_its_process_again_and_again_is_asked_no_more(tmp_path: Path) -> None:
    found = judged(rooms(tmp_path, "import os\ndef strange(subject, params): os._exit(0)\n"), 6)

    assert [result.state for result in found[OWN]] == ["error"] * 6
    messages = [result.message for result in found[OWN]]
    assert sum("exit code 0" in text for text in messages) == 3
    assert sum("its process ended 3 times before it answered" in text for text in messages) == 3


def test_a_rule_that_loops_is_ended_with_its_time_and_the_next_one_speaks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(evaluating, "WATCH", Watch(1.0))
    module = (
        "from policies.model import Finding\n\n\ndef strange(subject, params):\n"
        "    while subject.name == 'n1':\n        try: 1 / 0\n        except BaseException: pass\n"
        "    yield Finding('name', 'is seen', subject.name, 'x')\n"
    )

    found = judged(rooms(tmp_path, module), 3)

    assert sorted(result.state for result in found[OWN]) == ["error", "error", "fail"]
    late = [result.message for result in found[OWN] if result.state == "error"]
    assert all("TimeoutError: it did not end within 1 s" in text for text in late)
    assert [result.state for result in found[RULE] + found[OTHER]] == ["fail"] * 6


def test_own_rules_that_take_all_time_leave_it_to_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(evaluating, "WATCH", Watch(0.5))
    monkeypatch.setattr(evaluating, "APART_SECONDS", 0.5)
    module = "def strange(subject, params):\n    while True: pass\n"
    module += module.replace("strange", "second")

    found = judged(rooms(tmp_path, module, entry("own", "strange") + entry("own", "second")))

    told = [result.message.partition("Error: ")[2].partition(".")[0] for result in found["own.second"]]
    assert told == ["own rules together did not end within 0"] * 2
    assert {result.state for result in found[RULE]} == {"fail"}


def test_every_value_of_a_subject_arrives(tmp_path: Path) -> None:
    facts: Mapping[str, Any] = {
        "text": "ü\ud800\u2028", "whole": 10**30, "number": 0.5, "flag": True, "none": None,
        "rows": [{"a": 1}, Unknown("hidden")], "texts": ("a", "b"), "unknown": Unknown("why"),
        "price": Decimal("1.50"), 7: {"x": 1}, "tags": TAGS,
    }  # fmt: skip
    subject = Subject(
        Kind.RESOURCE,
        "network",
        "n",
        "urn:n",
        "acme-demo",
        Facts(facts),
        "x:y:Z",
        True,
        {"a": ("b", "c")},
        "plan",
    )
    module = (
        "from policies.model import Finding\n\n\ndef strange(subject, params):\n"
        "    yield Finding('all', repr(subject.facts.raw()), repr(subject).replace(repr(subject.facts), ''),"
        " repr(params.raw()))\n    subject.facts.text('unknown')\n"
    )
    pack = rooms(tmp_path, module)
    rules = [rule for rule in pack.rules if rule.id == OWN]

    said, gap = evaluate([subject], pack.profiles, rules=rules)

    assert repr({**{key: each for key, each in facts.items() if key != 7}, "texts": ["a", "b"]})[:-1] in (
        said.message.replace("'7': {'x': 1}, ", "")
    )
    assert "protect=True, depends_on={'a': ('b', 'c')}, witness='plan'" in said.observed
    assert "source_type='x:y:Z'" in said.observed
    assert said.expected == "{'least_length': 4}"
    assert (gap.state, gap.path) == ("unknown", "unknown")


def test_a_stack_rule_reads_the_subjects_of_each_stack(tmp_path: Path) -> None:
    module = (
        "from policies.model import Finding\n\n\ndef strange(subjects):\n"
        "    names = [each.name for each in subjects]\n"
        "    if 'odd' in names: raise SystemExit(0)\n"
        "    return lambda subject, params: [Finding('name', 'x', ' '.join(names), 'y')]\n"
    )
    catalog = entry("own", "strange").replace("scope: subject", "scope: stack")
    pack = rooms(tmp_path, module, catalog)
    rules = [rule for rule in pack.rules if rule.id == OWN]
    subjects = [
        network("a"),
        network("b"),
        network("odd", stack="acme-prod"),
        network("c", stack="acme-prod"),
    ]

    found = evaluate(subjects, pack.profiles, rules=rules)

    assert [result.observed for result in found] == ["a b", "a b", "", ""]
    assert [result.state for result in found] == ["fail", "fail", "error", "error"]


def test_a_case_whose_rule_gives_no_answer_differs_whatever_it_expects(tmp_path: Path) -> None:
    cases = tmp_path / "cases" / "naming.server-says-its-client"
    cases.mkdir(parents=True)
    for state in ("pass", "fail", "unknown", "error"):
        (cases / f"{state}.yaml").write_text(
            'judge: w\nsubjects: [{type: "local:index:Server", name: w, properties: {}}]\n'
            f"expect: {{state: {state}}}\n"
        )
    write(tmp_path, CATALOG, "import os\n\n\ndef server_says_its_client(subject, params):\n    os._exit(0)\n")

    tried = try_cases(tmp_path / "cases", load_pack(tmp_path))

    assert len(tried) == 4
    assert all("the rule had no answer" in " ".join(each.differences) for each in tried)
