"""Days that are settled once, in order, and days that are excused (R13, R15, R16)."""

import logging
from datetime import date, datetime, timedelta

from attrs import evolve

from ..core import settlement as core_settlement, streaks as core_streaks, sync as core_sync
from ..core.days import ONE_DAY, Calendar
from ..core.ports import Store
from ..core.posting import Excusal, Posting, Settlement, SyncState
from ..core.reports import ExcuseReport, SettleReport
from ..core.settlement import Cause, Pending
from . import retry_on_conflict, streaks

logger = logging.getLogger(__name__)


def settle(
    ledger: Store, now: datetime, accept_quiet: date | None = None, after: timedelta = timedelta(0)
) -> SettleReport:
    """Settle every day that can be, oldest first; safe to repeat, and to run twice at the same time.

    `accept_quiet` is a day on which nobody's XP rose and an admin says that this is so (R15a);
    `after` is how long a day must have been over. Raises `ClockWentBack`.
    """
    now = core_sync.not_before(now, ledger.sync_state().seen_at)
    settled = []
    while day := retry_on_conflict(lambda: _settle_next(ledger, now, accept_quiet, after)):
        settled.append(day)
    return SettleReport(tuple(settled), pending(ledger, now))


def pending(ledger: Store, now: datetime) -> tuple[Pending, ...]:
    """Return the days that are over and not settled, oldest first, with the reason.

    What is remembered is asked for once, however many days there are; how many rose, only of the oldest.
    """
    calendar = ledger.calendar()
    oldest = _oldest(calendar)
    if oldest is None or not core_settlement.is_over(oldest, now):
        return ()
    state = ledger.sync_state()
    cause = _cause(ledger, oldest, calendar, state)
    return core_settlement.pending_from(oldest, now, cause, state.good_at if ledger.tracks_anyone() else now)


def _settle_next(ledger: Store, now: datetime, accept_quiet: date | None, after: timedelta) -> date | None:
    """Settle the oldest day that is over, if it can be; return it."""
    calendar = ledger.calendar()
    day = _oldest(calendar)
    if day is None or not core_settlement.is_over(day, now - after):
        return None
    cause = _cause(ledger, day, calendar, ledger.sync_state())
    if cause == "no_sync" or (cause == "frozen" and day != accept_quiet):
        return None
    record = ledger.day_record(day)
    longer = core_streaks.advance_all(record.active, day, calendar) if calendar.adds(day) else []
    ledger.post(Posting(now, streaks=longer, calendar=calendar, settlement=Settlement(day, record.revision)))
    logger.info("settled %s: %d active", day, len(record.active), extra={"day": f"{day}", "active": len(record.active)})
    return day


def _oldest(calendar: Calendar) -> date | None:
    """Return the oldest day that is not settled, which may not be over; None before the first enrolment."""
    return calendar.settled_through and calendar.settled_through + ONE_DAY


def _cause(ledger: Store, day: date, calendar: Calendar, state: SyncState) -> Cause | None:
    """Return why a day that is over cannot be settled; None if it can."""
    if not ledger.tracks_anyone():
        return None
    if not core_settlement.is_read_past(day, state.good_at):
        return "no_sync"
    if not calendar.is_required(day) or (rose := ledger.rose_on(day)):
        return None
    rose_before = ledger.rose_on(calendar.required_before(day))
    return "frozen" if core_settlement.is_frozen(day, calendar, rose, rose_before) else None


def excuse(ledger: Store, now: datetime, day: date, reason: str | None) -> ExcuseReport:
    """Excuse a weekday, or with None for a reason require it again; settled or not (R13, R16)."""

    def attempt() -> ExcuseReport:
        calendar = ledger.calendar()
        if (day in calendar.excused) == (reason is not None):
            return ExcuseReport(day, "unchanged")
        revision = ledger.revision()
        changed = evolve(calendar, excused=calendar.excused ^ {day})
        derived = streaks.Derived()
        if calendar.is_settled(day):
            derived = streaks.of_everyone(ledger, changed, calendar)
        excusal = Excusal(day, reason, revision if calendar.is_settled(day) else None)
        ledger.post(Posting(now, streaks=derived.streaks, calendar=calendar, excusal=excusal))
        return ExcuseReport(day, "required" if reason is None else "excused", derived.changes)

    return retry_on_conflict(attempt)
