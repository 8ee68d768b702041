"""One playbook run in a process of its own: the only importer of ansible_runner.

Run as `python -P -m orchestrator.plays.job SPEC.json`. Each line on stdout is one JSON record.
On TERM it stops Ansible and every process Ansible started on this machine, then exits.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from collections.abc import Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from orchestrator.plays.check import check_details

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LONGEST_MESSAGE = 2_000
TRIED: Final = {"mitogen": "0.3.54", "ansible-core": "2.19.14"}
"""Releases that load together, as the tests see; to find it out takes half a second, before every play."""
_WATCHED = {
    "playbook_on_play_start",
    "playbook_on_task_start",
    "runner_on_start",
    "runner_on_ok",
    "runner_on_failed",
    "runner_on_unreachable",
    "runner_on_skipped",
    "playbook_on_stats",
    "error",
}


def main() -> int:
    """Run the playbook that the specification describes; exit code 0 when the job itself worked."""
    spec = json.loads(Path(sys.argv[1]).read_text())
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop_at_once)
    # A steward that is killed cannot stop its job any more.
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != spec["parent"]:
        return 1
    strategy, note = choose_strategy(spec["strategy"])
    emit({"kind": "strategy", "strategy": strategy, "note": note})
    try:
        finished = play(spec, strategy)
    finally:
        end_descendants()
    emit({"kind": "end", **finished})
    return 0


def play(spec: Mapping[str, Any], strategy: str) -> dict[str, Any]:
    """Drive ansible-runner and return how it ended."""
    import ansible_runner

    environment = {**spec["environment"], "ANSIBLE_STRATEGY": strategy}
    result = ansible_runner.run(
        private_data_dir=spec["folder"],
        project_dir=spec["project"],
        playbook=spec["playbook"],
        inventory=spec["inventory"],
        limit=",".join(spec["hosts"]),
        envvars=environment,
        settings={
            "suppress_ansible_output": True,
            "idle_timeout": spec["idle_seconds"],
            "job_timeout": spec["seconds"],
        },
        suppress_env_files=True,
        quiet=True,
        ident="play",
        event_handler=partial(handle, check=bool(spec.get("check"))),
        cmdline="--check --diff" if spec.get("check") else None,
        cancel_callback=lambda: False,  # without one, ansible-runner would replace our signal handlers
    )
    output = ""
    if result.status != "successful":
        stdout = Path(spec["folder"]) / "artifacts" / "play" / "stdout"
        output = stdout.read_text(errors="replace")[-_LONGEST_MESSAGE:] if stdout.exists() else ""
    return {"status": result.status, "code": result.rc, "output": output}


def handle(event: Mapping[str, Any], *, check: bool = False) -> bool:
    """Pass on what matters of one Ansible event; False keeps ansible-runner from storing a file for each."""
    kind = event.get("event", "")
    if kind not in _WATCHED:
        return False
    details = event.get("event_data", {})
    record: dict[str, Any] = {
        "kind": kind,
        "host": details.get("host", ""),
        "task": details.get("task") or details.get("name", ""),
    }
    if kind == "playbook_on_stats":
        record |= {
            key: details.get(key, {})
            for key in ("ok", "changed", "failures", "dark", "skipped", "ignored", "rescued")
        }
    if kind.startswith("runner_on_") and kind != "runner_on_start":
        result = details.get("res") or {}
        record |= {
            "changed": bool(result.get("changed")),
            "role": details.get("role", ""),
            "seconds": details.get("duration", 0.0),
            "started_at": details.get("start", ""),
            "ended_at": details.get("end", ""),
        }
        record["ignored"] = bool(details.get("ignore_errors"))
        if check:
            record["check"] = check_details(result)
        if kind != "runner_on_ok":
            record["message"] = message_of(result)
    if kind == "error":
        record["message"] = str(event.get("stdout", ""))[:_LONGEST_MESSAGE]
    emit(record)
    return False


def message_of(result: Mapping[str, Any]) -> str:
    """Why a task failed, in one bounded text; `no_log` results are already censored by Ansible."""
    if result.get("censored"):
        return str(result["censored"])
    parts = [
        str(result.get(key, "")).strip() for key in ("msg", "stderr", "module_stderr") if result.get(key)
    ]
    items = [item for item in result.get("results", []) if isinstance(item, Mapping)]
    parts += [message_of(item) for item in items if item.get("failed")]
    return "; ".join(dict.fromkeys(part for part in parts if part))[:_LONGEST_MESSAGE]


def choose_strategy(wanted: str) -> tuple[str, str]:
    """Ours over mitogen where that loads, else Ansible's own with pipelining; the note says why not."""
    if wanted == "linear":
        return "linear", "asked for"
    if {name: version(name) for name in TRIED} == TRIED:
        return "steward_linear", ""
    try:
        import ansible_mitogen.plugins.strategy.mitogen_linear  # noqa: F401  # loading it is the test
    except (ImportError, SyntaxError, AttributeError) as problem:
        return "linear", f"mitogen does not load: {problem}"
    except Exception as problem:
        # mitogen raises AnsibleError for a version it does not know; naming it would import Ansible
        if type(problem).__name__ != "AnsibleError":
            raise
        return "linear", f"mitogen does not load: {problem}"
    return "steward_linear", ""


def emit(record: Mapping[str, Any]) -> None:
    """Write one record as a line."""
    sys.stdout.write(json.dumps(record, default=str) + "\n")
    sys.stdout.flush()


def end_descendants() -> None:
    """Kill every process below this one; as subreaper it inherits those whose parents are gone."""
    for _ in range(50):
        living = children()
        if not living:
            return
        for pid in living:
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except (ProcessLookupError, ChildProcessError):
                continue


def children() -> list[int]:
    """Direct children of this process, whichever of its threads started or inherited them."""
    found: list[int] = []
    for task in Path("/proc/self/task").iterdir():
        try:
            found += [int(pid) for pid in (task / "children").read_text().split()]
        except OSError:
            continue  # a thread that ended meanwhile
    return found


def stop_at_once(number: int, _frame: object) -> None:
    """End everything below this job, then the job: whoever stopped it waits for no tidy end of Ansible."""
    end_descendants()
    os._exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
