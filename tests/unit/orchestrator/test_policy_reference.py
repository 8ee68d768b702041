"""The policy reference found where the settings say, with real Git repositories."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.errors import InputError
from orchestrator.file_lock import HeldError, file_lock
from orchestrator.git_folder import write_folder
from orchestrator.policy_reference import open_policy, place_of, policy_environment
from orchestrator.settings import Settings, load_settings
from orchestrator.toolchain.environment import child_environment
from policies.baseline import Baseline, Entry, as_text
from policies.governed import judge, judge_change
from policies.model import State
from policies.reference.manifest import manifest
from policies.signers import POLICY, Standing
from policies.verdicts import parse_verdicts
from tests.policies.references import RULE, WAIVER, make_key, network, sign, signer, write

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@acme.example", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *words], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def commit(folder: Path) -> str:
    if not (folder / ".git").exists():
        git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "policy")
    return git(folder, "rev-parse", "HEAD")


def settings(tmp_path: Path, reference: object, project: Path | None = None) -> Settings:
    fleets = project or tmp_path / "fleets"
    fleets.mkdir(exist_ok=True)
    return Settings(
        home=tmp_path / "home", cache=tmp_path / "cache", project=fleets, policy_reference=str(reference)
    )


def test_the_variable_names_it() -> None:
    assert load_settings({"STEWARD_POLICY_REFERENCE": "/p@main:x"}).policy_reference == "/p@main:x"
    assert load_settings({}).policy_reference == ""


def test_without_one_what_comes_with_steward_judges(tmp_path: Path) -> None:
    mine = settings(tmp_path, "")
    assert place_of(mine) is None
    assert open_policy(mine, NOW).holding.name == "built-in"
    assert policy_environment(mine) == {}
    env = child_environment(mine, "acme-demo", path="/bin")
    assert (env["STEWARD_POLICY_FOLDER"], env["STEWARD_POLICY_VERDICTS"]) == ("", "")


def test_a_folder_of_its_own(tmp_path: Path) -> None:
    folder = write(tmp_path / "policy", {"minimum.yaml": "default: strict\nclients: {}\n"})
    policy = open_policy(settings(tmp_path, folder), NOW)
    assert policy.holding.name == str(folder)
    assert policy.holding.pack.profiles.minimum.default == "strict"
    assert policy.proposed is None


def test_a_folder_among_the_fleets_is_refused(tmp_path: Path) -> None:
    project = tmp_path / "fleets"
    write(project / "policy")
    (tmp_path / "link").symlink_to(project / "policy")
    for named in (project / "policy", tmp_path / "link", project):
        with pytest.raises(InputError, match=r"lies among the fleets that it judges .*@main:") as error:
            place_of(settings(tmp_path, named, project))
        assert error.value.rule == "the judged does not choose the judge"


@pytest.mark.parametrize(
    "named", ["/nowhere", "nowhere@main:x", "@main:", "-x@main:y", "REPO@-main:x", "REPO@main:../x"]
)
def test_what_is_neither_folder_nor_ref_is_refused(named: str, tmp_path: Path) -> None:
    (tmp_path / "repo").mkdir()
    with pytest.raises(InputError, match=r"is neither a folder nor REPO@REF:FOLDER, got"):
        place_of(settings(tmp_path, named.replace("REPO", str(tmp_path / "repo"))))


def test_a_ref_is_read_as_it_was_committed(tmp_path: Path) -> None:
    repository = write(tmp_path / "repo" / "ours", {"waivers/W-1.yaml": WAIVER + "# é\n"}).parent
    first = commit(repository)
    (repository / "ours" / "minimum.yaml").write_text("default: demo\nclients: {}\n")
    place = place_of(settings(tmp_path, f"{repository}@main:ours"))
    assert place is not None
    assert place.name == f"{repository}@main:ours ({first[:12]})"
    assert (place.folder / "waivers" / "W-1.yaml").read_text() == WAIVER + "# é\n"
    assert "default: standard" in (place.folder / "minimum.yaml").read_text(), "not the working tree's"
    assert place.folder.is_relative_to(tmp_path / "home")
    assert (place.folder / "minimum.yaml").stat().st_mode & 0o777 == 0o400
    assert place.folder.stat().st_mode & 0o777 == 0o700


def test_a_written_reference_that_was_changed_is_written_anew(tmp_path: Path) -> None:
    repository = write(tmp_path / "repo")
    commit(repository)
    place = place_of(settings(tmp_path, f"{repository}@main:"))
    assert place is not None
    target = place.folder / "minimum.yaml"
    target.chmod(0o600)
    target.write_text("default: demo\nclients: {}\n")
    from orchestrator import policy_reference

    policy_reference._place.cache_clear()
    again = place_of(settings(tmp_path, f"{repository}@main:"))
    assert again == place
    assert "default: standard" in target.read_text()
    assert {each.name for each in target.parent.parent.iterdir()} == {target.parent.name, "lock"}, (
        "no draft stays"
    )


def test_one_process_at_a_time_writes_a_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = write(tmp_path / "repo")
    commit(repository)
    from orchestrator import policy_reference

    def write_alone(repository: Path, commit: str, inside: str, target: Path) -> None:
        with pytest.raises(HeldError), file_lock(tmp_path / "home" / "policy" / "lock", 0):
            pass
        write_folder(repository, commit, inside, target)

    monkeypatch.setattr(policy_reference, "write_folder", write_alone)
    place = place_of(settings(tmp_path, f"{repository}@main:"))
    assert place is not None
    assert "default: standard" in (place.folder / "minimum.yaml").read_text()


def test_what_is_wrong_in_a_reference_is_told_once(tmp_path: Path) -> None:
    folder = write(tmp_path / "policy", {"wavers/W-1.yaml": "x"})
    with pytest.raises(InputError) as told:
        open_policy(settings(tmp_path, str(folder)), NOW)
    assert str(told.value).count("policy reference: ") == 1
    assert "wavers: not understood" in str(told.value)


def test_attributes_and_other_peoples_variables_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = write(tmp_path / "repo", {"README.md": "$Format:%H$"})
    (repository / ".gitattributes").write_text("README.md export-subst\nminimum.yaml export-ignore\n")
    commit(repository)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    place = place_of(settings(tmp_path, f"{repository}@main:"))
    assert place is not None
    assert (place.folder / "README.md").read_text() == "$Format:%H$"
    assert (place.folder / "minimum.yaml").exists()


def test_links_foreign_bytes_and_missing_things_in_git_are_refused(tmp_path: Path) -> None:
    repository = write(tmp_path / "repo" / "ours").parent
    commit(repository)
    for ref, told in (("gone:ours", "there is no such commit"), ("main:gone", "there is no folder 'gone'")):
        with pytest.raises(InputError, match=told):
            place_of(settings(tmp_path, f"{repository}@{ref}"))
    (repository / "ours" / "README.md").write_bytes(b"\xf0\x9f\x98 three bytes for three")
    commit(repository)
    with pytest.raises(InputError, match=r"README.md: is no text in UTF-8"):
        place_of(settings(tmp_path, f"{repository}@main:ours"))
    (repository / "ours" / "README.md").unlink()
    (repository / "ours" / "budget.yaml").symlink_to("/etc/passwd")
    commit(repository)
    with pytest.raises(InputError, match=r"budget.yaml: expected a plain file, and no link"):
        place_of(settings(tmp_path, f"{repository}@main:ours"))


def test_a_mistake_in_the_reference_is_told_with_its_place(tmp_path: Path) -> None:
    folder = write(tmp_path / "policy", {"budget.yaml": "clients: {a: {b: {amount: 1.5, currency: EUR}}}"})
    with pytest.raises(InputError, match=r"policy reference: .*policy: budget.yaml.clients.a.b.amount"):
        open_policy(settings(tmp_path, folder), NOW)


def test_a_change_of_fleet_and_policy_together_is_seen_and_none_of_its_code_runs(tmp_path: Path) -> None:
    cto, ran = make_key(tmp_path, "cto"), tmp_path / "ran"
    project = tmp_path / "fleets"
    files = {"minimum.yaml": "default: strict\nclients: {}\n",
             "allowed_signers": signer(cto, "cto@acme.example", POLICY)}  # fmt: skip
    folder = write(project / "policy", files)
    commit(project)
    mine = settings(tmp_path, f"{project}@main:policy", project)
    assert open_policy(mine, NOW).proposed is None

    (folder / "minimum.yaml").write_text("default: demo\nclients: {}\n")
    (folder / "rules").mkdir()
    from tests.policies.test_own import CATALOG

    (folder / "rules" / "naming.yaml").write_text(CATALOG)
    (folder / "rules" / "naming.py").write_text(f"open({str(ran)!r}, 'w')\n")
    policy = open_policy(mine, NOW)
    assert policy.proposed is not None
    assert policy.proposed.name.endswith("as changed here")
    found = judge_change([network(cidr="10.0.0.0/18")], policy.holding, policy.proposed, policy.seen, {})
    states = {each.rule: each.state for each in found.results if each.state is State.FAIL}
    assert {RULE, "governance.minimum-not-milder"} <= set(states)
    assert not ran.exists()

    sign(cto, POLICY, manifest(folder).encode(), folder / "reference.sig")
    assert open_policy(mine, NOW).seen.proposal.standing is Standing.GOOD


def test_a_clock_set_back_since_the_last_verdicts_is_not_believed(tmp_path: Path) -> None:
    mine = settings(tmp_path, write(tmp_path / "policy"))
    file = Path(policy_environment(mine)["STEWARD_POLICY_VERDICTS"])
    assert not open_policy(mine, datetime.now(UTC)).seen.clock_suspect
    assert open_policy(mine, datetime.now(UTC) - timedelta(hours=1)).seen.clock_suspect
    told = parse_verdicts(file.read_bytes(), "x")
    later = told.judged_at + timedelta(days=400)
    file.write_text(file.read_text().replace(told.judged_at.isoformat(), later.isoformat()))
    policy_environment.cache_clear()
    policy_environment(mine)
    assert parse_verdicts(file.read_bytes(), "x").judged_at == later, "it never goes back"
    assert open_policy(mine, datetime.now(UTC)).seen.clock_suspect


def test_a_judgement_by_an_opened_policy(tmp_path: Path) -> None:
    policy = open_policy(settings(tmp_path, write(tmp_path / "policy")), NOW)
    found = judge([network()], policy.holding, policy.seen)
    assert any(each.rule == RULE and each.blocks for each in found.results)
    assert [each.name for each in found.subjects][-1] == str(tmp_path / "policy")


def baseline_of(*marks: str) -> str:
    return as_text(Baseline(tuple(Entry(mark * 64, RULE, network().urn) for mark in marks)))


def grown(mine: Settings) -> bool:
    policy = open_policy(mine, NOW)
    found = judge([], policy.holding, policy.seen)
    return any(each.rule == "governance.baseline-only-shrinks" and each.blocks for each in found.results)


def test_a_baseline_is_compared_with_the_smallest_that_was_read_here(tmp_path: Path) -> None:
    cto = make_key(tmp_path, "cto")
    files = {
        "baseline.json": baseline_of("1", "2"),
        "allowed_signers": signer(cto, "cto@acme.example", POLICY),
    }
    folder = write(tmp_path / "policy", files)
    mine = settings(tmp_path, folder)
    assert not grown(mine), "the first is compared with nothing"
    (folder / "baseline.json").write_text(baseline_of("1"))
    assert not grown(mine)
    (folder / "baseline.json").write_text(baseline_of("1", "2"))
    assert grown(mine), "what was taken out does not come back"
    assert grown(mine), "nor in the run after that"
    (folder / "baseline.json").unlink()
    assert not grown(mine)
    (folder / "baseline.json").write_text(baseline_of("1"))
    assert grown(mine)
    sign(cto, POLICY, manifest(folder).encode(), folder / "reference.sig")
    assert not grown(mine), "an owner of the policy signed it"
    (folder / "reference.sig").unlink()
    assert not grown(mine), "and so it is the one to compare with"


def test_a_remembered_baseline_that_was_broken_is_told(tmp_path: Path) -> None:
    mine = settings(tmp_path, write(tmp_path / "policy"))
    open_policy(mine, NOW)
    (file,) = (tmp_path / "home" / "policy").glob("baseline-*.json")
    file.write_text("{")
    with pytest.raises(InputError, match=r"the baseline that was read last cannot be read"):
        open_policy(mine, NOW)
