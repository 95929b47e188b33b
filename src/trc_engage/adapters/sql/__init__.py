"""The SQL that all databases share; each database has its own connections, column types and staging.

Statements run on both SQLite and PostgreSQL, with SQLite's parameters, `?` and `:name`. Days and instants go in and
come out as ISO texts, whatever type a column has.

Read in this order: this, `schema`, `tables`, `pool`, `queries`, `leaderboard`, `views`, `runs`, `posting`, `audit`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from inspect import formatannotation
from operator import attrgetter
from typing import Any, Generic, Protocol, Self, TypeVar

from attrs import fields

from ...core.errors import LedgerFailed, StoreOutdated

Row = tuple[Any, ...]
Values = Sequence[Any]
"""The values of a row to write."""
Statement = tuple[str, Sequence[Any] | Mapping[str, Any]]
"""A statement and its values."""


class Rows(Protocol):
    """The result of a statement."""

    @property
    def rowcount(self) -> int:
        """How many rows were written."""

    def fetchone(self) -> Any:
        """Return the next row; None after the last."""

    def fetchall(self) -> list[Any]:
        """Return all remaining rows."""

    def __iter__(self) -> Iterator[Any]:
        """Yield the remaining rows."""


class Connection(Protocol):
    """A connection, checked out by one caller."""

    @property
    def IntegrityError(self) -> type[Exception]:  # noqa: N802  DB-API's own name
        """The error of a violated constraint."""

    def execute(self, statement: str, values: Sequence[Any] | Mapping[str, Any] = ..., /) -> Rows:
        """Run one statement."""

    def executemany(self, statement: str, values: Iterable[Values], /) -> Rows:
        """Run one statement for each row of values; `rowcount` is the total."""

    def execute_all(self, statements: Iterable[Statement], /) -> Sequence[Rows]:
        """Run statements that do not depend on each other's rows, and return the rows of each.

        On a server this takes one round trip. If one fails, the later ones are not run.
        """


class Database(Protocol):
    """A source of connections; it translates every error of the database."""

    discord_evidence: str
    """The query for a `:member`'s evidence of Discord from `:first` to `:last`: day, account id, window."""

    @property
    def address(self) -> str:
        """The store's address, without a password."""

    def connection(self) -> AbstractContextManager[Connection]:
        """Check out a connection on which reads need not see one snapshot."""

    def snapshot(self) -> AbstractContextManager[Connection]:
        """Check out a connection on which all reads see one snapshot."""

    def transaction(self) -> AbstractContextManager[Connection]:
        """Check out a connection for writes that take effect together, or not at all if an error is raised."""

    def stage(self, connection: Connection, moves: Iterable[Values], windows: Iterable[Values], /) -> None:
        """Fill the temporary tables `engage_staged_moves` and then `engage_staged_windows`, after emptying them."""

    def merge(
        self, connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Values], conflict: str, /
    ) -> int:
        """Insert rows with an optional `ON CONFLICT` clause, and return how many were written."""
        return connection.executemany(inserting(table, columns, conflict), rows).rowcount

    def succeed(self, connection: Connection, record: "Record[Any]", rows: Sequence[Values], /) -> int:
        """Update rows that are at the previous version, and return how many were written."""
        return connection.executemany(succeeding(record), [record.successor(row) for row in rows]).rowcount

    def fill(self, connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Values], /) -> None:
        """Insert rows into an empty table; if it numbers its rows, numbering continues after them."""
        connection.executemany(inserting(table, columns), rows)

    def extend_timeout(self, connection: Connection, /) -> None:  # noqa: ARG002  where there is no limit
        """Raise this connection's time limit to some minutes for a large operation."""
        return

    def size_bytes(self, connection: Connection, /) -> int | None:
        """Return the store's size; None if unknown."""

    def wipe(self, tables: Sequence[str], /) -> None:
        """Rewrite tables so that no trace of old rows remains; raises `LedgerBusy` and `LedgerFailed`."""

    def close(self) -> None:
        """Close all connections."""


AnyDatabase = TypeVar("AnyDatabase", bound=Database)
Value = TypeVar("Value")


class SqlStore:
    """An open store, the base of the port implementations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def _prepared(cls, database: AnyDatabase, prepare: Callable[[AnyDatabase], None]) -> Self:
        """Prepare a database and return its store; close the database if that fails."""
        try:
            prepare(database)
        except BaseException:
            database.close()
            raise
        return cls(database)

    @property
    def address(self) -> str:
        """The store's address, without a password."""
        return self._database.address

    def _read(
        self, make: Callable[[Any], Value], statement: str, values: Sequence[Any] | Mapping[str, Any] = ()
    ) -> list[Value]:
        """Return what `make` makes of each row of one statement."""
        with self._database.connection() as connection:
            return [make(row) for row in connection.execute(statement, values)]

    def close(self) -> None:
        """Close the store."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Stamp(str):
    """An instant as text, with its own type for databases that must distinguish it from other text."""

    __slots__ = ()


def stamp(at: datetime) -> Stamp:
    """Return an instant as text that sorts in the order of time."""
    return Stamp(at.isoformat(timespec="microseconds"))


WRITERS: Mapping[str, Callable[[Any], str]] = {"datetime": stamp, "date": date.isoformat}
READERS: Mapping[str, Callable[[Any], Any]] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "bool": bool,
}
"""By the name of a field's type."""


class Record(Generic[Value]):
    """Maps an attrs class to a table: each field to the column of the same name, in the fields' order.

    `renamed` gives the column of a field with another name; `left_out` are fields without a column.
    """

    def __init__(self, kind: type[Value], table: str, /, *, left_out: Sequence[str] = (), **renamed: str) -> None:
        kept = [one for one in fields(kind) if one.name not in left_out]  # type: ignore[arg-type]
        self._kind = kind
        self._values = attrgetter(*(one.name for one in kept))
        types = [_name_of(one.type) for one in kept]
        self._writers = [(number, WRITERS[each]) for number, each in enumerate(types) if each in WRITERS]
        self._readers = [(number, READERS[each]) for number, each in enumerate(types) if each in READERS]
        self.table = table
        self.columns = [renamed.get(one.name, one.name) for one in kept]
        self.select = f"SELECT {', '.join(self.columns)} FROM {table}"

    def value(self, row: Sequence[Any]) -> Value:
        """Return the value of a row of `select`."""
        values = [*row]
        for number, reader in self._readers:
            if values[number] is not None:
                values[number] = reader(values[number])
        return self._kind(*values)

    def row(self, value: Value) -> list[Any]:
        """Return the row of a value."""
        row = [*self._values(value)]
        for number, writer in self._writers:
            if row[number] is not None:
                row[number] = writer(row[number])
        return row

    def successor(self, row: Sequence[Any]) -> Sequence[Any]:
        """Return the parameters of the `succeeding` statement for a row."""
        return [*row[1:], row[0], row[self.columns.index("version")]]


def _name_of(annotation: object) -> str:
    """Return the name of a type, or of the non-None part of an optional one; annotations may be strings."""
    text = annotation if isinstance(annotation, str) else formatannotation(annotation)
    return text.partition(" |")[0].rpartition(".")[2]


def inserting(table: str, columns: Sequence[str], conflict: str = "") -> str:
    """Return the statement that inserts one row."""
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))}) {conflict}"


def replacing(columns: Sequence[str]) -> str:
    """Return the clause that replaces the row with the same key, which is the first column."""
    key, *names = columns
    return f"ON CONFLICT ({key}) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in names)}"


def succeeding(record: Record[Any], rows: str = "") -> str:
    """Return the statement that updates rows at the previous version: one row of parameters, or all of a table."""
    table, (key, *names) = record.table, record.columns
    *values, this, version = (f"{rows}.{name}" if rows else "?" for name in (*names, key, "version"))
    given = ", ".join(f"{name} = {value}" for name, value in zip(names, values, strict=True))
    source = f"FROM {rows} " if rows else ""
    return f"UPDATE {table} SET {given} {source}WHERE {table}.{key} = {this} AND {table}.version = {version} - 1"


def month_of(day: str) -> str:
    """Return the first day of a day's month."""
    return f"{day[:8]}01"


def refuse_unreleased(address: str, *, found: bool) -> None:
    """Raise `LedgerFailed` if a store from before the first release was found."""
    if found:
        raise LedgerFailed(
            f"{address} was written by a trc-engage from before its first release, whose stores are not carried over; "
            "nothing was touched: name a new store"
        )


def refuse_other(address: str, found: int, known: int, *, may_be_older: bool = False) -> None:
    """Raise `LedgerFailed` if the schema is newer than this version knows, `StoreOutdated` if it is older."""
    if found > known:
        raise LedgerFailed(
            f"{address} was written by a newer trc-engage (schema {found}, this one knows {known}); "
            "nothing was touched: upgrade trc-engage"
        )
    if found < known and not may_be_older:
        raise StoreOutdated(f"{address} has an older schema ({found}, this version needs {known}); nothing was touched")
