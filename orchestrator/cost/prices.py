"""The price book: what a client pays a month, by kind of resource; a file of the client's own, never ours.

Nothing has a price that the book does not name: such a resource is unpriced, which is not the same as free.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from orchestrator.errors import InputError

_LARGEST = 1 << 20
_NEXT = "docs/cost.md shows a whole price book."


def _money(value: Any) -> Decimal:
    """A number as it is written: 3.1 is 3.10, never 3.1000000000000001."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError("write an amount as a number, for example 3.10")  # noqa: TRY004  # pydantic's way
    try:
        return Decimal(str(value))
    except ArithmeticError as problem:
        raise ValueError("write an amount as a number, for example 3.10") from problem


Money = Annotated[Decimal, BeforeValidator(_money), Field(ge=0, le=10**9)]


class Price(BaseModel):
    """What one resource of a kind costs a month: `each`, and for what is in it; `region` narrows it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str = Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")
    region: str | None = None
    each: Money | None = None
    per_cpu: Money | None = None
    per_memory_gib: Money | None = None
    per_gib: Money | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Price:
        if all(each is None for each in (self.each, self.per_cpu, self.per_memory_gib, self.per_gib)):
            raise ValueError("a price names at least one of each, per_cpu, per_memory_gib and per_gib")
        return self


class PriceBook(BaseModel):
    """Prices a month in one currency; of those that fit a resource, the first counts.

    `as_of` is the day of the prices, `valid_to` the last day for which they were offered.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1]
    name: str = Field(min_length=1, max_length=200)
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    as_of: date | None = None
    valid_to: date | None = None
    prices: tuple[Price, ...] = Field(min_length=1)

    def price(self, kind: str, region: str) -> Price | None:
        """What the book says of such a resource."""
        fitting = (each for each in self.prices if each.kind == kind and each.region in (None, region))
        return next(fitting, None)


def read_prices(path: Path) -> PriceBook:
    """Load a book; raises InputError that names the first mistake."""
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(str(path), "is larger than a price book can be (1 MiB)", next_step=_NEXT)
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise InputError(str(path), f"cannot be read: {problem.strerror}", next_step=_NEXT) from problem
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        said = " ".join(str(problem).split())[:300]
        raise InputError(str(path), f"is no YAML: {said}", next_step=_NEXT) from problem
    if not isinstance(document, Mapping):
        raise InputError(str(path), "is no price book: it holds no keys", next_step=_NEXT)
    try:
        return PriceBook.model_validate(document)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(str(path), first["msg"], place=place, next_step=_NEXT) from problem
