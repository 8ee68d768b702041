"""Documents that records refer to: encrypted with the client's key, named by the digest of the ciphertext."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from orchestrator.errors import InputError, ToolError
from orchestrator.evidence.folder import sync_folder
from orchestrator.evidence.record import Payload
from orchestrator.private_file import write_private

SALT_BYTES: Final = 32
_MAGIC: Final = b"STEWARD-EVIDENCE-1"
_KEY_BYTES: Final = 32
_ID_BYTES: Final = 8
_NONCE_BYTES: Final = 12
LARGEST_BYTES: Final = 256 << 20


class PayloadKey:
    """The key of one client; its id is keyed, so that it tells nothing of the key."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.id = hmac.new(raw, b"id of a payload key", hashlib.sha256).digest()[:_ID_BYTES].hex()


def load_key(path: Path) -> PayloadKey | None:
    """The client's key; None when there is none yet. Raises ToolError where the file is no key."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    if len(raw) != _KEY_BYTES:
        raise ToolError(
            "evidence", "the payload key is broken", place=str(path), got=f"{len(raw)} bytes",
            rule=f"{_KEY_BYTES} bytes", next_step="Bring it back from your copy of STEWARD_HOME/keys.",
        )  # fmt: skip
    return PayloadKey(raw)


def make_key(path: Path) -> PayloadKey:
    """A new key, on disk before it is used; one that another process made meanwhile is taken instead."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    write_private(draft, secrets.token_bytes(_KEY_BYTES))
    with suppress(FileExistsError):
        os.link(draft, path)  # a rename would replace a key that is in use already
    draft.unlink()
    sync_folder(path.parent)
    return PayloadKey(path.read_bytes())


class PayloadStore:
    """The ciphertexts of one chain."""

    def __init__(self, folder: Path, chain: str) -> None:
        self._folder = folder
        self._chain = chain

    def place(self, sha256: str) -> Path:
        """Where a ciphertext lies."""
        return self._folder / sha256[:2] / sha256

    def put(self, key: PayloadKey, name: str, media_type: str, content: bytes) -> Payload:
        """Encrypt and keep a document; on disk for good when this returns."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if len(content) > LARGEST_BYTES:
            raise ToolError("evidence", f"{name} is too large to be kept", got=f"{len(content) >> 20} MiB")
        salt, nonce = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
        head = _MAGIC + bytes.fromhex(key.id) + nonce
        stored = head + AESGCM(key.raw).encrypt(nonce, salt + content, self._bound(head))
        digest = hashlib.sha256(stored).hexdigest()
        path = self.place(digest)
        write_private(path, stored)
        sync_folder(path.parent)
        sync_folder(self._folder)
        return Payload(name, media_type, digest, len(stored), commitment(salt, content))

    def get(self, key: PayloadKey | None, payload: Payload) -> tuple[bytes, bytes]:
        """Salt and document; raises ToolError when it is not there, altered, or of another key."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        path = self.place(payload.sha256)
        try:
            stored = path.read_bytes()
        except FileNotFoundError as problem:
            raise ToolError(
                "evidence", f"the payload {payload.name} is not there", place=str(path)
            ) from problem
        end = len(_MAGIC) + _ID_BYTES
        head, key_id = stored[: end + _NONCE_BYTES], stored[len(_MAGIC) : end].hex()
        if key is None or key_id != key.id:
            raise InputError(
                "evidence", f"the key of the payload {payload.name} is not here", place=str(path),
                got=key.id if key else "no key", rule=f"key {key_id}",
                next_step="Bring it back from your copy of STEWARD_HOME/keys/evidence.",
            )  # fmt: skip
        try:
            opened = AESGCM(key.raw).decrypt(head[end:], stored[len(head) :], self._bound(head))
        except InvalidTag as problem:
            raise ToolError(
                "evidence", f"the payload {payload.name} was altered", place=str(path)
            ) from problem
        salt, content = opened[:SALT_BYTES], opened[SALT_BYTES:]
        if commitment(salt, content) != payload.commitment:
            raise ToolError("evidence", f"the payload {payload.name} is another document", place=str(path))
        return salt, content

    def problem(self, payload: Payload) -> str:
        """Why a ciphertext is not the one that was referred to: `missing`, `altered`, or '' for none."""
        digest = hashlib.sha256()
        try:
            with self.place(payload.sha256).open("rb") as file:
                while piece := file.read(1 << 20):
                    digest.update(piece)
        except FileNotFoundError:
            return "missing"
        return "" if digest.hexdigest() == payload.sha256 else "altered"

    def exists(self, sha256: str) -> bool:
        """Whether the ciphertext is there."""
        return self.place(sha256).exists()

    def erase(self, sha256: str) -> None:
        """Remove a ciphertext; one that is gone already is no error."""
        path = self.place(sha256)
        if path.exists():
            path.unlink()
            sync_folder(path.parent)

    def _bound(self, head: bytes) -> bytes:
        """What is authenticated beside the content: a ciphertext is good in its own chain only."""
        return head + self._chain.encode()


def commitment(salt: bytes, content: bytes) -> str:
    """SHA-256 of both, one after the other, as `cat SALT DOCUMENT | sha256sum` gives it."""
    return hashlib.sha256(salt + content).hexdigest()
