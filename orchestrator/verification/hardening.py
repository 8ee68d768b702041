"""What the role `baseline` must have brought about on every server, as things to look at. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestrator.ports.hosts import Expectation
from stacks.fleet.server import Role

_SSH: Mapping[str, str] = {
    "authenticationmethods": "publickey",
    "kbdinteractiveauthentication": "no",
    "hostbasedauthentication": "no",
    "permitemptypasswords": "no",
    "permituserenvironment": "no",
    "disableforwarding": "yes",
    "maxauthtries": "3",
    "logingracetime": "30",
    "clientalivecountmax": "2",
    "loglevel": "VERBOSE",
    "usepam": "yes",
    "banner": "/etc/issue.net",
}
_KERNEL: Mapping[str, Mapping[str, str]] = {
    "memory": {
        "kernel.randomize_va_space": "2",
        "kernel.dmesg_restrict": "1",
        "kernel.kptr_restrict": "2",
        "kernel.yama.ptrace_scope": "1",
        "fs.suid_dumpable": "0",
        "vm.mmap_min_addr": "65536",
    },
    "files": {
        "fs.protected_fifos": "2",
        "fs.protected_hardlinks": "1",
        "fs.protected_regular": "2",
        "fs.protected_symlinks": "1",
    },
    "network": {
        "net.ipv4.ip_forward": "0",
        "net.ipv4.conf.all.accept_redirects": "0",
        "net.ipv4.conf.all.accept_source_route": "0",
        "net.ipv4.conf.all.rp_filter": "1",
        "net.ipv4.conf.all.send_redirects": "0",
        "net.ipv4.conf.default.send_redirects": "0",
        "net.ipv4.icmp_echo_ignore_broadcasts": "1",
        "net.ipv4.tcp_syncookies": "1",
        "net.ipv6.conf.all.accept_redirects": "0",
    },
}
_MODES: Mapping[str, str] = {
    "/etc/passwd": "0644 root root",
    "/etc/shadow": "0640 root shadow",
    "/etc/gshadow": "0640 root shadow",
    "/etc/ssh/sshd_config": "0600 root root",
    "/etc/sudoers.d": "0750 root root",
    "/etc/security/opasswd": "0600 root root",
    "/root": "0700 root root",
}
_PAM = ("pam_faillock.so preauth", "pam_faillock.so authfail", "pam_pwquality.so", "pam_pwhistory.so")
_OPTIONS = "nodev,nosuid,noexec"
_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108  # looked at, never written to


def hardening(role: Role | None) -> Iterator[Expectation]:
    """Effects of the baseline; `role` is the fleet's own use of it, whose kernel settings count."""
    chosen = dict(role.variables) if role else {}
    yield Expectation("ssh.strict", "SSH is strict for the admin user", "sshd-all", _pairs(_SSH))
    yield from _kernel(chosen.get("sysctl"))
    folders = chosen.get("restricted_mounts", _FOLDERS)
    for folder in folders if isinstance(folders, (list, tuple)) else ():
        title = f"nothing is run from {folder}"
        yield Expectation(f"mount.{folder}", title, "mount-options", str(folder), _OPTIONS)
    yield Expectation("accounts.closed", "only people and the admin can log in", "accounts", "passwd")
    yield Expectation("accounts.pam", "PAM locks, and refuses weak passwords", "pam", ",".join(_PAM))
    yield Expectation("files.modes", "system files are closed", "modes", _pairs(_MODES))
    yield Expectation("audit.running", "the kernel's audit is on", "allowed-service", "audit", "auditd")
    yield Expectation("clock.synchronised", "a daemon keeps the clock", "allowed-service", "clock", _CLOCKS)
    yield Expectation("log.persistent", "the journal outlives a boot", "journal", "journal")


_CLOCKS = "systemd-timesyncd,chrony,ntpsec,openntpd"


def _kernel(chosen: object) -> Iterator[Expectation]:
    own = {str(key): str(value) for key, value in chosen.items()} if isinstance(chosen, Mapping) else {}
    for group, wanted in _KERNEL.items():
        values = {name: own.get(name, value) for name, value in wanted.items()}
        yield Expectation(f"kernel.{group}", f"kernel settings hold: {group}", "sysctl", _pairs(values))


def _pairs(values: Mapping[str, str]) -> str:
    return ";".join(f"{name}={value}" for name, value in values.items())
