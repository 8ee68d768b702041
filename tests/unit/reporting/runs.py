"""Reports of runs that did not go well, or only looked: built as a real run builds them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

from orchestrator.errors import FindingsError, StewardError
from orchestrator.phases.report import RunFacts, build_report
from orchestrator.ports.plays import PlayResult
from orchestrator.ports.provisioning import Preview, Provisioned
from orchestrator.reporting.json import from_json, to_json
from orchestrator.reporting.model import (
    Backup,
    Change,
    Check,
    Host,
    PolicyResult,
    Report,
    Step,
    StepState,
    Verdict,
)
from orchestrator.results import Readiness, RunResults
from tests.unit.orchestrator.samples import loaded, outputs
from tests.unit.reporting.parts import FLEET, START, backup, checks, policies

FACTS = RunFacts(
    "01JD9Z6WJ0F3M8T2Q5R7V1XKCB", "up", "maria", "0.1.0", {"pulumi": "3.205.0"}, START,
    START + timedelta(seconds=161), FLEET,
)  # fmt: skip
CREATED = tuple(
    Change(op="create", kind="server", name=name, urn=f"urn:pulumi:acme-demo::steward::server::{name}")
    for name in ("web-1", "web-2", "db-1")
)
TASK = "nginx : Install the site"


def built(
    results: RunResults, problem: StewardError | None = None, loaded_: Any = None, **facts: Any
) -> Report:
    """The report of the results as it is read back from disk."""
    report = build_report(replace(FACTS, **facts), loaded_ or loaded(), results, problem)
    return from_json(to_json(report))


def step(name: str, seconds: float, message: str = "", **more: Any) -> Step:
    return Step.model_validate(
        {"name": name, "phase": name, "state": StepState.DONE, "started_at": START,
         "duration_seconds": seconds, "message": message, **more}
    )  # fmt: skip


@cache
def failing() -> Report:
    """web-2 failed at a task, the database backup is too old, and two hosts have checks that are not good."""
    results = RunResults(
        preview=Preview((), 13, judged()),
        outputs=outputs(),
        readiness=[Readiness(name, 1.0) for name in ("web-1", "web-2", "db-1")],
        play=PlayResult(hosts()),
        backups=stored(),
        checks=answers(),
        steps=[
            step("plan", 9.4, "no change, 13 unchanged · 230 policy results"),
            step("outputs", 0.2, "3 servers"),
            step("ready", 0.6, "3 of 3 servers ready"),
            step("enrol", 1.1, "3 repositories", effect="write"),
            step("configure", 84.0, "2 hosts, 0 tasks changed something; failed: web-2", effect="write"),
            step("backup", 17.5, "0 taken, 2 plans looked at", effect="write"),
            step("verify", 10.2, "32 checks"),
        ],
    )
    return built(results)


@cache
def planned() -> Report:
    """A plan of a stack that is not there yet."""
    results = RunResults(preview=Preview(CREATED, 0, policies()), steps=[step("plan", 9.4, "3 to create")])
    return built(results, verb="plan")


@cache
def refused(verb: str = "up") -> Report:
    """A mandatory rule ends the run after the plan."""
    found = [result.model_copy(update={"enforcement": "mandatory"}) for result in judged()]
    results = RunResults(preview=Preview(CREATED, 0, found), steps=[step("plan", 9.4, "3 to create")])
    return built(results, FindingsError("acme-demo", "2 blocking findings; nothing was changed"), verb=verb)


@cache
def broken_off(done: Provisioned | None = None) -> Report:
    """Provisioning failed; without a result nobody knows what it made."""
    failed = step("provision", 3.0, "podman: no space left", effect="write", state=StepState.FAILED)
    results = RunResults(
        preview=Preview(CREATED, 0, policies()), provisioned=done, steps=[step("plan", 9.4), failed]
    )
    return built(results, StewardError("acme-demo", "podman: no space left"))


def judged() -> list[PolicyResult]:
    """Advice that was not followed, and a rule without an answer."""
    found = [result.model_copy(update={"enforcement": "advisory"}) for result in policies()]
    found[1] = found[1].model_copy(
        update={
            "state": "fail",
            "observed": "tcp 22 from 0.0.0.0/0",
            "expected": "a network of the client",
            "message": "SSH is open to the internet",
            "remediation": "In servers.web.ingress say from: office instead of from: anywhere for port 22",
        }
    )
    found[120] = found[120].model_copy(update={"state": "unknown", "message": "image is decided at apply"})
    return found


def answers() -> list[Check]:
    """Checks of the hosts that could be verified: web-2 is not among them."""
    found = [check for check in checks() if check.server != "web-2"]
    found[3] = found[3].model_copy(update={"verdict": Verdict.UNKNOWN, "observed": "host did not answer"})
    found[19] = found[19].model_copy(
        update={
            "verdict": Verdict.FAIL,
            "observed": "PasswordAuthentication yes",
            "expected": "PasswordAuthentication no",
        }
    )
    return found


def stored() -> list[Backup]:
    """Backups of the healthy hosts."""
    return [
        backup("databases", "db-1", age_seconds=19080.0, taken_in_this_run=False, verdict=Verdict.FAIL),
        backup("site", "web-1", age_seconds=30180.0, taken_in_this_run=False),
    ]


def hosts() -> list[Host]:
    """web-1 is as it was left, web-2 failed, db-1 was configured."""
    return [
        Host(name="web-1", ok=0, changed=0, failed=0, unreachable=False, unchanged_since="01JD9Z"),
        Host(
            name="web-2",
            ok=3,
            changed=0,
            failed=1,
            unreachable=False,
            duration_seconds=30.2,
            failed_task=TASK,
            message="No space left on device",
            retry=f"steward configure --fleet {FLEET} --host web-2",
        ),
        Host(name="db-1", ok=82, changed=0, failed=0, unreachable=False, duration_seconds=84.0),
    ]
