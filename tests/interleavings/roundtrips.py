"""Where statements are sent to PostgreSQL: each reports to the scheduler first, even those that are sent together."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import psycopg
from attrs import define, field

from trc_engage.adapters.postgres import connection as sending
from trc_engage.adapters.postgres.connection import Cursor, DeadlineConnection, PostgresConnection, translated
from trc_engage.adapters.sql import Rows, Statement

from . import scheduler
from .statements import ENDS, Committed, Sight

LOCK = "pg_advisory_xact_lock"
HIDING = {"snapshot", "write"}
"""Transactions of which others can see no statement but the first and the last."""
LOOK_SECONDS = 0.02
"""After how long the server is asked whether a statement waits for another actor."""


class SightOfServer(Sight):
    """On PostgreSQL, where reads do not block anything."""

    def _is_seen(self, text: str) -> bool:
        verb = text.split(maxsplit=1)[0].upper()
        before = self.mode
        if verb == "BEGIN":
            if "REPEATABLE READ" in text:
                self.mode = "snapshot"
            elif "READ ONLY" in text:
                self.mode = "one"
            else:
                self.mode = "write" if LOCK in text else "open"
            return self.mode != "one"
        if verb in ENDS:
            self.mode = ""
            return before not in {"snapshot", "one"}
        if before == "one":
            return not _is_frame(text)
        return before not in HIDING


HIDING = {"snapshot", "write"}


def _is_frame(text: str) -> bool:
    return text.startswith(("BEGIN", "SET LOCAL", *ENDS)) or "set_config" in text


@define(eq=False)
class Hooks:
    """The functions that replace those between the ledgers and the server."""

    committed: Committed
    asking: psycopg.Connection[Any]
    _sights: dict[int, SightOfServer] = field(factory=dict)
    _pids: set[int] = field(factory=set)
    """The server's processes for the actors' connections."""
    _sent: threading.local = field(factory=threading.local)

    def one(self, real: Any, connection: Callable[[Any], Any]) -> Any:
        """Return a function that sends one statement."""

        def sent(sender: Any, text: Any, *values: Any, **how: Any) -> Any:
            at = None if hasattr(self._sent, "together") else scheduler.present()
            if at is not None:
                self._come_to(at, connection(sender), str(text))
            rows = real(sender, text, *values, **how)
            if at is not None:
                at.after()
                if text == "COMMIT":
                    self.committed()
            return rows

        return sent

    def all(self, real: Any) -> Any:
        """Return a function that sends several: together if others can see at most one of them."""

        def sent(sender: PostgresConnection, statements: Iterable[Statement], /) -> Sequence[Rows]:
            given, at = [*statements], scheduler.present()
            own = [text for text, _ in given if not _is_frame(text)]
            if at is None or not own or not (len(own) == 1 or self._sight_of(sender.driver).mode in HIDING):
                return [sender.cursor().execute(translated(text), values) for text, values in given]
            self._come_to(at, sender.driver, own[0])
            self._sent.together = True
            try:
                rows: Sequence[Rows] = real(sender, given)
            finally:
                del self._sent.together
            at.after()
            return rows

        return sent

    def wait(self, real: Any) -> Any:
        """Return a function that waits for an answer."""

        def waited(driver: DeadlineConnection, generator: Any, *_: Any, **__: Any) -> Any:
            at = scheduler.present()
            if at is None:
                return real(driver, generator)
            self._pids.add(driver.info.backend_pid)
            return real(driver, self._patient(generator, driver.info.backend_pid, at))

        return waited

    def _sight_of(self, driver: psycopg.Connection[Any]) -> SightOfServer:
        return self._sights.setdefault(id(driver), SightOfServer())

    def _come_to(self, at: scheduler.Scheduler, driver: psycopg.Connection[Any], text: str) -> None:
        at.before(is_new=self._sight_of(driver).next(text))
        while LOCK in text and self._is_held(text) and at.wait():
            pass

    def _is_held(self, text: str) -> bool:
        """Ask the server whether the lock that a statement wants is held."""
        key = int(text.partition(f"{LOCK}(")[2].partition(")")[0])
        asked = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objid = %s AND granted"
        return self.asking.execute(asked, [key >> 32 & 0xFFFFFFFF, key & 0xFFFFFFFF]).fetchone() is not None

    def _patient(self, generator: Any, pid: int, at: scheduler.Scheduler) -> Any:
        """Pass on what is waited for; if the server says that another actor blocks it, let others go on.

        An autovacuum that blocks it for a moment ends by itself.
        """
        held_up = "SELECT 1 WHERE pg_blocking_pids(%s) && %s::int[]"
        try:
            wanted = next(generator)
            while True:
                ready = yield wanted
                if not ready and self.asking.execute(held_up, [pid, [*self._pids]]).rowcount:
                    at.wait()
                wanted = generator.send(ready)
        except StopIteration as end:
            return end.value


@contextmanager
def on_server(committed: Committed, asking: psycopg.Connection[Any]) -> Iterator[None]:
    """Make each statement of an actor on PostgreSQL report to the scheduler."""
    hooks = Hooks(committed, asking)
    with ExitStack() as stack:
        for where, name, made in (
            *((Cursor, name, hooks.one(getattr(psycopg.Cursor, name), _of_cursor)) for name in SENDING),
            (DeadlineConnection, "execute", hooks.one(psycopg.Connection.execute, lambda driver: driver)),
            (DeadlineConnection, "wait", hooks.wait(DeadlineConnection.wait)),
            (PostgresConnection, "execute_all", hooks.all(PostgresConnection.execute_all)),
            (sending, "LOOK_SECONDS", LOOK_SECONDS),
        ):
            stack.enter_context(patch.object(where, name, made))
        yield


SENDING = ("execute", "executemany", "copy")


def _of_cursor(cursor: Cursor) -> psycopg.Connection[Any]:
    return cursor.connection
