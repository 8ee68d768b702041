"""What our Ansible modules are made of: decisions over files and listings, without a host."""

from __future__ import annotations

import os
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from tests.module_files import load

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"


text, accounts, mounts, kernel, ssh, disk = (
    load(PLAYBOOKS / "library_parts" / f"steward_{name}.py")
    for name in ("text", "accounts", "mounts", "kernel", "ssh", "disk")
)
judge = load(PLAYBOOKS / "roles" / "baseline" / "files" / "judge_sshd.py")


def edit(match: str, line: str, at: str = "last") -> dict[str, str]:
    return {"match": match, "line": line, "at": at}


@pytest.mark.parametrize(
    ("before", "item", "after"),
    [
        ("a 1\nb 2\n", edit(r"^a\s", "a 9"), "a 9\nb 2\n"),
        ("a 1\nb\na 2\n", edit(r"^a\s", "a 9"), "a 9\nb\n"),
        ("b\n", edit(r"^a\s", "a 9"), "b\na 9\n"),
        ("b\na 9", edit(r"^a\s", "a 9", "first"), "a 9\nb\n"),
        ("", edit(r"^a\s", "a 9", "first"), "a 9\n"),
    ],
)
def test_a_line_is_brought_to_its_place_once(before: str, item: dict[str, str], after: str) -> None:
    assert text.edited(before, [item]) == after
    assert text.edited(after, [item]) == after


def shadow(
    password: str, least: str = "0", most: str = "99999", warn: str = "7", inactive: str = ""
) -> list[str]:
    return ["name", password, "20000", least, most, warn, inactive, "", ""]


def person(uid: int, shell: str = "/bin/bash") -> list[str]:
    return ["name", "x", str(uid), str(uid), "", "/home/name", shell]


OLD = ["chage", "--maxdays", "365", "--mindays", "1", "--inactive", "45", "name"]
AGELESS = ["chage", "--maxdays", "-1", "--inactive", "-1", "name"]


@pytest.mark.parametrize(
    ("account", "aged", "keep", "wanted"),
    [
        (person(1000), shadow("$y$x"), (), [OLD]),
        (person(1000), shadow("$y$x"), ("name",), []),
        (person(1000), shadow("$y$x", "1", "90", "7", "30"), (), []),
        (person(1000), shadow("!", most="365"), (), [AGELESS]),
        (person(1000), shadow("*", inactive="45"), ("name",), [AGELESS]),
        (person(1000), shadow("!"), (), []),
        (person(1000), shadow(""), (), [["passwd", "--lock", "name"]]),
        (person(999), shadow("!"), (), [["usermod", "--shell", "/usr/sbin/nologin", "name"]]),
        (person(999), shadow("!"), ("name",), []),
        (person(999, ""), shadow("!"), (), [["usermod", "--shell", "/usr/sbin/nologin", "name"]]),
        (person(999, "/bin/sync"), shadow("$6$x"), (), [["usermod", "--lock", "name"]]),
        (person(65534), shadow("*"), (), []),
        (person(0), shadow("*"), (), []),
    ],
)  # fmt: skip
def test_accounts_are_closed_and_only_passwords_age(
    account: list[str], aged: list[str], keep: tuple[str, ...], wanted: list[list[str]]
) -> None:
    assert accounts.steps([account], {"name": aged}, {"/bin/bash", "/bin/sh"}, keep, 1000) == wanted


def test_lines_that_are_no_accounts_are_left_out() -> None:
    assert accounts.records("a:x:1:1::/:/bin/sh\n\n+::\nb\n", 7) == [["a", "x", "1", "1", "", "/", "/bin/sh"]]


OPTIONS = ["nosuid", "nodev", "noexec"]


@pytest.mark.parametrize(
    ("fstab", "path", "kind", "after"),
    [
        ("", "/tmp", "tmpfs", "tmpfs /tmp tmpfs mode=1777,nosuid,nodev,noexec 0 0\n"),
        ("", "/var/tmp", "ext4", "/var/tmp /var/tmp none bind,nosuid,nodev,noexec 0 0\n"),
        ("U=1 /tmp ext4 rw,exec,dev 0 2\n", "/tmp", "ext4", "U=1 /tmp ext4 rw,nosuid,nodev,noexec 0 2\n"),
        ("# UUID=1 /tmp ext4 rw 0 2\n", "/var/tmp", "none",
         "# UUID=1 /tmp ext4 rw 0 2\n/var/tmp /var/tmp none bind,nosuid,nodev,noexec 0 0\n"),
    ],
)  # fmt: skip
def test_options_go_to_the_line_that_is_there(fstab: str, path: str, kind: str, after: str) -> None:
    assert mounts.with_options(fstab, path, kind, OPTIONS) == after
    assert mounts.with_options(after, path, kind, OPTIONS) == after


def test_the_last_mount_at_a_place_counts() -> None:
    lines = ["a /tmp ext4 rw 0 0", "b /tmp tmpfs rw,nosuid 0 0", "c /x xfs rw 0 0"]
    assert mounts.options_of(lines, "/tmp") == ("tmpfs", ["rw", "nosuid"])
    assert mounts.options_of(lines, "/var/tmp") is None


def test_kernel_settings_are_set_once_and_missing_ones_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "PROC_SYS", str(tmp_path))
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "a").write_text("0\n")
    wanted = {"net.a": "1", "net.gone": "1"}

    assert kernel.settle(wanted, True) == (["net.a"], {"net.gone": "this kernel has no such setting"})
    assert (tmp_path / "net" / "a").read_text() == "0\n"
    assert kernel.settle(wanted, False)[0] == ["net.a"]
    assert kernel.settle(wanted, False)[0] == []


def test_forwarding_is_set_before_what_it_resets() -> None:
    names = ["net.ipv4.conf.all.accept_redirects", "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"]
    assert sorted(names, key=kernel.order) == [*names[1:], names[0]]


@pytest.mark.parametrize(("flags", "learnt"), [("00450003", True), ("00000003", False)])
def test_a_route_by_advertisement_is_told_from_a_fixed_one(flags: str, learnt: bool) -> None:
    zeros, gateway = "0" * 32, "fe80" + "0" * 28
    line = f"{zeros} 00 {zeros} 00 {gateway} 00000400 00000001 00000000 {flags} eth0"
    assert kernel.learns_its_route([line]) is learnt


def test_who_speaks_ssh_is_read_from_the_kernels_tables() -> None:
    four = " 0: 0A033E0A:0016 01033E0A:D2F0 01 rest"
    mapped = " 1: 0000000000000000FFFF00000A033E0A:0016 0000000000000000FFFF00000203000A:D2F0 01 rest"
    others = [" 2: 0A033E0A:0050 09033E0A:1 01 x", " 3: 0A033E0A:0016 00000000:0 0A x",
              " 4: 0100007F:0016 0100007F:D2F0 01 x"]  # fmt: skip
    assert ssh.peers([four, mapped, *others], 22) == [ip_address("10.0.3.2"), ip_address("10.62.3.1")]


@pytest.mark.parametrize(
    ("openings", "found", "admitted"),
    [
        (["10.62.3.1"], ["10.62.3.1"], True),
        (["10.62.3.0/24"], ["10.62.3.9", "192.0.2.1"], True),
        (["192.0.2.1"], ["10.62.3.1"], False),
        (["192.0.2.1"], ["2001:db8::1"], False),
        (["192.0.2.1"], [], True),
    ],
)
def test_a_firewall_must_admit_who_speaks_now(openings: list[str], found: list[str], admitted: bool) -> None:
    assert ssh.admits(openings, [ip_address(each) for each in found]) is admitted


@pytest.mark.parametrize(
    ("config", "others", "first"),
    [
        ("# x\nInclude {0}/*.conf\nPermitRootLogin yes\n", (), True),
        ("Include {0}/*.conf\n", ("00-hand.conf",), False),
        ("Include {0}/*.conf\n", ("50-hand.conf",), True),
        ("Include {0}/10-steward.conf\nInclude {0}/*.conf\n", ("00-hand.conf",), True),
        ("PermitRootLogin yes\nInclude {0}/*.conf\n", (), False),
        ("Port 22\n", (), False),
        ("", (), False),
    ],
)
def test_whether_our_file_is_read_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: str, others: tuple[str, ...], first: bool
) -> None:
    (tmp_path / "sshd_config").write_text(config.format(tmp_path))
    for name in others:
        (tmp_path / name).write_text("")
    monkeypatch.setattr(ssh, "CONFIG", str(tmp_path / "sshd_config"))
    assert ssh.comes_first(str(tmp_path / "10-steward.conf")) is first


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: only root may set the flag")
def test_an_immutable_file_is_lifted_and_given_back(tmp_path: Path) -> None:
    path = tmp_path / "locked"
    path.write_text("")
    assert disk.lock_flags(str(path)) == 0
    disk.set_lock_flags(str(path), disk.IMMUTABLE)
    with pytest.raises(PermissionError):
        path.write_text("x")
    assert disk.lock_flags(str(path)) == disk.IMMUTABLE
    disk.set_lock_flags(str(path), 0)
    path.write_text("x")


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        ({"denyusers": ["ste*"]}, "denyusers ste* shuts out steward"),
        ({"denyusers": ["bob"]}, ""),
        ({"denygroups": ["ops"]}, "denygroups ops shuts out steward"),
        ({"allowgroups": ["adm", "op?"]}, ""),
        ({"allowgroups": ["adm"]}, "allowgroups adm leaves steward out"),
        ({"port": ["2222"]}, "port 2222: the host firewall"),
        ({"port": ["2222", "22"]}, ""),
    ],
)
def test_what_would_shut_the_admin_out(tmp_path: Path, seen: dict[str, list[str]], told: str) -> None:
    (tmp_path / "keys").write_text("ssh-ed25519 AAAA")
    usual: dict[str, Any] = {"authorizedkeysfile": ["%h/keys", ".ssh/none"]}
    assert judge.shut_out(usual | seen, "steward", ["ops"], str(tmp_path)).startswith(told)
    assert bool(judge.shut_out(usual | seen, "steward", ["ops"], str(tmp_path))) is bool(told)
    assert judge.shut_out({"authorizedkeysfile": ["/none/%u"]}, "steward", [], "/x").startswith(
        "authorizedkeysfile /none/steward"
    )


def test_the_judged_configuration_has_the_new_file_first_and_not_the_old_one(tmp_path: Path) -> None:
    for name in ("new", "10-steward.conf", "50-hand.conf"):
        (tmp_path / name).write_text(f"# {name}\n")
    (tmp_path / "sshd_config").write_text(f"Include {tmp_path}/*.conf\nUsePAM yes")
    made = judge.together(
        str(tmp_path / "new"), str(tmp_path / "10-steward.conf"), str(tmp_path / "sshd_config")
    )
    assert made == f"# new\nInclude {tmp_path}/50-hand.conf\nUsePAM yes\n"
