"""Connections to one database; every foreign error is translated."""

import select
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from ...core.errors import LedgerBusy, StoreMissing
from ..sql import Connection, Database, Record, Values, inserting, refuse_other, succeeding
from ..sql.pool import Pool
from ..sql.schema import SCHEMA_VERSION, STAGED_MOVES, STAGED_WINDOWS
from .connection import (
    BULK_SECONDS,
    LAYOUT_SECONDS,
    READ,
    READ_ONE,
    STATEMENT_SECONDS,
    WAIT_SECONDS,
    WRITE,
    Address,
    AutocommitConnection,
    DeadlineConnection,
    PostgresConnection,
    opening,
)
from .errors import CommitUnsure, translated_errors, unreachable
from .schema import WORDS, bring_up_to_date, migration, missing, version_of

# The key begins with the day, so look up a member's days one by one instead of reading everyone's.
DISCORD_EVIDENCE = """
WITH held AS (SELECT min(day) AS first, max(day) AS last FROM discord_days),
bounds AS (
    SELECT greatest(CAST(:first AS date), first) AS first, least(CAST(:last AS date), last) AS last
    FROM held WHERE first IS NOT NULL
)
SELECT mine.day, mine.account_id, mine.opens_at, mine.closes_at
FROM bounds
    CROSS JOIN generate_series(0, bounds.last - bounds.first) AS later
    CROSS JOIN LATERAL (
        SELECT * FROM discord_days WHERE day = bounds.first + later AND member_id = :member OFFSET 0
    ) AS mine
"""

SIZE = """
SELECT CAST(coalesce(sum(pg_total_relation_size(oid)), 0) AS BIGINT) FROM pg_class
WHERE relnamespace = CAST(:schema AS regnamespace) AND relkind = 'r'
"""

FILES = "SELECT pg_relation_filenode(oid) FROM unnest(CAST(string_to_array(%s, ', ') AS regclass[])) AS oid"


STAGE = f"""
CREATE TEMP TABLE engage_staged_moves ({STAGED_MOVES}) ON COMMIT DROP;
CREATE TEMP TABLE engage_staged_windows ({STAGED_WINDOWS}) ON COMMIT DROP
""".format_map(WORDS)

ROWS_TO_COPY = 100
"""From this many rows on, it is faster to copy them into a temporary table first."""


class PostgresShared(Database):
    """The part of `Database` shared by a pool and a caller's connection."""

    discord_evidence = DISCORD_EVIDENCE

    def __init__(self, address: Address) -> None:
        self._address = address

    @property
    def address(self) -> str:
        return self._address.shown

    def check(self, *, may_be_older: bool = False) -> None:
        """Raise `StoreMissing` if there is no store, and `LedgerFailed` if it is one of another version."""
        refuse_other(self.address, self._version(), SCHEMA_VERSION, may_be_older=may_be_older)

    def _version(self) -> int:
        with self.connection() as connection:
            version = version_of(own(connection), self._address)
        if version is None:
            raise StoreMissing(f"{self.address}: there is no store")
        return version

    def extend_timeout(self, connection: Connection, /) -> None:
        own(connection).extend_timeout(BULK_SECONDS)

    def stage(self, connection: Connection, moves: Iterable[Values], windows: Iterable[Values], /) -> None:
        mine = own(connection)
        mine.extend_timeout(BULK_SECONDS, STAGE)
        mine.staged += ["engage_staged_moves", "engage_staged_windows"]
        mine.copy("engage_staged_moves", moves)
        mine.copy("engage_staged_windows", windows)
        # Without it, the planner takes few moves for many and reads all accounts.
        mine.run("ANALYZE engage_staged_moves (account_id)")

    def merge(
        self, connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Values], conflict: str, /
    ) -> int:
        """Insert rows, through a temporary table if there are many, and return how many were written."""
        if len(rows) < ROWS_TO_COPY:
            insert = inserting(table, columns, conflict)
            return sum(written.rowcount for written in connection.execute_all([(insert, row) for row in rows]))
        staged, names = self._copied(connection, table, columns, rows), ", ".join(columns)
        return connection.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM {staged} {conflict}").rowcount

    def succeed(self, connection: Connection, record: Record[Any], rows: Sequence[Values], /) -> int:
        if len(rows) < ROWS_TO_COPY:
            return super().succeed(connection, record, rows)
        staged = self._copied(connection, record.table, record.columns, rows)
        return connection.execute(succeeding(record, staged)).rowcount

    def _copied(self, connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Values]) -> str:
        """Copy rows into a new temporary table and return its name."""
        mine = own(connection)
        staged = f"engage_staged_{table}_{len(mine.staged)}"
        alike = f"SELECT {', '.join(columns)} FROM {table} WITH NO DATA"
        mine.extend_timeout(BULK_SECONDS, f"CREATE TEMP TABLE {staged} ON COMMIT DROP AS {alike}")
        mine.staged.append(staged)
        mine.copy(staged, rows)
        return staged

    def fill(self, connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Values], /) -> None:
        mine, number = own(connection), columns[0]
        # No time limit: no other process uses a store that is being filled.
        mine.extend_timeout(LAYOUT_SECONDS)
        mine.copy(f"{table} ({', '.join(columns)})", rows)
        (sequence,) = connection.execute("SELECT pg_get_serial_sequence(?, ?)", [table, number]).fetchone()
        if sequence is not None:
            connection.execute(f"SELECT setval(?, max({number})) FROM {table} HAVING count(*) > 0", [sequence])

    def size_bytes(self, connection: Connection, /) -> int:
        (size,) = connection.execute(SIZE, {"schema": self._address.quoted_schema}).fetchone()
        return int(size)


def own(connection: Connection) -> PostgresConnection:
    """Return a connection with its actual type."""
    assert isinstance(connection, PostgresConnection)  # noqa: S101  this package makes no other
    return connection


PREPARED_AFTER = 5
"""How often a connection runs a statement before preparing it, if `prepare` is on."""


class PostgresDatabase(PostgresShared):
    """A pool of connections to one database.

    A connection may go through a pool in transaction mode (PgBouncer), so no setting, lock or temporary table lasts
    longer than a transaction, and nothing is prepared unless `prepare` is on.

    Writers hold one lock for the whole transaction. So positions rise in commit order (R23), and checks under it, at
    READ COMMITTED, see the latest commits. The schema version is checked under it too, because a newer process may
    have migrated the tables.
    """

    def __init__(self, address: Address, *, size: int, read_only: bool = False, prepare: bool = False) -> None:
        super().__init__(address)
        self._read_only = read_only
        self._prepare = prepare
        self._pool = Pool(
            self._connect, address.shown, size=size, seconds_max=WAIT_SECONDS, is_alive=_is_quiet, is_idle=_is_idle
        )

    def make(self) -> None:
        """Create or migrate the tables; raises `LedgerFailed` if they are newer than this version."""
        with self.snapshot() as connection:
            if version_of(connection, self._address) == SCHEMA_VERSION:
                return
        # Without USAGE on the schema, the tables would be created in the temporary one.
        begin = opening(WRITE, self._address, path=self._address.quoted_schema)
        with self._transaction(*begin, self._address.lock) as (connection, _):
            connection.extend_timeout(LAYOUT_SECONDS)
            bring_up_to_date(connection, self._address)

    def bring_up_to_date(self) -> None:
        """Migrate the tables; raises `StoreMissing`, and `LedgerFailed` if they are newer than this version."""
        if self._version() < SCHEMA_VERSION:
            self.make()

    def migration(self) -> str:
        """Return the SQL that `make` would run; raises `LedgerFailed` if the tables are newer than this version."""
        with self.snapshot() as connection:
            return migration(version_of(connection, self._address), self._address)

    def wipe(self, tables: Sequence[str], /) -> None:
        named = ", ".join(f"{self._address.quoted_schema}.{table}" for table in tables)
        with self._checked_out() as driver:
            before = driver.execute(FILES, [named]).fetchall()
            driver.statement_seconds = BULK_SECONDS
            # A table that is locked or another role's is skipped with a mere warning, and keeps its file.
            driver.execute(f"VACUUM (FULL, SKIP_LOCKED) {named}")
            if {*before} & {*driver.execute(FILES, [named]).fetchall()}:
                advice = "the tables are in use, or they belong to another role and you must connect as it"
                raise LedgerBusy(f"{self.address}: erased text may remain, for VACUUM (FULL) {named} failed: {advice}")

    def close(self) -> None:
        self._pool.close()

    @contextmanager
    def connection(self) -> Iterator[PostgresConnection]:
        with self._checked_out() as driver:
            try:
                yield AutocommitConnection(driver, opening(READ_ONE, self._address))
            finally:
                _roll_back(driver)

    @contextmanager
    def snapshot(self) -> Iterator[PostgresConnection]:
        with self._checked_out() as driver, self._snapshot(driver) as connection:
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[PostgresConnection]:
        begin = opening(READ if self._read_only else WRITE, self._address)
        with self._transaction(*begin, *self._address.begin_writing) as (connection, found):
            refuse_other(self.address, found[0], SCHEMA_VERSION)
            yield connection

    @contextmanager
    def _transaction(self, *begin: str) -> Iterator[tuple[PostgresConnection, Any]]:
        """Check out a connection in a transaction, with the first row of the last statement in `begin`."""
        with self._checked_out() as driver:
            connection = PostgresConnection(driver)
            try:
                yield connection, connection.run("; ".join(begin))
            except BaseException:
                _roll_back(driver)
                raise
            _commit(driver)

    @contextmanager
    def _snapshot(self, driver: DeadlineConnection) -> Iterator[PostgresConnection]:
        connection = PostgresConnection(driver)
        try:
            connection.run("; ".join(opening(READ, self._address)))
            yield connection
        finally:
            _roll_back(driver)

    @contextmanager
    def _checked_out(self) -> Iterator[DeadlineConnection]:
        with translated_errors(self.address, self._missing), self._pool.connection() as driver:
            driver.statement_seconds = STATEMENT_SECONDS
            yield driver

    def _missing(self) -> list[str]:
        with self._pool.connection() as driver, self._snapshot(driver) as connection:
            return missing(connection, self._address)

    def _connect(self) -> DeadlineConnection:
        try:
            # Fixes the format of values read as text, whatever the address or the environment says.
            driver = DeadlineConnection.connect(
                self._address.dsn, autocommit=True, client_encoding="UTF8", **self._address.defaults
            )
        except psycopg.Error as error:
            raise unreachable(self.address, error) from error
        driver.prepare_threshold = PREPARED_AFTER if self._prepare else None
        return driver


def _is_idle(driver: DeadlineConnection) -> bool:
    return not driver.closed and driver.info.transaction_status == TransactionStatus.IDLE


def _is_quiet(driver: DeadlineConnection) -> bool:
    """Return whether a connection can be used: a server that went away has sent something or closed it."""
    if driver.closed:
        return False
    watched = select.poll()
    watched.register(driver.fileno(), select.POLLIN)
    return not watched.poll(0)


def _roll_back(driver: DeadlineConnection) -> None:
    # The server itself rolls back a connection that is lost or silent.
    with suppress(psycopg.OperationalError):
        if driver.info.transaction_status != TransactionStatus.IDLE:
            driver.statement_seconds = 0
            driver.execute("ROLLBACK")


def _commit(driver: DeadlineConnection) -> None:
    try:
        driver.execute("COMMIT")
    except psycopg.OperationalError as error:
        raise CommitUnsure from error
