"""The explain command: what made each day of a member active."""

import os
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated

import typer

from ...core.model import Entry, Evidence
from ...core.reports import MemberDay, Standing
from ..settings import Settings
from ..stores import now, opened_to_read
from ..wire import of_days
from ..wording import MARKS, counted, dated, explained, moment, named, points, safe
from .history import ENTRIES_MAX
from .options import Json, Member, examples, say_json
from .output import say

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog=examples("Examples:", "trc-engage explain m-1", "trc-engage explain m-1 --days 60 --json"))
def explain(
    member: Member,
    *,
    days: Annotated[int, typer.Option(metavar="N", help="How many days, today included.", min=1, max=366)] = 14,
    as_json: Json = False,
) -> None:
    """Show what made each day active.

    Day by day, newest first: what it means for the streak, the awards and the windows of time in which XP
    rose, and how XP became points. Days are UTC. An entry is told on the day that it counts for.
    """
    today = now().date()
    first = today - timedelta(days=days - 1)
    with opened_to_read(Settings.from_mapping(os.environ)) as reader:
        standing, told = reader.standing(member), reader.days(member, first, today)
        # What was booked late for one of these days stands anywhere among the newest.
        newest = reader.history(member, limit=ENTRIES_MAX)
    entries = [entry for entry in newest if first <= entry.day <= today]
    if as_json:
        say_json(of_days(standing, told, entries))
    else:
        say_days(standing, told, entries)


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
