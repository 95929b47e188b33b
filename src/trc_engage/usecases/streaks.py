"""Streaks recomputed after late news about settled days (R16)."""

from collections.abc import Iterable, Sequence, Set
from datetime import date

from attrs import evolve, frozen

from ..core import streaks as core_streaks
from ..core.days import Calendar
from ..core.model import Entry, Move
from ..core.ports import Ledger
from ..core.posting import Derived
from ..core.records import Excusal
from ..core.reports import ChangeCause, StreakChange
from ..core.streaks import Streak


def of_draft(ledger: Ledger, draft: Entry, calendar: Calendar) -> Derived:
    """Recompute the streak of a member whose award on a settled day is posted or reversed."""
    if draft.kind == "adjustment" or not draft.counts_as_activity or not calendar.is_settled(draft.day):
        return Derived()
    if draft.kind == "award":
        return _of_member(ledger, draft.member_id, calendar, LateChange("award", draft.day, came={draft.day}))
    return _of_member(ledger, draft.member_id, calendar, LateChange("reversal", draft.day, gone=draft.reverses))


def of_moves(ledger: Ledger, moves: Iterable[Move], calendar: Calendar, cause: ChangeCause = "window") -> Derived:
    """Recompute the streaks of members whose windows reach back into settled days."""
    came: dict[str, set[date]] = {}
    for move in moves:
        if move.active and move.window is not None and calendar.is_settled(move.window.days[0]):
            came.setdefault(move.account.member_id, set()).update(move.window.days)
    derived = [
        _of_member(ledger, member_id, calendar, LateChange(cause, min(days), days)) for member_id, days in came.items()
    ]
    return Derived(
        [streak for one in derived for streak in one.streaks],
        [change for one in derived for change in one.changes],
        [length for one in derived for length in one.reached],
    )


def of_excusal(ledger: Ledger, calendar: Calendar, days: Sequence[date], meant: Excusal) -> Derived:
    """Recompute the streaks that an excusal of settled days affects, everyone's or one member's."""
    if calendar.settled_through is None or not calendar.is_settled(days[0]):
        return Derived()
    after = calendar.turned(days, excused=meant.is_excused, alone=meant.member_id is not None)
    late = LateChange("excused" if meant.is_excused else "required", days[0], calendar=after)
    if meant.member_id is not None:
        return _of_member(ledger, meant.member_id, calendar, late)
    activity = ledger.activity(calendar.settled_through)
    pairs = core_streaks.all_recomputed(activity, after)
    changed = [streak for before, streak in pairs if streak != before]
    return evolve(of_pairs(pairs, calendar, late), streaks=changed, revision=activity.revision)


@frozen
class LateChange:
    """Late news about settled days; `day` is the earliest of them."""

    cause: ChangeCause
    day: date | None = None
    came: Set[date] = frozenset()
    gone: int | None = None
    """The position of a reversed award."""
    calendar: Calendar | None = None
    """The calendar afterwards, if it changed."""


def _of_member(ledger: Ledger, member_id: str, calendar: Calendar, late: LateChange) -> Derived:
    """Recompute one member's streak from late news."""
    own = late.calendar or (ledger.calendar(member_id) if calendar.changes else calendar)
    stored = ledger.streak_of(member_id)
    evidence = ledger.evidence(member_id, date.min, date.max)
    known = {one.day for one in evidence if late.gone is None or one.position != late.gone}
    late = evolve(late, day=min(late.came - known, default=late.day))
    # Post it even if unchanged: the new version tells other writers that evidence changed.
    return of_pairs([(stored, core_streaks.recomputed(stored, known | late.came, own))], calendar, late)


def of_pairs(pairs: Sequence[tuple[Streak, Streak]], calendar: Calendar, late: LateChange) -> Derived:
    """Return the recomputed streaks, with the visible changes from the stored ones and the lengths newly reached."""
    changes = [
        StreakChange(
            before.member_id,
            core_streaks.current(before, calendar),
            core_streaks.current(after, late.calendar or calendar),
            before.longest,
            after.longest,
            late.cause,
            late.day,
        )
        for before, after in pairs
    ]
    visible = [change for change in changes if change.is_visible]
    return Derived([after for _, after in pairs], visible, core_streaks.newly_reached(pairs))
