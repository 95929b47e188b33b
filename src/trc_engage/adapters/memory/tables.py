"""The tables of a `MemoryLedger`, and how what lies in a time to come is taken from them (R22)."""

import threading
from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime
from typing import TypeVar

from attrs import evolve

from ...core.days import Window, settled_before
from ...core.model import DiscordActivity, Entry, Member
from ...core.posting import Lease, Posting, RunState
from ...core.records import Ahead, Check, ClockDecision, Excusal, MembershipEvent
from ...core.reports import StreakChange
from ...core.story import GoodRun
from ...core.streaks import Milestone, Streak
from ...core.validation import AHEAD_MAX

Key = TypeVar("Key")
Row = TypeVar("Row")


class Tables:
    """All that it holds."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._members: dict[str, Member] = {}
        self._accounts: dict[int, DiscordActivity] = {}
        self._entries: list[Entry] = []
        """The entry at position n is the n-th."""
        self._balances: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._discord_days: dict[tuple[date, int], Window] = {}
        self._streaks: dict[str, Streak] = {}
        self._linked_at: dict[int, datetime] = {}
        self._events: list[MembershipEvent] = []
        self._runs = RunState()
        """What was posted of runs, settlements and notices; `run_state` adds what the other tables say."""
        self._excusals: list[Excusal] = []
        self._changes: list[StreakChange] = []
        self._good_runs: list[GoodRun] = []
        self._numbers: list[int] = []
        """Those of the good syncs."""
        self._decisions: list[ClockDecision] = []
        self._settled: dict[date, datetime] = {}
        self._readings: dict[tuple[int, date], int] = {}
        self._lengths: dict[tuple[str, int], Milestone] = {}
        self._leases: dict[str, Lease] = {}
        self._requests: dict[str, datetime] = {}
        self._checks: dict[int, Check] = {}

    def _ahead(self, at: datetime) -> Ahead:
        enrolled = sorted(member.enrolled_at for member in self._members.values())
        settled = _until(at, self._settled, lambda settled_at: settled_at)
        rises: dict[int, tuple[datetime, datetime]] = {}
        for (_, account_id), window in self._discord_days.items():
            if window.closes_at > at:
                first = window.opens_at, self._linked_at[account_id]
                rises[account_id] = min(first, rises.get(account_id, first))
        gone, latest = {entry.reverses for entry in self._entries}, at + AHEAD_MAX
        others = [*enrolled, *(end.at for end in self._runs.slots), *(one.at for one in self._decisions[-1:])]
        return Ahead(
            sum(run.at > at for run in self._good_runs),
            len(self._settled) - len(settled),
            max(settled, default=settled_before(min(enrolled[0], at) if enrolled else None)),
            max((run.at for run in self._good_runs if run.at <= at), default=None),
            rises,
            [one for one in self._entries if one.kind == "award" and one.at > latest and one.position not in gone],
            sum(instant > at for instant in others),
        )

    def _decide(self, posting: Posting, decision: ClockDecision) -> None:
        if decision.kind == "repaired":
            self._bring_back(posting)
        self._decisions.append(evolve(decision, position=len(self._entries)))

    def _bring_back(self, posting: Posting) -> None:
        at, kept = posting.at, sum(run.at <= posting.at for run in self._good_runs)
        del self._good_runs[kept:], self._numbers[kept:]
        self._settled = _until(at, self._settled, lambda settled_at: settled_at)
        sync, calendar = self._runs.sync, self._runs.calendar
        good_at = self._good_runs[-1].at if kept else None
        whole_at = sync.whole_at and min(sync.whole_at, at)
        self._runs = evolve(
            self._runs,
            sync=evolve(sync, good_run=self._numbers[-1] if kept else 0, good_at=good_at, whole_at=whole_at),
            calendar=evolve(calendar, settled_through=max(self._settled, default=None)),
            roster=evolve(self._runs.roster, next_at=None),
        )
        self._discord_days = _until(at, self._discord_days, lambda window: window.closes_at)
        for account_id, window in posting.evidence.items():
            for day in window.days:
                self._discord_days.setdefault((day, account_id), window)
        for account_id, day in sorted(self._readings):
            if day > at.date():
                self._readings[account_id, at.date()] = self._readings.pop((account_id, day))
        self._leases = _until(at, self._leases, lambda lease: lease.taken_at)
        self._requests = _until(at, self._requests, lambda next_at: next_at)
        self._checks = _until(at, self._checks, lambda check: check.asked_at)
        for member_id, member in self._members.items():
            if member.enrolled_at > at:
                self._members[member_id] = evolve(member, enrolled_at=at, version=member.version + 1)
        self._bring_accounts_back(at)

    def _bring_accounts_back(self, at: datetime) -> None:
        opened = {one.xp.account_id for one in self._entries if one.xp and one.kind == "opening" and one.at > at}
        self._linked_at = {number: min(linked_at, at) for number, linked_at in self._linked_at.items()}
        for number, account in self._accounts.items():
            is_opened = number in opened and account.status in {"tracked", "absent"}
            opens_at = account.window_from or (self._linked_at[number] if is_opened else None)
            rose_at = account.rose_at and min(account.rose_at, at)
            after = evolve(account, window_from=opens_at and min(opens_at, at), rose_at=rose_at)
            if after != account:
                self._accounts[number] = evolve(after, version=account.version + 1)


def _until(at: datetime, rows: dict[Key, Row], instant: Callable[[Row], datetime]) -> dict[Key, Row]:
    """Return the rows that are not later."""
    return {key: row for key, row in rows.items() if instant(row) <= at}
