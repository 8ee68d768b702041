"""Pulumi's error texts, read into errors with a next step."""

from __future__ import annotations

import re

from orchestrator.errors import InputError, StewardError, ToolError

_PASSPHRASE = re.compile(
    r"incorrect passphrase|passphrase must be set|could not decrypt|message authentication failed"
)
_LOCKED = re.compile(r"the stack is currently locked by (?P<who>.*)", re.DOTALL)


def explain(stack: str, verb: str, text: str) -> StewardError:
    """The error a person should see for what `pulumi VERB` said."""
    if _PASSPHRASE.search(text):
        return InputError(
            stack, "the passphrase does not open this stack's state",
            place=f"keys/{stack}/passphrase in STEWARD_HOME",
            next_step="Put back the passphrase it was made with; it is in your backup of STEWARD_HOME.",
        )  # fmt: skip
    locked = _LOCKED.search(text)
    if locked:
        return InputError(
            stack, "another process works on this stack", got=" ".join(locked["who"].split())[:200],
            next_step="Wait for it. When it is dead: eval \"$(steward env --fleet FILE)\" && pulumi cancel",
        )  # fmt: skip
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return ToolError(stack, f"pulumi {verb} failed: {' '.join(lines[-6:])[:1500]}")
