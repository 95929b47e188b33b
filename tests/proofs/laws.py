"""Laws of the core's arithmetic, each a function whose asserts CrossHair tries to break for all values at once.

The asserts at the start of a function are premises: the values to which the law applies. Whole numbers are of any
size unless a premise bounds them.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Literal

from trc_engage.core.boards import Board
from trc_engage.core.days import FOOTHOLD, days_counted
from trc_engage.core.incidents import AT_ONCE, FailureRun, failed_again
from trc_engage.core.model import DiscordActivity, Move, NextReading
from trc_engage.core.points import carried, convert
from trc_engage.core.posting import SyncState
from trc_engage.core.sync import plan_adoption, plan_sync

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
BEFORE = AT - timedelta(minutes=15)
ID = "80351110224678912"
KINDS: tuple[NextReading, ...] = ("opens", "continues", "returns", "rebases")
"""All but the first XP of a zero-XP record: CrossHair cannot divide the length of its window (R2a)."""


def carried_xp_stays_below_a_point(xp_carried: int, xp_gained: int) -> None:
    """From 0 to 99 XP are carried on, whatever was carried before and however much is won or lost (R3, R4)."""
    assert 0 <= xp_carried < 100
    _, left = convert(xp_carried, xp_gained)
    assert 0 <= left < 100


def nothing_is_lost_or_made(xp_carried: int, xp_gained: int) -> None:
    """Points and carried XP together account for all XP that came in (R3)."""
    assert 0 <= xp_carried < 100
    points, left = convert(xp_carried, xp_gained)
    assert points * 100 + left == xp_carried + xp_gained


def two_steps_pay_what_one_pays(xp_carried: int, first: int, second: int) -> None:
    """Two changes of XP pay what their sum pays, and by induction any number of changes does (R3)."""
    assert 0 <= xp_carried < 100
    points, left = convert(xp_carried, first)
    more, left = convert(left, second)
    assert (points + more, left) == convert(xp_carried, first + second)


def rounding_each_gain_pays_the_same(first: int, second: int) -> None:
    """Claim, falsely, that a remainder need not be carried."""
    assert first >= 0
    assert second >= 0
    assert first // 100 + second // 100 == (first + second) // 100


def account(next_reading: NextReading, baseline: int, xp: int, high: int) -> DiscordActivity:
    """Return an account that was read before."""
    return DiscordActivity(1, 1, "m-1", ID, "tracked", next_reading, baseline, xp, high, xp)


def read(one: DiscordActivity, xp: int, drops: Literal["deduct", "rebase"] | None = None) -> Move | None:
    """Return the move that a sync plans for one account on a whole board."""
    board = Board({ID: xp}, whole=True, rows=1, pages=2)
    return next(iter(plan_sync([one], board, AT, SyncState(good_at=BEFORE), drops).moves), None)


def paid(one: DiscordActivity) -> int:
    """Return the points that an account has been paid: those of its XP since the baseline (R3)."""
    return (one.xp_total - one.xp_baseline) // 100


def the_next_reading_pays_what_is_due(baseline: int, before: int, high: int, after: int) -> None:
    """For every account and every next reading, what was paid is the floor of XP since the baseline (R3, R4)."""
    assert high >= before >= 0
    assert after >= 0
    one = account("continues", baseline, before, high)
    move = read(one, after)
    points, then = (0, one) if move is None else (move.points, move.account_after)
    assert then.xp_total == after
    assert then.xp_baseline == baseline
    assert paid(one) + points == paid(then)


def however_the_reading_is_taken_it_pays_what_is_due(kind: int, baseline: int, before: int, after: int) -> None:
    """Nothing is paid at an opening (R2), and otherwise the floor of XP since the old or moved baseline (R6, R24)."""
    assert 0 <= kind < len(KINDS)
    assert before >= 0
    assert after >= 0
    one = account(KINDS[kind], baseline, before, before)
    move = read(one, after)
    points, then = (0, one) if move is None else (move.points, move.account_after)
    assert then.xp_total == after
    assert paid(then) == (0 if KINDS[kind] == "opens" else paid(one) + points)
    assert points == 0 or then.xp_baseline == baseline


def a_season_reset_keeps_points_and_carried(baseline: int, before: int, after: int) -> None:
    """Neither points nor carried XP change with a fall that an admin declares a new season (R6, R10)."""
    assert 0 <= after < before
    one = account("continues", baseline, before, before)
    move = read(one, after, "rebase")
    assert move is not None
    assert move.points == 0
    assert paid(move.account_after) == paid(one)
    assert move.account_after.xp_carried == one.xp_carried


def a_lower_reading_after_a_return_keeps_points_and_carried(baseline: int, before: int, after: int) -> None:
    """After an absence, a lower reading moves baseline and XP by the same amount, as MEE6 was reset (R6)."""
    assert 0 <= after < before
    one = account("returns", baseline, before, before)
    move = read(one, after)
    assert move is not None
    assert move.points == 0
    assert paid(move.account_after) == paid(one)
    assert move.account_after.xp_carried == one.xp_carried


def adopting_a_board_keeps_points_and_carried(baseline: int, before: int, after: int, is_found: bool) -> None:
    """Adopting another board pays and costs nothing, whether a member is on it or not (R24)."""
    assert before >= 0
    assert after >= 0
    one = account("continues", baseline, before, before)
    board = Board({ID: after} if is_found else {}, whole=True, rows=1, pages=2)
    (move,) = plan_adoption([one], {1}, board, AT, SyncState(good_at=BEFORE)).moves
    assert move.points == 0
    assert paid(move.account_after) == paid(one)
    assert move.account_after.xp_carried == one.xp_carried


def only_a_rise_above_both_last_readings_is_activity(first: int, second: int, third: int) -> None:
    """Of three readings, the last is activity if and only if it is above both others (R11a)."""
    assert min(first, second, third) >= 0
    one = account("continues", 0, first, first)
    move = read(one, second)
    one = one if move is None else move.account_after
    move = read(one, third)
    is_active = move is not None and move.active
    assert is_active == (third > first and third > second)


def a_rise_above_the_last_reading_is_activity(first: int, second: int, third: int) -> None:
    """Claim, falsely, that a page that dips and recovers need not be distinguished from a rise."""
    assert min(first, second, third) >= 0
    one = account("continues", 0, first, first)
    move = read(one, second)
    one = one if move is None else move.account_after
    move = read(one, third)
    is_active = move is not None and move.active
    assert is_active == (third > second)


def a_window_counts_for_the_days_it_touches(minute: int, length: int) -> None:
    """Each day that a window touches counts, the last of several from five minutes on, for up to three days (R12)."""
    assert 0 <= minute < 1_440
    assert 0 <= length <= 3 * 1_440
    opens_at = datetime(2026, 3, 5, tzinfo=UTC) + timedelta(minutes=minute)
    closes_at = opens_at + timedelta(minutes=length)
    days = days_counted(opens_at, closes_at)
    touched = (minute + length) // 1_440
    foothold = (minute + length) % 1_440 * 60 >= FOOTHOLD.total_seconds()
    last = touched if touched == 0 or foothold else touched - 1
    assert days == tuple(date(2026, 3, 5 + number) for number in range(last + 1))


def failures_are_counted_from_the_first(count: int, urgent: int, is_urgent: bool) -> None:
    """Each failure adds one to the count since the same instant; those that need help are also counted apart (R20)."""
    assert count > 0
    assert 0 <= urgent <= count
    before = FailureRun(count, BEFORE, "down", "", FailureRun(urgent, BEFORE, "clock", "") if urgent else None)
    after = failed_again(before, AT, "clock" if is_urgent else "down", "")
    assert (after.count, after.since) == (count + 1, BEFORE)
    assert (after.urgent.count if after.urgent else 0) == urgent + is_urgent
    assert after.urgent is None or after.urgent.kind in AT_ONCE
    assert after.cause.since == (BEFORE if urgent or not is_urgent else AT)


def carried_agrees_with_convert(baseline: int, before: int, after: int) -> None:
    """Exactly what a conversion leaves is carried (R3)."""
    assert before >= 0
    assert after >= 0
    _, left = convert(carried(before, baseline), after - before)
    assert left == carried(after, baseline)
