"""Names, durations, sizes and networks as the fleet file writes them; each parses once and is trusted afterwards."""

from __future__ import annotations

import re
from datetime import timedelta
from ipaddress import IPv4Network
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, StringConstraints, WithJsonSchema

_DURATION = re.compile(r"(?P<count>[1-9][0-9]{0,5})(?P<unit>[smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class Spec(BaseModel):
    """Base of every part of a fleet: frozen, and a key nobody knows is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


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
    if not isinstance(value, str) or "/" not in value:
        raise ValueError("write a network as CIDR, for example 10.41.0.0/24")
    try:
        return IPv4Network(value)
    except ValueError as problem:
        raise ValueError(f"not an IPv4 network: {problem}") from problem


Name = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$"),
    Field(description="Lower-case letters, digits and dashes, starting with a letter; at most 30 characters."),
]
"""A label: safe in host names, file names, shell words and stack names by construction."""

RoleName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,40}$"),
    Field(description="A role of the playbooks: lower-case letters, digits and underscores."),
]

Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""One line for people, without control characters."""

Address = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+$")]
"""An e-mail address a person answers."""

Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration),
    WithJsonSchema({"type": "string", "pattern": "^[1-9][0-9]{0,5}[smhdw]$", "examples": ["30m", "26h", "7d"]}),
]

Cidr = Annotated[
    IPv4Network,
    BeforeValidator(parse_network),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "examples": ["10.41.0.0/24"]}),
]

Whole = Annotated[int, Field(strict=True)]
Number = Annotated[float, Field(strict=True)]
Flag = Annotated[bool, Field(strict=True)]
Port = Annotated[int, Field(strict=True, ge=1, le=65_535)]
Path = Annotated[
    str,
    StringConstraints(max_length=400, pattern=r"^(/[A-Za-z0-9._+-]+)+$"),
    Field(description="An absolute path of plain characters on the server."),
]


def no_parent_steps(path: str) -> str:
    """Refuse `.` and `..` steps, so that a path says where it leads."""
    if any(step in (".", "..") for step in path.split("/")):
        raise ValueError("write the path without '.' and '..' steps")
    return path


def is_zone(name: str) -> bool:
    """Whether the IANA time zone database knows this name."""
    from zoneinfo import available_timezones

    return name in available_timezones()


def parse_zone(value: Any) -> str:
    """An IANA zone such as `Europe/Berlin`, or `UTC`."""
    if not isinstance(value, str) or not is_zone(value):
        raise ValueError("write an IANA time zone such as Europe/Berlin or UTC")
    return value


Zone = Annotated[str, BeforeValidator(parse_zone)]
