"""What belongs to one stack and never enters Pulumi state: its passphrase and its admin SSH key."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_private_key,
)

from orchestrator.private_file import write_private
from orchestrator.redaction import know

PASSPHRASE_FILE = Path("passphrase")


@dataclass(frozen=True)
class AdminKey:
    """The key with which this installation logs in to a stack's servers."""

    private: Path
    public: Path

    def public_text(self) -> str:
        """The public half as one line of authorized_keys."""
        return self.public.read_text().strip()


def make_key(private: Path) -> None:
    """A new private key (0600); the public half follows from it."""
    made = Ed25519PrivateKey.generate()
    write_private(private, made.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode())


def public_line(private: Path, stack: str) -> str:
    """The public half of a private key as one line of authorized_keys."""
    text = private.read_text()
    know(text)
    key = load_ssh_private_key(text.encode(), None)
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return f"{public.decode()} steward@{stack}"


def ensure_passphrase(folder: Path) -> Path:
    """The stack's passphrase file (0600), made on first use."""
    path = folder / PASSPHRASE_FILE
    if not path.exists():
        write_private(path, secrets.token_urlsafe(32) + "\n")
    know(path.read_text())
    return path


def admin_key(folder: Path) -> AdminKey:
    """Where the stack's admin key lies."""
    return AdminKey(folder / "ssh" / "id_ed25519", folder / "ssh" / "id_ed25519.pub")


def ensure_admin_key(folder: Path, stack: str) -> AdminKey:
    """The stack's admin key, made on first use."""
    key = admin_key(folder)
    if not key.private.exists():
        make_key(key.private)
        key.public.unlink(missing_ok=True)
    know(key.private.read_text())
    if not key.public.exists():  # or a rotation was stopped before it was written
        write_private(key.public, public_line(key.private, stack) + "\n")
    return key
