"""`MemoryLedger`: the promises of a store, without a disk."""

import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import count

from attrs import evolve

from ..core.days import Window
from ..core.errors import LedgerBusy, Moved
from ..core.model import (
    DISCORD,
    SILENT_KINDS,
    DiscordActivity,
    DiscordDay,
    DiscordStanding,
    Entry,
    Link,
    Member,
    Move,
    Standing,
    XpChange,
)
from ..core.ports import Claim, Posting, SyncFailure, SyncRun, SyncState, Wait


class MemoryLedger:
    """A store for tests and trials: it lives as long as the process, and threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._members: dict[str, Member] = {}
        self._accounts: dict[int, DiscordActivity] = {}
        self._entries: list[Entry] = []
        self._balances: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._days: dict[tuple[date, int], Window] = {}
        self._state = SyncState()
        self._runs = count(1)
        self._claims: dict[str, tuple[Claim, datetime]] = {}

    # The facts.

    def member(self, member_id: str, /) -> Member | None:
        """Return the member with this id."""
        return self._members.get(member_id)

    def account_of(self, member_id: str, /) -> DiscordActivity | None:
        """Return the member's account that is not unlinked."""
        with self._lock:
            return next((account for account in self._linked() if account.member_id == member_id), None)

    def holder_of(self, discord_id: str, /) -> DiscordActivity | None:
        """Return the account, not unlinked, that holds this Discord id."""
        with self._lock:
            return next((account for account in self._linked() if account.discord_id == discord_id), None)

    def accounts_to_sync(self) -> Sequence[DiscordActivity]:
        """Return every account that is waiting, tracked or absent, by account id."""
        with self._lock:
            return [account for account in self._linked() if account.status != "left"]

    def discord_days(self, member_id: str, first_day: date, last_day: date, /) -> Sequence[DiscordDay]:
        """Return what shows that the member was active on Discord, oldest day first."""
        with self._lock:
            return [
                DiscordDay(day, account_id, window.opens_at, window.closes_at)
                for (day, account_id), window in sorted(self._days.items(), key=lambda item: item[0])
                if first_day <= day <= last_day and self._accounts[account_id].member_id == member_id
            ]

    def post(self, posting: Posting, /) -> None:
        """Write a posting, all or nothing; raises `Moved`."""
        with self._lock:
            self._check(posting)
            for member in posting.members:
                self._members[member.member_id] = member
            for move in sorted(posting.moves, key=lambda move: move.account.account_id):
                self._move(move, posting.at)
            for link in posting.links:
                account_id = len(self._accounts) + 1
                self._accounts[account_id] = _opened(account_id, link)
            if posting.run is not None:
                self._state = _after(self._state, posting.run, posting.at, next(self._runs))

    def _check(self, posting: Posting) -> None:
        """Raise `Moved` before anything is written, so that nothing need be undone."""
        if posting.run is not None and posting.run.follows != self._state.good_run:
            raise Moved
        if any(self._accounts[move.account.account_id].version != move.account.version for move in posting.moves):
            raise Moved
        freed = {move.account.account_id for move in posting.moves if move.status == "unlinked"}
        taken = [account for account in self._linked() if account.account_id not in freed]
        members = {account.member_id for account in taken}
        discord_ids = {account.discord_id for account in taken}
        known = self._members.keys() | {member.member_id for member in posting.members}
        for link in posting.links:
            if link.member_id in members or link.discord_id in discord_ids or link.member_id not in known:
                raise Moved
            members.add(link.member_id)
            discord_ids.add(link.discord_id)

    def _move(self, move: Move, at: datetime) -> None:
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
            position = len(self._entries) + 1
            self._entries.append(
                Entry(position, move.kind, before.member_id, DISCORD, move.points, move.day, at, silent, change)
            )
        if move.points:
            balance = self._balances[before.member_id]
            balance[DISCORD] = balance.get(DISCORD, 0) + move.points
        if move.active and move.window is not None:
            for day in move.window.days:
                self._days.setdefault((day, before.account_id), move.window)
        self._accounts[before.account_id] = evolve(
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

    def _linked(self) -> Iterator[DiscordActivity]:
        return (account for account in self._accounts.values() if account.status != "unlinked")

    # The running.

    def sync_state(self) -> SyncState:
        """Return what is remembered of earlier syncs."""
        return self._state

    def record_failure(self, failure: SyncFailure, /) -> None:
        """Remember that a sync failed, and how long to keep away."""
        with self._lock:
            next(self._runs)
            wait = None if failure.retry_at is None else Wait(failure.kind, failure.retry_at)
            self._state = evolve(self._state, failures=self._state.failures + failure.counts, wait=wait)

    def claim(self, task: str, at: datetime, until: datetime, /) -> Claim:
        """Take the right to do a task; `LedgerBusy` says who has it."""
        with self._lock:
            if task in self._claims:
                held, taken_at = self._claims[task]
                if taken_at <= at < held.until:
                    message = f"another {task} is at work ({held.owner}), at the latest until {held.until:%H:%M:%S} UTC"
                    raise LedgerBusy(message)
            claim = Claim(task, f"thread {threading.get_ident()}", until)
            self._claims[task] = (claim, at)
            return claim

    def release(self, claim: Claim, /) -> None:
        """Give a claim back; one that was taken over meanwhile is left alone."""
        with self._lock:
            held, _ = self._claims.get(claim.task, (None, None))
            if held is claim:
                del self._claims[claim.task]

    # The views.

    def standing(self, member_id: str, /) -> Standing | None:
        """Return where a member stands."""
        with self._lock:
            member = self._members.get(member_id)
            return None if member is None else self._standing(member)

    def members(self) -> Sequence[Standing]:
        """Return where every member stands, by member id."""
        with self._lock:
            return [self._standing(member) for _, member in sorted(self._members.items())]

    def history(self, member_id: str, /, *, limit: int, before: int | None = None) -> Sequence[Entry]:
        """Return a member's entries, newest first, those below position `before`."""
        with self._lock:
            newest_first = reversed(self._entries if before is None else self._entries[: max(before - 1, 0)])
            return [entry for entry in newest_first if entry.member_id == member_id][:limit]

    def feed(self, *, after: int, limit: int) -> Sequence[Entry]:
        """Return everyone's entries above position `after`, oldest first."""
        with self._lock:
            return self._entries[after : after + limit]

    def _standing(self, member: Member) -> Standing:
        accounts = [account for account in self._accounts.values() if account.member_id == member.member_id]
        by_source = dict(self._balances.get(member.member_id, {}))
        discord = None
        if accounts:
            last = accounts[-1]
            discord = DiscordStanding(last.discord_id, last.status, last.xp_total, last.xp_carried)
        return Standing(member.member_id, member.name, sum(by_source.values()), by_source, discord)


def _opened(account_id: int, link: Link) -> DiscordActivity:
    return DiscordActivity(account_id, 1, link.member_id, link.discord_id, "waiting", "opens", 0, 0, 0, 0)


def _after(state: SyncState, run: SyncRun, at: datetime, number: int) -> SyncState:
    """Return the state that a good sync leaves: failures and waits are over."""
    whole_at, whole_rows = (at, run.report.rows) if run.whole else (state.whole_at, state.whole_rows)
    return SyncState(number, at, whole_at, whole_rows)
