"""The rules as policies of the engine; the only importer of its policy library.

Each rule becomes a policy named by its id, and, where its findings may be advisory, a twin that ends in
`.advice`, because the engine knows one enforcement a policy and profiles decide it by subject. Rules about
one subject are resource policies: these speak before each resource is made, even if the preview is skipped.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from policies.evaluate import evaluate
from policies.facts import UNKNOWN
from policies.model import CheckResult, Enforcement, OnUnknown, Phase, Rule, Scope, State, Subject
from policies.pack import ADVICE
from policies.profiles import Profiles
from policies.record import ResultFile
from policies.subjects.resources import resource_subject

_REPORTED = (State.FAIL, State.ERROR, State.UNKNOWN)


def engine_policies(rules: Sequence[Rule], profiles: Profiles, results: ResultFile | None) -> list[Policy]:
    """One policy a rule, and its advisory twin where a profile or an unknown value can make one speak."""
    # The engine does not say which of the two it asks for, so the stricter of both acts.
    profiles = profiles.at(Phase.PREVIEW, Phase.UP)
    desk = _Desk(rules, profiles, results)
    policies: list[Policy] = []
    for rule in rules:
        policies.append(_policy(rule, Enforcement.MANDATORY, desk, len(policies)))
        if _may_advise(rule, profiles):
            policies.append(_policy(rule, Enforcement.ADVISORY, desk, len(policies)))
    return policies


def _may_advise(rule: Rule, profiles: Profiles) -> bool:
    levels = {profile.enforcement(rule.id) for profile in profiles.ordered}
    return Enforcement.ADVISORY in levels or rule.on_unknown is OnUnknown.WARN


def _policy(rule: Rule, level: Enforcement, desk: _Desk, place: int) -> Policy:
    advisory = level is Enforcement.ADVISORY
    name = rule.id + (ADVICE if advisory else "")
    enforcement = EnforcementLevel.ADVISORY if advisory else EnforcementLevel.MANDATORY
    severity = Severity(rule.severity.value)

    def on_resource(args: ResourceValidationArgs, report: ReportViolation) -> None:
        _say(rule, level, desk.resource(args, place), report, args.not_applicable)

    def on_stack(args: StackValidationArgs, report: ReportViolation) -> None:
        _say(rule, level, desk.stack(args, place), report, args.not_applicable)

    if rule.scope is Scope.STACK:
        return StackValidationPolicy(
            name, rule.title, on_stack, enforcement, severity=severity, remediation_steps=rule.remediation
        )
    return ResourceValidationPolicy(
        name, rule.title, on_resource, enforcement, severity=severity, remediation_steps=rule.remediation
    )


def _say(
    rule: Rule,
    level: Enforcement,
    results: Iterable[CheckResult],
    report: ReportViolation,
    not_applicable: Callable[[str], None],
) -> None:
    own = [result for result in results if result.rule == rule.id]
    for result in own:
        if result.state in _REPORTED and result.enforcement is level:
            report(result.message, result.subject.urn)
    if own and all(result.state in (State.NOT_APPLICABLE, State.NOT_RUN) for result in own):
        not_applicable(own[0].message)


class _Calls(threading.local):
    """Where this thread is in the request it serves, and what was found there."""

    urn: str | None = None
    place = -1
    results: Sequence[CheckResult] = ()

    def continues(self, urn: str, place: int) -> bool:
        """Whether the policy at `place` is a later one of the request that is being served."""
        later = urn == self.urn and self.place < place
        self.urn, self.place = urn, place
        return later


class _Desk:
    """Judges each resource once, though the engine's library asks every policy about it in turn.

    The library calls the policies of one request one after another in one thread, in the order of the pack: a
    place that is not behind the last one begins a new request.
    """

    def __init__(self, rules: Sequence[Rule], profiles: Profiles, results: ResultFile | None) -> None:
        self._subject_rules = [rule for rule in rules if rule.scope is Scope.SUBJECT]
        self._stack_rules = [rule for rule in rules if rule.scope is Scope.STACK]
        self._profiles = profiles
        self._results = results
        self._inputs: dict[str, Subject] = {}
        self._resource_calls = _Calls()
        self._stack_calls = _Calls()

    def resource(self, args: ResourceValidationArgs, place: int) -> Sequence[CheckResult]:
        """All results for the resource of this request."""
        calls = self._resource_calls
        if not calls.continues(args.urn, place):
            subject = _subject(args)
            self._inputs[args.urn] = subject
            calls.results = self._judge([subject], self._subject_rules)
        return calls.results

    def stack(self, args: StackValidationArgs, place: int) -> Sequence[CheckResult]:
        """All results of the rules that look at the whole stack."""
        calls = self._stack_calls
        if not calls.continues("", place):
            calls.results = self._judge([self._in_stack(item) for item in args.resources], self._stack_rules)
        return calls.results

    def _in_stack(self, resource: PolicyResource) -> Subject:
        """Inputs, as the resource policies saw them: here the engine shows outputs, which previews lack."""
        depends_on = {
            name: tuple(source.urn for source in sources)
            for name, sources in resource.property_dependencies.items()
        }
        seen = self._inputs.get(resource.urn)
        return replace(seen, depends_on=depends_on) if seen else _subject(resource, depends_on)

    def _judge(self, subjects: Sequence[Subject], rules: Sequence[Rule]) -> Sequence[CheckResult]:
        # Not settled, ever: at `up` the engine asks once it knows all inputs of a resource, so a value that
        # is unknown here is one that it will show in full before the resource is made.
        found = evaluate(subjects, self._profiles, rules=rules)
        if self._results:
            self._results.append(found)
        return found


def _subject(
    resource: ResourceValidationArgs | PolicyResource, depends_on: Mapping[str, tuple[str, ...]] | None = None
) -> Subject:
    properties = {key: _member(resource.props, key) for key in resource.props}
    return resource_subject(
        resource.resource_type,
        resource.urn,
        resource.name,
        properties,
        is_component=resource.provider is None,  # only what a provider makes has one
        protect=resource.opts.protect,
        depends_on=depends_on,
    )


def _plain(value: object) -> object:
    """Copy out of the library's proxies, which raise at unknown values, into plain ones that hold UNKNOWN."""
    if isinstance(value, Mapping):
        return {key: _member(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_member(value, place) for place in range(len(value))]
    return value


def _member(container: Any, key: object) -> object:
    try:
        return _plain(container[key])
    except UnknownValueError:
        return UNKNOWN
