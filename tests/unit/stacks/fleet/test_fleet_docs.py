"""docs/fleet-file.md tells every key of the model, no other, and its example is a valid fleet."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from stacks.fleet.backup import BackupPlan, Keep, Repository
from stacks.fleet.budget import Budget
from stacks.fleet.loader import load, parse
from stacks.fleet.model import Fleet
from stacks.fleet.network import Ingress, Network
from stacks.fleet.server import Server
from stacks.fleet.service import Availability, HttpProbe, Maintenance, Service
from stacks.fleet.storage import Bucket, Volume
from tests.unit.stacks.fleet.demo import ROOT, TEXT

PAGE = (ROOT / "docs/fleet-file.md").read_text()
SECTIONS: dict[str, type[BaseModel]] = {
    "The file": Fleet, "`budget`": Budget, "`networks.NAME`": Network, "`services.NAME`": Service,
    "`services.NAME.availability`": Availability, "`services.NAME.availability.probe`": HttpProbe,
    "`services.NAME.maintenance`": Maintenance,
    "`servers.NAME`": Server, "`servers.NAME.volumes.NAME`": Volume,
    "`servers.NAME.ingress[]`": Ingress, "`storage.NAME`": Bucket, "`repositories.NAME`": Repository,
    "`backups.NAME`": BackupPlan, "`backups.NAME.keep`": Keep,
}  # fmt: skip


def sections() -> dict[str, str]:
    parts = re.split(r"^### (.+)$", PAGE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_page_has_a_section_for_each_part() -> None:
    assert list(sections()) == list(SECTIONS)


@pytest.mark.parametrize("title", SECTIONS)
def test_a_section_tells_every_key_and_which_are_required(title: str) -> None:
    rows = re.findall(r"^\| `([a-z_]+)`( \*)? \|", sections()[title], flags=re.MULTILINE)
    fields = SECTIONS[title].model_fields
    assert {key: bool(star) for key, star in rows} == {
        field.alias or name: field.is_required() for name, field in fields.items()
    }
    assert len(rows) == len(fields)


def test_the_example_is_a_valid_fleet() -> None:
    example, part, _ = re.findall(r"^```yaml\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert parse(example.encode(), "example.yaml").stack == "globex-prod"
    assert part.splitlines()[1].startswith("include: [common/shop.yaml]")


def test_the_example_of_a_part_is_valid_with_what_it_includes(tmp_path: Path) -> None:
    _, part, _ = re.findall(r"^```yaml\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    (tmp_path / "common").mkdir()
    shared = TEXT.replace("client: acme\n", "") + "x-note: {}\n"
    cache = "  cache: {size: small, network: app, roles: []}\n  web:\n"
    (tmp_path / "common" / "shop.yaml").write_text(shared.replace("  web:\n", cache, 1))
    (tmp_path / "globex.yaml").write_text(part)
    fleet = load(tmp_path / "globex.yaml").fleet
    assert (fleet.client, list(fleet.servers), fleet.servers["web"].count) == ("globex", ["web", "db"], 4)
