"""Every error a person can meet, with the exit code it ends in.

    StewardError
    ├── FindingsError      1  judged and found wanting: blocking policy, RPO missed, failed check
    ├── InputError         2  bad input or environment; nothing was touched
    ├── ToolError          3  a tool or a host failed
    ├── WaitingError       4  waiting for an approval
    └── StoppedError     130  interrupted by Ctrl-C or TERM

Libraries raise these; only `orchestrator.cli` turns them into text and an exit code.
"""

from __future__ import annotations

from typing import ClassVar


class StewardError(Exception):
    """A problem told in five parts, so that its reader can act without reading our code."""

    exit_code: ClassVar[int] = 3

    def __init__(
        self,
        subject: str,
        message: str,
        *,
        place: str = "",
        rule: str = "",
        got: str = "",
        next_step: str = "",
    ) -> None:
        super().__init__(message)
        self.subject = subject
        self.message = message
        self.place = place
        self.rule = rule
        self.got = got
        self.next_step = next_step

    def __str__(self) -> str:
        head = f"{self.subject}: {self.place}: " if self.place else f"{self.subject}: "
        text = head + self.message
        if self.rule:
            text += f" (rule: {self.rule})"
        if self.got:
            text += f", got {self.got}"
        text = text if text.endswith((".", "?", "!")) else text + "."
        return f"{text} {self.next_step}".rstrip()


class FindingsError(StewardError):
    """The subject was judged and something was found; nothing is broken."""

    exit_code = 1


class InputError(StewardError):
    """The input or the environment is wrong; nothing was touched."""

    exit_code = 2


class ToolError(StewardError):
    """A tool or a host failed while it worked for us."""

    exit_code = 3


class WaitingError(StewardError):
    """The run waits for somebody's approval."""

    exit_code = 4


class StoppedError(StewardError):
    """A person or the system stopped the run; everything it started has been ended."""

    exit_code = 130
