"""A watch on every run: it forecasts what the run must do, checks what it did, and informs the oracle."""

from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from random import Random

from trc_engage.core.errors import LedgerBusy, SourceError
from trc_engage.core.reports import RunReport

from .audit import Audit
from .clock import Clock, slot_of
from .failures import Failures
from .forecast import check_forecast, forecast, is_distrust
from .notices import Notices
from .oracle import SLACK, Account, Decision, Oracle
from .pager import Pager
from .process import STORE_FAILED, Fate, Killed, Process
from .verdict import ANOTHER_BOARD, Verdict, check, judged

EVENTS_TOLD = 60
AT_ONCE = frozenset({"distrusted", "another_board", "clock"})
"""Failures of which an admin is notified at once."""
MADE = ("opened", "gained", "deducted", "points")
DEAD_PID = 2**22 + 1


class Watch:
    """What an observer knows of one deployment."""

    def __init__(self, clock: Clock, pager: Pager, audit: Audit, random: Random) -> None:
        self.clock = clock
        self.pager = pager
        self.audit = audit
        self.random = random
        self.oracle = Oracle()
        self.notices = Notices()
        self.failures = Failures()
        self.slots: dict[datetime, str] = {}
        self.good_run = 0
        self.made: tuple[int, ...] = ()
        """What the last good sync did, as it must be reported: the values of `MADE`."""
        self.attempts = 0
        """How many of the pager's attempts have been checked."""
        self.events: deque[str] = deque(maxlen=EVENTS_TOLD)
        self.story = sha256()
        self.befell: set[str] = set()
        """What happened to the processes, and at which step."""

    def note(self, *told: object) -> None:
        """Record an event."""
        line = f"{self.clock.at:%a %F %T} {' '.join(str(one) for one in told)}"
        self.events.append(line)
        self.story.update(line.encode())

    def digest(self) -> str:
        """Return a digest that tells two lives apart: of all that happened, and all that the ledger holds."""
        return sha256(self.story.digest() + self.audit.digest()).hexdigest()

    def died(self, process: Process) -> None:
        """Restart a process that was killed; in half of the cases its lease shows that it is dead."""
        self.note(process.name, "was killed at", process.befell)
        self.befell.add(f"killed at {process.befell}")
        process.reopen()
        if self.random.random() < 0.5:
            self.audit.bury(DEAD_PID, process.version)

    def run_due(self, process: Process, fate: Fate = ()) -> None:
        """Run, and check everything that a run may do."""
        process.begin(*fate)
        now = self.clock()
        process.began_at = max(now, self.oracle.seen_at or now)
        expected = forecast(now, process.address.board_id, self.oracle, self.slots, self.failures)
        report: RunReport | None = None
        try:
            report = process.engage.run_due()
        except Killed:
            self.died(process)
        except STORE_FAILED:
            if not process.befell:
                raise
        plain = not process.befell
        error = f"{type(report.error).__name__}" if report and report.error else ""
        kind = getattr(report.error, "kind", "") if report else ""
        self.note(process.name, "run:", report.outcome if report else "dead", error, kind, f"({expected})")
        if plain and report is not None:
            if report.outcome == "busy":
                check(self.audit.is_leased(now), f"busy, with nobody at work: {report.error}")
                check(isinstance(report.error, LedgerBusy), "busy, and nobody says why", report.error)
                check(not process.reads, "read the board without a lease")
            else:
                check_forecast(expected, report, len(process.reads))
        self._observe(process, report, None, report.error if report else None, plain=plain, by_slot=True)
        if plain and report is not None and report.sync is not None and process.reads:
            told = tuple(getattr(report.sync, name) for name in MADE)
            check(told == self.made, f"{MADE} reported as {told}, not {self.made}")
        self._settled(process, report, plain=plain)
        self._hear(process, report, plain=plain)
        if not plain:
            self.audit.check_points(self.oracle)

    def _observe(
        self,
        process: Process,
        report: RunReport | None,
        decision: Decision | None,
        error: Exception | None,
        *,
        plain: bool,
        by_slot: bool = False,
        dry_run: bool = False,
    ) -> None:
        """Check how a read ended, and apply what it posted."""
        board_id = process.address.board_id
        is_another = self.oracle.is_another(board_id) and decision != "adopt"
        verdict = self.take_in(process, decision, plain=plain)
        if is_another:
            check(not process.reads, "another board was read", board_id)
            verdict = ANOTHER_BOARD if not plain or is_distrust(error) else None
        state = process.ledger.run_state().sync
        posted = bool(process.reads) and process.reads[-1].is_taken_in
        check(not (posted and dry_run), "a dry run posted something")
        if verdict is not None and not posted and plain:
            check(dry_run or verdict.kind or verdict.either, "a good board was not posted")
            if report is not None:
                kind = report.error.kind if isinstance(report.error, SourceError) else None
                check(verdict.either or kind == verdict.kind, f"{verdict.kind} expected, not {kind}: {report.error}")
        self._slot_ended(process, report, process.began_at, posted=posted, by_slot=by_slot, plain=plain)
        if posted:
            self.failures.end(board_id, adopted=decision == "adopt")
        if verdict is None or verdict.kind or verdict.either or posted or not plain:
            failed = None if posted else verdict
            self.failures.follow(state, failed, board_id, process.told_at, plain=plain, dry_run=dry_run)

    def take_in(self, process: Process, decision: Decision | None, *, plain: bool) -> Verdict | None:
        """Judge the last read of a process, and apply it if it was posted."""
        state = process.ledger.run_state().sync
        check(state.good_run >= self.good_run, "runs vanished")
        read = process.reads[-1] if process.reads else None
        if read is None or (read.board is None and read.error is None):
            check(state.good_run == self.good_run, "a sync was posted that nobody read")
            return None
        if read.is_taken_in:
            return None
        sought = {one.discord_id for one, _, _ in read.snapshot}
        check(read.sought == sought, "others were sought than are linked", read.sought ^ sought)
        at = max(read.at, read.seen_at or read.at)
        accounts = [one for one, since, _ in read.snapshot if one.is_sought and (one.since == since or one.since <= at)]
        verdict = judged(read, self.oracle, accounts, at, decision, plain=plain)
        if state.good_run == self.good_run:
            return verdict
        check(verdict.sight is not None, f"a read was posted that failed ({verdict.kind})")
        check(not verdict.kind, f"a board was posted that is {verdict.kind}")
        check(state.good_at == at, "the wrong instant", state.good_at, at)
        if verdict.sight is not None:
            before = {one.number: (one.is_open, one.xp, one.baseline, one.points) for one in self.oracle.accounts}
            self.oracle.commit(accounts, verdict.sight, at, decision)
            self.made = _made(before, self.oracle.accounts)
            self.oracle.board_id = process.address.board_id
        self.good_run = state.good_run
        read.is_taken_in = True
        return verdict

    def _slot_ended(
        self, process: Process, report: RunReport | None, at: datetime, *, posted: bool, by_slot: bool, plain: bool
    ) -> None:
        """Check that the slot's end is recorded with the right outcome, and does not change."""
        slot = slot_of(at)
        end = process.ledger.run_state(slot).slot_end(slot)
        known = self.slots.get(slot)
        check(known is None or (end is not None and end.outcome == known), f"slot {slot} ended twice: {known}, {end}")
        if by_slot and plain and report is not None and report.slot is not None:
            check(end is not None and end.outcome == report.outcome, "the slot did not end so", report, end)
        if posted and by_slot:
            check(end is not None, "posted, but the slot stands open")
        for one in (end, None if plain else process.ledger.run_state().last_slot):
            if one is not None:
                self.slots[one.slot] = one.outcome

    def _settled(self, process: Process, report: RunReport | None, *, plain: bool) -> None:
        """Check which days were settled."""
        through, before = process.ledger.calendar().settled_through, self.oracle.calendar.settled_through
        assert before is not None
        refused = self.oracle.seen_at is not None and process.told_at < self.oracle.seen_at - SLACK
        # Nothing is settled by a clock that may be wrong.
        refused = refused or (isinstance(report, RunReport) and getattr(report.error, "kind", None) == "clock")
        if plain and (report is None or report.outcome == "busy" or refused):
            check(through == before, f"settled through {through}, not {before}")
            return
        if not plain:
            seen = self.oracle.seen_at
            at = max(process.told_at, self.clock())
            self.oracle.settle(max(at, seen or at), timedelta(minutes=5))
            assert through is not None
            latest = self.oracle.calendar.settled_through or before
            check(before <= through <= latest, f"settled through {through}, from {before}")
            self.oracle.calendar.settled_through = through
            self.oracle.seen_at = process.ledger.run_state().sync.seen_at
            return
        self.oracle.settle(process.told_at, timedelta(minutes=5))
        check(
            through == self.oracle.calendar.settled_through,
            f"settled through {through}, not {self.oracle.calendar.settled_through}",
        )

    def _hear(self, process: Process, report: RunReport | None, *, plain: bool) -> None:
        """Check what the admin was sent."""
        new = self.pager.attempts[self.attempts :]
        self.attempts += len(new)
        for number, attempt in enumerate(new):
            self.note("pager:", attempt.notice.kind, attempt.notice.topic, attempt.answer)
            sure = plain or (report is not None and report.outcome != "busy") or number < len(new) - 1
            self.notices.follow(attempt, sure=sure)
        if not plain:
            self.notices.perhaps |= {one.topic for one in process.ledger.run_state().notices_begun}
        webhook = self.notices.webhook
        webhook.check(process.ledger.run_state().channels, plain=plain)
        is_free = not webhook.is_shut(self.pager.fingerprint, process.told_at)
        is_through = plain and report is not None and report.outcome not in {"busy", "stopped"}
        if is_through and is_free and report is not None and not report.undelivered:
            self.notices.check_all_told(self.lasting(process.told_at), process.told_at)

    def lasting(self, now: datetime) -> set[str]:
        """Return the topics of which an admin must know."""
        topics = set()
        if self.oracle.sought and (self.failures.count >= 3 or self.failures.kinds & AT_ONCE):
            topics.add("source")
        due = self.oracle.next_day(now)
        if due is not None and due[1] == "decision":
            topics.add("frozen")
        if self.oracle.seen_at is not None and now < self.oracle.seen_at - SLACK:
            topics.add("clock")
        return topics


def _made(before: Mapping[int, tuple[bool, int, int, int]], accounts: Iterable[Account]) -> tuple[int, ...]:
    """Count the accounts that a sync opened, raised and lowered, and the points of all."""
    opened = gained = deducted = points = 0
    for one in accounts:
        was_open, xp, baseline, paid = before[one.number]
        opened += one.is_open and not was_open
        if was_open and one.baseline == baseline:
            gained += one.xp > xp
            deducted += one.xp < xp
        points += one.points - paid
    return opened, gained, deducted, points
