"""Which values are accepted, to the last character, and by which words a name is found (R8, R16, R23, R29)."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest

from trc_engage import InvalidValue
from trc_engage.core import validation

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
day_of_award = partial(validation.day_of_award, now=NOW)
after = partial(validation.validate_position, "after")
texts = partial(validation.validate_each, "member_ids", kind=str)


def by(actor: str) -> str | None:
    """Return the actor, if valid."""
    return validation.validate_trace(actor).actor


def note(text: str) -> str | None:
    """Return the note, if valid."""
    return validation.validate_trace(note=text).note


TAKEN: list[tuple[Callable[..., object], object]] = [
    (validation.validate_points, 1),
    (validation.validate_points, 10**9),
    (validation.validate_change, 1),
    (validation.validate_change, -1),
    (validation.validate_change, 10**9),
    (validation.validate_change, -(10**9)),
    (validation.validate_limit, 1),
    (validation.validate_limit, 10_000),
    (after, 0),
    (after, 2**63 - 1),
    (validation.validate_name, ""),
    (validation.validate_name, "x" * 4_000),
    (validation.validate_member_id, "x" * 200),
    (validation.validate_key, "x" * 200),
    (validation.validate_source, "x" * 50),
    (validation.validate_reason, "x" * 1_000),
    (validation.validate_actor, "x" * 1_000),
    (validation.validate_weekday, date(2026, 3, 6)),
    (by, "admin-7"),
    (note, "x" * 1_000),
    (validation.validate_address, "postgresql://ada:se%2Fcret@host:5432/engage?sslmode=require"),
    (validation.validate_address, "postgres://host/engage"),
    (partial(validation.validate_flag, "bonus"), True),
    (partial(validation.validate_flag, "bonus"), False),
    (texts, ["m-1", "m-2"]),
    (texts, []),
]


@pytest.mark.parametrize(("validate", "value"), TAKEN, ids=range(len(TAKEN)))
def test_the_longest_and_largest_value_is_taken_as_it_is(validate: Callable[..., object], value: object) -> None:
    """The last value within a limit is accepted and returned as it is."""
    assert validate(value) == value


IN_PARTS = "it is not in Unicode's composed form (NFC), in which \u00e9 is one character"
REFUSED: list[tuple[Callable[..., object], object, str]] = [
    (validation.validate_limit, 0, "limit: 0: give a whole number from 1 to 10,000"),
    (validation.validate_limit, 10_001, "limit: 10001: give a whole number from 1 to 10,000"),
    (after, -1, "after: -1: give a position: a whole number from 0 on"),
    (after, 2**63, "after: 9223372036854775808: give a position: a whole number from 0 on"),
    (validation.validate_weekday, "2026-03-06", "days: '2026-03-06': give a day, such as date(2026, 12, 25)"),
    (
        validation.validate_weekday,
        date(2026, 3, 7),
        "days: '2026-03-07': Saturdays and Sundays never break a streak; excuse a weekday",
    ),
    (by, " admin-7", "by: ' admin-7': it begins or ends with a space; remove it"),
    (partial(validation.in_utc, "at"), "soon", "at: 'soon': give a timezone-aware datetime, such as datetime.now(UTC)"),
    (
        partial(validation.in_utc, "at"),
        datetime(2026, 3, 2),  # noqa: DTZ001  what is refused
        "at: '2026-03-02T00:00:00': give a timezone-aware datetime, such as datetime.now(UTC)",
    ),
    (partial(validation.validate_flag, "bonus"), "no", "bonus: 'no': give True or False"),
    (partial(validation.validate_flag, "bonus"), 1, "bonus: 1: give True or False"),
    (texts, "m-1", "member_ids: 'm-1': give a list of str"),
    (texts, None, "member_ids: None: give a list of str"),
    (texts, ["m-1", 7], "member_ids: 7: give a list of str"),
    (
        partial(validation.validate_points, field="thresholds"),
        0,
        "thresholds: 0: give a whole number from 1 to 1,000,000,000",
    ),
    (partial(validation.validate_name, field="text"), 5, "text: 5: give text of at most 4,000 characters"),
    (note, "", "note: '': give text of 1 to 1,000 characters"),
    (validation.validate_new_member_id, "m-1 ", "member_id: 'm-1 ': it begins or ends with a space; remove it"),
    (
        validation.validate_new_member_id,
        "cafe\u0301",
        f"member_id: 'cafe\u0301': {IN_PARTS}",
    ),
    (validation.validate_new_member_id, ".", "member_id: '.': an address cannot end in it; give another id"),
    (validation.validate_new_member_id, "..", "member_id: '..': an address cannot end in it; give another id"),
]


@pytest.mark.parametrize(("validate", "value", "message"), REFUSED)
def test_what_is_refused_is_named_with_advice(validate: Callable[..., object], value: object, message: str) -> None:
    """A value just beyond a limit is refused with the field, the value and what is allowed."""
    with pytest.raises(InvalidValue) as caught:
        validate(value)
    assert str(caught.value) == message


@pytest.mark.parametrize("at", [datetime(2000, 1, 1, tzinfo=UTC), NOW + timedelta(minutes=2)])
def test_the_first_and_the_last_instant_of_an_award_count(at: datetime) -> None:
    """An award may be dated from 2000 on, and up to two minutes ahead, which counts for today (R16)."""
    assert day_of_award(at) == min(at, NOW).date()


@pytest.mark.parametrize("at", [datetime(2000, 1, 1, tzinfo=UTC), NOW + timedelta(minutes=2)])
@pytest.mark.parametrize("beyond", [timedelta(microseconds=1)])
def test_an_instant_beyond_them_is_refused(at: datetime, beyond: timedelta) -> None:
    """An award that is dated a microsecond outside of these limits is refused by the name of the field."""
    with pytest.raises(InvalidValue, match="give a time from 2000 on, at most two minutes ahead") as caught:
        day_of_award(at - beyond if at < NOW else at + beyond)
    assert caught.value.field == "at"


def test_a_clock_without_a_zone_is_named() -> None:
    """A clock without a timezone is refused by the name of the argument."""
    with pytest.raises(InvalidValue, match="timezone-aware") as caught:
        validation.clock_in_utc(lambda: NOW.replace(tzinfo=None))()
    assert caught.value.field == "clock"


@pytest.mark.parametrize(
    "character",
    ["\u200b", "\u115f", "\x07", "\ue000", "\u0378", "\u2028", "\u3164"],
    ids=["a format mark", "a filler", "a control", "for private use", "not assigned", "a line's end", "another filler"],
)
def test_a_new_id_holds_nothing_that_cannot_be_seen(character: str) -> None:
    """An invisible character is refused by its code, because two ids that look alike would be two members (R29)."""
    with pytest.raises(InvalidValue, match=rf"invisible character \(U\+{ord(character):04X}\)"):
        validation.validate_new_member_id(f"m{character}1")


@pytest.mark.parametrize(
    "address",
    ["postgresql://ada%3Asecret@host/db", "postgresql://ada:a secret@host/db", "postgresql://ada:100%@host/db"],
    ids=["an escaped colon", "a blank", "no escape"],
)
def test_an_address_that_leaves_doubt_is_never_shown(address: str) -> None:
    """An address in which the password has no certain beginning is refused without showing any of it."""
    with pytest.raises(InvalidValue) as caught:
        validation.validate_address(address)
    assert (caught.value.field, caught.value.value) == ("dsn", "…")
    assert str(caught.value).startswith("dsn: '…': it cannot be read as an address of PostgreSQL")


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("postgresql://host/db", True),
        (" \tmysql:host", True),
        ("host=db dbname=engage", False),
        ("1a://host", False),
        ("", False),
    ],
)
def test_a_scheme_makes_an_address(text: str, is_one: bool) -> None:
    """A text with a scheme is an address; names with values, as libpq takes them, are not."""
    assert validation.is_address(text) is is_one


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Ada KING", ("ada", "king")),
        ("a b", ("a", "b")),
        ("Ada\tKing\n", ("ada", "king")),
        ("Ad\u200da", ("ada",)),
        ("Ad\u3164a", ("ada",)),
        ("Ad\x07a", ("ada",)),
        ("Ad\ud800a", ("ada",)),
        ("Ada\u2605King", ("ada", "\u2605", "king")),
        ("Ada-King", ("ada", "king")),
        ("ada Ada", ("ada",)),
        ("R2D2 \u00b2", ("r2d2", "2")),
        ("\u0928\u092e\u0938\u094d\u0924\u0947", ("\u0928\u092e\u0938\u094d\u0924\u0947",)),
        ("Stra\u00dfe", ("strasse",)),
        ("x" * 100, ("x" * 64,)),
        (" ".join(f"w{number}" for number in range(40)), tuple(f"w{number}" for number in range(32))),
        ("", ()),
    ],
)
def test_a_name_is_found_by_its_words(name: str, words: tuple[str, ...]) -> None:
    """A name's words are folded and without invisible characters: at most 32, of 64 characters each (R23)."""
    assert validation.words_of(name) == words


def test_what_shows_nothing_is_named() -> None:
    """Only the invisible characters of a text are returned."""
    assert validation.unseen("m\u3164-1\u115f") == "\u3164\u115f"


def test_the_longest_eight_words_of_a_search_are_looked_for() -> None:
    """A search uses its eight longest words, and the longest comes first, since it leaves the fewest names."""
    assert validation.sought_words("zz a bbbb") == ("bbbb", "zz", "a")
    assert validation.sought_words(" ".join("x" * number for number in range(1, 11))) == tuple(
        "x" * number for number in range(10, 2, -1)
    )


@pytest.mark.parametrize(
    ("sought", "words", "met"),
    [
        (["a"], ["b", "ac", "ab"], "ab"),
        (["b", "a"], ["a", "bb", "ba"], "ba"),
        (["a", "z"], ["ab"], None),
        ([], ["ab"], None),
        (["ab"], [], None),
    ],
)
def test_names_are_in_the_order_of_the_word_that_was_met(sought: list[str], words: list[str], met: str | None) -> None:
    """A name's place is its first word that the longest sought word begins, if every sought word begins one."""
    assert validation.first_met(sought, words) == met
