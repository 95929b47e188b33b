"""The history of a member's days and streak, as far as it was observed (R26, R28)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from itertools import pairwise
from typing import Literal

from attrs import Factory, evolve, frozen

from .days import FOOTHOLD, SATURDAY
from .membership import Absence
from .model import Decision, DiscordActivity, Entry, Evidence
from .records import Excusal, MembershipEvent
from .reports import Mark, MemberDay, Standing, StreakChange
from .settlement import ends_at

GapCause = Literal["not_linked", "waiting", "unlinked", "left", "forgotten", "rebased", "missed"]
"""Waiting: linked but not yet read. Missed: the board moved during every read since, or a leave was undone since."""


@frozen
class GoodRun:
    """A good sync."""

    at: datetime
    """When it began to read."""
    missed: int
    """How many accounts it could not look for because the board moved."""
    decision: Decision | None = None


@frozen
class Gap:
    """A time in which a member's XP was not watched, and why."""

    since: datetime
    until: datetime | None
    """None: it is still open."""
    cause: GapCause
    event: MembershipEvent | None = None
    """What began it, with its actor."""
    entry: Entry | None = None
    """The rebase that ended it."""

    def touches(self, day: date) -> bool:
        """Return whether any of it lies on a day."""
        return self.since < ends_at(day) and (self.until is None or self.until > begins_at(day))


def begins_at(day: date) -> datetime:
    """Return a UTC day's first instant."""
    return datetime.combine(day, time(), UTC)


def gaps_of(
    enrolled_at: datetime,
    events: Sequence[MembershipEvent],
    resets: Sequence[tuple[Entry, datetime | None]],
    account: DiscordActivity | None,
) -> list[Gap]:
    """Return when a member was not watched, oldest first.

    `resets` are openings and rebases, each with the start of the good sync before it; `account` is the current one.
    """
    openings = {entry.xp.account_id: entry.at for entry, _ in resets if entry.kind == "opening" and entry.xp}
    gaps = [Gap(begins_at(enrolled_at.date()), None, "not_linked")]
    for event in events:
        opened_at = openings.get(event.account_id or 0)
        if event.kind == "linked":
            gaps[-1] = evolve(gaps[-1], until=event.at)
            gaps.append(Gap(event.at, opened_at, "waiting", event))
        elif event.kind in {"unlinked", "left"} or (event.kind == "forgotten" and gaps[-1].until is not None):
            gaps[-1] = evolve(gaps[-1], until=min(gaps[-1].until or event.at, event.at))
            causes: dict[str, GapCause] = {"left": "left", "forgotten": "forgotten"}
            gaps.append(Gap(event.at, None, causes.get(event.kind, "unlinked"), event))
        elif event.kind == "returned" and gaps[-1].cause == "left":
            until = event.window_from or event.at
            gaps[-1] = evolve(gaps[-1], until=until)
            if opened_at is None or opened_at > until:
                gaps.append(Gap(until, opened_at, "waiting", event))
        elif event.kind == "never_left":
            gaps = _mended(gaps, event)
    rebases = [(entry, looked_at or entry.at) for entry, looked_at in resets if entry.kind == "rebase"]
    gaps += [Gap(since, entry.at, "rebased", None, entry) for entry, since in rebases]
    if account is not None and account.window_from is not None and account.next_reading == "continues":
        undone = _undone(events, account.account_id, account.window_from)
        gaps.append(Gap(account.window_from, None, "missed", undone))
    return sorted((gap for gap in gaps if gap.until is None or gap.since < gap.until), key=lambda gap: gap.since)


def _undone(events: Iterable[MembershipEvent], account_id: int, since: datetime) -> MembershipEvent | None:
    """Return the leave that was undone, if one was since an instant: until then it kept readings from looking."""
    left = undone = None
    for event in events:
        if event.account_id == account_id and event.kind == "left":
            left = event
        elif event.account_id == account_id and event.kind == "never_left" and event.at >= since:
            undone = left
    return undone


def _mended(gaps: list[Gap], event: MembershipEvent) -> list[Gap]:
    """Remove the last leave's gap, which the next reading covers, unless the leave was long (R6a)."""
    for number in range(len(gaps) - 1, -1, -1):
        gap = gaps[number]
        if gap.cause == "left" and gap.event is not None:
            closed = evolve(gap, until=gap.until or event.at)
            is_long = bool(Absence(gap.event, gap.until).days_unknown(event.at))
            return [*gaps[:number], *([closed] if is_long else []), *gaps[number + 1 :]]
    return gaps


def watched(day: MemberDay, gaps: Sequence[Gap]) -> MemberDay:
    """Return the day, marked as not watched instead of missed if it touches a gap."""
    is_missed = day.mark == "missed" and any(gap.touches(day.day) for gap in gaps)
    return evolve(day, mark="not_watched") if is_missed else day


@frozen
class StreakEvent:
    """A streak grew over some days, ended on a day, or was changed by late news of settled days."""

    kind: Literal["grew", "ended", "changed"]
    day: date
    """The last day it grew, the day that ended it, or the earliest day of the news."""
    at: datetime
    """When the day was settled or the news was posted."""
    before: int
    after: int
    change: StreakChange | None = None
    first_day: date | None = None
    """The first day it grew."""

    @property
    def hurts(self) -> bool:
        """Whether the member lost anything."""
        shrank = self.change is not None and self.change.longest_after < self.change.longest_before
        return self.after < self.before or shrank


@frozen
class Activity:
    """An active day, from when that became known until it was reversed."""

    day: date
    known_at: datetime
    gone_at: datetime | None = None


def activities(evidence: Iterable[Evidence], entries: Iterable[Entry]) -> list[Activity]:
    """Return what made days active, and since when that is known: rises of XP, and awards, even if reversed."""
    entries = list(entries)
    gone = {entry.reverses: entry.at for entry in entries if entry.kind == "reversal"}
    awards = [entry for entry in entries if entry.kind == "award" and entry.counts_as_activity]
    known = [Activity(one.day, one.closes_at) for one in evidence if one.closes_at is not None]
    return known + [Activity(one.day, one.booked_at or one.at, gone.get(one.position)) for one in awards]


def life_of(
    settled: Mapping[date, datetime],
    known: Sequence[Activity],
    excusals: Sequence[Excusal],
    changes: Sequence[StreakChange],
) -> list[StreakEvent]:
    """Return a streak's events, from the days as they were settled and later changes (R28)."""
    days = [(day, at) for day, at in sorted(settled.items()) if day.weekday() < SATURDAY]
    told: list[StreakEvent] = []
    length, left = 0, list(changes)
    for day, at in days:
        while left and _is_before(left[0], at, length, told):
            length = _take(left.pop(0), told)
        if any(one.day == day and one.known_at <= at and (one.gone_at is None or one.gone_at > at) for one in known):
            _grow(told, day, at, length)
            length += 1
        elif length and not _was_excused(day, at, excusals):
            told.append(StreakEvent("ended", day, at, length, 0))
            length = 0
    while left:
        length = _take(left.pop(0), told)
    return told


def _is_before(change: StreakChange, at: datetime, length: int, told: Sequence[StreakEvent]) -> bool:
    """Return whether a change came before a settlement; at the same instant, if it fits the length so far."""
    if change.at is None or change.at == at:
        return bool(told) and change.current_before == length
    return change.at < at


def _take(change: StreakChange, told: list[StreakEvent]) -> int:
    at = change.at or datetime.min.replace(tzinfo=UTC)
    day = change.day or at.date()
    told.append(StreakEvent("changed", day, at, change.current_before, change.current_after, change))
    return change.current_after


def _grow(told: list[StreakEvent], day: date, at: datetime, length: int) -> None:
    if told and told[-1].kind == "grew" and told[-1].after == length:
        told[-1] = evolve(told[-1], day=day, at=at, after=length + 1)
    else:
        told.append(StreakEvent("grew", day, at, length, length + 1, first_day=day))


def _was_excused(day: date, at: datetime, excusals: Iterable[Excusal]) -> bool:
    """Return whether a day was excused, for everyone or the member, as known at an instant."""
    last = {one.member_id: one.is_excused for one in excusals if one.day == day and one.at <= at}
    return any(last.values())


@frozen
class DayStory:
    """Everything known about one of a member's days."""

    of: MemberDay
    gaps: Sequence[Gap]
    """Those that touch the day, or end at the opening of a window that counts for it."""
    settled_at: datetime | None
    runs: Sequence[GoodRun]
    """The good syncs that began on the day."""
    longest_gap: tuple[datetime, datetime] | None
    """The longest time between good syncs that touches the day."""
    xp_first: int | None
    """The last XP read before the day; None before the first reading."""
    xp_last: int | None
    """The last XP read by the end of the day."""
    entries: Sequence[Entry]
    """Those that count for the day or are dated on it, oldest first."""
    events: Sequence[MembershipEvent]
    """The member's events on the day."""
    excusals: Sequence[Excusal]
    """How the day was excused and required again, oldest first."""
    life: Sequence[StreakEvent]
    """The streak's events that concern the day, or that were settled or posted on it."""
    waits_for: Literal["end", "reading", "run"] | None = None
    """What an open day waits for: its end, a good sync that begins after it, or a run (or an earlier day)."""
    decided: Mapping[int, GoodRun] = Factory(dict)
    """The good syncs whose decision led to a rebase that names nobody, by the position of its entry."""
    xp_next: int | None = None
    """What the next reading showed, if the day had none of its own and if that is known."""

    @property
    def day(self) -> date:
        """Which day it is."""
        return self.of.day

    @property
    def mark(self) -> Mark:
        """What the day means for the streak."""
        return self.of.mark

    @property
    def reset(self) -> Entry | None:
        """The day's last opening or rebase, before which XP cannot be compared with that after it."""
        mine = [one for one in self.entries if one.kind in {"opening", "rebase"} and one.at.date() == self.day]
        return mine[-1] if mine else None

    @property
    def midnight(self) -> datetime | None:
        """When the first reading began, if what it showed counts for the day before (R12).

        No evidence may be on the day, so that XP can have risen only by then, or back to what it was before a fall.
        """
        first = next(iter(self.runs), None)
        if first is None or first.missed or first.at - begins_at(self.day) >= FOOTHOLD:
            return None
        rose_later = any(one.kind == "gain" and one.at.date() == one.day == self.day for one in self.entries)
        return None if rose_later else first.at


@frozen
class Story:
    """The life of a member's streak, oldest first (R28)."""

    standing: Standing
    events: Sequence[StreakEvent]


@frozen
class Why:
    """A question about a member, and everything that answers it."""

    standing: Standing
    about: Literal["nothing", "day", "entry", "streak"]
    """Nothing: nothing has hurt the member. Streak: news of settled days changed it."""
    day: DayStory | None = None
    entry: Entry | None = None
    partner: Entry | None = None
    """The award that the entry reverses, or the reversal of the entry."""
    decided: GoodRun | None = None
    """The good sync whose decision led to the entry, if the entry names nobody."""
    event: StreakEvent | None = None
    """The change of the streak in question."""
    later: Sequence[StreakEvent] = ()
    """How late news made the streak longer after that."""
    other: Entry | StreakEvent | None = None
    """If points and a streak were lost within a week, the loss that is not in question."""


def decided_by(rebase: Entry, since: datetime, runs: Sequence[GoodRun]) -> GoodRun | None:
    """Return the good sync whose decision led to a rebase that names nobody; `since` is the account's entry before it.

    An adoption has an entry for each account but those noted as left or missed, whose next reading rebases (R24).
    """
    for run in reversed(runs):
        kind = None if run.decision is None else run.decision.kind
        is_adopted = kind == "adopt_board" and since < run.at < rebase.at
        if is_adopted or (kind == "rebase_drops" and run.at == rebase.at):
            return run
    return None


def xp_next(entries: Iterable[Entry], next_at: datetime, xp_before: int | None, xp_after: int | None) -> int | None:
    """Return what the reading at an instant showed, if it is known from its entry, or because XP stayed all that day.

    `xp_before` is the XP read last before that reading, `xp_after` that by the end of its day.
    """
    moved = {one.at: one.xp.xp_after for one in entries if one.xp is not None and one.at.date() == next_at.date()}
    return xp_after if not moved and xp_after == xp_before else moved.get(next_at)


def longest_gap(day: date, runs: Sequence[datetime], now: datetime) -> tuple[datetime, datetime] | None:
    """Return the longest time between good syncs that touches a day; `runs` include the last before, the next after."""
    end = min(ends_at(day), now)
    on_it = [(a, b) for a, b in pairwise([*runs, now]) if a < end and b > begins_at(day)]
    return max(on_it, key=lambda pair: pair[1] - pair[0], default=None)
