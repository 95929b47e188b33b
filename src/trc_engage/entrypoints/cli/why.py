"""The why command: what happened to a member, and why."""

from collections.abc import Sequence
from datetime import UTC, tzinfo
from textwrap import wrap
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from ...core.errors import InvalidValue
from ...core.story import Why
from ..stores import opened_to_read
from ..wire import stories as wire
from ..wording.plain import named, safe
from ..wording.why import Words, answer, proof
from .options import Json, Member, command, day as parsed_day, settings_in_force
from .output import print_lines, print_result

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
    day: Annotated[str | None, typer.Option(metavar="DAY", help="Answer about this day.")] = None,
    entry: Annotated[int | None, typer.Option(metavar="N", help="Answer about this entry.", min=1)] = None,
    tz: Zone = "UTC",
    as_json: Json = False,
) -> None:
    """Say why a member lost points or a streak.

    First the answer, then what it rests on. Without an option it answers for the last change that hurt: a
    streak that ended or shrank, or points that went. Days are days of UTC.
    """
    if day is not None and entry is not None:
        raise typer.BadParameter("pass either --day or --entry")
    words = Words(zone=zone(tz))
    asked = None if day is None else parsed_day("day", day)
    with opened_to_read(settings_in_force()) as reader:
        found = reader.why(reader.resolve(member), day=asked, entry=entry)
    print_result(wire.Why.of_why(found, words), lambda: print_why(found, words), as_json=as_json)


def print_why(found: Why, words: Words) -> None:
    """Print the answer, and what it rests on."""
    print_lines(named(found.standing), "", *wrapped(answer(found, words)))
    if found.day is not None:
        print_lines("", *(line for text in proof(found.day, words) for line in wrapped(text, "  ")))


def wrapped(text: str, indent: str = "") -> Sequence[str]:
    """Return a text in lines that fit a screen, made safe."""
    return wrap(
        safe(text),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  " if indent else "",
        break_long_words=False,
        break_on_hyphens=False,
    )


def zone(name: str) -> tzinfo:
    """Return the zone of a name such as Europe/Berlin."""
    if name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidValue("tz", name, "give a zone such as Europe/Berlin") from error
