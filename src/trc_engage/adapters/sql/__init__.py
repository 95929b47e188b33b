"""The SQL that all databases share; connections, table layout and staging are theirs.

Statements are written so that SQLite and PostgreSQL both run them; parameters as SQLite has them,
`?` and `:name`. Days and instants go in and come out as ISO texts, whatever type a column has.

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
"""Of a row to be written."""
Statement = tuple[str, Sequence[Any] | Mapping[str, Any]]
"""With its values."""


class Rows(Protocol):
    """The result of a statement."""

    @property
    def rowcount(self) -> int:
        """How many rows were written."""
        ...

    def fetchone(self) -> Any:
        """Return the next row, None after the last."""
        ...

    def fetchall(self) -> list[Any]:
        """Return all rows that are left."""
        ...

    def __iter__(self) -> Iterator[Any]:
        """Yield the rows that are left."""
        ...


class Connection(Protocol):
    """A connection while one caller has it."""

    @property
    def IntegrityError(self) -> type[Exception]:  # noqa: N802  DB-API's own name
        """What a broken constraint raises."""
        ...

    def execute(self, statement: str, values: Sequence[Any] | Mapping[str, Any] = ..., /) -> Rows:
        """Run one statement."""
        ...

    def executemany(self, statement: str, values: Iterable[Values], /) -> Rows:
        """Run one statement for each row of values; the count of rows is that of all."""
        ...

    def execute_all(self, statements: Iterable[Statement], /) -> Sequence[Rows]:
        """Run statements, none of which depends on another's rows, and return the rows of each.

        On a server that is one round trip; where one fails, those behind it are not run.
        """
        ...


class Database(Protocol):
    """Where connections come from; every error of the database is translated on the way out."""

    discord_evidence: str
    """The statement that reads a `:member`'s evidence of Discord from `:first` to `:last`: day, account id, window."""

    @property
    def address(self) -> str:
        """Where the store is, without any password."""
        ...

    def connection(self) -> AbstractContextManager[Connection]:
        """Check out a connection on which each statement stands alone."""
        ...

    def snapshot(self) -> AbstractContextManager[Connection]:
        """Check out a connection on which all reads see one state."""
        ...

    def transaction(self) -> AbstractContextManager[Connection]:
        """Check out a connection in a transaction of which all is committed, or nothing."""
        ...

    def stage(self, connection: Connection, moves: Iterable[Values], windows: Iterable[Values], /) -> None:
        """Fill the temporary tables `engage_staged_moves` and then `engage_staged_windows`, which begin empty."""
        ...

    def merge(
        self, connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Values], conflict: str, /
    ) -> int:
        """Insert rows, with an `ON CONFLICT` clause or none, and return how many rows were written."""
        return connection.executemany(inserting(table, columns, conflict), rows).rowcount

    def succeed(self, connection: Connection, record: "Record[Any]", rows: Sequence[Values], /) -> int:
        """Write rows over the versions before them, and return how many were written."""
        return connection.executemany(succeeding(record), [record.successor(row) for row in rows]).rowcount

    def fill(self, connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Values], /) -> None:
        """Write rows into an empty table; if its first column numbers itself, it will go on behind them."""
        connection.executemany(inserting(table, columns), rows)

    def extend_timeout(self, connection: Connection, /) -> None:  # noqa: ARG002  where there is no limit
        """Raise this connection's time limit to some minutes for a large operation."""
        return

    def size_bytes(self, connection: Connection, /) -> int | None:
        """Return how much room the store takes; None if that is unknown."""
        ...

    def wipe(self, tables: Sequence[str], /) -> None:
        """Write tables anew, so that nothing is left of rows as they were; raises `LedgerBusy` and `LedgerFailed`."""
        ...

    def close(self) -> None:
        """Close what is open."""
        ...


AnyDatabase = TypeVar("AnyDatabase", bound=Database)


class SqlStore:
    """An open store, on which the methods of the ports are built."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def _prepared(cls, database: AnyDatabase, prepare: Callable[[AnyDatabase], None]) -> Self:
        """Open a store once it is ready; if that fails, nothing stays open."""
        try:
            prepare(database)
        except BaseException:
            database.close()
            raise
        return cls(database)

    @property
    def address(self) -> str:
        """Where the store is, without any password."""
        return self._database.address

    def close(self) -> None:
        """Close the store."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Stamp(str):
    """An instant as a text; a type of its own, for databases that need to know what a text means."""

    __slots__ = ()


def stamp(at: datetime) -> Stamp:
    """Write an instant so that texts sort as the instants do."""
    return Stamp(at.isoformat(timespec="microseconds"))


Value = TypeVar("Value")
WRITERS: Mapping[str, Callable[[Any], str]] = {"datetime": stamp, "date": date.isoformat}
READERS: Mapping[str, Callable[[Any], Any]] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "bool": bool,
}
"""By the name of a field's type."""


class Record(Generic[Value]):
    """How values of an attrs class are kept in a table: each field in the column of its name, in the fields' order.

    `renamed` are the columns of fields that have another name there; `left_out` are fields without a column.
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
        """Make the value of a row of `select`."""
        values = [*row]
        for number, reader in self._readers:
            if values[number] is not None:
                values[number] = reader(values[number])
        return self._kind(*values)

    def row(self, value: Value) -> list[Any]:
        """Make the row of a value."""
        row = [*self._values(value)]
        for number, writer in self._writers:
            if row[number] is not None:
                row[number] = writer(row[number])
        return row

    def successor(self, row: Sequence[Any]) -> Sequence[Any]:
        """Return the values of the statement that writes a row over its version before."""
        return [*row[1:], row[0], row[self.columns.index("version")]]


def _name_of(annotation: object) -> str:
    """Name a type, or the one that may also be None; a module may leave its annotations as texts."""
    text = annotation if isinstance(annotation, str) else formatannotation(annotation)
    return text.partition(" |")[0].rpartition(".")[2]


def inserting(table: str, columns: Sequence[str], conflict: str = "") -> str:
    """Return the statement that inserts one row."""
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))}) {conflict}"


def replacing(columns: Sequence[str], *, keys: int = 1) -> str:
    """Return the clause that lets a row take the place of the one with its key, the first `keys` columns."""
    given = ", ".join(f"{name} = excluded.{name}" for name in columns[keys:])
    return f"ON CONFLICT ({', '.join(columns[:keys])}) DO UPDATE SET {given}"


def succeeding(record: Record[Any], rows: str = "") -> str:
    """Return the statement that writes a row over its version before: one as `successor` has it, or each of a table."""
    table, (key, *names) = record.table, record.columns
    *values, this, version = (f"{rows}.{name}" if rows else "?" for name in (*names, key, "version"))
    given = ", ".join(f"{name} = {value}" for name, value in zip(names, values, strict=True))
    source = f"FROM {rows} " if rows else ""
    return f"UPDATE {table} SET {given} {source}WHERE {table}.{key} = {this} AND {table}.version = {version} - 1"


def month_of(day: str) -> str:
    """Name the month of a day by its first one."""
    return f"{day[:8]}01"


def refuse_unreleased(address: str, *, found: bool) -> None:
    """Raise `LedgerFailed` for a store that was written before the first release."""
    if found:
        raise LedgerFailed(
            f"{address} was written by a trc-engage from before its first release, whose stores are not carried over; "
            "nothing was touched: name a new store"
        )


def refuse_other(address: str, found: int, known: int, *, may_be_older: bool = False) -> None:
    """Raise `LedgerFailed` if tables are newer than this version, and `StoreOutdated` if they are older."""
    if found > known:
        raise LedgerFailed(
            f"{address} was written by a newer trc-engage (schema {found}, this one knows {known}); "
            "nothing was touched: upgrade trc-engage"
        )
    if found < known and not may_be_older:
        raise StoreOutdated(
            f"{address} was laid out by an older trc-engage (schema {found}, this one needs {known}); nothing was "
            "touched: bring it up to date with `trc-engage migrate`, and begin again"
        )
