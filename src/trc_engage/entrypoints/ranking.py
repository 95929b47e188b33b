"""The leaderboard command."""

import os
from typing import Annotated

import typer

from .arguments import Json, examples
from .arguments import month as month_of
from .jsonable import of_ranks, say_json
from .settings import Settings
from .wiring import opened_to_read

app = typer.Typer(rich_markup_mode=None)


@app.command(
    epilog=examples(
        "Examples:",
        "trc-engage leaderboard",
        "trc-engage leaderboard --month 2026-03 --limit 10",
        "trc-engage leaderboard --member m-1",
    )
)
def leaderboard(
    *,
    month: Annotated[
        str | None, typer.Option(metavar="MONTH", help="Only the points of one UTC month, such as 2026-03.")
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", help="How many members.", min=1, max=10_000)] = 25,
    member: Annotated[str | None, typer.Option(metavar="MEMBER", help="Tell this member's own rank too.")] = None,
    as_json: Json = False,
) -> None:
    """Show who leads, by points.

    Equal points share a rank: 1, 1, 3. Members who are hidden (`trc-engage members hide`) are left out, and
    still have a rank of their own.
    """
    first = None if month is None else month_of("month", month)
    with opened_to_read(Settings.from_mapping(os.environ)) as reader:
        own = None if member is None else reader.rank(member, month=first)
        standing = None if member is None else reader.standing(member)
        ranks = reader.leaderboard(month=first, limit=limit)
    if as_json:
        say_json(of_ranks(ranks, own, first))
        return
    from .sentences.ranks import say_own_rank, say_ranks  # noqa: PLC0415

    say_ranks(ranks, first)
    if own is not None and standing is not None:
        say_own_rank(own, standing, ranks)
