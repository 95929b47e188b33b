"""Members, their links and where they stand, in words."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...core.reports import Enrolment, EnrolmentOutcome
from ...core.views import DiscordStanding, Standing
from ..exits import complain
from ..text import counted, safe, say, say_table

if TYPE_CHECKING:
    from ..roster import Import

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

STATUSES = {
    "waiting": "waiting for its first sync",
    "tracked": "tracked",
    "absent": "not on the board at the last sync; the XP is kept",
    "left": "left Discord; the XP is kept",
    "unlinked": "unlinked; the points stay",
}

FORGOTTEN = "(forgotten)"
BAD_ROWS_SHOWN_MAX = 20


def say_enrolment(enrolment: Enrolment) -> None:
    """Say what became of a member's enrolment or link."""
    say(f"{safe(enrolment.member_id)}: {ENROLMENTS[enrolment.outcome]}")


def say_import(path: str, result: "Import") -> None:
    """Say what became of a file's rows, the bad ones on stderr."""
    for row in result.bad[:BAD_ROWS_SHOWN_MAX]:
        complain(f"{path}:{row.line}: {row.error}")
    if len(result.bad) > BAD_ROWS_SHOWN_MAX:
        complain(f"{path}: … and {len(result.bad) - BAD_ROWS_SHOWN_MAX:,} more (all of them with --json)")
    if not result.is_written:
        return
    outcomes = [enrolment.outcome for enrolment in result.enrolments]
    told = [f"{outcomes.count(outcome):,} {outcome}" for outcome in dict.fromkeys(outcomes)]
    if result.bad:
        told.append(f"{len(result.bad):,} skipped")
    say(f"{counted(result.rows, 'row')}: {', '.join(told)}")


def say_standing(standing: Standing) -> None:
    """Say where a member stands."""
    by_source = ", ".join(f"{safe(source)} {amount:,}" for source, amount in standing.points_by_source.items())
    say(f"{named(standing)}: {counted(standing.points, 'point')}{by_source and f' ({by_source})'}")
    if standing.is_forgotten:
        say("name and Discord ids were erased; points and entries stay")
    elif standing.discord is None:
        say("no Discord account linked")
    else:
        say(*_account(standing.discord))


def _account(discord: DiscordStanding) -> tuple[str, ...]:
    account = f"Discord {discord.discord_id}: {STATUSES[discord.status]}"
    if discord.status == "waiting":
        return (account,)
    return (
        account,
        f"{discord.xp_total:,} XP, {discord.xp_carried} carried: {discord.xp_to_next_point} more to the next point",
    )


def say_standings(standings: Sequence[Standing]) -> None:
    """Show where members stand, as a table."""
    if not standings:
        say("no members yet; enrol the first (`trc-engage members enroll --help`)")
        return
    say_table(
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


def named(standing: Standing) -> str:
    """Return a member's name and id, made safe."""
    member_id, name = safe(standing.member_id), name_of(standing)
    return f"{safe(name)} ({member_id})" if name else member_id


def name_of(standing: Standing) -> str:
    """Return a member's name as it was given; one who was forgotten has none."""
    return standing.name or (FORGOTTEN if standing.is_forgotten else "")
