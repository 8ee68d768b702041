"""The admin keys of a stack on disk: the one in use, the one to come, and the one on its way out."""

from __future__ import annotations

from pathlib import Path

from orchestrator.ports.rotation import KeyPair
from orchestrator.private_file import write_private
from orchestrator.provisioning.credentials import (
    IN_USE,
    admin_key,
    make_key,
    places_in_use,
    public_half,
    public_line,
)


class FileKeyRing:
    """Implements `ports.rotation.KeyRing`; every step is one rename, so a stop leaves one of the states.

    A key stays where it is while it lives: what changes is the file that names the place of the one in use.
    """

    def __init__(self, folder: Path, stack: str) -> None:
        self._folder = folder
        self._stack = stack

    def current(self) -> KeyPair:
        """The key in use."""
        return self._pair(admin_key(self._folder).private)

    def prepare(self) -> KeyPair:
        """The key to come, made on first call."""
        current, other = admin_key(self._folder).places
        if len(places_in_use(self._folder)) > 1 and self.retiring() is None:
            self._record(current)  # a stop came between the end of a key and this
        if not other.exists():
            make_key(other)
        return self._pair(other)

    def promote(self) -> None:
        """The key to come is named as the one in use, the one before it as retiring, both in one stroke."""
        current, other = admin_key(self._folder).places
        self._record(other, current)

    def retiring(self) -> KeyPair | None:
        """None where the key to come is not yet in use."""
        _, *before = places_in_use(self._folder)
        left = [self._folder / "ssh" / place for place in before]
        return self._pair(left[0]) if left and left[0].exists() else None

    def forget_retiring(self) -> None:
        """No host lets it in any more; its name goes last, so that it is never taken for a key to come."""
        current, other = admin_key(self._folder).places
        for path in (public_half(other), other):
            path.unlink(missing_ok=True)
        self._record(current)

    def _record(self, *places: Path) -> None:
        write_private(self._folder / "ssh" / IN_USE, "".join(f"{place.name}\n" for place in places))

    def _pair(self, private: Path) -> KeyPair:
        return KeyPair(private, public_line(private, self._stack))
