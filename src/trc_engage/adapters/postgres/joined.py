"""The caller's own connection, inside his own transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from ...core.errors import LedgerFailed
from .database import WAIT_SECONDS
from .errors import told_as_ours
from .place import Place
from .schema import SCHEMA_VERSION, version_of
from .session import PostgresSession
from .statements import KEPT_ONCE_SEEN, Statements

ENTER = """
SELECT current_setting('search_path'), current_setting('lock_timeout'), current_setting('transaction_isolation'),
       set_config('search_path', %s, true), set_config('lock_timeout', %s, true)
"""
LEAVE = "SELECT set_config('search_path', %s, true), set_config('lock_timeout', %s, true)"


class JoinedTransaction(Statements):
    """A caller's connection: what is written here is committed or rolled back with all else that he does.

    Each call is a savepoint, so that one that raised has changed nothing and his transaction goes on; nothing
    of his connection's settings and adapters is changed. Whoever has written keeps other writers waiting until
    he commits.
    """

    def __init__(self, place: Place, connection: psycopg.Connection[Any]) -> None:
        super().__init__(place)
        self._connection: psycopg.Connection[Any] | None = connection

    def check(self) -> None:
        """Raise `LedgerFailed` unless the tables are there and up to date: no transaction of his lays them out."""
        with self._entered() as (session, _):
            version = version_of(session.connection, self._place)
        if version != SCHEMA_VERSION:
            message = (
                f"{self.place}: the store is not laid out for this version; open it once by its address, for example "
                "with `trc-engage status`, before you join it"
            )
            raise LedgerFailed(message)

    def close(self) -> None:
        """Let go of the connection, which stays open."""
        self._connection = None

    @contextmanager
    def lent(self) -> Iterator[PostgresSession]:
        """Lend a session in which each statement sees what was committed by then, and what his transaction did."""
        with self._entered() as (session, _):
            yield session

    @contextmanager
    def reading(self) -> Iterator[PostgresSession]:
        """Lend a session in which all reads see one state: meanwhile nobody else writes."""
        key = self._place.lock_key
        with self._entered() as (session, _):
            connection = session.connection
            # One of the session, for one of the transaction would be held until he commits.
            connection.execute("SELECT pg_advisory_lock_shared(%s)", [key])
            try:
                with connection.transaction():
                    yield session
            finally:
                if not connection.closed:
                    connection.execute("SELECT pg_advisory_unlock_shared(%s)", [key])

    @contextmanager
    def writing(self) -> Iterator[PostgresSession]:
        """Lend a session for what is to be committed with his transaction, all of it or nothing."""
        with self._entered() as (session, isolation):
            if isolation != "read committed":
                message = (
                    f"{self.place}: your transaction is {isolation.upper()} and cannot see what others commit; join "
                    "the store from one that is READ COMMITTED"
                )
                raise LedgerFailed(message)
            session.connection.execute(f"{self._place.turn}; {KEPT_ONCE_SEEN.format(is_local=True)}")
            yield session

    @contextmanager
    def _entered(self) -> Iterator[tuple[PostgresSession, str]]:
        connection = self._open_connection()
        with told_as_ours(self.place):
            if connection.info.transaction_status == TransactionStatus.IDLE and not connection.autocommit:
                # Now his transaction has begun, and what follows is a savepoint in it.
                connection.execute("SELECT")
            with connection.transaction():
                session = PostgresSession(connection)
                values = [f"{self._place.quoted_schema}, pg_temp", f"{WAIT_SECONDS}s"]
                path, wait, isolation, *_ = session.cursor().execute(ENTER, values).fetchone() or ("", "", "")
                yield session, isolation
                session.cursor().execute(LEAVE, [path, wait])

    def _open_connection(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            message = f"{self.place} is closed; open it again"
            raise LedgerFailed(message)
        if self._connection.info.transaction_status == TransactionStatus.INERROR:
            message = f"{self.place}: your transaction has failed before; roll it back first"
            raise LedgerFailed(message)
        return self._connection
