"""What a `MemoryLedger` holds; whoever touches it holds the lock."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from itertools import count

from attrs import define, evolve, field

from ...core.channels import ChannelState
from ...core.days import ONE_DAY, Calendar, Window
from ...core.entries import Entry
from ...core.incidents import Told
from ...core.model import DiscordActivity, Member
from ...core.postings import Claim, SyncState
from ...core.slots import SlotEnd
from ...core.streaks import Streak


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
    told: dict[tuple[str, str], Told] = field(factory=dict)
    begun: dict[tuple[str, str], Told] = field(factory=dict)
    channels: dict[tuple[str, str], ChannelState] = field(factory=dict)
    requests: dict[str, datetime] = field(factory=dict)
    claims: dict[str, Claim] = field(factory=dict)

    def linked(self) -> Iterator[DiscordActivity]:
        """Yield the accounts that are not unlinked."""
        return (account for account in self.accounts.values() if account.status != "unlinked")

    def awards(self) -> Iterator[Entry]:
        """Yield the awards that stand."""
        reversed_positions = {entry.reverses for entry in self.entries}
        return (entry for entry in self.entries if entry.kind == "award" and entry.position not in reversed_positions)

    def holds(self, claim: Claim) -> bool:
        """Tell whether a claim has not been given back or taken over."""
        held = self.claims.get(claim.task)
        return held is not None and held.owner == claim.owner

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

    def news(self) -> int:
        """Return a number that grows with everything that may be evidence."""
        return len(self.entries) + self.sync.good_run

    def news_of(self, day: date) -> int:
        """Count everything that ever came or went for a day."""
        by_hand = sum(entry.kind in {"award", "reversal"} and entry.day == day for entry in self.entries)
        return by_hand + self.rose_on(day)

    def rose_on(self, day: date) -> int:
        """Return how many accounts' XP rose on a day."""
        return sum(on == day for on, _ in self.discord_days)
