"""A small community on a board in memory, with a clock that stands until it is moved."""

from datetime import UTC, datetime, timedelta

from trc_engage import Board, Engage, SyncReport
from trc_engage.adapters.memory import MemoryLedger
from trc_engage.core.ports import Store

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
NAMES = ["ada", "bo", "cy", "dee", "eli", "fay", "gus", "hal", "ivy"]
IDS = {name: str(80351110224678900 + number) for number, name in enumerate(NAMES)}


class Community:
    """Members called ada, bo, …, the XP the board shows for them, and an `Engage` over both."""

    def __init__(self, ledger: Store | None = None) -> None:
        self.now = MONDAY
        self.xp: dict[str, int] = {}
        self.strangers = 20
        self.whole = True
        self.missed: set[str] = set()
        self.server_at: datetime | None = None
        self.trouble: Exception | None = None
        self.sought: list[frozenset[str]] = []
        self.ledger = ledger or MemoryLedger()
        self.engage = Engage(ledger=self.ledger, source=self, clock=lambda: self.now)

    def read(self, sought: frozenset[str], /) -> Board:
        """Answer as a source, with the board as the test has set it."""
        self.sought.append(sought)
        if self.trouble is not None:
            raise self.trouble
        readings = {IDS[name]: xp for name, xp in self.xp.items() if IDS[name] in sought}
        missed = frozenset(IDS[name] for name in self.missed)
        return Board(readings, self.whole, len(self.xp) + self.strangers, 1, missed, self.server_at)

    def enroll(self, *names: str) -> None:
        """Enrol members and link each to the Discord id of the same name."""
        for name in names:
            self.engage.enroll(name, discord_id=IDS[name], name=name.title())

    def sync(self, after: timedelta = QUARTER, /, **xp: int | None) -> SyncReport:
        """Let time pass, set XP (None takes a row off the board) and sync."""
        self.now += after
        for name, value in xp.items():
            if value is None:
                self.xp.pop(name, None)
            else:
                self.xp[name] = value
        return self.engage.sync()

    def points(self, name: str) -> int:
        """Return a member's points."""
        return self.engage.standing(name).points
