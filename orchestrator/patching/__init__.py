"""Upgrading packages: which servers may be touched now, what the host does, and what it says it did."""
