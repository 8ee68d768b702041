"""Signatures made and checked by the real ssh-keygen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.signatures import proposal_verdict, waiver_verdicts
from policies.governed import Seen, judge
from policies.model import State
from policies.reference import load_reference
from policies.reference.manifest import manifest
from policies.signers import POLICY, WAIVERS, Standing, Verdict
from tests.policies.references import RULE, WAIVER, make_key, network, public, sign, signer, write

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("keys")
    return {who: make_key(folder, who) for who in ("ann", "bob", "cto", "eve")}


@pytest.fixture
def folder(tmp_path: Path, keys: dict[str, Path]) -> Path:
    """A reference with one waiver of Ann's that Bob signed, and a policy owner."""
    dates = ',valid-after="20260101",valid-before="20270101"'
    lines = [
        signer(keys["bob"], "bob@acme.example", WAIVERS, dates),
        signer(keys["ann"], "ann@acme.example", WAIVERS, dates),
        signer(keys["cto"], "cto@acme.example", POLICY, dates),
    ]
    write(tmp_path / "policy", {"waivers/W-1.yaml": WAIVER, "allowed_signers": "".join(lines)})
    sign_waiver(tmp_path / "policy", keys["bob"])
    return tmp_path / "policy"


def sign_waiver(folder: Path, key: Path, namespace: str = WAIVERS) -> None:
    file = folder / "waivers" / "W-1.yaml"
    sign(key, namespace, file.read_bytes(), file.with_name("W-1.yaml.sig"))


def verdict(folder: Path, now: datetime = NOW, *, suspect: bool = False) -> Verdict:
    return waiver_verdicts(folder, load_reference(folder), now, clock_suspect=suspect)["W-1"]


def state(folder: Path, now: datetime = NOW) -> State:
    reference = load_reference(folder)
    seen = Seen(now, waivers=waiver_verdicts(folder, reference, now))
    found = judge([network()], reference, seen)
    return next(each.state for each in found.results if each.rule == RULE)


def test_a_waiver_signed_by_its_approver_holds(folder: Path) -> None:
    told = verdict(folder)
    assert (told.standing, told.principal) == (Standing.GOOD, "bob@acme.example")
    assert told.key.startswith("SHA256:")
    assert 'Good "steward-waiver@v1" signature for bob@acme.example' in told.said
    assert state(folder) is State.WAIVED


def test_unsigned_changed_or_forged_it_does_not(folder: Path, keys: dict[str, Path]) -> None:
    file = folder / "waivers" / "W-1.yaml"
    file.write_text(WAIVER.replace("2026-11-29", "2026-11-30"))
    assert verdict(folder).standing is Standing.BROKEN
    assert state(folder) is State.FAIL
    file.write_text(WAIVER)
    assert verdict(folder).standing is Standing.GOOD
    for junk in (b"", b"-----BEGIN SSH SIGNATURE-----\n", b"\x00" * 100):
        file.with_name("W-1.yaml.sig").write_bytes(junk)
        assert verdict(folder).standing is Standing.BROKEN
    file.with_name("W-1.yaml.sig").unlink()
    assert verdict(folder).standing is Standing.MISSING
    assert state(folder) is State.FAIL


def test_signed_by_its_owner_it_does_not(folder: Path, keys: dict[str, Path]) -> None:
    sign_waiver(folder, keys["ann"])
    assert verdict(folder).principal == "ann@acme.example"
    assert state(folder) is State.FAIL


def test_signed_by_the_owners_key_under_the_approvers_name_it_does_not(
    folder: Path, keys: dict[str, Path]
) -> None:
    lines = (folder / "allowed_signers").read_text().replace(public(keys["bob"]), public(keys["ann"]))
    (folder / "allowed_signers").write_text(lines)
    sign_waiver(folder, keys["ann"])
    assert (verdict(folder).standing, verdict(folder).principal) == (Standing.GOOD, "bob@acme.example")
    assert state(folder) is State.FAIL


def test_by_a_stranger_a_revoked_key_or_for_another_purpose_it_does_not(
    folder: Path, keys: dict[str, Path]
) -> None:
    sign_waiver(folder, keys["eve"])
    assert verdict(folder).standing is Standing.UNKNOWN_KEY
    sign_waiver(folder, keys["cto"])
    assert verdict(folder).standing is Standing.NO_ROLE
    sign_waiver(folder, keys["bob"], POLICY)
    assert verdict(folder).standing is Standing.BROKEN, "made for another namespace"
    sign_waiver(folder, keys["bob"])
    (folder / "revoked_keys").write_text(public(keys["bob"]) + "\n")
    assert verdict(folder).standing is Standing.REVOKED
    assert state(folder) is State.FAIL


@pytest.mark.parametrize(
    ("now", "standing"),
    [
        (datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC), Standing.NOT_YET),
        (datetime(2026, 1, 1, tzinfo=UTC), Standing.GOOD),
        (datetime(2027, 1, 1, tzinfo=UTC), Standing.GOOD),
        (datetime(2027, 1, 1, 0, 0, 1, tzinfo=UTC), Standing.NO_LONGER),
    ],
)
def test_a_key_counts_in_its_time_to_the_second(now: datetime, standing: Standing, folder: Path) -> None:
    """What we read of the dates and what ssh-keygen does is the same: it has to say yes as well."""
    assert verdict(folder, now).standing is standing


def test_the_zone_of_this_machine_moves_no_date(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    assert verdict(folder, datetime(2027, 1, 1, tzinfo=UTC)).standing is Standing.GOOD
    assert verdict(folder, datetime(2026, 1, 1, tzinfo=UTC)).standing is Standing.GOOD


def test_with_a_clock_that_cannot_be_believed_no_key_is_good(folder: Path) -> None:
    assert verdict(folder, suspect=True).standing is Standing.NO_TIME


def test_ssh_keygen_has_the_last_word(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that we read otherwise than it does must not pass."""
    good = load_reference(folder)
    (folder / "allowed_signers").write_text("")
    told = waiver_verdicts(folder, good, NOW)["W-1"]
    assert told.standing is Standing.BROKEN
    assert told.said


def sign_reference(folder: Path, key: Path) -> None:
    sign(key, POLICY, manifest(folder).encode(), folder / "reference.sig")


def test_a_new_reference_is_signed_by_an_owner_of_the_old_one(
    folder: Path, tmp_path: Path, keys: dict[str, Path]
) -> None:
    old = load_reference(folder)
    eve = signer(keys["eve"], "eve@acme.example", POLICY)
    files = {"allowed_signers": (folder / "allowed_signers").read_text() + eve}
    new = write(tmp_path / "new", files)
    assert proposal_verdict(new, folder, old.signers, NOW).standing is Standing.MISSING
    sign_reference(new, keys["eve"])
    assert proposal_verdict(new, folder, old.signers, NOW).standing is Standing.UNKNOWN_KEY, (
        "let in by herself"
    )
    sign_reference(new, keys["bob"])
    assert proposal_verdict(new, folder, old.signers, NOW).standing is Standing.NO_ROLE
    sign_reference(new, keys["cto"])
    assert proposal_verdict(new, folder, old.signers, NOW).principal == "cto@acme.example"
    assert proposal_verdict(new, folder, old.signers, NOW, clock_suspect=True).standing is Standing.NO_TIME
    (new / "minimum.yaml").write_text("default: demo\nclients: {}\n")
    assert proposal_verdict(new, folder, old.signers, NOW).standing is Standing.BROKEN, (
        "signed for other files"
    )


def test_a_waiver_lasts_no_longer_than_the_key(folder: Path) -> None:
    reference = load_reference(folder)
    (waiver,) = reference.waivers
    longer = replace(reference, waivers=(replace(waiver, expires=waiver.created + timedelta(days=90)),))
    then = datetime(2027, 1, 2, tzinfo=UTC)
    found = judge([network()], longer, Seen(then, waivers=waiver_verdicts(folder, longer, then)))
    told = {each.rule: each.message for each in found.results if each.subject.type == "waiver"}
    assert "the key is no longer valid" in told["governance.waiver-is-signed"]
