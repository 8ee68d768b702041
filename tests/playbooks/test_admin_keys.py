"""One admin key follows another while people log in, by a real ssh and sshd: nobody is refused."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

import pytest

from orchestrator.provisioning.credentials import admin_key, ensure_admin_key, make_key, public_line
from orchestrator.provisioning.key_ring import FileKeyRing
from orchestrator.ssh import SshShell, ssh_options
from stacks.outputs import ServerOutput
from tests.playbooks.conftest import Host, run
from tests.unit.orchestrator.samples import server

pytestmark = pytest.mark.real

SECONDS = 20.0


@dataclass
class Login:
    """An ssh that has read the public halves and waits in front of the server until it is let go on."""

    config: Path
    gate: Path
    errors: Path
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        way = f"until [ -e {self.gate} ]; do sleep 0.01; done; exec 3<>/dev/tcp/%h/%p; cat <&3 & exec cat >&3"
        slow = ["-o", f"ProxyCommand=bash -c '{way}'", "-o", "LogLevel=DEBUG1"]
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(["ssh", "-F", self.config, *slow, "web", "true"], stderr=errors)
        deadline = time.monotonic() + SECONDS
        while b"Local version string" not in self.errors.read_bytes():  # told after the keys were read
            assert time.monotonic() < deadline, self.errors.read_text()
            Event().wait(0.01)

    def goes_on(self) -> str:
        """'' when it is let in, else what ssh said."""
        self.gate.touch()
        return "" if self.process.wait(SECONDS) == 0 else self.errors.read_text()


@dataclass
class Stack:
    """A key ring of its own, and the server that knows its keys."""

    folder: Path
    ring: FileKeyRing
    server: ServerOutput
    shell: SshShell

    def login(self, name: str) -> Login:
        place = self.folder / "gates"
        place.mkdir(exist_ok=True)
        return Login(self.folder / "ssh" / "config", place / f"{name}.gate", place / f"{name}.errors")


@pytest.fixture
def stack(hosts: dict[str, Host], tmp_path: Path) -> Iterator[Stack]:
    """The web server lets in this stack's key too; what it lets in is as before afterwards."""
    host = hosts["web"]
    ensure_admin_key(tmp_path, "acme-demo")
    public = " ".join((host.folder / "web_host_key.pub").read_text().split()[:2])
    target = server("web", ssh_port=host.port, host_key=public)
    assert host.root("cp -p /home/steward/.ssh/authorized_keys /root/keys-before").code == 0
    shell = SshShell(tmp_path / "ssh", admin_key(tmp_path).places, [target])
    ring = FileKeyRing(tmp_path, "acme-demo")
    admit(host, ring.current().public)
    yield Stack(tmp_path, ring, target, shell)
    shell.close()
    assert host.root("mv /root/keys-before /home/steward/.ssh/authorized_keys").code == 0


def admit(host: Host, public: str) -> None:
    script = f"echo '{public}' >>/home/steward/.ssh/authorized_keys"
    assert host.root(script).code == 0


def expel(host: Host, public: str) -> None:
    blob = public.split()[1].replace("/", "\\/")
    assert host.root(f"sed -i '/{blob}/d' /home/steward/.ssh/authorized_keys").code == 0


def test_a_login_in_flight_is_let_in_wherever_the_rotation_is(hosts: dict[str, Host], stack: Stack) -> None:
    host, ring = hosts["web"], stack.ring
    early = [stack.login(f"early-{number}") for number in range(3)]
    coming, old = ring.prepare(), ring.current()
    prepared = [stack.login(f"prepared-{number}") for number in range(3)]
    assert (early[0].goes_on(), prepared[0].goes_on()) == ("", "")
    admit(host, coming.public)
    ring.promote()
    switched = [stack.login(f"switched-{number}") for number in range(2)]
    assert [each.goes_on() for each in (early[1], prepared[1], switched[0])] == ["", "", ""]
    expel(host, old.public)
    ring.forget_retiring()
    after = stack.login("after")
    assert [each.goes_on() for each in (early[2], prepared[2], switched[1], after)] == ["", "", "", ""]


def test_logins_in_parallel_meet_promotions_without_a_refusal(hosts: dict[str, Host], stack: Stack) -> None:
    host, ring, over = hosts["web"], stack.ring, Event()
    second = stack.folder / "second"
    make_key(second)
    keys = [ring.current().private.read_text(), second.read_text()]
    admit(host, public_line(second, "acme-demo"))
    told: list[str] = []

    def people() -> None:
        while not over.is_set():
            words = ["ssh", "-F", str(stack.folder / "ssh" / "config"), "web", "true"]
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            told.append(done.stderr if done.returncode or done.stderr else "")

    threads = [Thread(target=people) for _ in range(4)]
    for thread in threads:
        thread.start()
    promotions, most = 0, time.monotonic() + 60.0
    while (promotions <= 5 or len(told) <= 20) and time.monotonic() < most:
        place = admin_key(stack.folder).places[1]
        draft = stack.folder / "draft"
        draft.write_text(keys[(promotions + 1) % 2])
        draft.chmod(0o600)
        draft.replace(place)
        ring.prepare()
        ring.promote()
        enough = len(told) + len(threads)  # a rotation too logs in to every server before a key goes
        while len(told) < enough and time.monotonic() < most:
            Event().wait(0.001)
        ring.forget_retiring()
        promotions += 1
    over.set()
    for thread in threads:
        thread.join()
    assert promotions > 5
    assert len(told) > 20
    assert [text for text in told if text] == []


def test_only_the_keys_of_the_stack_are_tried_and_an_absent_one_is_passed_over(stack: Stack) -> None:
    assert not admin_key(stack.folder).places[1].exists()
    words = ssh_options(admin_key(stack.folder).places, stack.folder / "ssh" / "known_hosts", ["127.0.0.1"])
    address = ["-p", str(stack.server.ssh_port), f"{stack.server.ssh_user}@{stack.server.ssh_host}", "true"]
    quiet = subprocess.run(["ssh", "-F", "none", *words, *address], capture_output=True, check=False)
    assert (quiet.returncode, quiet.stderr) == (0, b"")
    agent = run("ssh-agent", "-s").split(";")
    variables = dict(line.strip().split("=", 1) for line in agent if "=" in line)
    try:
        other = stack.folder / "agent-key"
        make_key(other)
        run("ssh-add", other, env=variables | {"PATH": "/usr/bin:/bin"})
        absent = ssh_options([stack.folder / "none"], stack.folder / "ssh" / "known_hosts", ["127.0.0.1"])
        words = ["ssh", "-F", "none", "-o", "LogLevel=DEBUG1", *absent]
        env = variables | {"PATH": "/usr/bin:/bin"}
        refused = subprocess.run([*words, *address], capture_output=True, text=True, check=False, env=env)
    finally:
        run("kill", variables["SSH_AGENT_PID"])
    assert refused.returncode == 255
    assert "Offering public key" not in refused.stderr
