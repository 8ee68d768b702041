"""The three hosts converged and enrolled, as a first `steward up` does it."""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bcrypt
import pytest

PLAYBOOKS = Path(__file__).parents[3] / "playbooks"


@dataclass
class Trial:
    """The hosts, their inventory, and converging them."""

    folder: Path
    toolchain: Path
    hosts: dict[str, Any]
    variables: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    first: list[dict[str, dict[str, int]]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def write_inventory(self) -> None:
        """Write the inventory as the orchestrator renders it."""
        children = {name: {"hosts": dict.fromkeys(members)} for name, members in self.groups.items()}
        shared = {"steward_run": "run-trial", "steward_stack": "acme-test", "steward_client": "acme"}
        shared["steward_environment"] = "test"
        content = {"all": {"vars": shared, "hosts": self.variables, "children": children}}
        (self.folder / "inventory.yml").write_text(json.dumps(content))

    def converge(
        self, playbook: str = "site", *, mitogen: bool = True, limit: str = "all", must: bool = True
    ) -> dict[str, dict[str, int]]:
        """Run a playbook and give the recap: counts by host."""
        self.write_inventory()
        env = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "ANSIBLE_CONFIG": str(PLAYBOOKS / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(self.toolchain / "collections"),
            "ANSIBLE_PRIVATE_KEY_FILE": str(self.folder / "key"),
            "ANSIBLE_SSH_EXTRA_ARGS": f"-o UserKnownHostsFile={self.folder / 'known_hosts'}",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        }
        if mitogen:
            env["ANSIBLE_STRATEGY"] = "steward_linear"
        argv = ["ansible-playbook", "-i", str(self.folder / "inventory.yml"), "-l", limit, f"{playbook}.yml"]
        ended = subprocess.run(argv, env=env, cwd=PLAYBOOKS, capture_output=True, text=True, check=False)
        begin = ended.stdout.find("{\n")
        assert begin >= 0, ended.stdout[-3000:] + ended.stderr[-3000:]
        told = json.loads(ended.stdout[begin : ended.stdout.rindex("}") + 1])
        if must:
            assert ended.returncode == 0, "\n".join(failures(told))
        self.failed = failures(told)
        return dict(told["stats"])


def failures(told: dict[str, Any]) -> list[str]:
    """What failed, one line a host and task."""
    return [
        f"{host}: {task['task']['name']}: {result.get('msg', '')}"
        for play in told["plays"]
        for task in play["tasks"]
        for host, result in task["hosts"].items()
        if result.get("failed") or result.get("unreachable")
    ]


def variables(host: Any, toolchain: Path) -> dict[str, Any]:
    """Inventory variables of one host before it has a repository."""
    subnet = host.address.rpartition(".")[0]
    opened = {"vault": (8443, f"{subnet}.0/24"), "web": (80, "0.0.0.0/0"), "db": (5432, f"{subnet}.11/32")}
    port, source = opened[host.name]
    shared = {
        "ansible_host": "127.0.0.1",
        "ansible_port": host.port,
        "ansible_user": "steward",
        "steward_server": f"{host.name}-1",
        "steward_group": host.name,
        "steward_incarnation": host.incarnation,
        "steward_address": host.address,
        "baseline_gateway": f"{subnet}.1",
        "baseline_ingress": [{"name": host.name, "port": port, "protocol": "tcp", "addresses": [source]}],
    }
    own: dict[str, dict[str, Any]] = {
        "vault": {"backup_vault_rest_server_binary": str(toolchain / "bin" / "rest-server")},
        "web": {"nginx_site": "debian-reference"},
        "db": {
            "postgresql_databases": ["shop", "codes"],
            "postgresql_allowed_networks": [f"{subnet}.0/24"],
            "postgresql_pgbench_databases": ["shop"],
            "postgresql_iso_databases": ["codes"],
        },
    }
    return shared | own[host.name]


PLANS: dict[str, dict[str, Any]] = {
    "web": {"name": "content", "id": "c" * 32, "kind": "paths", "paths": ["/var/www"], "databases": []},
    "db": {
        "name": "dumps",
        "id": "d" * 32,
        "kind": "postgresql",
        "paths": [],
        "databases": ["shop", "codes"],
    },
}
WHEN = {
    "on_calendar": "*-*-* 02:30:00 Europe/Berlin",
    "jitter_seconds": 600,
    "keep": {"hourly": 0, "daily": 7, "weekly": 4, "monthly": 6, "yearly": 0},
}


def enrol(host: Any, vault: Any, toolchain: Path, folder: Path) -> dict[str, Any]:
    """Make a repository here, put its first files into the vault, and give what the host must know."""
    password, http_password = secrets.token_hex(20), secrets.token_hex(20)
    draft = folder / f"repository-{host.name}"
    (folder / "password").write_text(password)
    env = {"RESTIC_PASSWORD_FILE": str(folder / "password"), "HOME": str(folder)}
    argv = [str(toolchain / "bin" / "restic"), "init", "--repo", str(draft)]
    subprocess.run(argv, env=env, check=True, capture_output=True)
    files = {
        str(path.relative_to(draft)): base64.b64encode(path.read_bytes()).decode()
        for path in (draft / "config", *(draft / "keys").iterdir())
    }
    digest = bcrypt.hashpw(http_password.encode(), bcrypt.gensalt(10)).decode()
    line = f"{host.incarnation}:{digest}"
    asked = {"id": host.incarnation, "user": host.incarnation, "htpasswd_line": line, "files": files}
    answer = vault.sudo("/usr/local/sbin/steward-vault", "enrol", given=json.dumps(asked))
    assert answer.code == 0, answer.err
    return {
        "url": f"https://{vault.address}:8443/{host.incarnation}/",
        "user": host.incarnation,
        "certificate": vault.sudo("/usr/local/sbin/steward-vault", "describe").json["certificate"],
        "http_password": http_password,
        "password": password,
    }


@pytest.fixture(scope="session")
def trial(hosts: dict[str, Any], toolchain: Path) -> Trial:
    """The hosts converged, enrolled and converged again, as a first `steward up` does it."""
    folder = hosts["vault"].folder
    made = Trial(folder, toolchain, hosts)
    made.variables = {name: variables(host, toolchain) for name, host in hosts.items()}
    made.groups = {"role_backup_vault": ["vault"], "role_nginx": ["web"], "role_postgresql": ["db"]}
    made.first.append(made.converge())
    for name, plan in PLANS.items():
        made.variables[name] |= {
            "backup_restic_binary": str(toolchain / "bin" / "restic"),
            "backup_repository": enrol(hosts[name], hosts["vault"], toolchain, folder),
            "backup_plans": [plan | WHEN],
        }
    made.groups["backup_hosts"] = list(PLANS)
    made.first.append(made.converge("backup"))
    return made
