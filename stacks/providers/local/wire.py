"""Between Pulumi's protobuf structs and plain dictionaries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from google.protobuf.struct_pb2 import Struct

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""The engine's word for a value that only the real run will know (`pulumi.runtime.rpc.UNKNOWN`)."""

Properties: TypeAlias = dict[str, Any]


def from_struct(struct: Struct) -> Properties:
    """A struct as a dictionary; whole numbers come back as integers, because the wire only knows floats."""
    from google.protobuf import json_format

    plain = _whole(json_format.MessageToDict(struct))
    return {key: value for key, value in plain.items() if not key.startswith("__")}


def to_struct(properties: Properties) -> Struct:
    """A dictionary as a struct."""
    from google.protobuf import struct_pb2

    struct = struct_pb2.Struct()
    struct.update(properties)
    return struct


def has_unknown(value: object) -> bool:
    """Whether the value, or anything inside it, is not known yet."""
    if isinstance(value, dict):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    return value == UNKNOWN


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
