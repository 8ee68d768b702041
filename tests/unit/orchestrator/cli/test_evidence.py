"""The verbs of `steward evidence`, on real chains: exit codes, documents, and what a person reads."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator.cli.main import run as steward
from orchestrator.clock import SystemClock
from orchestrator.evidence.ledger import SqliteLedger
from orchestrator.evidence.sshsig import REVIEW, make_key
from tests.fakes import FixedClock
from tests.policies.references import write
from tests.tsa import authority, make_authority
from tests.unit.orchestrator.evidence.chains import REPORT, Bench, bench_at

RUN = f"{0:026d}"


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("STEWARD_HOME", str(tmp_path / "home"))
    for name in ("STEWARD_ANCHOR", "STEWARD_TSA", "STEWARD_TSA_CA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("orchestrator.process.stop_on_signals", lambda: None)
    monkeypatch.setattr("orchestrator.cli.output._Stdout.used", False)
    monkeypatch.chdir(tmp_path)
    made = bench_at(tmp_path / "home")
    made.clock = FixedClock(SystemClock().now() - timedelta(hours=1))  # the verbs go by the machine's clock
    made.runs(3, attachments=(REPORT,))
    return made


def said(capsys: pytest.CaptureFixture[str], code: int, *words: str) -> str:
    got = steward(["evidence", *words])
    out, err = capsys.readouterr()
    assert got == code, out + err
    return out + err


def document(capsys: pytest.CaptureFixture[str], code: int, *words: str) -> dict[str, Any]:
    got = steward(["evidence", *words, "--json"])
    out, err = capsys.readouterr()
    assert got == code, out + err
    found: dict[str, Any] = json.loads(out)
    assert found["schema"].startswith(("steward.evidence-", "steward.error/"))
    return found


def test_verify_says_what_holds_and_why_no_more(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, 0, "verify")
    assert "ok  acme-demo (5 records): internally consistent only: 5 unanchored records" in text
    assert "which nothing outside of this chain vouches for" in text
    found = document(capsys, 0, "verify", "--stack", "acme-demo")
    assert (found["ok"], found["chains"][0]["anchored"], found["chains"][0]["records"]) == (True, None, 5)


def test_verify_names_the_first_bad_record_and_ends_with_1(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.put([*bench.lines()[:2], *bench.lines()[3:]])
    assert "BAD acme-demo (2 records): first bad record 2: deleted" in said(capsys, 1, "verify")
    (problem,) = document(capsys, 1, "verify")["chains"][0]["problems"]
    assert (problem["number"], problem["fault"]) == (2, "deleted")


def test_verify_holds_the_first_key_against_a_file(
    bench: Bench, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    ours, other = tmp_path / "ours", tmp_path / "other"
    ours.write_text(f"steward-evidence {bench.records()[0].body['public_key']}\n")
    other.write_text(f"steward-evidence {make_key(tmp_path / 'k')}\n")
    assert "vouches" not in said(capsys, 0, "verify", "--allowed-signers", str(ours))
    assert "untrusted_key" in said(capsys, 1, "verify", "--allowed-signers", str(other))
    other.write_text("nothing")
    assert "has no Ed25519 key" in said(capsys, 2, "verify", "--allowed-signers", str(other))


def test_list_is_newest_first(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    rows = said(capsys, 0, "list", "--limit", "2").splitlines()
    assert [row.split()[0] for row in rows] == ["record", "4", "3"]
    found = document(capsys, 0, "list")
    assert [row["number"] for row in found["records"]] == [4, 3, 2, 1, 0]


def test_export_writes_a_bundle_that_verifies(
    bench: Bench, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    year = str(bench.records()[-1].ended_at().year)
    text = said(capsys, 0, "export", "--period", year, "--out", str(tmp_path / "out"))
    path = tmp_path / "out" / f"evidence-acme-demo-{year}.tar"
    assert "seed of the sample" in text
    assert path.stat().st_mode & 0o777 == 0o600
    found = document(capsys, 0, "export", "--period", year, "--out", str(tmp_path / "two"))
    assert (tmp_path / "two" / path.name).read_bytes() == path.read_bytes()
    assert (found["documents"], len(found["sha256"])) == (3, 64)
    (tmp_path / "in").mkdir()
    subprocess.run(["tar", "--extract", "--file", path, "--directory", tmp_path / "in"], check=True)
    script = next((tmp_path / "in").glob("*/verify.sh"))
    done = subprocess.run(["sh", script, "--all"], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("GOOD: 5 records, 3 documents"), done.stdout + done.stderr
    assert "is no period" in said(capsys, 2, "export", "--period", "Q4")


def test_a_hold_keeps_what_erase_would_take(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert document(capsys, 0, "hold", "--reason", "case 12")["record"] == 5
    assert "legal hold keeps" in said(capsys, 2, "erase", RUN, "--reason", "asked")
    assert document(capsys, 0, "erase", "--expired", "--reason", "old")["erased"] == []
    assert "no hold that is in force" in said(capsys, 2, "hold", "--release", "4", "--reason", "closed")
    assert "in force now: 0" in said(capsys, 0, "hold", "--release", "5", "--reason", "closed")
    (row,) = document(capsys, 0, "erase", RUN, "--reason", "asked")["erased"]
    assert (row["name"], row["cause"]) == ("report.json", "request")
    assert "say which" in said(capsys, 2, "erase", "--reason", "asked")
    assert bench.verify().ok


def test_rotate_brings_a_new_key_and_revokes_the_old(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    found = document(capsys, 0, "rotate", "--reason", "yearly")
    assert found["old"] != found["new"]
    assert bench.verify().ok
    said(capsys, 0, "rotate", "--reason", "stolen", "--revoke-since", "6")
    assert bench.kinds()[-2:] == ["key_rotated", "key_revoked"]
    assert "revoked_key" in said(capsys, 1, "verify")
    for key in bench.folder.signing_keys.glob("SHA256-*[!b]"):
        key.unlink()
    assert "signing key in force is not here" in said(capsys, 3, "rotate", "--reason", "gone")
    said(capsys, 0, "rotate", "--lost", "--reason", "gone")
    assert "untrusted_key" in said(capsys, 1, "verify")


def test_a_review_is_signed_with_a_key_or_elsewhere(
    bench: Bench, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    public = make_key(tmp_path / "ann")
    signers = tmp_path / "signers"
    signers.write_text(f"ann@acme.example {public}\n")
    words = ("review", RUN, "--as", "ann@acme.example", "--note", "seen")
    assert "--allowed-signers" in said(capsys, 2, *words, "--key", str(tmp_path / "ann"))
    trusted = ("--allowed-signers", str(signers))
    found = document(capsys, 0, *words, *trusted, "--key", str(tmp_path / "ann"))
    assert (found["decision"], found["reviewer"]) == ("accepted", "ann@acme.example")
    before = len(bench.lines())
    (tmp_path / "statement").write_text(said(capsys, 0, *words))
    assert len(bench.lines()) == before, "nothing is written while there is no signature"
    argv = ["ssh-keygen", "-q", "-Y", "sign", "-n", REVIEW, "-f", tmp_path / "ann", tmp_path / "statement"]
    subprocess.run(argv, check=True)
    said(capsys, 0, *words, *trusted, "--signature", str(tmp_path / "statement.sig"))
    assert bench.kinds()[-2:] == ["review", "review"]
    assert "no key that allowed_signers" in said(
        capsys, 2, *words[:3], "bob", *trusted, "--key", str(tmp_path / "ann")
    )
    assert bench.verify().ok


def test_whose_reviews_count_is_said_by_the_policy_reference(
    bench: Bench, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public, other = make_key(tmp_path / "ann"), make_key(tmp_path / "bob")
    until = 'valid-before="20991231Z"'
    lines = f'ann@acme.example namespaces="{REVIEW}",{until} {public}\n'
    lines += f'bob@acme.example namespaces="steward-waiver@v1",{until} {other}\n'
    folder = write(tmp_path / "policy", {"allowed_signers": lines})
    (tmp_path / "fleets").mkdir()
    monkeypatch.setenv("STEWARD_PROJECT", str(tmp_path / "fleets"))
    monkeypatch.setenv("STEWARD_POLICY_REFERENCE", str(folder))
    document(capsys, 0, "review", RUN, "--as", "ann@acme.example", "--key", str(tmp_path / "ann"))
    assert bench.kinds()[-1] == "review"
    words = ("review", RUN, "--as", "bob@acme.example", "--key", str(tmp_path / "bob"))
    assert "no key that allowed_signers" in said(capsys, 2, *words)
    (folder / "revoked_keys").write_text(f"{public}\n")
    words = ("review", RUN, "--as", "ann@acme.example", "--key", str(tmp_path / "ann"))
    assert "lets nobody sign reviews" in said(capsys, 2, *words)


def test_each_change_by_a_person_is_anchored_too(
    bench: Bench, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "anchors").mkdir()
    monkeypatch.setenv("STEWARD_ANCHOR", str(tmp_path / "anchors"))
    said(capsys, 0, "hold", "--reason", "case 12")
    assert bench.kinds()[-2:] == ["hold", "anchor"]
    assert "whole up to record 5, by folder anchors" in said(capsys, 0, "verify")


def test_an_authority_that_is_named_stamps_and_its_certificate_alone_is_enough_to_verify(
    bench: Bench, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEWARD_TSA_CA", str(make_authority(tmp_path / "tsa")))
    with authority(tmp_path / "tsa") as url:
        monkeypatch.setenv("STEWARD_TSA", url)
        said(capsys, 0, "hold", "--reason", "case 12")
    monkeypatch.delenv("STEWARD_TSA")
    assert "whole up to record 5, by time stamps" in said(capsys, 0, "verify")


def test_several_chains_ask_for_a_name_and_none_says_so(
    bench: Bench, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Bench(type(bench.folder)(bench.folder.home, "acme-vault", "b2" * 16), bench.clock)
    other.runs(1)
    assert "there are several chains" in said(capsys, 2, "list")
    assert len(document(capsys, 0, "verify")["chains"]) == 2
    assert "no chain of 'nobody'" in said(capsys, 2, "verify", "--stack", "nobody")
    monkeypatch.setenv("STEWARD_HOME", str(tmp_path / "empty"))
    assert "there is no chain yet" in said(capsys, 2, "verify")


def test_verify_names_a_chain_that_is_gone_by_the_ledger_and_by_its_keys(
    bench: Bench, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    at = SystemClock().moment()
    ledger = SqliteLedger(tmp_path / "home" / "steward.db")
    stack = ledger.create_stack("acme-gone", "acme", at.utc)
    ledger.begin_run("r" * 26, "up", "acme-gone", at)
    said(capsys, 0, "verify")
    ledger.end_run("r" * 26, 1, at)
    text = said(capsys, 1, "verify")
    assert "ok  acme-demo" in text
    assert "BAD acme-gone (0 records): first bad record 0: no_chain" in text
    assert "r" * 26 in text
    assert "BAD acme-gone" in said(capsys, 1, "verify", "--stack", "acme-gone")
    said(capsys, 0, "verify", "--stack", "acme-demo")
    ledger.end_stack(stack, at.utc)
    assert "BAD acme-gone" in said(capsys, 1, "verify"), "evidence outlives its stack"
    shutil.rmtree(bench.folder.path)
    (tmp_path / "home" / "steward.db").unlink()
    assert f"evidence/unknown-{bench.folder.id}" in said(capsys, 1, "verify"), "by its keys alone"


def test_verify_tells_who_reviewed_and_by_whose_word(
    bench: Bench, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    public, signers = make_key(tmp_path / "ann"), tmp_path / "signers"
    signers.write_text(f'ann@acme.example namespaces="{REVIEW}" {public}\n')
    trusted = ("--allowed-signers", str(signers))
    said(capsys, 0, "review", RUN, "--as", "ann@acme.example", *trusted, "--key", str(tmp_path / "ann"))
    assert "1 review by ann@acme.example, key SHA256:" in said(capsys, 0, "verify")
    assert document(capsys, 0, "verify")["chains"][0]["reviewers"][0]["trusted"] is None
    text = said(capsys, 0, "verify", *trusted)
    assert ": among the trusted reviewers" in text
    assert "vouches for" in text, "a reviewer's key vouches for no chain"
    signers.write_text(f'ann@acme.example namespaces="{REVIEW}" {make_key(tmp_path / "other")}\n')
    assert "untrusted_reviewer" in said(capsys, 1, "verify", *trusted)
