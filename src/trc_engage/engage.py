"""`Engage`: the API for applications."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Self, TypeVar, Unpack

from attrs import evolve

from .core import boards
from .core.audit import Audit, Repair
from .core.errors import InvalidValue, LinkTaken, OnEventLoop, RosterMissing, SourceMissing
from .core.model import Decision, DecisionKind
from .core.ports import Alerts, Clock, Roster, Store, XpSource
from .core.posting import drafted
from .core.records import Excusal, Trace, TraceArguments
from .core.reports import (
    ClockReport,
    Enrollment,
    ExcuseReport,
    Receipt,
    ReconcileReport,
    RosterReport,
    RunReport,
    SettleReport,
    SyncReport,
)
from .core.streaks import MILESTONES
from .core.validation import (
    validate_actor,
    validate_day,
    validate_discord_id,
    validate_each,
    validate_member_id,
    validate_trace,
    validate_weekday,
)
from .reader import Reader
from .usecases import audit, awards, clock, members, roster, runs, settlement, sync
from .usecases.leases import Run
from .usecases.members import Newcomer
from .usecases.runs import Ports, Status

K = TypeVar("K", bound=str)


class Engage(Reader):
    """Members, their XP and their points, over a ledger and a source of your choice.

    Safe to share between threads and processes as far as its ledger is; the ledgers that come with
    this package are. Without a source everything works except reading a board. Every method may
    raise `LedgerBusy`, `LedgerFailed` and, for invalid arguments, `InvalidValue`.

    Writes may wait for other writers, so on an event loop they raise `OnEventLoop` instead of blocking it: use
    `AsyncEngage`, a thread, or `allow_event_loop`.
    """

    def __init__(
        self,
        *,
        ledger: Store,
        source: XpSource | None = None,
        clock: Clock,
        alerts: Sequence[Alerts] = (),
        milestones: Sequence[int] = MILESTONES,
        source_name: str | None = None,
        allow_event_loop: bool = False,
        roster: Roster | None = None,
    ) -> None:
        super().__init__(views=ledger, clock=clock, milestones=milestones)
        self._store = ledger
        self._allow_event_loop = allow_event_loop
        self._source = source
        self.has_source: bool = source is not None
        self._alerts = alerts
        self.source_name: str = boards.source_name(source) if source_name is None else source_name
        """The source's name in messages; defaults to its own `name`."""
        self._roster = roster

    def on(self, ledger: Store) -> Self:
        """Return a copy over another ledger, such as one that joins your transaction."""
        other = object.__new__(type(self))
        vars(other).update(vars(self), _store=ledger, _views=ledger)
        return other

    @property
    def _ledger(self) -> Store:
        """The ledger for writes; raises `OnEventLoop` on an event loop, unless that is allowed."""
        if not self._allow_event_loop and _is_on_event_loop():
            raise OnEventLoop
        return self._store

    def enroll(
        self, member_id: str, *, discord_id: str | None = None, name: str | None = None, **trace: Unpack[TraceArguments]
    ) -> Enrollment:
        """Enroll a member, or update the name and link; raises `LinkTaken` (R7).

        Here and below, `by`, `reason` and `note` record who did it and why (R26). The member can read the reason
        but not the note. Do not put names in them.
        """
        newcomer = Newcomer(member_id, discord_id, name)
        return members.enroll(self._ledger, newcomer, self._clock(), validate_trace(**trace))

    def enroll_all(
        self,
        newcomers: Sequence[Newcomer],
        *,
        skip_bad: bool = False,
        dry_run: bool = False,
        **trace: Unpack[TraceArguments],
    ) -> Sequence[Enrollment | LinkTaken]:
        """Enroll many in one posting; if any link is taken nothing is written, unless `skip_bad`.

        A dry run writes nothing and returns the outcome for each. `by`, `reason` and `note` apply to all.
        """
        newcomers = validate_each("newcomers", newcomers, Newcomer)
        how = {"skip_bad": skip_bad, "dry_run": dry_run}
        return members.enroll_all(self._ledger, newcomers, self._clock(), validate_trace(**trace), **how)

    def link(self, member_id: str, discord_id: str, **trace: Unpack[TraceArguments]) -> Enrollment:
        """Link a Discord id to a member (R7), with `by`, `reason`, `note`; raises `UnknownMember` and `LinkTaken`."""
        return members.link(self._ledger, member_id, discord_id, self._clock(), validate_trace(**trace))

    def unlink(self, member_id: str, **trace: Unpack[TraceArguments]) -> Enrollment:
        """Close the member's account, with `by`, `reason` and `note`; the points stay (R7). Raises `UnknownMember`."""
        return members.unlink(self._ledger, member_id, self._clock(), validate_trace(**trace))

    def leave(self, member_id: str, **trace: Unpack[TraceArguments]) -> Enrollment:
        """Note that the member left Discord (R6), with `by`, `reason`, `note`; raises `UnknownMember`, `NotLinked`."""
        return self.leave_all([member_id], **trace)[0]

    def leave_all(self, member_ids: Sequence[str], **trace: Unpack[TraceArguments]) -> Sequence[Enrollment]:
        """Note that members left Discord, all or none, as `leave` does; with `by`, `reason` and `note`."""
        member_ids = validate_each("member_ids", member_ids, str)
        return members.leave(self._ledger, member_ids, self._clock(), validate_trace(**trace))

    def rejoin(self, member_id: str, *, never_left: bool = False, **trace: Unpack[TraceArguments]) -> Enrollment:
        """Note that the member is back on Discord (R6); raises `UnknownMember` and `NotLinked`.

        `never_left` undoes a leave noted by mistake, even after a return was noted: the account is as if it had never
        left (R6a). This requires `by` and `reason`; `note` is optional.
        """
        return self.rejoin_all([member_id], never_left=never_left, **trace)[0]

    def rejoin_all(
        self, member_ids: Sequence[str], *, never_left: bool = False, **trace: Unpack[TraceArguments]
    ) -> Sequence[Enrollment]:
        """Note that members are back on Discord, all or none, as `rejoin` does; with `by`, `reason` and `note`."""
        member_ids = validate_each("member_ids", member_ids, str)
        said = validate_trace(**trace, is_needed=never_left)
        return members.rejoin(self._ledger, member_ids, self._clock(), said, never_left=never_left)

    def reconcile(
        self,
        present: Iterable[str],
        *,
        dry_run: bool = False,
        accept_departures: bool = False,
        **trace: Unpack[TraceArguments],
    ) -> ReconcileReport:
        """Note who left and who is back, from a list of all Discord ids on the server (R6, R25).

        Raises `RosterError` if 5 or more and more than 10 % of the members are missing from it, unless you pass
        `accept_departures` with `by` and `reason`, and optionally a `note`.
        """
        said = validate_trace(**trace, is_needed=accept_departures and not dry_run)
        ids = frozenset(map(validate_discord_id, present))
        return members.reconcile(self._ledger, ids, self._clock(), said, dry_run=dry_run, accept=accept_departures)

    def sync(
        self,
        *,
        dry_run: bool = False,
        fresh: bool = False,
        accept_drops: bool = False,
        rebase_drops: bool = False,
        adopt_board: bool = False,
        by: str | None = None,
        reason: str | None = None,
        shown: SyncReport | None = None,
    ) -> SyncReport:
        """Read the board and post what it means (R1-R7, R10, R19, R21, R22, R24).

        Answers from the last good reading if it is less than five minutes old, unless `fresh`. A board
        that would lower many members is refused unless an admin decides: `accept_drops` deducts,
        `rebase_drops` keeps the points. A different board is refused unless `adopt_board`, which keeps
        the points and counts from the new board on. `by` and `reason` record who decided and why; `adopt_board`
        requires them. `shown` is the dry run the decision was based on: if more would be lost by now, nothing
        changes. Raises `SourceError`, `ClockError`, `SourceMissing`.
        """
        if self._source is None:
            raise SourceMissing
        decided: dict[DecisionKind, bool] = {
            "accept_drops": accept_drops,
            "rebase_drops": rebase_drops,
            "adopt_board": adopt_board,
        }
        kind, trace = _decision(decided, by, reason, needing="" if dry_run else "adopt_board")
        decision = None if kind is None else Decision(kind, trace.actor, trace.reason)
        return sync.sync(self._ledger, self._source, self._clock, sync.How(dry_run, fresh, decision, shown=shown))

    def run_due(self) -> RunReport:
        """Run everything that is due: sync, settlement, notices to admins, roster check (R15, R18, R20, R25).

        Safe to call from a daemon, cron and web workers, even at the same time: each task runs once. Failures are in
        the report. Raises `LedgerFailed`, and whatever else your source raises that is not a `SourceError`.
        """
        return runs.run_due(
            Ports(self._ledger, self._source, self._clock, self._alerts, self.source_name, self._roster)
        )

    def check_roster(
        self,
        *,
        dry_run: bool = False,
        accept_departures: bool = False,
        by: str | None = None,
        reason: str | None = None,
    ) -> RosterReport:
        """Ask the roster about the members who are due, for at most a minute, and note who left and who is back (R25).

        If too many are gone at once, nothing is noted unless you pass `accept_departures` with `by` and `reason`.
        Failures are in the report. Raises `RosterMissing`, `ClockError`.
        """
        if self._roster is None:
            raise RosterMissing
        decided = {"accept_departures": accept_departures}
        kind, trace = _decision(decided, by, reason, needing="" if dry_run else "accept_departures")
        how = roster.HowToCheck(dry_run, trace if kind else None)
        return roster.check(self._ledger, self._roster, self._clock, how)

    def status(self) -> Status:
        """Return the state of the system: the last reading, failures, pending days, leases."""
        return runs.status(self._store, self._clock(), self._alerts, self.source_name)

    def audit(self) -> Audit:
        """Check every invariant of the store, even while others write to it; changes nothing.

        Raises `InvalidValue` for a custom ledger that does not implement `Records`.
        """
        return audit.audit(self._store)

    def repair(self) -> Repair:
        """Rebuild balances, streaks and search words that differ from entries, evidence and names, and audit again."""
        return audit.repair(self._ledger, self._clock())

    def award(
        self,
        member_id: str,
        *,
        source: str,
        points: int,
        key: str,
        at: datetime,
        counts_as_activity: bool = True,
        by: str | None = None,
    ) -> Receipt:
        """Award points for something that happened at `at`, once per key (R8).

        `at` may be in the past, or up to two minutes ahead. Its UTC day becomes active unless you pass
        `counts_as_activity=False`, as for a bonus (R17a). Raises `UnknownMember`, `KeyReused` and, if the award with
        this key was reversed, `Reversed`.
        """
        now = self._clock()
        what = member_id, source, points, now.date(), at, key
        draft = drafted("award", *what, actor=by, counts_as_activity=counts_as_activity)
        return awards.award(self._ledger, draft, now)

    def reverse(self, key: str, *, reason: str, by: str) -> Receipt:
        """Reverse the award with this key, including its activity (R8, R11); raises `UnknownAward`."""
        return awards.reverse(self._ledger, key, reason, by, self._clock())

    def adjust(self, member_id: str, *, points: int, key: str, reason: str, by: str) -> Receipt:
        """Add or take points by hand, once per key (R8); raises `UnknownMember` and `KeyReused`."""
        return awards.adjust(self._ledger, member_id, points, key, reason, by, self._clock())

    def settle(
        self, *, accept_quiet: date | None = None, by: str | None = None, reason: str | None = None
    ) -> SettleReport:
        """Settle every day that can be settled, oldest first; return which were, and which are pending and why (R15).

        `accept_quiet` is a day without any rise of XP that an admin confirms (R15a); `by` and `reason` record who
        did and why (R27). Raises `ClockError`.
        """
        now = self._clock()
        kind, trace = _decision({"accept_quiet": accept_quiet is not None}, by, reason, needing="")
        if accept_quiet is None or kind is None:
            return settlement.settle(Run(self._ledger), now)
        day = validate_day("accept_quiet", accept_quiet)
        quiet = Excusal(day, False, now, trace.actor or "unknown", trace.reason)  # noqa: FBT003
        return settlement.settle(Run(self._ledger), now, quiet)

    def confirm_clock(self, *, by: str, reason: str) -> ClockReport:
        """Confirm that the clock is right after a leap that no server confirms (R22).

        Raises `ClockWentBack`.
        """
        return clock.confirm(self._ledger, self._clock(), validate_trace(by, reason, is_needed=True))

    def repair_clock(
        self, *, by: str | None = None, reason: str | None = None, dry_run: bool = False, trust_clock: bool = False
    ) -> ClockReport:
        """Undo what was done while the clock ran ahead (R22); points stay.

        The board's server must agree with this clock, unless you have compared it yourself and pass `trust_clock`.
        A dry run makes no request and writes nothing; otherwise `by` and `reason` are required. Raises `SourceError`.
        """
        trace = validate_trace(by, reason, is_needed=not dry_run)
        return clock.repair(self._ledger, self._source, self._clock, trace, dry_run=dry_run, trust_clock=trust_clock)

    def excuse(
        self, *days: date, reason: str, by: str, member_id: str | None = None, note: str | None = None
    ) -> ExcuseReport:
        """Excuse weekdays, settled or not, so that they break no streak: everyone's, or one member's (R13, R13a, R16).

        The member may read the reason; the note is for admins. Raises `UnknownMember`.
        """
        return self._excuse(days, member_id, validate_trace(by, reason, note, is_needed=True), is_excused=True)

    def unexcuse(
        self, *days: date, by: str, reason: str | None = None, member_id: str | None = None, note: str | None = None
    ) -> ExcuseReport:
        """Require excused days again (R13, R13a, R16); raises `UnknownMember`."""
        trace = validate_trace(validate_actor(by), reason, note)
        return self._excuse(days, member_id, trace, is_excused=False)

    def _excuse(self, days: Sequence[date], member_id: str | None, trace: Trace, *, is_excused: bool) -> ExcuseReport:
        first, *_ = map(validate_weekday, days or (None,))
        alone = None if member_id is None else validate_member_id(member_id)
        meant = Excusal(first, is_excused, self._clock(), trace.actor or "", trace.reason, trace.note, alone)
        return settlement.excuse(self._ledger, days, meant)

    def hide(self, member_id: str, **trace: Unpack[TraceArguments]) -> Enrollment:
        """Hide a member from leaderboards; their own rank stays readable. Takes `by`, `reason` and `note`.

        Raises `UnknownMember`.
        """
        return members.hide(self._ledger, member_id, self._clock(), validate_trace(**trace), hidden=True)

    def show(self, member_id: str, **trace: Unpack[TraceArguments]) -> Enrollment:
        """Show a hidden member in leaderboards again, with `by`, `reason` and `note`; raises `UnknownMember`."""
        return members.hide(self._ledger, member_id, self._clock(), validate_trace(**trace), hidden=False)

    def forget(self, member_id: str, **trace: Unpack[TraceArguments]) -> Enrollment:
        """Replace the member's name and Discord ids by a tombstone; entries and sums stay (R9). Raises `UnknownMember`.

        Earlier reasons and notes about the member are erased; the `by`, `reason` and `note` of this call stay.
        If the store could not wipe its unused space, `remains` says why: forget the member again.
        """
        forgotten = members.forget(self._ledger, member_id, self._clock(), validate_trace(**trace))
        wipe = getattr(self._ledger, "wipe", lambda: None)
        return evolve(forgotten, remains=wipe())


def _is_on_event_loop() -> bool:
    """Return whether this thread runs an event loop, without importing asyncio, which is slow to load."""
    asyncio = sys.modules.get("asyncio")
    try:
        return asyncio is not None and asyncio.get_running_loop() is not None
    except RuntimeError:
        return False


def _decision(decided: Mapping[K, bool], by: str | None, reason: str | None, *, needing: str) -> tuple[K | None, Trace]:
    """Return the decision, if any, with who made it and why, both required for the kind in `needing` (R27)."""
    kinds: list[K | None] = [kind for kind, is_meant in decided.items() if is_meant]
    kind, *others = kinds or [None]
    if others:
        raise InvalidValue(str(others[0]), value=True, advice=f"decide for either {kind} or {others[0]}")
    if kind is not None:
        return kind, validate_trace(by, reason, is_needed=kind == needing)
    for field, value in {"by": by, "reason": reason}.items():
        if value is not None:
            raise InvalidValue(field, value, f"give it together with {', '.join(decided)}")
    return None, Trace()
