"""What made each day of a member active, in words."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from ...core.entries import Entry, Evidence
from ...core.views import Mark, MemberDay, Standing
from ..text import counted, dated, moment, points, safe, say
from .entries import explained
from .members import named

MARKS: dict[Mark, str] = {
    "active": "active",
    "missed": "missed: nothing was earned",
    "excused": "excused, nothing earned",
    "weekend": "weekend, nothing earned",
    "pending": "not settled yet, nothing so far",
    "before": "before the enrolment",
}


def say_days(standing: Standing, days: Sequence[MemberDay], entries: Sequence[Entry]) -> None:
    """Say of each day, newest first, what it means for the streak and why; then how XP became points."""
    say(f"{named(standing)}: the last {counted(len(days), 'day')}, newest first", "")
    by_position = {entry.position: entry for entry in entries}
    for day in reversed(days):
        is_free = day.mark == "weekend" and day.is_active
        say(f"{dated(day.day)}  {'active on a weekend: adds nothing, breaks nothing' if is_free else MARKS[day.mark]}")
        say(*(f"  {safe(line)}" for line in _reasons(day, by_position)))
        say(*(f"  {safe(line)}" for line in _conversions(day.day, entries)))


def _reasons(day: MemberDay, by_position: dict[int, Entry]) -> Iterator[str]:
    for one in day.evidence:
        if one.position is None:
            yield _rise(one)
        elif entry := by_position.get(one.position):
            yield f"{points(entry.points)}: {explained(entry)}"
        else:
            yield f"{one.source} (entry {one.position})"


def _rise(one: Evidence) -> str:
    """Return when XP rose; another day is named where the window crosses midnight."""
    if one.opens_at is None or one.closes_at is None:
        return f"{one.source}: XP rose"
    return f"XP rose between {_clock(one.opens_at, one.day)} and {_clock(one.closes_at, one.day)} UTC"


def _clock(at: datetime, day: date) -> str:
    return f"{at:%H:%M}" if at.date() == day else moment(at)


def _conversions(day: date, entries: Sequence[Entry]) -> Iterator[str]:
    """Yield the day's other entries: how XP became points, and what was corrected by hand."""
    for entry in entries:
        if entry.day == day and entry.kind != "award":
            at = _clock(entry.at, day)
            yield f"{at}  {points(entry.points)}: {explained(entry)}"
