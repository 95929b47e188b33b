"""The tables as SQL, and the migrations that lay them out; sqlite-utils keeps the record of those applied."""

import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...core.errors import LedgerFailed
from ..sql.database import refuse_unreleased

if TYPE_CHECKING:
    from sqlite_utils import Database

APPLICATION_ID = 0x74726365
"""'trce', which tells our files from those of other programs."""
UNRELEASED_ID = 0x54524345
"""'TRCE', of files that no release wrote."""

FIRST = """
CREATE TABLE members (
    member_id TEXT PRIMARY KEY,
    name TEXT,
    enrolled_at TEXT NOT NULL,
    is_hidden INTEGER NOT NULL DEFAULT 0 CHECK (is_hidden IN (0, 1)),
    is_forgotten INTEGER NOT NULL DEFAULT 0 CHECK (is_forgotten IN (0, 1)),
    version INTEGER NOT NULL,
    CHECK (is_forgotten = 0 OR name IS NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_by_enrolment ON members (enrolled_at);

CREATE TABLE name_words (
    word TEXT NOT NULL,
    member_id TEXT NOT NULL,
    PRIMARY KEY (word, member_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX words_of_a_member ON name_words (member_id, word);

CREATE TABLE discord_activity (
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
CREATE UNIQUE INDEX one_account_for_a_member ON discord_activity (member_id) WHERE unlinked_at IS NULL;
CREATE UNIQUE INDEX one_account_for_a_discord_id ON discord_activity (discord_id) WHERE unlinked_at IS NULL;
CREATE INDEX accounts_of_a_member ON discord_activity (member_id, account_id);

CREATE TABLE entries (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN (
        'opening', 'gain', 'deduction', 'rebase', 'award', 'reversal', 'adjustment'
    )),
    member_id TEXT NOT NULL REFERENCES members,
    source TEXT NOT NULL,
    points INTEGER NOT NULL,
    day TEXT NOT NULL,
    at TEXT NOT NULL,
    silent INTEGER NOT NULL CHECK (silent IN (0, 1)),
    account_id INTEGER REFERENCES discord_activity,
    xp_before INTEGER,
    xp_after INTEGER,
    baseline_before INTEGER,
    baseline_after INTEGER,
    key TEXT UNIQUE,
    reason TEXT,
    actor TEXT,
    reverses INTEGER UNIQUE REFERENCES entries
) STRICT;
CREATE INDEX entries_of_a_member ON entries (member_id, position);
CREATE INDEX awards_of_a_member ON entries (member_id, day) WHERE kind = 'award';
CREATE INDEX evidence_by_hand_of_a_day ON entries (day, kind, member_id) WHERE kind IN ('award', 'reversal');
CREATE TRIGGER entries_are_never_changed BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'entries are append-only: correct a mistake by another entry'); END;
CREATE TRIGGER entries_are_never_deleted BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'entries are append-only: correct a mistake by another entry'); END;

CREATE TABLE balances (
    member_id TEXT NOT NULL REFERENCES members,
    source TEXT NOT NULL,
    points INTEGER NOT NULL,
    PRIMARY KEY (member_id, source)
) STRICT, WITHOUT ROWID;

CREATE TABLE monthly_balances (
    month TEXT NOT NULL,
    member_id TEXT NOT NULL,
    points INTEGER NOT NULL,
    PRIMARY KEY (month, member_id)
) STRICT, WITHOUT ROWID;
CREATE VIEW points_by_month AS SELECT date(day, 'start of month') AS month, member_id, points FROM entries;

CREATE TABLE discord_days (
    day TEXT NOT NULL,
    member_id TEXT NOT NULL,
    account_id INTEGER NOT NULL REFERENCES discord_activity,
    opens_at TEXT NOT NULL,
    closes_at TEXT NOT NULL,
    PRIMARY KEY (day, member_id, account_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE streaks (
    member_id TEXT PRIMARY KEY REFERENCES members,
    version INTEGER NOT NULL,
    last TEXT,
    length INTEGER NOT NULL,
    longest INTEGER NOT NULL CHECK (longest >= length)
) STRICT, WITHOUT ROWID;

CREATE TABLE settled_days (
    day TEXT PRIMARY KEY,
    settled_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE excusals (
    change INTEGER PRIMARY KEY AUTOINCREMENT,
    day TEXT NOT NULL,
    reason TEXT,
    at TEXT NOT NULL
) STRICT;

CREATE TABLE runs (
    run_id INTEGER PRIMARY KEY AUTOINCREMENT,
    task TEXT NOT NULL CHECK (task IN ('sync')),
    outcome TEXT NOT NULL CHECK (outcome IN ('synced', 'failed')),
    at TEXT NOT NULL,
    opened INTEGER, gained INTEGER, deducted INTEGER, rebased INTEGER,
    unchanged INTEGER, absent INTEGER, missed INTEGER,
    points INTEGER, pages INTEGER, board_rows INTEGER, whole INTEGER CHECK (whole IN (0, 1)),
    trouble TEXT, message TEXT, counts INTEGER CHECK (counts IN (0, 1)), retry_at TEXT,
    board_id TEXT, decision TEXT CHECK (decision IN ('accept_drops', 'rebase_drops', 'adopt_board')),
    actor TEXT, reason TEXT
) STRICT;
CREATE INDEX good_runs ON runs (run_id) WHERE outcome = 'synced';
CREATE INDEX boards_read_to_their_end ON runs (run_id) WHERE whole;
CREATE INDEX runs_of_named_boards ON runs (run_id) WHERE outcome = 'synced' AND board_id IS NOT NULL;

CREATE TABLE waits (
    board_id TEXT PRIMARY KEY,
    trouble TEXT NOT NULL,
    until TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE failure_runs (
    scope TEXT PRIMARY KEY CHECK (scope IN ('any', 'urgent')),
    failures INTEGER NOT NULL CHECK (failures > 0),
    since TEXT NOT NULL,
    trouble TEXT NOT NULL,
    message TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE slots (
    slot TEXT PRIMARY KEY,
    outcome TEXT NOT NULL CHECK (outcome IN ('synced', 'failed', 'waiting')),
    at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE leases (
    task TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    taken_at TEXT NOT NULL,
    until TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE requests (
    task TEXT PRIMARY KEY,
    next_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sent_notices (
    channel TEXT NOT NULL,
    topic TEXT NOT NULL,
    is_sure INTEGER NOT NULL CHECK (is_sure IN (0, 1)),
    kind TEXT NOT NULL CHECK (kind IN ('alert', 'reminder', 'all_clear')),
    since TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (channel, topic, is_sure)
) STRICT, WITHOUT ROWID;

CREATE TABLE channels (
    channel TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    dead_since TEXT,
    not_before TEXT,
    why TEXT NOT NULL,
    PRIMARY KEY (channel, fingerprint)
) STRICT, WITHOUT ROWID;
"""

MIGRATIONS: tuple[str, ...] = (FIRST,)
"""What is released never changes again: a change to the tables is one more script at the end."""
SCHEMA_VERSION = len(MIGRATIONS)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file up to date; several processes may try at once, and one does it."""
    # It takes longer to import than most commands take to run.
    from sqlite_utils import Database, Migrations  # noqa: PLC0415

    migrations = Migrations("trc-engage")
    for number, script in enumerate(MIGRATIONS, start=1):
        migrations(name=f"m{number:03}")(_migration(script))
    connection.execute("BEGIN IMMEDIATE")
    try:
        if connection.execute("PRAGMA user_version").fetchone()[0] < SCHEMA_VERSION:
            _refuse_other_programs(connection)
            migrations.apply(Database(connection))
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def check_released(address: str, connection: sqlite3.Connection) -> None:
    """Raise `LedgerFailed` if no release wrote the file."""
    refuse_unreleased(address, found=_application_id(connection) == UNRELEASED_ID)


def _refuse_other_programs(connection: sqlite3.Connection) -> None:
    is_ours = _application_id(connection) == APPLICATION_ID
    if not is_ours and connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone():
        message = "the file is a database of another program; name another path for this store"
        raise LedgerFailed(message)


def _application_id(connection: sqlite3.Connection) -> int:
    (found,) = connection.execute("PRAGMA application_id").fetchone()
    return int(found)


def _migration(script: str) -> "Callable[[Database], None]":
    """Run the statements one by one, for `executescript` would commit the transaction it runs in."""

    def migration(database: "Database") -> None:
        pending = ""
        for line in script.splitlines(keepends=True):
            pending += line
            if sqlite3.complete_statement(pending):
                database.execute(pending.strip())
                pending = ""

    return migration
