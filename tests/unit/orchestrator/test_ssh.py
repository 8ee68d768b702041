"""What ssh is told, as ssh itself reads it, and how its failures are told."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.errors import ToolError
from orchestrator.ssh import SshShell, known_hosts_text, ssh_options
from tests.unit.orchestrator.samples import KEY, server

SERVERS = [server("web-1", ssh_port=40022), server("db-1", ssh_port=40023)]


@pytest.fixture(params=["home", "my home", "100% h%n"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Places that people choose for their state."""
    made: Path = tmp_path / str(request.param)
    made.mkdir()
    return made


@pytest.fixture
def shell(folder: Path) -> Iterator[SshShell]:
    made = SshShell(
        folder / "ssh", [folder / "ssh" / "id_ed25519", folder / "ssh" / "id_ed25519.second"], SERVERS
    )
    yield made
    made.close()


def understood(config: Path, name: str) -> dict[str, str]:
    """The settings as the ssh client reads them."""
    done = subprocess.run(["ssh", "-G", "-F", config, name], capture_output=True, text=True, check=True)
    lines = [line.split(" ", 1) for line in done.stdout.splitlines() if " " in line]
    keys = [value.replace("%%", "%") for key, value in lines if key == "identityfile"]
    return {**dict(line for line in lines), "identityfile": "|".join(keys)}


def test_ssh_reads_what_was_meant(shell: SshShell, folder: Path) -> None:
    read = understood(shell.config, "db-1")
    assert (read["hostname"], read["port"], read["user"]) == ("127.0.0.1", "40023", "steward")
    first = str(folder / "ssh" / "id_ed25519")
    assert read["identityfile"] == f"{first}|{first}.second"
    assert read["userknownhostsfile"] == str(shell.known_hosts)
    assert read["stricthostkeychecking"] in ("yes", "true")
    assert read["identitiesonly"] == "yes"
    assert read["identityagent"] == "none"
    assert read["passwordauthentication"] == "no"
    assert read["batchmode"] == "yes"
    assert Path(read["controlpath"]).name == "127.0.0.1-40023"
    assert len(read["controlpath"]) < 80


def test_people_get_a_configuration_without_shared_connections(shell: SshShell, folder: Path) -> None:
    path = folder / "ssh" / "config"
    read = understood(path, "web-1")
    assert read["userknownhostsfile"] == str(folder / "ssh" / "known_hosts")
    assert "controlpath" not in read
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (folder / "ssh" / "known_hosts").read_text() == known_hosts_text(SERVERS)


def test_two_runs_on_one_vault_do_not_share_files(shell: SshShell, folder: Path) -> None:
    other = SshShell(
        folder / "ssh", [folder / "ssh" / "id_ed25519", folder / "ssh" / "id_ed25519.second"], SERVERS[:1]
    )
    assert other.config != shell.config
    assert (
        understood(other.config, "web-1")["controlpath"] != understood(shell.config, "web-1")["controlpath"]
    )
    other.close()
    assert shell.config.exists()
    assert not other.config.exists()


def test_keys_are_pinned_to_address_and_port() -> None:
    assert known_hosts_text(SERVERS) == f"[127.0.0.1]:40022 {KEY}\n[127.0.0.1]:40023 {KEY}\n"


def test_options_come_in_pairs() -> None:
    words = ssh_options([Path("/k"), Path("/other")], Path("/kh"), ["10.0.0.1"])
    assert set(words[::2]) == {"-o"}
    assert words[1:4:2] == ["IdentityFile=/k", "IdentityFile=/other"]
    assert "UserKnownHostsFile=/kh" in words[1::2]


@pytest.mark.parametrize(
    ("addresses", "quick"),
    [
        (["127.0.0.1"], True),
        (["127.0.0.1", "::1"], True),
        (["127.0.0.1", "192.0.2.7"], False),
        (["localhost"], False),
        ([], False),
    ],
)
def test_only_what_stays_on_this_machine_does_without_the_costly_key_exchange(
    folder: Path, addresses: list[str], quick: bool
) -> None:
    words = ssh_options([Path("/k")], Path("/kh"), addresses)
    shown = subprocess.run(["ssh", "-G", *words, "x"], capture_output=True, text=True, check=True).stdout
    (offered,) = [line.split(" ", 1)[1] for line in shown.splitlines() if line.startswith("kexalgorithms ")]
    assert offered.startswith("curve25519-sha256,") == quick
    assert len(offered.split(",")) > 3
    servers = [server(f"s-{place}", ssh_host=address) for place, address in enumerate(addresses)]
    shell = SshShell(folder / "ssh", [Path("/k")], servers)
    for place, address in enumerate(addresses):
        first = understood(shell.config, f"s-{place}")["kexalgorithms"].split(",")[0]
        assert (first == "curve25519-sha256") == (address in ("127.0.0.1", "::1"))
    shell.close()


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SshShell:
    """A shell with a program in the place of ssh: it runs the command here, or refuses."""
    program = tmp_path / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\nshift 4\ncase "$1" in refuse*) echo "Host key refused." >&2; exit 255;; esac\n'
        'exec sh -c "$1"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return SshShell(tmp_path / "ssh", [tmp_path / "k"], SERVERS)


def test_a_command_arrives_word_for_word(played: SshShell) -> None:
    words = ["printf", "%s|", "a b", "$(id)", "`id`", "'", '"', "*", "", "\n", "ü"]
    assert played.run(SERVERS[0], words, timeout=10).stdout == "|".join(words[2:]) + "|"


def test_stdin_is_given_or_empty_never_the_terminal(played: SshShell) -> None:
    assert played.run(SERVERS[0], ["cat"], timeout=10, stdin="x").stdout == "x"
    assert played.run(SERVERS[0], ["cat"], timeout=10).stdout == ""


def test_a_failed_command_names_server_and_program(played: SshShell) -> None:
    with pytest.raises(ToolError, match=r"^web-1: 'sh' failed with exit code 3: no\."):
        played.run(SERVERS[0], ["sh", "-c", "echo no >&2; exit 3"], timeout=10)
    assert played.run(SERVERS[0], ["sh", "-c", "exit 3"], timeout=10, check=False).returncode == 3


def test_a_failure_of_ssh_itself_is_an_error_also_without_check(played: SshShell) -> None:
    with pytest.raises(ToolError, match=r"127\.0\.0\.1:40022: SSH failed: Host key refused\."):
        played.run(SERVERS[0], ["refuse"], timeout=10, check=False)


def test_people_know_both_host_keys_while_one_follows_the_other_and_then_the_new_one(
    shell: SshShell, folder: Path
) -> None:
    coming, place = "ssh-ed25519 " + "B" * 68, "[127.0.0.1]:40022"
    shell.expect({SERVERS[0].incarnation: coming})
    for known in (shell.known_hosts, folder / "ssh" / "known_hosts"):
        assert known.read_text().splitlines()[:2] == [f"{place} {KEY}", f"{place} {coming}"]
    shell.expect({}, [SERVERS[0].model_copy(update={"host_key": coming})])
    for known in (shell.known_hosts, folder / "ssh" / "known_hosts"):
        assert known.read_text() == f"{place} {coming}\n[127.0.0.1]:40023 {KEY}\n"
