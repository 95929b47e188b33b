"""A connection as the statements of `..sql` want it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.adapt import AdaptersMap
from psycopg.rows import tuple_row

from ..sql.session import Rows
from .line import Line
from .opening import PATIENCE
from .values import ADAPTERS

PLACEHOLDER = re.compile(r"'[^']*'|::|\?|:(\w+)|%")
"""A placeholder, or what looks like one and is none; quoted texts are passed over."""


class Cursor(psycopg.Cursor[tuple[Any, ...]]):
    """A cursor with adapters of our own, which reads binary: no setting of the session changes what is read."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        super().__init__(connection, row_factory=tuple_row)
        self.format = psycopg.pq.Format.BINARY

    @property
    def adapters(self) -> AdaptersMap:
        """How values go in and come out."""
        return ADAPTERS


class PostgresSession:
    """A connection while one caller has it."""

    IntegrityError = psycopg.IntegrityError

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.staged: list[str] = []
        """The temporary tables that this session has made."""

    def cursor(self) -> Cursor:
        """Return a cursor."""
        return Cursor(self.connection)

    def execute(self, statement: str, values: Sequence[Any] | Mapping[str, Any] = (), /) -> Rows:
        """Run one statement."""
        return self.cursor().execute(translated(statement), values)

    def executemany(self, statement: str, values: Iterable[Sequence[Any]], /) -> Rows:
        """Run one statement for each row of values; they are sent without waiting for each answer."""
        cursor = self.cursor()
        cursor.executemany(translated(statement), values)
        return cursor

    def run(self, script: str) -> Any:
        """Run statements without values, sent at once, and return what the last one found first, if it looks."""
        cursor = self.cursor()
        cursor.format = psycopg.pq.Format.TEXT
        cursor.execute(script)
        while cursor.nextset():
            pass
        return cursor.fetchone() if cursor.description else None

    def be_patient(self, seconds: int, script: str = "SELECT") -> None:
        """Run statements that begin what may take longer; a caller's own connection keeps his limits."""
        if isinstance(self.connection, Line):
            self.connection.statement_seconds = seconds
            script = f"{PATIENCE.format(seconds=seconds)}; {script}"
        self.run(script)


class AloneSession(PostgresSession):
    """One in which each statement stands alone: it is sent with the transaction around it, and answered at once."""

    def __init__(self, connection: psycopg.Connection[Any], opening: tuple[str, ...]) -> None:
        super().__init__(connection)
        self._opening = opening

    def execute(self, statement: str, values: Sequence[Any] | Mapping[str, Any] = (), /) -> Rows:
        """Run one statement, which reads."""
        cursor = self.cursor()
        with self.connection.pipeline():
            for begins in self._opening:
                self.connection.execute(begins)
            cursor.execute(translated(statement), values)
            self.connection.execute("COMMIT")
        return cursor


@lru_cache(maxsize=1_024)
def translated(statement: str) -> str:
    """Write `?` and `:name` as psycopg has them."""
    return PLACEHOLDER.sub(_placeholder, statement)


def _placeholder(found: re.Match[str]) -> str:
    text = found[0]
    if text == "?":
        return "%s"
    if found[1]:
        return f"%({found[1]})s"
    return text.replace("%", "%%")
