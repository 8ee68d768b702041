"""What the client agreed to pay."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from stacks.fleet.units import Spec, Whole, told

_HOW_TO_WRITE = "write an amount as a number, for example 250 or 249.90"


def _money(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError(_HOW_TO_WRITE)  # noqa: TRY004  # pydantic makes a mistake of a ValueError only
    try:
        return Decimal(str(value))
    except ArithmeticError as problem:
        raise ValueError(_HOW_TO_WRITE) from problem


class Budget(Spec):
    """A ceiling in one currency; `on_exceed` says whether a plan above it is refused or only marked."""

    amount: Annotated[
        Decimal, BeforeValidator(_money), PlainSerializer(str), WithJsonSchema({"type": "number"})
    ] = Field(gt=0, le=10**9, decimal_places=2)
    currency: Annotated[
        str, Field(pattern=told(r"^[A-Z]{3}$", "write a currency as three capital letters, for example EUR"))
    ]
    per: Literal["month", "year"] = "month"
    warn_at_percent: Whole = Field(80, ge=1, le=100)
    on_exceed: Literal["block", "warn"] = "block"
