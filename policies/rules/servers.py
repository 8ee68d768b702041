"""What servers are made of, who may log in, and what runs beside what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Final

from policies.facts import Facts, MalformedFactError, shown
from policies.model import Finding, Gap, NotApplicable, Outcome, Subject, SubjectCheck, each
from policies.rules._exposure import ANYWHERE

_MOVING: Final = ("latest", "stable", "current", "edge", "nightly", "testing", "unstable")
_NO_ADDRESS: Final = "the provider registers no public address for a server"


def image_is_pinned(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """The image names one version, not whatever is newest on the day."""
    image = subject.facts.text("image")
    words = set(image.lower().replace(":", "-").replace("/", "-").replace("_", "-").split("-"))
    moving = sorted(words.intersection(_MOVING))
    if moving or not any(letter.isdigit() for letter in image):
        yield Finding(
            "image", f"{shown(image)} is another image tomorrow", image, "an image with its version"
        )


def image_is_allowed(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """The image is one that the profile lists."""
    image, known = subject.facts.text("image"), params.texts("images")
    if not any(fnmatchcase(image, pattern) for pattern in known):
        yield Finding("image", f"{shown(image)} is not among the allowed images", image, ", ".join(known))


def size_within_profile(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """A server is no bigger than the profile allows without asking."""
    for key, most, unit in (("cpus", "max_cpus", "CPUs"), ("memoryGib", "max_memory_gib", "GiB of memory")):
        has, may = subject.facts.number(key), params.number(most)
        if has <= 0:
            raise MalformedFactError(subject.facts.where(key), "more than 0", has)
        if has > may:
            yield Finding(key, f"has {has:g} {unit}", f"{has:g}", f"at most {may:g}")


def data_not_beside_public(stack: Sequence[Subject]) -> SubjectCheck:
    """A server that keeps data in a database or vault is not also one that anybody may call."""
    walls: dict[str, list[Subject]] = {}
    for wall in (item for item in stack if item.type == "firewall"):
        for urn in wall.depends_on.get("server", ()):
            walls.setdefault(urn, []).append(wall)

    def check(subject: Subject, params: Facts) -> Iterator[Outcome]:
        roles = [role.replace("-", "_") for role in subject.facts.texts("roles")]
        data = sorted(set(roles) & set(params.texts("data_roles")))
        if not data:
            yield NotApplicable("has no role that keeps data")
            return
        public = sorted(set(roles) & set(params.texts("public_roles")))
        if public:
            seen = f"{', '.join(data)} beside {', '.join(public)}"
            yield Finding("roles", f"mixes {seen}", seen, "servers of their own for each")
        for wall in walls.get(subject.urn, ()):
            yield from each(wall.facts.rows("rules"), lambda rule: _public_door(rule, data))

    return check


def login_keys_are_strong(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """Each key that may log in is of a kind that the profile allows."""
    allowed = params.texts("kinds")
    known, gaps = subject.facts.known_texts("authorizedKeys")
    for place, key in known:
        kind = next(iter(key.split()), "")
        if kind not in allowed:
            yield Finding(place, f"a key of the kind {shown(kind)}", shown(kind), " or ".join(allowed))
    if gaps:
        reason = "the key is made elsewhere"
        yield Gap(gaps[0], reason=reason)


def login_keys_are_few(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """Somebody can log in, and no more keys are let in than the profile allows."""
    keys, most = subject.facts.texts("authorizedKeys"), params.whole("max_keys")
    place = subject.facts.where("authorizedKeys")
    if len(set(keys)) > most:
        yield Finding(place, f"lets in {len(set(keys))} keys", str(len(set(keys))), f"at most {most}")
    if not keys:
        yield Finding(place, "lets nobody in, so nobody can configure or mend it", "no key", "a key")


def public_address_has_reason(subject: Subject, params: Facts) -> Iterator[Outcome]:
    """A server with an address on the internet says in a tag why it has one."""
    if not subject.facts.has("publicAddress"):
        yield NotApplicable(_NO_ADDRESS)
        return
    if not subject.facts.flag("publicAddress"):
        return
    key = params.text("reason_tag")
    tags = subject.facts.table("tags")
    if not (tags.text_or_none(key) or "").strip():
        place = subject.facts.where("publicAddress")
        yield Finding(place, "has a public address without a reason", "true", f"false, or the tag {key}")


def metadata_needs_token(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """The vendor's metadata service answers only to who asked for a token first."""
    if not subject.facts.has("metadataTokens"):
        yield NotApplicable("the provider has no metadata service")
        return
    told = subject.facts.text("metadataTokens")
    if told != "required":
        yield Finding(
            "metadataTokens", "its metadata service answers without a token", shown(told), "required"
        )


def disk_is_encrypted(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """The disks that are made with a server are encrypted."""
    if not subject.facts.has("diskEncrypted"):
        yield NotApplicable("the provider registers nothing about the encryption of its disks")
    elif not subject.facts.flag("diskEncrypted"):
        yield Finding("diskEncrypted", "has a disk that is not encrypted", "false", "true")


def deletion_is_guarded(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """The vendor itself refuses to delete a server that bears data, or a database."""
    if not subject.facts.has("terminationProtection"):
        yield NotApplicable("the provider guards nothing itself; the engine's protection does")
        return
    bears = subject.type == "database" or any(
        row.flag("dataBearing") for row in subject.facts.rows("volumes")
    )
    if not bears:
        yield NotApplicable("bears no data")
    elif not subject.facts.flag("terminationProtection"):
        yield Finding("terminationProtection", "a click in the console deletes it", "false", "true")


def _public_door(rule: Facts, data: Sequence[str]) -> Iterator[Outcome]:
    if rule.text("source") == ANYWHERE:
        seen = f"port {rule.whole('port')} open to anywhere"
        yield Finding(
            "roles", f"keeps data ({', '.join(data)}) and has {seen}", seen, "a public server before it"
        )
