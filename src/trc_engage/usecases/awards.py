"""Awards from anywhere, their reversal, and adjustments by hand (R8)."""

from datetime import datetime

from attrs import field, frozen

from ..core import sync as core_sync
from ..core.days import in_utc
from ..core.errors import KeyReused, Reversed, UnknownAward, UnknownMember
from ..core.model import ADJUSTMENT, Entry
from ..core.ports import Ledger
from ..core.posting import Draft, Posting
from ..core.reports import Receipt, ReceiptOutcome
from ..core.validation import (
    validate_actor,
    validate_change,
    validate_key,
    validate_member_id,
    validate_new,
    validate_points,
    validate_reason,
    validate_source,
)
from . import retry_on_conflict, streaks


@frozen
class Award:
    """Points for something that a member did at some instant."""

    member_id: str = field(converter=validate_member_id)
    source: str = field(converter=validate_source)
    points: int = field(converter=validate_points)
    key: str = field(converter=validate_key)
    at: datetime


@frozen
class Reversal:
    """The taking back of one award."""

    key: str = field(converter=validate_key)
    reason: str = field(converter=validate_reason)
    actor: str = field(converter=validate_actor)


@frozen
class Adjustment:
    """Points added or taken by hand."""

    member_id: str = field(converter=validate_member_id)
    points: int = field(converter=validate_change)
    key: str = field(converter=validate_key)
    reason: str = field(converter=validate_reason)
    actor: str = field(converter=validate_actor)


def award(ledger: Ledger, asked: Award, now: datetime) -> Receipt:
    """Post an award, once for its key; raises `UnknownMember`, `KeyReused` and `Reversed`."""
    at = in_utc("at", asked.at)
    day = core_sync.day_of_award(at, now)
    draft = Draft("award", asked.member_id, asked.source, asked.points, day, at, asked.key)

    def attempt() -> Receipt:
        posted = _posted(ledger, draft)
        if posted is None:
            return _post(ledger, draft, now, "awarded")
        if ledger.reversal_of(posted.position):
            raise Reversed(asked.key)
        return Receipt("unchanged", posted)

    return retry_on_conflict(attempt)


def reverse(ledger: Ledger, asked: Reversal, now: datetime) -> Receipt:
    """Take an award back, and its evidence with it (R11); a second time does nothing. Raises `UnknownAward`."""

    def attempt() -> Receipt:
        award = ledger.entry_of(asked.key)
        if award is None or award.kind != "award":
            raise UnknownAward(asked.key)
        if reversal := ledger.reversal_of(award.position):
            return Receipt("unchanged", reversal)
        draft = Draft(
            "reversal",
            award.member_id,
            award.source,
            -award.points,
            award.day,
            now,
            reason=asked.reason,
            actor=asked.actor,
            reverses=award.position,
        )
        return _post(ledger, draft, now, "reversed")

    return retry_on_conflict(attempt)


def adjust(ledger: Ledger, asked: Adjustment, now: datetime) -> Receipt:
    """Add or take points by hand, once for its key; raises `UnknownMember` and `KeyReused`."""
    draft = Draft(
        "adjustment", asked.member_id, ADJUSTMENT, asked.points, now.date(), now, asked.key, asked.reason, asked.actor
    )

    def attempt() -> Receipt:
        posted = _posted(ledger, draft)
        return Receipt("unchanged", posted) if posted else _post(ledger, draft, now, "adjusted")

    return retry_on_conflict(attempt)


def _post(ledger: Ledger, draft: Draft, now: datetime, outcome: ReceiptOutcome) -> Receipt:
    """Post what was not there yet; raises `InvalidValue` where its key, source or actor is misspelt (R29)."""
    # What a reversal is of stands already, its source too.
    named = {"key": draft.key, "by": draft.actor, "source": draft.source if draft.kind == "award" else None}
    for field_name, value in named.items():
        if value is not None:
            validate_new(field_name, value)
    calendar = ledger.calendar()
    derived = streaks.of_draft(ledger, draft, calendar)
    (entry,) = ledger.post(Posting(now, drafts=[draft], streaks=derived.streaks, calendar=calendar))
    return Receipt(outcome, entry, next(iter(derived.changes), None))


def _posted(ledger: Ledger, draft: Draft) -> Entry | None:
    """Return what the draft's key was posted as, if it was; `KeyReused` if that was another matter."""
    if ledger.member(draft.member_id) is None:
        raise UnknownMember(draft.member_id)
    if draft.key is None:
        return None
    entry = ledger.entry_of(draft.key)
    if entry is None or _matter(entry) == _matter(draft):
        return entry
    raise KeyReused(draft.key, _described(entry), _described(draft))


def _matter(posted: Entry | Draft) -> tuple[str, str, str, int]:
    """Return what a key stands for; when it happened, and why, may be told anew."""
    return posted.kind, posted.member_id, posted.source, posted.points


def _described(posted: Entry | Draft) -> str:
    return f"{posted.points:+,} points for {posted.source!r} to member {posted.member_id!r} ({posted.kind})"
