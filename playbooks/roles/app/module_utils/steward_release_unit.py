"""The unit of an application: restarted behind a shut door, and let in again once it is healthy."""

from __future__ import annotations

import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.steward_release_files import answer

DOOR = "/usr/local/lib/steward-app-door"
SETTLED = 3.0  # seconds that a unit without a health request must stay up
POLL = 0.2
DEAD_AFTER = 3  # restarts by systemd after which nobody waits for the health answer any more
HANDOVER = 2.0  # seconds in which a proxy just refused here reaches the next server; its patience with a connection
MARGIN = 60  # seconds a shut door outlasts what it waits for: time of systemd and of Python


class Unit:
    """The systemd unit of one application, and the door before its port."""

    def __init__(self, module: AnsibleModule, name: str) -> None:
        self.module = module
        self.name = name
        self.health: dict[str, Any] = module.params["health"]
        self.port: int = self.health["port"]
        self.patience: float = self.health["seconds"] if self.port else max(SETTLED, self.health["seconds"])

    def door(self, *words: str) -> None:
        """Tell the door; one that does not move costs requests, never the release."""
        if self.port:
            code, out, err = self.module.run_command([DOOR, *words])
            if code != 0:
                self.module.warn(f"{DOOR} {' '.join(words)}: {(err or out).strip()[-300:]}")

    def admit(self) -> None:
        """Let other hosts in."""
        self.door("admit", str(self.port))

    def start(self) -> str:
        """Restart it, let others in when it is healthy; why it is not, else ''."""
        seconds = int(self.patience) + self.module.params["drain_seconds"] + MARGIN
        self.door("hold", str(self.port), str(seconds))
        self.module.run_command(["systemctl", "reset-failed", self.name])
        code, out, err = self.module.run_command(["systemctl", "restart", self.name])
        why = self.wait() if code == 0 else f"it did not start: {(err or out).strip()[-300:]}"
        if not why:
            self.admit()
            # Seen: refused here just before, and by the next host just after, which left no server to ask.
            # Nobody can tell from here when that proxy has moved on.
            time.sleep(HANDOVER if self.port else 0)
        return why

    def wait(self) -> str:
        """Until it is healthy; why it is not, else ''."""
        began = time.monotonic()
        said = "no answer"
        while time.monotonic() - began < self.patience:
            state = self.state()
            if state.get("ActiveState") == "failed" or int(state.get("NRestarts") or 0) >= DEAD_AFTER:
                return f"it ended by itself ({state.get('Result', 'unknown')})"
            if self.port:
                said = answer(self.health)
                if said == str(self.health["expect"]):
                    return ""
            time.sleep(POLL)
        if self.port:
            wanted = f"{self.health['path']} on port {self.port}"
            return f"{wanted} gave {said}, not {self.health['expect']}, within {self.patience} s"
        return "" if self.state().get("NRestarts") == "0" else "it did not stay up"

    def state(self) -> dict[str, str]:
        """What systemd says of it."""
        argv = ["systemctl", "show", "--property=ActiveState,NRestarts,Result", self.name]
        return dict(
            line.split("=", 1) for line in self.module.run_command(argv)[1].splitlines() if "=" in line
        )

    def stop(self) -> None:
        """Stop it for good."""
        self.module.run_command(["systemctl", "stop", self.name])

    def last_words(self) -> str:
        """The end of its journal."""
        argv = ["journalctl", f"_SYSTEMD_UNIT={self.name}", "-n", "5", "-o", "cat", "--no-pager"]
        return str(self.module.run_command(argv)[1]).strip()[-600:]
