"""The admin keys of a stack on disk: the one in use, the one to come, and the one on its way out."""

from __future__ import annotations

import os
from pathlib import Path

from orchestrator.ports.rotation import KeyPair
from orchestrator.provisioning.credentials import admin_key, make_key, public_line


class FileKeyRing:
    """Implements `ports.rotation.KeyRing`; every step is one rename, so a stop leaves one of the states."""

    def __init__(self, folder: Path, stack: str) -> None:
        self._stack = stack
        self._current = admin_key(folder).private
        self._coming = self._current.with_name("id_ed25519.coming")
        self._retiring = self._current.with_name("id_ed25519.retiring")

    def current(self) -> KeyPair:
        """The key in use."""
        return self._pair(self._current)

    def prepare(self) -> KeyPair:
        """The key to come, made on first call."""
        if not self._coming.exists():
            make_key(self._coming)
        return self._pair(self._coming)

    def promote(self) -> None:
        """First a second name for the key in use, then the key to come takes its place."""
        public = self._current.with_name(f"{self._current.name}.pub")
        self._retiring.unlink(missing_ok=True)
        os.link(self._current, self._retiring)
        public.unlink(missing_ok=True)  # ssh refuses a private half beside the public half of another
        self._coming.replace(self._current)
        public.unlink(missing_ok=True)  # made again from the private half, by whoever needs it next

    def retiring(self) -> KeyPair | None:
        """None also where a stop came before the key to come took its place."""
        if not self._retiring.exists() or self._coming.exists():
            return None
        if self._retiring.samefile(self._current):
            return None
        return self._pair(self._retiring)

    def forget_retiring(self) -> None:
        """No host lets it in any more."""
        self._retiring.unlink(missing_ok=True)

    def _pair(self, private: Path) -> KeyPair:
        return KeyPair(private, public_line(private, self._stack))
