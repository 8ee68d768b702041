"""rotate host-keys: servers get new host keys; clients know both from before the change until after it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Event

from orchestrator.errors import ToolError
from orchestrator.host_answer import answer
from orchestrator.parallel import for_each
from orchestrator.ports.hosts import PYTHON_AS_ROOT, HostShell
from orchestrator.ports.rotation import Rotation
from orchestrator.ports.run import Say
from stacks.outputs import ServerOutput

_SECONDS = 60.0
_PUBLIC = re.compile(r"ssh-ed25519 [A-Za-z0-9+/=]{60,100}")

_PREPARE = r"""
import json, os, subprocess
key = "/etc/ssh/ssh_host_ed25519_key"
def public(name):
    done = subprocess.run(["ssh-keygen", "-y", "-f", name], capture_output=True, text=True)
    return " ".join(done.stdout.split()[:2])
coming = key + ".coming"
if os.path.exists(key + ".retiring") and not os.path.exists(coming):
    print(json.dumps(public(key)))
else:
    if not public(coming):
        for name in (coming, coming + ".pub"):
            if os.path.exists(name):
                os.remove(name)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", coming], check=True)
    print(json.dumps(public(coming)))
"""
"""Prints the public half of the key to come, or of the one in use where it is that one already."""

_SWITCH = r"""
import json, os, subprocess, time
key = "/etc/ssh/ssh_host_ed25519_key"
PAUSE = '''
table inet steward_pause {
  set held { type inet_service; flags timeout; elements = { %s } }
  chain input {
    type filter hook input priority -300;
    iifname "lo" accept
    tcp flags & (syn | ack) == syn tcp dport @held drop
  }
}
'''
run = lambda *words, **more: subprocess.run(words, check=True, capture_output=True, text=True, **more)
told = run("/usr/sbin/sshd", "-T").stdout.splitlines()
ports = [line.split()[1] for line in told if line.startswith("port ")]
if os.path.exists(key + ".coming"):
    if not os.path.exists(key + ".retiring"):
        os.link(key, key + ".retiring")
    os.replace(key + ".coming", key)
wanted = run("ssh-keygen", "-y", "-f", key).stdout.split()
with open(key + ".pub.new", "w") as file:
    file.write(" ".join(wanted[:2]) + "\n")
os.chmod(key + ".pub.new", 0o644)
os.replace(key + ".pub.new", key + ".pub")
wanted = wanted[1]
# A reload closes the socket for a moment. Who asks then is not answered and asks again, so nobody is refused;
# the hold ends by itself, should this be killed.
run("nft", "-f", "-", input=PAUSE % ", ".join(f"{port} timeout 5s" for port in ports))
try:
    run("systemctl", "reload", "ssh")
    until = time.monotonic() + 4
    while True:
        shown = subprocess.run(["ssh-keyscan", "-T", "2", "-t", "ed25519", "-p", ports[0], "127.0.0.1"],
                               capture_output=True, text=True).stdout
        if wanted in shown or time.monotonic() > until:
            break
        time.sleep(0.05)
finally:
    run("nft", "delete", "table", "inet", "steward_pause")
print(json.dumps(wanted in shown))
"""

_FINISH = r"""
import os
for end in (".retiring", ".coming", ".coming.pub"):
    name = "/etc/ssh/ssh_host_ed25519_key" + end
    if os.path.exists(name):
        os.remove(name)
"""


@dataclass(frozen=True)
class HostKeysRotated:
    """The servers that show a new key."""

    servers: Sequence[str]


def announce(servers: Sequence[ServerOutput], shell: HostShell, rotation: Rotation) -> dict[str, str]:
    """Every server makes the key to come, and whoever connects from here knows it beside the one in use.

    Returns the public keys by incarnation; the private halves never leave their servers.
    """
    made = for_each(servers, lambda server, _: _key(shell, server))
    keys = {server.incarnation: key for server, key in zip(servers, made, strict=True)}
    for server in servers:
        rotation.note("host-key", server.incarnation, "begun")
    rotation.host_keys.expect(keys)
    return keys


def switch(
    servers: Sequence[ServerOutput], keys: Mapping[str, str], shell: HostShell, rotation: Rotation
) -> Sequence[ServerOutput]:
    """Each server shows its new key, which is then pinned; returns the servers as they are known now."""

    def change(server: ServerOutput, _stopping: Event) -> ServerOutput:
        key = keys[server.incarnation]
        done = shell.run(server, [*PYTHON_AS_ROOT, "-c", _SWITCH], timeout=_SECONDS)
        if not answer(server.name, done.stdout, bool):
            raise ToolError(
                server.name, "does not show its new host key; both are known here",
                next_step="Look at its sshd, then run steward rotate host-keys again.",
            )  # fmt: skip
        if server.host_key != key:
            rotation.pin(server, key)
        rotation.note("host-key", server.incarnation, "switched")
        return server.model_copy(update={"host_key": key})

    return for_each(servers, change)


def finish(servers: Sequence[ServerOutput], rotation: Rotation, say: Say) -> HostKeysRotated:
    """Log in to each with the new key alone, then remove the old one there and forget it here."""
    with rotation.login(servers, rotation.ring.current().private) as login:
        for_each(
            servers, lambda server, _: login.run(server, [*PYTHON_AS_ROOT, "-c", _FINISH], timeout=_SECONDS)
        )
    rotation.host_keys.settle(servers)
    for server in servers:
        rotation.note("host-key", server.incarnation, "finished")
    say(f"{len(servers)} servers show a new host key, and the old ones are gone")
    return HostKeysRotated([server.name for server in servers])


def _key(shell: HostShell, server: ServerOutput) -> str:
    """The public half, as outputs hold it; raises ToolError when a server tells something else."""
    done = shell.run(server, [*PYTHON_AS_ROOT, "-c", _PREPARE], timeout=_SECONDS)
    key = answer(server.name, done.stdout, str)
    if not _PUBLIC.fullmatch(key):
        raise ToolError(server.name, "made no Ed25519 host key", got=key[:200])
    return key
