"""How sshd is configured in effect, by its own word."""

from __future__ import annotations

import os
from typing import Any

from orchestrator.host_facts.parts.reading import said

_LISTS = {"ciphers", "macs", "kexalgorithms", "hostkeyalgorithms", "pubkeyacceptedalgorithms"}
_SPACED = {"allowusers", "allowgroups", "denyusers", "denygroups", "authorizedkeysfile", "subsystem"}


def sshd() -> dict[str, Any]:
    """`sshd -T` with lists split; an option that may be given more than once is a list too."""
    if not os.path.exists("/usr/sbin/sshd"):
        return {"installed": False}
    found: dict[str, Any] = {"installed": True}
    for line in said("/usr/sbin/sshd", "-T").splitlines():
        key, _, value = line.partition(" ")
        if key in _LISTS:
            found[key] = value.split(",")
        elif key in _SPACED:
            found[key] = [*found.get(key, []), *value.split()]
        elif key not in found and len(value) < 500:
            found[key] = value
    return found


def key_files(config: dict[str, Any]) -> list[str]:
    """Where sshd looks for the keys of an account; the usual places where it cannot be asked."""
    usual = [".ssh/authorized_keys", ".ssh/authorized_keys2"]
    return [each for each in config.get("authorizedkeysfile", usual) if each != "none"]
