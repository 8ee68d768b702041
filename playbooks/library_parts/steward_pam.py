"""Profiles of PAM, enabled by Debian's own program; taken back where the admin could not be root any more."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

FOLDER = "/etc/pam.d"
FILES = (
    "common-account",
    "common-auth",
    "common-password",
    "common-session",
    "common-session-noninteractive",
)
Run = Callable[[Sequence[str]], tuple[int, str, str]]


def lacking(wanted: Mapping[str, str]) -> list[str]:
    """Profiles whose PAM module is in none of the common files; `wanted` is module by profile."""
    text = "\n".join(content for content in _contents().values())
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    return [profile for profile, module in wanted.items() if not any(module in line for line in lines)]


def enable(profiles: Sequence[str], admin: str, run: Run) -> str:
    """Enable profiles; why it was taken back, '' when it holds. Files changed by hand stay as they are."""
    before = _contents()
    code, out, err = run(["pam-auth-update", "--enable", *profiles])
    if code != 0:
        return f"pam-auth-update: {(err or out).strip()[-500:]}"
    code, out, err = run(["runuser", "-u", admin, "--", "sudo", "-n", "true"])
    if code == 0:
        return ""
    for name, content in before.items():
        with open(os.path.join(FOLDER, name), "w", encoding="utf-8") as target:
            target.write(content)
    told = (err or out).strip()[-500:]
    return f"with {', '.join(profiles)} {admin} could no longer become root: {told}"


def _contents() -> dict[str, str]:
    found = {}
    for name in FILES:
        path = os.path.join(FOLDER, name)
        if os.path.exists(path):
            with open(path, encoding="utf-8", errors="replace") as source:
                found[name] = source.read()
    return found
