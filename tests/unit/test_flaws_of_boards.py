"""Which boards are refused, where each limit lies, and what the messages say (R10, R19)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from trc_engage import Board
from trc_engage.core.boards import (
    XP_MAX,
    Sought,
    id_of,
    named,
    shown,
    why_clocks_differ,
    why_distrusted,
    why_malformed,
    why_not_adopted,
)
from trc_engage.core.errors import SourceError
from trc_engage.core.model import Link, Move, NextReading, Status
from trc_engage.core.posting import SyncState
from trc_engage.core.reports import SyncReport

SOUGHT = frozenset({"1", "2", "3"})
SOUND = Board({"1": 5, "2": 0}, whole=False, rows=2, pages=1, missed=frozenset({"3"}))
FLAWED: dict[str, dict[str, Any]] = {
    "a board whose readings are a list, but must map Discord ids to XP": {"readings": [5]},
    "a board whose missed are 7, but must be a set of Discord ids": {"missed": 7},
    "a board that names Discord ids which were not sought": {"readings": {"4": 1}},
    "a board that names Discord ids which were not": {"missed": {"4"}},
    "a board on which the same Discord id is both read and missed": {"missed": {"1", "3"}},
    "a board with -1 as XP, which must be a whole number from 0 to 9,007,199,254,740,992": {
        "readings": {"1": 3, "2": -1}
    },
    "a board with 9007199254740993 as XP": {"readings": {"1": XP_MAX, "2": XP_MAX + 1}},
    "a board with 0.5 as XP": {"readings": {"1": 1, "2": 0.5}},
    "a board with True as XP": {"readings": {"2": True}},
    "a board with a str as XP, which": {"readings": {"1": 0, "2": "7"}},
    "a board whose whole is 1, but must be True or False": {"whole": 1},
    "a board with -1 rows, which must be a whole number from 0 on": {"rows": -1},
    "a board with a str pages, which": {"pages": "1"},
    "a board with 9007199254740993 pages": {"pages": XP_MAX + 1},
    "a board of 1 rows with 2 readings": {"rows": 1},
    "a board whose server_at is a str, but must be an instant with its timezone": {"server_at": "noon"},
    "a board whose server_at is a datetime, but": {"server_at": datetime(2026, 3, 2)},  # noqa: DTZ001
}
BOUNDS: list[dict[str, Any]] = [
    {"readings": {"1": XP_MAX, "2": 0}},
    {"rows": XP_MAX, "pages": 0},
    {"readings": {}, "missed": set(), "whole": True, "rows": 0},
    {"server_at": datetime(2026, 3, 2, tzinfo=UTC)},
    {"readings": {"1": 5}, "missed": {"2", "3"}},
]


@pytest.mark.parametrize("says", FLAWED)
def test_a_flaw_is_named(says: str) -> None:
    """The message about a flawed board names the flaw, shows a value unless it may name a member, and gives advice."""
    why = why_malformed(evolve(SOUND, **FLAWED[says]), SOUGHT)
    assert why is not None
    assert why.startswith(f"the source returned {says}")
    assert why.endswith("; nothing was changed. Fix the source")


@pytest.mark.parametrize("change", BOUNDS)
def test_a_board_at_a_bound_is_one(change: dict[str, Any]) -> None:
    """A board at a limit is sound, such as one with the most XP allowed or without any row."""
    assert why_malformed(evolve(SOUND, **change), SOUGHT) is None


def test_half_a_board_is_none() -> None:
    """A board that is not whole must find or miss every account, and the message counts the others."""
    half = evolve(SOUND, missed=frozenset())
    assert "the board with 1 of 3 accounts not found; nothing was changed" in str(why_malformed(half, SOUGHT))
    assert why_malformed(evolve(half, whole=True), SOUGHT) is None
    assert (
        why_malformed(None, SOUGHT)
        == "the source returned None instead of a Board; nothing was changed. Fix the source"
    )


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (None, "None"),
        (True, "True"),
        (7, "7"),
        (10**30 - 1, str(10**30 - 1)),
        (10**30, "an int"),
        ("ada", "a str"),
        (object(), "an object"),
    ],
)
def test_what_may_name_somebody_is_not_shown(value: object, says: str) -> None:
    """Messages show only None, booleans and numbers of up to 30 digits, since other values may name somebody."""
    assert shown(value) == says


@pytest.mark.parametrize(("length", "is_one"), [(200, True), (201, False)])
def test_an_id_of_a_board_is_short(length: int, *, is_one: bool) -> None:
    """A board id may have up to 200 characters; a longer one is malformed."""
    source = type("Source", (), {"board_id": "x" * length})
    if is_one:
        assert id_of(source) == "x" * length
        assert named(id_of(source)).startswith("board x")
    else:
        with pytest.raises(SourceError, match=r"a text of at most 200 printable") as caught:
            id_of(source)
        assert caught.value.kind == "malformed"
    assert named("") == named(None) == "a board without an id"


@pytest.mark.parametrize(
    ("board", "why"),
    [
        (SOUND, "it was not read to its end"),
        (evolve(SOUND, whole=True, rows=0), "it is empty"),
        (evolve(SOUND, whole=True, rows=1), None),
    ],
)
def test_what_cannot_be_adopted(board: Board, why: str | None) -> None:
    """An empty board, or one not read to its end, cannot be adopted: everybody would start from what it lacks (R24)."""
    expected = why and f"the board cannot be adopted, because {why}; nothing was changed"
    assert why_not_adopted(board) == expected


@pytest.mark.parametrize("minutes", [5, -5])
def test_clocks_may_differ_by_five_minutes(minutes: int) -> None:
    """Two clocks may differ by five minutes; if they differ by more, the message shows both times (R22)."""
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    server_at = at + timedelta(minutes=minutes)
    assert why_clocks_differ(at, server_at) is None
    beyond = server_at + timedelta(seconds=1 if minutes > 0 else -1)
    why = why_clocks_differ(at, beyond)
    assert why is not None
    assert f"this machine says 2026-03-02 09:00:00 UTC, but the board's server says {beyond:%F %T} UTC" in why


def test_the_points_that_a_distrusted_board_would_take_are_summed() -> None:
    """The message about a distrusted board sums the points of those whom it lowers, without others' gains (R10)."""
    changes = (-3, -1, -2, -1, -1, 4, 0)
    accounts = [Link(f"m-{number}", str(number)).opened(number) for number in range(len(changes))]
    moves = [Move(one, "tracked", "continues", 0, 0, 0, points=n) for one, n in zip(accounts, changes, strict=True)]
    plan = SyncReport("planned", datetime(2026, 3, 2, tzinfo=UTC), deducted=5, moves=moves)
    board = Board({str(number): 0 for number in range(9)}, whole=False, rows=9, pages=1)
    why = why_distrusted(plan, board, plan.taken_at, SyncState())
    assert str(why).startswith("the board would lower 5 of 9 members found on it, taking 8 points; nothing was changed")


@pytest.mark.parametrize(
    ("status", "next_reading", "is_expected"),
    [
        ("waiting", "opens", True),
        ("tracked", "continues", True),
        ("tracked", "rebases", True),
        ("tracked", "begins", False),
        ("tracked", "returns", False),
        ("absent", "continues", False),
        ("absent", "rebases", False),
    ],
)
def test_whose_absence_would_be_news(status: Status, next_reading: NextReading, *, is_expected: bool) -> None:
    """An account is expected on the board if it was there last time or is to be opened."""
    account = evolve(Link("m-1", "80").opened(1), status=status, next_reading=next_reading)
    sought = Sought.of([account], whole=True)
    assert (set(sought), sought.whole, sought.expected == {"80"}) == ({"80"}, True, is_expected)
