"""What must be true where one of Steward's own roles is used. Pure: values as the fleet writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from orchestrator.ports.hosts import Expectation
from stacks.fleet.server import Role, Server

_PLAIN = re.compile(r"[a-z][a-z0-9_]{0,40}")
"""Names that go into a query; others are refused by the role itself."""
HELD: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "nginx": ("nginx",),
    "postgresql": ("postgresql-15",),
    "redis": ("redis-server",),
    "node_exporter": ("prometheus-node-exporter",),
})  # fmt: skip
"""Packages that a role pins and holds."""


def _held(role: Role) -> Iterator[Expectation]:
    version = str(role.variables.get("version") or "*")
    for package in HELD.get(role.name, ()):
        at = f" at {version}" if version != "*" else ""
        yield Expectation(f"{role.name}.held", f"{package} is held{at}", "package", package, version)


def _nginx(role: Role, _server: Server) -> Iterator[Expectation]:
    yield from _held(role)
    yield Expectation("nginx.running", "nginx runs and starts at boot", "service", "nginx")
    sites = _mappings(role.variables.get("sites"))
    if not sites:
        port = str(role.variables.get("port", 80))
        yield Expectation("nginx.listening", "nginx listens", "listening", port)
        url = f"http://127.0.0.1:{port}/"
        yield Expectation("nginx.site", "the site answers 200 with HTML", "http", url, "text/html")
    for site in sites:
        name, secure = site.get("name"), site.get("tls", "none") != "none"
        port = str(site.get("port", 443 if secure else 80))
        yield Expectation(f"nginx.{name}.listening", f"site {name} listens", "listening", port)
        if secure:
            title = f"the certificate of site {name} is good for another week"
            yield Expectation(f"nginx.{name}.certificate", title, "certificate", port, _first_name(site))
        elif "proxy" not in site:
            url = f"http://127.0.0.1:{port}/"
            yield Expectation(f"nginx.{name}.site", f"site {name} answers 200", "http", url, "text/html")


def _first_name(site: Mapping[str, Any]) -> str:
    """The name a client would ask for; none where the site answers to every name."""
    names = site.get("server_names") or ["_"]
    return "localhost" if names[0] == "_" else str(names[0]).replace("*", "any")


def _postgresql(role: Role, _server: Server) -> Iterator[Expectation]:
    port = str(role.variables.get("port", 5432))
    yield from _held(role)
    yield Expectation(
        "postgresql.running", "PostgreSQL runs and starts at boot", "service", "postgresql@15-main"
    )
    yield Expectation("postgresql.listening", "PostgreSQL listens", "listening", port)
    yield Expectation("postgresql.tls", "PostgreSQL offers TLS", "sql", "SHOW ssl", "on")
    databases = role.variables.get("databases") or []
    for database in databases if isinstance(databases, list) else []:
        yield Expectation(
            f"postgresql.database.{database}", f"database {database} answers", "database", str(database)
        )
    for user in _mappings(role.variables.get("users")):
        if _PLAIN.fullmatch(name := str(user.get("name"))):
            names = f"'{name}', '{name}_2'"  # one whose password Steward makes has two logins
            query = f"SELECT bool_or(rolcanlogin) FROM pg_roles WHERE rolname IN ({names})"  # noqa: S608  # plain
            yield Expectation(f"postgresql.user.{name}", f"user {name} may log in", "sql", query, "t")


def _redis(role: Role, server: Server) -> Iterator[Expectation]:
    port = str(role.variables.get("port", 6379))
    remote = any(str(rule.port) == port for rule in server.ingress)
    tls = ["--tls", "--cacert", "/etc/redis/authority.crt"] if remote else []
    yield from _held(role)
    yield Expectation("redis.running", "Redis runs and starts at boot", "service", "redis-server")
    yield Expectation("redis.listening", "Redis listens", "listening", port)
    argv = json.dumps(["redis-cli", *tls, "-p", port, "ping"])
    title = "Redis refuses who has no password" + (", and speaks TLS" if remote else "")
    yield Expectation("redis.refuses", title, "command", argv, json.dumps({"exit": 0, "contains": "NOAUTH"}))


def _app(role: Role, _server: Server) -> Iterator[Expectation]:
    name = str(role.variables.get("name"))
    yield Expectation(f"app.{name}.running", f"{name} runs and starts at boot", "service", f"app-{name}")
    port, health = role.variables.get("port"), role.variables.get("health")
    health = health if isinstance(health, Mapping) else {}
    if port:
        yield Expectation(f"app.{name}.listening", f"{name} listens", "listening", str(port))
        if health.get("expect", 200) == 200:
            url = f"http://127.0.0.1:{port}{health.get('path', '/')}"
            yield Expectation(f"app.{name}.health", f"{name} says that it is healthy", "http", url)
    source = role.variables.get("source")
    if isinstance(source, Mapping) and source.get("tag"):
        argv = json.dumps(["readlink", f"/opt/{name}/current"])
        argument = json.dumps({"exit": 0, "contains": f"-{source['tag']}"})
        title = f"{name} is at release {source['tag']}"
        yield Expectation(f"app.{name}.release", title, "command", argv, argument)


def _node_exporter(role: Role, _server: Server) -> Iterator[Expectation]:
    port = str(role.variables.get("port", 9100))
    unit = "prometheus-node-exporter"
    yield from _held(role)
    yield Expectation("node_exporter.running", "the exporter runs and starts at boot", "service", unit)
    yield Expectation("node_exporter.listening", "the exporter listens", "listening", port)


def _backup_vault(role: Role, _server: Server) -> Iterator[Expectation]:
    port = str(role.variables.get("port", 8443))
    yield Expectation("vault.store", "the repository server runs", "service", "steward-vault-store")
    yield Expectation("vault.front", "its TLS front runs", "service", "steward-vault-front")
    yield Expectation("vault.listening", "the front listens", "listening", port)
    yield Expectation(
        "vault.refuses", "the front refuses who has no credential", "https-refuses", port, "401"
    )


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    """The mappings of a list; whatever else is there is refused by the role itself."""
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


ROLES: Mapping[str, Callable[[Role, Server], Iterator[Expectation]]] = MappingProxyType({
    "nginx": _nginx,
    "postgresql": _postgresql,
    "redis": _redis,
    "app": _app,
    "node_exporter": _node_exporter,
    "backup_vault": _backup_vault,
})  # fmt: skip
