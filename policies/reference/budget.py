"""Budget ceilings: the most that a client or an environment of it may cost, whatever its fleet file says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from policies import yamlfile
from policies.facts import Unknown, shown
from policies.model import PackError
from policies.tenants import DEFAULT, check_client, check_environment

FILE: Final = "budget.yaml"
_AMOUNT: Final = re.compile(r"\d{1,12}(\.\d{1,2})?")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True)
class Ceiling:
    """The most that may be spent in a month."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} a month"


@dataclass(frozen=True)
class Ceilings:
    """(client, environment) -> ceiling, where the environment may be `default`."""

    each: Mapping[tuple[str, str], Ceiling]

    def of(self, client: str, environment: str) -> Ceiling | None:
        """The environment's own, else the client's; None where neither is said."""
        return self.each.get((client, environment), self.each.get((client, DEFAULT)))

    def as_fact(self, tags: Mapping[str, str]) -> Mapping[str, str] | Unknown | None:
        """The ceiling over what bears these tags; unknown where some are set and nobody says whose it is."""
        client, environment = tags.get("client"), tags.get("environment")
        if not self.each:
            return None
        if not client or not environment:
            return Unknown("nobody said of which client and environment these costs are; name the fleet")
        found = self.of(client, environment)
        return {"amount": str(found.amount), "currency": found.currency} if found else None


def read_ceilings(folder: Path) -> Ceilings:
    """The ceilings of a policy reference, none without the file; raises PackError by client."""
    path = folder / FILE
    if not path.exists():
        return Ceilings({})
    body = yamlfile.mapping(yamlfile.read(path), FILE, required=("clients",), optional=())
    return Ceilings(
        {
            (
                check_client(client, f"{FILE}.clients"),
                check_environment(environment, f"{FILE}.clients.{shown(client)}"),
            ): _ceiling(value, f"{FILE}.clients.{client}.{environment}")
            for client, own in yamlfile.mapping(body["clients"], f"{FILE}.clients").items()
            for environment, value in yamlfile.mapping(own, f"{FILE}.clients.{client}").items()
        }
    )


def _ceiling(value: object, place: str) -> Ceiling:
    body = yamlfile.mapping(value, place, required=("amount", "currency"), optional=())
    amount, currency = body["amount"], body["currency"]
    # A YAML number with a fraction is binary, and 0.1 is not a tenth: money is written as text.
    if isinstance(amount, bool) or not isinstance(amount, str | int) or not _AMOUNT.fullmatch(str(amount)):
        raise PackError(f'{place}.amount: expected money in quotes, as "250.00"; got {shown(amount)}')
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        raise PackError(f"{place}.currency: expected three capital letters, as EUR; got {shown(currency)}")
    try:
        return Ceiling(Decimal(str(amount)), currency)
    except InvalidOperation as error:
        raise PackError(f"{place}.amount: {error}") from None
