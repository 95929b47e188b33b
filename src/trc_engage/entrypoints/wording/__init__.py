"""Text shared by the command line and the web: single values here, and one file for each longer text."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from attrs import frozen

from ...core.model import Decision, DecisionKind, Entry, XpChange
from ...core.points import XP_PER_POINT
from ...core.records import Check, Excusal, MembershipEvent
from ...core.reports import Mark, Standing

MARKS: dict[Mark, str] = {
    "active": "active",
    "missed": "missed: nothing was earned",
    "not_watched": "not watched, or only in part; nothing is known to have been earned",
    "excused": "excused, nothing earned",
    "weekend": "weekend, nothing earned",
    "pending": "not settled yet, nothing so far",
    "before": "before enrollment",
}


@frozen
class Words:
    """How to say it: to an admin, who reads who did it and the notes, or to the member; and in which zone."""

    for_admin: bool = True
    zone: tzinfo = UTC
    member: str = "the member"
    """What the member is called."""

    def by(self, actor: str | None) -> str:
        """Say who did something; the member reads that an admin did."""
        if actor is None:
            return "(not recorded by whom)"
        return f"by {actor}" if self.for_admin else "by an admin"

    def who(self, actor: str | None) -> str:
        """Say who did something, as a subject."""
        return actor if actor is not None and self.for_admin else "an admin"

    def at(self, at: datetime, day: date | None = None) -> str:
        """Say an instant in the zone, with its day and weekday unless that day was just named."""
        local = at.astimezone(self.zone)
        return f"{local:{'%H:%M' if local.date() == day else '%a %Y-%m-%d %H:%M'}} {local.tzname() or 'UTC'}"

    def because(self, reason: str | None, note: str | None = None) -> str:
        """Quote why, and to an admin what was noted, so that nobody takes it for ours."""
        said = [] if reason is None else [f'reason: "{reason}"']
        said += [f'note: "{note}"'] if note is not None and self.for_admin else []
        return f" ({', '.join(said)})" if said else ""

    def done(self, actor: str | None, at: datetime, reason: str | None, note: str | None = None) -> str:
        """Say by whom something was done, when and why."""
        return f"{self.by(actor)} at {self.at(at)}{self.because(reason, note)}"


def describe_excusal(excusal: Excusal, words: Words, *, is_quiet: bool = False) -> str:
    """Describe how a day was excused, how that was withdrawn, or how a quiet day was confirmed (R15a)."""
    what = "excused" if excusal.is_excused else "confirmed as quiet" if is_quiet else "withdrawn"
    what += " for everybody" if excusal.member_id is None else " for this member"
    return f"{what} {words.done(excusal.actor, excusal.at, excusal.reason, excusal.note)}"


DECISIONS: dict[DecisionKind, str] = {
    "accept_drops": "accepted the loss of XP",
    "rebase_drops": "kept all points and started XP counting over",
    "adopt_board": "moved to another board",
}


def describe_decision(decision: Decision, at: datetime, words: Words) -> str:
    """Say what an admin decided about a reading."""
    return f"{words.who(decision.actor)} {DECISIONS[decision.kind]} at {words.at(at)}{words.because(decision.reason)}"


def describe_membership(event: MembershipEvent, words: Words) -> str:
    """Say what was done about a member."""
    what = event.kind.replace("never_left", "leave undone as a mistake")
    return f"{what} {words.done(event.actor, event.at, event.reason, event.note)}"


def explained(entry: Entry) -> str:
    """Return how an entry came about, so that it can be checked from the one before it."""
    if entry.xp is None:
        return _by_hand(entry)
    change = entry.xp
    if entry.kind == "opening":
        return f"counts from {change.xp_after:,} XP" + ("; no points for history" if change.xp_after else "")
    moved = xp_moved(change.xp_before or 0, change.xp_after)
    decided = f"; decided by {entry.actor}: {entry.reason}" if entry.actor else ""
    if entry.kind == "rebase":
        return f"{moved} not counted; carried {change.carried_after} stays{decided}"
    return f"{moved}, carried {change.carried_before} → {change.carried_after}{decided}"


def _by_hand(entry: Entry) -> str:
    if entry.kind == "award":
        booked_at = moment(entry.booked_at or entry.at)
        booked = "" if booked_at == moment(entry.at) else f", booked {booked_at}"
        who = "" if entry.actor is None else f" by {entry.actor}"
        return f"{entry.source}, key {entry.key}{booked}{who}"
    if entry.kind == "reversal":
        return f"{entry.source}: entry {entry.reverses} taken back by {entry.actor}: {entry.reason}"
    return f"adjusted by {entry.actor}: {entry.reason}, key {entry.key}"


def arithmetic(amount: int, change: int, xp: XpChange) -> str:
    """Reckon an entry's points so that a child can follow.

    >>> arithmetic(-5, -466, XpChange(1, 2_225, 1_759, 0, 0))
    '466 XP less the 25 carried are 441 XP. They cost 5 points (500 XP), and 59 XP left over (500 - 441) are carried'
    >>> arithmetic(3, 350, XpChange(1, 1_000, 1_350, 0, 0))
    '350 XP pay 3 points (300 XP), and 50 XP left over (350 - 300) are carried'
    """
    carried, kept = xp.carried_before or 0, xp.carried_after
    total, whole = carried + change, abs(amount) * XP_PER_POINT
    if change < 0 <= total:
        return f"The {carried} carried XP cover the {-change:,} XP, so no point is taken, and {kept} XP are carried"
    joined = f"{'and' if change >= 0 else 'less'} the {carried} carried are {abs(total):,} XP. They"
    start = f"{abs(change):,} XP {joined}" if carried else f"{abs(change):,} XP"
    larger, smaller = max(abs(total), whole), min(abs(total), whole)
    rest = f"{kept} XP left over ({larger:,} - {smaller:,}) are carried" if kept else "no XP are left over"
    return f"{start} {'pay' if change >= 0 else 'cost'} {counted(abs(amount), 'point')} ({whole:,} XP), and {rest}"


def xp_moved(before: int, after: int) -> str:
    """Return how XP rose or fell."""
    return f"XP {before:,} → {after:,} ({after - before:+,})"


def natural(text: str) -> list[tuple[int, int, str]]:
    """Return what sorts texts as people do: m-2 before m-10.

    >>> sorted(["m-10", "M-2", "m-9b"], key=natural)
    ['M-2', 'm-9b', 'm-10']
    """
    parts = re.split("([0-9]+)", text.casefold())
    return [(0, int(part), "") if number % 2 else (1, 0, part) for number, part in enumerate(parts)]


def safe(text: str) -> str:
    """Return foreign text on one line, without anything that a terminal would obey or an eye be misled by.

    >>> safe("Ada" + chr(27) + "[31m" + chr(10))
    'Ada[31m '
    """
    return "".join(char if char.isprintable() else " " if char.isspace() else "" for char in text)


def points(amount: int) -> str:
    """Return points gained or lost with their noun."""
    return f"{signed(amount)} {_noun(amount, 'point')}"


def signed(amount: int) -> str:
    """Return a number with its sign; nothing has none."""
    return f"{amount:+,}" if amount else "0"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {_noun(number, noun)}"


def moment(at: datetime) -> str:
    """Return a UTC instant to the minute."""
    return f"{at:%Y-%m-%d %H:%M}"


def dated(day: date) -> str:
    """Return a day with its weekday, on which so much depends."""
    return f"{day:%a %Y-%m-%d}"


def days_listed(days: Sequence[date], most: int) -> str:
    """Return days by name; of more than `most` the first and the last."""
    if len(days) > most:
        return f"{len(days):,} days, {dated(days[0])} to {dated(days[-1])}"
    return ", ".join(map(dated, days))


def tally(counts: Mapping[Any, int]) -> str:
    """Return how many there are of each kind that there is any of."""
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)


PLURALS = {"entry": "entries", "breach": "breaches"}


def _noun(number: int, noun: str) -> str:
    return noun if abs(number) == 1 else PLURALS.get(noun, f"{noun}s")


DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def lasted(span: timedelta) -> str:
    """Return how long something lasts, in its two largest units.

    >>> lasted(timedelta(hours=26, minutes=5)), lasted(timedelta(minutes=7, seconds=3)), lasted(timedelta(seconds=-2))
    ('1 d 2 h', '7 min', '0 s')
    """
    if span >= DAY:
        return f"{span // DAY:,} d {span % DAY // HOUR} h"
    if span >= HOUR:
        return f"{span // HOUR} h {span % HOUR // MINUTE} min"
    if span >= MINUTE:
        return f"{span // MINUTE} min"
    return f"{max(span, timedelta(0)).seconds} s"


def size(number: int) -> str:
    """Return a number of bytes to two digits or more.

    >>> size(999), size(110_592), size(62_849_024)
    ('999 bytes', '111 kB', '62.8 MB')
    """
    for unit, digits, name in ((10**9, 1, "GB"), (10**6, 1, "MB"), (10**3, 0, "kB")):
        if number >= unit:
            return f"{number / unit:,.{digits}f} {name}"
    return counted(number, "byte")


STATUSES = {
    "waiting": "waiting for its first sync",
    "tracked": "tracked",
    "absent": "not on the board at the last sync; the XP is kept",
    "left": "left Discord; the XP is kept",
    "unlinked": "unlinked; the points stay",
}


def presence(check: Check, now: datetime) -> str:
    """Return what the roster told of a member."""
    asked = f"asked {lasted(now - check.asked_at)} ago"
    if check.gone_at is not None:
        return f"gone since {moment(check.gone_at)} UTC or earlier, {asked}"
    since = "" if check.joined_at is None else f" since {moment(check.joined_at)} UTC"
    return f"on the server{since}, {asked}" if check.present_at else f"not known, {asked}"


FORGOTTEN = "(forgotten)"


def named(standing: Standing) -> str:
    """Return a member's name and id, made safe."""
    member_id, name = safe(standing.member_id), name_of(standing)
    return f"{safe(name)} ({member_id})" if name else member_id


def name_of(standing: Standing) -> str:
    """Return a member's name as it was given; one who was forgotten has none."""
    return standing.name or (FORGOTTEN if standing.is_forgotten else "")
