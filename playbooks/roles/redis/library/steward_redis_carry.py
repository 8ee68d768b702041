#!/usr/bin/python
"""Ansible module: before Redis restarts with another kind of persistence, make what it holds ready for the new kind.

Redis reads at its start only what the configured kind wrote, so the running one begins to write that too, and goes
on with it until it stops: nothing is lost in between. The configuration from before still holds and says how to
reach the server.
"""

from __future__ import annotations

DOCUMENTATION = r"""
module: steward_redis_carry
short_description: Make the keys of the running Redis ready for another kind of persistence
options:
  persistence: {description: The kind that comes., type: str, required: true, choices: [none, snapshots, append_only]}
"""

EXAMPLES = r"""
- name: Carry the keys over
  steward_redis_carry:
    persistence: append_only
"""

RETURN = r"""
carried: {description: Whether there was something to carry., returned: always, type: bool}
"""

import time
from collections.abc import Mapping

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.steward_redis_client import (
    CONFIGURATION,
    Redis,
    RedisError,
    is_up,
    kept_passwords,
    opened,
    settings,
    text_of,
)

LONGEST_SECONDS = 600
TURN_ON = {"append_only": ("appendonly", "yes"), "snapshots": ("save", "900 1 300 100 60 10000")}
"""Redis writes an append-only file at once and goes on with it; with save points it writes a snapshot as it stops."""


def kind(known: Mapping[str, str]) -> str:
    """The kind of persistence that a configuration asks for."""
    if known.get("appendonly") == "yes":
        return "append_only"
    return "snapshots" if known.get("save") else "none"


def wait_until_written(redis: Redis) -> None:
    """Until the append-only file holds everything; raises RedisError where it cannot be written."""
    until = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < until:
        lines = redis.ask("INFO", "persistence").splitlines()
        seen = dict(line.strip().split(":", 1) for line in lines if ":" in line)
        if seen.get("aof_last_bgrewrite_status") != "ok":
            raise RedisError("it could not write its append-only file: is /var/lib/redis full?")
        if seen.get("aof_rewrite_in_progress") == seen.get("aof_rewrite_scheduled") == "0":
            return
        time.sleep(0.1)
    raise RedisError(f"it did not write its append-only file within {LONGEST_SECONDS} s")


def carry(wanted: str) -> bool:
    """Whether there was something: not where the kind stays, nothing ran, or nothing is to be kept."""
    known = settings(text_of(CONFIGURATION))
    if not known or wanted not in TURN_ON or kind(known) == wanted or not is_up():
        return False
    with opened(known, kept_passwords(known)) as redis:
        redis.ask("CONFIG", "SET", *TURN_ON[wanted])
        if wanted == "append_only":
            wait_until_written(redis)
    return True


def main() -> None:
    """Read what comes and prepare for it."""
    choices = ["none", "snapshots", "append_only"]
    module = AnsibleModule(
        argument_spec={"persistence": {"type": "str", "required": True, "choices": choices}},
        supports_check_mode=False,
    )
    try:
        carried = carry(module.params["persistence"])
    except RedisError as problem:
        module.fail_json(msg=f"redis: {problem}. It still keeps its keys as before.")
    module.exit_json(changed=carried, carried=carried)


if __name__ == "__main__":
    main()
