"""The caller's own connection, inside his own transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from ...core.errors import LedgerFailed
from ..sql.database import Session, refuse_other
from .address import Place
from .connection import WAIT_SECONDS, PostgresSession
from .database import Statements
from .errors import told_as_ours
from .schema import SCHEMA_VERSION, missing, version_of

NAMES = ("search_path", "lock_timeout", "client_min_messages")
THEIRS = ", ".join(f"current_setting('{name}')" for name in NAMES)
OURS = ", ".join(f"set_config('{name}', %s, true)" for name in NAMES)
ENTER = f"SELECT current_setting('transaction_isolation'), {THEIRS}, {OURS}"
LEAVE = f"SELECT {OURS}"


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

    def be_patient(self, session: Session, /) -> None:
        """Do nothing: the limits are the caller's."""

    @contextmanager
    def lent(self) -> Iterator[PostgresSession]:
        """Lend a session in which each statement sees what was committed by then, and what his transaction did."""
        with self._entered(is_undone=True) as (session, _):
            yield session

    @contextmanager
    def reading(self) -> Iterator[PostgresSession]:
        """Lend a session in which all reads see one state: meanwhile nobody else writes."""
        with self._entered(is_undone=True) as (session, _):
            # Let go of with the savepoint, and not as late as he commits.
            session.run(f"SELECT pg_advisory_xact_lock_shared({self._place.lock_key})")
            yield session

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
            (version,) = session.run(self._place.turn)
            refuse_other(self.place, version, SCHEMA_VERSION)
            yield session
            if session.staged:
                session.run(f"DROP TABLE {', '.join(f'pg_temp.{table}' for table in session.staged)}")

    @contextmanager
    def _entered(self, *, is_undone: bool = False) -> Iterator[tuple[PostgresSession, str]]:
        """Lend a session within a savepoint; what only reads is undone, with all that was set and locked for it."""
        connection = self._open_connection()
        with told_as_ours(self.place, lambda: missing(connection, self._place)), _unprepared(connection):
            if connection.info.transaction_status == TransactionStatus.IDLE and not connection.autocommit:
                # Now his transaction has begun, and what follows is a savepoint in it.
                connection.execute("SELECT")
            with connection.transaction(force_rollback=is_undone):
                session = PostgresSession(connection)
                values = [self._place.path, f"{WAIT_SECONDS}s", "warning"]
                isolation, *before = (session.cursor().execute(ENTER, values).fetchone() or [""])[: len(NAMES) + 1]
                yield session, isolation
                if not is_undone:
                    session.cursor().execute(LEAVE, before)

    def _open_connection(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            message = f"{self.place} is closed; open it again"
            raise LedgerFailed(message)
        if self._connection.info.transaction_status == TransactionStatus.INERROR:
            message = f"{self.place}: your transaction has failed before; roll it back first"
            raise LedgerFailed(message)
        return self._connection


@contextmanager
def _unprepared(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Leave no prepared statement of ours on a caller's connection, which a pool may hand to others."""
    threshold, connection.prepare_threshold = connection.prepare_threshold, None
    try:
        yield
    finally:
        connection.prepare_threshold = threshold
