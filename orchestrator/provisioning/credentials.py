"""What belongs to one stack and never enters Pulumi state: its passphrase and its admin SSH key.

A key lies at one of two places, and its successor at the other: no file ever holds one key and then another.
ssh reads a public half when it starts and the private half when it signs, and is refused when they differ;
with both places in its configuration, a login in flight finds whichever key the server lets in.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from orchestrator.private_file import write_private
from orchestrator.redaction import know

PASSPHRASE_FILE = Path("passphrase")
PLACES = ("id_ed25519", "id_ed25519.second")
"""Where an admin key may lie; the first one of a stack is at the first."""
IN_USE = "in-use"
"""Names the place of the key in use, then that of the key before it while a server may still let it in."""


@dataclass(frozen=True)
class AdminKey:
    """The key with which this installation logs in to a stack's servers."""

    private: Path
    public: Path
    places: tuple[Path, ...]
    """Where the key and its successor may be, the key in use first: what ssh is told."""

    def public_text(self) -> str:
        """The public half as one line of authorized_keys."""
        return self.public.read_text().strip()


def make_key(private: Path) -> None:
    """A new private key (0600); the public half follows from it."""
    from cryptography.hazmat.primitives import serialization  # heavy, and keys are made once a stack
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    made = Ed25519PrivateKey.generate()
    text = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    write_private(private, text)


def public_line(private: Path, stack: str) -> str:
    """The public half of a private key as one line of authorized_keys."""
    from cryptography.hazmat.primitives import serialization

    text = private.read_text()
    know(text)
    key = serialization.load_ssh_private_key(text.encode(), None)
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
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
    used = places_in_use(folder)[0]
    places = sorted((folder / "ssh" / place for place in PLACES), key=lambda path: path.name != used)
    return AdminKey(places[0], public_half(places[0]), tuple(places))


def places_in_use(folder: Path) -> list[str]:
    """The place of the key in use, then that of the one before it, if a rotation left that."""
    try:
        return (folder / "ssh" / IN_USE).read_text().split()
    except FileNotFoundError:
        return [PLACES[0]]


def public_half(private: Path) -> Path:
    """Where the public half of a key lies."""
    return private.with_name(f"{private.name}.pub")


def public_keys(folder: Path) -> tuple[str, ...]:
    """The public halves of the key in use, and of the one before it while a server may still let it in."""
    halves = [public_half(folder / "ssh" / place) for place in places_in_use(folder)]
    return tuple(half.read_text().strip() for half in halves if half.exists())


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
