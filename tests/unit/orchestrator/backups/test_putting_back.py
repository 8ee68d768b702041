"""What a person is told to do with a restored copy."""

from __future__ import annotations

from typing import Any

from orchestrator.backups.putting_back import Restored
from tests.unit.orchestrator.samples import fleet


def done(plan: str, **changed: Any) -> Restored:
    usual = {
        "server": "db-1", "plan": plan, "spec": fleet().backups[plan], "snapshot": "5a" * 32, "target": None,
        "databases": (), "fleet_file": "shop.yaml", "predecessor": False,
    }  # fmt: skip
    return Restored(**{**usual, **changed})


def test_a_scratch_copy_is_gone_and_the_way_to_keep_one_is_told() -> None:
    told = "\n".join(done("site").afterwards())
    assert "the copy was removed again" in told
    assert (
        "--host db-1 --plan site --snapshot 5a5a5a5a --target /var/lib/steward/restore/site-5a5a5a5a" in told
    )
    assert done("site").commands() == []


def test_files_are_copied_over_and_databases_restored_from_their_dump() -> None:
    assert done("site", target="/srv/b k").commands() == [
        "sudo cp --archive --no-target-directory '/srv/b k/var/www' /var/www"
    ]
    (command,) = done("databases", target="/srv/back").commands()
    assert command == (
        "sudo pg_restore --username=postgres --clean --if-exists --exit-on-error --dbname=shop "
        "/srv/back/var/lib/steward/backup/databases/staging/shop.dump"
    )


def test_a_kept_copy_is_the_persons_to_remove_and_a_predecessors_is_accepted_in_the_end() -> None:
    told = done("site", target="/srv/back", predecessor=True).afterwards()
    assert "the copy stays in /srv/back on db-1; nothing else there changed" in told
    assert "  sudo rm --recursive -- /srv/back" in told
    assert told[-1] == "  steward backup accept --fleet shop.yaml --host db-1 --plan site"
    assert not any("accept" in line for line in done("site", target="/srv/back").afterwards())
