"""The records of a job, read into one outcome per host."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.plays.check import CheckReader
from orchestrator.plays.following import HostFollower
from orchestrator.plays.spans import HostTimes
from orchestrator.ports.plays import PlayResult
from orchestrator.ports.run import Say
from orchestrator.progress import Watch
from orchestrator.reporting.model import Host
from orchestrator.reporting.planning import HostPlan

_SEEN = ("ok", "changed", "failures", "skipped")
LAST_PLAY = "Every play was played"
"""The name of the last play of site.yml."""
_ERROR = re.compile(
    r"\[ERROR\]: (?P<why>.+?)\s*\n(?:.*\n)*?Origin: (?P<place>\S+?:\d+)(?::\d+)?\s*$", re.MULTILINE
)
_NO_HOST = "no host matched: the playbook did nothing on this host"


class OutcomeReader:
    """Takes the job's lines as they come; tells progress, and at the end what happened on each host."""

    def __init__(self, hosts: Sequence[str], say: Say, watch: Watch = lambda _: None) -> None:
        self._hosts = tuple(hosts)
        self._say = say
        self._follower = HostFollower(self._hosts, watch)
        self._times: dict[str, HostTimes] = {}
        self._failures: dict[str, tuple[str, str]] = {}
        self._stats: Mapping[str, Mapping[str, int]] = {}
        self._end: Mapping[str, Any] = {}
        self._errors: list[str] = []
        self._check = CheckReader()
        self._last_play_begun = False
        self._at = ""
        self.strategy = ""
        self.noise: list[str] = []

    def line(self, text: str) -> None:
        """One line of the job; what is not a record is kept as noise for the error message."""
        try:
            record = json.loads(text)
        except ValueError:
            record = None
        if not isinstance(record, dict) or "kind" not in record:
            self.noise.append(text)
            return
        match record["kind"]:
            case "strategy":
                self.strategy = record["strategy"]
                if record["note"] and record["note"] != "asked for":
                    self._say(f"pipelining instead of mitogen: {record['note']}")
            case "playbook_on_play_start":
                self._last_play_begun |= record["task"] == LAST_PLAY
            case "playbook_on_task_start":
                self._at = str(record["task"])
                self._say(self._at)
            case "playbook_on_stats":
                self._stats = record
                self._follower.all_over()
            case "error":
                self._errors.append(str(record["message"]))
            case "end":
                self._end = record
            case "runner_on_start":
                self._follower.begun(record)
            case "runner_on_ok" | "runner_on_skipped" | "runner_on_failed" | "runner_on_unreachable":
                self._task(record)
            case _:
                self.noise.append(text)

    def _task(self, record: Mapping[str, Any]) -> None:
        host, kind = str(record["host"]), record["kind"]
        bad = kind in ("runner_on_failed", "runner_on_unreachable") and not record.get("ignored")
        self._check.task(record)
        self._times.setdefault(host, HostTimes()).add(record, failed=bad)
        if bad:
            task = f"{record['role']} : {record['task']}" if record.get("role") else str(record["task"])
            self._failures[host] = (task, str(record.get("message", "")))
            self._say(f"{host}: failed: {task}")
        self._follower.ended(record, failed=bad)

    def result(self, retry: str) -> PlayResult:
        """The outcome of every host that was asked for; `retry` is a command with `{host}` in it."""
        problem = self._problem()
        hosts = [self._host(name, retry, problem or _NO_HOST) for name in self._hosts]
        return PlayResult(hosts, problem, [self._plan(host, problem) for host in hosts])

    def _plan(self, host: Host, problem: str) -> HostPlan:
        """What the run meant in check mode; of any other run nobody asks."""
        seen = bool(host.ok or host.changed or any(host.name in self._stats.get(key, {}) for key in _SEEN))
        said = host.message if host.unreachable else problem
        return self._check.plan(host.name, host.changed, seen=seen and not host.unreachable, problem=said)

    @property
    def cut_short(self) -> bool:
        """Whether Ansible came to an end by itself, and yet left plays out."""
        return bool(self._stats) and not self._last_play_begun

    def _host(self, name: str, retry: str, why_untouched: str) -> Host:
        def count(key: str) -> int:
            return int(self._stats.get(key, {}).get(name, 0))

        seen = any(count(key) for key in ("ok", "changed", "failures", "dark", "skipped"))
        failed = count("failures") or (0 if seen else 1)
        bad = bool(failed or count("dark"))
        task, message = self._failures.get(name, ("", "" if seen else why_untouched))
        if not bad:  # what failed was rescued
            task, message = "", ""
        times = self._times.get(name, HostTimes())
        return Host(
            name=name,
            ok=count("ok"),
            changed=count("changed"),
            failed=failed,
            unreachable=bool(count("dark")),
            duration_seconds=round(times.seconds, 2),
            spans=times.spans(),
            failed_task=task,
            message=message,
            retry=retry.replace("{host}", name) if bad else "",
        )

    def _problem(self) -> str:
        if not self._end:
            return "ansible ended without a result: " + " ".join(self.noise[-5:])[:600]
        if self._end["status"] == "timeout":
            return "the playbook took too long and was stopped"
        if self._end["status"] == "failed" and self._end["code"] is None and not self._stats:
            at = f" in the middle of '{self._at}'" if self._at else ""
            return f"ansible was killed{at}; what it did since then is not known"
        if self._end["status"] != "successful" and not self._stats:
            said = "\n".join([*self._errors, str(self._end["output"])])
            return _reason(said) or f"ansible ended: {self._end['status']}"
        return ""


def _reason(said: str) -> str:
    """Of all that Ansible prints when it cannot begin: what is wrong, at its file and line."""
    if (found := _ERROR.search(said)) is None:
        return said[-1500:].strip()
    return f"{found['place']}: {' '.join(found['why'].split())[:600]}"
