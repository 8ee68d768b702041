"""The programs that roles put on hosts: their pure parts."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.module_files import load
from tests.playbooks.host_plan import plan

ROLES = Path(__file__).parents[2] / "playbooks" / "roles"
FILES = ROLES / "backup" / "files"


@pytest.fixture(autouse=True, scope="module")
def on_path() -> Iterator[None]:
    """Import the package as a host does, from the folder it lies in."""
    sys.path.insert(0, str(FILES))
    yield
    sys.path.remove(str(FILES))


@pytest.fixture(scope="module")
def vault() -> ModuleType:
    """The vault's program."""
    return load(ROLES / "backup_vault" / "files" / "steward_vault.py")


def test_backup_arguments_carry_the_plan_its_id_and_the_run() -> None:
    from steward_backup import restic

    argv = restic.backup_argv(plan(paths=("/a", "--b")), "f" * 32, "r1")

    assert argv[argv.index("--host") + 1] == "f" * 32
    assert [argv[place + 1] for place, part in enumerate(argv) if part == "--tag"] == [
        "plan=content",
        f"plan-id={'c' * 32}",
        "run=r1",
        f"incarnation={'f' * 32}",
    ]
    assert argv[argv.index("--") + 1 :] == ["/a", "--b", "/var/lib/steward/backup/content/staging"]


def test_a_backup_without_a_summary_is_no_backup() -> None:
    from steward_backup import errors, restic

    with pytest.raises(errors.BackupError, match="without a summary"):
        restic.parse_summary('{"message_type":"status"}\n')


@pytest.mark.parametrize(
    ("code", "told"), [(3, "incomplete"), (10, "enrol"), (11, "locked"), (1, "exit code 1")]
)
def test_every_exit_code_but_zero_is_a_failure(code: int, told: str) -> None:
    from steward_backup import errors, process, restic

    with pytest.raises(errors.BackupError, match=told):
        restic.explain("restic backup", process.Ended(code, b"", "why"))


def test_tables_are_ordered_by_key_bytewise_or_by_their_whole_row() -> None:
    from steward_backup import postgresql

    keyed = {
        "schema": "public",
        "name": 'odd"name',
        "key": [{"name": "id", "text": False}, {"name": "code", "text": True}],
    }
    keyless = {"schema": "public", "name": "log", "key": None}

    assert postgresql.copy_statement(keyed) == (
        'COPY (SELECT * FROM ONLY "public"."odd""name" AS t ORDER BY t."id", t."code" COLLATE "C") TO STDOUT'
    )
    assert 'ORDER BY t::text COLLATE "C"' in postgresql.copy_statement(keyless)


def test_timer_times_are_read_in_utc() -> None:
    from steward_backup import records

    text = "NextElapseUSecRealtime=Mon 2026-11-23 01:36:12 UTC\nLastTriggerUSec=n/a\nUnitFileState=enabled\n"

    assert records.parse_timer(text) == {
        "enabled": True,
        "next_at": "2026-11-23T01:36:12+00:00",
        "last_at": None,
    }


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small tree with a link, an empty file and an odd name."""
    top = tmp_path / "live" / "site"
    top.mkdir(parents=True)
    (top / "a.html").write_text("alpha")
    (top / "empty").touch()
    (top / "odd\nname").write_text("odd")
    (top / "link").symlink_to("a.html")
    return top


def test_only_changed_files_are_read_again(tree: Path) -> None:
    from steward_backup import manifest

    _, known = manifest.take((str(tree),), {})
    known[f"{tree}/empty"]["sha256"] = "remembered"
    (tree / "a.html").write_text("beta!")

    entries, again = manifest.take((str(tree),), known)

    assert entries[f"{tree}/empty"]["sha256"] == "remembered"
    assert entries[f"{tree}/a.html"]["sha256"] == hashlib.sha256(b"beta!").hexdigest()
    assert manifest.changed_since(again) == []
    (tree / "a.html").write_text("gamma")
    assert manifest.changed_since(again) == [f"{tree}/a.html"]


@pytest.mark.parametrize(
    ("path", "told"), [("relative", "absolute"), ("/no/such", "does not exist"), ("link", "symbolic")]
)
def test_paths_that_protect_nothing_are_refused(tree: Path, path: str, told: str) -> None:
    from steward_backup import errors, manifest

    with pytest.raises(errors.BackupError, match=told):
        manifest.check_paths((str(tree / "link") if path == "link" else path,))


def test_a_child_is_ended_when_the_block_is_left(tmp_path: Path) -> None:
    from steward_backup import errors, process

    with pytest.raises(errors.StoppedError), process.start(["/bin/sleep", "60"], env={}) as child:
        raise errors.StoppedError("now")

    assert child.running.returncode == -signal.SIGTERM


def test_a_killed_program_takes_its_child_along() -> None:
    script = (
        f"import sys, time; sys.path.insert(0, {str(FILES)!r})\n"
        "from steward_backup import process\n"
        "with process.start(['/bin/sleep', '60'], env={}) as child:\n"
        "    print(child.running.pid, flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        wait_for(lambda: Path(f"/proc/{child}/comm").read_text() == "sleep\n")
        parent.kill()
    wait_for(lambda: not alive(child))


def alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has waited for yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(condition: Any) -> None:
    """Wait until a condition holds, at most five seconds."""
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"


def test_an_enrolment_is_checked_and_placed_once(vault: ModuleType, tmp_path: Path) -> None:
    key, repository = b"key", "a" * 32
    name = f"keys/{hashlib.sha256(key).hexdigest()}"
    encoded = {"config": base64.b64encode(b"config").decode(), name: base64.b64encode(key).decode()}
    line = f"{repository}:$2b$10${'x' * 53}"
    asked = {"id": repository, "user": repository, "htpasswd_line": line, "files": encoded}
    owner = (os.getuid(), os.getgid())

    found, parsed_line, files = vault.parse_request(json.dumps(asked))

    assert (found, parsed_line) == (repository, line)
    assert vault.place_repository(tmp_path, repository, files, owner) is True
    assert vault.place_repository(tmp_path, repository, files, owner) is False
    assert len(list((tmp_path / repository / "data").iterdir())) == 256
    with pytest.raises(vault.VaultError, match="never replaced"):
        vault.place_repository(tmp_path, repository, files | {"config": b"other"}, owner)


def test_a_credential_replaces_only_its_own_line(vault: ModuleType) -> None:
    text = "aa:old\nbb:kept\n"

    assert vault.with_credential(text, "aa:new") == "aa:new\nbb:kept\n"
    assert vault.with_credential("", "cc:new") == "cc:new\n"


@dataclass
class Vault:
    """A vault's folders; `reloads` counts how often its store was told, which fails while `stopped`."""

    module: ModuleType
    folder: Path
    reloads: int = 0
    stopped: bool = False

    @property
    def credentials(self) -> Path:
        return self.folder / "htpasswd"

    def admit(self, repository: str, digest: str, files: dict[str, bytes]) -> bool:
        root = self.folder / "store"
        root.mkdir(exist_ok=True)
        request = (repository, f"{repository}:{digest}", files)
        owner = (os.getuid(), os.getgid())
        return bool(self.module.admit(root, self.credentials, request, owner, self.reload))

    def reload(self) -> None:
        assert self.known == [], "the repository must come last"
        if self.stopped:
            raise InterruptedError("stopped")
        self.reloads += 1

    @property
    def known(self) -> list[str]:
        return list(self.module.repositories(self.folder / "store"))


def test_an_enrolment_that_was_stopped_is_done_again(vault: ModuleType, tmp_path: Path) -> None:
    repository, stopped = "a" * 32, Vault(vault, tmp_path, stopped=True)
    with pytest.raises(InterruptedError):
        stopped.admit(repository, "old", {"config": b"old", "keys/1": b"old"})
    assert stopped.known == []  # so the control machine enrols again, with fresh files

    stopped.stopped = False
    assert stopped.admit(repository, "new", {"config": b"new", "keys/1": b"new"}) is True

    assert stopped.credentials.read_text() == f"{repository}:new\n"
    assert (stopped.folder / "store" / repository / "config").read_bytes() == b"new"
    assert (stopped.known, stopped.reloads) == ([repository], 1)


def test_the_same_request_after_a_stop_tells_the_store_again(vault: ModuleType, tmp_path: Path) -> None:
    repository, files = "a" * 32, {"config": b"config", "keys/1": b"key"}
    stopped = Vault(vault, tmp_path, stopped=True)
    with pytest.raises(InterruptedError):
        stopped.admit(repository, "line", files)
    stopped.stopped = False
    assert stopped.admit(repository, "line", files) is True
    assert stopped.reloads == 1


def test_an_enrolment_is_repeated_without_effect_and_another_touches_nothing(
    vault: ModuleType, tmp_path: Path
) -> None:
    repository, files = "a" * 32, {"config": b"config", "keys/1": b"key"}
    enrolled = Vault(vault, tmp_path)
    assert enrolled.admit(repository, "line", files) is True
    assert enrolled.admit(repository, "line", files) is False
    with pytest.raises(vault.VaultError, match="never replaced"):
        enrolled.admit(repository, "thief", {"config": b"other", "keys/1": b"key"})
    assert enrolled.credentials.read_text() == f"{repository}:line\n"
    assert enrolled.reloads == 1


def test_what_an_earlier_plan_of_the_name_left_counts_for_nothing(tmp_path: Path) -> None:
    from steward_backup import records

    path = tmp_path / "last-good.json"
    assert records.read_own(path, plan()) is None
    records.write(path, {"plan_id": plan().id, "ok": True})
    assert records.read_own(path, plan()) == {"plan_id": plan().id, "ok": True}
    assert records.read_own(path, plan(id="d" * 32)) is None
