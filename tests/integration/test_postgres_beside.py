"""Joined transactions keep none of our settings, and errors about missing tables say what is really missing."""

import os
from collections.abc import Callable, Iterator
from datetime import date

import psycopg
import pytest

from support.community import IDS, Community
from support.pgbouncer import RUDE, Pooled, pooled, state
from trc_engage import LedgerFailed, Newcomer
from trc_engage.adapters.postgres import PostgresLedger


@pytest.fixture(scope="module")
def database() -> Iterator[Pooled]:
    """Yield a pool and a database in which an app has a table with the name of one of ours."""
    with pooled(["members"]) as lent:
        yield lent


@pytest.fixture
def place() -> str:
    """Return the name of a schema that does not exist yet."""
    return f"engage_{os.urandom(4).hex()}"


ACTS: dict[str, Callable[[Community], object]] = {
    "award": lambda app: app.award("ada", "run:1"),
    "standing": lambda app: app.points("ada"),
    "history": lambda app: app.engage.history("ada"),
    "leaderboard": lambda app: app.engage.leaderboard(),
    "audit": lambda app: app.engage.audit(),
    "repair": lambda app: app.engage.repair(),
    "enroll": lambda app: app.engage.enroll("bo", discord_id=IDS["bo"]),
    "unlink": lambda app: app.engage.unlink("ada"),
    "enroll many": lambda app: app.engage.enroll_all([Newcomer(f"m-{n}", str(7_000 + n)) for n in range(150)]),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_nothing_of_ours_stays_in_a_transaction_that_was_joined(
    database: Pooled, place: str, act: Callable[[Community], object]
) -> None:
    """A joined transaction keeps the caller's settings, temporary tables and statements, also after a savepoint."""
    with PostgresLedger.open(database.dsn, schema=place) as ledger:
        Community(ledger).begun()
    with database.connect() as connection:
        joined = Community(PostgresLedger.open(connection=connection, schema=place))
        with connection.transaction():
            connection.execute("SET LOCAL search_path = 'public'; SET LOCAL lock_timeout = '7s'")
            connection.execute("CREATE TEMP TABLE mine (id INT) ON COMMIT DROP")
            before = state(connection)
            connection.prepare_threshold = 0
            with connection.transaction(force_rollback=True):
                act(joined)
            connection.prepare_threshold = None
            assert state(connection) == before
            connection.prepare_threshold = 0
            act(joined)
            connection.prepare_threshold = None
            after = state(connection)
            # Only the writers' lock is to be held until the caller commits.
            assert (after[0], *after[2:]) == (before[0], *before[2:])
            assert connection.execute("SELECT sum(n) FROM members").fetchone() == (None,)
        assert ledger_is_sound(database, place)


def ledger_is_sound(database: Pooled, place: str) -> bool:
    """Return whether the audit finds nothing."""
    with PostgresLedger.open(database.direct, schema=place) as ledger:
        return not Community(ledger).engage.audit().breaches


def test_a_reader_within_a_transaction_keeps_no_lock(database: Pooled, place: str) -> None:
    """A read in a joined transaction holds no lock, so others can write before the reader commits."""
    with PostgresLedger.open(database.dsn, schema=place) as ledger, database.connect() as connection:
        community = Community(ledger).begun()
        joined = PostgresLedger.open(connection=connection, schema=place)
        with connection.transaction():
            assert len(joined.members()) == 1
            held = connection.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone()
            assert held == (0,)
            community.award("ada", "meanwhile")
            assert len(joined.history("ada", limit=9)) == 3


def test_a_sound_store_is_never_called_damaged(database: Pooled, place: str) -> None:
    """An error about a missing table or column advises a backup only if the store itself lacks it."""
    with PostgresLedger.open(database.direct, schema=place) as ledger:
        Community(ledger).begun()
        with (
            pytest.raises(LedgerFailed, match="the store has all its tables") as told,
            ledger._database.connection() as session,
        ):
            session.execute("SELECT * FROM nothing_of_the_kind")
        assert "backup" not in str(told.value)
        with psycopg.connect(database.direct, autocommit=True) as stranger:
            stranger.execute(f"ALTER TABLE {place}.streaks RENAME TO stripes".encode())
            with pytest.raises(LedgerFailed, match="streaks: gone from the store; restore a backup"):
                ledger.activity(date.max)
            joined = PostgresLedger.open(connection=stranger, schema=place)
            with pytest.raises(LedgerFailed, match="streaks: gone from the store; restore a backup"):
                joined.activity(date.max)
            stranger.execute(f"ALTER TABLE {place}.stripes RENAME TO streaks".encode())
            stranger.execute(f"ALTER TABLE {place}.streaks RENAME longest TO longer".encode())
            with pytest.raises(LedgerFailed, match=r"streaks\.longest: gone from the store"):
                ledger.activity(date.max)
            stranger.execute(f"DROP SCHEMA {place} CASCADE".encode())
            with pytest.raises(LedgerFailed, match="all tables: gone from the store"):
                ledger.activity(date.max)
            with pytest.raises(LedgerFailed, match="gone from the store"):
                Community(ledger).engage.award("ada", source="x", points=1, key="k", at=Community().now)


def test_a_parameter_that_the_pool_refuses_is_named(database: Pooled, place: str) -> None:
    """A startup parameter that the pool refuses is named, with the advice to leave it out of the address."""
    dsn = psycopg.conninfo.make_conninfo(database.dsn, options="-c search_path=public")
    with pytest.raises(LedgerFailed, match=r"unsupported startup parameter.*leave it out of the address"):
        PostgresLedger.open(dsn, schema=place)


def test_tables_are_never_laid_out_among_temporary_ones(database: Pooled, place: str) -> None:
    """A role that may not use the schema gets an error, and no table is created, not even a temporary one."""
    with psycopg.connect(database.direct, autocommit=True) as owner:
        owner.execute(f"CREATE SCHEMA {place}".encode())
        rude = psycopg.conninfo.make_conninfo(database.direct, user=RUDE)
        with pytest.raises(LedgerFailed, match=r"permission denied|no schema has been selected"):
            PostgresLedger.open(rude, schema=place)
        made = owner.execute(
            "SELECT count(*) FROM pg_class WHERE relname = 'schema_migrations' AND relpersistence = 't'"
        )
        assert made.fetchone() == (0,)
