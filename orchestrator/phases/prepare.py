"""prepare: get ready once what every new server of some roles would install by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestrator.inventory.prepared import Contents
from orchestrator.ports.images import PreparedImages, ServerImages
from orchestrator.ports.roles import RoleBook
from orchestrator.ports.run import Say
from orchestrator.reporting.model import Change
from stacks.fleet.model import Fleet

EVERYWHERE = "baseline"
"""The role that every server has and no fleet lists."""


def wanted_images(fleet: Fleet, changes: Iterable[Change], roles: RoleBook) -> dict[str, Contents]:
    """What each server that will be made needs, by its name; servers that need nothing are left out."""
    groups = {name: group for group, spec in fleet.servers.items() for name in spec.names(group)}
    new = [
        change.name for change in changes if change.kind == "server" and change.op in ("create", "replace")
    ]
    by_group = {
        group: _contents(fleet, group, roles) for group in {groups[name] for name in new if name in groups}
    }
    found = {name: by_group[groups[name]] for name in new if name in groups}
    return {name: contents for name, contents in found.items() if contents.packages}


def _contents(fleet: Fleet, group: str, roles: RoleBook) -> Contents:
    uses = [roles.prepared(role.name, role.variables) for role in fleet.servers[group].roles]
    return roles.prepared(EVERYWHERE, {}).with_all(uses)


def prepare(wanted: Mapping[str, Contents], images: ServerImages, say: Say) -> PreparedImages:
    """Get the images ready; what could not be is told, and those servers are made from the base image."""
    done = images.prepare(wanted)
    for problem in done.problems:
        say(f"no prepared image, so each server installs its packages itself: {problem}")
    return done


def summary(done: PreparedImages) -> str:
    """`1 image made, 2 were there; 1 could not be made`."""
    parts = [f"{done.made} made"] if done.made else []
    parts += [f"{done.there} {'was' if done.there == 1 else 'were'} there"] if done.there else []
    text = "prepared images: " + (", ".join(parts) or "none")
    return text + (f"; {'; '.join(done.problems)}" if done.problems else "")
