"""Commands of the pages that need no server, run as they stand; the others are named with who runs them.

The tutorial and the how-to pages are run whole, by tests/e2e/test_k_docs.py.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestrator.cli.main import app
from orchestrator.reporting.write import write
from tests import commands as quick
from tests.policies.test_seeded import collected_at
from tests.test_docs import EVERYWHERE, PAGES, ROOT, calls, verb_of, verbs
from tests.unit.reporting import sample

STEWARD = Path(sys.executable).with_name("steward")
RUN_WHOLE = ("tutorial.md", "how-to")
RUN_ELSEWHERE = {
    "setup": "builds the toolchain: make setup, before any test",
    "doctor": "judges this machine, which may be ill: tests/unit/toolchain/test_doctor.py",
    "plan": "asks Pulumi and the vault: tests/e2e/test_k_docs.py",
    "up": "makes servers: tests/e2e/test_a_up.py",
    "configure": "needs servers: tests/by_hand/test_converge.py",
    "verify": "needs servers: tests/by_hand/test_network.py",
    "drift": "needs servers: tests/by_hand/test_drift.py",
    "patch": "needs servers: tests/e2e/test_h_catalogue.py",
    "destroy": "needs servers: tests/e2e/test_z_destroy.py",
    "env": "needs a stack: tests/small/test_bare_pulumi.py",
    "repin": "needs servers: tests/faults/test_connections.py",
    "backup run": "needs servers and a vault: tests/e2e/test_c_backup.py",
    "backup list": "needs servers and a vault: tests/e2e/test_c_backup.py",
    "backup status": "needs servers and a vault: tests/e2e/test_c_backup.py",
    "backup accept": "needs servers and a vault: tests/e2e/test_d_predecessors.py",
    "backup restore": "needs servers and a vault: tests/e2e/test_c_backup.py",
    "evidence verify": "needs a chain: tests/unit/orchestrator/cli/test_evidence.py",
    "evidence list": "needs a chain: tests/unit/orchestrator/cli/test_evidence.py",
    "evidence export": "needs a chain: tests/unit/orchestrator/cli/test_evidence.py",
    "evidence review": "needs a chain and a key: tests/unit/orchestrator/cli/test_evidence.py",
    "evidence hold": "needs a chain: tests/unit/orchestrator/cli/test_evidence.py",
    "evidence erase": "needs a chain: tests/unit/orchestrator/cli/test_evidence.py",
    "evidence rotate": "needs a chain: tests/unit/orchestrator/cli/test_evidence.py",
    "policy waive": "needs a policy reference: tests/unit/orchestrator/cli/test_policy_exceptions.py",
    "policy baseline": "needs a policy reference: tests/unit/orchestrator/cli/test_policy_exceptions.py",
    "rotate ssh": "needs servers: tests/e2e/test_i_rotation.py",
    "rotate host-keys": "needs servers: tests/e2e/test_i_rotation.py",
    "rotate repository": "needs servers and a vault: tests/e2e/test_i_rotation.py",
    "rotate database": "needs servers: tests/e2e/test_h_catalogue.py",
}
"""Verbs that no test can run without servers or a chain, each with its reason and the test that runs it."""
NAMES = {("init",), ("validate",)}
RUN_ID = "01JD0000000000000000000000"
STANDS_FOR = {
    "FILE": "stacks/fleets/demo.yaml",
    "RULE": "network.ssh-not-public",
    "SUBJECT": "web-1",
    "RUN": RUN_ID,
    "DIR": "made-by-init",
    "one.yaml": "stacks/fleets/demo.yaml",
    "two.yaml": "stacks/fleets/vault.yaml",
    "01JD": RUN_ID,
}
"""What the words mean that a page leaves to its reader."""
PLAYBOOK = """\
- name: Greet
  hosts: all
  tasks:
    - name: Say hello
      ansible.builtin.debug: {msg: hello}
"""


HISTORY = """\
{"schema": "steward.pulumi-history/1",
 "entries": [{"operation": "update", "started_at": "2026-11-29T12:00:05Z", "ended_at": "2026-11-29T12:00:09Z",
              "result": "succeeded", "by": "ann", "through": "automation"}],
 "runs": [{"run": "01JD", "verb": "up", "started_at": "2026-11-29T12:00:00Z", "ended_at": null}]}
"""


@cache
def commands() -> dict[tuple[str, ...], str]:
    """Every command of the pages once, and the first page that has it."""
    found: dict[tuple[str, ...], str] = {}
    for page in PAGES:
        name = str(page.relative_to(ROOT))
        if not any(part in name for part in RUN_WHOLE):
            for words in calls(page.read_text()):
                found.setdefault(tuple(words), name)
    return found


def runnable() -> list[tuple[str, ...]]:
    """Without synopses, and without words that only name a verb which does nothing by itself."""
    return sorted(
        words
        for words in commands()
        if verb_of(list(words)) in set(verbs()) - set(RUN_ELSEWHERE)
        and words not in NAMES
        and not any("[" in word for word in words)
    )


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's own repository with the fleets that the pages name, and one run of them in STEWARD_HOME."""
    folder = tmp_path_factory.mktemp("pages") / "fleets"
    done = steward(folder.parent, "init", "fleets", "--client", "initech")
    assert done.returncode == 0, done.stderr
    shutil.copytree(ROOT / "stacks" / "fleets", folder / "stacks" / "fleets")
    report = sample.demo(run=RUN_ID, stack_id="a" * 32)
    write(report, folder.parent / "home" / "runs" / RUN_ID)
    shutil.copy(ROOT / "tests" / "policies" / "previews" / "demo.json", folder / "preview.json")
    (folder / "history.json").write_text(HISTORY)
    (folder / "playbooks").mkdir()
    (folder / "playbooks" / "site.yml").write_text(PLAYBOOK)
    good = ROOT / "tests" / "policies" / "seeded" / "good"
    for name in ("FOLDER", "OLD"):
        shutil.copytree(good / "facts", folder / name / "facts")
        shutil.copy(good / "expected.json", folder / name / "host-facts-expected.json")
    for path in (folder / "FOLDER" / "facts").iterdir():
        path.write_text(
            collected_at(path.read_text("utf-8"), datetime.now(UTC) - timedelta(hours=1)), "utf-8"
        )
    judged = steward(folder, "policy", "check", "--from", "preview.json", "--output", "judged")
    assert judged.returncode == 0, judged.stdout + judged.stderr
    for place in (folder, folder.parent / "home" / "runs" / RUN_ID):
        shutil.copy(folder / "judged" / "policy-report.json", place)
    return folder


def environment(folder: Path) -> dict[str, str]:
    home = folder if (folder / "home").exists() or folder.name != "fleets" else folder.parent
    return {
        "PATH": "/usr/bin:/bin", "HOME": str(home), "STEWARD_HOME": str(home / "home"), "LC_ALL": "C.UTF-8",
    }  # fmt: skip


def steward(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """As a user starts it."""
    return subprocess.run(
        [STEWARD, *words], cwd=folder, env=environment(folder), stdin=subprocess.DEVNULL, capture_output=True,
        text=True, check=False, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("words", runnable(), ids=" ".join)
def test_a_command_that_needs_no_server_runs_as_its_page_has_it(
    words: tuple[str, ...], repository: Path, tmp_path: Path
) -> None:
    where = tmp_path if words[0] == "init" and "--upgrade" not in words else repository
    given = [STANDS_FOR.get(word, word) for word in words]
    done = quick.steward(*given, cwd=where, env=environment(where))
    assert done.returncode == 0, f"{commands()[words]}: {done.stdout}{done.stderr}"
    assert done.stdout + done.stderr


def test_there_are_such_commands_of_every_verb_that_needs_no_server() -> None:
    assert {verb_of(list(words)) for words in runnable()} == set(verbs()) - set(RUN_ELSEWHERE)


@pytest.mark.parametrize("verb", sorted(RUN_ELSEWHERE))
def test_what_is_not_run_here_is_run_by_the_test_that_is_named(verb: str) -> None:
    reason, _, where = RUN_ELSEWHERE[verb].rpartition(": ")
    assert verb in verbs(), "no such verb any more"
    assert reason
    if (ROOT / where).suffix == ".py":
        text = (ROOT / where).read_text()
        assert (
            all(f'"{word}"' in text for word in verb.split(" "))
            or f"steward {verb}" in text
            or verb == "doctor"
        )


@pytest.mark.parametrize("verb", sorted(verbs()))
def test_help_of_every_verb_is_shown(verb: str) -> None:
    shown = CliRunner().invoke(app, [*verb.split(" "), "--help"])
    assert shown.exit_code == 0, shown.output
    assert all(option in shown.output for option in verbs()[verb] - EVERYWHERE - {"--help"})
