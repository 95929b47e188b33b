"""Settling days, once and in order, and excusing them (R13, R15, R16)."""

import logging
from collections.abc import Collection
from datetime import date, datetime, timedelta

from attrs import evolve

from ..core import settlement as core_settlement, streaks as core_streaks
from ..core.errors import UnknownMember
from ..core.ports import Store
from ..core.posting import Posting, RunState, Settlement, retry_on_conflict
from ..core.records import Excusal
from ..core.reports import ExcuseReport, SettleReport
from ..core.settlement import Cause, Pending
from . import streaks
from .leases import Run

logger: logging.Logger = logging.getLogger(__name__)


def settle(run: Run, now: datetime, quiet: Excusal | None = None, after: timedelta = timedelta(0)) -> SettleReport:
    """Settle every day that can be settled, oldest first; safe to repeat, and to run twice at the same time.

    `quiet` requires a day without any rise of XP, because an admin confirms it (R15a), and is recorded if the day
    waited for it; `after` is how long a day must have been over. Raises `ClockError`.
    """
    now = run.state.instant(now)
    settled = []
    while day := retry_on_conflict(lambda: _settle_next(run, now, quiet, after)):
        settled.append(day)
    return SettleReport(tuple(settled), pending(run, now))


def pending(run: Run, now: datetime) -> tuple[Pending, ...]:
    """Return the days that are over and not settled, oldest first, with the reason."""
    oldest = _oldest(run, now)
    if oldest is None:
        return ()
    good_at = run.state.sync.good_at if run.state.tracks_anyone else now
    return core_settlement.pending_from(oldest, now, _cause(run.state, oldest), good_at)


def due(run: Run, now: datetime, accept_quiet: date | None = None, after: timedelta = timedelta(0)) -> date | None:
    """Return the oldest day that is over and not settled, if it can be settled."""
    day = _oldest(run, now - after)
    if day is None:
        return None
    cause = _cause(run.state, day)
    return None if cause == "no_sync" or (cause == "frozen" and day != accept_quiet) else day


def _settle_next(run: Run, now: datetime, quiet: Excusal | None, after: timedelta) -> date | None:
    """Settle the oldest day that is over, if it can be settled; return it."""
    day = due(run, now, None if quiet is None else quiet.day, after)
    if day is None:
        return None
    decided = [quiet] if quiet is not None and _cause(run.state, day) == "frozen" else []
    calendar, record = run.state.calendar, run.ledger.day_record(day)
    longer = core_streaks.advance_all(record.active, day, calendar) if calendar.adds(day) else []
    held = core_streaks.hold_all(record.excused, day, calendar)
    reached = core_streaks.newly_reached(zip(record.active, longer, strict=True)) if longer else []
    settled = Settlement(day, record.revision)
    posting = Posting(now, streaks=longer + held, reached=reached, calendar=calendar, settlement=settled)
    run.post(evolve(posting, excusals=decided))
    logger.info("settled %s: %d active", day, len(record.active), extra={"day": f"{day}", "active": len(record.active)})
    return day


def _oldest(run: Run, now: datetime) -> date | None:
    """Return the oldest day that is over and not settled; reload the state if its rises are out of date."""
    day = _next_over(run.state, now)
    if day is not None and not run.state.is_current:
        run.gather()
        day = _next_over(run.state, now)
    return day


def _next_over(state: RunState, now: datetime) -> date | None:
    day = state.calendar.next_day
    return day if day is not None and now >= core_settlement.ends_at(day) else None


def _cause(state: RunState, day: date) -> Cause | None:
    if not state.tracks_anyone:
        return None
    return core_settlement.cause_of(day, state.calendar, state.sync.good_at, state.rises)


def excuse(ledger: Store, days: Collection[date], meant: Excusal) -> ExcuseReport:
    """Excuse weekdays, settled or not, or require them again, as `meant` says (R13, R13a, R16).

    Raises `UnknownMember`.
    """
    member_id = meant.member_id

    def attempt() -> ExcuseReport:
        if member_id is not None and ledger.member(member_id) is None:
            raise UnknownMember(member_id)
        calendar = ledger.calendar(member_id)
        excused = calendar.excused if member_id is None else calendar.alone
        new = sorted({day for day in days if (day in excused) != meant.is_excused})
        unchanged = sorted({*days}.difference(new))
        if not new:
            return ExcuseReport("unchanged", (), unchanged, member_id)
        derived = streaks.of_excusal(ledger, calendar, new, meant)
        posting = Posting(meant.at, calendar=calendar, excusals=[evolve(meant, day=day) for day in new])
        ledger.post(derived.posted_with(posting))
        return ExcuseReport("excused" if meant.is_excused else "required", new, unchanged, member_id, derived.changes)

    return retry_on_conflict(attempt)
