"""Creation and migration of the tables in a file; sqlite-utils records the migrations applied."""

import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...core.errors import LedgerFailed
from ..sql import refuse_unreleased
from ..sql.schema import SCHEMA_VERSION, scripts

if TYPE_CHECKING:
    from sqlite_utils import Database

APPLICATION_ID = 0x74726345
"""'trcE', which distinguishes our files from those of other programs."""
UNRELEASED_IDS = {0x54524345, 0x74726365}
"""'TRCE' and 'trce', of files from before the first release."""

WORDS = {
    "id": "TEXT",
    "whole": "INTEGER",
    "flag": "INTEGER",
    "day": "TEXT",
    "instant": "TEXT",
    "number": "INTEGER PRIMARY KEY AUTOINCREMENT",
    "by_key": " STRICT, WITHOUT ROWID",
    "by_key_changing": " STRICT, WITHOUT ROWID",
    "by_number": " STRICT",
    "by_number_changing": " STRICT",
    "month_of_day": "date(day, 'start of month')",
    "entries_are_append_only": """
CREATE TRIGGER entries_are_never_changed BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'entries are append-only: correct a mistake by another entry'); END;
CREATE TRIGGER entries_are_never_deleted BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'entries are append-only: correct a mistake by another entry'); END;
""",
    "events_are_append_only": """
CREATE TRIGGER events_are_only_blanked BEFORE UPDATE ON membership_events
WHEN NEW.reason IS NOT NULL OR NEW.note IS NOT NULL
    OR (NEW.number, NEW.member_id, NEW.kind, NEW.at, NEW.actor, NEW.account_id, NEW.next_reading, NEW.window_from)
    IS NOT (OLD.number, OLD.member_id, OLD.kind, OLD.at, OLD.actor, OLD.account_id, OLD.next_reading, OLD.window_from)
BEGIN SELECT RAISE(ABORT, 'membership events are append-only: only their reasons and notes can be blanked'); END;
CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON membership_events
BEGIN SELECT RAISE(ABORT, 'membership events are append-only: only their reasons and notes can be blanked'); END;
""",
    "more_indexes": "",
}
"""The types and options that SQLite fills into the schema."""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file up to date; if several processes try at once, only one does."""
    # Importing it takes longer than most commands take to run.
    from sqlite_utils import Database, Migrations  # noqa: PLC0415

    migrations = Migrations("trc-engage")
    for number, script in enumerate(scripts(WORDS), start=1):
        migrations(name=f"m{number:03}")(_migration(script))
    connection.execute("BEGIN IMMEDIATE")
    try:
        if connection.execute("PRAGMA user_version").fetchone()[0] < SCHEMA_VERSION:
            refuse_other_programs(connection)
            migrations.apply(Database(connection))
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def check_released(address: str, connection: sqlite3.Connection) -> None:
    """Raise `LedgerFailed` for a file from before the first release."""
    refuse_unreleased(address, found=_application_id(connection) in UNRELEASED_IDS)


def refuse_other_programs(connection: sqlite3.Connection, *, besides: str = "") -> None:
    """Raise `LedgerFailed` for a file of another program, which has tables but neither our mark nor one of a name."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    if _application_id(connection) != APPLICATION_ID and tables and besides not in tables:
        raise LedgerFailed("the file belongs to another program; name another path for this store")


def _application_id(connection: sqlite3.Connection) -> int:
    (found,) = connection.execute("PRAGMA application_id").fetchone()
    return int(found)


def _migration(script: str) -> "Callable[[Database], None]":
    """Return a migration that runs statements one by one, because `executescript` would commit the transaction."""

    def migration(database: "Database") -> None:
        pending = ""
        for line in script.splitlines(keepends=True):
            pending += line
            if sqlite3.complete_statement(pending):
                database.execute(pending.strip())
                pending = ""

    return migration
