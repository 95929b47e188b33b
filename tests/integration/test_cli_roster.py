"""The roster in `roster check`, `run-due`, `status` and `show`, none of which shows the token."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from support.command import ADA, GRACE, Operator
from trc_engage.testing.discord import DiscordServer

JOINED = datetime(2025, 5, 6, 7, 8, tzinfo=UTC)


@pytest.fixture
def discord(opened: Operator) -> Iterator[DiscordServer]:
    """Serve a Discord where Ada is on the server and Grace is not, and set the bot's token."""
    with DiscordServer(members={ADA: JOINED}) as discord:
        opened.env["TRC_ENGAGE_DISCORD_TOKEN"] = discord.token
        opened.env["TRC_ENGAGE_DISCORD_URL"] = discord.url
        yield discord
        assert all(request.headers["user-agent"].startswith("DiscordBot (https://") for request in discord.requests)


def test_a_check_by_hand_says_what_it_found(opened: Operator, discord: DiscordServer) -> None:
    """A dry run writes nothing, a first *gone* is reported but not noted, and `show` says what the roster knows."""
    told = opened.call("roster", "check", "--dry-run")
    assert (told.code, told.err) == (0, "")
    assert told.out.splitlines()[0] == f"dry run, nothing written: 2 members asked for on server {discord.guild_id}"
    assert "roster" not in opened.call("status").out
    told = opened.call("roster", "check")
    assert "1 member gone and not noted" in told.out
    assert opened.call("roster", "check").out.splitlines()[1].startswith("no one is due before 20")
    assert "roster: on the server since 2025-05-06 07:08 UTC" in opened.call("show", "m-1").out
    assert "roster: gone since 20" in opened.call("show", "m-2").out
    assert "next round" in opened.call("status").out


def test_run_due_asks_last(opened: Operator, discord: DiscordServer) -> None:
    """`run-due` says how many members it asked for, and the next run asks for none before the next round."""
    told = opened.call("run-due")
    assert told.out.endswith("; 1 member asked for\n")
    report = opened.call("run-due", "--json").json
    assert (report["outcome"], "roster" in report) == ("nothing", False)
    assert len(discord.asked_for) == 1


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        ("token", "The bot's token is set in TRC_ENGAGE_DISCORD_TOKEN"),
        ("unknown_guild", "The server is set in TRC_ENGAGE_DISCORD_GUILD_ID, or else in TRC_ENGAGE_GUILD_ID"),
        ("no_access", "invite it to the server"),
        ("rate_limited", "asks for fewer requests"),
    ],
)
def test_what_fails_says_what_to_do(opened: Operator, discord: DiscordServer, trouble: str, says: str) -> None:
    """A failed check ends with exit code 69 and says what to do; neither it nor `status` shows the token."""
    discord.trouble(trouble)
    told = opened.call("roster", "check")
    assert told.code == 69
    assert says in told.err
    shown = opened.call("status")
    as_json = opened.call("status", "--json").out
    assert "1 failure in a row" in shown.out
    for text in (told.out, told.err, shown.out, as_json):
        assert discord.token not in text


def test_a_note_by_hand_is_contradicted_with_the_command(opened: Operator, discord: DiscordServer) -> None:
    """`status` names a member who was noted as left but is on the server, with the command that takes the note back."""
    assert opened.call("members", "left", "m-1", "--by", "admin-7").code == 0
    assert opened.call("roster", "check").code == 0
    assert "`trc-engage members returned m-1`" in opened.call("status").out
    assert discord.asked_for.count(GRACE) == 1


def test_without_a_token_it_says_which_variable(opened: Operator) -> None:
    """Without a token, `roster check` ends with exit code 78 and names the variable, and `run-due` still works."""
    told = opened.call("roster", "check")
    assert (told.code, "TRC_ENGAGE_DISCORD_TOKEN is not set" in told.err) == (78, True)
    assert opened.call("run-due").code == 0


def test_a_departure_is_accepted_by_somebody(opened: Operator, discord: DiscordServer) -> None:
    """`--accept-departures` requires `--by` and `--reason`, and asks Discord nothing before that."""
    told = opened.call("roster", "check", "--accept-departures", "--by", "admin-7")
    assert (told.code, "requires --by and --reason" in told.err) == (2, True)
    assert not discord.requests
