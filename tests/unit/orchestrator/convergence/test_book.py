"""A converge record holds only while inputs and host are the same; whatever cannot be seen is not settled."""

from __future__ import annotations

import gzip
import json
import stat
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.convergence import book as module
from orchestrator.convergence import look
from orchestrator.convergence.book import ConvergeBook
from orchestrator.errors import ToolError
from orchestrator.inventory.model import Inventory, InventoryHost
from stacks.outputs import ServerOutput
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


def state(**entries: str) -> Callable[..., str]:
    """What `look.py` prints: of the part /etc with these entries, as it was asked."""
    found = {"/etc/passwd": "file 0644 0:0 10 aa", **entries}

    def answer(_server: ServerOutput, _argv: Sequence[str]) -> str:
        parts = {"/etc": {key: (value, 1_700_000_000) for key, value in found.items()}}
        digests = {"/etc": look.digest(found)}
        return json.dumps({"schema": "x", "parts": digests, "entries": parts, "unnamed": []})

    return answer


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
    changed = book(tmp_path, {"web-1": state(**{"/etc/x": "file 0644 0:0 1 bb"}), "db-1": state()})
    assert changed.settled(inventory(), [WEB, DB]) == {"db-1": "RUN1"}


def test_other_inputs_unsettle_a_host(tmp_path: Path) -> None:
    book(tmp_path, BOTH).record(inventory(), [WEB, DB], "RUN1")
    assert book(tmp_path, BOTH).settled(inventory(nginx_port=81), [WEB, DB]) == {"db-1": "RUN1"}
    assert book(tmp_path, BOTH, tools="newer").settled(inventory(), [WEB, DB]) == {}
    assert book(tmp_path, BOTH, key=b"other").settled(inventory(), [WEB, DB]) == {}
    shared = {"steward_run": "RUN2", "steward_stack": "acme-demo", "steward_lock_seconds": "8"}
    later = inventory().model_copy(update={"shared": shared})
    assert len(book(tmp_path, BOTH).settled(later, [WEB, DB])) == 2, "its id and its patience decide nothing"


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
    assert book(tmp_path, BOTH).settled(inventory(), [WEB, DB]) == {"db-1": "RUN1"}
    (tmp_path / f"{DB.incarnation}.json").write_text("{}")
    assert made.settled(inventory(), [WEB, DB]) == {}


def test_records_are_private_and_hold_no_secret(tmp_path: Path) -> None:
    made = book(tmp_path, BOTH)
    made.record(inventory(), [WEB], "RUN1")
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".gz"}
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        content = path.read_bytes()
        assert b"s3cret" not in (gzip.decompress(content) if path.suffix == ".gz" else content)


CRON = {"/etc/cron.d/x": "file 0644 0:0 1 bb"}


def test_drift_names_what_differs_and_is_gone_when_it_is_put_back(tmp_path: Path) -> None:
    book(tmp_path, BOTH).record(inventory(), [WEB, DB], "RUN1")
    clean, drifted = book(tmp_path, {"web-1": state(), "db-1": state(**CRON)}).drifted([WEB, DB])
    assert (clean.state, list(clean.items)) == ("clean", [])
    (item,) = drifted.items
    assert (drifted.state, item.kind, item.name, item.how) == ("drifted", "file", "/etc/cron.d/x", "add")
    assert (item.observed, item.expected) == ("kind file, mode 0644, owner 0:0", "not there")
    assert item.changed_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert [each.state for each in book(tmp_path, BOTH).drifted([WEB, DB])] == ["clean", "clean"]


def test_what_cannot_be_known_is_unknown_and_never_clean(tmp_path: Path) -> None:
    (never,) = book(tmp_path, BOTH).drifted([WEB])
    assert (never.state, "never converged" in never.reason) == ("unknown", True)
    book(tmp_path, BOTH).record(inventory(), [WEB], "RUN1")
    (deaf,) = book(tmp_path, {"web-1": ToolError("web-1", "SSH failed: no route")}).drifted([WEB])
    assert (deaf.state, deaf.reason) == ("unknown", "SSH failed: no route")
    (odd,) = book(tmp_path, {"web-1": "[]"}).drifted([WEB])
    assert odd.state == "unknown"
    book(tmp_path, BOTH).forget([WEB])
    (between,) = book(tmp_path, BOTH).drifted([WEB])
    assert (between.state, "did not end well" in between.reason) == ("unknown", True)


def test_a_converge_does_not_launder_what_no_role_puts_back(tmp_path: Path) -> None:
    """`up` is quick again, and drift still tells, until it is undone or accepted."""
    book(tmp_path, BOTH).record(inventory(), [WEB], "RUN1")
    by_hand = {"web-1": state(**CRON)}
    assert book(tmp_path, by_hand).settled(inventory(), [WEB]) == {}
    for run in ("RUN2", "RUN3"):
        again = book(tmp_path, by_hand)
        again.settled(inventory(), [WEB])
        again.forget([WEB])
        again.record(inventory(), [WEB], run)
        assert again.settled(inventory(), [WEB]) == {"web-1": run}
        (subject,) = again.drifted([WEB])
        assert [(item.name, item.unhealed_since) for item in subject.items] == [("/etc/cron.d/x", run)]
    (undone,) = book(tmp_path, BOTH).drifted([WEB])
    assert undone.state == "clean"
    assert book(tmp_path, by_hand).accept([WEB], "RUN4") == ["web-1"]
    (accepted,) = book(tmp_path, by_hand).drifted([WEB])
    assert (accepted.state, accepted.since) == ("clean", "RUN4")


def test_what_was_by_hand_before_a_converge_that_broke_off_is_still_known(tmp_path: Path) -> None:
    book(tmp_path, BOTH).record(inventory(), [WEB], "RUN1")
    book(tmp_path, {"web-1": state(**CRON)}).forget([WEB])  # killed here, with a file half written by a role
    later = book(tmp_path, {"web-1": state(**CRON, **{"/etc/role": "file 0644 0:0 1 cc"})})
    later.forget([WEB])
    later.record(inventory(), [WEB], "RUN2")
    (subject,) = later.drifted([WEB])
    assert [item.name for item in subject.items] == ["/etc/cron.d/x"]


KEYS = "/home/steward/.ssh/authorized_keys"


def test_what_steward_itself_changed_is_no_drift_and_no_reason_to_converge(tmp_path: Path) -> None:
    book(tmp_path, BOTH).record(inventory(), [WEB], "RUN1")
    rotated = state(**{KEYS: "file 0600 1000:1000 99 cc"})
    book(tmp_path, {"web-1": rotated}).learn([WEB], [KEYS])
    after = book(tmp_path, {"web-1": rotated})
    assert [each.state for each in after.drifted([WEB])] == ["clean"]
    assert after.settled(inventory(), [WEB]) == {"web-1": "RUN1"}


def test_learning_of_one_file_does_not_launder_another(tmp_path: Path) -> None:
    book(tmp_path, BOTH).record(inventory(), [WEB], "RUN1")
    both = state(**CRON, **{KEYS: "file 0600 1000:1000 99 cc"})
    book(tmp_path, {"web-1": both}).learn([WEB], [KEYS])
    after = book(tmp_path, {"web-1": both})
    (subject,) = after.drifted([WEB])
    assert [item.name for item in subject.items] == ["/etc/cron.d/x"]
    assert after.settled(inventory(), [WEB]) == {}


def test_one_of_two_changes_is_accepted_and_the_other_stays_drift(tmp_path: Path) -> None:
    book(tmp_path, BOTH).record(inventory(), [WEB, DB], "RUN1")
    by_hand = {"web-1": state(**CRON, **{"/etc/x": "file 0644 0:0 1 bb"}), "db-1": state(**CRON)}
    told = [item for each in book(tmp_path, by_hand).drifted([WEB, DB]) for item in each.items]
    reviewed = [item for item in told if (item.server, item.name) == ("web-1", "/etc/cron.d/x")]
    assert book(tmp_path, by_hand).accept_items([WEB, DB], reviewed) == reviewed
    web, db = book(tmp_path, by_hand).drifted([WEB, DB])
    assert [item.name for item in web.items] == ["/etc/x"]
    assert [item.name for item in db.items] == ["/etc/cron.d/x"], "another host's is not meant"
    assert (web.state, web.since) == ("drifted", "RUN1")
    assert book(tmp_path, by_hand).settled(inventory(), [WEB]) == {}, "the other one is a reason to converge"
    undone = {"web-1": state(**CRON)}
    assert book(tmp_path, undone).settled(inventory(), [WEB]) == {"web-1": "RUN1"}
    assert book(tmp_path, BOTH).drifted([WEB])[0].state == "drifted", "it was accepted, so now it is missed"


def test_of_a_host_that_cannot_be_seen_or_is_half_converged_no_item_is_accepted(tmp_path: Path) -> None:
    book(tmp_path, BOTH).record(inventory(), [WEB], "RUN1")
    told = book(tmp_path, {"web-1": state(**CRON)}).drifted([WEB])[0].items
    assert book(tmp_path, {"web-1": ToolError("web-1", "SSH failed")}).accept_items([WEB], told) == []
    book(tmp_path, BOTH).forget([WEB])
    assert book(tmp_path, {"web-1": state(**CRON)}).accept_items([WEB], told) == []


def test_another_way_to_look_is_no_drift(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book(tmp_path, BOTH).record(inventory(), [WEB], "RUN1")
    monkeypatch.setattr(module, "_look_digest", lambda: "another")
    (subject,) = book(tmp_path, {"web-1": state(**CRON)}).drifted([WEB])
    assert (subject.state, "another version" in subject.reason) == ("unknown", True)
    later = book(tmp_path, BOTH)
    assert later.settled(inventory(), [WEB]) == {"web-1": "RUN1"}  # no converge is needed to know it again
    assert [each.state for each in later.drifted([WEB])] == ["clean"]


def test_the_key_of_a_look_is_the_servers_own_and_in_no_argument(tmp_path: Path) -> None:
    shell = FakeShell({"web-1: ": state(), "db-1: ": state()})
    made = ConvergeBook(tmp_path, shell, lambda: "tools", lambda: b"passphrase")
    made.record(inventory(), [WEB, DB], "RUN1")
    assert {line.split(": ", 1)[1] for line in shell.asked} == {"sudo -n python3 -I -"}
    calls = {text.rsplit("main(", 1)[1] for text in shell.fed}
    assert len(calls) == 2
    assert not any("passphrase" in text for text in shell.fed)


def test_a_converge_is_due_where_something_else_is_declared_and_nobody_is_asked(tmp_path: Path) -> None:
    made = book(tmp_path, BOTH)
    old = inventory().model_copy(update={"declared": {"web-1": "nginx", "db-1": "postgresql"}})
    assert made.due(old.declared, [WEB, DB]) == ["web-1", "db-1"], "never converged"
    made.record(old, [WEB, DB], "RUN1")
    deaf = book(tmp_path, {})
    assert deaf.due(old.declared, [WEB, DB]) == []
    assert deaf.due({"web-1": "nginx on 8081", "db-1": "postgresql"}, [WEB, DB]) == ["web-1"]
    assert book(tmp_path, {}, tools="newer").due(old.declared, [WEB, DB]) == ["web-1", "db-1"]
    made.forget([DB])
    assert deaf.due(old.declared, [WEB, DB]) == ["db-1"], "a converge began and did not end"


def test_of_a_record_of_an_older_version_nothing_is_claimed(tmp_path: Path) -> None:
    made = book(tmp_path, BOTH)
    made.record(inventory(), [WEB], "RUN1")
    assert made.due({"web-1": "whatever"}, [WEB]) == []
