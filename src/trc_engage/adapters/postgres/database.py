"""Connections to one database: made, lent, in a transaction, with every foreign error translated."""

import select
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from ...core.errors import StoreMissing
from ..sql.database import Pool, Session, refuse_older, refuse_other
from .address import Place
from .connection import (
    BULK_SECONDS,
    LAYOUT_SECONDS,
    READ,
    READ_ONE,
    STATEMENT_SECONDS,
    WAIT_SECONDS,
    WRITE,
    AloneSession,
    Line,
    PostgresSession,
    fill,
    merge,
    opening,
    own,
    stage,
)
from .errors import CommitUnsure, told_as_ours, unreachable
from .schema import SCHEMA_VERSION, bring_up_to_date, missing, version_of

# The key leads with the day, so that a member's own days are looked up one by one, and nobody else's are read.
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


class Statements:
    """The part of `Sessions` that is the same for a pool and for a caller's connection."""

    discord_evidence = DISCORD_EVIDENCE
    stage = staticmethod(stage)
    merge = staticmethod(merge)
    fill = staticmethod(fill)

    def __init__(self, place: Place) -> None:
        self._place = place

    @property
    def place(self) -> str:
        """Where the store is, without any password."""
        return self._place.shown

    def be_patient(self, session: Session, /) -> None:
        """Let what the session does from here on take as long as a claim holds."""
        own(session).be_patient(BULK_SECONDS)

    def size_bytes(self, session: Session, /) -> int:
        """Return how much room tables and indices take."""
        (size,) = session.execute(SIZE, {"schema": self._place.quoted_schema}).fetchone()
        return int(size)


PREPARED_AFTER = 5
"""Of the same statement on one connection, where prepared ones are asked for."""
MISSING = (
    "there is no store; check database and schema, or begin one by enrolling a member "
    "(`trc-engage members enroll --help`)"
)


class Database(Statements):
    """A pool of connections to one database.

    A connection may lead to a pool that hands it to others after each transaction (PgBouncer): nothing is set,
    kept or locked for longer than one, and nothing is prepared unless it is asked for.

    All who write take one lock for the whole transaction: so positions rise in the order of commits (R23), and
    what is checked under it, at READ COMMITTED, is the latest that was committed; the version is checked under it
    too, for a newer process may have brought the tables up to date.
    """

    def __init__(self, place: Place, *, size: int, read_only: bool = False, prepare: bool = False) -> None:
        super().__init__(place)
        self._read_only = read_only
        self._prepare = prepare
        self._pool = Pool(self._connect, place.shown, size=size, seconds_max=WAIT_SECONDS, is_alive=_is_quiet)

    def make(self) -> None:
        """Lay out the tables, or those that are new; raises `LedgerFailed` if they are newer than this version."""
        with self.reading() as session:
            if version_of(session.connection, self._place) == SCHEMA_VERSION:
                return
        # Whoever may not use the schema must not lay out the tables among the temporary ones.
        begin = opening(WRITE, self._place, path=self._place.quoted_schema)
        with self._transaction(*begin, self._place.lock) as (session, _):
            session.be_patient(LAYOUT_SECONDS)
            bring_up_to_date(session, self._place)

    def bring_up_to_date(self) -> None:
        """Lay out the tables that are new; raises `StoreMissing`, and `LedgerFailed` if they are too new for this."""
        if self._version() < SCHEMA_VERSION:
            self.make()

    def check(self, *, may_be_older: bool = False) -> None:
        """Raise `StoreMissing` if there is no store, and `LedgerFailed` if it is one of another version."""
        version = self._version()
        if not may_be_older:
            refuse_older(self.place, version, SCHEMA_VERSION)

    def _version(self) -> int:
        with self.reading() as session:
            version = version_of(session.connection, self._place)
        if version is None:
            message = f"{self.place}: {MISSING}"
            raise StoreMissing(message)
        return version

    def close(self) -> None:
        """Close what is idle now and what is lent when it comes back."""
        self._pool.close()

    @contextmanager
    def lent(self) -> Iterator[PostgresSession]:
        """Lend a session in which each statement stands alone."""
        with self._lent() as connection:
            try:
                yield AloneSession(connection, opening(READ_ONE, self._place))
            finally:
                _roll_back(connection)

    @contextmanager
    def reading(self) -> Iterator[PostgresSession]:
        """Lend a session in which all reads see one state."""
        with self._lent() as connection, self._looking(connection) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[PostgresSession]:
        """Lend a session in a transaction of which all is committed, or nothing."""
        begin = opening(READ if self._read_only else WRITE, self._place)
        with self._transaction(*begin, self._place.turn) as (session, found):
            refuse_other(self.place, found[0], SCHEMA_VERSION)
            yield session

    @contextmanager
    def _transaction(self, *begin: str) -> Iterator[tuple[PostgresSession, Any]]:
        """Lend a session, with what the last statement of the beginning has found."""
        with self._lent() as connection:
            session = PostgresSession(connection)
            try:
                yield session, session.run("; ".join(begin))
            except BaseException:
                _roll_back(connection)
                raise
            _commit(connection)

    @contextmanager
    def _looking(self, connection: Line) -> Iterator[PostgresSession]:
        session = PostgresSession(connection)
        try:
            session.run("; ".join(opening(READ, self._place)))
            yield session
        finally:
            _roll_back(connection)

    @contextmanager
    def _lent(self) -> Iterator[Line]:
        with told_as_ours(self.place, self._missing), self._pool.lent() as connection:
            connection.statement_seconds = STATEMENT_SECONDS
            yield connection

    def _missing(self) -> list[str]:
        with self._pool.lent() as connection, self._looking(connection):
            return missing(connection, self._place)

    def _connect(self) -> Line:
        try:
            # What is read as a text is read as this one, whatever the address or the environment says.
            connection = Line.connect(self._place.dsn, autocommit=True, client_encoding="UTF8", **self._place.defaults)
        except psycopg.Error as error:
            raise unreachable(self.place, error) from error
        connection.prepare_threshold = PREPARED_AFTER if self._prepare else None
        return connection


def _is_quiet(connection: Line) -> bool:
    """Tell whether a connection can be lent: a server that went away has said so, or has closed it."""
    if connection.closed or connection.info.transaction_status != TransactionStatus.IDLE:
        return False
    watched = select.poll()
    watched.register(connection.fileno(), select.POLLIN)
    return not watched.poll(0)


def _roll_back(connection: Line) -> None:
    # A connection that is lost, or silent, is rolled back by the server.
    with suppress(psycopg.OperationalError):
        if connection.info.transaction_status != TransactionStatus.IDLE:
            connection.statement_seconds = 0
            connection.execute("ROLLBACK")


def _commit(connection: Line) -> None:
    try:
        connection.execute("COMMIT")
    except psycopg.OperationalError as error:
        raise CommitUnsure from error
