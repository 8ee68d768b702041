"""The program for hosts: what it reads of apt and of running processes."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.errors import ToolError
from orchestrator.patching import upgrade
from orchestrator.patching.documents import read_patch

RUNNING = ("nginx.service", "dbus.service", "user@1000.service", "session-4.scope")
SIMULATED = """\
NOTE: This is only a simulation!
Inst nginx [1.22.1-9+deb12u9] (1.22.1-9+deb12u11 Debian-Security:12/oldstable-security [amd64]) []
Inst nginx-common [1.22.1-9+deb12u9] (1.22.1-9+deb12u11 Debian-Security:12/oldstable-security [all])
Inst tzdata [2025a-0] (2026b-0 Debian:12.13/oldstable, Debian:12-updates/oldstable-updates [all])
Inst linux-image-new (6.1.1 Debian:12.13/oldstable [amd64])
Conf nginx (1.22.1-9+deb12u11 Debian-Security:12/oldstable-security [amd64])
"""


@pytest.mark.parametrize(
    ("security", "names"), [(False, {"nginx", "nginx-common", "tzdata"}), (True, {"nginx", "nginx-common"})]
)
def test_what_is_due_is_what_apt_would_do(
    monkeypatch: pytest.MonkeyPatch, security: bool, names: set[str]
) -> None:
    monkeypatch.setattr(upgrade, "call", lambda *argv: SIMULATED)
    found = upgrade.due(security=security)
    assert set(found) == names
    assert found["nginx"] == {
        "package": "nginx", "before": "1.22.1-9+deb12u9", "after": "1.22.1-9+deb12u11", "security": True,
    }  # fmt: skip


def test_what_was_held_is_held_again_also_when_apt_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def call(*argv: str) -> str:
        asked.append(argv)
        if "install" in argv:
            raise upgrade.Failed("no space left")
        return "nginx\n" if argv[:2] == ("apt-mark", "showhold") else "nginx 1 installed\n"

    monkeypatch.setattr(upgrade, "call", call)
    with pytest.raises(upgrade.Failed, match="no space"):
        upgrade.upgrade({"nginx": {"after": "2", "security": True}})
    assert asked[-1] == ("apt-mark", "hold", "nginx")
    assert any("nginx=2" in argv for argv in asked)


def test_sessions_and_what_only_a_reboot_renews_are_not_restarted(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(upgrade, "call", lambda *argv: asked.append(argv[-1]) or "")
    units = {unit: ["/lib/x"] for unit in RUNNING}
    assert list(upgrade.restart(units)) == ["nginx.service"] == asked
    assert "dbus.service" in upgrade.why_reboot(units)
    assert upgrade.why_reboot({"nginx.service": []}) == ""


@pytest.mark.parametrize(
    "said", ["", "{}", "[]", '{"schema": "other/1"}', '{"schema": "steward.host-patch/1", "x": 1}']
)
def test_an_answer_that_is_none_is_an_error(said: str) -> None:
    with pytest.raises(ToolError, match="did not say what it upgraded"):
        read_patch("web-1", said)


def test_a_problem_of_the_host_is_told() -> None:
    document: dict[str, Any] = {"schema": "steward.host-patch/1", "problem": "dpkg was interrupted"}
    import json

    with pytest.raises(ToolError, match="web-1: could not be patched: dpkg was interrupted"):
        read_patch("web-1", json.dumps(document))
