"""What every database offers: connections, a pool of them that survives a fork, an open store, instants as texts."""

import ctypes
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar
from weakref import WeakSet

from attrs import field, frozen

from ...core.errors import LedgerBusy, LedgerFailed

FORK_SECONDS = 20.0
"""How long a fork waits for other threads' calls: longer than a call waits for the store itself."""


class Forkable(Protocol):
    """What holds connections."""

    def begin_in_child(self, *, was_in_use: bool) -> None:
        """Start over in a child; `was_in_use` if a connection was checked out when the process forked."""
        ...


@frozen(eq=False)
class Checkout:
    """A connection in use: of which pool, by which thread and in which process."""

    pool: Forkable
    thread: int = field(factory=threading.get_ident)
    pid: int = field(factory=os.getpid)

    @property
    def is_inherited(self) -> bool:
        """Whether this is a child that was forked within the call."""
        return self.pid != os.getpid()


class ForkGuard:
    """Counts the checkouts of each thread, and lets none begin while another thread forks.

    A thread that already has one may take another, or it and the fork would wait for each other.
    A thread that forks within its own call cannot wait for itself, and so waits for nobody; the child's pools
    are informed. The lock is reentrant, because a signal handler may take it again.
    """

    def __init__(self) -> None:
        self._pools: WeakSet[Forkable] = WeakSet()
        self._begin()
        os.register_at_fork(before=self._close, after_in_parent=self._open, after_in_child=self._begin_in_child)

    def _begin(self) -> None:
        self._turn = threading.Condition()
        self._checkouts: dict[int, list[Checkout]] = {}
        self._forking = 0

    def add(self, pool: Forkable) -> None:
        """Let a pool start over after every fork, for as long as it lives."""
        self._pools.add(pool)

    def enter(self, pool: Forkable) -> Checkout:
        """Count a checkout of this thread, once no other thread forks."""
        checkout = Checkout(pool)
        with self._turn:
            while self._forking and checkout.thread not in self._checkouts:
                self._turn.wait()
            self._checkouts.setdefault(checkout.thread, []).append(checkout)
        return checkout

    def leave(self, checkout: Checkout) -> None:
        """Count the end of a checkout; in a child that was forked within it, there is nothing left to count."""
        with self._turn:
            checkouts = self._checkouts.get(checkout.thread, [])
            if checkout in checkouts:
                checkouts.remove(checkout)
            if not checkouts:
                self._checkouts.pop(checkout.thread, None)
            if self._forking:
                self._turn.notify_all()

    def _close(self) -> None:
        with self._turn:
            self._forking += 1
            # A thread that forks within a call may hold the very lock that the others wait for.
            if threading.get_ident() not in self._checkouts:
                self._turn.wait_for(lambda: not self._checkouts, timeout=FORK_SECONDS)

    def _open(self) -> None:
        with self._turn:
            self._forking -= 1
            self._turn.notify_all()

    def _begin_in_child(self) -> None:
        in_use = [checkout.pool for checkouts in self._checkouts.values() for checkout in checkouts]
        self._begin()
        for pool in list(self._pools):
            pool.begin_in_child(was_in_use=pool in in_use)


def abandon(connection: object) -> None:
    """Keep an inherited connection for ever: closing it, even at the interpreter's end, would break the parent's."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))


fork_guard = ForkGuard()

FORKED_IN_USE = (
    "this process was forked in the middle of a call, which the database's locks do not survive; nothing was read or "
    "written: fork while no call is under way, or start a new process (spawn)"
)


class Closable(Protocol):
    """What a pool can keep."""

    def close(self) -> None:
        """Close it; must not raise."""
        ...


Pooled = TypeVar("Pooled", bound=Closable)


class Pool(Generic[Pooled]):
    """At most `size` connections, made when one is needed and kept for the next caller.

    Nothing happens in the background: a caller who needs a connection makes it, and sees at once why that fails.
    A forked child starts over with its own connections. `survives_fork` says whether it may even if it was forked
    in the middle of a call, which happens only to a thread that forks within one, or after `FORK_SECONDS`.
    """

    def __init__(
        self,
        connect: Callable[[], Pooled],
        address: str,
        *,
        size: int,
        seconds_max: float,
        is_alive: Callable[[Pooled], bool],
        survives_fork: bool = True,
    ) -> None:
        self._connect = connect
        self._is_alive = is_alive
        self._address = address
        self._size = size
        self._seconds_max = seconds_max
        self._survives_fork = survives_fork
        self._closed = False
        self._begin()
        fork_guard.add(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[Pooled] = []
        self._free = threading.Semaphore(self._size)

    def begin_in_child(self, *, was_in_use: bool) -> None:
        """Leave all connections to the parent: none may be used in the child, not even to close it."""
        for connection in self._idle:
            abandon(connection)
        if was_in_use and not self._survives_fork:
            _unusable.add(self._address)
        self._begin()

    @contextmanager
    def connection(self) -> Iterator[Pooled]:
        """Check out a connection; raises `LedgerBusy` if all are in use for too long."""
        checkout = fork_guard.enter(self)
        try:
            free = self._wait_for_room()
            try:
                connection = self._take()
                try:
                    yield connection
                finally:
                    self._give_back(connection, checkout)
            finally:
                free.release()
        finally:
            fork_guard.leave(checkout)

    def close(self) -> None:
        """Close what is idle now, and what is in use when it comes back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _wait_for_room(self) -> threading.Semaphore:
        """Wait until one more may be in use, and return what to release afterwards."""
        if self._closed:
            message = f"{self._address} is closed; open it again"
            raise LedgerFailed(message)
        if self._address in _unusable:
            message = f"{self._address}: {FORKED_IN_USE}"
            raise LedgerFailed(message)
        free = self._free
        if not free.acquire(timeout=self._seconds_max):
            message = (
                f"{self._address}: all {self._size} connections of this process are at work for over "
                f"{self._seconds_max:.0f} s; nothing was written: try again"
            )
            raise LedgerBusy(message)
        return free

    def _take(self) -> Pooled:
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._connect()
            if self._is_alive(connection):
                return connection
            connection.close()

    def _give_back(self, connection: Pooled, checkout: Checkout) -> None:
        if checkout.is_inherited:
            abandon(connection)
            return
        is_alive = self._is_alive(connection)
        with self._lock:
            if is_alive and not self._closed:
                self._idle.append(connection)
                return
        connection.close()


_unusable: set[str] = set()
"""The addresses for which a library believes that this process holds locks, although it is the parent that does."""

Row = tuple[Any, ...]


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
        message = (
            f"{address} was written by a trc-engage from before its first release, whose stores are not carried over; "
            "nothing was touched: name a new store"
        )
        raise LedgerFailed(message)


def refuse_newer(address: str, found: int, known: int) -> None:
    """Raise `LedgerFailed` if tables are newer than this version, which could then write no more than half of it."""
    if found > known:
        message = (
            f"{address} was written by a newer trc-engage (schema {found}, this one knows {known}); "
            "nothing was touched: upgrade trc-engage"
        )
        raise LedgerFailed(message)


def refuse_older(address: str, found: int, known: int) -> None:
    """Raise `LedgerFailed` if tables are older than this version, where they may not be brought up to date."""
    if found < known:
        message = (
            f"{address} was laid out by an older trc-engage (schema {found}, this one needs {known}); nothing was "
            "touched: open it once with `trc-engage status`, which brings it up to date, and begin again"
        )
        raise LedgerFailed(message)


def refuse_other(address: str, found: int, known: int) -> None:
    """Raise `LedgerFailed` if tables are not of this version: they were changed, or put back, while they were open."""
    refuse_newer(address, found, known)
    refuse_older(address, found, known)
