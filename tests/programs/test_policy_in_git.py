"""A policy reference in Git, against those whom it judges: names, places, and what its history excuses."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from orchestrator import policy_reference
from orchestrator.errors import InputError
from orchestrator.judging.check import _unproven
from orchestrator.policy_reference import open_policy, place_of
from orchestrator.settings import Settings
from policies.facts import Unknown
from policies.governed import judge
from policies.model import State
from policies.reference.manifest import manifest
from policies.signers import POLICY
from tests.policies.references import make_key, public, sign, signer, write
from tests.unit.orchestrator.test_policy_reference import NOW, baseline_of, commit, git, grown, settings

LAX = "default: demo\nclients: {}\n"
STRICT = "default: strict\nclients: {}\n"
RULE = "governance.baseline-only-shrinks"


def opened(mine: Settings, judged: Sequence[Path] = ()) -> policy_reference.Policy:
    """As another process would open it."""
    policy_reference._place.cache_clear()
    return open_policy(mine, NOW, judged=judged)


def minimum(mine: Settings) -> str:
    return opened(mine).holding.pack.profiles.minimum.default


# ---- names


def test_a_tag_with_the_branchs_name_does_not_become_the_judge(tmp_path: Path) -> None:
    repository = write(tmp_path / "repo", {"minimum.yaml": STRICT})
    commit(repository)
    mine = settings(tmp_path, f"{repository}@main:")
    assert minimum(mine) == "strict"
    git(repository, "checkout", "-q", "-b", "evil")
    (repository / "minimum.yaml").write_text(LAX)
    commit(repository)
    git(repository, "tag", "main")
    with pytest.raises(InputError, match=r"ambiguous: refs/heads/main and refs/tags/main") as error:
        minimum(mine)
    assert error.value.next_step.endswith("refs/heads/main")
    for ref, profile in (("refs/heads/main", "strict"), ("refs/tags/main", "demo"), ("evil", "demo")):
        assert minimum(settings(tmp_path, f"{repository}@{ref}:")) == profile


def test_remote_branches_tags_and_commits_are_found_and_expressions_are_not(tmp_path: Path) -> None:
    origin = write(tmp_path / "origin", {"minimum.yaml": STRICT})
    first = commit(origin)
    git(origin, "tag", "-m", "v1", "v1")
    git(tmp_path, "clone", "-q", str(origin), "clone")
    clone = tmp_path / "clone"
    for ref in ("origin/main", "v1", "refs/remotes/origin/main", first, "HEAD"):
        assert minimum(settings(tmp_path, f"{clone}@{ref}:")) == "strict"
    git(clone, "fetch", "-q", str(origin), "main")
    for ref in ("main~0", "main^0", "FETCH_HEAD", first[:10], "m*n", "refs/heads", "origin"):
        with pytest.raises(InputError, match="there is no such commit"):
            minimum(settings(tmp_path, f"{clone}@{ref}:"))
    git(clone, "branch", "origin/main")
    with pytest.raises(InputError, match="refs/heads/origin/main and refs/remotes/origin/main"):
        minimum(settings(tmp_path, f"{clone}@origin/main:"))


# ---- places


@pytest.fixture
def mono(tmp_path: Path) -> Path:
    """A repository with a policy, and fleets in a folder beside it."""
    top = tmp_path / "mono"
    write(top / "policy", {"minimum.yaml": STRICT})
    (top / "infra").mkdir()
    (top / "infra" / "Pulumi.yaml").write_text("name: steward\nruntime: python\n")
    commit(top)
    return top


def test_a_folder_of_the_fleets_repository_is_refused_wherever_the_project_lies(
    mono: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(mono, "worktree", "add", "-q", "-b", "mr", str(tmp_path / "tree"))
    elsewhere = tmp_path / "elsewhere"
    fleet = mono / "infra" / "fleets" / "demo.yaml"
    for named in (mono / "policy", tmp_path / "tree" / "policy"):
        for mine, judged in (
            (settings(tmp_path, named, mono / "infra"), ()),
            (settings(tmp_path, named, elsewhere), (fleet,)),
        ):
            with pytest.raises(InputError, match=r"lies among the fleets that it judges .*@main:policy"):
                open_policy(mine, NOW, judged=judged)
    mine = settings(tmp_path, mono / "policy", elsewhere)
    assert open_policy(mine, NOW).holding.name == str(mono / "policy")
    monkeypatch.chdir(mono / "infra")
    with pytest.raises(InputError, match="lies among the fleets"):
        open_policy(mine, NOW)


def test_fleets_that_look_like_another_repository_are_still_of_the_one_around_them(
    mono: Path, tmp_path: Path
) -> None:
    for part in ("HEAD", "objects/x", "refs/x"):
        write(mono / "infra", {part: "x"})
    git(tmp_path, "clone", "-q", str(mono), str(mono / "inner"))
    for project in (mono / "infra", mono / "inner"):
        with pytest.raises(InputError, match="lies among the fleets"):
            open_policy(settings(tmp_path, mono / "policy", project), NOW)
        with pytest.raises(InputError, match="is the commit whose fleets it judges"):
            open_policy(settings(tmp_path, f"{mono}@HEAD:policy", project), NOW)


def test_the_judged_commit_does_not_judge_itself(mono: Path, tmp_path: Path) -> None:
    mine = settings(tmp_path, f"{mono}@HEAD:policy", mono / "infra")
    with pytest.raises(InputError, match="is the commit whose fleets it judges") as error:
        place_of(mine)
    assert error.value.rule == "the judged does not choose the judge"
    assert opened(settings(tmp_path, f"{mono}@HEAD:policy", tmp_path / "elsewhere")).proposed is None


def test_a_weaker_policy_beside_fleets_in_a_subfolder_is_seen(
    mono: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(mono, "worktree", "add", "-q", "-b", "mr", str(tmp_path / "tree"))
    for top in (mono, tmp_path / "tree"):
        (top / "policy" / "minimum.yaml").write_text(LAX)
        for spelt in (
            f"{mono}@main:policy",
            f"{mono}/infra@main:./policy/",
            f"{mono}@refs/heads/main:policy",
        ):
            policy = opened(settings(tmp_path, spelt, top / "infra"))
            assert policy.proposed is not None, (top, spelt)
            assert policy.proposed.pack.profiles.minimum.default == "demo"
        elsewhere = settings(tmp_path, f"{mono}@main:policy", tmp_path / "elsewhere")
        assert opened(elsewhere, [top / "infra" / "demo.yaml"]).proposed is not None
        with monkeypatch.context() as there:
            there.chdir(top / "infra")
            assert opened(elsewhere).proposed is not None
        git(top, "checkout", "-q", ".")
    assert opened(elsewhere).proposed is None


# ---- the baseline


class Policy:
    """A reference in Git with an owner, judged by machines that never saw it before."""

    def __init__(self, folder: Path) -> None:
        self.room, self.repository = folder, folder / "repo"
        self.cto, self.eve = make_key(folder, "cto"), make_key(folder, "eve")
        self.write(allowed_signers=signer(self.cto, "cto@acme.example", POLICY))

    def write(self, *, by: Path | None = None, **files: str) -> str:
        """The commit that brings these files, and an owner's signature over the folder with them."""
        names = {name.replace("baseline", "baseline.json"): text for name, text in files.items()}
        folder = write(self.repository / "policy", names)
        if by:
            sign(by, POLICY, manifest(folder).encode(), folder / "reference.sig")
        return commit(self.repository)

    def settings(self, ref: str = "main") -> Settings:
        return settings(self.room, f"{self.repository}@{ref}:policy")

    def grown(self) -> bool:
        """In a job of a pipeline, whose state is new."""
        shutil.rmtree(self.room / "home", ignore_errors=True)
        policy_reference._place.cache_clear()
        return grown(self.settings())


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    return Policy(tmp_path)


def test_a_machine_that_never_saw_it_finds_that_a_baseline_grew(policy: Policy) -> None:
    policy.write(baseline=baseline_of())
    assert not policy.grown()
    policy.write(baseline=baseline_of("1", "2"))
    assert policy.grown()
    policy.write(baseline=baseline_of("2"))
    assert policy.grown(), "a change after it makes nothing good"
    policy.write(**{"README.md": "x"})
    assert policy.grown()
    policy.write(by=policy.cto)
    assert not policy.grown(), "an owner signed it as it is"
    policy.write(**{"README.md": "y"})
    assert not policy.grown(), "which was signed then"
    policy.write(baseline=baseline_of())
    policy.write(baseline=baseline_of("2"))
    assert policy.grown(), "what was taken out does not come back"


def test_a_baseline_is_begun_with_the_reference_or_signed(policy: Policy) -> None:
    other = Policy(policy.room / "other")
    shutil.rmtree(other.repository)
    other.write(baseline=baseline_of("1", "2"))
    assert not other.grown(), "it came with the reference"
    policy.write(baseline=baseline_of("1"))
    assert policy.grown()
    policy.write(by=policy.cto)
    assert not policy.grown()


def test_whoever_is_let_in_by_the_change_cannot_vouch_for_it(policy: Policy) -> None:
    both = "".join(signer(key, f"{key.name}@acme.example", POLICY) for key in (policy.cto, policy.eve))
    policy.write(by=policy.eve, baseline=baseline_of("1"), allowed_signers=both)
    assert policy.grown()
    policy.write(by=policy.cto)
    assert not policy.grown()
    policy.write(revoked_keys=public(policy.cto) + "\n")
    assert policy.grown(), "all that a revoked key signed is void"


def test_a_merge_is_judged_by_who_could_sign_before_it(policy: Policy) -> None:
    git(policy.repository, "checkout", "-q", "-b", "mr")
    both = "".join(signer(key, f"{key.name}@acme.example", POLICY) for key in (policy.cto, policy.eve))
    policy.write(allowed_signers=both)
    policy.write(by=policy.eve, baseline=baseline_of("1"))
    git(policy.repository, "checkout", "-q", "main")
    git(policy.repository, "merge", "-q", "--no-ff", "-m", "merge", "mr")
    assert policy.grown()


def test_a_reference_that_was_taken_out_and_brought_back_begins_nothing_anew(policy: Policy) -> None:
    git(policy.repository, "rm", "-q", "-r", "policy")
    git(policy.repository, "commit", "-q", "-m", "gone", "--allow-empty")
    policy.write(baseline=baseline_of("1"))
    assert policy.grown()


def test_a_part_of_the_history_proves_nothing(policy: Policy, tmp_path: Path) -> None:
    policy.write(baseline=baseline_of("1"), by=policy.cto)
    policy.write(**{"README.md": "x"})
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{policy.repository}", "shallow")
    for _ in range(2):
        found = opened(settings(tmp_path, f"{tmp_path / 'shallow'}@main:policy"))
        assert isinstance(found.seen.earlier_baseline, Unknown)
        results = judge([], found.holding, found.seen).results
        (told,) = (each for each in results if each.rule == RULE)
        assert (told.state, told.blocks) == (State.UNKNOWN, True)
        assert "fetch the whole" in told.message


def test_a_history_that_was_rewritten_is_held_against_what_was_read_last(policy: Policy) -> None:
    policy.write(baseline=baseline_of("1"), by=policy.cto)
    assert not policy.grown()
    shutil.rmtree(policy.repository)
    files = {"allowed_signers": signer(policy.cto, "cto@acme.example", POLICY)}
    policy.write(**files, baseline=baseline_of("1", "2"))
    policy_reference._place.cache_clear()
    assert grown(policy.settings()), "on the machine that read the other one"
    assert not policy.grown(), "another can only believe it"


@pytest.mark.parametrize("spelt", ["{}/./policy", "{}/x/../policy", "link/policy", "policy"])
def test_another_spelling_of_a_folder_is_the_same_place(
    spelt: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path / "policy", {"baseline.json": baseline_of()})
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "x").mkdir()
    monkeypatch.chdir(tmp_path)
    assert not grown(settings(tmp_path, folder))
    (folder / "baseline.json").write_text(baseline_of("1"))
    assert grown(settings(tmp_path, spelt.format(tmp_path)))


def test_a_signer_of_the_same_change_cannot_vouch_in_a_folder_either(tmp_path: Path) -> None:
    cto, eve = make_key(tmp_path, "cto"), make_key(tmp_path, "eve")
    first = signer(cto, "cto@acme.example", POLICY)
    folder = write(tmp_path / "policy", {"baseline.json": baseline_of(), "allowed_signers": first})
    mine = settings(tmp_path, folder)
    assert not grown(mine)
    (folder / "baseline.json").write_text(baseline_of("1"))
    (folder / "allowed_signers").write_text(first + signer(eve, "eve@acme.example", POLICY))
    sign(eve, POLICY, manifest(folder).encode(), folder / "reference.sig")
    assert grown(mine)
    assert grown(mine), "nor in the run after that"
    sign(cto, POLICY, manifest(folder).encode(), folder / "reference.sig")
    assert not grown(mine)


def test_what_an_earlier_version_remembered_by_its_spelling_still_counts(tmp_path: Path) -> None:
    folder = write(tmp_path / "policy", {"baseline.json": baseline_of("1")})
    mine = settings(tmp_path, f"{tmp_path}/./policy")
    key = hashlib.sha256(mine.policy_reference.encode()).hexdigest()[:12]
    write(tmp_path / "home" / "policy", {f"baseline-{key}.json": baseline_of()})
    assert grown(mine)
    (folder / "baseline.json").write_text(baseline_of())
    assert not grown(mine)


def test_a_folder_that_was_never_read_says_that_nothing_is_proven(tmp_path: Path) -> None:
    mine = settings(tmp_path, write(tmp_path / "policy", {"baseline.json": baseline_of("1")}))
    (told,) = _unproven(opened(mine))
    assert told.what == "whether the baseline grew"
    assert not _unproven(opened(mine)), "the second run compares with the first"
    assert not _unproven(opened(settings(tmp_path, write(tmp_path / "none")))), "there is nothing to prove"
