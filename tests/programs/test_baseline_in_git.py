"""What the history of a policy reference lets its baseline excuse, where state is kept and where not."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from orchestrator import policy_reference
from orchestrator.errors import InputError
from orchestrator.judging.unasked import unproven
from orchestrator.settings import Settings
from policies.facts import Unknown
from policies.governed import judge
from policies.model import State
from policies.reference.manifest import manifest
from policies.signers import POLICY
from tests.policies.references import make_key, public, sign, signer, write
from tests.programs.test_policy_in_git import opened
from tests.unit.orchestrator.test_policy_reference import baseline_of, commit, git, grown, settings

RULE = "governance.baseline-only-shrinks"


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


def test_bytes_that_are_no_text_do_not_answer_for_the_commits_after_them(policy: Policy) -> None:
    policy.write(baseline=baseline_of())
    fake = baseline_of("1", "2")
    answer = f"\n{'0' * 40} blob {len(fake)}\n{fake}"
    # Each byte that is no text is read as a character of three bytes: so much of the end is left over.
    left_over = f"{answer}\n{answer.removeprefix(chr(10))}".encode()
    left_over += b"\n" * (len(left_over) % 2)
    path = policy.repository / "policy" / "baseline.json"
    path.write_bytes(b"\xff" * (len(left_over) // 2) + left_over)
    commit(policy.repository)
    policy.write(baseline=baseline_of(), by=policy.cto)
    policy.write(baseline=fake)
    with pytest.raises(InputError, match=r"baseline.json in [0-9a-f]{12}: is no text in UTF-8"):
        policy.grown()


def test_a_folder_in_the_place_of_a_file_is_none_of_its_versions(policy: Policy) -> None:
    policy.write(baseline=baseline_of())
    path = policy.repository / "policy" / "baseline.json"
    path.unlink()
    path.mkdir()
    (path / "x").write_text("x")
    commit(policy.repository)
    shutil.rmtree(path)
    policy.write(baseline=baseline_of("1"))
    with pytest.raises(InputError, match=r"baseline.json in [0-9a-f]{12}: expected a file"):
        policy.grown()


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
    (told,) = unproven(opened(mine))
    assert told.what == "whether the baseline grew"
    assert not unproven(opened(mine)), "the second run compares with the first"
    assert not unproven(opened(settings(tmp_path, write(tmp_path / "none")))), "there is nothing to prove"
