"""Two ledgers give the same answers and keep every promise, whatever happens in whatever order (R9, R14, R16)."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from support import streak_oracle
from support.community import IDS, Community, opened
from trc_engage import EngageError, SourceError
from trc_engage.core import streaks

MEMBERS = ("ada", "bo", "cy", "dee", "eli", "fay")
names = st.sampled_from(MEMBERS)
keys = st.sampled_from([f"run:{number}" for number in range(8)])
passing = st.sampled_from([timedelta(minutes=15), timedelta(hours=6), timedelta(days=1), timedelta(days=3)])
nearby = st.integers(-9, 4).map(lambda number: timedelta(days=number))
boards = st.dictionaries(names, st.sampled_from([20, 20, 130, -20, -250, None]))


class AnyHistory(RuleBasedStateMachine):
    """The same actions on two communities, each with its own ledger."""

    kinds: tuple[str, str]

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(TemporaryDirectory()))
        self.pair = [Community(self.stack.enter_context(opened(kind, folder))) for kind in self.kinds]

    def teardown(self) -> None:
        """Close the ledgers."""
        self.stack.close()

    def both(self, act: Callable[[Community], object]) -> None:
        """Act on both communities, and require the same result or the same error."""
        told = [_outcome(community, act) for community in self.pair]
        assert told[0] == told[1]

    @initialize()
    def begin(self) -> None:
        """Enroll six members, five of whom the board shows."""

        def act(it: Community) -> object:
            it.enroll(*MEMBERS)
            return it.sync(**dict.fromkeys(MEMBERS[:5], 1_000))

        self.both(act)

    @rule(after=passing, change=boards, missed=st.sets(names, max_size=1), down=st.sampled_from([False] * 5 + [True]))
    def sync(self, after: timedelta, change: dict[str, int | None], missed: set[str], down: bool) -> None:
        """Sync after XP rose, fell or vanished, perhaps with a member missed or the source down."""

        def act(it: Community) -> object:
            it.now += after
            for name, xp in change.items():
                it.xp[name] = max(it.xp.get(name, 0) + xp, 0) if xp is not None else 0
                if xp is None:
                    del it.xp[name]
            it.missed = missed
            it.trouble = SourceError("down", "no answer") if down else None
            return it.engage.sync(accept_drops=True)

        self.both(act)

    @rule()
    def night(self) -> None:
        """Let everybody on the board chat, sync at midnight, and settle."""

        def act(it: Community) -> object:
            for name in it.xp:
                it.chat(name)
            it.now = datetime.combine(it.now.date() + timedelta(days=1), time(), UTC)
            it.trouble, it.missed = None, set()
            return it.engage.sync(accept_drops=True), it.engage.settle()

        self.both(act)

    @rule(quiet=st.none() | nearby)
    def settle(self, quiet: timedelta | None) -> None:
        """Settle, perhaps accepting a quiet day."""
        self.both(lambda it: it.engage.settle(accept_quiet=None if quiet is None else it.now.date() + quiet))

    @rule(name=names, key=keys, ago=st.integers(0, 10 * 24))
    def award(self, name: str, key: str, ago: int) -> None:
        """Award something that happened up to ten days ago."""
        self.both(lambda it: it.award(name, key, at=it.now - timedelta(hours=ago)))

    @rule(key=keys)
    def reverse(self, key: str) -> None:
        """Reverse an award, if there is one with the key."""
        self.both(lambda it: it.engage.reverse(key, reason="withdrawn", by="admin"))

    @rule(name=names, key=keys, points=st.integers(-5, 5))
    def adjust(self, name: str, key: str, points: int) -> None:
        """Adjust points by hand."""
        self.both(lambda it: it.engage.adjust(name, points=points, key=key, reason="typo", by="admin"))

    @rule(off=nearby)
    def excuse(self, off: timedelta) -> None:
        """Excuse a day, past or future."""
        self.both(lambda it: it.engage.excuse(it.now.date() + off, reason="a holiday", by="admin"))

    @rule(off=nearby, alone=st.none() | names)
    def unexcuse(self, off: timedelta, alone: str | None) -> None:
        """Undo the excuse of a day, for everybody or for one member."""
        self.both(lambda it: it.engage.unexcuse(it.now.date() + off, by="admin", member_id=alone))

    @rule(off=nearby, name=names)
    def excuse_alone(self, off: timedelta, name: str) -> None:
        """Excuse a day for one member."""
        self.both(lambda it: it.engage.excuse(it.now.date() + off, reason="ill", by="admin", member_id=name))

    @rule(name=names, step=st.sampled_from(["unlink", "leave", "rejoin", "hide", "show", "forget", "enroll"]))
    def restate(self, name: str, step: str) -> None:
        """Let a member come or go, or be hidden, shown or forgotten."""
        self.both(lambda it: getattr(it.engage, step)(name))

    @rule(name=names, of=names)
    def link(self, name: str, of: str) -> None:
        """Link a member to an id, unless that is refused."""
        self.both(lambda it: it.engage.link(name, IDS[of]))

    @invariant()
    def both_tell_the_same(self) -> None:
        """Both ledgers return the same members, entries, accounts, days, streaks and ranks."""
        one, other = (_told(community) for community in self.pair)
        assert one == other

    @invariant()
    def streaks_and_sums_hold(self) -> None:
        """Compare stored streaks with the recomputed ones and the oracle's, and points with the sum of the entries."""
        community = self.pair[0]
        ledger = community.ledger
        feed = community.engage.feed(limit=10_000)
        for standing in community.engage.members():
            name = standing.member_id
            active = {one.day for one in ledger.evidence(name, date.min, date.max)}
            stored, calendar = ledger.streak_of(name), ledger.calendar(name)
            assert stored == streaks.recomputed(stored, active, calendar)
            told = (active, calendar.excused | calendar.alone, calendar.settled_through)
            assert (streaks.current(stored, calendar), stored.longest) == (
                streak_oracle.current(*told),
                streak_oracle.longest(*told),
            )
            assert standing.points == sum(entry.points for entry in feed if entry.member_id == name)


def _outcome(community: Community, act: Callable[[Community], object]) -> object:
    try:
        return act(community)
    except EngageError as error:
        return type(error), str(error)


def _told(community: Community) -> tuple[object, ...]:
    engage, ledger = community.engage, community.ledger
    return (
        engage.members(),
        engage.feed(limit=10_000),
        ledger.accounts_to_sync(),
        ledger.calendar(),
        [ledger.calendar(name).alone for name in MEMBERS],
        ledger.excusals(),
        engage.longest_streaks(),
        list(ledger.activity(date.max).streaks),
        [engage.standing(name).streak for name in MEMBERS if ledger.member(name)],
        [ledger.evidence(name, date.min, date.max) for name in MEMBERS],
        engage.leaderboard(),
        engage.leaderboard(month=community.now.date()),
        ledger.run_state().sync,
    )


class AnyHistoryInAFile(AnyHistory):
    """SQLite behaves like memory."""

    kinds = ("memory", "sqlite")


class AnyHistoryOnAServer(AnyHistory):
    """PostgreSQL behaves like memory."""

    kinds = ("memory", "postgres")


TestAnyHistoryInAFile = AnyHistoryInAFile.TestCase
TestAnyHistoryInAFile.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
TestAnyHistoryOnAServer = AnyHistoryOnAServer.TestCase
TestAnyHistoryOnAServer.settings = settings(max_examples=15, stateful_step_count=30, deadline=None)
