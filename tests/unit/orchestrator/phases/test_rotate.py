"""Rotations: nothing goes before the new one is proven, and a second run goes on where one stopped."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from orchestrator.errors import InputError, ToolError
from orchestrator.phases import rotate_repository, rotate_ssh
from tests.fakes import NOON, FakeShell, result
from tests.fakes_rotation import NEW, OLD, Rotating
from tests.unit.orchestrator.samples import fleet, outputs, server

SERVERS = outputs().servers
DENIED = ToolError("web-1", "SSH failed: steward@127.0.0.1: Permission denied (publickey).")
IDS = {each.name: each.incarnation for each in SERVERS}


def rotating() -> Rotating:
    made = Rotating()
    made.logins = {
        NEW.private: FakeShell({"true": "", "python3": '{"changed": true}'}),
        OLD.private: FakeShell({"true": DENIED}),
    }
    return made


def test_the_new_key_is_added_and_proven_everywhere_before_the_old_one_goes() -> None:
    made, shell = rotating(), FakeShell({"python3": '{"changed": true}'})
    rotate_ssh.let_in("acme-demo", SERVERS, shell, made.ports())
    added = [json.loads(text) for text in shell.fed]
    assert added == [{"add": NEW.public, "remove": "", "keep": OLD.public}] * 3
    assert sorted(made.logins[NEW.private].asked) == ["db-1: true", "web-1: true", "web-2: true"]
    assert (made.ring.used, made.ring.going) == (NEW, OLD)
    rotate_ssh.shut_out("acme-demo", SERVERS, made.ports(), lambda _: None)
    removed = [json.loads(text) for text in made.logins[NEW.private].fed]
    assert removed == [{"add": NEW.public, "remove": OLD.public, "keep": NEW.public}] * 3
    assert made.ring.going is None
    assert [state for *_, state in made.noted] == ["begun", "switched", "finished"]


def test_a_server_that_refuses_the_new_key_stops_it_with_the_old_one_in_use() -> None:
    made, shell = rotating(), FakeShell({"python3": "{}"})
    made.logins[NEW.private].script = {"web-2: true": DENIED, "true": ""}
    with pytest.raises(ToolError):
        rotate_ssh.let_in("acme-demo", SERVERS, shell, made.ports())
    assert (made.ring.used, made.ring.going) == (OLD, None)


def test_an_old_key_that_still_opens_or_a_silent_server_is_not_called_finished() -> None:
    made = rotating()
    made.ring.used, made.ring.going = NEW, OLD
    made.logins[OLD.private].script = {"db-1: true": "", "true": DENIED}
    with pytest.raises(ToolError, match="still lets the old key in"):
        rotate_ssh.shut_out("acme-demo", SERVERS, made.ports(), lambda _: None)
    made.logins[OLD.private].script = {
        "db-1: true": ToolError("db-1", "SSH failed: timed out"),
        "true": DENIED,
    }
    with pytest.raises(ToolError, match="timed out"):
        rotate_ssh.shut_out("acme-demo", SERVERS, made.ports(), lambda _: None)
    assert made.ring.going == OLD


def test_a_second_run_lets_nothing_in_again_where_only_the_end_is_missing() -> None:
    made, shell = rotating(), FakeShell({})
    made.ring.used, made.ring.going = NEW, OLD
    rotate_ssh.let_in("acme-demo", SERVERS, shell, made.ports())
    assert shell.asked == []


def enrolled() -> Rotating:
    made = rotating()
    for name, repository in IDS.items():
        made.keeper.create(repository, name, "acme-demo", NOON)
    return made


def host(listed: int = 0, waited: int = 0) -> FakeShell:
    return FakeShell(
        {
            "steward-backup list": result("{}", code=listed, stderr="wrong"),
            "sudo -n python3": result('{"waited_for": 0}', code=waited),
        }
    )


def test_the_vault_knows_both_until_every_host_used_the_new_ones() -> None:
    made = enrolled()
    before = dict(made.keeper.known)
    names = rotate_repository.let_in(fleet(), SERVERS, made.ports(), NOON, lambda _: None)
    assert sorted(names) == sorted(IDS)
    for repository, old in before.items():
        new = made.keeper.known[repository]
        assert (new.id, new.server) == (old.id, old.server)
        assert len({new.password, new.http_password, old.password, old.http_password}) == 4
        assert new.http_user != old.http_user
    assert not any(line.startswith("expel") for line in made.store.asked)
    done = rotate_repository.shut_out(fleet(), SERVERS, host(), made.ports(), lambda _: None)
    assert sorted(done.servers) == sorted(IDS)
    assert sorted(made.store.asked[3:]) == sorted(f"expel {repository} 1111" for repository in IDS.values())
    assert made.keeper.going == {}


@pytest.mark.parametrize(("listed", "waited", "text"), [(1, 0, "cannot open"), (0, 9, "still runs")])
def test_old_credentials_stay_while_a_host_cannot_do_without_them(
    listed: int, waited: int, text: str
) -> None:
    made = enrolled()
    rotate_repository.let_in(fleet(), SERVERS, made.ports(), NOON, lambda _: None)
    with pytest.raises(ToolError, match=text):
        rotate_repository.shut_out(fleet(), SERVERS, host(listed, waited), made.ports(), lambda _: None)
    assert len(made.keeper.going) == 3
    assert not any(line.startswith("expel") for line in made.store.asked)
    again = rotate_repository.let_in(fleet(), SERVERS, made.ports(), NOON, lambda _: None)
    assert len(made.store.asked) == 3  # nothing is let in a second time
    assert sorted(again) == sorted(IDS)


def test_a_server_that_was_never_enrolled_is_named() -> None:
    with pytest.raises(InputError, match="no repository yet"):
        rotate_repository.let_in(fleet(), [server("web-1")], Rotating().ports(), NOON, lambda _: None)


def test_authorized_keys_are_changed_as_a_whole_and_never_without_the_key_that_stays(
    tmp_path: object,
) -> None:
    import os
    import subprocess
    import sys
    from pathlib import Path

    home = Path(str(tmp_path))
    (home / ".ssh").mkdir()
    keys = home / ".ssh" / "authorized_keys"
    keys.write_text(f'{OLD.public}\nfrom="10.0.0.1" ssh-ed25519 AAAAother person\n')

    def change(add: str, remove: str, keep: str) -> int:
        asked = json.dumps({"add": add, "remove": remove, "keep": keep})
        argv: Sequence[str] = [sys.executable, "-I", "-c", rotate_ssh._AUTHORIZE]
        env = {**os.environ, "HOME": str(home)}
        return subprocess.run(
            argv, input=asked, text=True, env=env, check=False, capture_output=True
        ).returncode

    assert change(NEW.public, "", OLD.public) == 0
    assert change(NEW.public, "", OLD.public) == 0
    assert len(keys.read_text().splitlines()) == 3
    assert change(NEW.public, OLD.public, NEW.public) == 0
    assert keys.read_text().splitlines() == ['from="10.0.0.1" ssh-ed25519 AAAAother person', NEW.public]
    assert keys.stat().st_mode & 0o777 == 0o600
    assert change("", NEW.public, NEW.public) != 0
    assert NEW.public in keys.read_text()
