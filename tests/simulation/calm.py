"""Calm: within two slots of the last fault all is exact, whichever process is left, and nothing waits forever."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from .clock import slot_of
from .notices import WAIT_MAX as WEBHOOK_WAIT_MAX
from .oracle import KEPT_AWAY_MAX, SLACK
from .oracle.days import ONE_DAY, midnight
from .process import Process
from .status import check_status
from .verdict import check
from .world import QUARTER

if TYPE_CHECKING:
    from .life import Life

SLOTS = 2
REQUESTS_MAX = 11
"""For one read during calm; page lengths that would take more than ten pages are not kept."""
SETTLES_AT = timedelta(minutes=5)


class Calm:
    """What must hold when no fault strikes: now and then in a life, and always at its end."""

    def __init__(self, life: Life) -> None:
        self._life = life

    def look(self) -> None:
        """Check, two slots after the last fault of a life that goes on, that syncs succeed again."""
        if self._life.weather.calm_slots >= SLOTS and not self._has_aftermath():
            self._check_good(2 * QUARTER)

    def come(self) -> None:
        """End all faults for good and check that each process restores everything by itself within two slots."""
        life = self._life
        life.note("the last fault ends")
        life.weather.clear()
        life.is_calm = True
        if life.pager.is_gone:
            life.pager.renew()
        life.deploy()
        life.point()
        life.clock.error = timedelta(0)
        self._wait_for([life.oracle.seen_at, *life.failures.waits.values()], KEPT_AWAY_MAX)
        for process in life.processes[:: 1 if life.seed % 2 else -1]:
            self._two_slots(process)
        self._wait_for(list(life.notices.webhook.shut.values()), WEBHOOK_WAIT_MAX + SLACK)
        self._past_midnight(process)
        self._check_rest(process)

    def _has_aftermath(self) -> bool:
        """Return whether effects of a fault remain that the rules allow: a wait, a drop to decide on, a wrong clock."""
        life, now = self._life, self._life.clock()
        seen = life.oracle.seen_at
        return (
            life.failures.is_kept_away(life.server.home.board_id, now)
            or life.failures.is_distrusted
            or (seen is not None and now < seen)
            or life.slots.get(slot_of(now)) == "waiting"
        )

    def _wait_for(self, until: list[datetime | None], longest: timedelta) -> None:
        """Wait for what the rules allow to remain, and check that it does not remain for longer than they allow."""
        life = self._life
        last = max([life.clock.at, *filter(None, until)])
        check(last - life.clock.at <= longest, "all is calm, but something stands until", last)
        life.come_to(last)

    def _two_slots(self, process: Process) -> None:
        """Let one process run alone, and check that everything is exact."""
        life, reads = self._life, 0
        for number in range(SLOTS):
            life.world.counts = True
            life.come_to(slot_of(life.clock.at) + QUARTER)
            # No one speaks while the last board is read, so that what it must show is known.
            life.world.counts = number < SLOTS - 1
            self._run(process)
            reads += bool(process.reads)
        self._check_good(QUARTER)
        requests = len(process.reads[-1].log) if process.reads else 0
        check(reads < SLOTS or requests <= REQUESTS_MAX, f"all is calm, but {requests} requests make a read")
        for account in life.oracle.sought:
            truth = life.world.xp.get(account.discord_id)
            check(account.is_open, "all is calm, but somebody was never opened", account)
            check(truth is None or truth == account.xp, "all is calm, but not exact", account, truth)
        life.audit.check_points(life.oracle)

    def _run(self, process: Process) -> None:
        """Run, and let an admin decide what awaits a decision."""
        life = self._life
        life.run_due(process)
        if life.failures.is_distrusted:
            if not life.world.xp and life.oracle.is_another(life.server.home.board_id):
                life.world.give(min(life.world.here), 20)  # A board without any row cannot be adopted (R24).
            life.decide(process, life.season or "deduct")

    def _check_good(self, age_max: timedelta) -> None:
        """Check that the last sync was good and is recent."""
        life = self._life
        good, now = life.oracle.good_at, life.clock()
        check(good is not None and now - good < age_max, f"all is calm, but the last good sync was at {good}")
        check(life.failures.count == 0, "all is calm, but syncs fail")

    def _past_midnight(self, process: Process) -> None:
        """Let a day end; it and all before it must be settled, except those that await an admin's decision (R15)."""
        life = self._life
        life.world.counts = True
        life.come_to(midnight(life.clock.at.date() + ONE_DAY))
        self._run(process)
        life.come_to(midnight(life.clock.at.date()) + SETTLES_AT)
        self._run(process)
        while (due := life.oracle.next_day(life.clock())) is not None:
            check(due[1] == "decision", f"all is calm, but {due[0]} still waits for a {due[1]}")
            life.settle(process, due[0])
        life.run_due(process)

    def _check_rest(self, process: Process) -> None:
        """Check that no trouble, wait, lease, notice or damage is left, and that a run has nothing to do."""
        life, now = self._life, self._life.clock()
        check(not life.lasting(now), "all is calm, but something lasts", life.lasting(now))
        life.notices.check_all_told(set(), now)
        life.audit.check(life.oracle, life.members, exact_at=life.clock.told_at)
        life.audit.check_chains()
        state = process.ledger.run_state()
        check(not state.sync.waits, "all is calm, but a wait is kept", state.sync.waits)
        check(not state.leases, "all is calm, but somebody is at work", state.leases)
        check_status(life, process)
        status = process.engage.status()
        check(not status.pending and status.is_healthy, "all is calm, but", status.pending, status.needs)
        breaches = process.engage.audit().breaches
        check(not breaches, "all is calm, but the doctor finds", breaches)
        before = life.audit.digest()
        process.begin()
        outcome = process.engage.run_due().outcome
        check(outcome == "nothing" and not process.reads, "all is calm, but a run finds something to do", outcome)
        check(life.audit.digest() == before, "all is calm, but a run that did nothing wrote something")
