"""Looks for planted secrets where none may be: processes while something runs, and files of servers."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from orchestrator.redaction import forms
from tests.e2e.world import on_host

SEARCHED = ("/etc", "/var", "/home", "/root", "/tmp", "/run", "/srv", "/usr/local", "/dev/shm", "/opt")
_BETWEEN: Final = 0.05  # seconds
_YOUNG, _RARELY = 60, 20  # looks


def forms_of(secrets: Mapping[str, str]) -> dict[str, str]:
    """What to search for, one line each, with its kind; what two of them share (a key's first line) is no secret."""
    found = [(form, kind) for kind, secret in secrets.items() for form in forms(secret) if "\n" not in form]
    shared = Counter(form for form, _ in found)
    return {form: kind for form, kind in found if shared[form] == 1}


@contextmanager
def processes(parts: tuple[str, ...] = ("cmdline",)) -> Iterator[set[str]]:
    """Arguments (and environments) of every process of machine and servers, looked at again and again.

    What a process is it becomes in its first seconds: later it is looked at once a second, for they are many.
    """
    seen: set[str] = set()
    over = threading.Event()

    def look() -> None:
        times: dict[str, int] = {}
        while not over.wait(_BETWEEN):
            times = {each: times.get(each, 0) + 1 for each in os.listdir("/proc") if each.isdigit()}  # noqa: PTH208
            for process, looked in times.items():
                if looked > _YOUNG and looked % _RARELY:
                    continue
                try:
                    before, *rest = (_read(process, part) for part in parts)
                    if not before or _read(process, parts[0]) != before:
                        continue  # it is becoming another program: arguments of one, environment of the other
                except OSError:
                    continue
                seen.add(b"\n".join((before, *rest)).replace(b"\0", b" ").decode(errors="replace"))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def _read(process: str, part: str) -> bytes:
    with open(f"/proc/{process}/{part}", "rb") as file:  # noqa: PTH123  # thousands a second
        return file.read()


def holders(seen: set[str], wanted: Mapping[str, str]) -> set[str]:
    """Which kind of secret was seen in which process, by the beginning of its command line."""
    return {f"{kind}: {text[:80]}" for text in seen for form, kind in wanted.items() if form in text}


def files_with(container: str, wanted: Mapping[str, str]) -> dict[str, str]:
    """Mode and owner of every file of a server in which one of these is."""
    patterns = "\n".join(wanted)
    on_host(container, "python3", "-c", f"open('/dev/shm/.wanted', 'w').write({patterns!r})")
    try:
        words = ["grep", "-rlF", "--binary-files=text", "-f", "/dev/shm/.wanted", *SEARCHED]
        found = on_host(container, *words, check=False)
    finally:
        on_host(container, "rm", "/dev/shm/.wanted")
    paths = sorted({line for line in found.splitlines() if line != "/dev/shm/.wanted"})
    return {path: on_host(container, "stat", "-c", "%a %U", path).strip() for path in paths}


def files_of(paths: Iterable[Path], wanted: Mapping[str, str]) -> list[str]:
    """Which kind of secret is in which of these files."""
    return [
        f"{kind}: {path}"
        for path in paths
        for text in [path.read_bytes().decode(errors="replace")]
        for form, kind in wanted.items()
        if form in text
    ]
