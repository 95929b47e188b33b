"""A process that forks while its threads are at work, as `gunicorn --preload` and multiprocessing do."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from support.community import IDS, Community, opened
from support.forking import ended, forked
from support.stores import SHARED
from trc_engage import LedgerFailed
from trc_engage.adapters.sql import pool
from trc_engage.adapters.sqlite import SqliteLedger

CHILDREN = 8


@contextmanager
def busy(community: Community, names: Sequence[str] = ("w-1", "w-2", "w-3")) -> Iterator[None]:
    """Let threads award all the time, with short pauses, because SQLite gives its lock to the first that tries."""
    stop, begun, failed = Event(), [Event() for _ in names], []

    def work(name: str, is_at_work: Event) -> None:
        number = 0
        try:
            while not stop.wait(0.002):
                community.award("ada", f"{name}:{number}")
                is_at_work.set()
                number += 1
        except BaseException as error:
            failed.append(error)
            is_at_work.set()
            raise

    threads = [Thread(target=work, args=each) for each in zip(names, begun, strict=True)]
    for thread in threads:
        thread.start()
    for is_at_work in begun:
        assert is_at_work.wait(60)
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert failed == []


@pytest.mark.parametrize("kind", SHARED)
def test_children_of_a_busy_process_can_all_write(kind: str, tmp_path: Path) -> None:
    """Children of a busy process can write, every child's award is booked, and the audit finds nothing."""
    with opened(kind, tmp_path) as ledger:
        community = Community(ledger)
        community.enroll("ada", "bo")
        with busy(community):
            children = [forked(lambda key=f"child:{n}": community.award("bo", key)) for n in range(CHILDREN)]  # type: ignore[misc]
            assert [ended(child) for child in children] == [0] * CHILDREN
        assert community.points("bo") == CHILDREN * 10
        assert community.engage.audit().breaches == []


@pytest.mark.parametrize("kind", SHARED)
def test_so_can_their_children(kind: str, tmp_path: Path) -> None:
    """A child with busy threads of its own can fork as well, and its child can write."""
    with opened(kind, tmp_path) as ledger:
        community = Community(ledger)
        community.enroll("ada", "bo")

        def parent() -> None:
            with busy(community, ["c-1", "c-2"]):
                children = [forked(lambda: community.award("bo", "grandchild"))]
                assert [ended(child) for child in children] == [0]

        with busy(community):
            assert ended(forked(parent)) == 0
        assert community.points("bo") == 10
        assert community.engage.audit().breaches == []


def test_a_fork_waits_for_the_call_that_is_under_way(tmp_path: Path) -> None:
    """A fork waits for the transaction under way, so that the child sees what it wrote, and can write."""
    with opened("sqlite", tmp_path) as ledger:
        community = Community(ledger)
        community.enroll("ada", "bo")
        inside, about_to_fork, is_armed = Event(), Event(), True
        # Handlers run in the reverse order of their registration: this one before ours.
        os.register_at_fork(before=lambda: about_to_fork.set() if is_armed else None)

        def hold() -> None:
            with ledger._database.transaction() as connection:  # type: ignore[attr-defined]
                inside.set()
                assert about_to_fork.wait(60)
                for number in range(20_000):
                    connection.execute("INSERT INTO settled_days VALUES (?, '')", [f"day {number:05}"])

        def look() -> None:
            with ledger._database.transaction() as connection:  # type: ignore[attr-defined]
                assert connection.execute("DELETE FROM settled_days").rowcount == 20_000

        thread = Thread(target=hold)
        thread.start()
        assert inside.wait(60)
        child = forked(look)
        is_armed = False
        thread.join(60)
        assert ended(child) == 0
        community.award("bo", "after")


@pytest.mark.parametrize("kind", SHARED)
def test_who_forks_within_a_call_waits_for_nobody(kind: str, tmp_path: Path) -> None:
    """A child forked in a transaction leaves it to the parent; on SQLite, all calls in it raise `LedgerFailed`."""
    with opened(kind, tmp_path) as ledger:
        community = Community(ledger)
        community.enroll("ada")

        def misuse() -> None:
            for _ in range(2):
                with pytest.raises(LedgerFailed, match="forked in the middle of a call"):
                    community.award("ada", "child")

        with ledger._database.transaction() as session:  # type: ignore[attr-defined]
            session.execute("DELETE FROM streaks")
            child = forked(misuse if kind == "sqlite" else community.engage.members)
            assert ended(child) == 0
        community.award("ada", "parent")
        assert community.points("ada") == 10


ENDS_WITHIN = """
import os, sys
from support.community import Community
from trc_engage.adapters.sqlite import SqliteLedger
ledger = SqliteLedger.open(sys.argv[1])
community = Community(ledger)
community.enroll("ada")
pid = None
try:
    with ledger._database.transaction() as connection:
        connection.execute("INSERT INTO settled_days VALUES ('2026-03-02', 'x')")
        pid = os.fork()
        if pid:
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
            connection.execute("INSERT INTO settled_days VALUES ('2026-03-03', 'x')")
        elif sys.argv[2] == "raises":
            raise ValueError
except Exception as error:
    print(type(error).__name__, flush=True)
if not pid:
    sys.exit(7)
with ledger._database.connection() as connection:
    print(connection.execute("SELECT count(*) FROM settled_days").fetchone()[0])
    print(connection.execute("PRAGMA integrity_check").fetchone()[0])
"""


@pytest.mark.parametrize(("how", "says"), [("raises", "ValueError"), ("returns", "LedgerFailed")])
def test_a_child_that_leaves_a_call_ends_nothing_of_its_parents(tmp_path: Path, how: str, says: str) -> None:
    """A child that leaves its parent's transaction, by an error or not, neither commits it nor rolls it back."""
    ran = subprocess.run(
        [sys.executable, "-c", ENDS_WITHIN, str(tmp_path / "engage.db"), how],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stdout.split()) == (0, [says, "2", "ok"]), ran.stderr


def test_a_fork_in_a_signal_handler_neither_hangs_nor_harms(tmp_path: Path) -> None:
    """Wherever in a call a signal's handler forks, the child writes or gets `LedgerFailed`, and the parent goes on."""
    with opened("sqlite", tmp_path) as ledger:
        community = Community(ledger)
        community.enroll("ada", "bo")
        children: list[int] = []

        def write(key: str) -> None:
            try:
                community.award("bo", key)
            except LedgerFailed as error:
                if "forked in the middle" not in str(error):
                    raise

        def strike(_number: int, _frame: object) -> None:
            children.append(forked(lambda: write(f"child:{len(children)}")))
            signal.setitimer(signal.ITIMER_REAL, 0.007)

        before = signal.signal(signal.SIGALRM, strike)
        try:
            with busy(community):
                signal.setitimer(signal.ITIMER_REAL, 0.003)
                number = 0
                while len(children) < CHILDREN:
                    community.award("ada", f"struck:{number}")
                    number += 1
                signal.setitimer(signal.ITIMER_REAL, 0)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        assert [ended(child) for child in children] == [0] * len(children)
        assert community.engage.audit().breaches == []


def test_a_fork_does_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fork gives up waiting for a long call; then the child's calls fail, and the parent is unharmed."""
    monkeypatch.setattr(pool, "FORK_SECONDS", 0.05)
    with opened("sqlite", tmp_path) as ledger:
        community = Community(ledger)
        community.enroll("ada")
        inside, go_on = Event(), Event()

        def hold() -> None:
            with ledger._database.transaction():  # type: ignore[attr-defined]
                inside.set()
                assert go_on.wait(60)

        def look() -> None:
            with pytest.raises(LedgerFailed, match="forked in the middle of a call"):
                community.engage.members()
            # Another ledger on the same file fails as well.
            with pytest.raises(LedgerFailed, match="forked in the middle of a call"):
                SqliteLedger.open(tmp_path / "engage.db")
            SqliteLedger.open(tmp_path / "other.db").close()

        thread = Thread(target=hold)
        thread.start()
        assert inside.wait(60)
        assert ended(forked(look)) == 0
        # While one transaction is open, another thread of the parent can begin its own.
        assert len(community.engage.members()) == 1
        go_on.set()
        thread.join(60)
        community.award("ada", "after")
        assert ended(forked(lambda: community.award("ada", "child"))) == 0
        assert community.points("ada") == 20


def test_starting_a_program_is_no_fork_that_waits(tmp_path: Path) -> None:
    """`subprocess` works beside busy threads, without the hooks of a fork, or with them if it has a `preexec_fn`."""
    with opened("sqlite", tmp_path) as ledger:
        community = Community(ledger)
        community.enroll("ada")
        with busy(community):
            for options in ({}, {"preexec_fn": os.getpid}):
                for _ in range(5):
                    subprocess.run(["true"], check=True, timeout=60, **options)  # type: ignore[call-overload]
        assert community.engage.audit().breaches == []


def test_who_is_gone_is_told_of_no_fork(tmp_path: Path) -> None:
    """A ledger that was closed and let go of does not hold up a later fork."""
    for number in range(3):
        with opened("sqlite", tmp_path) as ledger:
            Community(ledger).engage.enroll("ada", discord_id=IDS["ada"])
            assert ended(forked(lambda: Community(ledger).award("ada", f"child:{number}"))) == 0  # noqa: B023
    with SqliteLedger.open(tmp_path / "engage.db") as ledger:
        assert Community(ledger).points("ada") == 10
