"""The commands to try things with: demo and mee6-server."""

from typing import Annotated

import typer

from .arguments import examples

app = typer.Typer(rich_markup_mode=None)


@app.command()
def demo() -> None:
    """Live a fortnight of syncs in seconds.

    Then show what came of it: members, points, streaks, and the history of one, explained. It brings a MEE6
    of its own and ten members, keeps its store in a temporary folder, needs no network and no settings, and
    leaves nothing behind.
    """
    from .demo import run  # noqa: PLC0415

    run()


@app.command(
    "mee6-server",
    epilog=examples(
        "Examples:", "trc-engage mee6-server --port 8066 --members 50", "trc-engage mee6-server --trouble rate_limited"
    ),
)
def mee6_server(
    *,
    port: Annotated[int, typer.Option(metavar="PORT", help="On 127.0.0.1; 0 takes a free one.", min=0, max=65_535)] = 0,
    guild_id: Annotated[str, typer.Option(metavar="ID", help="Whose board it serves.")] = "200000000000000001",
    members: Annotated[int, typer.Option(metavar="N", help="How many people chat.", min=1, max=10_000)] = 10,
    trouble: Annotated[
        str | None, typer.Option(metavar="NAME", help="Answer with this trouble; 'list' lists them.")
    ] = None,
) -> None:
    """Serve a MEE6 board that chats, to try with.

    A leaderboard on 127.0.0.1, faithful down to its faults, whose people write messages and earn XP. It
    prints what to type in another terminal, and runs until Ctrl-C.
    """
    from .playground import run  # noqa: PLC0415

    run(port=port, guild_id=guild_id, members=members, trouble=trouble)
