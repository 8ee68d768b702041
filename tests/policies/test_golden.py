"""Golden: what the pack writes for a real preview and what `policy check` says of the saved one are the same.

The engine's pack (online) judges the demo fleet and a bad variant of it; the same program is previewed once
more without the pack (`--json --show-sames`), and that file is judged offline. It must be that one: a
preview that the pack refuses ends with the diagnostic `preview failed`, so `policy check` takes it for what
it is, one that ended early, and refuses it (the last test). The pack is not cut short: the engine asks
about all resources and then about the stack before it refuses. It also asks about its providers, which saved
previews do not list; the offline report has the policy itself as a subject, which the engine does not know.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from policies.assessment import LETTERS, WORST
from policies.model import State
from tests.policies.test_seeded import COMMAND, ROOT, check

pytestmark = pytest.mark.real
STEWARD = COMMAND[:-2]
DEMO = ROOT / "stacks" / "fleets" / "demo.yaml"
OPEN = "      - {from: anywhere, port: 80}\n"
BAD = OPEN + "      - {from: anywhere, port: 22}\n      - {from: anywhere, port: 3306}\n"
PROVIDER = "::pulumi:providers:"
FAILING = {
    "network.ssh-not-public",
    "network.databases-not-public",
    "network.sources-not-too-wide",
    "network.published-ports-are-public",
}
SAME = ("path", "observed", "expected", "state", "enforcement")
"""What a row of the pack and a result of a report have under one name."""


@dataclass(frozen=True)
class Both:
    """One fleet, as the pack judged it and as its saved preview was judged."""

    refused: bool
    online: list[dict[str, Any]]
    offline: dict[str, Any]
    preview: Path


def run(*argv: str, cwd: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module", params=["good", "bad"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Both:
    folder = tmp_path_factory.mktemp("golden")
    env = os.environ | {"STEWARD_HOME": str(folder / "home"), "PYTHONPATH": str(ROOT)}
    project = folder / "project"
    made = run(*STEWARD, "init", str(project), "--client", "acme", cwd=folder, env=env)
    assert made.returncode == 0, made.stderr
    text = DEMO.read_text("utf-8")
    assert OPEN in text
    (project / "fleets" / "demo.yaml").write_text(text.replace(OPEN, BAD) if request.param == "bad" else text)
    said = run(*STEWARD, "env", "--fleet", "fleets/demo.yaml", "--json", cwd=project, env=env)
    assert said.returncode == 0, said.stderr
    env = os.environ | json.loads(said.stdout)["environment"]
    preview = ("pulumi", "preview", "--json", "--show-sames", "--non-interactive")
    rows, judged, saved = folder / "rows.jsonl", project / "judged.json", project / "saved.json"
    with_pack = run(*preview, cwd=project, env=env | {"STEWARD_POLICY_RESULTS": str(rows)})
    judged.write_text(with_pack.stdout)
    bare = {key: value for key, value in env.items() if key != "PULUMI_OPTION_POLICY_PACK"}
    without = run(*preview, cwd=project, env=bare)
    assert without.returncode == 0, without.stdout + without.stderr
    saved.write_text(without.stdout)
    every = [json.loads(line) for line in rows.read_text("utf-8").splitlines()]
    providers = [row for row in every if PROVIDER in row["subject"]["urn"]]
    # Each provider is judged like any resource, and ours says nothing that a rule finds wrong.
    assert {row["state"] for row in providers} == {"not_applicable", "pass"}
    online = [row for row in every if row not in providers]
    _, offline = check("--from", saved, cwd=project)
    return Both(with_pack.returncode != 0, online, offline, judged)


def test_findings_are_the_same_byte_for_byte(both: Both) -> None:
    read = {rule["id"]: rule["types"] for rule in both.offline["rules"] if rule["kind"] == "resource"}
    kinds = {subject["id"]: subject["type"] for subject in both.offline["subjects"]}
    online = sorted(
        {
            canonical(row, row["rule"], row["subject"]["urn"], row["fingerprint"], row["witness"])
            for row in both.online
            if row["state"] != "pass" and kinds[row["subject"]["urn"]] in read[row["rule"]]
        }
    )
    subjects = both.offline["subjects"]
    offline = sorted(
        canonical(
            result,
            result["rule"],
            subjects[place]["id"],
            (result.get("fingerprints") or [""] * len(result["on"]))[number],
            result.get("witness") or subjects[place]["witness"],
        )
        for result in both.offline["results"]
        if result["rule"] in read
        for number, place in enumerate(result["on"])
        if subjects[place]["id"].startswith("urn:")
    )

    assert online == offline
    failed = {row["rule"] for row in both.online if row["state"] == "fail"}
    assert failed == (FAILING if both.refused else set())


def canonical(row: Mapping[str, Any], rule: str, urn: str, fingerprint: str, witness: str) -> str:
    known = {key: row.get(key, "") for key in SAME}
    return json.dumps(
        known | {"rule": rule, "urn": urn, "fingerprint": fingerprint, "witness": witness}, sort_keys=True
    )


def test_every_pair_has_the_same_state(both: Both) -> None:
    online: dict[tuple[str, str], list[State]] = defaultdict(list)
    for row in both.online:
        online[row["rule"], row["subject"]["urn"]].append(State(row["state"]))
    letters = {pair: LETTERS[min(states, key=WORST.index)] for pair, states in online.items()}
    places = [n for n, subject in enumerate(both.offline["subjects"]) if subject["id"].startswith("urn:")]

    offline = {
        (rule["id"], both.offline["subjects"][place]["id"]): both.offline["matrix"][rule["id"]][place]
        for rule in both.offline["rules"]
        if rule["kind"] == "resource"
        for place in places
    }

    assert len(letters) > 1_000
    beyond = {pair: letter for pair, letter in offline.items() if pair not in letters}
    assert {pair: letter for pair, letter in offline.items() if pair in letters} == letters
    assert set(beyond.values()) <= {"n"}, "was asked offline alone, and says something"


def test_a_refused_preview_is_no_whole_one(both: Both) -> None:
    done = run(*COMMAND, "--from", str(both.preview), cwd=both.preview.parent, env=dict(os.environ))
    if both.refused:
        assert done.returncode == 2, done.stdout
        assert "the preview ended before it had seen everything" in done.stderr
    else:
        assert done.returncode == 0, done.stdout + done.stderr
