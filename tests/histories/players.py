"""Eight processes on one store, some of them killed: they award, reverse, sync, settle and read as days go by."""

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import RawArray
from pathlib import Path
from random import Random
from threading import Event
from time import monotonic
from typing import Any

from attrs import define, evolve, field, frozen

from mutants.histories import FAULTS
from support.stores import opened_at
from trc_engage import Board, Engage, Entry, Newcomer

from .calls import Call, Recorder, recorded
from .judge import End, Judge, as_line

BEGINS_AT = datetime(2026, 3, 2, 9, 5, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
LINKED = {f"m-{number}": str(80351110224678920 + number) for number in range(6)}
XP_BEFORE = 1_000
PAGE = 50
KEYS = 300
"""For each process, and as many again that all share."""
STEP_SECONDS = 0.15
"""Each step a quarter of an hour passes, now and then the rest of a day, if a process has looked since."""
LOOKS = {"sync", "run"}
REST_SECONDS = 0.01
SECONDS_MAX = 300
KILLS_MIN = 5
CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload([__name__])


@frozen
class Place:
    """Where a process plays, on which board, and the fault planted in its `Engage`."""

    address: str
    folder: Path
    dial: Any
    """Shared: how many seconds have passed for all, then everyone's XP."""
    fault: str = ""
    number: int = 0

    @classmethod
    def made(cls, address: str, folder: Path, fault: str = "") -> "Place":
        """Make the store, enroll everyone and open their accounts."""
        dial = RawArray("q", [0, *[XP_BEFORE] * len(LINKED)])
        place = cls(address, folder, dial, fault)
        with opened_at(address) as ledger:
            engage = Engage(ledger=ledger, source=place, clock=place.now)
            engage.enroll_all([Newcomer(member_id, discord_id) for member_id, discord_id in LINKED.items()])
            engage.sync()
        return place

    def now(self) -> datetime:
        """Return the present time, the same for all of them."""
        return BEGINS_AT + timedelta(seconds=self.dial[0])

    def read(self, _sought: frozenset[str], /) -> Board:
        """Answer as a source."""
        readings = dict(zip(LINKED.values(), self.dial[1:], strict=True))
        return Board(readings, whole=True, rows=len(LINKED), pages=1)

    def let_time_pass(self, chance: Random) -> None:
        """Let a quarter of an hour or the rest of the day pass for all, while everyone may earn something."""
        for number in range(len(LINKED)):
            self.dial[1 + number] += chance.randrange(60)
        now = self.now()
        midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), UTC)
        # From 00:05 on, a run settles the day; before it only a call of `settle` does.
        a_new_day = midnight + timedelta(minutes=chance.choice([1, 6]))
        later = a_new_day if chance.random() < 0.15 else now + QUARTER
        self.dial[0] += int((later - now).total_seconds())


@define
class Player:
    """One process: what it calls, and how far it has followed the feed."""

    engage: Engage
    place: Place
    recorder: Recorder
    chance: Random
    followed: int = 0

    def award(self) -> None:
        """Award something with a key of this process or one that all share; sometimes reverse it."""
        key = f"{self.chance.choice([self.place.number, 'all'])}:{self.chance.randrange(KEYS)}"
        who = Random(key)
        member, points = who.choice([*LINKED]), 1 + who.randrange(9)

        def deed() -> Sequence[Any]:
            at = BEGINS_AT - timedelta(hours=who.randrange(48))
            receipt = self.engage.award(member, source="benchmark", points=points, key=key, at=at)
            return *as_line(receipt.entry), receipt.changed

        got = self.recorder.call("award", {"member": member, "points": points, "key": key}, deed)
        if got and self.chance.random() < 0.2:
            self.reverse(key, got[0])

    def reverse(self, key: str, position: int) -> None:
        """Reverse an award."""

        def deed() -> Sequence[Any]:
            receipt = self.engage.reverse(key, reason="a test", by="tester")
            return *as_line(receipt.entry), receipt.changed

        self.recorder.call("reverse", {"key": str(position)}, deed)

    def sync(self) -> None:
        """Do what is due, sometimes after reading the board by hand."""
        if self.chance.random() < 0.3:
            self.recorder.call("sync", {}, lambda: self.engage.sync(fresh=True).outcome)
        self.run()

    def run(self) -> None:
        """Do what is due."""

        def deed() -> Mapping[str, Any]:
            report = self.engage.run_due()
            slot = report.slot and report.slot.isoformat()
            return {"slot": slot, "settled": [str(day) for day in report.settled]}

        self.recorder.call("run", {}, deed)

    def settle(self) -> None:
        """Settle what can be settled."""
        self.recorder.call("settle", {}, lambda: {"settled": [str(day) for day in self.engage.settle().settled]})

    def read(self) -> None:
        """Ask for a balance, and follow the feed."""
        member, after = self.chance.choice([*LINKED]), self.followed
        self.recorder.call("standing", {"member": member}, lambda: self.engage.standing(member).points)
        asked = {"after": after, "limit": PAGE}
        page = self.recorder.call(
            "feed", asked, lambda: [as_line(entry) for entry in self.engage.feed(after=after, limit=PAGE)]
        )
        self.followed += len(page or ())


PARTS = (Player.award, Player.award, Player.award, Player.sync, Player.run, Player.settle, Player.read, Player.read)


def play(place: Place) -> None:
    """Play this process's part again and again until it is killed."""
    chance = Random(f"{place.number} {os.getpid()}")
    with opened_at(place.address) as ledger:
        engage = FAULTS.get(place.fault, Engage)(ledger=ledger, source=place, clock=place.now)
        recorder = Recorder(place.folder / f"calls-{os.getpid()}.jsonl", os.getpid())
        player = Player(engage, place, recorder, chance)
        while True:
            PARTS[place.number](player)
            Event().wait(chance.uniform(0, REST_SECONDS))


@define
class Crowd:
    """The processes that play at a place."""

    place: Place
    processes: list[BaseProcess] = field(factory=list)
    killed: int = 0

    def start(self, number: int) -> BaseProcess:
        """Start one of them."""
        process = CONTEXT.Process(target=play, args=(evolve(self.place, number=number),))
        process.start()
        return process

    def play(self, calls: int, *, kills: bool = True) -> None:
        """Let them make this many calls while time passes; now and then kill one and start another in its place."""
        chance, until = Random(7), monotonic() + SECONDS_MAX
        calls, looked = calls + len(self.calls()), 0
        self.processes = [self.start(number) for number in range(len(PARTS))]
        while len(self.calls()) < calls or (kills and self.killed < KILLS_MIN):
            assert monotonic() < until
            Event().wait(STEP_SECONDS)
            before, looked = looked, sum(call.name in LOOKS and call.ended is not None for call in self.calls())
            if before < looked:  # Days without a look would be a leap of the clock (R22).
                self.place.let_time_pass(chance)
            number = chance.randrange(len(PARTS))
            if kills and chance.random() < 0.3 and self.calls(self.processes[number]):
                self.kill(self.processes[number])
                self.processes[number] = self.start(number)
                self.killed += 1
        for process in self.processes:
            self.kill(process)

    def calls(self, process: BaseProcess | None = None) -> Sequence[Call]:
        """Return the recorded calls of all processes, or of one."""
        return recorded(sorted(self.place.folder.glob(f"calls-{process.pid if process else '*'}.jsonl")))

    @staticmethod
    def kill(process: BaseProcess) -> None:
        """Kill a process; it is a fault if it has ended before."""
        assert process.exitcode is None
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join(SECONDS_MAX)

    def judged(self) -> tuple[Judge, Sequence[str]]:
        """Read the board once more, and return the judge and what it finds."""
        # By then the leases of killed processes have expired.
        self.place.dial[0] += int(timedelta(days=1).total_seconds())
        with opened_at(self.place.address) as ledger:
            engage = Engage(ledger=ledger, source=self.place, clock=self.place.now)
            engage.sync(fresh=True)
            assert engage.audit().breaches == []
            lines = [as_line(entry) for entry in _followed(engage)]
            due = {member: (xp - XP_BEFORE) // 100 for member, xp in zip(LINKED, self.place.dial[1:], strict=True)}
            with ledger._database.connection() as connection:
                slots = [slot for (slot,) in connection.execute("SELECT slot FROM slots")]
        judge = Judge(self.calls(), End(lines, due, slots))
        return judge, judge.breaches()


def _followed(engage: Engage) -> Iterator[Entry]:
    after = 0
    while page := engage.feed(after=after, limit=5_000):
        yield from page
        after = page[-1].position
