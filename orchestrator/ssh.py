"""SSH to the servers of one stack: pinned host keys, one shared connection per server, no agent, no prompt."""

from __future__ import annotations

import shlex
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from orchestrator.errors import ToolError
from orchestrator.process import CommandResult, run
from stacks.outputs import ServerOutput

_CONNECT_SECONDS = 10
_KEEP_OPEN_SECONDS = 60
_SSH_FAILED = 255


def known_hosts_text(servers: Sequence[ServerOutput]) -> str:
    """The pinned keys in known_hosts form; a server that shows another key is refused."""
    return "".join(f"[{s.ssh_host}]:{s.ssh_port} {s.host_key}\n" for s in servers)


def ssh_options(private_key: Path, known_hosts: Path) -> list[str]:
    """Options that make a connection depend on the pinned key and the stack's own key alone."""
    options = {
        "IdentityFile": private_key,
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "UserKnownHostsFile": known_hosts,
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "PasswordAuthentication": "no",
        "BatchMode": "yes",
        "ConnectTimeout": _CONNECT_SECONDS,
        "ServerAliveInterval": 15,
        "LogLevel": "ERROR",
    }
    return [word for key, value in options.items() for word in ("-o", f"{key}={value}")]


class SshShell:
    """Implements `ports.HostShell` with the ssh client; `config` serves other tools and people alike."""

    def __init__(self, folder: Path, private_key: Path, servers: Sequence[ServerOutput]) -> None:
        self._sockets = Path(tempfile.mkdtemp(prefix="steward-ssh-"))  # short: a socket path has 108 bytes at most
        self._servers = {server.name: server for server in servers}
        self._key = private_key
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.known_hosts = folder / "known_hosts"
        self.known_hosts.write_text(known_hosts_text(servers))
        self.config = folder / "config"
        self.config.write_text("".join(self._block(server) for server in servers))

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
        if done.returncode == _SSH_FAILED:
            raise ToolError(
                server.name, f"SSH failed: {' '.join(done.stderr.split())[:400] or 'connection lost'}",
                place=f"{server.ssh_host}:{server.ssh_port}", next_step="Run: steward up, or look at the server.",
            )  # fmt: skip
        if check and done.returncode != 0:
            raise ToolError(
                server.name, f"'{argv[0] if argv[0] != 'sudo' else argv[2]}' failed with exit code {done.returncode}: "
                f"{' '.join((done.stderr or done.stdout).split())[:600]}",
            )  # fmt: skip
        return done

    def close(self) -> None:
        """End every connection."""
        for server in self._servers.values():
            if (self._sockets / server.name).exists():
                run(["ssh", "-F", str(self.config), "-O", "exit", server.name], timeout=10, check=False)
        shutil.rmtree(self._sockets, ignore_errors=True)

    def _block(self, server: ServerOutput) -> str:
        lines = [
            f"Host {server.name}",
            f"  HostName {server.ssh_host}",
            f"  Port {server.ssh_port}",
            f"  User {server.ssh_user}",
            "  ControlMaster auto",
            f"  ControlPath {self._sockets}/{server.name}",
            f"  ControlPersist {_KEEP_OPEN_SECONDS}",
        ]
        options = ssh_options(self._key, self.known_hosts)[1::2]
        return "\n".join([*lines, *(f"  {option.replace('=', ' ', 1)}" for option in options)]) + "\n\n"
