"""Template and shell text in every leaf of a fleet: refused, or carried as plain text; nothing executes anywhere."""

from __future__ import annotations

import copy
import io
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.app_fleet import role_catalog
from orchestrator.settings import load_settings
from stacks.fleet.loader import parse
from stacks.fleet.mistakes import FleetInvalid
from tests.e2e.world import FLEETS, TINY, World, container_of, on_host

pytestmark = [pytest.mark.real, pytest.mark.e2e]

MARK = "steward-planted"
PLANTED = (
    "{{ lookup('pipe', 'touch /tmp/%s') }}" % MARK,
    "$(touch /tmp/%s)" % MARK,
    "`touch /tmp/%s`" % MARK,
    "'; touch /tmp/%s; '" % MARK,
    "{%% for x in [1] %%}{{ lookup('pipe','touch /tmp/%s') }}{%% endfor %%}" % MARK,
)


def leaves(node: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Places of every scalar of a document."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        if isinstance(value, dict | list):
            yield from leaves(value, (*place, key))
        else:
            yield (*place, key)


def planted(document: Any, place: tuple[Any, ...], text: str) -> bytes:
    """The document with one leaf replaced."""
    changed = copy.deepcopy(document)
    node = changed
    for step in place[:-1]:
        node = node[step]
    node[place[-1]] = text
    stream = io.StringIO()
    yaml.safe_dump(changed, stream)
    return stream.getvalue().encode()


def test_each_leaf_is_refused_or_stays_text() -> None:
    document = yaml.safe_load((FLEETS / "demo.yaml").read_text())
    check = role_catalog(load_settings()).check
    places = list(leaves(document))
    carried = set()
    for place in places:
        for text in PLANTED:
            with suppress(FleetInvalid):
                parse(planted(document, place, text), "planted.yaml", check)
                carried.add(place)
    assert len(places) > 50
    # Words for people, and two lists whose role refuses such names on the host: the next tests run those.
    free = {("services", "shop", "purpose")}
    lists = {step for step in carried if step[-2:-1] and step[-2] in ("iso_databases", "pgbench_databases")}
    assert carried - lists == free
    assert not Path(f"/tmp/{MARK}").exists()


USERS = """    roles:
      - nginx: {server_name: planted.example}
      - baseline:
          users:
            - name: anna
              keys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDp0C0rdBGrwSlQJYdDzRQ1mQZ3mY7DA0V0uhfCxUUDf COMMENT"]
services:
  one:
    purpose: "PURPOSE"
    owner: tests@e2e.example
    availability: {target_percent: 99.5}
    servers: [box]
"""


def test_a_fleet_full_of_planted_text_runs_and_executes_nothing(tiny: tuple[World, Path]) -> None:
    world, _ = tiny
    text = TINY.replace("    roles: []\n", USERS)
    text = text.replace("COMMENT", PLANTED[0]).replace(
        "PURPOSE", PLANTED[0] + " <script>alert(1)</script> " + PLANTED[1]
    )
    fleet = world.fleet("tiny.yaml", text)
    done = world.steward("up", "--fleet", fleet)
    assert "Traceback" not in done.all
    assert done.code == 0, done.all
    container = container_of(fleet, "box-1")
    nothing_ran(container)
    page = next((world.home / "runs").glob("*/report.html")).read_text()
    assert "lookup(" in page
    assert "<script" not in page
    keys = on_host(container, "sh", "-c", "cat /home/anna/.ssh/authorized_keys")
    assert PLANTED[0] in keys  # the text arrived as text


def test_a_role_refuses_planted_names_on_the_host(tiny: tuple[World, Path]) -> None:
    world, _ = tiny
    named = "[" + ", ".join("'" + text.replace("'", "''") + "'" for text in PLANTED) + "]"
    roles = f"    roles:\n      - postgresql: {{databases: [a], iso_databases: {named}}}\n"
    fleet = world.fleet("tiny.yaml", TINY.replace("    roles: []\n", roles))
    done = world.steward("up", "--fleet", fleet)
    assert done.code == 3 and "postgresql" in done.out and "Traceback" not in done.all, done.all
    nothing_ran(container_of(fleet, "box-1"))


def nothing_ran(container: str) -> None:
    """The file that each planted text would make is neither here nor on the host."""
    assert not Path(f"/tmp/{MARK}").exists()
    assert on_host(container, "sh", "-c", f"ls /tmp/{MARK} 2>/dev/null || echo none").strip() == "none"


def test_hostile_role_values_never_reach_a_host(tiny: tuple[World, Path]) -> None:
    world, _ = tiny
    for value in PLANTED:
        quoted = value.replace("'", "''")
        text = TINY.replace("    roles: []", f"    roles:\n      - nginx: {{site: '{quoted}'}}")
        done = world.steward("validate", "--fleet", world.fleet("tiny.yaml", text))
        assert done.code == 2 and "nginx" in done.err, done.all
    assert not Path(f"/tmp/{MARK}").exists()
