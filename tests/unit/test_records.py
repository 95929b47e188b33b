"""What is kept on record: events, excused days, and what a clock that ran ahead left behind (R13a, R22, R26)."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest
from attrs import evolve

from trc_engage.core.days import Calendar
from trc_engage.core.posting import drafted
from trc_engage.core.records import (
    Ahead,
    ClockDecision,
    Excusal,
    MembershipEvent,
    Trace,
    confirmed,
    excused_alone,
    in_force,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)


def excusal(day: date, member_id: str | None = None, *, is_excused: bool = True) -> Excusal:
    """Return an admin's decision about a day."""
    return Excusal(day, is_excused, NOON, "admin-7", member_id=member_id)


def test_an_event_has_no_number_until_it_is_kept() -> None:
    """An event gets its number from the store, and only the event of a link also gets its account there."""
    event = Trace("admin-7", "asked", "by phone").event("linked", "m-1", NOON)
    assert event == MembershipEvent(0, "m-1", "linked", NOON, "admin-7", "asked", "by phone", None)
    assert event.recorded(4, {"m-1": 9}) == evolve(event, number=4, account_id=9)
    left = evolve(event, kind="left", account_id=3)
    assert left.recorded(5, {"m-1": 9}) == evolve(left, number=5)


def test_every_turn_of_a_day_is_counted() -> None:
    """Every change of a day is counted, even one member's, so that plans made on the calendar conflict."""
    calendar = Calendar(MONDAY, frozenset({TUESDAY}), changes=4)
    assert excusal(MONDAY).turned(calendar) == Calendar(MONDAY, frozenset({MONDAY, TUESDAY}), changes=5)
    assert excusal(TUESDAY, is_excused=False).turned(calendar) == Calendar(MONDAY, changes=5)
    assert excusal(MONDAY, "m-1").turned(calendar) == evolve(calendar, changes=5)


def test_a_members_own_calendar_turns_apart() -> None:
    """A member's own calendar keeps the days on which the member alone is excused apart from everybody's."""
    calendar = Calendar(MONDAY, frozenset({MONDAY}), 4, frozenset({TUESDAY}))
    more = calendar.turned([MONDAY], excused=True, alone=True)
    assert (*map(sorted, (more.excused, more.alone)), more.changes) == ([MONDAY], [MONDAY, TUESDAY], 5)
    less = calendar.turned([TUESDAY, MONDAY], excused=False, alone=True)
    assert (*map(sorted, (less.excused, less.alone)), less.changes) == ([MONDAY], [], 6)
    both = calendar.turned([TUESDAY], excused=True)
    assert (*map(sorted, (both.excused, both.alone)), both.changes) == ([MONDAY, TUESDAY], [TUESDAY], 5)


def test_the_last_word_about_a_day_is_in_force() -> None:
    """The last decision about a day is in force, listed by day, with everybody's before those for one member."""
    told = [
        excusal(TUESDAY, "B-2"),
        excusal(TUESDAY, "A-1"),
        excusal(TUESDAY),
        excusal(MONDAY, "m-1"),
        excusal(MONDAY, "m-1", is_excused=False),
        excusal(MONDAY),
    ]
    assert [(one.day, one.member_id) for one in in_force(told)] == [
        (MONDAY, None),
        (TUESDAY, None),
        (TUESDAY, "A-1"),
        (TUESDAY, "B-2"),
    ]
    assert excused_alone(told) == {TUESDAY: {"A-1", "B-2"}}


def test_a_required_day_that_was_not_excused_was_confirmed() -> None:
    """A day that is required without being excused at that time was confirmed as quiet (R15a), for each side apart."""
    quiet, excused, withdrawn = excusal(TUESDAY, is_excused=False), excusal(TUESDAY), excusal(TUESDAY, is_excused=False)
    assert confirmed([excused, withdrawn]) == []
    assert confirmed([quiet, excused]) == [quiet]
    assert confirmed([excused, withdrawn, quiet]) == [quiet]
    monday, alone = excusal(MONDAY, is_excused=False), excusal(TUESDAY, "m-1", is_excused=False)
    assert confirmed([excused, monday, alone]) == [monday, alone]


@pytest.mark.parametrize(
    ("good_at", "rises", "opens"),
    [
        (NOON - HOUR, {1: (NOON, NOON - 9 * HOUR)}, {1: NOON}),
        (NOON - HOUR, {1: (NOON - 3 * HOUR, NOON - 9 * HOUR)}, {1: NOON - 3 * HOUR}),
        (NOON - HOUR, {1: (NOON + HOUR, NOON - 9 * HOUR)}, {1: NOON - HOUR}),
        (NOON - 9 * HOUR, {1: (NOON + HOUR, NOON - HOUR)}, {1: NOON - HOUR}),
        (None, {1: (NOON + HOUR, NOON - 2 * HOUR)}, {1: NOON - 2 * HOUR}),
        (NOON - HOUR, {}, {}),
    ],
)
def test_a_rise_of_a_time_to_come_is_as_if_nobody_had_looked_since(
    good_at: datetime | None, rises: Mapping[int, tuple[datetime, datetime]], opens: Mapping[int, datetime]
) -> None:
    """The window of a rise ahead begins at its start or the last good sync, not before the link, and ends now (R12)."""
    windows = Ahead(good_at=good_at, rises=rises).windows(NOON)
    assert {number: window.opens_at for number, window in windows.items()} == opens
    assert {window.closes_at for window in windows.values()} <= {NOON}


def test_an_award_of_a_time_to_come_is_taken_back_and_booked_again() -> None:
    """An award dated ahead is reversed and booked again for today by the admin, under a key of its own."""
    later = NOON + 400 * 24 * HOUR
    award = drafted("award", "m-1", "benchmark", 5, later.date(), later, "a", actor="app")
    booked = evolve(award, position=7, booked_at=later + HOUR)
    back, again = Ahead(awards=[booked]).drafts(ClockDecision("repaired", NOON, "admin-7", "two years ahead"))
    assert (back.kind, back.position, back.points, back.reverses, back.at) == ("reversal", 0, -5, 7, NOON)
    assert (back.actor, back.reason, back.key, back.booked_at) == ("admin-7", "two years ahead", None, None)
    assert (again.kind, again.position, again.points, again.key) == ("award", 0, 5, "clock-repair:7")
    assert (again.day, again.at, again.actor, again.booked_at) == (MONDAY, NOON, "admin-7", None)
