"""The commands about members and their links."""

import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from ...core.reports import Enrolment, EnrolmentOutcome, Standing
from ...engage import Engage
from ..settings import Settings
from ..wire import members as wire
from ..wire.runs import Imported
from ..wiring import enrolled, opened
from ..wording import counted, describe_error, name_of, named, safe
from . import imports
from .imports import Import
from .options import BadData, Json, Member, examples
from .output import print_error, print_json, print_lines, print_note, print_table

HELP = """Members: enrol, link, hide, forget; who left or came back.

\b
Examples:
  trc-engage members enroll m-1 --discord-id 80351110224678912 --name Ada
  trc-engage members import roster.csv
  trc-engage members list
"""

app = typer.Typer(name="members", help=HELP, rich_markup_mode=None, no_args_is_help=True)

DiscordId = Annotated[str, typer.Argument(metavar="DISCORD_ID", help="The Discord account's id, 20 digits at most.")]


@app.command(epilog=examples("Example:", "trc-engage members enroll m-1 --discord-id 80351110224678912 --name Ada"))
def enroll(
    member: Member,
    *,
    discord_id: Annotated[str | None, typer.Option(metavar="ID", help="The Discord account to link.")] = None,
    name: Annotated[str | None, typer.Option(metavar="TEXT", help="How to call the member.")] = None,
    as_json: Json = False,
) -> None:
    """Enrol a member, or bring name and link up to date.

    The first one makes the store.
    """
    settings = Settings.from_mapping(os.environ)
    _print_outcome(
        enrolled(settings, lambda engage: engage.enroll(member, discord_id=discord_id, name=name), print_note),
        as_json=as_json,
    )


@app.command()
def link(member: Member, discord_id: DiscordId, *, as_json: Json = False) -> None:
    """Link a Discord account to an enrolled member.

    XP from before the first sync of a link pays nothing. A member has one link at most: to change
    it, unlink first.
    """
    _change(lambda engage: engage.link(member, discord_id), as_json=as_json)


@app.command()
def unlink(member: Member, *, as_json: Json = False) -> None:
    """Take a member's Discord link away; the points stay."""
    _change(lambda engage: engage.unlink(member), as_json=as_json)


@app.command()
def left(member: Member, *, as_json: Json = False) -> None:
    """Note that a member left Discord.

    The XP is kept, and not synced any more. MEE6 keeps people who left on its board, so this must be told.
    """
    _change(lambda engage: engage.leave(member), as_json=as_json)


@app.command()
def returned(member: Member, *, as_json: Json = False) -> None:
    """Note that a member is back on Discord.

    Syncing goes on from the XP that was kept. If MEE6 was reset for the member meanwhile, the points stay.
    """
    _change(lambda engage: engage.rejoin(member), as_json=as_json)


@app.command()
def hide(member: Member, *, as_json: Json = False) -> None:
    """Leave a member out of leaderboards."""
    _change(lambda engage: engage.hide(member), as_json=as_json)


@app.command()
def show(member: Member, *, as_json: Json = False) -> None:
    """Show a hidden member in leaderboards again."""
    _change(lambda engage: engage.show(member), as_json=as_json)


@app.command(epilog=examples("Example:", "trc-engage members forget m-1 --yes"))
def forget(
    member: Member,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; needed where nobody can answer.")] = False,
    as_json: Json = False,
) -> None:
    """Forget who a member is; the sums stay.

    Name and Discord ids are replaced by a tombstone and cannot be brought back, and nothing is synced for
    the member any more. Points and entries stay, under the member's id at TRC alone.
    """

    def forgotten(engage: Engage) -> Enrolment:
        standing = engage.standing(member)
        if not yes:
            _confirm(standing)
        return engage.forget(member)

    _change(forgotten, as_json=as_json)


def _confirm(standing: Standing) -> None:
    """Ask whoever is at the terminal; where nobody is, nothing is forgotten."""
    who = named(standing)
    warning = f"name and Discord ids of {who} would be erased for good; points and entries would stay"
    if not sys.stdin.isatty():
        raise typer.BadParameter(f"{warning}. If that is meant, give --yes")
    typer.echo(warning, err=True)
    if not typer.confirm("Forget them?", err=True):
        typer.echo("nothing was changed", err=True)
        raise typer.Exit


@app.command(
    "import",
    epilog=examples("Example of a file:", "member_id,discord_id,name", "m-1,80351110224678912,Ada", "m-2,,Grace"),
)
def import_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="CSV with a header, or a JSON array of objects.")],
    *,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Import the good rows although some are bad.")] = False,
    as_json: Json = False,
) -> None:
    """Enrol everybody in a file of member_id, discord_id and name.

    All or nothing: each bad row is reported with its line, and unless all are good nothing is
    imported. Importing a file again brings names and new links up to date. An empty discord_id or
    name says nothing. In JSON the ids are texts: numbers that long lose digits.
    """
    rows = imports.read(file)
    result = enrolled(
        Settings.from_mapping(os.environ),
        lambda engage: imports.imported(engage, rows, skip_bad=skip_bad),
        print_note,
        is_written=lambda result: result.is_written,
    )
    if as_json:
        print_json(_imported(result))
    else:
        print_import(file, result)
    if not result.is_written:
        raise BadData(
            f"{file}: nothing was imported, for {len(result.bad):,} of {result.rows:,} rows cannot be; "
            "mend them, or import the others with --skip-bad"
        )


@app.command("list")
def list_(*, as_json: Json = False) -> None:
    """List all members with points, link and XP."""
    with opened(Settings.from_mapping(os.environ)) as engage:
        standings = engage.members()
    if as_json:
        print_json(wire.Standings.of(members=standings))
    else:
        print_standings(standings)


def _change(change: Callable[[Engage], Enrolment], *, as_json: bool) -> None:
    with opened(Settings.from_mapping(os.environ)) as engage:
        enrolment = change(engage)
    _print_outcome(enrolment, as_json=as_json)


def _print_outcome(enrolment: Enrolment, *, as_json: bool) -> None:
    if as_json:
        print_json(wire.Enrolment.of(enrolment))
    else:
        print_enrolment(enrolment)


def _imported(result: Import) -> Imported:
    outcomes = [enrolment.outcome for enrolment in result.enrolments]
    counts = {outcome: outcomes.count(outcome) for outcome in ("enrolled", "linked", "updated", "unchanged")}
    return Imported.of(result, outcome="imported" if result.is_written else "refused", **counts)


ENROLMENTS: dict[EnrolmentOutcome, str] = {
    "enrolled": "enrolled",
    "updated": "name brought up to date",
    "linked": "linked; the next sync opens the account, and from there on XP counts",
    "unlinked": "unlinked; the points stay",
    "left": "noted as having left Discord; the XP is kept, and not synced until `trc-engage members returned`",
    "returned": "noted as back on Discord; the next sync goes on from the XP that was kept",
    "hidden": "left out of leaderboards; `leaderboard --member` still tells the own rank",
    "shown": "shown in leaderboards",
    "forgotten": "forgotten: name and Discord ids are gone; the points and the entries stay, without a name",
    "unchanged": "unchanged: it is so already",
}

BAD_ROWS_SHOWN_MAX = 20


def print_enrolment(enrolment: Enrolment) -> None:
    """Say what became of a member's enrolment or link."""
    print_lines(f"{safe(enrolment.member_id)}: {ENROLMENTS[enrolment.outcome]}")


def print_import(path: str, result: Import) -> None:
    """Say what became of a file's rows, the bad ones on stderr."""
    for row in result.bad[:BAD_ROWS_SHOWN_MAX]:
        print_error(f"{path}:{row.line}: {describe_error(row.error)}")
    if len(result.bad) > BAD_ROWS_SHOWN_MAX:
        print_error(f"{path}: … and {len(result.bad) - BAD_ROWS_SHOWN_MAX:,} more (all of them with --json)")
    if not result.is_written:
        return
    outcomes = [enrolment.outcome for enrolment in result.enrolments]
    told = [f"{outcomes.count(outcome):,} {outcome}" for outcome in dict.fromkeys(outcomes)]
    if result.bad:
        told.append(f"{len(result.bad):,} skipped")
    print_lines(f"{counted(result.rows, 'row')}: {', '.join(told)}")


def print_standings(standings: Sequence[Standing]) -> None:
    """Show where members stand, as a table."""
    if not standings:
        print_lines("no members yet; enrol the first (`trc-engage members enroll --help`)")
        return
    print_table(
        ("member", "name", "points", "Discord id", "status", "XP", "carried"),
        [
            (
                standing.member_id,
                name_of(standing),
                f"{standing.points:,}",
                *(
                    ("", "not linked", "", "")
                    if standing.discord is None
                    else (
                        standing.discord.discord_id,
                        standing.discord.status,
                        f"{standing.discord.xp_total:,}",
                        f"{standing.discord.xp_carried}",
                    )
                ),
            )
            for standing in standings
        ],
        right={"points", "Discord id", "XP", "carried"},
    )
