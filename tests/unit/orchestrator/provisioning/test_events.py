"""Engine events, as the SDK hands them over, read into changes and texts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pulumi.automation.events import (
    DiagnosticEvent,
    EngineEvent,
    OpType,
    ResOpFailedEvent,
    ResourcePreEvent,
    StepEventMetadata,
    StepEventStateMetadata,
)

from orchestrator.provisioning.changes import resource_name
from orchestrator.provisioning.events import EventLog, is_counted, plain, resource_type
from orchestrator.reporting.plan_words import consequences


def urn(token: str, name: str) -> str:
    return f"urn:pulumi:acme-demo::steward::steward:index:Server${token}::{name}"


SERVER = urn("local:index:Server", "web-1")


def state(**values: Any) -> StepEventStateMetadata:
    told = {
        "type": "local:index:Server",
        "urn": SERVER,
        "id": "",
        "parent": "",
        "provider": "local::1",
        "protect": False,
    }
    return StepEventStateMetadata(**{**told, **values})


def metadata(
    op: str, kind: str = "local:index:Server", name: str = "web-1", **more: Any
) -> StepEventMetadata:
    values: dict[str, Any] = {
        "keys": None,
        "diffs": None,
        "detailed_diff": None,
        "logical": None,
        "old": None,
        "new": None,
    }
    return StepEventMetadata(op=OpType(op), urn=urn(kind, name), type=kind, provider="", **{**values, **more})


def event(**parts: Any) -> EngineEvent:
    return EngineEvent(sequence=1, timestamp=0, **parts)


def planned(op: str, **more: Any) -> EngineEvent:
    return event(resource_pre_event=ResourcePreEvent(metadata=metadata(op, **more)))


def said(message: str, where: str = "", severity: str = "error") -> EngineEvent:
    return event(
        diagnostic_event=DiagnosticEvent(
            message=message,
            color="never",
            severity=severity,
            urn=where,
            prefix="",
            stream_id=0,
            ephemeral=False,
        )
    )


def log(*events: Any) -> EventLog:
    made = EventLog()
    for each in events:
        made(each)
    return made


def test_names_and_types_of_a_urn() -> None:
    assert resource_name(SERVER) == "web-1"
    assert resource_type(SERVER) == "local:index:Server"
    assert resource_type("nonsense") == ""


@pytest.mark.parametrize(
    ("op", "wanted"),
    [
        ("create", "create"),
        ("update", "update"),
        ("delete", "delete"),
        ("replace", "replace"),
        ("create-replacement", "replace"),
    ],
)
def test_changes(op: str, wanted: str) -> None:
    (change,) = log(planned(op)).changes.values()
    assert (change.op, change.kind, change.name, change.urn) == (wanted, "server", "web-1", SERVER)


def test_same_and_reads_are_no_changes_and_components_are_not_counted() -> None:
    found = log(
        planned("same"),
        planned("read"),
        planned("create", kind="steward:index:Fleet"),
        planned("same", kind="pulumi:providers:local"),
    )
    assert (found.changes, found.unchanged) == ({}, 1)
    assert is_counted("local:index:Server")


def test_what_an_update_changes_is_told_briefly() -> None:
    old = state(inputs={"memoryGib": 1.0, "name": "a" * 60, "tags": {"a": 1}})
    new = state(inputs={"memoryGib": 2.0, "name": "b", "tags": {"a": 2}})
    diff = dict.fromkeys(("memoryGib", "name", "tags"), "update")
    (change,) = log(planned("update", detailed_diff=diff, old=old, new=new)).changes.values()
    assert change.detail == f"memory 1 → 2 GiB, name {'a' * 60} → b, tags.a 1 → 2"


def test_why_a_change_is_no_quiet_one_is_told_in_the_providers_words() -> None:
    old, new = (
        state(id="n-1", inputs={"cidr": "10.1.0.0/24"}),
        state(inputs={"cidr": "x"}),
    )
    step = planned("replace", detailed_diff={"cidr": "update-replace"}, old=old, new=new)
    why = said(
        "replaced: cidr 10.1.0.0/24 → x (a bridge keeps its range); the old one goes first.", SERVER, "info"
    )
    for order in ((why, step), (step, why)):
        (change,) = log(*order).changes.values()
        assert change.reasons == ["cidr 10.1.0.0/24 → x (a bridge keeps its range); the old one goes first"]
    (bare,) = log(step, said("a note of another kind", SERVER, "info")).changes.values()
    assert bare.reasons == ["cidr cannot be changed in place"]
    restart = said("restarted: publish (ports are fixed); disk stays.", SERVER, "info")
    (change,) = log(restart, planned("update", detailed_diff={}, old=old, new=new)).changes.values()
    assert change.restarts
    assert consequences(change) == ["in place, restarted: publish (ports are fixed); disk stays"]


def test_every_step_is_kept_for_the_rules_with_what_was_and_what_will_be() -> None:
    old = state(inputs={"memoryGib": 1.0}, protect=True)
    new = state(inputs={"memoryGib": 2.0})
    steps = log(
        planned("replace", old=old, new=new, keys=["image"]),
        planned("create", kind="steward:index:Fleet", new=state(provider="", inputs=None)),
        planned("same", name="web-2", old=old, new=old),
    ).steps
    assert [(step.op, step.is_component, step.protected_before, step.protected_after) for step in steps] == [
        ("replace", False, True, False),
        ("create", True, False, False),
        ("same", False, True, True),
    ]
    assert (steps[0].old, steps[0].new) == ({"memoryGib": 1.0}, {"memoryGib": 2.0})
    assert steps[0].replace_reasons == ("image",)
    assert (steps[1].old, steps[1].new) == (None, {})


def test_errors_name_their_resource_once() -> None:
    found = log(
        said("<{%reset%}>error: disk full\n", SERVER),
        said("web-1: no address left", SERVER),
        said("disk full", SERVER),
        said("update failed", urn("pulumi:pulumi:Stack", "x")),
        said("just so you know", SERVER, severity="warning"),
        event(
            res_op_failed_event=ResOpFailedEvent(metadata=metadata("create", name="web-2"), status=0, steps=0)
        ),
    )
    assert found.errors == ["server web-1: disk full", "web-1: no address left"]
    assert found.failure() == "server web-1: disk full\nweb-1: no address left"
    assert set(found.failed) == {SERVER, urn("local:index:Server", "web-2")}


def test_an_event_of_an_unknown_shape_is_remembered_and_harmless() -> None:
    found = log(SimpleNamespace(), planned("create"))
    assert "could not be read" in found.problem
    assert len(found.changes) == 1


def test_plain() -> None:
    assert plain("\x1b[31merror: \x1b[0mno\n") == "no"
    assert plain("error: 1 error occurred:\n\t* box-1: no\n\n") == "box-1: no"


def test_what_only_follows_from_a_failure_is_not_told_beside_it() -> None:
    follows = said("property containerId value output<string>{} has a problem: is missing", SERVER)
    assert log(follows, said("disk full", SERVER)).failure() == "server web-1: disk full"
    assert "containerId" in log(follows).failure(), "alone it is still an error"
