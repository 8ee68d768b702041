"""The checks of a project's own role as expectations, so that it is verified as Steward's own are. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from orchestrator.inventory.own_checks import OwnCheck, Variable
from orchestrator.ports.hosts import Expectation

ValueOf = Callable[[str], Any]
"""A variable of the role by its name there, as the fleet or the role's defaults give it."""


def own_expectations(role: str, checks: Sequence[OwnCheck], value_of: ValueOf) -> Iterator[Expectation]:
    """One expectation a check; checks of one kind are told apart by their number."""
    for number, check in enumerate(checks, start=1):
        label = f"{role}.{check.kind}.{number}"
        title, subject, argument = _parts(check, value_of)
        yield Expectation(label, check.title or f"{role}: {title}", check.kind, subject, argument)


def _parts(check: OwnCheck, value_of: ValueOf) -> tuple[str, str, str]:
    """Title, subject and argument of the probe."""
    if check.service is not None:
        return f"{check.service} runs and starts at boot", check.service, ""
    if check.timer is not None:
        return f"timer {check.timer} waits", check.timer, ""
    if check.listening is not None:
        port = _value(check.listening, value_of)
        return f"something listens on {port}", port, ""
    if check.http is not None:
        port = _value(check.http.port, value_of)
        url = f"http://127.0.0.1:{port}{check.http.path}"
        return f"{check.http.path} answers 200", url, check.http.content_type
    if check.file is not None:
        wanted = {key: value for key, value in check.file.model_dump().items() if key != "path" and value}
        return f"{check.file.path} is as it should be", check.file.path, json.dumps(wanted)
    assert check.command is not None  # noqa: S101  # the model lets exactly one kind be said
    command = check.command
    argument = json.dumps({"exit": command.exit, "contains": command.contains})
    return f"{command.argv[0]} ends as it should", json.dumps(command.argv), argument


def _value(wanted: int | Variable, value_of: ValueOf) -> str:
    return str(value_of(wanted.variable) if isinstance(wanted, Variable) else wanted)
