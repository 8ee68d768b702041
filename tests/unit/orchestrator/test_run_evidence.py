"""Every run leaves a record, however it ends; one that was killed is told of by the next."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.app import forget_stack
from orchestrator.circumstances import commit_of, origin_of, tree_digest
from orchestrator.errors import FindingsError, InputError, StoppedError, ToolError
from orchestrator.evidence.folder import EvidenceFolder, found_in
from orchestrator.evidence.ledger import SqliteLedger
from orchestrator.evidence.payloads import PayloadStore, load_key
from orchestrator.evidence.verdict import Fault
from orchestrator.pipelines.plan import plan_steps
from orchestrator.pipelines.step import Step, Steps
from tests.unit.orchestrator.evidence_runs import Place, place


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Place]:
    with place(tmp_path) as made:
        yield made


def failing(problem: BaseException) -> Steps:
    def act() -> None:
        raise problem

    yield Step("one", "phase", "read", act)


def test_a_run_leaves_a_record_with_its_report(there: Place) -> None:
    with there.run() as run:
        run.execute(plan_steps(run.adapters, run.results))
        run.report()
    line = there.lines()[-1]
    assert there.told() == [("run", 0)]
    assert line.body["run"] == run.id
    assert line.body["verb"] == "plan"
    assert [each.name for each in line.payloads] == ["policy-report.json", "report.json"]
    digests = line.record["digests"]
    assert digests["inputs"] == [{"name": run.fleet_file, "sha256": run.adapters.target.loaded.digest}]
    assert all(len(digests[name]) == 64 for name in ("rules", "params", "tools"))
    assert {each["name"] for each in line.record["versions"]} > {"steward", "pulumi", "ansible-core"}
    assert line.text("started_at")[:19] == run.started.utc.isoformat()[:19]
    assert there.verify().ok
    (folder,) = found_in(there.settings.home)
    key = load_key(folder.payload_key(run.adapters.target.stack.client_id))
    for payload in line.payloads:
        _, kept = PayloadStore(folder.payloads, folder.id).get(key, payload)
        assert kept == (run.folder / payload.name).read_bytes()


def test_policy_report_and_facts_are_kept_and_a_link_is_not(there: Place, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("{}")
    with there.run("verify") as run:
        for name in ("policy-report.json", "facts/web-1.json"):
            (run.folder / name).parent.mkdir(exist_ok=True)
            (run.folder / name).write_text("{}")
        (run.folder / "facts" / "web-2.json").symlink_to(secret)
    assert [each.name for each in there.lines()[-1].payloads] == ["facts/web-1.json", "policy-report.json"]


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (FindingsError("a", "found"), 1),
        (ToolError("a", "broke"), 3),
        (StoppedError("steward", "stopped"), 130),
    ],
)
def test_a_run_that_fails_or_is_stopped_leaves_one_too(there: Place, problem: Exception, code: int) -> None:
    with there.run("up") as run:
        run.execute(failing(problem))
        run.report()
    assert there.told() == [("run", run.exit_code)]
    assert run.exit_code == code
    assert there.lines()[-1].body["problem"] == str(problem)
    assert there.verify().ok


@pytest.mark.parametrize("problem", [ZeroDivisionError("nobody foresaw it"), KeyboardInterrupt()])
def test_an_error_that_nobody_foresaw_leaves_one_too(there: Place, problem: BaseException) -> None:
    with pytest.raises(type(problem)), there.run("up"):
        raise problem
    assert there.told() == [("run", 3)]
    assert there.lines()[-1].body["problem"] in ("nobody foresaw it", "KeyboardInterrupt")


def test_a_run_that_could_not_write_its_record_ends_ill_and_is_told_of_later(
    there: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ToolError("evidence", "cannot be written")

    with there.run():
        pass
    with monkeypatch.context() as patched:
        patched.setattr("orchestrator.evidence.writer.EvidenceWriter.append_run", broken)
        with pytest.raises(ToolError, match="cannot be written"), there.run() as run:
            pass
    assert run.ledger.last_runs(None, 1)[0]["exit_code"] == 3
    with there.run():
        pass
    assert there.told() == [("run", 0), ("run_killed", None), ("run", 0)]
    assert there.lines()[-2].body["run"] == run.id


def test_an_error_of_evidence_never_hides_that_of_the_run(
    there: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ToolError("evidence", "cannot be written")

    monkeypatch.setattr("orchestrator.evidence.writer.EvidenceWriter.append_run", broken)
    said: list[str] = []
    with pytest.raises(ZeroDivisionError), there.run("up", said):
        raise ZeroDivisionError
    assert said == ["the evidence of this run could not be written: evidence: cannot be written."]


def test_a_destroyed_stack_keeps_its_evidence_and_a_new_one_of_its_name_begins_anew(there: Place) -> None:
    with there.run("destroy") as run:
        forget_stack(run)
    with there.run():
        pass
    old, new = sorted(found_in(there.settings.home), key=lambda each: each.chain.stat().st_mtime)
    assert old.name == new.name == "acme-demo"
    assert old.id != new.id
    assert isinstance(old, EvidenceFolder)
    assert b"destroy" in old.chain.read_bytes()


def test_each_run_anchors_its_head_and_one_that_cannot_says_so(there: Place, tmp_path: Path) -> None:
    (tmp_path / "anchors").mkdir()
    there.settings = replace(there.settings, anchor=tmp_path / "anchors")
    with there.run():
        pass
    verdict = there.verify()
    assert (verdict.ok, verdict.unanchored, verdict.anchors) == (True, 0, ("folder anchors",))
    there.settings = replace(there.settings, anchor=tmp_path / "away")
    said: list[str] = []
    with there.run(said=said):
        pass
    assert said[0].startswith("evidence is not anchored: anchor:")
    there.settings = replace(there.settings, anchor=there.settings.home / "in")
    with pytest.raises(InputError, match="proves nothing"), there.run():
        pass


def test_who_changed_what_and_why_comes_from_the_pipeline(
    there: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"STEWARD_ACTOR": "ci", "STEWARD_CHANGE": "MR 12", "GITHUB_SHA": "e" * 40}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["/opt/bin/steward", "plan", "--fleet", "demo.yaml"])
    with there.run():
        pass
    record = there.lines()[-1].record
    assert [record[name] for name in ("actor", "change", "commit")] == ["ci", "MR 12", "e" * 40]
    assert record["command"] == ["steward", "plan", "--fleet", "demo.yaml"]


def test_rules_are_those_that_the_run_began_with(there: Place) -> None:
    before = origin_of(there.settings)
    with there.run():
        there.settings.own_rules.mkdir()
        (there.settings.own_rules / "late.py").write_text("")
    digests = there.lines()[-1].record["digests"]
    assert (digests["rules"], digests["params"]) == (before.rules, before.params)
    assert origin_of(there.settings).rules != before.rules


def test_a_commit_says_whether_files_differ_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI_COMMIT_SHA", "GITHUB_SHA"):
        monkeypatch.delenv(name, raising=False)
    assert commit_of(tmp_path / "nowhere") == ""
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    (tmp_path / "file").write_text("one")
    for words in (["init", "-q"], ["add", "file"], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *words], check=True)
    clean = commit_of(tmp_path)
    assert len(clean) == 40
    (tmp_path / "file").write_text("two")
    assert commit_of(tmp_path) == f"{clean}-dirty"


def test_a_digest_of_rules_changes_with_name_and_content(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    seen = {tree_digest([rules])}
    rules.mkdir()
    for name, text in (("a.py", "1"), ("a.py", "2"), ("b.py", "2")):
        (rules / name).write_text(text)
        seen.add(tree_digest([rules]))
    assert len(seen) == 4
    assert tree_digest([rules]) == tree_digest([rules])


def recorded(there: Place) -> dict[str, tuple[str, ...]]:
    ledger = SqliteLedger(there.settings.home / "steward.db")
    return {each.id: each.runs for each in ledger.recorded()}


@pytest.mark.parametrize("keys", [True, False], ids=["keys kept", "keys gone"])
def test_a_chain_that_is_gone_is_told_by_the_next_run_and_for_ever(there: Place, keys: bool) -> None:
    runs = []
    for _ in range(2):
        with there.run() as run:
            runs.append(run.id)
    (folder,) = found_in(there.settings.home)
    shutil.rmtree(folder.path)
    if not keys:
        shutil.rmtree(folder.signing_keys)
    said: list[str] = []
    with there.run(said=said):
        assert there.lines()[-1].kind == "records_lost", "before anything else is done"
    assert "the evidence chain of acme-demo was gone and begins anew, with record 1" in said[0]
    assert all(run in said[0] for run in runs)
    body = there.lines()[1].body
    assert (body["runs"], len(body["keys"])) == (runs, int(keys))
    for _ in range(2):
        assert [(each.number, each.fault) for each in there.verify().problems] == [(1, Fault.RECORDS_LOST)]
        with there.run(said=said):
            pass
    assert [line.kind for line in there.lines()].count("records_lost") == 1
    assert len(said) == 1


def test_a_chain_that_was_cut_without_a_trace_is_told_by_the_ledger(there: Place) -> None:
    for _ in range(3):
        with there.run() as run:
            pass
    (folder,) = found_in(there.settings.home)
    folder.chain.write_bytes(b"".join(folder.chain.read_bytes().splitlines(keepends=True)[:-1]))
    (folder.path / "fence.json").unlink()
    with there.run():
        pass
    assert [line.kind for line in there.lines()][-2:] == ["records_lost", "run"]
    assert there.lines()[-2].body["runs"] == [run.id]


def test_runs_that_left_no_record_are_no_loss(there: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ToolError("evidence", "cannot be written")

    with monkeypatch.context() as patched:
        patched.setattr("orchestrator.evidence.writer.EvidenceWriter.append_run", broken)
        with pytest.raises(ToolError), there.run():
            pass
    assert set(recorded(there).values()) == {()}
    with there.run() as run:
        pass
    assert there.verify().ok
    assert list(recorded(there).values()) == [(run.id,)]


def test_a_name_that_is_used_again_asks_for_no_runs_of_the_stack_before(there: Place) -> None:
    with there.run("destroy") as old:
        forget_stack(old)
    said: list[str] = []
    with there.run(said=said) as new:
        pass
    assert said == []
    ids = [run.adapters.target.stack.id for run in (old, new)]
    assert recorded(there) == {ids[0]: (old.id,), ids[1]: (new.id,)}
