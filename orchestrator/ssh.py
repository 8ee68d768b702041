"""SSH to the servers of one stack: pinned keys, one shared connection per server, no agent, no prompt."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

from orchestrator.errors import StewardError, ToolError
from orchestrator.private_file import write_private
from orchestrator.process import CommandResult, run
from orchestrator.scratch import scratch_folder
from stacks.outputs import ServerOutput

_CONNECT_SECONDS = 10
_KEEP_OPEN_SECONDS = 60
_SSH_FAILED = 255
_QUICK_EXCHANGE = ("KexAlgorithms", "^curve25519-sha256")
"""OpenSSH 9 prefers one that withstands quantum computers, for 0.14 s of a processor. A connection that
never leaves this machine cannot be recorded for later."""
_OTHER_HOST_KEY = "Host key verification failed"
_SOCKET = "/%h-%p"
"""By address and port, so that other tools with the same options share the connections."""


def known_hosts_text(servers: Sequence[ServerOutput], coming: Mapping[str, str] | None = None) -> str:
    """The pinned keys in known_hosts form; a server that shows another key is refused.

    `coming` is by incarnation, for servers whose host key is being changed: these may show that one too.
    """
    keys = ((s, key) for s in servers for key in (s.host_key, (coming or {}).get(s.incarnation, "")))
    return "".join(dict.fromkeys(f"[{s.ssh_host}]:{s.ssh_port} {key}\n" for s, key in keys if key))


def ssh_options(private_keys: Sequence[Path], known_hosts: Path, addresses: Collection[str]) -> list[str]:
    """Options that make connections to `addresses` depend on the pinned key and the stack's own keys alone.

    A key that is not there is passed over: while one follows another, the server lets in what is left.
    """
    options = [*_options(private_keys, known_hosts), *_exchange(addresses)]
    return [word for option in options for word in ("-o", "=".join(option))]


def ssh_config(
    servers: Sequence[ServerOutput], private_keys: Sequence[Path], known_hosts: Path, sockets: Path | None
) -> str:
    """A client configuration with each server under its name; `sockets` is for shared connections."""
    shared = []
    if sockets is not None:
        shared = [
            ("ControlMaster", "auto"),
            ("ControlPath", _quoted(sockets, _SOCKET)),
            ("ControlPersist", str(_KEEP_OPEN_SECONDS)),
        ]
    blocks = []
    for server in servers:
        own = [("HostName", server.ssh_host), ("Port", str(server.ssh_port)), ("User", server.ssh_user)]
        own += [*_options(private_keys, known_hosts), *_exchange([server.ssh_host]), *shared]
        lines = [f"  {key} {value}" for key, value in own]
        blocks.append("\n".join([f"Host {server.name}", *lines]) + "\n")
    return "\n".join(blocks)


def _options(private_keys: Sequence[Path], known_hosts: Path) -> list[tuple[str, str]]:
    return [
        *(("IdentityFile", _quoted(path)) for path in private_keys),
        ("IdentitiesOnly", "yes"),
        ("IdentityAgent", "none"),
        ("UserKnownHostsFile", _quoted(known_hosts)),
        ("GlobalKnownHostsFile", "/dev/null"),
        ("StrictHostKeyChecking", "yes"),
        ("PasswordAuthentication", "no"),
        ("BatchMode", "yes"),
        ("ConnectTimeout", str(_CONNECT_SECONDS)),
        ("ServerAliveInterval", "5"),
        ("ServerAliveCountMax", "4"),
        ("LogLevel", "ERROR"),
    ]


def _exchange(addresses: Collection[str]) -> list[tuple[str, str]]:
    return [_QUICK_EXCHANGE] if addresses and all(map(_stays_here, addresses)) else []


def _stays_here(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:  # a name, and who knows where it leads
        return False


def _quoted(path: Path, last: str = "") -> str:
    """A path as ssh reads it back: it splits at spaces and expands per cent signs (meant in `last`)."""
    text = str(path).replace("%", "%%") + last
    return f'"{text}"' if " " in text else text


def shown_key(server: ServerOutput) -> str:
    """The Ed25519 host key that whoever answers there shows now; raises ToolError when nobody does."""
    argv = ["ssh-keyscan", "-T", str(_CONNECT_SECONDS), "-t", "ed25519", "-p", str(server.ssh_port)]
    done = run([*argv, server.ssh_host], timeout=2 * _CONNECT_SECONDS, check=False)
    for line in done.stdout.splitlines():
        words = line.split()
        if len(words) == 3 and words[1] == "ssh-ed25519":
            return f"{words[1]} {words[2]}"
    raise ToolError(
        server.name, "shows no Ed25519 host key", place=f"{server.ssh_host}:{server.ssh_port}",
        next_step="Run: steward up, which starts a server that is down.",
    )  # fmt: skip


def _in_short(said: str) -> str:
    """Of ssh's own words those that tell what is wrong: about a host key it fills a screen."""
    if _OTHER_HOST_KEY in said:
        return f"{_OTHER_HOST_KEY}: it shows another host key than the pinned one"
    return said[:400] or "connection lost"


class SshShell:
    """Implements `ports.hosts.HostShell` with the ssh client.

    `config` and `known_hosts` belong to this run, because two runs may reach the same vault at once. A copy
    of the configuration stays in `folder`, without the shared connections, for people: `ssh -F FILE web-1`.
    """

    def __init__(
        self,
        folder: Path,
        private_keys: Sequence[Path],
        servers: Sequence[ServerOutput],
        coming: Mapping[str, str] | None = None,
    ) -> None:
        self._own, self._folder = scratch_folder("ssh"), folder
        self._servers = tuple(servers)
        self.known_hosts = self._own / ".known_hosts"
        self.expect(coming or {})
        self.config = self._own / ".config"
        self.config.write_text(ssh_config(servers, private_keys, self.known_hosts, self._own))
        write_private(folder / "config", ssh_config(servers, private_keys, folder / "known_hosts", None))

    def expect(self, coming: Mapping[str, str], changed: Sequence[ServerOutput] = ()) -> None:
        """From now on servers may show these host keys too; `changed` are pinned by another than before."""
        now = {server.incarnation: server for server in changed}
        self._servers = tuple(now.get(server.incarnation, server) for server in self._servers)
        for path in (self.known_hosts, self._folder / "known_hosts"):
            write_private(path, known_hosts_text(self._servers, coming))

    @property
    def control_path(self) -> str:
        """ssh's ControlPath of this run's shared connections."""
        return str(self._own) + _SOCKET

    def run(
        self,
        server: ServerOutput,
        argv: Sequence[str],
        *,
        timeout: float,
        stdin: str | None = None,
        check: bool = True,
    ) -> CommandResult:
        """Run one command as the admin user; raises ToolError when `check` and it fails, or SSH does."""
        words = ["ssh", "-F", str(self.config), server.name, "--", shlex.join(argv)]
        done = run(words, timeout=timeout, stdin=stdin if stdin is not None else "", check=False)
        said = " ".join((done.stderr or done.stdout).split())
        if done.returncode == _SSH_FAILED:
            raise ToolError(
                server.name, f"SSH failed: {_in_short(said)}",
                place=f"{server.ssh_host}:{server.ssh_port}",
                next_step="Run: steward up, or look at the server.",
            )  # fmt: skip
        if check and done.returncode != 0:
            program = argv[2] if argv[0] == "sudo" else argv[0]
            raise ToolError(server.name, f"'{program}' failed with exit code {done.returncode}: {said[:600]}")
        return done

    def close(self) -> None:
        """End every connection."""
        for server in self._servers:
            if (self._own / f"{server.ssh_host}-{server.ssh_port}").exists():
                with suppress(StewardError):  # it ends by itself when nobody used it for a minute
                    run(["ssh", "-F", str(self.config), "-O", "exit", server.name], timeout=10, check=False)
        shutil.rmtree(self._own, ignore_errors=True)
