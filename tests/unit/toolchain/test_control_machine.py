"""Debian packages and the kernel's limit."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.errors import InputError
from orchestrator.toolchain import control_machine


class Silent:
    """Whom nobody watches."""

    def step(self, text: str) -> None:
        """Say nothing."""

    def tick(self, text: str) -> None:
        """Say nothing."""


def fake_dpkg(folder: Path, *installed: str) -> None:
    lines = "".join(f"echo '{name} installed'\n" for name in installed)
    (folder / "dpkg-query").write_text(f"#!/bin/sh\n{lines}echo 'podman config-files'\nexit 1\n")
    (folder / "dpkg-query").chmod(0o755)


def test_packages_that_are_removed_but_configured_count_as_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_dpkg(tmp_path, "runc", "iptables")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin")
    assert control_machine.missing_packages(["iptables", "podman", "runc"]) == ["podman"]


def test_without_root_the_list_is_printed_and_nothing_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_dpkg(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(InputError, match=r"sudo apt-get install --no-install-recommends .*podman") as caught:
        control_machine.provide_packages(Silent())
    assert caught.value.exit_code == 2


def test_without_dpkg_there_is_nothing_to_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert control_machine.missing_packages(["podman"]) == []


def test_the_list_is_sorted_and_complete() -> None:
    wanted = control_machine.wanted_packages()
    assert wanted == sorted(wanted)
    assert {"podman", "runc", "netavark", "aardvark-dns", "iptables", "nftables", "mmdebstrap"} <= set(wanted)


def test_an_unreadable_limit_is_no_limit(tmp_path: Path) -> None:
    assert control_machine.inotify_limit(tmp_path / "gone") is None
