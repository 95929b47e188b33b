"""The roster commands: ask Discord who is on the server."""

import logging
from typing import Annotated

import typer

from ...core.reports import RosterReport
from ..settings import DISCORD_TOKEN, SettingsError
from ..wire.runs import RosterRound
from ..wiring import opened, opened_roster
from ..wording.alerts import describe_error
from ..wording.plain import counted, moment, safe
from .options import By, Json, Reason, check_decided, code_of, command, flag, group_of, settings_in_force
from .output import print_error, print_json, print_lines

app = group_of(
    "roster",
    "Ask Discord who is on the server.",
    "trc-engage roster check --dry-run",
    "trc-engage roster check --accept-departures --by admin-7 --reason 'the old members left'",
)
NO_TOKEN = "is not set; set it to the token of a bot that is on your Discord server"  # noqa: S105


@command("trc-engage roster check --dry-run", group=app)
def check(
    *,
    dry_run: Annotated[bool, flag("--dry-run", "Ask, but write nothing.")] = False,
    accept_departures: Annotated[bool, flag("--accept-departures", "Accept that many members have left.")] = False,
    by: By = None,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Ask for the members who are due, for a minute at most, and note who left and who is back.

    A member has left when Discord has said so twice, at least an hour apart, and a sync was good since. The
    daemon does the same by itself, spread over the day. If more than a tenth of the members are gone at once,
    nothing is noted until you accept it.
    """
    if accept_departures and not dry_run:
        check_decided("--accept-departures", {"by": by, "reason": reason})
    settings = settings_in_force()
    if settings.discord_token is None:
        raise SettingsError(DISCORD_TOKEN, None, NO_TOKEN)
    # The command prints what the log would say.
    logging.getLogger("trc_engage").addHandler(logging.NullHandler())
    with opened_roster(settings) as asked, opened(settings, roster=asked) as engage:
        report = engage.check_roster(dry_run=dry_run, accept_departures=accept_departures, by=by, reason=reason)
    if as_json:
        print_json(RosterRound.of(report))
    else:
        print_round(report)
    if report.error is not None:
        if not as_json:
            print_error(describe_error(report.error))
        raise typer.Exit(code_of(report.error))


def print_round(report: RosterReport) -> None:
    """Print what a round did, or would do."""
    done = "dry run, nothing written: " if report.outcome == "planned" else ""
    unclear = f", {report.unknown:,} without a clear answer" if report.unknown else ""
    print_lines(f"{done}{counted(report.asked, 'member')} asked for on server {report.guild_id}{unclear}")
    if not report.asked and report.next_at is not None and report.next_at > report.at:
        print_lines(f"nobody is asked for before {moment(report.next_at)} UTC")
    for what, members in (
        ("left", report.left),
        ("returned", report.returned),
        ("never left, and is as before", report.never_left),
        ("noted otherwise by hand; see `trc-engage status`", report.contradicted),
    ):
        print_lines(*(f"{safe(member)}: {what}" for member in members))
    if report.unconfirmed:
        waits = "to be noted, Discord must say so twice, an hour apart, and a sync must be good since"
        print_lines(f"{counted(report.unconfirmed, 'member')} gone and not noted; {waits}")
