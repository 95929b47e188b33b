"""A small community with a board in memory and a clock that only moves when a test moves it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from trc_engage import Board, Engage, Receipt, RunReport, SyncReport
from trc_engage.adapters.memory import MemoryLedger
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.core.ports import Store
from trc_engage.core.streaks import MILESTONES

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
NAMES = ["ada", "bo", "cy", "dee", "eli", "fay", "gus", "hal", "ivy"]
IDS = {name: str(80351110224678900 + number) for number, name in enumerate(NAMES)}


class Community:
    """Members called ada, bo, …, the XP that the board shows for them, and an `Engage` on top."""

    name = "MEE6"
    """The name of the board's source in messages."""

    def __init__(
        self, ledger: Store | None = None, milestones: Sequence[int] = MILESTONES, ids: Mapping[str, str] = IDS
    ) -> None:
        self.ids = ids
        self.now = MONDAY
        self.xp: dict[str, int] = {}
        self.strangers = 20
        self.whole = True
        self.missed: set[str] = set()
        self.tells_time = True
        """Whether the board's server sends a time: the clock's own …"""
        self.server_at: datetime | None = None
        """… or this one."""
        self.board_id: str | None = None
        self.trouble: Exception | None = None
        self.sought: list[frozenset[str]] = []
        self.ledger = ledger or MemoryLedger()
        self.engage = Engage(ledger=self.ledger, source=self, clock=lambda: self.now, milestones=milestones)

    def read(self, sought: frozenset[str], /) -> Board:
        """Answer as a source, with the board that the test has set up."""
        self.sought.append(sought)
        if self.trouble is not None:
            raise self.trouble
        ids = self.ids
        readings = {ids[name]: xp for name, xp in self.xp.items() if ids[name] in sought and name not in self.missed}
        missed = frozenset(ids[name] for name in self.missed)
        server_at = self.server_at or (self.now if self.tells_time else None)
        return Board(readings, self.whole, len(self.xp) + self.strangers, 1, missed, server_at)

    def begun(self) -> Self:
        """Enroll ada and sync twice: an opening, then a gain of two points."""
        self.enroll("ada")
        self.sync(ada=1_000)
        self.sync(ada=1_250)
        return self

    def enroll(self, *names: str) -> None:
        """Enroll members and link each to the Discord id of the same name."""
        for name in names:
            self.engage.enroll(name, discord_id=self.ids[name], name=name.title())

    def sync(self, after: timedelta = QUARTER, /, **xp: int | None) -> SyncReport:
        """Let time pass, set XP (None removes a row from the board) and sync."""
        self.now += after
        for name, value in xp.items():
            if value is None:
                self.xp.pop(name, None)
            else:
                self.xp[name] = value
        return self.engage.sync()

    def run(self, after: timedelta = QUARTER, /) -> RunReport:
        """Let time pass and do what is due."""
        self.now += after
        return self.engage.run_due()

    def chat(self, name: str, xp: int = 20) -> None:
        """Give a member XP for chatting; the next sync sees it."""
        self.xp[name] = self.xp.get(name, 0) + xp

    def award(self, name: str, key: str, *, points: int = 10, at: datetime | None = None) -> Receipt:
        """Award a benchmark that was run just now, or at another time."""
        return self.engage.award(name, source="benchmark", points=points, key=key, at=at or self.now)

    def points(self, name: str) -> int:
        """Return a member's points."""
        return self.engage.standing(name).points


LEDGERS = ("memory", "sqlite", "postgres")


@contextmanager
def opened(kind: str, folder: Path) -> Iterator[Store]:
    """Yield an empty ledger of one of the `LEDGERS`; the one in a file does not wait for the disk."""
    if kind == "memory":
        yield MemoryLedger()
        return
    if kind == "postgres":
        # Many tests start a process that needs a community but no server.
        from .postgres import opened_postgres  # noqa: PLC0415

        with opened_postgres() as ledger:
            yield ledger
        return
    path = folder / "engage.db"
    path.write_bytes(_empty_file())
    with SqliteLedger.open(path) as ledger:
        with ledger._database.connection() as connection:
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA journal_mode = MEMORY")
        yield ledger


@cache
def _empty_file() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder, "engage.db")
        SqliteLedger.open(path).close()
        return path.read_bytes()
