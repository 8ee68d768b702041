"""Resources of the engine as subjects; vendor tokens end here.

The facts keep the names of the local provider's wire format (docs/policies.md lists them): a further vendor
gets a function that translates its properties into these.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policies.facts import UNKNOWN, Facts, Unknown, shown
from policies.model import Kind, Subject

_TYPES: Final[Mapping[str, str]] = {
    "local:index:Identity": "identity",
    "local:index:Network": "network",
    "local:index:Volume": "volume",
    "local:index:Bucket": "bucket",
    "local:index:Server": "server",
    "local:index:Firewall": "firewall",
    "steward:index:Fleet": "fleet",
    "steward:index:BackupPlan": "backup_plan",
}
RESOURCE_TYPES: Final = (*dict.fromkeys(_TYPES.values()), "grouping", "unrecognised")


def resource_subject(
    token: str,
    urn: str,
    name: str,
    properties: Mapping[str, object] | Unknown,
    *,
    is_component: bool,
    protect: bool = False,
    depends_on: Mapping[str, tuple[str, ...]] | None = None,
) -> Subject:
    """A resource in neutral words; unknown values are UNKNOWN, at any depth."""
    return Subject(
        kind=Kind.RESOURCE,
        type=_neutral_type(token, is_component=is_component),
        name=_name(properties, name),
        urn=urn,
        stack=stack_of(urn),
        facts=Facts(properties),
        source_type=token,
        protect=protect,
        depends_on=depends_on or {},
    )


def stack_of(urn: str) -> str:
    """The stack in `urn:pulumi:STACK::PROJECT::TYPE::NAME`: selected by the operator, not by the program."""
    head, _, _ = urn.partition("::")
    return head.rsplit(":", 1)[-1] if head.startswith("urn:pulumi:") else ""


def _neutral_type(token: str, *, is_component: bool) -> str:
    if token in _TYPES:
        return _TYPES[token]
    # Components and the engine's own stack and provider records hold no facts: their children are judged.
    return "grouping" if is_component or token.startswith("pulumi:") else "unrecognised"


def _name(properties: Mapping[str, object] | Unknown, fallback: str) -> str:
    own = UNKNOWN if isinstance(properties, Unknown) else properties.get("name")
    return shown(own) if isinstance(own, str) and own else shown(fallback)
