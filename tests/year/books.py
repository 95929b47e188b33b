"""What members must have, computed from the rules alone: from each reading that was answered, and each award."""

from collections.abc import Sequence, Set
from datetime import UTC, date, datetime, timedelta

from attrs import define, field, frozen

XP_A_POINT = 100
DAY, DOUBT = timedelta(days=1), timedelta(minutes=5)


@frozen
class Award:
    """What someone was awarded."""

    number: int
    points: int
    at: datetime
    booked_at: datetime


@frozen
class Mark:
    """The state of the books when a backup was taken."""

    at: datetime
    read_at: datetime
    xp: Sequence[int]


@define
class Books:
    """What was seen of everyone."""

    baseline: Sequence[int] = ()
    xp: Sequence[int] = ()
    """The XP of the last reading …"""
    read_at: datetime | None = None
    """… and when it was read."""
    readings: int = 0
    awards: list[Award] = field(factory=list)
    excused: set[date] = field(factory=set)
    _active: list[dict[date, datetime]] = field(factory=list)
    """For each member the active days, and when each became known."""

    def read(self, at: datetime, xp: Sequence[int]) -> None:
        """Record a board that was read whole: a rise means activity on the days since the last reading (R12)."""
        self.readings += 1
        if self.read_at is None:
            self.baseline, self._active = tuple(xp), [{} for _ in xp]
        else:
            days = days_between(self.read_at, at)
            for number, (before, after) in enumerate(zip(self.xp, xp, strict=True)):
                if after > before:
                    for day in days:
                        self._active[number].setdefault(day, at)
        self.xp, self.read_at = tuple(xp), at

    def award(self, award: Award) -> None:
        """Record an award."""
        self.awards.append(award)
        self._active[award.number].setdefault(award.at.date(), award.booked_at)

    def mark(self, at: datetime) -> Mark:
        """Return what a backup holds."""
        assert self.read_at is not None
        return Mark(at, self.read_at, self.xp)

    def go_back_to(self, mark: Mark) -> int:
        """Forget what became known since a backup; return how many awards that are."""
        lost = [award for award in self.awards if award.booked_at > mark.at]
        self.awards = [award for award in self.awards if award.booked_at <= mark.at]
        self._active = [{day: at for day, at in days.items() if at <= mark.at} for days in self._active]
        self.xp, self.read_at = mark.xp, mark.read_at
        return len(lost)

    def points(self, number: int) -> int:
        """Return a member's points."""
        awarded = sum(award.points for award in self.awards if award.number == number)
        return (self.xp[number] - self.baseline[number]) // XP_A_POINT + awarded

    def active(self, number: int) -> Set[date]:
        """Return a member's active days."""
        return self._active[number].keys()


def days_between(opens: datetime, closes: datetime) -> Sequence[date]:
    """Return the days that a window counts for: all that it touches, but the last only if it has five minutes of it."""
    days = [opens.date() + number * DAY for number in range((closes.date() - opens.date()).days + 1)]
    if len(days) > 1 and closes - datetime.combine(days[-1], datetime.min.time(), UTC) < DOUBT:
        days.pop()
    return days
