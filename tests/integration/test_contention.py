"""The example app under 8 threads and 2 processes, and 8 processes on their own: every balance is exact."""

import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from threading import Barrier

import httpx
import pytest

from crash.crowd import gathered
from support.running_app import IMPATIENT, SECONDS_MAX, TRIES_MAX, App, running
from trc_engage import (
    Engage,
    Newcomer,
)
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.core import streaks
from trc_engage.testing.mee6 import Mee6Server

HAMMERED_SECONDS = 4
PAIRS = 4
"""Of threads; the two of a pair send to different processes."""
ROUNDS = 24
"""Days in the test."""
LINKED = {f"linked-{number}": str(80351110224678920 + number) for number in range(4)}
XP_BEFORE = 100
BENCHMARKS = {"both": 4, "one": 1, "other": 2}
"""The points of a benchmark, by who sends it first: both threads of a pair at once, or one of them."""


class Crowd:
    """Eight threads on one store through two processes, which sync and settle meanwhile.

    No member is in two rounds, and what both threads send goes to a member of its own, because the next award
    would correct a streak that a lost race had left wrong.
    """

    def __init__(self, folder: Path) -> None:
        self.now = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
        self.store, self.clock_file = str(folder / "engage.db"), folder / "clock"
        self.clock_file.write_text(self.now.isoformat())
        self.server = Mee6Server.start(clock=lambda: self.now)
        self.server.between_pages = self._rise
        self.ledger = SqliteLedger.open(self.store)
        self.answers: Counter[int] = Counter()
        self.awarded: dict[str, int] = {}
        self._dawn = Barrier(2 * PAIRS, action=self._new_day, timeout=SECONDS_MAX)
        for discord_id in LINKED.values():
            self.server.board.join(discord_id, xp=XP_BEFORE)
        engage = Engage(ledger=self.ledger, clock=lambda: self.now - timedelta(days=21))
        engage.enroll_all([Newcomer(member_id, discord_id) for member_id, discord_id in LINKED.items()])
        engage.enroll_all(
            [Newcomer(f"{pair}-{day}-{n}") for pair in range(PAIRS) for day in range(ROUNDS) for n in "ab"]
        )

    def words(self) -> Sequence[str]:
        """Return the arguments that start a process."""
        return ("-c", IMPATIENT, self.store, self.server.guild_id, self.server.url, str(self.clock_file))

    def _rise(self, _page: int) -> None:
        """Give XP on the board with every page."""
        for number, discord_id in enumerate(LINKED.values()):
            self.server.board.give(discord_id, 40 * number)

    def _new_day(self) -> None:
        """Move the clock to the next day after a required one."""
        self.now += timedelta(days=1 if self.now.weekday() < 5 else 3)
        written = self.clock_file.with_suffix(".new")
        written.write_text(self.now.isoformat())
        written.replace(self.clock_file)

    def hammer(self, apps: Sequence[App]) -> None:
        """Run all threads to their end."""
        with ThreadPoolExecutor(2 * PAIRS) as pool:
            futures = []
            for pair in range(PAIRS):
                meet = Barrier(2, timeout=SECONDS_MAX)
                for app, turns in zip(apps, (("both", "one", "other"), ("both", "other", "one")), strict=True):
                    futures.append(pool.submit(self._play, app, pair, turns, meet))
            for future in futures:
                self.answers += future.result()

    def _play(self, app: App, pair: int, turns: Sequence[str], meet: Barrier) -> Counter[int]:
        """Send three benchmarks each day, and ask once for a sync, which lets the day before be settled."""
        answers: Counter[int] = Counter()
        chance = Random(f"{pair} {turns}")
        with app.client() as client:
            for day in range(ROUNDS):
                self._dawn.wait()
                asks_at = chance.choice(turns)
                for whose in turns:
                    meet.wait()
                    if whose == asks_at:
                        client.post("/sync").raise_for_status()
                    member_id = f"{pair}-{day}-{'a' if whose == 'both' else 'b'}"
                    answers.update(self._insist(client, member_id, whose, self._at(day, whose)))
                client.get(f"/members/{member_id}").raise_for_status()
        return answers

    def _at(self, day: int, whose: str) -> datetime:
        """Return an instant on the day being settled, or every other day on two that are settled already."""
        days_ago = 1 if whose == "both" or day % 2 else {"one": 8, "other": 15}[whose]
        return self.now - timedelta(days=days_ago)

    def _insist(self, client: httpx.Client, member_id: str, whose: str, at: datetime) -> Iterator[int]:
        """Send a benchmark until the store is not busy, and yield each status."""
        key, points = f"{member_id}:{whose}", BENCHMARKS[whose]
        self.awarded[key] = points
        award = {"member_id": member_id, "points": points, "key": key, "at": at.isoformat()}
        for _ in range(TRIES_MAX):
            yield (status := client.post("/benchmarks", json=award).status_code)
            if status != 503:
                return

    def rest(self) -> Engage:
        """Sync and settle what is left, and return the `Engage`."""
        with Mee6Source.open(self.server.guild_id, base_url=self.server.url, page_gap=0) as source:
            self.server.between_pages = None
            engage = Engage(ledger=self.ledger, source=source, clock=lambda: self.now)
            engage.sync(fresh=True)
            assert engage.settle().pending == ()
            return engage


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[Crowd]:
    """Yield a crowd."""
    crowd = Crowd(tmp_path)
    with crowd.server, crowd.ledger:
        yield crowd


def test_eight_threads_and_two_processes_leave_exact_balances_and_streaks(crowd: Crowd) -> None:
    """While awards, syncs and settlements meet, each award is paid once, and every balance and streak is right."""
    with running(*crowd.words()) as one, running(*crowd.words()) as other:
        crowd.hammer([one, other])
        assert [one.stop(), other.stop()] == [-signal.SIGTERM] * 2
    engage = crowd.rest()
    assert crowd.answers.keys() <= {200, 201, 503}
    assert crowd.answers[200] == crowd.answers[201] == len(crowd.awarded) == PAIRS * ROUNDS * len(BENCHMARKS)
    assert_exact(engage, crowd)
    assert_derived(crowd.ledger)


def test_eight_processes_lose_nothing(tmp_path: Path) -> None:
    """Eight processes award, sync, settle and read for a few seconds (`tox -e crash` runs longer), and all is exact."""
    with gathered(tmp_path, HAMMERED_SECONDS) as processes:
        processes.hammer()
        processes.check()
    assert {"awards", "syncs", "reads"} <= processes.counts.keys()


def assert_exact(engage: Engage, crowd: Crowd) -> None:
    """Check that each award is booked once, and each balance is what was earned and the sum of its entries."""
    entries = engage.feed(limit=10_000)
    assert Counter(entry.key for entry in entries if entry.key) == Counter(crowd.awarded.keys())
    expected: Counter[str] = Counter()
    for key, points in crowd.awarded.items():
        expected[key.partition(":")[0]] += points
    for entry in entries:
        if entry.kind == "opening" and entry.xp is not None:
            xp = crowd.server.board.xp(LINKED[entry.member_id])
            expected[entry.member_id] = (xp - entry.xp.xp_after) // 100
    sums: Counter[str] = Counter()
    for entry in entries:
        sums[entry.member_id] += entry.points
    assert {standing.member_id: standing.points for standing in engage.members()} == dict(expected)
    assert dict(sums) == dict(expected)


def assert_derived(ledger: SqliteLedger) -> None:
    """Check that every stored streak is what the evidence makes it, and that there are long ones."""
    calendar = ledger.calendar()
    stored = ledger.activity(date.max).streaks
    derived = [
        streaks.recomputed(streak, {one.day for one in ledger.evidence(streak.member_id, date.min, date.max)}, calendar)
        for streak in stored
    ]
    assert stored == derived
    assert len(stored) >= 2 * PAIRS * ROUNDS
    assert max(streak.longest for streak in stored) >= ROUNDS // 2
