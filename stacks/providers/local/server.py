"""`local:index:Server`: a Debian machine with systemd and SSH, in a Podman container."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import ClassVar

from stacks.providers.local import boot, checks, injection, remake, sources, units
from stacks.providers.local.blueprint import (
    NEVER_READY,
    RUNNING,
    STOPPED,
    Blueprint,
    from_labels,
    limit_options,
)
from stacks.providers.local.diffs import DiffRules, mounted_volumes, settled_address, settled_ports
from stacks.providers.local.errors import InitFailedError, LocalError
from stacks.providers.local.kind import Call, Found, Made, inputs_of, leftover, name_failure, object_name
from stacks.providers.local.machine import VIEW_SECONDS, Machine
from stacks.providers.local.records import Container
from stacks.providers.local.shapes import TAGS, Failure, Field
from stacks.providers.local.wire import UNKNOWN, Properties, has_unknown

BOOTING_SECONDS = 15.0
"""How long a server that never answered may still take before it is made anew."""


class Server:
    """One container; its id is the container's name, kept when the container has to be made anew."""

    pulumi_type: ClassVar[str] = "local:index:Server"
    fields: ClassVar[Mapping[str, Field]] = {
        "name": Field("string"),
        "group": Field("string"),
        "image": Field("string"),
        "networkId": Field("string"),
        "cidr": Field("string"),
        "gateway": Field("string"),
        "address": Field("string", required=False),
        "cpus": Field("number"),
        "memoryGib": Field("number"),
        "roles": Field("strings", required=False),
        "volumes": Field(
            "records",
            required=False,
            record={
                "name": Field("string"),
                "volumeId": Field("string"),
                "mount": Field("string"),
                "dataBearing": Field("boolean", required=False),
            },
        ),
        "publish": Field(
            "records",
            required=False,
            record={"port": Field("integer"), "hostPort": Field("integer", required=False)},
        ),
        "authorizedKeys": Field("strings"),
        "tags": TAGS,
    }
    outputs: ClassVar[Mapping[str, Field]] = {
        "containerId": Field("string"),
        "incarnation": Field("string"),
        "address": Field("string"),
        "sshHost": Field("string"),
        "sshPort": Field("integer"),
        "sshUser": Field("string"),
        "hostKey": Field("string"),
        "published": Field("integers"),
        "state": Field("string"),
        "limitsEnforced": Field("boolean"),
    }
    rules: ClassVar[DiffRules] = DiffRules(
        replace={
            "name": "it is the host name, and what other servers and backups know it by",
            "image": "another image is another disk",
            "networkId": "a server joins its network when it is made",
            "cidr": "its network is made anew with another range",
            "gateway": "its network is made anew with another range",
            "address": "an address stays for a server's life",
        },
        restart={
            "volumes": "Podman fixes mounts at create: another container takes over the same disk",
            "publish": "Podman fixes ports at create: another container takes over the same disk",
        },
        canonical={"address": settled_address, "publish": settled_ports, "volumes": mounted_volumes},
    )
    delete_first: ClassVar[bool] = True  # an address, a port and a volume belong to one container at a time

    def check(self, machine: Machine, urn: str, inputs: Properties, olds: Properties | None) -> list[Failure]:
        """Everything that would make the create fail and can be seen beforehand."""
        failures = [*name_failure(inputs), *checks.value_failures(inputs)]
        if failures:
            return failures
        if olds is None:
            failures += checks.machine_failures(machine, urn, inputs)
        failures += checks.port_failures(machine, urn, inputs, olds)
        return failures

    def preview(self, inputs: Properties, olds: Properties) -> Properties:
        """What does not depend on chance or on the machine; one that never worked may be made anew."""
        published = _published(inputs.get("publish") or [], olds.get("published") or {})
        if olds:
            anew = ("incarnation", "hostKey", "address", "sshPort", "published")
            return {
                "state": RUNNING,
                "published": published,
                **dict.fromkeys(anew if olds.get("state") == NEVER_READY else (), UNKNOWN),
            }
        return {
            "containerId": UNKNOWN,
            "incarnation": UNKNOWN,
            "address": inputs.get("address") or UNKNOWN,
            "sshHost": "127.0.0.1",
            "sshPort": UNKNOWN,
            "sshUser": "steward",
            "hostKey": UNKNOWN,
            "published": published,
            "state": RUNNING,
            "limitsEnforced": UNKNOWN,
        }

    def create(self, machine: Machine, call: Call, inputs: Properties) -> Made:
        """Make the server, or go on with the one an interrupted run left."""
        left = leftover(self, "server", call.urn, inputs, machine.containers.since(call.begun))
        try:
            if left is None:
                remake.remove_orphans(machine, str(inputs["name"]), call.begun - VIEW_SECONDS)
                name = object_name(inputs)
                return Made(name, boot.build(machine, call, inputs, name))
            name = left.name.removesuffix(remake.ASIDE)
            # One that ran and stopped may have been in use: it is started, never made anew.
            used = left.name != name or left.state in ("exited", "stopped")
            plan = from_labels(name, left.labels)
            known = plan.outputs(inputs, STOPPED if used else NEVER_READY, machine.limits) if plan else {}
            return Made(name, self.update(machine, call, name, known, inputs))
        finally:
            machine.release(checks.waiting_for(call.urn), call.urn)

    def read(self, machine: Machine, identity: str, olds: Properties, inputs: Properties) -> Found | None:
        """The container as it is; whatever the next `up` has to mend is reported as failed."""
        seen = remake.look(machine, identity)
        there = seen.container or seen.aside
        if there is None:
            return None
        plan = seen.plan
        if plan is None:
            raise LocalError(
                identity, "is no container of Steward's", place="podman", next_step="Check the id."
            )
        known = {**inputs_of(there.labels), **inputs}
        state, reason = _seen(seen, plan, known, str(olds.get("state", "")))
        outputs = plan.outputs(known, state, machine.limits)
        if reason:
            raise InitFailedError(identity, outputs, [f"{known.get('name', identity)}: {reason}"], known)
        return Found(outputs, known)

    def update(
        self, machine: Machine, call: Call, identity: str, olds: Properties, news: Properties
    ) -> Properties:
        """Change in place what can be, start what is stopped, make anew what never worked."""
        subject = str(news["name"])
        machine.go_on(subject)
        seen = remake.look(machine, identity)
        plan = seen.plan or _from_outputs(identity, olds)
        if plan is None or (seen.aside is None and self._hopeless(machine, call, seen.container, plan, olds)):
            machine.podman.remove_container(subject, 0, identity)
            return boot.build(machine, call, news, identity, plan)
        plan = remake.Remake(machine, call, news).fit(seen, plan)
        container = machine.podman.container(identity)
        failed = NEVER_READY if olds.get("state") == NEVER_READY else STOPPED
        return boot.recorded(
            machine, plan, news, lambda: _adjust(machine, call, container, plan, olds=olds, news=news), failed
        )

    def _hopeless(
        self, machine: Machine, call: Call, container: Container | None, plan: Blueprint, olds: Properties
    ) -> bool:
        """Gone, never booted, or never answered and does not answer now: nothing of worth can be in it."""
        if container is None or container.state == "created":
            return True
        if olds.get("state") != NEVER_READY:
            return False
        if container.state != "running":
            return True
        until = time.monotonic() + min(BOOTING_SECONDS, call.seconds_left() / 3)
        try:
            boot.wait(machine, str(olds.get("name")), plan, until)
        except LocalError:
            machine.go_on(str(olds.get("name")))
            return True
        return False

    def delete(self, machine: Machine, call: Call, identity: str, olds: Properties) -> None:
        """Stop and remove the container, its unit and its kept disk; its volumes stay."""
        subject = str(olds.get("name", identity))
        machine.go_on(subject)
        units.remove(identity)
        machine.podman.remove_container(subject, boot.STOP_SECONDS, identity, identity + remake.ASIDE)
        remake.remove_orphans(machine, subject, time.monotonic())


def _published(publish: object, kept: Properties) -> object:
    """Which port of this machine each published one gets, as far as a preview can know."""
    if not isinstance(publish, list) or any(has_unknown(item) for item in publish):
        return UNKNOWN
    ports = {str(item["port"]): item.get("hostPort") or kept.get(str(item["port"])) for item in publish}
    return {inside: port or UNKNOWN for inside, port in ports.items()}


def _seen(seen: remake.Seen, plan: Blueprint, known: Properties, before: str) -> tuple[str, str]:
    """The state to record and why it counts as failed, if it does."""
    container = seen.container
    if container is None or seen.aside is not None:
        return STOPPED, "a change of its mounts or ports was interrupted. Run `up` to finish it."
    if container.state != "running":
        state = NEVER_READY if before == NEVER_READY or container.state == "created" else STOPPED
        return state, f"its container is {container.state}. Run `up` to start it."
    if before == NEVER_READY and not boot.answers(plan.ssh_port):
        return NEVER_READY, "it runs but has never answered on SSH. Run `up` to mend it."
    if not remake.fits(container, plan, known):
        return RUNNING, "its mounts or published ports differ from those asked for. Run `up` to mend them."
    return RUNNING, ""


def _from_outputs(identity: str, olds: Properties) -> Blueprint | None:
    """What a server that is gone had, so that its successor gets the same address and ports."""
    marks = {
        "steward.incarnation": str(olds.get("incarnation", "")),
        "steward.address": str(olds.get("address", "")),
        "steward.ssh-port": str(olds.get("sshPort", "")),
        "steward.published": json.dumps(olds.get("published") or {}),
        "steward.host-key": str(olds.get("hostKey", "")),
    }
    return from_labels(identity, marks)


def _adjust(
    machine: Machine,
    call: Call,
    container: Container | None,
    plan: Blueprint,
    *,
    olds: Properties,
    news: Properties,
) -> None:
    subject, podman = str(news["name"]), machine.podman
    started = container is None or container.state != "running"
    if started:
        sources.keep(machine, call.urn)
        boot.start(machine, call, news, plan.container)
    limits = limit_options(news, machine.limits)
    if limits and (started or limits != limit_options({**news, **olds}, machine.limits)):
        podman.call("update", *limits, plan.container, subject=subject)
        units.write(plan.container, subject, limits)
    if started or news["authorizedKeys"] != olds.get("authorizedKeys"):
        content = injection.authorized_keys(news["authorizedKeys"])
        entry = injection.Entry(injection.AUTHORIZED_KEYS, 0o600, content, injection.STEWARD_UID)
        stream = injection.archive([entry], time.time())
        podman.call("cp", "--archive=false", "-", f"{plan.container}:/", subject=subject, stdin=stream)
    try:
        boot.wait(machine, subject, plan, time.monotonic() + call.seconds_left() / 2)
    except LocalError:
        machine.go_on(subject)
        podman.call(
            "restart", "--time", str(boot.STOP_SECONDS), plan.container, subject=subject, timeout=120.0
        )
        boot.wait(machine, subject, plan, call.deadline)
