"""Awards, their reversals, and adjustments by hand (R8)."""

from datetime import datetime

from attrs import evolve

from ..core.days import Calendar
from ..core.errors import KeyReused, Reversed, UnknownAward, UnknownMember
from ..core.model import ADJUSTMENT, Entry
from ..core.ports import Ledger
from ..core.posting import Booking, Derived, Posting, drafted, retry_on_conflict
from ..core.reports import Receipt, ReceiptOutcome
from ..core.validation import (
    day_of_award,
    in_utc,
    validate_actor,
    validate_change,
    validate_flag,
    validate_key,
    validate_member_id,
    validate_new,
    validate_points,
    validate_reason,
    validate_source,
)
from . import streaks


def award(ledger: Ledger, award: Entry, now: datetime) -> Receipt:
    """Post an award, once per key, on the day it happened.

    Raises `UnknownMember`, `KeyReused` and `Reversed`.
    """
    at = in_utc("at", award.at)
    draft = evolve(
        award,
        member_id=validate_member_id(award.member_id),
        source=validate_source(award.source),
        points=validate_points(award.points),
        key=validate_key(award.key),
        day=day_of_award(at, now),
        at=at,
        counts_as_activity=validate_flag("counts_as_activity", award.counts_as_activity),
        actor=None if award.actor is None else validate_actor(award.actor),
    )

    return retry_on_conflict(lambda: _post_once(ledger, draft, now, "awarded"))


def reverse(ledger: Ledger, key: str, reason: str, by: str, now: datetime) -> Receipt:
    """Reverse an award and its evidence (R11); repeating it does nothing. Raises `UnknownAward`."""
    key, reason, by = validate_key(key), validate_reason(reason), validate_actor(by)

    def attempt() -> Receipt:
        booking = ledger.booking(key)
        award = booking.posted
        if award is None or award.kind != "award":
            raise UnknownAward(key)
        if booking.reversal is not None:
            return Receipt("unchanged", booking.reversal)
        return _post(ledger, award.reversal(now, reason, by), booking.calendar, now, "reversed")

    return retry_on_conflict(attempt)


def adjust(ledger: Ledger, member_id: str, points: int, key: str, reason: str, by: str, now: datetime) -> Receipt:
    """Add or take points by hand, once per key; raises `UnknownMember` and `KeyReused`."""
    member_id, points, key = validate_member_id(member_id), validate_change(points), validate_key(key)
    reason, by = validate_reason(reason), validate_actor(by)
    draft = drafted("adjustment", member_id, ADJUSTMENT, points, now.date(), now, key, reason, by)
    return retry_on_conflict(lambda: _post_once(ledger, draft, now, "adjusted"))


def _post_once(ledger: Ledger, draft: Entry, now: datetime, outcome: ReceiptOutcome) -> Receipt:
    """Post a draft, unless an equal one has been posted under its key."""
    booking = _booking(ledger, draft)
    if booking.posted is None:
        return _post(ledger, draft, booking.calendar, now, outcome)
    if booking.reversal is not None:
        raise Reversed(booking.posted.key or "")
    return Receipt("unchanged", booking.posted)


def _post(ledger: Ledger, draft: Entry, calendar: Calendar, now: datetime, outcome: ReceiptOutcome) -> Receipt:
    """Post a new entry; raises `InvalidValue` if its key, source or actor could be confused with another (R29)."""
    # A reversal has no key, and its source is that of its award.
    named = {"key": draft.key, "by": draft.actor, "source": draft.source if draft.kind == "award" else None}
    for field_name, value in named.items():
        if value is not None:
            validate_new(field_name, value)
    is_late = draft.kind != "adjustment" and calendar.is_settled(draft.day)
    derived = streaks.of_draft(ledger, draft, calendar) if is_late else Derived()
    (entry,) = ledger.post(derived.posted_with(Posting(now, drafts=[draft], calendar=calendar)))
    return Receipt(outcome, entry, next(iter(derived.changes), None))


def _booking(ledger: Ledger, draft: Entry) -> Booking:
    """Return what a draft is decided on; raises `KeyReused` if its key stands for something else."""
    key = validate_key(draft.key)
    booking = ledger.booking(key, draft.member_id)
    if not booking.is_member:
        raise UnknownMember(draft.member_id)
    if booking.posted is None or _matter(booking.posted) == _matter(draft):
        return booking
    raise KeyReused(key, _described(booking.posted), _described(draft))


def _matter(posted: Entry) -> tuple[str, str, str, int, bool]:
    """Return what a key stands for; a repeated call may differ in time and reason."""
    return posted.kind, posted.member_id, posted.source, posted.points, posted.counts_as_activity


def _described(posted: Entry) -> str:
    kind = posted.kind if posted.counts_as_activity else f"{posted.kind} that does not count as activity"
    return f"{posted.points:+,} points for {posted.source!r} to member {posted.member_id!r} ({kind})"
