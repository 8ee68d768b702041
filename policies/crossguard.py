"""The rules as the engine's analyzer: each resource is read once, judged once, and answered for by rule.

We answer the engine's protocol ourselves (docs/adr/0031-own-analyzer.md). Its policy library reads a resource
anew for every policy, knows one enforcement a policy where profiles decide it by subject, and turns what is
unknown into advice without a place. Here a rule is one policy, and profiles decide by finding.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent import futures
from dataclasses import replace
from typing import Any, Final

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import analyzer_pb2 as wire
from pulumi.runtime.proto import analyzer_pb2_grpc, plugin_pb2

from policies.evaluate import evaluate
from policies.facts import Unknown
from policies.model import (
    CheckResult,
    Enforcement,
    Kind,
    PackError,
    Phase,
    Rule,
    Scope,
    Severity,
    State,
    Subject,
)
from policies.profiles import Profiles
from policies.record import ResultFile
from policies.subjects.resources import neutral_edges, resource_subject, whole
from policies.subjects.wire import plain

NAME: Final = "steward"
_VERSION: Final = "0.1.0"
_REPORTED: Final = (State.FAIL, State.ERROR, State.UNKNOWN)
_SEVERITIES: Final = {
    Severity.LOW: wire.POLICY_SEVERITY_LOW,
    Severity.MEDIUM: wire.POLICY_SEVERITY_MEDIUM,
    Severity.HIGH: wire.POLICY_SEVERITY_HIGH,
    Severity.CRITICAL: wire.POLICY_SEVERITY_CRITICAL,
}
_LEVELS: Final = {Enforcement.MANDATORY: wire.MANDATORY, Enforcement.ADVISORY: wire.ADVISORY}
"""Of what the engine is told; what is deferred is asked again at `up`, so it is told nothing."""
_MOST_BYTES: Final = 400 * 1024 * 1024
"""Of one message, as everywhere in the engine."""
_WORKERS: Final = 4


class Analyzer(analyzer_pb2_grpc.AnalyzerServicer):
    """Answers the engine about one stack; the engine calls from several threads."""

    def __init__(
        self,
        rules: Sequence[Rule],
        profiles: Profiles,
        results: ResultFile | None,
        excuse: Callable[[list[CheckResult]], list[CheckResult]] = list,
    ) -> None:
        self._excuse = excuse
        judged = [rule for rule in rules if rule.kind is Kind.RESOURCE]
        self._rules = {rule.id: rule for rule in judged}
        self._subject_rules = [rule for rule in judged if rule.scope is Scope.SUBJECT]
        self._stack_rules = [rule for rule in judged if rule.scope is Scope.STACK]
        # The engine does not say which of the two it asks for, so the stricter of both acts.
        self._profiles = profiles.at(Phase.PREVIEW, Phase.UP)
        self._results = results
        self._inputs: dict[str, Subject] = {}

    def Analyze(self, request: Any, context: object) -> Any:
        """Judge one resource before it is made."""
        subject = self._inputs[request.urn] = _subject(request)
        return self._answer([subject], self._subject_rules)

    def AnalyzeStack(self, request: Any, context: object) -> Any:
        """Judge what only the whole stack shows."""
        return self._answer(whole([self._in_stack(each) for each in request.resources]), self._stack_rules)

    def Remediate(self, request: object, context: object) -> Any:
        """Nothing: rules say what is wrong, people mend the fleet file."""
        return wire.RemediateResponse()

    def GetAnalyzerInfo(self, request: object, context: object) -> Any:
        """Each rule about resources as one policy."""
        policies = [
            wire.PolicyInfo(
                name=rule.id,
                displayName=rule.title,
                description=rule.title,
                enforcementLevel=wire.MANDATORY,
                severity=_SEVERITIES[rule.severity],
                remediation_steps=rule.remediation,
                policy_type=wire.POLICY_TYPE_STACK
                if rule.scope is Scope.STACK
                else wire.POLICY_TYPE_RESOURCE,
            )
            for rule in self._rules.values()
        ]
        return wire.AnalyzerInfo(name=NAME, version=_VERSION, supportsConfig=False, policies=policies)

    def GetPluginInfo(self, request: object, context: object) -> Any:
        """The version that the engine shows."""
        return plugin_pb2.PluginInfo(version=_VERSION)

    def Configure(self, request: object, context: object) -> Any:
        """Nothing: how strict a rule is stands in profiles, which no flag of the engine can turn off."""
        return empty_pb2.Empty()

    def ConfigureStack(self, request: object, context: object) -> Any:
        """Nothing: the stack's name stands in each URN."""
        return wire.AnalyzerStackConfigureResponse()

    def Cancel(self, request: object, context: object) -> Any:
        """Nothing: no request takes long."""
        return empty_pb2.Empty()

    def _in_stack(self, resource: Any) -> Subject:
        """Inputs, as they were asked about before: here the engine shows outputs, which previews lack."""
        depends_on = {key: tuple(sources.urns) for key, sources in resource.propertyDependencies.items()}
        seen = self._inputs.get(resource.urn)
        return (
            replace(seen, depends_on=neutral_edges(seen.type, depends_on))
            if seen
            else _subject(resource, depends_on)
        )

    def _answer(self, subjects: Sequence[Subject], rules: Sequence[Rule]) -> Any:
        # Not settled, ever: at `up` the engine asks once it knows all inputs of a resource, so a value that
        # is unknown here is one that it will show in full before the resource is made.
        try:
            found = self._excuse(evaluate(subjects, self._profiles, rules=rules))
        except BaseException as error:
            if isinstance(error, Exception):
                raise
            # gRPC answers the engine's call for an Exception alone; without an answer it would wait for ever.
            raise RuntimeError(f"the rules could not judge: {type(error).__name__}: {error}") from error
        if self._results:
            self._results.append(found)
        return wire.AnalyzeResponse(
            diagnostics=[self._diagnostic(result) for result in found if _is_told(result)],
            not_applicable=_not_applicable(found),
        )

    def _diagnostic(self, result: CheckResult) -> Any:
        rule = self._rules[result.rule]
        return wire.AnalyzeDiagnostic(
            policyName=rule.id,
            policyPackName=NAME,
            policyPackVersion=_VERSION,
            description=rule.title,
            message=f"{rule.title}\n{result.message}",
            enforcementLevel=_LEVELS[result.enforcement],
            urn=result.subject.urn,
            severity=_SEVERITIES[result.severity],
        )


def serve(analyzer: Analyzer) -> None:
    """Serve on a free port of loopback, said on standard output, until the engine ends the process."""
    options = [(f"grpc.max_{way}_message_length", _MOST_BYTES) for way in ("receive", "send")]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=_WORKERS), options=options)
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(analyzer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()


def _is_told(result: CheckResult) -> bool:
    return result.state in _REPORTED and result.enforcement in _LEVELS


def _not_applicable(results: Iterable[CheckResult]) -> list[Any]:
    """The rules that had nothing to say of any subject of this request, each with its first reason."""
    reasons: dict[str, str] = {}
    spoke: set[str] = set()
    for result in results:
        if result.state in (State.NOT_APPLICABLE, State.NOT_RUN):
            reasons.setdefault(result.rule, result.message)
        else:
            spoke.add(result.rule)
    return [
        wire.PolicyNotApplicable(policy_name=rule, reason=reason)
        for rule, reason in reasons.items()
        if rule not in spoke
    ]


def _properties(resource: Any) -> Mapping[str, object] | Unknown:
    try:
        return plain(json_format.MessageToDict(resource.properties), resource.urn)
    except PackError as problem:  # what cannot be read is unknown to each rule, under the rule's own name
        return Unknown(str(problem))


def _subject(resource: Any, depends_on: Mapping[str, tuple[str, ...]] | None = None) -> Subject:
    return resource_subject(
        resource.type,
        resource.urn,
        resource.name,
        _properties(resource),
        is_component=not resource.HasField("provider"),  # only what a provider makes has one
        protect=resource.options.protect,
        depends_on=depends_on,
    )
