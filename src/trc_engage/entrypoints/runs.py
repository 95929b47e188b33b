"""What a run did, in a line for people and as JSON for scripts."""

from typing import Any

from ..core.incidents import Notice
from ..core.reports import RunReport, SettleReport, SyncReport
from .exits import told
from .jsonable import of_failure, of_report, of_settled
from .text import counted, points, safe


def line(report: RunReport) -> str | None:
    """Return what the run did; None if there was nothing to do."""
    parts = [_slot(report)] if report.outcome != "nothing" else []
    if report.settled:
        days = f"{report.settled[0]}" if len(report.settled) == 1 else f"{report.settled[0]} to {report.settled[-1]}"
        parts.append(f"settled {days}")
    if report.delivered:
        parts.append(f"{counted(len(report.delivered), 'notice')} delivered")
    if report.undelivered:
        parts.append(f"{counted(len(report.undelivered), 'notice')} not delivered")
    return safe("; ".join(parts)) if parts else None


def of_run(report: RunReport) -> dict[str, Any]:
    """Return what the run did."""
    return {
        "outcome": report.outcome,
        "at": report.at.isoformat(),
        "slot": report.slot and report.slot.isoformat(),
        "sync": report.sync and of_report(report.sync, dry_run=False),
        "error": report.error and _error(report),
        **of_settled(SettleReport(report.settled, report.pending)),
        "delivered": [_notice(one) for one in report.delivered],
        "undelivered": [_notice(one) for one in report.undelivered],
    }


def _slot(report: RunReport) -> str:
    if report.sync is not None:
        return f"{report.sync.outcome}: {points(report.sync.points)}; {_counts(report.sync)}"
    if report.error is not None:
        return f"{report.outcome}: {told(report.error)}"
    return f"{report.outcome}: the read was given up, and the next run does it"


def _counts(sync: SyncReport) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in sync.counts.items() if count) or "nobody looked for"


def _error(report: RunReport) -> dict[str, Any] | None:
    if report.error is None:
        return None
    failure = of_failure(report.error, dry_run=False)
    return {name: failure[name] for name in ("kind", "message", "retry_at")}


def _notice(notice: Notice) -> dict[str, Any]:
    return {"kind": notice.kind, "topic": notice.topic, "since": notice.since.isoformat(), "title": notice.title}
