"""What the engine says while it refreshes, read into one subject for each resource."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from orchestrator.provisioning.refresh import RefreshLog
from tests.unit.orchestrator.provisioning.test_events import event, metadata, said, urn

TAGS = {"tags": {"server": "web-1"}}


def state(outputs: Any = None, errors: Any = None) -> SimpleNamespace:
    return SimpleNamespace(inputs=TAGS, outputs=outputs or {}, init_errors=errors)


def asked(kind: str = "local:index:Server", name: str = "web-1") -> Any:
    step = metadata("refresh", kind=kind, name=name, old=state(), new=state())
    return event(resource_pre_event=SimpleNamespace(metadata=step))


def answered(op: str = "same", kind: str = "local:index:Server", name: str = "web-1", **more: Any) -> Any:
    step = metadata(op, kind=kind, name=name, **({"old": state(), "new": state()} | more))
    return event(res_outputs_event=SimpleNamespace(metadata=step))


def subjects(*events: Any) -> dict[str, Any]:
    log = RefreshLog()
    for each in events:
        log(each)
    return {each.name: each for each in log.all()}


def test_a_resource_is_clean_gone_half_made_or_different() -> None:
    kinds = ("Server", "Network", "Firewall", "Volume")
    names = {f"local:index:{kind}": f"{kind.lower()} x" for kind in kinds}
    found = subjects(
        *(asked(kind, "x") for kind in names),
        answered("same", "local:index:Server", "x"),
        answered("delete", "local:index:Network", "x", new=None),
        answered("same", "local:index:Firewall", "x", new=state(errors=["x: the rules differ."])),
        answered("update", "local:index:Volume", "x", old=state({"a": 1, "password": "p"}),
                 new=state({"a": 2, "password": "q"})),
    )  # fmt: skip
    assert {name: each.state for name, each in found.items()} == {
        "server x": "clean", "network x": "drifted", "firewall x": "drifted", "volume x": "drifted"
    }  # fmt: skip
    told = {
        name: [(i.how, i.expected, i.observed, i.server) for i in each.items] for name, each in found.items()
    }
    assert told["network x"] == [("remove", "there", "gone", "web-1")]
    assert told["firewall x"] == [("change", "as the fleet says", "the rules differ.", "web-1")]
    assert told["volume x"] == [("change", "a 1, password (secret)", "a 2, password (secret)", "web-1")]


def test_without_an_answer_it_is_unknown_and_components_are_no_subjects() -> None:
    found = subjects(asked(), asked("steward:index:Fleet", "acme"), asked("pulumi:pulumi:Stack", "s"))
    assert {name: each.state for name, each in found.items()} == {"server web-1": "unknown"}
    (failed,) = subjects(asked(), said("no podman", urn("local:index:Server", "web-1"))).values()
    assert (failed.state, failed.reason) == ("unknown", "no podman")
