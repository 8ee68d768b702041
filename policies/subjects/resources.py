"""Resources of the engine as subjects; vendor tokens end here and in the vendors' own modules.

The facts keep the names of the local provider's wire format (docs/policies.md lists them); `aws.py` puts
what stands in Amazon's words into the same ones. What a vendor tells in several resources, `aws_whole.py`
makes one of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from policies.facts import UNKNOWN, Facts, Unknown, shown
from policies.model import Kind, Subject
from policies.subjects import aws, aws_whole

_LOCAL: Final[Mapping[str, str]] = {
    "local:index:Identity": "identity",
    "local:index:Network": "network",
    "local:index:Volume": "volume",
    "local:index:Bucket": "bucket",
    "local:index:Server": "server",
    "local:index:Firewall": "firewall",
    "steward:index:Fleet": "fleet",
    "steward:index:BackupPlan": "backup_plan",
}
RESOURCE_TYPES: Final = (
    *dict.fromkeys([*_LOCAL.values(), *aws.TYPES.values()]),
    *("provider", "grouping", "unrecognised"),
)
_RESOURCE: Final = Kind.RESOURCE
_PROVIDER: Final = "pulumi:providers:"
_FACTLESS: Final = ("pulumi:pulumi:Stack", "pulumi:pulumi:StackReference")
"""The engine's own records, which make nothing: a stack, and the outputs of another one."""
_NEUTRAL_EDGES: Final = {("firewall", "containerId"): "server"}
"""The property whose source is the server that a firewall stands before."""


def resource_subject(
    token: str,
    urn: str,
    name: str,
    properties: Mapping[str, object] | Unknown,
    *,
    is_component: bool,
    protect: bool = False,
    depends_on: Mapping[str, tuple[str, ...]] | None = None,
    witness: str = "plan",
) -> Subject:
    """A resource in neutral words; the properties are as `wire.plain` leaves them."""
    neutral = _neutral_type(token, is_component=is_component)
    facts = properties if isinstance(properties, Unknown) else aws.facts(token, name, properties)
    return Subject(
        kind=_RESOURCE,
        type=neutral,
        name=_name(facts, name),
        urn=urn,
        stack=stack_of(urn),
        facts=Facts(facts),
        source_type=token,
        protect=protect,
        depends_on=neutral_edges(neutral, depends_on or {}),
        witness=witness,
    )


def neutral_edges(neutral: str, edges: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    """What feeds which property of a resource, where a property that rules ask for has its neutral name."""
    if not edges:
        return {}
    return {_NEUTRAL_EDGES.get((neutral, key), key): tuple(urns) for key, urns in edges.items()}


def whole(subjects: Sequence[Subject]) -> tuple[Subject, ...]:
    """The same resources, where each says what other resources of the list say about it."""
    return aws_whole.joined(subjects)


def stack_of(urn: str) -> str:
    """The stack in `urn:pulumi:STACK::PROJECT::TYPE::NAME`: selected by the operator, not by the program."""
    head, _, _ = urn.partition("::")
    return head.rsplit(":", 1)[-1] if head.startswith("urn:pulumi:") else ""


def _neutral_type(token: str, *, is_component: bool) -> str:
    known = _LOCAL.get(token) or aws.TYPES.get(token)
    if known:
        return known
    if token.startswith(_PROVIDER):
        return "provider"  # through it all else is made, with what credentials and by which address it says
    # Components and the engine's own records hold no facts: their children are judged.
    return "grouping" if is_component or token in _FACTLESS else "unrecognised"


def _name(properties: Mapping[str, object] | Unknown, fallback: str) -> str:
    own = UNKNOWN if isinstance(properties, Unknown) else properties.get("name")
    return shown(own) if isinstance(own, str) and own else shown(fallback)
