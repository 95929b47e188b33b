"""Eight processes on one store: they award, sync, settle and read while days go by."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from random import Random
from threading import Barrier, Event
from time import monotonic

from attrs import Factory, define, evolve, field, frozen

from trc_engage import ClockWentBack, Engage, Entry, LedgerBusy, Newcomer, SourceError
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.core import streaks
from trc_engage.testing.mee6 import Mee6Server

NOON = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
DAYS = 8
LINKED = {f"member-{number}": str(80351110224678920 + number) for number in range(8)}
XP_BEFORE = 100
SECONDS_MAX = 120
BREATH_SECONDS = 0.02
"""The longest rest between two deeds. SQLite's lock has no queue: a process that never rests starves the others."""

LEAPT = {"clock", "overtaken"}
"""How a read may fail if a day goes by meanwhile: clocks differ, or its lease has expired and was taken (R30)."""


@frozen
class Place:
    """Where a process works, and for how long."""

    store: str
    clock_file: Path
    guild_id: str
    url: str
    seconds: float
    number: int = 0

    def now(self) -> datetime:
        """Return the present time, which is the same for all processes."""
        return datetime.fromisoformat(self.clock_file.read_text())


@define
class Deeds:
    """What a process did: the keys that were acknowledged, the positions it read, and how often it did what."""

    counts: Counter[str] = Factory(Counter)
    keys: list[str] = Factory(list)
    positions: list[int] = Factory(list)

    @contextmanager
    def tolerant(self) -> Iterator[None]:
        """Suppress the errors after which a caller should retry; a locked database is not one of them."""
        try:
            yield
        except (LedgerBusy, ClockWentBack, SourceError) as error:
            if isinstance(error.__cause__, sqlite3.Error) or (
                isinstance(error, SourceError) and error.kind not in LEAPT
            ):
                raise
            self.counts[f"told to try again ({type(error).__name__})"] += 1


def points_of(key: str) -> int:
    """Return how many points the award of a key is worth."""
    return 1 + Random(key).randrange(9)


def member_of(key: str) -> str:
    """Return the member who gets the award of a key."""
    return Random(f"who: {key}").choice([*LINKED])


def award(engage: Engage, place: Place, deeds: Deeds) -> None:
    """Award something with a key of this process, then with one that the others use at the same time."""
    turn = deeds.counts["awards"]
    for key in (f"{place.number}:{turn}", f"everybody's:{turn}"):
        with deeds.tolerant():
            engage.award(member_of(key), source="benchmark", points=points_of(key), key=key, at=place.now())
            deeds.keys.append(key)
    deeds.counts["awards"] += 1


def sync(engage: Engage, _: Place, deeds: Deeds) -> None:
    """Read the board."""
    with deeds.tolerant():
        engage.sync(fresh=True)
        deeds.counts["syncs"] += 1


def settle(engage: Engage, _: Place, deeds: Deeds) -> None:
    """Settle what can be settled."""
    with deeds.tolerant():
        deeds.counts["settled days"] += len(engage.settle().settled)


def read(engage: Engage, _: Place, deeds: Deeds) -> None:
    """Follow the feed, and assert that a standing's points are the sum of its sources."""
    after = deeds.positions[-1] if deeds.positions else 0
    deeds.positions += [entry.position for entry in engage.feed(after=after, limit=500)]
    standing = engage.standing(Random(len(deeds.positions)).choice([*LINKED]))
    assert standing.points == sum(standing.points_by_source.values())
    deeds.counts["reads"] += 1


PARTS: Sequence[Callable[[Engage, Place, Deeds], None]] = (award, award, award, sync, sync, settle, read, read)


def join(barrier: Barrier) -> None:
    """Wait until all processes have started."""
    barrier.wait(SECONDS_MAX)


def play(place: Place) -> Deeds:
    """Play this process's part again and again, over its own connections."""
    deeds = Deeds()
    with (
        SqliteLedger.open(place.store) as ledger,
        Mee6Source.open(place.guild_id, base_url=place.url, page_gap=0) as source,
    ):
        engage = Engage(ledger=ledger, source=source, clock=place.now)
        chance, until = Random(place.number), monotonic() + place.seconds
        while monotonic() < until:
            PARTS[place.number](engage, place, deeds)
            Event().wait(chance.uniform(0, BREATH_SECONDS))
    return deeds


@define
class Crowd:
    """The store, a board that keeps rising, and what all processes did together."""

    place: Place
    server: Mee6Server
    deeds: Sequence[Deeds] = field(factory=list)

    @property
    def counts(self) -> Counter[str]:
        """How often each thing was done."""
        return sum((deeds.counts for deeds in self.deeds), Counter())

    def hammer(self) -> None:
        """Start all processes at once, and let days go by."""
        context = get_context("spawn")
        barrier = context.Barrier(len(PARTS) + 1)
        with ProcessPoolExecutor(len(PARTS), context, join, (barrier,)) as pool:
            futures = [pool.submit(play, evolve(self.place, number=number)) for number in range(len(PARTS))]
            # No day goes by before all are ready to act in it.
            join(barrier)
            for _ in range(DAYS):
                wait(futures, self.place.seconds / DAYS, FIRST_EXCEPTION)
                self.let_a_day_pass()
            self.deeds = [future.result() for future in futures]

    def let_a_day_pass(self) -> None:
        """Set everyone's clock to the next day."""
        written = self.place.clock_file.with_suffix(".new")
        written.write_text((self.place.now() + timedelta(days=1)).isoformat())
        written.replace(self.place.clock_file)

    def check(self) -> None:
        """Assert that every award is booked once, every balance and streak is exact, and no reader missed an entry."""
        with (
            SqliteLedger.open(self.place.store) as ledger,
            Mee6Source.open(self.server.guild_id, base_url=self.server.url, page_gap=0) as source,
        ):
            engage = Engage(ledger=ledger, source=source, clock=self.place.now)
            self.server.between_pages = None
            engage.sync(fresh=True)
            assert engage.settle().pending == ()
            entries: list[Entry] = []
            while page := engage.feed(after=entries[-1].position if entries else 0, limit=5_000):
                entries += page
            awarded = {key for deeds in self.deeds for key in deeds.keys}
            assert Counter(entry.key for entry in entries if entry.key) == Counter(awarded)
            expected: Counter[str] = Counter()
            for key in awarded:
                expected[member_of(key)] += points_of(key)
            for member_id, discord_id in LINKED.items():
                expected[member_id] += (self.server.board.xp(discord_id) - XP_BEFORE) // 100
            assert {standing.member_id: standing.points for standing in engage.members()} == dict(expected)
            for deeds in self.deeds:
                assert deeds.positions == [entry.position for entry in entries[: len(deeds.positions)]]
            check_streaks(ledger)


def check_streaks(ledger: SqliteLedger) -> None:
    """Assert that every stored streak follows from the evidence."""
    calendar, stored = ledger.calendar(), ledger.activity(date.max).streaks
    assert len(stored) == len(LINKED)
    for streak in stored:
        days = {one.day for one in ledger.evidence(streak.member_id, date.min, date.max)}
        assert streak == streaks.recomputed(streak, days, calendar)


@contextmanager
def gathered(folder: Path, seconds: float) -> Iterator[Crowd]:
    """Yield a crowd whose accounts are open."""
    clock_file = folder / "clock"
    clock_file.write_text(NOON.isoformat())
    server = Mee6Server.start(clock=lambda: datetime.fromisoformat(clock_file.read_text()))
    with server:
        place = Place(str(folder / "engage.db"), clock_file, server.guild_id, server.url, seconds)
        for discord_id in LINKED.values():
            server.board.join(discord_id, xp=XP_BEFORE)
        with SqliteLedger.open(place.store) as ledger, Mee6Source.open(server.guild_id, base_url=server.url) as source:
            engage = Engage(ledger=ledger, source=source, clock=place.now)
            engage.enroll_all([Newcomer(member_id, discord_id) for member_id, discord_id in LINKED.items()])
            engage.sync()

        def rise(_page: int) -> None:
            for number, discord_id in enumerate(LINKED.values()):
                server.board.give(discord_id, 7 + 5 * number)

        server.between_pages = rise
        yield Crowd(place, server)
