"""Host keys that people pinned anew: who accepted which key instead of which, in which run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine, select

from orchestrator.evidence.schema import pins
from orchestrator.host_keys import HostKeyPin


class PinBook:
    """The pins of all stacks; rows are only ever added."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of_stack(self, stack_id: str) -> Sequence[HostKeyPin]:
        """The pins of one stack, oldest first."""
        query = select(pins).where(pins.c.stack_id == stack_id).order_by(pins.c.id)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [HostKeyPin(r.stack_id, r.server, r.incarnation, r.old_key, r.new_key) for r in rows]

    def record(self, pin: HostKeyPin, run: str, actor: str, at: datetime) -> None:
        """Keep one accepted key."""
        row = vars(pin) | {"run": run, "actor": actor, "at": at.isoformat()}
        with self._engine.begin() as connection:
            connection.execute(pins.insert().values(row))
