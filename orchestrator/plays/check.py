"""What check mode says of each task: what it would change, and what it cannot tell. Nothing is guessed."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.reporting.planning import HostPlan, TaskPlan

_LONGEST_DIFF = 8_000
_MOST_TASKS = 200
_NOT_IN_CHECK_MODE = "check mode"
_WAITS = "ansible_check_mode"
_STATES = {"restarted": "restart", "reloaded": "reload"}


def check_details(result: Mapping[str, Any]) -> dict[str, Any]:
    """What matters of a task's result in check mode; of a `no_log` result Ansible has left nothing."""
    if result.get("censored"):
        return {"hidden": True}
    told: dict[str, Any] = {"diff": "\n".join(_diffs(result))[:_LONGEST_DIFF]}
    if result.get("skipped") or result.get("skip_reason"):
        told["skipped"] = _why_skipped(result)
    given = (result.get("invocation") or {}).get("module_args") or {}
    unit = given.get("name")
    if result.get("changed") and isinstance(unit, str) and given.get("state") in _STATES:
        told["restart"] = f"{_STATES[given['state']]} of {unit}"
    return told


def _why_skipped(result: Mapping[str, Any]) -> str:
    """'' where a condition of the role said so, which is an answer; else why check mode has none."""
    if _WAITS in str(result.get("false_condition", "")):
        return "needs what an earlier task would make"
    said = f"{result.get('msg', '')} {result.get('skip_reason', '')}".lower()
    return "does not run in check mode" if _NOT_IN_CHECK_MODE in said else ""


def _diffs(result: Mapping[str, Any]) -> Iterator[str]:
    found = result.get("diff")
    for each in found if isinstance(found, list) else [found]:
        if isinstance(each, Mapping):
            yield from _diff(each)
    for item in result.get("results") or ():
        if isinstance(item, Mapping) and item.get("changed") and not item.get("censored"):
            yield from _diffs(item)


def _diff(each: Mapping[str, Any]) -> Iterator[str]:
    if each.get("prepared"):
        yield str(each["prepared"]).rstrip("\n")
        return
    before, after = (_lines(each.get(key)) for key in ("before", "after"))
    heads = (str(each.get("before_header") or "before"), str(each.get("after_header") or "after"))
    if before != after:
        yield from difflib.unified_diff(before, after, *heads, n=1, lineterm="")


def _lines(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [f"{key}: {value[key]}" for key in sorted(value)]
    return str(value or "").splitlines()


class CheckReader:
    """Collects the tasks of each host that would do something or could not say."""

    def __init__(self) -> None:
        self._tasks: dict[str, list[TaskPlan]] = {}
        self._restarts: dict[str, list[str]] = {}

    def task(self, record: Mapping[str, Any]) -> None:
        """One result; a failure in check mode says that it cannot be checked, not that it would fail."""
        details, host = record.get("check") or {}, str(record["host"])
        if record["kind"] in ("runner_on_failed", "runner_on_unreachable"):
            if not record.get("ignored"):
                self._add(host, record, "unknown", note=f"failed in check mode: {record.get('message', '')}")
        elif details.get("skipped"):
            self._add(host, record, "unknown", note=details["skipped"])
        elif record.get("changed"):
            self._add(host, record, "change", diff=details.get("diff", ""))
            if details.get("restart"):
                self._restarts.setdefault(host, []).append(details["restart"])

    def plan(self, host: str, changed: int, *, seen: bool, problem: str) -> HostPlan:
        """The host's plan; `changed` is Ansible's own count, which knows of tasks whose values are hidden."""
        if not seen:
            return HostPlan(name=host, state="unknown", reason=problem or "check mode did nothing there")
        tasks = self._tasks.get(host, [])
        hidden = changed - sum(task.state == "change" for task in tasks)
        if hidden > 0:
            note = "their values are secret"
            tasks = [*tasks, TaskPlan(role="", task=f"{hidden} more tasks", state="change", note=note)]
        unknown = sum(task.state == "unknown" for task in tasks)
        return HostPlan(
            name=host,
            state="unknown" if unknown else "change" if changed else "clean",
            changes=changed,
            unknown=unknown,
            tasks=tasks[:_MOST_TASKS],
            restarts=self._restarts.get(host, []),
        )

    def _add(
        self, host: str, record: Mapping[str, Any], state: Any, *, diff: str = "", note: str = ""
    ) -> None:
        role = str(record.get("role") or "")
        made = TaskPlan(role=role, task=str(record["task"]), state=state, diff=diff, note=note[:600])
        self._tasks.setdefault(host, []).append(made)
