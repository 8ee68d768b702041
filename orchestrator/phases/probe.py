"""probe: ask every service of the fleet from outside, as the people who use it do."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event

from orchestrator.parallel import for_each
from orchestrator.ports.probes import ServiceProber
from orchestrator.ports.run import Clock
from orchestrator.reporting.model import Probe, Verdict
from stacks.fleet.model import Fleet
from stacks.fleet.service import HttpProbe
from stacks.outputs import ServerOutput

_PARALLEL = 16
_LONGEST = 200


def probed_services(fleet: Fleet) -> dict[str, HttpProbe]:
    """The services that say how they can be asked."""
    return {
        name: service.availability.probe
        for name, service in fleet.services.items()
        if service.availability and service.availability.probe
    }


def probe(fleet: Fleet, servers: Sequence[ServerOutput], prober: ServiceProber, clock: Clock) -> list[Probe]:
    """One request to each server behind each service, all at once, in the order of the fleet."""
    asks = [
        (name, wanted, server)
        for name, wanted in probed_services(fleet).items()
        for server in servers
        if server.group == wanted.http
    ]

    def ask(each: tuple[str, HttpProbe, ServerOutput], _stopping: Event) -> Probe:
        name, wanted, server = each
        port = server.published.get(str(http_port(fleet, server.group)))
        url = f"http://127.0.0.1:{port}{wanted.path}" if port else ""
        answer = prober.ask(url) if url else None
        status = answer.status if answer else None
        good = Verdict.PASS if status == wanted.expect else Verdict.FAIL
        why = "it has no address outside of its network" if answer is None else f"no answer: {answer.message}"
        return Probe(
            service=name,
            server=server.name,
            url=url,
            expected=f"status {wanted.expect}",
            verdict=Verdict.UNKNOWN if answer is None else good,
            observed=f"status {status}" if status is not None else why[:_LONGEST],
            at=clock.now(),
            seconds=answer.seconds if answer else 0.0,
        )

    return for_each(asks, ask, at_once=_PARALLEL)


def http_port(fleet: Fleet, group: str) -> int:
    """The port on which a group's web server listens."""
    roles = {role.name: role.variables for role in fleet.servers[group].roles}
    port = roles.get("nginx", {}).get("port", 80)
    return port if isinstance(port, int) else 80


def summary(probes: Sequence[Probe]) -> str:
    """`2 of 2 answered`"""
    return f"{sum(each.verdict is Verdict.PASS for each in probes)} of {len(probes)} answered"
