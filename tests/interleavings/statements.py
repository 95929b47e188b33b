"""Where statements are sent to SQLite: each comes to the scheduler first; one that meets a lock lets others go on."""

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
    """What others can tell of one connection: whether a statement changed anything for anybody.

    One that did not can be told neither by them nor by itself from one that ran a little earlier or later, so that to
    be preempted before it or behind it is the same. Such are those in a transaction that holds the store's one lock for
    writing, between the first and the COMMIT, and the reads of a snapshot behind the first.
    """

    mode: str = ""
    was_seen: bool = True
    """Whether the last statement changed anything for anybody."""

    def next(self, text: str) -> bool:
        """Go on by a statement; return whether others could tell the place before it from the one before that."""
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
            # A deferred one takes no lock yet.
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
    """Let each statement of an actor on SQLite come to the scheduler; what waits for a lock is tried again."""
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
