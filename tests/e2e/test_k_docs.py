"""Every command of the tutorial and the how-to pages, run as it stands, in a folder that is new."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.e2e.world import ROOT, STEWARD, Outcome, World

pytestmark = [pytest.mark.real, pytest.mark.e2e]

TUTORIAL = ROOT / "docs" / "tutorial.md"
GUIDES = sorted((ROOT / "docs" / "how-to").glob("*.md"))
CLEAN_UP = "## Clean up"


def blocks(text: str) -> str:
    """What stands in the shell blocks of a page, as one script."""
    return "\n".join(re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE))


def first_example(page: Path) -> str:
    """The first fleet that a page shows."""
    found = re.search(r"^```yaml\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
    assert found, page
    return found.group(1)


def run(world: World, folder: Path, script: str) -> Outcome:
    """A person's own shell with `steward` on its path; stops at the first command that fails."""
    path = f"{STEWARD.parent}:{world.environment['PATH']}"
    done = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", script],
        env={**world.environment, "PATH": path}, cwd=folder, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    return Outcome(done.returncode, done.stdout, done.stderr)


@pytest.mark.timeout(1_800)
def test_every_command_of_the_pages_works(tmp_path: Path) -> None:
    world, folder = World(tmp_path / "world"), tmp_path / "globex-fleets"
    pages, _, last = TUTORIAL.read_text().partition(CLEAN_UP)
    assert last, "the tutorial ends with cleaning up"
    try:
        done = run(world, tmp_path, blocks(pages))
        assert done.code == 0, done.all
        assert "Did you mean 'app'?" in done.err
        assert done.out.count("refused with exit code 2") == 1
        assert done.out.count("refused by a rule, with exit code 1") == 1
        assert done.out.count("refused with exit code 1") == 1
        for guide in GUIDES:
            done = run(world, folder, blocks(guide.read_text()))
            assert done.code == 0, f"{guide.name}: {done.all}"
        (folder / "fleets" / "readme.yaml").write_text(first_example(ROOT / "README.md"))
        # by itself: the rules of the tutorial want what only its fleets have
        done = run(world, folder, "rm -r rules; steward plan --fleet fleets/readme.yaml")
        assert done.code == 0, f"README.md: {done.all}"
    finally:
        done = run(world, folder, blocks(last))
    assert done.code == 0, done.all
