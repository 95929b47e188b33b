"""XP to points (R3, R4)."""

import pytest
from hypothesis import given, strategies as st

from support.community import Community
from trc_engage.core.points import carried, convert

xp_totals = st.integers(0, 2**53)


@pytest.mark.parametrize(
    ("xp_carried", "xp_gained", "expected"),
    [
        (0, 0, (0, 0)),
        (0, 99, (0, 99)),
        (0, 100, (1, 0)),
        (99, 1, (1, 0)),
        (50, 160, (2, 10)),
        (50, -50, (0, 0)),
        (50, -51, (-1, 99)),
        (50, -101, (-1, 49)),
        (0, -1, (-1, 99)),
    ],
)
def test_conversion_floors_and_carries(xp_carried: int, xp_gained: int, expected: tuple[int, int]) -> None:
    """100 XP are a point, the remainder is carried, and a loss floors towards minus infinity."""
    assert convert(xp_carried, xp_gained) == expected


@given(st.integers(0, 99), st.integers(-(2**53), 2**53))
def test_carried_xp_stays_within_a_point(xp_carried: int, xp_gained: int) -> None:
    """The carried XP is always 0-99, and points and carried XP add up to the XP that went in."""
    points, rest = convert(xp_carried, xp_gained)
    assert 0 <= rest < 100
    assert points * 100 + rest == xp_carried + xp_gained


@given(xp_totals, st.lists(xp_totals, max_size=20))
def test_paying_step_by_step_is_paying_at_once(baseline: int, readings: list[int]) -> None:
    """However XP rose and fell in between, an account has paid floor((xp - baseline) / 100)."""
    points, rest, last = 0, 0, baseline
    for xp in readings:
        step, rest = convert(rest, xp - last)
        points, last = points + step, xp
    assert (points, rest) == ((last - baseline) // 100, carried(last, baseline))


@given(st.lists(st.none() | st.integers(0, 5_000), min_size=1, max_size=12))
def test_every_sequence_of_readings_pays_exactly(readings: list[int | None]) -> None:
    """Through full syncs, absences included, an account's points always follow from its last known XP."""
    community = Community()
    community.enroll("ada")
    community.sync(ada=1_000)
    last = 1_000
    for xp in readings:
        last = last if xp is None else xp
        community.sync(ada=xp)
        assert community.points("ada") == (last - 1_000) // 100
    entries = community.engage.history("ada")
    assert community.points("ada") == sum(entry.points for entry in entries)


@given(st.lists(st.integers(0, 5_000), min_size=1, max_size=12), st.data())
def test_many_small_syncs_pay_what_one_big_one_pays(readings: list[int], data: st.DataObject) -> None:
    """Skipping any syncs except the last leaves the final balance the same."""
    often, seldom = Community(), Community()
    for community in (often, seldom):
        community.enroll("ada")
        community.sync(ada=500)
    for xp in readings[:-1]:
        often.sync(ada=xp)
        if data.draw(st.booleans()):
            seldom.sync(ada=xp)
    often.sync(ada=readings[-1])
    seldom.sync(ada=readings[-1])
    assert often.points("ada") == seldom.points("ada") == (readings[-1] - 500) // 100
