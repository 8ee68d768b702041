"""What verify.sh says of bundles whose maker holds the chain's key and means harm to the auditor."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.errors import InputError
from orchestrator.evidence.bundle import _sums, export
from orchestrator.evidence.keys import SigningKeys, last_key
from orchestrator.evidence.record import Kind
from orchestrator.evidence.review import Review, accepted_review, statement_of
from orchestrator.evidence.sshsig import EXPORT, REVIEW, armoured, make_key, sign
from tests.programs.test_bundles import SCRIPT, SHELLS, verified
from tests.unit.orchestrator.evidence.chains import Bench, copied
from tests.unit.orchestrator.evidence.quarters import Q4, quarter, unpacked

SUMS = ("SHA256SUMS", "SHA256SUMS.sig")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bench, Path]:
    """A quarter and its bundle: made once, for they are signed by ssh-keygen."""
    room = tmp_path_factory.mktemp("quarter")
    bench = quarter(room)
    return bench, unpacked(export(bench.folder, Q4), room / "out")


@pytest.fixture
def bench(made: tuple[Bench, Path], tmp_path: Path) -> Bench:
    return copied(made[0], tmp_path / "home")


@pytest.fixture
def folder(made: tuple[Bench, Path], tmp_path: Path) -> Path:
    return shutil.copytree(made[1], tmp_path / "out" / made[1].name)


@pytest.fixture
def trusted_script(tmp_path: Path) -> Path:
    """As an auditor gets it, in another way than the bundle."""
    path = tmp_path / "got-elsewhere.sh"
    path.write_bytes(SCRIPT.read_bytes())
    return path


def summed(folder: Path) -> bytes:
    there = (path for path in folder.rglob("*") if path.is_file() and path.name not in SUMS)
    sums = _sums({str(path.relative_to(folder)): path.read_bytes() for path in there})
    (folder / "SHA256SUMS").write_bytes(sums)
    return sums


def signed_anew(bench: Bench, folder: Path) -> None:
    """The sums and their signature, as the holder of the last key makes them."""
    sums = summed(folder)
    key = SigningKeys(bench.folder.signing_keys).pair(last_key(bench.records()))
    (folder / "SHA256SUMS.sig").write_text(armoured(sign(key.path, EXPORT, sums)))


def evil(pwned: Path) -> str:
    """What bash takes for a command where it calculates."""
    return f"count[$(>{pwned})]"


@pytest.mark.parametrize("shell", SHELLS, ids=["dash", "bash"])
@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("anchors.txt", "{evil} abc vault\n"),
        ("anchors.txt", "010 abc vault\n"),
        ("anchors.txt", "99999999999999999999 abc vault\n"),
        ("anchors.txt", "{evil} abc vault"),
        ("reviews/index.txt", "{evil} ann@acme.example\n"),
        ("reviews/index.txt", "../../x ann@acme.example\n"),
        ("reviews/index.txt", "8 -oProxyCommand=x\n"),
        ("period.txt", "{evil} {evil}\n"),
        ("period.txt", ""),
        ("sample.txt", "{evil} {evil}\n"),
        ("sample.txt", "seed {evil}\n"),
        ("sample.txt", ""),
    ],
)
def test_nothing_of_a_bundle_is_calculated_with_or_run(
    bench: Bench, folder: Path, tmp_path: Path, shell: tuple[str, ...], name: str, form: str
) -> None:
    pwned = tmp_path / "pwned"
    (folder / name).write_text(form.format(evil=evil(pwned)))
    signed_anew(bench, folder)
    code, said = verified(folder, "--all", shell=shell)
    assert (code, said[:5]) == (1, "BAD: "), said
    assert not pwned.exists()
    assert "ntax error" not in said
    assert len(said.splitlines()) == 1, said


@pytest.mark.parametrize("shell", SHELLS, ids=["dash", "bash"])
@pytest.mark.parametrize("body", [{"since": "x[$(>PWNED)]"}, {"since": -1}, {"sinc": 1}], ids=str)
def test_nothing_of_a_record_is_calculated_with(
    bench: Bench, tmp_path: Path, shell: tuple[str, ...], body: dict[str, object]
) -> None:
    pwned = tmp_path / "pwned"
    hostile = json.loads(json.dumps(body).replace("PWNED", str(pwned)))
    with bench.writer() as writer:
        writer.append(Kind.KEY_REVOKED, {"fingerprint": bench.records()[0].body["fingerprint"], **hostile})
    code, said = verified(unpacked(export(bench.folder, Q4), tmp_path / "out"), shell=shell)
    assert (code, "since something that is no record" in said) == (1, True), said
    assert not pwned.exists()


@pytest.mark.parametrize("key", ["x[$(>PWNED)] y", "ssh-ed25519 ", "ssh-ed25519 AAAA", ""])
def test_a_record_that_brings_no_key_is_named(bench: Bench, folder: Path, tmp_path: Path, key: str) -> None:
    pwned = tmp_path / "pwned"
    with bench.writer() as writer:
        writer.append(Kind.KEY_ROTATED, {"public_key": key.replace("PWNED", str(pwned)), "fingerprint": "x"})
    (folder / "chain.jsonl").write_bytes(b"".join(bench.lines()))
    summed(folder)
    for shell in SHELLS:
        code, said = verified(folder, shell=shell)
        assert (code, "is no Ed25519 key" in said) == (1, True), said
    assert not pwned.exists()


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../../secret", "reviews/../../secret", "-rf", "no.salt", "a b"]
)
def test_no_path_leads_out_of_the_bundle(bench: Bench, folder: Path, path: str) -> None:
    (folder.parent / "secret").write_text("x")
    index = folder / "payloads.txt"
    index.write_text(re.sub(r" here (\S+) \S+ ", rf" here \1 {path} ", index.read_text(), count=1))
    signed_anew(bench, folder)
    code, said = verified(folder)
    assert (code, "payloads.txt names a file that is not listed" in said) == (1, True), said


def test_links_and_odd_names_are_refused_before_they_are_read(bench: Bench, folder: Path) -> None:
    (folder / "link").symlink_to("/dev/zero")
    assert "neither a file nor a folder" in verified(folder)[1]
    (folder / "link").unlink()
    sums = folder / "SHA256SUMS"
    for name in ("/dev/zero", "../x", "a\\nb", "x\ty"):
        good = sums.read_text()
        sums.write_text(f"{good}{'0' * 64}  {name}\n")
        assert "not a digest and a plain name" in verified(folder)[1]
        sums.write_text(good)


def test_what_is_printed_has_no_control_characters(bench: Bench, folder: Path, tmp_path: Path) -> None:
    head = bench.records()[8]
    (folder / "anchors.txt").write_text(f"8 {head.sha256} vault\x1b[2J\\033[2J \u202egood\n")
    signed_anew(bench, folder)
    for shell in SHELLS:
        code, said = verified(folder, shell=shell)
        assert code == 0, said
        assert said.isascii()
        assert "\x1b" not in said


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("tables/evaluations.json", lambda _: "[]\n", "evaluations.json has other runs"),
        (
            "tables/evaluations.csv",
            lambda text: text.splitlines()[0] + "\n",
            "evaluations.csv has other runs",
        ),
        (
            "tables/evaluations.json",
            lambda text: text.replace('"verb": "up"', '"verb": "plan"', 1),
            "json has",
        ),
        ("tables/evaluations.csv", lambda text: text.replace(",up,", ",plan,", 1), "csv has other runs"),
        ("tables/sample.json", lambda _: "[]\n", "not the sample that its seed draws"),
        ("sample.txt", lambda text: "other" + text[64:], "not the sample that its seed draws"),
    ],
)
def test_runs_and_sample_of_the_tables_are_held_against_the_records(
    bench: Bench, folder: Path, name: str, change: Callable[[str], str], told: str
) -> None:
    old = (folder / name).read_text()
    (folder / name).write_text(change(old))
    assert (folder / name).read_text() != old
    signed_anew(bench, folder)
    code, said = verified(folder)
    assert (code, told in said) == (1, True), said


def test_the_script_says_what_tables_and_sample_are_worth(
    bench: Bench, folder: Path, trusted_script: Path
) -> None:
    _, said = verified(folder)
    assert "tables: made by the control machine, and only as good as its last signature" in said
    assert "runs of the period: 3 up" in said
    assert f"sample: seed {bench.records()[-1].sha256} chosen by the exporter" in said
    assert "this copy of verify.sh came with the bundle" in said
    code, said = verified(folder, "--in", str(folder), "--seed", "my own words", script=trusted_script)
    assert code == 0, said
    assert "came with the bundle" not in said
    assert len(re.findall(r"^sample by your seed: record \d+, run \w{26}", said, re.MULTILINE)) == 4
    assert "chosen by the exporter" not in said


def test_a_seed_that_a_shell_would_run_is_refused(bench: Bench) -> None:
    for seed in ("$(id)", "a b", "`x`", "x\n"):
        with pytest.raises(InputError, match="no plain word"):
            export(bench.folder, Q4, seed=seed)


def forged(bench: Bench, room: Path, name: str) -> str:
    """A review by somebody invented, whose key was made on the spot; returns the key."""
    key = make_key(room / name)
    with bench.writer() as writer:
        runs = writer.standing().runs
        statement = statement_of(runs["c" * 26], name, "accepted", "all fine")
        review = Review(statement, sign(room / name, REVIEW, statement))
        writer.append(Kind.REVIEW, accepted_review(review, runs, f"{name} {key}\n"))
    return key


def test_reviewers_are_held_against_those_that_the_auditor_knows(
    bench: Bench, tmp_path: Path, trusted_script: Path
) -> None:
    ann = next(line for line in bench.records() if line.kind == Kind.REVIEW)
    folder = unpacked(export(bench.folder, Q4), tmp_path / "out")
    signers = tmp_path / "signers"
    signers.write_text((folder / "reviews" / "allowed_signers").read_text())
    code, said = verified(folder, str(signers))
    assert code == 0, said
    assert said.startswith("GOOD: 9 records, 7 documents and 1 tombstones of the period, 1 reviews\n")
    assert f"by ann@acme.example with key {ann.body['key']}, among your trusted reviewers" in said
    forged(bench, tmp_path, "auditor@bigfour.example")
    folder = unpacked(export(bench.folder, Q4), tmp_path / "two")
    for words in ((), (str(folder / "allowed_signers"),)):
        code, said = verified(folder, *words)
        assert code == 0
        assert "but 2 reviews HELD AGAINST NOTHING" in said.splitlines()[0]
        assert "can invent reviewers" in said
    code, said = verified(folder, str(signers))
    assert (code, "auditor@bigfour.example with SHA256:" in said) == (1, True), said
    assert "is not among your trusted reviewers" in said


def test_a_review_that_is_left_out_or_added_is_missed(bench: Bench, folder: Path) -> None:
    (folder / "reviews" / "index.txt").write_text("")
    signed_anew(bench, folder)
    assert "names other reviews than the chain has" in verified(folder)[1]


def test_an_erasure_under_a_hold_is_named_by_the_script_too(bench: Bench, tmp_path: Path) -> None:
    with bench.writer() as writer:
        writer.append(Kind.HOLD, {"run": "c" * 26, "reason": 'case "run":"x"'})
        standing = writer.standing()
        ((_, other), *_), ((_, kept), *_) = (standing.of_run(name * 26) for name in "ac")
        writer.erase([other], "request", "not held")
    assert verified(unpacked(export(bench.folder, Q4), tmp_path / "one"))[0] == 0
    with bench.writer() as writer:
        writer.erase([kept], "request", "by hand")
    code, said = verified(unpacked(export(bench.folder, Q4), tmp_path / "two"))
    held = [line.number for line in bench.records() if line.kind == Kind.HOLD]
    assert code == 1
    assert f"it erases a document that the hold of record {held[0]} kept" in said
