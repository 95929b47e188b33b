"""What a database must lend for the statements of this package to run."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

Row = tuple[Any, ...]


class Rows(Protocol):
    """What a statement gives back."""

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


class Session(Protocol):
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


class Sessions(Protocol):
    """Where sessions come from; all errors of the database are translated on the way out."""

    discord_evidence: str
    """The statement that reads a `:member`'s evidence of Discord from `:first` to `:last`: day, account id, window."""

    @property
    def place(self) -> str:
        """Where the store is, without any password."""
        ...

    def lent(self) -> AbstractContextManager[Session]:
        """Lend a session in which each statement stands alone."""
        ...

    def reading(self) -> AbstractContextManager[Session]:
        """Lend a session in which all reads see one state."""
        ...

    def writing(self) -> AbstractContextManager[Session]:
        """Lend a session in a transaction of which all is committed, or nothing."""
        ...

    def stage(self, session: Session, moves: Iterable[Sequence[Any]], windows: Iterable[Sequence[Any]], /) -> None:
        """Fill the temporary tables `engage_staged_moves` and then `engage_staged_windows`, which begin empty."""
        ...

    def merge(
        self, session: Session, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], conflict: str, /
    ) -> int:
        """Insert rows, with an `ON CONFLICT` clause or none, and return how many rows were written."""
        ...

    def fill(self, session: Session, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], /) -> None:
        """Write rows into an empty table; if its first column numbers itself, it will go on behind them."""
        ...

    def be_patient(self, session: Session, /) -> None:
        """Let what the session does from here on take some minutes, for there is much to do."""
        ...

    def size_bytes(self, session: Session, /) -> int | None:
        """Return how much room the store takes; None if that cannot be told."""
        ...

    def close(self) -> None:
        """Close what is open."""
        ...
