"""A policy reference in Git, against those whom it judges: how it is named and where it lies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from orchestrator import policy_reference
from orchestrator.errors import InputError
from orchestrator.policy_reference import open_policy, place_of
from orchestrator.settings import Settings
from tests.policies.references import write
from tests.unit.orchestrator.test_policy_reference import NOW, commit, git, settings

LAX = "default: demo\nclients: {}\n"
STRICT = "default: strict\nclients: {}\n"


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
