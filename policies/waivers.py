"""Waivers: a finding that somebody owns, another approved, and that ends on a day; one signed file each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fnmatch import translate
from functools import cached_property
from pathlib import Path
from typing import Final

from policies import yamlfile
from policies.facts import shown
from policies.model import PackError, Subject
from policies.people import plain_person

FOLDER: Final = "waivers"
ENDING: Final = ".yaml"
SIGNATURE_ENDING: Final = ".sig"
MOST: Final = 1_000
_TEXTS: Final = ("id", "rule", "subject", "owner", "approver", "reason", "ticket", "compensating_control")
_DAYS: Final = ("created", "expires")
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LONGEST: Final = 2_000
_WILD: Final = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Waiver:
    """One exception; it holds until the last second of `expires` in UTC."""

    id: str
    rule: str
    subject: str
    """The URN of a subject, or a pattern with `*`, `?` and `[...]` for several."""
    owner: str
    approver: str
    reason: str
    ticket: str
    created: date
    expires: date
    compensating_control: str

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(translate(self.subject))

    def matches(self, urn: str) -> bool:
        """Whether the subject of this URN is meant."""
        return urn == self.subject or self._pattern.match(urn) is not None


def as_text(waiver: Waiver) -> str:
    """The file of a waiver, as an approver reads and signs it; quoted, so that no text looks like a field."""
    fields = (*_TEXTS[:-1], *_DAYS, _TEXTS[-1])
    values = {key: getattr(waiver, key) for key in fields}
    return "".join(
        f"{key}: {value.isoformat() if key in _DAYS else json.dumps(value, ensure_ascii=False)}\n"
        for key, value in values.items()
    )


def read_waivers(folder: Path) -> tuple[Waiver, ...]:
    """Every waiver of a policy reference by id, none without the folder; raises PackError by file."""
    room = folder / FOLDER
    if not room.exists():
        return ()
    files = sorted(path for path in room.iterdir() if path.suffix != SIGNATURE_ENDING)
    if len(files) > MOST:
        raise PackError(f"{FOLDER}: {len(files)} waivers; at most {MOST}: mend what they excuse")
    return parse_waivers([(path.name, yamlfile.read_bytes(path)) for path in files])


def parse_waivers(files: Iterable[tuple[str, bytes]]) -> tuple[Waiver, ...]:
    """The waivers of files by their names; raises PackError that names file and field."""
    waivers: dict[str, Waiver] = {}
    for name, content in files:
        place = f"{FOLDER}/{name}"
        waiver = _waiver(yamlfile.parse(content, place, as_it_looks=True), place)
        if name != waiver.id + ENDING:
            raise PackError(f"{place}.id: is {waiver.id!r}; name the file {waiver.id}{ENDING}")
        if waiver.id.casefold() in waivers:
            raise PackError(f"{place}.id: {waiver.id!r} is the id of another waiver")
        waivers[waiver.id.casefold()] = waiver
    return tuple(sorted(waivers.values(), key=lambda each: each.id))


def _waiver(raw: object, place: str) -> Waiver:
    body = yamlfile.mapping(raw, place, required=(*_TEXTS, *_DAYS), optional=())
    texts = {key: _text(body[key], f"{place}.{key}") for key in _TEXTS}
    created, expires = (_day(body[key], f"{place}.{key}") for key in _DAYS)
    if not _ID.fullmatch(texts["id"]):
        raise PackError(f"{place}.id: expected letters, digits, dots and dashes; got {shown(texts['id'])}")
    for key in ("owner", "approver"):
        plain_person(texts[key], f"{place}.{key}")
    if expires < created:
        raise PackError(f"{place}.expires: {expires} is before it was created, {created}")
    return Waiver(**texts, created=created, expires=expires)


def _text(value: object, place: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST:
        got = "an empty one" if isinstance(value, str) and not value.strip() else shown(value)
        raise PackError(f"{place}: expected a text of at most {_LONGEST} characters, got {got}")
    return value.strip()


def _day(value: object, place: str) -> date:
    # A time of day would ask whose; a day ends for everybody with its last second in UTC.
    if not isinstance(value, date) or isinstance(value, datetime):
        got = str(value) if isinstance(value, datetime) else shown(value)
        raise PackError(f"{place}: expected a day as 2026-12-31, got {got}")
    return value


def matched(waivers: Sequence[Waiver], subjects: Sequence[Subject]) -> Mapping[str, tuple[int, ...]]:
    """Id of each waiver -> places of the subjects it means."""
    if not waivers:
        return {}
    by_urn: dict[str, list[int]] = {}
    for place, subject in enumerate(subjects):
        by_urn.setdefault(subject.urn, []).append(place)
    found = {}
    for waiver in waivers:
        # Most name one subject: only a pattern has to be held against all of them.
        wild = _WILD.search(waiver.subject)
        urns = [urn for urn in by_urn if waiver.matches(urn)] if wild else [waiver.subject]
        found[waiver.id] = tuple(place for urn in urns for place in by_urn.get(urn, ()))
    return found
