"""What a caller may hand in: each check returns the value or names what is wrong with it."""

import re
from datetime import date, datetime

from .days import SATURDAY
from .entries import DISCORD
from .errors import InvalidValue

ID_LENGTH_MAX = 200
NAME_LENGTH_MAX = 4_000
SOURCE_LENGTH_MAX = 50
TEXT_LENGTH_MAX = 1_000
POINTS_MAX = 10**9
_DISCORD_ID = re.compile(r"[1-9][0-9]{0,19}", re.ASCII)


def checked_member_id(value: object) -> str:
    """Return TRC's own id of a member: 1 to 200 printable characters."""
    if not isinstance(value, str) or not value.strip() or len(value) > ID_LENGTH_MAX or not value.isprintable():
        raise InvalidValue("member_id", value, f"give a text of 1 to {ID_LENGTH_MAX} printable characters")
    return value


def checked_discord_id(value: object) -> str:
    """Return a Discord id: a text of 1 to 20 digits (a snowflake, never a number)."""
    if not isinstance(value, str) or not _DISCORD_ID.fullmatch(value):
        raise InvalidValue(
            "discord_id", value, "give the Discord id as text of 1 to 20 digits, such as '80351110224678912'"
        )
    return value


def checked_name(value: object) -> str:
    """Return a display name: any Unicode text that can be stored, 4,000 characters at most."""
    if not isinstance(value, str) or len(value) > NAME_LENGTH_MAX:
        raise InvalidValue("name", value, f"give a text of at most {NAME_LENGTH_MAX:,} characters")
    return _storable("name", value)


def checked_key(value: object) -> str:
    """Return a caller's key: 1 to 200 printable characters."""
    if not isinstance(value, str) or not value.strip() or len(value) > ID_LENGTH_MAX or not value.isprintable():
        raise InvalidValue("key", value, f"give a text of 1 to {ID_LENGTH_MAX} printable characters")
    return value


def checked_source(value: object) -> str:
    """Return what an award is for: 1 to 50 printable characters, and not `discord`, which only a sync may post to."""
    if not isinstance(value, str) or not value.strip() or len(value) > SOURCE_LENGTH_MAX or not value.isprintable():
        raise InvalidValue("source", value, f"give a text of 1 to {SOURCE_LENGTH_MAX} printable characters")
    if value.strip().casefold() == DISCORD:
        raise InvalidValue("source", value, "only a sync posts points for Discord; name what else they are for")
    return value


def checked_points(value: object) -> int:
    """Return points to award: a whole number from 1 to a thousand million."""
    if type(value) is not int or not 1 <= value <= POINTS_MAX:
        raise InvalidValue("points", value, f"give a whole number from 1 to {POINTS_MAX:,}")
    return value


def checked_change(value: object) -> int:
    """Return points to add or take away: a whole number other than 0, a thousand million at most."""
    if type(value) is not int or not 1 <= abs(value) <= POINTS_MAX:
        raise InvalidValue("points", value, f"give a whole number other than 0, up to {POINTS_MAX:,} either way")
    return value


def checked_reason(value: object) -> str:
    """Return why something was done, for people to read later: 1 to 1,000 characters."""
    return _checked_text("reason", value)


def checked_actor(value: object) -> str:
    """Return who did something: 1 to 1,000 characters."""
    return _checked_text("by", value)


def checked_weekday(value: object) -> date:
    """Return a day that can be excused: Monday to Friday."""
    day = checked_day("day", value)
    if day.weekday() >= SATURDAY:
        raise InvalidValue("day", day.isoformat(), "Saturdays and Sundays never break a streak; excuse a weekday")
    return day


def checked_day(field: str, value: object) -> date:
    """Return a UTC day, a `date` and not an instant."""
    if not isinstance(value, date) or isinstance(value, datetime):
        raise InvalidValue(field, value, "give a day, such as date(2026, 12, 25)")
    return value


def checked_limit(value: object) -> int:
    """Return the length of a page of entries: 1 to 10,000."""
    if type(value) is not int or not 1 <= value <= 10_000:
        raise InvalidValue("limit", value, "give a whole number from 1 to 10,000")
    return value


def checked_position(field: str, value: object) -> int:
    """Return a position in the feed: a whole number from 0 on."""
    if type(value) is not int or not 0 <= value < 2**63:
        raise InvalidValue(field, value, "give a position from the feed: a whole number from 0 on")
    return value


def _checked_text(field: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > TEXT_LENGTH_MAX:
        raise InvalidValue(field, value, f"give a text of 1 to {TEXT_LENGTH_MAX:,} characters")
    return _storable(field, value)


def _storable(field: str, value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidValue(field, value, "it holds half a surrogate pair, which no UTF-8 text can hold") from error
    if "\x00" in value:
        raise InvalidValue(field, value, "it holds a NUL character, which not every store can keep")
    return value
