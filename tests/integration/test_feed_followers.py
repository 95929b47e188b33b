"""A follower of the feed over HTTP misses no entry, however often it is killed, and gets new entries at once."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from threading import Event, Timer
from time import monotonic

import pytest

from support import follower
from support.command import TIMEOUT_SECONDS, Operator
from support.stores import SHARED, addressed, opened_at
from trc_engage import Engage, LedgerBusy

READ = "a-token-that-only-reads"
KINDS = pytest.mark.parametrize("kind", SHARED)
KILLS = 15
LINES_MAX = 3 * follower.PAGE
POSTERS = 2
PAUSE_SECONDS = 0.01
AWARDS = 8


class Follower:
    """The follower's process, which starts at the position that the one before had reached."""

    def __init__(self, server: str, folder: Path) -> None:
        words = [sys.executable, "-I", follower.__file__, server, READ, str(folder / "position")]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        self.lines: list[str] = []
        self._watchdog = Timer(TIMEOUT_SECONDS, self.process.kill)
        self._watchdog.start()

    def next(self) -> str:
        """Return its next line."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, "it has ended"
        self.lines.append(line.strip())
        return self.lines[-1]

    def kill(self) -> list[int]:
        """Kill it with SIGKILL, and return the position that it began at and those that it got."""
        self.process.kill()
        rest, _ = self.process.communicate()
        self._watchdog.cancel()
        return [int(line) for line in (*self.lines, *rest.splitlines()) if line]


@contextmanager
def served(address: str, folder: Path) -> Iterator[str]:
    """Serve a store with the `web` command, and yield its host and port."""
    operator = Operator(folder)
    operator.env |= {"TRC_ENGAGE_STORE": address, "TRC_ENGAGE_WEB_READ_TOKEN": READ}
    process = operator.start("web", "--port", "0")
    watchdog = Timer(2 * TIMEOUT_SECONDS, process.kill)
    watchdog.start()
    try:
        assert process.stdout
        yield process.stdout.readline().removeprefix("serving on http://").partition("/")[0]
    finally:
        process.kill()
        process.communicate()
        watchdog.cancel()


def post(address: str, poster: int, until: Event) -> int:
    """Award points one by one until the event is set, and return how many."""
    awarded = 0
    with opened_at(address) as ledger:
        engage = Engage(ledger=ledger, clock=lambda: datetime.now(UTC))
        engage.enroll(f"m-{poster}")
        # Without a pause between their writes, they would leave no one else a turn at a file.
        while not until.wait(PAUSE_SECONDS):
            with suppress(LedgerBusy):
                engage.award(f"m-{poster}", source="run", points=1, key=f"{poster}:{awarded}", at=datetime.now(UTC))
                awarded += 1
    return awarded


@KINDS
def test_a_follower_that_is_killed_gets_every_position_in_order(kind: str, tmp_path: Path) -> None:
    """Killed 15 times while others post, each follower begins where the last one was, and none skips an entry."""
    chance, enough, runs = Random(16), Event(), list[list[int]]()
    with addressed(kind, tmp_path) as address, ThreadPoolExecutor(POSTERS) as pool:
        opened_at(address).close()
        posters = [pool.submit(post, address, number, enough) for number in range(POSTERS)]
        try:
            with served(address, tmp_path) as server:
                for _ in range(KILLS):
                    killed = Follower(server, tmp_path)
                    for _ in range(chance.randrange(LINES_MAX)):
                        killed.next()
                    runs.append(killed.kill())
                enough.set()
                newest = sum(poster.result() for poster in posters)
                last = Follower(server, tmp_path)
                while last.next() != str(newest):
                    pass
                runs.append(last.kill())
        finally:
            enough.set()
    seen = 0
    for run in filter(None, runs):
        assert run == [*range(run[0], run[0] + len(run))]
        assert run[0] <= seen
        seen = max(seen, run[-1])
    assert seen == newest


@KINDS
def test_an_answer_comes_as_soon_as_there_is_something_new(kind: str, tmp_path: Path) -> None:
    """Each award of another process is the follower's next answer at once, without an empty answer in between."""
    with addressed(kind, tmp_path) as address, opened_at(address) as ledger, served(address, tmp_path) as server:
        engage = Engage(ledger=ledger, clock=lambda: datetime.now(UTC))
        engage.enroll("ada")
        waiting = Follower(server, tmp_path)
        assert waiting.next() == "0"
        began = monotonic()
        for number in range(1, AWARDS + 1):
            engage.award("ada", source="run", points=1, key=f"run:{number}", at=datetime.now(UTC))
            assert [waiting.next(), waiting.next()] == [str(number), ""]
        assert monotonic() - began < follower.WAIT_SECONDS
        waiting.kill()
