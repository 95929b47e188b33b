"""What leaving, returning and undoing a leave change in an account, case by case (R6, R6a, R24)."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from attrs import evolve

from trc_engage.core.days import Window
from trc_engage.core.membership import MENDED_MAX, Absence, Change, leave, never_left, rejoin
from trc_engage.core.model import DiscordActivity, Evidence, NextReading, Status
from trc_engage.core.records import MembershipEvent, Trace

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR, WEEK = timedelta(hours=1), timedelta(days=7)
LOOKED_AT, LEFT_AT = MONDAY - HOUR, MONDAY
TRACE = Trace("admin-7", "as asked")
State = tuple[Status, NextReading, datetime | None]


def account(status: Status, next_reading: NextReading, window_from: datetime | None = None) -> DiscordActivity:
    """Return an account with 1,000 XP."""
    return DiscordActivity(1, 3, "m-1", "80", status, next_reading, 500, 1_000, 1_000, 1_000, window_from)


def state(change: Change | None) -> State | None:
    """Return the account's state after a change; None if it stays as it is."""
    move = None if change is None else change.move
    return None if move is None else (move.status, move.next_reading, move.window_from)


@pytest.mark.parametrize(
    ("before", "kept"),
    [
        (account("tracked", "continues"), ("continues", LOOKED_AT)),
        (account("absent", "continues"), ("continues", LOOKED_AT)),
        (account("tracked", "continues", MONDAY - WEEK), ("continues", MONDAY - WEEK)),
        (account("tracked", "begins"), ("begins", LOOKED_AT)),
        (account("waiting", "opens"), ("opens", None)),
    ],
)
def test_a_leave_keeps_how_the_next_reading_was_to_be_taken(
    before: DiscordActivity, kept: tuple[NextReading, datetime | None]
) -> None:
    """A leave records how the next reading was to be taken and where its window began, so it can be undone (R6a)."""
    change = leave(before, LEFT_AT, LOOKED_AT, TRACE)
    assert change is not None
    assert (change.event.kind, change.event.next_reading, change.event.window_from) == ("left", *kept)
    assert (change.event.actor, change.event.reason, change.event.account_id) == ("admin-7", "as asked", 1)
    assert state(change) == ("left", before.next_reading, None)


def test_nobody_leaves_twice_or_returns_from_nowhere() -> None:
    """A second leave, or a return without a leave, changes nothing."""
    assert leave(account("left", "continues"), LEFT_AT, LOOKED_AT, TRACE) is None
    assert rejoin(account("tracked", "continues"), LEFT_AT, TRACE) is None


@pytest.mark.parametrize("since", [None, MONDAY - HOUR])
@pytest.mark.parametrize(
    ("kept", "status", "taken"),
    [
        ("continues", "tracked", "returns"),
        ("returns", "tracked", "returns"),
        ("begins", "tracked", "begins"),
        ("rebases", "tracked", "rebases"),
        ("opens", "waiting", "opens"),
    ],
)
def test_a_return_says_how_the_next_reading_is_taken(
    kept: NextReading, status: Status, taken: NextReading, since: datetime | None
) -> None:
    """The reading after a return counts as such, unless it opens, begins or rebases the account (R2, R2a, R6, R24)."""
    change = rejoin(account("left", kept), MONDAY, TRACE, since)
    assert change is not None
    assert (change.event.kind, change.event.window_from) == ("returned", since or MONDAY)
    assert state(change) == (status, taken, None if kept == "opens" else since or MONDAY)


def absence(kept: NextReading | None = "continues", until: datetime | None = None) -> Absence:
    """Return an absence that began on Monday at nine."""
    left = MembershipEvent(1, "m-1", "left", LEFT_AT, account_id=1, next_reading=kept, window_from=LOOKED_AT)
    return Absence(left, until)


SOON, BACK_AT = LEFT_AT + 2 * HOUR, LEFT_AT + HOUR
LATE, LATE_BACK_AT = LEFT_AT + WEEK + 2 * HOUR, LEFT_AT + WEEK + HOUR
WEEKDAYS = [date(2026, 3, day) for day in (2, 3, 4, 5, 6, 9)]
RISE = Evidence(BACK_AT.date(), "discord", None, 1, BACK_AT, BACK_AT + HOUR / 2)


@pytest.mark.parametrize(
    ("before", "gone", "at", "after"),
    [
        (account("left", "continues"), absence(), SOON, ("tracked", "continues", LOOKED_AT)),
        (account("left", "continues"), absence(), LEFT_AT + WEEK, ("tracked", "continues", LOOKED_AT)),
        (account("left", "continues"), absence(), LATE, ("tracked", "continues", LATE)),
        (account("left", "continues"), absence(None), SOON, ("tracked", "continues", LOOKED_AT)),
        (account("left", "begins"), absence("begins"), SOON, ("tracked", "begins", LOOKED_AT)),
        (account("left", "begins"), absence("begins"), LATE, ("tracked", "continues", LATE)),
        (account("left", "rebases"), absence(), SOON, ("tracked", "rebases", LOOKED_AT)),
        (account("left", "rebases"), absence("begins"), LATE, ("tracked", "rebases", LATE)),
        (account("left", "opens"), absence("opens"), SOON, ("waiting", "opens", None)),
        (account("left", "opens"), absence("opens"), LATE, ("waiting", "opens", None)),
        (
            account("tracked", "returns", BACK_AT),
            absence("continues", BACK_AT),
            SOON,
            ("tracked", "continues", LOOKED_AT),
        ),
        (
            account("tracked", "returns", LATE_BACK_AT),
            absence("continues", LATE_BACK_AT),
            LATE,
            ("tracked", "continues", LATE_BACK_AT),
        ),
        (
            account("absent", "returns", BACK_AT + HOUR),
            absence("continues", BACK_AT),
            SOON,
            ("absent", "continues", BACK_AT + HOUR),
        ),
        (account("tracked", "continues"), absence("continues", BACK_AT), SOON, None),
        (account("waiting", "opens"), absence("opens", BACK_AT), SOON, None),
    ],
)
def test_before_the_next_reading_an_undone_leave_never_was(
    before: DiscordActivity, gone: Absence, at: datetime, after: State | None
) -> None:
    """Undoing a leave restores the next reading and its window; after over a week the window begins at the return."""
    assert state(never_left(before, gone, [], at, TRACE)) == after


@pytest.mark.parametrize(
    ("at", "until", "excused"),
    [
        (SOON, None, ()),
        (LEFT_AT + MENDED_MAX, None, ()),
        (LATE, None, WEEKDAYS),
        (LATE, BACK_AT, ()),
        (LATE, LATE_BACK_AT, WEEKDAYS),
    ],
)
def test_the_weekdays_of_a_long_mistake_are_excused(
    at: datetime, until: datetime | None, excused: Sequence[date]
) -> None:
    """The weekdays of an undone leave of over a week are excused, since their activity is unknown (R6a)."""
    assert never_left(account("left", "continues"), absence("continues", until), [], at, TRACE).excused == excused


def test_the_first_reading_after_a_return_reaches_back_once_the_leave_is_undone() -> None:
    """An undone leave makes all days active that the first reading after the return reaches back to; XP stays."""
    read = account("tracked", "continues")
    move = never_left(read, absence("continues", BACK_AT), [RISE], SOON, TRACE).move
    assert move is not None
    assert (move.active, move.window) == (True, Window.between(LOOKED_AT, BACK_AT + HOUR / 2))
    assert (move.kind, move.points, move.xp_total, move.status) == (None, 0, 1_000, "tracked")


@pytest.mark.parametrize(
    ("gone", "rise", "at"),
    [
        (absence("continues", BACK_AT), evolve(RISE, opens_at=BACK_AT + HOUR), SOON),
        (absence("continues", BACK_AT), evolve(RISE, account_id=2), SOON),
        (absence("continues", BACK_AT), evolve(RISE, closes_at=None), SOON),
        (evolve(absence("continues", BACK_AT), left=evolve(absence().left, window_from=None)), RISE, SOON),
        (absence("continues", LATE_BACK_AT), evolve(RISE, opens_at=LATE_BACK_AT), LATE),
    ],
    ids=["a later reading", "another account", "no window", "nobody had looked before", "a mistake of over a week"],
)
def test_other_rises_stay_as_they_are(gone: Absence, rise: Evidence, at: datetime) -> None:
    """Only the first reading after the return holds XP of the absence, so all other rises stay as they are."""
    assert never_left(account("tracked", "continues"), gone, [rise], at, TRACE).move is None


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], None),
        ([("left", 0, None)], (0, None)),
        ([("left", 0, None), ("returned", 2, None)], (0, 2)),
        ([("left", 0, None), ("returned", 2, 1)], (0, 1)),
        ([("left", 0, None), ("returned", 2, None), ("left", 3, None)], (3, None)),
        ([("left", 0, None), ("never_left", 2, None)], None),
        ([("returned", 2, None)], None),
        ([("left", 0, None), ("hidden", 2, None)], (0, None)),
    ],
)
def test_the_last_leave_that_stands(
    events: Sequence[tuple[str, int, int | None]], expected: tuple[int, int | None] | None
) -> None:
    """The last leave of an account counts until a return is noted or it is undone; other accounts do not matter."""

    def after(hours: int | None) -> datetime | None:
        return None if hours is None else MONDAY + hours * HOUR

    mine = [
        MembershipEvent(0, "m-1", kind, MONDAY + hours * HOUR, account_id=1, window_from=after(since))  # type: ignore[arg-type]
        for kind, hours, since in events
    ]
    others = [MembershipEvent(0, "m-1", "left", MONDAY + 9 * HOUR, account_id=2)]
    found = Absence.last_of(account("left", "continues"), [*mine, *others])
    assert (found and (found.left.at, found.until)) == (expected and (after(expected[0]), after(expected[1])))
