"""The tables, as migrations; the schema itself keeps the record of those applied."""

from typing import Any

import psycopg
from psycopg.rows import tuple_row

from ...core.errors import LedgerFailed
from ..sql.versions import refuse_newer
from .names import NAMES, fill_names
from .place import Place
from .released import FIRST, SECOND, THIRD
from .run_tables import RUNS
from .session import PostgresSession

RENAMED = """
ALTER TABLE balances RENAME TO member_balances;
ALTER SEQUENCE entries_position_seq RENAME TO entry_positions;
"""
"""An older version that is still at work begins to write by the sequence's old name, and so can write nothing."""
BOARDS = """
ALTER TABLE runs ADD COLUMN board_id TEXT COLLATE "C";
ALTER TABLE runs ADD COLUMN decision TEXT COLLATE "C"
    CHECK (decision IN ('accept_drops', 'rebase_drops', 'adopt_board'));
ALTER TABLE runs ADD COLUMN actor TEXT;
ALTER TABLE runs ADD COLUMN reason TEXT;
CREATE INDEX runs_of_named_boards ON runs (run_id) WHERE outcome = 'synced' AND board_id IS NOT NULL;

CREATE TABLE waits (
    board_id TEXT COLLATE "C" PRIMARY KEY,
    trouble TEXT COLLATE "C" NOT NULL,
    until TIMESTAMPTZ NOT NULL
);
INSERT INTO waits
SELECT '', trouble, retry_at FROM runs
WHERE run_id = (SELECT max(run_id) FROM runs) AND retry_at IS NOT NULL;

ALTER TABLE discord_activity
    DROP CONSTRAINT discord_activity_next_reading_check,
    ADD CONSTRAINT discord_activity_next_reading_check
        CHECK (next_reading IN ('opens', 'begins', 'continues', 'returns', 'rebases'));
"""
"""Whose board each run read (R24)."""
FOURTH = "".join([RENAMED, BOARDS, RUNS, NAMES])

MIGRATIONS = (FIRST, SECOND, THIRD, FOURTH)
SCHEMA_VERSION = len(MIGRATIONS)


def bring_up_to_date(session: PostgresSession, place: Place) -> None:
    """Apply what is missing, inside a transaction; many processes may try at once, and one does it.

    The caller holds the lock of those who write, and the search path names nothing but the schema.
    """
    version = version_of(session.connection, place)
    if version is None:
        _begin(session.connection, place)
    for number, script in enumerate(MIGRATIONS[version or 0 :], start=(version or 0) + 1):
        session.run(script)
        if script is FOURTH:
            fill_names(session)
        session.connection.execute("INSERT INTO migrations (version) VALUES (%s)", [number])


def version_of(connection: psycopg.Connection[Any], place: Place) -> int | None:
    """Return what the schema was brought up to, None if no store is there; raises `LedgerFailed` if it is newer."""
    cursor = psycopg.Cursor(connection, row_factory=tuple_row)
    # Not to_regclass: it may still remember, from before it waited for its turn, that nothing was there.
    held = "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = %s AND tablename = 'migrations'"
    if cursor.execute(held, [place.schema]).fetchone() is None:
        return None
    (version,) = cursor.execute(f"SELECT max(version) FROM {place.quoted_schema}.migrations").fetchone() or (0,)
    refuse_newer(place.shown, version or 0, SCHEMA_VERSION)
    return int(version or 0)


def _begin(connection: psycopg.Connection[Any], place: Place) -> None:
    """Make the schema, or take one that is there and empty."""
    # A role that may not create schemas may have been given one.
    if connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [place.schema]).fetchone() is None:
        connection.execute(f"CREATE SCHEMA {place.quoted_schema}")
    held = "SELECT 1 FROM pg_class WHERE relnamespace = CAST(%s AS regnamespace) LIMIT 1"
    if connection.execute(held, [place.quoted_schema]).fetchone() is not None:
        message = f"{place.shown}: the schema holds tables of another program; name one of its own for this store"
        raise LedgerFailed(message)
    connection.execute("CREATE TABLE migrations (version BIGINT PRIMARY KEY)")
