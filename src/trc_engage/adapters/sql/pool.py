"""Connections that are kept, each lent to one thread at a time."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from ...core.errors import LedgerBusy, LedgerFailed
from .forks import Loan, abandon, gate

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
