"""One server, as it is asked for and as it was made."""

from __future__ import annotations

from stacks.providers.local.blueprint import Blueprint
from stacks.providers.local.machine import Limits
from stacks.providers.local.wire import Properties

SERVER: Properties = {
    "name": "web-1",
    "group": "web",
    "image": "debian-12",
    "networkId": "steward-net",
    "cidr": "10.61.40.0/24",
    "gateway": "10.61.40.1",
    "cpus": 1,
    "memoryGib": 0.5,
    "roles": ["web"],
    "volumes": [{"name": "data", "volumeId": "v-1", "mount": "/srv/data", "dataBearing": True}],
    "publish": [{"port": 80}],
    "authorizedKeys": ["ssh-ed25519 AAAA a"],
    "tags": {"client": "acme", "stack": "acme-prod", "stackId": "s1"},
}
MADE: Properties = {**SERVER, "address": "10.61.40.128", "published": {"80": 20080}}
PLAN = Blueprint(
    "steward-acme-prod-web-1-0a0b0c0d", "f" * 32, "10.61.40.128", 20022, {"80": 20080}, "ssh-ed25519 AA"
)
LIMITS = Limits(cgroups=True, open_files=1024, processes=512)
