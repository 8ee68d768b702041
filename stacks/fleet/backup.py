"""Backup plans and the repositories they write to."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from stacks.fleet.schedule import Schedule, parse_schedule
from stacks.fleet.units import Duration, Name, Path, Spec, Whole, Zone, no_parent_steps

StackName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{2,61}$")]
Database = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]


class Repository(Spec):
    """A place for snapshots: a vault server of this fleet, or of another stack."""

    stack: StackName | None = Field(None, description="Stack whose fleet runs the vault.")
    repository: Name | None = Field(None, description="Its name there, when it is not the same.")
    server: Name | None = Field(None, description="Server group of this fleet with the role backup_vault.")

    @model_validator(mode="after")
    def _one_place(self) -> Repository:
        if (self.stack is None) == (self.server is None):
            raise ValueError("say either stack (a vault elsewhere) or server (the vault of this fleet)")
        if self.repository is not None and self.stack is None:
            raise ValueError("repository names a vault of another stack; say stack as well")
        return self


class Keep(Spec):
    """How many snapshots of each period to keep; recorded and judged, nothing is forgotten yet."""

    hourly: Whole = Field(0, ge=0, le=10_000)
    daily: Whole = Field(0, ge=0, le=10_000)
    weekly: Whole = Field(0, ge=0, le=10_000)
    monthly: Whole = Field(0, ge=0, le=10_000)
    yearly: Whole = Field(0, ge=0, le=10_000)

    @model_validator(mode="after")
    def _keeps_something(self) -> Keep:
        if not any((self.hourly, self.daily, self.weekly, self.monthly, self.yearly)):
            raise ValueError("keeps nothing; say for example {daily: 7, weekly: 4}")
        return self


def _cron(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("write a schedule as five fields in quotes, for example \"30 2 * * *\"")
    return parse_schedule(value).expression


class BackupPlan(Spec):
    """What is saved, where, when, for how long, and how much loss (RPO) and wait (RTO) is accepted."""

    paths: tuple[Annotated[Path, AfterValidator(no_parent_steps)], ...] = ()
    postgresql: tuple[Database, ...] = ()
    repository: Name
    schedule: Annotated[str, BeforeValidator(_cron)]
    timezone: Zone = "UTC"
    keep: Keep
    rpo: Duration
    rto: Duration

    @model_validator(mode="after")
    def _one_kind(self) -> BackupPlan:
        if bool(self.paths) == bool(self.postgresql):
            raise ValueError("say either paths or postgresql (database names)")
        return self

    @property
    def kind(self) -> Literal["paths", "postgresql"]:
        """What the plan saves."""
        return "paths" if self.paths else "postgresql"

    @property
    def cron(self) -> Schedule:
        """The schedule, parsed."""
        return parse_schedule(self.schedule)

    @property
    def longest_gap(self) -> timedelta:
        """The longest time between two planned snapshots."""
        return self.cron.longest_gap()

    def covers(self, mount: str) -> bool:
        """Whether a volume at `mount` is saved: a path at or above it, or PostgreSQL's own folder for a database plan."""
        if self.postgresql:
            return mount == "/var/lib/postgresql" or mount.startswith("/var/lib/postgresql/")
        return any(mount == path or mount.startswith(path + "/") for path in self.paths)
