"""What every database lends: sessions, a pool of connections, a store that is open, instants as texts."""

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
"""How long a fork waits for others' calls: longer than a call waits for the store itself."""


class Forked(Protocol):
    """What lends connections."""

    def begin_in_child(self, *, torn: bool) -> None:
        """Begin anew in a child; `torn` if anything was lent as it was forked."""
        ...


@frozen(eq=False)
class Loan:
    """What was lent to whom, and in which process."""

    lender: Forked
    thread: int = field(factory=threading.get_ident)
    pid: int = field(factory=os.getpid)

    @property
    def is_inherited(self) -> bool:
        """Whether this is a child that was forked within the call."""
        return self.pid != os.getpid()


class Gate:
    """Counts the loans of each thread, and lets none begin while another thread forks.

    Whoever has something lent already is let through, or the fork would wait for him and he for the fork.
    A thread that forks within a call of its own cannot wait for itself, and so waits for nobody; the child is
    told. The lock is one that a signal handler may take again.
    """

    def __init__(self) -> None:
        self._lenders: WeakSet[Forked] = WeakSet()
        self._begin()
        os.register_at_fork(before=self._close, after_in_parent=self._open, after_in_child=self._begin_in_child)

    def _begin(self) -> None:
        self._turn = threading.Condition()
        self._loans: dict[int, list[Loan]] = {}
        self._forking = 0

    def add(self, lender: Forked) -> None:
        """Tell a lender of every fork, for as long as it lives."""
        self._lenders.add(lender)

    def enter(self, lender: Forked) -> Loan:
        """Note a loan to this thread, once no other thread forks."""
        loan = Loan(lender)
        with self._turn:
            while self._forking and loan.thread not in self._loans:
                self._turn.wait()
            self._loans.setdefault(loan.thread, []).append(loan)
        return loan

    def leave(self, loan: Loan) -> None:
        """Note the end of a loan; in a child that was forked within it, nothing is noted any more."""
        with self._turn:
            loans = self._loans.get(loan.thread, [])
            if loan in loans:
                loans.remove(loan)
            if not loans:
                self._loans.pop(loan.thread, None)
            if self._forking:
                self._turn.notify_all()

    def _close(self) -> None:
        with self._turn:
            self._forking += 1
            # Who forks within a call may hold the very lock that the others wait for.
            if threading.get_ident() not in self._loans:
                self._turn.wait_for(lambda: not self._loans, timeout=FORK_SECONDS)

    def _open(self) -> None:
        with self._turn:
            self._forking -= 1
            self._turn.notify_all()

    def _begin_in_child(self) -> None:
        torn = [loan.lender for loans in self._loans.values() for loan in loans]
        self._begin()
        for lender in list(self._lenders):
            lender.begin_in_child(torn=lender in torn)


def abandon(connection: object) -> None:
    """Keep an inherited connection for ever: closed, be it by the interpreter's end, it would spoil the parent's."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))


gate = Gate()

TORN = (
    "this process was forked in the middle of a call, which the database's locks do not survive; nothing was read or "
    "written: fork while no call is under way, or start the process anew (spawn)"
)


class Closable(Protocol):
    """What can be kept: anything that can be closed."""

    def close(self) -> None:
        """Close it; must not raise."""
        ...


Connection = TypeVar("Connection", bound=Closable)


class Pool(Generic[Connection]):
    """At most so many connections, made when one is needed and kept for the next.

    Nothing is done in the background: who needs a connection makes it, and is told at once why it cannot be made.
    A child that is forked begins anew, with connections of its own. `survives_fork` says whether it may even if it
    was forked in the middle of a call, which happens only where one forks within it or it takes too long to wait for.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        place: str,
        *,
        size: int,
        seconds_max: float,
        is_alive: Callable[[Connection], bool],
        survives_fork: bool = True,
    ) -> None:
        self._connect = connect
        self._is_alive = is_alive
        self._place = place
        self._size = size
        self._seconds_max = seconds_max
        self._survives_fork = survives_fork
        self._closed = False
        self._begin()
        gate.add(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[Connection] = []
        self._free = threading.Semaphore(self._size)

    def begin_in_child(self, *, torn: bool) -> None:
        """Leave all connections to the parent: none must be carried across a fork, even to close it there."""
        for connection in self._idle:
            abandon(connection)
        if torn and not self._survives_fork:
            _torn.add(self._place)
        self._begin()

    @contextmanager
    def lent(self) -> Iterator[Connection]:
        """Lend a connection; raises `LedgerBusy` if all are lent for too long."""
        loan = gate.enter(self)
        try:
            free = self._room()
            try:
                connection = self._taken()
                try:
                    yield connection
                finally:
                    self._give_back(connection, loan)
            finally:
                free.release()
        finally:
            gate.leave(loan)

    def close(self) -> None:
        """Close what is idle now, and what is lent when it comes back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _room(self) -> threading.Semaphore:
        """Wait until one more may be lent, and return what to release afterwards."""
        if self._closed:
            message = f"{self._place} is closed; open it again"
            raise LedgerFailed(message)
        if self._place in _torn:
            message = f"{self._place}: {TORN}"
            raise LedgerFailed(message)
        free = self._free
        if not free.acquire(timeout=self._seconds_max):
            message = (
                f"{self._place}: all {self._size} connections of this process are at work for over "
                f"{self._seconds_max:.0f} s; nothing was written: try again"
            )
            raise LedgerBusy(message)
        return free

    def _taken(self) -> Connection:
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._connect()
            if self._is_alive(connection):
                return connection
            connection.close()

    def _give_back(self, connection: Connection, loan: Loan) -> None:
        if loan.is_inherited:
            abandon(connection)
            return
        is_alive = self._is_alive(connection)
        with self._lock:
            if is_alive and not self._closed:
                self._idle.append(connection)
                return
        connection.close()


_torn: set[str] = set()
"""The places of which a library believes in this process that it holds locks, while it is the parent that does."""

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


Database = TypeVar("Database", bound="Sessions")


class Opened:
    """Is closed; where it is, and what can be done in between, its children say."""

    def __init__(self, database: Sessions) -> None:
        self._database = database

    @classmethod
    def _prepared(cls, database: Database, prepare: Callable[[Database], None]) -> Self:
        """Open a store once it is ready; if it cannot be made so, nothing stays open."""
        try:
            prepare(database)
        except BaseException:
            database.close()
            raise
        return cls(database)

    @property
    def place(self) -> str:
        """Where the store is, without any password."""
        return self._database.place

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
    """An instant as a text; a type of its own, for databases that must be told what a text means."""

    __slots__ = ()


def stamp(at: datetime) -> Stamp:
    """Write an instant so that texts sort as the instants do."""
    return Stamp(at.isoformat(timespec="microseconds"))


def month_of(day: str) -> str:
    """Name the month of a day by its first one."""
    return f"{day[:8]}01"


def refuse_newer(place: str, found: int, known: int) -> None:
    """Raise `LedgerFailed` if tables are newer than this version, which could then write no more than half of it."""
    if found > known:
        message = (
            f"{place} was written by a newer trc-engage (schema {found}, this one knows {known}); "
            "nothing was touched: upgrade trc-engage"
        )
        raise LedgerFailed(message)


def refuse_older(place: str, found: int, known: int) -> None:
    """Raise `LedgerFailed` if tables are older than this version, for whoever may not bring them up to date."""
    if found < known:
        message = (
            f"{place} was laid out by an older trc-engage (schema {found}, this one needs {known}); nothing was "
            "touched: open it once with `trc-engage status`, which brings it up to date, and begin again"
        )
        raise LedgerFailed(message)


def refuse_other(place: str, found: int, known: int) -> None:
    """Raise `LedgerFailed` if tables are not of this version: they were changed, or put back, while they were open."""
    refuse_newer(place, found, known)
    refuse_older(place, found, known)
