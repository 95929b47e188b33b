"""`restore`: a backup becomes the same store again, and nothing else is accepted as one."""

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support.command import Operator
from support.community import Community
from support.copies import dangling, earned, keeper, standings
from trc_engage import Engage
from trc_engage.adapters.sql.schema import SCHEMA_VERSION
from trc_engage.adapters.sqlite import SqliteLedger


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return earned(tmp_path)


@pytest.fixture
def operator(store: Path) -> Operator:
    return keeper(store)


def test_the_empty_journal_of_a_former_store_is_in_nobodys_way(operator: Operator, store: Path) -> None:
    """The empty journal that every store leaves does not block a restore after the store itself was moved away."""
    assert operator.call("adjust", "ada", "--points", "5", "--key", "k", "--reason", "r", "--by", "b").code == 0
    assert operator.call("backup", "backups/b.db").code == 0
    store.rename(operator.folder / "old.db")
    assert store.with_name("engage.db-journal").stat().st_size == 0
    assert operator.call("restore", "backups/b.db").code == 0


def test_a_backup_restored_is_the_same_store(operator: Operator, store: Path) -> None:
    """The restored store has the same points, entries, streaks and status, and continues at the next position."""
    before = standings(store)
    status = operator.call("status", "--json").json
    assert operator.call("backup", "backups/b.db").code == 0
    store.unlink()
    told = operator.call("restore", "backups/b.db")
    assert told.code == 0
    assert "last good sync: 2026-03-02 09:30 UTC" in told.out
    assert "position 5" in told.out
    assert standings(store) == before
    after = operator.call("status", "--json").json
    assert {name: after[name] for name in status if name != "at"} == {
        name: status[name] for name in status if name != "at"
    }
    with SqliteLedger.open(store) as ledger:
        community = Community(ledger)
        community.now = datetime(2026, 3, 2, 10, tzinfo=UTC)
        community.xp = {"bo": 620}
        assert community.sync(ada=1_450).points == 1
        assert [entry.position for entry in community.engage.feed(after=5)] == [6]


@pytest.mark.parametrize("is_live", [False, True])
def test_who_was_at_work_does_not_hold_the_restored_store(operator: Operator, store: Path, *, is_live: bool) -> None:
    """A lease is not restored with the backup, whether its process still lives or was on another host."""
    now = datetime.now(UTC)
    with SqliteLedger.open(store) as ledger:
        ledger.lease("run", now, now + timedelta(minutes=5))
        if not is_live:
            with ledger._database.transaction() as connection:
                connection.execute("UPDATE leases SET owner = 'elsewhere.example:1:abcd'")
    assert operator.call("backup", "backups/b.db").code == 0
    restored = {"TRC_ENGAGE_STORE": str(operator.folder / "new.db")}
    assert operator.call("status", "--json").json["lease"] is not None
    assert operator.call("restore", "backups/b.db", env=restored).code == 0
    assert operator.call("status", "--json", env=restored).json["lease"] is None
    with SqliteLedger.open(operator.folder / "new.db") as ledger:
        assert Engage(ledger=ledger, clock=lambda: now).run_due().outcome == "nothing"
        ledger.release(ledger.lease("run", now, now + timedelta(minutes=5)))


def foreign(file: Path) -> None:
    """Turn the file into a database of another program."""
    file.unlink()
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()


def no_database(file: Path) -> None:
    """Turn the file into a text."""
    file.write_text("this is no database, whatever its name says")


def empty(file: Path) -> None:
    """Empty the file."""
    file.write_bytes(b"")


def cut(file: Path) -> None:
    """Cut off the second half."""
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def scribbled(file: Path) -> None:
    """Overwrite a page in the middle."""
    data = bytearray(file.read_bytes())
    data[12 * 4_096 : 13 * 4_096] = b"\xff" * 4_096
    file.write_bytes(data)


def newer(file: Path) -> None:
    """Give the file the schema version of a later release."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()


@pytest.mark.parametrize("harm", [foreign, no_database, empty, cut, scribbled, dangling, newer])
def test_what_is_no_sound_store_of_ours_is_not_restored(
    operator: Operator, store: Path, harm: Callable[[Path], None]
) -> None:
    """A file that is not a sound store fails with exit code 74 and its name, and no store is created."""
    store.rename(operator.folder / "b.db")
    harm(operator.folder / "b.db")
    before = sorted(operator.folder.iterdir())
    ran = operator.call("restore", "b.db")
    assert (ran.code, ran.out) == (74, "")
    assert ran.err.startswith("trc-engage: b.db")
    assert [left for left in sorted(operator.folder.iterdir()) if left.name != "b.db-journal"] == before
