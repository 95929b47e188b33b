"""What is written to a store, and the state of runs that it keeps."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TypeVar

from attrs import Factory, evolve, field, frozen

from .days import Calendar, Window
from .errors import ClockLeapt, Conflict, LedgerBusy, SourceTrouble
from .incidents import ChannelState, FailureRun, SentNotice, failed_again
from .model import Decision, DiscordActivity, Entry, HandKind, Link, Member, Move
from .records import ClockDecision, Excusal, MembershipEvent
from .reports import StreakChange, SyncReport
from .roster import RosterState, Round
from .settlement import days_watched
from .slots import CLOCK_SLACK, WAIT_MAX, SlotEnd, Wait, leaps, not_before
from .streaks import Milestone, Streak

Kept = TypeVar("Kept")
T = TypeVar("T")


@frozen
class SyncState:
    """What the store remembers of earlier syncs."""

    good_run: int = 0
    """The number of the last good sync's run, 0 before the first; a posting names the one it follows."""
    good_at: datetime | None = None
    """When the last good sync began to read."""
    whole_at: datetime | None = None
    """When the last read of a whole board began."""
    whole_rows: int | None = None
    """How many rows that board had."""
    seen_at: datetime | None = None
    """The latest sync, settlement or clock decision; time must not go back before it (R22)."""
    failure_run: FailureRun | None = None
    board_id: str | None = None
    """The board that the ledger's XP is from; empty for one without an id, None before the first (R24)."""
    waits: Mapping[str, Wait] = Factory(dict)
    """The last wait asked for by each board; that of "" may have been any board's."""
    last_run: int = 0
    """The number of the last run, good or failed."""

    def wait_of(self, board_id: str | None) -> Wait | None:
        """Return the wait that applies to a board; for None, the longest of all boards."""
        known = self.waits.values() if board_id is None else (self.waits.get(board_id), self.waits.get(""))
        return max(filter(None, known), key=lambda wait: wait.until, default=None)

    @property
    def wait(self) -> Wait | None:
        """The wait that applies to the ledger's own board."""
        return self.wait_of(self.board_id)

    @property
    def failures(self) -> int:
        """How many syncs failed in a row (R20)."""
        return 0 if self.failure_run is None else self.failure_run.count

    def after_run(self, run: "SyncRun", at: datetime) -> "SyncState":
        """Return the state after a good sync, which ends failures and its board's waits; an adoption ends all waits."""
        whole_at, whole_rows = (at, run.report.rows) if run.whole else (self.whole_at, self.whole_rows)
        over = self.waits.keys() if run.adopts else {run.board_id, ""}
        waits = {board_id: wait for board_id, wait in self.waits.items() if board_id not in over}
        number = self.last_run + 1
        after = SyncState(number, at, whole_at, whole_rows, self.seen_at, None, run.board_id, waits, number)
        return after.seen(at)

    def seen(self, at: datetime) -> "SyncState":
        """Return the state after something was done at an instant (R22)."""
        return evolve(self, seen_at=at if self.seen_at is None else max(at, self.seen_at))

    def after_failure(self, failure: "SyncFailure") -> "SyncState":
        """Return the state after a failed sync, with its failure, if it counts, and the wait asked for."""
        failure_run, waits = self.failure_run, dict(self.waits)
        if failure.counts:
            failure_run = failed_again(failure_run, failure.at, failure.kind, failure.message)
        if failure.board_id is not None:
            waits.pop(failure.board_id, None)
            if failure.retry_at is not None:
                waits[failure.board_id] = Wait(failure.kind, failure.retry_at)
        return evolve(self, failure_run=failure_run, waits=waits, last_run=self.last_run + 1)


@frozen
class SyncRun:
    """The record of a good sync, posted with what it changed."""

    report: SyncReport
    whole: bool
    follows: int
    """`SyncState.good_run` when it was planned."""
    board_id: str = ""
    """The id of its board (R24)."""
    decision: Decision | None = None
    """An admin's decision about the board."""

    @property
    def adopts(self) -> bool:
        """Whether the board replaces another."""
        return self.decision is not None and self.decision.kind == "adopt_board"


@frozen
class SyncFailure:
    """The record of a sync that failed."""

    at: datetime
    kind: SourceTrouble
    message: str
    counts: bool
    """Whether it counts toward an alert; a dry run does not (R20)."""
    retry_at: datetime | None = None
    board_id: str | None = ""
    """The board that was requested; None if none was, which leaves the waits unchanged."""


def drafted(
    kind: HandKind,
    member_id: str,
    source: str,
    points: int,
    day: date,
    at: datetime,
    key: str | None = None,
    reason: str | None = None,
    actor: str | None = None,
    reverses: int | None = None,
    counts_as_activity: bool = True,
) -> Entry:
    """Return a draft: an entry without a position (R8)."""
    what = kind, member_id, source, points, day, at
    return Entry(0, *what, False, None, key, reason, actor, reverses, None, counts_as_activity)  # noqa: FBT003


def booked(draft: Entry, position: int, at: datetime) -> Entry:
    """Return the entry that a draft becomes when it is booked."""
    return evolve(draft, position=position, booked_at=None if at == draft.at else at)


@frozen
class Booking:
    """What an award, adjustment or reversal is decided on, for one key and member."""

    calendar: Calendar
    is_member: bool
    """Whether the member is enrolled."""
    posted: Entry | None = None
    """The award or adjustment with the key."""
    reversal: Entry | None = None
    """The reversal of that award."""


@frozen
class Settlement:
    """A day to be settled, once (R15)."""

    day: date
    revision: int
    """`DayRecord.revision` when it was planned."""


@frozen
class Lease:
    """The right to do one task, until it expires or is released."""

    task: str
    owner: str
    taken_at: datetime
    until: datetime
    took_over: bool = field(default=False, eq=False)
    """Whether its previous owner never released it; only the new owner knows."""

    def is_free(self, at: datetime) -> bool:
        """Return whether another may take it: it expired, or was taken under a clock that ran ahead."""
        return not self.taken_at - CLOCK_SLACK <= at < self.until


@frozen
class Posting:
    """Everything one transaction writes, or nothing."""

    at: datetime
    members: Sequence[Member] = ()
    """Members to enroll or update."""
    moves: Sequence[Move] = ()
    """At most one per account."""
    links: Sequence[Link] = ()
    """Accounts to open, after the moves have freed their ids."""
    events: Sequence[MembershipEvent] = ()
    """Changes of members and links to record (R26)."""
    drafts: Sequence[Entry] = ()
    """Awards, reversals and adjustments."""
    streaks: Sequence[Streak] = ()
    """New streaks, at the versions they were planned on; at most one per member."""
    changes: Sequence[StreakChange] = ()
    """How news of settled days changed streaks (R28)."""
    reached: Sequence[Milestone] = ()
    """Lengths that longest streaks have reached; each is recorded only once per member (R17a)."""
    calendar: Calendar | None = None
    """The calendar that evidence and streaks were planned on."""
    run: SyncRun | None = None
    failure: SyncFailure | None = None
    slot: SlotEnd | None = None
    settlement: Settlement | None = None
    excusals: Sequence[Excusal] = ()
    revision: int | None = None
    """`Activity.revision` when everyone's streaks were recomputed."""
    sent: Sequence[SentNotice] = ()
    """Notices that were delivered."""
    begun: Sequence[SentNotice] = ()
    """Notices about to be sent, recorded first because the process may be killed while it sends."""
    withdrawn: Sequence[SentNotice] = ()
    """Notices that were begun but certainly not accepted."""
    channels: Sequence[ChannelState] = ()
    """Channel states to store; a plain one is removed."""
    round: Round | None = None
    clock: ClockDecision | None = None
    """A decision about the clock. A repair removes what is dated after its instant, but no entries."""
    evidence: Mapping[int, Window] = Factory(dict)
    """The windows, by account, that replace those removed by a repair."""
    lease: Lease | None = None
    """The lease it was planned under; if that is lost, nothing is written."""

    def changes_posted(self, positions: Sequence[int]) -> Sequence[StreakChange]:
        """Return the changes as stored, except for their numbers; `positions` are those of the drafts."""
        entries = {draft.member_id: position for draft, position in zip(self.drafts, positions, strict=True)}
        return [evolve(change, at=self.at, entry=entries.get(change.member_id)) for change in self.changes]

    @property
    def accounts(self) -> Iterator[DiscordActivity]:
        """The accounts that the moves were planned on."""
        return (move.account for move in self.moves)

    @property
    def concerned(self) -> set[str]:
        """The ids of members who must exist or be enrolled by this posting."""
        named: tuple[Sequence[Streak | Entry | MembershipEvent | Excusal | StreakChange | Milestone], ...] = (
            *(self.streaks, self.changes, self.reached),
            *(self.drafts, self.events, self.excusals),
        )
        return {one.member_id for each in named for one in each if one.member_id is not None}

    @property
    def is_of_a_run(self) -> bool:
        """Whether it records the outcome of a run, notices, channel states, or a clock decision."""
        notices = self.sent, self.begun, self.withdrawn, self.channels
        return any((self.clock, self.run, self.failure, self.slot, self.round, *notices))

    @property
    def repeats(self) -> bool:
        """Whether it names a member, account, Discord id, key, award or excusal twice, which no ledger may write."""
        named: tuple[Iterable[object], ...] = (
            (member.member_id for member in self.members),
            (account.account_id for account in self.accounts),
            (streak.member_id for streak in self.streaks),
            (link.member_id for link in self.links),
            (link.discord_id for link in self.links),
            (draft.key for draft in self.drafts if draft.key is not None),
            (draft.reverses for draft in self.drafts if draft.reverses is not None),
            ((excusal.member_id, excusal.day) for excusal in self.excusals),
        )
        return any(_is_repeated(names) for names in named)

    def fits(self, members: Mapping[str, Member], linked: Iterable[DiscordActivity], entries: Sequence[Entry]) -> bool:
        """Return whether links and drafts fit what is stored; `linked` are the accounts that are not unlinked.

        A link needs a known, unforgotten member and a Discord id, neither of them linked already (R7). A draft needs
        a new key, and a reversal an award that exists and is not yet reversed (R8).
        """
        freed = {move.account.account_id for move in self.moves if move.status == "unlinked"}
        taken = [account for account in linked if account.account_id not in freed]
        known = {**members, **{member.member_id: member for member in self.members}}
        free = {member_id for member_id, member in known.items() if not member.is_forgotten}
        free -= {account.member_id for account in taken}
        held = {account.discord_id for account in taken}
        keys = {entry.key for entry in entries if entry.key is not None}
        standing = {entry.position for entry in entries}.difference(entry.reverses for entry in entries)
        return all(link.member_id in free and link.discord_id not in held for link in self.links) and all(
            draft.key not in keys and draft.reverses in {None, *standing} for draft in self.drafts
        )


@frozen
class Derived:
    """Recomputed streaks to post, and how they changed."""

    streaks: Sequence[Streak] = ()
    changes: Sequence[StreakChange] = ()
    reached: Sequence[Milestone] = ()
    revision: int | None = None
    """`Activity.revision`, if they are everyone's."""

    def posted_with(self, posting: Posting) -> Posting:
        """Return the posting with these streaks added."""
        return evolve(
            posting,
            streaks=[*posting.streaks, *self.streaks],
            changes=[*posting.changes, *self.changes],
            reached=[*posting.reached, *self.reached],
            revision=self.revision,
        )


@frozen
class RunState:
    """Everything a run decides on, from one snapshot."""

    sync: SyncState = Factory(SyncState)
    calendar: Calendar = Factory(Calendar)
    unseen_since: datetime | None = None
    """Since when three or more accounts are looked for, if no board has ever shown any of them (R31)."""
    tracks_anyone: bool = False
    """Whether any account is waiting, tracked or absent."""
    rises: Mapping[date, int] = Factory(dict)
    """How many accounts' XP rose on each of `days_watched(calendar)`; may stop at `ROSE_THE_DAY_BEFORE_MIN`."""
    slots: Sequence[SlotEnd] = ()
    """How the requested slots ended, and the last one that ended; oldest first."""
    leases: Sequence[Lease] = ()
    """Every lease, expired or not, by task."""
    notices_sent: Sequence[SentNotice] = ()
    """The last notice of each topic that each channel accepted (R20), by channel and topic."""
    notices_begun: Sequence[SentNotice] = ()
    """The notices that were begun and whose outcome was not recorded (R20), by channel and topic."""
    channels: Sequence[ChannelState] = ()
    """The stored states of channels, by channel and fingerprint."""
    roster: RosterState = Factory(RosterState)

    @property
    def last_slot(self) -> SlotEnd | None:
        """The latest slot that has ended."""
        return self.slots[-1] if self.slots else None

    def slot_end(self, slot: datetime) -> SlotEnd | None:
        """Return how a requested slot ended; None while it is open (R18)."""
        return next((end for end in self.slots if end.slot == slot), None)

    @property
    def known_at(self) -> datetime | None:
        """The latest instant that time is known to have reached; after it, only a leap is held back (R22)."""
        ended_at = None if self.last_slot is None else self.last_slot.at
        return max(filter(None, (self.sync.seen_at, ended_at)), default=None)

    def unleapt(self, at: datetime) -> datetime:
        """Return the instant to record: for one that is held back, the last known one, so that it proves nothing."""
        return self.known_at or at if leaps(at, self.known_at) else at

    def instant(self, now: datetime, why: str = "no server has confirmed it") -> datetime:
        """Return the instant that counts as now; raises `ClockWentBack` and `ClockLeapt` (R22)."""
        known_at = self.known_at
        if known_at is not None and leaps(now, known_at):
            raise ClockLeapt(now, known_at, why)
        return not_before(now, self.sync.seen_at)

    def lease_of(self, task: str) -> Lease | None:
        """Return the lease on a task, expired or not."""
        return next((lease for lease in self.leases if lease.task == task), None)

    @property
    def is_current(self) -> bool:
        """Whether `rises` covers the days that matter; syncs, settlements and excusals clear it."""
        return all(day in self.rises for day in days_watched(self.calendar))

    def after(self, posting: Posting) -> "RunState":
        """Return the state after a posting; `rises` is empty where it must be read again."""
        is_repair = posting.clock is not None and posting.clock.kind == "repaired"
        before = self.brought_back(posting.at) if is_repair else self
        state = before.after_notices(posting)
        sync, calendar, rises = state.sync, state.calendar, state.rises
        if posting.run is not None:
            sync, rises = sync.after_run(posting.run, posting.at), {}
            if any(move.xp_total for move in posting.moves):
                state = evolve(state, unseen_since=None)
        if posting.failure is not None:
            sync, rises = sync.after_failure(posting.failure), {}
        if posting.settlement is not None:
            sync, calendar, rises = sync.seen(posting.at), evolve(calendar, settled_through=posting.settlement.day), {}
        if posting.clock is not None:
            sync = sync.seen(posting.at)
        for one in posting.excusals:
            calendar, rises = one.turned(calendar), {}
        slots = state.slots
        if posting.slot is not None:
            slots = sorted([*slots, posting.slot], key=lambda end: end.slot)
        roster = state.roster if posting.round is None else state.roster.after(posting.round)
        return evolve(state, sync=sync, calendar=calendar, rises=rises, slots=slots, roster=roster)

    def brought_back(self, at: datetime) -> "RunState":
        """Return the state after a repair, with nothing dated in the future (R22)."""
        waits = {board_id: wait for board_id, wait in self.sync.waits.items() if wait.until <= at + WAIT_MAX}
        sent, begun = (
            [evolve(one, since=min(one.since, at)) for one in found if one.at <= at]
            for found in (self.notices_sent, self.notices_begun)
        )
        return evolve(
            self,
            sync=evolve(self.sync, failure_run=None, waits=waits, seen_at=None),
            slots=[end for end in self.slots if max(end.slot, end.at) <= at],
            notices_sent=sent,
            notices_begun=begun,
            channels=[one for one in self.channels if max(one.dead_since or at, one.not_before or at) <= at],
            roster=evolve(self.roster, failure_run=None),
        )

    def after_notices(self, posting: Posting) -> "RunState":
        """Return the state after a posting's notices and channels."""
        sent = {_topic(one): one for one in (*self.notices_sent, *posting.sent)}
        begun = {_topic(one): one for one in (*self.notices_begun, *posting.begun)}
        for one in (*posting.sent, *posting.withdrawn):
            begun.pop(_topic(one), None)
        channels = {(one.channel, one.fingerprint): one for one in (*self.channels, *posting.channels)}
        return evolve(
            self,
            notices_sent=_in_order(sent),
            notices_begun=_in_order(begun),
            channels=[one for one in _in_order(channels) if not one.is_plain],
        )


def _is_repeated(names: Iterable[object]) -> bool:
    found = list(names)
    return len(set(found)) < len(found)


def _topic(one: SentNotice) -> tuple[str, str]:
    return one.channel, one.topic


def _in_order(found: Mapping[tuple[str, str], Kept]) -> list[Kept]:
    return [found[key] for key in sorted(found)]


ATTEMPTS_MAX = 8


def retry_on_conflict(attempt: Callable[[], T]) -> T:
    """Retry gather-decide-post until there is no `Conflict`; raises `LedgerBusy` after `ATTEMPTS_MAX` conflicts."""
    for _ in range(ATTEMPTS_MAX):
        try:
            return attempt()
        except Conflict as error:
            moved = error
    raise LedgerBusy(
        f"others changed the same accounts {ATTEMPTS_MAX} times in a row; nothing was written: try again"
    ) from moved
