"""The plugin's gRPC face: requests to the resource kinds, their answers and errors back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, status_pb2
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto import provider_pb2_grpc as pbg

from stacks.providers.local import schema, shapes
from stacks.providers.local.bucket import Bucket
from stacks.providers.local.diffs import Change, PropertyChange, compare, sentences
from stacks.providers.local.errors import InitFailedError, LocalError
from stacks.providers.local.firewall import Firewall
from stacks.providers.local.identity import Identity
from stacks.providers.local.kind import IDENTITY, Call, Kind
from stacks.providers.local.machine import Machine
from stacks.providers.local.network import Network
from stacks.providers.local.podman import INSTALL
from stacks.providers.local.server import Server
from stacks.providers.local.volume import Volume
from stacks.providers.local.wire import from_struct, to_struct

READY_SECONDS = 90.0
"""How long a server may take to answer when the program gives no custom timeout."""

_KIND = pb.PropertyDiff.Kind
_CHANGES: dict[tuple[Change, bool], Any] = {
    (Change.ADD, False): _KIND.ADD,
    (Change.ADD, True): _KIND.ADD_REPLACE,
    (Change.DELETE, False): _KIND.DELETE,
    (Change.DELETE, True): _KIND.DELETE_REPLACE,
    (Change.UPDATE, False): _KIND.UPDATE,
    (Change.UPDATE, True): _KIND.UPDATE_REPLACE,
}


class Provider(pbg.ResourceProviderServicer):
    """One instance serves one engine; requests come in parallel."""

    def __init__(self, machine: Machine) -> None:
        kinds: tuple[Kind, ...] = (Identity(), Network(), Volume(), Bucket(), Server(), Firewall())
        self._kinds = {kind.pulumi_type: kind for kind in kinds}
        self._machine = machine

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """Our version."""
        return plugin_pb2.PluginInfo(version=schema.VERSION)

    def GetSchema(self, request: Any, context: grpc.ServicerContext) -> pb.GetSchemaResponse:
        """The minimal schema that `pulumi import` wants."""
        return pb.GetSchemaResponse(schema=schema.render(self._kinds.values()))

    def CheckConfig(self, request: pb.CheckRequest, context: grpc.ServicerContext) -> pb.CheckResponse:
        """The provider has no settings."""
        return pb.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: pb.DiffRequest, context: grpc.ServicerContext) -> pb.DiffResponse:
        """The provider has no settings."""
        return pb.DiffResponse(changes=pb.DiffResponse.DIFF_NONE)

    def Configure(self, request: pb.ConfigureRequest, context: grpc.ServicerContext) -> pb.ConfigureResponse:
        """Refuses at once, and once for all resources, where Podman is missing."""
        with _told(context):
            if not self._machine.podman.installed():
                raise LocalError(
                    "local provider",
                    "Podman is not installed or not on PATH",
                    place="podman",
                    next_step=INSTALL["podman"],
                )
        # Secrets come in clear and the engine marks same-named outputs again; we make no secret of our own.
        return pb.ConfigureResponse(supportsPreview=True)

    def Check(self, request: pb.CheckRequest, context: grpc.ServicerContext) -> pb.CheckResponse:
        """Shape first, then what the machine says."""
        inputs = from_struct(request.news)
        olds = from_struct(request.olds) or None
        with _told(context):
            kind = self._kind(_type_of(request))
            failures = shapes.misfits(inputs, kind.fields)
            if not failures:
                failures = kind.check(self._machine, request.urn, inputs, olds)
        subject = str(inputs.get("name", ""))
        return pb.CheckResponse(
            inputs=to_struct(inputs),
            failures=[
                pb.CheckFailure(property=failure.path, reason=f"{subject}: {failure.path}: {failure.reason}")
                for failure in failures
            ],
        )

    def Diff(self, request: pb.DiffRequest, context: grpc.ServicerContext) -> pb.DiffResponse:
        """What changed and what it costs."""
        with _told(context):
            kind = self._kind(_type_of(request))
        olds, news = from_struct(request.olds), from_struct(request.news)
        asked = from_struct(request.old_inputs) or {key: olds[key] for key in kind.fields if key in olds}
        changes = compare(asked, olds, news, kind.rules)
        for text in sentences(changes, asked, news, delete_first=kind.delete_first):
            self._machine.tell(text, request.urn)
        return pb.DiffResponse(
            changes=pb.DiffResponse.DIFF_SOME if changes else pb.DiffResponse.DIFF_NONE,
            replaces=[key for key, change in changes.items() if change.replace],
            diffs=list(changes),
            detailedDiff={key: _detail(change) for key, change in changes.items()},
            hasDetailedDiff=True,
            deleteBeforeReplace=kind.delete_first,
        )

    def Create(self, request: pb.CreateRequest, context: grpc.ServicerContext) -> pb.CreateResponse:
        """Make it, or in a preview tell what is known."""
        inputs = from_struct(request.properties)
        with _told(context):
            kind = self._kind(_type_of(request))
            if request.preview:
                return pb.CreateResponse(properties=to_struct({**inputs, **kind.preview(inputs, {})}))
            made = kind.create(self._machine, _call(request), inputs)
        return pb.CreateResponse(id=made.identity, properties=to_struct(made.properties))

    def Read(self, request: pb.ReadRequest, context: grpc.ServicerContext) -> pb.ReadResponse:
        """The live truth; an empty id in the answer means gone."""
        with _told(context):
            kind = self._kind(_type_of(request))
            found = kind.read(
                self._machine, _safe(request.id), from_struct(request.properties), from_struct(request.inputs)
            )
        if found is None:
            return pb.ReadResponse(id="")
        return pb.ReadResponse(
            id=request.id, properties=to_struct(found.properties), inputs=to_struct(found.inputs)
        )

    def Update(self, request: pb.UpdateRequest, context: grpc.ServicerContext) -> pb.UpdateResponse:
        """Change in place and mend."""
        olds, news = from_struct(request.olds), from_struct(request.news)
        with _told(context):
            kind = self._kind(_type_of(request))
            if request.preview:
                kept = {key: olds[key] for key in kind.outputs if key in olds}
                return pb.UpdateResponse(properties=to_struct({**news, **kept, **kind.preview(news, olds)}))
            outputs = kind.update(self._machine, _call(request), _safe(request.id), olds, news)
        return pb.UpdateResponse(properties=to_struct(outputs))

    def Delete(self, request: pb.DeleteRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Remove it; twice does no harm."""
        with _told(context):
            kind = self._kind(_type_of(request))
            kind.delete(self._machine, _call(request), _safe(request.id), from_struct(request.properties))
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Every wait ends soon; what exists by then is handed over as half made."""
        self._machine.stop.set()
        return empty_pb2.Empty()

    def _kind(self, token: str) -> Kind:
        if token not in self._kinds:
            raise LocalError(token, f"no such resource type; known: {', '.join(sorted(self._kinds))}")
        return self._kinds[token]


@contextmanager
def _told(context: grpc.ServicerContext) -> Iterator[None]:
    """Turn our errors into what the engine shows, and half-made things into what it records."""
    try:
        yield
    except InitFailedError as error:
        _hand_over(context, error)
    except LocalError as error:
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))


def _hand_over(context: grpc.ServicerContext, error: InitFailedError) -> NoReturn:
    detail = pb.ErrorResourceInitFailed(
        id=error.identity,
        properties=to_struct(error.outputs),
        reasons=error.reasons,
        inputs=to_struct(error.inputs) if error.inputs is not None else None,
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error))
    status.details.add().Pack(detail)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.UNKNOWN, str(error))
    raise AssertionError("abort always raises")


def _detail(change: PropertyChange) -> pb.PropertyDiff:
    return pb.PropertyDiff(kind=_CHANGES[change.change, change.replace], inputDiff=not change.output)


def _call(request: pb.CreateRequest | pb.UpdateRequest | pb.DeleteRequest) -> Call:
    begun = time.monotonic()
    return Call(urn=request.urn, deadline=begun + (request.timeout or READY_SECONDS), begun=begun)


def _type_of(request: Any) -> str:
    """The resource type; older requests only carry the URN: urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME."""
    if request.type:
        return str(request.type)
    parts = str(request.urn).split("::")
    return parts[2].rsplit("$", 1)[-1] if len(parts) > 3 else str(request.urn)


def _safe(identity: str) -> str:
    if not IDENTITY.fullmatch(identity):
        raise LocalError(identity[:80], "is no id of this provider", place="id", next_step="Check the id.")
    return identity
