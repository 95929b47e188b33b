"""What people read, in words."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ..core.entries import Entry
from ..core.model import Move
from ..core.reports import Enrolment, EnrolmentOutcome, SyncReport
from ..core.views import DiscordStanding, Standing
from .exits import complain
from .text import safe, say, say_table

if TYPE_CHECKING:
    from .roster import Import

ENROLMENTS: dict[EnrolmentOutcome, str] = {
    "enrolled": "enrolled",
    "updated": "name brought up to date",
    "linked": "linked; the next sync opens the account, and from there on XP counts",
    "unlinked": "unlinked; the points stay",
    "left": "noted as having left Discord; the XP is kept, and not synced until `trc-engage members returned`",
    "returned": "noted as back on Discord; the next sync goes on from the XP that was kept",
    "unchanged": "unchanged: it is so already",
}

STATUSES = {
    "waiting": "waiting for its first sync",
    "tracked": "tracked",
    "absent": "not on the board at the last sync; the XP is kept",
    "left": "left Discord; the XP is kept",
    "unlinked": "unlinked; the points stay",
}

MOVES_SHOWN_MAX = 50
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


def say_report(report: SyncReport) -> None:
    """Say what a sync did, or would do."""
    if report.outcome == "cached":
        say(
            f"nothing read: the last reading, of {moment(report.taken_at)} UTC, is less than 5 minutes old "
            "and still stands (--fresh reads all the same)"
        )
        return
    done = "dry run, nothing written: the sync would bring" if report.outcome == "planned" else "synced:"
    say(f"{done} {points(report.points)}")
    say(f"accounts: {_tally(report)}")
    if report.pages:
        say(f"board of {moment(report.taken_at)} UTC: {counted(report.rows, 'row')} in {counted(report.pages, 'page')}")
    if report.moves:
        _say_moves(report.moves)


def _tally(report: SyncReport) -> str:
    numbers = {
        "opened": report.opened,
        "gained": report.gained,
        "deducted": report.deducted,
        "rebased": report.rebased,
        "unchanged": report.unchanged,
        "absent": report.absent,
        "missed": report.missed,
    }
    told = ", ".join(f"{number:,} {name}" for name, number in numbers.items() if number)
    return told or "none to look for; enrol members with their Discord ids (`trc-engage members enroll --help`)"


def _say_moves(moves: Sequence[Move]) -> None:
    say("")
    say_table(
        ("member", "points", "what would happen"),
        [(move.account.member_id, signed(move.points), _step(move)) for move in moves[:MOVES_SHOWN_MAX]],
        right={"points"},
    )
    if len(moves) > MOVES_SHOWN_MAX:
        say(f"… and {len(moves) - MOVES_SHOWN_MAX:,} more (all of them with --json)")


def _step(move: Move) -> str:
    before, after = move.account.xp_total, move.xp_total
    if move.kind == "opening":
        return f"opening at {after:,} XP"
    if before == after:
        return f"{move.status}, {after:,} XP kept"
    return f"{move.kind or 'short of a point'}: {_xp(before, after)}"


def say_standing(standing: Standing) -> None:
    """Say where a member stands."""
    by_source = ", ".join(f"{safe(source)} {amount:,}" for source, amount in standing.points_by_source.items())
    say(f"{named(standing)}: {counted(standing.points, 'point')}{by_source and f' ({by_source})'}")
    if standing.discord is None:
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
                standing.name or "",
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


def explained(entry: Entry) -> str:
    """Tell how an entry came about, so that it can be checked from the one before it."""
    if entry.xp is None:
        return f"{entry.kind}: {entry.source}"
    change = entry.xp
    if entry.kind == "opening":
        return f"counts from {change.xp_after:,} XP" + ("; no points for history" if change.xp_after else "")
    if entry.kind == "rebase":
        return f"{_xp(change.xp_before or 0, change.xp_after)} not counted; carried {change.carried_after} stays"
    return f"{_xp(change.xp_before or 0, change.xp_after)}, carried {change.carried_before} → {change.carried_after}"


def named(standing: Standing) -> str:
    """Return a member's name and id, made safe."""
    member_id = safe(standing.member_id)
    return f"{safe(standing.name)} ({member_id})" if standing.name else member_id


def points(amount: int) -> str:
    """Return points gained or lost with their noun."""
    return f"{signed(amount)} {_noun(amount, 'point')}"


def signed(amount: int) -> str:
    """Return a number with its sign; nothing has none."""
    return f"{amount:+,}" if amount else "0"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {_noun(number, noun)}"


def moment(at: datetime) -> str:
    """Return a UTC instant to the minute."""
    return f"{at:%Y-%m-%d %H:%M}"


def _noun(number: int, noun: str) -> str:
    return noun if abs(number) == 1 else f"{noun}s"


def _xp(before: int, after: int) -> str:
    return f"XP {before:,} → {after:,} ({after - before:+,})"
