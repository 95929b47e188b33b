"""Connections to one database: made, lent, in a transaction, with every foreign error translated."""

import select
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from ...core.errors import LedgerFailed
from ..sql.pool import Pool
from .errors import CommitUnsure, told_as_ours, unreachable
from .place import Place
from .schema import bring_up_to_date, version_of
from .session import PostgresSession
from .statements import KEPT_ONCE_SEEN, Statements

WAIT_SECONDS = 10.0
"""For a connection, and for whoever writes to be done."""
STATEMENT_SECONDS = 300
"""As long as a claim holds: what takes longer is lost anyway."""
IDLE_SECONDS = 60
"""A process that stops dead in a transaction must not hold up the others for ever."""

Connection = psycopg.Connection[Any]


class Database(Statements):
    """A pool of connections to one database.

    All who write take one lock for the whole transaction: so positions rise in the order of commits (R23), and
    what is checked under it, at READ COMMITTED, is the latest that was committed.
    """

    def __init__(self, place: Place, *, size: int, read_only: bool = False) -> None:
        super().__init__(place)
        self._read_only = read_only
        self._pool = Pool(self._connect, place.shown, size=size, seconds_max=WAIT_SECONDS, is_alive=_is_quiet)

    def bring_up_to_date(self) -> None:
        """Lay out the tables, or those that are new; raises `LedgerFailed` if they are newer than this version."""
        with self._lent() as connection:
            bring_up_to_date(connection, self._place)

    def check(self) -> None:
        """Raise `LedgerFailed` if there is no store, or one that is newer than this version."""
        with self._lent() as connection:
            if version_of(connection, self._place) is None:
                message = f"{self.place}: there is no store; check the name, or begin one by enrolling a member"
                raise LedgerFailed(message)

    def close(self) -> None:
        """Close what is idle now and what is lent when it comes back."""
        self._pool.close()

    @contextmanager
    def lent(self) -> Iterator[PostgresSession]:
        """Lend a session in which each statement stands alone."""
        with self._lent() as connection:
            yield PostgresSession(connection)

    @contextmanager
    def reading(self) -> Iterator[PostgresSession]:
        """Lend a session in which all reads see one state."""
        with self._lent() as connection:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            try:
                yield PostgresSession(connection)
            finally:
                _roll_back(connection)

    @contextmanager
    def writing(self) -> Iterator[PostgresSession]:
        """Lend a session in a transaction of which all is committed, or nothing."""
        with self._lent() as connection:
            try:
                connection.execute(f"BEGIN ISOLATION LEVEL READ COMMITTED; {self._place.turn}")
                yield PostgresSession(connection)
            except BaseException:
                _roll_back(connection)
                raise
            _commit(connection)

    @contextmanager
    def _lent(self) -> Iterator[Connection]:
        with told_as_ours(self.place), self._pool.lent() as connection:
            yield connection

    def _connect(self) -> Connection:
        try:
            connection = psycopg.connect(self._place.dsn, autocommit=True, **self._place.defaults)
        except psycopg.Error as error:
            raise unreachable(self.place, error) from error
        try:
            connection.execute(
                f"SET search_path = {self._place.quoted_schema}, pg_temp; "
                f"SET lock_timeout = '{WAIT_SECONDS}s'; "
                f"SET statement_timeout = '{STATEMENT_SECONDS}s'; "
                f"SET idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'; "
                f"SET default_transaction_read_only = {self._read_only}; "
                "SET client_min_messages = warning; "
                f"SET client_encoding = 'UTF8'; {KEPT_ONCE_SEEN.format(is_local=False)}"
            )
        except BaseException:
            connection.close()
            raise
        return connection


def _is_quiet(connection: Connection) -> bool:
    """Tell whether a connection can be lent: a server that went away has said so, or has closed it."""
    if connection.closed or connection.info.transaction_status != TransactionStatus.IDLE:
        return False
    watched = select.poll()
    watched.register(connection.fileno(), select.POLLIN)
    return not watched.poll(0)


def _roll_back(connection: Connection) -> None:
    # A connection that is lost is rolled back by the server.
    with suppress(psycopg.OperationalError):
        if connection.info.transaction_status != TransactionStatus.IDLE:
            connection.execute("ROLLBACK")


def _commit(connection: Connection) -> None:
    try:
        connection.execute("COMMIT")
    except psycopg.OperationalError as error:
        raise CommitUnsure from error
