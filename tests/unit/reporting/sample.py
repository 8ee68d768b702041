"""Reports as real runs make them: the demo when all is well, a large fleet, and the runs of `runs`."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any

from orchestrator.reporting.findings import collect
from orchestrator.reporting.folding import gathered
from orchestrator.reporting.history import RunRow
from orchestrator.reporting.model import Change, Flow, Host, Network, Report, Service, Verdict
from orchestrator.reporting.tone import Tone
from tests.unit.reporting.parts import (
    FLEET,
    START,
    backup,
    checks,
    history,
    policies,
    probes,
    server,
    spans,
    steps,
)
from tests.unit.reporting.runs import broken_off, built, failing, planned, refused

__all__ = [
    "FLEET",
    "START",
    "backup",
    "broken_off",
    "built",
    "checks",
    "demo",
    "failing",
    "large",
    "planned",
    "policies",
    "refused",
    "server",
    "steps",
]


def demo(**changed: Any) -> Report:
    """The demo fleet after its first `up`: 2 web servers, 1 database server, the vault in its own stack."""
    return Report(**{**_identity(), **_fleet(), **_outcome(), **changed})


def _identity() -> dict[str, Any]:
    return {
        "run": "01JD9Z6WJ0F3M8T2Q5R7V1XKCB",
        "verb": "up",
        "stack": "acme-demo",
        "client": "acme",
        "environment": "demo",
        "region": "local-1",
        "provider": "local",
        "owner": "platform@acme.example",
        "actor": "maria",
        "steward_version": "0.1.0",
        "fleet_file": FLEET,
        "fleet_digest": "sha256:4be1f2c0d5a97e83" + "1b" * 24,
        "tool_versions": {
            "pulumi": "3.205.0",
            "ansible-core": "2.19.4",
            "restic": "0.18.1",
            "podman": "4.3.1",
        },
        "started_at": START,
        "finished_at": START + timedelta(seconds=161),
        "exit_code": 0,
        "complete": True,
        "steps": steps(),
    }


def _fleet() -> dict[str, Any]:
    return {
        "networks": (Network(name="app", cidr="10.41.0.0/24"),),
        "servers": (
            server("web-1", "web", "10.41.0.11", 40021, roles=("nginx",), urls=("http://127.0.0.1:41234/",)),
            server("web-2", "web", "10.41.0.12", 40022, roles=("nginx",), urls=("http://127.0.0.1:41235/",)),
            server(
                "db-1",
                "db",
                "10.41.0.21",
                40023,
                roles=("postgresql",),
                cpus=2.0,
                memory_gib=2.0,
                volumes=("data 10 GiB",),
            ),
        ),
        "flows": (
            Flow(source="anywhere", target="web", port=80, protocol="tcp"),
            Flow(source="web", target="db", port=5432, protocol="tcp"),
        ),
        "services": (
            Service(
                name="shop",
                purpose="Customers order here",
                owner="shop-team@acme.example",
                availability_percent=99.5,
                servers=("web", "db"),
                maintenance="Sun 02:00-04:00 Europe/Berlin",
                probe="GET / on web answers 200",
                looks=48,
                answered=48,
                since=START - timedelta(days=5),
            ),
        ),
    }


def _outcome() -> dict[str, Any]:
    return {
        "changes": tuple(
            Change(op="create", kind=kind, name=name, urn=f"urn:pulumi:acme-demo::steward::{kind}::{name}")
            for kind, name in (
                ("network", "app"),
                ("volume", "db-1/data"),
                ("server", "web-1"),
                ("server", "web-2"),
                ("server", "db-1"),
                ("firewall", "web-1"),
                ("firewall", "web-2"),
                ("firewall", "db-1"),
            )
        ),
        "hosts": (
            host("web-1", 66, 41, ("baseline", 33.0), ("nginx", 24.0), ("backup", 14.0)),
            host("web-2", 66, 41, ("baseline", 34.1), ("nginx", 24.9), ("backup", 14.5)),
            host("db-1", 82, 49, ("baseline", 36.0), ("postgresql", 30.0), ("backup", 18.0)),
        ),
        "backups": (
            backup("site", "web-1"),
            backup("site", "web-2", age_seconds=11.0),
            backup("databases", "db-1", age_seconds=4.0),
        ),
        "calendar": (history("web-1", "site"), history("web-2", "site"), history("db-1", "databases")),
        "probes": probes(),
        "checks": checks(),
        "policies": policies(),
    }


def host(name: str, ok: int, changed: int, *roles: tuple[str, float]) -> Host:
    """A host that the playbooks converged, with its time in each role."""
    seconds = sum(each for _, each in roles)
    return Host(
        name=name,
        ok=ok,
        changed=changed,
        failed=0,
        unreachable=False,
        duration_seconds=seconds,
        spans=spans(*roles),
    )


def large(groups: int = 5, each: int = 6) -> Report:
    """A fleet of many servers over two networks, to see the drawing hold."""
    names = ("edge", "web", "api", "queue", "db", "cache", "search", "mail", "cron", "logs")[:groups]
    servers = tuple(
        server(
            f"{name}-{i + 1}",
            name,
            f"10.4{1 + (g > 2)}.{g}.{i + 10}",
            40000 + 50 * g + i,
            network="app" if g <= 2 else "data",
            roles=(name,),
            volumes=("data 50 GiB",) if name == "db" else (),
        )
        for g, name in enumerate(names)
        for i in range(each)
    )
    pairs = (
        ("anywhere", "edge", 443),
        ("anywhere", "edge", 80),
        ("edge", "web", 8080),
        ("web", "api", 9000),
        ("api", "db", 5432),
        ("api", "queue", 5672),
        ("web", "cache", 6379),
        ("10.9.0.0/24 (acme-office)", "db", 5432),
        ("queue", "db", 5432),
    )
    return demo(
        networks=(Network(name="app", cidr="10.41.0.0/16"), Network(name="data", cidr="10.42.0.0/16")),
        servers=servers,
        flows=tuple(Flow(source=s, target=t, port=p, protocol="tcp") for s, t, p in pairs if t in names),
        backups=tuple(backup("databases", f"{name}-1") for name in names if name in ("db", "queue", "web")),
    )


@cache
def thousand() -> Report:
    """A thousand servers in ten groups, three of them not well, with every check and rule."""
    report = large(10, 100)
    names = [each.name for each in report.servers]
    failing = {(7, 3), (400, 3), (812, 5)}
    answers = [
        each.model_copy(update={"server": name, **({"verdict": Verdict.FAIL} if (i, j) in failing else {})})
        for i, name in enumerate(names)
        for j, each in enumerate(checks()[:13])
    ]
    judged = [
        each.model_copy(update={"subject": name, "urn": f"urn:pulumi:acme-demo::steward::Server::{name}"})
        for name in names
        for each in policies()[::23]
    ]
    hosts = [
        host(name, 66, 0, ("baseline", 30 + i % 40), ("nginx", 20.0), ("backup", 8.0))
        for i, name in enumerate(names)
    ]
    return report.model_copy(
        update={
            "checks": tuple(gathered(answers)),
            "hosts": tuple(hosts),
            "steps": steps(hosts=names),
            "calendar": tuple(
                history(name, "site", gap=20 if i % 100 == 0 else None) for i, name in enumerate(names)
            ),
            "backups": tuple(backup("site", name) for name in names),
            "policies": tuple(gathered(judged)),
            "findings": tuple(collect((), answers, (), (), ())),
            "exit_code": 1,
        }
    )


def row(i: int) -> RunRow:
    """One of many earlier runs."""
    bad = i % 9 == 4
    return RunRow(
        run=f"01JD{i:022d}",
        verb=("up", "up", "verify", "plan", "backup status")[i % 5],
        started_at=START - timedelta(hours=6 * (600 - i)),
        duration_seconds=8.0 + (i * 37 % 90) / 10,
        exit_code=1 if bad else 0,
        tone=Tone.BAD if bad else Tone.GOOD,
        headline="Action needed" if bad else "All good",
        sentence="acme-demo needs action: 1 finding, 1 blocking; the worst is high, on web-2: Check failed."
        if bad
        else "",
        changes=0 if i % 7 else 2,
        hosts_changed=0,
        findings={"high": 1} if bad else {},
        blocking=int(bad),
        servers=(2 if bad else 3, 3),
        backups=(3, 3),
        newest_backup_age_seconds=600.0 + (i * 131 % 3000),
        restore_seconds=21.0 + i % 11 if i % 10 == 3 else None,
        looks={"shop": (2, 2)},
    )
