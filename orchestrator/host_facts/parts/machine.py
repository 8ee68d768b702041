"""The machine: release, kernel, what its kernel lets it do, clock, kernel settings, modules and mounts."""

from __future__ import annotations

import ctypes
import os
import re
import socket
import struct
import time
from typing import Any

from orchestrator.host_facts.parts.reading import UnreadableError, ini, listed, said, settings, text, text_or

SYSCTL = (
    "dev.tty.ldisc_autoload", "fs.protected_fifos", "fs.protected_hardlinks", "fs.protected_regular",
    "fs.protected_symlinks", "fs.suid_dumpable", "kernel.dmesg_restrict", "kernel.kptr_restrict",
    "kernel.perf_event_paranoid", "kernel.randomize_va_space", "kernel.sysrq",
    "kernel.unprivileged_bpf_disabled", "kernel.yama.ptrace_scope", "net.core.bpf_jit_harden",
    "net.ipv4.icmp_echo_ignore_broadcasts", "net.ipv4.icmp_ignore_bogus_error_responses",
    "net.ipv4.ip_forward", "net.ipv4.tcp_syncookies", "net.ipv6.conf.all.forwarding", "vm.mmap_min_addr",
    *(f"net.{ip}.conf.{which}.{name}" for ip in ("ipv4", "ipv6") for which in ("all", "default")
      for name in ("accept_redirects", "accept_source_route")),
    *(f"net.ipv4.conf.{which}.{name}" for which in ("all", "default")
      for name in ("rp_filter", "secure_redirects", "send_redirects", "log_martians")),
)  # fmt: skip
MODULES = (
    "cramfs", "dccp", "firewire-core", "freevxfs", "hfs", "hfsplus", "jffs2", "rds", "sctp", "tipc",
    "usb-storage",
)  # fmt: skip
CAPABILITIES = {"net_admin": 12, "sys_module": 16, "sys_admin": 21, "sys_time": 25, "audit_control": 30}
_UNSYNCHRONISED, _AUDIT, _AUDIT_GET = 0x40, 9, 1000
_NEVER_LOADED = re.compile(r"^install\s+(\S+)\s+(?:/usr)?/bin/(?:false|true)\b")


def release() -> dict[str, str]:
    """What os-release says."""
    pairs = (line.partition("=") for line in settings(text_or("/etc/os-release")))
    found = {key: value.strip("\"'") for key, _, value in pairs}
    return {key: found.get(key.upper(), "") for key in ("id", "version_id", "version_codename")}


def kernel() -> dict[str, Any]:
    """The kernel that runs and those that are installed."""
    running = os.uname()
    images = [os.path.basename(path)[len("vmlinuz-") :] for path in listed("/boot") if "/vmlinuz-" in path]
    return {"running": running.release, "machine": running.machine, "installed": images}


def boot() -> dict[str, Any]:
    """Which boot this is, and for how long."""
    return {
        "id": text("/proc/sys/kernel/random/boot_id").strip(),
        "uptime_seconds": float(text("/proc/uptime").split()[0]),
    }


def virtualisation() -> dict[str, str]:
    """Whether it has a kernel of its own: `container`, `machine` (virtual) or `none`."""
    for path in ("/run/.containerenv", "/.dockerenv"):
        if os.path.exists(path):
            return {"kind": "container", "name": os.path.basename(path).strip(".")}
    name = said("systemd-detect-virt", "--container", ok=(0, 1)).strip()
    if name != "none":
        return {"kind": "container", "name": name}
    name = said("systemd-detect-virt", "--vm", ok=(0, 1)).strip()
    return {"kind": "none" if name == "none" else "machine", "name": name}


def capabilities() -> dict[str, bool]:
    """What its kernel lets root do here."""
    found = re.search(r"^CapEff:\s*([0-9a-f]+)$", text("/proc/self/status"), re.MULTILINE)
    if not found:
        raise UnreadableError("/proc/self/status: no effective capabilities")
    return {name: bool(int(found[1], 16) >> bit & 1) for name, bit in CAPABILITIES.items()}


def clock() -> dict[str, Any]:
    """The time here, whether the kernel holds it for synchronised, and when a daemon last said so."""
    # adjtimex(2) with no modes only reads; its struct is 208 bytes on 64 bits, the status stands at 40.
    buffer = ctypes.create_string_buffer(256)
    state = ctypes.CDLL(None).adjtimex(buffer)
    if state < 0:
        raise UnreadableError("adjtimex: refused")
    status = struct.unpack_from("i", buffer, 40)[0]
    stamp = "/run/systemd/timesync/synchronized"
    return {
        "epoch": time.time(),
        "synchronised": not status & _UNSYNCHRONISED,
        "last_synchronised": os.stat(stamp).st_mtime if os.path.exists(stamp) else None,
    }


def sysctl() -> dict[str, Any]:
    """Each kernel setting with its value, and whether this host may set it; None where there is none."""
    found: dict[str, Any] = {}
    for name in SYSCTL:
        path = "/proc/sys/" + name.replace(".", "/")
        try:
            value = " ".join(text(path).split())
        except UnreadableError:
            found[name] = {"value": None, "settable": False}
            continue
        found[name] = {"value": value, "settable": os.access(path, os.W_OK)}
    return found


def modules() -> dict[str, Any]:
    """Of the asked modules: loaded, there to be loaded, and shut out by modprobe's configuration."""
    if not os.path.exists("/proc/modules"):
        return {"loadable": False, "listed": False, "asked": []}
    loaded = {line.split()[0].replace("_", "-") for line in text("/proc/modules").splitlines() if line}
    shut = set()
    for folder in ("/lib/modprobe.d", "/usr/lib/modprobe.d", "/etc/modprobe.d", "/run/modprobe.d"):
        for path in listed(folder, ".conf"):
            hits = (_NEVER_LOADED.match(line) for line in settings(text_or(path)))
            shut |= {hit[1].replace("_", "-") for hit in hits if hit}
    folder = f"/lib/modules/{os.uname().release}"
    here = text_or(f"{folder}/modules.dep") + text_or(f"{folder}/modules.builtin")
    there = {name.replace("_", "-") for name in re.findall(r"([\w-]+)\.ko", here)}
    rows = [
        {"name": each, "loaded": each in loaded, "available": each in there, "blocked": each in shut}
        for each in MODULES
    ]
    return {"loadable": True, "listed": bool(here), "asked": rows}


def mounts() -> list[dict[str, Any]]:
    """Every mount that is not the kernel's own, with its options; of two at one place the later counts."""
    found: dict[str, dict[str, Any]] = {}
    for line in text("/proc/self/mounts").splitlines():
        device, path, kind, options = line.split()[:4]
        if kind not in {"proc", "sysfs", "cgroup2", "cgroup", "mqueue", "devpts", "securityfs", "debugfs"}:
            entry = {"path": path, "device": device, "type": kind, "options": options.split(",")}
            found[path] = entry
    return list(found.values())[:500]


def audit() -> dict[str, Any]:
    """Whether the kernel answers for audit here, and whether its daemon and rules are there."""
    rules = [line for path in listed("/etc/audit/rules.d", ".rules") for line in settings(text_or(path))]
    found: dict[str, Any] = {"refused": "", "enabled": False, "daemon": 0, "rules": len(rules)}
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _AUDIT) as speaker:
            speaker.settimeout(1)
            speaker.sendto(struct.pack("=IHHII", 16, _AUDIT_GET, 1, 1, 0), (0, 0))
            answer = speaker.recv(8192)
    except OSError as problem:
        found["refused"] = problem.strerror or str(problem)
        return found
    if struct.unpack_from("=H", answer, 4)[0] != _AUDIT_GET:
        code = -struct.unpack_from("=i", answer, 16)[0] if len(answer) >= 20 else 0
        found["refused"] = os.strerror(code) if code else "no answer"
        return found
    _, enabled, _, daemon = struct.unpack_from("=IIII", answer, 16)
    return {**found, "enabled": enabled != 0, "daemon": daemon}


def apparmor() -> dict[str, Any]:
    """Whether the kernel confines, and how many profiles are enforced."""
    switch = text_or("/sys/module/apparmor/parameters/enabled").strip()
    found: dict[str, Any] = {"refused": "", "enabled": switch == "Y", "enforced": 0, "complaining": []}
    try:
        with open("/sys/kernel/security/apparmor/profiles", encoding="utf-8", errors="replace") as file:
            rows = [line.rsplit(" (", 1) for line in file if " (" in line]
    except OSError as problem:
        found["refused"] = f"list of profiles: {problem.strerror}"
        return found
    found["enforced"] = sum(1 for _, mode in rows if mode.startswith("enforce"))
    found["complaining"] = [name[:200] for name, mode in rows if mode.startswith("complain")][:200]
    return found


def core_dumps() -> dict[str, Any]:
    """Whether a program that dies leaves its memory on the disk."""
    limits = [
        line.split()
        for path in ["/etc/security/limits.conf", *listed("/etc/security/limits.d", ".conf")]
        for line in settings(text_or(path))
    ]
    hard = [
        words[3] for words in limits if words[0] == "*" and words[1:3] in (["hard", "core"], ["-", "core"])
    ]
    kept = ini(["/etc/systemd/coredump.conf", *listed("/etc/systemd/coredump.conf.d", ".conf")], "Coredump")
    return {
        "pattern": text("/proc/sys/kernel/core_pattern").strip(),
        "hard_limit": hard[-1] if hard else None,
        "storage": kept.get("Storage", "external"),
    }
