"""Weekday streaks (R13, R14) and their milestones (R17).

`advance_all` is the only step: settling takes it once a day for everyone who was active, and recomputing
folds it over all active days of a member.
"""

from collections.abc import Iterable, Sequence, Set
from datetime import date, datetime

from attrs import evolve, frozen

from .days import Calendar

MILESTONES = (5, 10, 20, 50, 100, 250)
"""Lengths of the longest streak, in weekdays, that are shown by default."""


@frozen
class Streak:
    """A member's latest run of active days, and the longest ever.

    Whether the run is broken by now follows from the calendar and is not stored, so settling a day
    writes only the streaks of members who were active on it or excused alone.
    """

    member_id: str
    version: int = 0
    """How often the store has written it; 0 if it is not stored."""
    last: date | None = None
    """The last day through which it held: an active day, or one on which the member was excused alone."""
    length: int = 0
    longest: int = 0


@frozen
class DayRecord:
    """What the store knows about one day."""

    active: Sequence[Streak]
    """The streaks of members with evidence for it, each once, in no particular order."""
    revision: int
    """Grows with every change of the day's evidence, so that a change in between is noticed."""
    excused: Sequence[Streak] = ()
    """The streaks of other members who are excused alone on it (R13a), each once, in no particular order."""


@frozen
class Activity:
    """What all streaks are computed from, from one snapshot."""

    streaks: Sequence[Streak]
    """Every stored streak, by member id."""
    days: Sequence[tuple[date, Sequence[str]]]
    """Who was active on each day with evidence, oldest first: member ids, each once, in no particular order."""
    revision: int
    """Grows with everything that may be evidence."""
    excused: Sequence[tuple[date, Sequence[str]]] = ()
    """Who is excused alone on which day, oldest first (R13a)."""


@frozen
class StreakStanding:
    """A streak as its member sees it."""

    current: int
    """Active weekdays in a row up to the last settled day."""
    longest: int
    active_today: bool
    at_risk: bool
    """Whether the streak will break unless the member becomes active, or evidence for an open day arrives."""
    next_milestone: int | None


@frozen
class Milestone:
    """A length that a member's longest streak has reached, once ever."""

    member_id: str
    threshold: int
    at: datetime | None = None
    """When it was recorded, if it comes from the record."""
    number: int = 0
    """Orders the record (R17a)."""

    @property
    def milestone_id(self) -> str:
        """Member and threshold, as a key under which a bonus is paid once."""
        return f"{self.member_id}:{self.threshold}"


def advance_all(streaks: Iterable[Streak], day: date, calendar: Calendar) -> list[Streak]:
    """Extend many streaks by their next active day; a day on a weekend leaves them unchanged.

    The calendar is walked once for each distinct `last`, not for each member.
    """
    if not calendar.adds(day):
        return list(streaks)
    is_broken: dict[date, bool] = {}
    advanced = []
    for streak in streaks:
        last, length = streak.last, 1
        if last is not None:
            if last >= day:
                advanced.append(streak)
                continue
            if last not in is_broken:
                is_broken[last] = calendar.requires_any(last, day)
            if not is_broken[last]:
                length = streak.length + 1
        advanced.append(Streak(streak.member_id, streak.version, day, length, max(length, streak.longest)))
    return advanced


def hold_all(streaks: Iterable[Streak], day: date, calendar: Calendar) -> list[Streak]:
    """Hold the unbroken ones of these streaks through a day on which their members are excused alone (R13a)."""
    return [
        evolve(streak, last=day)
        if streak.last is not None and streak.last < day and not calendar.requires_any(streak.last, day)
        else streak
        for streak in streaks
    ]


def recomputed(stored: Streak, active_days: Iterable[date], calendar: Calendar) -> Streak:
    """Return the streak that these active days make up to the last settled day, to replace the stored one."""
    who = [stored.member_id]
    active, alone = ([(day, who) for day in days if calendar.is_settled(day)] for days in (active_days, calendar.alone))
    ((_, streak),) = all_recomputed(Activity([stored], active, 0, alone), calendar)
    return streak


def all_recomputed(activity: Activity, calendar: Calendar) -> list[tuple[Streak, Streak]]:
    """Return each member's stored streak with the one that the activity makes under a calendar."""
    stored = {streak.member_id: streak for streak in activity.streaks}
    anew = {member_id: Streak(member_id, streak.version) for member_id, streak in stored.items()}
    active, excused = dict(activity.days), dict(activity.excused)
    for day in sorted(active.keys() | excused.keys()):
        known = [anew.get(member_id) or Streak(member_id) for member_id in active.get(day, ())]
        held = [anew[member_id] for member_id in {*excused.get(day, ())}.difference(active.get(day, ())) & anew.keys()]
        steps = advance_all(known, day, calendar) + hold_all(held, day, calendar)
        anew.update((streak.member_id, streak) for streak in steps)
    return [(stored.get(member_id) or Streak(member_id), streak) for member_id, streak in anew.items()]


def current(streak: Streak, calendar: Calendar) -> int:
    """Return the length of the streak as of the last settled day; 0 if a required day broke it."""
    if streak.last is None or calendar.next_day is None or calendar.requires_any(streak.last, calendar.next_day):
        return 0
    return streak.length


def standing(
    streak: Streak, calendar: Calendar, open_days: Set[date], today: date, milestones: Sequence[int] = MILESTONES
) -> StreakStanding:
    """Return what a member sees of a streak; `open_days` are the active days that are not settled yet."""
    length = current(streak, calendar)
    return StreakStanding(
        current=length,
        longest=streak.longest,
        active_today=today in open_days,
        at_risk=length > 0 and any(map(calendar.is_required, {*calendar.unsettled_until(today)} - open_days)),
        next_milestone=next((threshold for threshold in sorted(milestones) if threshold > streak.longest), None),
    )


def newly_reached(pairs: Iterable[tuple[Streak, Streak]]) -> list[Milestone]:
    """Return each length that a longest streak newly reaches, from before to after, lowest first (R17a)."""
    return [
        Milestone(after.member_id, length)
        for before, after in pairs
        for length in range(before.longest + 1, after.longest + 1)
    ]


def reached(member_id: str, longest: int, milestones: Sequence[int] = MILESTONES) -> tuple[Milestone, ...]:
    """Return the milestones that a longest streak has reached, lowest first."""
    return tuple(Milestone(member_id, threshold) for threshold in sorted(milestones) if threshold <= longest)
