"""The rules that hold in a project."""

from __future__ import annotations

from orchestrator.errors import InputError
from orchestrator.policy_reference import place_of
from orchestrator.settings import Settings
from policies.model import PackError
from policies.pack import Pack, load_pack


def open_pack(settings: Settings) -> Pack:
    """The rules: ours, the policy reference's and the project's own; InputError names the file at fault."""
    place = place_of(settings)
    try:
        return load_pack(settings.own_rules, place.folder if place else None)
    except PackError as problem:
        raise InputError(
            "rules",
            str(problem),
            place=str(settings.own_rules),
            next_step="Mend it; then: steward policy test",
        ) from problem
