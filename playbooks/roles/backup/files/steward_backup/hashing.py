"""Digests of files, read side by side in threads, while something else goes on or on their own."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from queue import SimpleQueue
from types import TracebackType
from typing import NamedTuple, Self

WORKERS = min(4, os.cpu_count() or 1)
CHUNK = 256 * 1024  # bytes; stays in a processor's cache between the read and the digest
OPENING = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe must not hold a thread up


class Seen(NamedTuple):
    """The file that was read, and the SHA-256 of its content."""

    inode: int
    sha256: str


class Hashing:
    """Threads that digest the files they are told of; leaving the block cuts short what is not done."""

    def __init__(self) -> None:
        self._told: SimpleQueue[tuple[str, str] | None] = SimpleQueue()
        self._left = threading.Event()
        self._threads = [threading.Thread(target=self._work) for _ in range(WORKERS)]
        self.seen: dict[str, Seen] = {}
        self.unread: dict[str, OSError] = {}

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()
        self.finish()

    def tell(self, name: str, path: str) -> None:
        """Have a file digested; what comes of it is found under the name, in `seen` or in `unread`."""
        self._told.put((name, path))

    def finish(self) -> None:
        """Wait until every file that was told is digested; none can be told after that."""
        for _ in self._threads:
            self._told.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        buffer = memoryview(bytearray(CHUNK))
        while (told := self._told.get()) is not None and not self._left.is_set():
            name, path = told
            try:
                self._read(name, path, buffer)
            except OSError as problem:
                self.unread[name] = problem

    def _read(self, name: str, path: str, buffer: memoryview) -> None:
        """Digest one regular file; hashing and reading leave the interpreter's lock."""
        source = os.open(path, OPENING)
        try:
            found = os.fstat(source)
            if not stat.S_ISREG(found.st_mode):
                raise OSError(f"{path} is not a regular file")
            sha256 = hashlib.sha256()
            while size := os.readv(source, [buffer]):
                if self._left.is_set():
                    return
                sha256.update(buffer[:size])
            self.seen[name] = Seen(found.st_ino, sha256.hexdigest())
        finally:
            os.close(source)


def digests(paths: list[str]) -> list[str]:
    """SHA-256 of many files; one that cannot be read is an OSError."""
    with Hashing() as hashing:
        for path in paths:
            hashing.tell(path, path)
        hashing.finish()
        if hashing.unread:
            raise next(iter(hashing.unread.values()))
        return [hashing.seen[path].sha256 for path in paths]
