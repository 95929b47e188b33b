"""What happens in the demo, slot by slot."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from attrs import define, field

from ..core.errors import SourceError
from ..engage import Engage
from ..testing.mee6 import Mee6Server
from .community import ALAN, DENNIS, MARGARET, MEMBERS, STRANGER, Person
from .settings import Settings
from .text import counted, points, say
from .wiring import opened_or_made_ledger, opened_with_source

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = 14
DAY = timedelta(days=1)
SLOTS = 96
MINUTES = 15
MOST = 3
MINUTE = timedelta(minutes=1)
SEED = 2026
STAR = DENNIS.member_id
"""Whose history is shown: somebody to whom something happened."""


@define
class Time:
    """A clock that is set by hand."""

    at: datetime = MONDAY

    def __call__(self) -> datetime:
        """Return what it is set to."""
        return self.at


@define
class World:
    """All that the story moves."""

    server: Mee6Server
    engage: Engage
    time: Time
    here: list[Person]
    """Who is on the Discord server."""
    chance: Random = field(factory=lambda: Random(SEED))  # noqa: S311  chance, not secrecy
    failures: int = 0
    is_settled: bool = True
    """Whether every day that is over is settled."""

    def chat(self) -> None:
        """Let a quarter of an hour pass, minute by minute."""
        for _ in range(MINUTES):
            self.time.at += MINUTE
            for person in self.here:
                if person.writes(self.time.at, self.chance):
                    self.server.board.post(person.discord_id)

    def sync(self) -> None:
        """Sync, as every quarter of an hour; when MEE6 is down the next one makes up for it."""
        try:
            report = self.engage.sync()
        except SourceError as error:
            if not self.failures:
                self.tell(f"the sync fails: {error.kind}; nothing changes")
            self.failures += 1
            return
        if self.failures:
            self.tell(f"after {self.failures} failed syncs, this one finds all the XP: {points(report.points)}")
            self.failures = 0
        if not self.is_settled:
            self.settle()
        if report.opened:
            self.tell(f"the sync opens {counted(report.opened, 'account')}: no points for history")
        if report.deducted:
            self.tell(f"the sync takes back what that XP had paid: {points(report.points)}")

    def settle(self) -> None:
        """Settle the days that are over, as every night at 00:05; one that waited for a sync is worth telling."""
        report = self.engage.settle()
        self.is_settled = not report.pending
        for day in report.settled:
            if self.time.at.hour:
                self.tell(f"{day:%A}, which waited for it, is settled: no streak broke")

    def tell(self, sentence: str) -> None:
        """Say what happens now."""
        say(f"{self.time.at:%a %d %b %H:%M}  {sentence}")


@contextmanager
def lived(store: Path) -> Iterator[Engage]:
    """Live the fortnight into a store, and yield what reads it."""
    time = Time()
    with Mee6Server.start(clock=time, seed=SEED) as server:
        settings = Settings(store=store, guild_id=server.guild_id, mee6_url=server.url)
        # The demo has said so already.
        opened_or_made_ledger(settings, lambda _: None).close()
        with opened_with_source(settings, clock=time, page_gap=0.0, pause=lambda _seconds: None) as engage:
            world = World(server, engage, time, [*MEMBERS, STRANGER])
            _begin(world)
            for day in range(DAYS):
                _live(world, day)
            yield engage


def _begin(world: World) -> None:
    for person in world.here:
        world.server.board.join(person.discord_id, username=person.name, xp=person.xp_before)
    for person in MEMBERS:
        linked = None if person is MARGARET else person.discord_id
        world.engage.enroll(person.member_id, discord_id=linked, name=person.name)


def _live(world: World, day: int) -> None:
    """Live one day: what happens, a sync, a quarter of an hour of chat, and again."""
    world.is_settled = day == 0
    before = {standing.member_id: standing.points for standing in world.engage.members()}
    for slot in range(SLOTS):
        for happens in STORY.get((day, slot * MINUTES), ()):
            happens(world)
        world.sync()
        world.chat()
    gains = sorted(
        ((standing.points - before[standing.member_id], standing.name) for standing in world.engage.members()),
        key=lambda gain: -gain[0],
    )
    most = ", ".join(f"{name} {gain:+,}" for gain, name in gains[:MOST] if gain > 0)
    total = points(sum(gain for gain, _ in gains))
    say(f"{MONDAY + day * DAY:%a %d %b}        {total}, most to {most}")


def _takes_xp(world: World) -> None:
    world.tell("an admin takes 650 XP from Dennis, for spam")
    world.server.board.remove(DENNIS.discord_id, 650)


def _links_late(world: World) -> None:
    world.tell(f"Margaret links her Discord account; her {world.server.board.xp(MARGARET.discord_id):,} XP are history")
    world.engage.link(MARGARET.member_id, MARGARET.discord_id)


def _leaves(world: World) -> None:
    world.tell("Alan leaves Discord; his XP is kept, on MEE6's board too")
    world.here.remove(ALAN)
    world.server.board.leave(ALAN.discord_id)
    world.engage.leave(ALAN.member_id)


def _returns(world: World) -> None:
    world.tell("Alan is back; syncing goes on from the XP that was kept")
    world.here.append(ALAN)
    world.server.board.join(ALAN.discord_id)
    world.engage.rejoin(ALAN.member_id)


def _breaks(world: World) -> None:
    world.tell("MEE6 is down (502 Bad Gateway)")
    world.server.trouble("bad_gateway")


def _mends(world: World) -> None:
    world.tell("MEE6 is back")
    world.server.recover()


STORY: Mapping[tuple[int, int], Sequence[Callable[[World], None]]] = {
    (3, 11 * 60): (_links_late,),
    (4, 19 * 60): (_leaves,),
    (8, 17 * 60): (_breaks,),
    (9, 8 * 60): (_mends,),
    (9, 14 * 60): (_takes_xp,),
    (10, 20 * 60): (_returns,),
}
"""What happens, by day and minute of the day."""
