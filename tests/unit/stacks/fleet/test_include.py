"""Fleets that include others: what wins, what is refused and where it is told, and what the digest covers."""

# ruff: noqa: E501  # a row of the table is one case
from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from stacks.fleet.include import MOST_FILES
from stacks.fleet.loader import LoadedFleet, load
from stacks.fleet.mistakes import FleetInvalid
from tests.unit.stacks.fleet.demo import TEXT, told

COMMON = TEXT.replace("client: acme\n", "").replace("environment: demo            # stack: acme-demo\n", "")
OWN = "include: [common/shop.yaml]\nclient: globex\nenvironment: prod\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with the demo's fleet as a part that clients include."""
    (tmp_path / "Pulumi.yaml").write_text("name: steward\nruntime: python\n")
    write(tmp_path / "fleets" / "common" / "shop.yaml", COMMON)
    return tmp_path / "fleets"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def loaded(project: Path, text: str = OWN) -> LoadedFleet:
    return load(write(project / "globex.yaml", text))


def refused(project: Path, text: str) -> list[str]:
    """Mistakes as `file:line path: message`."""
    with pytest.raises(FleetInvalid) as caught:
        loaded(project, text)
    assert str(caught.value).isprintable() or "\n" in str(caught.value)
    return [f"{each.source}:{each.line} {each.path}: {each.message}" for each in caught.value.mistakes]


def test_a_client_says_only_what_is_its_own(project: Path) -> None:
    found = loaded(project)
    assert found.fleet.stack == "globex-prod"
    assert list(found.fleet.servers) == ["web", "db"]
    assert found.included == (project / "common" / "shop.yaml",)


def test_mappings_merge_and_all_else_is_replaced(project: Path) -> None:
    own = """\
networks: {app: {cidr: 10.60.0.0/24}}
servers:
  web: {count: 4, ingress: [{from: anywhere, port: 443}]}
  cache: {size: small, network: app, roles: []}
backups:
  site: {keep: {daily: 14}}
"""
    fleet = loaded(project, OWN + own).fleet
    assert str(fleet.networks["app"].cidr) == "10.60.0.0/24"
    assert list(fleet.servers) == ["web", "db", "cache"]
    web = fleet.servers["web"]
    assert (web.count, web.size, [rule.port for rule in web.ingress]) == (4, "small", [443])
    keep = fleet.backups["site"].keep
    assert (keep.daily, keep.weekly, keep.monthly) == (14, 4, 6)


def test_null_removes_what_was_included(project: Path) -> None:
    own = (
        "budget: null\nservers: {web: {size: ~, cpus: 2, memory_gib: 3, backup: []}}\nbackups: {site: null}\n"
    )
    fleet = loaded(project, OWN + own).fleet
    assert fleet.budget is None
    assert fleet.servers["web"].size is None
    assert list(fleet.backups) == ["databases"]


def test_null_without_anything_included_is_a_mistake_as_ever(project: Path) -> None:
    (mistake,) = refused(project, OWN + "servers:\n  web: {count: null, counts: null}\n")
    assert mistake.startswith(":5 servers.web.counts: unknown key 'counts'")


def test_of_several_files_the_later_wins_and_the_file_itself_last(project: Path) -> None:
    for name, owner, centre in (("one", "one@x.example", "one"), ("two", "two@x.example", "two")):
        write(project / "common" / f"{name}.yaml", f"owner: {owner}\ncost_centre: {centre}\n")
    own = OWN.replace("shop.yaml]", "shop.yaml, common/one.yaml, common/two.yaml]") + "cost_centre: mine\n"
    fleet = loaded(project, own).fleet
    assert (fleet.owner, fleet.cost_centre) == ("two@x.example", "mine")


def test_an_included_file_includes_by_its_own_place(project: Path) -> None:
    write(project / "common" / "base" / "region.yaml", "region: local-7\nprofile: strict\n")
    write(project / "common" / "mid.yaml", "include: [shop.yaml, base/region.yaml]\nprofile: standard\n")
    found = loaded(project, OWN.replace("common/shop.yaml", "common/mid.yaml"))
    assert (found.fleet.region, found.fleet.profile) == ("local-7", "standard")
    assert [path.name for path in found.included] == ["mid.yaml", "shop.yaml", "region.yaml"]


def test_a_mistake_is_told_in_the_file_that_made_it(project: Path) -> None:
    write(
        project / "common" / "shop.yaml",
        COMMON.replace("port: 80}", "port: 0}").replace("rpo: 2h", "rpo: 1m"),
    )
    lines = COMMON.splitlines()
    port = next(n for n, line in enumerate(lines, 1) if "port: 80}" in line)
    told = refused(project, OWN + "servers:\n  web:\n    network: ap\n")
    assert told[0].startswith(":6 servers.web.network: no network named 'ap'")
    assert told[1].startswith(
        f"common/shop.yaml:{port} servers.web.ingress[0].port: write a number of at least 1"
    )
    assert told[2].startswith("common/shop.yaml:")
    assert "backups.databases.rpo" in told[2]
    with pytest.raises(FleetInvalid) as caught:
        load(project / "globex.yaml")
    assert f"line {port} of common/shop.yaml" in str(caught.value)


def test_a_list_that_replaces_another_has_its_own_lines(project: Path) -> None:
    own = "x-rules: &rules [{from: anywhere, port: 80}, {from: anywhere, port: 0}]\nservers:\n  web:\n    ingress: *rules\n"
    (mistake,) = refused(project, OWN + own)
    assert mistake.startswith(":7 servers.web.ingress[1].port: write a number of at least 1; got 0")


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("[common/shp.yaml]", ":1 include[0]: 'common/shp.yaml' cannot be read: No such file or directory; known: shop.yaml. Did you mean 'shop.yaml'?"),
        ("[common/no/shop.yaml]", ":1 include[0]: 'common/no/shop.yaml' cannot be read: No such file"),
        ("[common]", ":1 include[0]: 'common' is not a YAML file by its path from here, such as ../common/shop.yaml"),
        ("[/etc/passwd]", ":1 include[0]: '/etc/passwd' is not a YAML file by its path"),
        ("[../../outside.yaml]", ":1 include[0]: '../../outside.yaml' lies outside of"),
        ("[link.yaml]", ":1 include[0]: 'link.yaml' lies outside of"),
        ("[loop.yaml]", ":1 include[0]: 'loop.yaml' leads to no file"),
        ("[folder.yaml]", ":1 include[0]: 'folder.yaml' is not a file"),
        ("[pipe.yaml]", ":1 include[0]: 'pipe.yaml' is not a file"),
        ('["a\\0.yaml"]', ":1 include[0]: 'a\\x00.yaml' is not a YAML file"),
        ('["\\e[2J.yaml"]', ":1 include[0]: '\\x1b[2J.yaml' cannot be read"),
        ("[" + "x" * 300 + ".yaml]", ":1 include[0]: 'xxx"),
        ("[7]", ":1 include[0]: write the name of a file; got 7"),
        ("['']", ":1 include[0]: write the name of a file; got ''"),
        ("common/shop.yaml", ":1 include: write a list of files, for example [common.yaml]; got 'common/shop.yaml'"),
        ("[]", ":1 include: write a list of files"),
        ("{a: b}", ":1 include: write a list of files"),
        ("null", ":1 include: write a list of files"),
        ("[globex.yaml]", ":1 include[0]: 'globex.yaml' includes itself: globex.yaml → globex.yaml"),
        ("[bad.yaml]", "bad.yaml:3 (file): is not valid YAML"),
        ("[list.yaml]", "list.yaml:1 (file): an included file is a mapping of keys, not a list"),
        ("[empty.yaml]", "empty.yaml:None (file): is empty"),
        ("[latin.yaml]", "latin.yaml:None (file): is not UTF-8 text"),
        ("[large.yaml]", "large.yaml:None (file): is larger than the 256 KiB"),
    ],
)  # fmt: skip
def test_what_cannot_be_included_is_told_alone(project: Path, entry: str, expected: str) -> None:
    write(project.parent.parent / "outside.yaml", COMMON)
    (project / "link.yaml").symlink_to(project.parent.parent / "outside.yaml")
    (project / "loop.yaml").symlink_to(project / "loop.yaml")
    (project / "folder.yaml").mkdir()
    os.mkfifo(project / "pipe.yaml")
    write(project / "bad.yaml", "a: 1\nb: [\n")
    write(project / "list.yaml", "- a\n")
    write(project / "empty.yaml", "")
    (project / "latin.yaml").write_bytes(b"owner: \xff\n")
    with (project / "large.yaml").open("wb") as file:
        file.truncate(1 << 40)
    (mistake,) = refused(project, f"include: {entry}\nclient: globex\n")
    assert mistake.startswith(expected), mistake


def test_files_that_include_each_other_are_refused(project: Path) -> None:
    write(project / "a.yaml", "owner: a@x.example\ninclude: [b.yaml]\n")
    write(project / "b.yaml", "include: [a.yaml]\n")
    (mistake,) = refused(project, "include: [a.yaml]\n")
    assert mistake == "b.yaml:1 include[0]: 'a.yaml' includes itself: a.yaml → b.yaml → a.yaml"


def test_one_part_may_be_reached_twice(project: Path) -> None:
    write(project / "a.yaml", "include: [common/shop.yaml]\n")
    assert loaded(project, OWN.replace("[", "[a.yaml, ")).fleet.stack == "globex-prod"


def test_many_files_are_too_many(project: Path) -> None:
    for number in range(MOST_FILES + 1):
        write(project / f"n{number}.yaml", f"include: [n{number + 1}.yaml]\n")
    (mistake,) = refused(project, "include: [n0.yaml]\n")
    assert (
        mistake
        == f"n{MOST_FILES - 1}.yaml:1 include[0]: more than {MOST_FILES} files are included; put some of them together"
    )


def test_laughs_that_grow_over_files_are_refused_quickly(project: Path) -> None:
    nine = "\n".join(
        f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]" for old, new in zip("abc", "bcd", strict=True)
    )
    for number in range(MOST_FILES):
        write(project / f"n{number}.yaml", f"x-a: &a [x, x]\n{nine}\n".replace("a: &a", "a: &a", 1))
    names = ", ".join(f"n{number}.yaml" for number in range(MOST_FILES))
    begin = time.process_time()
    mistakes = refused(project, f"include: [{names}]\n")
    assert time.process_time() - begin < 1
    assert any("aliases and included files counted; split the fleet" in each for each in mistakes), mistakes


def test_outside_of_a_project_only_what_lies_beside_is_included(tmp_path: Path) -> None:
    write(tmp_path / "shop.yaml", COMMON)
    own = write(tmp_path / "sub" / "fleet.yaml", OWN.replace("common/", "../"))
    with pytest.raises(FleetInvalid, match="lies outside of"):
        load(own)
    write(tmp_path / "sub" / "shop.yaml", COMMON)
    own.write_text(OWN.replace("common/", ""))
    assert load(own).fleet.stack == "globex-prod"


def test_the_digest_covers_every_file_and_its_name(project: Path) -> None:
    first = loaded(project).digest
    assert first == loaded(project).digest
    assert first != hashlib.sha256(OWN.encode()).hexdigest()
    write(project / "common" / "shop.yaml", COMMON + "# a comment\n")
    second = loaded(project).digest
    assert second != first
    write(project / "common" / "other.yaml", COMMON + "# a comment\n")
    assert loaded(project, OWN.replace("shop", "other")).digest not in (first, second)


def test_text_alone_includes_nothing() -> None:
    assert told("include: [a.yaml]\n") == ["include[0]: files can be included by a file only"]


# Merge keys and anchors.


def test_a_merge_key_gives_what_is_not_said(project: Path) -> None:
    own = """\
x-web: &web {size: small, network: app, roles: [nginx], ingress: [{from: anywhere, port: 80}]}
x-large: &large {size: large, count: 2}
servers:
  api: {<<: *web, size: medium}
  big: {count: 3, <<: [*large, *web]}
"""
    servers = loaded(project, OWN + own).fleet.servers
    assert (servers["api"].size, servers["api"].network) == ("medium", "app")
    assert (servers["big"].size, servers["big"].count, servers["big"].network) == ("large", 3, "app")


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("servers:\n  api: {<<: 7}\n", ":5 servers.api.<<: merges a mapping or a list of mappings, for example <<: *common"),
        ("servers:\n  api: {<<: [a]}\n", ":5 servers.api.<<: merges a mapping or a list of mappings"),
        ("servers:\n  api: {<<: {}, <<: {}}\n", ":5 servers.api.<<: the key '<<' is said twice, first in line 5"),
        ("servers:\n  api:\n    <<: {size: tiny}\n", ":6 servers.api.size: 'tiny' is not a choice here; known: large, medium, small."),
        ("y-web: {a: b}\n", ":4 y-web: unknown key 'y-web'"),
        ("servers: {x-web: {}}\n", ":4 servers.x-web.network: is required"),
        ("includ: [a]\n", ":4 includ: unknown key 'includ'; known: backups, budget"),
    ],
)  # fmt: skip
def test_a_merge_or_key_that_is_none_is_told(project: Path, own: str, expected: str) -> None:
    assert any(each.startswith(expected) for each in refused(project, OWN + own)), refused(project, OWN + own)


def test_the_nearest_key_of_include_is_told(project: Path) -> None:
    assert any("Did you mean 'include'?" in each for each in refused(project, OWN + "includ: [a]\n"))
