"""Host keys that people pinned anew: who accepted which key instead of which, in which run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from orchestrator.evidence.database import Database
from orchestrator.host_keys import HostKeyPin


class PinBook:
    """The pins of all stacks; rows are only ever added."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_stack(self, stack_id: str) -> Sequence[HostKeyPin]:
        """The pins of one stack, oldest first."""
        query = """SELECT stack_id, server, incarnation, old_key, new_key FROM host_key_pins
            WHERE stack_id = ? ORDER BY id"""
        with self._database.reading() as connection:
            return [HostKeyPin(*row) for row in connection.execute(query, (stack_id,))]

    def record(self, pin: HostKeyPin, run: str, actor: str, at: datetime) -> None:
        """Keep one accepted key."""
        row = vars(pin) | {"run": run, "actor": actor, "at": at.isoformat()}
        with self._database.writing() as connection:
            connection.execute(
                """INSERT INTO host_key_pins
                    (stack_id, server, incarnation, old_key, new_key, run, actor, at) VALUES
                    (:stack_id, :server, :incarnation, :old_key, :new_key, :run, :actor, :at)""",
                row,
            )
