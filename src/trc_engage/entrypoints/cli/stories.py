"""The commands why, explain and history: the evidence behind a member's points and days."""

from collections.abc import Sequence
from datetime import UTC, timedelta, tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from ...core.errors import InvalidValue
from ...core.model import Entry
from ...core.reports import Standing
from ...core.story import DayStory, Why
from ...core.validation import LIMIT_MAX
from ..stores import now, opened_to_read
from ..wire import stories as wire
from ..wire.members import Entries
from ..wording import Words, counted, explained, moment, named, signed
from ..wording.why import answer, proof
from .options import Json, Member, WrongUsage, command, day as parsed_day, option, settings_in_force
from .output import print_lines, print_result, print_table, wrapped

WIDTH = 80
Zone = Annotated[str, typer.Option("--tz", metavar="ZONE", help="Show times in this zone; days stay UTC.")]


@command(
    "trc-engage why m-1",
    "trc-engage why 'Ada Lovelace' --day 2026-03-04",
    "trc-engage why m-1 --entry 1204 --tz Europe/Berlin",
)
def why(
    member: Member,
    *,
    day: Annotated[str | None, option("DAY", "Answer about this day.")] = None,
    entry: Annotated[int | None, option("N", "Answer about this entry.", min=1)] = None,
    tz: Zone = "UTC",
    as_json: Json = False,
) -> None:
    """Say why a member lost points or a streak.

    First the answer, then what it rests on. Without an option it answers for the last change that hurt: a
    streak that ended or shrank, or points that went. Days are days of UTC.
    """
    if day is not None and entry is not None:
        raise WrongUsage("pass either --day or --entry")
    words = Words(zone=zone(tz))
    asked = None if day is None else parsed_day("day", day)
    with opened_to_read(settings_in_force()) as reader:
        found = reader.why(reader.resolve(member), day=asked, entry=entry)
    print_result(wire.Why.of_why(found, words), lambda: print_why(found, words), as_json=as_json)


def print_why(found: Why, words: Words) -> None:
    """Print the answer, and what it rests on."""
    print_lines(named(found.standing), "", *wrapped(answer(found, words), WIDTH))
    if found.day is not None:
        print_lines("", *(line for text in proof(found.day, words) for line in wrapped(text, WIDTH, "  ", "    ")))


def zone(name: str) -> tzinfo:
    """Return the zone of a name such as Europe/Berlin."""
    if name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidValue("tz", name, "give a zone such as Europe/Berlin") from error


@command("trc-engage history m-1", "trc-engage history m-1 --limit 50 --before 1204")
def history(
    member: Member,
    *,
    limit: Annotated[int, option("N", "How many entries to show.", min=1, max=LIMIT_MAX)] = 20,
    before: Annotated[int | None, option("ENTRY", "Show entries older than this one.", min=1)] = None,
    as_json: Json = False,
) -> None:
    """Show a member's entries, each explained.

    Newest first. Each Discord entry shows the XP and the carried XP before and after, so you can check it
    against the line below it: carried + XP gained = 100 per point + carried.
    """
    with opened_to_read(settings_in_force()) as reader:
        member_id = reader.resolve(member)
        standing, entries = reader.standing(member_id), reader.history(member_id, limit=limit, before=before)
    print_result(Entries.of(entries=entries), lambda: print_history(standing, entries, limit), as_json=as_json)


def print_history(standing: Standing, entries: Sequence[Entry], limit: int) -> None:
    """Print a member's entries, each explained."""
    print_lines(f"{named(standing)}: {counted(standing.points, 'point')}, newest entry first", "")
    rows = [(f"{entry.position}", moment(entry.at), signed(entry.points), explained(entry)) for entry in entries]
    print_table((">entry", "at (UTC)", ">points", "what happened"), rows)
    if len(entries) == limit:
        print_lines("", f"for older entries: --before {entries[-1].position}")


@command("trc-engage explain m-1", "trc-engage explain m-1 --days 60 --json")
def explain(
    member: Member,
    *,
    days: Annotated[int, option("N", "How many days, including today.", min=1, max=366)] = 14,
    tz: Zone = "UTC",
    as_json: Json = False,
) -> None:
    """Explain a member's last days, one by one.

    Newest first, as `trc-engage why` says it of one day: what it means for the streak, and what that rests on.
    Days are UTC. An entry appears on the day that it counts for.
    """
    words, today = Words(zone=zone(tz)), now().date()
    with opened_to_read(settings_in_force()) as reader:
        found = reader.whys(reader.resolve(member), today - timedelta(days=days - 1), today)
    shape = wire.Whys.of_whys(found, words)
    print_result(shape, lambda: print_days(found, words), as_json=as_json)


def print_days(found: Sequence[Why], words: Words) -> None:
    """Print for each day, newest first, the answer and what it rests on."""
    print_lines(f"{named(found[0].standing)}: the last {counted(len(found), 'day')}, newest first")
    for one in reversed(found):
        print_lines("", *wrapped(answer(one, words), WIDTH))
        if one.day is not None and not is_quiet(one.day):
            print_lines(*(line for text in proof(one.day, words) for line in wrapped(text, WIDTH, "  ", "    ")))


def is_quiet(day: DayStory) -> bool:
    """Return whether a day has nothing to show but its mark."""
    return not (day.entries or day.events or day.of.evidence) and day.mark in {"weekend", "before", "pending"}
