"""Which types of subject each kind has, and what steps do: what a catalog entry may name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policies.model import Kind
from policies.subjects._task_words import PLAYBOOK_TYPES
from policies.subjects.fleet import FLEET_TYPES
from policies.subjects.governance import GOVERNANCE_TYPES
from policies.subjects.history import HISTORY_TYPES
from policies.subjects.population import MEMBER
from policies.subjects.resources import RESOURCE_TYPES
from policies.subjects.steps import OPS

TYPES: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.RESOURCE: (*RESOURCE_TYPES, *FLEET_TYPES, MEMBER, *GOVERNANCE_TYPES, *HISTORY_TYPES),
    Kind.STEP: ("step",),
    Kind.PLAYBOOK_TASK: PLAYBOOK_TYPES,
    Kind.HOST_FACTS: ("host",),
    Kind.BACKUP_RECORD: ("backup_record",),
    Kind.COST_LINE: ("cost_line", "budget"),
}
OPERATIONS: Final = tuple(dict.fromkeys(OPS.values()))
"""What may happen to a resource."""
SIDES: Final = ("old", "new")
"""Facts of a step: of the resource before and after."""
