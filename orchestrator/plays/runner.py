"""Ansible through ansible-runner in a child process: workspace, environment, the end of a stopped play."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from orchestrator.errors import StewardError, StoppedError, ToolError
from orchestrator.inventory.render import render_hosts, render_secrets
from orchestrator.plays.outcome import OutcomeReader
from orchestrator.ports.plays import PlayRequest, PlayResult
from orchestrator.ports.run import Say
from orchestrator.private_file import write_private
from orchestrator.process import run
from orchestrator.progress import Watch
from orchestrator.redaction import redacted
from orchestrator.scratch import scratch_folder
from orchestrator.settings import Settings
from orchestrator.ssh import ssh_options
from orchestrator.toolchain.environment import Toolchain, inherited_environment

_PLAY_SECONDS = 1_800
_WHOLE = "site.yml"
"""The playbook whose last play says that all were played."""
_IDLE_SECONDS = 600
_FORKS_PER_CORE = 4

Leftovers = Callable[[str], None]
"""Ends, on every host, the processes that carry the given run id."""


class AnsibleRunner:
    """Implements `ports.plays.PlaybookRunner`."""

    def __init__(
        self,
        settings: Settings,
        toolchain: Toolchain,
        folder: Path,
        retry: str,
        end_leftovers: Leftovers,
        watch: Watch = lambda _: None,
    ) -> None:
        self._settings = settings
        self._toolchain = toolchain
        self._folder = folder
        self._retry = retry
        self._end_leftovers = end_leftovers
        self._watch = watch

    def run(self, request: PlayRequest, say: Say) -> PlayResult:
        """Converge; one failed host does not stop the others. No process is left behind when interrupted.

        Ansible itself leaves out what comes after a play in which every host failed; the others then go on
        in a run of their own.
        """
        played, cut_short = self._play(request, say)
        bad = {host.name for host in played.hosts if host.failed or host.unreachable}
        rest = [name for name in request.hosts if name not in bad]
        if request.check or not (cut_short and bad and rest):
            return played
        say(f"every host of one play failed; {len(rest)} others go on")
        again = {host.name: host for host in self.run(replace(request, hosts=rest), say).hosts}
        return PlayResult([again.get(host.name, host) for host in played.hosts], played.problem)

    def _play(self, request: PlayRequest, say: Say) -> tuple[PlayResult, bool]:
        """One run of Ansible, and whether it left plays out."""
        if not request.hosts:
            raise ToolError("playbooks", "no host to configure", next_step="Name hosts of the fleet.")
        workspace = self._workspace()
        sockets = scratch_folder("cp")
        reader = OutcomeReader(request.hosts, say, self._watch)
        try:
            inventory = self._write_inventory(workspace, request)
            spec = workspace / "spec.json"
            spec.write_text(json.dumps(self._spec(workspace, inventory, request, sockets)))
            argv = [sys.executable, "-P", "-m", "orchestrator.plays.job", str(spec)]
            run(
                argv,
                timeout=_PLAY_SECONDS + 60,
                env=self._environment(request),
                check=False,
                on_line=reader.line,
            )
        except (StoppedError, KeyboardInterrupt, StewardError):
            self._end_leftovers(request.run)
            raise
        finally:
            (workspace / "inventory" / "secrets.yml").unlink(missing_ok=True)
            _redact(workspace / "artifacts" / "play")
            # ansible-runner keeps the whole environment there, and a pipeline's holds tokens of others.
            (workspace / "artifacts" / "play" / "command").unlink(missing_ok=True)
            self._close_sockets(sockets)
        return reader.result(self._retry), reader.cut_short and request.playbook == _WHOLE

    def _workspace(self) -> Path:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        number = sum(1 for _ in self._folder.iterdir()) + 1
        workspace = self._folder / f"{number:02d}"
        (workspace / "inventory").mkdir(mode=0o700, parents=True)
        return workspace

    def _write_inventory(self, workspace: Path, request: PlayRequest) -> Path:
        folder = workspace / "inventory"
        for name, text in (
            ("hosts.yml", render_hosts(request.inventory)),
            ("secrets.yml", render_secrets(request.inventory)),
        ):
            descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(text)
        return folder

    def _spec(
        self, workspace: Path, inventory: Path, request: PlayRequest, sockets: Path
    ) -> Mapping[str, object]:
        return {
            "parent": os.getpid(),
            "folder": str(workspace),
            "project": str(self._settings.playbooks),
            "playbook": request.playbook,
            "inventory": str(inventory),
            "hosts": list(request.hosts),
            "check": request.check,
            "strategy": os.environ.get("STEWARD_STRATEGY", "auto"),
            "seconds": _PLAY_SECONDS,
            "idle_seconds": _IDLE_SECONDS,
            "environment": self._ansible_settings(request, sockets),
        }

    def _ansible_settings(self, request: PlayRequest, sockets: Path) -> dict[str, str]:
        addresses = {str(host.variables.get("ansible_host", host.name)) for host in request.inventory.hosts}
        keys = ssh_options(request.private_keys, request.known_hosts, addresses)
        persist = ["-o", "ControlMaster=auto", "-o", "ControlPersist=60s"]
        persist += ["-o", f"ControlPath={request.control_path}"] if request.control_path else []
        cores = os.cpu_count() or 1
        return {
            "ANSIBLE_CONFIG": str(self._settings.playbooks / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(self._toolchain.collections),
            "ANSIBLE_ROLES_PATH": f"{self._settings.playbooks / 'roles'}:{self._settings.own_roles}",
            "ANSIBLE_LIBRARY": str(self._settings.playbooks / "library"),
            "ANSIBLE_HOST_KEY_CHECKING": "True",
            "ANSIBLE_SSH_ARGS": shlex.join([*keys, *persist]),
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(sockets),
            "ANSIBLE_FORKS": str(max(2, min(len(request.hosts), _FORKS_PER_CORE * cores))),
            "ANSIBLE_LOCAL_TEMP": str(sockets / "tmp"),
            "ANSIBLE_HOME": str(self._settings.cache / "ansible"),
            "ANSIBLE_NOCOLOR": "1",
            "STEWARD_RUN": request.run,
        }

    def _environment(self, request: PlayRequest) -> dict[str, str]:
        return {
            **inherited_environment(self._settings, request.inventory.shared["steward_stack"]),
            "STEWARD_RUN": request.run,
        }

    @staticmethod
    def _close_sockets(folder: Path) -> None:
        for socket in _sockets(folder):
            run(["ssh", "-o", f"ControlPath={socket}", "-O", "exit", "steward"], timeout=10, check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _redact(folder: Path) -> None:
    """What Ansible printed stays as a record, without secrets that a module or a program told."""
    for name in ("stdout", "stderr"):
        path = folder / name
        if path.exists():
            write_private(path, redacted(path.read_text(errors="replace")))


def _sockets(folder: Path) -> Sequence[Path]:
    return [path for path in folder.iterdir() if path.is_socket()] if folder.exists() else []
