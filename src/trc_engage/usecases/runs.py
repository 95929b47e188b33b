"""Unattended runs of what is due, and the status of the system."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from attrs import Factory, evolve, frozen

from ..core import incidents, slots
from ..core.errors import ClockError, ClockLeapt, KeptAway, LedgerBusy, ReadStopped, SourceError
from ..core.incidents import ChannelState, FailureRun, Notice, Trouble
from ..core.ports import Alerts, Clock, Roster, Store, XpSource
from ..core.posting import Lease, Posting, RunState
from ..core.reports import RunReport, Tally
from ..core.roster import RosterState
from ..core.settlement import Pending
from ..core.slots import SETTLES_AFTER, SlotEnd, Wait
from . import notices, roster, settlement
from .leases import TASK, Run, leased
from .sync import How, sync_leased

NeedKind = Literal["unused", "not_running", "empty", "trouble", "channel"]
"""`unused`: no members, and nothing has run yet. `empty`: it runs, but there are no members."""
_RUN = "run what is due every few minutes"
NEEDS: Mapping[NeedKind, tuple[str, str]] = {
    "unused": ("nobody is enrolled, and nothing has run yet", f"enroll members, then {_RUN}"),
    "not_running": ("nothing has run yet", _RUN),
    "empty": ("nobody is enrolled", "enroll members"),
}
"""What is wrong and what to do about it, in plain words; entry points name their commands instead."""


@frozen
class Need:
    """Something that needs attention: the facts, and what to do about it."""

    kind: NeedKind
    since: datetime | None = None
    """When anything ran last, a trouble began or a channel stopped taking notices."""
    trouble: Trouble | None = None
    channel: ChannelState | None = None

    @property
    def what(self) -> str:
        """What is wrong, in one line."""
        if self.trouble is not None:
            return self.trouble.title
        if self.since is None:
            return NEEDS[self.kind][0]
        what = f"alerts no longer arrive by {self.channel.channel}," if self.channel else "nothing has run"
        return f"{what} since {incidents.moment(self.since)}"

    @property
    def advice(self) -> str:
        """What to do about it."""
        if self.trouble is not None:
            return self.trouble.why
        return NEEDS[self.kind][1] if self.channel is None else self.channel.why


@frozen
class LastSent:
    """An alert channel, with the time and topic of the last notice it took; None if it took none."""

    channel: str
    sent_at: datetime | None
    topic: str | None
    undelivered: tuple[Notice, ...]
    """Notices due to it that it has not taken yet."""


@frozen
class Status:
    """The state of the system, from one snapshot."""

    at: datetime
    is_attended: bool
    """Whether anything has called `run_due` recently."""
    troubles: Sequence[Trouble]
    good_at: datetime | None
    """When the last good sync began to read."""
    board_id: str | None
    """The board that the points are from, empty if it has no id; None until a sync has recorded it (R24)."""
    failure_run: FailureRun | None
    wait: Wait | None
    """A wait that the source asked for and that has not ended."""
    pending: tuple[Pending, ...]
    last_slot: SlotEnd | None
    lease: Lease | None
    """The lease of the current run; None if nothing is running."""
    next_sync_at: datetime
    next_settlement_at: datetime
    tally: Tally
    shut_channels: tuple[ChannelState, ...] = ()
    """Alert channels that are sent nothing: dead ones, and those that asked for a wait."""
    last_sent: tuple[LastSent, ...] = ()
    """One for each alert channel known here."""
    source_name: str = incidents.UNNAMED
    roster: RosterState = Factory(RosterState)

    @property
    def is_healthy(self) -> bool:
        """Whether nothing needs attention."""
        return not self.needs

    @property
    def needs(self) -> tuple[Need, ...]:
        """What needs attention, most urgent first: while nothing runs, no other trouble can clear."""
        troubles, failed = list(self.troubles), self.failure_run if self.synced_accounts else None
        if self.good_at is None and failed and "source" not in {one.topic for one in troubles}:
            # If no sync has ever worked, the settings may be wrong, so the failure is not a passing one.
            troubles.append(Trouble("source", failed.since, self.pending, failed, source_name=self.source_name))
        needs = [Need("trouble", trouble.since, trouble) for trouble in troubles]
        dead = [one for one in self.shut_channels if one.dead_since is not None]
        needs += [Need("channel", one.dead_since, channel=one) for one in dead]
        if not self.is_attended:
            is_new = self.ran_at is None and not self.tally.members
            needs.insert(0, Need("unused" if is_new else "not_running", self.ran_at))
        elif not self.tally.members:
            # This may be the wrong store (R31).
            needs.insert(0, Need("empty"))
        return tuple(needs)

    @property
    def ran_at(self) -> datetime | None:
        """When anything last ran: a slot that ended, or a good sync."""
        ended_at = None if self.last_slot is None else self.last_slot.at
        return max(filter(None, (ended_at, self.good_at)), default=None)

    @property
    def synced_accounts(self) -> int:
        """How many accounts a sync looks for."""
        return sum(self.tally.accounts.get(status, 0) for status in ("waiting", "tracked", "absent"))


logger: logging.Logger = logging.getLogger(__name__)


@frozen
class Ports:
    """The ports a run needs."""

    ledger: Store
    source: XpSource | None
    """None: slots are left for other processes to end."""
    clock: Clock
    alerts: Sequence[Alerts]
    source_name: str = incidents.UNNAMED
    """The source's name in messages."""
    roster: Roster | None = None


def run_due(ports: Ports) -> RunReport:
    """Run what is due, unless another process is already doing so; raises `LedgerFailed`.

    In order: the sync of the current slot, the days that can be settled, notices, a round of the roster. If nothing
    is due, nothing is written, not even a lease.
    """
    report = _run(ports)
    is_clock_wrong = isinstance(report.error, ClockError) or getattr(report.error, "kind", None) == "clock"
    if ports.roster is None or report.outcome in {"busy", "stopped"} or is_clock_wrong:
        return report
    return evolve(report, roster=roster.check_due(ports.ledger, ports.roster, ports.clock))


def _run(ports: Ports) -> RunReport:
    report = RunReport(ports.clock())
    try:
        seen = Run(ports.ledger, slot=slots.slot_of(report.at))
        pending = settlement.pending(seen, report.at)
        if not _is_due(ports, seen, pending, report.at):
            return RunReport(report.at, pending=pending)
        with leased(ports.ledger, report.at, slots.slot_of(report.at)) as run:
            report = _end_slot(ports, run, report)
            if report.outcome == "stopped":
                return report
            return _notify(ports, run, _settle(ports, run, report))
    except LedgerBusy as busy:
        logger.debug("busy: %s", busy)
        return report if report.outcome != "nothing" else evolve(report, outcome="busy", error=busy)


def _is_due(ports: Ports, run: Run, pending: Sequence[Pending], now: datetime) -> bool:
    """Return whether anything is due that needs the lease."""
    try:
        at = slots.not_before(now, run.state.sync.seen_at)
    except ClockError:
        return True
    if ports.source is not None and run.state.slot_end(slots.slot_of(at)) is None:
        return True
    if settlement.due(run, at, after=SETTLES_AFTER):
        return True
    lasting = _troubles(run.state, pending, now, ports.source_name)
    return notices.is_due(run.state, ports.alerts, lasting, now)


def _end_slot(ports: Ports, run: Run, report: RunReport) -> RunReport:
    """Sync if the current slot is open; a slot that waits ends too (R18)."""
    try:
        at = slots.not_before(report.at, run.state.sync.seen_at)
        slot = slots.slot_of(at)
        if ports.source is None or run.state.slot_end(slot):
            return report
        synced = sync_leased(run, ports.source, ports.clock, How(slot=slot))
        return evolve(report, outcome="synced", slot=slot, sync=synced)
    except KeptAway as error:
        run.post(Posting(at, slot=SlotEnd(slot, "waiting", run.state.unleapt(at))))
        logger.info("waiting: %s", error)
        return evolve(report, outcome="waiting", slot=slot, error=error)
    except SourceError as error:
        return evolve(report, outcome="failed", slot=None if error.lease_lost else slot, error=error)
    except ClockError as error:
        logger.warning("refused: %s", error)
        if isinstance(error, ClockLeapt):
            run.post(Posting(error.seen_at, slot=SlotEnd(slot, "failed", error.seen_at)))
        return evolve(report, outcome="failed", error=error)
    except ReadStopped:
        return evolve(report, outcome="stopped")


def _settle(ports: Ports, run: Run, report: RunReport) -> RunReport:
    """Settle what can be settled, from 00:05 UTC on, unless the clock may be wrong: days are settled once (R22)."""
    if isinstance(report.error, SourceError) and report.error.kind == "clock":
        return report
    try:
        settled = settlement.settle(run, ports.clock(), after=SETTLES_AFTER)
    except ClockError as error:
        return evolve(report, outcome="failed", error=error) if report.error is None else report
    return evolve(report, settled=settled.settled, pending=settled.pending)


def _notify(ports: Ports, run: Run, report: RunReport) -> RunReport:
    """Deliver the notices that are due."""
    now = ports.clock()
    lasting = _troubles(run.state, settlement.pending(run, now), now, ports.source_name)
    taken, not_taken = notices.deliver(run, ports.alerts, lasting, ports.clock, ports.source_name)
    return evolve(report, delivered=tuple(taken), undelivered=tuple(not_taken))


def _troubles(state: RunState, pending: Sequence[Pending], now: datetime, source_name: str) -> Sequence[Trouble]:
    """Return the troubles that the store shows."""
    found = []
    try:
        state.instant(now)
    except ClockError as error:
        found.append(incidents.clock_trouble(error))
    failure_run = state.sync.failure_run if state.tracks_anyone else None
    lasting = (
        incidents.failure_trouble(failure_run, pending),
        incidents.frozen_trouble(pending),
        incidents.failure_trouble(state.roster.failure_run, topic="roster"),
        incidents.unseen_trouble(state.unseen_since, state.sync.good_at),
    )
    found += filter(None, lasting)
    return [evolve(trouble, source_name=source_name) for trouble in found]


def status(ledger: Store, now: datetime, alerts: Sequence[Alerts] = (), source_name: str = incidents.UNNAMED) -> Status:
    """Return the state of the system."""
    run = Run(ledger, slot=slots.slot_of(now))
    state, sync, pending = run.state, run.state.sync, settlement.pending(run, now)
    lease, troubles = state.lease_of(TASK), _troubles(state, pending, now, source_name)
    return Status(
        at=now,
        is_attended=slots.is_attended(now, state.last_slot, sync.good_at),
        troubles=troubles,
        good_at=sync.good_at,
        board_id=sync.board_id,
        failure_run=sync.failure_run,
        wait=sync.wait if slots.is_kept_away(sync.wait, now) else None,
        pending=pending,
        last_slot=state.last_slot,
        lease=lease if lease and now < lease.until else None,
        next_sync_at=slots.next_sync_at(now, state.slot_end(slots.slot_of(now))),
        next_settlement_at=slots.next_settlement_at(now),
        tally=ledger.tally(),
        shut_channels=notices.shut_channels(state.channels, alerts, now),
        last_sent=tuple(
            _last_sent(state, one.channel, notices.due(state, one, troubles, now, source_name)) for one in alerts
        ),
        source_name=source_name,
        roster=state.roster,
    )


def _last_sent(state: RunState, channel: str, due: Sequence[Notice]) -> LastSent:
    taken = [one for one in state.notices_sent if one.channel == channel]
    last = max(taken, key=lambda one: one.at, default=None)
    return LastSent(channel, last.at if last else None, last.topic if last else None, tuple(due))
