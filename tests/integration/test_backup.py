"""`backup` copies one instant of the store, verifies the copy, and does not hold up writers."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.command import Operator
from support.community import IDS
from support.copies import check, dangling, earned, keeper
from support.versions import newer_tree
from trc_engage.adapters.sql.schema import SCHEMA_VERSION
from trc_engage.adapters.sqlite import backup, database
from trc_engage.adapters.sqlite.database import FileConnection

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return earned(tmp_path)


@pytest.fixture
def operator(store: Path) -> Operator:
    return keeper(store)


WRITER = """
import select, sys, time
from datetime import timedelta
from support.community import Community
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
    """Start a process that syncs and awards without a pause, until its stdin is written to."""
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
    """Each copy is one instant of the store, no write waits for 5 s, and backups in small steps still end."""
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
    """A write after each step restarts the copy with larger steps, until a single step is enough."""
    monkeypatch.setattr(backup, "STEP_PAGES", 1)
    sizes: list[int] = []

    class Disturbed(FileConnection):
        """A connection to a store that others write to after each step."""

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
                other.execute("INSERT INTO excusals (day, is_excused, at, actor) VALUES ('2026-01-01', 1, 'x', 'x')")
                other.close()

            sizes.append(pages)
            super().backup(target, pages=pages, progress=disturbed, name=name, sleep=sleep)

    monkeypatch.setattr(database, "FileConnection", Disturbed)
    with backup.placed(store, tmp_path / "b.db") as copy:
        assert copy.entries == check(copy.path)
    assert sizes == [1, 8, 64]


def test_a_store_that_somebody_holds_is_busy(operator: Operator, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another connection holds the store, `backup` times out with exit code 75 and leaves no file."""
    monkeypatch.setattr(backup, "PATIENCE_SECONDS", 0.05)
    holder = sqlite3.connect(store, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    ran = operator.call("backup", "backups/b.db")
    holder.close()
    assert (ran.code, "try again" in ran.err) == (75, True)
    assert list((operator.folder / "backups").iterdir()) == []


def test_a_damaged_store_gives_no_backup(operator: Operator, store: Path) -> None:
    """Backing up a damaged store ends with exit code 74, leaves no file, and does not change the store."""
    dangling(store)
    before = store.read_bytes()
    ran = operator.call("backup", "backups/b.db")
    assert (ran.code, ran.out, "damaged" in ran.err) == (74, "", True)
    assert list((operator.folder / "backups").iterdir()) == []
    assert store.read_bytes() == before


def test_what_the_doctor_finds_fault_with_is_no_backup(operator: Operator, store: Path) -> None:
    """A store with a wrong balance is neither backed up nor restored; the error names the member and the doctor."""
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
    """The next version backs up a store of this version without upgrading either the store or the copy."""
    operator.env["PYTHONPATH"] = str(newer_tree())
    assert "older version" in operator.run("backup", "backups/b.db").out
    for file in (store, operator.folder / "backups" / "b.db"):
        connection = sqlite3.connect(file)
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        connection.close()


def test_names_stay_out_of_what_is_said(operator: Operator) -> None:
    """`backup` prints no member's name or Discord id on stdout, because cron mails it."""
    ran = operator.call("backup", "backups/b.db")
    assert not {"Ada", "Bo", *IDS.values()} & set(ran.out.replace(",", " ").split())
    assert ran.out.startswith("backed up: backups/b.db (")
