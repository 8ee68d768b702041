"""Host keys: their fingerprints, and the pins that people have replaced. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stacks.outputs import FleetOutputs


@dataclass(frozen=True)
class HostKeyPin:
    """A host key that a person accepted for one server incarnation, and the one that it replaced."""

    stack_id: str
    server: str
    incarnation: str
    old_key: str
    new_key: str


def fingerprint(key: str) -> str:
    """A public key's `SHA256:...` as ssh-keygen prints it."""
    try:
        blob = base64.b64decode(key.split()[1], validate=True)
    except (IndexError, binascii.Error):
        return "no public key"
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def with_pins(outputs: FleetOutputs, pins: Sequence[HostKeyPin]) -> FleetOutputs:
    """The outputs with the keys that people pinned since; `pins` oldest first.

    A pin holds for one incarnation of a server and for the key that it replaced: a server that is made anew,
    or whose recorded key changes otherwise, inherits none.
    """
    servers = []
    for server in outputs.servers:
        key = server.host_key
        for pin in pins:
            if (pin.incarnation, pin.old_key) == (server.incarnation, key):
                key = pin.new_key
        servers.append(server if key == server.host_key else server.model_copy(update={"host_key": key}))
    same = all(new is old for new, old in zip(servers, outputs.servers, strict=True))
    return outputs if same else outputs.model_copy(update={"servers": servers})
