"""What is due, done once, whoever calls (R15, R18, R20)."""

import logging
from collections.abc import Sequence
from datetime import datetime

from attrs import evolve, frozen

from .core import incidents, slots, timing
from .core.days import in_utc
from .core.errors import ClockWentBack, KeptAway, LedgerBusy, ReadStopped, SourceError
from .core.health import Status
from .core.incidents import Trouble
from .core.ports import Alerts, Clock, Store, XpSource
from .core.postings import Claim, Posting
from .core.reports import RunReport
from .core.settling import Pending
from .core.slots import SETTLES_AFTER, SlotEnd
from .posting import notices, settling
from .posting.claims import TASK, claimed, renew
from .posting.sync import How, sync_claimed

logger = logging.getLogger(__name__)


@frozen
class Runner:
    """What a run needs of the world."""

    ledger: Store
    source: XpSource | None
    """None: slots are left for others to end."""
    clock: Clock
    alerts: Sequence[Alerts]

    def instant(self) -> datetime:
        """Return the present instant."""
        return in_utc("clock", self.clock())


def run_due(runner: Runner) -> RunReport:
    """Do what is due, unless somebody else is at it; raises `LedgerFailed`.

    First the sync of the present slot, then the days that can be settled, then the notices.
    """
    report = RunReport(runner.instant())
    try:
        with claimed(runner.ledger, report.at) as claim:
            report = _end_slot(runner, claim, report)
            if report.outcome == "stopped":
                return report
            renew(runner.ledger, claim, runner.instant())
            return _tell(runner, claim, _settle(runner, report))
    except LedgerBusy as busy:
        logger.debug("busy: %s", busy)
        return report if report.outcome != "nothing" else evolve(report, outcome="busy", error=busy)


def _end_slot(runner: Runner, claim: Claim, report: RunReport) -> RunReport:
    """Sync, if the present slot is open; a slot that waits ends too (R18)."""
    ledger = runner.ledger
    try:
        at = timing.not_before(report.at, ledger.sync_state().seen_at)
        slot = slots.slot_of(at)
        if runner.source is None or ledger.slot_end(slot):
            return report
        synced = sync_claimed(ledger, runner.source, runner.clock, How(slot=slot), claim)
        return evolve(report, outcome="synced", slot=slot, sync=synced)
    except KeptAway as error:
        ledger.post(Posting(at, slot=SlotEnd(slot, "waiting", at), claim=claim))
        logger.info("waiting: %s", error)
        return evolve(report, outcome="waiting", slot=slot, error=error)
    except SourceError as error:
        return evolve(report, outcome="failed", slot=None if error.lease_lost else slot, error=error)
    except ClockWentBack as error:
        logger.warning("refused: %s", error)
        return evolve(report, outcome="failed", error=error)
    except ReadStopped:
        return evolve(report, outcome="stopped")


def _settle(runner: Runner, report: RunReport) -> RunReport:
    """Settle what can be, from 00:05 UTC on; not by a clock that may be wrong, for what is settled stands (R22)."""
    if isinstance(report.error, SourceError) and report.error.kind == "clock":
        return report
    try:
        settled = settling.settle(runner.ledger, runner.instant(), after=SETTLES_AFTER)
    except ClockWentBack:
        return report
    return evolve(report, settled=settled.settled, pending=settled.pending)


def _tell(runner: Runner, claim: Claim, report: RunReport) -> RunReport:
    """Deliver the notices that are due."""
    now = runner.instant()
    lasting = _troubles(runner.ledger, settling.pending(runner.ledger, now), now)
    delivery = notices.deliver(runner.ledger, runner.alerts, lasting, runner.instant, claim)
    return evolve(report, delivered=tuple(delivery.taken), undelivered=tuple(delivery.not_taken))


def _troubles(ledger: Store, pending: Sequence[Pending], now: datetime) -> Sequence[Trouble]:
    """Return what is wrong, as the store shows it."""
    state = ledger.sync_state()
    found = []
    try:
        timing.not_before(now, state.seen_at)
    except ClockWentBack as error:
        found.append(incidents.clock_trouble(error))
    failing = state.failing if ledger.tracks_anyone() else None
    found += filter(None, (incidents.source_trouble(failing, pending), incidents.frozen_trouble(pending)))
    return found


def status(ledger: Store, now: datetime, alerts: Sequence[Alerts] = ()) -> Status:
    """Return how the system does."""
    state, last, lease = ledger.sync_state(), ledger.last_slot(), ledger.holder(TASK)
    pending = settling.pending(ledger, now)
    return Status(
        at=now,
        is_attended=slots.is_attended(now, last, state.good_at),
        troubles=_troubles(ledger, pending, now),
        good_at=state.good_at,
        board_id=state.board_id,
        failing=state.failing,
        wait=state.wait if timing.is_kept_away(state.wait, now) else None,
        pending=pending,
        last_slot=last,
        lease=lease if lease and now < lease.until else None,
        next_sync_at=slots.next_sync_at(now, ledger.slot_end(slots.slot_of(now))),
        next_settlement_at=slots.next_settlement_at(now),
        tally=ledger.tally(),
        shut_channels=notices.shut_channels(ledger, alerts, now),
    )
