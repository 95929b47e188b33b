"""Five weeks of four members on a clock of their own, and the store they leave behind."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from trc_engage import Board, Engage
from trc_engage.adapters.sqlite import SqliteLedger

MONDAY = datetime(2026, 2, 2, 8, 0, tzinfo=UTC)
NOW = datetime(2026, 3, 5, 10, 30, tzinfo=UTC)
"""A Thursday; Wednesday is settled."""
IDS = {"m-1": "80351110224678901", "m-2": "80351110224678902", "m-3": "80351110224678903", "m-4": "80351110224678904"}
NAMES = {"m-1": "Ada", "m-2": "Grace\x1b[31m", "m-3": "Barbara", "m-4": "Dennis"}
HOLIDAY = date(2026, 2, 16)


class Weeks:
    """Five weeks of four members, from the first enrolment to `NOW`."""

    def __init__(self, ledger: SqliteLedger) -> None:
        self.now = MONDAY
        self.xp = dict.fromkeys(IDS.values(), 1_000)
        self.engage = Engage(ledger=ledger, source=self, clock=lambda: self.now)

    def read(self, sought: frozenset[str], /) -> Board:
        """Answer as a source."""
        return Board({one: self.xp[one] for one in sought}, whole=True, rows=len(self.xp), pages=1)

    def sync(self, at: datetime, **gains: int) -> None:
        """Let somebody chat, and sync."""
        self.now = at
        for member, xp in gains.items():
            self.xp[IDS[member.replace("_", "-")]] += xp
        self.engage.sync()

    def live(self) -> None:
        """Ada chats every weekday but one, Grace on some, the others never."""
        for member, discord_id in IDS.items():
            self.engage.enroll(member, discord_id=discord_id, name=NAMES[member])
        self.engage.sync()
        for number in range((NOW - MONDAY).days + 1):
            day = MONDAY + timedelta(days=number)
            is_quiet = day.date() in {HOLIDAY, date(2026, 2, 11)} or day.weekday() == 6
            self.sync(day.replace(hour=8, minute=45))
            self.engage.settle()
            self.sync(
                day.replace(hour=9, minute=15), m_1=0 if is_quiet else 120, m_2=40 if day.weekday() in {0, 2} else 0
            )
        self.now = NOW
        self.engage.excuse(HOLIDAY, reason="Carnival", by="admin")
        self.engage.award(
            "m-1", source="benchmark", points=50, key="benchmark:991", at=datetime(2026, 3, 4, 17, tzinfo=UTC)
        )
        self.engage.award("m-3", source="download", points=31, key="download:1", at=NOW)


@cache
def lived() -> bytes:
    """Return the file of a store that lived through the weeks."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "engage.db")
        with SqliteLedger.open(path) as ledger:
            Weeks(ledger).live()
        return path.read_bytes()
