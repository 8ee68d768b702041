"""What can go wrong here, told to people; only the command line turns it into an exit code."""

from __future__ import annotations


class BackupError(Exception):
    """A backup or restore that must count as failed; the text says what to look at."""


class StoppedError(BaseException):
    """SIGTERM, SIGINT or SIGHUP arrived; no `except BackupError` may swallow it."""
