"""The tables, as migrations; sqlite-utils keeps the record of those applied."""

import sqlite3

from sqlite_utils import Database, Migrations

from ...core.errors import LedgerFailed
from ..sql.search import NAMED, rows_of
from .tables import APPLICATION_ID, FIRST, RUNS, SCHEMA_VERSION, SECOND, THIRD

NAMES = """
CREATE TABLE name_words (
    word TEXT NOT NULL,
    member_id TEXT NOT NULL,
    PRIMARY KEY (word, member_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX words_of_a_member ON name_words (member_id, word);
"""


def fill_names(connection: sqlite3.Connection) -> None:
    """Let the members who are there be found by name."""
    rows = sorted(rows_of(connection.execute(NAMED)))
    connection.executemany("INSERT INTO name_words (word, member_id) VALUES (?, ?)", rows)


migrations = Migrations("trc-engage")

RENAMED = """
ALTER TABLE balances RENAME TO member_balances;
CREATE TRIGGER members_are_written_by_this_version BEFORE INSERT ON members BEGIN SELECT upgrade_trc_engage(); END;
CREATE TRIGGER runs_are_written_by_this_version BEFORE INSERT ON runs BEGIN SELECT upgrade_trc_engage(); END;
"""
"""An older version that is still at work knows neither the table's new name nor the function, and is told by it."""
BOARDS = """
ALTER TABLE runs ADD COLUMN board_id TEXT;
ALTER TABLE runs ADD COLUMN decision TEXT CHECK (decision IN ('accept_drops', 'rebase_drops', 'adopt_board'));
ALTER TABLE runs ADD COLUMN actor TEXT;
ALTER TABLE runs ADD COLUMN reason TEXT;
CREATE INDEX runs_of_named_boards ON runs (run_id) WHERE outcome = 'synced' AND board_id IS NOT NULL;

CREATE TABLE waits (
    board_id TEXT PRIMARY KEY,
    trouble TEXT NOT NULL,
    until TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO waits
SELECT '', trouble, retry_at FROM runs
WHERE run_id = (SELECT max(run_id) FROM runs) AND retry_at IS NOT NULL;

CREATE TABLE discord_activity_anew (
    account_id INTEGER PRIMARY KEY AUTOINCREMENT,
    version INTEGER NOT NULL DEFAULT 1,
    member_id TEXT NOT NULL REFERENCES members,
    discord_id TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'tracked', 'absent', 'left', 'unlinked')),
    next_reading TEXT NOT NULL DEFAULT 'opens'
        CHECK (next_reading IN ('opens', 'begins', 'continues', 'returns', 'rebases')),
    xp_baseline INTEGER NOT NULL DEFAULT 0,
    xp_total INTEGER NOT NULL DEFAULT 0 CHECK (xp_total >= 0),
    xp_high INTEGER NOT NULL DEFAULT 0,
    xp_posted INTEGER NOT NULL DEFAULT 0,
    window_from TEXT,
    linked_at TEXT NOT NULL,
    unlinked_at TEXT
) STRICT;
INSERT INTO discord_activity_anew
SELECT account_id, version, member_id, discord_id, status, next_reading,
       xp_baseline, xp_total, xp_high, xp_posted, window_from, linked_at, unlinked_at
FROM discord_activity ORDER BY account_id;
DROP TABLE discord_activity;
ALTER TABLE discord_activity_anew RENAME TO discord_activity;
CREATE UNIQUE INDEX one_account_for_a_member ON discord_activity (member_id) WHERE unlinked_at IS NULL;
CREATE UNIQUE INDEX one_account_for_a_discord_id ON discord_activity (discord_id) WHERE unlinked_at IS NULL;
CREATE INDEX accounts_of_a_member ON discord_activity (member_id, account_id);
"""
"""Whose board each run read (R24). SQLite changes no CHECK: the accounts move into a table that knows one more word."""
FOURTH = "".join([RENAMED, BOARDS, RUNS, NAMES])


@migrations()
def m001_accounts_and_entries(db: Database) -> None:
    """Lay out accounts, entries, what is derived from them, and the run book."""
    for statement in _statements(FIRST):
        db.execute(statement)


@migrations()
def m002_slots_and_notices(db: Database) -> None:
    """Remember how each slot ended, and what each channel was told."""
    for statement in _statements(SECOND):
        db.execute(statement)


@migrations()
def m003_monthly_balances(db: Database) -> None:
    """Keep what each member earned in each month."""
    for statement in _statements(THIRD):
        db.execute(statement)


@migrations()
def m004_edges(db: Database) -> None:
    """Keep older versions from writing, and names where they can be searched."""
    for statement in _statements(FOURTH):
        db.execute(statement)
    fill_names(db.conn)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file up to date; several processes may try at once, and one does it."""
    # A table that others refer to can be laid out anew only so; and it cannot be said once a transaction has begun.
    connection.execute("PRAGMA foreign_keys = OFF")
    try:
        _apply(connection)
    finally:
        connection.execute("PRAGMA foreign_keys = ON")


def _apply(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if connection.execute("PRAGMA user_version").fetchone()[0] < SCHEMA_VERSION:
            _refuse_a_stranger(connection)
            migrations.apply(Database(connection))
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _refuse_a_stranger(connection: sqlite3.Connection) -> None:
    ours = connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
    if not ours and connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone():
        message = "the file is a database of another program; name a path of its own for this store"
        raise LedgerFailed(message)


def _statements(script: str) -> list[str]:
    """Split a script, for `executescript` would commit the transaction it runs in."""
    statements, pending = [], ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            statements.append(pending.strip())
            pending = ""
    return statements
