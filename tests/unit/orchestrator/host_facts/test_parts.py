"""The parts of the program that is sent to hosts, on texts as hosts have them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.host_facts.parts import accounts, machine, packages, reading, services, trees
from orchestrator.host_facts.parts.reading import UnreadableError

ED25519 = "AAAAC3NzaC1lZDI1NTE5AAAAIFOz2mJf0vOh8mCyP7LQqCNVjNVqM1m5Y3tS0N0n6oWv"


@pytest.mark.parametrize(
    ("held", "state", "algorithm"),
    [
        ("", "empty", ""),
        ("!", "locked", ""),
        ("*", "locked", ""),
        ("!!", "locked", ""),
        ("$y$j9T$salt$hash", "set", "yescrypt"),
        ("!$6$salt$hash", "locked", "sha512"),
        ("$1$salt$hash", "set", "md5"),
        ("$zz$salt$hash", "set", "unknown"),
        ("abCDefGHijKLm", "set", "des"),
        ("x", "locked", ""),
    ],
)
def test_a_password_is_told_by_state_and_algorithm(held: str, state: str, algorithm: str) -> None:
    told = accounts.password(held)
    assert told == {"state": state, "algorithm": algorithm}
    assert "hash" not in str(told)


def test_a_key_is_told_as_ssh_keygen_tells_it(tmp_path: Path) -> None:
    """Type, bits and fingerprint of every kind, with options that hold blanks, quotes and commas."""
    made = []
    for kind, bits in (("ed25519", 256), ("rsa", 2048), ("ecdsa", 384)):
        path = tmp_path / kind
        subprocess.run(
            [
                "ssh-keygen",
                "-q",
                "-t",
                kind,
                "-b",
                str(bits),
                "-N",
                "",
                "-C",
                f"{kind} of ana",
                "-f",
                str(path),
            ],
            check=True,
        )
        public = path.with_suffix(".pub").read_text().strip()
        said = subprocess.run(
            ["ssh-keygen", "-lf", f"{path}.pub"], check=True, capture_output=True, text=True
        )
        made.append((public, said.stdout.split()[:2]))
    for public, (length, print_) in made:
        for options, names in (
            ("", []),
            ('command="echo \\"a, b\\" ssh-rsa AAAA",no-pty ', ["command", "no-pty"]),
            ('from="10.0.0.0/8,!10.1.1.1" ', ["from"]),
        ):
            key = accounts._key(options + public)
            assert (str(key["bits"]), key["fingerprint"]) == (length, print_)
            assert (key["options"], key["comment"]) == (names, " ".join(public.split()[2:]))
            assert public.split()[1] not in str(key)


@pytest.mark.parametrize(
    "line", ["ssh-ed25519", "ssh-ed25519 !!!", "-----BEGIN OPENSSH PRIVATE KEY-----", "x"]
)
def test_a_line_that_is_no_public_key_gives_nothing_away(line: str) -> None:
    assert accounts._key(line) == {"unknown": "a line that is no public key"}


def test_keys_behind_a_link_or_a_pipe_are_not_read(tmp_path: Path) -> None:
    """An account owns the path: it must lead neither to a file of root's nor to a wait without end."""
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to("/etc/hostname")
    os.mkfifo(pipe)
    for path in (link, pipe):
        (row,) = accounts._keys("ana", str(path))
        assert row["account"] == "ana"
        assert "unknown" in row


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ana ALL=(ALL:ALL) NOPASSWD: ALL", ("ana", "ALL:ALL", True, ["ALL"])),
        ("%sudo ALL=(ALL:ALL) ALL", ("%sudo", "ALL:ALL", False, ["ALL"])),
        ("bo ALL = /usr/bin/id, /bin/ls", ("bo", "root", False, ["/usr/bin/id", "/bin/ls"])),
        ("PEOPLE ALL=(postgres) PG", ("ana, bo", "postgres", False, ["/usr/bin/psql"])),
        ("ana, bo ALL=(OPS) ALL", ("ana, bo", "root, www-data", False, ["ALL"])),
    ],
)
def test_a_rule_of_sudo_is_read(line: str, expected: tuple[str, str, bool, list[str]]) -> None:
    aliases = {"PEOPLE": "ana, bo", "PG": "/usr/bin/psql", "OPS": "root, www-data"}
    rule = accounts._rule("/etc/sudoers", line, aliases)
    assert (rule["who"], rule["become"], rule["nopasswd"], rule["commands"]) == expected


def test_a_rule_of_sudo_that_is_not_understood_is_named() -> None:
    assert accounts._rule("/etc/sudoers.d/x", "+netgroup", {}) == {
        "who": "",
        "line": "/etc/sudoers.d/x: +netgroup",
    }


def test_addresses_of_the_kernel_tables() -> None:
    assert services._address("0100007F") == "127.0.0.1"
    assert services._address("00000000000000000000000001000000") == "::1"
    assert services._address("0000000000000000FFFF00000100007F") == "::ffff:7f00:1"


def test_this_machine_tells_which_of_its_own_sockets_wait() -> None:
    with socket.socket() as waiting:
        waiting.bind(("127.0.0.1", 0))
        waiting.listen()
        port = waiting.getsockname()[1]
        (row,) = [row for row in services.listening() if row["port"] == port and row["protocol"] == "tcp"]
    assert row["address"] == "127.0.0.1"
    assert row["process"] == Path("/proc/self/comm").read_text().strip()


def test_a_walk_tells_what_is_open_to_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "open").write_text("")
    (tmp_path / "open").chmod(0o666)
    (tmp_path / "closed").write_text("")
    (tmp_path / "program").write_text("")
    (tmp_path / "program").chmod(0o4755)
    for name, mode in (("sticky", 0o1777), ("free", 0o777)):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(mode)
    (tmp_path / "link").symlink_to(tmp_path / "open")
    monkeypatch.setattr(trees, "PLACES", (str(tmp_path),))
    seen = trees.open_files()
    assert sorted(Path(row["path"]).name for row in seen["world_writable"]) == ["free", "open"]
    assert [Path(row["path"]).name for row in seen["setuid"]] == ["program"]
    assert seen["unseen"] == []
    monkeypatch.setattr(trees, "MOST_SECONDS", 0.0)
    assert trees.open_files()["unseen"] == [str(tmp_path)]


def test_packages_and_what_the_lists_offer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status = tmp_path / "status"
    status.write_text(
        "Package: libssl3\nStatus: hold ok installed\nArchitecture: amd64\n"
        "Source: openssl (3.0.11-1~deb12u2)\n"
        "Version: 3.0.11-1~deb12u2\n\nPackage: gone\nStatus: deinstall ok config-files\n"
        "Architecture: all\nVersion: 1\n"
    )
    base = tmp_path / "deb.example_debian-security_dists_bookworm-security"
    Path(f"{base}_InRelease").write_text(
        "Origin: Debian\nLabel: Debian-Security\nSuite: stable-security\n"
        "Date: Sat, 28 Nov 2026 10:00:00 UTC\n"
        "Valid-Until: Sat, 05 Dec 2026 10:00:00 UTC\n"
    )
    Path(f"{base}_main_binary-amd64_Packages").write_text(
        "Package: libssl3\nArchitecture: amd64\nVersion: 3.0.17-1~deb12u1\n\n"
        "Package: other\nArchitecture: amd64\nVersion: 9\n"
    )
    monkeypatch.setattr(packages, "STATUS", str(status))
    monkeypatch.setattr(packages, "LISTS", str(tmp_path))
    installed = packages.packages()
    assert [(row["name"], row["source"], row["held"]) for row in installed] == [("libssl3", "openssl", True)]
    found = packages.offers(installed)
    offered = {"package": "libssl3", "arch": "amd64", "version": "3.0.17-1~deb12u1", "security": True}
    assert found["offers"] == [offered]
    (kept,) = found["lists"]
    assert (kept["security"], kept["released_at"], kept["valid_until"]) == (True, 1795860000.0, 1796464800.0)


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    assert reading.section(lambda: reading.text(str(tmp_path / "none"))) == {
        "unknown": f"{tmp_path}/none: No such file or directory"
    }
    assert reading.section(lambda: reading.said("false")) == {"unknown": "false ended with 1: "}
    assert reading.section(lambda: reading.said("no-such-program")) == {
        "unknown": "no-such-program cannot be run"
    }
    assert reading.section(lambda: 1 // int("x"))["unknown"].startswith("ValueError")
    with pytest.raises(UnreadableError, match="5 entries, at most 4"):
        reading.bounded([0] * 5, 4)


def test_a_program_that_does_not_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SECONDS", 0.2)
    told = reading.section(lambda: reading.said(sys.executable, "-c", "import time; time.sleep(30)"))
    assert told["unknown"].endswith("takes too long")


def test_sshd_settings_that_come_first_count_and_comments_do_not() -> None:
    assert reading.settings("a 1\n# b\n\n  c \\\n d\n; e\n") == ["a 1", "c   d"]


def test_the_clock_is_the_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = machine.clock()
    assert isinstance(seen["synchronised"], bool)
    assert seen["epoch"] > 1.7e9
