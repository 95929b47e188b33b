"""What scripts read: values as JSON, one object on one line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from ..core.errors import ClockWentBack, EngageError, LedgerBusy, LedgerFailed, SourceError
from .settings import SettingsError

if TYPE_CHECKING:
    from ..core.entries import Entry
    from ..core.model import Move
    from ..core.reports import Enrolment, SyncReport
    from ..core.views import Standing
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
    typer.echo(json.dumps(value))


def of_report(report: SyncReport, *, dry_run: bool) -> dict[str, Any]:
    """Return what a sync did, or would do."""
    value: dict[str, Any] = {
        "outcome": report.outcome,
        "opened": report.opened,
        "gained": report.gained,
        "deducted": report.deducted,
        "rebased": report.rebased,
        "unchanged": report.unchanged,
        "absent": report.absent,
        "missed": report.missed,
        "points": report.points,
        "pages": report.pages,
        "rows": report.rows,
        "taken_at": report.taken_at.isoformat(),
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
        "message": str(error),
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
    discord = standing.discord
    return {
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


def of_standings(standings: Sequence[Standing]) -> dict[str, Any]:
    """Return where all members stand."""
    return {"members": [of_standing(standing) for standing in standings]}


def of_entries(entries: Sequence[Entry]) -> dict[str, Any]:
    """Return lines of the ledger."""
    return {"entries": [_entry(entry) for entry in entries]}


def _entry(entry: Entry) -> dict[str, Any]:
    change = entry.xp
    return {
        "position": entry.position,
        "kind": entry.kind,
        "source": entry.source,
        "points": entry.points,
        "day": entry.day.isoformat(),
        "at": entry.at.isoformat(),
        "silent": entry.silent,
        "xp_before": change and change.xp_before,
        "xp_after": change and change.xp_after,
        "xp_carried": change and change.carried_after,
        "xp_carried_before": change and change.carried_before,
        "xp_baseline": change and change.baseline_after,
        "xp_baseline_before": change and change.baseline_before,
    }


def _move(move: Move) -> dict[str, Any]:
    return {
        "member_id": move.account.member_id,
        "kind": move.kind,
        "points": move.points,
        "xp_before": move.account.xp_total,
        "xp_after": move.xp_total,
    }
