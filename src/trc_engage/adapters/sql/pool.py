"""Connections that are kept, each lent to one thread at a time."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from ...core.errors import LedgerBusy, LedgerFailed


class Closable(Protocol):
    """What can be kept: anything that can be closed."""

    def close(self) -> None:
        """Close it; must not raise."""
        ...


Connection = TypeVar("Connection", bound=Closable)


class Pool(Generic[Connection]):
    """At most so many connections, made when one is needed and kept for the next.

    Nothing is done in the background: who needs a connection makes it, and is told at once why it cannot be made.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        place: str,
        *,
        size: int,
        seconds_max: float,
        is_alive: Callable[[Connection], bool],
    ) -> None:
        self._connect = connect
        self._is_alive = is_alive
        self._place = place
        self._size = size
        self._seconds_max = seconds_max
        self._lock = threading.Lock()
        self._closed = False
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._idle: list[Connection] = []
        self._free = threading.Semaphore(self._size)

    @contextmanager
    def lent(self) -> Iterator[Connection]:
        """Lend a connection; raises `LedgerBusy` if all are lent for too long."""
        free = self._room()
        if not free.acquire(timeout=self._seconds_max):
            message = (
                f"{self._place}: all {self._size} connections of this process are at work for over "
                f"{self._seconds_max:.0f} s; nothing was written: try again"
            )
            raise LedgerBusy(message)
        try:
            connection = self._taken()
            try:
                yield connection
            finally:
                self._give_back(connection)
        finally:
            free.release()

    def close(self) -> None:
        """Close what is idle now, and what is lent when it comes back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _room(self) -> threading.Semaphore:
        with self._lock:
            if self._closed:
                message = f"{self._place} is closed; open it again"
                raise LedgerFailed(message)
            if self._pid != os.getpid():
                # A connection must not be carried across a fork, even to close it there.
                _abandoned.extend(self._idle)
                self._begin()
            return self._free

    def _taken(self) -> Connection:
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._connect()
            if self._is_alive(connection):
                return connection
            connection.close()

    def _give_back(self, connection: Connection) -> None:
        with self._lock:
            if not self._closed and self._is_alive(connection):
                self._idle.append(connection)
                return
        connection.close()


_abandoned: list[Closable] = []
