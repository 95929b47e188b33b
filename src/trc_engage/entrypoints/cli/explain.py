"""The commands history and explain: what each point and each day of a member rests on."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated

import typer

from ...core.model import Entry, Evidence
from ...core.reports import MemberDay, Standing
from ...core.validation import LIMIT_MAX
from ..stores import now, opened_to_read
from ..wire.members import Entries, ExplainedDays
from ..wording import MARKS, counted, dated, explained, moment, named, points, safe, signed
from .options import Json, Member, command, settings_in_force
from .output import print_lines, print_result, print_table


@command("trc-engage history m-1", "trc-engage history m-1 --limit 50 --before 1204")
def history(
    member: Member,
    *,
    limit: Annotated[int, typer.Option(metavar="N", help="How many entries to show.", min=1, max=LIMIT_MAX)] = 20,
    before: Annotated[
        int | None, typer.Option(metavar="ENTRY", help="Show entries older than this one.", min=1)
    ] = None,
    as_json: Json = False,
) -> None:
    """Show a member's entries, each explained.

    Newest first. Each Discord entry shows the XP and the carried XP before and after, so you can check it
    against the line below it: carried + XP gained = 100 per point + carried.
    """
    with opened_to_read(settings_in_force()) as reader:
        standing, entries = reader.standing(member), reader.history(member, limit=limit, before=before)
    print_result(Entries.of(entries=entries), lambda: print_history(standing, entries, limit), as_json=as_json)


def print_history(standing: Standing, entries: Sequence[Entry], limit: int) -> None:
    """Print a member's entries, each explained."""
    print_lines(f"{named(standing)}: {counted(standing.points, 'point')}, newest entry first", "")
    print_table(
        ("entry", "at (UTC)", "points", "what happened"),
        [(f"{entry.position}", moment(entry.at), signed(entry.points), explained(entry)) for entry in entries],
        right={"entry", "points"},
    )
    if len(entries) == limit:
        print_lines("", f"for older entries: --before {entries[-1].position}")


@command("trc-engage explain m-1", "trc-engage explain m-1 --days 60 --json")
def explain(
    member: Member,
    *,
    days: Annotated[int, typer.Option(metavar="N", help="How many days, including today.", min=1, max=366)] = 14,
    as_json: Json = False,
) -> None:
    """Show what made each of a member's days active.

    For each day, newest first: what it means for the streak, the awards, the times between which XP rose,
    and how XP became points. Days are UTC. An entry appears on the day that it counts for.
    """
    today = now().date()
    first = today - timedelta(days=days - 1)
    with opened_to_read(settings_in_force()) as reader:
        found = reader.explain(member, first, today)
    shape = ExplainedDays.of_days(found.standing.member_id, found.days, found.entries)
    print_result(shape, lambda: print_days(found.standing, found.days, found.entries), as_json=as_json)


def print_days(standing: Standing, days: Sequence[MemberDay], entries: Sequence[Entry]) -> None:
    """Print for each day, newest first, what it means for the streak and why; then how XP became points."""
    print_lines(f"{named(standing)}: the last {counted(len(days), 'day')}, newest first", "")
    by_position = {entry.position: entry for entry in entries}
    for day in reversed(days):
        is_free = day.mark == "weekend" and day.is_active
        print_lines(
            f"{dated(day.day)}  {'active on a weekend: adds nothing, breaks nothing' if is_free else MARKS[day.mark]}"
        )
        print_lines(*(f"  {safe(line)}" for line in _reasons(day, by_position)))
        print_lines(*(f"  {safe(line)}" for line in _conversions(day.day, entries)))


def _reasons(day: MemberDay, by_position: dict[int, Entry]) -> Iterator[str]:
    for one in day.evidence:
        if one.position is None:
            yield _rise(one)
        elif entry := by_position.get(one.position):
            yield f"{points(entry.points)}: {explained(entry)}"
        else:
            yield f"{one.source} (entry {one.position})"


def _rise(one: Evidence) -> str:
    """Return when XP rose, with the date where the window crosses midnight."""
    if one.opens_at is None or one.closes_at is None:
        return f"{one.source}: XP rose"
    return f"XP rose between {_clock(one.opens_at, one.day)} and {_clock(one.closes_at, one.day)} UTC"


def _clock(at: datetime, day: date) -> str:
    return f"{at:%H:%M}" if at.date() == day else moment(at)


def _conversions(day: date, entries: Sequence[Entry]) -> Iterator[str]:
    """Yield the day's other entries: how XP became points, and corrections by hand."""
    for entry in entries:
        if entry.day == day and entry.kind != "award":
            at = _clock(entry.at, day)
            yield f"{at}  {points(entry.points)}: {explained(entry)}"
