"""What the local provider says when something cannot be done, and how it hands over what is half made."""

from __future__ import annotations

from collections.abc import Sequence

from stacks.providers.local.wire import Properties


class LocalError(Exception):
    """A problem told as subject, place, message, value got and next step; nothing was left unrecorded."""

    def __init__(
        self, subject: str, message: str, *, place: str = "", got: str = "", next_step: str = ""
    ) -> None:
        super().__init__(message)
        self.subject = subject
        self.place = place
        self.message = message
        self.got = got
        self.next_step = next_step

    def reason(self) -> str:
        """The text without its subject, for a report that names the subject itself."""
        text = f"{self.place}: {self.message}" if self.place else self.message
        if self.got:
            text += f", got {self.got}"
        text = text if text.endswith((".", "?", "!")) else text + "."
        return f"{text} {self.next_step}".rstrip()

    def __str__(self) -> str:
        return f"{self.subject}: {self.reason()}"


class StoppedError(LocalError):
    """The engine asked us to stop, so the work was not begun or not finished."""


class InitFailedError(Exception):
    """Something exists but does not work yet: the engine keeps it in the state and repairs it by Update."""

    def __init__(
        self, identity: str, outputs: Properties, reasons: Sequence[str], inputs: Properties | None = None
    ) -> None:
        super().__init__("; ".join(reasons))
        self.identity = identity
        self.outputs = outputs
        self.reasons = list(reasons)
        self.inputs = inputs
