"""What must be true on each server, from the fleet alone. Pure: a list of things to look at, no looking."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from orchestrator.ports import Expectation
from orchestrator.verification.hardening import hardening
from stacks.fleet.model import Fleet
from stacks.fleet.server import Role


def expectations(fleet: Fleet, group: str) -> list[Expectation]:
    """Everything that is checked on a server of this group, in the order of the report."""
    server = fleet.servers[group]
    found = [*_baseline(), *hardening(server.role("baseline")), *_firewall()]
    for role in server.roles:
        found += list(_ROLES.get(role.name, _nothing)(role))
    if server.backup:
        found += list(_backup(fleet, group))
    for name, volume in server.volumes.items():
        found.append(Expectation(f"volume.{name}", f"volume {name} is mounted", "mount", volume.mount))
    return found


def _baseline() -> Iterator[Expectation]:
    yield Expectation("ssh.running", "SSH runs and starts at boot", "service", "ssh")
    yield Expectation("ssh.listening", "SSH listens", "listening", "22")
    yield Expectation("ssh.no-password", "SSH refuses passwords", "sshd", "passwordauthentication", "no")
    yield Expectation("ssh.no-root", "SSH refuses root", "sshd", "permitrootlogin", "no")
    yield Expectation("users.admin", "admin user exists and has sudo", "user", "steward")
    yield Expectation("updates.timer", "security updates are installed daily", "timer", "apt-daily-upgrade")


def _firewall() -> Iterator[Expectation]:
    yield Expectation("firewall.host", "host firewall drops by default", "nft", "steward_host")
    yield Expectation("firewall.edge", "edge firewall drops by default", "nft", "steward_edge")


def _nginx(role: Role) -> Iterator[Expectation]:
    port = str(role.variables.get("port", 80))
    yield Expectation("nginx.running", "nginx runs and starts at boot", "service", "nginx")
    yield Expectation("nginx.listening", "nginx listens", "listening", port)
    yield Expectation(
        "nginx.site", "the site answers 200 with HTML", "http", f"http://127.0.0.1:{port}/", "text/html"
    )


def _postgresql(role: Role) -> Iterator[Expectation]:
    port = str(role.variables.get("port", 5432))
    yield Expectation(
        "postgresql.running", "PostgreSQL runs and starts at boot", "service", "postgresql@15-main"
    )
    yield Expectation("postgresql.listening", "PostgreSQL listens", "listening", port)
    databases = role.variables.get("databases") or []
    for database in databases if isinstance(databases, list) else []:
        yield Expectation(
            f"postgresql.database.{database}", f"database {database} answers", "database", str(database)
        )


def _backup_vault(role: Role) -> Iterator[Expectation]:
    port = str(role.variables.get("port", 8443))
    yield Expectation("vault.store", "the repository server runs", "service", "steward-vault-store")
    yield Expectation("vault.front", "its TLS front runs", "service", "steward-vault-front")
    yield Expectation("vault.listening", "the front listens", "listening", port)
    yield Expectation(
        "vault.refuses", "the front refuses who has no credential", "https-refuses", port, "401"
    )


def _backup(fleet: Fleet, group: str) -> Iterator[Expectation]:
    for name, plan in fleet.plans_of(group).items():
        seconds = str(int(plan.rpo.total_seconds()))
        yield Expectation(
            f"backup.{name}.timer", f"timer of backup plan {name} waits", "timer", f"steward-backup@{name}"
        )
        yield Expectation(
            f"backup.{name}.snapshot",
            f"last snapshot of {name} is younger than its RPO",
            "snapshot",
            name,
            seconds,
        )


def _nothing(_role: Role) -> Iterator[Expectation]:
    return iter(())


_ROLES: dict[str, Callable[[Role], Iterator[Expectation]]] = {
    "nginx": _nginx,
    "postgresql": _postgresql,
    "backup_vault": _backup_vault,
}
