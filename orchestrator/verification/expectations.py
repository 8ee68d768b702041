"""What must be true on each server, from the fleet and the roles' own words. Pure: no looking."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.ports.hosts import Expectation
from orchestrator.ports.roles import RoleBook
from orchestrator.verification.hardening import hardening
from orchestrator.verification.own_checks import own_expectations
from orchestrator.verification.role_expectations import ROLES
from stacks.fleet.model import Fleet
from stacks.fleet.server import Role


def expectations(fleet: Fleet, group: str, roles: RoleBook) -> list[Expectation]:
    """Everything that is checked on a server of this group, in the order of the report."""
    server = fleet.servers[group]
    found = [*_baseline(), *hardening(server.role("baseline")), *_firewall()]
    for role in server.roles:
        if role.name in ROLES:
            found += ROLES[role.name](role, server)
        elif roles.own(role.name):
            found += _own(role, roles)
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


def _own(role: Role, roles: RoleBook) -> Iterator[Expectation]:
    def value_of(variable: str) -> object:
        if variable in role.variables:
            return role.variables[variable]
        return roles.default(role.name, f"{role.name}_{variable}")

    return own_expectations(role.name, roles.checks(role.name), value_of)


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
