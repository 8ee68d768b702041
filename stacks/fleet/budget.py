"""What the client agreed to pay."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from stacks.fleet.units import Spec, Whole


def _money(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError("write an amount as a number, for example 250 or 249.90")
    try:
        return Decimal(str(value))
    except ArithmeticError as problem:
        raise ValueError("write an amount as a number, for example 250 or 249.90") from problem


class Budget(Spec):
    """A ceiling in one currency; `on_exceed` says whether a plan above it is refused or only marked."""

    amount: Annotated[
        Decimal, BeforeValidator(_money), PlainSerializer(str), WithJsonSchema({"type": "number"})
    ] = Field(gt=0, le=10**9, decimal_places=2)
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    per: Literal["month", "year"] = "month"
    warn_at_percent: Whole = Field(80, ge=1, le=100)
    on_exceed: Literal["block", "warn"] = "block"
