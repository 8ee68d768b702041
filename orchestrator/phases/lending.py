"""lending: let a host read one repository of a predecessor for one restore, and shut it out again.

The guest gets a user and a key of its own at the vault, made for this restore and taken away after it; the
credentials of the repository itself never leave the control machine. Who is let in is kept on disk first, so
that a stop in between leaves nobody in: the next restore or `up` of the stack takes the loan back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from orchestrator.backups.credentials import LentRepository
from orchestrator.backups.documents import Snapshot
from orchestrator.backups.restic import repository_url
from orchestrator.errors import StewardError
from orchestrator.ports.backups import BackupStore, CredentialStore
from orchestrator.ports.run import Say

_PLAN_ID = "plan-id="


@contextmanager
def lent(
    snapshot: Snapshot, store: BackupStore, keeper: CredentialStore, stack: str, now: datetime, say: Say
) -> Iterator[LentRepository]:
    """The repository of this snapshot, for the block alone; raises ToolError when the vault refuses."""
    take_back(store, keeper, stack, say)
    guest, owner = keeper.guest(snapshot.repository, now), keeper.load(snapshot.repository)
    assert owner is not None  # noqa: S101  # guest() refuses a repository without credentials
    try:
        store.lend(owner, guest, keeper.keep_lent)
        described = store.describe()
        yield LentRepository(
            url=repository_url(store.address, described.port, guest.http_user),
            user=guest.http_user,
            http_password=guest.http_password,
            password=guest.password,
            certificate=described.certificate,
            plan_id=_plan_id(snapshot),
        )
    finally:
        take_back(store, keeper, stack, say)


def take_back(store: BackupStore, keeper: CredentialStore, stack: str, say: Say) -> None:
    """Shut out everybody who was let into a repository of this stack; one that stays in is said."""
    for guest in keeper.lent(stack):
        try:
            store.expel(guest)
        except StewardError as problem:
            say(
                f"{guest.server}: what was lent of its repository {guest.id[:8]} could not be taken back "
                f"({problem.message}); the next restore or up does it"
            )
        else:
            keeper.forget_lent(guest.id)


def _plan_id(snapshot: Snapshot) -> str:
    """The id of the plan that it was taken for: a plan that was made again has another."""
    return next((tag.removeprefix(_PLAN_ID) for tag in snapshot.tags if tag.startswith(_PLAN_ID)), "")
