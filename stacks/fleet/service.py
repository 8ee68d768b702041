"""Services: what people care about, who owns it, and when it may be touched."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from stacks.fleet.units import Address, Name, Number, Spec, Text, Whole, Zone, distinct, told

_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_WINDOW = rf"^((Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?{_TIME}-{_TIME}$"


class HttpProbe(Spec):
    """One request that shows whether the service answers."""

    http: Name = Field(description="The server group that is asked.")
    path: Annotated[
        str,
        Field(
            pattern=told(r"^/[A-Za-z0-9._~/-]*$", "write a path such as / or /health, without a query"),
            max_length=200,
        ),
    ] = "/"
    expect: Whole = Field(200, ge=100, le=599, description="HTTP status of a healthy answer.")


class Availability(Spec):
    """The promised share of time in which the probe is answered."""

    target_percent: Number = Field(gt=0, le=100, description="Promised share of time, in percent.")
    probe: HttpProbe | None = None


def _window(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(_WINDOW, value):
        raise ValueError("write a window as 'Sun 02:00-04:00', or '02:00-04:00' for every day")
    if value[-5:] == value[-11:-6]:
        raise ValueError("a window ends at another time than it begins")
    return value


class Maintenance(Spec):
    """When the service may be interrupted."""

    window: Annotated[
        str,
        BeforeValidator(_window),
        WithJsonSchema(
            {"type": "string", "pattern": _WINDOW, "examples": ["Sun 02:00-04:00", "02:00-04:00"]}
        ),
    ]
    timezone: Zone = Field("UTC", description="IANA zone of the window.")


class Service(Spec):
    """Something a client's people use; reports speak in these."""

    purpose: Text
    owner: Address
    availability: Availability | None = None
    maintenance: Maintenance | None = None
    servers: Annotated[tuple[Name, ...], AfterValidator(distinct)] = Field(
        min_length=1, description="Server groups the service runs on."
    )
