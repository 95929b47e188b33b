"""What scripts read: values as JSON, one object on one line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..core.errors import ClockWentBack, EngageError, LedgerBusy, LedgerFailed, SourceError
from .settings import SettingsError

if TYPE_CHECKING:
    from datetime import date, datetime

    from ..core.entries import Entry, Evidence
    from ..core.model import Move
    from ..core.reports import Enrolment, ExcuseReport, Receipt, SettleReport, StreakChange, SyncReport
    from ..core.views import MemberDay, Rank, Standing
    from .roster import Import

KINDS: tuple[tuple[type[EngageError], str], ...] = (
    (ClockWentBack, "clock"),
    (LedgerFailed, "store"),
    (LedgerBusy, "busy"),
    (SettingsError, "configuration"),
    (EngageError, "invalid"),
)
"""What a failed sync calls the errors that do not come from the source."""


def say_json(value: Mapping[str, Any]) -> None:
    """Write one line of JSON, in ASCII so that any stdout can take it."""
    # The web says the same things, and has no use for a command line.
    import typer  # noqa: PLC0415

    typer.echo(json.dumps(value))


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
    from .exits import told  # noqa: PLC0415

    retry_at: datetime | None = None
    if isinstance(error, SourceError):
        kind, retry_at = str(error.kind), error.retry_at
    else:
        kind = next(kind for known, kind in KINDS if isinstance(error, known))
    return {
        "outcome": "failed",
        "kind": kind,
        "message": told(error),
        "retry_at": retry_at and retry_at.isoformat(),
        "dry_run": dry_run,
    }


def of_enrolment(enrolment: Enrolment) -> dict[str, Any]:
    """Return what became of a member's enrolment or link."""
    return {"member_id": enrolment.member_id, "outcome": enrolment.outcome}


def of_import(result: Import) -> dict[str, Any]:
    """Return what became of a file's rows."""
    outcomes = [enrolment.outcome for enrolment in result.enrolments]
    return {
        "outcome": "imported" if result.is_written else "refused",
        "rows": result.rows,
        **{outcome: outcomes.count(outcome) for outcome in ("enrolled", "linked", "updated", "unchanged")},
        "bad": [{"line": row.line, "message": str(row.error)} for row in result.bad],
    }


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
        "pending": [{"day": one.day.isoformat(), "cause": one.cause, "why": one.why} for one in report.pending],
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
