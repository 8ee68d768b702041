"""SSH host keys, made in memory before a server's first boot so that nobody has to trust on first use."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class HostKey:
    """One Ed25519 key pair; the private half is written into the server and nowhere else."""

    public: str
    private: bytes = field(repr=False)


def make() -> HostKey:
    """A fresh pair: `ssh-ed25519 AAAA...` and the OpenSSH private key file."""
    from cryptography.hazmat.primitives import serialization  # costs 60 ms, wanted by Create alone
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    return HostKey(public=public.decode(), private=private)
