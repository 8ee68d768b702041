"""What check mode's results mean: a change, nothing, or nobody knows; secrets stay hidden."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.plays.check import CheckReader, check_details


def record(
    kind: str = "runner_on_ok", host: str = "web-1", result: Any = None, **more: Any
) -> dict[str, Any]:
    made = {
        "kind": kind,
        "host": host,
        "task": "T",
        "role": "r",
        "changed": bool((result or {}).get("changed")),
    }
    return {**made, "check": check_details(result or {}), **more}


def plan(*records: dict[str, Any], changed: int = 0) -> Any:
    reader = CheckReader()
    for each in records:
        reader.task(each)
    return reader.plan("web-1", changed, seen=True, problem="")


def test_a_host_on_which_every_task_was_checked_and_none_differs_is_clean() -> None:
    ok, skipped = (
        record(),
        record("runner_on_skipped", result={"skipped": True, "false_condition": "x | length > 0"}),
    )
    found = plan(ok, skipped)
    assert (found.state, found.tasks, found.unknown) == ("clean", [], 0)


def test_a_change_shows_its_lines_and_what_restarts() -> None:
    edited = {
        "changed": True,
        "diff": [
            {"before_header": "/etc/x", "after_header": "/etc/x", "before": "a\nb\n", "after": "a\nc\n"}
        ],
    }
    restarted = {
        "changed": True,
        "invocation": {"module_args": {"name": "nginx.service", "state": "reloaded"}},
    }
    found = plan(record(result=edited), record(result=restarted), changed=2)
    assert (found.state, found.changes, found.restarts) == ("change", 2, ["reload of nginx.service"])
    assert found.tasks[0].diff.splitlines() == [
        "--- /etc/x",
        "+++ /etc/x",
        "@@ -1,2 +1,2 @@",
        " a",
        "-b",
        "+c",
    ]


IN_CHECK_MODE = "does not run in check mode"


@pytest.mark.parametrize(
    ("result", "note"),
    [
        ({"skipped": True, "msg": "remote module (x) does not support check mode"}, IN_CHECK_MODE),
        ({"skipped": True, "msg": "Command would have run if not in check mode"}, IN_CHECK_MODE),
        ({"skipped": True, "false_condition": "not ansible_check_mode or seen.missing | length == 0"},
         "needs what an earlier task would make"),
    ],
)  # fmt: skip
def test_what_check_mode_cannot_tell_is_unknown_and_never_clean(result: dict[str, Any], note: str) -> None:
    found = plan(record("runner_on_skipped", result=result))
    assert (found.state, found.unknown, [task.note for task in found.tasks]) == ("unknown", 1, [note])


def test_a_failure_in_check_mode_is_unknown() -> None:
    found = plan(record("runner_on_failed", message="no such file"))
    assert (found.state, found.tasks[0].note) == ("unknown", "failed in check mode: no such file")
    assert plan(record("runner_on_failed", message="x", ignored=True)).state == "clean"


def test_a_secret_task_is_counted_and_not_shown() -> None:
    secret = {"before": "hunter2", "after": "hunter3"}
    found = plan(record(result={"censored": "x", "diff": secret}), changed=1)
    assert (found.state, found.changes) == ("change", 1)
    assert "hunter" not in str(found)
    assert found.tasks[0].note == "their values are secret"
    items = [{"changed": True, "censored": "x", "diff": secret}]
    assert "hunter" not in str(plan(record(result={"changed": True, "results": items}), changed=1))


def test_a_host_that_nothing_was_done_on_is_unknown() -> None:
    reader = CheckReader()
    assert reader.plan("web-1", 0, seen=False, problem="SSH failed").reason == "SSH failed"
    assert reader.plan("web-1", 0, seen=False, problem="").state == "unknown"


def test_diffs_and_lists_are_bounded() -> None:
    big = {"changed": True, "diff": {"before": "", "after": "x\n" * 50_000}}
    small = {"changed": True, "diff": {"before": "", "after": "x\n"}}
    found = plan(*[record(result=small if n else big) for n in range(300)], changed=300)
    assert len(found.tasks) == 200
    assert len(found.tasks[0].diff) <= 8_000
