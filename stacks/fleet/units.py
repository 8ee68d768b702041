"""Names, durations, sizes and networks as the fleet file writes them; each is parsed once."""

from __future__ import annotations

import re
from collections.abc import Hashable
from datetime import timedelta
from functools import cache
from ipaddress import IPv4Network
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

_DURATION = re.compile(r"(?P<count>[1-9][0-9]{0,5})(?P<unit>[smhdw])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_CIDR_PATTERN = r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}$"
_ZONE_PATTERN = r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$"
_NO_ZONES = frozenset({"posix", "right", "localtime", "posixrules", "Factory"})
"""Names in the zone database's folder that are no places; systemd and Python disagree on them."""

HOW_TO_WRITE: dict[str, str] = {}
"""Pattern -> what to write instead of a text that does not match it."""

Item = TypeVar("Item", bound=Hashable)


class Spec(BaseModel):
    """Base of every part of a fleet: frozen, and a key nobody knows is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def told(pattern: str, how_to_write: str) -> str:
    """Register what a mistake says about texts that do not match `pattern`; returns the pattern."""
    HOW_TO_WRITE[pattern] = how_to_write
    return pattern


def parse_duration(value: Any) -> timedelta:
    """`90s`, `30m`, `26h`, `7d` or `2w`; a bare number is refused because it has no unit."""
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("write a duration as a whole number and a unit: 90s, 30m, 26h, 7d or 2w")
    return timedelta(seconds=int(match["count"]) * _SECONDS[match["unit"]])


def format_duration(value: timedelta) -> str:
    """The shortest way the fleet file would write it: 93600 s is `26h`."""
    seconds = int(value.total_seconds())
    for unit in ("w", "d", "h", "m"):
        count, rest = divmod(seconds, _SECONDS[unit])
        if count and not rest and (unit not in "wd" or count > 1):
            return f"{count}{unit}"
    return f"{seconds}s"


def parse_network(value: Any) -> IPv4Network:
    """An IPv4 network in CIDR form whose host bits are zero."""
    if isinstance(value, IPv4Network):
        return value
    if not isinstance(value, str) or not re.fullmatch(_CIDR_PATTERN, value):
        raise ValueError("write a network as IPv4 CIDR, for example 10.41.0.0/24")
    try:
        return IPv4Network(value)
    except ValueError as problem:
        text = str(problem).replace("has host bits set", "names a host")
        raise ValueError(f"write a network as IPv4 CIDR, for example 10.41.0.0/24: {text}") from problem


def distinct(values: tuple[Item, ...]) -> tuple[Item, ...]:
    """Refuse a list that says the same thing twice."""
    seen: set[Item] = set()
    for value in values:
        if value in seen:
            raise ValueError(f"'{value}' is said twice; say it once")
        seen.add(value)
    return values


def no_parent_steps(path: str) -> str:
    """Refuse `.` and `..` steps, so that a path says where it leads."""
    if any(step in (".", "..") for step in path.split("/")):
        raise ValueError("write the path without '.' and '..' steps")
    return path


def parse_zone(value: Any) -> str:
    """An IANA zone such as `Europe/Berlin`, or `UTC`."""
    if not isinstance(value, str) or not is_zone(value):
        raise ValueError(f"write an IANA time zone such as Europe/Berlin or UTC{_nearest_zone(value)}")
    return value


def is_zone(name: str) -> bool:
    """Whether the IANA time zone database knows this name."""
    from zoneinfo import ZoneInfo

    if name == "UTC":
        return True  # also on a machine without the database
    if not re.fullmatch(_ZONE_PATTERN, name) or len(name) > 60 or name.partition("/")[0] in _NO_ZONES:
        return False
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # unknown, a folder such as Europe, or a file of another kind
        return False
    return True


def _nearest_zone(value: Any) -> str:
    from difflib import get_close_matches

    close = get_close_matches(value[:60], _zones(), n=1) if isinstance(value, str) else ()
    return f". Did you mean '{close[0]}'?" if close else ""


@cache
def _zones() -> frozenset[str]:
    from zoneinfo import available_timezones

    return frozenset(available_timezones())  # opens each file of the database


Name = Annotated[
    str,
    Field(
        pattern=told(
            r"^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$",
            "write lower-case letters, digits and dashes, starting with a letter, at most 30 characters",
        ),
        description="Lower-case letters, digits and dashes, starting with a letter; at most 30 characters.",
    ),
]
"""A label: safe in host names, file names, shell words and stack names by construction."""

RoleName = Annotated[
    str,
    Field(
        pattern=told(
            r"^[a-z][a-z0-9_]{0,40}$",
            "write a role's name with lower-case letters, digits and underscores, starting with a letter",
        ),
        description="A role of the playbooks: lower-case letters, digits and underscores.",
    ),
]

Text = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        pattern=told(
            r"^[^\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]*$",
            "write one line of plain text, without control characters",
        ),
    ),
]
"""One line for people: no control characters, and none that turn the direction of what follows."""

Address = Annotated[
    str,
    Field(
        max_length=200,
        pattern=told(
            r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$",
            "write an e-mail address, for example team@acme.example",
        ),
    ),
]
"""An e-mail address a person answers."""

Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration),
    WithJsonSchema(
        {"type": "string", "pattern": "^[1-9][0-9]{0,5}[smhdw]$", "examples": ["30m", "26h", "7d"]}
    ),
]

Cidr = Annotated[
    IPv4Network,
    BeforeValidator(parse_network),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "pattern": _CIDR_PATTERN, "examples": ["10.41.0.0/24"]}),
]

Whole = Annotated[int, Field(strict=True)]
Number = Annotated[float, Field(strict=True)]
Flag = Annotated[bool, Field(strict=True)]
Port = Annotated[int, Field(strict=True, ge=1, le=65_535)]
Path = Annotated[
    str,
    Field(
        max_length=400,
        pattern=told(
            r"^(/[A-Za-z0-9._+-]+)+$",
            "write an absolute path of letters, digits and . _ + - without a slash at the end",
        ),
        description="An absolute path of plain characters on the server.",
    ),
    AfterValidator(no_parent_steps),
]
Zone = Annotated[
    str,
    BeforeValidator(parse_zone),
    WithJsonSchema({"type": "string", "pattern": _ZONE_PATTERN, "examples": ["UTC", "Europe/Berlin"]}),
]
