"""A converge record holds only while inputs and host are the same; whatever cannot be seen is not settled."""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest

from orchestrator.convergence.book import ConvergeBook
from orchestrator.errors import ToolError
from orchestrator.inventory.model import Inventory, InventoryHost
from tests.fakes import FakeShell, result
from tests.unit.orchestrator.samples import server

WEB = server("web-1")
DB = server("db-1")


def inventory(**variables: object) -> Inventory:
    """Two hosts; the variables are the web server's."""
    hosts = [
        InventoryHost(name="web-1", groups=["role_nginx"], variables=variables, secrets={"key": "s3cret"}),
        InventoryHost(name="db-1", groups=[], variables={}),
    ]
    return Inventory(hosts=hosts, shared={"steward_run": "RUN1", "steward_stack": "acme-demo"})


def state(**parts: str) -> str:
    """What `look.py` prints."""
    return json.dumps({"schema": "steward.host-state/1", "parts": {"/etc": "a", **parts}})


def book(
    folder: Path, script: Mapping[str, object], tools: str = "tools", key: bytes = b"key"
) -> ConvergeBook:
    """A book over a folder; `script` answers by server name."""
    answers = {f"{name}: ": answer for name, answer in script.items()}
    return ConvergeBook(folder, FakeShell(answers), lambda: tools, lambda: key)  # type: ignore[arg-type]


BOTH = {"web-1": state(), "db-1": state()}


def test_a_recorded_host_is_settled_until_it_differs(tmp_path: Path) -> None:
    made = book(tmp_path, BOTH)
    assert made.settled(inventory(), [WEB, DB]) == {}
    made.record(inventory(), [WEB, DB], "RUN1")
    assert made.settled(inventory(), [WEB, DB]) == {"web-1": "RUN1", "db-1": "RUN1"}
    changed = book(tmp_path, {"web-1": state(units="stopped"), "db-1": state()})
    assert changed.settled(inventory(), [WEB, DB]) == {"db-1": "RUN1"}


def test_other_inputs_unsettle_a_host(tmp_path: Path) -> None:
    book(tmp_path, BOTH).record(inventory(), [WEB, DB], "RUN1")
    assert book(tmp_path, BOTH).settled(inventory(nginx_port=81), [WEB, DB]) == {"db-1": "RUN1"}
    assert book(tmp_path, BOTH, tools="newer").settled(inventory(), [WEB, DB]) == {}
    assert book(tmp_path, BOTH, key=b"other").settled(inventory(), [WEB, DB]) == {}
    later = inventory().model_copy(update={"shared": {"steward_run": "RUN2", "steward_stack": "acme-demo"}})
    assert len(book(tmp_path, BOTH).settled(later, [WEB, DB])) == 2  # the run's own id decides nothing


@pytest.mark.parametrize(
    "answer", [ToolError("web-1", "SSH failed"), result("", code=1), "", "[]", '{"parts": 3}', "x" * 9_999]
)  # fmt: skip
def test_what_cannot_be_seen_is_neither_recorded_nor_settled(tmp_path: Path, answer: object) -> None:
    blind = book(tmp_path, {"web-1": answer})
    blind.record(inventory(), [WEB], "RUN1")
    assert list(tmp_path.iterdir()) == []
    book(tmp_path, BOTH).record(inventory(), [WEB], "RUN1")
    assert blind.settled(inventory(), [WEB]) == {}


def test_a_new_incarnation_inherits_nothing(tmp_path: Path) -> None:
    book(tmp_path, BOTH).record(inventory(), [WEB], "RUN1")
    again = server("web-1", incarnation="f" * 32)
    assert book(tmp_path, BOTH).settled(inventory(), [again]) == {}


def test_a_converge_that_begins_forgets_and_a_broken_record_is_none(tmp_path: Path) -> None:
    made = book(tmp_path, BOTH)
    made.record(inventory(), [WEB, DB], "RUN1")
    made.forget([WEB])
    assert made.settled(inventory(), [WEB, DB]) == {"db-1": "RUN1"}
    (tmp_path / f"{DB.incarnation}.json").write_text("{}")
    assert made.settled(inventory(), [WEB, DB]) == {}


def test_records_are_private_and_hold_no_secret(tmp_path: Path) -> None:
    book(tmp_path, BOTH).record(inventory(), [WEB], "RUN1")
    (path,) = tmp_path.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "s3cret" not in path.read_text()
