"""What every database offers: connections, an open store, instants as texts, the check of versions."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from ...core.errors import LedgerFailed, StoreOutdated

Row = tuple[Any, ...]
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

    def executemany(self, statement: str, values: Iterable[Sequence[Any]], /) -> Rows:
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

    def stage(
        self, connection: Connection, moves: Iterable[Sequence[Any]], windows: Iterable[Sequence[Any]], /
    ) -> None:
        """Fill the temporary tables `engage_staged_moves` and then `engage_staged_windows`, which begin empty."""
        ...

    def merge(
        self,
        connection: Connection,
        table: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[Any]],
        conflict: str,
        /,
    ) -> int:
        """Insert rows, with an `ON CONFLICT` clause or none, and return how many rows were written."""
        ...

    def fill(
        self, connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], /
    ) -> None:
        """Write rows into an empty table; if its first column numbers itself, it will go on behind them."""
        ...

    def extend_timeout(self, connection: Connection, /) -> None:
        """Let what follows on this connection take some minutes, for there is much to do."""
        ...

    def size_bytes(self, connection: Connection, /) -> int | None:
        """Return how much room the store takes; None if that is unknown."""
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

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Stamp(str):
    """An instant as a text; a type of its own, for databases that need to know what a text means."""

    __slots__ = ()


def stamp(at: datetime) -> Stamp:
    """Write an instant so that texts sort as the instants do."""
    return Stamp(at.isoformat(timespec="microseconds"))


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
