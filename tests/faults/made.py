"""Faults, made for real on a running server and mended again at the end of the block."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.e2e.world import command, on_host

Fault = Callable[[str], AbstractContextManager[None]]
"""Container -> the block in which it is broken."""


def sh(container: str, script: str, *, check: bool = True) -> str:
    """A shell line as root inside a server."""
    return on_host(container, "sh", "-c", script, check=check)


def needs_package(container: str) -> None:
    """Take a package away that the next converge must install."""
    sh(
        container,
        "dpkg --purge --force-depends nginx nginx-light >/dev/null 2>&1 || true; dpkg -l nginx | grep -q ^ii && exit 1; true",
    )


@contextmanager
def mounted(container: str, folder: str, size: str) -> Iterator[None]:
    """A small file system of its own under a folder; a container may not mount, so it is done from outside."""
    pid = command(["podman", "inspect", "--format", "{{.State.Pid}}", container]).strip()
    inside = ["nsenter", "--target", pid, "--mount"]
    command([*inside, "mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder])
    try:
        yield
    finally:
        command([*inside, "umount", folder])


@contextmanager
def full_disk(container: str) -> Iterator[None]:
    """The place where packages are downloaded to has not one byte left."""
    needs_package(container)
    with mounted(container, "/var/cache/apt/archives", "1m"):
        sh(container, "dd if=/dev/zero of=/var/cache/apt/archives/fill bs=4k 2>/dev/null", check=False)
        yield


@contextmanager
def no_mirror(container: str) -> Iterator[None]:
    """No way out to HTTP and HTTPS, and package lists that must be fetched."""
    sh(container, "nft add table inet fault; nft add chain inet fault out '{ type filter hook output priority -50; }'; "
       "nft add rule inet fault out tcp dport '{80, 443}' reject; rm -rf /var/lib/apt/lists/*; "
       "echo '# changed by hand' >> /etc/nginx/nginx.conf")  # fmt: skip
    try:
        yield
    finally:
        sh(container, "nft delete table inet fault")


@contextmanager
def held_lock(container: str) -> Iterator[None]:
    """A program that holds the package lock, as unattended upgrades do for minutes."""
    program = (
        "import fcntl, signal\nf = open('/var/lib/dpkg/lock-frontend', 'a')\nfcntl.lockf(f, fcntl.LOCK_EX)\n"
        "open('/run/fault.pid', 'w').write(str(__import__('os').getpid()))\nsignal.pause()"
    )
    command(["podman", "exec", "--detach", container, "python3", "-c", program])
    sh(container, "for _ in $(seq 100); do [ -s /run/fault.pid ] && exit 0; sleep 0.1; done; exit 1")
    try:
        yield
    finally:
        sh(container, "kill $(cat /run/fault.pid); rm /run/fault.pid")


@contextmanager
def interrupted_dpkg(container: str) -> Iterator[None]:
    """A package whose configuration was never finished, as after a power cut in the middle of dpkg."""
    sh(container, "sed -i '/^Package: nginx$/,/^Status/ s/^Status: .*/Status: install ok half-configured/' /var/lib/dpkg/status; "
       "dpkg --audit | grep -q nginx")  # fmt: skip
    yield


@contextmanager
def dying_unit(container: str) -> Iterator[None]:
    """A service that can be started and is over at once, again and again."""
    folder = "/etc/systemd/system/nginx.service.d"
    lines = (
        "[Unit]", "StartLimitIntervalSec=0", "[Service]", "Type=simple", "ExecStartPre=", "ExecStart=",
        "ExecStart=/bin/sh -c 'echo cannot read my certificate >&2; exit 1'", "Restart=always", "RestartSec=100ms",
    )  # fmt: skip
    sh(container, f"mkdir -p {folder}; cat > {folder}/fault.conf <<'E'\n" + "\n".join(lines) + "\nE\n"
       "systemctl daemon-reload; systemctl restart nginx; true")  # fmt: skip
    try:
        yield
    finally:
        sh(container, f"rm -r {folder}; systemctl daemon-reload; systemctl reset-failed nginx || true")


@contextmanager
def other_host_key(container: str) -> Iterator[None]:
    """The server shows a key that nobody has pinned."""
    sh(container, "cp -a /etc/ssh /root/ssh.away; rm /etc/ssh/ssh_host_ed25519_key*; "
       "ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key; systemctl restart ssh")  # fmt: skip
    try:
        yield
    finally:
        sh(container, "cp -a /root/ssh.away/. /etc/ssh/; rm -r /root/ssh.away; systemctl restart ssh")


def cut_ssh(container: str) -> None:
    """From now on every packet of SSH is lost, also of connections that stand."""
    sh(container, "nft add table inet fault; nft add chain inet fault in '{ type filter hook input priority -50; }'; "
       "nft add rule inet fault in tcp dport 22 drop")  # fmt: skip


def let_ssh(container: str) -> None:
    """Packets of SSH come through again."""
    sh(container, "nft delete table inet fault")


def vanish(container: str) -> None:
    """The server is gone in the middle of whatever it does."""
    subprocess.run(
        ["podman", "kill", "--signal", "KILL", container], check=True, capture_output=True, timeout=60
    )


@contextmanager
def full_volume(container: str, folder: str) -> Iterator[None]:
    """What lies in a folder, moved to a file system that it fills to the last byte; its services are started anew."""
    services = "steward-vault-store steward-vault-front"
    used = int(sh(container, f"du -sm {folder}").split()[0])
    sh(container, f"cp -a {folder} /run/kept")
    try:
        with mounted(container, folder, f"{used + 2}m"):
            sh(container, f"cp -a /run/kept/. {folder}/; systemctl restart {services}")
            sh(container, f"dd if=/dev/zero of={folder}/fill bs=4k 2>/dev/null", check=False)
            try:
                yield
            finally:
                sh(container, f"systemctl stop {services}")
    finally:
        sh(container, f"rm -r /run/kept; systemctl start {services}")
