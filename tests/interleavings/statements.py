"""Where statements are sent to SQLite: each reports to the scheduler first; one that meets a lock lets others go on."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from attrs import define

from trc_engage.adapters.sqlite.database import FileConnection

from . import scheduler

READS = ("SELECT", "WITH")
ENDS = ("COMMIT", "ROLLBACK")


@define
class Sight:
    """What others can tell about one connection: whether a statement changed anything for anyone.

    If it did not, neither they nor it can tell whether it ran a little earlier or later, so that a preemption before it
    equals one after it. This is true within a transaction that holds the store's one lock for writing, between its
    first statement and the COMMIT, and of the reads of a snapshot after the first.
    """

    mode: str = ""
    was_seen: bool = True
    """Whether the last statement changed anything for anyone."""

    def next(self, text: str) -> bool:
        """Note a statement; return whether others could tell the place before it from the one before that."""
        is_new, self.was_seen = self.was_seen, self._is_seen(text)
        return is_new

    def _is_seen(self, text: str) -> bool:
        raise NotImplementedError


class SightOfFile(Sight):
    """On SQLite, where a reader keeps a writer from its COMMIT."""

    def _is_seen(self, text: str) -> bool:
        verb = text.split(maxsplit=1)[0].upper()
        before = self.mode
        if verb == "BEGIN":
            # A deferred transaction takes no lock yet.
            self.mode = "write" if "IMMEDIATE" in text else "begun"
            return self.mode == "write"
        if verb in ENDS:
            self.mode = ""
            return True
        if before == "begun" and verb in READS:
            self.mode = "read"
            return True
        return before != "write" and not (before == "read" and verb in READS)


Committed = Callable[[], None]


@contextmanager
def on_files(committed: Committed) -> Iterator[None]:
    """Make each statement of an actor on SQLite report to the scheduler, and retry it while it meets a lock."""
    sights: dict[int, SightOfFile] = {}

    def hooked(real: Any) -> Any:
        def sent(self: FileConnection, text: str, *values: Any) -> Any:
            at = scheduler.present()
            if at is None:
                return real(self, text, *values)
            sight = sights.setdefault(id(self), SightOfFile())
            at.before(is_new=sight.next(text))
            given = [[*one] if isinstance(one, Iterator) else one for one in values]
            while True:
                try:
                    rows = real(self, text, *given)
                    break
                except sqlite3.OperationalError as error:
                    if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or not at.wait():
                        raise
            at.after()
            if text == "COMMIT":
                committed()
            return rows

        return sent

    class Hooked(FileConnection):
        execute = hooked(sqlite3.Connection.execute)
        executemany = hooked(sqlite3.Connection.executemany)

    with (
        patch("trc_engage.adapters.sqlite.database.FileConnection", Hooked),
        patch("trc_engage.adapters.sqlite.database.BUSY_SECONDS", 0.0),
    ):
        yield
