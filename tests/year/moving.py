"""A store that begins as a file and moves into PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import define, field

from support.postgres import admin, schema, server_dsn

from .homes import Home
from .machine import Machine

STORE = "TRC_ENGAGE_STORE"
OF_A_SCHEMA = """
SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relnamespace = %s::regnamespace
"""


@define
class MovingHome(Home):
    """A store that begins as a file and moves into PostgreSQL; from then on it is copied to files as backups."""

    _schemas: list[str]
    _schema: str = field(default="", init=False)

    def migrate(self) -> None:
        """Move into PostgreSQL, while the daemon is stopped."""
        self._move_into(self._schemas[0], self.machine.store)
        self.machine.store.unlink()

    def back_up(self, file: Path) -> None:
        """Copy the store while the daemon is idle."""
        if self._schema:
            self.machine.run("migrate-store", self.machine.env[STORE], str(file))
        else:
            Home.back_up(self, file)

    def restore(self, file: Path) -> None:
        """Restore a backup into a schema of its own, while the daemon is stopped."""
        self._move_into(self._schemas[1], file)

    def as_file(self, backup: Path) -> Path:
        """Return a file that holds what the store holds; the backup is of this moment."""
        return backup if self._schema else self.machine.store

    @property
    def size_bytes(self) -> int:
        """How much disk space the store takes."""
        if not self._schema:
            return self.machine.store.stat().st_size
        row = admin().execute(OF_A_SCHEMA, [self._schema]).fetchone()
        return int(row[0]) if row else 0

    def _move_into(self, name: str, file: Path) -> None:
        address = f"{server_dsn()}&schema={name}"
        assert "both sound" in self.machine.run("migrate-store", str(file), address).out
        self._schema, self.machine.env[STORE] = name, address


@contextmanager
def moving(machine: Machine) -> Iterator[MovingHome]:
    """Yield a home with two schemas that do not exist yet: one to move into, one to restore into."""
    with schema() as first, schema() as second:
        yield MovingHome(machine, [first, second])
