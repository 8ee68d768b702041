"""Backup records say what was seen, and of the rest that nobody looked."""

from __future__ import annotations

from typing import Any

from orchestrator.errors import ToolError
from orchestrator.phases.records import RecordsRequest, records, summary
from orchestrator.ports.backups import Receipt
from orchestrator.ports.provisioning import StateResource
from tests.fakes import NOON, FakeCredentials, FakeStore, FixedClock, MemoryLedger
from tests.unit.orchestrator.samples import SNAPSHOT, fleet, outputs, server

WEB = server("web-1").incarnation
VAULT = StateResource("urn:v", "local:index:Server", "v", {"tags": {"region": "local-2"}}, {}, protect=False)


def found(store: FakeStore | None = None, **changed: Any) -> dict[str, Any]:
    keys = FakeCredentials()
    keys.create(WEB, "web-1", "acme-demo", NOON)
    values = {
        "fleet": fleet(),
        "servers": outputs().servers,
        "receipts": [Receipt(WEB, SNAPSHOT, NOON, 77)],
        "statuses": {each.name: None for each in outputs().servers},
        "store_of": lambda _: store or FakeStore(FixedClock()),
        "keys_of": lambda _: keys,
        "resources_of": lambda _: [VAULT],
        "ledger": MemoryLedger(),
        "drills": tuple,
    }
    document = records(RecordsRequest(**{**values, **changed}), NOON)
    return {each["server"]: each for each in document["records"]}


def test_the_vault_is_the_witness_of_what_arrived_where_it_is_and_what_it_refuses() -> None:
    web = found()["web-1"]
    assert web["vault"]["newest_arrived_at"] == NOON.isoformat()
    assert (web["repository"]["region"], web["repository"]["append_only"]) == ("local-2", True)
    assert web["credentials"] == {"rotated_at": NOON.isoformat()}
    assert found()["db-1"]["vault"]["newest_arrived_at"] is None


def test_servers_that_a_run_left_out_are_not_said_to_have_nothing() -> None:
    assert set(found(statuses={"web-1": None})) == {"web-1"}
    assert set(found()) == {server.name for server in outputs().servers}
    assert summary({"records": [1, 2, 3]}) == "3 backup records"


def test_a_vault_that_does_not_answer_is_unknown_and_not_good() -> None:
    class Away(FakeStore):
        def append_only(self) -> bool | None:
            raise ToolError("vault-1", "SSH failed")

    web = found(Away(FixedClock()), receipts=None, statuses=None)["web-1"]
    assert web["repository"]["append_only"] == {"unknown": "nobody looked whether the store is append-only"}
    assert web["vault"] == {"unknown": "the vault was not asked"}
    assert web["host"] == {"unknown": "the host was not asked"}


def test_no_restore_ever_is_not_the_same_as_no_record_of_any() -> None:
    assert found()["web-1"]["drill"] is None
    assert found()["web-1"]["check"] == {"unknown": "no record of checks was given"}
