#!/usr/bin/python
"""Ansible module: bring several systemd units to their wanted state in one round trip.

`systemd_service` takes one unit and asks systemd several times; this asks once for all, and acts on those
that differ.
"""

from __future__ import annotations

DOCUMENTATION = r"""
module: steward_units
short_description: Enable and start, or disable and stop, several systemd units at once
description:
  - Asks systemd once for the state of all units and changes only those that differ.
options:
  running:
    description: Units that must be enabled and active.
    type: list
    elements: str
    default: []
  stopped:
    description: Units that must be disabled and inactive; one that does not exist is as wanted.
    type: list
    elements: str
    default: []
  reload:
    description: Read unit files again first, because some were written just now.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Enable the timer
  steward_units:
    running: [example.timer]
"""

RETURN = r"""
acted: {description: What was done or would be done., returned: always, type: list, elements: str}
"""

import time

from ansible.module_utils.basic import AnsibleModule

SYSTEMCTL = "/usr/bin/systemctl"
ASKED = "Id,LoadState,ActiveState,SubState,UnitFileState,NRestarts,ActiveEnterTimestampMonotonic"
WATCHED = 0.5  # seconds
YOUNG = 10.0  # seconds that a unit is watched for after systemd started it again
FILED = ("unmask", "enable", "disable")
ENABLED = ("enabled", "static", "alias", "generated", "indirect")


def parse_units(text: str) -> list[dict[str, str]]:
    """Blocks of KEY=VALUE lines as `systemctl show` prints them, one block a unit, in the order asked."""
    blocks = text.strip().split("\n\n")
    return [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in blocks]


def steps(running: list[str], stopped: list[str], seen: dict[str, dict[str, str]]) -> list[tuple[str, str]]:
    """The (verb, unit) pairs that lead from what was seen to what is wanted."""
    wanted: list[tuple[str, str]] = []
    for unit in running:
        if seen[unit].get("LoadState") == "masked":
            wanted.append(("unmask", unit))
        if seen[unit].get("UnitFileState") not in ENABLED:
            wanted.append(("enable", unit))
        if seen[unit].get("ActiveState") not in ("active", "activating", "reloading") or dead(seen[unit]):
            wanted.append(("start", unit))
    for unit in stopped:
        if seen[unit].get("LoadState") == "not-found" and seen[unit].get("ActiveState") == "inactive":
            continue
        if seen[unit].get("UnitFileState") == "enabled":
            wanted.append(("disable", unit))
        if seen[unit].get("ActiveState") in ("active", "activating", "reloading"):
            wanted.append(("stop", unit))
        if seen[unit].get("ActiveState") == "failed":
            wanted.append(("reset-failed", unit))
    return wanted


def batches(todo: list[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    """The same steps in as few calls as hold the order: what changes unit files first, then one unit after another.

    Each such call makes systemd read all its unit files again.
    """
    filed = [(verb, [unit for each, unit in todo if each == verb]) for verb in FILED]
    others = [(verb, [unit]) for verb, unit in todo if verb not in FILED]
    return [*((verb, units) for verb, units in filed if units), *others]


def dead(unit: dict[str, str]) -> bool:
    """Whether a unit failed, or waits to be started again after it did."""
    return unit.get("ActiveState") == "failed" or unit.get("SubState") == "auto-restart"


def restless(unit: dict[str, str], now: float) -> bool:
    """Whether systemd started it again a moment ago: up now, and perhaps not for long; `now` in monotonic s."""
    since = int(unit.get("ActiveEnterTimestampMonotonic") or 0) / 1e6
    return int(unit.get("NRestarts") or 0) > 0 and now - since < YOUNG


def refuse_dying(module: AnsibleModule, watched: list[str], acted: list[str]) -> None:
    """Watch units for a moment: `start` succeeds as soon as a simple service was forked."""
    until = time.monotonic() + WATCHED
    while watched and time.monotonic() < until:
        shown = parse_units(systemctl(module, "show", f"--property={ASKED}", "--", *watched))
        dying = [unit for unit, seen in zip(watched, shown, strict=True) if dead(seen)]
        if dying:
            module.fail_json(msg=f"{', '.join(dying)} starts and dies", acted=acted)
        time.sleep(0.1)


def systemctl(module: AnsibleModule, *arguments: str) -> str:
    """Run systemctl and give its output; what it refuses ends the task."""
    # A unit that is enabled or disabled here is systemd's own; its script for another init stays as it is.
    code, out, err = module.run_command([SYSTEMCTL, *arguments], environ_update={"SYSTEMCTL_SKIP_SYSV": "1"})
    if code != 0:
        module.fail_json(msg=f"systemctl {' '.join(arguments)}: {(err or out).strip()[-2000:]}")
    return str(out)


def look(module: AnsibleModule, asked: list[str]) -> dict[str, dict[str, str]]:
    """What systemd says of each unit."""
    shown = parse_units(systemctl(module, "show", f"--property={ASKED}", "--", *asked))
    return dict(zip(asked, shown, strict=True))


def main() -> None:
    """Ask once, act on what differs, report."""
    names = {"type": "list", "elements": "str", "default": []}
    options = {"running": names, "stopped": names, "reload": {"type": "bool", "default": False}}
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    running, stopped = list(module.params["running"]), list(module.params["stopped"])
    asked = running + stopped
    reload = module.params["reload"] and not module.check_mode
    if not asked:
        if reload:
            systemctl(module, "daemon-reload")
        module.exit_json(changed=False, acted=[])
    seen = look(module, asked)
    todo = steps(running, stopped, seen)
    # A change of unit files reloads by itself; but of a unit whose file was just removed systemd still says what was.
    if reload and (stopped or not any(verb in FILED for verb, _ in todo)):
        systemctl(module, "daemon-reload")
        seen = look(module, asked)
        todo = steps(running, stopped, seen)
    if not module.check_mode:
        for verb, units in batches(todo):
            systemctl(module, verb, "--", *units)
        started = [unit for verb, unit in todo if verb == "start"]
        flapping = [unit for unit in running if unit not in started and restless(seen[unit], time.monotonic())]
        refuse_dying(module, started + flapping, [" ".join(step) for step in todo])
    module.exit_json(changed=bool(todo), acted=[" ".join(step) for step in todo])


if __name__ == "__main__":
    main()
