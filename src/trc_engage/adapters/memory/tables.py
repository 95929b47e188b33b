"""The tables of a `MemoryLedger`, and the repair that removes what is dated in the future (R22)."""

import threading
from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime
from typing import TypeVar

from attrs import evolve

from ...core.days import Window
from ...core.model import DiscordActivity, Entry, Member
from ...core.posting import Lease, Posting, RunState
from ...core.records import Check, ClockDecision, Excusal, MembershipEvent
from ...core.reports import StreakChange
from ...core.story import GoodRun
from ...core.streaks import Milestone, Streak

Key = TypeVar("Key")
Row = TypeVar("Row")


class Tables:
    """Everything a `MemoryLedger` holds."""

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
        """The posted runs, settlements and notices; `run_state` adds what follows from the other tables."""
        self._excusals: list[Excusal] = []
        self._changes: list[StreakChange] = []
        self._good_runs: dict[int, GoodRun] = {}
        self._decisions: list[ClockDecision] = []
        self._settled: dict[date, datetime] = {}
        self._readings: dict[tuple[int, date], int] = {}
        self._lengths: dict[tuple[str, int], Milestone] = {}
        self._leases: dict[str, Lease] = {}
        self._requests: dict[str, datetime] = {}
        self._checks: dict[int, Check] = {}

    def _bring_back(self, posting: Posting) -> None:
        at = posting.at
        self._good_runs = until(at, self._good_runs, lambda run: run.at)
        good_run = max(self._good_runs, default=0)
        self._settled = until(at, self._settled, lambda settled_at: settled_at)
        sync, calendar = self._runs.sync, self._runs.calendar
        good_at = self._good_runs[good_run].at if good_run else None
        whole_at = sync.whole_at and min(sync.whole_at, at)
        self._runs = evolve(
            self._runs,
            sync=evolve(sync, good_run=good_run, good_at=good_at, whole_at=whole_at),
            calendar=evolve(calendar, settled_through=max(self._settled, default=None)),
            roster=evolve(self._runs.roster, next_at=None),
        )
        self._discord_days = until(at, self._discord_days, lambda window: window.closes_at)
        for account_id, window in posting.evidence.items():
            for day in window.days:
                self._discord_days.setdefault((day, account_id), window)
        for account_id, day in sorted(self._readings):
            if day > at.date():
                self._readings[account_id, at.date()] = self._readings.pop((account_id, day))
        self._leases = until(at, self._leases, lambda lease: lease.taken_at)
        self._requests = until(at, self._requests, lambda next_at: next_at)
        self._checks = until(at, self._checks, lambda check: check.asked_at)
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


def until(at: datetime, rows: dict[Key, Row], instant: Callable[[Row], datetime]) -> dict[Key, Row]:
    """Return the rows that are not later than an instant."""
    return {key: row for key, row in rows.items() if instant(row) <= at}
