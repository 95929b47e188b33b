"""A store to copy, and checks of its copies."""

import sqlite3
from datetime import date
from pathlib import Path

from trc_engage.adapters.sqlite import SqliteLedger

from .command import Operator
from .community import Community, opened


def earned(folder: Path) -> Path:
    """Make a store in which members have earned points, and return its file."""
    with opened("sqlite", folder) as ledger:
        community = Community(ledger)
        community.enroll("ada", "bo")
        community.sync(ada=1_000, bo=500)
        community.sync(ada=1_350, bo=620)
        community.award("ada", "benchmark:1")
    return folder / "engage.db"


def keeper(store: Path) -> Operator:
    """Return the operator of a store, with a folder for backups beside it."""
    (store.parent / "backups").mkdir()
    return Operator(store.parent)


def check(file: Path) -> int:
    """Assert that a file is sound, balanced and private to its owner (0600); return its number of entries."""
    connection = sqlite3.connect(file)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        sums = "SELECT member_id, source, sum(points) FROM entries GROUP BY 1, 2 HAVING sum(points) <> 0 ORDER BY 1, 2"
        balances = "SELECT member_id, source, points FROM balances WHERE points <> 0 ORDER BY 1, 2"
        assert connection.execute(balances).fetchall() == connection.execute(sums).fetchall()
        (entries,) = connection.execute("SELECT count(*) FROM entries").fetchone()
    finally:
        connection.close()
    assert file.stat().st_mode & 0o777 == 0o600
    return int(entries)


def standings(store: Path) -> object:
    """Return what people see of a store, and the state of its syncs."""
    with SqliteLedger.open(store) as ledger:
        return ledger.members(), ledger.feed(after=0, limit=10_000), ledger.run_state().sync, ledger.activity(date.max)


def dangling(file: Path) -> None:
    """Delete a member who has entries."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("DELETE FROM members WHERE member_id = 'ada'")
    connection.close()
