"""A connection pool that is fair to threads and never shares a connection across a fork."""

import os
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakSet

from attrs import define, field

from ...core.errors import LedgerBusy, LedgerFailed

FORK_SECONDS = 20.0
"""How long a fork waits for other threads' calls; longer than a call waits for the store itself."""


class ForkGuard:
    """Tracks the checkouts of each thread, and delays new ones while another thread forks.

    A thread that already has a checkout may take another; otherwise it and the fork would wait for each other.
    A thread that forks within its own call waits for no thread, because it cannot wait for itself; the child's pools
    are told. The lock is reentrant because a signal handler may take it again.
    """

    def __init__(self) -> None:
        self._pools: WeakSet[Pool[Any]] = WeakSet()
        self._start()
        os.register_at_fork(before=self._close, after_in_parent=self._open, after_in_child=self._begin_in_child)

    def _start(self) -> None:
        self._lock = threading.RLock()
        self._turn = threading.Condition(self._lock)
        self._checkouts: dict[Checkout[Any], int] = {}
        """Each checkout's thread."""
        self._forking = 0

    def add(self, pool: "Pool[Any]") -> None:
        """Make a pool start over in every forked child while it exists."""
        self._pools.add(pool)

    def begin(self, checkout: "Checkout[Any]") -> None:
        """Record a checkout of this thread, after waiting for a fork in another thread."""
        thread = threading.get_ident()
        with self._lock:
            while self._forking and thread not in self._checkouts.values():
                self._turn.wait()
            self._checkouts[checkout] = thread

    def end(self, checkout: "Checkout[Any]") -> None:
        """Record its end; in a child forked within it, there is none."""
        with self._lock:
            self._checkouts.pop(checkout, None)
            if self._forking:
                self._turn.notify_all()

    def _close(self) -> None:
        with self._lock:
            self._forking += 1
            # A thread that forks within a call may hold the lock that the others wait for.
            if threading.get_ident() not in self._checkouts.values():
                self._turn.wait_for(lambda: not self._checkouts, timeout=FORK_SECONDS)

    def _open(self) -> None:
        with self._lock:
            self._forking -= 1
            self._turn.notify_all()

    def _begin_in_child(self) -> None:
        in_use = {checkout.pool for checkout in self._checkouts}
        self._start()
        for pool in list(self._pools):
            pool.begin_in_child(was_in_use=pool in in_use)


def abandon(connection: object) -> None:
    """Keep an inherited connection forever: closing it, even at interpreter exit, would break the parent's."""
    import ctypes  # noqa: PLC0415  dear to load, and needed in a forked child alone

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))


fork_guard: ForkGuard = ForkGuard()

FORKED_IN_USE = (
    "this process was forked in the middle of a call, which the database's locks do not survive; nothing was read or "
    "written: fork while no call is under way, or start a new process (spawn)"
)


class Room:
    """Admits `size` callers in order of arrival; with a semaphore, busy threads would overtake a waiting one."""

    def __init__(self, size: int) -> None:
        self._lock = threading.RLock()
        self._turn = threading.Condition(self._lock)
        self._left = size
        self._waiting: deque[object] = deque()

    def enter(self, seconds: float) -> bool:
        """Wait for at most `seconds`; return whether the caller is in."""
        with self._lock:
            if self._left > 0 and not self._waiting:
                self._left -= 1
                return True
            mine = object()
            self._waiting.append(mine)
            try:
                is_in = self._turn.wait_for(lambda: self._left > 0 and self._waiting[0] is mine, seconds)
                self._left -= is_in
                return is_in
            finally:
                self._waiting.remove(mine)
                self._turn.notify_all()

    def leave(self) -> None:
        """Let the next one in."""
        with self._lock:
            self._left += 1
            if self._waiting:
                self._turn.notify_all()


class Closable(Protocol):
    """A connection that a pool can hold."""

    def close(self) -> None:
        """Close it; must not raise."""


Pooled = TypeVar("Pooled", bound=Closable)


@define(eq=False, slots=False)
class Pool(Generic[Pooled]):
    """At most `size` connections, opened on demand and kept for the next caller.

    Nothing happens in the background: a caller who needs a connection opens it and gets any error immediately.
    A forked child starts over with its own connections. `survives_fork` says whether it can even if it was forked
    during a call, which happens only if a thread forks within one, or after `FORK_SECONDS`.
    """

    _connect: Callable[[], Pooled]
    _address: str
    _size: int = field(kw_only=True)
    _seconds_max: float = field(kw_only=True)
    _is_alive: Callable[[Pooled], bool] = field(kw_only=True)
    _is_idle: Callable[[Pooled], bool] = field(kw_only=True)
    _survives_fork: bool = field(default=True, kw_only=True)
    _closed: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self._begin()
        fork_guard.add(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[Pooled] = []
        self._room = Room(self._size)

    def begin_in_child(self, *, was_in_use: bool) -> None:
        """Leave all connections to the parent: the child must not use or even close them."""
        for connection in self._idle:
            abandon(connection)
        if was_in_use and not self._survives_fork:
            _unusable.add(self._address)
        self._begin()

    def connection(self, translated: "Translation" = lambda error: error) -> "Checkout[Pooled]":
        """Check out a connection; raises `LedgerBusy` if all stay in use, and other errors translated."""
        return Checkout(self, translated)

    def close(self) -> None:
        """Close idle connections now, and others when they are returned."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def wait_for_room(self) -> Room:
        """Wait until one more may be in use, and return the room to leave afterwards."""
        if self._closed:
            raise LedgerFailed(f"{self._address} is closed; open it again")
        if self._address in _unusable:
            raise LedgerFailed(f"{self._address}: {FORKED_IN_USE}")
        room = self._room
        if not room.enter(self._seconds_max):
            raise LedgerBusy(
                f"{self._address}: all {self._size} connections of this process have been busy for over "
                f"{self._seconds_max:.0f} s; nothing was written: try again"
            )
        return room

    def take(self) -> Pooled:
        """Return an idle connection that is alive, or a new one."""
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._connect()
            if self._is_alive(connection):
                return connection
            connection.close()

    def give_back(self, connection: Pooled, room: Room | None) -> None:
        """Keep a connection for the next caller, or close it."""
        if room is not self._room:
            # This is a child that was forked within the call.
            abandon(connection)
            return
        # `take` checks whether it is alive, because it may die before then.
        is_idle = self._is_idle(connection)
        with self._lock:
            if is_idle and not self._closed:
                self._idle.append(connection)
                return
        connection.close()


class Checkout(Generic[Pooled]):
    """A connection, checked out by one caller. A class, because a generator-based context manager is slower."""

    __slots__ = ("_connection", "_room", "_translated", "pool")

    def __init__(self, pool: Pool[Pooled], translated: "Translation") -> None:
        self.pool, self._translated = pool, translated

    def __enter__(self) -> Pooled:
        self._room: Room | None = None
        fork_guard.begin(self)
        try:
            self._room = self.pool.wait_for_room()
            self._connection = self.pool.take()
        except BaseException as error:
            self._leave(error)
            raise
        return self._connection

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        try:
            self.pool.give_back(self._connection, self._room)
        finally:
            self._leave(error)

    def _leave(self, error: BaseException | None) -> None:
        if self._room is not None:
            self._room.leave()
        fork_guard.end(self)
        if isinstance(error, Exception) and (ours := self._translated(error)) is not error:
            raise ours from error


Translation = Callable[[Exception], Exception]
"""Returns the error to raise instead, or the same error."""
_unusable: set[str] = set()
"""Addresses for which a library in this forked process believes it holds locks that its parent holds."""
