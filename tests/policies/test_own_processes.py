"""The processes of own rules: what they see, what they leave behind, and that the engine gets its answer."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from policies import own as loading
from tests.policies.own_rooms import OTHER, OWN, judged, lives, rooms
from tests.policies.references import RULE

FORKING = """\
import os, time


def strange(subject, params):
    note()
    if os.fork() == 0 and subject.name == "n1":
        note()
        time.sleep(600)
    return []


def note():
    with open("NOTE", "a") as file:
        file.write(f"{os.getpid()}\\n")
"""
KILLED = """\
import os, sys
from pathlib import Path
from policies.pack import load_pack

pack = load_pack(Path(sys.argv[1]))
print(*(rule.apart.room._process._popen.pid for rule in pack.rules if rule.apart), flush=True)
os.kill(os.getpid(), 9)
"""


def until(holds: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    last = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < last
        time.sleep(0.01)


def test_a_rule_that_forks_is_judged_once_and_leaves_nothing_behind(tmp_path: Path) -> None:
    note = tmp_path / "pids"
    pack = rooms(tmp_path, FORKING.replace("NOTE", str(note)))
    found = judged(pack)
    assert [result.state for result in found[OWN]] == ["pass", "pass"]

    until(lambda: len(set(note.read_text().split())) == 2)
    pids = {int(line) for line in note.read_text().split()}
    (own,) = (rule.apart for rule in pack.rules if rule.id == OWN)
    own.room._end()  # type: ignore[union-attr]
    until(lambda: not any(lives(pid) for pid in pids))


def test_rooms_that_nobody_holds_have_no_processes(tmp_path: Path) -> None:
    pack = rooms(tmp_path, "def strange(subject, params):\n    return []\n")
    (own,) = (rule.apart for rule in pack.rules if rule.id == OWN)
    pid = own.room._process._popen.pid  # type: ignore[union-attr]
    assert lives(pid)
    loading._BEGUN.clear()
    del pack, own
    gc.collect()
    assert not lives(pid)


def test_the_process_sees_no_environment_of_its_judge(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "hidden")
    module = (
        "import os\nfrom policies.model import Finding\n\n\ndef strange(subject, params):\n"
        "    yield Finding('name', 'x', os.environ.get('PULUMI_CONFIG_PASSPHRASE', 'nothing'), 'y')\n"
    )
    found = judged(rooms(tmp_path, module))
    assert {result.observed for result in found[OWN]} == {"nothing"}


@pytest.mark.parametrize("does", ["raise SystemExit(0)", "import os; os._exit(0)", "raise GeneratorExit"])
def test_the_pack_answers_the_engine_whatever_an_own_rule_does(
    does: str, tmp_path: Path, start_pack: Callable[..., Any]
) -> None:
    from tests.policies.test_pack_protocol import firewall, request, said

    rooms(tmp_path, f"def strange(subject, params):\n    {does}\n")
    pack = start_pack(env={"STEWARD_OWN_RULES": str(tmp_path)})

    first = said(pack.Analyze(request("local:index:Network", "app", cidr="8.0.0.0/8"), timeout=60))
    assert {OWN, OTHER, RULE} <= set(first)
    assert "network.ssh-not-public" in said(pack.Analyze(firewall(), timeout=60))
    again = said(pack.Analyze(request("local:index:Network", "app", cidr="8.0.0.0/8"), timeout=60))
    assert again == first


def test_a_pack_that_is_killed_takes_the_processes_of_own_rules_along(tmp_path: Path) -> None:
    rooms(tmp_path / "rules", "def strange(subject, params):\n    return []\n")
    root = str(Path(__file__).parents[2])
    argv = [sys.executable, "-c", KILLED, str(tmp_path / "rules")]
    ended = subprocess.run(
        argv, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "PYTHONPATH": root}
    )
    pids = [int(each) for each in ended.stdout.split()]
    assert len(pids) == 2
    until(lambda: not any(lives(pid) for pid in pids))
