"""The stack's own certificate authority: made on first use, kept with the stack's keys, never on a server."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from orchestrator.errors import ToolError
from orchestrator.inventory.supplies import HostCertificate
from orchestrator.private_file import write_private
from orchestrator.redaction import know

_AUTHORITY_LIFE = timedelta(days=3_650)
_HOST_LIFE = timedelta(days=397)
_RENEWED_AFTER = _HOST_LIFE * 2 / 3
_TOLERATED_CLOCK = timedelta(hours=1)
_LONGEST_NAME = 64
"""Characters of a common name, by X.509."""


class StackAuthority:
    """Signs certificates of one stack's servers; `folder` is that of the stack's keys."""

    def __init__(self, folder: Path, stack: str) -> None:
        self._folder = folder / "tls"
        self._stack = stack

    def certificate(self, server: str, names: Sequence[str], now: datetime) -> HostCertificate:
        """The server's certificate for these names: the known one while it is good, else a new one."""
        key, authority = self._authority(now)
        path = self._folder / f"{server}.pem"
        if path.exists():
            known = path.read_text()
            if _good(known, names, authority, now):
                return _host_certificate(known, authority)
        made = _signed(server, names, key, authority, now)
        write_private(path, made)
        return _host_certificate(made, authority)

    def _authority(self, now: datetime) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        path = self._folder / "authority.pem"
        if not path.exists():
            write_private(path, _self_signed(self._stack, now))
        text = path.read_bytes()
        key = load_pem_private_key(text, None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ToolError(self._stack, "the stack's authority has a key of another kind", place=str(path))
        return key, x509.load_pem_x509_certificate(text)


def _host_certificate(text: str, authority: x509.Certificate) -> HostCertificate:
    """The file holds certificate and key one after the other."""
    begin = text.index("-----BEGIN PRIVATE KEY")
    know(text[begin:])
    return HostCertificate(text[:begin], text[begin:], _pem(authority))


def _good(text: str, names: Sequence[str], authority: x509.Certificate, now: datetime) -> bool:
    known = x509.load_pem_x509_certificate(text.encode())
    said = known.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    young = known.not_valid_before_utc - _TOLERATED_CLOCK <= now < known.not_valid_before_utc + _RENEWED_AFTER
    # The issuer's serial is in every certificate, so that a new authority replaces them all.
    issuer = known.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    return young and set(said) == set(_alternatives(names)) and issuer == _identifier(authority)


def _identifier(authority: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    subject = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(subject)


def _alternatives(names: Sequence[str]) -> list[x509.GeneralName]:
    return [_alternative(name) for name in dict.fromkeys(names)]


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _self_signed(stack: str, now: datetime) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(f"Steward authority of {stack}")
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    built = (
        _builder(subject, subject, key.public_key(), now, _AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(identifier, critical=False)
    )
    return _pem(built.sign(key, SHA256())) + _key_pem(key)


def _signed(
    server: str,
    names: Sequence[str],
    authority_key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    now: datetime,
) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    built = (
        _builder(_name(server), authority.subject, key.public_key(), now, _HOST_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(x509.SubjectAlternativeName(_alternatives(names)), critical=False)
        .add_extension(_identifier(authority), critical=False)
    )
    return _pem(built.sign(authority_key, SHA256())) + _key_pem(key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _TOLERATED_CLOCK)
        .not_valid_after(now + life)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:_LONGEST_NAME])])


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
