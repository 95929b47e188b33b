"""A life: everything that happens in it, slot by slot, and what must hold after each step."""

from datetime import UTC, datetime, timedelta
from random import Random

from .audit import Audit
from .calm import Calm
from .clock import Clock
from .coverage import FAILS, Coverage
from .deeds import Deeds
from .episodes import MAKERS
from .hand import Hand
from .oracle import Drops
from .pager import Pager
from .process import Process
from .server import Server
from .status import check_status
from .stores import Store
from .stories import Story
from .versions import NEWER, PRESENT
from .weather import Weather
from .world import QUARTER, World

BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
MEMBERS = 40
STRANGERS = 22
SET_RIGHT = 0.3
"""How often a clock is corrected for the rest of a slot."""


class Life(Hand):
    """One deployment, two processes, and the world around them."""

    def __init__(self, seed: int, store: Store, story: Story | None = None) -> None:
        self.seed = seed
        random = Random(seed)
        begins = BEGINS + timedelta(days=random.randrange(366), hours=random.randrange(24))
        self.slot_at = begins
        self.weather = Weather(Random(random.random()))
        self.plot = story or Story(makers=MAKERS, intensity=1.0)
        self.weather.episodes = [lasts() for lasts in self.plot.lasting]
        self.weather.makers, self.weather.intensity = self.plot.makers, self.plot.intensity
        self.weather.crowd = self.plot.crowd
        clock = Clock(begins)
        self.coverage = Coverage(self)
        meets = self.coverage.meets
        super().__init__(clock, Pager(clock, self.weather, meets), Audit(store, clock), random)
        self.store = store
        ids = [str(80351110224678000 + 7 * number) for number in range(MEMBERS + STRANGERS)]
        self.random.shuffle(ids)
        self.ids = ids[:MEMBERS]
        self.members = [f"m-{number}" for number in range(MEMBERS)]
        self.world = World(Random(self.random.random()), ids, begins)
        self.server = Server(self.clock, self.world, self.weather, Random(self.random.random()), meets)
        self.season: Drops | None = None
        """What an admin would decide about a real drop."""
        self.lived = 0
        self.is_rolling = False
        """Whether a newer version is at work beside one that must be replaced."""
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
                meets,
            )
            for name in ("a", "b")
        ]
        self.deeds = Deeds(self)
        self.calm = Calm(self)

    def other(self, process: Process) -> Process:
        """Return the other of the two processes."""
        a, b = self.processes
        return b if process is a else a

    def point(self) -> None:
        """Point each process at the board that the operator means, or at another by mistake."""
        for number, process in enumerate(self.processes):
            if self.is_old(process):
                continue
            home = self.server.home
            address = home if self.oracle.board_id is None else self.weather.address(home, number)
            if process.point_at(address):
                self.note(process.name, "reads", address.board_id)

    def is_old(self, process: Process) -> bool:
        """Return whether a process must be replaced because a newer one has migrated the tables."""
        return self.is_rolling and process.version == PRESENT

    def deploy(self) -> None:
        """Begin a deploy by replacing one process, or end it so that both run the same version again."""
        episode = self.weather.episode("deploy")
        if (episode is not None) == self.is_rolling:
            return
        self.is_rolling = episode is not None
        self.store.lay_out(NEWER if self.is_rolling else PRESENT)
        for number, process in enumerate(self.processes):
            process.version = NEWER if episode is not None and number == episode.number else PRESENT
            if not self.is_old(process):
                process.reopen()

    def decide(self, process: Process, drops: Drops, *, dry_run: bool = False) -> None:
        """Decide what was distrusted: adopt the community's new board if it has moved, or else accept the drops."""
        is_moved = self.oracle.is_another(self.server.home.board_id)
        self.sync(process, decision="adopt" if is_moved else drops, dry_run=dry_run)

    def close(self) -> None:
        """Close the processes and the audit."""
        for process in self.processes:
            process.close()
        self.audit.close()

    def live(self, slots: int) -> None:
        """Live this many slots, then end all faults and check that everything is exact."""
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
        self.deploy()
        self.point()
        self._meet()
        self.come_to(self.slot_at + timedelta(seconds=self.random.choice([0, 0, 1, 2, 5, 20, 100, 400])))
        self.slot_at += QUARTER
        if self.weather.has("off"):
            return
        for process in self.processes[: 2 if self.weather.has("pair") or self.is_rolling else 1]:
            if not self.is_old(process):
                self.deeds.some(process)
            self._tick(process)
        if self.clock.at.hour == 0 and self.clock.at.minute < 8:
            self.come_to(self.slot_at - QUARTER + timedelta(minutes=5, seconds=self.random.choice([0, 1, 30])))
            self._tick(self.processes[0])
        self._go_on()
        self.weather.remember(self.world.board())
        self._check_day()
        self.calm.look()
        while self.slot_at + QUARTER <= self.clock.at:
            self.slot_at += QUARTER

    def _go_on(self) -> None:
        """Correct a clock, or run again, in what is left of the slot."""
        if self.weather.has("clock") and self.random.random() < SET_RIGHT:
            self.clock.error = timedelta(0)
            self._tick(self.random.choice(self.processes))
        while self.random.random() < 0.08:
            self.clock.sleep(self.random.choice([0, 1, 30, 120, 310]))
            self.world.until(self.clock.at)
            self._tick(self.random.choice(self.processes))

    def _meet(self) -> None:
        """Count the faults that affect a whole slot, and restart the store if one of them does."""
        error = self.clock.error.total_seconds()
        is_elsewhere = any(self.oracle.is_another(one.address.board_id) for one in self.processes)
        faults = {
            "our clock ahead": error > 0,
            "our clock behind": error < 0,
            "off": self.weather.has("off"),
            "another board": is_elsewhere,
        }
        for fault, strikes in faults.items():
            if strikes:
                self.coverage.meets(fault)
        if self.weather.strikes("restart"):
            self.coverage.meets(FAILS["restart"])
            if self.store.restart is not None:
                self.store.restart()

    def come_to(self, at: datetime) -> None:
        """Let time pass until an instant, while people chat."""
        self.clock.until(at)
        self.world.until(self.clock.at)
        self.world.quiet = self.clock.at.toordinal() % self.plot.quiet_every == self.seed % self.plot.quiet_every

    def _tick(self, process: Process) -> None:
        """Let a process do what is due; after something happened to it, it sometimes runs again at once."""
        if self.is_old(process):
            self.coverage.meets("an old version at work")
            self.refuse_old(process)
            return
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
            check_status(self, self.processes[0])
            self.note("audited", self.audit.position, self.oracle.calendar.settled_through)
