"""Streaks as pure functions (R13, R14, R17), tested against laws and an oracle that knows only the rules."""

from collections.abc import Set
from datetime import date, timedelta
from random import Random

import pytest
from attrs import frozen
from hypothesis import given, strategies as st

from support import streak_oracle
from support.community import Community
from trc_engage import Evidence, Milestone
from trc_engage.core import streaks
from trc_engage.core.days import Calendar
from trc_engage.core.reports import Mark, member_day
from trc_engage.core.streaks import Streak

MONDAY = date(2026, 3, 2)
ADA = Streak("ada", version=3)


def day(number: int) -> date:
    """Return a day of March 2026, which began on a Sunday; 32 is the first of April."""
    return date(2026, 3, 1) + timedelta(days=number - 1)


@frozen
class History:
    """A member's active days, the excused days, and the last settled day."""

    active: Set[date]
    excused: Set[date]
    through: date

    @property
    def calendar(self) -> Calendar:
        """The calendar of this history."""
        return Calendar(self.through, frozenset(self.excused))

    def streak(self) -> Streak:
        """Return the streak that the package computes."""
        return streaks.recomputed(ADA, self.active, self.calendar)

    def lengths(self) -> tuple[int, int]:
        """Return the current and the longest streak."""
        streak = self.streak()
        return streaks.current(streak, self.calendar), streak.longest


days = st.integers(1, 45).map(day)
histories = st.builds(
    lambda busy, idle, excused, through: History(busy - idle, excused, through),
    st.sets(days, max_size=10) | st.sets(days, min_size=20),
    st.sets(days, max_size=6),
    st.sets(days, max_size=6) | st.sets(days, min_size=20),
    days,
)


@given(histories)
def test_recomputing_is_what_the_rules_say(history: History) -> None:
    """Recomputing finds the same current, longest and last run as a walk through the rules day by day (R14)."""
    told = (history.active, history.excused, history.through)
    assert history.lengths() == (streak_oracle.current(*told), streak_oracle.longest(*told))
    row, streak = streak_oracle.last_row(*told), history.streak()
    assert (streak.length, streak.last) == (len(row), row[-1] if row else None)


@given(histories)
def test_settling_day_by_day_is_recomputing(history: History) -> None:
    """Advancing a streak one day at a time, each under the calendar of that day, gives the same as recomputing it."""
    streak = ADA
    for number in range(1, (history.through - day(1)).days + 2):
        today = day(number)
        if today in history.active:
            calendar = Calendar(today - timedelta(days=1), frozenset(history.excused))
            (streak,) = streaks.advance_all([streak], today, calendar)
    assert streak == history.streak()


@given(histories, days)
def test_an_award_never_shortens(history: History, awarded: date) -> None:
    """One more active day never shortens the current or the longest streak."""
    current, longest = history.lengths()
    current_after, longest_after = History(history.active | {awarded}, history.excused, history.through).lengths()
    assert current_after >= current
    assert longest_after >= longest


@given(histories, days)
def test_excusing_never_shortens(history: History, excused: date) -> None:
    """One more excused day never shortens the current or the longest streak."""
    current, longest = history.lengths()
    current_after, longest_after = History(history.active, history.excused | {excused}, history.through).lengths()
    assert current_after >= current
    assert longest_after >= longest


@given(histories, st.randoms(use_true_random=False))
def test_the_order_of_arrival_never_matters(history: History, chance: Random) -> None:
    """Neither the order in which active days arrive nor repeating them changes a streak (R16)."""
    told = [*history.active, *history.active]
    chance.shuffle(told)
    assert streaks.recomputed(ADA, told, history.calendar) == history.streak()


@given(histories, st.sets(days))
def test_weekends_neither_break_nor_add(history: History, others: Set[date]) -> None:
    """Activity on a Saturday or Sunday makes no difference to a streak (R13)."""
    weekends = {other for other in others if other.weekday() >= 5}
    assert History(history.active | weekends, history.excused, history.through).streak() == history.streak()
    assert History(history.active - weekends, history.excused, history.through).streak() == history.streak()


@given(histories)
def test_longest_is_never_shorter_than_current(history: History) -> None:
    """The current streak never exceeds the longest, and neither exceeds the number of settled active weekdays."""
    current, longest = history.lengths()
    counted = {one for one in history.active if one <= history.through and one.weekday() < 5}
    assert 0 <= current <= longest <= len(counted)


@given(histories)
def test_days_to_come_do_not_count(history: History) -> None:
    """Activity on a day that is not settled yet does not count toward the streak."""
    past = {one for one in history.active if one <= history.through}
    assert History(past, history.excused, history.through).streak() == history.streak()


@given(st.sets(days))
def test_before_the_first_settling_there_is_no_streak(active: Set[date]) -> None:
    """No activity makes a streak until a day is settled."""
    assert streaks.recomputed(ADA, active, Calendar()) == ADA
    assert streaks.current(ADA, Calendar()) == 0


def test_the_store_keeps_its_place() -> None:
    """A recomputed streak keeps the version of the stored one, so that it can be posted."""
    stored = Streak("ada", version=7, last=day(2), length=1, longest=1)
    assert streaks.recomputed(stored, [day(3)], Calendar(day(3))) == Streak("ada", 7, last=day(3), length=1, longest=1)


@given(histories, st.integers(0, 6))
def test_at_risk_is_what_will_break_by_itself(history: History, ahead: int) -> None:
    """A streak is at risk if it will break by the end of today unless new evidence arrives (R14)."""
    today = history.through + timedelta(days=ahead)
    open_days = {one for one in history.active if history.through < one <= today}
    standing = streaks.standing(history.streak(), history.calendar, open_days, today)
    seen = {one for one in history.active if one <= today}
    assert standing.at_risk == streak_oracle.will_break(seen, history.excused, history.through, today)
    assert (standing.current, standing.longest) == history.lengths()
    assert standing.active_today == (today in open_days)


@pytest.mark.parametrize(
    ("number", "required", "adds"),
    [(2, True, True), (6, True, True), (7, False, False), (8, False, False), (4, False, True), (9, True, True)],
)
def test_which_days_are_required(number: int, required: bool, adds: bool) -> None:
    """Monday to Friday are required unless excused; an excused day still adds, a weekend never does (R13)."""
    calendar = Calendar(excused=frozenset({day(4)}))
    assert (calendar.is_required(day(number)), calendar.adds(day(number))) == (required, adds)


@pytest.mark.parametrize(
    ("after", "before", "requires"),
    [(2, 3, False), (2, 4, True), (6, 9, False), (6, 10, True), (3, 5, False), (3, 6, True), (4, 4, False)],
)
def test_whether_a_required_day_lies_between(after: int, before: int, requires: bool) -> None:
    """Neither of the two days is between them, and weekends and the excused Wednesday are not required."""
    assert Calendar(excused=frozenset({day(4)})).requires_any(day(after), day(before)) is requires


@pytest.mark.parametrize(("number", "before"), [(3, 2), (9, 6), (8, 6), (5, 3)])
def test_the_required_day_before(number: int, before: int) -> None:
    """The required day before another is found beyond weekends and excused days."""
    assert Calendar(excused=frozenset({day(4)})).required_before(day(number)) == day(before)


@pytest.mark.parametrize(
    ("number", "active", "mark"),
    [
        (3, True, "active"),
        (3, False, "missed"),
        (4, False, "excused"),
        (4, True, "active"),
        (7, False, "weekend"),
        (7, True, "weekend"),
        (10, False, "pending"),
        (10, True, "active"),
        (11, False, "excused"),
        (2, False, "before"),
        (2, True, "active"),
        (1, False, "before"),
    ],
)
def test_what_a_day_means_for_a_member(number: int, active: bool, mark: Mark) -> None:
    """Every day has its mark: enrolled on the 3rd, settled through the 9th, Wednesdays excused (R13-R15)."""
    calendar = Calendar(day(9), frozenset({day(4), day(11)}))
    evidence = (Evidence(day(number), "benchmark", 1),) if active else ()
    told = member_day(day(number), evidence, calendar, enrolled_on=day(3))
    assert (told.mark, told.is_active, told.evidence) == (mark, active, evidence)


@pytest.mark.parametrize(
    ("longest", "reached", "following"),
    [
        (0, [], 5),
        (4, [], 5),
        (5, [5], 10),
        (19, [5, 10], 20),
        (250, [5, 10, 20, 50, 100, 250], None),
        (9_999, [5, 10, 20, 50, 100, 250], None),
    ],
)
def test_milestones_go_by_the_longest_streak(longest: int, reached: list[int], following: int | None) -> None:
    """The longest streak decides which milestones are reached and which one is next (R17)."""
    assert [one.threshold for one in streaks.reached("ada", longest)] == reached
    streak = Streak("ada", last=MONDAY, length=1, longest=longest)
    assert streaks.standing(streak, Calendar(MONDAY), set(), day(3)).next_milestone == following


def test_a_milestone_is_named_by_member_and_threshold() -> None:
    """A milestone's id is the member and the threshold, so an app that pays a bonus by that key pays it once (R17)."""
    assert streaks.reached("ada", 12) == (Milestone("ada", 5), Milestone("ada", 10))
    assert [one.milestone_id for one in streaks.reached("ada", 12)] == ["ada:5", "ada:10"]


@given(st.integers(0, 300), st.integers(0, 300))
def test_a_milestone_once_reached_stays_reached(shorter: int, more: int) -> None:
    """A longer longest streak adds milestones and removes none."""
    assert set(streaks.reached("ada", shorter)) <= set(streaks.reached("ada", shorter + more))


def test_a_deployment_may_name_its_own_thresholds() -> None:
    """A deployment can set its own thresholds, in any order; they are only shown and pay nothing (R17)."""
    community = Community(milestones=(3, 1, 2))
    community.enroll("ada")
    for number in range(2):
        community.award("ada", f"run-{number}")
        community.now += timedelta(days=1)
        community.sync()
        community.engage.settle()
    assert [one.milestone_id for one in community.engage.milestones("ada")] == ["ada:1", "ada:2"]
    streak = community.engage.standing("ada").streak
    assert streak is not None
    assert streak.next_milestone == 3
    assert community.points("ada") == 20


@pytest.mark.parametrize(
    ("last", "taken"),
    [
        (None, Streak("bo", 3, day(10), 1, 4)),
        (day(9), Streak("bo", 3, day(10), 3, 4)),
        (day(8), Streak("bo", 3, day(10), 1, 4)),
        (day(6), Streak("bo", 3, day(10), 1, 4)),
        (day(10), Streak("bo", 3, day(10), 2, 4)),
        (day(11), Streak("bo", 3, day(11), 2, 4)),
    ],
)
def test_one_more_active_day(last: date | None, taken: Streak) -> None:
    """An active weekday extends the run up to the weekday before or begins one; covered days and weekends add none."""
    streak = Streak("bo", 3, last, 2 if last else 0, 4)
    other = Streak("cy", 1, day(9), 7, 7)
    assert streaks.advance_all([streak, other], day(10), Calendar(day(9))) == [
        taken,
        Streak("cy", 1, day(10), 8, 8),
    ]
    assert streaks.advance_all([streak], day(14), Calendar(day(13))) == [streak]


@pytest.mark.parametrize(("last", "held"), [(None, None), (day(9), day(10)), (day(6), day(6)), (day(11), day(11))])
def test_a_day_excused_alone_holds_what_stands(last: date | None, held: date | None) -> None:
    """A day excused alone carries an unbroken streak on without lengthening it, and revives no broken one (R13a)."""
    streak = Streak("bo", 3, last, 2 if last else 0, 4)
    (after,) = streaks.hold_all([streak], day(10), Calendar(day(9)))
    assert (after.last, after.length, after.longest) == (held, streak.length, 4)


def test_each_length_on_the_way_is_reached() -> None:
    """Every length above the longest so far is reached, up to the new one, lowest first (R17a)."""
    before = Streak("bo", 3, day(9), 2, 4)
    pairs = [(before, Streak("bo", 3, day(10), 7, 7)), (before, Streak("bo", 3, day(10), 3, 4))]
    assert [(one.member_id, one.threshold) for one in streaks.newly_reached(pairs)] == [("bo", 5), ("bo", 6), ("bo", 7)]


def test_thresholds_may_be_named_in_any_order() -> None:
    """Milestones are reached lowest first, whatever the order of the thresholds."""
    assert [one.threshold for one in streaks.reached("bo", 10, (10, 50, 5))] == [5, 10]
    standing = streaks.standing(Streak("bo", 3, day(9), 6, 6), Calendar(day(9)), set(), day(10), (50, 5, 10))
    assert standing.next_milestone == 10


@pytest.mark.parametrize(
    ("settled_through", "days"), [(None, [10]), (day(9), [10]), (day(7), [8, 9, 10]), (day(10), []), (day(12), [])]
)
def test_which_days_are_open(settled_through: date | None, days: list[int]) -> None:
    """The open days are those after the last settled one, up to today; if none was ever settled, today alone."""
    assert Calendar(settled_through).unsettled_until(day(10)) == tuple(map(day, days))
