"""What a `MemoryLedger` holds, and what it tells of it; whoever touches it holds the lock."""

import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import count

from attrs import define, evolve, field

from ...core.days import ONE_DAY, Calendar, SlotEnd, Window
from ...core.errors import LeaseLost, LedgerBusy
from ...core.incidents import ChannelState, SentNotice
from ...core.model import DISCORD, DiscordActivity, Entry, Evidence, Member
from ...core.posting import Lease, SyncState
from ...core.reports import DiscordStanding, Found, MemberFacts, Rank, Standing, Tally
from ...core.settlement import DayRecord
from ...core.streaks import Streak
from ...core.sync import CLOCK_SLACK
from ...core.validation import first_met, sought_words, words_of


@define(eq=False)
class State:
    """Everything, in plain containers."""

    lock: threading.RLock = field(factory=threading.RLock)
    members: dict[str, Member] = field(factory=dict)
    accounts: dict[int, DiscordActivity] = field(factory=dict)
    entries: list[Entry] = field(factory=list)
    """The entry at position n is the n-th."""
    balances: defaultdict[str, dict[str, int]] = field(factory=lambda: defaultdict(dict))
    discord_days: dict[tuple[date, int], Window] = field(factory=dict)
    streaks: dict[str, Streak] = field(factory=dict)
    calendar: Calendar = field(factory=Calendar)
    settled_at: datetime | None = None
    sync: SyncState = field(factory=SyncState)
    runs: Iterator[int] = field(factory=lambda: count(1))
    slots: dict[datetime, SlotEnd] = field(factory=dict)
    told: dict[tuple[str, str], SentNotice] = field(factory=dict)
    begun: dict[tuple[str, str], SentNotice] = field(factory=dict)
    channels: dict[tuple[str, str], ChannelState] = field(factory=dict)
    requests: dict[str, datetime] = field(factory=dict)
    leases: dict[str, Lease] = field(factory=dict)

    def linked(self) -> Iterator[DiscordActivity]:
        """Yield the accounts that are not unlinked."""
        return (account for account in self.accounts.values() if account.status != "unlinked")

    def awards(self) -> Iterator[Entry]:
        """Yield the awards that stand."""
        reversed_positions = {entry.reverses for entry in self.entries}
        return (entry for entry in self.entries if entry.kind == "award" and entry.position not in reversed_positions)

    def holds(self, lease: Lease) -> bool:
        """Tell whether a claim has not been given back or taken over."""
        held = self.leases.get(lease.task)
        return held is not None and held.owner == lease.owner

    def add(self, member_id: str, source: str, points: int) -> None:
        """Keep a balance in step."""
        balance = self.balances[member_id]
        balance[source] = balance.get(source, 0) + points

    def calendar_now(self) -> Calendar:
        """Return the calendar; days before the first enrolment count as settled."""
        if self.calendar.settled_through is not None or not self.members:
            return self.calendar
        first = min(member.enrolled_at.date() for member in self.members.values())
        return evolve(self.calendar, settled_through=first - ONE_DAY)

    def revision(self) -> int:
        """Return a number that grows with everything that may be evidence."""
        return len(self.entries) + self.sync.good_run

    def revision_of(self, day: date) -> int:
        """Count everything that ever came or went for a day."""
        by_hand = sum(entry.kind in {"award", "reversal"} and entry.day == day for entry in self.entries)
        return by_hand + self.rose_on(day)

    def rose_on(self, day: date) -> int:
        """Return how many accounts' XP rose on a day."""
        return sum(on == day for on, _ in self.discord_days)


class Facts:
    """Members, accounts, entries by key, evidence, days and streaks."""

    _state: State

    def member(self, member_id: str, /) -> Member | None:
        """Return the member with this id."""
        return self._state.members.get(member_id)

    def account_of(self, member_id: str, /) -> DiscordActivity | None:
        """Return the member's account that is not unlinked."""
        with self._state.lock:
            return next((account for account in self._state.linked() if account.member_id == member_id), None)

    def holder_of(self, discord_id: str, /) -> DiscordActivity | None:
        """Return the account, not unlinked, that holds this Discord id."""
        with self._state.lock:
            return next((account for account in self._state.linked() if account.discord_id == discord_id), None)

    def accounts_to_sync(self) -> Sequence[DiscordActivity]:
        """Return every account that is waiting, tracked or absent, by account id."""
        with self._state.lock:
            return [account for account in self._state.linked() if account.status != "left"]

    def linked_accounts(self) -> Sequence[DiscordActivity]:
        """Return every account that is not unlinked, by account id."""
        with self._state.lock:
            return [*self._state.linked()]

    def tracks_anyone(self) -> bool:
        """Tell whether any account is waiting, tracked or absent."""
        return bool(self.accounts_to_sync())

    def entry_of(self, key: str, /) -> Entry | None:
        """Return the award or adjustment that has this key."""
        with self._state.lock:
            return next((entry for entry in self._state.entries if entry.key == key), None)

    def reversal_of(self, position: int, /) -> Entry | None:
        """Return the entry that takes the award at this position back."""
        with self._state.lock:
            return next((entry for entry in self._state.entries if entry.reverses == position), None)

    def evidence(self, member_id: str, first_day: date, last_day: date, /) -> Sequence[Evidence]:
        """Return what shows that the member was active from day to day, oldest first."""
        with self._state.lock:
            found = [
                Evidence(award.day, award.source, award.position)
                for award in self._state.awards()
                if award.member_id == member_id
            ]
            found += [
                Evidence(day, DISCORD, None, account_id, window.opens_at, window.closes_at)
                for (day, account_id), window in self._state.discord_days.items()
                if self._state.accounts[account_id].member_id == member_id
            ]
        found.sort(key=lambda one: (one.day, one.position or 0, one.account_id or 0))
        return [one for one in found if first_day <= one.day <= last_day]

    def calendar(self) -> Calendar:
        """Return which days are excused, and through which day all are settled."""
        with self._state.lock:
            return self._state.calendar_now()

    def first_evidence_day(self) -> date | None:
        """Return the oldest day for which there is any evidence."""
        with self._state.lock:
            days = {day for day, _ in self._state.discord_days}
            days |= {entry.day for entry in self._state.entries if entry.kind == "award"}
        return min(days, default=None)

    def day_record(self, day: date, /) -> DayRecord:
        """Return who was active on a day, with their streaks."""
        with self._state.lock:
            active = {
                self._state.accounts[account_id].member_id for on, account_id in self._state.discord_days if on == day
            }
            active |= {award.member_id for award in self._state.awards() if award.day == day}
            return DayRecord([self.streak_of(member_id) for member_id in sorted(active)], self._state.revision_of(day))

    def rose_on(self, day: date, /) -> int:
        """Return how many accounts' XP rose on a day."""
        with self._state.lock:
            return self._state.rose_on(day)

    def streak_of(self, member_id: str, /) -> Streak:
        """Return the member's stored streak; one of version 0 if none is stored."""
        return self._state.streaks.get(member_id) or Streak(member_id)

    def streaks(self) -> Sequence[Streak]:
        """Return every stored streak, by member id."""
        with self._state.lock:
            return [streak for _, streak in sorted(self._state.streaks.items())]

    def revision(self) -> int:
        """Return a number that grows with everything that may be evidence."""
        with self._state.lock:
            return self._state.revision()


_numbers = count(1)


class Running:
    """Runs, waits, slots, notices and claims."""

    _state: State

    def sync_state(self) -> SyncState:
        """Return what is remembered of earlier syncs."""
        with self._state.lock:
            seen = [at for at in (self._state.sync.good_at, self._state.settled_at) if at is not None]
            return evolve(self._state.sync, seen_at=max(seen, default=None))

    def slot_end(self, slot: datetime, /) -> SlotEnd | None:
        """Return how a slot ended; None as long as it is open."""
        with self._state.lock:
            return self._state.slots.get(slot)

    def last_slot(self) -> SlotEnd | None:
        """Return the latest slot that has ended."""
        with self._state.lock:
            return max(self._state.slots.values(), key=lambda end: end.slot, default=None)

    def told(self) -> Sequence[SentNotice]:
        """Return the last notice of each topic that each channel took."""
        with self._state.lock:
            return [*self._state.told.values()]

    def notices_begun(self) -> Sequence[SentNotice]:
        """Return the notices that were about to be sent, and of which nobody noted what became."""
        with self._state.lock:
            return [*self._state.begun.values()]

    def channels(self) -> Sequence[ChannelState]:
        """Return what is remembered of channels, by channel and fingerprint."""
        with self._state.lock:
            return [state for _, state in sorted(self._state.channels.items())]

    def holder(self, task: str, /) -> Lease | None:
        """Return who has claimed a task, expired or not."""
        with self._state.lock:
            return self._state.leases.get(task)

    def lease(self, task: str, at: datetime, until: datetime, /) -> Lease:
        """Take the right to do a task; `LedgerBusy` says who has it."""
        with self._state.lock:
            held = self._state.leases.get(task)
            if held is not None and held.taken_at - CLOCK_SLACK <= at < held.until:
                message = f"another {task} is at work ({held.owner}), at the latest until {held.until:%H:%M:%S} UTC"
                raise LedgerBusy(message)
            lease = Lease(task, f"thread {threading.get_ident()}, run {next(_numbers)}", at, until)
            self._state.leases[task] = lease
            return evolve(lease, took_over=held is not None)

    def renew(self, lease: Lease, until: datetime, /) -> None:
        """Hold a claim for longer; raises `LeaseLost` if somebody else has it by now."""
        with self._state.lock:
            if not self._state.holds(lease):
                raise LeaseLost
            self._state.leases[lease.task] = evolve(lease, until=until)

    def next_request_at(self, task: str, /) -> datetime | None:
        """Return when the next request to the source may go out, whoever asks."""
        with self._state.lock:
            return self._state.requests.get(task)

    def keep_request(self, task: str, next_at: datetime, /) -> None:
        """Remember when the next request may go out."""
        with self._state.lock:
            self._state.requests[task] = next_at

    def release(self, lease: Lease, /) -> None:
        """Give a claim back; one that was taken over meanwhile is left alone."""
        with self._state.lock:
            if self._state.holds(lease):
                del self._state.leases[lease.task]


class Views(Facts):
    """What people read."""

    _state: State

    def facts(self, member_id: str, today: date, /) -> MemberFacts | None:
        """Return all that makes up where a member stands, as of one instant."""
        with self._state.lock:
            member = self._state.members.get(member_id)
            if member is None:
                return None
            calendar = self._state.calendar_now()
            open_from = calendar.unsettled_until(today)[:1] or (today,)
            open_days = frozenset(one.day for one in self.evidence(member_id, open_from[0], today))
            return MemberFacts(
                self._standing(member), member.enrolled_at, self.streak_of(member_id), calendar, open_days
            )

    def members(self, *, after: str = "", limit: int | None = None) -> Sequence[Standing]:
        """Return where the members beyond an id stand, by member id, without the streaks; all of them for None."""
        with self._state.lock:
            beyond = sorted(member_id for member_id in self._state.members if member_id > after)
            return [self._standing(self._state.members[member_id]) for member_id in beyond[:limit]]

    def find(self, text: str, /, *, limit: int) -> Sequence[Found]:
        """Return who has just this id, then who holds this Discord id, then who has all its words in the name."""
        sought = sought_words(text)
        with self._state.lock:
            known = self._state.members
            by_id = {text} & known.keys() | {one.member_id for one in self._state.linked() if one.discord_id == text}
            named = {member.member_id: words_of(member.name or "") for member in self._visible()}
            ranked = sorted((first, who) for who, words in named.items() if (first := first_met(sought, words)))
            order = [*sorted(by_id), *(who for _, who in ranked if who not in by_id)]
            return [Found(who, known[who].name) for who in order[:limit]]

    def history(self, member_id: str, /, *, limit: int, before: int | None = None) -> Sequence[Entry]:
        """Return a member's entries, newest first, those below position `before`."""
        with self._state.lock:
            entries = self._state.entries if before is None else self._state.entries[: max(before - 1, 0)]
            return [entry for entry in reversed(entries) if entry.member_id == member_id][:limit]

    def feed(self, *, after: int, limit: int) -> Sequence[Entry]:
        """Return everyone's entries above position `after`, oldest first."""
        with self._state.lock:
            return self._state.entries[after : after + limit]

    def ranking(self, month: date | None, /, *, limit: int) -> Sequence[Rank]:
        """Return the top of the visible members by the points of a month, named by its first day, or of all time."""
        with self._state.lock:
            ranks = [self._rank(member, month) for member in self._visible()]
        return sorted(ranks, key=lambda rank: (rank.rank, rank.member_id))[:limit]

    def tally(self) -> Tally:
        """Return how much the store holds."""
        with self._state.lock:
            accounts = Counter(account.status for account in self._state.accounts.values())
            return Tally("memory", None, len(self._state.members), dict(accounts), len(self._state.entries))

    def rank_of(self, member_id: str, month: date | None, /) -> Rank | None:
        """Return a member's own rank among the visible ones, even of a hidden member; months as in `ranking`."""
        with self._state.lock:
            member = self._state.members.get(member_id)
            return None if member is None else self._rank(member, month)

    def _rank(self, member: Member, month: date | None) -> Rank:
        points = self._points(member.member_id, month)
        ahead = sum(self._points(other.member_id, month) > points for other in self._visible())
        return Rank(1 + ahead, member.member_id, member.name, points)

    def _points(self, member_id: str, month: date | None) -> int:
        entries = (entry for entry in self._state.entries if entry.member_id == member_id)
        return sum(entry.points for entry in entries if month in {None, entry.day.replace(day=1)})

    def _visible(self) -> list[Member]:
        return [member for member in self._state.members.values() if not (member.is_hidden or member.is_forgotten)]

    def _standing(self, member: Member) -> Standing:
        accounts = [account for account in self._state.accounts.values() if account.member_id == member.member_id]
        by_source = dict(sorted(self._state.balances.get(member.member_id, {}).items()))
        discord = None
        if accounts:
            last = accounts[-1]
            discord = DiscordStanding(last.discord_id, last.status, last.xp_total, last.xp_carried)
        return Standing(
            member.member_id,
            member.name,
            sum(by_source.values()),
            by_source,
            discord,
            is_hidden=member.is_hidden,
            is_forgotten=member.is_forgotten,
        )
