"""The auditor's bundle: its own script verifies it in dash with little on PATH, and names every change."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from orchestrator.errors import InputError
from orchestrator.evidence.bundle import export
from orchestrator.evidence.chain import ChainFile
from orchestrator.evidence.period import read_period
from orchestrator.evidence.record import Line
from orchestrator.evidence.sshsig import make_key
from tests.unit.orchestrator.evidence.chains import Bench, MemoryAnchor, bench_at
from tests.unit.orchestrator.evidence.quarters import Q4, run, unpacked

SCRIPT = files("orchestrator.evidence") / "auditor" / "verify.sh"
SHELLS = [("/bin/dash",), ("/bin/bash", "--posix")]
TOOLS = (
    "awk", "basename", "cat", "cmp", "cut", "dirname", "find", "fold", "grep", "head", "mkdir", "mktemp",
    "rm", "sed", "sha256sum", "sort", "split", "ssh-keygen", "tail", "tr", "wc", "xargs",
)  # fmt: skip


def verified(
    folder: Path, *words: str, shell: tuple[str, ...] = SHELLS[0], script: Path | None = None
) -> tuple[int, str]:
    """What verify.sh says, in dash or another, with a PATH of nothing but what it may need."""
    tools = folder.parent.parent / "tools"
    tools.mkdir(exist_ok=True)
    for name in TOOLS:
        found = shutil.which(name)
        assert found, name
        if not (tools / name).exists():
            (tools / name).symlink_to(found)
    done = subprocess.run(
        [*shell, str(script or folder / "verify.sh"), *words], env={"PATH": str(tools)}, cwd="/",
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_the_script_finds_all_good_with_nothing_of_ours(folder: Path) -> None:
    for words in ((), ("--all",), ("--all", str(folder / "allowed_signers"))):
        code, said = verified(folder, *words)
        assert code == 0, said
        good, _, reviews = said.splitlines()[0].partition(", but ")
        assert good == "GOOD: 9 records, 7 documents and 1 tombstones of the period"
        assert reviews == "1 reviews HELD AGAINST NOTHING"
        assert "internally consistent only, as far as a bundle can show" in said
        assert "erased: 1 of 1 documents of the whole chain, by alice@ci" in said
    assert "python" not in (folder / "verify.sh").read_text()


def test_the_same_chain_gives_the_same_bytes(bench: Bench) -> None:
    one, two = export(bench.folder, Q4), export(bench.folder, Q4)
    assert one.content == two.content
    assert one.sha256 == hashlib.sha256(one.content).hexdigest()
    assert (one.documents, one.erased, one.records) == (7, 1, 9)
    assert one.name == "evidence-acme-demo-2026-Q4.tar"


def test_a_run_that_ends_meanwhile_is_in_the_next_bundle(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, lines = export(bench.folder, Q4), ChainFile.lines

    def then_a_run(chain: ChainFile) -> Iterator[Line]:
        yield from lines(chain)
        run(bench, "z")

    with monkeypatch.context() as patched:
        patched.setattr(ChainFile, "lines", then_a_run)
        assert export(bench.folder, Q4) == before
    assert export(bench.folder, Q4).records == before.records + 1


def test_an_anchor_is_told_and_held_against_the_chain(bench: Bench, tmp_path: Path) -> None:
    anchor = MemoryAnchor()
    with bench.writer() as writer:
        writer.anchor([anchor])
    folder = unpacked(export(bench.folder, Q4, [anchor]), tmp_path / "out")
    said = verified(folder)[1]
    assert "the exporter says that memory keeps record 8: ask it yourself" in said
    assert "internally consistent only" in said, "what the exporter says is no proof"
    resum(folder, "anchors.txt", lambda text: text.replace(b" ", b" 0", 1)[:-1] + b"\n")
    assert "BAD" in verified(folder)[1]


def resum(folder: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """Change a file as somebody would who makes the sums fit again."""
    path = folder / name
    old = path.read_bytes()
    new = change(old)
    assert new != old
    path.write_bytes(new)
    sums = folder / "SHA256SUMS"
    was, now = (f"{hashlib.sha256(content).hexdigest()}  {name}\n" for content in (old, new))
    text = sums.read_text().replace(was, now)
    sums.write_text(text)


def drop(number: int) -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        lines = content.splitlines(keepends=True)
        return b"".join([*lines[:number], *lines[number + 1 :]])

    return change


def swap(content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    return b"".join([*lines[:3], lines[4], lines[3], *lines[5:]])


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("chain.jsonl", lambda text: text.replace(b"alice@ci", b"mallo@ci", 1), "BAD: record 0: its content"),
        ("chain.jsonl", drop(3), "BAD: record 3: another number"),
        ("chain.jsonl", drop(0), "BAD: record 0: another number"),
        ("chain.jsonl", swap, "BAD: record 3: another number"),
        ("chain.jsonl", lambda text: text + b"{}\n", "BAD: chain.jsonl has lines"),
        ("chain.jsonl", drop(-1), "BAD: "),
        ("payloads.txt", drop(0), "BAD: record 2: a document is not in this bundle"),
        ("payloads.txt", lambda text: text.replace(b" here ", b" erased ", 1), "no tombstone says why"),
        ("payloads/2/report.json", lambda text: text + b" ", "is not the document of the record"),
        ("tables/evaluations.csv", lambda text: text + b"x", "SHA256SUMS is not signed"),
        ("reviews/8.json", lambda text: text.replace(b"accepted", b"rejected"), "the review is not signed"),
    ],
)
def test_what_was_changed_is_named(
    folder: Path, name: str, change: Callable[[bytes], bytes], said: str
) -> None:
    resum(folder, name, change)
    code, output = verified(folder, "--all")
    assert code == 1
    assert said in output, output


def test_a_file_that_was_changed_added_or_removed_is_named(folder: Path) -> None:
    (folder / "more").write_text("x")
    assert "SHA256SUMS does not list" in verified(folder)[1]
    (folder / "more").unlink()
    (folder / "README.md").write_text("x")
    assert "README.md" in verified(folder)[1]
    (folder / "README.md").unlink()
    assert verified(folder)[0] == 1


def test_an_edit_whose_hashes_all_fit_again_fails_by_its_signature(bench: Bench, tmp_path: Path) -> None:
    from tests.unit.orchestrator.evidence.test_verify import edited_to_the_end

    folder = unpacked(export(bench.folder, Q4), tmp_path / "out")
    resum(folder, "chain.jsonl", lambda text: b"".join(edited_to_the_end(text.splitlines(keepends=True))))
    code, said = verified(folder, "--all")
    assert (code, "not signed by the key in force" in said) == (1, True), said
    assert verified(folder)[0] == 1


def test_a_first_key_that_is_not_the_trusted_one_fails(folder: Path, tmp_path: Path) -> None:
    trusted = tmp_path / "trusted"
    trusted.write_text(f"steward-evidence {make_key(tmp_path / 'another')}\n")
    code, said = verified(folder, str(trusted))
    assert (code, "its key is not in TRUSTED_SIGNERS" in said) == (1, True)


def test_a_revoked_key_fails_in_the_script_too(bench: Bench, tmp_path: Path) -> None:
    with bench.writer() as writer:
        writer.revoke(str(bench.records()[0].body["fingerprint"]), 2, "stolen")
    folder = unpacked(export(bench.folder, Q4), tmp_path / "out")
    code, said = verified(folder)
    assert (code, "which was revoked from record 2 on" in said) == (1, True), said


def test_another_period_has_the_chain_but_not_the_documents(bench: Bench, tmp_path: Path) -> None:
    made = export(bench.folder, read_period("2026-Q3"))
    assert (made.documents, made.erased) == (0, 0)
    assert verified(unpacked(made, tmp_path / "out"))[0] == 0


def test_a_chain_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no record to export"):
        export(bench_at(tmp_path).folder, Q4)
    assert list(tmp_path.iterdir()) == []
