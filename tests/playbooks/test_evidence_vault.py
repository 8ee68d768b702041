"""The vault as witness of evidence: the real store, its real enrolment, and every way to change a chain."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import bcrypt
import pytest

from orchestrator.errors import ToolError
from orchestrator.evidence.verdict import Fault
from orchestrator.evidence.writer import Attachment
from orchestrator.process import CommandResult
from orchestrator.settings import load_settings
from orchestrator.toolchain.environment import load_toolchain
from orchestrator.vault_anchor import Route, VaultAccess, VaultAnchor
from stacks.outputs import ServerOutput
from tests.module_files import load
from tests.unit.orchestrator.evidence.chains import REPORT, STACK_ID, Bench, bench_at

PROGRAM = Path(__file__).parents[2] / "playbooks" / "roles" / "backup_vault" / "files" / "steward_vault.py"
HOST = ServerOutput(
    name="vault-1", group="vault", network="backup", incarnation="b" * 32, address="127.0.0.1",
    ssh_host="127.0.0.1", ssh_port=22, ssh_user="steward", host_key="ssh-ed25519 AAAA", published={},
)  # fmt: skip


@dataclass
class HereShell:
    """Runs what it is told on this machine, as a host would; `away` refuses, as a host that is down does."""

    away: bool = False
    asked: list[str] = field(default_factory=list)

    def run(
        self, server: ServerOutput, argv: Sequence[str], *, timeout: float, stdin: str | None = None,
        check: bool = True,
    ) -> CommandResult:  # fmt: skip
        if self.away:
            raise ToolError(server.name, "SSH failed: connection lost")
        self.asked.append(" ".join(argv))
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=timeout, check=False)
        return CommandResult(tuple(argv), done.returncode, done.stdout, done.stderr, 0.0)

    def close(self) -> None: ...


@dataclass
class Vault:
    """A store that runs, a chain that is enrolled in it, and the anchor between them."""

    root: Path
    bench: Bench
    access: VaultAccess
    shell: HereShell

    @property
    def anchor(self) -> VaultAnchor:
        return VaultAnchor(self.bench.folder, self.access, lambda _: self.shell)

    def anchored(self) -> Sequence[str]:
        with self.bench.writer() as writer:
            return writer.anchor([self.anchor])

    def first(self) -> tuple[int, Fault]:
        verdict = self.bench.verify(self.anchor)
        assert verdict.first_bad is not None, verdict.words(self.bench.clock.now())
        return verdict.first_bad.number, verdict.first_bad.fault

    def ask(self, method: str, path: str, body: bytes = b"", user: str = STACK_ID) -> int:
        trust = ssl.create_default_context(cadata=self.access.certificate)
        line = http.client.HTTPSConnection("127.0.0.1", self.access.port, timeout=10, context=trust)
        login = base64.b64encode(f"{user}:{self.access.password}".encode()).decode()
        line.request(method, path, body=body, headers={"Authorization": f"Basic {login}"})
        return line.getresponse().status

    def objects(self, kind: str) -> Mapping[str, bytes]:
        found = (path for path in (self.root / STACK_ID / kind).rglob("*") if path.is_file())
        return {path.name: path.read_bytes() for path in found}


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    """The pinned rest-server as the role starts it, with a chain that the vault's own program let in."""
    root, credentials = tmp_path / "store", tmp_path / "htpasswd"
    root.mkdir()
    password = VaultAccess.fresh_password()
    _enrol(root, credentials, password)
    certificate, key = _certificate(tmp_path)
    port = _free_port()
    store = subprocess.Popen(
        [
            load_toolchain(load_settings()).rest_server, "--path", root, "--listen", f"127.0.0.1:{port}",
            "--append-only", "--private-repos", "--htpasswd-file", credentials,
            "--tls", "--tls-cert", certificate, "--tls-key", key,
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait_for(port)
        access = VaultAccess(
            chain=STACK_ID, name="vault", stack="acme-vault", address="127.0.0.1", port=port,
            certificate=certificate.read_text(), password=password,
            routes=(Route(stack="acme-vault", server=HOST),),
        )  # fmt: skip
        yield Vault(root, bench_at(tmp_path / "home"), access, HereShell())
    finally:
        store.kill()
        store.wait()


def _enrol(root: Path, credentials: Path, password: str) -> None:
    """What `VaultStore.enrol_chain` asks, done by the program that runs on the vault."""
    program = load(PROGRAM)
    told = f"steward evidence {STACK_ID}\n".encode()
    line = f"{STACK_ID}:{bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()}"
    files = {"config": told, f"keys/{hashlib.sha256(told).hexdigest()}": told}
    owner = (os.geteuid(), os.getegid())
    program.admit(root, credentials, (STACK_ID, line, files), owner, lambda: None)


def _certificate(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "vault.crt", folder / "vault.key"
    words = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"]
    words += ["-days", "2", "-subj", "/CN=vault"]
    words += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", "req", *words], check=True, capture_output=True)
    return certificate, key


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as line:
            if line.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the store did not start")


def test_the_vault_vouches_for_the_chain_and_the_next_run_brings_only_what_is_new(vault: Vault) -> None:
    vault.bench.runs(3, attachments=(REPORT,))
    assert vault.anchored() == []
    vault.bench.runs(1, begin=3, attachments=(REPORT,))
    assert vault.anchored() == []
    verdict = vault.bench.verify(vault.anchor)
    assert verdict.ok
    head = verdict.anchored
    assert verdict.words(vault.bench.clock.now()) == f"whole up to record {head}, by vault acme-vault"
    brought = [content.count(b"\n") for content in vault.objects("index").values()]
    assert sorted(brought) == [2, 5]  # key, payload key and three runs; then the anchor's record and one run


def test_what_lies_in_the_vault_is_the_whole_chain_and_no_document_is_readable(vault: Vault) -> None:
    secret = Attachment("report.json", "application/json", b"the name of a person")
    vault.bench.runs(3, attachments=(secret,))
    assert vault.anchored() == []
    vault.bench.runs(1, begin=3, attachments=(secret,))
    assert vault.anchored() == []
    parts = sorted(vault.objects("index").values(), key=_begins_at)
    assert b"".join(parts) == b"".join(vault.bench.lines()[:-1])  # all but the record of the last anchoring
    stored = vault.objects("data")
    assert set(stored) == {each.sha256 for line in vault.bench.records() for each in line.payloads}
    assert all(b"name of a person" not in content for content in stored.values())
    shutil.rmtree(vault.bench.folder.payloads)
    for name, content in stored.items():
        place = vault.bench.folder.payloads / name[:2] / name
        place.parent.mkdir(parents=True)
        place.write_bytes(content)
    vault.bench.folder.chain.write_bytes(b"".join(parts))
    (vault.bench.folder.path / "fence.json").unlink(missing_ok=True)
    assert all(p.fault is Fault.TRUNCATED for p in vault.bench.verify(vault.anchor).problems)


def _begins_at(part: bytes) -> int:
    return int(json.loads(part.split(b"\n")[0])["record"]["number"])


def _edit(lines: list[bytes]) -> list[bytes]:
    return [*lines[:2], lines[2].replace(b'"exit_code":0', b'"exit_code":1'), *lines[3:]]


TAMPERED: Mapping[str, tuple[Callable[[list[bytes]], list[bytes]], tuple[int, Fault]]] = {
    "edit": (_edit, (2, Fault.EDITED)),
    "delete": (lambda lines: [*lines[:2], *lines[3:]], (2, Fault.DELETED)),
    "reorder": (lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]], (2, Fault.REORDERED)),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_a_changed_chain_is_named_by_its_first_bad_record(vault: Vault, how: str) -> None:
    change, expected = TAMPERED[how]
    vault.bench.runs(5)
    assert vault.anchored() == []
    vault.bench.put(change(vault.bench.lines()))
    assert vault.first() == expected


def test_a_chain_that_was_cut_with_all_that_the_writer_remembers_is_told_by_the_vault(vault: Vault) -> None:
    vault.bench.runs(2)
    before = _copy_of(vault)
    vault.bench.runs(2, begin=2)
    assert vault.anchored() == []
    _bring_back(vault, before)
    assert vault.bench.verify().ok  # alone it looks whole
    assert vault.first() == (3, Fault.ROLLED_BACK)


def test_a_copy_that_was_brought_back_and_written_on_is_a_fork(vault: Vault) -> None:
    vault.bench.runs(2)
    assert vault.anchored() == []
    before = _copy_of(vault)
    vault.bench.runs(2, begin=2)
    assert vault.anchored() == []
    _bring_back(vault, before)
    vault.bench.runs(6, begin=20)
    assert vault.bench.verify().ok
    assert vault.first() == (3, Fault.FORKED)  # up to record 2 both are one
    assert vault.anchored() == []  # the branch is anchored too, and hides nothing
    assert vault.first() == (3, Fault.FORKED)


def _copy_of(vault: Vault) -> Path:
    copy = vault.bench.folder.home.parent / "copy"
    shutil.copytree(vault.bench.folder.home / "evidence", copy)
    return copy


def _bring_back(vault: Vault, copy: Path) -> None:
    shutil.rmtree(vault.bench.folder.home / "evidence")
    copy.rename(vault.bench.folder.home / "evidence")


@pytest.mark.parametrize("kind", ["snapshots", "index", "data"])
def test_the_credential_of_the_chain_removes_and_rewrites_nothing(vault: Vault, kind: str) -> None:
    vault.bench.runs(2, attachments=(REPORT,))
    assert vault.anchored() == []
    before = vault.objects(kind)
    for name in before:
        path = f"/{STACK_ID}/{kind}/{name}"
        assert vault.ask("DELETE", path) >= 400
        assert vault.ask("PUT", path, b"other") >= 400
        assert vault.ask("POST", path, b"other") >= 400
    assert vault.ask("POST", f"/{STACK_ID}/{kind}/{'0' * 64}", b"not what the name says") >= 400
    assert vault.ask("DELETE", f"/{STACK_ID}/") >= 400
    assert vault.ask("DELETE", f"/{STACK_ID}/config") >= 400
    assert vault.objects(kind) == before
    assert vault.bench.verify(vault.anchor).ok


def test_the_credential_opens_no_other_room(vault: Vault) -> None:
    assert vault.ask("GET", f"/{'b' * 32}/config") >= 400
    assert vault.ask("GET", f"/{STACK_ID}/config", user="b" * 32) >= 400


def test_a_vault_that_is_away_stops_nothing_and_the_next_run_brings_everything(vault: Vault) -> None:
    vault.bench.runs(2, attachments=(REPORT,))
    vault.shell.away = True
    (said,) = vault.anchored()
    assert "vault acme-vault: cannot be reached: vault-1: SSH failed" in said
    verdict = vault.bench.verify(vault.anchor)
    assert [problem.fault for problem in verdict.problems] == [Fault.ANCHOR_UNREADABLE]
    words = verdict.words(vault.bench.clock.now())
    assert words.startswith("no bad record was found, but an anchor did not answer: vault acme-vault")
    assert words.endswith("internally consistent only: 4 unanchored records, the oldest 1 min old")
    vault.shell.away = False
    vault.bench.runs(1, begin=2)
    assert vault.anchored() == []
    verdict = vault.bench.verify(vault.anchor)
    assert (verdict.ok, verdict.unanchored, len(vault.objects("index"))) == (True, 0, 1)


def test_a_program_that_is_sent_to_a_host_has_no_password_in_its_arguments(vault: Vault) -> None:
    vault.bench.runs(1)
    assert vault.anchored() == []
    assert vault.shell.asked
    assert all(vault.access.password not in each for each in vault.shell.asked)
