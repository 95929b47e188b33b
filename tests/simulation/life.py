"""A life: slot after slot of it, everything that happens in it, and what must hold after each step."""

from datetime import UTC, datetime, timedelta
from random import Random

from .audit import Audit
from .calm import Calm
from .clock import Clock
from .deeds import Deeds
from .hand import Hand
from .oracle import Drops
from .pager import Pager
from .process import Process
from .server import Server
from .stores import Store
from .stories import Story
from .weather import Weather
from .world import QUARTER, World

BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
MEMBERS = 40
STRANGERS = 22
QUIET_EVERY = 11
"""Each so many days everybody keeps silent."""


class Life(Hand):
    """One deployment, two processes, and the world around them."""

    def __init__(self, seed: int, store: Store, story: Story | None = None) -> None:
        self.seed = seed
        random = Random(seed)
        begins = BEGINS + timedelta(days=random.randrange(366), hours=random.randrange(24))
        self.slot_at = begins
        self.weather = Weather(Random(random.random()))
        if story is not None:
            self.weather.episodes = [lasts() for lasts in story.lasting]
            self.weather.makers, self.weather.intensity = story.makers, story.intensity
        clock = Clock(begins)
        super().__init__(clock, Pager(clock, self.weather), Audit(store, clock), random)
        ids = [str(80351110224678000 + 7 * number) for number in range(MEMBERS + STRANGERS)]
        self.random.shuffle(ids)
        self.ids = ids[:MEMBERS]
        self.members = [f"m-{number}" for number in range(MEMBERS)]
        self.world = World(Random(self.random.random()), ids, begins)
        self.server = Server(self.clock, self.world, self.weather, Random(self.random.random()))
        self.season: Drops | None = None
        """What an admin would decide about a drop that is real."""
        self.lived = 0
        self.day_checked = begins.date()
        self.processes = [
            Process(
                name,
                store,
                self.clock,
                self.server,
                self.pager,
                Random(self.random.random()),
                lambda: (self.oracle.seen_at, [(one, one.since, one.is_news_if_missing) for one in self.oracle.sought]),
            )
            for name in ("a", "b")
        ]
        self.deeds = Deeds(self)
        self.calm = Calm(self)

    def other(self, process: Process) -> Process:
        """Return the other of the two."""
        a, b = self.processes
        return b if process is a else a

    def point(self) -> None:
        """Point each process at the board that the operator means, or at another by mistake."""
        for number, process in enumerate(self.processes):
            home = self.server.home
            address = home if self.oracle.board_id is None else self.weather.address(home, number)
            if process.point_at(address):
                self.note(process.name, "reads", address.board_id)

    def decide(self, process: Process, drops: Drops, *, dry_run: bool = False) -> None:
        """Decide what was distrusted: adopt the community's board if that is another one now, or take the drops."""
        is_moved = self.oracle.is_another(self.server.home.board_id)
        self.sync(process, decision="adopt" if is_moved else drops, dry_run=dry_run)

    def close(self) -> None:
        """Let go of everything."""
        for process in self.processes:
            process.close()
        self.audit.close()

    def live(self, slots: int) -> None:
        """Live so many slots, then let all faults end and see that everything is exact."""
        self.deeds.begin()
        for _ in range(slots):
            self._live_slot()
        self.calm.come()

    def _live_slot(self) -> None:
        self.lived += 1
        for episode in self.weather.turn(self.slot_at):
            self.note("weather:", episode.name, episode.slots, episode.share, episode.troubles, episode.number)
            if episode.name == "gone":
                self.pager.delete()
        self.world.counts = not self.weather.has("frozen") or self.weather.random.random() < 0.5
        self.clock.error = self.weather.clock_error
        self.point()
        self.come_to(self.slot_at + timedelta(seconds=self.random.choice([0, 0, 1, 2, 5, 20, 100, 400])))
        self.slot_at += QUARTER
        if self.weather.has("off"):
            return
        for process in self.processes[: 2 if self.weather.has("pair") else 1]:
            self.deeds.some(process)
            self._tick(process)
        if self.clock.at.hour == 0 and self.clock.at.minute < 8:
            self.come_to(self.slot_at - QUARTER + timedelta(minutes=5, seconds=self.random.choice([0, 1, 30])))
            self._tick(self.processes[0])
        while self.random.random() < 0.08:
            self.clock.sleep(self.random.choice([0, 1, 30, 120, 310]))
            self.world.until(self.clock.at)
            self._tick(self.random.choice(self.processes))
        self.weather.remember(self.world.board())
        self._check_day()
        self.calm.look()
        while self.slot_at + QUARTER <= self.clock.at:
            self.slot_at += QUARTER

    def come_to(self, at: datetime) -> None:
        """Let time pass until an instant, in which people chat."""
        self.clock.until(at)
        self.world.until(self.clock.at)
        self.world.quiet = self.clock.at.toordinal() % QUIET_EVERY == self.seed % QUIET_EVERY

    def _tick(self, process: Process) -> None:
        """Let a process do what is due; killed, it comes back, now and then at once."""
        self.run_due(process, self.deeds.fate(process))
        if process.befell and self.random.random() < 0.5:
            self.clock.sleep(self.random.choice([0, 0, 10, 301]))
            self.world.until(self.clock.at)
            self.run_due(process)

    # What must hold

    def _check_day(self) -> None:
        if self.clock.at.date() != self.day_checked:
            self.day_checked = self.clock.at.date()
            self.audit.check(self.oracle, self.members, exact_at=self.clock.told_at)
            self.note("audited", self.audit.position, self.oracle.calendar.settled_through)
