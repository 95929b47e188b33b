"""What the doctor reports about entries: each damage in exact words, and nothing if all is well (R8, R9, R23)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args

import pytest
from attrs import evolve

from support.damaged_books import DAMAGED
from support.sound_books import ENTRIES, HELD, MON, THU, TUE, WED, Kept, at, but, found
from trc_engage import Entry
from trc_engage.core.audit import Breach, Doubts
from trc_engage.core.audit.books import Books, irregular, rebalanced
from trc_engage.core.model import HandKind, SyncKind
from trc_engage.core.records import ClockDecision
from trc_engage.usecases.audit import audit

MOMENTS: Sequence[tuple[int, Mapping[str, Any]]] = [
    (3, {"at": at(WED, 0, 1)}),
    (3, {"at": at(WED, 0, 2) - timedelta(seconds=1)}),
    (3, {"at": at(TUE, 0, 1)}),
    (8, {"reason": "real", "actor": None}),
    (11, {"reason": None, "actor": None}),
]


def _unreadable(check: str = "unreadable", **whose: Any) -> Breach:
    return Breach(check, "the table entries", "a row", "rubbish", "an entry", **whose)


def test_of_sound_books_nothing_is_said() -> None:
    """The doctor reports nothing about sound books with an entry of every kind."""
    assert found() == []
    assert {entry.kind for entry in ENTRIES} == {*get_args(SyncKind), *get_args(HandKind)}
    assert audit(Kept(ENTRIES, HELD, ())).entries == len(ENTRIES)


@pytest.mark.parametrize(("position", "change", "says"), DAMAGED)
def test_a_damaged_entry_is_named_with_what_is_wrong(
    position: int, change: Mapping[str, Any], says: Sequence[str]
) -> None:
    """A damaged entry is reported with where it is, what was found and expected, and what else no longer fits."""
    assert found(but(position, **change)) == says


@pytest.mark.parametrize(("position", "change"), MOMENTS)
def test_what_may_be_is_no_damage(position: int, change: Mapping[str, Any]) -> None:
    """An award may be dated two minutes ahead, past midnight, and a decision may lack its actor."""
    assert found(but(position, **change)) == []


def test_the_first_instant_of_the_year_2000_can_be_awarded() -> None:
    """An award may happen at the first instant of 2000, the earliest that is allowed."""
    first = datetime(2000, 1, 1, tzinfo=UTC)
    assert not [one for one in found(but(3, at=first, day=first.date())) if one.startswith("entry")]


def test_an_account_begins_with_its_opening() -> None:
    """An account whose first entry is not an opening is reported with what comes first."""
    assert found(ENTRIES[1:])[0] == "chain: entry 2: the first entry of account 1 is gain, expected opening"


def test_activity_is_owed_by_who_has_more_than_in_any_reading_before() -> None:
    """Activity is expected only for a rise above every earlier reading (R11a), counted afresh in a new season."""
    without = evolve(HELD, rises=[], streaks=[HELD.streaks[1]])
    assert found(held=without) == [
        f"evidence: entry 2: the activity of account 1 on {MON} is missing, expected recorded",
        f"evidence: entry 12: the activity of account 1 on {WED} is missing, expected recorded",
    ]


REPAIRS: Sequence[tuple[datetime, int, date, Sequence[str]]] = [
    # When and after which entry the clock was repaired, the day of Thursday's gain at 09:00, and what is reported.
    (at(THU, 9), 11, THU, ["evidence: entry 12"]),
    (at(THU, 9), 12, THU, ["evidence: entry 12"]),
    (at(THU, 9) - timedelta(seconds=1), 12, THU, []),
    (at(THU, 9) - timedelta(seconds=1), 12, WED, ["evidence: entry 12"]),
    (at(WED, 23), 12, WED, []),
    (at(WED, 23), 11, WED, ["evidence: entry 12"]),
]


@pytest.mark.parametrize(("repaired_at", "position", "day", "says"), REPAIRS)
def test_what_was_earned_under_a_clock_ahead_has_no_day_of_its_own(
    repaired_at: datetime, position: int, day: date, says: Sequence[str]
) -> None:
    """Activity may be missing only for an entry posted before a clock repair, dated after it, from its day on (R22)."""
    repair = ClockDecision("repaired", repaired_at, "admin-7", "an hour ahead", position)
    held = evolve(HELD, rises=HELD.rises[:2], streaks=[], decisions=[repair])
    assert [one.partition(": the")[0] for one in found(but(12, day=day), held) if "evidence" in one] == says


def test_only_a_repaired_clock_goes_back() -> None:
    """Only after a clock repair may a sync be earlier than the one before it; confirming a clock is not enough."""
    back = evolve(ENTRIES[11], at=at(WED, 8), day=WED)
    lines = [*ENTRIES[:11], back, *ENTRIES[12:]]
    said = {
        kind: [one for one in found(lines, evolve(HELD, decisions=[decision])) if one.startswith("order")]
        for kind in ("confirmed", "repaired")
        for decision in [ClockDecision(kind, at(WED, 7), "admin-7", "it ran ahead", 11)]
    }
    above = "expected 2026-03-04 09:00:00+00:00 or later, as of the sync above"
    assert said == {
        "confirmed": [f"order: entry 12: the instant is 2026-03-04T08:00:00+00:00, {above}"],
        "repaired": [],
    }


def test_an_unreadable_entry_silences_what_depends_on_it() -> None:
    """Books that depend on an unreadable entry are not judged: its member's, or all if it shows no member."""
    of_ada, of_bo = _unreadable(member_id="ada", position=2), _unreadable(member_id="bo", position=2)
    said = "unreadable: the table entries: a row is rubbish, expected an entry"
    lines: list[Entry | Breach] = [*ENTRIES[:1], of_ada, *ENTRIES[2:]]
    assert found(lines) == [said]
    assert found([*ENTRIES[:1], of_bo, *ENTRIES[2:]]) == [
        said,
        "chain: entry 8: the XP before it is 1250, expected 1000, as entry 1 left it",
        "account: account 1: floor((XP 850 - baseline 600) / 100) is 2, expected 0, the sum of its entries",
        "balance: member 'ada': the balance of 'discord' is 2, expected 0, the sum of its entries",
    ]
    assert found([*ENTRIES[:1], _unreadable(position=2), *ENTRIES[2:]]) == [said]


def test_an_unreadable_opening_or_award_is_not_missed_twice() -> None:
    """An unreadable opening or award causes no report about the entries after it or its reversal."""
    said = "unreadable: the table entries: a row is rubbish, expected an entry"
    assert found([_unreadable(member_id="ada", position=1), *ENTRIES[1:]]) == [said]
    assert found([*ENTRIES[:3], _unreadable(member_id="bo", position=4), *ENTRIES[4:]]) == [said]


@pytest.mark.parametrize(
    ("check", "whose", "doubted"),
    [
        ("unreadable", {"member_id": "ada"}, {"ada"}),
        ("unreadable", {}, {"ada", "bo"}),
        ("balance", {"member_id": "ada"}, set()),
        ("streak", {}, set()),
    ],
)
def test_a_row_that_can_be_rebuilt_leaves_no_doubt(check: str, whose: Mapping[str, Any], doubted: set[str]) -> None:
    """An unreadable row casts doubt on its member, or on all if it names none; a row that can be rebuilt does not."""
    doubts = Doubts()
    doubts.add(_unreadable(check, **whose))
    assert {member_id for member_id in ("ada", "bo") if doubts.of(member_id)} == doubted


def test_the_reading_goes_on_after_an_entry_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The audit reads on after an unreadable entry; one without a readable position leaves the position unchanged."""
    monkeypatch.setattr("trc_engage.usecases.audit.LINES", 1)
    lines: list[Entry | Breach] = [*ENTRIES[:1], _unreadable(member_id="ada", position=2), *ENTRIES[2:]]
    assert audit(Kept(lines, HELD, ())).entries == len(ENTRIES) - 1
    books = Books.opened(HELD)
    books.take([_unreadable()], {})
    assert (books.position, books.entries) == (0, 0)


def test_gaps_and_second_keys_are_seen() -> None:
    """A gap is reported with the expected position, and a repeated key with the entry that has it."""
    entries: list[Entry] = [*ENTRIES[2:4], evolve(ENTRIES[4], key="run:1")]
    shown = [(one.check, one.message) for one in irregular(evolve(one, position=one.position - 2) for one in entries)]
    assert shown == [("key", "entry 3: its key is there a second time, expected one: entry 1 has it")]
    gap = [(one.check, one.message) for one in irregular([ENTRIES[0], ENTRIES[2]])]
    assert gap == [("order", "entry 3: the position is 3, expected 2")]


def test_a_rebuilding_says_what_is_no_longer_what_it_was() -> None:
    """Changed balances are reported in order of member and source, a missing one as 0; unchanged ones are left out."""
    names = [f"m-{number}" for number in range(9)]
    before = {name: dict.fromkeys(names, 1) for name in reversed(names)} | {"z": {"quiz": 0, "run": 7}}
    changes = [(one.check, one.message) for one in rebalanced(before, {"a": {"run": 2}, "z": {"run": 7}})]
    assert changes == [
        ("balance", "member 'a': the balance of 'run' is 0, expected 2"),
        *(
            ("balance", f"member '{one}': the balance of '{source}' is 1, expected 0")
            for one in names
            for source in names
        ),
    ]
