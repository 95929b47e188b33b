"""A small language for stories of streaks.

A story is a list of `steps`, each with its own time: "Tue 10:00" is the first such instant at or after the story's
present, "last Thu 10:00" the last one before it, and "2026-03-12 10:00" is literal. A story begins on Monday,
2 March 2026, at 09:00 with Ada, whose account is open at 1,000 XP, and with a daemon that syncs at 00:00 and settles
at 00:05 on every night that the story passes.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import Concatenate, ParamSpec, TypedDict, Unpack

from attrs import frozen

from support.community import Community
from trc_engage import Engage, SourceError
from trc_engage.core.ports import Store

BEGINS = "2026-03-02 09:00"
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
ONE_DAY = timedelta(days=1)
SETTLES_AFTER = timedelta(minutes=5)

Arguments = ParamSpec("Arguments")


class Story:
    """A community, its daemon, and the days settled so far."""

    def __init__(self, ledger: Store, begins: str) -> None:
        self.community = Community(ledger)
        self.community.now = instant(datetime.min.replace(tzinfo=UTC), begins)
        self.engage = self.community.engage
        self.daemon_runs = True
        self.settled: list[date] = []
        self.pending: list[str] = []
        self.community.enroll("ada")
        self.community.sync(timedelta(0), ada=1_000)

    def until(self, at: datetime) -> None:
        """Let time pass while the daemon does its work."""
        assert at >= self.community.now, f"the story has already come to {self.community.now}"
        while self.daemon_runs and (due := self._next_due()) <= at:
            self.community.now = due
            if due.time() == time():
                self.sync()
            else:
                self.settle(self.engage)
        self.community.now = at

    def sync(self) -> None:
        """Read the board; a MEE6 that is down does not end the story."""
        with suppress(SourceError):
            self.engage.sync(fresh=True)

    def settle(self, engage: Engage, accept_quiet: date | None = None) -> None:
        """Settle, and record the settled and pending days."""
        report = engage.settle(accept_quiet=accept_quiet)
        self.settled += report.settled
        self.pending = [one.cause for one in report.pending]

    def ending(self, name: str) -> "Ending":
        """Return everything that a story's ending may state about a member."""
        standing = self.engage.standing(name)
        streak = standing.streak
        assert streak is not None
        return {
            "current": streak.current,
            "longest": streak.longest,
            "active_today": streak.active_today,
            "at_risk": streak.at_risk,
            "active": numbers(sorted(self.active(name))),
            "settled": numbers(self.settled),
            "pending": " ".join(self.pending),
            "points": standing.points,
        }

    def active(self, name: str) -> set[date]:
        """Return a member's active days."""
        return {one.day for one in self.community.ledger.evidence(name, date.min, date.max)}

    def _next_due(self) -> datetime:
        midnight = datetime.combine(self.community.now.date(), time(), UTC)
        dues = (midnight + SETTLES_AFTER, midnight + ONE_DAY)
        return next(due for due in dues if due > self.community.now)


class Ending(TypedDict, total=False):
    """What a story ends with; days are given by their number in the month."""

    current: int
    longest: int
    active_today: bool
    at_risk: bool
    active: str
    settled: str
    pending: str
    points: int


Step = Callable[[Story], None]


@frozen
class Case:
    """A story and how it should end for one member."""

    steps: tuple[Step, ...]
    ending: Ending
    who: str
    begins: str


def case(*steps: Step, who: str = "ada", begins: str = BEGINS, **ending: Unpack[Ending]) -> Case:
    """Return a case."""
    return Case(steps, ending, who, begins)


def step(act: Callable[Concatenate[Story, Arguments], object]) -> Callable[Concatenate[str, Arguments], Step]:
    """Turn an action into a step that happens at a time, on one day or on several ("Mon Tue 10:00")."""

    def timed(when: str, /, *told: Arguments.args, **named: Arguments.kwargs) -> Step:
        *days, clock = when.split()

        def take(story: Story) -> None:
            for day in days:
                story.until(instant(story.community.now, f"{day} {clock}"))
                act(story, *told, **named)

        return take

    return timed


def numbers(days: list[date]) -> str:
    """Return days as their numbers in the month."""
    return " ".join(str(day.day) for day in days)


def instant(now: datetime, when: str) -> datetime:
    """Return the instant that a text means, seen from `now`."""
    day, clock = when.removeprefix("last ").split()
    if day not in WEEKDAYS:
        return datetime.fromisoformat(when).replace(tzinfo=UTC)
    at = datetime.combine(now.date(), time.fromisoformat(clock), UTC)
    at += ONE_DAY * ((WEEKDAYS.index(day) - at.weekday()) % 7)
    if when.startswith("last "):
        return at if at < now else at - 7 * ONE_DAY
    return at if at >= now else at + 7 * ONE_DAY


def weekday(now: datetime, name: str) -> date:
    """Return the day of this week with this name, or the day of an ISO date."""
    if name not in WEEKDAYS:
        return date.fromisoformat(name)
    return now.date() + ONE_DAY * (WEEKDAYS.index(name) - now.weekday())
