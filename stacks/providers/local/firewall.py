"""`local:index:Firewall`: the outer firewall of one server, table `inet steward_edge` inside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from stacks.providers.local import edge, edge_table
from stacks.providers.local.diffs import DiffRules
from stacks.providers.local.errors import InitFailedError, LocalError
from stacks.providers.local.kind import Call, Found, Made, name_failure
from stacks.providers.local.machine import Machine
from stacks.providers.local.shapes import TAGS, Failure, Field
from stacks.providers.local.wire import UNKNOWN, Properties, has_unknown


def _digest(inputs: Properties) -> str:
    """Of the file that these inputs make, as far as they are known."""
    if has_unknown(inputs["rules"]) or has_unknown(inputs["gateway"]):
        return UNKNOWN
    return edge.digest(edge.render(inputs["gateway"], inputs["rules"]))


def _outdated(olds: Properties, news: Properties) -> tuple[str, ...]:
    """Another version rendered the same rules otherwise, or kept less of what it loaded."""
    digest = _digest(news)
    wanted = {"digest": digest != UNKNOWN and olds.get("digest") != digest, "live": not olds.get("live")}
    return tuple(key for key, differs in wanted.items() if differs)


class Firewall:
    """Its id is the container's name with `/edge` behind it."""

    pulumi_type: ClassVar[str] = "local:index:Firewall"
    fields: ClassVar[Mapping[str, Field]] = {
        "name": Field("string"),
        "containerId": Field("string"),
        "incarnation": Field("string"),
        "gateway": Field("string"),
        "rules": Field(
            "records",
            record={
                "name": Field("string"),
                "port": Field("integer"),
                "protocol": Field("string"),
                "source": Field("string"),
                "addresses": Field("strings"),
            },
        ),
        "tags": TAGS,
    }
    outputs: ClassVar[Mapping[str, Field]] = {"digest": Field("string"), "live": Field("string")}
    rules: ClassVar[DiffRules] = DiffRules(
        replace={"containerId": "the table lives inside one server, and this is another one"},
        outdated=_outdated,
    )
    delete_first: ClassVar[bool] = True  # deleting closes the table: it must not close the successor's

    def check(self, machine: Machine, urn: str, inputs: Properties, olds: Properties | None) -> list[Failure]:
        """Every rule whole and harmless: the texts end in a file that nft reads."""
        failures = name_failure(inputs)
        rules = inputs.get("rules")
        for index, rule in enumerate(rules if isinstance(rules, list) else []):
            if not has_unknown(rule):
                failures += [Failure(f"rules[{index}].{key}", text) for key, text in edge.rule_problems(rule)]
        gateway = inputs.get("gateway")
        if isinstance(gateway, str) and gateway != UNKNOWN and not re.fullmatch(r"[0-9.]{7,15}", gateway):
            failures.append(Failure("gateway", f"must be an IPv4 address, got {gateway!r}."))
        return failures

    def preview(self, inputs: Properties, olds: Properties) -> Properties:
        """The digest follows from the rules as soon as their addresses are known."""
        return {"digest": _digest(inputs), "live": UNKNOWN}

    def create(self, machine: Machine, call: Call, inputs: Properties) -> Made:
        """Write and load the rules."""
        return Made(f"{inputs['containerId']}/edge", self._apply(machine, inputs))

    def update(
        self, machine: Machine, call: Call, identity: str, olds: Properties, news: Properties
    ) -> Properties:
        """Write and load the rules again; one transaction, so there is no moment without them."""
        return self._apply(machine, news)

    def _apply(self, machine: Machine, inputs: Properties) -> Properties:
        subject, name = str(inputs["name"]), str(inputs["containerId"])
        machine.go_on(subject)
        text = edge.render(inputs["gateway"], inputs["rules"])
        container = machine.podman.container(name)
        problem = edge_table.apply(machine.podman, container, text) if container else "it is gone"
        seen = edge_table.see(machine.podman, container) if container and not problem else None
        if seen is None or edge.TABLE not in seen.live:
            raise LocalError(
                subject,
                f"the firewall rules could not be loaded in {name}",
                place="firewall",
                got=problem or "the table cannot be listed",
                next_step="The rules from before still hold. Run `up` again once the server runs.",
            )
        return {**inputs, "digest": seen.digest, "live": seen.live}

    def read(self, machine: Machine, identity: str, olds: Properties, inputs: Properties) -> Found | None:
        """The file and the loaded table; differing rules are told as failed, so the next `up` loads them."""
        name = identity.removesuffix("/edge")
        container = machine.podman.container(name)
        if container is None:
            return None
        if container.state != "running":
            return Found(olds, inputs)
        seen = edge_table.see(machine.podman, container)
        if seen is None:
            return None
        known: dict[str, Any] = {"name": name, "containerId": name, **inputs}
        outputs = {**olds, **known, "digest": seen.digest, "live": seen.live}
        if olds and (seen.digest, seen.live) != (olds.get("digest"), olds.get("live")):
            reason = f"{known['name']}: {_told(olds, seen)}. Run `up`."
            raise InitFailedError(identity, outputs, [reason], inputs)
        return Found(outputs, known)

    def delete(self, machine: Machine, call: Call, identity: str, olds: Properties) -> None:
        """Close the server again but for SSH from the control machine; a server that is gone is fine."""
        machine.go_on(str(olds.get("name", identity)))
        name = identity.removesuffix("/edge")
        container = machine.podman.container(name)
        if container is None or container.state != "running" or not olds.get("gateway"):
            return
        problem = edge_table.apply(machine.podman, container, edge.render(str(olds["gateway"])))
        if problem and machine.podman.container(name) is not None:
            raise LocalError(
                str(olds.get("name", identity)),
                "the firewall could not be closed",
                place="firewall",
                got=problem,
                next_step="Run the same command again.",
            )


def _told(olds: Properties, seen: edge_table.Seen) -> str:
    """What differs from the rules that were loaded here last."""
    loaded = edge.difference(str(olds.get("live", "")), seen.live)
    kept = f"{edge.PATH} has other content" if seen.digest != olds.get("digest") else ""
    return "the firewall rules differ: " + "; ".join(each for each in (loaded, kept) if each)
