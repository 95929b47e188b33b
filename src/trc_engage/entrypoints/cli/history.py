"""The history command: a member's entries, each explained."""

import os
from collections.abc import Sequence
from typing import Annotated

import typer

from ...core.model import Entry
from ...core.reports import Standing
from ..settings import Settings
from ..stores import opened_to_read
from ..wire import of_entries
from ..wording import counted, explained, moment, named, signed
from .options import Json, Member, examples, say_json
from .output import say, say_table

app = typer.Typer(rich_markup_mode=None)

ENTRIES_MAX = 10_000


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
        say_history(standing, entries, limit)


def say_history(standing: Standing, entries: Sequence[Entry], limit: int) -> None:
    """Show a member's entries, each explained."""
    say(f"{named(standing)}: {counted(standing.points, 'point')}, newest entry first", "")
    say_table(
        ("entry", "at (UTC)", "points", "what happened"),
        [(f"{entry.position}", moment(entry.at), signed(entry.points), explained(entry)) for entry in entries],
        right={"entry", "points"},
    )
    if len(entries) == limit:
        say("", f"older ones: --before {entries[-1].position}")
