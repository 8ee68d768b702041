"""Keys on a host beside those that the fleet knows: whose each is, and whether its holder has left."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from policies.facts import Unknown
from policies.subjects.moments import end_of_day

_NOT_SAID: Final = Unknown("the fleet does not say whose keys may be here")
_DAY: Final = 86_400.0


def keys(found: object, expected: object, at: datetime) -> object:
    """Each key with `holder`, '' when nobody is listed, and `days_past_end`, None while it may be used."""
    if not isinstance(found, Sequence) or isinstance(found, str):
        return found
    told = expected.get("administrators") if isinstance(expected, Mapping) else expected
    if told is None:
        told = _NOT_SAID
    holders = told if isinstance(told, Unknown) else dict(_holders(told, at))
    return [_key(row, holders) for row in found]


def fingerprint(public_key: str) -> str | None:
    """SHA256:… of an OpenSSH public key or of a fingerprint itself; None for anything else."""
    words = public_key.split()
    if len(words) == 1 and public_key.startswith("SHA256:"):
        return public_key
    try:
        blob = base64.b64decode(words[1], validate=True) if len(words) >= 2 else b""
    except (binascii.Error, ValueError):
        return None
    if not blob:
        return None
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _holders(told: object, at: datetime) -> Iterator[tuple[str, tuple[str, object]]]:
    """Fingerprint -> (name, days past the end); an end that is no date makes the days unknown."""
    for person in told if isinstance(told, Sequence) and not isinstance(told, str) else ():
        if not isinstance(person, Mapping):
            continue
        name, ends_on = str(person.get("name", "")), person.get("ends_on")
        end = end_of_day(ends_on)
        past: object = None
        if ends_on is not None:
            past = Unknown(f"end date of {name[:60]} is no date") if end is None else None
            if end is not None and at > end:
                past = (at - end).total_seconds() / _DAY
        own = person.get("keys")
        for key in own if isinstance(own, Sequence) and not isinstance(own, str) else ():
            known = fingerprint(key) if isinstance(key, str) else None
            if known:
                yield known, (name, past)


def _key(row: object, holders: Unknown | Mapping[str, tuple[str, object]]) -> object:
    if not isinstance(row, Mapping):
        return row
    if "unknown" in row:
        why = Unknown(str(row["unknown"])[:300])
        unread = dict.fromkeys(("type", "bits", "fingerprint", "options", "holder", "days_past_end"), why)
        return {**{key: row[key] for key in ("account", "file") if key in row}, **unread}
    if isinstance(holders, Unknown):
        return {**row, "holder": holders, "days_past_end": holders}
    name, past = holders.get(str(row.get("fingerprint")), ("", None))
    return {**row, "holder": name, "days_past_end": past}
