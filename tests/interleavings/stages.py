"""Real stores that are reset to the scene before each schedule, with a connection of its own for each actor."""

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from attrs import define

from support.postgres import admin, schema, server_dsn
from trc_engage.adapters.postgres import PostgresLedger
from trc_engage.adapters.sql import stamp
from trc_engage.adapters.sql.posting import SqlLedger
from trc_engage.adapters.sql.tables import TABLES
from trc_engage.adapters.sqlite import SqliteLedger

from .roundtrips import on_server
from .scene import night
from .statements import on_files

Dump = Mapping[str, Sequence[tuple[Any, ...]]]
"""All rows by table."""
SEEN = "SELECT (SELECT count(*) FROM entries), (SELECT max(position) FROM entries), (SELECT max(slot) FROM slots)"
Seen = tuple[int, int, Any]
"""How many entries there are, the highest position, and the last slot that has ended."""


class Stage(Protocol):
    """A store to act on."""

    ledgers: Sequence[SqlLedger]
    """One for each actor, as in separate processes."""
    commits: list[Seen]
    """What was visible after each commit of an actor."""

    def reset(self) -> None:
        """Reset the store to the scene."""

    def dump(self) -> Dump:
        """Return everything it holds."""


@define
class FileStage:
    """A SQLite file."""

    ledgers: Sequence[SqlLedger]
    commits: list[Seen]
    _file: int
    _looking: sqlite3.Connection
    _resets: int = 0

    def reset(self) -> None:
        """Write the scene over the file, with a change counter that no connection has seen."""
        self._resets += 1
        content, count = bytearray(night()), (self._resets * 1_000).to_bytes(4, "big")
        content[24:28] = content[92:96] = count
        os.ftruncate(self._file, len(content))
        os.pwrite(self._file, content, 0)
        self.commits.clear()

    def dump(self) -> Dump:
        """Return everything it holds."""
        return {name: self._looking.execute(table.select).fetchall() for name, table in TABLES.items()}


@contextmanager
def file_stage(actors: int) -> Iterator[FileStage]:
    """Yield a file and this many ledgers on it."""
    commits: list[Seen] = []
    with ExitStack() as stack:
        path = Path(stack.enter_context(TemporaryDirectory()))
        path /= "engage.db"
        path.write_bytes(night())
        looking = stack.enter_context(
            closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0))
        )
        stack.enter_context(on_files(lambda: commits.append(looking.execute(SEEN).fetchone())))
        ledgers = [stack.enter_context(SqliteLedger.open(path)) for _ in range(actors)]
        for ledger in ledgers:
            with ledger._database.connection() as connection:
                connection.execute("PRAGMA synchronous = OFF")
                connection.execute("PRAGMA journal_mode = MEMORY")
        file = os.open(path, os.O_RDWR)
        stack.callback(os.close, file)
        yield FileStage(ledgers, commits, file, looking)


@define
class ServerStage:
    """A schema on PostgreSQL."""

    ledgers: Sequence[SqlLedger]
    commits: list[Seen]
    _reset: str
    _dump: Sequence[tuple[str, str]]

    def reset(self) -> None:
        """Copy the scene over what was left."""
        admin().execute(self._reset)
        self.commits.clear()

    def dump(self) -> Dump:
        """Return everything it holds."""
        with admin().pipeline():
            found = {name: admin().execute(select) for name, select in self._dump}
        return {name: sorted((tuple(map(_as_in_a_file, row)) for row in rows), key=str) for name, rows in found.items()}


def _as_in_a_file(value: object) -> object:
    if isinstance(value, datetime):
        return stamp(value.astimezone(UTC))
    return f"{value}" if isinstance(value, date) else int(value) if isinstance(value, bool) else value


@contextmanager
def server_stage(actors: int) -> Iterator[ServerStage]:
    """Yield a schema and this many ledgers on it."""
    commits: list[Seen] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        (folder / "engage.db").write_bytes(night())
        name, scene = stack.enter_context(schema()), stack.enter_context(schema())
        with (
            SqliteLedger.open(folder / "engage.db") as source,
            PostgresLedger.open(server_dsn(), schema=scene) as filled,
        ):
            filled.fill_from(source)
        seen = SEEN.replace("FROM ", f"FROM {name}.")
        stack.enter_context(
            on_server(lambda: commits.append(admin().execute(seen).fetchone() or (0, 0, None)), admin())
        )
        ledgers = [
            stack.enter_context(PostgresLedger.open(server_dsn(), schema=name, pool_size=1)) for _ in range(actors)
        ]
        dump = [(one.name, one.select.replace("FROM ", f"FROM {name}.")) for one in TABLES.values()]
        yield ServerStage(ledgers, commits, "; ".join(_copying(name, scene)), dump)


def _copying(name: str, scene: str) -> Iterator[str]:
    """Yield the statements that make a schema equal to another."""
    yield "BEGIN; SET LOCAL session_replication_role = replica"
    for table in reversed(TABLES):
        yield f"DELETE FROM {name}.{table}"  # noqa: S608  our own names
    for table in TABLES.values():
        yield f"INSERT INTO {name}.{table.name} SELECT * FROM {scene}.{table.name}"  # noqa: S608
        for column, kind in table.columns.items():
            if kind.type == "number":
                following = f"(SELECT coalesce(max({column}), 0) + 1 FROM {scene}.{table.name})"  # noqa: S608
                yield f"SELECT setval('{name}.{table.name}_{column}_seq', {following}, false)"
    yield "COMMIT"


STAGES: Mapping[str, Callable[[int], Any]] = {"sqlite": file_stage, "postgres": server_stage}
