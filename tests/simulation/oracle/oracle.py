"""Everything that was seen, and what follows from it for members, boards and days."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from attrs import define, field

from .accounts import Account, Award, Decision, Drops, Sight
from .days import ONE_DAY, Calendar, midnight

SLACK = timedelta(minutes=2)
CLOCKS_APART_MAX = timedelta(minutes=5)
CACHED_FOR = timedelta(minutes=5)
KEPT_AWAY_MAX = timedelta(hours=1, minutes=2)


@define(eq=False)
class Oracle:
    """What must hold."""

    accounts: list[Account] = field(factory=list)
    enrolled: dict[str, datetime] = field(factory=dict)
    awards: dict[str, Award] = field(factory=dict)
    adjustments: dict[str, tuple[str, int]] = field(factory=dict)
    calendar: Calendar = field(factory=Calendar)
    good_at: datetime | None = None
    seen_at: datetime | None = None
    board_id: str | None = None
    """The board that the points come from."""
    whole: tuple[datetime, int] | None = None
    """When the last whole board was read, and its rows."""

    # Members and links

    def enroll(self, member: str, at: datetime) -> None:
        """Enroll a member."""
        if not self.enrolled:
            self.calendar.settled_through = at.date() - ONE_DAY
        self.enrolled.setdefault(member, at)

    def link(self, member: str, discord_id: str, at: datetime) -> None:
        """Link an account, whose XP is then to be read."""
        self.accounts.append(Account(len(self.accounts) + 1, member, discord_id, at))

    def account_of(self, member: str) -> Account | None:
        """Return the linked account of a member."""
        return next((one for one in self.accounts if one.member == member and not one.is_closed), None)

    def holder_of(self, discord_id: str) -> Account | None:
        """Return the account that holds an id."""
        return next((one for one in self.accounts if one.discord_id == discord_id and not one.is_closed), None)

    def rejoin(self, account: Account, at: datetime) -> None:
        """Let a member come back (R6)."""
        account.has_left = False
        account.since = at
        account.is_back = account.is_open and not (account.is_zero or account.is_moved)

    @property
    def sought(self) -> list[Account]:
        """The accounts that a sync looks for."""
        return [one for one in self.accounts if one.is_sought]

    # Boards

    def why_distrusted(self, accounts: Iterable[Account], sight: Sight, at: datetime) -> str | None:
        """Return why this board must be refused, if it must be (R10)."""
        found = [one for one in accounts if one.discord_id in sight.found]
        falling = [one for one in found if one.falls(sight.found[one.discord_id], at)]
        if len(falling) >= 5 and 10 * len(falling) > len(found):
            return f"{len(falling)} of {len(found)} fall"
        if not sight.whole:
            return None
        before = self.whole[1] if self.whole and at - self.whole[0] <= timedelta(days=7) else None
        if not sight.rows:
            return None if before == 0 else "empty"
        return "half" if before is not None and 2 * sight.rows < before else None

    def is_another(self, board_id: str) -> bool:
        """Return whether this is another board than the one that the points come from (R24)."""
        return self.board_id not in {None, board_id}

    def commit(self, accounts: Iterable[Account], sight: Sight, at: datetime, decision: Decision | None) -> None:
        """Apply a board that the system has posted."""
        if decision == "adopt":
            self._adopt(list(accounts), sight, at)
        else:
            self._read(accounts, sight, at, decision)
        self.good_at = at
        self.seen_at = max(at, self.seen_at or at)
        if sight.whole:
            self.whole = at, sight.rows

    def _read(self, accounts: Iterable[Account], sight: Sight, at: datetime, drops: Drops | None) -> None:
        for account in accounts:
            xp = sight.found.get(account.discord_id)
            if xp is not None:
                for day in account.read(xp, at, drops):
                    self.calendar.risen[day].add(account.number)
            elif account.discord_id not in sight.missed:
                account.unseen(at, drops)

    def _adopt(self, looked_for: Sequence[Account], sight: Sight, at: datetime) -> None:
        for account in self.accounts:
            if account.is_closed:
                continue
            if account in looked_for and account.discord_id not in sight.missed:
                account.adopt(sight.found.get(account.discord_id), at)
            else:
                account.await_adoption()

    # Days

    def next_day(self, now: datetime) -> tuple[date, str] | None:
        """Return the oldest day that is over and not settled, and what it waits for."""
        if self.calendar.settled_through is None:
            return None
        day = self.calendar.settled_through + ONE_DAY
        if now < (end := midnight(day + ONE_DAY)):
            return None
        if not self.sought:
            return day, ""
        if self.good_at is None or self.good_at < end:
            return day, "sync"
        return day, "decision" if self.calendar.is_frozen(day) else ""

    def settle(self, now: datetime, after: timedelta = timedelta(0), quiet: date | None = None) -> None:
        """Settle every day that can be settled."""
        if self.seen_at is not None and now < self.seen_at:
            now = self.seen_at
        while (due := self.next_day(now - after)) and (not due[1] or (due[1] == "decision" and due[0] == quiet)):
            self.calendar.settled_through = due[0]
            self.seen_at = max(now, self.seen_at or now)

    # What members see

    def points(self, member: str) -> dict[str, int]:
        """Return a member's points by source, without sources that have none."""
        sums: dict[str, int] = defaultdict(int)
        for account in self.accounts:
            if account.member == member:
                sums["discord"] += account.points
        for award in self.awards.values():
            if award.member == member and not award.is_reversed:
                sums[award.source] += award.points
        for whose, points in self.adjustments.values():
            if whose == member:
                sums["adjustment"] += points
        return {source: points for source, points in sums.items() if points}

    def active_days(self) -> dict[str, set[date]]:
        """Return everyone's active days (R11)."""
        days: dict[str, set[date]] = defaultdict(set)
        for day, numbers in self.calendar.risen.items():
            for number in numbers:
                days[self.accounts[number - 1].member].add(day)
        for award in self.awards.values():
            if not award.is_reversed:
                days[award.member].add(award.day)
        return days
