"""What Amazon tells about one thing in several resources, made one: a pure function over the whole list.

The parts stay in the list, so that every resource is accounted for; rules look at their owners.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from operator import is_
from typing import Any, Final

from policies.facts import Facts, Unknown
from policies.model import Subject
from policies.subjects import aws_covers
from policies.subjects.aws_words import ELSEWHERE, kind_of

_Values = dict[str, Any]
_MERGED: Final[Mapping[str, tuple[str, str, str]]] = {
    "BucketVersioning": ("bucket", "bucketName", "versioning"),
    "BucketServerSideEncryptionConfiguration": ("bucket", "bucketName", "encryptedBy"),
    "BucketPublicAccessBlock": ("bucket", "bucketName", "publicAccessBlocked"),
    "BucketObjectLockConfiguration": ("bucket", "bucketName", "lockedDays"),
    "VaultLockConfiguration": ("backupVaultName", "vaultName", "lockedDays"),
}
"""By kind of part: the input and the name that lead to the owner, and the fact that the owner gets."""
_UNSAID: Final[Mapping[str, object]] = {
    "versioning": False,
    "publicAccessBlocked": False,
    "lockedDays": 0,
    "listeners": [],
}
"""What is so when no part says otherwise."""


def joined(subjects: Sequence[Subject]) -> tuple[Subject, ...]:
    """The same subjects in the same order; those of other vendors are untouched."""
    if not any(subject.source_type.startswith("aws:") for subject in subjects):
        return tuple(subjects)
    stack = _Stack(subjects)
    stack.merge()
    stack.listen()
    stack.equip()
    stack.guard()
    aws_covers.cover(subjects, stack.facts, stack.edges)
    return tuple(stack.rebuilt())


class _Stack:
    """Facts and edges of every Amazon resource by URN, while they are put together."""

    def __init__(self, subjects: Sequence[Subject]) -> None:
        self.subjects = subjects
        self.facts: dict[str, _Values] = {}
        self.edges: dict[str, dict[str, tuple[str, ...]]] = {}
        self.kinds: dict[str, list[Subject]] = defaultdict(list)
        for subject in subjects:
            raw = subject.facts.raw()
            self.edges[subject.urn] = dict(subject.depends_on)
            if subject.source_type.startswith("aws:") and not isinstance(raw, Unknown):
                self.facts[subject.urn] = dict(raw)
                self.kinds[kind_of(subject.source_type)].append(subject)

    def rebuilt(self) -> Iterator[Subject]:
        for subject in self.subjects:
            facts, edges = self.facts.get(subject.urn), self.edges[subject.urn]
            if facts is None or (edges == subject.depends_on and _is_untouched(subject, facts)):
                yield subject
            else:
                yield replace(subject, facts=Facts(facts), depends_on=edges)

    def merge(self) -> None:
        """Each fact that a part says goes to its owner; what then nobody said is as by default."""
        lost: set[str] = set()
        for kind, (edge, name, fact) in _MERGED.items():
            if kind not in self.kinds:
                continue
            owners = {
                owner[name]: owner
                for owner in self.facts.values()
                if "dataBearing" in owner and isinstance(owner.get(name), str)
            }
            for part in self.kinds[kind]:
                owner = self._fed_by(part, edge) or owners.get(self._text(part, name))
                if owner is None:
                    lost.add(fact)  # it may be of any of them
                elif fact in self.facts[part.urn]:
                    owner[fact] = self.facts[part.urn][fact]
        for facts in self.facts.values():
            for fact, default in _UNSAID.items():
                if facts.get(fact) is ELSEWHERE and fact not in lost:
                    facts[fact] = default

    def listen(self) -> None:
        """A load balancer knows its listeners."""
        for part in self.kinds["Listener"]:
            owner = self._fed_by(part, "loadBalancerArn")
            if owner is not None:
                row = {key: self.facts[part.urn].get(key) for key in ("port", "protocol", "redirectsTo")}
                owner["listeners"] = [*owner["listeners"], row]

    def equip(self) -> None:
        """A server knows its keys, its disks and what its subnet decides."""
        pairs = {self._text(pair, "keyName"): self.facts[pair.urn] for pair in self.kinds["KeyPair"]}
        for server in self.kinds["Instance"]:
            facts = self.facts[server.urn]
            if server.type != "server":
                continue
            pair = self._fed_by(server, "keyName") or pairs.get(self._text(server, "keyName"))
            if pair is not None:
                facts["authorizedKeys"] = [pair.get("publicKey")]
            subnet = self._fed_by(server, "subnetId")
            if subnet is not None and facts["publicAddress"] is ELSEWHERE:
                facts["publicAddress"] = subnet.get("publicAddress")
        for part in self.kinds["VolumeAttachment"]:
            self._attach(part)

    def _attach(self, part: Subject) -> None:
        server, volume = self._fed_by(part, "instanceId"), self._fed_by(part, "volumeId")
        if server is None or volume is None or "volumes" not in server:
            return
        prefix, name = f"{server['name']}-", volume["name"]
        row = {
            "name": name.removeprefix(prefix) if isinstance(name, str) else name,
            "volumeId": self.facts[part.urn].get("volumeId"),
            "mount": volume["tags"].get("mount") if isinstance(volume["tags"], dict) else volume["tags"],
            "dataBearing": volume.get("dataBearing"),
        }
        server["volumes"] = [*server["volumes"], row]
        (urn,) = self._sources(part, "instanceId")[:1]
        self._add_edge(urn, "volumes", self._sources(part, "volumeId")[0])

    def guard(self) -> None:
        """A firewall knows the servers that it stands before, as a local one does."""
        for server in self.subjects:
            for group in self.edges[server.urn].get("vpcSecurityGroupIds", ()):
                if server.type == "server" and group in self.facts:
                    self._add_edge(group, "server", server.urn)
        for kind in ("SecurityGroupRule", "SecurityGroupIngressRule", "SecurityGroupEgressRule"):
            for rule in self.kinds[kind]:
                for group in self._sources(rule, "securityGroupId"):
                    for urn in self.edges[group].get("server", ()):
                        self._add_edge(rule.urn, "server", urn)

    def _add_edge(self, urn: str, key: str, source: str) -> None:
        known = self.edges[urn].get(key, ())
        if source not in known:
            self.edges[urn][key] = (*known, source)

    def _sources(self, part: Subject, edge: str) -> list[str]:
        return [urn for urn in part.depends_on.get(edge, ()) if urn in self.facts]

    def _fed_by(self, part: Subject, edge: str) -> _Values | None:
        """The facts of the resource whose output feeds this input."""
        return next((self.facts[urn] for urn in self._sources(part, edge)), None)

    def _text(self, part: Subject, key: str) -> object:
        """A name that is known, or something that equals no name."""
        found = self.facts[part.urn].get(key)
        return found if isinstance(found, str) else object()


def _is_untouched(subject: Subject, facts: _Values) -> bool:
    """Whether these are the values that the subject has, which its copy began with."""
    raw = subject.facts.raw()
    return (
        not isinstance(raw, Unknown)
        and len(raw) == len(facts)
        and all(map(is_, raw.values(), facts.values()))
    )
