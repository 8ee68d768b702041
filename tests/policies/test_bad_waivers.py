"""Waivers that must not hold, made as a user does with ssh-keygen: a rule tells each, and none excuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from policies.verdicts import Verdicts, verdicts_text
from tests.commands import steward
from tests.policies.references import make_key, public, sign, signer
from tests.policies.test_seeded import named

PREVIEW = Path(__file__).parent / "previews" / "local.json"
RULE, SUBJECT = "storage.bucket-is-versioned", "local:index:Bucket::assets"
NAMESPACE = "steward-waiver@v1"
ANN, BOB = "ann@acme.example", "bob@acme.example"


def today() -> date:
    return datetime.now(UTC).date()


class Desk:
    """A policy reference with the keys of an owner and an approver, and the judgement under it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "policy"
        self.home = folder / "home"
        (self.folder / "waivers").mkdir(parents=True)
        self.keys = {who: make_key(folder / "keys", who.split("@")[0]) for who in (ANN, BOB)}
        dates = ',valid-after="20260101Z",valid-before="20991231Z"'
        lines = [signer(key, who, NAMESPACE, dates) for who, key in self.keys.items()]
        (self.folder / "allowed_signers").write_text("".join(lines))
        (self.folder / "minimum.yaml").write_text("default: demo\nclients: {}\n")
        monkeypatch.setenv("STEWARD_POLICY_REFERENCE", str(self.folder))
        monkeypatch.setenv("STEWARD_HOME", str(self.home))

    def waive(self, *, signed_by: str = BOB, **changes: Any) -> None:
        """A waiver for one pair that fails, with these fields, signed unless by ''."""
        fields = {
            "id": "W-1", "rule": RULE, "subject": f"*{SUBJECT}", "owner": ANN, "approver": BOB,
            "reason": "It is emptied soon.", "ticket": "OPS-1", "created": today() - timedelta(days=9),
            "expires": today() + timedelta(days=9), "compensating_control": "It is copied every night.",
        } | changes  # fmt: skip
        path = self.folder / "waivers" / "W-1.yaml"
        path.write_text("".join(f"{key}: {_text(value)}\n" for key, value in fields.items()))
        if signed_by:
            sign(self.keys[signed_by], NAMESPACE, path.read_bytes(), path.with_suffix(".yaml.sig"))

    def judged(self) -> tuple[str, set[str]]:
        """State of the pair, and the rules on waivers that fail."""
        done = steward("policy", "check", "--from", str(PREVIEW), "--json")
        assert done.returncode == 1, done.stderr
        assert "Traceback" not in done.stderr
        report = json.loads(done.stdout)
        told = [
            (result["rule"], named(report["subjects"][place]), result["state"])
            for result in report["results"]
            for place in result["on"]
        ]
        (state,) = (state for rule, subject, state in told if (rule, subject) == (RULE, SUBJECT))
        return state, {rule for rule, _, state in told if rule.startswith("governance.") and state == "fail"}


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else json.dumps(value)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, monkeypatch)


def test_a_good_waiver_excuses_until_its_last_day_is_over(desk: Desk) -> None:
    desk.waive(expires=today())
    assert desk.judged() == ("waived", set())


def set_back(desk: Desk) -> None:
    """The last judgement here was tomorrow."""
    desk.waive()
    last = desk.home / "policy" / "verdicts.json"
    last.parent.mkdir(parents=True)
    last.write_text(verdicts_text(Verdicts("", datetime.now(UTC) + timedelta(days=1))))


def revoke(desk: Desk) -> None:
    desk.waive()
    (desk.folder / "revoked_keys").write_text(public(desk.keys[BOB]) + "\n")


@pytest.mark.parametrize(
    ("make", "finding"),
    [
        (lambda desk: desk.waive(rule="storage.no-such-rule"), "waiver-names-a-rule"),
        (lambda desk: desk.waive(signed_by=""), "waiver-is-signed"),
        (lambda desk: desk.waive(signed_by=ANN), "waiver-is-signed"),
        (lambda desk: desk.waive(signed_by=ANN, approver=ANN), "waiver-approved-by-another"),
        (revoke, "waiver-is-signed"),
        (lambda desk: desk.waive(expires=today() - timedelta(days=1)), "waiver-not-expired"),
        (set_back, "waiver-not-expired"),
        (lambda desk: desk.waive(created=today() - timedelta(days=400)), "waiver-age-within-severity"),
        (lambda desk: desk.waive(subject="*no-such-subject"), "waiver-matches-a-subject"),
    ],
    ids=[
        *("unknown rule", "unsigned", "signed by its owner", "approved by its owner", "revoked key"),
        *("expired yesterday", "clock set back", "too long", "no subject"),
    ],
)
def test_a_waiver_that_must_not_hold_excuses_nothing(
    desk: Desk, make: Callable[[Desk], None], finding: str
) -> None:
    make(desk)
    state, told = desk.judged()
    assert state == "fail"
    assert f"governance.{finding}" in told


def test_a_waiver_that_was_changed_after_it_was_signed_excuses_nothing(desk: Desk) -> None:
    desk.waive()
    path = desk.folder / "waivers" / "W-1.yaml"
    path.write_text(path.read_text().replace("OPS-1", "OPS-2"))
    assert desk.judged() == ("fail", {"governance.waiver-is-signed"})
