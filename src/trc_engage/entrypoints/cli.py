"""The command line: each command opens, calls and shows."""

import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from .arguments import Json, Member, examples
from .exits import reported
from .jsonable import of_entries, of_standing, say_json
from .settings import Settings
from .wiring import opened_to_read

MEMBERS = "members"

HELP = """Turn MEE6 XP into points on an append-only ledger, exactly once.

Members are enrolled with their Discord ids; a sync reads MEE6's leaderboard and gives 1 point per
100 XP that was earned since the member's first sync. The XP that is left over is carried to the next.

\b
Try it, without a server of your own:
  trc-engage demo

\b
Or with your own:
  export TRC_ENGAGE_GUILD_ID=429462860721341342
  trc-engage members enroll m-1 --discord-id 80351110224678912 --name Ada
  trc-engage sync
  trc-engage show m-1
"""

EPILOG = """\b
Settings, from the environment:
  TRC_ENGAGE_STORE       file of the store, or sqlite:///FILE (default: in your data folder)
  TRC_ENGAGE_GUILD_ID    id of your Discord server; needed to sync
  TRC_ENGAGE_MEE6_URL    where MEE6 is (default: https://mee6.xyz)
  TRC_ENGAGE_MEE6_TOKEN  token for a board that is not public

\b
Exit codes:
  0   done
  2   wrong usage
  65  bad data: a value, a row or an id that cannot be; nothing was done
  69  the source failed: nothing changed, the next sync makes up for it
  74  the store failed
  75  the store is busy: try again
  78  configuration: the message names the variable
"""


class Doors(TyperGroup):
    """The commands, with every error reported in one place."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; an error ends in a line and a code."""
        with reported():
            return super().invoke(ctx)

    def list_commands(self, ctx: Any) -> list[str]:
        """Name the commands for the help."""
        return [*super().list_commands(ctx), MEMBERS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command; those about members are loaded when they are asked for, to keep `show` quick."""
        if cmd_name != MEMBERS:
            return super().get_command(ctx, cmd_name)
        from . import members  # noqa: PLC0415

        return get_group(members.app)


app = typer.Typer(
    cls=Doors,
    help=HELP,
    epilog=EPILOG,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def say_version(*, asked: bool) -> None:
    """Print the version, if it is asked for, and exit."""
    if asked:
        from importlib import metadata  # noqa: PLC0415

        try:
            typer.echo(f"trc-engage {metadata.version('trc-engage')}")
        except metadata.PackageNotFoundError:
            typer.echo("trc-engage, not installed")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", help="Print the version and exit.", callback=say_version, is_eager=True)
]


@app.callback()
def root(*, version: Version = False) -> None:
    """Take what stands before the command; `--version` has done its work by then."""


@app.command(
    epilog=examples(
        "Examples:",
        "trc-engage sync --dry-run       what would happen?",
        'trc-engage sync --json          for cron: "outcome" is synced, cached or failed',
        "trc-engage sync --rebase-drops  all XP was reset for a new season",
    )
)
def sync(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and plan, write nothing.")] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Read even if the last reading is under 5 minutes old.")
    ] = False,
    accept_drops: Annotated[bool, typer.Option("--accept-drops", help="XP fell and that is right: deduct.")] = False,
    rebase_drops: Annotated[bool, typer.Option("--rebase-drops", help="A new season: keep all points.")] = False,
    as_json: Json = False,
) -> None:
    """Read MEE6's board and post what it means.

    Every linked member is looked for: 1 point per 100 XP earned since the last sync, and the rest is
    carried. The first sync of a member only notes the XP: there are no points for history. A board that
    cannot be read whole, or that would lower many members at once, changes nothing.
    """
    from .syncing import synced  # noqa: PLC0415

    if accept_drops and rebase_drops:
        raise typer.BadParameter("give either --accept-drops or --rebase-drops: they are two decisions")
    synced(
        os.environ, as_json=as_json, dry_run=dry_run, fresh=fresh, accept_drops=accept_drops, rebase_drops=rebase_drops
    )


@app.command(epilog=examples("Example:", "trc-engage show m-1"))
def show(member: Member, *, as_json: Json = False) -> None:
    """Show a member's points and XP."""
    with opened_to_read(Settings.from_mapping(os.environ)) as reader:
        standing = reader.standing(member)
    if as_json:
        say_json(of_standing(standing))
    else:
        from .sentences import say_standing  # noqa: PLC0415

        say_standing(standing)


@app.command(epilog=examples("Examples:", "trc-engage history m-1", "trc-engage history m-1 --limit 50 --before 1204"))
def history(
    member: Member,
    *,
    limit: Annotated[int, typer.Option(help="How many entries.", min=1, max=10_000)] = 20,
    before: Annotated[
        int | None, typer.Option(metavar="ENTRY", help="Only entries older than this one.", min=1)
    ] = None,
    as_json: Json = False,
) -> None:
    """Show a member's entries, each explained.

    The newest comes first. Each line tells the XP and the carried XP before and after, so that it can be
    checked from the line below it: carried + XP gained = 100 for each point + carried.
    """
    with opened_to_read(Settings.from_mapping(os.environ)) as reader:
        standing, entries = reader.standing(member), reader.history(member, limit=limit, before=before)
    if as_json:
        say_json(of_entries(entries))
    else:
        from .sentences import say_history  # noqa: PLC0415

        say_history(standing, entries, limit)


@app.command()
def demo() -> None:
    """Live a fortnight of syncs in seconds.

    Then show what came of it: members, points, and the history of one, explained. It brings a MEE6 of its
    own and ten members, keeps its store in a temporary folder, needs no network and no settings, and
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
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.", min=0, max=65_535)] = 0,
    guild_id: Annotated[str, typer.Option(metavar="ID", help="Whose board it serves.")] = "200000000000000001",
    members: Annotated[int, typer.Option(help="How many people chat.", min=1, max=10_000)] = 10,
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


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            # A name that the terminal's encoding cannot say is spelt out, not a crash.
            reconfigure(errors="backslashreplace")
    app(prog_name="trc-engage")


if __name__ == "__main__":
    main()
