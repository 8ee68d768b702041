"""Signing keys come, change and go by records; what a key may not sign is bad."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from orchestrator.errors import InputError, ToolError
from orchestrator.evidence.chain import ChainFile
from orchestrator.evidence.keys import KeyPair, SigningKeys
from orchestrator.evidence.record import canonical, make_line, signed_bytes
from orchestrator.evidence.sshsig import (
    EVIDENCE,
    BadSignatureError,
    armoured,
    check,
    fingerprint,
    make_key,
    public_key_of,
    read_signature,
    sign,
    verify_by_ssh,
)
from orchestrator.evidence.verdict import Fault
from tests.unit.orchestrator.evidence.chains import Bench, bench_at
from tests.unit.orchestrator.evidence.test_verify import first


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = bench_at(tmp_path / "home")
    made.runs(2)
    return made


def private_keys(bench: Bench) -> list[Path]:
    return [path for path in bench.folder.signing_keys.iterdir() if path.suffix != ".pub"]


def signed_anew(bench: Bench, pair: KeyPair) -> None:
    """One more run, signed with a key of the caller's choice."""
    last = bench.records()[-1]
    values = {"number": last.number + 1, "previous": last.sha256, "kind": "run", "body": {"run": "x" * 26}}
    record = canonical({**last.record, **values})
    bench.put([*bench.lines(), make_line(record, pair.sign(signed_bytes(record)))])


def test_a_rotation_is_signed_by_the_old_key_which_is_then_deleted(bench: Bench) -> None:
    (old,) = private_keys(bench)
    with bench.writer() as writer:
        line = writer.rotate("yearly")
    (new,) = private_keys(bench)
    assert old != new
    bench.runs(2, begin=2)
    assert bench.verify().ok
    assert read_signature(line.signature).key == public_key_of(old.with_name(old.name + ".pub").read_text())
    assert fingerprint(read_signature(bench.records()[-1].signature).key) == line.body["fingerprint"]
    assert line.body["retires"] == bench.records()[0].body["fingerprint"]


def test_what_a_retired_key_signs_later_is_bad(bench: Bench, tmp_path: Path) -> None:
    (old,) = private_keys(bench)
    shutil.copy(old, tmp_path / "stolen")
    stolen = KeyPair(tmp_path / "stolen", str(bench.records()[0].body["public_key"]))
    with bench.writer() as writer:
        writer.rotate("it may be stolen")
    signed_anew(bench, stolen)
    verdict = bench.verify()
    assert first(verdict) == (4, Fault.BAD_SIGNATURE)
    assert "which record 3 retired" in str(verdict.first_bad)


def test_what_a_key_signs_before_its_record_is_bad(bench: Bench, tmp_path: Path) -> None:
    early = SigningKeys(tmp_path / "early").make()
    signed_anew(bench, early)
    verdict = bench.verify()
    assert first(verdict) == (3, Fault.BAD_SIGNATURE)
    assert "which no record created before" in str(verdict.first_bad)


def test_a_revoked_key_takes_its_records_along(bench: Bench) -> None:
    stolen = str(bench.records()[0].body["fingerprint"])
    with bench.writer() as writer:
        writer.rotate("stolen on Tuesday")
        writer.revoke(stolen, 2, "stolen on Tuesday")
    verdict = bench.verify()
    assert first(verdict) == (2, Fault.REVOKED_KEY)
    assert "record 4 revokes from record 2 on" in str(verdict.first_bad)


def test_a_revocation_from_now_on_leaves_earlier_records_good(bench: Bench) -> None:
    revoked = str(bench.records()[0].body["fingerprint"])
    with bench.writer() as writer:
        writer.rotate("leaves the team")
        writer.revoke(revoked, 4, "leaves the team")
    assert bench.verify().ok


def test_without_its_key_nothing_is_written_and_a_lost_one_is_replaced_in_the_open(bench: Bench) -> None:
    (key,) = private_keys(bench)
    key.unlink()
    with pytest.raises(ToolError, match="signing key in force is not here"):
        bench.runs(1, begin=2)
    with bench.writer() as writer:
        line = writer.replace_lost_key("the disk died")
    bench.runs(1, begin=2)
    assert first(bench.verify()) == (line.number, Fault.UNTRUSTED_KEY)
    both = (str(bench.records()[0].body["public_key"]), str(line.body["public_key"]))
    assert bench.verify(trusted=both).ok


def test_an_intruder_cannot_bring_a_key_of_his_own(bench: Bench, tmp_path: Path) -> None:
    """A key that vouches for itself alone is named, and the first key is the only other one."""
    shutil.rmtree(bench.folder.signing_keys)
    with bench.writer() as writer:
        writer.replace_lost_key("honest, really")
    ours = str(bench.records()[0].body["public_key"])
    assert first(bench.verify(trusted=(ours,))) == (3, Fault.UNTRUSTED_KEY)


def test_our_reading_of_signatures_agrees_with_openssh(tmp_path: Path) -> None:
    key = make_key(tmp_path / "key")
    other = make_key(tmp_path / "other")
    content = b"what is signed\n"
    made = sign(tmp_path / "key", EVIDENCE, content)
    listed = subprocess.run(
        ["ssh-keygen", "-lf", tmp_path / "key.pub"], capture_output=True, text=True, check=True
    )
    assert fingerprint(key) == listed.stdout.split()[1]
    check(read_signature(made), EVIDENCE, content)
    assert read_signature(made).key == key
    cases = [
        (key, EVIDENCE, content),
        (key, EVIDENCE, b"else"),
        (key, "file", content),
        (other, EVIDENCE, content),
    ]
    for public, namespace, signed in cases:
        assert verify_by_ssh(public, namespace, signed, made) == ours(public, namespace, signed, made)
    assert [ours(*case, made) for case in cases] == [True, False, False, False]
    assert armoured(made).count("\n") > 4


def ours(public: str, namespace: str, content: bytes, made: str) -> bool:
    try:
        check(read_signature(made), namespace, content)
    except BadSignatureError:
        return False
    return read_signature(made).key == public


@pytest.mark.parametrize("bad", ["", "!", "AAAA", "U1NIU0lH", "U1NIU0lHAAAAAf////8="])
def test_hostile_signatures_are_bad_and_no_error_of_ours(bad: str) -> None:
    with pytest.raises(BadSignatureError):
        read_signature(bad)


@pytest.mark.parametrize("bad", ["", "ssh-rsa AAAA", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-ed25519 !"])
def test_hostile_keys_are_refused(bad: str) -> None:
    with pytest.raises(InputError):
        public_key_of(bad)


def test_a_key_has_no_name_before_a_record_brought_it(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a writer that was killed in between leaves nothing that would tell of lost records."""
    new = bench_at(tmp_path / "new")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(ChainFile, "append", killed)
        with pytest.raises(KeyboardInterrupt):
            new.runs(1)
    assert SigningKeys(new.folder.signing_keys).unknown([]) == []
    new.runs(1)
    assert new.verify().ok


def test_a_key_whose_record_was_written_by_a_writer_that_was_then_killed_is_taken(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, bench.writer() as writer:
        patched.setattr(writer, "_use", killed)
        with pytest.raises(KeyboardInterrupt):
            writer.rotate("killed right after its record")
    assert bench.kinds()[-1] == "key_rotated"
    bench.runs(1, begin=2)
    assert bench.verify().ok
    assert len(private_keys(bench)) == 2, "the retired one goes with the next change"
