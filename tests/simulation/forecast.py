"""What a run must do about the slot's sync, as an observer forecasts it."""

from collections.abc import Mapping
from datetime import datetime

from trc_engage.core.errors import ClockWentBack, SourceError
from trc_engage.core.reports import RunReport

from .clock import slot_of
from .failures import DISTRUST, Failures
from .oracle import CACHED_FOR, SLACK, Oracle
from .verdict import check

OUTCOMES = {
    "refused": {"failed"},
    "ended": {"nothing"},
    "another": {"failed"},
    "cached": {"synced"},
    "idle": {"synced"},
    "waiting": {"waiting"},
    "read": {"synced", "failed"},
}
"""How a run may end, by what was forecast."""


def forecast(now: datetime, board_id: str, oracle: Oracle, slots: Mapping[datetime, str], failures: Failures) -> str:
    """Return what a run on a board must do, one of the `OUTCOMES`, given how earlier slots ended."""
    seen = oracle.seen_at
    if seen is not None and now < seen - SLACK:
        return "refused"
    at = max(now, seen or now)
    if slot_of(at) in slots:
        return "ended"
    if oracle.is_another(board_id):
        return "another"
    good = oracle.good_at
    if good is not None and at - good < CACHED_FOR and good >= slot_of(at):
        return "cached"
    if failures.is_kept_away(board_id, at):
        return "waiting"
    return "read" if oracle.sought else "idle"


def is_distrust(error: object) -> bool:
    """Return whether an error says that a board is not trusted."""
    return isinstance(error, SourceError) and error.kind in DISTRUST


def check_forecast(expected: str, report: RunReport, reads: int) -> None:
    """Check that an undisturbed run that found no lease held did what was due."""
    outcomes = OUTCOMES[expected]
    check(report.outcome in outcomes, f"{expected} was expected, not {report.outcome}: {report.error}")
    check(reads == (expected == "read"), f"{reads} reads, but {expected} was expected")
    check((report.slot is None) == (expected in {"refused", "ended"}), "the wrong slot ended", report.slot)
    if expected == "another":
        check(is_distrust(report.error), "another board was not distrusted", report.error)
    if expected == "refused":
        check(isinstance(report.error, ClockWentBack), "not refused", report.error)
