"""`backup` and `restore`: a copy is whole, verified and in nobody's way, or it is not there."""

import itertools
import os
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from command import COMMAND, Operator
from community import IDS, Community, opened
from trc_engage import Engage
from trc_engage.adapters.sqlite import SqliteLedger, backup
from trc_engage.adapters.sqlite.database import SCHEMA_VERSION

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return the file of a store in which members have earned."""
    with opened("sqlite", tmp_path) as ledger:
        community = Community(ledger)
        community.enroll("ada", "bo")
        community.sync(ada=1_000, bo=500)
        community.sync(ada=1_350, bo=620)
        community.award("ada", "benchmark:1")
    return tmp_path / "engage.db"


@pytest.fixture
def operator(tmp_path: Path, store: Path) -> Operator:
    """Return the operator of that store, with a folder for backups beside it."""
    assert store.parent == tmp_path
    (tmp_path / "backups").mkdir()
    return Operator(tmp_path)


def check(file: Path) -> int:
    """Check that a file is sound, balances its entries, and is its maker's alone; return how many entries it has."""
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
    """Return what people see of a store, and its run book."""
    with SqliteLedger.open(store) as ledger:
        return ledger.members(), ledger.feed(after=0, limit=10_000), ledger.sync_state(), ledger.streaks()


WRITER = """
import select, sys, time
from datetime import timedelta
from community import Community
from trc_engage.adapters.sqlite import SqliteLedger

worst, rounds = 0.0, 0
with SqliteLedger.open(sys.argv[1]) as ledger:
    community = Community(ledger)
    community.now += timedelta(hours=1)
    community.xp = {"ada": 1_350, "bo": 620}
    print("writing", flush=True)
    while not select.select([sys.stdin], [], [], 0.01)[0]:
        begun = time.monotonic()
        community.chat("ada", 150)
        community.now += timedelta(minutes=1)
        community.engage.sync(fresh=True)
        community.award("bo", f"round:{rounds}")
        worst, rounds = max(worst, time.monotonic() - begun), rounds + 1
print(rounds, worst)
"""


@pytest.fixture
def writer(store: Path) -> Iterator["subprocess.Popen[str]"]:
    """Let another process sync and award without a pause, until its stdin is written to."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(store)],
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("pages", [8, backup.STEP_PAGES])
def test_a_backup_is_taken_while_others_write(
    operator: Operator, writer: "subprocess.Popen[str]", monkeypatch: pytest.MonkeyPatch, pages: int
) -> None:
    """Each copy is one instant of the store, and no writer waits for long; however small the steps, it ends."""
    monkeypatch.setattr(backup, "STEP_PAGES", pages)
    held = []
    for number in range(6):
        ran = operator.call("backup", f"backups/{number}.db")
        assert (ran.code, ran.err) == (0, "")
        held.append(check(operator.folder / "backups" / f"{number}.db"))
        assert f"{held[-1]:,} entries), verified" in ran.out
    told, _ = writer.communicate("stop\n", timeout=60)
    rounds, worst = told.split()
    assert writer.returncode == 0
    assert held == sorted(held)
    assert held[-1] > held[0]
    assert int(rounds) > 0
    assert float(worst) < 5
    assert len(list((operator.folder / "backups").iterdir())) == len(held)


def test_steps_grow_until_the_copy_is_done(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who writes after each step makes it begin anew, and does not keep it from its end."""
    monkeypatch.setattr(backup, "STEP_PAGES", 1)
    sizes: list[int] = []

    class Disturbed(sqlite3.Connection):
        """A store that others write to after each step."""

        def backup(
            self,
            target: sqlite3.Connection,
            *,
            pages: int = -1,
            progress: Callable[[int, int, int], object] | None = None,
            name: str = "main",
            sleep: float = 0.25,
        ) -> None:
            def disturbed(*told: int) -> None:
                assert progress is not None
                progress(*told)
                other = sqlite3.connect(store, isolation_level=None)
                other.execute("INSERT INTO excusals (day, at) VALUES ('2026-01-01', 'x')")
                other.close()

            sizes.append(pages)
            super().backup(target, pages=pages, progress=disturbed, name=name, sleep=sleep)

    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Disturbed))
    with backup.placed(store, tmp_path / "b.db") as copy:
        assert copy.entries == check(copy.path)
    assert sizes == [1, 8, 64]


def test_a_store_that_somebody_holds_is_busy(operator: Operator, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 75 after the time-out, and nothing is left."""
    monkeypatch.setattr(backup, "PATIENCE_SECONDS", 0.05)
    holder = sqlite3.connect(store, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    ran = operator.call("backup", "backups/b.db")
    holder.close()
    assert (ran.code, "try again" in ran.err) == (75, True)
    assert list((operator.folder / "backups").iterdir()) == []


KILLED = """
import os, signal, sqlite3, sys
from pathlib import Path
moment = int(sys.argv[1])
seen = 0

def count():
    global seen
    seen += 1
    if seen == moment:
        os.kill(os.getpid(), signal.SIGKILL)

class Deadly(sqlite3.Connection):
    def backup(self, target, *, progress, **how):
        count()
        super().backup(target, progress=lambda *told: (count(), progress(*told)), **how)

connect = sqlite3.connect
sqlite3.connect = lambda *given, **options: connect(*given, factory=Deadly, **options)

def deadly(call):
    def called(*given, **options):
        count()
        result = call(*given, **options)
        count()
        return result
    return called

for name in ("fsync", "link"):
    setattr(os, name, deadly(getattr(os, name)))
Path.unlink = deadly(Path.unlink)
from trc_engage.adapters.sqlite import backup
backup.STEP_PAGES = 7
from trc_engage.entrypoints.cli import main
sys.argv = ["trc-engage", *sys.argv[2:]]
main()
"""


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_killed_at_any_moment_a_copy_is_whole_or_not_there(operator: Operator, store: Path, command: str) -> None:
    """SIGKILL leaves no half of a file under the name asked for; what it leaves bears a name that says so."""
    held = operator.folder / "backups" / "b.db"
    env = dict(operator.env)
    if command == "restore":
        assert operator.run("backup", "source.db").code == 0
        env["TRC_ENGAGE_STORE"] = str(held)
    entries = standings(store)
    outcomes = []
    for moment in itertools.count(1):
        arguments = [command, "source.db" if command == "restore" else str(held)]
        victim = subprocess.run(
            [sys.executable, "-c", KILLED, str(moment), *arguments],
            cwd=operator.folder,
            env=env,
            capture_output=True,
            check=False,
        )
        assert victim.returncode in {0, -signal.SIGKILL}, victim.stderr.decode()
        outcomes.append(victim.returncode)
        if held.exists():
            check(held)
            assert standings(held) == entries
        for left in held.parent.iterdir():
            assert left.name in {"b.db", "b.db-journal"} or ".part" in left.name
            left.unlink()
        if victim.returncode == 0:
            break
    assert len(outcomes) > 8
    assert standings(store) == entries


@pytest.mark.parametrize("way", ["file", "folder", "dangling", "journal"])
@pytest.mark.parametrize("command", ["backup", "restore"])
def test_nothing_is_overwritten(operator: Operator, store: Path, command: str, way: str) -> None:
    """Exit code 65, whatever bears the name; also where the journal of a former store would spoil a new one."""
    target = operator.folder / "backups" / "there.db"
    if way == "file":
        target.write_text("precious")
    elif way == "folder":
        target.mkdir()
    elif way == "dangling":
        target.symlink_to("nowhere")
    else:
        target.with_name("there.db-journal").write_text("precious")
    before = sorted(target.parent.rglob("*"))
    if command == "backup":
        ran = operator.call("backup", str(target))
    else:
        ran = operator.call("restore", str(store), env={"TRC_ENGAGE_STORE": str(target)})
    # A folder for a store is told of with the variable that names it.
    assert ran.code == (78 if (command, way) == ("restore", "folder") else 65)
    assert "there.db" in ran.err
    assert sorted(target.parent.rglob("*")) == before
    assert all(left.read_text() == "precious" for left in before if left.is_file())


def test_the_empty_journal_of_a_former_store_is_in_nobodys_way(operator: Operator, store: Path) -> None:
    """Every store leaves one; whoever moved the store away need not know of it."""
    assert operator.call("adjust", "ada", "--points", "5", "--key", "k", "--reason", "r", "--by", "b").code == 0
    assert operator.call("backup", "backups/b.db").code == 0
    store.rename(operator.folder / "old.db")
    assert store.with_name("engage.db-journal").stat().st_size == 0
    assert operator.call("restore", "backups/b.db").code == 0


def test_a_backup_restored_is_the_same_store(operator: Operator, store: Path) -> None:
    """Points, entries, streaks, run book and status; the restored store goes on where it was."""
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
    """The claim of a run stays with the store it was taken on, though its process may live, or be of another host."""
    now = datetime.now(UTC)
    with SqliteLedger.open(store) as ledger:
        ledger.claim("run", now, now + timedelta(minutes=5))
        if not is_live:
            with ledger._database.writing() as connection:
                connection.execute("UPDATE claims SET owner = 'elsewhere.example:1:abcd'")
    assert operator.call("backup", "backups/b.db").code == 0
    restored = {"TRC_ENGAGE_STORE": str(operator.folder / "new.db")}
    assert operator.call("status", "--json").json["lease"] is not None
    assert operator.call("restore", "backups/b.db", env=restored).code == 0
    assert operator.call("status", "--json", env=restored).json["lease"] is None
    with SqliteLedger.open(operator.folder / "new.db") as ledger:
        assert Engage(ledger=ledger, clock=lambda: now).run_due().outcome == "nothing"
        ledger.release(ledger.claim("run", now, now + timedelta(minutes=5)))


def foreign(file: Path) -> None:
    """Make a database of another program."""
    file.unlink()
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()


def no_database(file: Path) -> None:
    """Make a text."""
    file.write_text("this is no database, whatever its name says")


def empty(file: Path) -> None:
    """Make a file of nothing."""
    file.write_bytes(b"")


def cut(file: Path) -> None:
    """Lose the second half."""
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def scribbled(file: Path) -> None:
    """Lose a page in the middle."""
    data = bytearray(file.read_bytes())
    data[12 * 4_096 : 13 * 4_096] = b"\xff" * 4_096
    file.write_bytes(data)


def dangling(file: Path) -> None:
    """Lose a member who has entries."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("DELETE FROM members WHERE member_id = 'ada'")
    connection.close()


def newer(file: Path) -> None:
    """Come from a later version."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()


@pytest.mark.parametrize("harm", [foreign, no_database, empty, cut, scribbled, dangling, newer])
def test_what_is_no_sound_store_of_ours_is_not_restored(
    operator: Operator, store: Path, harm: Callable[[Path], None]
) -> None:
    """Exit code 74, the file is named, and nothing lies at the place of the store."""
    store.rename(operator.folder / "b.db")
    harm(operator.folder / "b.db")
    before = sorted(operator.folder.iterdir())
    ran = operator.call("restore", "b.db")
    assert (ran.code, ran.out) == (74, "")
    assert ran.err.startswith("trc-engage: b.db")
    assert [left for left in sorted(operator.folder.iterdir()) if left.name != "b.db-journal"] == before


def test_a_damaged_store_gives_no_backup(operator: Operator, store: Path) -> None:
    """The copy is looked at before it may pass for one; the store is left as it is."""
    dangling(store)
    before = store.read_bytes()
    ran = operator.call("backup", "backups/b.db")
    assert (ran.code, ran.out, "damaged" in ran.err) == (74, "", True)
    assert list((operator.folder / "backups").iterdir()) == []
    assert store.read_bytes() == before


def test_what_the_doctor_finds_fault_with_is_no_backup(operator: Operator, store: Path) -> None:
    """A balance that does not sum its entries is named, with the command that tells all; nothing is kept."""
    connection = sqlite3.connect(store, isolation_level=None)
    connection.execute("UPDATE balances SET points = points + 1 WHERE member_id = 'ada'")
    connection.close()
    ran = operator.call("backup", "backups/b.db")
    assert (ran.code, ran.out) == (74, "")
    assert "ada" in ran.err
    assert "trc-engage doctor" in ran.err
    assert list((operator.folder / "backups").iterdir()) == []
    restored = operator.call("restore", str(store), env={"TRC_ENGAGE_STORE": str(operator.folder / "new.db")})
    assert (restored.code, (operator.folder / "new.db").exists()) == (74, False)


def test_what_an_older_version_wrote_can_be_backed_up_as_it_is(operator: Operator, store: Path) -> None:
    """An upgrade is no reason to have no backup of what was there before it."""
    connection = sqlite3.connect(store, isolation_level=None)
    connection.execute("DROP TABLE slots")
    connection.execute("DROP TABLE told")
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    assert "older version" in operator.call("backup", "backups/b.db").out
    for file in (store, operator.folder / "backups" / "b.db"):
        connection = sqlite3.connect(file)
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        connection.close()


@pytest.mark.parametrize("file", ["nowhere/b.db", "engage.db/b.db", "/proc/b.db"])
def test_a_folder_that_takes_nothing_is_named(operator: Operator, file: str) -> None:
    """Exit code 74 and what to do."""
    ran = operator.call("backup", file)
    assert (ran.code, ran.out) == (74, "")
    assert ran.err.startswith(f"trc-engage: {file}: ")
    assert "nothing was put there" in ran.err


def test_a_full_disk_leaves_nothing_behind(operator: Operator) -> None:
    """Exit code 74; what was begun is gone."""

    def smaller() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    ended = subprocess.run(
        [*COMMAND, "backup", "backups/b.db"],
        cwd=operator.folder,
        env=operator.env,
        capture_output=True,
        text=True,
        preexec_fn=smaller,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (74, "")
    assert "free space" in ended.stderr
    assert list((operator.folder / "backups").iterdir()) == []


def test_a_file_that_is_not_there_is_not_made(operator: Operator, store: Path) -> None:
    """Neither FILE nor a store comes of a name that was mistyped."""
    store.rename(operator.folder / "old.db")
    ran = operator.call("restore", "backups/nothing.db")
    assert (ran.code, ran.err) == (65, "trc-engage: backups/nothing.db: there is no such file\n")
    assert not store.exists()
    assert list((operator.folder / "backups").iterdir()) == []


def test_names_stay_out_of_what_is_said(operator: Operator) -> None:
    """Backups run from cron, whose output is mailed around."""
    ran = operator.call("backup", "backups/b.db")
    assert not {"Ada", "Bo", *IDS.values()} & set(ran.out.replace(",", " ").split())
    assert ran.out.startswith("backed up: backups/b.db (")
