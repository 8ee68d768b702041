"""The one redactor on every way out: what this process has learnt as a secret leaves it as `[redacted]`.

Adapters that come to hold a secret say so with `know`. What is hidden is the secret itself, each longer line
of one with several, and the forms in which programs repeat it: quoted for a URL, a shell, JSON, HTML or
Python, in base64 (also as part of something longer, such as an Authorization header), and in hexadecimal.
"""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache
from threading import Lock
from typing import Any, TextIO, cast
from urllib.parse import quote, quote_plus

HIDDEN = "[redacted]"
SHORTEST = 6
"""Anything shorter would blot out ordinary words; no generated secret is."""
_SHORTEST_LINE = 12
_DOUBLE_QUOTED = re.compile(r'[\\"$`]')
"""What a shell, and systemd, want a backslash before, between double quotes."""
_FEW = 200
"""Up to so many forms, looking for each in turn is faster than looking at each position."""


class _Index:
    """Forms made ready to be looked for, the longest first, so that no part of a longer one stays behind."""

    def __init__(self, found: Iterable[str]) -> None:
        self.forms = sorted(found, key=lambda form: (-len(form), form))
        self.width = min((SHORTEST, *map(len, self.forms)))
        self.heads: dict[str, list[str]] = {}
        for form in self.forms:
            self.heads.setdefault(form[: self.width], []).append(form)

    def hide(self, text: str) -> str:
        """The text with every form hidden, in the way that is faster for so many."""
        return self.one_by_one(text) if len(self.forms) <= _FEW else self.by_position(text)

    def one_by_one(self, text: str) -> str:
        """For few secrets."""
        for form in self.forms:
            if form in text:
                text = text.replace(form, HIDDEN)
        return text

    def by_position(self, text: str) -> str:
        """For many: at each position, only forms that begin as the text does there are compared."""
        parts, kept, at = [], 0, 0
        while at <= len(text) - self.width:
            begun = self.heads.get(text[at : at + self.width], ())
            found = next((form for form in begun if text.startswith(form, at)), None)
            if found is None:
                at += 1
            else:
                parts += [text[kept:at], HIDDEN]
                at = kept = at + len(found)
        return "".join([*parts, text[kept:]])


class _Known:
    """The forms of every secret learnt so far; their index is made when it is asked for."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.secrets: set[str] = set()
        self.forms: set[str] = set()
        self._index: _Index | None = None

    def learn(self, secrets: Iterable[str]) -> None:
        """Add what is new."""
        with self.lock:
            for secret in secrets:
                if secret not in self.secrets:
                    self.secrets.add(secret)
                    self.forms |= forms(secret)
                    self._index = None

    def index(self) -> _Index:
        """All that is known; made once, because a report alone asks for it thousands of times."""
        found = self._index
        if found is None:
            with self.lock:
                found = self._index = _Index(self.forms)
        return found


_known = _Known()


def know(*secrets: str) -> None:
    """These are secrets from now on, for all that leaves this process."""
    _known.learn(secrets)


def redacted(text: str, secrets: Collection[str] = ()) -> str:
    """The text with every known secret, and those given here, hidden in all their forms."""
    index = _known.index()
    if secrets:
        index = _Index({*index.forms, *(form for each in secrets for form in forms(each, shortest=1))})
    return index.hide(text)


def redacted_values(value: Any) -> Any:
    """A document of plain values with every text in it redacted; keys are names of ours."""
    return _hidden(value, cache(_known.index().hide))  # a report says most of its words a hundred times


def _hidden(value: Any, hide: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, Mapping):
        return {key: _hidden(item, hide) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(item, hide) for item in value]
    return value


def forms(secret: str, *, shortest: int = SHORTEST) -> set[str]:
    """Every way in which a program may write the secret; none of what is too short to be told from words."""
    whole = secret.strip()
    if len(whole) < shortest:
        return set()
    lines = [line.strip() for line in whole.splitlines()]
    parts = [line for line in lines if len(line) >= _SHORTEST_LINE and not line.startswith("-----")]
    found = {form for part in (secret, whole, *(parts if len(lines) > 1 else ())) for form in _written(part)}
    return {form for form in found if len(form) >= shortest}


def _written(secret: str) -> Iterator[str]:
    yield secret
    yield from (quote(secret, safe=""), quote(secret), quote_plus(secret))
    yield shlex.quote(secret).removeprefix("'").removesuffix("'")
    yield secret.replace("'", "'\\''")
    yield _DOUBLE_QUOTED.sub(r"\\\g<0>", secret)
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    yield from (html.escape(secret), html.escape(secret, quote=False))
    yield repr(secret)[1:-1]
    yield secret.replace("\n", " ")
    raw = secret.encode("utf-8", "surrogateescape")
    yield raw.hex()
    yield from _base64(raw)


def _base64(raw: bytes) -> Iterator[str]:
    """With 0, 1 or 2 bytes before it, the same bytes read otherwise; what neighbours decide is left out."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw).decode()
        begin = (before * 8 + 5) // 6
        end = (before + len(raw)) * 8 // 6
        core = encoded[begin:end]
        if len(core) >= 2 * SHORTEST:
            yield core
            yield core.replace("+", "-").replace("/", "_")


def guarded(stream: TextIO) -> TextIO:
    """The stream, with no known secret leaving on it; one that is guarded already stays as it is."""
    return stream if isinstance(stream, Outlet) else cast("TextIO", Outlet(stream))


class Outlet:
    """A text stream on which no known secret leaves; everything but `write` is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Pass on the text without secrets; the length told is that of what was given."""
        self._stream.write(redacted(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """As `write`, for each."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
