"""The members commands: enroll, link, import, hide, forget and more."""

import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Unpack

import typer

from ...core.errors import RosterError
from ...core.records import TraceArguments
from ...core.reports import Enrollment, EnrollmentOutcome, Standing
from ...engage import Engage
from ...reader import Reader
from ..stores import now, opened_to_read
from ..wire import members as wire
from ..wire.runs import Imported, Reconciled
from ..wiring import enrolled, opened, opened_ledger
from ..wording import counted, moment, name_of, named, natural, safe
from ..wording.alerts import describe_error
from . import imports
from .imports import Import
from .options import (
    BAD_DATA,
    BadData,
    Changed,
    Json,
    Member,
    WrongUsage,
    argument,
    check_decided,
    command,
    flag,
    group_of,
    is_asked,
    option,
    settings_in_force,
)
from .output import ask, print_error, print_json, print_lines, print_note, print_result, print_table

app = group_of(
    "members",
    "Enroll, link, hide and forget members.",
    "trc-engage members enroll m-1 --discord-id 80351110224678912 --name Ada",
    "trc-engage members import roster.csv",
    "trc-engage members list",
)

Members = Annotated[list[str], argument("MEMBER...", "The members' ids at TRC.")]
DiscordId = Annotated[str, argument("DISCORD_ID", "The id of the Discord account, up to 20 digits.")]


@command("trc-engage members enroll m-1 --discord-id 80351110224678912 --name Ada", group=app)
def enroll(
    member: Annotated[str, argument("MEMBER", "The member's id in your own system, such as m-1.")],
    *,
    discord_id: Annotated[str | None, option("ID", "The Discord account to link.")] = None,
    name: Annotated[str | None, option("TEXT", "The member's display name.")] = None,
    bring_back: Annotated[bool, flag("--bring-back", "Enroll a member again who was forgotten.")] = False,
    as_json: Json = False,
    **trace: Unpack[TraceArguments],
) -> None:
    """Enroll a member, or update the name and link.

    The first enrollment creates the store.
    """

    def enrolled_one(engage: Engage) -> Enrollment:
        if not bring_back:
            imports.check_not_forgotten(engage, member)
        return engage.enroll(member, discord_id=discord_id, name=name, **trace)

    _print_outcomes([enrolled(settings_in_force(), enrolled_one, print_note)], as_json=as_json)


@command(group=app)
def link(member: Changed, discord_id: DiscordId, *, as_json: Json = False, **trace: Unpack[TraceArguments]) -> None:
    """Link a Discord account to a member.

    XP from before the link's first sync pays nothing. A member has at most one link. To change it, unlink first,
    unless the account has never been on the leaderboard (see `members list --never-seen`).
    """
    _change(lambda engage: [engage.link(engage.resolve(member, exact=True), discord_id, **trace)], as_json=as_json)


@command(group=app)
def unlink(member: Changed, *, as_json: Json = False, **trace: Unpack[TraceArguments]) -> None:
    """Remove a member's Discord link; the points stay."""
    _change(lambda engage: [engage.unlink(engage.resolve(member, exact=True), **trace)], as_json=as_json)


@command(group=app)
def left(members: Members, *, as_json: Json = False, **trace: Unpack[TraceArguments]) -> None:
    """Note that members left Discord.

    The XP is kept and no longer synced. A leaderboard keeps people who left, so it cannot tell by itself.
    If any of them is not enrolled or not linked, nothing is noted. With --json, each member is one line. Noted by
    mistake? See `members returned --never-left`.
    """
    _change(lambda engage: engage.leave_all(_resolved(engage, members), **trace), as_json=as_json)


@command(
    "trc-engage members returned m-1 m-2 --by admin-7",
    "trc-engage members returned m-1 --never-left --by admin-7 --reason 'marked by mistake'",
    group=app,
)
def returned(
    members: Members,
    *,
    never_left: Annotated[
        bool, flag("--never-left", "The leave was a mistake: undo it, also after a return was noted.")
    ] = False,
    as_json: Json = False,
    **trace: Unpack[TraceArguments],
) -> None:
    """Note that members are back on Discord.

    Syncing continues from the XP that was kept. If a member's XP was reset meanwhile, the points stay. If any
    of them is not enrolled or not linked, nothing is noted.
    With --never-left (and --by and --reason), the next sync pays what was earned meanwhile, and the days in between
    count if the XP rose; if the leave lasted for more than 7 days, they are excused. With --json, each member is one
    line.
    """
    if never_left:
        check_decided("--never-left", trace)
    _change(
        lambda engage: engage.rejoin_all(_resolved(engage, members), never_left=never_left, **trace),
        as_json=as_json,
    )


@command(group=app)
def hide(member: Changed, *, as_json: Json = False, **trace: Unpack[TraceArguments]) -> None:
    """Hide a member from leaderboards."""
    _change(lambda engage: [engage.hide(engage.resolve(member, exact=True), **trace)], as_json=as_json)


@command(group=app)
def show(member: Changed, *, as_json: Json = False, **trace: Unpack[TraceArguments]) -> None:
    """Show a hidden member in leaderboards again."""
    _change(lambda engage: [engage.show(engage.resolve(member, exact=True), **trace)], as_json=as_json)


@command("trc-engage members forget m-1 --yes", group=app)
def forget(
    member: Changed,
    *,
    yes: Annotated[bool, flag("--yes", "Do not ask; required without a terminal.")] = False,
    as_json: Json = False,
    **trace: Unpack[TraceArguments],
) -> None:
    """Erase a member's name and Discord ids; the points stay.

    This cannot be undone, and the member is no longer synced. Points and entries stay under the member id. Reasons and
    notes about the member go too, except those that you pass here: name nobody in them. The store's unused space is
    wiped as well, which takes as long as copying the store; backups are not.
    """

    def forgotten(engage: Engage) -> Sequence[Enrollment]:
        member_id = engage.resolve(member, exact=True)
        if not yes:
            _confirm(engage.standing(member_id))
        return [engage.forget(member_id, **trace)]

    _change(forgotten, as_json=as_json)
    print_note(COPIES)


def _confirm(standing: Standing) -> None:
    """Ask for confirmation; without a terminal, refuse."""
    who = named(standing)
    warning = f"this erases the name and Discord ids of {who} for good; points and entries stay"
    if not sys.stdin.isatty():
        raise WrongUsage(f"{warning}. To confirm, pass --yes")
    ask(warning, "Erase them?")


@command(
    *("member_id,discord_id,name", "m-1,80351110224678912,Ada", "m-2,,Grace"),
    title="Example of a file:",
    name="import",
    group=app,
)
def import_(
    file: Annotated[str, argument("FILE", "CSV with a header, or JSON objects; - for stdin.")],
    *,
    ignore: Annotated[list[str] | None, option("COLUMN", "Ignore this column; can be repeated.")] = None,
    skip_bad: Annotated[
        bool, flag("--skip-bad", "Import the good rows even if others are bad; the exit code is 65 then.")
    ] = False,
    dry_run: Annotated[bool, flag("--dry-run", "Show what would be imported, and write nothing.")] = False,
    bring_back: Annotated[bool, flag("--bring-back", "Enroll members again who were forgotten.")] = False,
    as_json: Json = False,
) -> None:
    """Enroll everyone listed in a file.

    The columns are member_id, discord_id and name, and common headers for them such as Discord ID or Username.
    Others must be named with --ignore. Bad rows are reported with their line numbers; if there are any, nothing is
    imported (see --skip-bad). Import the file again to update names and add links. An empty discord_id or name
    changes nothing. In JSON write ids as strings: numbers of this length lose digits. Members who were exported
    (`export members`, --csv or --json) can be imported again; their points cannot. Rows of members who were
    forgotten are bad without --bring-back.
    """
    rows = imports.read(file, ignore or ())
    result = enrolled(
        settings_in_force(),
        lambda engage: imports.imported(engage, rows, skip_bad=skip_bad, dry_run=dry_run, bring_back=bring_back),
        print_note,
        is_written=lambda result: result.is_written and not dry_run,
        read_only=dry_run,
    )
    if as_json:
        done = "refused" if not result.is_written else "planned" if dry_run else "imported"
        print_json(Imported.of(result, outcome=done, **{name: result.counts[name] for name in COUNTED}))
    else:
        print_import(file, result, "dry run, nothing written: " if dry_run else "")
    if not result.is_written:
        raise BadData(
            f"{file}: nothing was imported, because {len(result.bad):,} of {result.rows:,} rows are bad; "
            "correct them, or import the others with --skip-bad"
        )
    if result.bad:
        raise typer.Exit(BAD_DATA)


@command(name="list", group=app)
def list_(
    *,
    left: Annotated[bool, flag("--left", "Only members who left Discord.")] = False,
    never_seen: Annotated[
        bool, flag("--never-seen", "Only members whose account has never been on the leaderboard.")
    ] = False,
    name: Annotated[str | None, option("TEXT", "Only members whose name contains this, in any case.")] = None,
    as_json: Json = False,
) -> None:
    """List members with points, streak, link and XP.

    With --never-seen, you get those whose Discord ids may be wrong. Link such a member to the right id with
    `trc-engage members link`, or import the corrected file: no XP can be lost.
    """
    with opened_to_read(settings_in_force()) as reader:
        found = reader.members(name=name or None, status="left" if left else None, never_seen=never_seen)
        chosen = [reader.standing(one.member_id) for one in found]
        nobody = "no member matches" if reader.members(limit=1) else NOBODY
    found = sorted(chosen, key=lambda one: natural(one.member_id))
    print_result(wire.Standings.of(members=found), lambda: print_standings(found, nobody), as_json=as_json)


@command(
    "trc-engage members reconcile server.csv --dry-run",
    "trc-engage members reconcile server.csv --by admin-7 --reason 'monthly check'",
    group=app,
)
def reconcile(
    file: Annotated[str, argument("FILE", "All Discord ids on the server: CSV, JSON or one a line; - for stdin.")],
    *,
    dry_run: Annotated[bool, flag("--dry-run", "Show who would be noted, and write nothing.")] = False,
    accept_departures: Annotated[bool, flag("--accept-departures", "Accept that many members have left.")] = False,
    yes: Annotated[bool, flag("--yes", "Accept without being asked; required without a terminal.")] = False,
    as_json: Json = False,
    **trace: Unpack[TraceArguments],
) -> None:
    """Note who left and who is back, by a list of who is on the server.

    The list must be complete: linked members who are not on it are noted as left. If 5 or more and more than 10 % of
    the members would be, nothing is noted until you pass --accept-departures (with --by and --reason). CSV and JSON
    need a column discord_id or id.
    """
    must_ask = False
    if accept_departures and not dry_run:
        check_decided("--accept-departures", trace)
        must_ask = is_asked("--accept-departures notes everyone as left who is not on the list", yes=yes)
    present = imports.read_ids(file)
    try:
        with opened(settings_in_force()) as engage:
            if must_ask:
                shown = engage.reconcile(present, dry_run=True)
                ask(f"{len(shown.left):,} left, {len(shown.returned):,} returned", "Note it?")
            report = engage.reconcile(present, dry_run=dry_run, accept_departures=accept_departures, **trace)
    except RosterError as error:
        decide = "--dry-run shows them, --accept-departures accepts it"
        raise BadData(f"{file}: {error.message}: {decide}") from error

    def text() -> None:
        done = "dry run, nothing written: " if dry_run else ""
        print_lines(f"{done}{len(report.left):,} left, {len(report.returned):,} returned")
        for what, members in (("left", report.left), ("returned", report.returned)):
            print_lines(*(f"{safe(member)}: {what}" for member in members))
        print_lines(f"{counted(report.strangers, 'id')} on the list not linked to any member")
        if report.distrusted:
            print_lines(f"not trusted: {report.distrusted} (--accept-departures)")

    print_result(Reconciled.of(report), text, as_json=as_json)


@command("trc-engage members events m-1", group=app)
def events(member: Member, *, as_json: Json = False) -> None:
    """Show who enrolled, linked or changed a member.

    Each line is one event: what, when (UTC), by whom and why, oldest first.
    """
    with opened_to_read(settings_in_force()) as reader:
        member = reader.resolve(member)
        found = reader.events(member)
    rows = [(moment(one.at), one.kind.replace("_", " "), one.actor, one.reason, one.note) for one in found]
    headers = ("when (UTC)", "what", "by", "reason", "note")
    shape = wire.Events.of(member_id=member, events=found)
    print_result(shape, lambda: print_table(headers, rows), as_json=as_json)


@command("trc-engage members export m-1 > m-1.json", name="export", group=app)
def export_(member: Member) -> None:
    """Write everything about a member, as JSON.

    First where the member stands, then every row that the store holds of the member, by table: links, entries, days,
    readings, events, excusals and streaks, with names, reasons and notes.
    """
    with opened_ledger(settings_in_force(), read_only=True) as ledger:
        reader = Reader(views=ledger, clock=now)
        standing = reader.standing(reader.resolve(member))
        stored = ledger.everything_about(standing.member_id)
    print_json(wire.Everything.of(standing=standing, stored=stored))


def _resolved(engage: Engage, members: Sequence[str]) -> Sequence[str]:
    return [engage.resolve(member, exact=True) for member in members]


def _change(change: Callable[[Engage], Sequence[Enrollment]], *, as_json: bool) -> None:
    with opened(settings_in_force()) as engage:
        enrollments = change(engage)
    _print_outcomes(enrollments, as_json=as_json)


def _print_outcomes(enrollments: Sequence[Enrollment], *, as_json: bool) -> None:
    for enrollment in enrollments:
        if as_json:
            print_json(wire.Enrollment.of(enrollment))
        else:
            print_lines(f"{safe(enrollment.member_id)}: {ENROLLMENTS[enrollment.outcome]}")
        if enrollment.remains:
            print_note(f"{enrollment.remains}. Then run `trc-engage members forget` again")


COUNTED: tuple[EnrollmentOutcome, ...] = ("enrolled", "linked", "updated", "unchanged")
ENROLLMENTS: dict[EnrollmentOutcome, str] = {
    "enrolled": "enrolled",
    "updated": "name updated",
    "linked": "linked; XP counts from the next sync on, which opens the account",
    "relinked": "linked to the new account (no leaderboard ever showed the old one); XP counts from the next sync on",
    "unlinked": "unlinked; the points stay",
    "left": "has left Discord; the XP is kept, and not synced until `trc-engage members returned`",
    "returned": "is back on Discord; the next sync continues from the XP that was kept",
    "never_left": "never left; the next sync pays what was earned meanwhile, unless XP counting started over since",
    "hidden": "hidden from leaderboards; `leaderboard --member` still shows the rank",
    "shown": "shown in leaderboards",
    "forgotten": "forgotten: name and Discord ids are erased; points and entries stay",
    "unchanged": "unchanged",
}

COPIES = (
    "backups, replicas and logs from before still hold what was erased: delete them too, or let them expire, and "
    "after a restore forget the member again"
)
BAD_ROWS_SHOWN_MAX = 20


def print_import(path: str, result: Import, before: str = "") -> None:
    """Print the outcome of an import, bad rows to stderr."""
    for row in result.bad[:BAD_ROWS_SHOWN_MAX]:
        print_error(f"{path}:{row.line}: {describe_error(row.error)}")
    if len(result.bad) > BAD_ROWS_SHOWN_MAX:
        print_error(f"{path}: … and {len(result.bad) - BAD_ROWS_SHOWN_MAX:,} more (all of them with --json)")
    if not result.is_written:
        return
    print_lines(*(f"{safe(member)}: {ENROLLMENTS['relinked']}" for member in result.relinked))
    counts = [f"{count:,} {outcome}" for outcome, count in result.counts.items()]
    if result.bad:
        counts.append(f"{len(result.bad):,} skipped")
    print_lines(f"{before}{counted(result.rows, 'row')}: {', '.join(counts)}")


UNLINKED = (None, "not linked", None)
NOBODY = "no members yet; enroll the first (`trc-engage members enroll --help`)"


def print_standings(standings: Sequence[Standing], nobody: str) -> None:
    """Print members as a table."""
    if not standings:
        print_lines(nobody)
        return
    rows = []
    for one in standings:
        discord = one.discord
        linked = (discord.discord_id, discord.status, discord.xp_total) if discord else UNLINKED
        rows.append((one.member_id, name_of(one), one.points, one.streak.current if one.streak else 0, *linked))
    print_table(("member", "name", ">points", ">streak", ">Discord id", "status", ">XP"), rows)
