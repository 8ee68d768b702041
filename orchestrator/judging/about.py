"""The occasion of a judgement, as far as this process knows them."""

from __future__ import annotations

import sys
from datetime import datetime
from importlib.metadata import version

from orchestrator.circumstances import Origin, actor, command, tool_versions
from orchestrator.reporting.policy.build import Occasion
from orchestrator.reporting.policy.model import Phase


def occasion(
    origin: Origin,
    phase: Phase,
    run: str,
    started: datetime,
    stack: str,
    client: str,
    environment: str,
) -> Occasion:
    """All that a report says beside what was found."""
    return Occasion(
        run=run,
        stack=stack,
        client=client,
        environment=environment,
        phase=phase,
        started_at=started,
        actor=actor(),
        command=command(),
        versions={"steward": version("steward-iac"), "python": sys.version.split()[0], **tool_versions()},
        rules_digest=origin.rules,
        profiles_digest=origin.params,
        commit=origin.commit,
        change_id=origin.change,
    )
