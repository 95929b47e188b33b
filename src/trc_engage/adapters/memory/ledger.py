"""`MemoryLedger`: the store ports without a disk."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

from attrs import evolve

from ...core.audit.model import BALANCE, Breach, Change, Holdings, Rises, Unreadable, of_member
from ...core.errors import Conflict, LeaseLost
from ...core.incidents import failed_again
from ...core.model import (
    DISCORD,
    SILENT_KINDS,
    TOMBSTONE,
    Decision,
    DiscordActivity,
    Entry,
    Link,
    Member,
    Move,
    XpChange,
)
from ...core.posting import Draft, Posting, SyncFailure, SyncRun, SyncState, Wait
from .state import Running, State, Views


class Audited:
    """All that is held; in memory there is nothing that could not be read."""

    _state: State

    def holdings(self) -> Holdings:
        """Return all but the entries, as of one instant."""
        state = self._state
        with state.lock:
            groups: dict[tuple[date, datetime, datetime], list[int]] = defaultdict(list)
            for (day, account_id), window in state.discord_days.items():
                groups[day, window.opens_at, window.closes_at].append(account_id)
            return Holdings(
                len(state.entries),
                [*state.members.values()],
                [*state.accounts.values()],
                {member_id: dict(balance) for member_id, balance in state.balances.items()},
                [*state.streaks.values()],
                [Rises(*key, account_ids) for key, account_ids in groups.items()],
                state.calendar_now(),
            )

    def lines(self, *, after: int, limit: int) -> Sequence[Entry | Unreadable]:
        """Return everyone's entries above position `after`, oldest first."""
        with self._state.lock:
            return self._state.entries[after : after + limit]

    def irregularities(self) -> Sequence[Breach]:
        """Return where the n-th entry is not at position n, and keys that stand twice."""
        with self._state.lock:
            entries = list(self._state.entries)
        keys: dict[str, int] = {}
        found = []
        for position, entry in enumerate(entries, start=1):
            subject = f"entry {entry.position}"
            if entry.position != position:
                found.append(Breach("order", subject, "the position", entry.position, position))
            if entry.key is not None and keys.setdefault(entry.key, position) != position:
                expected = f"one: entry {keys[entry.key]} has it"
                found.append(Breach("key", subject, "its key", "there a second time", expected))
        return found

    def reword(self) -> Sequence[Change]:
        """Return nothing: here names are searched as they are."""
        return ()

    def rebalance(self) -> Sequence[Change]:
        """Make every balance the sum of its entries, and return which were not."""
        state = self._state
        with state.lock:
            sums: defaultdict[str, dict[str, int]] = defaultdict(dict)
            for entry in state.entries:
                by_source = sums[entry.member_id]
                by_source[entry.source] = by_source.get(entry.source, 0) + entry.points
            before, state.balances = state.balances, sums
        return [
            Change(
                BALANCE, of_member(member_id), f"the balance of {source!r}", kept.get(source, 0), summed.get(source, 0)
            )
            for member_id in sorted(before.keys() | sums.keys())
            for kept, summed in [(before.get(member_id, {}), sums.get(member_id, {}))]
            for source in sorted(kept.keys() | summed.keys())
            if kept.get(source, 0) != summed.get(source, 0)
        ]


def post(state: State, posting: Posting) -> Sequence[Entry]:
    """Write a posting, and return the entries of its drafts; raises `Conflict`."""
    _check(state, posting)
    for member in posting.members:
        state.members[member.member_id] = evolve(member, version=member.version + 1)
    decision = None if posting.run is None else posting.run.decision
    for move in sorted(posting.moves, key=lambda move: move.account.account_id):
        _move(state, move, posting.at, decision)
    for link in posting.links:
        account_id = len(state.accounts) + 1
        state.accounts[account_id] = _waiting(account_id, link)
    for member in posting.members:
        if member.is_forgotten:
            _forget(state, member)
    for streak in posting.streaks:
        state.streaks[streak.member_id] = evolve(streak, version=streak.version + 1)
    _turn_calendar(state, posting)
    _note(state, posting)
    return [_append(state, draft) for draft in posting.drafts]


def _check(state: State, posting: Posting) -> None:
    """Raise `Conflict` if anything is not as it was when the posting was planned, `LeaseLost` if its claim is gone."""
    if posting.lease is not None and not state.holds(posting.lease):
        raise LeaseLost
    if posting.slot is not None and posting.slot.slot in state.slots:
        raise LeaseLost
    settlement, excusal = posting.settlement, posting.excusal
    holds = (
        (posting.run is None or posting.run.follows == state.sync.good_run)
        and (posting.calendar is None or posting.calendar == state.calendar_now())
        and (settlement is None or settlement.revision == state.revision_of(settlement.day))
        and (excusal is None or excusal.revision is None or excusal.revision == state.revision())
        and all(_member_version(state, member.member_id) == member.version for member in posting.members)
        and all(state.accounts[move.account.account_id].version == move.account.version for move in posting.moves)
        and all(_version(state, streak.member_id) == streak.version for streak in posting.streaks)
        and _links_fit(state, posting)
        and _drafts_fit(state, posting.drafts)
    )
    if not holds:
        raise Conflict


def _member_version(state: State, member_id: str) -> int:
    member = state.members.get(member_id)
    return member.version if member else 0


def _version(state: State, member_id: str) -> int:
    streak = state.streaks.get(member_id)
    return streak.version if streak else 0


def _links_fit(state: State, posting: Posting) -> bool:
    """Tell whether each link's member is known and neither side is taken (R7)."""
    freed = {move.account.account_id for move in posting.moves if move.status == "unlinked"}
    taken = [account for account in state.linked() if account.account_id not in freed]
    members = [account.member_id for account in taken] + [link.member_id for link in posting.links]
    discord_ids = [account.discord_id for account in taken] + [link.discord_id for link in posting.links]
    members_after = {**state.members, **{member.member_id: member for member in posting.members}}
    known = {member_id for member_id, member in members_after.items() if not member.is_forgotten}
    return (
        len(set(members)) == len(members)
        and len(set(discord_ids)) == len(discord_ids)
        and all(link.member_id in known for link in posting.links)
    )


def _drafts_fit(state: State, drafts: Sequence[Draft]) -> bool:
    """Tell whether each draft's key is new, its member known and its award not yet reversed (R8)."""
    keys = {entry.key for entry in state.entries if entry.key is not None}
    reversed_positions = {entry.reverses for entry in state.entries if entry.reverses is not None}
    return all(
        draft.key not in keys and draft.reverses not in reversed_positions and draft.member_id in state.members
        for draft in drafts
    )


def _move(state: State, move: Move, at: datetime, decision: Decision | None) -> None:
    before = move.account
    if move.kind is not None and move.day is not None:
        first = move.kind == "opening"
        change = XpChange(
            before.account_id,
            None if first else before.xp_posted,
            move.xp_total,
            None if first else before.xp_baseline,
            move.xp_baseline,
        )
        silent = move.kind in SILENT_KINDS
        position = len(state.entries) + 1
        entry = Entry(position, move.kind, before.member_id, DISCORD, move.points, move.day, at, silent, change)
        if decision is not None and decision.entry_kind == move.kind:
            entry = evolve(entry, reason=decision.reason, actor=decision.actor)
        state.entries.append(entry)
    if move.points:
        state.add(before.member_id, DISCORD, move.points)
    if move.active and move.window is not None:
        for day in move.window.days:
            state.discord_days.setdefault((day, before.account_id), move.window)
    state.accounts[before.account_id] = evolve(
        before,
        version=before.version + 1,
        status=move.status,
        next_reading=move.next_reading,
        xp_baseline=move.xp_baseline,
        xp_total=move.xp_total,
        xp_high=move.xp_high,
        xp_posted=move.xp_posted,
        window_from=move.window_from,
    )


def _append(state: State, draft: Draft) -> Entry:
    entry = Entry(
        len(state.entries) + 1,
        draft.kind,
        draft.member_id,
        draft.source,
        draft.points,
        draft.day,
        draft.at,
        silent=False,
        key=draft.key,
        reason=draft.reason,
        actor=draft.actor,
        reverses=draft.reverses,
    )
    state.entries.append(entry)
    state.add(draft.member_id, draft.source, draft.points)
    return entry


def _forget(state: State, member: Member) -> None:
    for account_id, account in state.accounts.items():
        if account.member_id == member.member_id and account.status == "unlinked":
            state.accounts[account_id] = evolve(account, discord_id=TOMBSTONE)


def _turn_calendar(state: State, posting: Posting) -> None:
    if posting.settlement is not None:
        state.calendar = evolve(state.calendar, settled_through=posting.settlement.day)
        state.settled_at = posting.at
    if posting.excusal is not None:
        day = {posting.excusal.day}
        excused = state.calendar.excused | day if posting.excusal.reason else state.calendar.excused - day
        state.calendar = evolve(state.calendar, excused=excused, changes=state.calendar.changes + 1)


def _waiting(account_id: int, link: Link) -> DiscordActivity:
    return DiscordActivity(account_id, 1, link.member_id, link.discord_id, "waiting", "opens", 0, 0, 0, 0)


def _note(state: State, posting: Posting) -> None:
    """Write how a sync and its slot ended, and what was told."""
    if posting.run is not None:
        state.sync = _after_success(state.sync, posting.run, posting.at, next(state.runs))
    if posting.failure is not None:
        next(state.runs)
        state.sync = _after_failure(state.sync, posting.failure)
    if posting.slot is not None:
        state.slots[posting.slot.slot] = posting.slot
    state.begun |= {(told.channel, told.topic): told for told in posting.begun}
    state.told |= {(told.channel, told.topic): told for told in posting.told}
    for told in (*posting.told, *posting.withdrawn):
        state.begun.pop((told.channel, told.topic), None)
    for channel in posting.channels:
        state.channels.pop((channel.channel, channel.fingerprint), None)
        if not channel.is_plain:
            state.channels[channel.channel, channel.fingerprint] = channel


def _after_success(state: SyncState, run: SyncRun, at: datetime, number: int) -> SyncState:
    """Return the state that a good sync leaves: failures and the board's waits are over, and with it any other's."""
    whole_at, whole_rows = (at, run.report.rows) if run.whole else (state.whole_at, state.whole_rows)
    over = state.waits.keys() if run.adopts else {run.board_id, ""}
    waits = {board_id: wait for board_id, wait in state.waits.items() if board_id not in over}
    return SyncState(number, at, whole_at, whole_rows, board_id=run.board_id, waits=waits)


def _after_failure(state: SyncState, failure: SyncFailure) -> SyncState:
    """Return the state that a failed sync leaves: one failure more, if it counts, and the wait asked for."""
    failure_run, waits = state.failure_run, dict(state.waits)
    if failure.counts:
        failure_run = failed_again(failure_run, failure.at, failure.kind, failure.message)
    if failure.board_id is not None:
        waits.pop(failure.board_id, None)
        if failure.retry_at is not None:
            waits[failure.board_id] = Wait(failure.kind, failure.retry_at)
    return evolve(state, failure_run=failure_run, waits=waits)


class MemoryLedger(Views, Running, Audited):
    """A store for tests and trials: it lives as long as the process, and threads may share it."""

    def __init__(self) -> None:
        self._state = State()

    def post(self, posting: Posting, /) -> Sequence[Entry]:
        """Write a posting, all or nothing, and return the entries of its drafts; raises `Conflict`."""
        with self._state.lock:
            return post(self._state, posting)
