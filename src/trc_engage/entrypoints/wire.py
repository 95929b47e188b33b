"""Values as JSON, for the command line and the web alike."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, get_args

from ..core.errors import ClockWentBack, EngageError, InvalidValue, LedgerBusy, LedgerFailed, SourceError
from ..core.model import Entry, Evidence, Move, Status as AccountStatus
from ..core.reports import (
    Enrolment,
    ExcuseReport,
    MemberDay,
    Rank,
    Receipt,
    SettleReport,
    Standing,
    StreakChange,
    SyncReport,
)
from .settings import SettingsError
from .wording import advice_of, describe_error, describe_failures, describe_pending, why_of

if TYPE_CHECKING:
    from ..core.incidents import ChannelState, FailureRun, Trouble
    from ..usecases.runs import Status

INSTANT_FORM = (
    r"2[0-9]{3}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,30})?)?"
    r"([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)"
)
"""RFC 3339 of the years 2000 to 2999, and what Java, Ruby and SQL make of it: without seconds, a comma, +0100."""


def parsed_instant(field: str, text: object) -> datetime:
    """Return the UTC instant that a text names, to the microsecond: further digits are cut off.

    Raises `InvalidValue` for what names none, such as a time without its zone, a week or a leap second.
    """
    if isinstance(text, str) and re.fullmatch(INSTANT_FORM, text, re.ASCII):
        try:
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
        except ValueError as error:
            raise InvalidValue(field, text, "there is no such instant") from error
    advice = "give a time with its zone, such as 2026-03-05T14:00Z or 2026-03-05T15:00+01:00"
    is_naive = isinstance(text, str) and re.fullmatch(INSTANT_FORM, f"{text}Z", re.ASCII)
    raise InvalidValue(field, text, f"it has no zone; {advice}" if is_naive else advice)


KINDS: tuple[tuple[type[EngageError], str], ...] = (
    (ClockWentBack, "clock"),
    (LedgerFailed, "store"),
    (LedgerBusy, "busy"),
    (SettingsError, "configuration"),
    (EngageError, "invalid"),
)
"""What a failed sync calls the errors that do not come from the source."""


def of_report(report: SyncReport, *, dry_run: bool) -> dict[str, Any]:
    """Return what a sync did, or would do."""
    value: dict[str, Any] = {
        "outcome": report.outcome,
        **report.counts,
        "points": report.points,
        "pages": report.pages,
        "rows": report.rows,
        "taken_at": report.taken_at.isoformat(),
        "late": [_change(change) for change in report.late],
        "dry_run": dry_run,
    }
    if dry_run:
        value["moves"] = [_move(move) for move in report.moves]
    return value


def of_failure(error: EngageError, *, dry_run: bool) -> dict[str, Any]:
    """Return why a sync failed."""
    retry_at: datetime | None = None
    if isinstance(error, SourceError):
        kind, retry_at = str(error.kind), error.retry_at
    else:
        kind = next(kind for known, kind in KINDS if isinstance(error, known))
    return {
        "outcome": "failed",
        "kind": kind,
        "message": describe_error(error),
        "retry_at": retry_at and retry_at.isoformat(),
        "dry_run": dry_run,
    }


def of_enrolment(enrolment: Enrolment) -> dict[str, Any]:
    """Return what became of a member's enrolment or link."""
    return {"member_id": enrolment.member_id, "outcome": enrolment.outcome}


def of_standing(standing: Standing) -> dict[str, Any]:
    """Return where a member stands."""
    discord, streak = standing.discord, standing.streak
    value: dict[str, Any] = {
        "member_id": standing.member_id,
        "name": standing.name,
        "points": standing.points,
        "points_by_source": dict(standing.points_by_source),
        "discord": discord
        and {
            "discord_id": discord.discord_id,
            "xp_total": discord.xp_total,
            "xp_carried": discord.xp_carried,
            "xp_to_next_point": discord.xp_to_next_point,
            "status": discord.status,
        },
    }
    if streak is not None:
        value["streak"] = {
            "current": streak.current,
            "longest": streak.longest,
            "active_today": streak.active_today,
            "at_risk": streak.at_risk,
            "next_milestone": streak.next_milestone,
        }
    return value


def of_standings(standings: Sequence[Standing]) -> dict[str, Any]:
    """Return where all members stand."""
    return {"members": [of_standing(standing) for standing in standings]}


def of_entry(entry: Entry) -> dict[str, Any]:
    """Return a line of the ledger."""
    change = entry.xp
    return {
        "position": entry.position,
        "kind": entry.kind,
        "source": entry.source,
        "points": entry.points,
        "day": entry.day.isoformat(),
        "at": entry.at.isoformat(),
        "silent": entry.silent,
        "key": entry.key,
        "reason": entry.reason,
        "by": entry.actor,
        "reverses": entry.reverses,
        "xp_before": change and change.xp_before,
        "xp_after": change and change.xp_after,
        "xp_carried": change and change.carried_after,
        "xp_carried_before": change and change.carried_before,
        "xp_baseline": change and change.baseline_after,
        "xp_baseline_before": change and change.baseline_before,
    }


def of_entries(entries: Sequence[Entry]) -> dict[str, Any]:
    """Return lines of the ledger."""
    return {"entries": [of_entry(entry) for entry in entries]}


def of_days(standing: Standing, days: Sequence[MemberDay], entries: Sequence[Entry]) -> dict[str, Any]:
    """Return what made each day of a member active, newest first, with the entries that count for it."""
    return {
        "member_id": standing.member_id,
        "days": [
            {
                "day": day.day.isoformat(),
                "mark": day.mark,
                "active": day.is_active,
                "evidence": [_evidence(one) for one in day.evidence],
                "entries": [of_entry(entry) for entry in entries if entry.day == day.day],
            }
            for day in reversed(days)
        ],
    }


def of_receipt(receipt: Receipt, standing: Standing) -> dict[str, Any]:
    """Return what became of points that were booked by hand."""
    return {
        "outcome": receipt.outcome,
        "member_id": standing.member_id,
        "points": standing.points,
        "entry": of_entry(receipt.entry),
        "late": receipt.late and _change(receipt.late),
    }


def of_settled(report: SettleReport) -> dict[str, Any]:
    """Return which days were settled, and which are pending."""
    return {
        "settled": [day.isoformat() for day in report.settled],
        "pending": [
            {"day": one.day.isoformat(), "cause": one.cause, "why": describe_pending(one)} for one in report.pending
        ],
    }


def of_excused(report: ExcuseReport) -> dict[str, Any]:
    """Return what became of an excused day."""
    return {
        "day": report.day.isoformat(),
        "outcome": report.outcome,
        "late": [_change(change) for change in report.late],
    }


def of_ranks(ranks: Sequence[Rank], own: Rank | None, month: date | None) -> dict[str, Any]:
    """Return the top of the leaderboard, and a member's own rank if it was asked for."""
    return {"month": month and f"{month:%Y-%m}", "ranks": [_rank(one) for one in ranks], "own": own and _rank(own)}


def _move(move: Move) -> dict[str, Any]:
    return {
        "member_id": move.account.member_id,
        "kind": move.kind,
        "points": move.points,
        "xp_before": move.account.xp_total,
        "xp_after": move.xp_total,
    }


def _evidence(one: Evidence) -> dict[str, Any]:
    return {
        "source": one.source,
        "position": one.position,
        "opens_at": one.opens_at and one.opens_at.isoformat(),
        "closes_at": one.closes_at and one.closes_at.isoformat(),
    }


def _rank(one: Rank) -> dict[str, Any]:
    return {"rank": one.rank, "member_id": one.member_id, "name": one.name, "points": one.points}


def _change(change: StreakChange) -> dict[str, Any]:
    return {
        "member_id": change.member_id,
        "current_before": change.current_before,
        "current_after": change.current_after,
        "longest_before": change.longest_before,
        "longest_after": change.longest_after,
    }


def of_status(status: Status, version: str | None) -> dict[str, Any]:
    """Return how the system does."""
    wait, last, lease, tally = status.wait, status.last_slot, status.lease, status.tally
    return {
        "healthy": status.is_healthy,
        "needs": [{"what": need.what, "advice": advice_of(need)} for need in status.needs],
        "at": status.at.isoformat(),
        "attended": status.is_attended,
        "good_at": status.good_at and status.good_at.isoformat(),
        "board_id": status.board_id,
        "failures": 0 if status.failure_run is None else status.failure_run.count,
        "failing": status.failure_run and _failure_run(status.failure_run),
        "troubles": [_trouble(trouble) for trouble in status.troubles],
        "wait": wait and {"kind": wait.kind, "until": wait.until.isoformat()},
        "pending": [
            {"day": one.day.isoformat(), "cause": one.cause, "why": describe_pending(one)} for one in status.pending
        ],
        "last_slot": last and {"slot": last.slot.isoformat(), "outcome": last.outcome, "at": last.at.isoformat()},
        "lease": lease
        and {"owner": lease.owner, "taken_at": lease.taken_at.isoformat(), "until": lease.until.isoformat()},
        "channels": [_channel(state) for state in status.shut_channels],
        "next_sync_at": status.next_sync_at.isoformat(),
        "next_settlement_at": status.next_settlement_at.isoformat(),
        "members": tally.members,
        "accounts": {kind: tally.accounts.get(kind, 0) for kind in get_args(AccountStatus)},
        "entries": tally.entries,
        "store": tally.store,
        "store_bytes": tally.size_bytes,
        "version": version,
    }


def _channel(state: ChannelState) -> dict[str, Any]:
    return {
        "channel": state.channel,
        "dead_since": state.dead_since and state.dead_since.isoformat(),
        "not_before": state.not_before and state.not_before.isoformat(),
        "why": state.why,
    }


def _failure_run(failure_run: FailureRun) -> dict[str, Any]:
    return {"since": failure_run.since.isoformat(), "kind": failure_run.kind, "message": describe_failures(failure_run)}


def _trouble(trouble: Trouble) -> dict[str, Any]:
    return {
        "topic": trouble.topic,
        "since": trouble.since.isoformat(),
        "title": trouble.title,
        "why": why_of(trouble),
        "meaning": trouble.meaning,
    }
