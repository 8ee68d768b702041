"""New contents beside their places, judged, and put in place together."""

from __future__ import annotations

import glob
import os
import tempfile
from typing import Any

from ansible.module_utils.steward_disk import lock_flags, set_lock_flags


class Staging:
    """Files that wait to be put in place; `dry` only tells what would change."""

    def __init__(self, module: Any) -> None:
        self.module = module
        self.dry = bool(module.check_mode)
        self.staged: list[tuple[str, str]] = []
        self.unlocked: list[tuple[str, int]] = []

    def unlock(self, path: str) -> None:
        """Lift `chattr +i` and `+a`, which stop root too; `relock` gives them back."""
        flags = lock_flags(path) if os.path.lexists(path) else 0
        if not flags:
            return
        try:
            set_lock_flags(path, 0)
        except OSError as problem:
            self.module.fail_json(
                msg=f"{path}: is immutable and this host's kernel does not let root change that "
                f"({problem.strerror}). Run chattr -ia {path} from where that is allowed, and converge again."
            )
        self.unlocked.append((path, flags))

    def relock(self) -> None:
        """Give back the flags that were lifted; a file that was replaced or removed is another one now."""
        for path, flags in self.unlocked:
            if os.path.lexists(path):
                set_lock_flags(path, flags)

    def stage(self, path: str, wanted: bytes, owner_mode: tuple[int, int, int], validate: list[str]) -> None:
        """Write new content beside its place and let its program judge it; `commit` puts it in place."""
        folder = os.path.dirname(path)
        if self.dry:
            return
        if not os.path.isdir(folder):
            self.module.fail_json(msg=f"{path}: its folder {folder} does not exist")
        self.unlock(folder)
        self.unlock(path)
        self.clear(folder)
        handle, temporary = tempfile.mkstemp(prefix=".steward-", dir=folder)
        self.staged.append((temporary, path))
        with os.fdopen(handle, "wb") as out:
            out.write(wanted)
            os.fchown(out.fileno(), owner_mode[0], owner_mode[1])
            os.fchmod(out.fileno(), owner_mode[2])
            out.flush()
            os.fsync(out.fileno())
        self.check(path, temporary, validate)

    def clear(self, folder: str) -> None:
        """Remove what a converge that was killed staged here."""
        ours = {temporary for temporary, _ in self.staged}
        for left in glob.glob(os.path.join(glob.escape(folder), ".steward-????????")):
            if left not in ours and os.path.isfile(left):
                os.unlink(left)

    def commit(self) -> None:
        """Put every staged file in place; nothing is replaced unless all were accepted."""
        for temporary, path in self.staged:
            os.replace(temporary, path)
        self.staged.clear()

    def discard(self) -> None:
        """Remove what was staged and not put in place."""
        for temporary, _ in self.staged:
            if os.path.exists(temporary):
                os.unlink(temporary)

    def check(self, path: str, temporary: str, validate: list[str]) -> None:
        """Ask the file's own program; a refusal leaves every old file as it was."""
        if not validate:
            return
        code, out, err = self.module.run_command([part.replace("%s", temporary) for part in validate])
        if code != 0:
            told = (err or out)[-2000:].replace(temporary, path)
            self.module.fail_json(msg=f"{path}: {validate[0]} refused the new content: {told}")
