"""A streak's story, from the days as they were settled and what changed it afterwards (R28)."""

from datetime import UTC, date, datetime, timedelta

import pytest
from attrs import evolve

from trc_engage.core.model import Decision, Entry, Evidence, SyncKind, XpChange
from trc_engage.core.posting import drafted
from trc_engage.core.records import Excusal
from trc_engage.core.reports import MemberDay, StreakChange
from trc_engage.core.story import (
    Activity,
    DayStory,
    GoodRun,
    StreakEvent,
    activities,
    decided_by,
    life_of,
    longest_gap,
    xp_next,
)

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = (date(2026, 3, 2 + day) for day in range(7))
NEXT_MONDAY = date(2026, 3, 9)


def at(day: date, hours: float = 0) -> datetime:
    """Return an instant of a day, by default its first."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hours)


def settled(*days: date) -> dict[date, datetime]:
    """Return days with the instant at which each was settled: five minutes into the next day."""
    return {day: at(day, 24 + 1 / 12) for day in days}


def active(*days: date) -> list[Activity]:
    """Return active days, each known at its noon."""
    return [Activity(day, at(day, 12)) for day in days]


def excusal(day: date, when: datetime, member_id: str | None = None, *, is_excused: bool = True) -> Excusal:
    """Return an admin's decision about a day."""
    return Excusal(day, is_excused, when, "admin-7", member_id=member_id)


def change(before: int, after: int, when: datetime | None, day: date | None = TUESDAY) -> StreakChange:
    """Return a change of a streak by a late award."""
    return StreakChange("m-1", before, after, before, max(before, after), "award", day, when)


SETTLED_TUESDAY = at(WEDNESDAY, 1 / 12)
Line = tuple[str, date, int, int]
LIVES: dict[str, tuple[dict[date, datetime], list[Activity], list[Excusal], list[StreakChange], list[Line]]] = {
    "three days": (
        settled(WEDNESDAY, TUESDAY, MONDAY),
        active(MONDAY, TUESDAY, WEDNESDAY),
        [],
        [],
        [("grew", WEDNESDAY, 0, 3)],
    ),
    "nothing at all": (settled(MONDAY, TUESDAY), [], [], [], []),
    "a day was missed": (
        settled(MONDAY, TUESDAY, WEDNESDAY),
        active(MONDAY, WEDNESDAY),
        [],
        [],
        [("grew", MONDAY, 0, 1), ("ended", TUESDAY, 1, 0), ("grew", WEDNESDAY, 0, 1)],
    ),
    "a weekend, active or not": (
        settled(FRIDAY, SATURDAY, SUNDAY, NEXT_MONDAY),
        active(FRIDAY, SUNDAY, NEXT_MONDAY),
        [],
        [],
        [("grew", NEXT_MONDAY, 0, 2)],
    ),
    "known as the day was settled": (
        settled(TUESDAY),
        [Activity(TUESDAY, SETTLED_TUESDAY)],
        [],
        [],
        [("grew", TUESDAY, 0, 1)],
    ),
    "known too late": (
        settled(MONDAY, TUESDAY),
        [*active(MONDAY), Activity(TUESDAY, SETTLED_TUESDAY + timedelta(seconds=1))],
        [],
        [],
        [("grew", MONDAY, 0, 1), ("ended", TUESDAY, 1, 0)],
    ),
    "taken back before the day was settled": (
        settled(MONDAY, TUESDAY),
        [*active(MONDAY), Activity(TUESDAY, at(TUESDAY, 12), SETTLED_TUESDAY)],
        [],
        [],
        [("grew", MONDAY, 0, 1), ("ended", TUESDAY, 1, 0)],
    ),
    "taken back afterwards": (
        settled(MONDAY, TUESDAY),
        [*active(MONDAY), Activity(TUESDAY, at(TUESDAY, 12), SETTLED_TUESDAY + timedelta(seconds=1))],
        [],
        [],
        [("grew", TUESDAY, 0, 2)],
    ),
    "excused for everybody": (
        settled(MONDAY, TUESDAY, WEDNESDAY),
        active(MONDAY, WEDNESDAY),
        [excusal(TUESDAY, SETTLED_TUESDAY)],
        [],
        [("grew", WEDNESDAY, 0, 2)],
    ),
    "excused alone, while all others are not": (
        settled(MONDAY, TUESDAY),
        active(MONDAY),
        [excusal(TUESDAY, at(MONDAY), "m-1"), excusal(TUESDAY, at(MONDAY), is_excused=False)],
        [],
        [("grew", MONDAY, 0, 1)],
    ),
    "required again": (
        settled(MONDAY, TUESDAY),
        active(MONDAY),
        [excusal(TUESDAY, at(MONDAY)), excusal(TUESDAY, at(MONDAY, 1), is_excused=False)],
        [],
        [("grew", MONDAY, 0, 1), ("ended", TUESDAY, 1, 0)],
    ),
    "excused afterwards": (
        settled(MONDAY, TUESDAY),
        active(MONDAY),
        [excusal(TUESDAY, SETTLED_TUESDAY + timedelta(seconds=1))],
        [change(0, 1, SETTLED_TUESDAY + timedelta(seconds=1))],
        [("grew", MONDAY, 0, 1), ("ended", TUESDAY, 1, 0), ("changed", TUESDAY, 0, 1)],
    ),
    "another day was excused": (
        settled(MONDAY, TUESDAY),
        active(MONDAY),
        [excusal(WEDNESDAY, at(MONDAY))],
        [],
        [("grew", MONDAY, 0, 1), ("ended", TUESDAY, 1, 0)],
    ),
    "a late award between two settlements": (
        settled(MONDAY, TUESDAY, WEDNESDAY),
        active(MONDAY, WEDNESDAY),
        [],
        [change(0, 2, at(WEDNESDAY, 9))],
        [
            ("grew", MONDAY, 0, 1),
            ("ended", TUESDAY, 1, 0),
            ("changed", TUESDAY, 0, 2),
            ("grew", WEDNESDAY, 2, 3),
        ],
    ),
    "news of the instant of a settlement, that it fits": (
        settled(MONDAY, TUESDAY),
        active(MONDAY, TUESDAY),
        [],
        [change(1, 4, SETTLED_TUESDAY, MONDAY)],
        [("grew", MONDAY, 0, 1), ("changed", MONDAY, 1, 4), ("grew", TUESDAY, 4, 5)],
    ),
    "news of the instant of a settlement, after it": (
        settled(MONDAY, TUESDAY),
        active(MONDAY, TUESDAY),
        [],
        [change(2, 4, SETTLED_TUESDAY, MONDAY)],
        [("grew", TUESDAY, 0, 2), ("changed", MONDAY, 2, 4)],
    ),
    "news without an instant, before anything is told": (
        settled(TUESDAY),
        active(TUESDAY),
        [],
        [change(0, 4, None, MONDAY)],
        [("grew", TUESDAY, 0, 1), ("changed", MONDAY, 0, 4)],
    ),
    "news without an instant, that fits": (
        settled(MONDAY, TUESDAY),
        active(MONDAY, TUESDAY),
        [],
        [change(1, 4, None, MONDAY)],
        [("grew", MONDAY, 0, 1), ("changed", MONDAY, 1, 4), ("grew", TUESDAY, 4, 5)],
    ),
    "the doctor's news, of no day": (
        settled(MONDAY),
        active(MONDAY),
        [],
        [change(1, 0, at(FRIDAY, 9), None)],
        [("grew", MONDAY, 0, 1), ("changed", FRIDAY, 1, 0)],
    ),
}


@pytest.mark.parametrize("case", LIVES)
def test_what_became_of_a_streak(case: str) -> None:
    """A streak grows over several days in one event, ends on a required day, and is changed by later events (R28)."""
    days, known, excusals, changes, expected = LIVES[case]
    found = life_of(days, known, excusals, changes)
    assert [(one.kind, one.day, one.before, one.after) for one in found] == expected


def test_a_growth_names_its_first_day_and_when_the_last_was_settled() -> None:
    """A growth has the first day of the streak, its last day, and when that one was settled."""
    (grew,) = life_of(settled(MONDAY, TUESDAY), active(MONDAY, TUESDAY), [], [])
    assert (grew.first_day, grew.day, grew.at) == (MONDAY, TUESDAY, SETTLED_TUESDAY)


def test_news_without_an_instant_is_dated_as_early_as_can_be() -> None:
    """A change without an instant gets the earliest one, in UTC, so that it can be compared with all others."""
    found = life_of({}, [], [], [change(1, 0, None, None)])
    assert [(one.day, one.at) for one in found] == [(date.min, datetime.min.replace(tzinfo=UTC))]


@pytest.mark.parametrize(
    ("before", "after", "longest", "hurts"),
    [
        (5, 0, None, True),
        (4, 5, None, False),
        (5, 5, None, False),
        (5, 5, (9, 8), True),
        (5, 5, (9, 9), False),
        (5, 6, (9, 10), False),
        (5, 4, (9, 9), True),
    ],
)
def test_what_hurts_a_member(before: int, after: int, longest: tuple[int, int] | None, hurts: bool) -> None:
    """An event hurts if it makes the current or the longest streak shorter."""
    news = None if longest is None else StreakChange("m-1", before, after, *longest, "reversal")
    assert StreakEvent("changed", MONDAY, at(MONDAY), before, after, news).hurts is hurts


def test_what_made_days_active_and_since_when_that_is_known() -> None:
    """A rise is known when its window closes, an award from its booking to its reversal; a bonus is no activity."""
    award = Entry(1, "award", "m-1", "benchmark", 5, MONDAY, at(MONDAY, 9), silent=False, key="a")
    late = evolve(award, position=2, key="b", booked_at=at(TUESDAY, 9))
    bonus = evolve(award, position=3, key="c", counts_as_activity=False)
    gone = evolve(award.reversal(at(FRIDAY), "withdrawn", "admin-7"), position=4)
    gain = evolve(award, position=5, kind="gain", source="discord", key=None)
    rise = Evidence(MONDAY, "discord", None, 1, at(MONDAY, 9), at(MONDAY, 10))
    of_an_award = Evidence(MONDAY, "benchmark", 1)
    assert activities([rise, of_an_award], iter([award, late, bonus, gone, gain])) == [
        Activity(MONDAY, at(MONDAY, 10)),
        Activity(MONDAY, at(MONDAY, 9), at(FRIDAY)),
        Activity(MONDAY, at(TUESDAY, 9)),
    ]


@pytest.mark.parametrize(
    ("runs", "now", "longest"),
    [
        ([], at(WEDNESDAY), None),
        (
            [at(MONDAY, 23), at(TUESDAY, 8), at(TUESDAY, 12), at(WEDNESDAY, 1)],
            at(FRIDAY),
            (at(TUESDAY, 12), at(WEDNESDAY, 1)),
        ),
        (
            [at(MONDAY, 12), at(TUESDAY, 8), at(TUESDAY, 12), at(WEDNESDAY)],
            at(FRIDAY),
            (at(MONDAY, 12), at(TUESDAY, 8)),
        ),
        ([at(MONDAY), at(TUESDAY), at(TUESDAY, 8), at(WEDNESDAY)], at(FRIDAY), (at(TUESDAY, 8), at(WEDNESDAY))),
        ([at(TUESDAY, 1), at(TUESDAY, 2)], at(TUESDAY, 12), (at(TUESDAY, 2), at(TUESDAY, 12))),
        ([at(MONDAY, 1), at(TUESDAY)], at(TUESDAY), None),
        ([at(TUESDAY, 1)], at(FRIDAY), (at(TUESDAY, 1), at(FRIDAY))),
    ],
)
def test_the_longest_time_without_a_good_sync(
    runs: list[datetime], now: datetime, longest: tuple[datetime, datetime] | None
) -> None:
    """Only a time that touches Tuesday counts, not one that ends at its first instant or begins at Wednesday's."""
    assert longest_gap(TUESDAY, runs, now) == longest


def entry(kind: SyncKind, day: date, when: datetime, xp_after: int = 0) -> Entry:
    """Return an entry of the Discord account."""
    draft = drafted("award", "m-1", "discord", 1, day, when)
    return evolve(draft, kind=kind, xp=XpChange(1, 0, xp_after, 0, 0))


AT_MIDNIGHT = GoodRun(at(TUESDAY), 0)


def tuesday(*, first: GoodRun | None = AT_MIDNIGHT, entries: tuple[Entry, ...] = ()) -> DayStory:
    """Return the story of a Tuesday on which no rise counts."""
    runs = [] if first is None else [first, GoodRun(at(TUESDAY, 6), 0)]
    return DayStory(MemberDay(TUESDAY, "missed"), (), None, runs, None, 1_000, 1_060, entries, (), (), ())


@pytest.mark.parametrize(
    ("first", "counts_for_monday"),
    [
        (AT_MIDNIGHT, True),
        (GoodRun(at(TUESDAY) + timedelta(minutes=4, seconds=59), 0), True),
        (GoodRun(at(TUESDAY) + timedelta(minutes=5), 0), False),
        (GoodRun(at(TUESDAY), 1), False),
        (None, False),
    ],
)
def test_a_reading_at_midnight_counts_for_the_day_before(first: GoodRun | None, counts_for_monday: bool) -> None:
    """What the first reading shows counts for the day before if it began within five minutes and missed nobody."""
    assert tuesday(first=first).midnight == (first.at if first is not None and counts_for_monday else None)


@pytest.mark.parametrize(
    ("later", "is_of_midnight"),
    [
        (entry("gain", MONDAY, at(TUESDAY)), True),
        (entry("gain", TUESDAY, at(TUESDAY, 12)), False),
        (entry("gain", TUESDAY, at(WEDNESDAY)), True),
        (entry("deduction", TUESDAY, at(TUESDAY, 12)), True),
    ],
)
def test_xp_that_is_regained_on_the_day_did_not_rise_at_midnight(later: Entry, is_of_midnight: bool) -> None:
    """XP that a fall had taken and the day gave back did not rise by the reading at midnight."""
    assert (tuesday(entries=(later,)).midnight is not None) == is_of_midnight


NOON = at(TUESDAY, 12)


@pytest.mark.parametrize(
    ("kinds", "deciding"),
    [
        ({-2: "adopt_board"}, -2),
        ({-3: "adopt_board", -2: "adopt_board"}, -2),
        ({-4: "adopt_board"}, None),
        ({0: "adopt_board"}, None),
        ({0: "rebase_drops"}, 0),
        ({-2: "rebase_drops"}, None),
        ({0: "accept_drops", -2: "accept_drops"}, None),
        ({}, None),
    ],
)
def test_the_decision_that_led_to_a_rebase_is_found(kinds: dict[int, str], deciding: int | None) -> None:
    """A rebase that names nobody follows the last adoption since the entry before it, or its own sync's decision."""
    decisions = {hours: Decision(kind) for hours, kind in kinds.items()}  # type: ignore[arg-type]
    runs = [GoodRun(NOON + timedelta(hours=hours), 0, decisions.get(hours)) for hours in range(-5, 1)]
    found = decided_by(entry("rebase", TUESDAY, NOON), NOON - timedelta(hours=4), runs)
    assert (found and found.at) == (None if deciding is None else NOON + timedelta(hours=deciding))


@pytest.mark.parametrize(
    ("entries", "before", "after", "shown"),
    [
        ([], 1_000, 1_000, 1_000),
        ([], 1_000, 990, None),
        ([entry("deduction", TUESDAY, NOON, 900)], 1_000, 1_050, 900),
        ([entry("gain", TUESDAY, at(TUESDAY, 18), 1_100)], 1_000, 1_100, None),
        ([entry("gain", TUESDAY, at(TUESDAY, 18), 1_000)], 1_000, 1_000, None),
        ([entry("gain", WEDNESDAY, at(WEDNESDAY), 1_100)], 1_000, 1_000, 1_000),
        ([drafted("award", "m-1", "benchmark", 5, TUESDAY, NOON)], 1_000, 1_000, 1_000),
    ],
)
def test_the_next_reading_is_known_from_its_entry_or_because_nothing_moved(
    entries: list[Entry], before: int, after: int, shown: int | None
) -> None:
    """What a reading showed is known from an entry of its instant, or if XP did not move on its day at all."""
    assert xp_next(entries, NOON, before, after) == shown
