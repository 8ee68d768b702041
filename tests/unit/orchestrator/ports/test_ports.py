"""A fake that no longer speaks as its port does would let a test pass that real parts would not."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from orchestrator.ports import (
    backups,
    drift,
    hosts,
    ledger,
    plays,
    probes,
    provisioning,
    roles,
    rotation,
    run,
)
from tests.fake_prober import FakeProber
from tests.fake_supplies import FakeSupplier
from tests.fake_verifier import FakeVerifier
from tests.fakes import (
    FakeConvergence,
    FakeCredentials,
    FakeProvisioner,
    FakeRunner,
    FakeShell,
    FakeStore,
    FixedClock,
    MemoryLedger,
)
from tests.fakes_drift import FakeDrifts
from tests.fakes_rotation import FakeRing, FakeRotatingCredentials

FAKES: list[tuple[type[Any], type[Any]]] = [
    (run.Clock, FixedClock),
    (provisioning.Provisioner, FakeProvisioner),
    (plays.PlaybookRunner, FakeRunner),
    (plays.Convergence, FakeConvergence),
    (hosts.HostShell, FakeShell),
    (hosts.HostVerifier, FakeVerifier),
    (backups.BackupStore, FakeStore),
    (backups.CredentialStore, FakeCredentials),
    (ledger.Ledger, MemoryLedger),
    (drift.HostDrifts, FakeDrifts),
    (drift.ResourceDrifts, FakeDrifts),
    (probes.ServiceProber, FakeProber),
    (roles.Supplier, FakeSupplier),
    (rotation.KeyRing, FakeRing),
    (rotation.RotatingCredentials, FakeRotatingCredentials),
]


def taken_by(method: Any) -> list[tuple[Any, ...]]:
    """What a caller must know; the name only of what is passed by name."""
    taken = inspect.signature(method).parameters.values()
    return [(each.kind, each.default, each.name if each.kind is each.KEYWORD_ONLY else "") for each in taken]


@pytest.mark.parametrize(("port", "fake"), FAKES, ids=lambda each: each.__name__)
def test_a_fake_takes_what_its_port_takes(port: type[Any], fake: type[Any]) -> None:
    asked = {name: each for name, each in inspect.getmembers(port, inspect.isfunction) if name[0] != "_"}
    assert asked
    for name, method in asked.items():
        wanted = inspect.signature(method).parameters.values()
        taken = inspect.signature(getattr(fake, name)).parameters.values()
        assert [(each.kind, each.default) for each in taken] == [
            (each.kind, each.default) for each in wanted
        ], name
        keywords = {each.name for each in wanted if each.kind is each.KEYWORD_ONLY}
        assert keywords <= {each.name for each in taken}, name


@pytest.mark.parametrize(
    ("state", "enforcement", "blocked"),
    [
        ("fail", "mandatory", True),
        ("unknown", "mandatory", True),
        ("error", "mandatory", True),
        ("fail", "advisory", False),
        ("pass", "mandatory", False),
    ],
)
def test_a_preview_is_blocked_by_what_is_not_known_to_be_right(
    state: str, enforcement: str, *, blocked: bool
) -> None:
    from orchestrator.reporting.model import PolicyResult

    judged = {"rule": "r", "severity": "high", "subject": "s", "kind": "k"}
    result = PolicyResult.model_validate({**judged, "state": state, "enforcement": enforcement})
    assert provisioning.Preview((), 0, [result]).blocked is blocked
