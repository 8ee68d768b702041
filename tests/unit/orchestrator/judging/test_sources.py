"""Files are known by what stands in them; what cannot be judged is refused with its name and place."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.errors import InputError
from orchestrator.judging.sources import Whose, read_source, source_of
from policies.model import Kind

PREVIEWS = Path(__file__).parents[3] / "policies" / "previews"
WHOSE = Whose("acme-demo", {"client": "acme", "environment": "demo"}, datetime(2026, 11, 29, tzinfo=UTC))
PLAYBOOK = "- hosts: all\n  tasks:\n    - name: Say so\n      ansible.builtin.debug: {msg: hello}\n"


def kinds(path: Path) -> set[Kind]:
    return {subject.kind for subject in read_source(path, WHOSE).subjects}


def test_a_preview_gives_resources_and_steps() -> None:
    path = PREVIEWS / "local.json"
    found = read_source(path, WHOSE)

    assert (found.name, found.kind) == ("local.json", "preview")
    assert kinds(path) == {Kind.RESOURCE, Kind.STEP}
    assert len(found.digest) == 64


def test_playbooks_come_as_a_folder_or_as_one_file(tmp_path: Path) -> None:
    (tmp_path / "site.yml").write_text(PLAYBOOK)

    for path in (tmp_path, tmp_path / "site.yml"):
        (task,) = (each for each in read_source(path, WHOSE).subjects if "Say so" in each.name)
        assert (task.kind, task.stack) == (Kind.PLAYBOOK_TASK, "acme-demo")


def test_documents_of_other_verbs_are_known_by_their_schema(tmp_path: Path) -> None:
    path = tmp_path / "any-name.json"
    path.write_text(json.dumps({"schema": "steward.backup-records/1", "records": []}))

    assert (read_source(path, WHOSE).kind, read_source(path, WHOSE).subjects) == ("backup records", ())


def test_the_digest_is_of_the_content() -> None:
    content = (PREVIEWS / "local.json").read_bytes()
    assert source_of("a.json", content, WHOSE).digest == source_of("b.json", content, WHOSE).digest
    assert source_of("a.json", content + b"\n", WHOSE).digest != source_of("a.json", content, WHOSE).digest


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("cut.json", b'{"steps": [{"op": "cre', "is not whole JSON, so nothing in it is judged"),
        ("deep.json", b"[" * 100_000, "is not whole JSON"),
        ("list.json", b"[]", "nothing that can be judged"),
        ("other.json", b'{"schema": "acme.thing/1"}', "schema acme.thing/1"),
        ("empty.json", b"{}", "keys none"),
        ("cut-steps.json", b'{"steps": [{"op": "create"}]}', "cannot be judged: cut-steps.json: steps[0]"),
        ("bad.yml", b"- hosts: [", "bad.yml"),
        ("latin.yml", b"- hosts: \xff", "can't decode"),
    ],
)
def test_what_cannot_be_judged_is_refused_by_name(
    name: str, content: bytes, told: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(InputError) as error:
        read_source(path, WHOSE)

    assert told in str(error.value)
    assert name in str(error.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_source(tmp_path / "gone.json", WHOSE)
