"""A life: the daemon from its start to its end, what happens to it along the way, and what was measured."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, time, timedelta
from functools import partial
from pathlib import Path
from random import Random

from attrs import define, field, frozen

from support.command import Operator
from support.receiver import Receiver, received

from .books import Award, Books, Mark
from .calendar import STARTS, SUNDAY, Calendar
from .clock import Clock
from .homes import Home, home
from .machine import Machine
from .people import People, discord_id, member_id
from .town import Town

BACKUP_AT, AWARDED_AT = time(3, 10), time(15, 20)
AWARDED_ON = (0, 3)
"""Mondays, so that Sunday's backup lacks them on Tuesday, and Thursdays."""
DAYS_LATE_MAX = 3
WEBHOOK = "TRC_ENGAGE_ALERT_WEBHOOK"
DEAD, NOT_HEALTHY = "404", 1
BY = ("--reason", "the year's", "--by", "admin-7")


@frozen
class Measure:
    """What the store and the daemon use at one moment."""

    at: datetime
    store_bytes: int
    packed_bytes: int
    """What the same data take up in a file without gaps (VACUUM INTO)."""
    rows: int
    memory_bytes: int
    handles: int
    starts: int
    """How often the daemon had been started by then."""

    def __str__(self) -> str:
        store, memory = self.store_bytes / 2**20, self.memory_bytes / 2**20
        return f"{self.at:%F}: {self.rows:,} rows in {store:.1f} MiB; the daemon has {memory:.1f} MiB"


@define
class Life:
    """A life in progress."""

    calendar: Calendar
    clock: Clock
    people: People
    books: Books
    town: Town
    machine: Machine
    home: Home
    webhooks: Sequence[Receiver]
    """The one that dies, and its replacement."""
    told: list[tuple[int, str, datetime]] = field(factory=list)
    """Each message that a webhook took: which webhook, the message's kind, and when."""
    measures: list[Measure] = field(factory=list)
    lost: int = 0
    """Awards that were lost with a restore."""
    _backups: list[tuple[Path, Mark]] = field(factory=list)
    _chance: Random = field(factory=partial(Random, 7))
    _starts: int = 0

    def lived(self, say: Callable[[str], object]) -> None:
        """Live it."""
        self._begin()
        for at, happens in sorted(self._events(), key=lambda event: event[0]):
            self.machine.live_until(at)
            happens()
            if happens == self._back_up:
                say(f"{self.measures[-1]}")
        self.machine.live_until(self.calendar.ends_at)
        self._back_up()
        self.machine.stop()

    def _events(self) -> Iterator[tuple[datetime, Callable[[], object]]]:
        calendar, town = self.calendar, self.town
        yield from ((at, self._back_up) for at in calendar.each(SUNDAY, BACKUP_AT))
        yield from ((at, self._award) for day in AWARDED_ON for at in calendar.each(day, AWARDED_AT))
        yield calendar.errors.since, partial(town.trouble, "internal_error")
        yield calendar.errors.until, town.recover
        yield calendar.migrated_at, self._migrate
        yield calendar.private.since, self._lose_board_and_webhook
        yield calendar.renewed_at, self._renew_webhook
        yield calendar.private.until, self._publish
        yield calendar.restored_at, self._restore
        yield calendar.refused.since, town.stop
        yield calendar.refused.until, self._serve_again
        yield calendar.ends_at - timedelta(days=7), self._excuse

    def _begin(self) -> None:
        self.town.settle_in()
        rows = (f"{member_id(one)},{discord_id(one)},Name {one}\n" for one in range(len(self.people.xp)))
        (self.machine.folder / "members.csv").write_text("member_id,discord_id,name\n" + "".join(rows))
        self.machine.run("members", "import", "members.csv")
        for number, webhook in enumerate(self.webhooks):
            webhook.on_message = partial(self._hear, number, webhook)
        self.machine.env[WEBHOOK] = self.webhooks[0].url
        self._start()

    def _hear(self, number: int, webhook: Receiver) -> None:
        message = webhook.messages[-1]
        kind = "test" if message.content.startswith("**Test") else message.kind
        self.told.append((number, message.answered or kind, self.clock.now()))

    def _start(self) -> None:
        self._starts += 1
        self.machine.start()

    def _back_up(self) -> None:
        """Take a backup while the daemon is idle, and measure."""
        file = self.machine.folder / f"backup-{self.clock.now():%F}.db"
        self.home.back_up(file)
        for earlier, _ in self._backups:
            earlier.unlink(missing_ok=True)
        self._backups.append((file, self.books.mark(self.clock.now())))
        packed_bytes, rows = packed(self.home.as_file(file))
        machine = self.machine
        self.measures.append(
            Measure(
                *(self.clock.now(), self.home.size_bytes, packed_bytes, rows),
                *(machine.memory_bytes, machine.handles, self._starts),
            )
        )

    @property
    def last_file(self) -> Path:
        """A file that holds what the store held at the end."""
        return self.home.as_file(self._backups[-1][0])

    def _award(self) -> None:
        """Award a benchmark of today, and one that is booked days late."""
        now, chance = self.clock.now(), self._chance
        for days in (0, chance.randint(1, DAYS_LATE_MAX)):
            at = max(now - timedelta(days=days), STARTS)
            award = Award(chance.randrange(len(self.people.xp)), chance.choice((5, 25, 50)), at, now)
            key = f"benchmark:{len(self.books.awards)}:{now:%F}"
            words = ("--source", "benchmark", "--points", str(award.points), "--key", key, "--at", at.isoformat())
            self.machine.run("award", member_id(award.number), *words)
            self.books.award(award)

    def _excuse(self) -> None:
        self.machine.run("excuse", f"{self.calendar.holiday}", *BY)
        self.books.excused.add(self.calendar.holiday)

    def _migrate(self) -> None:
        self.machine.stop()
        self.home.migrate()
        self._start()

    def _lose_board_and_webhook(self) -> None:
        self.town.token = "given to nobody"  # noqa: S105
        self.webhooks[0].trouble = DEAD

    def _renew_webhook(self) -> None:
        """See in `status` that alerts no longer arrive, set a new webhook, test it and restart the daemon with it."""
        machine = self.machine
        assert "alerts no longer arrive by webhook" in machine.run("status", code=NOT_HEALTHY).out
        machine.env[WEBHOOK] = self.webhooks[1].url
        assert "webhook: delivered" in machine.run("alerts", "test").out
        machine.stop()
        self._start()

    def _publish(self) -> None:
        self.town.token = None

    def _restore(self) -> None:
        """Go back to the last backup, two days old; the next sync brings what was earned on Discord since."""
        file, mark = self._backups[-1]
        self.machine.stop()
        self.home.restore(file)
        self.lost = self.books.go_back_to(mark)
        self._start()

    def _serve_again(self) -> None:
        """Listen on the same port as before, with the same board."""
        town = self.town
        town._listener = type(town._listener)(town.port, town._answer)


def packed(file: Path) -> tuple[int, int]:
    """Return how many bytes the same rows take in a file without gaps, and how many rows there are."""
    target = file.with_name("packed.db")
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        connection.execute("VACUUM INTO ?", [str(target)])
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        rows = sum(connection.execute(f"SELECT count(*) FROM {one}").fetchone()[0] for one in tables)  # noqa: S608
    size = target.stat().st_size
    target.unlink()
    return size, rows


@contextmanager
def begun(folder: Path, weeks: int, members: int, seed: int, kind: str = "sqlite") -> Iterator[Life]:
    """Yield a life that is ready to be lived, and end its processes afterward."""
    clock = Clock.create(folder / "clock", STARTS)
    people, books = People(members, seed, STARTS), Books()
    with (
        received() as first,
        received() as second,
        Town(clock=clock.now, people=people, books=books) as town,
        home(kind, machine := Machine(folder, Operator(folder, town).env)) as place,
    ):
        town.port = town._listener.server_port
        try:
            yield Life(Calendar(weeks), clock, people, books, town, machine, place, (first, second))
        finally:
            machine.kill()
