"""Values that follow from an account, an entry or a move alone (R2, R6, R8, R11a, R23, R25, R31)."""

from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve

from trc_engage.core.days import Window
from trc_engage.core.errors import shortened
from trc_engage.core.model import DiscordActivity, Link, Move, NextReading, XpChange
from trc_engage.core.posting import drafted
from trc_engage.core.reports import DiscordStanding, Selection, Standing

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LINKED = Link("m-1", "80").opened(4)


def test_a_link_opens_an_account_that_waits_for_its_first_reading() -> None:
    """A new link makes an account of version 1 without XP that waits for its first reading."""
    assert Link("m-1", "80").opened(4) == DiscordActivity(4, 1, "m-1", "80", "waiting", "opens", 0, 0, 0, 0)


def test_each_step_is_a_version() -> None:
    """Each move raises the version of its account by one, so that plans made on the one before conflict."""
    after = Move(LINKED, "tracked", "continues", 500, xp_total=560, xp_high=570, kind="opening").account_after
    assert after == DiscordActivity(4, 2, "m-1", "80", "tracked", "continues", 500, 560, 570, 560)


@pytest.mark.parametrize(
    ("rose_at", "opens_at", "active", "after"),
    [
        (None, NOON, True, NOON),
        (NOON - HOUR, NOON, True, NOON),
        (NOON, NOON - HOUR, True, NOON),
        (NOON - HOUR, NOON, False, NOON - HOUR),
        (None, NOON, False, None),
    ],
)
def test_the_last_rise_is_the_latest(
    rose_at: datetime | None, opens_at: datetime, active: bool, after: datetime | None
) -> None:
    """The last rise is the latest start of an active window; a window that opened earlier changes nothing (R25)."""
    window = Window.between(opens_at, opens_at + HOUR)
    move = Move(evolve(LINKED, rose_at=rose_at), "tracked", "continues", 0, 50, 50, window=window, active=active)
    assert move.rose_at == after


@pytest.mark.parametrize(
    ("next_reading", "xp", "unseen"),
    [
        ("opens", (0, 0, 0, 0), True),
        ("begins", (0, 0, 0, 0), True),
        ("rebases", (0, 0, 0, 0), True),
        ("continues", (0, 0, 0, 0), False),
        ("returns", (0, 0, 0, 0), False),
        ("begins", (500, 0, 0, 0), False),
        ("begins", (0, 0, 0, 7), False),
    ],
)
def test_who_may_never_have_been_seen(
    next_reading: NextReading, xp: tuple[int, int, int, int], *, unseen: bool
) -> None:
    """An account may be unseen if it has no XP and its next reading opens, begins or rebases it (R31)."""
    assert DiscordActivity(4, 1, "m-1", "80", "tracked", next_reading, *xp).may_be_unseen is unseen


@pytest.mark.parametrize(
    ("xp_before", "baseline_before", "carried"),
    [(560, 500, 60), (None, None, None), (None, 500, None), (560, None, None)],
)
def test_what_was_carried_before(xp_before: int | None, baseline_before: int | None, carried: int | None) -> None:
    """The XP carried before an entry is known only if XP and baseline before it are, unlike at an opening."""
    change = XpChange(4, xp_before, 700, baseline_before, 500)
    assert (change.carried_before, change.carried_after) == (carried, 0)


def test_a_reversal_is_a_new_line() -> None:
    """A reversal is a draft without position, key or booking time, and names the award that it reverses."""
    award = drafted("award", "m-1", "benchmark", 5, NOON.date(), NOON, "a", actor="app")
    back = evolve(award, position=7, booked_at=NOON + HOUR).reversal(NOON + 2 * HOUR, "withdrawn", "admin-7")
    assert (back.position, back.kind, back.points, back.reverses, back.key) == (0, "reversal", -5, 7, None)
    assert (back.at, back.booked_at, back.day) == (NOON + 2 * HOUR, None, NOON.date())
    assert (back.reason, back.actor) == ("withdrawn", "admin-7")


@pytest.mark.parametrize(("xp", "missing"), [(500, 100), (501, 99), (599, 1), (600, 100)])
def test_the_next_point_is_1_to_100_xp_away(xp: int, missing: int) -> None:
    """The next point is 1 to 100 XP away, and never 0."""
    assert DiscordStanding("80", "tracked", xp, 500).xp_to_next_point == missing


@pytest.mark.parametrize(
    ("name", "words", "picked"),
    [
        ("Ada Lovelace", ["ove"], True),
        ("Ada Lovelace", ["ada", "ove"], True),
        ("Ada Lovelace", ["ada", "king"], False),
        ("Ada Lovelace", [], False),
        (None, ["x"], False),
        (None, None, True),
    ],
)
def test_every_part_must_be_in_a_word_of_the_name(name: str | None, words: list[str] | None, *, picked: bool) -> None:
    """A search matches if each part is in a word of the name; a member without a name matches no word."""
    assert Selection(words=words).picks(Standing("m-1", name, 0, {}, None, None), is_unseen=False) is picked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x" * 58, "'" + "x" * 58 + "'"),
        ("x" * 59, "'" + "x" * 39 + "…" + "x" * 18 + "'"),
        ("a" * 100 + "z" * 100, "'" + "a" * 39 + "…" + "z" * 18 + "'"),
    ],
)
def test_a_long_value_is_cut_in_the_middle(text: str, shown: str) -> None:
    """A long value is cut in the middle to 60 characters, so that its beginning and its end are shown."""
    assert shortened(text) == shown
    assert len(shown) <= 60
