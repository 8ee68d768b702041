"""The stack's own authority: who it vouches for, for how long, and when a certificate is made anew."""

from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from orchestrator.inventory.supplies import HostCertificate
from orchestrator.supplies.authority import StackAuthority
from tests.fakes import NOON

NAMES = ["db-1", "db", "10.43.0.7"]


def verified(made: HostCertificate, name: str) -> None:
    """As a client does it that trusts the authority alone."""
    store = Store([x509.load_pem_x509_certificate(made.authority.encode())])
    leaf = x509.load_pem_x509_certificate(made.certificate.encode())
    PolicyBuilder().store(store).time(NOON).build_server_verifier(x509.DNSName(name)).verify(leaf, [])


def test_a_client_that_trusts_the_authority_believes_the_server_its_names_alone(tmp_path: Path) -> None:
    made = StackAuthority(tmp_path, "acme-demo").certificate("db-1", NAMES, NOON)
    verified(made, "db-1")
    verified(made, "db")
    with pytest.raises(VerificationError):
        verified(made, "other")
    with pytest.raises(VerificationError):
        verified(StackAuthority(tmp_path / "b", "acme-b").certificate("db-1", ["x"], NOON), "db-1")


def test_a_good_certificate_is_kept_and_an_old_or_wrong_one_replaced(tmp_path: Path) -> None:
    authority = StackAuthority(tmp_path, "acme-demo")
    first = authority.certificate("db-1", NAMES, NOON)
    assert (
        StackAuthority(tmp_path, "acme-demo").certificate("db-1", NAMES[::-1], NOON + timedelta(days=200))
        == first
    )
    assert authority.certificate("db-1", [*NAMES, "new.example"], NOON) != first
    again = authority.certificate("db-1", NAMES, NOON)
    assert authority.certificate("db-1", NAMES, NOON + timedelta(days=270)) != again
    assert authority.certificate("db-1", NAMES, NOON - timedelta(days=2)) != again
    (tmp_path / "tls" / "authority.pem").unlink()
    renewed = authority.certificate("db-1", NAMES, NOON)
    assert renewed.authority != first.authority
    verified(renewed, "db-1")


def test_keys_are_private_and_not_shown(tmp_path: Path) -> None:
    made = StackAuthority(tmp_path, "acme-demo").certificate("db-1", NAMES, NOON)
    assert "PRIVATE KEY" in made.key
    assert "PRIVATE KEY" not in repr(made) + made.certificate + made.authority
    for path in (tmp_path / "tls").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
