"""A store inside the caller's own transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from ...core.errors import LedgerFailed, StoreMissing, StoreOutdated
from ..sql.database import Connection, refuse_other
from ..sql.schema import SCHEMA_VERSION
from .address import Address
from .connection import WAIT_SECONDS, PostgresConnection
from .database import Statements
from .errors import translated_errors
from .schema import missing, version_of

NAMES = ("search_path", "lock_timeout", "client_min_messages")
THEIRS = ", ".join(f"current_setting('{name}')" for name in NAMES)
OURS = ", ".join(f"set_config('{name}', %s, true)" for name in NAMES)
ENTER = f"SELECT current_setting('transaction_isolation'), {THEIRS}, {OURS}"
LEAVE = f"SELECT {OURS}"


class JoinedDatabase(Statements):
    """A caller's connection: what is written here is committed or rolled back with all else that is done on it.

    Each call is a savepoint, so that one that raised has changed nothing and the transaction goes on; settings and
    adapters of the connection stay as they are. After a write, other writers wait until the caller commits.
    """

    def __init__(self, address: Address, connection: psycopg.Connection[Any]) -> None:
        super().__init__(address)
        self._connection: psycopg.Connection[Any] | None = connection

    def check(self) -> None:
        """Raise `LedgerFailed` unless the tables are there and up to date; they are not laid out here."""
        with self._entered() as (connection, _):
            version = version_of(connection.driver, self._address)
        if version != SCHEMA_VERSION:
            message = (
                f"{self.address}: the store is not laid out for this version; run `trc-engage init` or `trc-engage "
                "migrate`, or open it once by its address, before you join it"
            )
            raise StoreMissing(message) if version is None else StoreOutdated(message)

    def close(self) -> None:
        """Let go of the connection, which stays open."""
        self._connection = None

    def extend_timeout(self, connection: Connection, /) -> None:
        """Do nothing: the caller's connection keeps its limits."""

    @contextmanager
    def connection(self) -> Iterator[PostgresConnection]:
        """Use the connection so that each statement sees what was committed by then, and what the caller did."""
        with self._entered(is_undone=True) as (connection, _):
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[PostgresConnection]:
        """Use the connection so that all reads see one state: meanwhile nobody else writes."""
        with self._entered(is_undone=True) as (connection, _):
            # Released with the savepoint, and not as late as the caller commits.
            connection.run(f"SELECT pg_advisory_xact_lock_shared({self._address.lock_key})")
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[PostgresConnection]:
        """Use the connection for what is committed with the caller's transaction, all of it or nothing."""
        with self._entered() as (connection, isolation):
            if isolation != "read committed":
                message = (
                    f"{self.address}: your transaction is {isolation.upper()} and cannot see what others commit; join "
                    "the store from one that is READ COMMITTED"
                )
                raise LedgerFailed(message)
            (version,) = connection.run(self._address.begin_writing)
            refuse_other(self.address, version, SCHEMA_VERSION)
            yield connection
            if connection.staged:
                connection.run(f"DROP TABLE {', '.join(f'pg_temp.{table}' for table in connection.staged)}")

    @contextmanager
    def _entered(self, *, is_undone: bool = False) -> Iterator[tuple[PostgresConnection, str]]:
        """Use the connection within a savepoint; a read is undone, with all that was set and locked for it."""
        driver = self._open_connection()
        with translated_errors(self.address, lambda: missing(driver, self._address)), _unprepared(driver):
            if driver.info.transaction_status == TransactionStatus.IDLE and not driver.autocommit:
                # This begins the caller's transaction, and what follows is a savepoint in it.
                driver.execute("SELECT")
            with driver.transaction(force_rollback=is_undone):
                connection = PostgresConnection(driver)
                values = [self._address.search_path, f"{WAIT_SECONDS}s", "warning"]
                isolation, *before = (connection.cursor().execute(ENTER, values).fetchone() or [""])[: len(NAMES) + 1]
                yield connection, isolation
                if not is_undone:
                    connection.cursor().execute(LEAVE, before)

    def _open_connection(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            message = f"{self.address} is closed; open it again"
            raise LedgerFailed(message)
        if self._connection.info.transaction_status == TransactionStatus.INERROR:
            message = f"{self.address}: your transaction has failed before; roll it back first"
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
