"""Profiles: how strict each rule is for whom. One is declared; a protected minimum may be stricter."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Final

from policies import yamlfile
from policies.catalog import load_catalog
from policies.catalog.schema import check_value
from policies.facts import Facts, MalformedFactError, UnknownFactError, shown
from policies.model import Enforcement, PackError, Phase, Rule, Subject
from policies.tenants import DEFAULT, are_names, check_client, check_environment

FOLDER: Final = Path(__file__).parent
NAMES: Final = ("demo", "standard", "strict")
"""From the mildest to the strictest: the order decides which of two wins."""
LEVELS: Final = (Enforcement.DISABLED, Enforcement.ADVISORY, Enforcement.MANDATORY)
"""What a profile may say of a rule, from the mildest."""


@dataclass(frozen=True)
class Profile:
    """Parameters and enforcement of each rule."""

    name: str
    description: str
    strictness: int
    _default: Enforcement
    _enforcement: Mapping[str, Enforcement]
    _params: Mapping[str, Mapping[str, object]]

    _phases: Mapping[Phase, Mapping[str, Enforcement]] = field(default_factory=dict)
    _phase_params: Mapping[Phase, Mapping[str, Mapping[str, object]]] = field(default_factory=dict)
    after: str = ""
    """The profile that comes before it in strictness, where it is none of ours."""

    def enforcement(self, rule_id: str, phase: Phase | None = None) -> Enforcement:
        """What a failure of the rule does, at a phase where one is given."""
        usual = self._enforcement.get(rule_id, self._default)
        return self._phases.get(phase, {}).get(rule_id, usual) if phase else usual

    def where_unsaid(self, levels: Mapping[str, Enforcement]) -> Profile:
        """The same profile, where these rules have the given level unless the profile names them itself."""
        return replace(self, _enforcement={**levels, **self._enforcement})

    def at(self, *phases: Phase) -> Profile:
        """The same profile as it is at a phase; at several, a rule has the highest of their levels."""
        named = {rule for phase in phases for rule in self._phases.get(phase, {})}
        levels = {
            rule: max((self.enforcement(rule, phase) for phase in phases), key=LEVELS.index) for rule in named
        }
        params = dict(self._params)
        for phase in phases:
            for rule, values in self._phase_params.get(phase, {}).items():
                params[rule] = {**params.get(rule, {}), **values}
        return replace(
            self, _enforcement={**self._enforcement, **levels}, _params=params, _phases={}, _phase_params={}
        )

    def params(self, rule: Rule) -> Facts:
        """The rule's defaults under this profile's values."""
        defaults = {name: schema["default"] for name, schema in rule.params.items()}
        return Facts(defaults | dict(self._params.get(rule.id, {})), f"profile {self.name}: {rule.id}")


@dataclass(frozen=True)
class Minimum:
    """The mildest profile that each client and environment may have."""

    default: str
    clients: Mapping[str, Mapping[str, str]]

    def of(self, client: str, environment: str) -> str:
        """The name of the profile; the environment's own, else the client's, else everybody's."""
        own = self.clients.get(client, {})
        return own.get(environment, own.get(DEFAULT, self.default))


@dataclass(frozen=True)
class Profiles:
    """All profiles, and which one judges a subject."""

    ordered: tuple[Profile, ...]
    minimum: Minimum
    _chosen: dict[tuple[str, str, str, str], Profile] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """The choices so far by stack, client, environment and declared profile, which many subjects share."""

    @property
    def strictest(self) -> Profile:
        """Judges whatever does not say, or cannot be believed about, whose it is."""
        return self.ordered[-1]

    def named(self, name: str) -> Profile | None:
        """The profile of that name."""
        return next((profile for profile in self.ordered if profile.name == name), None)

    def where_unsaid(self, levels: Mapping[str, Enforcement]) -> Profiles:
        """The same profiles, where these rules have the given level in each that does not name them."""
        return replace(self, ordered=tuple(each.where_unsaid(levels) for each in self.ordered))

    def at(self, *phases: Phase) -> Profiles:
        """The same profiles as they are at a phase, or the stricter of several."""
        return replace(self, ordered=tuple(each.at(*phases) for each in self.ordered))

    def choose(self, subject: Subject) -> Profile:
        """The stricter of declared and minimum profile; the strictest without tags one can believe."""
        try:
            tags = subject.facts.table("tags")
            said = (subject.stack, tags.text("client"), tags.text("environment"), tags.text("profile"))
        except (UnknownFactError, MalformedFactError):
            return self.strictest
        chosen = self._chosen.get(said)
        if chosen is None:
            chosen = self._chosen[said] = self._choose(*said)
        return chosen

    def _choose(self, stack: str, client: str, environment: str, profile: str) -> Profile:
        declared = self.named(profile)
        # A borrowed client name would borrow that client's milder minimum; so would another way to write it.
        if declared is None or not are_names(client, environment):
            return self.strictest
        if stack != f"{client}-{environment}":
            return self.strictest
        least = self.named(self.minimum.of(client, environment)) or self.strictest
        return max(declared, least, key=lambda profile: profile.strictness)


@cache
def load_profiles(folder: Path = FOLDER) -> Profiles:
    """The profiles and the minimum out of a folder, checked against the catalog; raises PackError."""
    return read_profiles(folder, load_catalog())


def read_profiles(
    folder: Path, rules: Sequence[Rule], *, others: Path | None = None, minimum: Path | None = None
) -> Profiles:
    """Our profiles, and those of the folder `others`: each instead of ours of its name, or `after` one.

    `minimum`: the file that says who may have which, instead of ours. Raises PackError.
    """
    known = {rule.id: rule for rule in rules}
    ordered = [read_profile(folder / f"{name}.yaml", known) for name in NAMES]
    for path in sorted(others.glob("*.yaml")) if others and others.is_dir() else ():
        _place(ordered, read_profile(path, known), path)
    numbered = tuple(replace(each, strictness=number) for number, each in enumerate(ordered))
    names = [each.name for each in numbered]
    return Profiles(numbered, read_minimum(minimum or folder / "minimum.yaml", names))


def _place(ordered: list[Profile], profile: Profile, path: Path) -> None:
    """Put the profile where its name or its `after` says."""
    names, place = [each.name for each in ordered], f"profiles/{path.name}"
    if profile.name in names:
        if profile.after:
            raise PackError(f"{place}.after: {profile.name} has its place already; leave `after` out")
        ordered[names.index(profile.name)] = profile
    elif profile.after not in names:
        raise PackError(
            f"{place}.after: no profile named {shown(profile.after)!r}; known: {', '.join(names)}"
        )
    else:
        ordered.insert(names.index(profile.after) + 1, profile)


def read_profile(path: Path, rules: Mapping[str, Rule]) -> Profile:
    """One profile; raises PackError at a rule, parameter or level that does not exist."""
    place = f"profiles/{path.name}"
    body = yamlfile.mapping(
        yamlfile.read(path),
        place,
        required=("name", "description", "enforcement", "params"),
        optional=("after", "phase_params"),
    )
    if body["name"] != path.stem:
        raise PackError(f"{place}: name is {shown(body['name'])!r}, the file says {path.stem!r}")
    enforcement = yamlfile.mapping(
        body["enforcement"], f"{place}.enforcement", required=("default", "rules"), optional=("phases",)
    )
    phases = {
        phase: yamlfile.mapping(value, at, required=("rules",), optional=())
        for phase, value, at in _by_phase(enforcement.get("phases", {}), f"{place}.enforcement.phases")
    }
    return Profile(
        name=path.stem,
        description=_text(body["description"], f"{place}.description"),
        strictness=0,
        _default=_enforcement(enforcement["default"], f"{place}.enforcement.default"),
        _enforcement=_levels(enforcement["rules"], rules, f"{place}.enforcement.rules"),
        _params=_all_params(body["params"], rules, f"{place}.params"),
        _phases={
            phase: _levels(value["rules"], rules, f"{place}.enforcement.phases.{phase}.rules")
            for phase, value in phases.items()
        },
        _phase_params={
            phase: _all_params(value, rules, at)
            for phase, value, at in _by_phase(body.get("phase_params", {}), f"{place}.phase_params")
        },
        after=_text(body.get("after", ""), f"{place}.after"),
    )


def _text(value: object, place: str) -> str:
    if not isinstance(value, str):
        raise PackError(f"{place}: expected a text, got {shown(value)}")
    return value


def _by_phase(value: object, place: str) -> list[tuple[Phase, object, str]]:
    phases = yamlfile.mapping(value, place, optional=tuple(Phase), called="phase")
    return [(Phase(name), each, f"{place}.{name}") for name, each in phases.items()]


def _levels(value: object, rules: Collection[str], place: str) -> Mapping[str, Enforcement]:
    levels = yamlfile.mapping(value, place, optional=rules, called="rule")
    return {rule: _enforcement(level, f"{place}.{rule}") for rule, level in levels.items()}


def _enforcement(value: object, place: str) -> Enforcement:
    for level in LEVELS:
        if value == level.value:
            return level
    raise PackError(f"{place}: expected {', '.join(reversed(LEVELS))}; got {shown(value)}")


def _all_params(value: object, rules: Mapping[str, Rule], place: str) -> Mapping[str, Mapping[str, object]]:
    params = yamlfile.mapping(value, place, optional=rules, called="rule")
    return {rule: _params(values, rules[rule], f"{place}.{rule}") for rule, values in params.items()}


def _params(values: object, rule: Rule, place: str) -> Mapping[str, object]:
    checked = yamlfile.mapping(values, place, optional=rule.params, called="parameter")
    for name, value in checked.items():
        check_value(value, rule.params[name], f"{place}.{name}")
    return checked


def read_minimum(path: Path, names: Sequence[str]) -> Minimum:
    """The minimum of each client and environment; raises PackError at a profile that is none of `names`."""
    place = f"profiles/{path.name}" if path.parent == FOLDER else path.name
    body = yamlfile.mapping(yamlfile.read(path), place, required=("default", "clients"), optional=())
    clients = {
        check_client(client, f"{place}.clients"): yamlfile.mapping(value, f"{place}.clients.{client}")
        for client, value in yamlfile.mapping(body["clients"], f"{place}.clients").items()
    }
    for client, own in clients.items():
        for environment in own:
            check_environment(environment, f"{place}.clients.{client}")
    used = [body["default"], *(name for client in clients.values() for name in client.values())]
    wrong = [name for name in used if name not in names]
    if wrong:
        raise PackError(f"{place}: no profile named {shown(wrong[0])!r}; known: {', '.join(names)}")
    named = {client: {env: str(name) for env, name in own.items()} for client, own in clients.items()}
    return Minimum(str(body["default"]), named)
