"""Pulumi's error texts, read into errors with a next step."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from orchestrator.errors import InputError, StewardError, ToolError

_PASSPHRASE = re.compile(
    r"incorrect passphrase|passphrase must be set|could not decrypt|message authentication failed"
)
_LOCKED = re.compile(r"the stack is currently locked by (?P<who>.*)", re.DOTALL)

_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)$")
_NO_SPACE = re.compile(r"no space left on device", re.IGNORECASE)

_SIGNAL = re.compile(r"^\s*code: -(\d+)$", re.MULTILINE)

_PROTECTED = re.compile(
    r"(?P<urn>urn:pulumi:[^\s\"']+::(?P<name>[\w-]+))[\"']?[^\n]*(?:\n[^\n]*){0,3}?protect", re.IGNORECASE
)


def protected_urns(text: str) -> set[str]:
    """The protected resources that a refusal names."""
    return {match["urn"] for match in _PROTECTED.finditer(text)}


def read_instant(text: str) -> datetime | None:
    """A time as Pulumi writes it (RFC 3339, up to nanoseconds) in UTC; None for anything else."""
    found = _INSTANT.match(text)
    return datetime.fromisoformat(f"{found[1]}{found[2]}").astimezone(UTC) if found else None


def killed(text: str) -> str:
    """What to say where the engine was ended from outside, else ''; `text` is the record of its command."""
    found = _SIGNAL.search(text)
    return f"pulumi was killed by signal {found[1]} in the middle of its work" if found else ""


def explain(stack: str, verb: str, text: str) -> StewardError:
    """The error a person should see for what `pulumi VERB` said."""
    if _PASSPHRASE.search(text):
        return InputError(
            stack, "the passphrase does not open this stack's state",
            place=f"keys/{stack}/passphrase in STEWARD_HOME",
            next_step="Put back the passphrase it was made with; it is in your backup of STEWARD_HOME.",
        )  # fmt: skip
    if killed(text):
        return ToolError(stack, killed(text), next_step="Run the same command again: it goes on from there.")
    locked = _LOCKED.search(text)
    if locked:
        return InputError(
            stack, "another process works on this stack", got=" ".join(locked["who"].split())[:200],
            next_step="Wait for it. When it is dead: eval \"$(steward env --fleet FILE)\" && pulumi cancel",
        )  # fmt: skip
    kept = _PROTECTED.search(text)
    if kept:
        return InputError(
            stack, f"'{kept['name']}' bears data and would be deleted; nothing was changed", got=kept["urn"],
            next_step="Put it back into the fleet. To lose its data: eval \"$(steward env --fleet FILE)\" "
            f"&& pulumi state unprotect '{kept['urn']}' --yes, then run steward up again.",
        )  # fmt: skip
    if _NO_SPACE.search(text):
        return ToolError(
            "this machine", "its disk is full, so not everything could be written", place="STEWARD_HOME",
            next_step="Free space there, then run this again: it goes on where it ended.",
        )  # fmt: skip
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return ToolError(stack, f"pulumi {verb} failed: {' '.join(lines[-6:])[:1500]}")
