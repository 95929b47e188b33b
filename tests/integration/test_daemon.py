"""The daemon as a process: how it ends, what it survives, and what it reports to its supervisor."""

import re
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from random import Random, SystemRandom
from tempfile import TemporaryDirectory
from threading import Event

import pytest

from support.attended import ENDS_WITHIN_SECONDS, IMPATIENT, SECONDS_MAX, Post, manned

STRUCK = """
import logging, os, signal, sys, time
from trc_engage.adapters.sqlite import database
from trc_engage.entrypoints.cli import main
phase, number = sys.argv[1], int(sys.argv[2])
written = {"syncing": 0, "settling": 0}
at_work = ["syncing"]

class Struck(database.FileConnection):
    def execute(self, statement, *values):
        if statement.lstrip().startswith(("BEGIN IMMEDIATE", "INSERT", "UPDATE", "DELETE", "COMMIT")):
            written[at_work[0]] += 1
            if (at_work[0], written[at_work[0]]) == (phase, number):
                print(time.monotonic(), flush=True)
                os.kill(os.getpid(), signal.SIGTERM)
        return super().execute(statement, *values)

class Synced(logging.Handler):
    def emit(self, record):
        at_work[0] = "settling"

database.FileConnection = Struck
logging.getLogger("trc_engage.usecases.sync").addHandler(Synced())
sys.argv = ["trc-engage", "daemon"]
try:
    main()
finally:
    print(written["syncing"], written["settling"])
"""
"""The daemon, which gets SIGTERM just before the n-th statement that it writes before it has synced, or after that."""


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    with manned(tmp_path) as post:
        yield post


def terminate(daemon: "subprocess.Popen[str]", *, by_itself: bool = True) -> None:
    """Send SIGTERM, and check that the daemon ends in time."""
    at = time.monotonic()
    daemon.send_signal(signal.SIGTERM)
    assert_ends(daemon, at, by_itself=by_itself)


def assert_ends(daemon: "subprocess.Popen[str]", struck_at: float, *, by_itself: bool = True) -> None:
    """Check that it ends within 5 s with code 0 and, if it can end by itself, with a line that says so."""
    code = daemon.wait(SECONDS_MAX)
    seconds = time.monotonic() - struck_at
    _, told = daemon.communicate()
    assert (code, seconds < ENDS_WITHIN_SECONDS) == (0, True), (seconds, told)
    assert bool(re.search(r" INFO stopped by SIG(TERM|INT)\n$", told)) == by_itself, told
    assert "Traceback" not in told


def while_a_read_drips(post: Post, chance: Random) -> None:
    post.server.drip_seconds = 0.02
    post.server.trouble(chance.choice(["drip_headers", "drip_body"]))
    daemon = post.start("daemon")
    assert post.asked.wait(SECONDS_MAX)
    time.sleep(chance.random())
    terminate(daemon)


def between_pages(post: Post, chance: Random) -> None:
    served = Event()
    post.server.limit_max = 1
    post.server.between_pages = lambda _page: served.set()
    daemon = post.start("daemon")
    assert served.wait(SECONDS_MAX)
    time.sleep(chance.random() * 2)
    terminate(daemon)


def while_another_has_the_store(post: Post, chance: Random) -> None:
    others: list[sqlite3.Connection] = []
    held = Event()

    def hold(_page: int) -> None:
        others.append(sqlite3.connect(post.store, isolation_level=None, check_same_thread=False))
        others[0].execute("BEGIN IMMEDIATE")
        held.set()

    post.server.between_pages = hold
    daemon = post.start("daemon")
    assert held.wait(SECONDS_MAX)
    time.sleep(chance.random())
    terminate(daemon, by_itself=False)
    others[0].close()
    post.server.between_pages = None


def while_idle(post: Post, chance: Random) -> None:
    daemon = post.start("daemon")
    post.supervisor.until("STATUS=idle")
    time.sleep(chance.random())
    terminate(daemon)


def in_a_transaction_of_the_sync(post: Post, chance: Random) -> None:
    strike(post, "syncing", chance.randint(1, statements_written()["syncing"]))


def while_settling(post: Post, chance: Random) -> None:
    strike(post, "settling", chance.randint(1, statements_written()["settling"]))


def strike(post: Post, phase: str, number: int) -> None:
    """Run the daemon until SIGTERM strikes at a statement, and check how it ends."""
    daemon = post.start_program(STRUCK, phase, str(number))
    assert daemon.stdout is not None
    assert_ends(daemon, struck_at=float(daemon.stdout.readline()))


@cache
def statements_written() -> dict[str, int]:
    """Return how many statements a whole run writes before it has synced, and after that."""
    with TemporaryDirectory() as folder, manned(Path(folder)) as post:
        daemon = post.start_program(STRUCK, "never", "0")
        post.supervisor.until("STATUS=idle")
        daemon.send_signal(signal.SIGTERM)
        output, _ = daemon.communicate(timeout=SECONDS_MAX)
        syncing, settling = map(int, output.split())
        assert min(syncing, settling) > 5
        return {"syncing": syncing, "settling": settling}


PHASES: dict[Callable[[Post, Random], None], int] = {
    while_a_read_drips: 10,
    between_pages: 10,
    in_a_transaction_of_the_sync: 10,
    while_settling: 8,
    while_idle: 8,
    while_another_has_the_store: 4,
}
"""How often the daemon gets SIGTERM in each phase."""


def test_it_ends_in_any_phase(tmp_path: Path) -> None:
    """SIGTERM at 50 random moments ends the daemon within 5 s with code 0, and nothing is lost or paid twice."""
    seed = SystemRandom().randrange(10**6)
    statements_written()
    phases = [phase for phase, times in PHASES.items() for _ in range(times)]
    assert len(phases) == 50

    def one(number: int) -> str:
        with manned(tmp_path / f"{number}") as post:
            try:
                phases[number](post, Random(seed + number))
                post.server.recover()
                post.assert_exact()
            except AssertionError as error:
                return f"{phases[number].__name__}, number {number} of seed {seed}: {error}"
        return ""

    with ThreadPoolExecutor(5) as pool:
        assert [told for told in pool.map(one, range(len(phases))) if told] == []


def test_ctrl_c_ends_it_too(post: Post) -> None:
    """Ctrl-C ends an idle daemon within 5 s with code 0, and its last line says so."""
    daemon = post.start("daemon")
    post.supervisor.until("STATUS=idle")
    daemon.send_signal(signal.SIGINT)
    _, told = daemon.communicate(timeout=ENDS_WITHIN_SECONDS)
    assert daemon.returncode == 0
    assert re.search(r"Z INFO stopped by SIGINT\n$", told)


def test_a_second_signal_does_no_harm(post: Post) -> None:
    """However many signals it gets, the daemon ends once, within 5 s and with code 0."""
    daemon = post.start("daemon")
    post.supervisor.until("STATUS=idle")
    at = time.monotonic()
    while daemon.poll() is None:
        daemon.send_signal(signal.SIGTERM)
        daemon.send_signal(signal.SIGINT)
        time.sleep(0.001)
    assert_ends(daemon, at)
    post.assert_exact()


def test_a_hangup_leaves_it_unharmed(post: Post) -> None:
    """SIGHUP, as from a closed terminal, ends the daemon neither during a read nor while it is idle."""
    held = Event()
    post.server.between_pages = lambda _page: held.wait(SECONDS_MAX)
    daemon = post.start("daemon")
    assert post.asked.wait(SECONDS_MAX)
    daemon.send_signal(signal.SIGHUP)
    held.set()
    post.supervisor.until("STATUS=idle")
    assert post.rows("SELECT outcome FROM slots ORDER BY slot DESC LIMIT 1") == [("synced",)]
    daemon.send_signal(signal.SIGHUP)
    assert daemon.poll() is None
    terminate(daemon)


def test_another_takes_over_from_one_that_is_killed(post: Post) -> None:
    """Of two daemons on one store, one reads; when it is killed, the other takes over, and the slot is run once."""
    held, reading = Event(), Event()

    def hold(_page: int) -> None:
        reading.set()
        assert held.wait(SECONDS_MAX)

    post.server.between_pages = hold
    first = post.start("daemon")
    assert reading.wait(SECONDS_MAX)
    second = post.start_program(IMPATIENT)
    post.supervisor.until("STATUS=idle; the run of")
    assert "busy" in post.supervisor.heard[-1]
    assert post.rows("SELECT slot FROM slots WHERE outcome = 'failed'") == []
    first.kill()
    assert first.wait(SECONDS_MAX) == -signal.SIGKILL
    post.server.between_pages = None
    held.set()
    while "synced" not in post.supervisor.heard[-1]:
        post.supervisor.hear()
    terminate(second)
    synced = post.rows("SELECT run_id FROM runs WHERE outcome = 'synced'")
    slots = post.rows("SELECT slot FROM slots WHERE outcome = 'synced'")
    # The run that the store began with belongs to no slot.
    assert len(synced) - 1 == len(slots) >= 1
    post.assert_exact()


def test_systemd_is_told_how_it_goes(post: Post) -> None:
    """Systemd is notified that the daemon is ready, at work, idle, alive, and stopping."""
    post.operator.env |= {"WATCHDOG_USEC": "200000"}
    held = Event()
    post.server.between_pages = lambda _page: held.wait(SECONDS_MAX)
    daemon = post.start("daemon")
    post.supervisor.until("READY=1")
    post.supervisor.until("STATUS=at work")
    for _ in range(3):
        post.supervisor.until("WATCHDOG=1")
    held.set()
    post.supervisor.until("STATUS=idle; the run of")
    assert post.supervisor.heard[-1].endswith(" UTC: synced")
    terminate(daemon)
    post.supervisor.until("STOPPING=1")
    pings = [state for state in post.supervisor.heard if state == "WATCHDOG=1"]
    others = [state.partition(";")[0] for state in post.supervisor.heard if state != "WATCHDOG=1"]
    assert len(pings) >= 3
    assert others == ["READY=1", "STATUS=at work", "STATUS=idle", "STOPPING=1"]


def test_once_is_one_run(post: Post) -> None:
    """`daemon --once` syncs, settles, and ends with exit code 0."""
    done = post.operator.run("daemon", "--once")
    assert (done.code, done.out) == (0, "")
    first, *others = [line.split()[2] for line in done.err.splitlines()]
    assert (first, set(others)) == ("synced:", {"settled"})
    post.assert_exact()


def test_once_tells_of_a_failure(post: Post) -> None:
    """`daemon --once` ends with the source's exit code 69 after a failed sync, so that a script notices."""
    post.server.trouble("private")
    done = post.operator.run("daemon", "--once")
    assert done.code == 69
    assert [line.split()[1:3] for line in done.err.splitlines()] == [["WARNING", "sync"]]


def test_what_cannot_be_opened_ends_it_at_once(post: Post) -> None:
    """A file that is not a store, or a missing setting, ends the daemon with one line and exit code 74 or 78."""
    post.store.write_bytes(b"this is no database" * 100)
    broken = post.operator.run("daemon")
    assert (broken.code, broken.err.count("\n")) == (74, 1)
    post.operator.env.pop("TRC_ENGAGE_GUILD_ID")
    unset = post.operator.run("daemon")
    assert (unset.code, unset.err.count("\n")) == (78, 1)
    assert "TRC_ENGAGE_GUILD_ID" in unset.err
