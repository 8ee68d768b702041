"""A stack's configuration file, and when it disagrees with ledger or fleet."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.errors import InputError
from orchestrator.ports.run import StackRecord
from orchestrator.provisioning.stack_config import (
    StackConfig,
    check_agreement,
    config_path,
    fleet_reference,
    read_config,
)
from tests.fakes import NOON

RECORD = StackRecord("acme-demo", "1" * 32, "acme", "2" * 32, NOON)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "fleets").mkdir()
    for name in ("demo", "other"):
        (tmp_path / "fleets" / f"{name}.yaml").touch()
    return tmp_path


def test_the_file_is_where_pulumi_looks(project: Path) -> None:
    assert config_path(project, "acme-demo") == project / "stacks" / "config" / "Pulumi.acme-demo.yaml"


@pytest.mark.parametrize("text", ["", "config:", "encryptionsalt: v1:x\n", "{}"])
def test_a_file_that_says_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.yaml"
    assert read_config(path) == StackConfig()
    path.write_text(text)
    assert read_config(path) == StackConfig()


def test_values(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("config:\n  steward:fleet: fleets/demo.yaml\n  steward:stackId: '11'\n  other:key: x\n")
    assert read_config(path) == StackConfig(fleet="fleets/demo.yaml", stack_id="11")


@pytest.mark.parametrize("content", [b"config: [", b"\xff\xfe", b"a: b: c", b"- x", b"config: [a]"])
def test_a_broken_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "Pulumi.acme-demo.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"Pulumi\.acme-demo\.yaml.*Restore it from version control"):
        read_config(path)


def test_a_fleet_is_named_relative_to_the_project_also_through_a_link(project: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.yaml"
    link.symlink_to(project / "fleets" / "demo.yaml")
    assert fleet_reference(project, link) == "fleets/demo.yaml"
    assert fleet_reference(project / "fleets", Path("/etc/hostname")) == "/etc/hostname"


@pytest.mark.parametrize(
    ("config", "record"),
    [
        (StackConfig(), None),
        (StackConfig(), RECORD),
        (StackConfig(fleet="fleets/demo.yaml"), None),
        (StackConfig(fleet="fleets/demo.yaml", stack_id=RECORD.id), RECORD),
        (StackConfig(fleet="fleets/moved-away.yaml", stack_id=RECORD.id), RECORD),
    ],
)
def test_agreement(project: Path, config: StackConfig, record: StackRecord | None) -> None:
    check_agreement("acme-demo", project, config, record, project / "fleets" / "demo.yaml")


@pytest.mark.parametrize(
    ("config", "record", "text"),
    [
        (StackConfig(stack_id="9" * 32), RECORD, f"this installation knows {RECORD.id}.*got 9{{32}}"),
        (StackConfig(stack_id="9" * 32), None, "this installation does not know that stack"),
        (
            StackConfig(fleet="fleets/other.yaml"),
            RECORD,
            r"described by another file.*got fleets/other\.yaml, not fleets/demo\.yaml",
        ),
    ],
)
def test_disagreement(project: Path, config: StackConfig, record: StackRecord | None, text: str) -> None:
    with pytest.raises(InputError, match=text):
        check_agreement("acme-demo", project, config, record, project / "fleets" / "demo.yaml")
