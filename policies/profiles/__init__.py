"""Profiles: how strict each rule is for whom. One is declared; a protected minimum may be stricter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

from policies import yamlfile
from policies.catalog import load_catalog
from policies.catalog.schema import check_value
from policies.facts import Facts, MalformedFactError, UnknownFactError
from policies.model import Enforcement, PackError, Rule, Subject

_HERE: Final = Path(__file__).parent
NAMES: Final = ("demo", "standard", "strict")
"""From the mildest to the strictest: the order decides which of two wins."""


@dataclass(frozen=True)
class Profile:
    """Parameters and enforcement of each rule."""

    name: str
    description: str
    strictness: int
    _default: Enforcement
    _enforcement: Mapping[str, Enforcement]
    _params: Mapping[str, Mapping[str, object]]

    def enforcement(self, rule_id: str) -> Enforcement:
        """What a failure of the rule does."""
        return self._enforcement.get(rule_id, self._default)

    def with_enforcement(self, levels: Mapping[str, Enforcement]) -> Profile:
        """The same profile, where these rules have the given level."""
        return replace(self, _enforcement={**self._enforcement, **levels})

    def params(self, rule: Rule) -> Facts:
        """The rule's defaults under this profile's values."""
        defaults = {name: schema["default"] for name, schema in rule.params.items()}
        return Facts(defaults | dict(self._params.get(rule.id, {})), f"profile {self.name}: {rule.id}")


@dataclass(frozen=True)
class Minimum:
    """The mildest profile that each client and environment may have."""

    default: str
    _clients: Mapping[str, Mapping[str, str]]

    def of(self, client: str, environment: str) -> str:
        """The name of the profile; the environment's own, else the client's, else everybody's."""
        own = self._clients.get(client, {})
        return own.get(environment, own.get("default", self.default))


@dataclass(frozen=True)
class Profiles:
    """All profiles, and which one judges a subject."""

    ordered: tuple[Profile, ...]
    minimum: Minimum

    @property
    def strictest(self) -> Profile:
        """Judges whatever does not say, or cannot be believed about, whose it is."""
        return self.ordered[-1]

    def named(self, name: str) -> Profile | None:
        """The profile of that name."""
        return next((profile for profile in self.ordered if profile.name == name), None)

    def with_enforcement(self, levels: Mapping[str, Enforcement]) -> Profiles:
        """The same profiles, where these rules have the given level in each."""
        return replace(self, ordered=tuple(each.with_enforcement(levels) for each in self.ordered))

    def choose(self, subject: Subject) -> Profile:
        """The stricter of declared and minimum profile; the strictest without tags one can believe."""
        try:
            tags = subject.facts.table("tags")
            client, environment = tags.text("client"), tags.text("environment")
            declared = self.named(tags.text("profile"))
        except (UnknownFactError, MalformedFactError):
            return self.strictest
        # A borrowed client name would borrow that client's milder minimum.
        if declared is None or (subject.stack and subject.stack != f"{client}-{environment}"):
            return self.strictest
        least = self.named(self.minimum.of(client, environment)) or self.strictest
        return max(declared, least, key=lambda profile: profile.strictness)


@cache
def load_profiles(folder: Path = _HERE) -> Profiles:
    """The profiles and the minimum out of a folder, checked against the catalog; raises PackError."""
    rules = {rule.id: rule for rule in load_catalog()}
    ordered = tuple(_profile(folder / f"{name}.yaml", number, rules) for number, name in enumerate(NAMES))
    return Profiles(ordered, _minimum(folder / "minimum.yaml", NAMES))


def _profile(path: Path, strictness: int, rules: Mapping[str, Rule]) -> Profile:
    place = f"profiles/{path.name}"
    body = yamlfile.mapping(
        yamlfile.read(path), place, required=("name", "description", "enforcement", "params"), optional=()
    )
    if body["name"] != path.stem:
        raise PackError(f"{place}: name is {body['name']!r}, the file says {path.stem!r}")
    enforcement = yamlfile.mapping(
        body["enforcement"], f"{place}.enforcement", required=("default", "rules"), optional=()
    )
    own = yamlfile.mapping(enforcement["rules"], f"{place}.enforcement.rules", optional=rules)
    params = yamlfile.mapping(body["params"], f"{place}.params", optional=rules)
    return Profile(
        name=path.stem,
        description=str(body["description"]),
        strictness=strictness,
        _default=_enforcement(enforcement["default"], f"{place}.enforcement.default"),
        _enforcement={
            rule: _enforcement(level, f"{place}.enforcement.rules.{rule}") for rule, level in own.items()
        },
        _params={
            rule: _params(values, rules[rule], f"{place}.params.{rule}") for rule, values in params.items()
        },
    )


def _enforcement(value: object, place: str) -> Enforcement:
    known = [Enforcement.MANDATORY, Enforcement.ADVISORY, Enforcement.DISABLED]
    for level in known:
        if value == level.value:
            return level
    raise PackError(f"{place}: expected {', '.join(known)}; got {value!r}")


def _params(values: object, rule: Rule, place: str) -> Mapping[str, object]:
    checked = yamlfile.mapping(values, place, optional=rule.params)
    for name, value in checked.items():
        check_value(value, rule.params[name], f"{place}.{name}")
    return checked


def _minimum(path: Path, names: Sequence[str]) -> Minimum:
    place = f"profiles/{path.name}"
    body = yamlfile.mapping(yamlfile.read(path), place, required=("default", "clients"), optional=())
    clients = {
        client: yamlfile.mapping(value, f"{place}.clients.{client}")
        for client, value in yamlfile.mapping(body["clients"], f"{place}.clients").items()
    }
    used = [body["default"], *(name for client in clients.values() for name in client.values())]
    wrong = [name for name in used if name not in names]
    if wrong:
        raise PackError(f"{place}: no profile named {wrong[0]!r}; known: {', '.join(names)}")
    named = {client: {env: str(name) for env, name in own.items()} for client, own in clients.items()}
    return Minimum(str(body["default"]), named)
