"""A report of a judgement that is shared out is, byte for byte, that of one process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.judging.check import judged, reported
from orchestrator.judging.sources import Source, heard
from orchestrator.policy_reference import Policy
from orchestrator.reporting.policy.json import to_json
from orchestrator.reporting.policy.subjects import Listed, listed
from policies import evaluate as evaluating
from policies import sharing as sharing_out
from policies.governed import Seen
from policies.limits import Watch
from policies.model import Phase
from policies.reference import load_reference
from policies.sharing import ALONE, Sharing
from tests.policies.test_sharing import PREVIEWS, population, rules
from tests.unit.reporting.policy.sample import context

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def canonical(sharing: Sharing, made: list[Listed], left_out: dict[str, str]) -> str:
    reference = load_reference(None)
    policy = Policy(replace(reference, pack=replace(reference.pack, rules=tuple(rules()))), Seen(NOW))
    source = Source("a.json", "preview", tuple(population()), "d")
    found = judged([source], policy, Phase.OFFLINE, heard([source]) - set(left_out), sharing)
    about, ahead = context(), made[-1] if made else None
    return to_json(
        reported(found, [source], policy, about.about, about.ended_at, left_out=left_out, listed=ahead)
    )


@pytest.mark.parametrize("left_out", [{}, {population()[0].urn: "unchanged since main"}])
def test_it_is_the_same_report(monkeypatch: pytest.MonkeyPatch, left_out: dict[str, str]) -> None:
    monkeypatch.setattr(evaluating, "WORTH", 0)
    monkeypatch.setattr(evaluating, "WATCH", Watch(0.5))
    monkeypatch.setattr(sharing_out, "_is_alone", lambda _watch: True)
    alone = canonical(ALONE, [], left_out)
    made: list[Listed] = []
    both = Sharing(2, lambda *judged: made.append(listed(*judged)))
    assert canonical(both, made, left_out) == alone
    assert len(made) == 1
    others = [Listed(made[0].subjects[1:], made[0].profiles[1:], made[0].rows[1:])]
    assert canonical(ALONE, others, left_out) == alone, "what was listed of others does not count"


def test_a_command_has_a_copy_and_says_what_it_says_alone(tmp_path: Path) -> None:
    code = (
        "import os, sys; from orchestrator.cli.main import run; from orchestrator import app_policy\n"
        "from policies import evaluate\n"
        "copies, evaluate.WORTH, app_policy.processors = [], 0, lambda: int(sys.argv[1])\n"
        "os.register_at_fork(before=lambda: copies.append(1))\n"
        "code = run(sys.argv[2:]); print(code, len(copies), file=sys.stderr)"
    )
    rooms = {"STEWARD_HOME": str(tmp_path / "home"), "STEWARD_CACHE": str(tmp_path / "cache")}
    said = {}
    for processes in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-P", "-c", code, processes, *("policy", "check", "--json", "--from"),
             str(PREVIEWS / "aws.json")],
            env={**os.environ, **rooms, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        report = json.loads(done.stdout)
        for key in ("run", "started_at", "ended_at", "command"):
            del report[key]
        said[processes] = (report, done.stderr.split())
    assert said["1"][0] == said["2"][0]
    assert (said["1"][1][-1], said["2"][1][-1]) == ("0", "1")
