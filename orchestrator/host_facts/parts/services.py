"""What runs and listens: units, timers, sockets, the firewall's base chains, the journal."""

from __future__ import annotations

import ipaddress
import json
import os
import re
from typing import Any

from orchestrator.host_facts.parts.reading import (
    UnreadableError,
    bounded,
    ini,
    listed,
    said,
    settings,
    text,
    text_or,
)

_PROTOCOLS = (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07"))
"""With the state that a socket has which waits for others."""
MOST_PROCESSES = 5_000


def units() -> dict[str, list[str]]:
    """Units that failed, that start at boot and that are shut off, and services that run now."""
    files = [line.split() for line in _systemctl("list-unit-files", "*.service", "*.timer", "*.socket")]
    now = [line.split() for line in _systemctl("list-units", "--all", "--plain")]
    rows = [row for row in now if len(row) >= 4]
    by_state = {
        state: [row[0] for row in files if len(row) >= 2 and row[1].split("-")[0] == state]
        for state in ("enabled", "masked")
    }
    return {
        "failed": [row[0] for row in rows if row[2] == "failed"][:200],
        "running": [row[0] for row in rows if row[2:4] == ["active", "running"]][:1_000],
        "timers": [row[0] for row in rows if row[0].endswith(".timer") and row[2] == "active"][:200],
        **{state: names[:2_000] for state, names in by_state.items()},
    }


def _systemctl(*argv: str) -> list[str]:
    return said("systemctl", *argv, "--no-legend", "--no-pager", "--full").splitlines()


def listening() -> list[dict[str, Any]]:
    """Every socket that waits for others, by the kernel's own tables, with the program that holds it."""
    found, owners = [], _owners()
    for name, state in _PROTOCOLS:
        table = text_or(f"/proc/net/{name}") if os.path.exists(f"/proc/net/{name}") else ""
        for line in table.splitlines()[1:]:
            words = line.split()
            if len(words) < 10 or words[3] != state:
                continue
            address, _, port = words[1].partition(":")
            found.append(
                {
                    "protocol": name[:3],
                    "address": _address(address),
                    "port": int(port, 16),
                    "process": owners.get(words[9], ""),
                }
            )
    return bounded(found, 1_000)


def _address(word: str) -> str:
    """An address of /proc/net: words of 32 bits, each in the order of this machine's bytes."""
    raw = bytes.fromhex(word)
    turned = b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
    return str(ipaddress.ip_address(turned))


def _owners() -> dict[str, str]:
    """The program that holds each socket, by inode."""
    found = {}
    for pid in [name for name in os.listdir("/proc") if name.isdigit()][:MOST_PROCESSES]:
        try:
            links = [_link(f"/proc/{pid}/fd/{each}") for each in os.listdir(f"/proc/{pid}/fd")]
            inodes = [link[len("socket:[") : -1] for link in links if link.startswith("socket:[")]
            name = text(f"/proc/{pid}/comm", 64).strip() if inodes else ""
        except (OSError, UnreadableError):  # the process ended meanwhile
            continue
        found.update(dict.fromkeys(inodes, name))
    return found


def _link(path: str) -> str:
    """Where a descriptor leads; '' for one that was closed meanwhile, as the listing one always is."""
    try:
        return os.readlink(path)
    except OSError:
        return ""


def firewall() -> dict[str, Any]:
    """Base chains of nftables with their hooks and policies."""
    if not os.path.exists("/usr/sbin/nft"):
        return {"installed": False, "chains": []}
    entries = json.loads(said("nft", "--json", "list", "chains") or "{}").get("nftables", [])
    chains = [entry["chain"] for entry in entries if "hook" in entry.get("chain", {})]
    keys = ("family", "table", "name", "hook", "policy")
    return {
        "installed": True,
        "chains": bounded([{key: str(chain.get(key, ""))[:120] for key in keys} for chain in chains], 500),
    }


def journal() -> dict[str, Any]:
    """Whether the journal outlives a boot, and what it may take."""
    kept = ini(["/etc/systemd/journald.conf", *listed("/etc/systemd/journald.conf.d", ".conf")], "Journal")
    return {
        "storage": kept.get("Storage", "auto"),
        "folder": os.path.isdir("/var/log/journal"),
        "compress": kept.get("Compress", "yes"),
        "max_use": kept.get("SystemMaxUse", ""),
        "forward_to_syslog": kept.get("ForwardToSyslog", ""),
    }


def log_rotation() -> dict[str, bool]:
    """Whether logs of files are turned over."""
    return {
        "installed": os.path.exists("/usr/sbin/logrotate"),
        "configured": os.path.exists("/etc/logrotate.conf"),
    }


def scheduling() -> dict[str, Any]:
    """cron and at: there or not, and who may use them."""
    found: dict[str, Any] = {}
    for name, program in (("cron", "/usr/sbin/cron"), ("at", "/usr/sbin/atd")):
        allowed = f"/etc/{name}.allow"
        found[name] = {
            "installed": os.path.exists(program),
            "allow": settings(text_or(allowed))[:100] if os.path.lexists(allowed) else None,
            "deny": os.path.lexists(f"/etc/{name}.deny"),
        }
    return found


def time_daemons(running: list[str]) -> list[str]:
    """The running daemons that keep a clock."""
    known = re.compile(r"(systemd-timesyncd|chrony|chronyd|ntp|ntpd|ntpsec|openntpd)\.service")
    return [name for name in running if known.fullmatch(name)]
