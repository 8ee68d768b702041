"""What the phases ask of a provider beside Pulumi: what there is of a stack, whatever its state says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class ProviderListing(Protocol):
    """What really is at a provider."""

    def listing(self, stack_id: str) -> Mapping[str, Any]:
        """A document `steward.listing/1` of everything that is marked as this stack's; raises ToolError."""
        ...
