"""The environment of Go builds."""

from __future__ import annotations

from pathlib import Path

from orchestrator.toolchain import gobuild


def test_a_persons_build_settings_do_not_reach_the_build() -> None:
    env = gobuild.go_environment(
        {"HOME": "/root", "GOFLAGS": "-race", "GOOS": "plan9", "GOPROXY": "p"}, Path("/c")
    )
    assert "GOFLAGS" not in env
    assert "GOOS" not in env
    assert env["GOPROXY"] == "p"
    assert env["GOTOOLCHAIN"] == "local"
    assert env["CGO_ENABLED"] == "0"


def test_without_a_home_go_keeps_its_things_in_our_cache() -> None:
    env = gobuild.go_environment({}, Path("/c"))
    assert env["GOPATH"] == "/c/go"
    assert env["GOCACHE"] == "/c/go-build"
