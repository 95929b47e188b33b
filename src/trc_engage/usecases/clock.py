"""An admin's decisions about the clock: confirm a leap, or undo what was done while it ran ahead (R22)."""

from datetime import date, datetime
from typing import Literal

from attrs import evolve

from ..core import boards, slots, streaks as core_streaks
from ..core.boards import Sought
from ..core.errors import ClockLeapt, InvalidValue, SourceError
from ..core.ports import Clock, Store, XpSource
from ..core.posting import Posting, retry_on_conflict
from ..core.records import ClockDecision, Trace
from ..core.reports import ClockReport
from . import streaks
from .leases import Run, leased
from .sync import read_board


def confirm(ledger: Store, now: datetime, trace: Trace) -> ClockReport:
    """Confirm the current instant if it is held back; raises `ClockWentBack`."""
    run = Run(ledger)
    try:
        run.state.instant(now)
    except ClockLeapt:
        run.post(Posting(now, clock=_decision("confirmed", now, trace)))
        return ClockReport("confirmed", now)
    return ClockReport("unchanged", now)


def repair(
    ledger: Store, source: XpSource | None, clock: Clock, trace: Trace, *, dry_run: bool, trust_clock: bool
) -> ClockReport:
    """Undo what was done under a clock that ran ahead of this one, once the source's server agrees with this one.

    With `trust_clock` an admin has compared it instead. Raises `SourceError`, and `InvalidValue` if no server tells
    the time.
    """
    now = clock()
    decision = _decision("repaired", now, trace)
    if dry_run:
        return _planned(ledger, decision)[1]
    with leased(ledger, now) as run:
        if not trust_clock:
            _ask_server(run, source, clock, now)
        return retry_on_conflict(lambda: _repair(run, decision))


def _decision(kind: Literal["confirmed", "repaired"], now: datetime, trace: Trace) -> ClockDecision:
    return ClockDecision(kind, now, trace.actor or "", trace.reason or "")


def _ask_server(run: Run, source: XpSource | None, clock: Clock, now: datetime) -> None:
    """Read the board and compare this clock with its server's."""
    server_at = None
    if source is not None and (accounts := run.ledger.accounts_to_sync()):
        slots.keep_waiting(run.state.sync.wait_of(boards.id_of(source)), now)
        server_at = read_board(run, source, clock, Sought.of(accounts)).server_at
    if server_at is None:
        advice = (
            "no server tells the time here: compare this clock with one that you trust, and confirm that it is right"
        )
        raise InvalidValue("trust_clock", value=False, advice=advice)
    if clocks := boards.why_clocks_differ(now, server_at):
        raise SourceError("clock", clocks)


def _repair(run: Run, decision: ClockDecision) -> ClockReport:
    posting, report = _planned(run.ledger, decision)
    if report.outcome == "planned":
        run.post(posting)
        report = evolve(report, outcome="repaired")
    return report


def _planned(ledger: Store, decision: ClockDecision) -> tuple[Posting, ClockReport]:
    """Plan the repair. Days that stay settled keep all their evidence, so streaks are recomputed from it."""
    ahead, calendar = ledger.ahead(decision.at), ledger.calendar()
    if ahead.is_empty:
        return Posting(decision.at), ClockReport("unchanged", decision.at)
    after = evolve(calendar, settled_through=ahead.settled_through)
    activity = ledger.activity(after.settled_through or date.min)
    pairs = [(before, one) for before, one in core_streaks.all_recomputed(activity, after) if one != before]
    derived = streaks.of_pairs(pairs, calendar, streaks.LateChange("repair", calendar=after))
    posting = Posting(
        decision.at,
        drafts=ahead.drafts(decision),
        calendar=calendar,
        clock=decision,
        evidence=ahead.windows(decision.at),
    )
    counts = (ahead.syncs, ahead.days, len(ahead.rises), len(ahead.awards), ahead.others)
    report = ClockReport("planned", decision.at, *counts, derived.changes)
    return evolve(derived, revision=activity.revision).posted_with(posting), report
