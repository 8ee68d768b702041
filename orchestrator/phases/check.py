"""check: what the playbooks would change on each host; what is not there or cannot be asked is unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from orchestrator.backups.credentials import RepositoryCredentials
from orchestrator.errors import InputError, ToolError
from orchestrator.inventory.build import RepositoryAccess
from orchestrator.phases.enrol import StoreOf, access_to, writers_by_repository
from orchestrator.ports.backups import CredentialStore
from orchestrator.reporting.model import Change
from orchestrator.reporting.planning import HostPlan
from orchestrator.results import Readiness
from stacks.fleet.model import Fleet
from stacks.outputs import FleetOutputs, ServerOutput

NOT_YET = "not yet there"
DECLARED_ANEW = "its roles, their values, the playbooks or tools are not those of its last converge"


def out_of_question(
    fleet: Fleet, outputs: FleetOutputs | None, changes: Sequence[Change]
) -> dict[str, HostPlan]:
    """Servers of the fleet on which nothing can be checked, by name: not made yet, or made anew."""
    there = {server.name for server in outputs.servers} if outputs else set()
    anew = {
        change.name for change in changes if change.kind == "server" and change.op in ("create", "replace")
    }
    found = {}
    for _, name in fleet.server_names():
        if name not in there or name in anew:
            reason = NOT_YET if name not in there else "not yet there: it is made anew"
            found[name] = HostPlan(name=name, state="unknown", reason=reason)
    return found


def to_configure(names: Sequence[str]) -> list[HostPlan]:
    """Servers that `up` would configure, for something else is declared of them; no host was asked what."""
    return [HostPlan(name=name, state="change", reason=DECLARED_ANEW) for name in names]


def out_of_reach(readiness: Sequence[Readiness]) -> dict[str, HostPlan]:
    """Servers that do not let us in, by name."""
    return {
        each.server: HostPlan(name=each.server, state="unknown", reason=f"not reachable: {each.message}")
        for each in readiness
        if each.missing
    }


def known_access(
    fleet: Fleet,
    servers: Sequence[ServerOutput],
    store_of: StoreOf,
    credentials_of: Callable[[str], CredentialStore],
) -> tuple[Mapping[str, RepositoryAccess], dict[str, HostPlan]]:
    """Access to repositories that were made already, and the servers whose one cannot be had; makes none."""
    access: dict[str, RepositoryAccess] = {}
    without: dict[str, HostPlan] = {}
    for repository, writers in writers_by_repository(fleet, servers).items():
        try:
            store, keeper = store_of(repository), credentials_of(repository)
            described = store.describe()
        except (InputError, ToolError) as problem:
            reason = f"its vault cannot be asked: {problem.message}"
            without |= {
                each.name: HostPlan(name=each.name, state="unknown", reason=reason) for each in writers
            }
            continue
        for server in writers:
            known: RepositoryCredentials | None = keeper.load(server.incarnation)
            if known is None or server.incarnation not in described.repositories:
                reason = "its backup repository is not yet there"
                without[server.name] = HostPlan(name=server.name, state="unknown", reason=reason)
            else:
                access[server.name] = access_to(store, described.port, described.certificate, known)
    return access, without


def summary(plans: Sequence[HostPlan]) -> str:
    """`2 clean, 1 would change, 1 unknown`."""
    words = {"clean": "clean", "change": "would change", "unknown": "unknown"}
    return ", ".join(f"{sum(each.state == state for each in plans)} {word}" for state, word in words.items())
