"""A repository behind a token: git's own server over TLS, and every call of git looked at for the token."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.errors import InputError, ToolError
from orchestrator.supplies.sources import SourceStore
from stacks.fleet.secret import Reference
from tests.git_server import QUOTED, TOKEN, serving
from tests.unit.orchestrator.supplies.test_sources import git, work_tree


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Host and port of a TLS server with the repository `shop.git`, which has one tag."""
    work = work_tree(tmp_path)
    git(work, "tag", "v1")
    git(work, "clone", "-q", "--bare", ".", str(tmp_path / "served" / "shop.git"))
    with serving(tmp_path / "served", tmp_path / "keys") as (address, authority):
        monkeypatch.setenv("GIT_SSL_CAINFO", str(authority))
        yield address


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Arguments and environment of every git that is started, also by git itself."""
    seen, real = (
        tmp_path / "seen",
        subprocess.run(["which", "git"], capture_output=True, text=True, check=True),
    )
    wrapper = tmp_path / "bin" / "git"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\n{{ echo "$@"; env; }} >>{seen}\nexec {real.stdout.strip()} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}:{os.environ['PATH']}")
    return seen


def test_a_token_opens_a_repository_and_is_seen_in_no_call(tmp_path: Path, server: str, calls: Path) -> None:
    store, asked = SourceStore(tmp_path / "cache"), []

    def secret(reference: Reference) -> str:
        asked.append(reference)
        return f"https://ci:{QUOTED}@{server}/shop.git"

    made = store.fetch({"git": {"env": "GIT_URL"}, "tag": "v1"}, tmp_path, secret)
    assert (asked, made.release) == ([Reference("env", "GIT_URL")], "v1")
    text = calls.read_text()
    assert f"https://{server}/shop.git" in text
    for form in (TOKEN, QUOTED, base64.b64encode(f"ci:{TOKEN}".encode()).decode()):
        assert form not in text
        assert not any(form.encode() in path.read_bytes() for path in (tmp_path / "cache").rglob("*"))


def test_a_wrong_token_is_refused_and_not_told(tmp_path: Path, server: str) -> None:
    with pytest.raises(ToolError) as caught:
        SourceStore(tmp_path / "cache").fetch(
            {"git": {"env": "GIT_URL"}, "tag": "v1"},
            tmp_path,
            lambda _: f"https://ci:wrong-{QUOTED}@{server}/shop.git",
        )
    assert "planted" not in str(caught.value)


@pytest.mark.parametrize("address", ["ssh://git@host/x.git", "file:///x", "https://", "-x"])
def test_an_address_of_another_kind_is_refused_and_not_told(tmp_path: Path, address: str) -> None:
    with pytest.raises(InputError, match=r"leads to no https address") as caught:
        SourceStore(tmp_path).fetch({"git": {"file": "url"}, "tag": "v1"}, tmp_path, lambda _: address)
    assert address not in str(caught.value)
