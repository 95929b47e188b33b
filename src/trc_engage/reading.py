"""What people ask, checked and put together from the `Views` port."""

from collections.abc import Sequence
from datetime import date
from itertools import groupby

from attrs import evolve

from .core import streaks
from .core.days import ONE_DAY
from .core.entries import Entry
from .core.errors import InvalidValue, UnknownMember
from .core.fields import checked_day, checked_limit, checked_member_id, checked_position
from .core.model import Member
from .core.ports import Store
from .core.streaks import Milestone
from .core.views import MemberDay, MemberFacts, Rank, Standing, member_day

DAYS_MAX = 1_000


def standing(ledger: Store, member_id: str, today: date, milestones: Sequence[int]) -> Standing:
    """Return where a member stands, the streak included."""
    facts = _facts(ledger, member_id, today)
    streak = streaks.standing(facts.streak, facts.calendar, facts.open_days, today, milestones)
    return evolve(facts.standing, streak=streak)


def milestones(ledger: Store, member_id: str, today: date, thresholds: Sequence[int]) -> Sequence[Milestone]:
    """Return the milestones that the member's longest streak has reached."""
    return streaks.reached(member_id, _facts(ledger, member_id, today).streak.longest, thresholds)


def days(ledger: Store, member_id: str, first_day: date, last_day: date) -> Sequence[MemberDay]:
    """Return what each day meant for the member's streak, and why."""
    checked_day("first_day", first_day)
    span = (checked_day("last_day", last_day) - first_day).days
    if not 0 <= span < DAYS_MAX:
        raise InvalidValue("last_day", last_day, f"give a day from first_day on, {DAYS_MAX:,} days at most")
    enrolled_on = _member(ledger, member_id).enrolled_at.date()
    calendar = ledger.calendar()
    found = groupby(ledger.evidence(member_id, first_day, last_day), key=lambda one: one.day)
    evidence = {day: tuple(group) for day, group in found}
    each = (first_day + number * ONE_DAY for number in range(span + 1))
    return [member_day(day, evidence.get(day, ()), calendar, enrolled_on) for day in each]


def history(ledger: Store, member_id: str, limit: int, before: int | None) -> Sequence[Entry]:
    """Return a member's entries, newest first."""
    if before is not None:
        checked_position("before", before)
    _member(ledger, member_id)
    return ledger.history(member_id, limit=checked_limit(limit), before=before)


def feed(ledger: Store, after: int, limit: int) -> Sequence[Entry]:
    """Return everyone's entries, oldest first."""
    return ledger.feed(after=checked_position("after", after), limit=checked_limit(limit))


def leaderboard(ledger: Store, month: date | None, limit: int) -> Sequence[Rank]:
    """Return the top of the visible members."""
    return ledger.ranking(*_bounds(month), limit=checked_limit(limit))


def rank(ledger: Store, member_id: str, month: date | None) -> Rank:
    """Return a member's own rank."""
    found = ledger.rank_of(checked_member_id(member_id), *_bounds(month))
    if found is None:
        raise UnknownMember(member_id)
    return found


def _bounds(month: date | None) -> tuple[date, date] | tuple[None, None]:
    """Return the first and the last day of the month that holds a day."""
    if month is None:
        return None, None
    first = checked_day("month", month).replace(day=1)
    return first, (first + 31 * ONE_DAY).replace(day=1) - ONE_DAY


def _facts(ledger: Store, member_id: str, today: date) -> MemberFacts:
    facts = ledger.facts(checked_member_id(member_id), today)
    if facts is None:
        raise UnknownMember(member_id)
    return facts


def _member(ledger: Store, member_id: str) -> Member:
    member = ledger.member(checked_member_id(member_id))
    if member is None:
        raise UnknownMember(member_id)
    return member
