"""`local:index:Firewall`: the outer firewall of one server, table `inet steward_edge` inside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from stacks.providers.local import edge
from stacks.providers.local.diffs import DiffRules
from stacks.providers.local.errors import InitFailedError, LocalError
from stacks.providers.local.kind import Call, Found, Made, name_failure
from stacks.providers.local.machine import Machine
from stacks.providers.local.shapes import TAGS, Failure, Field
from stacks.providers.local.wire import UNKNOWN, Properties, has_unknown

# The new file takes the old one's place only after nft accepted it; it holds now and after a boot.
_APPLY = (
    f"umask 022 && mkdir -p /etc/steward && cat > {edge.PATH}.new && nft -c -f {edge.PATH}.new && "
    f"mv {edge.PATH}.new {edge.PATH} && nft -f {edge.PATH}"
)
_LIVE = "nft --stateless list table inet steward_edge 2>/dev/null | sha256sum | cut -c1-64"
_SEE = f"sha256sum < {edge.PATH} | cut -c1-64; {_LIVE}"
_HEX = re.compile(r"[0-9a-f]{64}")


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
    outputs: ClassVar[Mapping[str, Field]] = {"digest": Field("string"), "liveDigest": Field("string")}
    rules: ClassVar[DiffRules] = DiffRules(
        replace={"containerId": "the table lives inside one server, and this is another one"}
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
        if has_unknown(inputs["rules"]) or has_unknown(inputs["gateway"]):
            return {"digest": UNKNOWN, "liveDigest": UNKNOWN}
        return {"digest": edge.digest(edge.render(inputs["gateway"], inputs["rules"])), "liveDigest": UNKNOWN}

    def create(self, machine: Machine, call: Call, inputs: Properties) -> Made:
        """Write and load the rules."""
        return Made(f"{inputs['containerId']}/edge", self._apply(machine, inputs))

    def update(
        self, machine: Machine, call: Call, identity: str, olds: Properties, news: Properties
    ) -> Properties:
        """Write and load the rules again; one transaction, so there is no moment without them."""
        return self._apply(machine, news)

    def _apply(self, machine: Machine, inputs: Properties) -> Properties:
        subject = str(inputs["name"])
        machine.go_on(subject)
        text = edge.render(inputs["gateway"], inputs["rules"])
        container = str(inputs["containerId"])
        ended = machine.podman.inside(container, "sh", "-c", f"{_APPLY} && {_LIVE}", stdin=text.encode())
        live = ended.stdout.decode(errors="replace").strip()
        if ended.code != 0 or not _HEX.fullmatch(live):
            raise LocalError(
                subject,
                f"the firewall rules could not be loaded in {container}",
                place="firewall",
                got=ended.stderr[-300:] or f"exit code {ended.code}",
                next_step="The rules from before still hold. Run `up` again once the server runs.",
            )
        return {**inputs, "digest": edge.digest(text), "liveDigest": live}

    def read(self, machine: Machine, identity: str, olds: Properties, inputs: Properties) -> Found | None:
        """The file and the loaded table; differing rules are told as failed, so the next `up` loads them."""
        name = identity.removesuffix("/edge")
        container = machine.podman.container(name)
        if container is None:
            return None
        if container.state != "running":
            return Found(olds, inputs)
        ended = machine.podman.inside(name, "sh", "-c", _SEE)
        seen = ended.stdout.decode(errors="replace").split()
        if ended.code != 0 or len(seen) != 2:
            return None
        known: dict[str, Any] = {"name": name, "containerId": name, **inputs}
        outputs = {**olds, **known, "digest": seen[0], "liveDigest": seen[1]}
        if olds and (seen[0], seen[1]) != (olds.get("digest"), olds.get("liveDigest")):
            reason = (
                f"{known['name']}: the firewall rules on the server differ from those asked for. Run `up`."
            )
            raise InitFailedError(identity, outputs, [reason], inputs)
        return Found(outputs, known)

    def delete(self, machine: Machine, call: Call, identity: str, olds: Properties) -> None:
        """Close the server again but for SSH from the control machine; a server that is gone is fine."""
        machine.go_on(str(olds.get("name", identity)))
        name = identity.removesuffix("/edge")
        container = machine.podman.container(name)
        if container is None or container.state != "running" or not olds.get("gateway"):
            return
        text = edge.render(str(olds["gateway"]))
        ended = machine.podman.inside(name, "sh", "-c", _APPLY, stdin=text.encode())
        if ended.code != 0 and machine.podman.container(name) is not None:
            raise LocalError(
                str(olds.get("name", identity)),
                "the firewall could not be closed",
                place="firewall",
                got=ended.stderr[-300:],
                next_step="Run the same command again.",
            )
