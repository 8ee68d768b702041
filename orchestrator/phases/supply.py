"""supply: fetch code, read secrets and sign certificates that roles ask for, before any host is touched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.errors import InputError, StewardError
from orchestrator.inventory.logins import check_logins
from orchestrator.inventory.supplies import Archive, Supplies
from orchestrator.ports.roles import RoleBook, Supplier
from orchestrator.reporting.humanise import plural
from stacks.fleet.model import Fleet
from stacks.outputs import ServerOutput

_CERTIFICATE = frozenset({"steward_certificate", "steward_authority"})
APP_ROLE = "app"


def check_secrets(fleet: Fleet, supplier: Supplier) -> None:
    """Refuse, before anything is made, references that lead nowhere; all of them at once."""
    problems: list[StewardError] = [*check_logins(fleet)]
    for each in fleet.secrets():
        try:
            supplier.secret(each)
        except StewardError as problem:
            problems.append(problem)
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise InputError(
            "secrets", f"{len(problems)} are missing or wrong:\n  " + "\n  ".join(map(str, problems))
        )


def supply(fleet: Fleet, servers: Sequence[ServerOutput], supplier: Supplier, roles: RoleBook) -> Supplies:
    """What the roles of these servers ask for."""
    groups = {server.group for server in servers}
    certificates = {
        server.name: supplier.certificate(server.name, list(names_of(fleet, server)))
        for server in servers
        if any(_CERTIFICATE & roles.options(role.name) for role in fleet.servers[server.group].roles)
    }
    archives = {group: found for group in sorted(groups) if (found := _archive(fleet, group, supplier))}
    return Supplies(roles.options, roles.own, supplier.secret, certificates, archives, supplier.logins)


def names_of(fleet: Fleet, server: ServerOutput) -> Iterator[str]:
    """The names and addresses by which clients know a server, those of its web sites too."""
    yield from (server.name, server.group, "localhost", server.address, "127.0.0.1")
    web = fleet.servers[server.group].role("nginx")
    sites = web.variables.get("sites") if web else None
    for site in sites if isinstance(sites, list) else []:
        names = site.get("server_names") if isinstance(site, dict) else None
        yield from (str(name) for name in (names if isinstance(names, list) else []) if name != "_")


def _archive(fleet: Fleet, group: str, supplier: Supplier) -> Archive | None:
    role = fleet.servers[group].role(APP_ROLE)
    source = role.variables.get("source") if role else None
    return supplier.archive(source) if isinstance(source, dict) else None


def summary(found: Supplies) -> str:
    """`2 certificates, shop v1.2.0`"""
    parts = [plural(len(found.certificates), "certificate")] if found.certificates else []
    parts += [f"{group} {archive.release}" for group, archive in found.archives.items()]
    return ", ".join(parts) or "nothing was asked for"
