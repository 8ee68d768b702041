"""The look at a host, on folders of the test: every change that matters is seen, and no content leaves."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.convergence import look


def add(root: Path) -> None:
    (root / "new").write_text("")


def edit(root: Path) -> None:
    (root / "file").write_text("tex2")


def chmod(root: Path) -> None:
    (root / "file").chmod(0o600)


def remove(root: Path) -> None:
    (root / "file").unlink()


def relink(root: Path) -> None:
    (root / "link").unlink()
    (root / "link").symlink_to("/elsewhere")


def touch_large(root: Path) -> None:
    os.utime(root / "large", (1, 1))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("text")
    (tmp_path / "file").chmod(0o644)
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "large").write_bytes(b"\0" * (look.LARGE + 1))
    return tmp_path


def seen(root: Path, key: bytes = b"key") -> dict[str, str]:
    return {name: value for name, (value, _) in look.Look(key).tree(str(root)).items()}


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (add, "new"),
        (edit, "file"),
        (chmod, "file"),
        (remove, "file"),
        (relink, "link"),
        (touch_large, "large"),
    ],
)
def test_a_change_is_seen_and_named(root: Path, change: Callable[[Path], None], name: str) -> None:
    before = seen(root)
    assert seen(root) == before
    change(root)
    after = seen(root)
    assert {key for key in {*before, *after} if before.get(key) != after.get(key)} == {str(root / name)}
    assert look.digest(before) != look.digest(after)


def test_contents_leave_as_keyed_digests_only(root: Path) -> None:
    (root / "file").write_text("hunter2")
    assert "hunter2" not in json.dumps(seen(root))
    assert seen(root)[str(root / "file")] != seen(root, b"another")[str(root / "file")]
    assert seen(root)[str(root / "link")] == seen(root, b"another")[str(root / "link")]


def test_names_that_are_no_utf8_do_not_stop_it(root: Path) -> None:
    before = look.digest(seen(root))
    Path(os.fsdecode(os.fsencode(root) + b"/\xff\xfe\n")).write_text("")
    assert look.digest(seen(root)) != before
    json.dumps(seen(root)).encode("ascii")


def test_a_program_that_fails_is_part_of_the_state() -> None:
    assert look.said("false") == "exit 1"
    assert look.said("echo", "x") == "x\n"


STATUS = """Package: nginx
Status: install ok installed
Version: 1.22-1

Package: gone
Status: deinstall ok config-files
Version: 1

Package: kept
Status: hold ok installed
Version: 2

Package: broken
Status: install reinstreq half-installed
Version: 3
"""


def test_packages_are_told_with_version_and_what_is_odd(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    status = tmp_path / "status"
    status.write_text(STATUS)
    monkeypatch.setattr(look, "STATUS", str(status))
    assert {name: value for name, (value, _) in look.packages().items()} == {
        "nginx": "1.22-1",
        "kept": "2 held",
        "broken": "3 install reinstreq half-installed",
    }


RULES = """table inet steward_edge {
	chain input {
		tcp dport 22 accept
	}
}
table inet steward_host {
\tset s {
\t\ttype ipv4_addr
\t}
\tchain input {
\t\ttype filter hook input priority filter; policy drop;
\t\ttcp dport 80 accept
\t}
}
table inet empty {
}
"""


def test_rules_are_told_by_table_and_chain_without_the_providers_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look, "said", lambda *_: RULES)
    assert {name: value for name, (value, _) in look.firewall().items()} == {
        "table inet steward_host": "loaded",
        "table inet steward_host set s": "type ipv4_addr",
        "table inet steward_host chain input": "type filter hook input priority filter; policy drop;\n"
        "tcp dport 80 accept",
        "table inet empty": "loaded",
    }


def test_a_rule_behind_very_many_others_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind those of the provider, which are left out, and as the last of a chain that is told in short."""
    edge = RULES.replace("\t\ttcp dport 22 accept", "\t\ttcp dport 22 accept\n" * 10_000)
    long = edge.replace("\t\ttcp dport 80 accept", "\t\ttcp dport 80 accept\n" * 10_000)
    seen = []
    for port in (80, 81):
        text = f"{long}table inet other {{\n\tchain a {{\n\t\ttcp dport {port} accept\n\t}}\n}}\n"
        monkeypatch.setattr(look, "said", lambda *_, text=text: text)
        seen.append(look.firewall())
    assert seen[0] != seen[1]
    assert seen[0]["table inet other chain a"] == ("tcp dport 80 accept", 0)
    changed = long.replace("tcp dport 80 accept\n\n\t}", "tcp dport 99 accept\n\n\t}")
    assert changed != long
    monkeypatch.setattr(look, "said", lambda *_: changed)
    chain = "table inet steward_host chain input"
    assert look.firewall()[chain] != seen[0][chain]
    assert len(look.firewall()[chain][0]) < 3_000


def test_units_that_are_shut_off_or_stale_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = (
        "Id=a.service\nActiveState=active\nUnitFileState=enabled\nNeedDaemonReload=yes\n\n"
        "Id=b.timer\nActiveState=inactive\nUnitFileState=masked\nNeedDaemonReload=no\n\n"
        "Id=c.service\nActiveState=active\nUnitFileState=static\nNeedDaemonReload=no\n"
    )
    monkeypatch.setattr(look, "said", lambda *_: shown)
    assert {name: value for name, (value, _) in look.units().items()} == {
        "a.service": "active, enabled, changed on disk and not loaded",
        "b.timer": "inactive, masked",
    }


HISTORY = """
Start-Date: 2026-11-20  06:10:01
Commandline: /usr/bin/unattended-upgrade
Upgrade: openssl:amd64 (3.0.11-1, 3.0.13-1), libssl3:amd64 (3.0.11-1, 3.0.13-1)
End-Date: 2026-11-20  06:10:09

Start-Date: 2026-11-21  06:10:01
Commandline: apt-get install nginx=1.0
Downgrade: nginx:amd64 (1.22-1, 1.0)
End-Date: 2026-11-21  06:10:09
"""


def test_only_what_the_machine_updated_by_itself_counts_as_such(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "history.log").write_text(HISTORY)
    monkeypatch.setattr(look, "HISTORY", (str(tmp_path / "history.log"), str(tmp_path / "none.gz")))
    assert look.updated() == {"openssl": "3.0.13-1", "libssl3": "3.0.13-1"}


def test_it_compiles_for_the_oldest_python_a_host_may_have() -> None:
    script = Path(look.__file__).read_text()
    compile(script, "look.py", "exec", dont_inherit=True)
    ended = subprocess.run(["python3", "-"], input=script, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stderr
