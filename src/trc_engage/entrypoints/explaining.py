"""The commands that say why: history, entry by entry, and explain, day by day."""

import os
from datetime import timedelta
from typing import Annotated

import typer

from .arguments import Json, Member, examples
from .jsonable import of_days, of_entries, say_json
from .settings import Settings
from .wiring import now, opened_to_read

ENTRIES_MAX = 10_000

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog=examples("Examples:", "trc-engage history m-1", "trc-engage history m-1 --limit 50 --before 1204"))
def history(
    member: Member,
    *,
    limit: Annotated[int, typer.Option(metavar="N", help="How many entries.", min=1, max=ENTRIES_MAX)] = 20,
    before: Annotated[
        int | None, typer.Option(metavar="ENTRY", help="Only entries older than this one.", min=1)
    ] = None,
    as_json: Json = False,
) -> None:
    """Show a member's entries, each explained.

    The newest comes first. Each line of Discord tells the XP and the carried XP before and after, so that it
    can be checked from the line below it: carried + XP gained = 100 for each point + carried.
    """
    with opened_to_read(Settings.from_mapping(os.environ)) as reader:
        standing, entries = reader.standing(member), reader.history(member, limit=limit, before=before)
    if as_json:
        say_json(of_entries(entries))
    else:
        from .sentences.entries import say_history  # noqa: PLC0415

        say_history(standing, entries, limit)


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
        from .sentences.days import say_days  # noqa: PLC0415

        say_days(standing, told, entries)
