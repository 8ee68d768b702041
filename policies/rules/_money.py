"""Amounts of money out of facts, in Decimal; a number is none, as it was rounded before."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from policies.facts import Facts, MalformedFactError, UnknownFactError, shown

_AMOUNT: Final = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,6})?")
_HUNDRED: Final = Decimal(100)


def money(facts: Facts, key: str) -> Decimal:
    """The amount; raises MalformedFactError for a missing one and for what is no amount."""
    value = facts.text(key)
    if not _AMOUNT.fullmatch(value):
        raise MalformedFactError(facts.where(key), 'an amount such as "3.10"', value)
    return Decimal(value)


def share(part: Decimal, whole: Decimal) -> Decimal:
    """Percent that a part is of a whole that is not 0."""
    return part * _HUNDRED / whole


def same_currency(one: Facts, other: Facts) -> str:
    """The currency of both; raises UnknownFactError where they differ, as no rate is known."""
    mine, theirs = one.text("currency"), other.text("currency")
    if mine != theirs:
        raise UnknownFactError(other.where("currency"), reason=f"{shown(theirs)} and not {shown(mine)}")
    return mine
