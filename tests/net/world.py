"""A month in the life of a small community, with something of everything that the package can record."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import time_machine
from attrs import define, field

from support.command import Operator
from support.stores import addressed
from trc_engage import Engage, Notice
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.testing.mee6 import Mee6Server

BEGINS = datetime(2026, 1, 30, 8, 5, tzinfo=UTC)
"""A Friday; the month before the last contributes a few days."""
ENDS = date(2026, 3, 4)
"""A Wednesday."""
HOLIDAY, WORKED = date(2026, 2, 16), date(2026, 2, 17)
OUTAGE = date(2026, 2, 12)
DAY, HOUR, QUARTER = timedelta(days=1), timedelta(hours=1), timedelta(minutes=15)

NAMES = {
    "ada": "Ada Lovelace",
    "bo": "Böðvar Örn 🦊",
    "cy": "<script>alert('cy')</script> \u202eolleh",
    "dee": "דבורה",
    "eli": '=HYPERLINK("http://x")',
    "fay": "Νίκη",
    "gus": 'Zoe\u0308 "the second", of that name',
    "hal": "𝓗𝓪𝓵\u200d",
    "ivy": "Ivy|Hidden",
    "jo": "No Discord",
    "kim": "김철수",
    "lou": "lou",
    "Ü-1": "Grace\x1b[31m",
}
IDS = {name: str(80351110224678901 + number) for number, name in enumerate(NAMES) if name not in {"hal", "jo"}}
LATE = "mei"
"""A member who is enrolled at the end, whose account still waits to be opened."""
LATE_ID = "80351110224678999"
XP = {"ada": 1_000, "bo": 5_020, "cy": 990, "eli": 400, "fay": 70, "gus": 333, "ivy": 2_000, "kim": 900, "lou": 640}
"""What the board shows on the first day; members without a value have not written yet."""
HABITS = {"ada": 130, "bo": 20, "cy": 41, "dee": 95, "fay": 10, "ivy": 250, "kim": 33, "Ü-1": 7}
"""XP a day of those who write."""
IDLE = {"bo": {date(2026, 2, 5), date(2026, 2, 19)}, "cy": {date(2026, 2, 9)}, "Ü-1": set()}
"""Days on which these do not write, though others do; on the holiday only Ada writes."""


@define
class Channel:
    """An alert channel that keeps the notices it is sent."""

    channel: str = "net"
    sent: list[Notice] = field(factory=list)

    def send(self, notice: Notice, /) -> None:
        """Keep a notice."""
        self.sent.append(notice)


class World:
    """A board, a store and the time of both."""

    def __init__(self, address: str, folder: Path, ledger: Any, traveller: Any, server: Mee6Server) -> None:
        self.traveller = traveller
        self.server = server
        self.ledger = ledger
        self.operator = Operator(folder, server)
        self.operator.env["TRC_ENGAGE_STORE"] = address
        self.source = Mee6Source.open(server.guild_id, base_url=server.url, page_gap=0, pause=bool)
        self.engage = Engage(ledger=ledger, source=self.source, clock=self.now, alerts=[Channel()])

    def now(self) -> datetime:
        """Return the time in this world."""
        return datetime.now(UTC)

    def go(self, to: datetime | timedelta) -> None:
        """Move the time to an instant, or by a timedelta."""
        self.traveller.move_to(self.now() + to if isinstance(to, timedelta) else to)

    def damage(self, statement: str) -> None:
        """Change the store behind the package's back."""
        address = self.operator.env["TRC_ENGAGE_STORE"]
        if "://" not in address:
            connection: Any = sqlite3.connect(address, isolation_level=None)
        else:
            import psycopg  # noqa: PLC0415

            dsn, schema = parted(address)
            connection = psycopg.connect(dsn, autocommit=True, options=f"-c search_path={schema}")
        connection.execute(statement)
        connection.close()

    def run(self, after: timedelta = QUARTER) -> None:
        """Let time pass, and do what is due."""
        self.go(after)
        self.engage.run_due()

    def board(self, name: str, xp: int) -> None:
        """Set someone's XP."""
        self.server.board.give(IDS[name], xp - self.server.board.xp(IDS[name]))

    def live(self) -> None:
        """Live the month."""
        self.go(BEGINS)
        for name, called in NAMES.items():
            self.engage.enroll(name, discord_id=IDS.get(name), name=called)
        for name, discord_id in IDS.items():
            self.server.board.join(discord_id, username=name, xp=XP.get(name, 0))
        self.run(HOUR)
        while self.now().date() < ENDS:
            self._live_a_day(self.now().date())
        self._end()

    def _live_a_day(self, today: date) -> None:
        """Let people write, sync at noon, do what belongs to this day by hand, and settle it after midnight."""
        for name, xp in HABITS.items():
            if today.weekday() < 5 and today not in IDLE.get(name, ()) and (today != HOLIDAY or name == "ada"):
                self.server.board.give(IDS[name], xp)
        self.go(datetime.combine(today, time(12, 0, 20), UTC))
        if happens := HAPPENS.get(today):
            happens(self)
        self.engage.run_due()
        if today == OUTAGE:
            self._fail()
        self.go(datetime.combine(today + DAY, time(0, 5, 10), UTC))
        self.engage.run_due()

    def _fail(self) -> None:
        """Let the source fail in six slots in a row: an alert is sent, and then an all-clear."""
        self.server.trouble("bad_gateway")
        for _ in range(6):
            self.run()
        self.server.recover()
        self.run()

    def _end(self) -> None:
        """Let the last day contain what is not over yet."""
        engage = self.engage
        self.server.board.give(IDS["ada"], 130)
        self.server.board.give(IDS["dee"], 110)
        self.go(datetime.combine(ENDS, time(9, 30, 5), UTC))
        engage.run_due()
        engage.award("ada", source="benchmark", points=25, key="benchmark:today", at=self.now() - HOUR)
        engage.enroll(LATE, discord_id=LATE_ID, name="梅")
        self.server.board.join(LATE_ID, username=LATE, xp=777)
        self.go(timedelta(minutes=4))


def _awards(world: World) -> None:
    at = world.now()
    world.engage.award("ada", source="benchmark", points=50, key="benchmark:991", at=at)
    world.engage.award("jo", source="download", points=5, key="download:1", at=at - 30 * HOUR)
    world.engage.award("bo", source="benchmark", points=10, key="benchmark:wrong", at=at)


def _corrections(world: World) -> None:
    world.engage.reverse("benchmark:wrong", reason="run twice by mistake", by="admin-7")
    world.engage.adjust("jo", points=-9, key="fix:1", reason="=1+1, a typo", by="@admin-7")
    world.engage.adjust("Ü-1", points=3, key="fix:ü", reason="helped at the meet-up 🎉", by="admin-7")
    world.board("cy", 700)


def _departures(world: World) -> None:
    world.engage.leave("eli")
    world.engage.leave("kim")
    world.engage.unlink("gus")
    world.engage.link("hal", IDS["gus"])
    world.engage.hide("ivy")
    world.server.board.reset_member(IDS["lou"])


def _returns(world: World) -> None:
    world.board("kim", 120)
    world.engage.rejoin("kim")
    world.server.board.give(IDS["gus"], 260)
    world.engage.forget("fay")


def _calendar(world: World) -> None:
    world.engage.excuse(HOLIDAY, reason="Carnival", by="admin")
    world.engage.excuse(WORKED, reason="a mistake", by="admin")


def _late(world: World) -> None:
    world.engage.unexcuse(WORKED, by="admin")
    world.engage.award("bo", source="benchmark", points=4, key="late:1", at=datetime(2026, 2, 5, 18, tzinfo=UTC))
    world.engage.award("Ü-1", source="milestone", points=1, key="milestone:Ü-1:5", at=world.now())


HAPPENS: dict[date, Callable[[World], None]] = {
    date(2026, 2, 3): _awards,
    date(2026, 2, 6): _corrections,
    date(2026, 2, 10): _departures,
    date(2026, 2, 18): _returns,
    date(2026, 2, 20): _calendar,
    date(2026, 2, 26): _late,
}


@contextmanager
def lived(kind: str, folder: Path) -> Iterator[World]:
    """Yield a world that has lived its month, on one of the kinds of store that processes can share."""
    with (
        time_machine.travel(BEGINS, tick=False) as traveller,
        addressed(kind, folder) as address,
        Mee6Server.start() as server,
        _opened(kind, address) as ledger,
    ):
        world = World(address, folder, ledger, traveller, server)
        with world.source:
            world.live()
            yield world


def _opened(kind: str, address: str) -> Any:
    if kind == "sqlite":
        return SqliteLedger.open(Path(address))
    from trc_engage.adapters.postgres import PostgresLedger  # noqa: PLC0415

    dsn, schema = parted(address)
    return PostgresLedger.open(dsn, schema=schema)


def parted(address: str) -> tuple[str, str]:
    """Split an address into what PostgreSQL's library reads, and the schema."""
    dsn, _, schema = address.rpartition("schema=")
    return dsn.rstrip("?&"), schema
