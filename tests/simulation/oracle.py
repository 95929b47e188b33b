"""What the rules of engagement say must hold: reckoned again, from what was seen from outside.

Nothing here knows how the package reckons. It has its own calendar, its own windows, and R3 in its
closed form: an account has paid exactly floor((xp - baseline) / 100) points.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from attrs import define, field, frozen

ONE_DAY = timedelta(days=1)
WEEKEND = ("Sat", "Sun")
SLACK = timedelta(minutes=2)
CLOCKS_APART_MAX = timedelta(minutes=5)
CACHED_FOR = timedelta(minutes=5)
KEPT_AWAY_MAX = timedelta(hours=1, minutes=2)
Drops = Literal["deduct", "rebase"]


@define(eq=False)
class Account:
    """One link of one Discord id to one member."""

    number: int
    member: str
    discord_id: str
    since: datetime
    """Where its window begins."""
    is_open: bool = False
    is_zero: bool = False
    """Whether it was opened without a row and earned nothing since."""
    is_back: bool = False
    """Whether its next reading is the first after a return."""
    was_there: bool = False
    """Whether the last board that was searched for it had it."""
    has_left: bool = False
    is_closed: bool = False
    xp: int = 0
    xp_before: int = 0
    """The reading before."""
    baseline: int = 0

    @property
    def points(self) -> int:
        """What it has paid (R3)."""
        return (self.xp - self.baseline) // 100

    @property
    def is_sought(self) -> bool:
        """Whether syncs look for it."""
        return not (self.has_left or self.is_closed)

    @property
    def is_news_if_missing(self) -> bool:
        """Whether its absence would be news."""
        return not self.is_open or (self.was_there and not self.is_back and not self.is_zero)

    def shift(self, xp: int) -> None:
        """Rebase: everything moves along, so that points and carried XP stay (R6)."""
        by = xp - self.xp
        self.baseline += by
        self.xp = self.xp_before = xp


@frozen
class Sight:
    """What a board that was read whole showed."""

    found: Mapping[str, int]
    missed: Set[str]
    rows: int
    whole: bool
    server_at: datetime | None


@define(eq=False)
class Award:
    """An award, which may be taken back."""

    member: str
    source: str
    points: int
    day: date
    is_reversed: bool = False


@define(eq=False)
class Oracle:
    """What must hold."""

    accounts: list[Account] = field(factory=list)
    enrolled: dict[str, datetime] = field(factory=dict)
    awards: dict[str, Award] = field(factory=dict)
    adjustments: dict[str, tuple[str, int]] = field(factory=dict)
    excused: set[date] = field(factory=set)
    discord_days: dict[date, set[int]] = field(factory=lambda: defaultdict(set))
    """Numbers of the accounts that rose, by day."""
    settled_through: date | None = None
    good_at: datetime | None = None
    seen_at: datetime | None = None
    whole: tuple[datetime, int] | None = None
    """When the last whole board was read, and its rows."""

    # Members and links

    def enroll(self, member: str, at: datetime) -> None:
        """Enrol somebody."""
        if not self.enrolled:
            self.settled_through = at.date() - ONE_DAY
        self.enrolled.setdefault(member, at)

    def link(self, member: str, discord_id: str, at: datetime) -> None:
        """Open an account, for its XP to be read."""
        self.accounts.append(Account(len(self.accounts) + 1, member, discord_id, at))

    def account_of(self, member: str) -> Account | None:
        """Return the account that is linked."""
        return next((one for one in self.accounts if one.member == member and not one.is_closed), None)

    def holder_of(self, discord_id: str) -> Account | None:
        """Return the account that holds an id."""
        return next((one for one in self.accounts if one.discord_id == discord_id and not one.is_closed), None)

    def rejoin(self, account: Account, at: datetime) -> None:
        """Let somebody come back (R6)."""
        account.has_left = False
        account.since = at
        account.is_back = account.is_open and not account.is_zero

    @property
    def sought(self) -> list[Account]:
        """Whom a sync looks for."""
        return [one for one in self.accounts if one.is_sought]

    # Boards

    def why_distrusted(self, accounts: Iterable[Account], sight: Sight, at: datetime) -> str | None:
        """Return why this board must be refused (R10)."""
        found = [one for one in accounts if one.discord_id in sight.found]
        falling = [one for one in found if self._falls(one, sight.found[one.discord_id], at)]
        if len(falling) >= 5 and 10 * len(falling) > len(found):
            return f"{len(falling)} of {len(found)} fall"
        if not sight.whole:
            return None
        before = self.whole[1] if self.whole and at - self.whole[0] <= timedelta(days=7) else None
        if not sight.rows:
            return None if before == 0 else "empty"
        return "half" if before is not None and 2 * sight.rows < before else None

    def _falls(self, account: Account, xp: int, at: datetime) -> bool:
        return account.is_open and xp < account.xp and not account.is_back and not self._is_history(account, xp, at)

    def _is_history(self, account: Account, xp: int, at: datetime) -> bool:
        """Tell whether the first XP of a zero-XP record came too fast to be new (R2a)."""
        minutes = max((at - account.since).total_seconds(), 0) / 60
        return account.is_open and account.is_zero and xp > 1_500 and xp > 100 * minutes

    def commit(self, accounts: Iterable[Account], sight: Sight, at: datetime, drops: Drops | None) -> None:
        """Take in a board that the system has posted."""
        for account in accounts:
            xp = sight.found.get(account.discord_id)
            if xp is not None:
                self._read(account, xp, at, drops)
            elif account.discord_id not in sight.missed:
                self._unseen(account, at, drops)
        self.good_at = at
        self.seen_at = max(at, self.seen_at or at)
        if sight.whole:
            self.whole = at, sight.rows

    def _read(self, account: Account, xp: int, at: datetime, drops: Drops | None) -> None:
        since, account.since, account.was_there = account.since, at, True
        if not account.is_open:
            account.is_open = True
            account.xp = account.xp_before = account.baseline = xp
            return
        account.since = since
        falls = xp < account.xp
        if self._is_history(account, xp, at) or (falls and (account.is_back or drops == "rebase")):
            account.shift(xp)
        else:
            if xp > account.xp and xp > account.xp_before:
                for day in days_of_window(since, at):
                    self.discord_days[day].add(account.number)
            account.xp_before, account.xp = account.xp, xp
        account.is_zero = account.is_back = False
        account.since = at

    def _unseen(self, account: Account, at: datetime, drops: Drops | None) -> None:
        if not account.is_open:
            account.is_open = account.is_zero = True
        elif drops == "rebase" and account.was_there and not account.is_back and not account.is_zero:
            account.shift(0)
            account.is_zero = True
        account.was_there = False
        account.since = at

    # Days

    def is_required(self, day: date) -> bool:
        """Tell whether a day without activity breaks a streak (R13)."""
        return f"{day:%a}" not in WEEKEND and day not in self.excused

    def is_frozen(self, day: date) -> bool:
        """Tell whether nobody rose on a day though many had before (R15a)."""
        if not self.is_required(day) or self.discord_days.get(day):
            return False
        before = day - ONE_DAY
        while not self.is_required(before):
            before -= ONE_DAY
        return len(self.discord_days.get(before, ())) >= 5

    def next_day(self, now: datetime) -> tuple[date, str] | None:
        """Return the oldest day that is over and not settled, and what it waits for."""
        if self.settled_through is None:
            return None
        day = self.settled_through + ONE_DAY
        if now < (end := midnight(day + ONE_DAY)):
            return None
        if not self.sought:
            return day, ""
        if self.good_at is None or self.good_at < end:
            return day, "sync"
        return day, "decision" if self.is_frozen(day) else ""

    def settle(self, now: datetime, after: timedelta = timedelta(0), quiet: date | None = None) -> None:
        """Settle what can be."""
        if self.seen_at is not None and now < self.seen_at:
            now = self.seen_at
        while (due := self.next_day(now - after)) and (not due[1] or (due[1] == "decision" and due[0] == quiet)):
            self.settled_through = due[0]
            self.seen_at = max(now, self.seen_at or now)

    # What members see

    def points(self, member: str) -> dict[str, int]:
        """Return a member's points by source, without those that are none."""
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
        """Return everybody's active days (R11)."""
        days: dict[str, set[date]] = defaultdict(set)
        for day, numbers in self.discord_days.items():
            for number in numbers:
                days[self.accounts[number - 1].member].add(day)
        for award in self.awards.values():
            if not award.is_reversed:
                days[award.member].add(award.day)
        return days

    def streak(self, active: Set[date]) -> tuple[int, int]:
        """Return the streak and the longest, walking the calendar day by day (R14)."""
        current = longest = 0
        day, through = min(active, default=date.max), self.settled_through
        while through is not None and day <= through:
            if f"{day:%a}" not in WEEKEND:
                if day in active:
                    current += 1
                elif day not in self.excused:
                    current = 0
                longest = max(longest, current)
            day += ONE_DAY
        return current, longest

    def at_risk(self, active: Set[date], today: date) -> bool:
        """Tell whether a streak breaks if nothing more comes until the end of today."""
        day = today if self.settled_through is None else self.settled_through + ONE_DAY
        while day <= today:
            if self.is_required(day) and day not in active:
                return self.streak(active)[0] > 0
            day += ONE_DAY
        return False


def days_of_window(opens_at: datetime, closes_at: datetime) -> list[date]:
    """Return the UTC days that a window counts for: all it touches, the last of several if it is well inside (R12)."""
    opens_at = min(opens_at, closes_at)
    days: list[date] = []
    day = opens_at.date()
    while midnight(day) <= closes_at:
        is_last = closes_at < midnight(day + ONE_DAY)
        if not (days and is_last) or closes_at >= midnight(day) + timedelta(minutes=5):
            days.append(day)
        day += ONE_DAY
    return days


def midnight(day: date) -> datetime:
    """Return a day's first instant."""
    return datetime.combine(day, time(), UTC)
