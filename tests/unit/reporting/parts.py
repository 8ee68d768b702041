"""The pieces that sample reports are made of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any, Literal

from orchestrator.reporting.model import (
    Backup,
    Check,
    PolicyResult,
    Probe,
    Server,
    Step,
    StepState,
    Verdict,
)
from orchestrator.reporting.seen import BackupHistory, HostSpan, HostTime

START = datetime(2026, 11, 22, 6, 17, 19, tzinfo=UTC)
FLEET = "stacks/fleets/demo.yaml"
_STEPS = (
    ("validate", "validate", 0.3, "fleet file is sound: 3 servers, 1 network, 2 backup plans"),
    ("plan", "plan", 9.4, "13 resources to create"),
    ("judge", "plan", 1.1, "10 rules over 23 subjects, nothing found"),
    ("provision", "provision", 31.2, "13 created"),
    ("ready", "ready", 6.8, "3 of 3 servers ready"),
    ("configure", "configure", 84.0, "214 tasks on 3 hosts, 131 changed"),
    ("backup", "backup", 17.5, "3 snapshots taken and read back"),
    ("verify", "verify", 10.2, "49 checks"),
    ("report", "report", 0.4, ""),
)
_RULES = (
    ("network.ssh-not-from-anywhere", "critical"),
    ("network.database-not-public", "critical"),
    ("storage.data-volume-has-backup", "critical"),
    ("backups.rpo-fits-schedule", "high"),
    ("backups.repository-in-other-stack", "high"),
    ("servers.image-is-known", "medium"),
    ("servers.has-owner", "medium"),
    ("quality.tags-complete", "medium"),
    ("quality.names-follow-scheme", "low"),
    ("cost.size-is-allowed", "low"),
)


def steps(
    states: dict[str, tuple[StepState, str]] | None = None,
    hosts: Sequence[str] = ("web-1", "web-2", "db-1"),
) -> tuple[Step, ...]:
    """The steps of an `up`, one after the other; `states` overrides how some of them ended."""
    at, made = START, []
    for name, phase, seconds, message in _STEPS:
        state, text = (states or {}).get(name, (StepState.DONE, message))
        effect: Literal["read", "write"] = "write" if name in ("provision", "configure", "backup") else "read"
        made.append(
            Step(
                name=name,
                phase=phase,
                state=state,
                started_at=at,
                duration_seconds=seconds,
                message=text,
                effect=effect,
                hosts=tuple(
                    HostTime(server=host, started_at=at, duration_seconds=seconds * (0.5 + i % 7 / 14))
                    for i, host in enumerate(hosts if name in ("ready", "backup", "verify") else ())
                ),
            )
        )
        at += timedelta(seconds=seconds)
    return tuple(made)


def server(name: str, group: str, address: str, port: int, **more: Any) -> Server:
    return Server(
        **{
            "name": name,
            "group": group,
            "incarnation": sha256(name.encode()).hexdigest()[:32],
            "network": "app",
            "address": address,
            "ssh": f"127.0.0.1:{port}",
            "cpus": 1.0,
            "memory_gib": 1.0,
            **more,
        }
    )


def backup(plan: str, host: str, **more: Any) -> Backup:
    return Backup(
        **{
            "plan": plan,
            "server": host,
            "repository": "acme-vault/vault",
            "snapshot": "9f2c41d07ab3" + "e0" * 26,
            "arrived_at": START + timedelta(seconds=148),
            "age_seconds": 13.0,
            "rpo_seconds": 93600.0 if plan == "site" else 7200.0,
            "rto_seconds": 1800.0,
            "bytes": 184549376 if plan == "databases" else 5452595,
            "taken_in_this_run": True,
            "next_at": START + timedelta(hours=20),
            "schedule": "30 2 * * *" if plan == "site" else "0 * * * *",
            "keep": {"daily": 7, "weekly": 4, "monthly": 6},
            "verdict": Verdict.PASS,
            **more,
        }
    )


@cache
def policies() -> tuple[PolicyResult, ...]:
    subjects = [f"resource-{number:02d}" for number in range(23)]
    return tuple(
        PolicyResult(
            rule=rule,
            severity=severity,
            state="not_applicable"
            if rule.startswith("network.d") and subject.endswith(("21", "22"))
            else "pass",
            enforcement="mandatory",
            subject=subject,
            kind="resource",
            profile="demo",
        )
        for rule, severity in _RULES
        for subject in subjects
    )


@cache
def checks() -> tuple[Check, ...]:
    titles = ("sshd refuses passwords", "nftables drops what is not allowed", "time is synchronised")
    made = [
        Check(
            server=name, check=f"host.{i}", title=titles[i % 3], verdict=Verdict.PASS, observed="as expected"
        )
        for name in ("web-1", "web-2", "db-1")
        for i in range(16)
    ]
    made[5] = made[5].model_copy(
        update={"verdict": Verdict.NOT_APPLICABLE, "observed": "kernel of the container host"}
    )
    return tuple(made)


def spans(*roles: tuple[str, float], start: float = 42.0, failed: bool = False) -> tuple[HostSpan, ...]:
    """One stretch per role, one after the other, from `start` seconds into the run."""
    made, at = [], START + timedelta(seconds=start)
    for i, (role, seconds) in enumerate(roles):
        bad = failed and i == len(roles) - 1
        made.append(
            HostSpan(role=role, started_at=at, duration_seconds=seconds, tasks=9, changed=3, failed=bad)
        )
        at += timedelta(seconds=seconds + 0.4)
    return tuple(made)


def history(name: str, plan: str, *, gap: int | None = None, known: int = 20) -> BackupHistory:
    """28 days of which the last `known` have arrivals; `gap` is a day of them on which nothing came."""
    each = 1 if plan == "site" else 24
    days = [i >= 28 - known for i in range(28)]
    return BackupHistory(
        server=name,
        plans=(plan,),
        rpo_seconds=93600.0 if plan == "site" else 7200.0,
        first_day=(START - timedelta(days=27)).date(),
        planned=tuple(each if day else 0 for day in days),
        arrived=tuple(0 if i == gap else each if day else 0 for i, day in enumerate(days)),
        worst_age_seconds=tuple(
            None if not day else 172800.0 if i == gap else 3600.0 for i, day in enumerate(days)
        ),
    )


def probes(*, failing: str = "") -> tuple[Probe, ...]:
    """One look at the shop on each web server."""
    return tuple(
        Probe(
            service="shop",
            server=name,
            url=f"http://127.0.0.1:4123{i}/",
            expected="status 200",
            verdict=Verdict.FAIL if name == failing else Verdict.PASS,
            observed="no answer: Connection refused" if name == failing else "status 200",
            at=START + timedelta(seconds=160),
            seconds=0.012,
        )
        for i, name in enumerate(("web-1", "web-2"))
    )
