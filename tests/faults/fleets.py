"""The fleets that faults are made in: a vault, and two web servers that are backed up to it."""

from __future__ import annotations

from tests.e2e.world import World

VAULT_NAMES = {"client: acme": "client: faults", "10.41.0.0/24": "10.76.0.0/24", "10.42.0": "10.75.0"}

SHOP = """\
version: 1
client: faults
environment: shop
owner: tests@faults.example
provider: local
region: local-1
profile: demo
networks:
  lan: {cidr: 10.76.0.0/24}
services:
  site:
    purpose: Something to break
    owner: tests@faults.example
    availability: {target_percent: 99.0}
    servers: [web]
servers:
  web:
    count: 2
    size: small
    network: lan
    roles:
      - nginx
    ingress:
      - {from: anywhere, port: 80}
    backup: [site]
repositories:
  vault: {stack: faults-vault}
backups:
  site:
    paths: [/var/www]
    repository: vault
    schedule: "30 1 * * *"
    keep: {daily: 7, weekly: 4}
    rpo: 26h
    rto: 30m
"""

__all__ = ["SHOP", "VAULT_NAMES", "World"]
