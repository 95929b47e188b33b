"""What one reading changes in one account, field by field (R2-R6, R10, R11a, R19, R24)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from trc_engage import Board
from trc_engage.core.days import Window
from trc_engage.core.model import DiscordActivity, Move
from trc_engage.core.posting import SyncState
from trc_engage.core.sync import Drops, plan_adoption, plan_sync

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
GOOD_AT, MISSED_AT = NOON - timedelta(minutes=15), NOON - timedelta(hours=3)
STATE = SyncState(good_run=1, good_at=GOOD_AT)
STEADY = DiscordActivity(1, 3, "m-1", "80", "tracked", "continues", 500, 1_030, 1_030, 1_000)
SINCE, FROM_MISSED, NOW = (Window.between(at, NOON) for at in (GOOD_AT, MISSED_AT, NOON))


def board(xp: int | None, *, is_missed: bool = False) -> Board:
    """Return a board that shows the account with this XP; None if it does not."""
    readings = {} if xp is None else {"80": xp}
    return Board(readings, whole=not is_missed, rows=9, pages=2, missed=frozenset({"80"} if is_missed else ()))


def step(account: DiscordActivity, **changed: Any) -> Move:
    """Return a move that leaves the account as it is, with these changes."""
    status, xp = account.status, account.xp_total
    same = Move(account, status, account.next_reading, account.xp_baseline, xp, account.xp_high, account.window_from)
    return evolve(same, **changed)


WAITING = evolve(STEADY, status="waiting", next_reading="opens", xp_baseline=0, xp_total=0, xp_high=0, xp_posted=0)
UNREAD = evolve(WAITING, status="tracked", next_reading="begins")
MISSED = evolve(STEADY, window_from=MISSED_AT)
BACK = evolve(STEADY, next_reading="returns", window_from=MISSED_AT)
MOVED = evolve(STEADY, next_reading="rebases")
DIPPED = evolve(STEADY, xp_high=1_080)
READINGS: dict[str, tuple[DiscordActivity, int | None, Drops | None, str, Move | None]] = {
    "nothing new": (STEADY, 1_030, None, "unchanged", None),
    "a rise": (
        STEADY,
        1_175,
        None,
        "gained",
        step(STEADY, xp_total=1_175, xp_high=1_175, kind="gain", points=1, window=SINCE, active=True),
    ),
    "a rise that makes no point": (
        STEADY,
        1_031,
        None,
        "gained",
        step(STEADY, xp_total=1_031, xp_high=1_031, window=SINCE, active=True),
    ),
    "a fall": (
        STEADY,
        1_020,
        None,
        "deducted",
        step(STEADY, xp_total=1_020, xp_high=1_030, window=SINCE),
    ),
    "a fall of points": (
        STEADY,
        990,
        "deduct",
        "deducted",
        step(STEADY, xp_total=990, xp_high=1_030, kind="deduction", points=-1, window=SINCE),
    ),
    "a fall in a new season": (
        STEADY,
        30,
        "rebase",
        "rebased",
        step(STEADY, xp_total=30, xp_baseline=-500, xp_high=30, kind="rebase", window=NOW),
    ),
    "a rise in a new season": (
        STEADY,
        1_175,
        "rebase",
        "gained",
        step(STEADY, xp_total=1_175, xp_high=1_175, kind="gain", points=1, window=SINCE, active=True),
    ),
    "the same XP in a new season": (DIPPED, 1_030, "rebase", "unchanged", step(DIPPED, xp_high=1_030, window=SINCE)),
    "back to what it was before a dip": (
        DIPPED,
        1_080,
        None,
        "gained",
        step(DIPPED, xp_total=1_080, xp_high=1_080, window=SINCE),
    ),
    "the dip again": (DIPPED, 1_030, None, "unchanged", step(DIPPED, xp_high=1_030, window=SINCE)),
    "opened": (
        WAITING,
        700,
        None,
        "opened",
        step(
            WAITING,
            status="tracked",
            next_reading="continues",
            xp_total=700,
            xp_baseline=700,
            xp_high=700,
            kind="opening",
            window=NOW,
        ),
    ),
    "opened without XP": (
        WAITING,
        None,
        None,
        "opened",
        step(WAITING, status="tracked", next_reading="begins", kind="opening", window=NOW),
    ),
    "still not on the board": (UNREAD, None, None, "unchanged", None),
    "no longer on the board": (STEADY, None, None, "absent", step(STEADY, status="absent")),
    "no longer on it, after a read that missed": (
        MISSED,
        None,
        None,
        "absent",
        step(MISSED, status="absent", window_from=None),
    ),
    "gone with a season": (
        STEADY,
        None,
        "rebase",
        "rebased",
        step(STEADY, next_reading="begins", xp_total=0, xp_baseline=-530, xp_high=0, kind="rebase", window=NOW),
    ),
    "away when the season ended": (
        evolve(STEADY, status="absent"),
        None,
        "rebase",
        "absent",
        None,
    ),
    "read again after a miss": (
        MISSED,
        1_175,
        None,
        "gained",
        step(
            MISSED,
            xp_total=1_175,
            xp_high=1_175,
            window_from=None,
            kind="gain",
            points=1,
            window=FROM_MISSED,
            active=True,
        ),
    ),
    "back with more": (
        BACK,
        1_175,
        None,
        "gained",
        step(
            BACK,
            next_reading="continues",
            xp_total=1_175,
            xp_high=1_175,
            window_from=None,
            kind="gain",
            points=1,
            window=FROM_MISSED,
            active=True,
        ),
    ),
    "back with less": (
        BACK,
        20,
        None,
        "rebased",
        step(
            BACK,
            next_reading="continues",
            xp_total=20,
            xp_baseline=-510,
            xp_high=20,
            window_from=None,
            kind="rebase",
            window=NOW,
        ),
    ),
    "another board's first": (
        MOVED,
        1_175,
        None,
        "rebased",
        step(
            MOVED, next_reading="continues", xp_total=1_175, xp_baseline=645, xp_high=1_175, kind="rebase", window=NOW
        ),
    ),
    "not on another board": (
        MOVED,
        None,
        None,
        "rebased",
        step(MOVED, next_reading="begins", xp_total=0, xp_baseline=-530, xp_high=0, kind="rebase", window=NOW),
    ),
}


@pytest.mark.parametrize("case", READINGS)
def test_what_a_reading_makes_of_an_account(case: str) -> None:
    """A reading makes the expected move, or none, and the report counts the account by what happened to it."""
    account, xp, drops, outcome, move = READINGS[case]
    plan = plan_sync([account], board(xp), NOON, STATE, drops)
    assert {name for name, count in plan.counts.items() if count} == {outcome}
    assert plan.moves == ([] if move is None else [move])
    assert (plan.outcome, plan.taken_at, plan.pages, plan.rows, plan.board_id, plan.late) == (
        "planned",
        NOON,
        2,
        9,
        None,
        (),
    )


@pytest.mark.parametrize(
    ("account", "move"),
    [
        (STEADY, step(STEADY, window_from=GOOD_AT)),
        (MISSED, None),
        (UNREAD, step(UNREAD, window_from=GOOD_AT)),
        (WAITING, None),
    ],
)
def test_whom_a_board_that_moved_hid_is_read_from_the_last_look_on(account: DiscordActivity, move: Move | None) -> None:
    """A missed account's window begins at the last good sync before its first miss; a waiting one has none (R19)."""
    plan = plan_sync([account], board(None, is_missed=True), NOON, STATE)
    assert (plan.missed, plan.moves) == (1, [] if move is None else [move])
    first = plan_sync([STEADY], board(None, is_missed=True), NOON, SyncState())
    assert first.moves == [step(STEADY, window_from=NOON)]


LEFT = evolve(STEADY, status="left")
ADOPTED: Mapping[str, tuple[DiscordActivity, set[int], Board, str | None, Move | None]] = {
    "read": (
        STEADY,
        {1},
        board(20),
        "rebased",
        step(STEADY, xp_total=20, xp_baseline=-510, xp_high=20, kind="rebase", window=NOW),
    ),
    "not on it": (
        STEADY,
        {1},
        board(None),
        "absent",
        step(STEADY, next_reading="begins", xp_total=0, xp_baseline=-530, xp_high=0, kind="rebase", window=NOW),
    ),
    "missed": (
        STEADY,
        {1},
        board(None, is_missed=True),
        "missed",
        step(STEADY, next_reading="rebases", window_from=GOOD_AT),
    ),
    "missed again": (MISSED, {1}, board(None, is_missed=True), "missed", step(MISSED, next_reading="rebases")),
    "not looked for": (STEADY, set(), board(20), None, step(STEADY, next_reading="rebases")),
    "left": (LEFT, {1}, board(20), None, step(LEFT, next_reading="rebases")),
    "moved before": (MOVED, set(), board(20), None, None),
    "not looked for, and not open": (WAITING, set(), board(20), None, None),
}


@pytest.mark.parametrize("case", ADOPTED)
def test_what_another_board_makes_of_an_account(case: str) -> None:
    """An adoption moves no points, and an account that it does not read is rebased by the next reading (R24)."""
    account, looked_for, found, outcome, move = ADOPTED[case]
    plan = plan_adoption([account], looked_for, found, NOON, STATE)
    assert {name for name, count in plan.counts.items() if count} == ({outcome} if outcome else set())
    assert plan.moves == ([] if move is None else [move])
    assert plan.points == 0


def test_before_any_good_sync_a_miss_begins_with_the_adoption() -> None:
    """If no sync was good before an adoption, the window of an account that it missed begins with the adoption."""
    plan = plan_adoption([STEADY], {1}, board(None, is_missed=True), NOON, SyncState())
    assert plan.moves == [step(STEADY, next_reading="rebases", window_from=NOON)]
