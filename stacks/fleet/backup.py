"""Backup plans and the repositories they write to."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from stacks.fleet.schedule import Schedule, parse_schedule
from stacks.fleet.units import Duration, Name, Path, Spec, Whole, Zone, distinct, told


def _cron(value: Any) -> str:
    if not isinstance(value, str):
        text = 'write a schedule as five fields in quotes, for example "30 1 * * *"'
        raise ValueError(text)  # noqa: TRY004  # pydantic makes a mistake of a ValueError only
    return parse_schedule(value).expression


StackName = Annotated[
    str,
    Field(
        pattern=told(
            r"^[a-z]([a-z0-9-]{0,28}[a-z0-9])?-[a-z][a-z0-9]{0,29}$",
            "write a stack as client-environment, for example acme-vault",
        )
    ),
]
Database = Annotated[
    str,
    Field(
        pattern=told(
            r"^[a-z_][a-z0-9_]{0,62}$",
            "write a database's name with lower-case letters, digits and underscores, at most 63 characters",
        )
    ),
]
Cron = Annotated[
    str,
    BeforeValidator(_cron),
    WithJsonSchema(
        {"type": "string", "pattern": r"^\S+( +\S+){4}$", "examples": ["30 1 * * *", "0 * * * *"]}
    ),
]


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


class BackupPlan(Spec):
    """What is saved, where, when, for how long, and how much loss (RPO) and wait (RTO) is accepted."""

    paths: Annotated[tuple[Path, ...], AfterValidator(distinct)] = Field((), description="Folders to save.")
    postgresql: Annotated[tuple[Database, ...], AfterValidator(distinct)] = Field(
        (), description="Databases to save, by name."
    )
    repository: Name
    schedule: Cron = Field(
        description="Five cron fields: minute hour day month weekday; not both a day and a weekday."
    )
    timezone: Zone = Field("UTC", description="IANA zone in which the schedule is read.")
    keep: Keep
    rpo: Duration = Field(
        description="How old the newest snapshot may be; at least the longest time between two runs."
    )
    rto: Duration = Field(description="How long a restore may take.")

    @model_validator(mode="after")
    def _one_kind(self) -> BackupPlan:
        if bool(self.paths) == bool(self.postgresql):
            raise ValueError("say either paths or postgresql (database names)")
        return self

    @property
    def kind(self) -> Literal["paths", "postgresql"]:
        """What the plan saves."""
        return "paths" if self.paths else "postgresql"

    @cached_property
    def cron(self) -> Schedule:
        """The schedule, parsed."""
        return parse_schedule(self.schedule)

    @cached_property
    def longest_gap(self) -> timedelta:
        """The longest time between two planned snapshots, changes of the clocks included."""
        return self.cron.longest_gap(self.timezone)

    def covers(self, mount: str) -> bool:
        """Whether a volume at `mount` is saved: by a path at or above it, or as PostgreSQL's by databases."""
        if self.postgresql:
            return mount == "/var/lib/postgresql" or mount.startswith("/var/lib/postgresql/")
        return any(mount == path or mount.startswith(path + "/") for path in self.paths)
