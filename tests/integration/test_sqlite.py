"""What only a store in a file can meet: other programs' statements, a held lock, damage and a full disk."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from support.community import Community
from trc_engage import InvalidValue, LedgerBusy, LedgerFailed
from trc_engage.adapters.sql.queries import ACTIVE_ELSEWHERE, DAYS_ELSEWHERE, REVISION_OF_A_DAY
from trc_engage.adapters.sqlite import SqliteLedger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a file name for a store."""
    return tmp_path / "engage.db"


@pytest.fixture
def community(path: Path) -> Iterator[Community]:
    """Yield a community whose ledger is in the file, with an opening and a gain."""
    with SqliteLedger.open(path) as ledger:
        yield Community(ledger).begun()


@pytest.mark.usefixtures("community")
def test_entries_are_not_replaced(path: Path) -> None:
    """INSERT OR REPLACE, which deletes and inserts in one statement, cannot replace an entry (R9)."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA recursive_triggers = ON")
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute("INSERT OR REPLACE INTO entries SELECT * FROM entries LIMIT 1")


@pytest.mark.usefixtures("community")
def test_tables_are_strict(path: Path) -> None:
    """The database refuses text where XP belongs."""
    with closing(sqlite3.connect(path)) as connection, pytest.raises(sqlite3.IntegrityError, match="cannot store TEXT"):
        connection.execute("UPDATE discord_activity SET xp_total = 'many'")


@pytest.mark.usefixtures("community")
@pytest.mark.parametrize("statement", [ACTIVE_ELSEWHERE, DAYS_ELSEWHERE, REVISION_OF_A_DAY])
def test_evidence_by_hand_is_read_from_its_index(path: Path, statement: str) -> None:
    """Evidence by hand is read from its index, so settling a day does not scan the entries of other days."""
    with closing(sqlite3.connect(path)) as connection:
        values = {"day": "2026-03-02"} if ":day" in statement else ["2026-03-02"] * statement.count("?")
        plan = "\n".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values))
    assert "COVERING INDEX evidence_by_hand_of_a_day" in plan
    assert "SCAN entries" not in plan
    assert "SCAN award" not in plan


def test_a_store_in_use_is_busy(path: Path, community: Community, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store whose file another connection holds too long raises `LedgerBusy`."""
    monkeypatch.setattr("trc_engage.adapters.sqlite.database.BUSY_SECONDS", 0.05)
    with SqliteLedger.open(path) as impatient, closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerBusy, match="in use by others"):
            Community(impatient).enroll("bo")
        holder.execute("ROLLBACK")
    assert len(community.engage.members()) == 1


def test_a_transaction_that_was_left_open_holds_nobody_up(community: Community) -> None:
    """A transaction left open, as by an interrupt, is rolled back, and the next write succeeds."""
    with community.ledger._database.connection() as connection:  # type: ignore[attr-defined]
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM streaks")
    community.award("ada", "after")
    assert community.engage.audit().breaches == []


def test_a_foreign_database_is_left_alone(path: Path) -> None:
    """A belongs to another program is refused and gets no tables."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (id INTEGER)")
    with pytest.raises(LedgerFailed, match="belongs to another program"):
        SqliteLedger.open(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("theirs",)]


@pytest.mark.parametrize(
    ("make", "advice"),
    [
        (lambda path: path.write_text("Dear diary, today I did not write a database." * 50), "not a SQLite database"),
        (lambda path: path.mkdir(), "check that its folder exists"),
        (lambda path: path.with_name("gone").joinpath("engage.db"), "check that its folder exists"),
    ],
)
def test_what_cannot_be_opened_says_why(path: Path, make: object, advice: str) -> None:
    """The error for a path that cannot hold a store names it and says what to do."""
    made = make(path)  # type: ignore[operator]
    target = made if isinstance(made, Path) else path
    with pytest.raises(LedgerFailed, match=advice) as caught:
        SqliteLedger.open(target)
    assert str(target) in str(caught.value)


def test_a_ledger_without_a_disk_is_another(path: Path) -> None:
    """An in-memory SQLite is refused, since each connection would have one of its own; `MemoryLedger` is suggested."""
    for name in (":memory:", ""):
        with pytest.raises(InvalidValue, match="MemoryLedger"):
            SqliteLedger.open(name)
    assert not path.exists()


def test_an_address_is_no_file_and_is_not_shown() -> None:
    """An address of PostgreSQL is refused with the ledger that opens it, and its password stays unseen."""
    with pytest.raises(InvalidValue, match=r"give the path of a file, or open a PostgresLedger") as caught:
        SqliteLedger.open("postgresql://ada:secret@host/engage")
    assert "secret" not in str(caught.value)


def test_a_damaged_file_is_named(path: Path, community: Community) -> None:
    """A file with damaged pages raises an error that advises a backup, and gives no wrong answer."""
    community.ledger.close()  # type: ignore[attr-defined]
    damaged = bytearray(path.read_bytes())
    damaged[4096:] = b"\xa5" * (len(damaged) - 4096)
    path.write_bytes(damaged)
    with pytest.raises(LedgerFailed, match="restore a backup"):
        read_members(path)


def read_members(path: Path) -> int:
    """Open the store and return the number of members."""
    with SqliteLedger.open(path) as ledger:
        return len(ledger.members())


FULL_DISK = """
import resource, sys
from support.community import Community
from trc_engage import LedgerFailed
from trc_engage.adapters.sqlite import SqliteLedger
with SqliteLedger.open(sys.argv[1]) as ledger:
    community = Community(ledger)
    limit = int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        for number in range(5_000):
            community.engage.enroll(f"member-{number}", discord_id=str(10**17 + number))
    except LedgerFailed as error:
        print(number, error)
"""


def test_when_no_more_can_be_written_nothing_is_lost(path: Path) -> None:
    """When the file cannot grow, the error is clear, and every member whose enrollment succeeded is there."""
    with SqliteLedger.open(path):
        pass
    limit = path.stat().st_size + 20_000
    finished = subprocess.run(
        [sys.executable, "-c", FULL_DISK, path, str(limit)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    acknowledged, _, message = finished.stdout.partition(" ")
    assert "nothing was half-written" in message
    assert read_members(path) == int(acknowledged)
