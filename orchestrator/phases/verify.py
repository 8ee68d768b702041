"""verify: look at every server from outside and judge what is seen."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event

from orchestrator.parallel import for_each
from orchestrator.ports.hosts import HostVerifier
from orchestrator.ports.roles import RoleBook
from orchestrator.reporting.model import Check, Verdict
from orchestrator.verification.expectations import expectations
from orchestrator.verification.verdicts import verdicts
from stacks.fleet.model import Fleet
from stacks.outputs import ServerOutput

_PARALLEL = 8


def verify(
    fleet: Fleet, servers: Sequence[ServerOutput], verifier: HostVerifier, roles: RoleBook
) -> list[Check]:
    """Every expectation of every server, all servers at once, in the order of the fleet."""

    def look(server: ServerOutput, _stopping: Event) -> list[Check]:
        return verdicts(server.name, verifier.observe(server, expectations(fleet, server.group, roles)))

    return [check for checks in for_each(servers, look, at_once=_PARALLEL) for check in checks]


def summary(checks: Sequence[Check]) -> str:
    """`47 passed, 1 failed, 2 unknown`"""
    counts = {verdict: sum(1 for check in checks if check.verdict is verdict) for verdict in Verdict}
    text = f"{counts[Verdict.PASS]} passed, {counts[Verdict.FAIL]} failed"
    for verdict, words in ((Verdict.UNKNOWN, "unknown"), (Verdict.NOT_APPLICABLE, "not applicable")):
        text += f", {counts[verdict]} {words}" if counts[verdict] else ""
    return text
