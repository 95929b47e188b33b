"""What is read from a page of the leaderboard, and when the page is refused."""

import json
from functools import partial
from typing import Any

import pytest
from hypothesis import given, strategies as st

from trc_engage import SourceError
from trc_engage.adapters.boards import paging
from trc_engage.adapters.boards.paging import Page
from trc_engage.adapters.mee6 import SERVICE
from trc_engage.core.boards import XP_MAX

parsed = partial(paging.parsed, SERVICE)
GUILD = "200000000000000001"
ADA = "140963286392038557"
NOBODY: frozenset[str] = frozenset()
SOUGHT = frozenset({ADA})

ids = st.integers(min_value=1, max_value=10**20 - 1).map(str)
xps = st.integers(min_value=0, max_value=XP_MAX)
texts = st.sampled_from(["id", "xp", "guild", "players"]) | st.text("a0\x00雪\ud800", max_size=5)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(texts, children, max_size=3),
    max_leaves=5,
)
rows = st.fixed_dictionaries({"id": ids, "xp": xps}, optional={"username": anything, "detailed_xp": anything})


def body(players: object, **others: Any) -> bytes:
    return json.dumps({"guild": {"id": GUILD}, "players": players, **others}).encode()


def good_rows(count: int) -> list[dict[str, Any]]:
    return [{"id": str(10**17 + number), "xp": number} for number in range(count)]


def test_only_ids_and_xp_are_read() -> None:
    """Only ids and XP are read, and unknown keys are ignored wherever they are."""
    page = parsed(body([{"id": ADA, "xp": 7, "level": "?", "new": [1]}], player=None, xp_rate=1.5), GUILD, SOUGHT)

    assert Page({ADA: 7}, [ADA], length=1, unusable=0) == page


def test_a_page_past_the_end_is_empty() -> None:
    """A page without players is no error: it is how the board ends."""
    assert Page({}, [], length=0, unusable=0) == parsed(body([]), GUILD, NOBODY)


@given(st.lists(rows, max_size=20))
def test_every_sound_row_is_a_reading(players: list[dict[str, Any]]) -> None:
    """Every sound row is a reading; if an id occurs twice on a page, the later row counts."""
    sought = frozenset(row["id"] for row in players[::2])
    page = parsed(body(players), GUILD, sought)

    assert {row["id"]: row["xp"] for row in players if row["id"] in sought} == page.readings
    assert [row["id"] for row in players] == page.ids
    assert (len(players), 0) == (page.length, page.unusable)


@given(st.lists(anything, max_size=10))
def test_no_row_can_break_in(players: list[Any]) -> None:
    """Whatever the rows contain, the result is a page with few unusable rows, or an error."""
    try:
        page = parsed(body(players), GUILD, NOBODY)
    except SourceError:
        return
    assert page.length == len(page.ids) + page.unusable == len(players)
    assert page.unusable <= max(3, len(players) / 100)


@given(st.binary(max_size=200) | anything.map(lambda document: json.dumps(document).encode()))
def test_no_body_can_break_in(raw: bytes) -> None:
    """Every body that is not a leaderboard is malformed, and the message is short and says what to do."""
    with pytest.raises(SourceError) as caught:
        parsed(raw, GUILD, NOBODY)

    assert caught.value.kind == "malformed"
    assert "look for a newer trc-engage" in str(caught.value)
    assert len(str(caught.value)) < 400


UNUSABLE: dict[str, object] = {
    "no id": {"xp": 5},
    "no xp": {"id": ADA},
    "id null": {"id": None, "xp": 5},
    "id a number": {"id": int(ADA), "xp": 5},
    "id empty": {"id": "", "xp": 5},
    "id with a leading zero": {"id": "0" + ADA, "xp": 5},
    "id too long": {"id": "1" * 21, "xp": 5},
    "id of other digits": {"id": "١٢٣", "xp": 5},
    "id with a line break": {"id": ADA + "\n", "xp": 5},
    "id with half a surrogate pair": {"id": ADA + "\ud800", "xp": 5},
    "xp null": {"id": ADA, "xp": None},
    "xp a float": {"id": ADA, "xp": 5.0},
    "xp negative": {"id": ADA, "xp": -1},
    "xp true": {"id": ADA, "xp": True},
    "xp a text": {"id": ADA, "xp": "5"},
    "xp beyond 2^53": {"id": ADA, "xp": XP_MAX + 1},
    "xp without bounds": {"id": ADA, "xp": 10**400},
    "a list": [ADA, 5],
    "a text": ADA,
    "null": None,
}


@pytest.mark.parametrize("row", UNUSABLE.values(), ids=UNUSABLE)
def test_an_unusable_row_is_skipped(row: object) -> None:
    """Up to three unusable rows of a page are skipped, and the other rows count."""
    page = parsed(body([*good_rows(2), row, row, row]), GUILD, NOBODY)

    assert [str(10**17), str(10**17 + 1)] == page.ids
    assert page.unusable == 3


@pytest.mark.parametrize(("length", "unusable", "passes"), [(3, 3, True), (4, 4, False), (1_000, 10, True)])
def test_many_unusable_rows_spoil_the_page(length: int, unusable: int, passes: bool) -> None:
    """A page is malformed if more than three of its rows, and more than 1 %, are unusable."""
    players = [*good_rows(length - unusable), *[{"id": ADA, "xp": None}] * unusable]
    if passes:
        assert parsed(body(players), GUILD, NOBODY).unusable == unusable
        return

    with pytest.raises(SourceError, match="4 of 4 rows cannot be used") as caught:
        parsed(body(players), GUILD, NOBODY)
    assert caught.value.kind == "malformed"


def test_eleven_of_a_thousand_are_too_many() -> None:
    """Eleven unusable rows of a thousand are too many: 1 % is allowed, and not one row more."""
    with pytest.raises(SourceError, match="11 of 1,000 rows"):
        parsed(body([*good_rows(989), *[None] * 11]), GUILD, NOBODY)


@pytest.mark.parametrize("row", [{"id": ADA, "xp": None}, {"id": ADA}, {"id": int(ADA), "xp": 5}])
def test_an_unusable_row_of_somebody_sought_is_never_skipped(row: object) -> None:
    """An unusable row of a sought member is an error, because the member must not look absent."""
    with pytest.raises(SourceError, match="a linked member") as caught:
        parsed(body([*good_rows(500), row]), GUILD, SOUGHT)

    assert caught.value.kind == "malformed"


BROKEN: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "not valid JSON"),
    "half a page": (body(good_rows(2))[:40], "not valid JSON"),
    "NaN": (b'{"guild": {"id": "1"}, "players": [], "xp_rate": NaN}', "NaN is not JSON"),
    "Infinity": (b'{"guild": {"id": "1"}, "players": [{"id": "1", "xp": -Infinity}]}', "-Infinity is not JSON"),
    "too deep": (b'{"players": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "RecursionError"),
    "not UTF-8": (b'{"guild": {"id": "\xff\xfe"}}', "UnicodeDecodeError"),
    "a number of 5,000 digits": (b'{"players": [{"id": "1", "xp": ' + b"9" * 5_000 + b"}]}", "not valid JSON"),
    "a list": (b"[]", "not a leaderboard"),
    "null": (b"null", "not a leaderboard"),
    "no guild": (b'{"players": []}', "not a leaderboard"),
    "guild a text": (b'{"guild": "id", "players": []}', "not a leaderboard"),
    "guild id a number": (b'{"guild": {"id": %s}, "players": []}' % GUILD.encode(), "a text was expected"),
    "another guild": (body([], guild={"id": "300"}), f"to guild '300', but guild '{GUILD}'"),
    "no players": (b'{"guild": {"id": "1"}}', "'players'"),
    "players an object": (body({"0": {"id": ADA, "xp": 5}}), "a list was expected"),
    "players null": (body(None), "a list was expected"),
}


@pytest.mark.parametrize(("raw", "says"), BROKEN.values(), ids=BROKEN)
def test_what_is_no_leaderboard_is_malformed(raw: bytes, says: str) -> None:
    """A body that is not a leaderboard is malformed, and the message says what is wrong with it."""
    with pytest.raises(SourceError) as caught:
        parsed(raw, GUILD, NOBODY)

    assert caught.value.kind == "malformed"
    assert says in str(caught.value)


def test_names_are_harmless() -> None:
    """Names are not read, so half a surrogate pair in one, escaped or raw, does no harm."""
    escaped = body([{"id": ADA, "xp": 5, "username": "\ud800 \x00 \u202e"}])

    for raw in (escaped, escaped.replace(b"\\ud800", b"\xed\xa0\x80")):
        assert parsed(raw, GUILD, SOUGHT).readings == {ADA: 5}


def test_xp_told_twice_is_refused() -> None:
    """If a page is read thoroughly, a row that gives its XP twice makes it malformed."""
    raw = body([{"id": ADA, "xp": 5}], player={"xp": 9})

    assert parsed(raw, GUILD, SOUGHT, thoroughly=True).readings == {ADA: 5}
    with pytest.raises(SourceError, match="xp is given twice"):
        parsed(raw.replace(b'"xp": 5', b'"xp": 5, "xp": 0'), GUILD, SOUGHT, thoroughly=True)


def test_errors_tell_no_tales() -> None:
    """An error about a bad row does not show the name in it."""
    with pytest.raises(SourceError) as caught:
        parsed(body([{"id": ADA, "xp": None, "username": "Secret Name"}]), GUILD, SOUGHT)

    assert "Secret Name" not in str(caught.value)
