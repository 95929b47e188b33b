"""The night on which all actors meet: a Wednesday at 00:15, with Tuesday not settled yet and the slot open."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import define, field

from support.community import IDS, opened
from trc_engage import Board, Engage, SourceError
from trc_engage.core.ports import Requests, Store, XpSource
from trc_engage.core.roster import Presence

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
TUESDAY = date(2026, 3, 3)
NOW = datetime(2026, 3, 4, 0, 15, tzinfo=UTC)
LATER = NOW + timedelta(minutes=30)
"""When a lease that was taken at `NOW` has expired."""
GAP_SECONDS = 2.0


@define
class World:
    """What is outside the store: the time, the board, and who is on the server."""

    now: datetime = NOW
    xp: Mapping[str, int] = field(factory=lambda: {"ada": 1_560, "bo": 370, "cy": 420, "dee": 1_120})
    missed: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset({"bo"})
    guild_id: str = "1"

    def read_pages(self, sought: frozenset[str], requests: Requests, /) -> Board:
        """Read the board, one page of two at a time."""
        for _ in range(2):
            requests.seconds_until_free(GAP_SECONDS)
            requests.ended(GAP_SECONDS)
        found = {IDS[name]: xp for name, xp in self.xp.items() if IDS[name] in sought and name not in self.missed}
        return Board(found, True, 20, 2, frozenset(IDS[name] for name in self.missed), self.now)  # noqa: FBT003

    def read(self, sought: frozenset[str], /) -> Board:
        """Fail: the code must read page by page."""
        raise NotImplementedError

    def ask(self, discord_id: str, /) -> Presence:
        """Return whether someone is on the server."""
        is_gone = discord_id in {IDS[name] for name in self.gone}
        return Presence("gone") if is_gone else Presence("present", MONDAY)

    def engage(self, ledger: Store, *, source: XpSource | None = None, with_roster: bool = False) -> Engage:
        """Return an `Engage` in this world."""
        roster = self if with_roster else None
        return Engage(ledger=ledger, source=source or self, roster=roster, clock=lambda: self.now)


@define
class Down:
    """The board as an actor sees it whose read breaks off."""

    world: World

    def read_pages(self, sought: frozenset[str], requests: Requests, /) -> Board:
        """Read the board, then fail."""
        self.world.read_pages(sought, requests)
        raise SourceError("down", "a test")

    def read(self, sought: frozenset[str], /) -> Board:
        """Fail: the code must read page by page."""
        raise NotImplementedError


@cache
def night() -> bytes:
    """Return the file of a store as it is at `NOW`."""
    with TemporaryDirectory() as folder:
        with opened("sqlite", Path(folder)) as ledger:
            _live(World(), ledger)
        return Path(folder, "engage.db").read_bytes()


def _live(world: World, ledger: Store) -> None:
    engage = world.engage(ledger)
    world.now = MONDAY
    for name in ("ada", "bo", "cy", "dee"):
        engage.enroll(name, discord_id=IDS[name], name=name.title())
    for name in ("eli", "fay"):
        engage.enroll(name, name=name.title())
    for hours, xp in ((0, (1_000, 500, 300, 700)), (1, (1_250, 500, 300, 820)), (15, (1_250, 500, 300, 820))):
        world.now, world.xp = MONDAY + timedelta(hours=hours), dict(zip(("ada", "bo", "cy", "dee"), xp, strict=True))
        engage.sync()
    engage.award("eli", source="benchmark", points=10, key="run:1", at=MONDAY)
    world.now += timedelta(minutes=5)
    engage.settle()
    for hours in (25, 37):
        world.now, world.xp = MONDAY + timedelta(hours=hours), {**world.xp, "ada": 1_310}
        engage.sync()
    engage.award("eli", source="benchmark", points=20, key="run:2", at=world.now)
    world.engage(ledger, with_roster=True).check_roster()
    world.now, world.missed = NOW - timedelta(minutes=15), frozenset({"dee"})
    engage.run_due()
