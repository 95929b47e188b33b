"""What is due, done with nobody there; and whether all is well, and what to do if not."""

import logging
from collections.abc import Sequence
from datetime import datetime

from attrs import evolve, frozen

from ..core import days, incidents, sync as core_sync
from ..core.days import SETTLES_AFTER, SlotEnd, in_utc
from ..core.errors import ClockWentBack, KeptAway, LedgerBusy, ReadStopped, SourceError
from ..core.incidents import ChannelState, FailureRun, Trouble
from ..core.ports import Alerts, Clock, Store, XpSource
from ..core.posting import Lease, Posting, RunState, Wait
from ..core.reports import RunReport, Tally
from ..core.settlement import Pending
from . import notices, settlement
from .leases import TASK, Run, leased
from .sync import How, sync_leased

START = "start the daemon (`trc-engage daemon`), or have cron call `trc-engage run-due`"
ENROL = "enrol members (`trc-engage members enroll --help`)"


@frozen
class Need:
    """What is wrong, and what to do about it."""

    what: str
    advice: str


@frozen
class Status:
    """How the system does, as of one instant."""

    at: datetime
    is_attended: bool
    """Whether anything has run what is due of late."""
    troubles: Sequence[Trouble]
    good_at: datetime | None
    """When the last good sync began to read."""
    board_id: str | None
    """Whose board the points are of, empty for one without an id; None before a sync recorded it (R24)."""
    failure_run: FailureRun | None
    wait: Wait | None
    """A wait that the source asked for and that is not over."""
    pending: tuple[Pending, ...]
    last_slot: SlotEnd | None
    lease: Lease | None
    """Who is at work; None if nobody is."""
    next_sync_at: datetime
    next_settlement_at: datetime
    tally: Tally
    shut_channels: tuple[ChannelState, ...] = ()
    """Channels to admins to which nothing is sent: dead ones, and those that asked to be left alone."""

    @property
    def is_healthy(self) -> bool:
        """Whether nothing needs anybody."""
        return not self.needs

    @property
    def needs(self) -> tuple[Need, ...]:
        """What needs somebody, the most urgent first: while nothing runs, nothing else mends itself."""
        needs = [Need(trouble.title, trouble.why) for trouble in self.troubles]
        needs += [
            Need(f"alerts no longer arrive by {one.channel}, since {one.dead_since:%a %Y-%m-%d %H:%M} UTC", one.why)
            for one in self.shut_channels
            if one.dead_since is not None
        ]
        if not self.is_attended:
            needs.insert(0, self._unattended())
        elif not self.tally.members:
            # Perhaps it is not the store that was meant (R31).
            needs.insert(0, Need("nobody is enrolled", ENROL))
        return tuple(needs)

    @property
    def ran_at(self) -> datetime | None:
        """When anything was last seen to run: a slot that ended, or a good sync."""
        ended_at = None if self.last_slot is None else self.last_slot.at
        return max(filter(None, (ended_at, self.good_at)), default=None)

    @property
    def synced_accounts(self) -> int:
        """How many accounts a sync looks for."""
        return sum(self.tally.accounts.get(status, 0) for status in ("waiting", "tracked", "absent"))

    def _unattended(self) -> Need:
        if self.ran_at is not None:
            return Need(f"nothing has run since {self.ran_at:%a %Y-%m-%d %H:%M} UTC", START)
        if not self.tally.members:
            return Need("nobody is enrolled, and nothing has run yet", f"{ENROL}, then {START}")
        return Need("nothing has run yet", START)


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
        with leased(runner.ledger, report.at, days.slot_of(report.at)) as run:
            report = _end_slot(runner, run, report)
            if report.outcome == "stopped":
                return report
            if report.outcome != "nothing":
                run.renew(runner.instant())
            return _tell(runner, run, _settle(runner, run, report))
    except LedgerBusy as busy:
        logger.debug("busy: %s", busy)
        return report if report.outcome != "nothing" else evolve(report, outcome="busy", error=busy)


def _end_slot(runner: Runner, run: Run, report: RunReport) -> RunReport:
    """Sync, if the present slot is open; a slot that waits ends too (R18)."""
    try:
        at = core_sync.not_before(report.at, run.state.sync.seen_at)
        slot = days.slot_of(at)
        if runner.source is None or run.state.slot_end(slot):
            return report
        synced = sync_leased(run, runner.source, runner.clock, How(slot=slot))
        return evolve(report, outcome="synced", slot=slot, sync=synced)
    except KeptAway as error:
        run.post(Posting(at, slot=SlotEnd(slot, "waiting", at)))
        logger.info("waiting: %s", error)
        return evolve(report, outcome="waiting", slot=slot, error=error)
    except SourceError as error:
        return evolve(report, outcome="failed", slot=None if error.lease_lost else slot, error=error)
    except ClockWentBack as error:
        logger.warning("refused: %s", error)
        return evolve(report, outcome="failed", error=error)
    except ReadStopped:
        return evolve(report, outcome="stopped")


def _settle(runner: Runner, run: Run, report: RunReport) -> RunReport:
    """Settle what can be, from 00:05 UTC on; not by a clock that may be wrong, for what is settled stands (R22)."""
    if isinstance(report.error, SourceError) and report.error.kind == "clock":
        return report
    try:
        settled = settlement.settle(run, runner.instant(), after=SETTLES_AFTER)
    except ClockWentBack:
        return report
    return evolve(report, settled=settled.settled, pending=settled.pending)


def _tell(runner: Runner, run: Run, report: RunReport) -> RunReport:
    """Deliver the notices that are due."""
    now = runner.instant()
    lasting = _troubles(run.state, settlement.pending(run, now), now)
    delivery = notices.deliver(run, runner.alerts, lasting, runner.instant)
    return evolve(report, delivered=tuple(delivery.taken), undelivered=tuple(delivery.not_taken))


def _troubles(state: RunState, pending: Sequence[Pending], now: datetime) -> Sequence[Trouble]:
    """Return what is wrong, as the store shows it."""
    found = []
    try:
        core_sync.not_before(now, state.sync.seen_at)
    except ClockWentBack as error:
        found.append(incidents.clock_trouble(error))
    failure_run = state.sync.failure_run if state.tracks_anyone else None
    found += filter(None, (incidents.source_trouble(failure_run, pending), incidents.frozen_trouble(pending)))
    return found


def status(ledger: Store, now: datetime, alerts: Sequence[Alerts] = ()) -> Status:
    """Return how the system does."""
    run = Run(ledger, slot=days.slot_of(now))
    state, sync, pending = run.state, run.state.sync, settlement.pending(run, now)
    lease = state.lease_of(TASK)
    return Status(
        at=now,
        is_attended=days.is_attended(now, state.last_slot, sync.good_at),
        troubles=_troubles(state, pending, now),
        good_at=sync.good_at,
        board_id=sync.board_id,
        failure_run=sync.failure_run,
        wait=sync.wait if core_sync.is_kept_away(sync.wait, now) else None,
        pending=pending,
        last_slot=state.last_slot,
        lease=lease if lease and now < lease.until else None,
        next_sync_at=days.next_sync_at(now, state.slot_end(days.slot_of(now))),
        next_settlement_at=days.next_settlement_at(now),
        tally=ledger.tally(),
        shut_channels=notices.shut_channels(state.channels, alerts, now),
    )
