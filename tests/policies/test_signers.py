"""Who may sign what, read from a file that people write by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from policies.model import PackError
from policies.signers import POLICY, WAIVERS, Standing, read_signers
from tests.policies.references import make_key, public, signer

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHlVh3DTNDRGMrkVHn0lkKxQfnP2bHc6kfVgqNGd2Ys3"


def test_a_line_says_who_what_and_how_long(tmp_path: Path) -> None:
    bob, cto = make_key(tmp_path, "bob"), make_key(tmp_path, "cto")
    dates = ',valid-after="20260101",valid-before="20261231235959Z"'
    lines = signer(bob, "bob@acme.example,b@acme.example", WAIVERS, dates) + signer(
        cto, "cto@acme.example", POLICY
    )
    (tmp_path / "allowed_signers").write_text("# people\n\n" + lines)
    (tmp_path / "revoked_keys").write_text(f"{public(cto)} lost\n")
    signers = read_signers(tmp_path)
    first, second, third = signers.each
    assert (first.principal, second.principal, third.principal) == (
        "bob@acme.example", "b@acme.example", "cto@acme.example",
    )  # fmt: skip
    assert first.valid_before == datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert first.key == second.key != third.key
    assert signers.keys_of("BOB@acme.example") == (first.key,)
    assert signers.judge(first.key, WAIVERS, NOW, clock_suspect=False).standing is Standing.GOOD
    assert signers.judge(third.key, POLICY, NOW, clock_suspect=False).standing is Standing.REVOKED


@pytest.mark.parametrize(
    ("dates", "namespace", "suspect", "standing"),
    [
        ('valid-before="20261129115959"', WAIVERS, False, Standing.NO_LONGER),
        ('valid-before="20261129120000Z"', WAIVERS, False, Standing.GOOD),
        ('valid-after="20261129120000"', WAIVERS, False, Standing.GOOD),
        ('valid-after="20261129120001"', WAIVERS, False, Standing.NOT_YET),
        ('valid-before="20270101"', POLICY, False, Standing.NO_ROLE),
        ('valid-before="20270101"', WAIVERS, True, Standing.NO_TIME),
    ],
)
def test_a_key_is_good_for_its_purpose_in_its_time(
    dates: str, namespace: str, suspect: bool, standing: Standing, tmp_path: Path
) -> None:
    (tmp_path / "allowed_signers").write_text(f'bob@acme.example namespaces="{WAIVERS}",{dates} {KEY}\n')
    signers = read_signers(tmp_path)
    verdict = signers.judge(signers.each[0].key, namespace, NOW, clock_suspect=suspect)
    assert verdict.standing is standing
    assert signers.judge("SHA256:other", namespace, NOW, clock_suspect=False).standing is Standing.UNKNOWN_KEY


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (f"bob@acme.example {KEY}", "namespaces say what the key may sign"),
        (f'bob@acme.example namespaces="file" {KEY}', "got file"),
        (
            f'*@acme.example namespaces="{WAIVERS}" {KEY}',
            "belongs to somebody by name, not to *@acme.example",
        ),
        (f'bob@a namespaces="{WAIVERS}",valid-before="soon" {KEY}', "expected a day as 20261231"),
        (f'bob@a namespaces="{WAIVERS}",valid-before="20261331" {KEY}', "expected a day as 20261231"),
        (f'bob@a namespaces="{WAIVERS}",cert-authority {KEY}', "expected namespaces, valid-after"),
        (f'bob@a namespaces="{WAIVERS}",namespaces="{POLICY}" {KEY}', "namespaces stands twice"),
        (f'bob@a namespaces="{WAIVERS}" ssh-ed25519 AAAA=A', "expected `WHO"),
        (f'bob@a namespaces="{WAIVERS}" ssh-ed25519 AAAAA', "the key is not whole"),
        ("bob", "got bob"),
        ("\x1b[2Jbob", "expected `WHO"),
    ],
)
def test_a_mistake_is_told_by_line(line: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "allowed_signers").write_text(f"# one\n{line}\n")
    with pytest.raises(PackError, match=r"^allowed_signers:2: ") as error:
        read_signers(tmp_path)
    assert told in str(error.value)
    assert "\x1b" not in str(error.value)


def test_a_line_of_revoked_keys_is_a_key(tmp_path: Path) -> None:
    (tmp_path / "revoked_keys").write_text("bob\n")
    with pytest.raises(PackError, match=r"^revoked_keys:1: expected a public key, got bob"):
        read_signers(tmp_path)
