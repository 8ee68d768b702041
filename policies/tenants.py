"""Names of clients and environments as a fleet writes them: what governs may name no other."""

from __future__ import annotations

import re
from typing import Final

from policies.facts import shown
from policies.model import PackError

DEFAULT: Final = "default"
"""Stands for every environment of a client that is not named."""
_CLIENT: Final = re.compile(r"[a-z](?:[a-z0-9-]{0,28}[a-z0-9])?")
# No dash, as in a fleet: acme-prod-eu is the client acme-prod, and never acme with an environment prod-eu.
_ENVIRONMENT: Final = re.compile(r"[a-z][a-z0-9]{0,29}")


def are_names(client: str, environment: str) -> bool:
    """Whether a fleet can be of this client and environment."""
    return bool(_CLIENT.fullmatch(client) and _ENVIRONMENT.fullmatch(environment))


def check_client(name: str, place: str) -> str:
    """The client's name; raises PackError for one that no fleet has: it would mean nobody, and in silence."""
    if not _CLIENT.fullmatch(name):
        raise PackError(
            f"{place}: no client can be named {shown(name)}; expected small letters, digits and dashes"
        )
    return name


def check_environment(name: str, place: str) -> str:
    """The environment's name, or `default`; raises PackError for one that no fleet has."""
    if not _ENVIRONMENT.fullmatch(name):
        raise PackError(
            f"{place}: no environment can be named {shown(name)}; expected small letters and digits, no dash"
        )
    return name
