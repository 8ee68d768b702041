"""Services: what people care about, who owns it, and when it may be touched."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from stacks.fleet.units import Address, Name, Number, Spec, Text, Whole, Zone

_WINDOW = re.compile(r"((Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d")


class HttpProbe(Spec):
    """One request that shows whether the service answers."""

    http: Name = Field(description="The server group that is asked.")
    path: Annotated[str, Field(pattern=r"^/[A-Za-z0-9._~/-]*$", max_length=200)] = "/"
    expect: Whole = Field(200, ge=100, le=599)


class Availability(Spec):
    """The promised share of time in which the probe is answered."""

    target_percent: Number = Field(gt=0, le=100)
    probe: HttpProbe | None = None


def _window(value: Any) -> str:
    if not isinstance(value, str) or not _WINDOW.fullmatch(value):
        raise ValueError("write a window as 'Sun 02:00-04:00', or '02:00-04:00' for every day")
    return value


class Maintenance(Spec):
    """When the service may be interrupted."""

    window: Annotated[str, BeforeValidator(_window)]
    timezone: Zone = "UTC"


class Service(Spec):
    """Something a client's people use; reports speak in these."""

    purpose: Text
    owner: Address
    availability: Availability | None = None
    maintenance: Maintenance | None = None
    servers: tuple[Name, ...] = Field(min_length=1)
