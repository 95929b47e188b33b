"""Streaks derived anew where late news touches settled days (R16)."""

from collections.abc import Iterable, Sequence, Set
from datetime import date

from attrs import frozen

from ..core import streaks as core_streaks
from ..core.days import Calendar
from ..core.model import Move
from ..core.ports import Ledger
from ..core.posting import Draft, Excusal
from ..core.reports import StreakChange
from ..core.streaks import Activity, Streak


@frozen
class Derived:
    """Streaks to be posted, and what is to be told of them."""

    streaks: Sequence[Streak] = ()
    changes: Sequence[StreakChange] = ()


def of_draft(ledger: Ledger, draft: Draft, calendar: Calendar) -> Derived:
    """Derive the streak of a member whose award comes or goes on a settled day."""
    if draft.kind == "award":
        return _of_member(ledger, draft.member_id, calendar, came={draft.day})
    return _of_member(ledger, draft.member_id, calendar, gone=draft.reverses)


def of_moves(ledger: Ledger, moves: Iterable[Move], calendar: Calendar) -> Derived:
    """Derive the streaks of those whose windows reach back into settled days."""
    came: dict[str, set[date]] = {}
    for move in moves:
        if move.active and move.window is not None and calendar.is_settled(move.window.days[0]):
            came.setdefault(move.account.member_id, set()).update(move.window.days)
    derived = [_of_member(ledger, member_id, calendar, days) for member_id, days in came.items()]
    return Derived(
        [streak for one in derived for streak in one.streaks], [change for one in derived for change in one.changes]
    )


def of_excusal(ledger: Ledger, calendar: Calendar, days: Sequence[date], meant: Excusal) -> tuple[Derived, int | None]:
    """Derive the streaks that an excusal of settled days touches, everybody's or one member's.

    Returns them with `Activity.revision`, if they are everybody's.
    """
    if calendar.settled_through is None or not calendar.is_settled(days[0]):
        return Derived(), None
    after = calendar.turned(days, excused=meant.is_excused, alone=meant.member_id is not None)
    if meant.member_id is not None:
        return _of_member(ledger, meant.member_id, calendar, after=after), None
    activity = ledger.activity(calendar.settled_through)
    return _of_everyone(activity, after, calendar), activity.revision


def _of_everyone(activity: Activity, calendar: Calendar, calendar_before: Calendar) -> Derived:
    """Derive all streaks under another calendar, by taking every settled day once more."""
    pairs = core_streaks.all_recomputed(activity, calendar)
    changed = [after for before, after in pairs if after != before]
    return Derived(changed, _changes(pairs, calendar_before, calendar))


def _of_member(
    ledger: Ledger,
    member_id: str,
    calendar: Calendar,
    came: Set[date] = frozenset(),
    gone: int | None = None,
    after: Calendar | None = None,
) -> Derived:
    """Derive one member's streak: with days that come, without the award at a position, or under another calendar."""
    own = after or (ledger.calendar(member_id) if calendar.changes else calendar)
    stored = ledger.streak_of(member_id)
    evidence = ledger.evidence(member_id, date.min, date.max)
    days = {one.day for one in evidence if gone is None or one.position != gone} | came
    derived = core_streaks.recomputed(stored, days, own)
    # Posted even if it is the same: its version tells others that evidence came or went.
    return Derived([derived], _changes([(stored, derived)], calendar, after or calendar))


def _changes(
    pairs: Sequence[tuple[Streak, Streak]], calendar_before: Calendar, calendar: Calendar
) -> Sequence[StreakChange]:
    changes = [
        StreakChange(
            before.member_id,
            core_streaks.current(before, calendar_before),
            core_streaks.current(after, calendar),
            before.longest,
            after.longest,
        )
        for before, after in pairs
    ]
    return [change for change in changes if change.is_visible]
