"""Signatures of OpenSSH: made and checked by `ssh-keygen -Y`; many at once are checked here, from the format.

Format: PROTOCOL.sshsig of OpenSSH. Keys are Ed25519.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from orchestrator.errors import InputError, ToolError
from orchestrator.private_file import make_private_folder
from orchestrator.process import run
from orchestrator.scratch import scratch

EVIDENCE: Final = "steward-evidence@v1"
REVIEW: Final = "steward-review@v1"
EXPORT: Final = "steward-export@v1"
PRINCIPAL: Final = "steward-evidence"
"""The signer's name in the allowed_signers files that are made here."""
_SECONDS: Final = 30
_ED25519: Final = "ssh-ed25519"
_MAGIC: Final = b"SSHSIG"
_ARMOUR: Final = re.compile(
    r"-----BEGIN SSH SIGNATURE-----\s+([A-Za-z0-9+/=\s]+?)\s+-----END SSH SIGNATURE-----"
)


class BadSignatureError(ValueError):
    """No signature of this key over this; the text says why."""


@dataclass(frozen=True)
class Signature:
    """A signature taken apart; `key` is the public key it says it is of, as in an authorized_keys file."""

    key: str
    namespace: str
    hash_name: str
    blob: bytes


def make_key(path: Path) -> str:
    """Make an Ed25519 key pair at `path` (0600); returns the public key, kind and base64."""
    make_private_folder(path.parent)
    path.unlink(missing_ok=True)
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", PRINCIPAL, "-f", str(path)]
    run(argv, timeout=_SECONDS)
    public = path.with_name(path.name + ".pub")
    public.chmod(0o600)  # like everything else in STEWARD_HOME
    return public_key_of(public.read_text())


def public_key_of(text: str) -> str:
    """Kind and base64 of a public key line; raises InputError."""
    words = text[:16_384].split()
    if len(words) < 2 or words[0] != _ED25519 or _raw_key(words[1]) is None:
        raise InputError("key", "is no Ed25519 public key", got=" ".join(words[:1]) or "nothing")
    return " ".join(words[:2])


def fingerprint(key: str) -> str:
    """`SHA256:...` as ssh-keygen prints it."""
    digest = hashlib.sha256(base64.b64decode(key.split()[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def sign(key: Path, namespace: str, content: bytes) -> str:
    """The signature in base64, on one line; `key` may be a public key whose other half an agent holds."""
    with scratch("sign") as folder:
        path = folder / "content"
        path.write_bytes(content)
        run(["ssh-keygen", "-Y", "sign", "-q", "-f", str(key), "-n", namespace, str(path)], timeout=_SECONDS)
        return unarmoured(path.with_name("content.sig").read_text())


def verify_by_ssh(key: str, namespace: str, content: bytes, signature: str) -> bool:
    """Whether ssh-keygen says that `key` signed this in this namespace."""
    return known_signer(
        f'{PRINCIPAL} namespaces="{namespace}" {key}\n', PRINCIPAL, namespace, content, signature
    )


def known_signer(
    allowed: str,
    principal: str,
    namespace: str,
    content: bytes,
    signature: str,
    *,
    at: datetime | None = None,
) -> bool:
    """Whether one of the keys that an allowed_signers text gives this principal signed the content.

    Dates of the text are held against `at`, now where it is None.
    """
    with scratch("verify") as folder:
        (folder / "allowed").write_text(allowed)
        (folder / "signature").write_text(armoured(signature))
        argv = ["ssh-keygen", "-Y", "verify", "-f", str(folder / "allowed"), "-I", principal]
        argv += ["-n", namespace, "-s", str(folder / "signature")]
        # Older ones read the time in the local zone alone.
        argv += [f"-Overify-time={at.astimezone(UTC):%Y%m%d%H%M%S}"] if at else []
        env = {**os.environ, "TZ": "UTC"}
        return run(argv, timeout=_SECONDS, stdin=content, check=False, env=env).returncode == 0


def armoured(signature: str) -> str:
    """As ssh-keygen writes it to a file."""
    rows = [signature[at : at + 70] for at in range(0, len(signature), 70)]
    return "\n".join(["-----BEGIN SSH SIGNATURE-----", *rows, "-----END SSH SIGNATURE-----"]) + "\n"


def unarmoured(text: str) -> str:
    """The base64 of a signature file on one line; raises ToolError."""
    found = _ARMOUR.search(text[:16_384])
    if found is None:
        raise ToolError("ssh-keygen", "wrote no signature", got=text[:80])
    return "".join(found[1].split())


def read_signature(signature: str) -> Signature:
    """Take a signature apart; raises BadSignatureError."""
    try:
        rest = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError) as problem:
        raise BadSignatureError("not base64") from problem
    if rest[:6] != _MAGIC or rest[6:10] != struct.pack(">I", 1):
        raise BadSignatureError("no signature of OpenSSH")
    parts, rest = [], rest[10:]
    for _ in range(5):
        part, rest = _string(rest)
        parts.append(part)
    key, namespace, reserved, hash_name, blob = parts
    if rest or reserved:
        raise BadSignatureError("something after its end")
    kind, _ = _string(key)
    text = f"{kind.decode('ascii', 'replace')} {base64.b64encode(key).decode()}"
    return Signature(text, namespace.decode("utf-8", "replace"), hash_name.decode("ascii", "replace"), blob)


def check(signature: Signature, namespace: str, content: bytes) -> None:
    """Raise BadSignatureError unless the key that the signature names made it over this content."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if signature.namespace != namespace:
        raise BadSignatureError(f"made for {signature.namespace[:40]!r}, not for {namespace!r}")
    raw = _raw_key(signature.key.split()[1])
    kind, rest = _string(signature.blob)
    made, rest = _string(rest)
    if raw is None or kind != _ED25519.encode() or rest or signature.hash_name not in ("sha256", "sha512"):
        raise BadSignatureError("not by an Ed25519 key")
    digest = hashlib.new(signature.hash_name, content).digest()
    signed = _MAGIC + b"".join(
        struct.pack(">I", len(part)) + part
        for part in (namespace.encode(), b"", signature.hash_name.encode(), digest)
    )
    try:
        Ed25519PublicKey.from_public_bytes(raw).verify(made, signed)
    except InvalidSignature as problem:
        raise BadSignatureError("not over this content") from problem


def _raw_key(text: str) -> bytes | None:
    """The 32 bytes of an Ed25519 key, None when it is none."""
    try:
        kind, rest = _string(base64.b64decode(text, validate=True))
        raw, rest = _string(rest)
    except (binascii.Error, ValueError):
        return None
    return raw if kind == _ED25519.encode() and len(raw) == 32 and not rest else None


def _string(rest: bytes) -> tuple[bytes, bytes]:
    """A string of the SSH protocol, and what comes after it."""
    if len(rest) < 4:
        raise BadSignatureError("cut off")
    (size,) = struct.unpack(">I", rest[:4])
    if len(rest) < 4 + size:
        raise BadSignatureError("cut off")
    return rest[4 : 4 + size], rest[4 + size :]
