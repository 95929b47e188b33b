"""The next call notices when an open store's file is moved, replaced or deleted, and nothing is lost."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from support.command import Operator
from support.community import IDS, Community
from support.visitor import alone
from trc_engage import Engage, LedgerBusy, LedgerFailed, StoreMissing
from trc_engage.adapters.sql.schema import SCHEMA_VERSION
from trc_engage.adapters.sqlite import SqliteLedger

Replace = Callable[[Path, Path], None]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the file name of a store in a folder of its own."""
    (tmp_path / "stores").mkdir()
    return tmp_path / "stores" / "engage.db"


@pytest.fixture
def community(path: Path) -> Iterator[Community]:
    """Yield a store with ada and a gain, with an idle connection to it."""
    with SqliteLedger.open(path) as ledger:
        yield Community(ledger).begun()


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Create another store, whose only member is bo."""
    path = tmp_path / "other.db"
    with SqliteLedger.open(path) as ledger:
        Community(ledger).enroll("bo")
    return path


def members(community: Community) -> list[str]:
    """Return the ids of the current members."""
    return [standing.member_id for standing in community.engage.members()]


def moved_aside(path: Path, other: Path) -> None:
    """Follow docs/operations.md: move the old store and its journal away, then move the new one there."""
    for file in (path, path.with_name(f"{path.name}-journal")):
        file.rename(file.with_name(f"{file.name}.old"))
    other.rename(path)


def renamed_over(path: Path, other: Path) -> None:
    """Replace the store in one step."""
    other.replace(path)


def deleted_first(path: Path, other: Path) -> None:
    """Delete the store first, so that the new file may get its inode number."""
    path.unlink()
    shutil.copy(other, path)


def folder_moved(path: Path, other: Path) -> None:
    """Put another folder in the place of the store's, as a mount does."""
    path.parent.rename(path.parent.with_name("old"))
    path.parent.mkdir()
    other.rename(path)


@pytest.mark.parametrize("replace", [moved_aside, renamed_over, deleted_first, folder_moved])
def test_a_replaced_store_is_opened_again(community: Community, path: Path, other: Path, replace: Replace) -> None:
    """The next call reads from the new file and writes to it."""
    replace(path, other)
    assert members(community) == ["bo"]
    community.enroll("cy")
    community.award("bo", "after")
    with SqliteLedger.open(path) as fresh:
        assert [one.member_id for one in fresh.members()] == ["bo", "cy"]
    assert community.engage.audit().breaches == []


def test_a_link_that_leads_elsewhere_is_followed(tmp_path: Path, path: Path, other: Path) -> None:
    """A symbolic link that is switched to another store, as for a release or a disk, is followed."""
    link = tmp_path / "current.db"
    SqliteLedger.open(path).close()
    link.symlink_to(path)
    with SqliteLedger.open(link) as ledger:
        community = Community(ledger).begun()
        (tmp_path / "next").symlink_to(other)
        (tmp_path / "next").replace(link)
        assert members(community) == ["bo"]
        community.enroll("cy")
    with SqliteLedger.open(other) as ledger:
        assert len(ledger.members()) == 2


def test_a_store_that_is_away_is_missed_and_not_made_anew(community: Community, path: Path) -> None:
    """Each call fails while the store is gone, without creating a new one, and works again once it is back."""
    path.rename(path.with_name("aside.db"))
    for _ in range(2):
        with pytest.raises(StoreMissing, match="there is no store"):
            community.engage.members()
        with pytest.raises(StoreMissing):
            community.award("ada", "meanwhile")
    assert not path.exists()
    path.with_name("aside.db").rename(path)
    community.award("ada", "back")
    assert community.points("ada") == 12
    path.unlink()
    path.touch()
    with pytest.raises(StoreMissing):
        community.engage.members()
    assert path.stat().st_size == 0


@pytest.mark.parametrize("has_written", [False, True])
def test_nothing_is_committed_to_a_file_that_is_no_longer_the_store(
    community: Community, path: Path, other: Path, *, has_written: bool
) -> None:
    """A transaction during which the file is replaced is refused and rolled back; the next call uses the new file."""

    def write() -> None:
        with community.ledger._database.transaction() as connection:  # type: ignore[attr-defined]
            if has_written:
                connection.execute("DELETE FROM streaks")
            other.replace(path)
            connection.execute("INSERT INTO settled_days VALUES ('2020-01-01', '')")

    with pytest.raises(LedgerBusy, match="moved or replaced"):
        write()
    assert members(community) == ["bo"]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM settled_days").fetchone() == (0,)


def test_what_was_read_is_of_one_store(community: Community, path: Path, other: Path) -> None:
    """A snapshot that has begun goes on reading the file it began on."""
    with community.ledger._database.snapshot() as connection:  # type: ignore[attr-defined]
        before = connection.execute("SELECT count(*) FROM members").fetchone()
        other.replace(path)
        assert connection.execute("SELECT member_id FROM members").fetchall() == [("ada",)]
        assert before == (1,)
    assert members(community) == ["bo"]


def test_what_is_no_store_of_this_version_is_refused(community: Community, path: Path, other: Path) -> None:
    """If the file is replaced by a newer version's store or another program's database, each call is refused."""
    with closing(sqlite3.connect(other, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    other.replace(path)
    with pytest.raises(LedgerFailed, match="upgrade trc-engage"):
        community.enroll("ada")
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    for _ in range(2):
        with pytest.raises(LedgerFailed, match="another program"):
            community.engage.members()


def test_a_number_that_is_given_again_deceives_nobody(community: Community, path: Path) -> None:
    """A new file that gets the inode number of a deleted one is still noticed as another store."""
    for _ in range(5):
        path.unlink()
        with pytest.raises(StoreMissing):
            community.engage.members()
        with SqliteLedger.open(path) as ledger:
            Community(ledger).enroll("dee")
        assert members(community) == ["dee"]
        community.enroll("ada")


def test_who_changes_his_folder_keeps_his_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store opened by a relative path stays the same file when the process changes its folder."""
    monkeypatch.chdir(tmp_path)
    with SqliteLedger.open("engage.db") as ledger:
        community = Community(ledger).begun()
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        with ledger._database.connection():
            community.award("ada", "here")
    assert list(tmp_path.joinpath("elsewhere").iterdir()) == []


def test_a_restore_under_a_running_site_and_a_sleeping_daemon(tmp_path: Path) -> None:
    """After a restore by the commands, a running site shows the restored store at once, and runs write to it."""
    operator = Operator(tmp_path)
    operator.call("members", "enroll", "m-1", "--discord-id", IDS["ada"])
    assert operator.call("backup", "copy.db").code == 0
    operator.call("members", "enroll", "m-2")
    with SqliteLedger.open(tmp_path / "engage.db") as ledger:
        community = Community(ledger)
        engage = Engage(ledger=ledger, source=community, clock=lambda: community.now)
        site = alone(engage)
        assert site.get("/api/members/m-2").status_code == 200
        assert engage.run_due().outcome == "synced"
        for name in ("engage.db", "engage.db-journal"):
            (tmp_path / name).rename(tmp_path / f"{name}.old")
        assert site.get("/api/members/m-2").status_code >= 500
        assert operator.call("restore", "copy.db").code == 0
        assert site.get("/api/members/m-2").status_code == 404
        assert site.get("/api/members/m-1").status_code == 200
        community.now += timedelta(minutes=15)
        assert engage.run_due().outcome == "synced"
    assert [run["member_id"] for run in operator.call("members", "list", "--json").json["members"]] == ["m-1"]
    with SqliteLedger.open(tmp_path / "engage.db") as ledger:
        assert ledger.run_state().sync.good_at == community.now
