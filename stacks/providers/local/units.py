"""Servers come back after a reboot of the control machine: a systemd unit a server, where systemd is init."""

from __future__ import annotations

import os
from pathlib import Path

from stacks.providers.local.podman import execute

FOLDER = Path("/etc/systemd/system")
SOURCES = Path("/etc/steward/local-sources.nft")


def active() -> bool:
    """Whether systemd runs this machine and we may write its units."""
    return Path("/run/systemd/system").is_dir() and Path("/proc/1/comm").read_text().strip() == "systemd"


def start_commands(container: str, limits: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """What brings one server back: start it, then set its limits, which Podman 4.3 forgets at a stop."""
    commands: list[tuple[str, ...]] = [("podman", "start", container)]
    if limits:
        commands.append(("podman", "update", *limits, container))
    return commands


def render(container: str, server: str, limits: tuple[str, ...] = ()) -> str:
    """The unit file; the server's own firewall is loaded inside it by the base image."""
    start, *after = start_commands(container, limits)
    lines = [
        "[Unit]",
        f"Description=Steward server {server} ({container})",
        "Wants=network-online.target",
        "After=network-online.target",
        "",
        "[Service]",
        "Type=oneshot",
        "RemainAfterExit=yes",
        f"ExecStartPre=-/usr/sbin/nft -f {SOURCES}",
        f"ExecStart=/usr/bin/env {' '.join(start)}",
        *(f"ExecStartPost=-/usr/bin/env {' '.join(command)}" for command in after),
        f"ExecStop=/usr/bin/env podman stop --time 20 {container}",
        "",
        "[Install]",
        "WantedBy=multi-user.target",
        "",
    ]
    return "\n".join(lines)


def write(container: str, server: str, limits: tuple[str, ...]) -> bool:
    """Install and enable the unit; false when this machine has no use for it."""
    if not active() or os.geteuid() != 0:
        return False
    _replace(FOLDER / f"{container}.service", render(container, server, limits))
    execute(("systemctl", "daemon-reload"))
    return execute(("systemctl", "enable", f"{container}.service")).code == 0


def remove(container: str) -> None:
    """Disable and delete the unit, if there is one."""
    path = FOLDER / f"{container}.service"
    if path.exists():
        execute(("systemctl", "disable", path.name))
        path.unlink(missing_ok=True)
        execute(("systemctl", "daemon-reload"))


def store_sources(text: str) -> None:
    """Keep the source address table for the next boot; an empty text removes it."""
    if text:
        _replace(SOURCES, text)
    else:
        SOURCES.unlink(missing_ok=True)


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(text)
    draft.replace(path)
