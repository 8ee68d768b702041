"""The messages of `pulumirpc.LanguageRuntime` that our language host speaks, without importing the Pulumi
SDK.

Importing the SDK takes most of a second and the engine starts a host several times, mostly to ask small
questions. Only fields
we read or write are declared; protobuf skips the others. A test compares numbers and types with those of
the SDK.
"""

from __future__ import annotations

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

SERVICE: Final = "pulumirpc.LanguageRuntime"

_TYPES = {
    "string": descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
    "bytes": descriptor_pb2.FieldDescriptorProto.TYPE_BYTES,
    "int32": descriptor_pb2.FieldDescriptorProto.TYPE_INT32,
    "bool": descriptor_pb2.FieldDescriptorProto.TYPE_BOOL,
}

# message -> field -> (number, type); `[]` marks repeated, a capital letter a message, `?` a member of the
# message's one-of.
MESSAGES: Final[dict[str, dict[str, tuple[int, str]]]] = {
    "Empty": {},
    "PluginInfo": {"version": (1, "string")},
    "ProgramInfo": {
        "root_directory": (1, "string"),
        "program_directory": (2, "string"),
        "entry_point": (3, "string"),
    },
    "RunPluginRequest": {
        "pwd": (1, "string"),
        "program": (2, "string"),
        "args": (3, "string[]"),
        "env": (4, "string[]"),
        "info": (5, "ProgramInfo"),
        "kind": (6, "string"),
    },
    "RunPluginResponse": {"stdout": (1, "bytes?"), "stderr": (2, "bytes?"), "exitcode": (3, "int32?")},
    "InstallDependenciesResponse": {"stdout": (1, "bytes"), "stderr": (2, "bytes")},
    "AboutResponse": {"executable": (1, "string"), "version": (2, "string")},
    "DependencyInfo": {"name": (1, "string"), "version": (2, "string")},
    "GetProgramDependenciesResponse": {"dependencies": (1, "DependencyInfo[]")},
}


def _classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(
        name="steward/language.proto", package="pulumirpc", syntax="proto3"
    )
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field_name, (number, kind) in fields.items():
            base = kind.rstrip("[]?")
            repeated = kind.endswith("[]")
            field = message.field.add(
                name=field_name,
                number=number,
                label=field_label(repeated),
            )
            if base in _TYPES:
                field.type = _TYPES[base]
            else:
                field.type = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE
                field.type_name = f".pulumirpc.{base}"
            if kind.endswith("?"):
                if not message.oneof_decl:
                    message.oneof_decl.add(name="output")
                field.oneof_index = 0
    # A pool of our own: the SDK registers the full messages of the same names in the default one.
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"pulumirpc.{name}"))
        for name in MESSAGES
    }


def field_label(repeated: bool) -> descriptor_pb2.FieldDescriptorProto.Label.ValueType:
    """Protobuf's label of a repeated or single field."""
    field = descriptor_pb2.FieldDescriptorProto
    return field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL


_CLASSES: Final = _classes()


def encode(name: str, **fields: Any) -> bytes:
    """Serialise a message of this name."""
    raw: bytes = _CLASSES[name](**fields).SerializeToString()
    return raw


def decode(name: str, raw: bytes) -> Any:
    """Parse a message of this name."""
    return _CLASSES[name].FromString(raw)


def dependency(name: str, version: str) -> Any:
    """One entry of GetProgramDependenciesResponse."""
    return _CLASSES["DependencyInfo"](name=name, version=version)
