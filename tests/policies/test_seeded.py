"""A deliberately bad fleet: each fault is found by its rule, nothing else fails, and its good twin is green.

Its files are of all six kinds of subject; they are judged as a user would judge them, by one process. Records
of backups and costs tell times as ages (`now-30m`), which are written out here; facts of hosts and the feed,
which were collected at one moment, are moved to an hour ago.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.commands import steward

SEEDED = Path(__file__).parent / "seeded"
ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-P", "-c", "from orchestrator.cli.main import main; main()", "policy", "check")
KINDS = {"resource", "step", "playbook_task", "host_facts", "backup_record", "cost_line"}
FILES = (
    *("preview.json", "playbooks", "facts", "backups.json", "costs.json", "fleet.yaml"),
    *("state.json", "provider.json", "vault.json"),
)
COLLECTED = datetime(2026, 11, 28, 20, tzinfo=UTC)
SECONDS = {"m": 60, "h": 3_600, "d": 86_400}
BAD = ("fail", "error", "unknown")
Pair = tuple[str, str, str]
"""Rule, subject and path."""


def check(*arguments: str | Path, cwd: Path = ROOT) -> tuple[int, dict[str, Any]]:
    environment = {key: value for key, value in os.environ.items() if key != "STEWARD_POLICY_REFERENCE"}
    done = steward("policy", "check", "--json", *map(str, arguments), cwd=cwd, env=environment)
    assert done.stdout.startswith("{"), done.stdout + done.stderr
    return done.returncode, json.loads(done.stdout)


def twin(name: str, folder: Path) -> tuple[int, dict[str, Any]]:
    """The report on one of the two fleets."""
    files = folder / name
    shutil.copytree(SEEDED / name, files)
    for path in files.glob("*.json"):
        path.write_text(re.sub(r"now-(\d+)([mhd])", _moment, path.read_text("utf-8")), "utf-8")
    feed = Path(shutil.copy(SEEDED / "feed.json", folder))
    for path in (feed, *(files / "facts").iterdir()):
        path.write_text(
            collected_at(path.read_text("utf-8"), datetime.now(UTC) - timedelta(hours=1)), "utf-8"
        )
    given = [part for each in FILES for part in ("--from", files / each)]
    return check(*given, "--expected", files / "expected.json", "--feed", feed)


def collected_at(text: str, moment: datetime) -> str:
    """Facts or a feed, as if they had been collected then: all moments in them move by as much."""
    moved = moment - COLLECTED
    text = re.sub(
        r"\b1[67]\d{8}(?:\.\d+)?\b", lambda found: str(float(found[0]) + moved.total_seconds()), text
    )
    return re.sub(
        r"20\d\d-\d\d-\d\dT[\d:]{8}\+00:00",
        lambda found: (datetime.fromisoformat(found[0]) + moved).isoformat(),
        text,
    )


def _moment(age: re.Match[str]) -> str:
    return (datetime.now(UTC) - timedelta(seconds=int(age[1]) * SECONDS[age[2]])).isoformat()


def named(subject: dict[str, Any]) -> str:
    """As `faults.yaml` names it."""
    known = str(subject["id"])
    if "::" not in known:
        return known
    kind, name = (known.partition("/")[2] if subject["kind"] == "step" else known).split("::")[-2:]
    place = f"{kind.rsplit('$', 1)[-1]}::{name}"
    return f"step {place}" if subject["kind"] == "step" else place


def found(report: dict[str, Any], *states: str) -> set[Pair]:
    return {
        (result["rule"], named(report["subjects"][place]), result.get("path", ""))
        for result in report["results"]
        if result["state"] in (states or BAD)
        for place in result["on"]
    }


def listed(rows: list[dict[str, str]]) -> list[Pair]:
    return [(row["rule"], row["subject"], row["path"]) for row in rows]


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, Any]]:
    return twin("bad", tmp_path_factory.mktemp("seeded"))


def test_each_fault_is_found_by_its_rule_and_nothing_else_fails(bad: tuple[int, dict[str, Any]]) -> None:
    table = yaml.safe_load((SEEDED / "faults.yaml").read_text("utf-8"))
    faults, consequences = listed(table["faults"]), listed(table["consequences"])
    code, report = bad

    assert len({row["fault"] for row in table["faults"]}) >= 40
    assert len({*faults, *consequences}) == len(faults) + len(consequences)
    assert all(row["because"] for row in table["consequences"])
    assert found(report) - {*faults, *consequences} == set(), "fails and is not listed"
    assert {*faults, *consequences} - found(report) == set(), "is listed and was missed"
    assert found(report, "error", "unknown") == set()
    assert code == report["verdict"]["exit_code"] == 1


def test_faults_are_of_all_kinds(bad: tuple[int, dict[str, Any]]) -> None:
    _, report = bad
    kinds = {
        report["subjects"][place]["kind"]
        for result in report["results"]
        if result["state"] == "fail"
        for place in result["on"]
    }
    assert kinds == KINDS


def test_a_host_of_the_fleet_without_facts_is_not_run_and_said_so(bad: tuple[int, dict[str, Any]]) -> None:
    _, report = bad
    hosts = [subject["kind"] == "host_facts" for subject in report["subjects"]]
    (silent,) = (
        place
        for place, subject in enumerate(report["subjects"])
        if subject["id"] == "host_facts:acme-demo/tmp-1"
    )
    rules = [rule["id"] for rule in report["rules"] if rule["kind"] == "host_facts"]
    assert sum(hosts) == 4
    assert {report["matrix"][rule][silent] for rule in rules} == {"x"}
    assert [row["what"] for row in report["not_checked"]] == ["1 host", "1 backup"]


def test_old_facts_are_no_green_report_and_can_be_judged_again_on_purpose(tmp_path: Path) -> None:
    good = SEEDED / "good"
    given = ("--from", good / "facts", "--fleet", good / "fleet.yaml", "--expected", good / "expected.json")
    feed = ("--feed", SEEDED / "feed.json")

    code, now = check(*given, *feed)
    then_code, then = check(*given, *feed, "--as-of", "2026-11-28T21:00:00Z")

    assert code == 1
    assert {rule for rule, _, _ in found(now)} == {"quality.facts-are-fresh"}
    assert found(then) == set()
    assert (then_code, then["verdict"]["green"]) == (0, False)
    assert "what has happened since" in {row["what"] for row in then["not_checked"]}
    for moment, told in (("yesterday", "is no moment"), ("2999-01-01T00:00:00Z", "lies in the future")):
        refused, error = check(*given, "--as-of", moment)
        assert (refused, error["subject"]) == (2, "--as-of")
        assert told in error["message"]


def test_the_good_twin_is_green(tmp_path: Path) -> None:
    code, report = twin("good", tmp_path)

    assert found(report) == set()
    assert report["verdict"]["green"]
    assert code == 0
    assert set(report["population"]["by_kind"]) == KINDS
