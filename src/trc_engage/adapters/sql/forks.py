"""A fork waits until nothing is lent, so that no child inherits a call that is under way.

SQLite keeps a process's locks in its own memory. A child that is forked while a connection holds one believes
that it holds it, too, and could neither read safely nor ever write; a socket that is in the middle of an answer
is of no use to two either.
"""

from __future__ import annotations

import os
import threading
from typing import Protocol
from weakref import WeakSet

from attrs import field, frozen

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
    # Hardly any process forks like that.
    import ctypes  # noqa: PLC0415

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))


gate = Gate()
