"""`MemoryLedger`: the store ports in memory, and the example for a custom ledger.

A store is a set of tables plus the checks of `_check`. The core decides what follows from a posting: what a move,
draft or link becomes, the state after a run, whether a lease is free. `core.ports` documents each method, and
`trc_engage.testing.LedgerContract` tests them.
"""

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from datetime import date, datetime
from functools import wraps
from itertools import count
from typing import Any, TypeVar

from attrs import evolve

from ...core.audit import Breach, Holdings, Rises
from ...core.audit.books import irregular, rebalanced
from ...core.days import Calendar, settled_before
from ...core.errors import Conflict, LeaseLost, LedgerBusy
from ...core.incidents import UNSEEN_MIN
from ...core.model import DISCORD, DiscordActivity, Entry, Evidence, Member
from ...core.posting import Booking, Lease, Posting, RunState, booked
from ...core.records import Ahead, Check, Excusal, MembershipEvent, excused_alone
from ...core.reports import ALL, DiscordStanding, Found, MemberFacts, Rank, Selection, Standing, StreakChange, Tally
from ...core.roster import Contradiction
from ...core.settlement import days_watched
from ...core.story import GoodRun
from ...core.streaks import Activity, DayRecord, Milestone, Streak, current
from ...core.validation import AHEAD_MAX, first_met, sought_words, words_of
from .tables import Tables, until

Ledger = TypeVar("Ledger")

_numbers = count(1)


def locked(ledger: type[Ledger]) -> type[Ledger]:
    """Make a class's public methods run in one thread at a time."""

    def alone(method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def call(self: Any, /, *args: Any, **kwargs: Any) -> Any:
            with self._lock:
                return method(self, *args, **kwargs)

        return call

    for name, method in [*vars(ledger).items()]:
        if not name.startswith("_"):
            setattr(ledger, name, alone(method))
    return ledger


@locked
class MemoryLedger(Tables):
    """A store for tests and trials that ends with the process; threads may share it."""

    # Postings

    def post(self, posting: Posting, /) -> Sequence[Entry]:
        self._check(posting)
        if posting.clock is not None:
            if posting.clock.kind == "repaired":
                self._bring_back(posting)
            self._decisions.append(evolve(posting.clock, position=len(self._entries)))
        self._members |= {one.member_id: evolve(one, version=one.version + 1) for one in posting.members}
        self._move(posting)
        links = {link.member_id: number for number, link in enumerate(posting.links, len(self._accounts) + 1)}
        self._accounts |= {links[link.member_id]: link.opened(links[link.member_id]) for link in posting.links}
        self._linked_at |= dict.fromkeys(links.values(), posting.at)
        gone = {member.member_id for member in posting.members if member.is_forgotten}
        self._events = [event.forgotten() if event.member_id in gone else event for event in self._events]
        self._events += [event.recorded(n, links) for n, event in enumerate(posting.events, len(self._events) + 1)]
        self._excusals += [evolve(one, number=n) for n, one in enumerate(posting.excusals, len(self._excusals) + 1)]
        self._excusals = [one.forgotten() if one.member_id in gone else one for one in self._excusals]
        unlinked = [one for one in self._accounts.values() if one.member_id in gone and one.status == "unlinked"]
        self._accounts |= {account.account_id: account.forgotten() for account in unlinked}
        self._streaks |= {one.member_id: evolve(one, version=one.version + 1) for one in posting.streaks}
        if posting.round is not None:
            self._checks |= {check.account_id: check for check in posting.round.checks}
        self._runs = self._runs.after(posting)
        if posting.run is not None:
            run = GoodRun(posting.at, posting.run.report.missed, posting.run.decision)
            self._good_runs[self._runs.sync.good_run] = run
        if posting.settlement is not None:
            self._settled[posting.settlement.day] = posting.at
        entries = [self._append(booked(draft, len(self._entries) + 1, posting.at)) for draft in posting.drafts]
        for change in posting.changes_posted([entry.position for entry in entries]):
            self._changes.append(evolve(change, number=len(self._changes) + 1))
        for one in posting.reached:
            number = len(self._lengths) + 1
            self._lengths.setdefault((one.member_id, one.threshold), evolve(one, at=posting.at, number=number))
        return entries

    def _check(self, posting: Posting) -> None:
        """Raise `Conflict` if the posting was planned on other data, `LeaseLost` without its lease or open slot."""
        slot, lease, settlement = posting.slot, posting.lease, posting.settlement
        if (lease and not self._holds(lease)) or (slot and self._runs.slot_end(slot.slot)):
            raise LeaseLost
        known = {*self._members, *(member.member_id for member in posting.members)}
        holds = (
            not posting.repeats
            and (posting.run is None or posting.run.follows == self._runs.sync.good_run)
            and (posting.calendar is None or posting.calendar == self.calendar())
            and (settlement is None or settlement.revision == self._revision_of(settlement.day))
            and posting.revision in {None, self._revision()}
            and all(_version(self._members.get(one.member_id)) == one.version for one in posting.members)
            and all(_version(self._accounts.get(one.account_id)) == one.version for one in posting.accounts)
            and all(_version(self._streaks.get(one.member_id)) == one.version for one in posting.streaks)
            and known.issuperset(posting.concerned)
            and {None, *self._accounts}.issuperset(event.account_id for event in posting.events)
        )
        if not (holds and posting.fits(self._members, self.linked_accounts(), self._entries)):
            raise Conflict

    def _move(self, posting: Posting) -> None:
        decision = None if posting.run is None else posting.run.decision
        for move in sorted(posting.moves, key=lambda move: move.account.account_id):
            account_id = move.account.account_id
            if entry := move.entry(len(self._entries) + 1, posting.at, decision):
                self._append(entry)
            if move.active and move.window is not None:
                for day in move.window.days:
                    self._discord_days.setdefault((day, account_id), move.window)
            if move.kind == "opening" or move.xp_total != move.account.xp_total:
                self._readings[account_id, posting.at.date()] = move.xp_total
            self._accounts[account_id] = move.account_after

    def _append(self, entry: Entry) -> Entry:
        self._entries.append(entry)
        self._count(entry)
        return entry

    def _count(self, entry: Entry) -> None:
        if entry.points or entry.xp is None:
            balance = self._balances[entry.member_id]
            balance[entry.source] = balance.get(entry.source, 0) + entry.points

    # Runs and leases

    def run_state(self, slot: datetime | None = None, /) -> RunState:
        noted = (self._accounts[check.account_id] for check in self.checks() if check.contradicts)
        contradictions = [Contradiction(one.member_id, one.status == "left") for one in noted]
        calendar, ends, tracked, unseen = self.calendar(), self._runs.slots, self.accounts_to_sync(), self.never_seen()
        since = sorted(self._linked_at[account.account_id] for account in tracked)[UNSEEN_MIN - 1 :]
        return evolve(
            self._runs,
            calendar=calendar,
            tracks_anyone=bool(tracked),
            unseen_since=since[0] if since and {*unseen}.issuperset(one.member_id for one in tracked) else None,
            rises={day: sum(on == day for on, _ in self._discord_days) for day in days_watched(calendar)},
            slots=[end for end in ends if end is ends[-1] or (slot is not None and end.slot >= slot)],
            leases=[lease for _, lease in sorted(self._leases.items())],
            roster=evolve(self._runs.roster, contradictions=contradictions),
        )

    def checks(self, member_id: str | None = None, /) -> Sequence[Check]:
        mine = [one.account_id for one in self.linked_accounts() if member_id in {None, one.member_id}]
        return [self._checks[account_id] for account_id in mine if account_id in self._checks]

    def lease(self, task: str, at: datetime, until: datetime, /) -> Lease:
        held = self._leases.get(task)
        if held is not None and not held.is_free(at):
            raise LedgerBusy(f"another {task} is at work ({held.owner}), at the latest until {held.until:%T} UTC")
        lease = Lease(task, f"thread {threading.get_ident()}, run {next(_numbers)}", at, until)
        self._leases[task] = lease
        return evolve(lease, took_over=held is not None)

    def renew(self, lease: Lease, until: datetime, /) -> None:
        if not self._holds(lease):
            raise LeaseLost
        self._leases[lease.task] = evolve(lease, until=until)

    def release(self, lease: Lease, /) -> None:
        if self._holds(lease):
            del self._leases[lease.task]

    def ahead(self, at: datetime, /) -> Ahead:
        enrolled = sorted(member.enrolled_at for member in self._members.values())
        settled = until(at, self._settled, lambda settled_at: settled_at)
        rises: dict[int, tuple[datetime, datetime]] = {}
        for (_, account_id), window in self._discord_days.items():
            if window.closes_at > at:
                first = window.opens_at, self._linked_at[account_id]
                rises[account_id] = min(first, rises.get(account_id, first))
        gone, latest = {entry.reverses for entry in self._entries}, at + AHEAD_MAX
        others = [*enrolled, *(end.at for end in self._runs.slots), *(one.at for one in self._decisions[-1:])]
        return Ahead(
            sum(run.at > at for run in self._good_runs.values()),
            len(self._settled) - len(settled),
            max(settled, default=settled_before(min(enrolled[0], at) if enrolled else None)),
            max((run.at for run in self._good_runs.values() if run.at <= at), default=None),
            rises,
            [one for one in self._entries if one.kind == "award" and one.at > latest and one.position not in gone],
            sum(instant > at for instant in others),
        )

    def next_request_at(self, task: str, /) -> datetime | None:
        return self._requests.get(task)

    def keep_request(self, task: str, next_at: datetime, /) -> None:
        self._requests[task] = next_at

    def _holds(self, lease: Lease) -> bool:
        held = self._leases.get(lease.task)
        return held is not None and held.owner == lease.owner

    # Members, accounts and entries

    def member(self, member_id: str, /) -> Member | None:
        return self._members.get(member_id)

    def account_of(self, member_id: str, /) -> DiscordActivity | None:
        return next((account for account in self.linked_accounts() if account.member_id == member_id), None)

    def holder_of(self, discord_id: str, /) -> DiscordActivity | None:
        return next((account for account in self.linked_accounts() if account.discord_id == discord_id), None)

    def accounts_to_sync(self) -> Sequence[DiscordActivity]:
        return [account for account in self.linked_accounts() if account.status != "left"]

    def linked_accounts(self) -> Sequence[DiscordActivity]:
        return [account for account in self._accounts.values() if account.status != "unlinked"]

    def booking(self, key: str, member_id: str | None = None, /) -> Booking:
        posted = next((entry for entry in self._entries if entry.key == key), None)
        reversal = next((entry for entry in self._entries if posted and entry.reverses == posted.position), None)
        return Booking(self.calendar(), member_id in self._members, posted, reversal)

    def events(self, member_id: str | None, /, *, after: int = 0, limit: int = 10_000) -> Sequence[MembershipEvent]:
        return [event for event in self._events[after:] if member_id in {None, event.member_id}][:limit]

    def never_seen(self) -> Sequence[str]:
        seen = {entry.xp.account_id for entry in self._entries if entry.xp and entry.xp.xp_after}
        maybe = [account for account in self.linked_accounts() if account.may_be_unseen]
        return sorted(account.member_id for account in maybe if account.account_id not in seen)

    # Evidence, days and streaks

    def evidence(self, member_id: str, first_day: date, last_day: date, /) -> Sequence[Evidence]:
        found = [Evidence(one.day, one.source, one.position) for one in self._awards() if one.member_id == member_id]
        found += [
            Evidence(day, DISCORD, None, account_id, window.opens_at, window.closes_at)
            for (day, account_id), window in self._discord_days.items()
            if self._accounts[account_id].member_id == member_id
        ]
        found.sort(key=lambda one: (one.day, one.position or 0, one.account_id or 0))
        return [one for one in found if first_day <= one.day <= last_day]

    def calendar(self, member_id: str | None = None, /) -> Calendar:
        first = min((member.enrolled_at for member in self._members.values()), default=None)
        through = self._runs.calendar.settled_through or settled_before(first)
        alone = frozenset(day for day, members in excused_alone(self._excusals).items() if member_id in members)
        return evolve(self._runs.calendar, settled_through=through, alone=alone)

    def day_record(self, day: date, /) -> DayRecord:
        active = self._active()[day]
        others = excused_alone(self._excusals).get(day, set()) - active
        streaks, held = ([self.streak_of(member_id) for member_id in sorted(who)] for who in (active, others))
        return DayRecord(streaks, self._revision_of(day), held)

    def streak_of(self, member_id: str, /) -> Streak:
        return self._streaks.get(member_id) or Streak(member_id)

    def activity(self, through: date, /) -> Activity:
        days = [(day, [*members]) for day, members in sorted(self._active().items()) if day <= through]
        alone = sorted(excused_alone(self._excusals).items())
        excused = [(day, sorted(who)) for day, who in alone if day <= through]
        return Activity([streak for _, streak in sorted(self._streaks.items())], days, self._revision(), excused)

    def _active(self) -> defaultdict[date, set[str]]:
        active: defaultdict[date, set[str]] = defaultdict(set)
        for day, account_id in self._discord_days:
            active[day].add(self._accounts[account_id].member_id)
        for award in self._awards():
            active[award.day].add(award.member_id)
        return active

    def _revision(self) -> int:
        return len(self._entries) + self._runs.sync.good_run

    def _revision_of(self, day: date) -> int:
        awarded = [entry for entry in self._entries if entry.kind in {"award", "reversal"} and entry.day == day]
        return len(awarded) + sum(on == day for on, _ in self._discord_days)

    def _awards(self) -> Iterator[Entry]:
        """Yield the unreversed awards that count as activity."""
        gone = {entry.reverses for entry in self._entries}
        return (
            entry
            for entry in self._entries
            if entry.kind == "award" and entry.counts_as_activity and entry.position not in gone
        )

    # Views

    def facts(self, member_id: str, today: date, /) -> MemberFacts | None:
        member = self._members.get(member_id)
        if member is None:
            return None
        calendar, streak = self.calendar(member_id), self.streak_of(member_id)
        open_from = calendar.unsettled_until(today)[:1] or (today,)
        open_days = frozenset(one.day for one in self.evidence(member_id, open_from[0], today))
        return MemberFacts(self._standing(member), member.enrolled_at, streak, calendar, open_days)

    def members(self, of: Selection = ALL, /, *, after: str = "", limit: int | None = None) -> Sequence[Standing]:
        beyond, unseen = sorted(who for who in self._members if who > after), {*self.never_seen()}
        standings = (self._standing(self._members[who]) for who in beyond)
        return [one for one in standings if of.picks(one, is_unseen=one.member_id in unseen)][:limit]

    def find(self, text: str, /, *, limit: int) -> Sequence[Found]:
        sought = sought_words(text)
        by_id = {text} & self._members.keys()
        by_id |= {one.member_id for one in self.linked_accounts() if one.discord_id == text}
        named = {member.member_id: words_of(member.name or "") for member in self._visible()}
        ranked = sorted((first, who) for who, words in named.items() if (first := first_met(sought, words)))
        order = [*sorted(by_id), *(who for _, who in ranked if who not in by_id)]
        return [Found(who, self._members[who].name) for who in order[:limit]]

    def resets(self, member_id: str, /) -> Sequence[tuple[Entry, datetime | None]]:
        mine = (one for one in self._entries if one.member_id == member_id and one.kind in {"opening", "rebase"})
        runs = [run.at for run in self._good_runs.values()]
        return [(entry, max((at for at in runs if at < entry.at), default=None)) for entry in mine]

    def good_runs(self, since: datetime, until: datetime, /) -> Sequence[GoodRun]:
        runs = [*self._good_runs.values()]
        first, last = (sum(run.at < at for run in runs) for at in (since, until))
        return runs[max(first - 1, 0) : last + 1]

    def settled(self, first_day: date, last_day: date, /) -> Mapping[date, datetime]:
        return {day: at for day, at in self._settled.items() if first_day <= day <= last_day}

    def xp_read(self, account_ids: Collection[int], day: date, /) -> int | None:
        known = [key for key in self._readings if key[0] in account_ids and key[1] <= day]
        return self._readings[max(known)] if known else None

    def streak_changes(self, member_id: str, /) -> Sequence[StreakChange]:
        return [change for change in self._changes if change.member_id == member_id]

    def lengths_reached(self, lengths: Set[int], /, *, after: int, limit: int) -> Sequence[Milestone]:
        return [one for one in self._lengths.values() if one.threshold in lengths and one.number > after][:limit]

    def excusals(self, member_id: str | None = None, /) -> Sequence[Excusal]:
        return [one for one in self._excusals if member_id is None or one.member_id in {None, member_id}]

    def history(
        self, member_id: str, /, *, limit: int, before: int | None = None, source: str | None = None
    ) -> Sequence[Entry]:
        entries = self._entries if before is None else self._entries[: max(before - 1, 0)]
        mine = [entry for entry in reversed(entries) if entry.member_id == member_id]
        return [entry for entry in mine if source in {None, entry.source}][:limit]

    def feed(self, *, after: int, limit: int) -> Sequence[Entry]:
        return self._entries[after : after + limit]

    def ranking(self, month: date | None, /, *, limit: int, present: bool = False) -> Sequence[Rank]:
        ranks = [self._rank(member, month, present) for member in self._visible(present)]
        return sorted(ranks, key=lambda rank: (rank.rank, rank.member_id))[:limit]

    def streak_ranking(self, *, limit: int, present: bool = False) -> Sequence[Rank]:
        calendar, visible = self.calendar(), self._visible(present)
        lengths = {one.member_id: current(self.streak_of(one.member_id), calendar) for one in visible}
        ranks = {who: 1 + sum(n > length for n in lengths.values()) for who, length in lengths.items() if length}
        return [
            evolve(self._rank(self._members[who], None, present), rank=rank, streak=lengths[who])
            for who, rank in sorted(ranks.items(), key=lambda one: (one[1], one[0]))[:limit]
        ]

    def rank_of(self, member_id: str, month: date | None, /, *, present: bool = False) -> Rank | None:
        member = self._members.get(member_id)
        return None if member is None else self._rank(member, month, present)

    def tally(self) -> Tally:
        accounts = Counter(account.status for account in self._accounts.values())
        return Tally("memory", None, len(self._members), dict(accounts), len(self._entries), len(self.never_seen()))

    def _rank(self, member: Member, month: date | None, present: bool) -> Rank:
        points = self._points(member.member_id, month)
        ahead = sum(self._points(other.member_id, month) > points for other in self._visible(present))
        return Rank(1 + ahead, member.member_id, member.name, points, has_left=self._standing(member).has_left)

    def _points(self, member_id: str, month: date | None) -> int:
        entries = (entry for entry in self._entries if entry.member_id == member_id)
        return sum(entry.points for entry in entries if month in {None, entry.day.replace(day=1)})

    def _visible(self, present: bool = False) -> list[Member]:
        visible = [one for one in self._members.values() if not (one.is_hidden or one.is_forgotten)]
        return [one for one in visible if not (present and self._standing(one).has_left)]

    def _standing(self, member: Member) -> Standing:
        mine = [account for account in self._accounts.values() if account.member_id == member.member_id]
        by_source = dict(sorted(self._balances.get(member.member_id, {}).items()))
        discord = None
        if mine:
            discord = DiscordStanding(mine[-1].discord_id, mine[-1].status, mine[-1].xp_total, mine[-1].xp_baseline)
        points, hidden, forgotten = sum(by_source.values()), member.is_hidden, member.is_forgotten
        return Standing(member.member_id, member.name, points, by_source, discord, None, hidden, forgotten)

    # For the doctor; optional

    def holdings(self) -> Holdings:
        groups = defaultdict[tuple[date, datetime, datetime], list[int]](list)
        for (day, account_id), window in self._discord_days.items():
            groups[day, window.opens_at, window.closes_at].append(account_id)
        return Holdings(
            len(self._entries),
            [*self._members.values()],
            [*self._accounts.values()],
            {member_id: dict(balance) for member_id, balance in self._balances.items()},
            [*self._streaks.values()],
            [Rises(*key, account_ids) for key, account_ids in groups.items()],
            self.calendar(),
            excused=excused_alone(self._excusals),
            events=[*self._events],
            decisions=[*self._decisions],
        )

    def lines(self, *, after: int, limit: int) -> Sequence[Entry | Breach]:
        return self.feed(after=after, limit=limit)

    def irregularities(self) -> Sequence[Breach]:
        return irregular(self._entries)

    def rebalance(self) -> Sequence[Breach]:
        before, self._balances = self._balances, defaultdict(dict)
        for entry in self._entries:
            self._count(entry)
        return rebalanced(before, self._balances)

    def reword(self) -> Sequence[Breach]:
        return ()


def _version(stored: Member | DiscordActivity | Streak | None) -> int:
    return 0 if stored is None else stored.version
