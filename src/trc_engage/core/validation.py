"""Validation of arguments: each function returns the value or raises `InvalidValue`."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TypeVar
from unicodedata import category, is_normalized, normalize

from .days import SATURDAY
from .errors import InvalidValue
from .model import DISCORD
from .records import Trace

K = TypeVar("K")

LIMIT_MAX = 10_000

SCHEMES = ("postgresql", "postgres")
HOST = r"(?:\[[0-9A-Fa-f:.]+(?:%25[A-Za-z0-9._-]+)?\]|(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})*)(?::[0-9]{0,5})?"
ADDRESS = (
    r"postgres(?:ql)?://"
    r"(?:(?P<user>[^:@/?#\[\]]*)(?::[^@/?#\[\]]*)?@)?"
    rf"{HOST}(?:,{HOST})*"
    r"(?:/[^/?#@\"';\\<>]*)?"
    r"(?:\?[^?#@]*)?"
)
ESCAPES = r"%(?![0-9A-Fa-f]{2})|%00"
"""Strings, compiled on first use, because most stores are files."""

NO_ADDRESS = (
    "it cannot be read as an address of PostgreSQL (it is not shown, for it may hold a password); write "
    "postgresql://USER:PASSWORD@HOST/DATABASE, with %-escapes for what is not a letter or digit "
    "(in a password %2F for /, %40 for @, %3A for :, %23 for #, %3F for ?, %25 for %)"
)


def is_address(value: str) -> bool:
    """Return whether a text is meant as a URL rather than as `key=value` pairs."""
    return re.match(r"\s*[A-Za-z][A-Za-z0-9+.-]*:", value) is not None


def validate_address(value: str) -> str:
    """Return an unambiguous address; raises `InvalidValue`, which shows no part of it."""
    is_whole = value.isprintable() and " " not in value and not re.search(ESCAPES, value)
    found = re.fullmatch(ADDRESS, value) if is_whole else None
    # An escaped colon in the user name is probably the one before the password.
    if found is None or "%3a" in (found["user"] or "").lower():
        raise InvalidValue("dsn", "…", NO_ADDRESS)
    return value


ID_LENGTH_MAX = 200
NAME_LENGTH_MAX = 4_000
SOURCE_LENGTH_MAX = 50
TEXT_LENGTH_MAX = 1_000
POINTS_MAX = 10**9
AHEAD_MAX = timedelta(minutes=2)
EARLIEST_AT = datetime(2000, 1, 1, tzinfo=UTC)
PAGE_FORM = r"(?!.*//[^/]*@)https?://[!-'*-+\--~]+"
"""A web page's URL that can stand in a User-Agent: no user name, password, spaces, commas or brackets."""
DISCORD_ID = re.compile(r"[1-9][0-9]{0,19}", re.ASCII)


def validate_member_id(value: object) -> str:
    """Return TRC's own id of a member: 1 to 200 printable characters."""
    return validate_printable("member_id", value, ID_LENGTH_MAX)


def validate_discord_id(value: object) -> str:
    """Return a Discord id: a text of 1 to 20 digits (a snowflake, never a number)."""
    if not isinstance(value, str) or not DISCORD_ID.fullmatch(value):
        raise InvalidValue(
            "discord_id", value, "give the Discord id as text of 1 to 20 digits, such as '80351110224678912'"
        )
    return value


def validate_name(value: object, field: str = "name") -> str:
    """Return a display name, or a search for one: any Unicode text that can be stored, 4,000 characters at most."""
    if not isinstance(value, str) or len(value) > NAME_LENGTH_MAX:
        raise InvalidValue(field, value, f"give text of at most {NAME_LENGTH_MAX:,} characters")
    return _storable(field, value)


def validate_source(value: object) -> str:
    """Return what an award is for: 1 to 50 printable characters, and not `discord`, which only a sync may post to."""
    source = validate_printable("source", value, SOURCE_LENGTH_MAX)
    if source.strip().casefold() == DISCORD:
        raise InvalidValue("source", value, "only a sync posts points for Discord; name what else they are for")
    return source


def validate_points(value: object, field: str = "points") -> int:
    """Return points to award, or a milestone: a whole number from 1 to 1,000,000,000."""
    if type(value) is not int or not 1 <= value <= POINTS_MAX:
        raise InvalidValue(field, value, f"give a whole number from 1 to {POINTS_MAX:,}")
    return value


def validate_flag(field: str, value: object) -> bool:
    """Return True or False; anything else is refused, because a text such as "no" is true."""
    if not isinstance(value, bool):
        raise InvalidValue(field, value, "give True or False")
    return value


def validate_each(field: str, values: object, kind: type[K]) -> list[K]:
    """Return a list of values of one kind; a text is refused, because it is a list of its letters."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise InvalidValue(field, values, f"give a list of {kind.__name__}")
    found = [*values]
    for one in found:
        if not isinstance(one, kind):
            raise InvalidValue(field, one, f"give a list of {kind.__name__}")
    return found


def validate_change(value: object) -> int:
    """Return points to add or take away: a whole number other than 0, up to 1,000,000,000 either way."""
    if type(value) is not int or not 1 <= abs(value) <= POINTS_MAX:
        raise InvalidValue("points", value, f"give a whole number other than 0, up to {POINTS_MAX:,} either way")
    return value


def validate_trace(by: object = None, reason: object = None, note: object = None, *, is_needed: bool = False) -> Trace:
    """Return who did something and why, if given; `is_needed` requires all but the note.

    The actor must not look like another (R29).
    """
    actor = validate_actor(by) if is_needed or by is not None else None
    if actor is not None:
        validate_new("by", actor)
    why = validate_reason(reason) if is_needed or reason is not None else None
    return Trace(actor, why, None if note is None else _validate_text("note", note))


def in_utc(field: str, instant: object) -> datetime:
    """Return the instant in UTC; raises `InvalidValue` for a naive one, or one outside the years 1 to 9999."""
    if not isinstance(instant, datetime) or instant.tzinfo is None:
        value = instant.isoformat() if isinstance(instant, datetime) else instant
        raise InvalidValue(field, value, "give a timezone-aware datetime, such as datetime.now(UTC)")
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise InvalidValue(field, instant.isoformat(), "give an instant within the years 1 to 9999 of UTC") from error


def clock_in_utc(clock: Callable[[], datetime]) -> Callable[[], datetime]:
    """Return a clock that gives the same instants in UTC; it raises `InvalidValue` for a naive one."""
    return lambda: in_utc("clock", clock())


def validate_weekday(value: object) -> date:
    """Return a day that can be excused: Monday to Friday."""
    day = validate_day("days", value)
    if day.weekday() >= SATURDAY:
        raise InvalidValue("days", day.isoformat(), "Saturdays and Sundays never break a streak; excuse a weekday")
    return day


def day_of_award(at: datetime, now: datetime) -> date:
    """Return the UTC day on which something happened; up to two minutes ahead counts as today (R12, R16)."""
    if not EARLIEST_AT <= at <= now + AHEAD_MAX:
        raise InvalidValue(
            "at",
            at.isoformat(),
            f"give a time from {EARLIEST_AT:%Y} on, at most two minutes ahead; it is {now:%F %T} UTC",
        )
    return min(at, now).date()


def validate_day(field: str, value: object) -> date:
    """Return a UTC day: a `date`, not a `datetime`."""
    if not isinstance(value, date) or isinstance(value, datetime):
        raise InvalidValue(field, value, "give a day, such as date(2026, 12, 25)")
    return value


def validate_limit(value: object) -> int:
    """Return the length of a page of entries: 1 to 10,000."""
    if type(value) is not int or not 1 <= value <= LIMIT_MAX:
        raise InvalidValue("limit", value, "give a whole number from 1 to 10,000")
    return value


def validate_position(field: str, value: object) -> int:
    """Return a position in the feed: a whole number, 0 or more."""
    if type(value) is not int or not 0 <= value < 2**63:
        raise InvalidValue(field, value, "give a position: a whole number from 0 on")
    return value


def validate_printable(field: str, value: object, length_max: int) -> str:
    """Return a visible text of 1 to `length_max` printable characters."""
    if not isinstance(value, str) or not value.strip() or len(value) > length_max or not value.isprintable():
        raise InvalidValue(field, value, f"give text of 1 to {length_max} printable characters")
    return value


def _validate_text(field: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > TEXT_LENGTH_MAX:
        raise InvalidValue(field, value, f"give text of 1 to {TEXT_LENGTH_MAX:,} characters")
    return _storable(field, value)


validate_key: Callable[[object], str] = partial(validate_printable, "key", length_max=ID_LENGTH_MAX)
validate_reason: Callable[[object], str] = partial(_validate_text, "reason")
"""Why something was done, for people to read later."""
validate_actor: Callable[[object], str] = partial(_validate_text, "by")
"""Who did something."""


def _storable(field: str, value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidValue(field, value, "it holds half a surrogate pair, which no UTF-8 text can hold") from error
    if "\x00" in value:
        raise InvalidValue(field, value, "it holds a NUL character, which not every store can keep")
    return value


WORDS_MAX = 32
"""How many words of a name can be found."""
WORD_LENGTH_MAX = 64
"""How many characters of a word count."""
SOUGHT_MAX = 8
"""How many words of a search count."""
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Characters that are invisible although Unicode classes them as letters or marks."""


def unseen(text: str) -> str:
    """Return the invisible letters and marks of a text."""
    return "".join(_UNSEEN.findall(text))


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name, each once: runs of letters, digits and marks, and runs of symbols, folded.

    In a script without spaces, the whole text is one word, which is found by its beginning.

    >>> words_of("Ada KING, Countess of Lovelace \u2605")
    ('ada', 'king', 'countess', 'of', 'lovelace', '\u2605')
    """
    folded = normalize("NFKC", normalize("NFKC", _UNSEEN.sub("", name)).casefold())
    words, kind = [""], ""
    for char in folded:
        group = _group(char)
        if group == kind and group:
            words[-1] += char
        elif group != "hidden":
            words.append(char if group else "")
            kind = group
    return tuple(dict.fromkeys(word[:WORD_LENGTH_MAX] for word in words if word))[:WORDS_MAX]


def sought_words(text: str) -> tuple[str, ...]:
    """Return the words of a search, longest first, because the longest leaves the fewest names to check."""
    return tuple(sorted(words_of(text), key=len, reverse=True))[:SOUGHT_MAX]


def first_met(sought: Sequence[str], words: Collection[str]) -> str | None:
    """Return the first word of a name, in sort order, that the first sought word begins; None if any begins none."""
    if not sought or not all(any(word.startswith(one) for word in words) for one in sought):
        return None
    return min(word for word in words if word.startswith(sought[0]))


def _group(char: str) -> str:
    found = category(char)
    if found in {"Cf", "Cs"} or (found == "Cc" and not char.isspace()):
        # Invisible, and hard to type.
        return "hidden"
    return "word" if found[0] in "LNM" else "sign" if found[0] == "S" else ""


_CONTROLS = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})


def validate_new(field: str, value: str) -> None:
    """Raise `InvalidValue` for a new key, source or actor that could be confused with another."""
    if value != value.strip():
        raise InvalidValue(field, value, "it begins or ends with a space; remove it")
    for char in value:
        if category(char) in _CONTROLS or unseen(char):
            advice = f"it contains an invisible character (U+{ord(char):04X}); remove it"
            raise InvalidValue(field, value, advice)
    if not is_normalized("NFC", value):
        advice = "it is not in Unicode's composed form (NFC), in which é is one character"
        raise InvalidValue(field, value, advice)


def validate_new_member_id(value: str) -> None:
    """Raise `InvalidValue` for a new member id that could be confused with another, or that no URL can end in."""
    validate_new("member_id", value)
    if value in {".", ".."}:
        raise InvalidValue("member_id", value, "an address cannot end in it; give another id")
