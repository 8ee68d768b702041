"""Drift of hosts and resources, each thing told once and with what to do."""

from __future__ import annotations

from typing import Any

from orchestrator.phases.drift import commands, findings, summary, told_once
from orchestrator.reporting.drift import DriftItem, DriftSubject

UP = "steward up --fleet demo.yaml"


def item(kind: str = "file", name: str = "/etc/x", how: Any = "change", **more: Any) -> DriftItem:
    known = {"expected": "a", "observed": "b", "server": "web-1"}
    return DriftItem.model_validate({"kind": kind, "name": name, "how": how, **known, **more})


def host(name: str = "web-1", *items: DriftItem, state: Any = None, **more: Any) -> DriftSubject:
    return DriftSubject(
        kind="host", name=name, state=state or ("drifted" if items else "clean"), items=items, **more
    )


def resource(name: str, *items: DriftItem, server: str = "web-1") -> DriftSubject:
    state: Any = "drifted" if items else "clean"
    return DriftSubject(kind="resource", name=name, state=state, items=items, server=server)


def test_each_item_has_its_next_command_and_the_one_that_heals_all_stands_alone() -> None:
    found = told_once(
        [host("web-1", item())], [resource("server web-1", item("server", "web-1"))], "demo.yaml"
    )
    assert [each.items[0].fix for each in found] == [UP, f"{UP} --refresh"]
    assert commands(found) == [f"{UP} --refresh"]
    assert commands(told_once([host("web-1", item())], [], "my fleet.yaml")) == [
        "steward up --fleet 'my fleet.yaml'"
    ]


def test_what_no_role_puts_back_says_how_to_undo_or_keep_it() -> None:
    left = item(name="/etc/cron.d/a b", how="add", unhealed_since="RUN1")
    (found,) = told_once([host("web-1", left)], [], "demo.yaml")
    assert found.items[0].fix == (
        "on web-1: sudo rm -r '/etc/cron.d/a b'; "
        "or keep it: steward drift --fleet demo.yaml --host web-1 --accept --item 'file /etc/cron.d/a b'"
    )
    changed = item(unhealed_since="RUN1")
    (found,) = told_once([host("web-1", changed)], [], "demo.yaml")
    assert found.items[0].fix.startswith("steward drift --fleet demo.yaml --host web-1 --accept --item ")


def test_what_goes_with_a_server_is_told_with_it_and_explains_its_silence() -> None:
    gone = [
        resource("server web-1", item("server", "web-1", "remove", observed="gone")),
        resource("firewall web-1", item("firewall", "web-1", "remove", observed="gone")),
        resource("volume web-1-x", item("volume", "web-1-x", "remove", observed="gone")),
    ]
    silent = host("web-1", state="unknown", reason="SSH failed")
    found = told_once([silent], gone, "demo.yaml")
    assert [len(each.items) for each in found] == [0, 1, 0, 1]
    assert found[0].reason == "the server is drifted: gone"
    assert (found[2].state, found[2].reason) == ("drifted", "gone with server web-1")


def test_unknown_is_a_finding_and_clean_is_none() -> None:
    found = told_once(
        [host(), host("db-1", state="unknown", reason="SSH failed")], [resource("network app")], "d"
    )
    (finding,) = findings(found)
    assert (finding.subject, finding.blocking, finding.observed) == ("db-1", True, "SSH failed")
    assert finding.fix == "steward up --fleet d"
    assert summary(found) == "0 drifted, 2 clean, 1 unknown"
    (user,) = findings([host("web-1", item("user", "mallory", "add"))])
    assert (user.severity, user.title, user.source) == ("high", "user mallory was added", "drift")
