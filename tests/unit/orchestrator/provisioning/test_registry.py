"""Opening a stack with a real ledger; Pulumi is a program that makes the same files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestrator.errors import InputError, ToolError
from orchestrator.evidence.ledger import SqliteLedger
from orchestrator.provisioning.registry import StackRegistry
from orchestrator.provisioning.stack_config import config_path
from orchestrator.settings import Settings
from orchestrator.toolchain.environment import Toolchain
from stacks.fleet.loader import LoadedFleet
from tests.fakes import NOON, FixedClock
from tests.unit.orchestrator.samples import FLEET, fleet

# `stack init` writes the state file, `config set-all` the configuration; `broken` makes the named verb fail.
PULUMI = """#!/bin/sh
home="{home}"
echo "$*" >> "$home/asked"
echo "$1 $2 ${{PULUMI_STACK:-none}}" >> "$home/stacks"
if [ -e "$home/broken" ] && [ "$1 $2" = "$(cat "$home/broken")" ]; then echo "error: no" >&2; exit 1; fi
state="$home/pulumi/.pulumi/stacks/steward"
case "$1 $2" in
  "stack init") mkdir -p "$state"; echo '{{}}' > "$state/$3.json" ;;
  "config set-all") file="{project}/stacks/config/Pulumi.$PULUMI_STACK.yaml"; echo config: > "$file"
    shift 2; for word; do case "$word" in steward:*)
      echo "  $(echo "$word" | sed 's/=/: "/')\\"" >> "$file" ;; esac; done ;;
esac
"""


@dataclass
class Bench:
    """A registry on its own folders."""

    settings: Settings
    ledger: SqliteLedger
    registry: StackRegistry
    loaded: LoadedFleet

    @property
    def asked(self) -> list[str]:
        path = self.settings.home / "asked"
        return [" ".join(line.split()[:2]) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def state(self) -> Path:
        return self.settings.home / "pulumi" / ".pulumi" / "stacks" / "steward" / "acme-demo.json"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    settings = Settings(home=tmp_path / "home", cache=tmp_path / "cache", project=tmp_path / "project")
    settings.home.mkdir()
    (settings.project / "fleets").mkdir(parents=True)
    path = settings.project / "fleets" / "demo.yaml"
    path.write_text(FLEET)
    pulumi = tmp_path / "pulumi"
    pulumi.write_text(PULUMI.format(home=settings.home, project=settings.project))
    pulumi.chmod(0o755)
    toolchain = Toolchain(tmp_path, "d", pulumi, pulumi, pulumi, pulumi, tmp_path, {}, "runc")
    ledger = SqliteLedger(settings.home / "steward.db")
    registry = StackRegistry(settings, toolchain, ledger, FixedClock())
    return Bench(settings, ledger, registry, LoadedFleet(fleet(), path, "d"))


@pytest.fixture
def made(bench: Bench) -> Bench:
    """After the first up."""
    bench.registry.open(bench.loaded, create=True)
    (bench.settings.home / "asked").unlink()
    return bench


def test_only_an_explicit_verb_starts_a_stack(bench: Bench) -> None:
    with pytest.raises(InputError, match=r"no such stack yet\. Run: steward up --fleet .*demo\.yaml"):
        bench.registry.open(bench.loaded, create=False)
    assert bench.ledger.stack("acme-demo") is None
    assert bench.asked == []
    assert not (bench.settings.home / "keys").exists()


def test_a_new_stack_gets_ids_keys_state_and_configuration(bench: Bench) -> None:
    target = bench.registry.open(bench.loaded, create=True)
    assert bench.asked == ["stack init", "config set-all"]
    assert (bench.settings.home / "stacks").read_text().splitlines()[0].endswith("none"), (
        "it does not exist yet"
    )
    assert target.stack == bench.ledger.stack("acme-demo")
    keys = bench.settings.stack_keys("acme-demo")
    assert sorted(path.name for path in keys.iterdir()) == ["passphrase", "ssh"]
    config = config_path(bench.settings.project, "acme-demo").read_text()
    assert target.stack.id in config
    assert target.stack.client_id in config
    assert 'steward:fleet: "fleets/demo.yaml"' in config


def test_opening_again_asks_pulumi_nothing(made: Bench) -> None:
    before = made.ledger.stack("acme-demo")
    assert made.registry.open(made.loaded, create=False).stack == before
    assert made.asked == []


def test_a_ledger_without_state_is_an_error_and_starts_no_second_chain(made: Bench) -> None:
    made.state.unlink()
    for create in (False, True):
        with pytest.raises(
            InputError,
            match=r"knows it since 2026-11-22 12:00 UTC, but its state is gone.*Restore that folder",
        ):
            made.registry.open(made.loaded, create=create)
    assert made.asked == []


def test_state_without_a_ledger_is_an_error(made: Bench) -> None:
    config_path(made.settings.project, "acme-demo").unlink()
    empty = SqliteLedger(made.settings.home / "other.db")
    registry = StackRegistry(made.settings, made.registry._toolchain, empty, FixedClock())
    with pytest.raises(
        InputError, match=r"state of this stack that the ledger does not know.*Restore that file"
    ):
        registry.open(made.loaded, create=True)
    assert empty.stack("acme-demo") is None


@pytest.mark.parametrize("suffix", [".json.gz", ".json.zst"])
def test_compressed_state_counts(made: Bench, suffix: str) -> None:
    made.state.rename(made.state.with_suffix(suffix))
    made.registry.open(made.loaded, create=False)


def test_configuration_of_another_installation_is_refused(made: Bench) -> None:
    path = config_path(made.settings.project, "acme-demo")
    path.write_text(path.read_text().replace(made.ledger.stack("acme-demo").id, "9" * 32))  # type: ignore[union-attr]
    with pytest.raises(InputError, match="belongs to another state of this stack"):
        made.registry.open(made.loaded, create=True)
    assert made.asked == []


def test_another_fleet_file_for_the_same_stack_is_refused(made: Bench) -> None:
    other = made.settings.project / "fleets" / "other.yaml"
    other.write_text(FLEET)
    with pytest.raises(InputError, match="stack and fleet disagree"):
        made.registry.open(LoadedFleet(made.loaded.fleet, other, "d"), create=True)
    assert made.asked == []


def test_a_fleet_file_that_moved_is_followed(made: Bench) -> None:
    moved = made.settings.project / "fleets" / "renamed.yaml"
    made.loaded.path.rename(moved)
    made.registry.open(LoadedFleet(made.loaded.fleet, moved, "d"), create=False)
    assert made.asked == ["config set-all"]
    assert "fleets/renamed.yaml" in config_path(made.settings.project, "acme-demo").read_text()


def test_lost_configuration_of_a_known_stack_is_written_anew(made: Bench) -> None:
    config_path(made.settings.project, "acme-demo").unlink()
    made.registry.open(made.loaded, create=False)
    assert made.asked == ["config set-all"]


@pytest.mark.parametrize("verb", ["stack init", "config set-all"])
def test_an_interrupted_making_resumes_with_the_same_id(bench: Bench, verb: str) -> None:
    (bench.settings.home / "broken").write_text(verb)
    with pytest.raises(ToolError):
        bench.registry.open(bench.loaded, create=True)
    begun = bench.ledger.stack("acme-demo")
    assert begun is not None
    passphrase = (bench.settings.stack_keys("acme-demo") / "passphrase").read_text()
    (bench.settings.home / "broken").unlink()
    assert bench.registry.open(bench.loaded, create=True).stack == begun
    assert bench.state.exists()
    assert (bench.settings.stack_keys("acme-demo") / "passphrase").read_text() == passphrase
    assert not (bench.settings.stack_keys("acme-demo") / ".making").exists()


@pytest.mark.parametrize("moment", ["ensure_passphrase", "ensure_admin_key"])
def test_a_stop_at_any_moment_of_the_making_resumes(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    stop(monkeypatch, f"orchestrator.provisioning.registry.{moment}")
    with pytest.raises(KeyboardInterrupt):
        bench.registry.open(bench.loaded, create=True)
    monkeypatch.undo()
    begun = bench.ledger.stack("acme-demo")
    assert bench.registry.open(bench.loaded, create=True).stack == begun


def test_a_stop_right_after_the_ledger_gave_an_id_resumes(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench.registry, "_complete", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bench.registry.open(bench.loaded, create=True)
    monkeypatch.undo()
    begun = bench.ledger.stack("acme-demo")
    assert begun is not None
    assert bench.registry.open(bench.loaded, create=True).stack == begun


def test_a_name_that_is_used_again_inherits_nothing(made: Bench) -> None:
    first = made.ledger.stack("acme-demo")
    assert first is not None
    made.ledger.end_stack(first, NOON)
    made.state.unlink()
    config_path(made.settings.project, "acme-demo").unlink()
    assert made.registry.open(made.loaded, create=True).stack.id != first.id


def interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def stop(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    place: Callable[..., None] = interrupted
    monkeypatch.setattr(name, place)
